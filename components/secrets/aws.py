"""Secrets in AWS Secrets Manager."""

from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name, known_after, matching
from ..problems import MISSING, InputError, Problem
from ..security.policy import AwsScope

MOST_DAYS = 90
_FIRST = "FIRST"
"""Staging label of the value that a rotated secret started with."""


class SecretRotation(TypedDict):
    """Who rotates a secret, and how often."""

    function_arn: pulumi.Input[str]
    """ARN of the Lambda function that rotates it."""
    days: int
    """Days between rotations, 1 to 90 (CKV_AWS_304)."""


class SecretReplica(TypedDict):
    """A copy of a secret in another region, which Secrets Manager keeps up to date."""

    region: str
    """Region of the copy."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts it there."""


class AwsSecretArgs(TypedDict):
    """What a secret holds, and how it is renewed."""

    scope: AwsScope
    """Account and region of the secret."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts it (CKV_AWS_149)."""
    description: str
    """What it is."""
    fields: dict[str, pulumi.Input[str]]
    """What it holds, by field: it is stored as one JSON object. With `rotation` this is what it starts with; later
    changes of it are not followed, since they would bring the first password back."""
    rotation: NotRequired[SecretRotation]
    """The function that rotates it (CKV2_AWS_57). Default: none, and then `rotation_note` is required."""
    rotation_note: NotRequired[str]
    """How it is rotated where no function does it, in a few words: they become the tag `rotation`."""
    replicas: NotRequired[list[SecretReplica]]
    """Its copies in other regions, under the same name. Default: none."""
    recovery_days: NotRequired[int]
    """Days during which its deletion can be called off, 7 to 30, or 0 for none. Default: 30."""


def recovery_days(days: int) -> str | None:
    """A rule for args: how long Secrets Manager lets a deletion be called off."""
    return None if days == 0 or 7 <= days <= 30 else "give 7 to 30 days, or 0 for none"


_RULES = {
    "fields": lambda fields: None if fields else "give one field or more",
    "recovery_days": recovery_days,
    "rotation_note": matching(
        r"[\w +=.:/@-]{1,256}", "a tag takes 1 to 256 letters, digits, spaces and + - = . _ : / @"
    ),
}


class AwsSecret(Component):
    """A secret that is encrypted with the given key and rotated, or says how it is rotated otherwise.

    Raises `InputError` for bad args, for a secret that has no rotation and does not say why, and for a copy in its own
    region or twice in another one.
    """

    secret: pulumi.Output[str]
    """ARN of the secret. Known once it holds its value."""
    secret_name: pulumi.Output[str]
    """Name of the secret, here and in every region that has a copy."""
    replica_arns: pulumi.Output[dict[str, str]]
    """ARNs of its copies, by region. Known once it holds its value."""

    def __init__(self, name: str, args: AwsSecretArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsSecret {name}"
        args = checked(AwsSecretArgs, args, subject, _RULES)
        # Secrets Manager takes 512 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 504, r"[\w/+=.@-]+", "Secrets Manager takes letters, digits and /_+=.@-")
        replicas = args.get("replicas", [])
        problems = [*_rotation_problems(args), *replica_problems("replicas", replicas, args["scope"])]
        if problems:
            raise InputError(subject, problems)
        super().__init__(name, opts)
        secret = aws.secretsmanager.Secret(
            name,
            description=args["description"],
            kms_key_id=args["key_arn"],
            recovery_window_in_days=args.get("recovery_days", 30),
            replicas=[{"region": each["region"], "kms_key_id": each["key_arn"]} for each in replicas] or None,
            tags={"rotation": args["rotation_note"]} if "rotation_note" in args else None,
            opts=self._child(),
        )
        version = self._value(name, args, secret)
        if "rotation" in args:
            self._rotate(name, args["rotation"], secret, version)
        arn = known_after(secret.arn, version.id)
        self.secret = arn
        self.secret_name = secret.name
        self.replica_arns = arn.apply(
            lambda known: {each["region"]: _elsewhere(known, each["region"]) for each in replicas}
        )
        self._register()

    def _value(
        self, name: str, args: AwsSecretArgs, secret: aws.secretsmanager.Secret
    ) -> aws.secretsmanager.SecretVersion:
        value = pulumi.Output.secret(pulumi.Output.json_dumps(args["fields"]))
        if "rotation" not in args:
            return aws.secretsmanager.SecretVersion(name, secret_id=secret.id, secret_string=value, opts=self._child())
        # The provider reads a version by its id: what a rotation changes of this one is its labels, as AWSCURRENT and
        # then AWSPREVIOUS move on. The provider would move AWSCURRENT back, and the first password with it; so value
        # and labels stay as they have become. Secrets Manager may delete a version without a label once there are many:
        # a refresh would then take it out of the state, and the next update would make it again, as the current one.
        # A label of its own, which no rotation moves, keeps it for good.
        return aws.secretsmanager.SecretVersion(
            name,
            secret_id=secret.id,
            secret_string=value,
            version_stages=["AWSCURRENT", _FIRST],
            opts=self._child(ignore_changes=["secret_string", "version_stages"]),
        )

    def _rotate(
        self,
        name: str,
        rotation: SecretRotation,
        secret: aws.secretsmanager.Secret,
        version: aws.secretsmanager.SecretVersion,
    ) -> None:
        aws.secretsmanager.SecretRotation(
            name,
            secret_id=secret.id,
            rotation_lambda_arn=rotation["function_arn"],
            rotation_rules={"automatically_after_days": rotation["days"]},
            # Whose password it is may be made later, by a job inside the network: there may be nothing to rotate yet.
            rotate_immediately=False,
            opts=self._child(depends_on=[version]),  # it starts from a value, which is no property of the secret
        )


def replica_problems(path: str, replicas: Sequence[SecretReplica], scope: AwsScope) -> Iterator[Problem]:
    """What is wrong with the regions of a secret's copies."""
    seen = {scope["region"]: "the secret itself stands there; name another region"}
    for i, replica in enumerate(replicas):
        region = replica["region"]
        if region in seen:
            yield Problem(f"{path}[{i}].region", region, seen[region])
        seen.setdefault(region, "named twice; a region has one copy")


def rotation_day_problems(days: int) -> Iterator[Problem]:
    """What is wrong with the days between rotations."""
    if not 1 <= days <= MOST_DAYS:
        yield Problem("rotation.days", days, f"give 1 to {MOST_DAYS} days")


def _rotation_problems(args: AwsSecretArgs) -> Iterator[Problem]:
    if "rotation" in args:
        yield from rotation_day_problems(args["rotation"]["days"])
        if "rotation_note" in args:
            yield Problem("rotation_note", args["rotation_note"], "leave it out: `rotation` names the function")
    elif "rotation_note" not in args:
        yield Problem(
            "rotation",
            MISSING,
            "name the function that rotates it, or write in `rotation_note` how it is rotated: a secret that is never "
            "rotated needs a written reason",
        )


def _elsewhere(arn: str, region: str) -> str:
    """The ARN of the copy in a region: its name is the secret's, with the same random characters."""
    parts = arn.split(":")
    parts[3] = region
    return ":".join(parts)
