"""Object stores on S3."""

from typing import Any

import pytest

from components.storage.s3 import S3AccessLogs, S3ObjectStore
from preview.plan import Plan

from ..support import one, planned, remedies, statements
from .examples.shared import AWAY_KEY, KEY
from .examples.storage import ACCESS_LOGS, STORE, STORE_FULL

LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


def store(**changes: Any) -> Plan:
    return planned(lambda opts: S3ObjectStore("events", {**STORE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def logs(**changes: Any) -> Plan:
    return planned(lambda opts: S3AccessLogs("logs", {**ACCESS_LOGS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(name: str = "events", **changes: Any) -> dict[str, str]:
    return remedies(lambda: S3ObjectStore(name, {**STORE, **changes}))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("plan", [store(), logs()], ids=["store", "logs"])
def test_a_bucket_is_closed(plan: Plan) -> None:
    block = one(plan, BLOCK)
    assert {key for key, value in block.items() if value is True} == {
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    }
    assert one(plan, "aws:s3/bucketOwnershipControls:BucketOwnershipControls")["rule"] == {
        "objectOwnership": "BucketOwnerEnforced"
    }
    assert one(plan, VERSIONING)["versioningConfiguration"] == {"status": "Enabled"}


@pytest.mark.parametrize("plan", [store(), logs()], ids=["store", "logs"])
def test_requests_without_tls_are_denied_to_everybody(plan: Plan) -> None:
    bucket = one(plan, "aws:s3/bucket:Bucket")
    statement = statements(one(plan, POLICY)["policy"])["TlsOnly"]
    arn = f"arn:aws:s3:::{plan.of_type('aws:s3/bucket:Bucket')[0].name}-1234567"
    assert statement == {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        # A bare "*" would do for AWS, but not for everything that reads policies.
        "Principal": {"AWS": "*"},
        "Action": ["s3:*"],
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    assert bucket["forceDestroy"] is False


def test_objects_are_encrypted_with_the_given_key_and_logs_with_the_one_that_the_log_service_can_use() -> None:
    rule = one(store(), ENCRYPTION)["rules"][0]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    assert rule["bucketKeyEnabled"] is True
    rule = one(logs(), ENCRYPTION)["rules"][0]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_access_is_logged_to_the_given_bucket() -> None:
    logging = one(store(), "aws:s3/bucketLogging:BucketLogging")
    assert (logging["targetBucket"], logging["targetPrefix"]) == ("logs", "events/")


def test_only_the_log_service_writes_logs_and_only_for_this_account() -> None:
    statement = statements(one(logs(), POLICY)["policy"])["AccessLogs"]
    assert statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert statement["Action"] == ["s3:PutObject"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_services_write_only_under_their_prefix_and_only_for_what_they_are_bound_to() -> None:
    trail = "arn:aws:cloudtrail:eu-central-1:123456789012:trail/audit"
    plan = store(
        writers={
            "trail": {"service": "cloudtrail.amazonaws.com", "source_arn": trail},
            "config": {
                "service": "config.amazonaws.com",
                "source_arn": "arn:aws:config:*:123456789012:*",
                "prefix": "x/",
                "lists": True,
            },
        }
    )
    policy = statements(one(plan, POLICY)["policy"])
    bucket = "arn:aws:s3:::events-1234567"
    assert {sid: (statement["Action"], statement["Resource"]) for sid, statement in policy.items()} == {
        "TlsOnly": (["s3:*"], [bucket, f"{bucket}/*"]),
        "TrailLooks": (["s3:GetBucketAcl"], [bucket]),
        "TrailWrites": (["s3:PutObject"], [f"{bucket}/AWSLogs/123456789012/*"]),
        "ConfigLooks": (["s3:GetBucketAcl", "s3:ListBucket"], [bucket]),
        "ConfigWrites": (["s3:PutObject"], [f"{bucket}/x/*"]),
    }
    for sid in ("TrailLooks", "TrailWrites"):
        assert policy[sid]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert policy[sid]["Condition"] == {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": trail},
        }


def test_without_writers_only_iam_lets_anybody_in() -> None:
    assert set(statements(one(store(), POLICY)["policy"])) == {"TlsOnly"}


def test_the_lifecycle_follows_the_args() -> None:
    rule = one(store(), LIFECYCLE)["rules"][0]
    assert rule["transitions"] == [{"days": 90, "storageClass": "GLACIER_IR"}]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert "expiration" not in rule

    rule = one(store(archive_after_days=0, keep_days=30, keep_versions_days=5), LIFECYCLE)["rules"][0]
    assert "transitions" not in rule
    assert rule["expiration"] == {"days": 30}
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 5}
    assert one(logs(keep_days=14), LIFECYCLE)["rules"][0]["expiration"] == {"days": 14}


def test_object_lock_is_a_matter_of_choice() -> None:
    assert one(store(), "aws:s3/bucket:Bucket")["objectLockEnabled"] is False
    plan = store(lock_days=365)
    assert one(plan, "aws:s3/bucket:Bucket")["objectLockEnabled"] is True
    lock = one(plan, "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert lock["rule"] == {"defaultRetention": {"mode": "GOVERNANCE", "days": 365}}


def test_copies_go_to_the_other_region_encrypted_there() -> None:
    plan = store(replicate_to=STORE_FULL.get("replicate_to"))
    rule = one(plan, REPLICATION)["rules"][0]
    assert rule["status"] == "Enabled"
    assert rule["destination"]["bucket"] == "arn:aws:s3:::copy"
    assert rule["destination"]["encryptionConfiguration"] == {"replicaKmsKeyId": AWAY_KEY}
    assert rule["sourceSelectionCriteria"] == {"sseKmsEncryptedObjects": {"status": "Enabled"}}
    assert rule["deleteMarkerReplication"] == {"status": "Enabled"}
    assert rule["destination"]["metrics"] == {"status": "Enabled"}, "alarms read them"


def test_the_replication_role_reads_here_writes_there_and_nothing_else() -> None:
    policy = statements(
        one(store(replicate_to=STORE_FULL.get("replicate_to")), "aws:iam/rolePolicy:RolePolicy")["policy"]
    )
    source = "arn:aws:s3:::events-1234567"
    assert {sid: statement["Resource"] for sid, statement in policy.items()} == {
        "List": [source],
        "Read": [f"{source}/*"],
        "Write": ["arn:aws:s3:::copy/*"],
        "Decrypt": [KEY],
        "Encrypt": [AWAY_KEY],
    }
    assert policy["Decrypt"]["Condition"]["StringEquals"] == {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
    assert policy["Encrypt"]["Condition"]["StringEquals"] == {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}


@pytest.mark.parametrize("late", [REPLICATION, LIFECYCLE])
def test_what_needs_versions_waits_for_them(late: str) -> None:
    plan = store(replicate_to=STORE_FULL.get("replicate_to"))
    waits = {plan.resource(urn).type for urn in plan.waits_for(plan.of_type(late)[0].urn)}
    assert VERSIONING in waits


def test_two_changes_of_a_buckets_access_never_meet() -> None:
    """S3 refuses them with OperationAborted."""
    plan = store()
    for late in (POLICY, "aws:s3/bucketOwnershipControls:BucketOwnershipControls"):
        waits = {plan.resource(urn).type for urn in plan.waits_for(plan.of_type(late)[0].urn)}
        assert BLOCK in waits


def test_a_store_is_protected_unless_told_otherwise() -> None:
    assert {each.type for each in store().resources if each.protect} == {"aws:s3/bucket:Bucket"}
    assert not [each for each in store(protect=False).resources if each.protect]
    assert one(store(protect=False), "aws:s3/bucket:Bucket")["forceDestroy"] is False
    assert one(store(delete_contents=True), "aws:s3/bucket:Bucket")["forceDestroy"] is True


def test_bad_args_are_refused() -> None:
    assert "more than archive_after_days, 90" in refused(keep_days=60)["keep_days"]
    assert "locked versions stay" in refused(keep_days=100, lock_days=365)["keep_days"]
    assert "1 to 36500" in refused(keep_versions_days=0)["keep_versions_days"]
    assert "use 55 or fewer" in refused(name="e" * 56)["name"]
    assert "small letters" in refused(name="Events")["name"]
    assert refused(replicate_to={"bucket_arn": "a", "key_arn": "b"}) == {
        "replicate_to.region": "required; give a value"
    }
