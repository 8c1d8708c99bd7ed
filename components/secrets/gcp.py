"""Secrets in Secret Manager of Google Cloud."""

from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from ..component import Component, between, checked, checked_name, known_after
from ..problems import InputError, Problem
from ..security.google import GcpScope, scope_problem

DAY = 86400
"""Seconds of a day: Google Cloud takes durations in seconds."""
_LONGEST_RECOVERY = 1000


class GcpSecretReplica(TypedDict):
    """A copy of a secret in another region."""

    region: str
    """Region of the copy."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts it there, a key of that region."""


class GcpSecretArgs(TypedDict):
    """What a secret holds, and how it is renewed."""

    scope: GcpScope
    """Project and region of the secret."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts it, a key of the region. Secret Manager's own account must be allowed to use
    it."""
    description: str
    """What it is: Secret Manager has no descriptions, so that it becomes the annotation `description`."""
    fields: dict[str, pulumi.Input[str]]
    """What it holds, by field: it is stored as one JSON object. A change of it is a new version."""
    rotation_note: str
    """How it is rotated, in a few words: they become the annotation `rotation`. Secret Manager rotates nothing, it only
    tells a topic when it is time, from a time on that would have to be given and would soon be past."""
    replicas: NotRequired[list[GcpSecretReplica]]
    """Its copies in other regions. Secret Manager takes no change of them: another list is another secret, which
    `protect` refuses. Default: none."""
    recovery_days: NotRequired[int]
    """Days during which a version that was destroyed can be had back, 1 to 1000, or 0 for none. A deleted secret is
    gone at once: only `protect` is against that. Default: 30."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete it. Default: yes."""


def recovery_days(days: int) -> str | None:
    """A rule for args: how long Secret Manager keeps versions that were destroyed."""
    return None if 0 <= days <= _LONGEST_RECOVERY else f"give 1 to {_LONGEST_RECOVERY} days, or 0 for none"


def _short(text: str) -> str | None:
    return None if 1 <= len(text) <= 256 else "give 1 to 256 characters"


_RULES = {
    "scope": scope_problem,
    "description": _short,
    "fields": lambda fields: None if fields else "give one field or more",
    "rotation_note": _short,
    "recovery_days": recovery_days,
}


class GcpSecret(Component):
    """A secret that is encrypted with the given key, stands in the regions that are named and in no other, keeps the
    versions that it had for a while, and says how it is rotated.

    Its id is the component's name. Raises `InputError` for bad args, for a name that no secret can have, and for a copy
    in its own region or twice in another one.
    """

    secret: pulumi.Output[str]
    """Reference to it, `projects/<project>/secrets/<id>`. Known once it holds its value."""
    secret_id: pulumi.Output[str]
    """Its id in the project. Known once it holds its value."""

    def __init__(self, name: str, args: GcpSecretArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpSecret {name}"
        args = checked(GcpSecretArgs, args, subject, _RULES)
        checked_name(name, subject, 255, r"[a-zA-Z0-9_-]+", "Secret Manager takes letters, digits, _ and -")
        replicas = args.get("replicas", [])
        if problems := list(secret_replica_problems("replicas", replicas, args["scope"])):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        protect, kept = args.get("protect", True), args.get("recovery_days", 30)
        home: GcpSecretReplica = {"region": args["scope"]["region"], "key_name": args["key_name"]}
        secret = gcp.secretmanager.Secret(
            name,
            project=args["scope"]["project"],
            secret_id=name,
            annotations={"description": args["description"], "rotation": args["rotation_note"]},
            replication={"user_managed": {"replicas": [_copy(each) for each in (home, *replicas)]}},
            version_destroy_ttl=f"{kept * DAY}s" if kept else None,
            deletion_protection=protect,
            opts=self._child(
                protect=protect,
                delete_before_replace=True,  # its id is taken while it exists
            ),
        )
        # A write-only value would reach the state all the same, as encrypted as this one, and a change of it would go
        # unnoticed until somebody raised a number. A former version is destroyed: for as long as `recovery_days` says
        # that only disables it.
        version = gcp.secretmanager.SecretVersion(
            name,
            secret=secret.id,
            secret_data=pulumi.Output.secret(pulumi.Output.json_dumps(args["fields"])),
            deletion_policy="DELETE",
            opts=self._child(),
        )
        self.secret = known_after(secret.id, version.id)
        self.secret_id = known_after(secret.secret_id, version.id)
        self._register()


class GcpGeneratedSecretArgs(TypedDict):
    """What is generated, and when anew."""

    scope: GcpScope
    """Project and region of the secret."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts it, a key of the region."""
    description: str
    """What it is for."""
    length: NotRequired[int]
    """Letters and digits that it is made of, 32 to 128. Default: 64."""
    version: NotRequired[int]
    """Raising it makes a new value; services get it when they start next. Default: 1."""
    replicas: NotRequired[list[GcpSecretReplica]]
    """Its copies in other regions. Default: none."""
    recovery_days: NotRequired[int]
    """Days during which a version that was destroyed can be had back, 1 to 1000, or 0 for none. Default: 30."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete it. Default: yes."""


class GcpGeneratedSecret(Component):
    """A secret that holds one random value, in the field `value`.

    Raises `InputError` for bad args.
    """

    secret: pulumi.Output[str]
    """Reference to it, `projects/<project>/secrets/<id>`. Known once it holds its value."""
    secret_id: pulumi.Output[str]
    """Its id in the project. Known once it holds its value."""

    def __init__(self, name: str, args: GcpGeneratedSecretArgs, opts: pulumi.ResourceOptions | None = None):
        rules = {"scope": scope_problem, "length": between(32, 128, "characters")}
        args = checked(GcpGeneratedSecretArgs, args, f"GcpGeneratedSecret {name}", rules)
        super().__init__(name, opts)
        value = random.RandomPassword(
            f"{name}-value",
            length=args.get("length", 64),
            special=False,
            keepers={"version": str(args.get("version", 1))},
            opts=self._child(),
        )
        kept: GcpSecretArgs = {
            "scope": args["scope"],
            "key_name": args["key_name"],
            "description": args["description"],
            "fields": {"value": value.result},
            "rotation_note": "with its version in the stack file",
            "replicas": args.get("replicas", []),
            "recovery_days": args.get("recovery_days", 30),
            "protect": args.get("protect", True),
        }
        secret = GcpSecret(name, kept, self._child())
        self.secret = secret.secret
        self.secret_id = secret.secret_id
        self._register()


def secret_replica_problems(path: str, replicas: Sequence[GcpSecretReplica], scope: GcpScope) -> Iterator[Problem]:
    """What is wrong with the regions of a secret's copies."""
    seen = {scope["region"]: "the secret itself stands there; name another region"}
    for i, replica in enumerate(replicas):
        region = replica["region"]
        if region in seen:
            yield Problem(f"{path}[{i}].region", region, seen[region])
        seen.setdefault(region, "named twice; a region has one copy")


def _copy(replica: GcpSecretReplica) -> gcp.secretmanager.SecretReplicationUserManagedReplicaArgsDict:
    return {
        "location": replica["region"],
        "customer_managed_encryption": {"kms_key_name": replica["key_name"]},
    }
