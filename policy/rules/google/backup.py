"""Backup on Google Cloud."""

from collections.abc import Iterator

from ..demands import DURABLE, PROD, absent, at_least, equal, given
from ..rule import Level, Link, Resource, Rule, Stack, staying
from .cluster import CLUSTER
from .database import INSTANCE
from .keys import lasting

VAULT = "gcp:backupdisasterrecovery/backupVault:BackupVault"
PLAN = "gcp:backupdisasterrecovery/backupPlan:BackupPlan"
ASSOCIATION = "gcp:backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation"
GKE_PLAN = "gcp:gkebackup/backupPlan:BackupPlan"
WORKFLOW = "gcp:workflows/workflow:Workflow"
JOB = "gcp:cloudscheduler/job:Job"

_CENTURY = 36159
"""Days in the 99 years that a vault locks its backups at most."""
_CONFIG, _SCHEDULE, _RETENTION = "backupConfig", "backupSchedule", "retentionPolicy"


def _is_primary(instance: Resource, stack: Stack) -> bool:
    return "masterInstanceName" not in instance.inputs


def _must_be_vaulted(instance: Resource, stack: Stack) -> bool:
    return staying(instance, stack) and _is_primary(instance, stack)


def _plans(cluster: Resource, stack: Stack) -> list[Resource]:
    return stack.pointing(cluster, GKE_PLAN, "cluster")


def _has_a_plan(cluster: Resource, stack: Stack) -> Iterator[str]:
    if not _plans(cluster, stack):
        yield "a backup plan is missing"


def _goes_elsewhere(cluster: Resource, stack: Stack) -> Iterator[str]:
    home, regions = stack.region(cluster), [stack.region(plan) for plan in _plans(cluster, stack)]
    # A cluster in one zone of a region is as far from it as the region itself.
    if home and None not in regions and all(home == region or home[:-2] == region for region in regions):
        yield f"all of its backups stay in {home}"


def _is_backed_up(resource: Resource, stack: Stack) -> bool:
    if resource.type == INSTANCE:
        return _is_primary(resource, stack) and bool(stack.pointing(resource, ASSOCIATION, "resource"))
    return bool(_plans(resource, stack))


def _is_restored(resource: Resource, stack: Stack) -> Iterator[str]:
    # A workflow names a database itself, and of a cluster the plan that has its backups.
    named = [resource] if resource.type == INSTANCE else _plans(resource, stack)
    workflows = [workflow for each in named for workflow in stack.pointing(each, WORKFLOW, "sourceContents")]
    if not workflows:
        yield "no workflow restores it"
        return
    jobs = [job for workflow in workflows for job in stack.pointing(workflow, JOB, "httpTarget")]
    if all(job.inputs.get("paused") is True or not job.inputs.get("schedule") for job in jobs):
        yield "nothing starts the workflow that restores it"


RULES: tuple[Rule, ...] = (
    Rule(
        "gke-backup-encrypted",
        "A cluster's backups are encrypted with a key of ours.",
        (GKE_PLAN,),
        demands={f"{_CONFIG}.encryptionKey.gcpKmsEncryptionKey": given()},
    ),
    Rule(
        "gke-backup-whole",
        "A cluster's backups have its secrets and its volumes, and fail where something in them could not be restored.",
        (GKE_PLAN,),
        demands={
            f"{_CONFIG}.includeSecrets": equal(True, breaks=[False]),
            f"{_CONFIG}.includeVolumeData": equal(True, breaks=[False]),
            f"{_CONFIG}.permissiveMode": absent(True),
        },
    ),
    Rule(
        "gke-backup-scheduled",
        "A cluster's backups are made by themselves.",
        (GKE_PLAN,),
        demands={
            f"{_SCHEDULE}.cronSchedule|rpoConfig": given(),
            f"{_SCHEDULE}.paused": absent(True),
            "deactivated": absent(True),
        },
    ),
    Rule(
        "gke-backup-retention",
        "A cluster's backup in staging and prod is kept for a week or longer, and not for ever.",
        (GKE_PLAN,),
        demands={f"{_RETENTION}.backupRetainDays": at_least(7)},
        tiers=DURABLE,
    ),
    Rule(
        "gke-backup-retention-month",
        "A cluster's backup in prod is kept for a month or longer: some losses are noticed late.",
        (GKE_PLAN,),
        demands={f"{_RETENTION}.backupRetainDays": at_least(30)},
        tiers=(PROD,),
    ),
    Rule(
        "gke-backup-locked",
        "Nobody deletes a cluster's backup in prod on the day that it was made.",
        (GKE_PLAN,),
        demands={f"{_RETENTION}.backupDeleteLockDays": at_least(1)},
        when=staying,
        tiers=(PROD,),
    ),
    Rule(
        "gke-backup-lock-reversible",
        "How long a cluster's backups are kept can be changed: a locked policy can never be again.",
        (GKE_PLAN,),
        demands={f"{_RETENTION}.locked": absent(True)},
    ),
    Rule(
        "gke-backed-up",
        "A cluster in staging and prod has a plan for backups.",
        (CLUSTER,),
        # No link: of several plans none is the one that a cluster needs.
        check=_has_a_plan,
        when=staying,
        tiers=DURABLE,
        looks_around=True,
    ),
    Rule(
        "gke-backed-up-elsewhere",
        "A cluster in prod has backups in another region.",
        (CLUSTER,),
        check=_goes_elsewhere,
        when=lambda cluster, stack: staying(cluster, stack) and _is_backed_up(cluster, stack),
        tiers=(PROD,),
        looks_around=True,
    ),
    Rule(
        "backupdr-vault-locked",
        "A vault in prod lets nobody delete a backup for a week or longer.",
        (VAULT,),
        demands={"backupMinimumEnforcedRetentionDuration": lasting(7, _CENTURY)},
        when=staying,
        tiers=(PROD,),
    ),
    Rule(
        "backupdr-vault-reversible",
        "How long a vault keeps its backups can be changed: of a locked vault it never can be again.",
        (VAULT,),
        demands={"effectiveTime": absent("2030-01-01T00:00:00Z")},
    ),
    Rule(
        "backupdr-vault-closed",
        "A vault takes and gives back the backups of its organization alone.",
        (VAULT,),
        demands={
            "accessRestriction": equal(
                "WITHIN_ORGANIZATION", "WITHIN_PROJECT", breaks=["UNRESTRICTED", "WITHIN_ORG_BUT_UNRESTRICTED_FOR_BA"]
            )
        },
    ),
    Rule(
        "backupdr-retention",
        "A database's backup and its logs are kept in a vault for a week or longer in staging and prod.",
        (PLAN,),
        demands={"backupRules[*].backupRetentionDays": at_least(7), "logRetentionDays": at_least(7)},
        tiers=DURABLE,
    ),
    Rule(
        "backupdr-retention-month",
        "A database's backup in prod is kept in a vault for a month or longer: some losses are noticed late.",
        (PLAN,),
        demands={"backupRules[*].backupRetentionDays": at_least(30)},
        tiers=(PROD,),
    ),
    Rule(
        "cloudsql-vaulted",
        "A database in staging and prod is backed up into a vault, by a plan.",
        (INSTANCE,),
        links=(Link("a backup plan's association", ASSOCIATION, "resource", {"backupPlan": given()}),),
        when=_must_be_vaulted,
        tiers=DURABLE,
        # Not every database can be: it is seen, and its own backups do instead.
        level=Level.ADVISORY,
    ),
    Rule(
        "backupdr-restore-tested",
        "What is backed up in staging and prod is restored as a test: a backup that nobody has restored is a hope.",
        (INSTANCE, CLUSTER),
        check=_is_restored,
        when=_is_backed_up,
        tiers=DURABLE,
        looks_around=True,
    ),
)
