"""Object stores on Google Cloud Storage."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, between, checked, checked_name, known_after, matching
from ..problems import MISSING, InputError, Problem
from ..security.google import GcpScope, scope_problem

_DAY = 86400
# The bucket's name is the component's with a hyphen and seven random characters, 63 in all.
_LONGEST_NAME = 55
_SHORTEST_RECOVERY, _LONGEST_RECOVERY = 7, 90
_NAME = r"(?!goog)(?!.*google)[a-z0-9][a-z0-9-]+"
_NAME_REMEDY = (
    "Cloud Storage takes small letters, digits and hyphens, letter or digit first, and no name that says google"
)
_LOG_WRITERS = "group:cloud-storage-analytics@google.com"
"""Google's own group, as which Cloud Storage writes access logs."""
_CONTINENTS = {
    "EU": (
        "europe-central2",
        "europe-north1",
        "europe-southwest1",
        "europe-west1",
        "europe-west3",
        "europe-west4",
        "europe-west8",
        "europe-west9",
    ),
    "US": (
        "us-central1",
        "us-east1",
        "us-east4",
        "us-east5",
        "us-south1",
        "us-west1",
        "us-west2",
        "us-west3",
        "us-west4",
    ),
    "ASIA": ("asia-east1", "asia-southeast1"),
}
"""The regions out of which two can hold a bucket, by the location that it then names. London and Zurich are in none."""
_KEY_LOCATIONS = {"EU": "europe", "US": "us", "ASIA": "asia"}


def dual_region(first: str, second: str) -> str | None:
    """The location of a bucket over two regions, or None where Cloud Storage makes none of the two."""
    if first == second:
        return None
    return next((place for place, regions in _CONTINENTS.items() if {first, second} <= set(regions)), None)


def dual_region_problem(first: str, second: str) -> str | None:
    """What is wrong with two regions that are to hold one bucket together: what to write instead of the second."""
    if dual_region(first, second):
        return None
    home = next((regions for regions in _CONTINENTS.values() if first in regions), None)
    if home is None:
        return f"{first} holds no bucket together with another region; use one region alone, or two others"
    return f"beside {first} name one of {', '.join(each for each in home if each != first)}"


def key_location(first: str, second: str) -> str | None:
    """Where the key of a bucket over two regions must stand, or None where there is no such bucket."""
    place = dual_region(first, second)
    return _KEY_LOCATIONS[place] if place else None


def recovery_days(days: int) -> str | None:
    """A rule for args: how long Cloud Storage keeps what was deleted."""
    if days == 0 or _SHORTEST_RECOVERY <= days <= _LONGEST_RECOVERY:
        return None
    return f"give {_SHORTEST_RECOVERY} to {_LONGEST_RECOVERY} days, or 0 for none"


def _two_regions(regions: list[str]) -> str | None:
    return dual_region_problem(*regions) if len(regions) == 2 else "name two regions"


class GcsObjectStoreArgs(TypedDict):
    """How a store keeps its objects."""

    scope: GcpScope
    """Project of the store, and its region."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts the objects. It stands where the store does: in the region, or in `europe` for
    two regions of the EU. Cloud Storage's own account must be allowed to use it."""
    location: NotRequired[str]
    """Where it stands. Default: the region."""
    data_locations: NotRequired[list[str]]
    """Two regions that hold it together, so that it outlives one of them. It stands instead of `location`, and the
    bucket's creation decides it. Default: none."""
    fast_copies: NotRequired[bool]
    """Whether both regions have an object within a quarter of an hour (turbo replication), for a price. Default: no,
    then nearly all within an hour."""
    access_log_bucket: NotRequired[pulumi.Input[str]]
    """Name of the bucket that receives the access logs (CKV_GCP_62). Default: none, where Cloud Audit Logs record who
    read and wrote."""
    archive_after_days: NotRequired[int]
    """Days until an object moves to the class Coldline, 0 for never. Default: 90."""
    keep_days: NotRequired[int]
    """Days until an object is deleted, 0 for never. Default: 0."""
    keep_versions_days: NotRequired[int]
    """Days that an overwritten or deleted object can be had back. Default: 90."""
    recovery_days: NotRequired[int]
    """Days during which even a deleted version can be had back (soft delete), 7 to 90, or 0 for none. Default: 7."""
    lock_days: NotRequired[int]
    """Days during which nobody overwrites or deletes an object (retention policy), 0 for none. Whoever may change the
    bucket can lift it: it is not locked for good. Such a bucket has no versions; what is overwritten or deleted after
    that can be had back for `keep_versions_days`, 90 at most, by soft delete. Default: 0."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete it. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion deletes the objects in it too, instead of failing. Default: no."""


_DAYS = between(0, 36500, "days")
_LOCATION = matching(r"[a-zA-Z]+(-[a-zA-Z]+\d{1,2})?", "give a region like europe-west3, or several as one, like EU")
_RULES = {
    "scope": scope_problem,
    "location": _LOCATION,
    "data_locations": _two_regions,
    "archive_after_days": _DAYS,
    "keep_days": _DAYS,
    "keep_versions_days": between(1, 36500, "days"),
    "recovery_days": recovery_days,
    "lock_days": _DAYS,
}


class GcsObjectStore(Component):
    """A private (CKV_GCP_114), versioned (CKV_GCP_78), encrypted bucket that knows no access lists of single objects
    (CKV_GCP_29), keeps what was deleted for a while, has a lifecycle and, by choice, stands in two regions at once.

    Raises `InputError` for bad args, for a lifecycle that contradicts itself, and for a name that no bucket can have.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket."""
    bucket_url: pulumi.Output[str]
    """Its address, `gs://<bucket>`."""

    def __init__(self, name: str, args: GcsObjectStoreArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcsObjectStore {name}"
        args = checked(GcsObjectStoreArgs, args, subject, _RULES)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        protect, lock_days = args.get("protect", True), args.get("lock_days", 0)
        regions = args.get("data_locations", [])
        bucket = gcp.storage.Bucket(
            name,
            project=args["scope"]["project"],
            location=_place(args).upper(),  # as Cloud Storage spells it
            custom_placement_config={"data_locations": [each.upper() for each in regions]} if regions else None,
            rpo=("ASYNC_TURBO" if args.get("fast_copies", False) else "DEFAULT") if regions else None,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            encryption={"default_kms_key_name": args["key_name"]},
            # Cloud Storage has known no bucket with both: what is locked is never overwritten before its time.
            versioning={"enabled": not lock_days},
            soft_delete_policy={"retention_duration_seconds": _recovery_days(args) * _DAY},
            retention_policy={"retention_period": str(lock_days * _DAY), "is_locked": False} if lock_days else None,
            lifecycle_rules=_lifecycle(args),
            logging=(
                {"log_bucket": args["access_log_bucket"], "log_object_prefix": name}
                if "access_log_bucket" in args
                else None
            ),
            force_destroy=args.get("delete_contents", False),
            deletion_policy="PREVENT" if protect else "DELETE",
            opts=self._child(protect=protect),
        )
        self.bucket = bucket.name
        self.bucket_url = bucket.url
        self._register()


class GcsAccessLogsArgs(TypedDict):
    """How long access logs stay."""

    scope: GcpScope
    """Project of the bucket, and its region."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts the logs, a key of the region."""
    keep_days: NotRequired[int]
    """Days to keep the logs. Default: 365."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete it. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion deletes the logs in it too, instead of failing. Default: no."""


class GcsAccessLogs(Component):
    """A private bucket for the access logs of other buckets.

    An organization that lets in only accounts of its own domains must make an exception for the group as which Cloud
    Storage writes them.

    Raises `InputError` for bad args and for a name that no bucket can have.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket. Known once Cloud Storage may write logs to it."""

    def __init__(self, name: str, args: GcsAccessLogsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcsAccessLogs {name}"
        rules = {"scope": scope_problem, "keep_days": between(1, 36500, "days")}
        args = checked(GcsAccessLogsArgs, args, subject, rules)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        super().__init__(name, opts)
        protect = args.get("protect", True)
        bucket = gcp.storage.Bucket(
            name,
            project=args["scope"]["project"],
            location=args["scope"]["region"].upper(),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            encryption={"default_kms_key_name": args["key_name"]},
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": 7 * _DAY},
            lifecycle_rules=[
                _deleted({"age": args.get("keep_days", 365), "with_state": "LIVE"}),
                _deleted({"days_since_noncurrent_time": 1, "with_state": "ARCHIVED"}),
                _ABORTED,
            ],
            force_destroy=args.get("delete_contents", False),
            deletion_policy="PREVENT" if protect else "DELETE",
            opts=self._child(protect=protect),
        )
        writers = gcp.storage.BucketIAMMember(
            f"{name}-writers",
            bucket=bucket.name,
            role="roles/storage.objectCreator",
            member=_LOG_WRITERS,
            opts=self._child(),
        )
        self.bucket = known_after(bucket.name, writers.id)
        self._register()


_ABORTED: gcp.storage.BucketLifecycleRuleArgsDict = {
    "action": {"type": "AbortIncompleteMultipartUpload"},
    "condition": {"age": 7},
}


def _deleted(
    condition: gcp.storage.BucketLifecycleRuleConditionArgsDict,
) -> gcp.storage.BucketLifecycleRuleArgsDict:
    return {"action": {"type": "Delete"}, "condition": condition}


def _recovery_days(args: GcsObjectStoreArgs) -> int:
    """Days of soft delete. In a locked bucket, which has no versions, they are what keeps former objects."""
    days = args.get("recovery_days", 7)
    kept = min(args.get("keep_versions_days", 90), _LONGEST_RECOVERY)
    return max(days, kept, _SHORTEST_RECOVERY) if args.get("lock_days", 0) else days


def _lifecycle(args: GcsObjectStoreArgs) -> list[gcp.storage.BucketLifecycleRuleArgsDict]:
    kept = args.get("keep_versions_days", 90)
    rules = [_deleted({"days_since_noncurrent_time": kept, "with_state": "ARCHIVED"}), _ABORTED]
    if archive := args.get("archive_after_days", 90):
        rules.append(
            {"action": {"type": "SetStorageClass", "storage_class": "COLDLINE"}, "condition": {"age": archive}}
        )
    if keep := args.get("keep_days", 0):
        # A live object becomes a former version, which stays as long as those do.
        rules.append(_deleted({"age": keep, "with_state": "LIVE"}))
    return rules


def _place(args: GcsObjectStoreArgs) -> str:
    if "data_locations" in args:
        first, second = args["data_locations"]
        return dual_region(first, second) or first
    return args.get("location", args["scope"]["region"])


def _problems(args: GcsObjectStoreArgs) -> Iterator[Problem]:
    keep, archive, lock = args.get("keep_days", 0), args.get("archive_after_days", 90), args.get("lock_days", 0)
    if keep and keep <= archive:
        yield Problem("keep_days", keep, f"give more than archive_after_days, {archive}, or 0 for ever")
    if keep and keep < lock:
        yield Problem("keep_days", keep, f"give lock_days, {lock}, or more: locked objects stay")
    if "location" in args and "data_locations" in args:
        yield Problem("location", args["location"], "leave it out: `data_locations` says where it stands")
    if args.get("fast_copies", False) and "data_locations" not in args:
        yield Problem("data_locations", MISSING, "name two regions, or leave `fast_copies` out")
