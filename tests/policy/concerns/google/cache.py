"""Caches on Memorystore: in the sound stack, and the ways to break them."""

from ...breaking import Break, changed, with_options
from ...sketch import GOOGLE, Sketch

BACKUPS = {"fixedFrequencySchedule": {"startTime": {"hours": 2}}, "retention": "604800s"}


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    durable = sketch.tier != "dev"
    sketch.add(
        "gcp:memorystore/instance:Instance",
        "valkey",
        {
            "location": GOOGLE,
            "engineVersion": "VALKEY_8_0",
            "nodeType": "STANDARD_SMALL" if durable else "SHARED_CORE_NANO",
            "shardCount": 1,
            "replicaCount": 1 if durable else 0,
            "zoneDistributionConfig": {"mode": "MULTI_ZONE" if durable else "SINGLE_ZONE"},
            "authorizationMode": "IAM_AUTH",
            "transitEncryptionMode": "SERVER_AUTHENTICATION",
            "kmsKey": "key",
            "automatedBackupConfig": BACKUPS if durable else None,
            "deletionProtectionEnabled": durable,
        },
        protect=durable,
        provider=GOOGLE,
    )


BREAKS: dict[str, list[Break]] = {
    "valkey-iam": [changed("valkey", authorizationMode=None), changed("valkey", authorizationMode="AUTH_DISABLED")],
    "valkey-tls": [
        changed("valkey", transitEncryptionMode=None),
        changed("valkey", transitEncryptionMode="TRANSIT_ENCRYPTION_DISABLED"),
    ],
    "valkey-encrypted": [changed("valkey", kmsKey=None)],
    "valkey-failover": [
        changed("valkey", replicaCount=None),
        changed("valkey", replicaCount=0),
        changed("valkey", zoneDistributionConfig=None),
        changed("valkey", zoneDistributionConfig={"mode": "SINGLE_ZONE", "zone": "europe-west3-a"}),
    ],
    "valkey-promised": [changed("valkey", nodeType="SHARED_CORE_NANO")],
    "valkey-backups": [
        changed("valkey", automatedBackupConfig=None),
        changed("valkey", automatedBackupConfig={"retention": "604800s"}),
        changed("valkey", automatedBackupConfig={**BACKUPS, "retention": None}),
    ],
    "valkey-deletion-protection": [
        changed("valkey", deletionProtectionEnabled=None),
        changed("valkey", deletionProtectionEnabled=False),
    ],
    "valkey-engine": [
        changed("valkey", engineVersion=None),
        changed("valkey", engineVersion="VALKEY_8_1"),
        changed("valkey", engineVersion="REDIS_7_2"),
    ],
    "valkey-size": [changed("valkey", nodeType="HIGHMEM_2XLARGE")],
    "redis-legacy": [with_options("valkey", type="gcp:redis/instance:Instance")],
}
"""The ways to break the sound stack, by the rule that must notice."""
