"""Encryption keys on AWS."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, between, checked
from .policy import AwsScope, allow, arn, document

EVENTS = "events.amazonaws.com"


class EncryptionKeyArgs(TypedDict):
    """What an encryption key is for and who holds it."""

    scope: AwsScope
    """Account and region of the key."""
    purpose: str
    """What it encrypts, in a few words: the key's description."""
    log_groups: NotRequired[bool]
    """Whether CloudWatch Logs may encrypt the account's log groups with it. Default: no."""
    publishers: NotRequired[list[str]]
    """Service principals, such as `cloudwatch.amazonaws.com`, that may publish to the account's topics, or write to its
    stores, which it encrypts. Default: none."""
    trails: NotRequired[list[str]]
    """Names of the CloudTrail trails of its region whose logs it encrypts. Default: none."""
    rotation_days: NotRequired[int]
    """Days between rotations of its material, 90 to 2560. Default: 365 (CKV_AWS_7)."""
    deletion_window_days: NotRequired[int]
    """Days during which a scheduled deletion can be called off, 7 to 30. Default: 30."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes, since everything that it encrypts is lost with it."""


_RULES = {"rotation_days": between(90, 2560, "days"), "deletion_window_days": between(7, 30, "days")}


class EncryptionKey(Component):
    """A customer-managed KMS key with rotation, an alias, and a policy that leaves access to IAM (CKV2_AWS_64).

    Raises `InputError` for bad args.
    """

    arn: pulumi.Output[str]
    """ARN of the key."""
    key_id: pulumi.Output[str]
    """Id of the key."""
    alias: pulumi.Output[str]
    """Name of its alias, `alias/<component name>`."""

    def __init__(self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(EncryptionKeyArgs, args, f"EncryptionKey {name}", _RULES)
        super().__init__(name, opts)
        scope = args["scope"]
        statements = [
            # Delegates to IAM: without it nobody, not even an administrator, could ever change the key again.
            allow("Account", ["kms:*"], ["*"], {"AWS": arn(scope, "iam", "root", regional=False)})
        ]
        if args.get("log_groups", False):
            statements.append(_log_service(scope))
        if publishers := args.get("publishers", []):
            statements += _publishers(scope, publishers)
        if trails := args.get("trails", []):
            statements.append(_trails(scope, trails))
        key = aws.kms.Key(
            f"{name}-key",
            description=args["purpose"],
            enable_key_rotation=True,
            rotation_period_in_days=args.get("rotation_days", 365),
            deletion_window_in_days=args.get("deletion_window_days", 30),
            policy=document(*statements),
            tags={"Name": name},
            opts=self._child(protect=args.get("protect", True)),
        )
        alias = aws.kms.Alias(f"{name}-alias", name=f"alias/{name}", target_key_id=key.key_id, opts=self._child())
        self.arn = key.arn
        self.key_id = key.key_id
        self.alias = alias.name
        self._register()


def _log_service(scope: AwsScope) -> dict:
    """CloudWatch Logs encrypts as itself, and only for log groups of this account."""
    return allow(
        "LogGroups",
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        ["*"],
        {"Service": f"logs.{scope['region']}.amazonaws.com"},
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn(scope, "logs", "log-group:*")}},
    )


def _publishers(scope: AwsScope, services: list[str]) -> list[dict]:
    """A service that publishes to an encrypted topic, or writes to an encrypted store, encrypts as itself, on behalf of
    something of this account. EventBridge names no source: it is held to the account's topics."""
    actions = ["kms:Decrypt", "kms:GenerateDataKey*"]
    statements = []
    if named := [each for each in services if each != EVENTS]:
        of_account = {"StringEquals": {"aws:SourceAccount": scope["account"]}}
        statements.append(allow("Publishers", actions, ["*"], {"Service": named}, of_account))
    if EVENTS in services:
        of_topics = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": arn(scope, "sns", "*")}}
        statements.append(allow("Events", actions, ["*"], {"Service": EVENTS}, of_topics))
    return statements


def _trails(scope: AwsScope, names: list[str]) -> dict:
    """CloudTrail encrypts as itself, on behalf of its trails. It decrypts the data key that a bucket keeps for a while.
    The encryption context is no condition: such a bucket's data key has the bucket there, and not the trail."""
    return allow(
        "Trails",
        ["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
        ["*"],
        {"Service": "cloudtrail.amazonaws.com"},
        {"StringEquals": {"aws:SourceArn": [arn(scope, "cloudtrail", f"trail/{name}") for name in names]}},
    )
