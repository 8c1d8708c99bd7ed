"""Storage on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from ...breaking import Break, changed
from ...sketch import GOOGLE, Sketch

WEEK = 7 * 86400
FORGETS = {"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 90, "withState": "ARCHIVED"}}
ABORTS = {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}}
LOG_WRITERS = "group:cloud-storage-analytics@google.com"
TWO_REGIONS = {"dataLocations": ["EUROPE-WEST3", "EUROPE-WEST4"]}


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack: a bucket over two regions, one over all of the EU, and their logs."""
    _bucket(sketch, "gcp-logs", {"location": GOOGLE.upper()})
    sketch.add(
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "gcp-logs-writers",
        {"role": "roles/storage.objectCreator", "member": LOG_WRITERS},
        {"bucket": "gcp-logs"},
        provider=GOOGLE,
    )
    locked = {"retentionPeriod": "86400", "isLocked": False}
    two = {"location": "EU", "customPlacementConfig": TWO_REGIONS, "retentionPolicy": locked}
    _bucket(sketch, "gcp-bucket", two, "gcp-logs")
    _bucket(sketch, "gcp-wide-bucket", {"location": "EU"})


def _bucket(sketch: Sketch, name: str, inputs: dict[str, Any], logs: str = "") -> None:
    durable = sketch.tier != "dev"
    sound = {
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "versioning": {"enabled": True},
        "encryption": {"defaultKmsKeyName": "[unknown]"},
        "softDeletePolicy": {"retentionDurationSeconds": WEEK if durable else 0},
        "lifecycleRules": [FORGETS, ABORTS],
        "forceDestroy": not durable,
        "deletionPolicy": "PREVENT" if durable else "DELETE",
    }
    to = {"encryption": "gcp-key", **({"logging": logs} if logs else {})}
    sketch.add("gcp:storage/bucket:Bucket", name, {**sound, **inputs}, to, protect=durable, provider=GOOGLE)


def of_some(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule for some objects only."""
    return {**rule, "condition": {**rule["condition"], "matchesPrefixes": ["tmp/"]}}


BREAKS: dict[str, list[Break]] = {
    "gcs-uniform-access": [changed("gcp-bucket", uniformBucketLevelAccess=None)],
    "gcs-no-public-access": [changed("gcp-bucket", publicAccessPrevention="inherited")],
    "gcs-versioned": [changed("gcp-wide-bucket", versioning=None), changed("gcp-logs", versioning={"enabled": False})],
    "gcs-encrypted": [changed("gcp-bucket", encryption=None), changed("gcp-logs", encryption=None)],
    "gcs-soft-delete": [
        changed("gcp-bucket", softDeletePolicy=None),
        changed("gcp-bucket", softDeletePolicy={"retentionDurationSeconds": 0}),
    ],
    "gcs-lock-can-be-lifted": [
        changed("gcp-bucket", retentionPolicy={"retentionPeriod": "86400", "isLocked": True}),
    ],
    "gcs-lifecycle": [
        changed("gcp-bucket", lifecycleRules=None),
        changed("gcp-bucket", lifecycleRules=[ABORTS, of_some(FORGETS)]),
        changed("gcp-bucket", lifecycleRules=[ABORTS, {**FORGETS, "condition": {"age": 90}}]),
        changed("gcp-bucket", lifecycleRules=[ABORTS, {**FORGETS, "action": {"type": "SetStorageClass"}}]),
    ],
    "gcs-aborts-uploads": [
        changed("gcp-bucket", lifecycleRules=[FORGETS]),
        changed("gcp-bucket", lifecycleRules=[FORGETS, of_some(ABORTS)]),
        changed("gcp-bucket", lifecycleRules=[FORGETS, {**ABORTS, "condition": {}}]),
    ],
    "gcs-copied-elsewhere": [
        changed("gcp-wide-bucket", location=GOOGLE),
        changed("gcp-bucket", location="EUROPE-WEST3", customPlacementConfig=None),
        changed("gcp-bucket", customPlacementConfig={"dataLocations": ["EUROPE-WEST3"]}),
        lambda sketch: (sketch.drop("gcp-bucket"), sketch.drop("gcp-logs-writers")),
    ],
    "gcs-kept": [changed("gcp-bucket", forceDestroy=True), changed("gcp-bucket", deletionPolicy="DELETE")],
}
"""The ways to break the sound stack, by the rule that must notice."""
