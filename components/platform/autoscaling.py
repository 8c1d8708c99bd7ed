"""As many nodes as pods need."""

from typing import NotRequired, TypedDict

import pulumi

from ..component import Component, among, between, checked
from .add_on import (
    API_SERVER,
    AWS_IDENTITY,
    CONTAINER_SECURITY,
    POD_SECURITY,
    SOME_STAY,
    AddOn,
    Pods,
    account,
    called_at,
    install,
    resources,
    spread,
)
from .charts import CHART_RULES
from .names import annotations_problem

NAMESPACE = "cluster-autoscaler"
"""Namespace of the autoscaler."""
SERVICE_ACCOUNT = "cluster-autoscaler"
"""Service account of its pods."""
IMAGES = {"1.35": "v1.35.1", "1.36": "v1.36.0"}
"""Version of the autoscaler by Kubernetes version: it schedules as that does, so the minor versions are the same."""
_POD = {"app.kubernetes.io/instance": "cluster-autoscaler"}
_METRICS = 8085
_NOBODY = 65532


class ClusterAutoscalerArgs(TypedDict):
    """Which cluster's node groups are scaled."""

    cluster_name: pulumi.Input[str]
    """Name of the EKS cluster. EKS tags its node groups with it, and these tags are looked for."""
    region: pulumi.Input[str]
    """Region of the cluster."""
    version: NotRequired[pulumi.Input[str]]
    """Kubernetes version of the cluster. Default: 1.35."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    service_account_annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations of the service account. Default: none, since Pod Identity needs none."""
    replicas: NotRequired[int]
    """Pods, of which one leads, 1 to 5. Default: 2."""


class ClusterAutoscaler(Component):
    """The cluster autoscaler, for EKS with node groups: it adds nodes for pods that find no room, takes away nodes that
    are not needed, and keeps similar groups in several zones equally large.

    Its role must be associated with the service account before.

    Raises `InputError` for bad args, among them a version of Kubernetes that it does not know.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pods are ready."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""

    def __init__(self, name: str, args: ClusterAutoscalerArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(ClusterAutoscalerArgs, args, f"ClusterAutoscaler {name}", _RULES)
        super().__init__(name, opts)
        installed = install(name, _add_on(args), self._child)
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self._register()


def _add_on(args: ClusterAutoscalerArgs) -> AddOn:
    version = pulumi.Output.from_input(args.get("version", "1.35"))
    values = {
        "fullnameOverride": "cluster-autoscaler",
        "image": {"tag": version.apply(lambda known: IMAGES[known])},
        "cloudProvider": "aws",
        "awsRegion": args["region"],
        "autoDiscovery": {"clusterName": args["cluster_name"]},
        "extraArgs": {
            "expander": "least-waste",
            "balance-similar-node-groups": True,
            # Nearly every pod has a folder for temporary files, and system pods say by budgets how many must stay.
            "skip-nodes-with-local-storage": False,
            "skip-nodes-with-system-pods": False,
        },
        "rbac": {"serviceAccount": account(SERVICE_ACCOUNT, args.get("service_account_annotations"))},
        "replicaCount": args.get("replicas", 2),
        "podDisruptionBudget": SOME_STAY,
        "topologySpreadConstraints": spread(_POD),
        "securityContext": {**POD_SECURITY, "runAsUser": _NOBODY, "runAsGroup": _NOBODY},
        "containerSecurityContext": CONTAINER_SECURITY,
        "resources": resources("50m", "256Mi", "500m", "1Gi"),
    }
    pods = Pods(_POD, {**API_SERVER, **AWS_IDENTITY}, called_at(_METRICS))
    return AddOn("cluster-autoscaler", NAMESPACE, {"controller": pods}, values, args.get("mirror"), args.get("images"))


_RULES = {
    **CHART_RULES,
    "service_account_annotations": annotations_problem,
    "replicas": between(1, 5, "pods"),
    "version": among(tuple(IMAGES)),
}
