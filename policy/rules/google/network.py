"""Networks on Google Cloud: who may reach whom, and what is recorded of it."""

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from ..demands import Demand, absent, equal, false, given, including, judged, matching, never, not_everyone, true
from ..documents import many
from ..paths import MISSING, SECRET, UNKNOWN, locate
from ..rule import Link, Resource, Rule, Stack

VPC = "gcp:compute/network:Network"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
NAT = "gcp:compute/routerNat:RouterNat"
POLICY = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"
POLICY_RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
ASSOCIATION = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"
FIREWALL = "gcp:compute/firewall:Firewall"
CONNECTION = "gcp:servicenetworking/connection:Connection"
QUERIES = "gcp:dns/policy:Policy"

_LAST = 2_147_483_000
"""Priorities from here on are those of a policy's last rules."""
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_OF_GOOGLE = tuple(map(ipaddress.IPv4Network, ("35.191.0.0/16", "130.211.0.0/22", "35.235.240.0/20")))
"""From where Google's load balancers, with their health checks, and Identity-Aware Proxy come."""
_WITH_PORTS = ("tcp", "udp", "6", "17")
_EVERY_PORT = ("0-65535", "1-65535")
_SIDES = {"INGRESS": "srcIpRanges", "EGRESS": "destIpRanges"}


def _holds_machines(subnet: Resource, stack: Stack) -> bool:
    """Subnets with a purpose of their own, such as those of proxies, take neither flow logs nor private access."""
    return subnet.inputs.get("purpose") in (None, UNKNOWN, "PRIVATE")


def _is_in_force(policy: Resource, stack: Stack) -> bool:
    return bool(stack.pointing(policy, ASSOCIATION, "firewallPolicy"))


def _logs(rule: Resource, stack: Stack) -> bool:
    """Google logs nothing of a rule that leaves the decision to others."""
    return rule.inputs.get("action") != "goto_next"


def _allows_in(rule: Resource, stack: Stack) -> bool:
    return rule.inputs.get("action") == "allow" and rule.inputs.get("direction") == "INGRESS"


def _is_private(block: Any) -> bool:
    """Whether nobody outside has an address there. One that is not known yet is taken for such."""
    return block in (UNKNOWN, SECRET) or _is_within(block, _PRIVATE)


def _is_strange(block: Any) -> bool:
    """Whether somebody outside has an address there whom Google does not vouch for."""
    return not _is_within(block, (*_PRIVATE, *_OF_GOOGLE))


def _is_within(block: Any, wider: tuple[ipaddress.IPv4Network, ...]) -> bool:
    try:
        network = ipaddress.IPv4Network(block, strict=False)
    except ValueError:
        return False
    return any(network.subnet_of(each) for each in wider)


def _names_ports(rule: Resource, stack: Stack) -> bool:
    """Rules that allow something, but for calls to private addresses: machines of a cluster speak of much."""
    if rule.inputs.get("action") != "allow":
        return False
    peers = [place.found for place in locate(rule.inputs, "match.destIpRanges[*]")]
    return rule.inputs.get("direction") != "EGRESS" or MISSING in peers or not all(map(_is_private, peers))


def _opens_every_port(path: str, protocol: str) -> Callable[[Resource, Stack], Iterator[str]]:
    def has_ports(config: Any) -> bool:
        """Whether a part of a rule, if it is about a protocol with ports, names some of them."""
        if not isinstance(config, dict) or config.get(protocol) not in _WITH_PORTS:
            return True
        ports = config.get("ports")
        return ports in (UNKNOWN, SECRET) or (bool(ports) and not any(each in _EVERY_PORT for each in many(ports)))

    def opens(rule: Resource, stack: Stack) -> Iterator[str]:
        if not all(has_ports(place.found) for place in locate(rule.inputs, path)):
            yield "every port is open"

    return opens


def _names_nobody(rule: Resource, stack: Stack) -> Iterator[str]:
    match = rule.inputs.get("match")
    if isinstance(match, dict) and not any(key.startswith("src") and value for key, value in match.items()):
        yield "it names nobody, and so means everybody"


def _opens(firewall: Resource, stack: Stack) -> bool:
    return bool(firewall.inputs.get("allows")) and firewall.inputs.get("direction", "INGRESS") == "INGRESS"


def _is_for_all(firewall: Resource, stack: Stack) -> Iterator[str]:
    sources = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
    if not any(firewall.inputs.get(source) for source in sources):
        yield "it names nobody, and so means everybody"


def _is_last(direction: str) -> Callable[[Resource], bool]:
    def is_last(rule: Resource) -> bool:
        priority = rule.inputs.get("priority")
        is_low = isinstance(priority, int | float) and priority >= _LAST
        return is_low and rule.inputs.get("direction") == direction

    return is_last


def _denial(direction: str, noun: str) -> Link:
    return Link(
        noun,
        POLICY_RULE,
        "firewallPolicy",
        {
            "action": equal("deny", breaks=["allow", "goto_next"]),
            f"match.{_SIDES[direction]}": including("0.0.0.0/0"),
            "match.layer4Configs[*].ipProtocol": equal("all", breaks=["tcp"]),
            "disabled": absent(True),
            "targetServiceAccounts": absent(["nodes@example.test"]),
            "targetSecureTags": absent([{"name": "nodes"}]),
        },
        only=_is_last(direction),
    )


def _share(low: float) -> Demand:
    def holds(value: Any, tier: str) -> bool:
        return value in (UNKNOWN, SECRET) or (isinstance(value, int | float) and low <= value <= 1)

    return Demand(f"be {low} or more", holds, lambda tier: [0, low / 2])


def _is_default(network: Any) -> bool:
    return isinstance(network, str) and network.rpartition("/")[2] == "default"


RULES: tuple[Rule, ...] = (
    Rule(
        "gcp-network-custom",
        "A network has the subnets that it is given, not one in every region of the world.",
        (VPC,),
        demands={"autoCreateSubnetworks": false()},
    ),
    Rule(
        "gcp-network-not-default",
        "Nothing stands in a project's default network, which lets the internet in.",
        ("gcp:compute/*", "gcp:container/*", "gcp:networkconnectivity/*", "gcp:servicenetworking/*"),
        ("CIS-GCP-3.1",),
        demands={
            "network": never(
                "be a network of our own", _is_default, "default", "projects/plinth-123456/global/networks/default"
            )
        },
    ),
    Rule(
        "gcp-network-guarded",
        "A network has a firewall policy: without one, whatever runs there may call anybody.",
        (VPC,),
        ("CKV2_GCP_18",),
        links=(Link("a firewall policy", ASSOCIATION, "attachmentTarget", {"firewallPolicy": given()}),),
    ),
    Rule(
        "gcp-network-query-logs",
        "A network keeps a record of what is asked of its DNS.",
        (VPC,),
        ("CIS-GCP-2.12",),
        links=(Link("a DNS policy", QUERIES, "networks", {"enableLogging": true()}),),
    ),
    Rule(
        "gcp-subnet-private-access",
        "What stands in a subnet reaches Google's APIs without a public address.",
        (SUBNET,),
        ("CKV_GCP_74",),
        demands={"privateIpGoogleAccess": true()},
        when=_holds_machines,
    ),
    Rule(
        "gcp-subnet-flow-logs",
        "A subnet keeps a record of its traffic, of a tenth of it or more, with who is who.",
        (SUBNET,),
        ("CKV_GCP_26", "GCP-0029", "CIS-GCP-3.8"),
        demands={
            "logConfig": given(),
            "logConfig.flowSampling": _share(0.1),
            "logConfig.metadata": equal("INCLUDE_ALL_METADATA", breaks=["EXCLUDE_ALL_METADATA"]),
        },
        when=_holds_machines,
    ),
    Rule(
        "gcp-nat-logs",
        "NAT keeps a record: only that says who stood behind a public address.",
        (NAT,),
        demands={"logConfig.enable": true()},
    ),
    Rule(
        "gcp-firewall-logs",
        "A firewall policy's rule keeps a record of what it decides.",
        (POLICY_RULE,),
        demands={"enableLogging": true()},
        when=_logs,
    ),
    Rule(
        "gcp-firewall-no-public-ingress",
        "A firewall policy lets nobody in from the internet.",
        (POLICY_RULE,),
        ("GCP-0027", "CIS-GCP-3.6", "CIS-GCP-3.7"),
        demands={"match": given(), "match.srcIpRanges[*]": not_everyone("0.0.0.0/0", "128.0.0.0/1", "::/0")},
        check=_names_nobody,
        when=_allows_in,
    ),
    Rule(
        "gcp-firewall-known-sources",
        "A firewall policy lets in private addresses, Google's load balancers and its Identity-Aware Proxy, no others.",
        (POLICY_RULE,),
        demands={
            "match.srcIpRanges[*]": never(
                "be private, or Google's", _is_strange, "203.0.113.0/24", "35.190.0.0/15", "10.0.0.0/7", "2001:db8::/32"
            ),
            "match.srcFqdns": absent(["partner.example.test"]),
            "match.srcRegionCodes": absent(["DE"]),
            "match.srcThreatIntelligences": absent(["iplist-search-engines-crawlers"]),
        },
        when=_allows_in,
    ),
    Rule(
        "gcp-firewall-named-ports",
        "A firewall policy's rule opens the ports that it names; calls to private addresses may use any.",
        (POLICY_RULE,),
        demands={
            "match.layer4Configs[*].ipProtocol": matching(r"(?!all$).+", "name a protocol", "all"),
            "match.layer4Configs[*].ports": judged(["1-65535"], ["22", "0-65535"]),
        },
        check=_opens_every_port("match.layer4Configs[*]", "ipProtocol"),
        when=_names_ports,
    ),
    Rule(
        "gcp-firewall-denies-last",
        "A firewall policy that is in force denies what it does not name, in both directions and for all machines.",
        (POLICY,),
        links=(
            _denial("INGRESS", "a last rule that denies what comes in"),
            _denial("EGRESS", "a last rule that denies what goes out"),
        ),
        when=_is_in_force,
    ),
    Rule(
        "gcp-vpc-firewall-no-public-ingress",
        "A VPC firewall rule lets nobody in from the internet.",
        (FIREWALL,),
        (
            "CKV_GCP_2",
            "CKV_GCP_3",
            "CKV_GCP_75",
            "CKV_GCP_77",
            "CKV_GCP_88",
            "CKV_GCP_106",
            "GCP-0027",
            "CIS-GCP-3.6",
            "CIS-GCP-3.7",
        ),
        demands={"sourceRanges[*]": not_everyone("0.0.0.0/0", "128.0.0.0/1", "::/0")},
        check=_is_for_all,
        when=_opens,
    ),
    Rule(
        "gcp-vpc-firewall-named-ports",
        "A VPC firewall rule opens the ports that it names, not everything, and keeps a record.",
        (FIREWALL,),
        ("CKV2_GCP_12",),
        demands={
            "allows[*].protocol": matching(r"(?!all$).+", "name a protocol", "all"),
            "allows[*].ports": judged(["1-65535"], ["22", "0-65535"]),
            "logConfig": given(),
        },
        check=_opens_every_port("allows[*]", "protocol"),
        when=_opens,
    ),
    Rule(
        "gcp-peering-removable",
        "Private services access goes with its network: Google keeps deleted databases on it for days.",
        (CONNECTION,),
        demands={"deletionPolicy": equal("REMOVE_PEERING", breaks=["DELETE", "ABANDON"])},
    ),
)
