"""Rights in a Kubernetes cluster: roles, who has them, and the service accounts of pods."""

from collections.abc import Iterator
from typing import Any

from .demands import false, given, judged, matching, never
from .paths import UNKNOWN, locate, read
from .pods import POD, WORKLOADS
from .rule import Resource, Rule, Stack

_GROUP = "kubernetes:rbac.authorization.k8s.io/v1"
ROLE, CLUSTER_ROLE = f"{_GROUP}:Role", f"{_GROUP}:ClusterRole"
ROLES = (ROLE, CLUSTER_ROLE)
BINDINGS = (f"{_GROUP}:RoleBinding", f"{_GROUP}:ClusterRoleBinding")
ACCOUNT = "kubernetes:core/v1:ServiceAccount"

_READS = frozenset({"get", "list", "watch"})
_WRITES = frozenset({"create", "delete", "deletecollection", "patch", "update"})
_MORE_RIGHTS = ("bind", "escalate", "impersonate")
_RIGHTS = frozenset(
    {
        "clusterrolebindings",
        "clusterroles",
        "rolebindings",
        "roles",
        # Who decides on these decides on all that comes to the API server, or is somebody else there.
        "certificatesigningrequests/approval",
        "mutatingwebhookconfigurations",
        "serviceaccounts/token",
        "validatingwebhookconfigurations",
    }
)
_SHELLS = frozenset({"nodes/proxy", "pods/attach", "pods/ephemeralcontainers", "pods/exec"})
_EVERYONE = frozenset({"system:anonymous", "system:authenticated", "system:masters", "system:unauthenticated"})


def _is_wild(names: object) -> bool:
    return any("*" in name for name in _texts(names))


def _is_everyone(name: object) -> bool:
    return str(name) in _EVERYONE or str(name).startswith("system:serviceaccounts")


def _texts(names: object) -> set[str]:
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _allowed(role: Resource) -> Iterator[tuple[set[str], set[str], bool]]:
    """What a role allows, rule by rule: verbs and resources, and whether it names which of these."""
    rules = role.inputs.get("rules")
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict):
            yield _texts(rule.get("verbs")), _texts(rule.get("resources")), bool(rule.get("resourceNames"))


def _gains_rights(role: Resource, stack: Stack) -> Iterator[str]:
    for verbs, resources, _ in _allowed(role):
        for verb in sorted(verbs & set(_MORE_RIGHTS)):
            yield f"it may {verb}"
        if verbs & _WRITES:
            yield from (f"it changes {each}" for each in sorted(resources & _RIGHTS))


def _reads_secrets(role: Resource, stack: Stack) -> Iterator[str]:
    for verbs, resources, named in _allowed(role):
        if "secrets" in resources and verbs & _READS and not named:
            yield f"it may {', '.join(sorted(verbs & _READS))} all Secrets"


def _opens_shells(role: Resource, stack: Stack) -> Iterator[str]:
    for verbs, resources, _ in _allowed(role):
        if verbs:
            yield from (f"it reaches {each}" for each in sorted(resources & _SHELLS))


def _has_no_role(workload: Resource, stack: Stack) -> Iterator[str]:
    """A pod that may ask the API server something has the right to."""
    if read(workload.inputs, f"{POD}.automountServiceAccountToken") is not True:
        return
    accounts = {str(place.found) for place in locate(workload.inputs, f"{POD}.serviceAccountName")}
    bound = {
        str(place.found)
        for binding in stack.of_types(BINDINGS)
        for place in locate(binding.inputs, "subjects[kind=ServiceAccount].name")
    }
    # A name that is not known yet may be the one.
    if not accounts & bound and UNKNOWN not in accounts | bound:
        yield "it mounts a token, and its service account has no role in this stack"


def _rule(resources: list[str], verbs: list[str], group: str = "") -> list[dict[str, Any]]:
    return [{"apiGroups": [group], "resources": resources, "verbs": verbs}]


RULES = (
    Rule(
        "kubernetes-role-named",
        "A role names its API groups, its resources and what may be done with them, with no wildcards.",
        ROLES,
        ("CKV_K8S_49", "KSV-0044", "KSV-0045", "KSV-0046", "KSV-0112", "CIS-K8S-5.1.3"),
        demands={
            f"rules[*].{part}": never("have no wildcard", _is_wild, ["*"])
            for part in ("apiGroups", "resources", "verbs")
        },
    ),
    Rule(
        "kubernetes-role-gains-nothing",
        "A role lets nobody get more rights than it has: by binding, escalating or impersonating, by other roles, "
        "tokens and certificates, or as a webhook that all requests pass.",
        ROLES,
        (
            "CKV_K8S_155",
            "CKV_K8S_156",
            "CKV_K8S_157",
            "CKV_K8S_158",
            "CKV2_K8S_3",
            "KSV-0043",
            "KSV-0050",
            "KSV-0114",
            "CIS-K8S-5.1.8",
            "CIS-K8S-5.1.11",
            "CIS-K8S-5.1.12",
            "CIS-K8S-5.1.13",
        ),
        demands={
            "rules": judged(
                *(_rule(["roles"], [verb]) for verb in _MORE_RIGHTS),
                *(_rule([each], ["create"]) for each in sorted(_RIGHTS)),
                needed=False,
            )
        },
        check=_gains_rights,
    ),
    Rule(
        "kubernetes-cluster-role-no-secrets",
        "A role in the whole cluster reads no Secret that it does not name.",
        (CLUSTER_ROLE,),
        ("KSV-0041", "CIS-K8S-5.1.2"),
        demands={"rules": judged(*(_rule(["secrets"], [verb]) for verb in sorted(_READS)), needed=False)},
        check=_reads_secrets,
    ),
    Rule(
        "kubernetes-role-no-shell",
        "A role lets nobody into running pods, nor past the API server to nodes.",
        ROLES,
        ("CKV2_K8S_2", "KSV-0047", "KSV-0053", "KSV-0054", "CIS-K8S-5.1.10"),
        demands={"rules": judged(*(_rule([each], ["create"]) for each in sorted(_SHELLS)), needed=False)},
        check=_opens_shells,
    ),
    Rule(
        "kubernetes-binding-narrow",
        "A binding gives nobody all rights, and nothing to everybody, nor to a service account that pods get unasked.",
        BINDINGS,
        ("CKV_K8S_42", "KSV-0111", "KSV-0122", "KSV-0123", "CIS-K8S-5.1.1", "CIS-K8S-5.1.5", "CIS-K8S-5.1.7"),
        demands={
            "roleRef.name": never("not be cluster-admin", lambda name: name == "cluster-admin", "cluster-admin"),
            "subjects[*].name": never("not be everybody", _is_everyone, *sorted(_EVERYONE), "system:serviceaccounts"),
            "subjects[kind=ServiceAccount].name": never("not be default", lambda name: name == "default", "default"),
        },
    ),
    Rule(
        "kubernetes-account-no-token",
        "A service account gives its token to no pod that does not ask for it.",
        (ACCOUNT,),
        ("CIS-K8S-5.1.6",),
        demands={"automountServiceAccountToken": false()},
    ),
    Rule(
        "pod-own-account",
        "A pod has a service account of its own, not the one that all get unasked.",
        WORKLOADS,
        ("CIS-K8S-5.1.5",),
        demands={
            f"{POD}.serviceAccountName": matching(r"(?!default$).+", "name a service account of its own", "default")
        },
    ),
    Rule(
        "pod-token",
        "A pod says whether it gets a token for the API server, and gets one only with a role.",
        WORKLOADS,
        ("CKV_K8S_38", "KSV-0036", "CIS-K8S-5.1.6"),
        demands={f"{POD}.automountServiceAccountToken": given()},
        check=_has_no_role,
        looks_around=True,
    ),
)
