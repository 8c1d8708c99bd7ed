"""Backup on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from preview.plan import UNKNOWN

from ...breaking import Break, changed, without
from ...sketch import GOOGLE, GOOGLE_AWAY, PROJECT, Sketch

KEYS = {
    region: f"projects/{PROJECT}/locations/{region}/keyRings/ring/cryptoKeys/data" for region in (GOOGLE, GOOGLE_AWAY)
}
CONFIG: dict[str, Any] = {
    "allNamespaces": True,
    "includeSecrets": True,
    "includeVolumeData": True,
    "encryptionKey": {"gcpKmsEncryptionKey": KEYS[GOOGLE]},
}
SCHEDULE = {"cronSchedule": "0 1 * * *"}
RETENTION = {"backupRetainDays": 35, "backupDeleteLockDays": 7}
DAILY = {
    "ruleId": "daily",
    "backupRetentionDays": 35,
    "standardSchedule": {"recurrenceType": "DAILY", "timeZone": "UTC"},
}


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack: a vault with the database's backups, plans of both clusters in two regions, and a
    workflow that restores of each."""
    dev = sketch.tier == "dev"
    sketch.add(
        "gcp:backupdisasterrecovery/backupVault:BackupVault",
        "backupdr-vault",
        {
            "location": GOOGLE,
            "backupMinimumEnforcedRetentionDuration": f"{(1 if dev else 7) * 86400}s",
            "accessRestriction": "WITHIN_ORGANIZATION",
        },
        protect=not dev,
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:backupdisasterrecovery/backupPlan:BackupPlan",
        "backupdr-plan",
        {
            "location": GOOGLE,
            "backupRules": [{**DAILY, "backupRetentionDays": 1 if dev else 35}],
            "logRetentionDays": 1 if dev else 7,
        },
        {"backupVault": "backupdr-vault"},
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation",
        "backupdr-database",
        {"location": GOOGLE},
        {"resource": "cloudsql", "backupPlan": "backupdr-plan"},
        provider=GOOGLE,
    )
    for cluster in ("gke", "gke-autopilot"):
        for kind, region in (("backup", GOOGLE), ("copy", GOOGLE_AWAY)):
            sketch.add(
                "gcp:gkebackup/backupPlan:BackupPlan",
                f"{cluster}-{kind}",
                {
                    "location": region,
                    "backupConfig": {**CONFIG, "encryptionKey": {"gcpKmsEncryptionKey": KEYS[region]}},
                    "backupSchedule": SCHEDULE,
                    "retentionPolicy": {"backupRetainDays": 1} if dev else RETENTION,
                },
                {"cluster": cluster},
                provider=region,
            )
    sketch.add(
        "gcp:workflows/workflow:Workflow",
        "restore-tests",
        {"region": GOOGLE, "cryptoKeyName": KEYS[GOOGLE]},
        {"sourceContents": "cloudsql gke-backup gke-autopilot-backup"},
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:cloudscheduler/job:Job",
        "restore-tests-monthly",
        {"region": GOOGLE, "schedule": "0 6 2 * *"},
        {"httpTarget": "restore-tests"},
        provider=GOOGLE,
    )


def _configured(**settings: Any) -> Break:
    """Break the stack by what is in a cluster's backups."""
    return changed("gke-backup", backupConfig={**CONFIG, **settings})


def _kept(**settings: Any) -> Break:
    """Break the stack by how long a cluster's backups are kept."""
    return changed("gke-copy", retentionPolicy={**RETENTION, **settings})


def _restoring(*names: str) -> Break:
    """Break the stack by a workflow that is made of these alone."""

    def change(sketch: Sketch) -> None:
        sketch.drop("restore-tests-monthly")
        sketch.drop("restore-tests")
        sketch.add(
            "gcp:workflows/workflow:Workflow",
            "restore-tests",
            {"region": GOOGLE},
            {"sourceContents": " ".join(names)},
            provider=GOOGLE,
        )
        sketch.add(
            "gcp:cloudscheduler/job:Job",
            "restore-tests-monthly",
            {"region": GOOGLE, "schedule": "0 6 2 * *"},
            {"httpTarget": "restore-tests"},
            provider=GOOGLE,
        )

    return change


BREAKS: dict[str, list[Break]] = {
    "gke-backup-encrypted": [changed("gke-copy", backupConfig={**CONFIG, "encryptionKey": {}})],
    "gke-backup-whole": [
        _configured(includeSecrets=False),
        _configured(includeVolumeData=False),
        _configured(permissiveMode=True),
    ],
    "gke-backup-scheduled": [
        changed("gke-backup", backupSchedule=None),
        changed("gke-backup", backupSchedule={**SCHEDULE, "paused": True}),
        changed("gke-backup", deactivated=True),
    ],
    "gke-backup-retention": [_kept(backupRetainDays=6), changed("gke-backup", retentionPolicy=None)],
    "gke-backup-retention-month": [_kept(backupRetainDays=29)],
    "gke-backup-locked": [
        _kept(backupDeleteLockDays=0),
        changed("gke-backup", retentionPolicy={"backupRetainDays": 35}),
    ],
    "gke-backup-lock-reversible": [_kept(locked=True)],
    "gke-backed-up": [
        lambda sketch: [sketch.change(f"gke-{kind}", cluster=UNKNOWN) for kind in ("backup", "copy")],
    ],
    "gke-backed-up-elsewhere": [
        without("gke-copy"),
        changed("gke-copy", location=GOOGLE),
        changed("gke-autopilot-copy", location=GOOGLE),
        lambda sketch: [sketch.change("gke", location=f"{GOOGLE}-a"), sketch.change("gke-copy", location=GOOGLE)],
    ],
    "backupdr-vault-locked": [
        changed("backupdr-vault", backupMinimumEnforcedRetentionDuration="86400s"),
        changed("backupdr-vault", backupMinimumEnforcedRetentionDuration=None),
    ],
    "backupdr-vault-reversible": [changed("backupdr-vault", effectiveTime="2030-01-01T00:00:00Z")],
    "backupdr-vault-closed": [
        changed("backupdr-vault", accessRestriction="UNRESTRICTED"),
        changed("backupdr-vault", accessRestriction=None),
    ],
    "backupdr-retention": [
        changed("backupdr-plan", backupRules=[DAILY, {**DAILY, "backupRetentionDays": 6}]),
        changed("backupdr-plan", logRetentionDays=6),
        changed("backupdr-plan", logRetentionDays=None),
    ],
    "backupdr-retention-month": [changed("backupdr-plan", backupRules=[{**DAILY, "backupRetentionDays": 29}])],
    "cloudsql-vaulted": [
        without("backupdr-database"),
        changed("backupdr-database", resource=f"projects/{PROJECT}/instances/another"),
        changed("backupdr-database", backupPlan=None),
    ],
    "backupdr-restore-tested": [
        without("restore-tests-monthly"),
        changed("restore-tests-monthly", paused=True),
        changed("restore-tests-monthly", schedule=None),
        _restoring("cloudsql", "gke-backup"),
        _restoring("gke-backup", "gke-autopilot-backup"),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
