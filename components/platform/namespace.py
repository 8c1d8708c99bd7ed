"""Where a system's workloads live in a Kubernetes cluster."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, checked
from ..problems import Problem
from .names import LABEL, LABEL_REMEDY, label_problems, name_problems


class KubernetesNamespaceArgs(TypedDict):
    """Name and labels of a namespace."""

    name: NotRequired[str]
    """Name in the cluster, a DNS label, and none that a cluster begins with. Default: the component's."""
    labels: NotRequired[dict[str, str]]
    """Labels beside those that the Pod Security admission reads. Default: none."""


class KubernetesNamespace(Component):
    """A namespace that admits only pods of the `restricted` Pod Security Standard and, until policies allow more, lets
    them reach nothing and be reached by nothing.

    Raises `InputError` for bad args and for a name that is no DNS label or the cluster's own.
    """

    namespace: pulumi.Output[str]
    """Name of the namespace."""

    def __init__(self, name: str, args: KubernetesNamespaceArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesNamespace {name}"
        args = checked(KubernetesNamespaceArgs, args, subject, None, lambda given: _problems(name, given))
        known_as = args.get("name", name)
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


def _problems(name: str, args: KubernetesNamespaceArgs) -> Iterator[Problem]:
    known_as = args.get("name", name)
    yield from name_problems("name", known_as, LABEL, LABEL_REMEDY)
    if known_as == "default" or known_as.startswith("kube-"):
        yield Problem("name", known_as, "that is one of the cluster's own namespaces; give another name")
    yield from label_problems("labels", args.get("labels", {}))
