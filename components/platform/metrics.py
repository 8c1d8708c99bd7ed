"""What pods and nodes use, for autoscaling."""

from typing import NotRequired, TypedDict

import pulumi

from ..component import Component, between, checked
from .add_on import (
    API_SERVER,
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

NAMESPACE = "metrics-server"
"""Namespace of the metrics server."""
SERVICE_ACCOUNT = "metrics-server"
"""Service account of its pods."""
_POD = {"app.kubernetes.io/name": "metrics-server"}
_PORT = 10250
"""Where the API server asks it, and where it asks kubelets."""
_TEN_YEARS = 3650


class MetricsServerArgs(TypedDict):
    """How kubelets are believed."""

    any_kubelet: NotRequired[bool]
    """Take certificates that kubelets gave themselves, as clusters on a laptop have them. Anybody on the way could then
    say what pods use. Default: no."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    replicas: NotRequired[int]
    """Pods, 1 to 5. Default: 2."""


class MetricsServer(Component):
    """The metrics server, out of which `kubectl top` and the autoscaling of pods know what pods use. GKE has its own.

    The API server knows it by a certificate of its own, good for ten years.

    Raises `InputError` for bad args.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pods are ready."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""

    def __init__(self, name: str, args: MetricsServerArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(MetricsServerArgs, args, f"MetricsServer {name}", _RULES)
        super().__init__(name, opts)
        installed = install(name, _add_on(args), self._child)
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self._register()


def _add_on(args: MetricsServerArgs) -> AddOn:
    replicas = args.get("replicas", 2)
    values = {
        "args": ["--kubelet-insecure-tls"] if args.get("any_kubelet", False) else [],
        # Made once and kept: else the API server would take the word of whoever answers.
        "tls": {"type": "helm", "helm": {"lookup": True, "certDurationDays": _TEN_YEARS}},
        "apiService": {"insecureSkipTLSVerify": False},
        "serviceAccount": account(SERVICE_ACCOUNT),
        "replicas": replicas,
        "podDisruptionBudget": {"enabled": replicas > 1, **SOME_STAY},
        "topologySpreadConstraints": spread(_POD),
        "podSecurityContext": POD_SECURITY,
        "securityContext": CONTAINER_SECURITY,
        "resources": resources("100m", "200Mi", "500m", "400Mi"),
    }
    pods = Pods(_POD, {**API_SERVER, "kubelets": called_at(_PORT)["everybody"]}, called_at(_PORT))
    return AddOn("metrics-server", NAMESPACE, {"server": pods}, values, args.get("mirror"), args.get("images"))


_RULES = {**CHART_RULES, "replicas": between(1, 5, "pods")}
