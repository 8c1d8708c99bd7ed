"""Who may reach whom in a cluster: network policies, out of what each pod needs."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..problems import InputError, Problem

_DNS_PODS = ("kube-dns", "node-local-dns")
_NODE_LOCAL_DNS = "169.254.20.10/32"
"""Where the node's own DNS cache answers, on clusters that have one."""


class Peer(TypedDict):
    """Those at the other end of a connection, and the ports at which one of both is called."""

    ports: list[int]
    """TCP ports, of the one that is called."""
    pods: NotRequired[dict[str, str]]
    """Labels of the pods. Default: with `namespace`, all pods there."""
    namespace: NotRequired[pulumi.Input[str]]
    """Their namespace. Default: the same one."""
    everybody: NotRequired[bool]
    """Whether that is whoever there is, in the cluster and outside. A block of all addresses is less: to some networks,
    Dataplane V2 among them, neither pods nor nodes stand in any block. Default: no."""
    cidrs: NotRequired[pulumi.Input[list[str]]]
    """IPv4 blocks outside the cluster, instead of pods: one or more."""
    excepted_cidrs: NotRequired[list[pulumi.Input[str]]]
    """IPv4 blocks inside each of those that are left out. Default: none."""


def network_policy(
    name: str,
    metadata: Any,
    pods: Mapping[str, pulumi.Input[str]],
    reaches: Mapping[str, Peer],
    reached_by: Mapping[str, Peer],
    opts: pulumi.ResourceOptions,
    resolves_names: bool = True,
) -> kubernetes.networking.v1.NetworkPolicy:
    """The policy of pods, with this metadata: they reach, and are reached by, these peers alone. They resolve names."""
    dns = [_to_dns()] if resolves_names else []
    return kubernetes.networking.v1.NetworkPolicy(
        name,
        metadata=metadata,
        spec={
            "pod_selector": {"match_labels": dict(pods)},
            "policy_types": ["Ingress", "Egress"],
            "ingress": [_rule("from_", peer) for peer in reached_by.values()],
            "egress": [*dns, *(_rule("to", peer) for peer in reaches.values())],
        },
        opts=opts,
    )


def _to_dns() -> Any:
    system: dict[str, Any] = {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}}
    pods: dict[str, Any] = {"match_expressions": [{"key": "k8s-app", "operator": "In", "values": list(_DNS_PODS)}]}
    return {
        "to": [
            {"namespace_selector": system, "pod_selector": pods},
            {"ip_block": {"cidr": _NODE_LOCAL_DNS}},
        ],
        "ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")],
    }


def _rule(side: str, peer: Peer) -> Any:
    """A rule that names nobody is about everybody."""
    return {"ports": _ports(peer), **({} if peer.get("everybody", False) else {side: _ends(peer)})}


def _ends(peer: Peer) -> Any:
    if "cidrs" in peer:
        excepted = peer.get("excepted_cidrs", [])
        blocks = pulumi.Output.from_input(peer["cidrs"])
        return blocks.apply(
            lambda known: [
                {"ip_block": {"cidr": each, **({"except_": excepted} if excepted else {})}} for each in _some(known)
            ]
        )
    end: dict[str, Any] = {"pod_selector": {"match_labels": peer.get("pods", {})}}
    if "namespace" in peer:
        end["namespace_selector"] = {"match_labels": {"kubernetes.io/metadata.name": peer["namespace"]}}
    return [end]


def _some(blocks: list[str]) -> list[str]:
    """The blocks, of which there must be one: a rule with none would be about everybody."""
    if not blocks:
        raise InputError("network policy", [Problem("cidrs", blocks, "name a block or more, or set `everybody`")])
    return blocks


def _ports(peer: Peer) -> list[Any]:
    return [{"port": port, "protocol": "TCP"} for port in peer["ports"]]
