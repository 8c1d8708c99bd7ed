"""What happened in an AWS account, and what stood in it."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name, known_after
from ..observability.retention import log_retention
from ..problems import MISSING, InputError, Problem
from ..storage.s3 import STORE_RULES, S3ObjectStore, S3ObjectStoreArgs, S3Replica, ServiceWriter, check_lifecycle
from .kms import EncryptionKey
from .policy import AwsScope, allow, arn, document

CLOUDTRAIL = "cloudtrail.amazonaws.com"
CONFIG = "config.amazonaws.com"
_MOST_DATA_EVENTS = 250
# The names of the roles that belong to it are up to twenty characters longer, of 64 in all.
_LONGEST_NAME = 44
_NAME = r"(?=.{3})[a-z0-9](-?[a-z0-9])*"
_NAME_REMEDY = "give three small letters, digits and single hyphens or more, letter or digit first and last"


class AwsAuditTrailArgs(TypedDict):
    """What a trail records and how its logs are kept."""

    scope: AwsScope
    """Account, and the region at which the trail is at home. It records all regions."""
    access_log_bucket: pulumi.Input[str]
    """Name of the bucket that receives the access logs of the trail's own (CIS-AWS-3.4), in the same region."""
    data_events: NotRequired[list[pulumi.Input[str]]]
    """ARNs of buckets of which it records each read and write of an object too (CIS-AWS-3.8, CIS-AWS-3.9), up to 250.
    Never the trail's own, whose records would make records. Each event costs. Default: none."""
    insights: NotRequired[bool]
    """Whether CloudTrail looks for unusual rates of calls and of errors. Default: yes."""
    log_days: NotRequired[int]
    """Days to keep the events in CloudWatch, where alarms read them, one of those that CloudWatch offers. Default: 365
    (CKV_AWS_338)."""
    archive_after_days: NotRequired[int]
    """Days until a log file moves to Glacier Instant Retrieval, 0 for never. Default: 90."""
    keep_days: NotRequired[int]
    """Days until a log file is deleted, 0 for never. Default: 0."""
    lock_days: NotRequired[int]
    """Days during which only a special permission deletes a log file (object lock in governance mode), 0 for none.
    The bucket's creation decides it, and a bucket for copies needs a lock too. Default: 0."""
    replicate_to: NotRequired[S3Replica]
    """Where copies of the log files go. Default: nowhere."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the log files' bucket and key. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether the bucket's deletion deletes the log files in it too, instead of failing. Default: no."""


def _data_events(arns: list[Any]) -> str | None:
    return None if len(arns) <= _MOST_DATA_EVENTS else f"a trail takes {_MOST_DATA_EVENTS} buckets or fewer"


class AwsAuditTrail(Component):
    """A trail of the calls to AWS in all regions of an account (CKV_AWS_67), with log files that show when they were
    changed (CKV_AWS_36), encrypted with a key of its own (CKV_AWS_35), in a bucket of its own and in CloudWatch Logs
    (CKV2_AWS_10).

    An account has one. The trail's name is the component's, since the policies of key and bucket name its ARN.

    Raises `InputError` for bad args and for a name that no trail or bucket can have.
    """

    trail_arn: pulumi.Output[str]
    """ARN of the trail."""
    bucket: pulumi.Output[str]
    """Name of the bucket with its log files."""
    bucket_arn: pulumi.Output[str]
    """ARN of that bucket."""
    key_arn: pulumi.Output[str]
    """ARN of the key that encrypts its log files and its log group."""
    log_group_name: pulumi.Output[str]
    """Name of the log group with its events, for metric filters."""

    def __init__(self, name: str, args: AwsAuditTrailArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsAuditTrail {name}"
        rules = {**STORE_RULES, "log_days": log_retention, "data_events": _data_events}
        args = checked(AwsAuditTrailArgs, args, subject, rules)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        check_lifecycle(subject, args)
        super().__init__(name, opts)
        scope = args["scope"]
        key = EncryptionKey(
            name,
            {
                "scope": scope,
                "purpose": f"Audit trail {name}",
                "log_groups": True,
                "trails": [name],
                "protect": args.get("protect", True),
            },
            self._child(),
        )
        writer: ServiceWriter = {"service": CLOUDTRAIL, "source_arn": arn(scope, "cloudtrail", f"trail/{name}")}
        store = S3ObjectStore(name, _store(args, key.arn, {"trail": writer}), self._child())
        group = aws.cloudwatch.LogGroup(
            name,
            kms_key_id=key.arn,
            retention_in_days=args.get("log_days", 365),
            opts=self._child(),
        )
        role, may_write = self._log_role(name, scope, group)
        objects = [pulumi.Output.concat(bucket, "/") for bucket in args.get("data_events", [])]
        events: aws.cloudtrail.TrailEventSelectorArgsDict = {
            "read_write_type": "All",
            "include_management_events": True,
        }
        if objects:
            events["data_resources"] = [{"type": "AWS::S3::Object", "values": objects}]
        insights = ("ApiCallRateInsight", "ApiErrorRateInsight") if args.get("insights", True) else ()
        trail = aws.cloudtrail.Trail(
            name,
            name=name,  # the policies of key and bucket contain it
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_logging=True,
            enable_log_file_validation=True,
            kms_key_id=key.arn,
            s3_bucket_name=store.bucket,
            cloud_watch_logs_group_arn=pulumi.Output.concat(group.arn, ":*"),
            cloud_watch_logs_role_arn=role.arn,
            event_selectors=[events],
            insight_selectors=[{"insight_type": insight} for insight in insights],
            # CloudTrail tries at once whether it may write to the log group; no value carries that.
            opts=self._child(delete_before_replace=True, depends_on=[may_write]),
        )
        self.trail_arn = trail.arn
        self.bucket = store.bucket
        self.bucket_arn = store.bucket_arn
        self.key_arn = key.arn
        self.log_group_name = group.name
        self._register()

    def _log_role(
        self, name: str, scope: AwsScope, group: aws.cloudwatch.LogGroup
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(
            f"{name}-logs",
            description="Writes the events of the audit trail to CloudWatch",
            # Here alone CloudTrail names neither account nor trail, so a condition would keep it out.
            assume_role_policy=document(allow("Trust", ["sts:AssumeRole"], principal={"Service": CLOUDTRAIL})),
            opts=self._child(),
        )
        streams = f":log-stream:{scope['account']}_CloudTrail_{scope['region']}*"
        policy = aws.iam.RolePolicy(
            f"{name}-logs",
            role=role.id,
            policy=document(
                allow(
                    "Write",
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    [pulumi.Output.concat(group.arn, streams)],
                )
            ),
            opts=self._child(),
        )
        return role, policy


class ConfigArchive(TypedDict):
    """Where the recorder of another region of the account delivers."""

    bucket: pulumi.Input[str]
    """Name of its bucket."""
    key_arn: pulumi.Input[str]
    """ARN of the key that encrypts what is delivered there."""


class AwsConfigRecorderArgs(TypedDict):
    """What a recorder records and how that is kept."""

    scope: AwsScope
    """Account and region whose resources it records."""
    access_log_bucket: NotRequired[pulumi.Input[str]]
    """Name of the bucket that receives the access logs of the recorder's own, in the same region. Needed unless the
    recorder delivers to another region's `archive`."""
    archive: NotRequired[ConfigArchive]
    """Where the recorder of another region delivers. Default: a bucket and a key of its own, which let all regions of
    the account in."""
    role_arn: NotRequired[pulumi.Input[str]]
    """ARN of AWS Config's service-linked role, of which an account has one: where another region's recorder made it,
    its `role_arn`. Default: it is made here."""
    global_types: NotRequired[bool]
    """Whether it records types that stand in no region, such as roles. One region of an account does. Default: yes."""
    archive_after_days: NotRequired[int]
    """Days until a record moves to Glacier Instant Retrieval, 0 for never. Default: 90."""
    keep_days: NotRequired[int]
    """Days until a record is deleted, 0 for never. Default: 0."""
    replicate_to: NotRequired[S3Replica]
    """Where copies of the records go. Default: nowhere."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the records' bucket and key. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether the bucket's deletion deletes the records in it too, instead of failing. Default: no."""


class AwsConfigRecorder(Component):
    """AWS Config's record of every resource of a region and of its changes (CKV2_AWS_45, CIS-AWS-3.3), delivered once a
    day to an encrypted bucket.

    A region has one. It brings no rules: those of Security Hub's standards read the record.

    Raises `InputError` for bad args, for a name that no bucket can have, and for no bucket or two to deliver to.
    """

    recorder_name: pulumi.Output[str]
    """Name of the recorder. Known once it records."""
    role_arn: pulumi.Output[str]
    """ARN of AWS Config's service-linked role, for the recorders of other regions."""
    bucket: pulumi.Output[str]
    """Name of the bucket with its records, for the recorders of other regions."""
    key_arn: pulumi.Output[str]
    """ARN of the key that encrypts them, for the recorders of other regions."""

    def __init__(self, name: str, args: AwsConfigRecorderArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsConfigRecorder {name}"
        args = checked(AwsConfigRecorderArgs, args, subject, STORE_RULES)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        check_lifecycle(subject, args)
        _check_delivery(subject, args)
        super().__init__(name, opts)
        archive = args["archive"] if "archive" in args else self._archive(name, args)
        role_arn = args["role_arn"] if "role_arn" in args else self._role(name)
        recorder = aws.cfg.Recorder(
            name,
            name=name,
            role_arn=role_arn,
            recording_group={
                "all_supported": True,
                "include_global_resource_types": args.get("global_types", True),
            },
            opts=self._child(delete_before_replace=True),  # a region has one
        )
        channel = aws.cfg.DeliveryChannel(
            name,
            name=recorder.name,  # a channel needs its recorder
            s3_bucket_name=archive["bucket"],
            s3_kms_key_arn=archive["key_arn"],
            snapshot_delivery_properties={"delivery_frequency": "TwentyFour_Hours"},
            opts=self._child(delete_before_replace=True),
        )
        status = aws.cfg.RecorderStatus(
            name,
            name=recorder.name,
            is_enabled=True,
            # A recorder starts once it has its channel, and a channel goes once it has stopped; no value carries that.
            opts=self._child(depends_on=[channel]),
        )
        self.recorder_name = known_after(recorder.name, status.id)
        self.role_arn = pulumi.Output.from_input(role_arn)
        self.bucket = pulumi.Output.from_input(archive["bucket"])
        self.key_arn = pulumi.Output.from_input(archive["key_arn"])
        self._register()

    def _role(self, name: str) -> pulumi.Output[str]:
        """Security Hub asks for this very role."""
        return aws.iam.ServiceLinkedRole(
            name,
            aws_service_name=CONFIG,
            description="Records the resources of the account",
            opts=self._child(),
        ).arn

    def _archive(self, name: str, args: AwsConfigRecorderArgs) -> ConfigArchive:
        """A bucket without object lock: AWS Config delivers to none that has it."""
        scope = args["scope"]
        key = EncryptionKey(
            name,
            {
                "scope": scope,
                "purpose": f"Resource records {name}",
                "publishers": [CONFIG],
                "protect": args.get("protect", True),
            },
            self._child(),
        )
        writer: ServiceWriter = {
            "service": CONFIG,
            "source_arn": arn({**scope, "region": "*"}, "config", "*"),
            "prefix": f"AWSLogs/{scope['account']}/Config/",
            "lists": True,
        }
        store = S3ObjectStore(name, _store(args, key.arn, {"config": writer}), self._child())
        return {"bucket": store.bucket, "key_arn": key.arn}


_OF_STORE = (
    "scope",
    "access_log_bucket",
    "archive_after_days",
    "keep_days",
    "lock_days",
    "replicate_to",
    "protect",
    "delete_contents",
)
"""The args that a component was given for its store."""


def _store(args: Mapping[str, Any], key_arn: pulumi.Input[str], writers: dict[str, ServiceWriter]) -> S3ObjectStoreArgs:
    given: Any = {key: args[key] for key in _OF_STORE if key in args}
    given |= {"key_arn": key_arn, "writers": writers}
    return given


def _check_delivery(subject: str, args: AwsConfigRecorderArgs) -> None:
    problems = []
    if "archive" in args:
        problems = [
            Problem(key, args.get(key), "is about a bucket of its own; leave it out, or leave out `archive`")
            for key in ("access_log_bucket", "archive_after_days", "keep_days", "replicate_to")
            if key in args
        ]
    elif "access_log_bucket" not in args:
        problems = [Problem("access_log_bucket", MISSING, "name the bucket for access logs, or give an `archive`")]
    if problems:
        raise InputError(subject, problems)
