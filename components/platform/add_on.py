"""What every add-on of a cluster has in common: a namespace of its own, the traffic its pods need, and its chart."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pulumi

from ..component import laid_over
from .charts import CHARTS, image_values
from .namespace import KubernetesNamespace
from .releases import HelmRelease, HelmReleaseArgs
from .traffic import Peer, network_policy

_PART_OF = "platform"

API_SERVER: Mapping[str, Peer] = {"api-server": {"everybody": True, "ports": [443, 6443]}}
"""The API server of the cluster, whose address no pod has and no program knows. It answers at the ports of all others,
so this is also the way to a cloud's APIs."""
AWS_IDENTITY: Mapping[str, Peer] = {"pod-identity": {"cidrs": ["169.254.170.23/32"], "ports": [80]}}
"""Where pods get the credentials of their role on EKS: the agent of Pod Identity on their node."""
GOOGLE_IDENTITY: Mapping[str, Peer] = {
    "metadata": {"cidrs": ["169.254.169.254/32"], "ports": [80, 8080]},
    "metadata-server": {"cidrs": ["169.254.169.252/32"], "ports": [987, 988]},
}
"""Where pods get the tokens of their account on GKE: with Dataplane V2, and without it."""

POD_SECURITY: Mapping[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
"""Security context of a pod, as charts take it."""
CONTAINER_SECURITY: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""Security context of a container, as charts take it."""
SOME_STAY: Mapping[str, Any] = {"maxUnavailable": 1}
"""A disruption budget that never holds up a node for good."""


class Pods(NamedTuple):
    """Pods of an add-on that have the same traffic."""

    labels: Mapping[str, str]
    """Labels that they have and the add-on's others have not."""
    reaches: Mapping[str, Peer]
    """Whom they call."""
    reached_by: Mapping[str, Peer]
    """Who calls them."""


class AddOn(NamedTuple):
    """An add-on: a chart in a namespace of its own."""

    chart: str
    """Name of the chart in the catalogue."""
    namespace: str
    """Name of the namespace."""
    pods: Mapping[str, Pods]
    """Its pods, by what they do."""
    values: dict[str, Any]
    """Values of the chart."""
    mirror: str | None = None
    """Where charts come from. None: each chart's own repository."""
    images: Mapping[str, str] | None = None
    """Where images come from, by the registry that a mirror stands for. None: each image's own registry."""
    skip_crds: bool = False
    """Whether the kinds in the chart's folder `crds` are left out."""
    labels: Mapping[str, str] = MappingProxyType({})
    """Labels of its namespace, beside those that all have."""


class Installed(NamedTuple):
    """An add-on in the cluster."""

    namespace: pulumi.Output[str]
    """Name of its namespace."""
    release: HelmRelease
    """Its release."""


def install(name: str, add_on: AddOn, child: Callable[..., pulumi.ResourceOptions]) -> Installed:
    """The namespace of an add-on, a network policy for each kind of its pods, and its release.

    `child` gives the options of a child of the add-on's component.
    """
    labels = labels_of(add_on.chart)
    space = KubernetesNamespace(name, {"name": add_on.namespace, "labels": {**add_on.labels, **labels}}, child())
    policies = [
        network_policy(
            f"{name}-{role}",
            {"name": role, "namespace": space.namespace, "labels": labels},
            pods.labels,
            pods.reaches,
            pods.reached_by,
            child(),
            subject=f"{add_on.chart} {name}",
        )
        for role, pods in add_on.pods.items()
    ]
    args: HelmReleaseArgs = {
        "chart": add_on.chart,
        "namespace": space.namespace,
        "values": laid_over(image_values(CHARTS[add_on.chart], add_on.images), add_on.values),
        "skip_crds": add_on.skip_crds,
    }
    if add_on.mirror is not None:
        args["mirror"] = add_on.mirror
    # Pods that start before their policy do not reach the API server, and give up.
    return Installed(space.namespace, HelmRelease(name, args, child(depends_on=[space, *policies])))


def called_at(*ports: int) -> Mapping[str, Peer]:
    """Everybody, at these ports: where the control plane calls webhooks from, and who reads metrics, is not known here.
    The control plane has addresses of its own on EKS, comes through pods on GKE, and from nodes elsewhere."""
    return {"everybody": {"everybody": True, "ports": list(ports)}}


def labels_of(add_on: str) -> dict[str, str]:
    """Labels of an object that is made for an add-on."""
    return {
        "app.kubernetes.io/name": add_on,
        "app.kubernetes.io/part-of": _PART_OF,
        "app.kubernetes.io/managed-by": "plinth",
    }


def resources(cpu: str, memory: str, most_cpu: str, most_memory: str) -> dict[str, Any]:
    """What a container is sure of and what it may take at most, as charts take it."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": most_cpu, "memory": most_memory}}


def account(name: str, annotations: Mapping[str, pulumi.Input[str]] | None = None) -> dict[str, Any]:
    """A service account, as charts take it."""
    return {"create": True, "name": name, "annotations": dict(annotations or {})}


def spread(labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Pods stand in several zones and on several nodes where there are such. Without labels, the chart knows which."""
    selector = {"labelSelector": {"matchLabels": dict(labels)}} if labels else {}
    return [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", **selector}
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def given(**values: Any) -> dict[str, Any]:
    """The values that are not None: a chart has its own for the others."""
    return {key: value for key, value in values.items() if value is not None}
