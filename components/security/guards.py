"""What an AWS account refuses, and what it is told about who gets in."""

from enum import Enum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, between, checked, checked_name
from .policy import AwsScope


class AwsAccessAnalyzerArgs(TypedDict):
    """What access is looked for."""

    scope: AwsScope
    """Account and region that is watched."""
    unused_days: NotRequired[int]
    """Days without use after which a role, a key, a password or a permission counts as unused, 1 to 365, 0 for not
    looking. IAM is the same in every region and each role costs: look in one. Default: 90."""


class AwsAccessAnalyzer(Component):
    """IAM Access Analyzer, which finds what others than the account can reach (AWS-0175, CIS-AWS-1.20) and which
    permissions nobody uses. A region has one.

    Raises `InputError` for bad args and for a name that no analyzer can have.
    """

    analyzer_arn: pulumi.Output[str]
    """ARN of the analyzer of access from outside."""

    def __init__(self, name: str, args: AwsAccessAnalyzerArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsAccessAnalyzer {name}"
        args = checked(AwsAccessAnalyzerArgs, args, subject, {"unused_days": between(0, 365, "days")})
        checked_name(name, subject, 248, r"[A-Za-z][\w.-]*", "IAM takes letters, digits and _.-, letter first")
        super().__init__(name, opts)
        outside = aws.accessanalyzer.Analyzer(name, analyzer_name=name, type="ACCOUNT", opts=self._child())
        if days := args.get("unused_days", 90):
            aws.accessanalyzer.Analyzer(
                f"{name}-unused",
                analyzer_name=f"{name}-unused",
                type="ACCOUNT_UNUSED_ACCESS",
                configuration={"unused_access": {"unused_access_age": days}},
                opts=self._child(),
            )
        self.analyzer_arn = outside.arn
        self._register()


class InternetBlock(Enum):
    """What of the internet no VPC of a region lets through, whatever its gateways and rules say."""

    NONE = "none"
    """Nothing is blocked."""
    INGRESS = "ingress"
    """Nothing comes in: what answers the public stops."""
    BOTH = "both"
    """Nothing comes in or goes out."""


_BLOCK_MODES = {InternetBlock.INGRESS: "block-ingress", InternetBlock.BOTH: "block-bidirectional"}


class AwsAccountGuardsArgs(TypedDict):
    """What an account refuses in a region."""

    scope: AwsScope
    """Account and region that is guarded."""
    volume_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key for volumes that name none. Auto Scaling starts instances with such volumes only where the
    key's policy lets its service-linked role use it. Default: AWS's own key for EBS."""
    hop_limit: NotRequired[int]
    """Network hops that an answer of the instance metadata may take where an instance says nothing, 1 to 64. With 1 no
    container gets the instance's credentials. Default: 1."""
    block_internet: NotRequired[InternetBlock]
    """What of the internet no VPC of the region lets through. Default: nothing is blocked."""
    password_days: NotRequired[int]
    """Days after which an IAM user's password is to be changed, 1 to 1095. Default: 90 (CKV_AWS_9)."""
    global_guards: NotRequired[bool]
    """Whether what is the same in all regions is guarded here too: public access to S3, and IAM's passwords. In one
    region of an account. Default: yes."""


_RULES = {"hop_limit": between(1, 64, "hops"), "password_days": between(1, 1095, "days")}


class AwsAccountGuards(Component):
    """What holds in a region of an account for whatever is made there: volumes are encrypted (CKV_AWS_106), snapshots
    and machine images are not public, instance metadata wants a session; and in all regions: no bucket is public, and
    IAM's passwords are long and new (CIS-AWS-1.8, CIS-AWS-1.9). A region has one.

    Raises `InputError` for bad args.
    """

    volumes_encrypted: pulumi.Output[bool]
    """Whether volumes are encrypted by default. Known once all guards of the component stand."""

    def __init__(self, name: str, args: AwsAccountGuardsArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(AwsAccountGuardsArgs, args, f"AwsAccountGuards {name}", _RULES)
        super().__init__(name, opts)
        encryption = self._encrypt_volumes(name, args)
        guards: list[pulumi.CustomResource] = [
            aws.ebs.SnapshotBlockPublicAccess(name, state="block-all-sharing", opts=self._child()),
            aws.ec2.ImageBlockPublicAccess(name, state="block-new-sharing", opts=self._child()),
            aws.ec2.InstanceMetadataDefaults(
                name,
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=args.get("hop_limit", 1),
                opts=self._child(),
            ),
        ]
        if mode := _BLOCK_MODES.get(args.get("block_internet", InternetBlock.NONE)):
            guards.append(
                aws.ec2.VpcBlockPublicAccessOptions(name, internet_gateway_block_mode=mode, opts=self._child())
            )
        if args.get("global_guards", True):
            guards += self._guard_everywhere(name, args)
        standing = [guard.id for guard in guards]
        self.volumes_encrypted = pulumi.Output.all(encryption.enabled, *standing).apply(lambda known: bool(known[0]))
        self._register()

    def _encrypt_volumes(self, name: str, args: AwsAccountGuardsArgs) -> aws.ebs.EncryptionByDefault:
        keys = []
        if "volume_key_arn" in args:
            keys.append(aws.ebs.DefaultKmsKey(name, key_arn=args["volume_key_arn"], opts=self._child()))
        return aws.ebs.EncryptionByDefault(
            name,
            enabled=True,
            # No volume gets AWS's own key in between; no value carries that.
            opts=self._child(depends_on=keys),
        )

    def _guard_everywhere(self, name: str, args: AwsAccountGuardsArgs) -> list[pulumi.CustomResource]:
        return [
            aws.s3.AccountPublicAccessBlock(
                name,
                account_id=args["scope"]["account"],
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
                opts=self._child(),
            ),
            aws.iam.AccountPasswordPolicy(
                name,
                minimum_password_length=14,
                password_reuse_prevention=24,
                max_password_age=args.get("password_days", 90),
                require_lowercase_characters=True,
                require_uppercase_characters=True,
                require_numbers=True,
                require_symbols=True,
                allow_users_to_change_password=True,
                hard_expiry=False,  # an old password still lets its user set a new one
                opts=self._child(),
            ),
        ]
