"""Caches on Memorystore."""

from typing import Any

from ..demands import DEV, DURABLE, PROD, STAGING, Demand, at_least, equal, given, matching, never, true
from ..paths import MISSING, SECRET, UNKNOWN
from ..rule import Level, Rule, staying

INSTANCE = "gcp:memorystore/instance:Instance"
LEGACY = "gcp:redis/instance:Instance"

NODE_TYPES = (
    "SHARED_CORE_NANO",
    "CUSTOM_PICO",
    "CUSTOM_MICRO",
    "CUSTOM_MINI",
    "STANDARD_SMALL",
    "HIGHCPU_MEDIUM",
    "HIGHMEM_MEDIUM",
    "STANDARD_LARGE",
    "HIGHMEM_XLARGE",
    "HIGHMEM_2XLARGE",
)
"""Types of nodes, from small to large."""
LARGEST = {DEV: "STANDARD_SMALL", STAGING: "STANDARD_LARGE", PROD: "HIGHMEM_XLARGE"}
"""The largest type by tier."""


def _no_larger() -> Demand:
    def holds(value: Any, tier: str) -> bool:
        if value is MISSING or value in (UNKNOWN, SECRET):
            return True
        return value not in NODE_TYPES or NODE_TYPES.index(value) <= NODE_TYPES.index(LARGEST[tier])

    words = "be no larger than " + ", ".join(f"{type_} in {tier}" for tier, type_ in LARGEST.items())
    return Demand(words, holds, lambda _: ["HIGHMEM_2XLARGE"], needed=False)


RULES = (
    Rule(
        "valkey-iam",
        "A cache lets in who has a token of an identity that may sign in; its creation decides it.",
        (INSTANCE,),
        demands={"authorizationMode": equal("IAM_AUTH", breaks=["AUTH_DISABLED"])},
    ),
    Rule(
        "valkey-tls",
        "A cache answers over TLS only; its creation decides it.",
        (INSTANCE,),
        demands={
            "transitEncryptionMode": equal("SERVER_AUTHENTICATION", breaks=["TRANSIT_ENCRYPTION_DISABLED"]),
        },
    ),
    Rule(
        "valkey-encrypted",
        "A cache, and its backups, are encrypted with a key of ours.",
        (INSTANCE,),
        demands={"kmsKey": given()},
    ),
    Rule(
        "valkey-failover",
        "A cache in staging and prod has a replica in another zone, which takes over.",
        (INSTANCE,),
        demands={
            "replicaCount": at_least(1),
            "zoneDistributionConfig.mode": equal("MULTI_ZONE", breaks=["SINGLE_ZONE"]),
        },
        tiers=DURABLE,
    ),
    Rule(
        "valkey-promised",
        "A cache in staging and prod is of a type for which Google promises that it runs.",
        (INSTANCE,),
        demands={
            "nodeType": never(
                "be another than the shared one", lambda type_: type_ == "SHARED_CORE_NANO", "SHARED_CORE_NANO"
            ),
        },
        tiers=DURABLE,
    ),
    Rule(
        "valkey-backups",
        "A cache in staging and prod can be put back to the day before.",
        (INSTANCE,),
        demands={
            "automatedBackupConfig.fixedFrequencySchedule": given(),
            "automatedBackupConfig.retention": given(),
        },
        tiers=DURABLE,
    ),
    Rule(
        "valkey-deletion-protection",
        "Google refuses to delete a cache in staging and prod.",
        (INSTANCE,),
        demands={"deletionProtectionEnabled": true()},
        when=staying,
        tiers=DURABLE,
    ),
    Rule(
        "valkey-engine",
        "A cache runs a supported version of Valkey, which is named.",
        (INSTANCE,),
        demands={
            "engineVersion": matching(
                "VALKEY_(7_2|8_0|9_0)", "be VALKEY_7_2, VALKEY_8_0 or VALKEY_9_0", "VALKEY_8_1", "REDIS_7_2"
            ),
        },
    ),
    Rule(
        "valkey-size",
        "A cache is no larger than its tier needs.",
        (INSTANCE,),
        demands={"nodeType": _no_larger()},
        level=Level.ADVISORY,
        in_dev=Level.MANDATORY,
    ),
    Rule(
        "redis-legacy",
        "A cache is one of Memorystore for Valkey: its forerunner for Redis asks for no password and speaks without "
        "TLS unless it is told otherwise, and has one zone at its lower tier.",
        (INSTANCE, LEGACY),
        ("CKV_GCP_95", "CKV_GCP_97"),
        options={"type": never(f"be {INSTANCE}", lambda type_: type_ == LEGACY, LEGACY)},
    ),
)
