"""Keys on Google Cloud."""

from typing import Any

from ..demands import DURABLE, Demand, equal
from ..paths import SECRET, UNKNOWN
from ..rule import Resource, Rule, Stack, staying

KEY = "gcp:kms/cryptoKey:CryptoKey"
_DAY = 86400


def lasting(least: int, most: int) -> Demand:
    """A duration of so many days, in the seconds that Google Cloud takes: `86400s`."""

    def holds(value: Any, tier: str) -> bool:
        return value in (UNKNOWN, SECRET) or least * _DAY <= seconds(value) <= most * _DAY

    breaks = [f"{least * _DAY - 1}s", f"{most * _DAY + 1}s", ""]
    return Demand(f"be {least} to {most} days in seconds", holds, lambda _: breaks)


def seconds(value: Any) -> float:
    """The seconds of a duration; less than none for what is no duration."""
    number = value[:-1] if isinstance(value, str) and value.endswith("s") else ""
    return float(number) if number.replace(".", "", 1).isdigit() else -1


def _is_symmetric(key: Resource, stack: Stack) -> bool:
    """Whether KMS can rotate it."""
    return key.inputs.get("purpose", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"


RULES: tuple[Rule, ...] = (
    Rule(
        "gcp-kms-rotation",
        "A key's material is rotated every 90 days or oftener.",
        (KEY,),
        ("CKV_GCP_43", "GCP-0065", "CIS-GCP-1.10"),
        demands={"rotationPeriod": lasting(1, 90)},
        when=_is_symmetric,
    ),
    Rule(
        "gcp-kms-destruction",
        "In staging and prod the destruction of a key's version can be called off for a month or longer.",
        (KEY,),
        demands={"destroyScheduledDuration": lasting(30, 120)},
        tiers=DURABLE,
    ),
    Rule(
        "gcp-kms-kept",
        "Google's provider refuses to destroy a key in staging and prod.",
        (KEY,),
        ("CKV_GCP_82",),
        demands={"deletionPolicy": equal("PREVENT", breaks=["DELETE", "ABANDON"])},
        when=staying,
        tiers=DURABLE,
    ),
)
