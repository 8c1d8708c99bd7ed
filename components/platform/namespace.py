"""Where a system's workloads live in a Kubernetes cluster."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, checked, checked_name


class KubernetesNamespaceArgs(TypedDict):
    """Name and labels of a namespace."""

    name: NotRequired[str]
    """Name in the cluster, a DNS label. Default: the component's."""
    labels: NotRequired[dict[str, str]]
    """Labels beside those that the Pod Security admission reads. Default: none."""


class KubernetesNamespace(Component):
    """A namespace that admits only pods of the `restricted` Pod Security Standard and, until policies allow more, lets
    them reach nothing and be reached by nothing.

    Raises `InputError` for bad args and for a name that is no DNS label.
    """

    namespace: pulumi.Output[str]
    """Name of the namespace."""

    def __init__(self, name: str, args: KubernetesNamespaceArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesNamespace {name}"
        args = checked(KubernetesNamespaceArgs, args, subject)
        known_as = args.get("name", name)
        checked_name(
            known_as, subject, 63, r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "give a DNS label: small letters, digits, -"
        )
        super().__init__(name, opts)
        level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
        space = kubernetes.core.v1.Namespace(
            name, metadata={"name": known_as, "labels": {**args.get("labels", {}), **level}}, opts=self._child()
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-default-deny",
            metadata={"name": "default-deny", "namespace": space.metadata.name},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=self._child(),
        )
        self.namespace = space.metadata.name
        self._register()
