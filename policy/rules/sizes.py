"""How large machines may be: what a mistyped size costs is seen too late on a bill."""

import re
from typing import Any

from .database import INSTANCE
from .demands import DEV, PROD, STAGING, Demand
from .paths import MISSING, SECRET, UNKNOWN
from .rule import Level, Rule

SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")
"""The sizes before those that count: an `8xlarge` is eight times an `xlarge`."""

Largest = dict[str, str]
"""The largest size by tier."""
DATABASES: Largest = {DEV: "medium", STAGING: "xlarge", PROD: "8xlarge"}
CACHES: Largest = {DEV: "small", STAGING: "large", PROD: "4xlarge"}
BROKERS: Largest = {DEV: "medium", STAGING: "large", PROD: "2xlarge"}
MACHINES: Largest = {DEV: "large", STAGING: "2xlarge", PROD: "8xlarge"}
"""Nodes of clusters, and single ones."""


def rank(kind: str) -> int | None:
    """How large a kind of machine such as `db.m6g.2xlarge` is, or None where it does not say."""
    size = kind.rpartition(".")[2]
    if size in SIZES:
        return SIZES.index(size)
    times = re.fullmatch(r"(\d+)xlarge", size)
    if times:
        return len(SIZES) - 2 + int(times[1])
    return len(SIZES) + 1000 if size.startswith("metal") else None


def no_larger(largest: Largest) -> Demand:
    """A kind of machine of a size that its tier may have. One without a size, such as a serverless one, is right."""

    def holds(value: Any, tier: str) -> bool:
        if value is MISSING or value in (UNKNOWN, SECRET):
            return True
        return (rank(str(value)) or 0) <= (rank(largest[tier]) or 0)

    words = "be no larger than " + ", ".join(f"{size} in {tier}" for tier, size in largest.items())
    return Demand(words, holds, lambda tier: ["db.x2g.12xlarge", "m7g.metal"], needed=False)


def _rule(id_: str, what: str, type_: str, paths: tuple[str, ...], largest: Largest) -> Rule:
    return Rule(
        id_,
        f"{what} is no larger than its tier needs.",
        (type_,),
        demands={path: no_larger(largest) for path in paths},
        level=Level.ADVISORY,
        in_dev=Level.MANDATORY,
    )


RULES = (
    _rule("rds-size", "A database", INSTANCE, ("instanceClass",), DATABASES),
    _rule(
        "cache-size",
        "A cache",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        ("nodeType",),
        CACHES,
    ),
    _rule("broker-size", "A broker", "aws:mq/broker:Broker", ("hostInstanceType",), BROKERS),
    _rule("node-size", "A cluster's node", "aws:eks/nodeGroup:NodeGroup", ("instanceTypes[*]",), MACHINES),
    _rule("instance-size", "A machine", "aws:ec2/instance:Instance", ("instanceType",), MACHINES),
    _rule(
        "template-size",
        "A machine out of a template",
        "aws:ec2/launchTemplate:LaunchTemplate",
        ("instanceType",),
        MACHINES,
    ),
)
