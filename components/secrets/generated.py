"""Secrets whose value is made here, once."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_random as random

from ..component import Component, between, checked
from ..security.policy import AwsScope
from .aws import AwsSecret, AwsSecretArgs, SecretReplica


class AwsGeneratedSecretArgs(TypedDict):
    """What is generated, and when anew."""

    scope: AwsScope
    """Account and region of the secret."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts it (CKV_AWS_149)."""
    description: str
    """What it is for."""
    length: NotRequired[int]
    """Letters and digits that it is made of, 32 to 128. Default: 64."""
    version: NotRequired[int]
    """Raising it makes a new value; services get it when they start next. Default: 1."""
    replicas: NotRequired[list[SecretReplica]]
    """Its copies in other regions. Default: none."""
    recovery_days: NotRequired[int]
    """Days during which its deletion can be called off, 7 to 30, or 0 for none. Default: 30."""


class AwsGeneratedSecret(Component):
    """A secret that holds one random value, in the field `value`.

    Raises `InputError` for bad args.
    """

    secret: pulumi.Output[str]
    """ARN of the secret. Known once it holds its value."""
    replica_arns: pulumi.Output[dict[str, str]]
    """ARNs of its copies, by region."""

    def __init__(self, name: str, args: AwsGeneratedSecretArgs, opts: pulumi.ResourceOptions | None = None):
        rules = {"length": between(32, 128, "characters")}
        args = checked(AwsGeneratedSecretArgs, args, f"AwsGeneratedSecret {name}", rules)
        super().__init__(name, opts)
        version = args.get("version", 1)
        value = random.RandomPassword(
            f"{name}-value",
            length=args.get("length", 64),
            special=False,
            keepers={"version": str(version)},
            opts=self._child(),
        )
        kept: AwsSecretArgs = {
            "scope": args["scope"],
            "key_arn": args["key_arn"],
            "description": args["description"],
            "fields": {"value": value.result},
            "rotation_note": "with its version in the stack file",
            "replicas": args.get("replicas", []),
            "recovery_days": args.get("recovery_days", 30),
        }
        secret = AwsSecret(name, kept, self._child())
        self.secret = secret.secret
        self.replica_arns = secret.replica_arns
        self._register()
