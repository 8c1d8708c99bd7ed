"""Object stores on Amazon S3."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, between, checked, checked_name, known_after
from ..problems import InputError, Problem
from ..security.policy import AwsScope, allow, deny_without_tls, document, trust

# The bucket's name is the component's with a hyphen and seven random characters, 63 in all.
_LONGEST_NAME = 55
_NAME = r"[a-z0-9][a-z0-9-]+"
_NAME_REMEDY = "S3 takes small letters, digits and hyphens, letter or digit first"


class S3Replica(TypedDict):
    """The bucket that receives copies."""

    bucket_arn: pulumi.Input[str]
    """ARN of a versioned bucket, in another region."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the copies there."""
    region: str
    """Region of that bucket."""


class ServiceWriter(TypedDict):
    """An AWS service that puts objects into the store by itself, on behalf of this account."""

    service: str
    """Service principal, such as `cloudtrail.amazonaws.com`."""
    source_arn: pulumi.Input[str]
    """ARN of what it writes for, in which `*` stands for anything."""
    prefix: NotRequired[str]
    """What its keys begin with. Default: `AWSLogs/<account>/`."""
    lists: NotRequired[bool]
    """Whether it lists the bucket to see that it is there. Default: no."""


class S3ObjectStoreArgs(TypedDict):
    """How a store keeps its objects."""

    scope: AwsScope
    """Account and region of the store."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the objects (CKV_AWS_145)."""
    access_log_bucket: pulumi.Input[str]
    """Name of the bucket that receives the access logs (CKV_AWS_18), in the same region."""
    archive_after_days: NotRequired[int]
    """Days until an object moves to Glacier Instant Retrieval, 0 for never. Default: 90."""
    keep_days: NotRequired[int]
    """Days until an object is deleted, 0 for never. Default: 0."""
    keep_versions_days: NotRequired[int]
    """Days that an overwritten or deleted object can be had back. Default: 90."""
    lock_days: NotRequired[int]
    """Days during which only a special permission deletes a version (object lock in governance mode), 0 for none.
    The bucket's creation decides it. Default: 0."""
    replicate_to: NotRequired[S3Replica]
    """Where copies go. Default: nowhere."""
    writers: NotRequired[dict[str, ServiceWriter]]
    """AWS services that put objects into it by themselves, by purpose. Default: none."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion deletes the objects in it too, instead of failing. Default: no."""


STORE_RULES = {
    "archive_after_days": between(0, 36500, "days"),
    "keep_days": between(0, 36500, "days"),
    "keep_versions_days": between(1, 36500, "days"),
    "lock_days": between(0, 36500, "days"),
}
"""The rules by which a store checks its args, for components that make one of theirs."""


class S3ObjectStore(Component):
    """A private, versioned (CKV_AWS_21), encrypted bucket that answers over TLS only (CKV_AWS_379), with access logs, a
    lifecycle (CKV2_AWS_61, CKV_AWS_300) and, by choice, object lock and copies in a second region (CKV_AWS_144).

    Raises `InputError` for bad args and for a name that no bucket can have.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket. Known once its `writers` may write to it."""
    bucket_arn: pulumi.Output[str]
    """ARN of the bucket."""

    def __init__(self, name: str, args: S3ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"S3ObjectStore {name}"
        args = checked(S3ObjectStoreArgs, args, subject, STORE_RULES)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        check_lifecycle(subject, args)
        super().__init__(name, opts)
        protect, lock_days = args.get("protect", True), args.get("lock_days", 0)
        bucket = aws.s3.Bucket(
            name,
            force_destroy=args.get("delete_contents", False),
            object_lock_enabled=lock_days > 0,
            opts=self._child(protect=protect),
        )
        side = _BucketSides(name, bucket, self._child())
        side.close(kms_key_arn=args["key_arn"])
        self._versioning = side.versioned()
        policy = side.policy(
            deny_without_tls([bucket.arn, pulumi.Output.concat(bucket.arn, "/*")]),
            *_lets_in(args, bucket.arn),
        )
        aws.s3.BucketLogging(
            name,
            bucket=bucket.bucket,
            target_bucket=args["access_log_bucket"],
            target_prefix=f"{name}/",
            opts=self._child(),
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=_lifecycle(args),
            # S3 refuses rules about versions before versioning; no value carries that.
            opts=self._child(depends_on=[self._versioning]),
        )
        if lock_days:
            aws.s3.BucketObjectLockConfiguration(
                name,
                bucket=bucket.bucket,
                rule={"default_retention": {"mode": "GOVERNANCE", "days": lock_days}},
                opts=self._child(depends_on=[self._versioning]),
            )
        # A service tries at once whether it may write.
        late = [policy.id] if args.get("writers") else []
        self.bucket = known_after(bucket.bucket, *late)
        # Known once the bucket keeps versions: whoever copies into it needs that.
        self.bucket_arn = known_after(bucket.arn, self._versioning.id)
        if "replicate_to" in args:
            self._replicate(name, args, bucket, args["replicate_to"])
        self._register()

    def _replicate(self, name: str, args: S3ObjectStoreArgs, bucket: aws.s3.Bucket, replica: S3Replica) -> None:
        scope = args["scope"]
        role = aws.iam.Role(
            f"{name}-replication",
            description="Copies the objects of the store to the second region",
            assume_role_policy=trust(scope, "s3.amazonaws.com", bucket.arn),
            opts=self._child(),
        )

        def through(service_region: str) -> dict[str, Any]:
            return {"StringEquals": {"kms:ViaService": f"s3.{service_region}.amazonaws.com"}}

        policy = aws.iam.RolePolicy(
            f"{name}-replication",
            role=role.id,
            policy=document(
                allow("List", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [bucket.arn]),
                allow(
                    "Read",
                    [
                        "s3:GetObjectVersionForReplication",
                        "s3:GetObjectVersionAcl",
                        "s3:GetObjectVersionTagging",
                        "s3:GetObjectRetention",
                        "s3:GetObjectLegalHold",
                    ],
                    [pulumi.Output.concat(bucket.arn, "/*")],
                ),
                allow(
                    "Write",
                    ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
                    [pulumi.Output.concat(replica["bucket_arn"], "/*")],
                ),
                allow("Decrypt", ["kms:Decrypt"], [args["key_arn"]], when=through(scope["region"])),
                allow(
                    "Encrypt",
                    ["kms:Encrypt", "kms:GenerateDataKey"],
                    [replica["key_arn"]],
                    when=through(replica["region"]),
                ),
            ),
            opts=self._child(),
        )
        aws.s3.BucketReplicationConfig(
            f"{name}-replication",
            bucket=bucket.bucket,
            role=role.arn,
            rules=[
                {
                    "id": "everything",
                    "status": "Enabled",
                    "priority": 0,
                    "filter": {"prefix": ""},
                    "delete_marker_replication": {"status": "Enabled"},
                    "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": "Enabled"}},
                    "destination": {
                        "bucket": replica["bucket_arn"],
                        "storage_class": "STANDARD_IA",
                        "encryption_configuration": {"replica_kms_key_id": replica["key_arn"]},
                        # Alarms read them: how late copies are, and which failed.
                        "metrics": {"status": "Enabled"},
                    },
                }
            ],
            # S3 copies out of a versioned bucket only, with a role that may; no value carries either.
            opts=self._child(depends_on=[self._versioning, policy]),
        )


class S3AccessLogsArgs(TypedDict):
    """How long access logs stay."""

    scope: AwsScope
    """Account and region whose buckets send their logs here."""
    keep_days: NotRequired[int]
    """Days to keep the logs. Default: 365."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion deletes the logs in it too, instead of failing. Default: no."""


class S3AccessLogs(Component):
    """A private bucket for the access logs of the account's other buckets in its region.

    It is encrypted with S3's own key, since the log service can use no other.

    Raises `InputError` for bad args and for a name that no bucket can have.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket. Known once the log service may write to it."""

    def __init__(self, name: str, args: S3AccessLogsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"S3AccessLogs {name}"
        args = checked(S3AccessLogsArgs, args, subject, {"keep_days": between(1, 36500, "days")})
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        super().__init__(name, opts)
        bucket = aws.s3.Bucket(
            name,
            force_destroy=args.get("delete_contents", False),
            opts=self._child(protect=args.get("protect", True)),
        )
        objects = pulumi.Output.concat(bucket.arn, "/*")
        side = _BucketSides(name, bucket, self._child())
        side.close(kms_key_arn=None)
        versioning = side.versioned()
        policy = side.policy(
            deny_without_tls([bucket.arn, objects]),
            allow(
                "AccessLogs",
                ["s3:PutObject"],
                [objects],
                {"Service": "logging.s3.amazonaws.com"},
                {
                    "StringEquals": {"aws:SourceAccount": args["scope"]["account"]},
                    "ArnLike": {"aws:SourceArn": f"arn:{args['scope'].get('partition', 'aws')}:s3:::*"},
                },
            ),
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": args.get("keep_days", 365)},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                }
            ],
            opts=self._child(depends_on=[versioning]),
        )
        self.bucket = known_after(bucket.bucket, policy.id)
        self._register()


class _BucketSides:
    """The side resources that every bucket has."""

    def __init__(self, name: str, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions):
        self._name = name
        self._bucket = bucket
        self._opts = opts

    def close(self, kms_key_arn: pulumi.Input[str] | None) -> None:
        """No public access, no ACLs, everything encrypted."""
        self._closed = aws.s3.BucketPublicAccessBlock(
            self._name,
            bucket=self._bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._opts,
        )
        aws.s3.BucketOwnershipControls(
            self._name,
            bucket=self._bucket.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            # S3 refuses two changes of a bucket's access at the same moment.
            opts=pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(depends_on=[self._closed])),
        )
        encryption: aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgsDict
        encryption = {"sse_algorithm": "AES256"}
        if kms_key_arn is not None:
            encryption = {"sse_algorithm": "aws:kms", "kms_master_key_id": kms_key_arn}
        aws.s3.BucketServerSideEncryptionConfiguration(
            self._name,
            bucket=self._bucket.bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": encryption,
                    # One data key a bucket and day instead of one an object: fewer calls to KMS.
                    "bucket_key_enabled": kms_key_arn is not None,
                }
            ],
            opts=self._opts,
        )

    def versioned(self) -> aws.s3.BucketVersioning:
        return aws.s3.BucketVersioning(
            self._name,
            bucket=self._bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self._opts,
        )

    def policy(self, *statements: dict[str, Any]) -> aws.s3.BucketPolicy:
        return aws.s3.BucketPolicy(
            self._name,
            bucket=self._bucket.bucket,
            policy=document(*statements),
            opts=pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(depends_on=[self._closed])),
        )


def _lets_in(args: S3ObjectStoreArgs, bucket_arn: pulumi.Output[str]) -> list[dict[str, Any]]:
    """The statements that let services in. No ACL is asked of them: the bucket's owner owns what they write anyway."""
    statements = []
    for purpose, writer in args.get("writers", {}).items():
        sid = "".join(character for character in purpose.title() if character.isalnum())
        principal = {"Service": writer["service"]}
        account = args["scope"]["account"]
        when = {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": writer["source_arn"]},
        }
        looks = ["s3:GetBucketAcl", *(["s3:ListBucket"] if writer.get("lists", False) else [])]
        objects = pulumi.Output.concat(bucket_arn, "/", writer.get("prefix", f"AWSLogs/{account}/"), "*")
        statements.append(allow(f"{sid}Looks", looks, [bucket_arn], principal, when))
        statements.append(allow(f"{sid}Writes", ["s3:PutObject"], [objects], principal, when))
    return statements


def _lifecycle(args: S3ObjectStoreArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    rule: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "age",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrent_version_expiration": {"noncurrent_days": args.get("keep_versions_days", 90)},
        "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
    }
    if archive := args.get("archive_after_days", 90):
        rule["transitions"] = [{"days": archive, "storage_class": "GLACIER_IR"}]
    if keep := args.get("keep_days", 0):
        rule["expiration"] = {"days": keep}
    return [rule]


def check_lifecycle(subject: str, args: Mapping[str, Any]) -> None:
    """Refuse a lifecycle that contradicts itself.

    Raises `InputError`.
    """
    keep, archive, lock = (
        args.get("keep_days", 0),
        args.get("archive_after_days", 90),
        args.get("lock_days", 0),
    )
    problems = []
    if keep and keep <= archive:
        problems.append(Problem("keep_days", keep, f"give more than archive_after_days, {archive}, or 0 for ever"))
    if keep and keep < lock:
        problems.append(Problem("keep_days", keep, f"give lock_days, {lock}, or more: locked versions stay"))
    if problems:
        raise InputError(subject, problems)
