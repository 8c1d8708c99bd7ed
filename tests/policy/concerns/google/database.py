"""Database on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from ...breaking import Break, changed, without
from ...sketch import GOOGLE, GOOGLE_AWAY, PROJECT, Sketch

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
FLAGS = {
    "cloudsql.enable_pgaudit": "on",
    "cloudsql.iam_authentication": "on",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_error_verbosity": "default",
    "log_hostname": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_statement": "ddl",
    "log_temp_files": "0",
    "pgaudit.log": "ddl,role",
}
EVERYWHERE: dict[str, Any] = {
    "tier": "db-custom-2-7680",
    "edition": "ENTERPRISE",
    "diskAutoresize": True,
    "diskAutoresizeLimit": 100,
    "ipConfiguration": {
        "ipv4Enabled": False,
        "privateNetwork": f"projects/{PROJECT}/global/networks/net",
        "sslMode": "ENCRYPTED_ONLY",
    },
    "databaseFlags": [{"name": name, "value": value} for name, value in FLAGS.items()],
    "insightsConfig": {"queryInsightsEnabled": True},
    "deletionProtectionEnabled": True,
}
PASSWORDS = {
    "enablePasswordPolicy": True,
    "complexity": "COMPLEXITY_DEFAULT",
    "minLength": 16,
    "disallowUsernameSubstring": True,
}
BACKUPS = {
    "enabled": True,
    "pointInTimeRecoveryEnabled": True,
    "transactionLogRetentionDays": 7,
    "backupRetentionSettings": {"retainedBackups": 8},
}
PRIMARY: dict[str, Any] = {
    **EVERYWHERE,
    "availabilityType": "REGIONAL",
    "diskSize": 20,
    "backupConfiguration": BACKUPS,
    "finalBackupConfig": {"enabled": True, "retentionDays": 30},
    "retainBackupsOnDelete": True,
    "maintenanceWindow": {"day": 7, "hour": 3},
    "passwordValidationPolicy": PASSWORDS,
}
IN_DEV = {
    "tier": "db-f1-micro",
    "availabilityType": "ZONAL",
    "deletionProtectionEnabled": False,
    "backupConfiguration": {
        **BACKUPS,
        "transactionLogRetentionDays": 1,
        "backupRetentionSettings": {"retainedBackups": 1},
    },
    "finalBackupConfig": {"enabled": False},
    "retainBackupsOnDelete": False,
}


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack: a primary, a replica beside it, a copy in another region, and a user."""
    dev = sketch.tier == "dev"
    _instance(sketch, "cloudsql", {**PRIMARY, **(IN_DEV if dev else {})})
    replicas = {**EVERYWHERE, **({"deletionProtectionEnabled": False} if dev else {})}
    for name, region in (("cloudsql-replica", GOOGLE), ("cloudsql-copy", GOOGLE_AWAY)):
        _instance(sketch, name, replicas, {"masterInstanceName": "cloudsql"}, region)
    user = {"type": "BUILT_IN", "deletionPolicy": "ABANDON"}
    sketch.add("gcp:sql/user:User", "cloudsql-user", user, {"instance": "cloudsql"}, provider=GOOGLE)


def _instance(
    sketch: Sketch, name: str, settings: dict[str, Any], to: dict[str, str] | None = None, region: str = GOOGLE
) -> None:
    durable = sketch.tier != "dev"
    inputs = {
        "region": region,
        "databaseVersion": "POSTGRES_17",
        "deletionProtection": durable,
        "encryptionKeyName": f"projects/{PROJECT}/locations/{region}/keyRings/ring/cryptoKeys/data",
        "settings": settings,
    }
    sketch.add(INSTANCE, name, inputs, to, protect=durable, provider=region)


def _set(**settings: Any) -> Break:
    """Break the stack by settings of the primary; None takes one away."""
    merged = {key: value for key, value in {**PRIMARY, **settings}.items() if value is not None}
    return changed("cloudsql", settings=merged)


def _set_on_replica(**settings: Any) -> Break:
    """Break the stack by settings of a replica."""
    return changed("cloudsql-replica", settings={**EVERYWHERE, **settings})


def _connected(**connection: Any) -> Break:
    """Break the stack by how the primary is reached."""
    return _set(ipConfiguration={**PRIMARY["ipConfiguration"], **connection})


def _backed_up(**backups: Any) -> Break:
    """Break the stack by the primary's backups."""
    return _set(backupConfiguration={**BACKUPS, **backups})


def _flagged(**flags: str | None) -> Break:
    """Break the stack by flags of the primary, with `__` for a dot; None takes one away."""
    named = {name.replace("__", "."): value for name, value in flags.items()}
    kept = {name: value for name, value in {**FLAGS, **named}.items() if value is not None}
    return _set(databaseFlags=[{"name": name, "value": value} for name, value in kept.items()])


BREAKS: dict[str, list[Break]] = {
    "cloudsql-private": [
        _connected(ipv4Enabled=True),
        _set(ipConfiguration={"ipv4Enabled": False, "sslMode": "ENCRYPTED_ONLY"}),
        _set(ipConfiguration=None),
        _connected(authorizedNetworks=[{"value": "192.0.2.0/24"}]),
        _set_on_replica(ipConfiguration={"ipv4Enabled": True}),
        _set(dataApiAccess="ALLOW_DATA_API"),
    ],
    "cloudsql-tls": [_connected(sslMode="ALLOW_UNENCRYPTED_AND_ENCRYPTED"), _connected(sslMode=None)],
    "cloudsql-encrypted": [
        changed("cloudsql", encryptionKeyName=None),
        changed("cloudsql-copy", encryptionKeyName=None),
    ],
    "cloudsql-backups": [
        _backed_up(enabled=False),
        _backed_up(pointInTimeRecoveryEnabled=False),
        _backed_up(transactionLogRetentionDays=6),
        _backed_up(backupRetentionSettings={"retainedBackups": 3}),
        _set(backupConfiguration=None),
    ],
    "cloudsql-replica-no-backups": [_set_on_replica(backupConfiguration={"enabled": True})],
    "cloudsql-copied-elsewhere": [
        without("cloudsql-copy"),
        changed("cloudsql-copy", region=GOOGLE),
        changed("cloudsql-copy", masterInstanceName="another"),
        lambda sketch: [sketch.drop(name) for name in ("cloudsql-copy", "cloudsql-replica")],
    ],
    "cloudsql-highly-available": [_set(availabilityType="ZONAL"), _set(availabilityType=None)],
    "cloudsql-own-core": [_set(tier="db-f1-micro"), _set_on_replica(tier="db-g1-small")],
    "cloudsql-deletion-protection": [
        changed("cloudsql", deletionProtection=False),
        _set(deletionProtectionEnabled=False),
        _set_on_replica(deletionProtectionEnabled=None),
    ],
    "cloudsql-last-backup": [
        _set(finalBackupConfig=None),
        _set(finalBackupConfig={"enabled": True, "retentionDays": 1}),
        _set(retainBackupsOnDelete=False),
    ],
    "cloudsql-logs": [
        _flagged(log_connections="off"),
        _flagged(log_checkpoints=None),
        _flagged(log_min_messages="panic"),
        _flagged(log_statement="none"),
        _set_on_replica(databaseFlags=None),
    ],
    "cloudsql-quiet": [_flagged(log_min_duration_statement="1000"), _flagged(log_min_duration_statement=None)],
    "cloudsql-audited": [_flagged(cloudsql__enable_pgaudit=None), _flagged(pgaudit__log="read")],
    "cloudsql-insights": [_set(insightsConfig=None), _set(insightsConfig={"queryInsightsEnabled": False})],
    "cloudsql-iam-users": [_flagged(cloudsql__iam_authentication="off")],
    "cloudsql-passwords": [
        _set(passwordValidationPolicy=None),
        _set(passwordValidationPolicy={**PASSWORDS, "complexity": "COMPLEXITY_UNSPECIFIED"}),
        _set(passwordValidationPolicy={**PASSWORDS, "minLength": 8}),
    ],
    "cloudsql-edition-set": [_set(edition=None)],
    "cloudsql-version": [
        changed("cloudsql", databaseVersion="POSTGRES_14"),
        changed("cloudsql", databaseVersion="MYSQL_8_4"),
    ],
    "cloudsql-maintenance": [_set(maintenanceWindow=None), _set(maintenanceWindow={"day": 7})],
    "cloudsql-growing-storage": [
        _set(diskAutoresize=False),
        _set(diskAutoresizeLimit=0),
        _set(diskSize=100),
    ],
    "cloudsql-size": [_set(tier="db-custom-48-184320"), _set_on_replica(tier="db-perf-optimized-N-128")],
    "cloudsql-users-stay": [changed("cloudsql-user", deletionPolicy=None)],
}
"""The ways to break the sound stack, by the rule that must notice."""
