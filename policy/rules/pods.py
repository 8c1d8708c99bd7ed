"""Workloads of Kubernetes."""

from .demands import absent, equal, false, given, including, never, true
from .images import pinned
from .rule import Rule

_KEPT_RUNNING = (
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:apps/v1:DaemonSet",
    "kubernetes:apps/v1:ReplicaSet",
)
WORKLOADS = (*_KEPT_RUNNING, "kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob", "kubernetes:core/v1:Pod")

POD = "spec.jobTemplate?.spec?.template?.spec?"
"""Where a workload says what its pods are: a pod in itself, a job in its template, a schedule in that of its jobs."""
_CONTAINERS = f"{POD}.containers[*]"
_ALL_CONTAINERS = f"{POD}.containers|initContainers[*]"
_PROFILES = ("RuntimeDefault", "Localhost")


def _is_root(user: object) -> bool:
    return user == 0


RULES = (
    Rule(
        "pod-non-root",
        "A pod runs as somebody else than root, and so does each of its containers.",
        WORKLOADS,
        ("CKV_K8S_23", "CKV_K8S_29", "KSV-0012", "KSV-0105", "CIS-K8S-5.2.7"),
        demands={
            f"{POD}.securityContext.runAsNonRoot": true(),
            f"{POD}.securityContext.runAsUser": never("not be root", _is_root, 0),
            f"{_ALL_CONTAINERS}.securityContext.runAsNonRoot": never(
                "not be false", lambda value: value is False, False
            ),
            f"{_ALL_CONTAINERS}.securityContext.runAsUser": never("not be root", _is_root, 0),
        },
    ),
    Rule(
        "pod-read-only-root",
        "A container cannot write to its image: what it writes goes to volumes.",
        WORKLOADS,
        ("CKV_K8S_22", "KSV-0014"),
        demands={f"{_ALL_CONTAINERS}.securityContext.readOnlyRootFilesystem": true()},
    ),
    Rule(
        "pod-no-escalation",
        "A container has no privileges, and no way to gain any.",
        WORKLOADS,
        ("CKV_K8S_16", "CKV_K8S_20", "CKV_K8S_30", "KSV-0001", "KSV-0017", "CIS-K8S-5.2.2", "CIS-K8S-5.2.6"),
        demands={
            f"{_ALL_CONTAINERS}.securityContext.allowPrivilegeEscalation": false(),
            f"{_ALL_CONTAINERS}.securityContext.privileged": absent(True),
        },
    ),
    Rule(
        "pod-no-capabilities",
        "A container drops every capability of the kernel and adds none.",
        WORKLOADS,
        ("CKV_K8S_25", "CKV_K8S_28", "CKV_K8S_37", "KSV-0003", "KSV-0106", "CIS-K8S-5.2.9", "CIS-K8S-5.2.10"),
        demands={
            f"{_ALL_CONTAINERS}.securityContext.capabilities.drop": including("ALL"),
            f"{_ALL_CONTAINERS}.securityContext.capabilities.add": absent(["NET_ADMIN"]),
        },
    ),
    Rule(
        "pod-seccomp",
        "A pod may call only what the seccomp profile of its runtime, or one of its own, lets it.",
        WORKLOADS,
        ("CKV_K8S_31", "KSV-0030", "KSV-0104", "CIS-K8S-5.7.2"),
        demands={
            f"{POD}.securityContext.seccompProfile.type": equal(*_PROFILES, breaks=["Unconfined"]),
            f"{_ALL_CONTAINERS}.securityContext.seccompProfile.type": never(
                f"be {' or '.join(_PROFILES)}", lambda value: value not in _PROFILES, "Unconfined"
            ),
        },
    ),
    Rule(
        "pod-apart-from-node",
        "A pod shares neither network nor processes nor files with its node.",
        WORKLOADS,
        (
            "CKV_K8S_17",
            "CKV_K8S_18",
            "CKV_K8S_19",
            "CKV_K8S_26",
            "CKV_K8S_27",
            "KSV-0008",
            "KSV-0009",
            "KSV-0010",
            "KSV-0023",
            "KSV-0024",
            "CIS-K8S-5.2.3",
            "CIS-K8S-5.2.4",
            "CIS-K8S-5.2.5",
        ),
        demands={
            f"{POD}.hostNetwork": absent(True),
            f"{POD}.hostPID": absent(True),
            f"{POD}.hostIPC": absent(True),
            f"{POD}.volumes[*].hostPath": absent({"path": "/"}),
            f"{_ALL_CONTAINERS}.ports[*].hostPort": absent(8080),
        },
    ),
    Rule(
        "pod-images-pinned",
        "A container's image has a digest, or a tag that says more than `latest`.",
        WORKLOADS,
        ("CKV_K8S_14", "KSV-0013"),
        demands={f"{_ALL_CONTAINERS}.image": pinned()},
    ),
    Rule(
        "pod-resources",
        "A container says what it needs and how much it may take at most.",
        WORKLOADS,
        (
            "CKV_K8S_10",
            "CKV_K8S_11",
            "CKV_K8S_12",
            "CKV_K8S_13",
            "KSV-0011",
            "KSV-0015",
            "KSV-0016",
            "KSV-0018",
        ),
        demands={
            f"{_ALL_CONTAINERS}.resources.{kind}.{what}": given()
            for kind in ("requests", "limits")
            for what in ("cpu", "memory")
        },
    ),
    Rule(
        "pod-probes",
        "A container that is kept running says how to see that it lives and that it is ready.",
        _KEPT_RUNNING,
        ("CKV_K8S_8", "CKV_K8S_9"),
        demands={f"{_CONTAINERS}.livenessProbe": given(), f"{_CONTAINERS}.readinessProbe": given()},
    ),
)
