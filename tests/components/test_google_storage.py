"""Object stores on Google Cloud Storage."""

from typing import Any

import pulumi
import pytest

from components.storage.gcs import GcsAccessLogs, GcsObjectStore, dual_region, dual_region_problem, key_location
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.google_storage import ACCESS_LOGS, STORE, STORE_FULL
from .examples.shared import GOOGLE_KEY

BUCKET = "gcp:storage/bucket:Bucket"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"


def store(**changes: Any) -> Plan:
    return planned(lambda opts: GcsObjectStore("events", {**STORE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def full(**changes: Any) -> Plan:
    return planned(lambda opts: GcsObjectStore("events", {**STORE_FULL, **changes}, opts))  # pyright: ignore[reportArgumentType]


def logs(**changes: Any) -> Plan:
    return planned(lambda opts: GcsAccessLogs("logs", {**ACCESS_LOGS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(name: str = "events", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GcsObjectStore(name, {**STORE, **changes}))  # pyright: ignore[reportArgumentType]


def rules(plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    """What becomes of objects, and when."""
    found = one(plan, BUCKET)["lifecycleRules"]
    return [(each["action"].get("storageClass", each["action"]["type"]), each["condition"]) for each in found]


@pytest.mark.parametrize("plan", [store(), full(), logs()], ids=["store", "full", "logs"])
def test_a_bucket_is_closed_encrypted_and_versioned(plan: Plan) -> None:
    bucket = one(plan, BUCKET)
    assert bucket["uniformBucketLevelAccess"] is True
    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["encryption"] == {"defaultKmsKeyName": GOOGLE_KEY}
    assert bucket["versioning"] == {"enabled": "retentionPolicy" not in bucket}


@pytest.mark.parametrize("plan", [store(), logs()], ids=["store", "logs"])
def test_a_bucket_is_kept_with_what_is_in_it(plan: Plan) -> None:
    bucket = plan.of_type(BUCKET)[0]
    assert bucket.protect is True
    assert (bucket.inputs["forceDestroy"], bucket.inputs["deletionPolicy"]) == (False, "PREVENT")


@pytest.mark.parametrize("plan", [full(), logs(protect=False, delete_contents=True)], ids=["store", "logs"])
def test_a_bucket_that_is_not_protected_goes_with_what_is_in_it(plan: Plan) -> None:
    bucket = plan.of_type(BUCKET)[0]
    assert bucket.protect is False
    assert (bucket.inputs["forceDestroy"], bucket.inputs["deletionPolicy"]) == (True, "DELETE")


def test_a_bucket_has_a_name_that_nobody_else_has() -> None:
    assert "name" not in one(store(), BUCKET)


def test_a_bucket_stands_in_its_region_or_in_two() -> None:
    bucket = one(store(), BUCKET)
    assert bucket["location"] == "EUROPE-WEST3"
    assert not {"customPlacementConfig", "rpo"} & set(bucket), "Cloud Storage refuses both for one region"
    bucket = one(full(), BUCKET)
    assert bucket["location"] == "EU"
    assert bucket["customPlacementConfig"] == {"dataLocations": ["EUROPE-WEST3", "EUROPE-WEST4"]}
    assert bucket["rpo"] == "ASYNC_TURBO"
    assert one(full(fast_copies=False), BUCKET)["rpo"] == "DEFAULT"
    assert one(store(location="EU"), BUCKET)["location"] == "EU"


def test_what_was_deleted_can_be_had_back() -> None:
    assert one(store(), BUCKET)["softDeletePolicy"] == {"retentionDurationSeconds": 7 * 86400}
    assert one(full(), BUCKET)["softDeletePolicy"] == {"retentionDurationSeconds": 30 * 86400}
    assert one(store(recovery_days=0), BUCKET)["softDeletePolicy"] == {"retentionDurationSeconds": 0}
    assert one(logs(), BUCKET)["softDeletePolicy"] == {"retentionDurationSeconds": 7 * 86400}


def test_objects_are_archived_and_former_versions_go() -> None:
    assert rules(store()) == [
        ("Delete", {"daysSinceNoncurrentTime": 90, "withState": "ARCHIVED"}),
        ("AbortIncompleteMultipartUpload", {"age": 7}),
        ("COLDLINE", {"age": 90}),
    ]


def test_objects_go_only_where_it_is_said_and_then_as_versions() -> None:
    assert ("Delete", {"age": 4000, "withState": "LIVE"}) in rules(full())
    assert not [action for action, _ in rules(store(archive_after_days=0)) if action == "COLDLINE"]


def test_a_lock_is_never_for_good() -> None:
    assert one(full(), BUCKET)["retentionPolicy"] == {"retentionPeriod": str(365 * 86400), "isLocked": False}
    assert "retentionPolicy" not in one(store(), BUCKET)


def test_access_is_logged_where_a_bucket_for_it_is_given() -> None:
    assert one(full(), BUCKET)["logging"] == {"logBucket": "logs-1234567", "logObjectPrefix": "events"}
    assert "logging" not in one(store(), BUCKET)


def test_logs_are_deleted_in_the_end() -> None:
    assert rules(logs(keep_days=30)) == [
        ("Delete", {"age": 30, "withState": "LIVE"}),
        ("Delete", {"daysSinceNoncurrentTime": 1, "withState": "ARCHIVED"}),
        ("AbortIncompleteMultipartUpload", {"age": 7}),
    ]


def test_only_the_log_service_writes_logs_and_whoever_sends_some_waits_for_it() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        bucket = GcsAccessLogs("logs", ACCESS_LOGS, opts).bucket
        GcsObjectStore("events", {**STORE, "access_log_bucket": bucket}, opts)

    plan = planned(make)
    member = plan.of_type(MEMBER)[0]
    assert (member.inputs["role"], member.inputs["member"]) == (
        "roles/storage.objectCreator",
        "group:cloud-storage-analytics@google.com",
    )
    sender = next(each for each in plan.of_type(BUCKET) if each.name == "events")
    assert member.urn in plan.waits_for(sender.urn)


def test_a_store_says_its_name_and_address() -> None:
    component = next(each for each in store().resources if each.type == "plinth:index:GcsObjectStore")
    assert component.outputs.items() >= {"bucket": "events-1234567", "bucketUrl": "gs://events-1234567"}.items()


@pytest.mark.parametrize(
    ("first", "second", "place", "key"),
    [
        ("europe-west3", "europe-west4", "EU", "europe"),
        ("us-east1", "us-central1", "US", "us"),
        ("asia-east1", "asia-southeast1", "ASIA", "asia"),
        ("europe-west3", "europe-west3", None, None),
        ("europe-west3", "us-east1", None, None),
        ("europe-west2", "europe-west3", None, None),
    ],
)
def test_two_regions_of_a_continent_hold_a_bucket(first: str, second: str, place: str | None, key: str | None) -> None:
    assert dual_region(first, second) == place
    assert key_location(first, second) == key


def test_regions_that_hold_no_bucket_together_are_refused_with_those_that_do() -> None:
    assert dual_region_problem("europe-west3", "europe-west4") is None
    assert dual_region_problem("asia-east1", "europe-west4") == "beside asia-east1 name one of asia-southeast1"
    assert "europe-west2 holds no bucket together" in str(dual_region_problem("europe-west2", "europe-west3"))
    assert "europe-west4" in refused(data_locations=["europe-west3", "us-east1"])["data_locations"]
    assert refused(data_locations=["europe-west3"]) == {"data_locations": "name two regions"}


def test_a_locked_bucket_has_no_versions_and_what_is_deleted_later_can_be_had_back() -> None:
    """Cloud Storage has known no bucket with both."""
    bucket = one(store(lock_days=30, keep_versions_days=60), BUCKET)
    assert bucket["versioning"] == {"enabled": False}
    assert bucket["retentionPolicy"] == {"retentionPeriod": str(30 * 86400), "isLocked": False}
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 60 * 86400}
    longest = one(store(lock_days=30, keep_versions_days=400), BUCKET)["softDeletePolicy"]
    assert longest == {"retentionDurationSeconds": 90 * 86400}, "Cloud Storage keeps it no longer"


def test_a_place_is_named_once() -> None:
    problems = refused(location="EU", data_locations=["europe-west3", "europe-west4"])
    assert problems == {"location": "leave it out: `data_locations` says where it stands"}
    assert "leave `fast_copies` out" in refused(fast_copies=True)["data_locations"]


def test_a_lifecycle_does_not_contradict_itself() -> None:
    assert "more than archive_after_days, 90" in refused(keep_days=90)["keep_days"]
    assert "lock_days, 365, or more" in refused(keep_days=100, lock_days=365)["keep_days"]


def test_bad_args_are_refused() -> None:
    assert "7 to 90 days" in refused(recovery_days=6)["recovery_days"]
    assert "1 to 36500" in refused(keep_versions_days=0)["keep_versions_days"]
    assert "give a region" in refused(location="europe west")["location"]
    for name in ("Events", "my.events", "google-events", "goog-events", "my-google", "-events"):
        assert "says google" in refused(name=name)["name"]
    assert "use 55 or fewer" in refused(name="e" * 56)["name"]
    assert "1 to 36500" in remedies(lambda: GcsAccessLogs("logs", {**ACCESS_LOGS, "keep_days": 0}))["keep_days"]
