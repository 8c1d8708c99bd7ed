"""Network on Google Cloud."""

from components.network.firewall import FirewallDirection, GcpFirewallPolicy, GcpFirewallPolicyArgs
from components.network.gcp import GcpNetwork, GcpNetworkArgs

from .shared import GOOGLE, GOOGLE_NETWORK, Examples

NETWORK: GcpNetworkArgs = {"scope": GOOGLE, "cidr": "10.20.0.0/16"}
FULL: GcpNetworkArgs = {
    **NETWORK,
    "ranges": {"pods": "100.64.0.0/14"},
    "nat_addresses": 2,
    "service_classes": ["gcp-memorystore", "google-cloud-sql"],
    "proxies": True,
    "restricted": True,
    "global_routing": True,
    "mtu": 1500,
    "flow_log_sampling": 0.5,
    "flow_log_interval": "INTERVAL_30_SEC",
}
FIREWALL: GcpFirewallPolicyArgs = {
    "scope": GOOGLE,
    "network_id": GOOGLE_NETWORK,
    "description": "Nodes of the cluster",
    "rules": {
        "apis": {
            "priority": 1000,
            "direction": FirewallDirection.EGRESS,
            "ranges": ["199.36.153.8/30"],
            "ports": {"tcp": ["443"]},
        },
    },
}

EXAMPLES: Examples = {
    GcpNetwork: [
        lambda name, opts: GcpNetwork(name, NETWORK, opts),
        lambda name, opts: GcpNetwork(name, FULL, opts),
    ],
    GcpFirewallPolicy: [
        lambda name, opts: GcpFirewallPolicy(name, FIREWALL, opts),
        lambda name, opts: GcpFirewallPolicy(name, {**FIREWALL, "rules": {}}, opts),
    ],
}
