"""New pods for new secrets."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from ..component import Component, between, checked
from ..problems import Problem
from .add_on import (
    API_SERVER,
    CONTAINER_SECURITY,
    POD_SECURITY,
    SOME_STAY,
    AddOn,
    Pods,
    account,
    called_at,
    given,
    install,
    resources,
    spread,
)
from .charts import CHART_RULES
from .names import namespace_problems, subdomain_problem

NAMESPACE = "reloader"
"""Namespace of Reloader."""
SERVICE_ACCOUNT = "reloader"
"""Service account of its pods."""
_POD = {"app.kubernetes.io/name": "reloader"}
_METRICS = 9090


class ReloaderArgs(TypedDict):
    """Where pods are replaced."""

    namespaces: list[pulumi.Input[str]]
    """Names of the namespaces in which it does so, which must be there. In others it has no rights."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Priority class of its pods. Default: none."""
    replicas: NotRequired[int]
    """Pods, of which one leads, 1 to 5. Default: 2."""


class Reloader(Component):
    """Reloader: when a Secret has changed, such as a rotated password, it replaces the pods of whatever names it in the
    annotation `secret.reloader.stakater.com/reload`, one after another. `KubernetesService` names all that it reads.

    Raises `InputError` for bad args.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pods are ready."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""

    def __init__(self, name: str, args: ReloaderArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"Reloader {name}"
        args = checked(ReloaderArgs, args, subject, _RULES, _problems)
        super().__init__(name, opts)
        installed = install(name, _add_on(args), self._child)
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self._register()


def _add_on(args: ReloaderArgs) -> AddOn:
    replicas = args.get("replicas", 2)
    reloader = {
        # Roles in these namespaces, instead of one over the whole cluster.
        "watchGlobally": False,
        "namespaces": args["namespaces"],
        "enableHA": replicas > 1,
        # An annotation of the pods, which no environment variable of ours is written over by.
        "reloadStrategy": "annotations",
        "logFormat": "json",
        "readOnlyRootFileSystem": True,
        "serviceAccount": account(SERVICE_ACCOUNT),
        "podDisruptionBudget": {"enabled": replicas > 1, **SOME_STAY},
        "deployment": {
            "replicas": replicas,
            "topologySpreadConstraints": spread(_POD),
            "securityContext": POD_SECURITY,
            "containerSecurityContext": CONTAINER_SECURITY,
            "resources": resources("10m", "64Mi", "250m", "256Mi"),
            **given(priorityClassName=args.get("priority_class")),
        },
    }
    values = {"fullnameOverride": "reloader", "reloader": reloader}
    pods = Pods(_POD, API_SERVER, called_at(_METRICS))
    return AddOn("reloader", NAMESPACE, {"controller": pods}, values, args.get("mirror"), args.get("images"))


def _problems(args: ReloaderArgs) -> Iterator[Problem]:
    if not args["namespaces"]:
        yield Problem("namespaces", [], "name one namespace or more; in others nothing is replaced")
    yield from namespace_problems(args["namespaces"])


_RULES = {
    **CHART_RULES,
    "priority_class": subdomain_problem,
    "replicas": between(1, 5, "pods"),
}
