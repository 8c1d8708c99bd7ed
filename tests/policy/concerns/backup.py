"""Backups: in the sound stack, and the ways to break them."""

from preview.plan import UNKNOWN

from ..breaking import Break, changed, without
from ..sketch import AWAY, HOME, Sketch, allow, of_account


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    durable = sketch.tier != "dev"
    for vault, key, region in (("backup-vault", "key", HOME), ("away-backup-vault", "away-key", AWAY)):
        sketch.add("aws:backup/vault:Vault", vault, {"name": vault}, {"kmsKeyArn": key}, (), durable, region)
        sketch.add(
            "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
            f"{vault}-lock",
            {"minRetentionDays": 7},
            {"backupVaultName": vault},
            provider=region,
        )
    sketch.add(
        "aws:backup/plan:Plan",
        "backup-plan",
        {"rules": [rule("daily", 35), rule("monthly", 365)]},
        {"rules": "backup-vault away-backup-vault"},
    )
    trust = allow(Action="sts:AssumeRole", Principal={"Service": "backup.amazonaws.com"}, Condition=of_account())
    sketch.add("aws:iam/role:Role", "backup-role", {"assumeRolePolicy": trust})
    sketch.add(
        "aws:backup/selection:Selection",
        "backup-selection",
        {},
        {"planId": "backup-plan", "resources": "database bucket", "iamRoleArn": "backup-role"},
    )
    sketch.add("aws:backup/restoreTestingPlan:RestoreTestingPlan", "restore-plan", {"name": "restores"})
    for name, kind in (("database", "RDS"), ("bucket", "S3")):
        sketch.add(
            "aws:backup/restoreTestingSelection:RestoreTestingSelection",
            f"restored-{name}",
            {"protectedResourceType": kind},
            {"protectedResourceArns": name, "restoreTestingPlanName": "restore-plan", "iamRoleArn": "backup-role"},
        )


def rule(name: str, days: int, copy: str = UNKNOWN) -> dict:
    """A rule of a plan, with a copy."""
    return {
        "ruleName": name,
        "targetVaultName": UNKNOWN,
        "lifecycle": {"deleteAfter": days},
        "copyActions": [{"destinationVaultArn": copy, "lifecycle": {"deleteAfter": days}}],
    }


def with_rules(*rules: dict) -> Break:
    """Break a stack by giving its plan these rules alone."""
    return changed("backup-plan", rules=list(rules))


def at_home(name: str) -> Break:
    """Break a stack by moving what stands in the other region home."""
    return lambda sketch: sketch.set(name, provider=sketch.urn(HOME))


def away(name: str) -> Break:
    """Break a stack by moving what stands at home to the other region."""
    return lambda sketch: sketch.set(name, provider=sketch.urn(AWAY))


def without_backups(sketch: Sketch) -> None:
    """Break a stack by leaving all of them out."""
    for name in ("backup-plan", "backup-selection", "backup-vault", "away-backup-vault"):
        sketch.drop(name)


def of_all(kind: str) -> Break:
    """Break a stack by testing only what is of a kind, all of it."""

    def tested(sketch: Sketch) -> None:
        sketch.drop("restored-database")
        sketch.change("restored-bucket", protectedResourceType=kind, protectedResourceArns=["*"])

    return tested


BREAKS: dict[str, list[Break]] = {
    "backup-vault-encrypted": [changed("backup-vault", kmsKeyArn=None), changed("away-backup-vault", kmsKeyArn="")],
    "backup-vault-locked": [
        without("backup-vault-lock"),
        without("away-backup-vault-lock"),
        changed("backup-vault-lock", minRetentionDays=6),
        changed("backup-vault-lock", minRetentionDays=None),
        changed("backup-vault-lock", backupVaultName="another"),
    ],
    "backup-lock-reversible": [changed("backup-vault-lock", changeableForDays=days) for days in (3, UNKNOWN)],
    "backup-retention": [
        with_rules(rule("daily", 6), rule("monthly", 365)),
        with_rules(rule("daily", 35), {**rule("monthly", 365), "lifecycle": {}}),
        with_rules({**rule("daily", 35), "lifecycle": None}),
        with_rules(),
    ],
    "backup-retention-month": [with_rules(rule("daily", 29), rule("monthly", 365))],
    "backup-copied-elsewhere": [
        with_rules(rule("daily", 35), {**rule("monthly", 365), "copyActions": []}),
        with_rules(rule("daily", 35, copy="")),
        with_rules(rule("daily", 35, copy=f"arn:aws:backup:{HOME}:123456789012:backup-vault:another")),
        at_home("away-backup-vault"),
    ],
    "stateful-is-backed-up": [
        without("backup-selection"),
        without_backups,
        changed("backup-selection", resources=["arn:aws:s3:::another"]),
        changed("backup-selection", planId=None),
        changed("backup-selection", iamRoleArn=None),
        away("backup-selection"),
    ],
    "backup-restore-tested": [
        without("restored-database"),
        without("restored-bucket"),
        changed("restored-database", protectedResourceArns=["arn:aws:rds:x:1:db:another"]),
        changed("restored-bucket", restoreTestingPlanName=None),
        of_all("EBS"),
        of_all("S3"),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
