"""Caches on ElastiCache."""

from collections.abc import Iterator
from typing import Any

from .demands import DURABLE, absent, at_least, equal, given, judged, matching, never, true
from .paths import SECRET, UNKNOWN
from .rule import Level, Link, Resource, Rule, Stack

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
PARAMETERS = "aws:elasticache/parameterGroup:ParameterGroup"
SUBNETS = "aws:elasticache/subnetGroup:SubnetGroup"
USER = "aws:elasticache/user:User"
USERS = "aws:elasticache/userGroup:UserGroup"


def _is_dangerous(access: Any) -> bool:
    """Whether rules of access, of which later ones overrule earlier ones, leave what is dangerous open."""
    dangerous = False
    for word in str(access).split():
        if word in ("+@all", "allcommands", "+@dangerous", "+@admin"):
            dangerous = True
        elif word in ("-@all", "nocommands", "-@dangerous"):
            dangerous = False
    return dangerous


def _fits_its_engine(group: Resource, stack: Stack) -> Iterator[str]:
    version = group.inputs.get("engineVersion")
    wanted = f"valkey{str(version).partition('.')[0]}"
    for parameters in stack.pointed(group, PARAMETERS, "parameterGroupName"):
        family = parameters.inputs.get("family")
        if version not in (UNKNOWN, SECRET) and family not in (UNKNOWN, SECRET, wanted):
            yield f"its version takes {wanted}, and {parameters.name} is of another family"


RULES = (
    Rule(
        "cache-encrypted",
        "A cache, and its snapshots, are encrypted with a key of ours.",
        (GROUP,),
        ("CKV_AWS_29", "CKV_AWS_191", "AWS-0045"),
        demands={"atRestEncryptionEnabled": true(), "kmsKeyId": given()},
    ),
    Rule(
        "cache-tls",
        "A cache answers over TLS only.",
        (GROUP,),
        ("CKV_AWS_30", "AWS-0051"),
        demands={
            "transitEncryptionEnabled": true(),
            "transitEncryptionMode": equal("required", breaks=["preferred"]),
        },
    ),
    Rule(
        "cache-guarded",
        "A cache stands behind security groups of its own, not behind the default one of its VPC.",
        (GROUP,),
        demands={"securityGroupIds": given()},
    ),
    Rule(
        "cache-own-subnets",
        "A cache stands in the subnets that it is given, not in the account's default VPC.",
        (GROUP,),
        ("CKV_AWS_323",),
        demands={"subnetGroupName": matching("(?!default$).+", "name a subnet group", "default")},
        links=(Link("a subnet group of this stack", SUBNETS, "subnetGroupName", {"subnetIds": given()}, outward=True),),
    ),
    Rule(
        "cache-failover",
        "A cache in staging and prod has a replica in another zone, which takes over.",
        (GROUP,),
        ("CKV2_AWS_50",),
        demands={
            "numCacheClusters": at_least(2),
            "automaticFailoverEnabled": true(),
            "multiAzEnabled": true(),
        },
        tiers=DURABLE,
    ),
    Rule(
        "cache-snapshots",
        "A cache in staging and prod can be put back to the day before.",
        (GROUP,),
        ("CKV_AWS_134", "AWS-0050"),
        demands={"snapshotRetentionLimit": at_least(1)},
        tiers=DURABLE,
    ),
    Rule(
        "cache-last-snapshot",
        "A cache in staging and prod leaves a final snapshot behind.",
        (GROUP,),
        demands={"finalSnapshotIdentifier": given()},
        tiers=DURABLE,
    ),
    Rule(
        "cache-engine",
        "A cache runs a supported version of Valkey: left out, the engine is Redis.",
        (GROUP,),
        demands={
            "engine": equal("valkey", breaks=["redis"]),
            "engineVersion": matching(r"8\.1|8\.2|9\.0", "be 8.1, 8.2 or 9.0", "7.2", "8"),
        },
    ),
    Rule(
        "cache-parameter-family",
        "A cache's parameters are those of its major version, and in a group of its own.",
        (GROUP,),
        demands={"parameterGroupName": given()},
        links=(
            Link(
                "a parameter group of this stack",
                PARAMETERS,
                "parameterGroupName",
                {"family": judged("redis7", "valkey7")},
                outward=True,
            ),
        ),
        check=_fits_its_engine,
    ),
    Rule(
        "cache-users",
        "A cache knows its clients by users of a user group, not by one token that all of them share.",
        (GROUP,),
        demands={"userGroupIds": given(), "authToken": absent("something"), "authTokenWo": absent("something")},
        links=(
            Link(
                "a user group of this stack",
                USERS,
                "userGroupIds",
                {"engine": equal("valkey", breaks=["redis"]), "userIds": given()},
                outward=True,
            ),
        ),
    ),
    Rule(
        "cache-user-signs-in",
        "A cache's user signs in, with a password or with IAM.",
        (USER,),
        demands={
            "authenticationMode.type": equal("password", "iam", breaks=["no-password-required"]),
            "noPasswordRequired": absent(True),
        },
    ),
    Rule(
        "cache-user-harmless",
        "A cache's user may not do what is dangerous, such as emptying the cache or listing all its keys.",
        (USER,),
        demands={"accessString": never("leave out `@dangerous`", _is_dangerous, "on ~* +@all", "on ~* -@all +@admin")},
    ),
    Rule(
        "cache-logs",
        "A cache sends its log and its slow commands to CloudWatch.",
        (GROUP,),
        demands={
            "logDeliveryConfigurations[logType=slow-log].destination": given(),
            "logDeliveryConfigurations[logType=engine-log].destination": given(),
        },
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "cache-minor-upgrades",
        "A cache takes minor versions by itself.",
        (GROUP,),
        ("CKV_AWS_322",),
        demands={"autoMinorVersionUpgrade": true()},
        in_dev=Level.ADVISORY,
    ),
)
