"""Backups by AWS Backup."""

from collections.abc import Iterator

from .database import INSTANCE
from .demands import DURABLE, PROD, absent, at_least, given, judged
from .documents import Statement, is_unknown, many, principals, statements
from .paths import locate
from .rule import Link, Resource, Rule, Stack, staying
from .storage import BUCKET, POLICY, REPLICATION

VAULT = "aws:backup/vault:Vault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
RESTORE_TEST = "aws:backup/restoreTestingSelection:RestoreTestingSelection"

_KINDS = {INSTANCE: "RDS", BUCKET: "S3"}
"""What holds data, as AWS Backup calls it."""


def _copies_leave(plan: Resource, stack: Stack) -> Iterator[str]:
    home = stack.region(plan)
    if not home:
        return
    for _, vault_arn in locate(plan.inputs, "rules[*].copyActions[*].destinationVaultArn"):
        if isinstance(vault_arn, str) and vault_arn.split(":")[3:4] == [home]:
            yield f"its copies stay in {home}"
    vaults = stack.pointed(plan, VAULT, "rules")
    # One of them is where the originals go.
    if len(vaults) > 1 and all(stack.region(vault) == home for vault in vaults):
        yield f"its copies stay in {home}"


def _is_for_logs(bucket: Resource, stack: Stack) -> bool:
    """Whether a service of AWS puts objects there, such as logs of accesses or of CloudTrail, as far as can be seen."""
    policies = [policy.inputs.get("policy") for policy in stack.pointing(bucket, POLICY, "bucket")]
    return any(is_unknown(policy) or any(map(_is_delivery, statements(policy, "Allow"))) for policy in policies)


def _is_delivery(statement: Statement) -> bool:
    return bool(principals(statement, "Service")) and "s3:PutObject" in many(statement.get("Action"))


def _is_copy(bucket: Resource, stack: Stack) -> bool:
    return any(bucket.urn in each.property_dependencies.get("rules", ()) for each in stack.of_types([REPLICATION]))


def _holds_data(resource: Resource, stack: Stack) -> bool:
    """Whether it is what others are copies of: a primary, or a bucket that neither logs nor copies go to."""
    if resource.type == INSTANCE:
        return "replicateSourceDb" not in resource.inputs
    return not _is_for_logs(resource, stack) and not _is_copy(resource, stack)


def _is_backed_up(resource: Resource, stack: Stack) -> bool:
    return bool(stack.pointing(resource, SELECTION, "resources"))


def _selected_at_home(resource: Resource, stack: Stack) -> Iterator[str]:
    home = stack.region(resource)
    regions = [stack.region(selection) for selection in stack.pointing(resource, SELECTION, "resources")]
    if regions and home and None not in regions and home not in regions:
        yield f"no selection stands in {home} as it does, and one elsewhere does not reach it"


def _is_tested(resource: Resource, stack: Stack) -> Iterator[str]:
    tests = stack.pointing(resource, RESTORE_TEST, "protectedResourceArns")
    tests += [each for each in stack.of_types([RESTORE_TEST]) if _is_of_all(each, _KINDS[resource.type])]
    if not any(each.inputs.get("restoreTestingPlanName") for each in tests):
        yield "no restore testing plan has a selection for it"


def _is_of_all(test: Resource, kind: str) -> bool:
    return test.inputs.get("protectedResourceType") == kind and test.inputs.get("protectedResourceArns") == ["*"]


RULES = (
    Rule(
        "backup-vault-encrypted",
        "A backup vault is encrypted with a key of ours.",
        (VAULT,),
        ("CKV_AWS_166",),
        demands={"kmsKeyArn": given()},
    ),
    Rule(
        "backup-vault-locked",
        "A backup vault in prod is locked: nobody deletes a backup before its time, and none is kept for less than a "
        "week.",
        (VAULT,),
        links=(Link("a vault lock", LOCK, "backupVaultName", {"minRetentionDays": at_least(7)}),),
        when=staying,
        tiers=(PROD,),
    ),
    Rule(
        "backup-lock-reversible",
        "A vault lock is in governance mode: one in compliance mode can never be undone, nor its vault be deleted.",
        (LOCK,),
        demands={"changeableForDays": absent(3)},
    ),
    Rule(
        "backup-retention",
        "A backup in staging and prod is kept for a week or longer, and not for ever.",
        (PLAN,),
        demands={"rules[*].lifecycle.deleteAfter": at_least(7)},
        tiers=DURABLE,
    ),
    Rule(
        "backup-retention-month",
        "A backup in prod is kept for a month or longer: some losses are noticed late.",
        (PLAN,),
        demands={"rules[*].lifecycle.deleteAfter": at_least(30)},
        tiers=(PROD,),
    ),
    Rule(
        "backup-copied-elsewhere",
        "A backup in prod is copied to another region.",
        (PLAN,),
        demands={"rules[*].copyActions[*].destinationVaultArn": given()},
        check=_copies_leave,
        tiers=(PROD,),
        looks_around=True,
    ),
    Rule(
        "stateful-is-backed-up",
        "A database, or a bucket that is neither a copy nor for logs, is in a backup plan in staging and prod.",
        (INSTANCE, BUCKET),
        links=(Link("a backup selection", SELECTION, "resources", {"planId": given(), "iamRoleArn": given()}),),
        check=_selected_at_home,
        when=lambda resource, stack: staying(resource, stack) and _holds_data(resource, stack),
        tiers=DURABLE,
    ),
    Rule(
        "backup-restore-tested",
        "What is backed up in prod is restored as a test, since a backup that nobody has restored is a hope.",
        (INSTANCE, BUCKET),
        links=(
            Link(
                "a restore test",
                RESTORE_TEST,
                "protectedResourceArns",
                {"restoreTestingPlanName": judged()},
                judged=True,
            ),
        ),
        check=_is_tested,
        when=_is_backed_up,
        tiers=(PROD,),
    ),
)
