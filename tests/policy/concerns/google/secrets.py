"""Secrets on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from preview.plan import UNKNOWN

from ...breaking import Break, changed, with_options
from ...sketch import GOOGLE, GOOGLE_AWAY, Sketch

DAY = 86400


def copy(region: str, key: str | None = UNKNOWN) -> dict[str, Any]:
    """A copy of a secret."""
    return {"location": region, "customerManagedEncryption": {"kmsKeyName": key}}


def copies(*each: dict[str, Any]) -> dict[str, Any]:
    """Where a secret stands."""
    return {"userManaged": {"replicas": list(each)}}


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack: a secret that is rotated by hand, and one of which a topic is told."""
    durable = sketch.tier != "dev"
    kept = {"deletionProtection": durable, **({"versionDestroyTtl": f"{7 * DAY}s"} if durable else {})}
    for name, regions, rotation in (
        ("gcp-secret", (GOOGLE, GOOGLE_AWAY), {"annotations": {"rotation": "by hand"}}),
        ("gcp-told-secret", (GOOGLE,), {"rotation": {"rotationPeriod": f"{30 * DAY}s"}}),
    ):
        sketch.add(
            "gcp:secretmanager/secret:Secret",
            name,
            {"secretId": name, **kept, **rotation, "replication": copies(*map(copy, regions))},
            {"replication": "gcp-key gcp-away-key"},
            protect=durable,
            provider=GOOGLE,
        )


BREAKS: dict[str, list[Break]] = {
    "gcp-secret-encrypted": [
        changed("gcp-secret", replication=copies(copy(GOOGLE), copy(GOOGLE_AWAY, None))),
        changed("gcp-secret", replication=copies({"location": GOOGLE})),
        changed("gcp-secret", replication={"auto": {}}),
        changed("gcp-secret", replication=None),
    ],
    "gcp-secret-placed": [
        changed("gcp-secret", replication={"auto": {"customerManagedEncryption": {"kmsKeyName": "global"}}}),
        changed("gcp-secret", replication=copies(copy(GOOGLE), copy("us-central1"))),
        changed("gcp-secret", replication=copies()),
    ],
    "gcp-secret-recovery": [
        changed("gcp-secret", versionDestroyTtl=None),
        changed("gcp-secret", versionDestroyTtl=f"{DAY}s"),
    ],
    "gcp-secret-kept": [changed("gcp-secret", deletionProtection=None), with_options("gcp-secret", protect=False)],
    "gcp-secret-rotates": [
        changed("gcp-secret", annotations=None),
        changed("gcp-secret", annotations={"rotation": ""}),
        changed("gcp-told-secret", rotation=None),
        changed("gcp-told-secret", rotation={"nextRotationTime": "2030-01-01T00:00:00Z"}),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
