"""Firewall policies on Google Cloud: who may reach whom, one rule a purpose, and nobody else."""

import ipaddress
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name, known_after
from ..problems import InputError, Problem
from ..security.google import GcpScope, scope_problem

HEALTH_CHECKS = ("35.191.0.0/16", "130.211.0.0/22")
"""Where the health checks of Google's load balancers, and the proxies of its global ones, come from."""
EVERYWHERE = "0.0.0.0/0"
LAST_PRIORITY = 2_147_483_547
"""The lowest priority that a rule can have."""

_MOST_TARGETS = 10
_WITH_PORTS = ("tcp", "udp")
_PROTOCOLS = (*_WITH_PORTS, "icmp", "esp", "ah", "sctp", "ipip")


class FirewallDirection(Enum):
    """Which way a connection is opened, as those see it whom a rule is about."""

    INGRESS = "INGRESS"
    """To them."""
    EGRESS = "EGRESS"
    """From them."""


_DENIALS = {FirewallDirection.INGRESS: LAST_PRIORITY - 1, FirewallDirection.EGRESS: LAST_PRIORITY}


class GcpFirewallRule(TypedDict):
    """What one purpose opens, or closes."""

    priority: int
    """Its place: the rule with the smallest number that fits a connection decides. 0 to 2147483545, each number once.
    It is given so that another rule renumbers none; leave gaps."""
    direction: FirewallDirection
    """Which way connections are opened."""
    ranges: list[pulumi.Input[str]]
    """IPv4 blocks of the peers: where they come from, or where they go to."""
    ports: NotRequired[dict[str, list[str]]]
    """Ports and ranges of ports, such as `8000-8999`, by protocol: `tcp`, `udp`, and with no port `icmp`, `esp`, `ah`,
    `sctp`, `ipip` or a protocol's number. Default: everything, which an allowing rule must ask for."""
    all_ports: NotRequired[bool]
    """Whether an allowing rule may open every port of a protocol, or everything. Default: no."""
    deny: NotRequired[bool]
    """Whether it closes instead of opens. Default: no."""
    from_internet: NotRequired[bool]
    """Whether an allowing rule may let the internet in. Default: no."""
    service_accounts: NotRequired[list[pulumi.Input[str]]]
    """Addresses of the service accounts whose machines it is about, 10 at most. Default: all machines."""
    log: NotRequired[bool]
    """Whether connections are logged. Default: yes."""


class GcpFirewallPolicyArgs(TypedDict):
    """A network's firewall, told by what it lets through."""

    scope: GcpScope
    """Project of the network."""
    network_id: pulumi.Input[str]
    """Id of the network. It can have one policy."""
    description: pulumi.Input[str]
    """Whom it protects."""
    rules: dict[str, GcpFirewallRule]
    """What is let through, or is not, by purpose: small letters, digits and hyphens."""


class GcpFirewallPolicy(Component):
    """A firewall policy that lets through what its rules name and nothing else, in both directions, and logs what it
    does (CKV2_GCP_18, GCP-0027, CIS-GCP-3.6, CIS-GCP-3.7).

    VPC firewall rules, such as GKE writes for its own nodes, are asked before it. What machines ask the metadata
    server and its DNS is never stopped.

    Raises `InputError` for bad args, two rules of one priority, rules that open every port or let the internet in
    without saying so, and a name too long for what is named after it.
    """

    policy_id: pulumi.Output[str]
    """Id of the policy."""
    policy_name: pulumi.Output[str]
    """Name of the policy."""
    network_id: pulumi.Output[str]
    """Id of the network. Known once the policy is in force there."""

    def __init__(self, name: str, args: GcpFirewallPolicyArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpFirewallPolicy {name}"
        args = checked(GcpFirewallPolicyArgs, args, subject, {"scope": scope_problem})
        checked_name(
            name,
            subject,
            55,  # of 63, with eight for what makes it unique
            r"[a-z]([a-z0-9-]*[a-z0-9])?",
            "use small letters, digits and hyphens, a letter first and no hyphen last",
        )
        if problems := list(_rule_problems(args["rules"])):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        project = args["scope"]["project"]
        policy = gcp.compute.NetworkFirewallPolicy(
            name,
            project=project,
            description=args["description"],
            opts=self._child(),
        )

        def rule(purpose: str, **properties: Any) -> gcp.compute.NetworkFirewallPolicyRule:
            return gcp.compute.NetworkFirewallPolicyRule(
                f"{name}-{purpose}",
                project=project,
                firewall_policy=policy.name,
                rule_name=purpose,
                description=purpose,
                opts=self._child(),
                **properties,
            )

        rules = [
            rule(
                purpose,
                priority=each["priority"],
                direction=each["direction"].value,
                action="deny" if each.get("deny", False) else "allow",
                match=_match(each["direction"], _verified(subject, purpose, each), _layer4(each)),
                target_service_accounts=each.get("service_accounts"),
                enable_logging=each.get("log", True),
            )
            for purpose, each in args["rules"].items()
        ]
        rules += [
            rule(
                _denial(direction),
                priority=priority,
                direction=direction.value,
                action="deny",
                match=_match(direction, [EVERYWHERE], [{"ip_protocol": "all"}]),
                enable_logging=True,
            )
            for direction, priority in _DENIALS.items()
        ]
        association = gcp.compute.NetworkFirewallPolicyAssociation(
            name,
            project=project,
            firewall_policy=policy.id,
            attachment_target=args["network_id"],
            # Half a policy would cut off what its other half lets through; no value carries that. A network has one
            # policy, so a former one leaves first.
            opts=self._child(depends_on=rules, delete_before_replace=True),
        )
        self.policy_id = policy.id
        self.policy_name = policy.name
        self.network_id = known_after(args["network_id"], association.id)
        self._register()


def _is_internet(block: str) -> bool:
    """Whether an IPv4 block is most of the internet: one half of it is no way around."""
    return ipaddress.IPv4Network(block).prefixlen < 8


def _denial(direction: FirewallDirection) -> str:
    return f"deny-{direction.value.lower()}"


def _match(direction: FirewallDirection, ranges: Any, layer4: list[Any]) -> Any:
    side = "src_ip_ranges" if direction is FirewallDirection.INGRESS else "dest_ip_ranges"
    return {side: ranges, "layer4_configs": layer4}


def _layer4(rule: GcpFirewallRule) -> list[Any]:
    if not rule.get("ports"):
        return [{"ip_protocol": "all"}]
    return [
        {"ip_protocol": protocol, "ports": ports} if ports else {"ip_protocol": protocol}
        for protocol, ports in rule.get("ports", {}).items()
    ]


def _verified(subject: str, purpose: str, rule: GcpFirewallRule) -> list[pulumi.Input[str]]:
    """The rule's ranges. What is not known yet is checked once it is."""

    def later(i: int, block: pulumi.Input[str]) -> pulumi.Output[str]:
        def check(known: str) -> str:
            if remedy := _range_problem(rule, known):
                raise InputError(subject, [Problem(f"rules.{purpose}.ranges[{i}]", known, remedy)])
            return known

        return pulumi.Output.from_input(block).apply(check)

    return [block if isinstance(block, str) else later(i, block) for i, block in enumerate(rule["ranges"])]


def _range_problem(rule: GcpFirewallRule, block: str) -> str | None:
    try:
        ipaddress.IPv4Network(block)
    except ValueError:
        return "not an IPv4 block without host bits; write one like 10.20.0.0/16"
    lets_in = rule["direction"] is FirewallDirection.INGRESS and not rule.get("deny", False)
    if lets_in and _is_internet(block) and not rule.get("from_internet", False):
        return "lets the internet in; name blocks of the peers, such as HEALTH_CHECKS, or set `from_internet`"
    return None


def _rule_problems(rules: dict[str, GcpFirewallRule]) -> Iterator[Problem]:
    holders: dict[int, str] = {}
    own = [_denial(direction) for direction in _DENIALS]
    for purpose, rule in rules.items():
        path = f"rules.{purpose}"
        if not re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", purpose) or purpose in own:
            remedy = "name the purpose with up to 63 small letters, digits and hyphens, a letter first"
            yield Problem(path, purpose, f"{remedy}; {' and '.join(own)} are there already")
        priority = rule["priority"]
        if not 0 <= priority < min(_DENIALS.values()):
            yield Problem(f"{path}.priority", priority, f"give 0 to {min(_DENIALS.values()) - 1}")
        elif priority in holders:
            yield Problem(f"{path}.priority", priority, f"is that of `{holders[priority]}`; give each once")
        holders.setdefault(priority, purpose)
        if not rule["ranges"]:
            yield Problem(f"{path}.ranges", rule["ranges"], "name the blocks of the peers")
        for i, block in enumerate(rule["ranges"]):
            if isinstance(block, str) and (remedy := _range_problem(rule, block)):
                yield Problem(f"{path}.ranges[{i}]", block, remedy)
        targets = rule.get("service_accounts", [])
        if len(targets) > _MOST_TARGETS:
            yield Problem(f"{path}.service_accounts", len(targets), f"name {_MOST_TARGETS} or fewer")
        yield from _port_problems(f"{path}.ports", rule)


def _port_problems(path: str, rule: GcpFirewallRule) -> Iterator[Problem]:
    ports = rule.get("ports", {})
    may_open_all = rule.get("all_ports", False) or rule.get("deny", False)
    if not ports and not may_open_all:
        yield Problem(path, ports, "name the ports, by protocol, or set `all_ports`")
    for protocol, each in ports.items():
        here = f"{path}.{protocol}"
        if protocol not in _PROTOCOLS and not re.fullmatch(r"\d{1,3}", protocol):
            yield Problem(here, protocol, f"choose one of {', '.join(_PROTOCOLS)}, or give a protocol's number")
        elif protocol not in _WITH_PORTS:
            if each:
                yield Problem(here, each, "only tcp and udp have ports; give an empty list")
        elif (not each or any(map(_is_every_port, each))) and not may_open_all:
            yield Problem(here, each, "opens every port; name those that are meant, or set `all_ports`")
        for port in each:
            if not _is_port(port):
                yield Problem(here, port, "give a port from 1 to 65535, or a range like 8000-8999")


def _is_every_port(port: str) -> bool:
    return re.fullmatch(r"[01]-65535", port) is not None


def _is_port(port: str) -> bool:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", port)
    if not match:
        return False
    first, last = int(match[1]), int(match[2] or match[1])
    return 1 <= first <= last <= 65535
