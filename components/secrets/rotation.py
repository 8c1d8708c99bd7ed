"""The functions that AWS publishes for rotating secrets."""

from enum import Enum
from typing import NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name
from ..network.security_group import ANYWHERE, AwsSecurityGroup, connect
from ..observability.retention import log_retention
from ..problems import InputError, Problem, one_of
from ..security.policy import AwsScope

# What would have to be escaped in a URL: everything but letters, digits and -._~
_EXCLUDED = "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}"


class RotationKind(Enum):
    """What a function rotates. AWS publishes none for users of ElastiCache that can be deployed like these."""

    POSTGRES = "postgres"
    """The password of a role in PostgreSQL: the role signs in and changes its own. The secret has the fields `engine`
    (`postgres`), `host`, `port`, `dbname`, `username` and `password`."""


class _Published(NamedTuple):
    """Where a partition's applications are published, and in which versions."""

    owner: str
    domain: str
    versions: dict[RotationKind, str]


_APPLICATIONS = {RotationKind.POSTGRES: "SecretsManagerRDSPostgreSQLRotationSingleUser"}
_PORTS = {RotationKind.POSTGRES: 5432}
# Each partition counts the versions of an application by itself.
_PARTITIONS = {
    "aws": _Published("us-east-1:297356227824", "amazonaws.com", {RotationKind.POSTGRES: "1.1.671"}),
    "aws-cn": _Published("cn-north-1:193023089310", "amazonaws.com.cn", {RotationKind.POSTGRES: "1.1.440"}),
    "aws-us-gov": _Published("us-gov-west-1:023102451235", "amazonaws.com", {RotationKind.POSTGRES: "1.1.397"}),
}


class AwsRotationFunctionArgs(TypedDict):
    """What a function rotates, where it runs and whom it reaches."""

    scope: AwsScope
    """Account and region of the function and of the secrets that it rotates."""
    kind: RotationKind
    """What it rotates."""
    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of the private subnets that it runs in. Secrets Manager must be reachable from them."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the secrets (CKV_AWS_149)."""
    log_key_arn: pulumi.Input[str]
    """ARN of the KMS key for its logs, which CloudWatch Logs must be allowed to use (CKV_AWS_158)."""
    servers: dict[str, pulumi.Input[str]]
    """Ids of the security groups of the servers whose passwords it changes, by purpose."""
    port: NotRequired[int]
    """TCP port of the servers. Default: the one that is usual for the kind, 5432 for PostgreSQL."""
    log_days: NotRequired[int]
    """Days to keep its logs in CloudWatch. Default: 365 (CKV_AWS_338)."""


_RULES = {
    "log_days": log_retention,
    "servers": lambda servers: None if servers else "name one server or more: it changes their passwords",
    "port": lambda port: None if 1 <= port <= 65535 else "give a port from 1 to 65535",
}


class AwsRotationFunction(Component):
    """A Lambda function inside the VPC that rotates secrets: one that AWS publishes in the Serverless Application
    Repository, in a pinned version. Its role reaches the secrets that name it as their rotation function, and no other.
    Passwords that it makes stand in a URL as they are.

    Raises `InputError` for bad args, for a name that no function can have, and for an unknown partition.
    """

    function_arn: pulumi.Output[str]
    """ARN of the function."""
    security_group_id: pulumi.Output[str]
    """Id of the function's security group."""

    def __init__(self, name: str, args: AwsRotationFunctionArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsRotationFunction {name}"
        args = checked(AwsRotationFunctionArgs, args, subject, _RULES)
        checked_name(name, subject, 64, r"[a-zA-Z][a-zA-Z0-9-]*", "AWS takes letters, digits and hyphens, letter first")
        partition = args["scope"].get("partition", "aws")
        if partition not in _PARTITIONS:
            raise InputError(subject, [Problem("scope.partition", partition, one_of(_PARTITIONS, partition))])
        super().__init__(name, opts)
        kind, published = args["kind"], _PARTITIONS[partition]
        group = AwsSecurityGroup(
            f"{name}-function",
            {
                "vpc_id": args["vpc_id"],
                "description": f"Rotation function {name}",
                "egress": {"https": {"port": 443, "cidr": ANYWHERE}},
            },
            self._child(),
        )
        for purpose, server in args["servers"].items():
            connect(f"{name}-{purpose}", args.get("port", _PORTS[kind]), group.group_id, server, self._child())
        logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/lambda/{name}",
            kms_key_id=args["log_key_arn"],
            retention_in_days=args.get("log_days", 365),
            opts=self._child(),
        )
        stack = aws.serverlessrepository.CloudFormationStack(
            name,
            application_id=f"arn:{partition}:serverlessrepo:{published.owner}:applications/{_APPLICATIONS[kind]}",
            semantic_version=published.versions[kind],
            capabilities=["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"],
            parameters={
                "endpoint": f"https://secretsmanager.{args['scope']['region']}.{published.domain}",
                "functionName": name,  # the name of its log group contains it
                "vpcSubnetIds": pulumi.Output.from_input(args["subnet_ids"]).apply(",".join),
                "vpcSecurityGroupIds": group.group_id,
                "kmsKeyArn": args["key_arn"],
                "excludeCharacters": _EXCLUDED,
            },
            opts=self._child(
                delete_before_replace=True,  # its function's name is taken while it exists
                depends_on=[logs],  # Lambda makes a missing log group by itself: unencrypted, kept for ever
            ),
        )
        self.function_arn = stack.outputs.apply(lambda outputs: outputs["RotationLambdaARN"])
        self.security_group_id = group.group_id
        self._register()
