"""Secrets of a Kubernetes cluster whose value is made here, once."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_random as random

from ..component import Component, at_least, between, checked
from ..platform.names import checked_label, label_problem, service_problem
from ..platform.server import keep_secret


class KubernetesGeneratedSecretArgs(TypedDict):
    """What is generated, where it is kept, and when anew."""

    namespace: pulumi.Input[str]
    """Namespace of the Secret."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    length: NotRequired[int]
    """Letters and digits that it is made of, 32 to 128. Default: 64."""
    version: NotRequired[int]
    """Raising it makes a new value; services get it when they start next. Default: 1."""


_RULES = {
    "namespace": label_problem,
    "system": service_problem,
    "length": between(32, 128, "characters"),
    "version": at_least(1),
}


class KubernetesGeneratedSecret(Component):
    """A Secret in a namespace that holds one random value, in the field `value`. It is named after the component.

    Kubernetes encrypts it as far as the cluster encrypts all of its Secrets.

    Raises `InputError` for bad args and for a name that no Secret can have.
    """

    secret: pulumi.Output[str]
    """Name of the Secret. Known once it holds its value."""

    def __init__(self, name: str, args: KubernetesGeneratedSecretArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesGeneratedSecret {name}"
        args = checked(KubernetesGeneratedSecretArgs, args, subject, _RULES)
        checked_label(name, subject)  # which its label `app.kubernetes.io/name` says, too
        super().__init__(name, opts)
        value = random.RandomPassword(
            f"{name}-value",
            length=args.get("length", 64),
            special=False,
            keepers={"version": str(args.get("version", 1))},
            opts=self._child(),
        )
        labels = {
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/part-of": args["system"],
            "app.kubernetes.io/managed-by": "plinth",
        }
        metadata = {"name": name, "namespace": args["namespace"], "labels": labels}
        self.secret = keep_secret(name, metadata, {"value": value.result}, self._child())
        self._register()
