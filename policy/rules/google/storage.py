"""Storage on Google Cloud."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from ..demands import DURABLE, PROD, at_least, equal, false, given, judged, never, true
from ..documents import many
from ..paths import UNKNOWN, read
from ..rule import Level, Resource, Rule, Stack, staying

BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
_LOG_WRITERS = "group:cloud-storage-analytics@google.com"
_ONE_REGION = r"[a-z]+-[a-z]+\d+"
_WEEK = 7 * 86400


def _holds_objects(bucket: Resource, stack: Stack) -> bool:
    """Whether it is no target of access logs: of this stack's, or by who may write to it."""
    if stack.pointing(bucket, BUCKET, "logging"):
        return False
    writers = stack.pointing(bucket, BUCKET_MEMBER, "bucket")
    return not any(each.inputs.get("member") == _LOG_WRITERS for each in writers)


def _stands_alone(bucket: Resource, stack: Stack) -> Iterator[str]:
    location = bucket.inputs.get("location")
    if location is None:
        yield "it names no location"
    elif re.fullmatch(_ONE_REGION, str(location).lower()):
        yield f"it stands in {location} alone"
    places = read(bucket.inputs, "customPlacementConfig.dataLocations")
    if isinstance(places, list) and UNKNOWN not in places and len({str(place).lower() for place in places}) < 2:
        yield "both its places are the same region"


def _forgets_versions(rule: Any) -> bool:
    since = read(rule, "condition.daysSinceNoncurrentTime"), read(rule, "condition.numNewerVersions")
    return _does(rule, "Delete") and any(since)


def _aborts_uploads(rule: Any) -> bool:
    return _does(rule, "AbortIncompleteMultipartUpload") and bool(read(rule, "condition.age"))


def _does(rule: Any, action: str) -> bool:
    """Whether it is that action on all objects, and not on those of some names."""
    some = [read(rule, f"condition.matches{part}") for part in ("Prefixes", "Suffixes")]
    return read(rule, "action.type") in (action, UNKNOWN) and not any(each for each in some if each != UNKNOWN)


def _has_rule(bucket: Resource, does: Callable[[Any], bool], what: str) -> Iterator[str]:
    rules = many(bucket.inputs.get("lifecycleRules"))
    if UNKNOWN not in rules and not any(isinstance(rule, dict) and does(rule) for rule in rules):
        yield f"no rule for all objects {what}"


RULES: tuple[Rule, ...] = (
    Rule(
        "gcs-uniform-access",
        "A bucket knows no access lists of single objects: its policy says who reads all of them.",
        (BUCKET,),
        ("CKV_GCP_29", "GCP-0002", "CIS-GCP-5.2"),
        demands={"uniformBucketLevelAccess": true()},
    ),
    Rule(
        "gcs-no-public-access",
        "A bucket refuses every way of opening it to the public.",
        (BUCKET,),
        ("CKV_GCP_114",),
        demands={"publicAccessPrevention": equal("enforced", breaks=["inherited"])},
    ),
    Rule(
        "gcs-versioned",
        "A bucket keeps the versions of its objects, unless it is locked and nothing can be overwritten.",
        (BUCKET,),
        ("CKV_GCP_78",),
        demands={"versioning.enabled": true()},
        when=lambda bucket, stack: "retentionPolicy" not in bucket.inputs,
    ),
    Rule(
        "gcs-encrypted",
        "A bucket encrypts with a key of ours.",
        (BUCKET,),
        ("GCP-0066",),
        demands={"encryption.defaultKmsKeyName": given()},
    ),
    Rule(
        "gcs-soft-delete",
        "What was deleted from a bucket can be had back for a week, and in dev the stack says whether it can.",
        (BUCKET,),
        demands={"softDeletePolicy.retentionDurationSeconds": at_least(_WEEK, dev=0)},
    ),
    Rule(
        "gcs-lock-can-be-lifted",
        "A bucket's retention is not locked: nobody could ever shorten it again, nor delete the bucket before.",
        (BUCKET,),
        demands={"retentionPolicy.isLocked": never("not be true", lambda value: value is True, True)},
    ),
    Rule(
        "gcs-lifecycle",
        "A bucket forgets former versions some day.",
        (BUCKET,),
        demands={"lifecycleRules": judged([])},
        check=lambda bucket, stack: _has_rule(bucket, _forgets_versions, "deletes former versions"),
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "gcs-aborts-uploads",
        "A bucket throws away uploads that were never finished.",
        (BUCKET,),
        demands={"lifecycleRules": judged([])},
        check=lambda bucket, stack: _has_rule(bucket, _aborts_uploads, "aborts multipart uploads"),
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "gcs-copied-elsewhere",
        "A bucket in prod stands in more than one region.",
        (BUCKET,),
        demands={
            "location": judged("EUROPE-WEST3", "europe-west4"),
            "customPlacementConfig.dataLocations": judged(["EUROPE-WEST3", "europe-west3"], needed=False),
        },
        check=_stands_alone,
        when=_holds_objects,
        tiers=(PROD,),
        looks_around=True,
    ),
    Rule(
        "gcs-kept",
        "A bucket in staging and prod is not deleted, and not with what is in it.",
        (BUCKET,),
        demands={
            "forceDestroy": false(),
            "deletionPolicy": equal("PREVENT", breaks=["DELETE", "ABANDON"]),
        },
        when=staying,
        tiers=DURABLE,
    ),
)
