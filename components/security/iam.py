"""Identities of services on AWS."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name
from ..problems import InputError, Problem
from .policy import AwsScope, allow, document, pod_trust


class StoreGrant(TypedDict):
    """What a service may do with one object store."""

    bucket_arn: pulumi.Input[str]
    """ARN of the bucket."""
    read: NotRequired[bool]
    """Whether it may list and read objects. Default: no."""
    append: NotRequired[bool]
    """Whether it may add objects. Default: no. Versions keep what an object was; deleting is never granted."""


class AwsServiceRoleArgs(TypedDict):
    """What one service needs."""

    scope: AwsScope
    """Account and region in which the service runs."""
    description: str
    """What the service does."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts its secrets and stores."""
    secret_arns: NotRequired[dict[str, pulumi.Input[str]]]
    """ARNs of the secrets that it reads, by purpose. Default: none."""
    stores: NotRequired[dict[str, StoreGrant]]
    """What it may do with which store, by purpose. Default: nothing."""


class AwsServiceRole(Component):
    """The IAM role that a service's pods take through EKS Pod Identity, with exactly what it needs (CKV_AWS_355,
    CKV_AWS_290, CKV2_AWS_40): no wildcard action, no resource that is not its own.

    Raises `InputError` for bad args and for a role that would grant nothing.
    """

    role_arn: pulumi.Output[str]
    """ARN of the role. Known once the role has its policy."""
    role_name: pulumi.Output[str]
    """Name of the role."""

    def __init__(self, name: str, args: AwsServiceRoleArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsServiceRole {name}"
        args = checked(AwsServiceRoleArgs, args, subject)
        # IAM takes 64 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 56, r"[\w+=,.@-]+", "IAM takes letters, digits and _+=,.@-")
        statements = _grants(args)
        if not statements:
            raise InputError(
                subject, [Problem("args", name, "grants nothing; name secrets or stores, or make no role")]
            )
        super().__init__(name, opts)
        role = aws.iam.Role(
            name,
            description=args["description"],
            assume_role_policy=pod_trust(args["scope"]),
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(name, role=role.id, policy=document(*statements), opts=self._child())
        self.role_arn = pulumi.Output.all(role.arn, policy.id).apply(lambda known: known[0])
        self.role_name = role.name
        self._register()


def _grants(args: AwsServiceRoleArgs) -> list[dict]:
    statements = []
    services: set[str] = set()
    decrypt, encrypt = False, False
    if secrets := args.get("secret_arns", {}):
        actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        statements.append(allow("Secrets", actions, list(secrets.values())))
        services.add("secretsmanager")
        decrypt = True
    for purpose, store in args.get("stores", {}).items():
        objects = pulumi.Output.concat(store["bucket_arn"], "/*")
        sid = "".join(character for character in purpose.title() if character.isalnum())
        if store.get("read", False):
            statements.append(allow(f"List{sid}", ["s3:ListBucket"], [store["bucket_arn"]]))
            statements.append(allow(f"Read{sid}", ["s3:GetObject", "s3:GetObjectVersion"], [objects]))
            decrypt = True
        if store.get("append", False):
            statements.append(allow(f"Append{sid}", ["s3:PutObject"], [objects]))
            # S3 decrypts what it has of an upload in parts before it adds the next.
            decrypt = encrypt = True
        if store.get("read", False) or store.get("append", False):
            services.add("s3")
    if decrypt:
        region = args["scope"]["region"]
        statements.append(
            allow(
                "Key",
                ["kms:Decrypt", *(["kms:GenerateDataKey"] if encrypt else [])],
                [args["key_arn"]],
                when={
                    "StringEquals": {"kms:ViaService": [f"{name}.{region}.amazonaws.com" for name in sorted(services)]}
                },
            )
        )
    return statements
