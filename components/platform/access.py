"""What people may do in a namespace of a cluster."""

from collections.abc import Iterator, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, checked
from ..problems import Problem
from .names import checked_label, label_problem

_RBAC = "rbac.authorization.k8s.io"

_READ = {
    "": (
        *("pods", "services", "endpoints", "configmaps", "events", "persistentvolumeclaims", "serviceaccounts"),
        *("resourcequotas", "limitranges"),
    ),
    "apps": ("deployments", "replicasets", "statefulsets", "daemonsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("jobs", "cronjobs"),
    "discovery.k8s.io": ("endpointslices",),
    "events.k8s.io": ("events",),
    "metrics.k8s.io": ("pods",),
    "networking.k8s.io": ("networkpolicies",),
    "policy": ("poddisruptionbudgets",),
    _RBAC: ("roles", "rolebindings"),
    "gateway.networking.k8s.io": ("gateways", "httproutes", "grpcroutes", "referencegrants", "backendtlspolicies"),
    "gateway.envoyproxy.io": (
        *("envoyproxies", "clienttrafficpolicies", "backendtrafficpolicies", "securitypolicies"),
        "httproutefilters",
    ),
    "cert-manager.io": ("certificates", "certificaterequests", "issuers"),
    "acme.cert-manager.io": ("orders", "challenges"),
    "external-secrets.io": ("externalsecrets", "secretstores"),
    "bitnami.com": ("sealedsecrets",),
}
"""What engineers look at, by API group."""


class KubernetesAccessArgs(TypedDict):
    """Who may do what, in which namespace."""

    namespace: pulumi.Input[str]
    """Name of the namespace."""
    viewers: list[str]
    """Groups, as the cluster knows them, whose members may look."""
    operators: list[str]
    """Groups whose members may look, and run what is there."""
    exec: NotRequired[bool]
    """Whether operators may open a shell in a pod, which then shows them what the pod is given. Default: no."""


class KubernetesAccess(Component):
    """Roles of people in one namespace. Viewers see everything that runs, with its logs, but no secret. Operators
    restart and scale what runs, delete pods, start jobs, and reach pods by port forwarding.

    Nobody reads a Secret. But who may change a Deployment or start a job decides what its pods run, and with that could
    have them show what they are given: operators are people who may know.

    Raises `InputError` for bad args: no group at all, and groups of the cluster's own, `system:...`, among them.
    """

    viewer_role: pulumi.Output[str]
    """Name of the role of those who may look."""
    operator_role: pulumi.Output[str]
    """Name of the role of those who may run what is there; without what they may look at."""

    def __init__(self, name: str, args: KubernetesAccessArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesAccess {name}"
        args = checked(KubernetesAccessArgs, args, subject, _RULES, access_problems)
        checked_label(name, subject, 53)
        super().__init__(name, opts)
        self._prefix, self._namespace = name, args["namespace"]
        looking = [_rule(group, kinds, ["get", "list", "watch"]) for group, kinds in _READ.items()]
        looking.append(_rule("", ["pods/log"], ["get"]))
        viewers = list(dict.fromkeys([*args["viewers"], *args["operators"]]))
        self.viewer_role = self._role("viewers", looking, viewers)
        self.operator_role = self._role("operators", list(_running(args.get("exec", False))), args["operators"])
        self._register()

    def _role(self, who: str, rules: Sequence[Any], groups: Sequence[str]) -> pulumi.Output[str]:
        name = f"{self._prefix}-{who}"
        metadata: Any = {
            "name": name,
            "namespace": self._namespace,
            "labels": {
                "app.kubernetes.io/name": name,
                "app.kubernetes.io/part-of": "access",
                "app.kubernetes.io/managed-by": "plinth",
            },
        }
        role = kubernetes.rbac.v1.Role(name, metadata=metadata, rules=list(rules), opts=self._child())
        if groups:
            kubernetes.rbac.v1.RoleBinding(
                name,
                metadata=metadata,
                role_ref={"api_group": _RBAC, "kind": "Role", "name": role.metadata.name},
                subjects=[{"api_group": _RBAC, "kind": "Group", "name": group} for group in groups],
                opts=self._child(),
            )
        return role.metadata.name


_RULES = {"namespace": label_problem}


def _running(shell: bool) -> Iterator[dict[str, Any]]:
    """What operators may do. Kubernetes 1.35 asks for `create` where `kubectl` opens a stream; older ones for `get`."""
    stream = ["get", "create"]
    # A restart is a change of the pods' template.
    yield _rule("apps", ["deployments", "statefulsets"], ["patch"])
    yield _rule("apps", ["deployments/scale", "statefulsets/scale"], ["get", "update", "patch"])
    yield _rule("", ["pods"], ["delete"])
    yield _rule("batch", ["jobs"], ["create", "delete"])
    # So that a schedule can be suspended.
    yield _rule("batch", ["cronjobs"], ["patch"])
    yield _rule("", ["pods/portforward"], stream)
    if shell:
        yield _rule("", ["pods/exec"], stream)


def _rule(group: str, kinds: Sequence[str], verbs: Sequence[str]) -> dict[str, Any]:
    return {"api_groups": [group], "resources": list(kinds), "verbs": list(verbs)}


def access_problems(args: KubernetesAccessArgs) -> Iterator[Problem]:
    """What is wrong with the groups that are let in."""
    for key in ("viewers", "operators"):
        for i, group in enumerate(args[key]):
            if not group or group != group.strip():
                yield Problem(f"{key}[{i}]", group, "give the name of a group, with no space around it")
            elif group.startswith("system:"):
                yield Problem(f"{key}[{i}]", group, "that is one of the cluster's own groups; give one of people")
            elif group in args[key][:i]:
                yield Problem(f"{key}[{i}]", group, "it is there already; leave it out")
    if not args["viewers"] and not args["operators"]:
        yield Problem("viewers", [], "give one group or more, here or as `operators`")
