"""Object stores on S3."""

from collections.abc import Callable, Iterator
from typing import Any

from .demands import DURABLE, PROD, Demand, absent, equal, false, given, judged, never, true
from .documents import is_for_everyone, is_unknown, many, principals, statements
from .paths import UNKNOWN, read
from .rule import Level, Link, Resource, Rule, Stack

BUCKET = "aws:s3/bucket:Bucket"
ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"

_INLINE = (
    "accelerationStatus",
    "acl",
    "corsRules",
    "grants",
    "lifecycleRules",
    "logging",
    "objectLockConfiguration",
    "policy",
    "replicationConfiguration",
    "requestPayer",
    "serverSideEncryptionConfiguration",
    "versioning",
    "website",
)
_WITHOUT_TLS = ({"Bool": {"aws:SecureTransport": "false"}}, {"Bool": {"aws:SecureTransport": False}})
_LOG_SERVICE = "logging.s3.amazonaws.com"
_DEFAULT = "rules[*].applyServerSideEncryptionByDefault"
_SOME_OBJECTS = {"prefix": "tmp/"}


def _lets_log_service_in(policy: Resource) -> bool:
    return any(
        _LOG_SERVICE in principals(statement, "Service") and "s3:PutObject" in many(statement.get("Action"))
        for statement in statements(policy.inputs.get("policy"), "Allow")
    )


def _receives_logs(bucket: Resource, stack: Stack) -> bool:
    """Whether it is a target of access logs: of this stack's, or else by its policy."""
    if stack.pointing(bucket, LOGGING, "targetBucket"):
        return True
    return any(_lets_log_service_in(policy) for policy in stack.pointing(bucket, POLICY, "bucket"))


def _holds_objects(bucket: Resource, stack: Stack) -> bool:
    return not _receives_logs(bucket, stack)


def _is_origin(bucket: Resource, stack: Stack) -> bool:
    """Whether it is neither a target of logs nor the copy of another bucket."""
    is_copy = any(bucket.urn in each.property_dependencies.get("rules", ()) for each in stack.of_types([REPLICATION]))
    return not is_copy and _holds_objects(bucket, stack)


def _refuses_plain_text(bucket: Resource, stack: Stack) -> Iterator[str]:
    policies = [each.inputs.get("policy") for each in stack.pointing(bucket, POLICY, "bucket")]
    if not any(is_unknown(policy) or _denies_plain_text(policy) for policy in policies):
        yield "no statement of its policy denies everyone everything that comes without TLS"


def _denies_plain_text(policy: Any) -> bool:
    for statement in statements(policy, "Deny"):
        resources = many(statement.get("Resource"))
        if (
            is_for_everyone(statement)
            and any(each in ("s3:*", "*") for each in many(statement.get("Action")))
            and statement.get("Condition") in _WITHOUT_TLS
            # The bucket itself, and the objects in it.
            and any(str(each).endswith("/*") for each in resources)
            and any(not str(each).endswith("/*") for each in resources)
        ):
            return True
    return False


def _takes_logs(bucket: Resource, stack: Stack) -> Iterator[str]:
    policies = stack.pointing(bucket, POLICY, "bucket")
    if not any(is_unknown(each.inputs.get("policy")) or _lets_log_service_in(each) for each in policies):
        yield f"no statement of its policy lets {_LOG_SERVICE} put objects"


def _expires_versions(rule: Any) -> bool:
    return bool(read(rule, "noncurrentVersionExpiration.noncurrentDays"))


def _aborts_uploads(rule: Any) -> bool:
    days = read(rule, "abortIncompleteMultipartUpload.daysAfterInitiation")
    return days == UNKNOWN or (isinstance(days, int) and days > 0)


def _has_rule(bucket: Resource, stack: Stack, does: Callable[[Any], bool], what: str) -> Iterator[str]:
    """One rule must be enough: enabled, and for all objects."""
    for lifecycle in stack.pointing(bucket, LIFECYCLE, "bucket"):
        rules = many(lifecycle.inputs.get("rules"))
        if UNKNOWN in rules or any(_is_for_all(rule) and does(rule) for rule in rules):
            return
    yield f"no enabled rule for all objects {what}"


def _is_for_all(rule: Any) -> bool:
    return (
        isinstance(rule, dict)
        and rule.get("status") in ("Enabled", UNKNOWN)
        and rule.get("filter") in (None, {}, {"prefix": ""}, UNKNOWN)
    )


def _leaves_its_region(bucket: Resource, stack: Stack) -> Iterator[str]:
    home = stack.region(bucket)
    for replication in stack.pointing(bucket, REPLICATION, "bucket"):
        for copy in stack.pointed(replication, BUCKET, "rules"):
            if home and stack.region(copy) == home:
                yield f"its copy {copy.name} stays in {home}"


def _lifecycle(part: str, days: str, in_days: Demand) -> Link:
    """A lifecycle with a rule that has the part, after so many days."""
    return Link(
        "a lifecycle",
        LIFECYCLE,
        "bucket",
        {
            "rules[*]": judged(),
            "rules[*].status": judged("Disabled"),
            "rules[*].filter": judged(_SOME_OBJECTS, needed=False),
            f"rules[*].{part}": judged(),
            f"rules[*].{part}.{days}": in_days,
        },
    )


RULES = (
    Rule(
        "s3-public-access-block",
        "A bucket refuses every way of opening it to the public.",
        (BUCKET,),
        (
            "CKV2_AWS_6",
            "CKV_AWS_53",
            "CKV_AWS_54",
            "CKV_AWS_55",
            "CKV_AWS_56",
            "AWS-0086",
            "AWS-0087",
            "AWS-0091",
            "AWS-0093",
            "AWS-0094",
            "CIS-AWS-2.1.4",
        ),
        links=(
            Link(
                "a public access block",
                ACCESS_BLOCK,
                "bucket",
                {
                    "blockPublicAcls": true(),
                    "blockPublicPolicy": true(),
                    "ignorePublicAcls": true(),
                    "restrictPublicBuckets": true(),
                },
            ),
        ),
    ),
    Rule(
        "s3-no-acls",
        "A bucket knows no access control lists: its owner owns every object in it.",
        (BUCKET,),
        ("CKV2_AWS_65",),
        links=(
            Link(
                "ownership controls",
                OWNERSHIP,
                "bucket",
                {"rule.objectOwnership": equal("BucketOwnerEnforced", breaks=["BucketOwnerPreferred", "ObjectWriter"])},
            ),
        ),
    ),
    Rule(
        "s3-tls-only",
        "A bucket refuses every request that does not come over TLS.",
        (BUCKET,),
        ("CKV_AWS_379", "CIS-AWS-2.1.1"),
        links=(
            Link(
                "a bucket policy",
                POLICY,
                "bucket",
                {
                    "policy": given(),
                    "policy.Statement[Effect=Deny]": judged(),
                    "policy.Statement[Effect=Deny].Effect": judged("Allow"),
                    "policy.Statement[Effect=Deny].Principal": judged({"AWS": "arn:aws:iam::123456789012:root"}),
                    "policy.Statement[Effect=Deny].Action": judged(["s3:PutObject"]),
                    "policy.Statement[Effect=Deny].Resource": judged(["arn:aws:s3:::x"], ["arn:aws:s3:::x/*"]),
                    "policy.Statement[Effect=Deny].Condition": judged(),
                    "policy.Statement[Effect=Deny].Condition.Bool": judged({"aws:SecureTransport": "true"}),
                },
            ),
        ),
        check=_refuses_plain_text,
    ),
    Rule(
        "s3-encrypted",
        "A bucket says how it encrypts.",
        (BUCKET,),
        ("CKV_AWS_19", "AWS-0088"),
        links=(
            Link(
                "default encryption",
                ENCRYPTION,
                "bucket",
                {f"{_DEFAULT}.sseAlgorithm": equal("aws:kms", "aws:kms:dsse", "AES256", breaks=[""])},
            ),
        ),
    ),
    Rule(
        "s3-encrypted-with-key",
        "A bucket encrypts with a key of ours, and asks KMS for it once a day and not once an object.",
        (BUCKET,),
        ("CKV_AWS_145", "AWS-0132"),
        links=(
            Link(
                "default encryption",
                ENCRYPTION,
                "bucket",
                {
                    f"{_DEFAULT}.sseAlgorithm": equal("aws:kms", "aws:kms:dsse", breaks=["AES256"]),
                    f"{_DEFAULT}.kmsMasterKeyId": given(),
                    "rules[*].bucketKeyEnabled": true(),
                },
            ),
        ),
        when=_holds_objects,
    ),
    Rule(
        "s3-log-target",
        "A bucket for access logs encrypts with S3's own key, since the log service can use no other, and lets that "
        "service in.",
        (BUCKET,),
        links=(
            Link(
                "default encryption",
                ENCRYPTION,
                "bucket",
                {f"{_DEFAULT}.sseAlgorithm": equal("AES256", breaks=["aws:kms"])},
            ),
            Link(
                "a bucket policy",
                POLICY,
                "bucket",
                {
                    "policy": given(),
                    "policy.Statement[Effect=Allow]": judged(),
                    "policy.Statement[Effect=Allow].Principal": judged({"Service": "s3.amazonaws.com"}),
                    "policy.Statement[Effect=Allow].Action": judged(["s3:GetObject"]),
                },
            ),
        ),
        check=_takes_logs,
        when=_receives_logs,
    ),
    Rule(
        "s3-versioning",
        "A bucket keeps the versions of its objects.",
        (BUCKET,),
        ("CKV_AWS_21", "AWS-0090"),
        links=(
            Link(
                "versioning",
                VERSIONING,
                "bucket",
                {"versioningConfiguration.status": equal("Enabled", breaks=["Suspended", "Disabled"])},
            ),
        ),
    ),
    Rule(
        "s3-access-logs",
        "A bucket records who asked for what, in another bucket.",
        (BUCKET,),
        ("CKV_AWS_18", "AWS-0089"),
        links=(Link("access logging", LOGGING, "bucket", {"targetBucket": given(), "targetPrefix": given()}),),
        when=_holds_objects,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "s3-lifecycle",
        "A bucket forgets former versions some day.",
        (BUCKET,),
        ("CKV2_AWS_61",),
        links=(_lifecycle("noncurrentVersionExpiration", "noncurrentDays", judged()),),
        check=lambda bucket, stack: _has_rule(bucket, stack, _expires_versions, "expires former versions"),
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "s3-aborts-uploads",
        "A bucket throws away uploads that were never finished.",
        (BUCKET,),
        ("CKV_AWS_300",),
        links=(_lifecycle("abortIncompleteMultipartUpload", "daysAfterInitiation", judged(0)),),
        check=lambda bucket, stack: _has_rule(bucket, stack, _aborts_uploads, "aborts multipart uploads"),
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "s3-copied-elsewhere",
        "A bucket in prod is copied to another region, encrypted there with a key of ours.",
        (BUCKET,),
        ("CKV_AWS_144",),
        links=(
            Link(
                "replication",
                REPLICATION,
                "bucket",
                {
                    "role": given(),
                    "rules[*].status": equal("Enabled", breaks=["Disabled"]),
                    "rules[*].destination.bucket": given(),
                    "rules[*].destination.encryptionConfiguration.replicaKmsKeyId": given(),
                    "rules[*].sourceSelectionCriteria.sseKmsEncryptedObjects.status": equal(
                        "Enabled", breaks=["Disabled"]
                    ),
                },
            ),
        ),
        check=_leaves_its_region,
        when=_is_origin,
        tiers=(PROD,),
    ),
    Rule(
        "s3-keeps-objects",
        "A bucket in staging and prod is not deleted with what is in it.",
        (BUCKET,),
        demands={"forceDestroy": false()},
        tiers=DURABLE,
    ),
    Rule(
        "s3-sides-apart",
        "A bucket has its settings as resources of their own: the inline ones are deprecated and fight with them.",
        (BUCKET,),
        ("CKV_AWS_20", "CKV_AWS_57", "AWS-0092"),
        demands={path: absent("something") for path in _INLINE},
    ),
    Rule(
        "s3-current-types",
        "A bucket and its settings are of the current types: every one that ends in V2 is deprecated.",
        ("aws:s3/*",),
        options={"type": never("not end in V2", lambda value: value.endswith("V2"), "aws:s3/bucketV2:BucketV2")},
        level=Level.ADVISORY,
    ),
)
