"""Who may reach whom, computed out of the security groups that a plan asks for.

A way is open where its source's group lets it out and its target's lets it in. The group that EKS makes by itself for a
cluster is not among them: nothing of ours joins it.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any, NamedTuple

from policy.rules.network import EGRESS, GROUP, INGRESS, VPC
from preview.plan import Plan

INTERNET = "internet"


class Way(NamedTuple):
    """A way from one group, or the internet, to another."""

    source: str
    target: str
    protocol: str
    first: int
    last: int

    def __str__(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.source} -> {self.target} {self.protocol} {ports}"


def ways(plan: Plan, environment: str) -> list[str]:
    """Every open way, as text. The plan is one whose values are known."""
    groups = [each.name.removeprefix(f"{environment}-") for each in plan.of_type(GROUP)]
    block = plan.of_type(VPC)[0].inputs["cidrBlock"]
    out = [_rule(each.inputs, environment) for each in plan.of_type(EGRESS)]
    into = [_rule(each.inputs, environment) for each in plan.of_type(INGRESS)]
    found = {way for let_out in out for let_in in into for way in _open(let_out, let_in, block)}
    found |= {Way(rule.group, INTERNET, *rule.ports) for rule in out if _leaves(rule.peer, block)}
    found |= {Way(INTERNET, rule.group, *rule.ports) for rule in into if _leaves(rule.peer, block)}
    assert {name for way in found for name in way[:2]} <= {*groups, INTERNET}
    return sorted(map(str, found))


class _Rule(NamedTuple):
    group: str
    peer: str
    ports: tuple[str, int, int]


def _rule(inputs: dict[str, Any], environment: str) -> _Rule:
    def group(key: str) -> str:
        return str(inputs[key]).removeprefix(f"{environment}-").removesuffix("-id")

    peer = group("referencedSecurityGroupId") if "referencedSecurityGroupId" in inputs else str(inputs["cidrIpv4"])
    return _Rule(group("securityGroupId"), peer, (inputs["ipProtocol"], inputs["fromPort"], inputs["toPort"]))


def _open(out: _Rule, into: _Rule, block: str) -> Iterator[Way]:
    """The way that two rules open together: each must name the other's group, or addresses that it has."""
    protocol, first, last = out.ports[0], max(out.ports[1], into.ports[1]), min(out.ports[2], into.ports[2])
    if (
        protocol == into.ports[0]
        and first <= last
        and _names(out.peer, into.group, block)
        and _names(into.peer, out.group, block)
    ):
        yield Way(out.group, into.group, protocol, first, last)


def _names(peer: str, group: str, block: str) -> bool:
    return peer == group or ("/" in peer and ipaddress.ip_network(block).subnet_of(ipaddress.ip_network(peer)))  # pyright: ignore[reportArgumentType]


def _leaves(peer: str, block: str) -> bool:
    """Whether a peer is addresses outside of the network."""
    return "/" in peer and not ipaddress.ip_network(peer).subnet_of(ipaddress.ip_network(block))  # pyright: ignore[reportArgumentType]
