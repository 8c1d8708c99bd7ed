"""Caches: in the sound stack, and the ways to break them."""

from preview.plan import UNKNOWN

from ..breaking import Break, changed, without
from ..sketch import Sketch

LOGS = [{"logType": log, "destination": UNKNOWN} for log in ("slow-log", "engine-log")]


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    sketch.add("aws:elasticache/subnetGroup:SubnetGroup", "cache-subnets", {}, {"subnetIds": "subnet-a subnet-b"})
    sketch.add("aws:elasticache/parameterGroup:ParameterGroup", "cache-parameters", {"family": "valkey8"})
    sketch.add(
        "aws:elasticache/user:User",
        "cache-user",
        {
            "userName": "app",
            "accessString": "on ~* -@all +@read +@write -@dangerous",
            "authenticationMode": {"type": "password", "passwords": ["[secret]"]},
        },
    )
    sketch.add("aws:elasticache/userGroup:UserGroup", "cache-users", {"engine": "valkey"}, {"userIds": "cache-user"})
    for log in ("slow", "engine"):
        days = 365 if sketch.tier == "prod" else 1
        inputs = {"name": f"/aws/elasticache/cache/{log}-log", "retentionInDays": days}
        sketch.add("aws:cloudwatch/logGroup:LogGroup", f"cache-{log}", inputs, {"kmsKeyId": "key"})
    sketch.add(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "cache",
        {
            "nodeType": "cache.t4g.small",
            "engine": "valkey",
            "engineVersion": "8.2",
            "autoMinorVersionUpgrade": True,
            "numCacheClusters": 2,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "atRestEncryptionEnabled": True,
            "transitEncryptionEnabled": True,
            "transitEncryptionMode": "required",
            "snapshotRetentionLimit": 1,
            "finalSnapshotIdentifier": "last",
            "logDeliveryConfigurations": LOGS,
        },
        {
            "kmsKeyId": "key",
            "parameterGroupName": "cache-parameters",
            "subnetGroupName": "cache-subnets",
            "securityGroupIds": "group",
            "userGroupIds": "cache-users",
            "logDeliveryConfigurations": "cache-slow cache-engine",
        },
        protect=sketch.tier != "dev",
    )


BREAKS: dict[str, list[Break]] = {
    "cache-size": [changed("cache", nodeType="cache.r7g.12xlarge")],
    "cache-encrypted": [
        changed("cache", atRestEncryptionEnabled=False),
        changed("cache", atRestEncryptionEnabled=None),
        changed("cache", kmsKeyId=None),
    ],
    "cache-tls": [
        changed("cache", transitEncryptionEnabled=None),
        changed("cache", transitEncryptionMode="preferred"),
        changed("cache", transitEncryptionMode=None),
    ],
    "cache-guarded": [changed("cache", securityGroupIds=[]), changed("cache", securityGroupIds=None)],
    "cache-own-subnets": [
        changed("cache", subnetGroupName=None),
        changed("cache", subnetGroupName="default"),
        changed("cache", subnetGroupName="elsewhere"),
        changed("cache-subnets", subnetIds=[]),
    ],
    "cache-failover": [
        changed("cache", numCacheClusters=1),
        changed("cache", automaticFailoverEnabled=False),
        changed("cache", multiAzEnabled=None),
    ],
    "cache-snapshots": [
        changed("cache", snapshotRetentionLimit=0),
        changed("cache", snapshotRetentionLimit=None),
    ],
    "cache-last-snapshot": [changed("cache", finalSnapshotIdentifier=None)],
    "cache-engine": [
        changed("cache", engine=None),
        changed("cache", engine="redis"),
        changed("cache", engineVersion=None),
        changed("cache", engineVersion="7.2"),
    ],
    "cache-parameter-family": [
        changed("cache", parameterGroupName=None),
        changed("cache", parameterGroupName="default.valkey8"),
        changed("cache", engineVersion="9.0"),
        changed("cache-parameters", family="redis7"),
        changed("cache-parameters", family=None),
    ],
    "cache-users": [
        changed("cache", userGroupIds=None),
        changed("cache", userGroupIds=["elsewhere"]),
        changed("cache", authToken="[secret]"),
        changed("cache", authTokenWo=UNKNOWN),
        changed("cache-users", engine="redis"),
        changed("cache-users", userIds=[]),
        without("cache-users"),
    ],
    "cache-user-signs-in": [
        changed("cache-user", authenticationMode=None),
        changed("cache-user", authenticationMode={"type": "no-password-required"}),
        changed("cache-user", noPasswordRequired=True),
    ],
    "cache-user-harmless": [
        changed("cache-user", accessString="on ~* +@all"),
        changed("cache-user", accessString="on ~* -@dangerous +@all"),
        changed("cache-user", accessString="on ~* -@all +@read +@admin"),
    ],
    "cache-logs": [
        changed("cache", logDeliveryConfigurations=None),
        changed("cache", logDeliveryConfigurations=LOGS[:1]),
        changed("cache", logDeliveryConfigurations=[LOGS[0], {"logType": "engine-log"}]),
    ],
    "cache-minor-upgrades": [
        changed("cache", autoMinorVersionUpgrade=False),
        changed("cache", autoMinorVersionUpgrade=None),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
