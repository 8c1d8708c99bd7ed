"""Who may reach whom in a cluster: network policies, out of what each pod needs."""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..problems import MISSING, InputError, Problem
from .names import LABEL, LABEL_REMEDY, label_problems, name_problems

_DNS_PODS = ("kube-dns", "node-local-dns")
_DNS_OF_NODES = ("169.254.20.10/32", "169.254.169.254/32")
"""Where names are resolved outside pods: by the node's own DNS cache, on clusters that have one, and by the metadata
server on GKE with Cloud DNS, which gives no credentials at the port of DNS."""


class Peer(TypedDict):
    """Those at the other end of a connection, and the ports at which one of both is called. Exactly one of these says
    who they are: `pods`, which may be those of another `namespace`; a `namespace` alone; `cidrs`; `everybody`."""

    ports: list[int]
    """TCP ports, of the one that is called, one or more."""
    pods: NotRequired[pulumi.Input[dict[str, str]]]
    """Labels of the pods, one or more: `pods` of a service, a job, a server or a gateway. Default: with `namespace`,
    all pods there."""
    namespace: NotRequired[pulumi.Input[str]]
    """Their namespace. Default: the same one."""
    everybody: NotRequired[bool]
    """Whether that is whoever there is, in the cluster and outside. A block of all addresses is less: to some networks,
    Dataplane V2 among them, neither pods nor nodes stand in any block. Default: no."""
    cidrs: NotRequired[pulumi.Input[list[str]]]
    """IPv4 blocks outside the cluster, instead of pods: one or more."""
    excepted_cidrs: NotRequired[list[pulumi.Input[str]]]
    """IPv4 blocks inside each of those that are left out. Default: none."""


def pods_of(name: str, system: str) -> dict[str, str]:
    """Labels by which the pods of a service, a job or a server of a system are found, whether it is made or not."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": system}


def peer_problems(path: str, peer: Peer) -> Iterator[Problem]:
    """What is wrong with a peer that stands at the path, as far as it is known: what says too little or nothing would
    be about everybody, or about every port."""
    if not peer["ports"]:
        yield Problem(f"{path}.ports", peer["ports"], "name a port or more: without any it would be all of them")
    for i, port in enumerate(peer["ports"]):
        if not 1 <= port <= 65535:
            yield Problem(f"{path}.ports[{i}]", port, "give 1 to 65535 as a TCP port")
    yield from end_problems(path, peer)


def end_problems(path: str, peer: Mapping[str, Any]) -> Iterator[Problem]:
    """The same of a peer without regard to ports: what is wrong with who it is."""
    yield from _who_problems(path, peer)
    if "namespace" in peer:
        yield from name_problems(f"{path}.namespace", peer["namespace"], LABEL, LABEL_REMEDY)
    for key, problems in (("pods", _pod_problems), ("cidrs", _block_problems)):
        if isinstance(peer.get(key), list | Mapping):
            yield from problems(f"{path}.{key}", peer[key])
    yield from _exception_problems(path, peer)


def network_policy(
    name: str,
    metadata: Any,
    pods: Mapping[str, pulumi.Input[str]],
    reaches: Mapping[str, Peer],
    reached_by: Mapping[str, Peer],
    opts: pulumi.ResourceOptions,
    resolves_names: bool = True,
    subject: str = "network policy",
) -> kubernetes.networking.v1.NetworkPolicy:
    """The policy of pods, with this metadata: they reach, and are reached by, these peers alone. They resolve names.

    Raises `InputError` for peers that say nothing, in the name of the `subject`. What is known later only is refused
    then.
    """
    peers = {"reaches": reaches, "reached_by": reached_by}
    named = [(f"{side}.{purpose}", peer) for side, each in peers.items() for purpose, peer in each.items()]
    if problems := [problem for path, peer in named for problem in peer_problems(path, peer)]:
        raise InputError(subject, problems)

    def rules(side: str, end: str) -> list[Any]:
        return [_rule(end, peer, subject, f"{side}.{purpose}") for purpose, peer in peers[side].items()]

    return kubernetes.networking.v1.NetworkPolicy(
        name,
        metadata=metadata,
        spec={
            "pod_selector": {"match_labels": dict(pods)},
            "policy_types": ["Ingress", "Egress"],
            "ingress": rules("reached_by", "from_"),
            "egress": [*([_to_dns()] if resolves_names else []), *rules("reaches", "to")],
        },
        opts=opts,
    )


def _who_problems(path: str, peer: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong where not exactly one thing says who they are."""
    everybody = peer.get("everybody", False)
    if everybody:
        for key in ("pods", "namespace", "cidrs", "excepted_cidrs"):
            if key in peer:
                yield Problem(f"{path}.{key}", _shown(peer[key]), "`everybody` is whoever there is; leave one out")
    elif "cidrs" in peer:
        for key in ("pods", "namespace"):
            if key in peer:
                yield Problem(f"{path}.{key}", _shown(peer[key]), "`cidrs` are no pods; make two peers of them")
    elif "pods" not in peer and "namespace" not in peer:
        yield Problem(path, MISSING, "say who that is: give `pods`, `namespace`, `cidrs` or `everybody`")


def _pod_problems(path: str, labels: Any) -> Iterator[Problem]:
    if not labels:
        yield Problem(path, labels, "name a label or more: without any it would be all pods of the namespace")
    yield from label_problems(path, labels)


def _block_problems(path: str, blocks: Any) -> Iterator[Problem]:
    if not blocks:
        yield Problem(path, blocks, "name a block or more, or set `everybody`")
    for i, block in enumerate(blocks):
        if isinstance(block, str) and not _block(block):
            yield Problem(f"{path}[{i}]", block, "give an IPv4 block by its first address, for example 10.0.48.0/20")


def _exception_problems(path: str, peer: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with blocks that are left out, each of which must lie in all of the others."""
    excepted = peer.get("excepted_cidrs", [])
    if excepted and "cidrs" not in peer and not peer.get("everybody", False):
        yield Problem(f"{path}.excepted_cidrs", _shown(excepted), "only of `cidrs` something is left out; give those")
    whole = peer.get("cidrs")
    outer = [_block(each) for each in whole if isinstance(each, str)] if isinstance(whole, list) else []
    for i, each in enumerate(excepted):
        if not isinstance(each, str):
            continue
        block = _block(each)
        if not block:
            remedy = "give an IPv4 block by its first address, for example 10.0.48.0/20"
            yield Problem(f"{path}.excepted_cidrs[{i}]", each, remedy)
        elif any(other and (block == other or not block.subnet_of(other)) for other in outer):
            yield Problem(f"{path}.excepted_cidrs[{i}]", each, "give a block inside each of `cidrs`, smaller than it")


def _block(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text) if "/" in text else None
    except ValueError:
        return None


def _shown(value: Any) -> Any:
    """What a message may show of a value that may be known later."""
    return value if isinstance(value, str | list | Mapping) else MISSING


def _to_dns() -> Any:
    system: dict[str, Any] = {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}}
    pods: dict[str, Any] = {"match_expressions": [{"key": "k8s-app", "operator": "In", "values": list(_DNS_PODS)}]}
    return {
        "to": [
            {"namespace_selector": system, "pod_selector": pods},
            *({"ip_block": {"cidr": block}} for block in _DNS_OF_NODES),
        ],
        "ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")],
    }


def _rule(side: str, peer: Peer, subject: str, path: str) -> Any:
    """A rule that names nobody is about everybody."""
    return {"ports": _ports(peer), **({} if peer.get("everybody", False) else {side: _ends(peer, subject, path)})}


def _ends(peer: Peer, subject: str, path: str) -> Any:
    if "cidrs" in peer:
        excepted = peer.get("excepted_cidrs", [])
        blocks = _sound(peer["cidrs"], subject, f"{path}.cidrs", _block_problems)
        return pulumi.Output.from_input(blocks).apply(
            lambda known: [
                {"ip_block": {"cidr": each, **({"except_": excepted} if excepted else {})}} for each in known
            ]
        )
    labels = _sound(peer["pods"], subject, f"{path}.pods", _pod_problems) if "pods" in peer else {}
    end: dict[str, Any] = {"pod_selector": {"match_labels": labels}}
    if "namespace" in peer:
        end["namespace_selector"] = {"match_labels": {"kubernetes.io/metadata.name": peer["namespace"]}}
    return [end]


def _sound(value: Any, subject: str, path: str, problems: Callable[[str, Any], Iterator[Problem]]) -> Any:
    """The value. What of it is known later must be as a plain one must be."""
    parts = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, list | Mapping) and all(isinstance(part, str) for part in parts):
        return value

    def look(known: Any) -> Any:
        if found := list(problems(path, known)):
            raise InputError(subject, found)
        return known

    return pulumi.Output.from_input(value).apply(look)


def _ports(peer: Peer) -> list[Any]:
    return [{"port": port, "protocol": "TCP"} for port in peer["ports"]]
