"""Who may reach whom on Google Cloud, computed out of the firewall policy that a plan asks for.

Machines are known by the service account that they run as, and everything else by its addresses: those that nobody
here is known to have are a peer of their own, named by their block, so that no way is left out. A connection is
decided by the first rule, by priority, that is about its machine, its peer and its port. What GKE's own rules let in
between nodes and pods stands in no plan, and is not among these ways.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from preview.plan import Plan

RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
RECORD = "gcp:dns/recordSet:RecordSet"
INTERNET = "internet"
FRONT_ENDS = {"35.191.0.0/16": "load balancers", "130.211.0.0/22": "load balancers"}
"""From where Google's load balancers, and their health checks, come."""

Block = ipaddress.IPv4Network
EVERYBODY = Block("0.0.0.0/0")
SIDES = {"INGRESS": "srcIpRanges", "EGRESS": "destIpRanges"}


class Peer(NamedTuple):
    """Somebody who is known by addresses."""

    name: str
    block: Block


class Rule(NamedTuple):
    """A rule of the policy."""

    direction: str
    allows: bool
    machines: tuple[str, ...]
    """Names of the machines' accounts; none for all machines."""
    blocks: tuple[Block, ...]
    ports: tuple[tuple[str, str], ...]
    """Protocols, each with a port, or `*` for all."""


def ways(plan: Plan, environment: str) -> list[str]:
    """Every open way, as text. The plan is one whose values are known."""
    rules = [_rule(each.inputs) for each in sorted(plan.of_type(RULE), key=lambda each: each.inputs["priority"])]
    machines = sorted({machine for rule in rules for machine in rule.machines})
    named = list(_peers(plan, environment))
    peers = [*named, *_unnamed(rules, named), Peer(INTERNET, EVERYBODY)]
    found = {
        _told(direction, machine, peer.name, protocol, port)
        for machine in machines
        for peer in peers
        for direction in ("INGRESS", "EGRESS")
        for protocol, port in _open(rules, direction, machine, peer.block)
    }
    return sorted(found)


def _rule(inputs: Mapping[str, Any]) -> Rule:
    match = inputs["match"]
    side = SIDES[inputs["direction"]]
    if others := set(match) - {side, "layer4Configs"}:
        raise ValueError(f"a rule names its peers by {', '.join(sorted(others))}, of which nothing is known here")
    blocks = match.get(side) or [str(EVERYBODY)]  # to name nobody is to mean everybody
    return Rule(
        inputs["direction"],
        inputs["action"] == "allow",
        tuple(each.partition("@")[0] for each in inputs.get("targetServiceAccounts", [])),
        tuple(Block(each) for each in blocks),
        tuple((layer["ipProtocol"], port) for layer in match["layer4Configs"] for port in layer.get("ports") or ["*"]),
    )


def _open(rules: list[Rule], direction: str, machine: str, peer: Block) -> Iterator[tuple[str, str]]:
    """What the rules let through. One that opens a part of the peer's addresses is taken to open all of them, and one
    that closes a part to close none."""
    closed: set[tuple[str, str]] = set()
    for rule in rules:
        if rule.direction != direction or (rule.machines and machine not in rule.machines):
            continue
        if rule.allows and any(peer.overlaps(block) for block in rule.blocks if _meant(peer, block)):
            yield from (ports for ports in rule.ports if not _covered(ports, closed))
        if not rule.allows and any(peer.subnet_of(block) for block in rule.blocks):
            closed |= set(rule.ports)


def _meant(peer: Block, block: Block) -> bool:
    """Whether a rule about a block is about the peer: the internet is meant by blocks that are most of it."""
    return peer.prefixlen > 0 or block.prefixlen == 0


def _unnamed(rules: Iterable[Rule], named: Iterable[Peer]) -> Iterator[Peer]:
    """A peer for each block that a rule lets through and that is neither the internet nor made of named peers."""
    known = list(ipaddress.collapse_addresses(peer.block for peer in named))
    allowed = {block for rule in rules if rule.allows for block in rule.blocks}
    for block in sorted(allowed - {EVERYBODY}):
        if not any(block.subnet_of(each) for each in known):
            yield Peer(str(block), block)


def _covered(ports: tuple[str, str], closed: set[tuple[str, str]]) -> bool:
    return bool({ports, (ports[0], "*"), ("all", "*")} & closed)


def _peers(plan: Plan, environment: str) -> Iterator[Peer]:
    for subnet in plan.of_type(SUBNET):
        name = subnet.name.removeprefix(f"{environment}-network-")
        yield Peer("caches" if name == "endpoints" else name, Block(subnet.inputs["ipCidrRange"]))
        for further in subnet.inputs.get("secondaryIpRanges", []):
            yield Peer(further["rangeName"], Block(further["ipCidrRange"]))
    for address in plan.of_type("gcp:compute/globalAddress:GlobalAddress"):
        if address.inputs.get("purpose") == "VPC_PEERING":
            yield Peer("databases", Block(f"{address.inputs['address']}/{address.inputs['prefixLength']}"))
    apis = {data for each in plan.of_type(RECORD) if each.inputs["type"] == "A" for data in each.inputs["rrdatas"]}
    yield from (Peer("Google's APIs", Block(address)) for address in apis if address.startswith("199.36.153."))
    yield from (Peer(name, Block(block)) for block, name in FRONT_ENDS.items())


def _told(direction: str, machine: str, peer: str, protocol: str, port: str) -> str:
    ends = (machine, peer) if direction == "EGRESS" else (peer, machine)
    return f"{ends[0]} -> {ends[1]} {protocol}{'' if port == '*' else f' {port}'}"
