"""Who may reach whom in a cluster, computed from the network policies of a plan."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from preview.plan import Plan

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
NAME = "app.kubernetes.io/name"
SPACE = "kubernetes.io/metadata.name"


class Way(NamedTuple):
    """From where to where, and at which port."""

    source: str
    target: str
    port: int


class Pods(NamedTuple):
    """Pods that a policy is about, or names."""

    namespace: str
    labels: Mapping[str, str]

    def covers(self, other: "Pods") -> bool:
        """Whether others are among these."""
        return self.namespace == other.namespace and self.labels.items() <= other.labels.items()


def egress(plan: Plan, pods: Pods) -> set[tuple[str, int, str]]:
    """Where pods may go: everybody, a block, or `namespace/name` of other pods; a port; and a protocol."""
    return {each for policy in _about(plan, pods) for each in _ends(policy, "egress", "to")}


def ingress(plan: Plan, pods: Pods) -> set[tuple[str, int, str]]:
    """From where pods are reached, and at which port."""
    return {each for policy in _about(plan, pods) for each in _ends(policy, "ingress", "from")}


def denied_by_default(plan: Plan, namespace: str) -> bool:
    """Whether pods of a namespace reach nothing, and are reached by nothing, unless a policy says so."""
    return any(
        policy["metadata"]["namespace"] == namespace
        and not policy["spec"]["podSelector"]
        and set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not policy["spec"].get("ingress")
        and not policy["spec"].get("egress")
        for policy in _policies(plan)
    )


def ways(plan: Plan, pods: Mapping[str, Pods]) -> set[Way]:
    """Which of the pods, by name, may call which: both ends' policies let them."""
    return {
        Way(source, target, port)
        for source, caller in pods.items()
        for target, called in pods.items()
        for port in _ports(plan, caller, called)
        if source != target
    }


def _ports(plan: Plan, caller: Pods, called: Pods) -> set[int]:
    out = {port for end, port, _ in egress(plan, caller) if _is(end, called)}
    return out & {port for end, port, _ in ingress(plan, called) if _is(end, caller)}


def _is(end: str, pods: Pods) -> bool:
    """Whether an end of a way is, or covers, these pods."""
    namespace, _, selector = end.partition("/")
    if end == "everybody":
        return True
    if _is_block(end):
        return False
    labels = dict(pair.split("=") for pair in selector.split(",") if pair)
    return Pods(namespace, labels).covers(pods)


def _is_block(end: str) -> bool:
    try:
        ipaddress.ip_network(end)
    except ValueError:
        return False
    return True


def _policies(plan: Plan) -> Iterator[dict[str, Any]]:
    return (each.inputs for each in plan.of_type(POLICY))


def _about(plan: Plan, pods: Pods) -> Iterator[dict[str, Any]]:
    for policy in _policies(plan):
        selector = policy["spec"]["podSelector"]
        assert "matchExpressions" not in selector, "a selector that this reading does not know"
        if Pods(policy["metadata"]["namespace"], selector.get("matchLabels", {})).covers(pods):
            yield policy


def _ends(policy: dict[str, Any], direction: str, side: str) -> Iterator[tuple[str, int, str]]:
    own = policy["metadata"]["namespace"]
    for rule in policy["spec"].get(direction, []):
        assert rule.get("ports"), "a rule without ports opens all of them"
        ends = [_named(end, own) for end in rule[side]] if side in rule else ["everybody"]
        assert ends, "an empty list opens it to everybody"
        for end in ends:
            for port in rule["ports"]:
                yield end, port["port"], port["protocol"]


def _named(end: dict[str, Any], own: str) -> str:
    if "ipBlock" in end:
        return end["ipBlock"]["cidr"]
    namespace = end.get("namespaceSelector", {}).get("matchLabels", {}).get(SPACE, own)
    selector = end.get("podSelector", {})
    labels = dict(selector.get("matchLabels", {}))
    for expression in selector.get("matchExpressions", []):
        labels[expression["key"]] = "|".join(expression["values"])
    return f"{namespace}/" + ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
