"""Network on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from preview.plan import UNKNOWN

from ...breaking import Break, changed, without
from ...sketch import GOOGLE, Sketch

EVERYTHING = [{"ipProtocol": "all"}]
HTTPS = [{"ipProtocol": "tcp", "ports": ["443"]}, {"ipProtocol": "icmp"}]
SSH = [{"ipProtocol": "tcp", "ports": ["22"]}]
LOGS = {"aggregationInterval": "INTERVAL_5_SEC", "flowSampling": 1.0, "metadata": "INCLUDE_ALL_METADATA"}
RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack."""
    sketch.add("gcp:compute/network:Network", "net-network", {"autoCreateSubnetworks": False}, provider=GOOGLE)
    subnet = {"ipCidrRange": "10.20.128.0/19", "region": GOOGLE, "privateIpGoogleAccess": True, "logConfig": LOGS}
    proxies = {"ipCidrRange": "10.20.224.0/20", "region": GOOGLE, "purpose": "REGIONAL_MANAGED_PROXY"}
    for name, inputs in (("net-nodes", subnet), ("net-proxies", proxies)):
        _add(sketch, "compute/subnetwork:Subnetwork", name, inputs, network="net-network")
    _add(sketch, "compute/router:Router", "net-router", {"region": GOOGLE}, network="net-network")
    nat = {"region": GOOGLE, "logConfig": {"enable": True, "filter": "ALL"}}
    _add(sketch, "compute/routerNat:RouterNat", "net-nat", nat, router="net-router")
    _add(sketch, "dns/policy:Policy", "net-queries", {"enableLogging": True}, networks="net-network")
    peering = {"service": "servicenetworking.googleapis.com", "deletionPolicy": "REMOVE_PEERING"}
    _add(sketch, "servicenetworking/connection:Connection", "net-peering", peering, network="net-network")
    _firewall(sketch)
    sketch.add(
        "gcp:compute/firewall:Firewall",
        "net-vpc-firewall",
        {
            "direction": "INGRESS",
            "sourceRanges": ["10.20.0.0/16"],
            "allows": [{"protocol": "tcp", "ports": ["443"]}, {"protocol": "icmp"}],
            "logConfig": {"metadata": "INCLUDE_ALL_METADATA"},
        },
        {"network": "net-network"},
        provider=GOOGLE,
    )


def _firewall(sketch: Sketch) -> None:
    sketch.add("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy", "net-firewall", {}, provider=GOOGLE)
    rules: dict[str, tuple[int, str, str, list[str], list[Any]]] = {
        "checks": (1000, "allow", "INGRESS", ["35.191.0.0/16", "130.211.0.0/22"], HTTPS),
        "partners": (1100, "allow", "EGRESS", ["0.0.0.0/0"], HTTPS),
        "ssh": (1150, "allow", "INGRESS", ["35.235.240.0/20", "100.64.0.0/10", "172.16.3.0/24", UNKNOWN], SSH),
        "pods": (1200, "allow", "EGRESS", ["10.20.0.0/17", UNKNOWN], EVERYTHING),
        "deny-ingress": (2147483546, "deny", "INGRESS", ["0.0.0.0/0"], EVERYTHING),
        "deny-egress": (2147483547, "deny", "EGRESS", ["0.0.0.0/0"], EVERYTHING),
    }
    for name, (priority, action, direction, ranges, layer4) in rules.items():
        inputs = {
            "priority": priority,
            "action": action,
            "direction": direction,
            "enableLogging": True,
            "match": _match(direction, ranges, layer4),
        }
        sketch.add(RULE, f"net-{name}", inputs, {"firewallPolicy": "net-firewall"}, provider=GOOGLE)
    sketch.add(
        RULE,
        "net-next",
        {"priority": 900, "action": "goto_next", "direction": "EGRESS", "match": _match("EGRESS", ["10.0.0.0/8"])},
        {"firewallPolicy": "net-firewall"},
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation",
        "net-association",
        {},
        {"firewallPolicy": "net-firewall", "attachmentTarget": "net-network"},
        provider=GOOGLE,
    )
    # One that is in force nowhere may be unfinished.
    sketch.add("gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy", "net-draft", {}, provider=GOOGLE)


def _add(sketch: Sketch, type_: str, name: str, inputs: dict[str, Any], **to: str) -> None:
    sketch.add(f"gcp:{type_}", name, inputs, to, provider=GOOGLE)


def _match(direction: str, ranges: list[str], layer4: list[Any] | None = None) -> dict[str, Any]:
    side = "srcIpRanges" if direction == "INGRESS" else "destIpRanges"
    return {side: ranges, "layer4Configs": layer4 or EVERYTHING}


def _rematched(name: str, direction: str, ranges: list[str], layer4: list[Any] | None = None) -> Break:
    return changed(name, match=_match(direction, ranges, layer4))


BREAKS: dict[str, list[Break]] = {
    "gcp-network-custom": [
        changed("net-network", autoCreateSubnetworks=True),
        changed("net-network", autoCreateSubnetworks=None),
    ],
    "gcp-network-not-default": [
        changed("net-nodes", network="default"),
        changed("net-peering", network="projects/plinth-123456/global/networks/default"),
        changed("net-vpc-firewall", network="default"),
    ],
    "gcp-network-guarded": [
        without("net-association"),
        changed("net-association", attachmentTarget="elsewhere"),
        changed("net-association", firewallPolicy=None),
    ],
    "gcp-network-query-logs": [
        without("net-queries"),
        changed("net-queries", enableLogging=False),
        changed("net-queries", networks=None),
    ],
    "gcp-subnet-private-access": [
        changed("net-nodes", privateIpGoogleAccess=False),
        changed("net-nodes", privateIpGoogleAccess=None),
        changed("net-proxies", purpose="PRIVATE", logConfig=LOGS),
    ],
    "gcp-subnet-flow-logs": [
        changed("net-nodes", logConfig=None),
        changed("net-nodes", logConfig={**LOGS, "flowSampling": 0.0}),
        changed("net-nodes", logConfig={**LOGS, "metadata": "EXCLUDE_ALL_METADATA"}),
        changed("net-proxies", purpose=None, privateIpGoogleAccess=True),
    ],
    "gcp-nat-logs": [changed("net-nat", logConfig=None), changed("net-nat", logConfig={"enable": False})],
    "gcp-firewall-logs": [
        changed("net-checks", enableLogging=False),
        changed("net-deny-egress", enableLogging=None),
    ],
    "gcp-firewall-no-public-ingress": [
        _rematched("net-checks", "INGRESS", ["10.0.0.0/8", "0.0.0.0/0"], HTTPS),
        _rematched("net-checks", "INGRESS", ["::/0"], HTTPS),
        changed("net-checks", match={"layer4Configs": HTTPS}),
        changed("net-checks", match={"srcIpRanges": [], "destIpRanges": ["10.0.0.0/8"], "layer4Configs": HTTPS}),
        changed("net-checks", match=None),
    ],
    "gcp-firewall-known-sources": [
        _rematched("net-checks", "INGRESS", ["10.0.0.0/8", "203.0.113.0/24"], HTTPS),
        _rematched("net-checks", "INGRESS", ["35.191.0.0/16", "35.190.0.0/15"], HTTPS),
        _rematched("net-checks", "INGRESS", ["100.64.0.0/9"], HTTPS),
        _rematched("net-checks", "INGRESS", ["2001:db8::/32"], HTTPS),
        changed("net-checks", match={"srcFqdns": ["partner.example.test"], "layer4Configs": HTTPS}),
        changed("net-checks", match={"srcRegionCodes": ["DE"], "layer4Configs": HTTPS}),
        changed(
            "net-checks", match={"srcThreatIntelligences": ["iplist-search-engines-crawlers"], "layer4Configs": HTTPS}
        ),
    ],
    "gcp-firewall-named-ports": [
        _rematched("net-checks", "INGRESS", ["10.0.0.0/8"], EVERYTHING),
        _rematched("net-partners", "EGRESS", ["10.0.0.0/8", "203.0.113.0/24"], EVERYTHING),
        _rematched("net-partners", "EGRESS", ["203.0.113.0/24"], [{"ipProtocol": "tcp"}]),
        _rematched("net-pods", "EGRESS", ["10.0.0.0/7"], EVERYTHING),
        changed("net-pods", match={"layer4Configs": EVERYTHING}),
        changed("net-checks", match={"srcIpRanges": ["10.0.0.0/8"]}),
    ],
    "gcp-firewall-denies-last": [
        without("net-deny-ingress"),
        without("net-deny-egress"),
        changed("net-deny-egress", action="goto_next"),
        changed("net-deny-egress", priority=1300),
        changed("net-deny-egress", direction="INGRESS"),
        changed("net-deny-ingress", disabled=True),
        changed("net-deny-ingress", targetServiceAccounts=["nodes@example.test"]),
        _rematched("net-deny-egress", "EGRESS", ["10.0.0.0/8"]),
        _rematched("net-deny-ingress", "INGRESS", ["0.0.0.0/0"], HTTPS),
    ],
    "gcp-vpc-firewall-no-public-ingress": [
        changed("net-vpc-firewall", sourceRanges=["0.0.0.0/0"]),
        changed("net-vpc-firewall", sourceRanges=["128.0.0.0/1"], direction=None),
        changed("net-vpc-firewall", sourceRanges=None),
    ],
    "gcp-vpc-firewall-named-ports": [
        changed("net-vpc-firewall", allows=[{"protocol": "all"}]),
        changed("net-vpc-firewall", allows=[{"protocol": "tcp"}]),
        changed("net-vpc-firewall", allows=[{"protocol": "udp", "ports": ["0-65535"]}]),
        changed("net-vpc-firewall", logConfig=None),
    ],
    "gcp-peering-removable": [
        changed("net-peering", deletionPolicy=None),
        changed("net-peering", deletionPolicy="ABANDON"),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
