"""What the images of a private registry are pulled with."""

from typing import TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, checked
from ..platform.names import checked_label, label_problem, subdomain_problem

_TYPE = "kubernetes.io/dockerconfigjson"
_RULES = {"namespace": label_problem, "store": subdomain_problem}


class PullSecretArgs(TypedDict):
    """Where the credentials of a registry are, and who pulls with them."""

    namespace: pulumi.Input[str]
    """Namespace of the pods that pull."""
    store: pulumi.Input[str]
    """Name of the SecretStore in the namespace."""
    key: pulumi.Input[str]
    """Name or ARN of the store's entry: what `docker login` writes into its `config.json`."""


class PullSecret(Component):
    """The credentials of a private registry, which External Secrets brings from a cloud's secret store and renews every
    hour. Its Secret is called as the component.

    Raises `InputError` for bad args and for a name that no Secret can have.
    """

    secret: pulumi.Output[str]
    """Name of the Secret, once it is there."""

    def __init__(self, name: str, args: PullSecretArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"PullSecret {name}"
        args = checked(PullSecretArgs, args, subject, _RULES)
        checked_label(name, subject)
        super().__init__(name, opts)
        brought = kubernetes.apiextensions.CustomResource(
            name,
            api_version="external-secrets.io/v1",
            kind="ExternalSecret",
            metadata={
                "name": name,
                "namespace": args["namespace"],
                "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "plinth"},
                "annotations": {"pulumi.com/waitFor": "condition=Ready"},
            },
            spec={
                "refreshInterval": "1h",
                "secretStoreRef": {"kind": "SecretStore", "name": args["store"]},
                "target": {"name": name, "template": {"type": _TYPE, "data": {".dockerconfigjson": "{{ .config }}"}}},
                "data": [{"secretKey": "config", "remoteRef": {"key": args["key"]}}],
            },
            opts=self._child(),
        )
        self.secret = brought.id.apply(lambda _: name)
        self._register()
