"""PostgreSQL on Cloud SQL."""

import re
from collections.abc import Iterator
from typing import Any

from ..demands import DEV, DURABLE, PROD, STAGING, Demand, absent, at_least, equal, false, given, matching, never, true
from ..paths import MISSING, SECRET, UNKNOWN, read
from ..rule import Level, Resource, Rule, Stack, staying

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
USER = "gcp:sql/user:User"
SHARED_CORES = ("db-f1-micro", "db-g1-small")
"""Tiers without a core of their own."""
MOST_CPUS = {DEV: 2, STAGING: 4, PROD: 32}
"""The most vCPUs by tier: what a mistyped size costs is seen too late on a bill."""
_BACKUPS = "settings.backupConfiguration"
_PASSWORDS = "settings.passwordValidationPolicy"


def _is_replica(instance: Resource, stack: Stack) -> bool:
    return "masterInstanceName" in instance.inputs


def _is_primary(instance: Resource, stack: Stack) -> bool:
    return not _is_replica(instance, stack)


def _can_grow(instance: Resource, stack: Stack) -> Iterator[str]:
    now, most = (read(instance.inputs, f"settings.{key}") for key in ("diskSize", "diskAutoresizeLimit"))
    if isinstance(now, int) and isinstance(most, int) and most <= now:
        yield f"it ends at {most} GB and starts with {now} GB"


def _goes_elsewhere(instance: Resource, stack: Stack) -> Iterator[str]:
    home = stack.region(instance)
    replicas = stack.pointing(instance, INSTANCE, "masterInstanceName")
    if not replicas:
        yield "no replica follows it"
    elif home and all(stack.region(replica) == home for replica in replicas):
        yield f"all of its replicas stay in {home}"


def _cpus(tier: str) -> int:
    """How many vCPUs a tier has, as its name says it; shared cores count as one."""
    if tier in SHARED_CORES:
        return 1
    number = re.fullmatch(r"db-custom-(?:N4-)?(\d+)-\d+|db-.+-(\d+)", tier)
    return int(number[1] or number[2]) if number else 0


def _no_more_cpus() -> Demand:
    def holds(value: Any, tier: str) -> bool:
        return value is MISSING or value in (UNKNOWN, SECRET) or _cpus(str(value)) <= MOST_CPUS[tier]

    words = "have no more than " + ", ".join(f"{cpus} vCPUs in {tier}" for tier, cpus in MOST_CPUS.items())
    return Demand(words, holds, lambda tier: ["db-custom-64-245760", "db-perf-optimized-N-48"], needed=False)


def _flag(name: str) -> str:
    return f"settings.databaseFlags[name={name}].value"


RULES = (
    Rule(
        "cloudsql-private",
        "A database has no public address, lets no network in by its addresses, and runs no statements that come "
        "through Google's API.",
        (INSTANCE,),
        ("CKV_GCP_60", "CKV_GCP_11", "GCP-0017", "CIS-GCP-6.5", "CIS-GCP-6.6"),
        demands={
            "settings.ipConfiguration.ipv4Enabled": false(),
            "settings.ipConfiguration.privateNetwork|pscConfigs": given(),
            "settings.ipConfiguration.authorizedNetworks": absent([{"value": "0.0.0.0/0"}]),
            "settings.dataApiAccess": never(
                "not be ALLOW_DATA_API", lambda value: value == "ALLOW_DATA_API", "ALLOW_DATA_API"
            ),
        },
    ),
    Rule(
        "cloudsql-tls",
        "A database answers over TLS only.",
        (INSTANCE,),
        ("CKV_GCP_6", "GCP-0015", "CIS-GCP-6.4"),
        demands={
            "settings.ipConfiguration.sslMode": equal(
                "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED", breaks=["ALLOW_UNENCRYPTED_AND_ENCRYPTED"]
            )
        },
    ),
    Rule(
        "cloudsql-encrypted",
        "A database's storage and backups are encrypted with a key of ours.",
        (INSTANCE,),
        demands={"encryptionKeyName": given()},
    ),
    Rule(
        "cloudsql-backups",
        "A database can be put back to any moment of the last day, in staging and prod of the last week.",
        (INSTANCE,),
        ("CKV_GCP_14", "GCP-0024", "CIS-GCP-6.7"),
        demands={
            f"{_BACKUPS}.enabled": true(),
            f"{_BACKUPS}.pointInTimeRecoveryEnabled": true(),
            f"{_BACKUPS}.transactionLogRetentionDays": at_least(7, dev=1),
            f"{_BACKUPS}.backupRetentionSettings.retainedBackups": at_least(7, dev=1),
        },
        when=_is_primary,
    ),
    Rule(
        "cloudsql-replica-no-backups",
        "A replica has no backups of its own: Cloud SQL refuses them.",
        (INSTANCE,),
        demands={f"{_BACKUPS}.enabled": absent(True)},
        when=_is_replica,
    ),
    Rule(
        "cloudsql-copied-elsewhere",
        "A database in prod has a replica in another region.",
        (INSTANCE,),
        check=_goes_elsewhere,
        when=_is_primary,
        tiers=(PROD,),
        looks_around=True,
    ),
    Rule(
        "cloudsql-highly-available",
        "A database in staging and prod has a standby in another zone.",
        (INSTANCE,),
        demands={"settings.availabilityType": equal("REGIONAL", breaks=["ZONAL"])},
        when=_is_primary,
        tiers=DURABLE,
    ),
    Rule(
        "cloudsql-own-core",
        "A database in staging and prod has cores of its own: Google promises nothing about shared ones.",
        (INSTANCE,),
        demands={
            "settings.tier": never("not share a core", lambda value: value in SHARED_CORES, *SHARED_CORES),
        },
        tiers=DURABLE,
    ),
    Rule(
        "cloudsql-deletion-protection",
        "Google and its provider refuse to delete a database in staging and prod.",
        (INSTANCE,),
        demands={"deletionProtection": true(), "settings.deletionProtectionEnabled": true()},
        when=staying,
        tiers=DURABLE,
    ),
    Rule(
        "cloudsql-last-backup",
        "A database in staging and prod leaves a last backup and its others behind.",
        (INSTANCE,),
        demands={
            "settings.finalBackupConfig.enabled": true(),
            "settings.finalBackupConfig.retentionDays": at_least(7),
            "settings.retainBackupsOnDelete": true(),
        },
        when=_is_primary,
        tiers=DURABLE,
    ),
    Rule(
        "cloudsql-logs",
        "A database logs its sessions, its errors, changes of its schema, and what slows it down.",
        (INSTANCE,),
        (
            "CKV_GCP_51",
            "CKV_GCP_52",
            "CKV_GCP_53",
            "CKV_GCP_54",
            "CKV_GCP_55",
            "CKV_GCP_56",
            "CKV_GCP_108",
            "CKV_GCP_109",
            "CKV_GCP_111",
            "GCP-0014",
            "GCP-0016",
            "GCP-0018",
            "GCP-0020",
            "GCP-0022",
            "GCP-0025",
            "CIS-GCP-6.2.1",
            "CIS-GCP-6.2.2",
            "CIS-GCP-6.2.3",
            "CIS-GCP-6.2.4",
            "CIS-GCP-6.2.5",
            "CIS-GCP-6.2.6",
        ),
        demands={
            _flag("log_connections"): equal("on", breaks=["off"]),
            _flag("log_disconnections"): equal("on", breaks=["off"]),
            _flag("log_hostname"): equal("on", breaks=["off"]),
            _flag("log_checkpoints"): equal("on", breaks=["off"]),
            _flag("log_lock_waits"): equal("on", breaks=["off"]),
            _flag("log_temp_files"): equal("0", breaks=["-1"]),
            _flag("log_error_verbosity"): equal("default", "terse", breaks=["verbose"]),
            _flag("log_min_messages"): equal("warning", "notice", "info", breaks=["fatal"]),
            _flag("log_min_error_statement"): equal("error", "warning", "notice", breaks=["panic"]),
            _flag("log_statement"): equal("ddl", "mod", "all", breaks=["none"]),
        },
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "cloudsql-quiet",
        "A database does not write slow statements, and the values in them, to its log.",
        (INSTANCE,),
        ("CKV_GCP_57", "GCP-0021", "CIS-GCP-6.2.7"),
        demands={_flag("log_min_duration_statement"): equal("-1", breaks=["0", "1000"])},
    ),
    Rule(
        "cloudsql-audited",
        "A database tells the audit log who changed what.",
        (INSTANCE,),
        ("CKV_GCP_110", "CIS-GCP-6.2.8"),
        demands={
            _flag("cloudsql.enable_pgaudit"): equal("on", breaks=["off"]),
            _flag("pgaudit.log"): matching(".*(ddl|all).*", "name ddl or all", "none"),
        },
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "cloudsql-insights",
        "A database shows what its queries wait for.",
        (INSTANCE,),
        demands={"settings.insightsConfig.queryInsightsEnabled": true()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "cloudsql-iam-users",
        "People and services can sign in to a database as themselves, with IAM.",
        (INSTANCE,),
        demands={_flag("cloudsql.iam_authentication"): equal("on", breaks=["off"])},
    ),
    Rule(
        "cloudsql-passwords",
        "A database refuses weak passwords.",
        (INSTANCE,),
        demands={
            f"{_PASSWORDS}.enablePasswordPolicy": true(),
            f"{_PASSWORDS}.complexity": equal("COMPLEXITY_DEFAULT", breaks=["COMPLEXITY_UNSPECIFIED"]),
            f"{_PASSWORDS}.minLength": at_least(12),
            f"{_PASSWORDS}.disallowUsernameSubstring": true(),
        },
        when=_is_primary,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "cloudsql-edition-set",
        "A database names its edition: Cloud SQL would take ENTERPRISE_PLUS, which refuses the other one's tiers.",
        (INSTANCE,),
        demands={"settings.edition": equal("ENTERPRISE", "ENTERPRISE_PLUS", breaks=["STANDARD"])},
    ),
    Rule(
        "cloudsql-version",
        "A database names a supported major version.",
        (INSTANCE,),
        demands={
            "databaseVersion": matching(
                "POSTGRES_(15|16|17|18)", "be POSTGRES_15, POSTGRES_16, POSTGRES_17 or POSTGRES_18", "POSTGRES_14"
            )
        },
    ),
    Rule(
        "cloudsql-maintenance",
        "A database is maintained at a time that somebody chose.",
        (INSTANCE,),
        demands={"settings.maintenanceWindow.day": given(), "settings.maintenanceWindow.hour": given()},
        when=_is_primary,
        level=Level.ADVISORY,
    ),
    Rule(
        "cloudsql-growing-storage",
        "A database's volume grows by itself, up to a limit.",
        (INSTANCE,),
        demands={"settings.diskAutoresize": true(), "settings.diskAutoresizeLimit": at_least(1)},
        check=_can_grow,
        level=Level.ADVISORY,
    ),
    Rule(
        "cloudsql-size",
        "A database has no more vCPUs than its tier needs.",
        (INSTANCE,),
        demands={"settings.tier": _no_more_cpus()},
        level=Level.ADVISORY,
        in_dev=Level.MANDATORY,
    ),
    Rule(
        "cloudsql-users-stay",
        "A database's users are left to it when the stack lets go of them: Cloud SQL deletes none who owns something.",
        (USER,),
        demands={"deletionPolicy": equal("ABANDON", breaks=["DELETE"])},
        level=Level.ADVISORY,
    ),
)
