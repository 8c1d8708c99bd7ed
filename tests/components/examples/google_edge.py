"""What the internet meets first, on Google Cloud."""

from components.edge.cloudarmor import CloudArmorPolicy, CloudArmorPolicyArgs, CoreRuleSet
from components.edge.clouddns import CloudDnsZone, CloudDnsZoneArgs
from components.edge.gcp_certificates import GcpCertificates, GcpCertificatesArgs
from components.edge.gcp_endpoint_groups import GcpEndpointGroups, GcpEndpointGroupsArgs
from components.edge.gcp_load_balancer import BackendProtocol, GcpLoadBalancer, GcpLoadBalancerArgs, TlsProfile

from .shared import GOOGLE, GOOGLE_NETWORK, Examples

PLACE = "https://www.googleapis.com/compute/v1/projects/plinth-123456/zones/europe-west3"

ARMOR: CloudArmorPolicyArgs = {"scope": GOOGLE}
ARMOR_FULL: CloudArmorPolicyArgs = {
    **ARMOR,
    "rule_set": CoreRuleSet.V422,
    "attacks": ["sqli", "xss", "generic", "cve"],
    "sensitivity": 2,
    "rate_limit": {"requests": 300, "interval_seconds": 120, "ban_seconds": 600},
    "denied_ranges": ["198.51.100.0/24", "2001:db8:bad::/48"],
    "denied_countries": ["RU", "KP"],
    "allowed_ranges": ["203.0.113.7"],
    "client_ip_headers": ["True-Client-IP"],
    "preview": ["generic", "rate-limit"],
    "adaptive_protection": False,
    "verbose_log": False,
}
ZONE: CloudDnsZoneArgs = {"scope": GOOGLE, "domain": "shop.example"}
ZONE_UNSIGNED: CloudDnsZoneArgs = {**ZONE, "dnssec": False, "query_log": False, "certificate_issuers": []}
CERTIFICATES: GcpCertificatesArgs = {
    "scope": GOOGLE,
    "domains": ["portal.shop.example"],
    "zone": {"zone_name": "shop-1234567"},
}
CERTIFICATES_FULL: GcpCertificatesArgs = {
    **CERTIFICATES,
    "domains": ["shop.example", "*.shop.example", "portal.shop.example"],
    "zone": {"zone_name": "shop-1234567", "project": "plinth-domains"},
}
BALANCER: GcpLoadBalancerArgs = {
    "scope": GOOGLE,
    "hosts": ["portal.shop.example"],
    "certificate_map_id": "projects/plinth-123456/locations/global/certificateMaps/shop",
    "security_policy_id": "projects/plinth-123456/global/securityPolicies/shop",
}
BALANCER_FULL: GcpLoadBalancerArgs = {
    **BALANCER,
    "hosts": ["portal.shop.example", "*.eu.shop.example"],
    "zone": {"zone_name": "shop-1234567", "project": "plinth-domains"},
    "backends": {
        "b": {"group": f"{PLACE}-b/networkEndpointGroups/portal", "capacity_percent": 50},
        "a": {"group": f"{PLACE}-a/networkEndpointGroups/portal", "max_rate_per_endpoint": 20},
    },
    "protocol": BackendProtocol.HTTP2,
    "port_name": "web",
    "health_check": {"path": "/healthz", "interval_seconds": 5, "timeout_seconds": 2, "failures": 2},
    "timeout_seconds": 3600,
    "draining_seconds": 0,
    "response_headers": {"X-Frame-Options": "DENY", "referrer-policy": "no-referrer"},
    "iap_members": {"staff": "group:staff@shop.example"},
    "tls_profile": TlsProfile.MODERN,
    "ipv6": False,
    "protect": False,
}
ENDPOINTS: GcpEndpointGroupsArgs = {
    "scope": GOOGLE,
    "network_id": GOOGLE_NETWORK,
    "subnet_id": "projects/plinth-123456/regions/europe-west3/subnetworks/nodes",
    "zones": ["europe-west3-a", "europe-west3-b"],
    "group": "shop-gateway",
}
ENDPOINTS_OF_A_SERVICE: GcpEndpointGroupsArgs = {
    **ENDPOINTS,
    "service": {
        "cluster_uid": "0b1c0ffe-0000-4000-8000-000000000000",
        "namespace": "gateway",
        "service": "shop",
        "port": 8443,
    },
}

EXAMPLES: Examples = {
    CloudArmorPolicy: [
        lambda name, opts: CloudArmorPolicy(name, ARMOR, opts),
        lambda name, opts: CloudArmorPolicy(name, ARMOR_FULL, opts),
    ],
    CloudDnsZone: [
        lambda name, opts: CloudDnsZone(name, ZONE, opts),
        lambda name, opts: CloudDnsZone(name, ZONE_UNSIGNED, opts),
    ],
    GcpCertificates: [
        lambda name, opts: GcpCertificates(name, CERTIFICATES, opts),
        lambda name, opts: GcpCertificates(name, CERTIFICATES_FULL, opts),
    ],
    GcpEndpointGroups: [
        lambda name, opts: GcpEndpointGroups(name, ENDPOINTS, opts),
        lambda name, opts: GcpEndpointGroups(name, ENDPOINTS_OF_A_SERVICE, opts),
    ],
    GcpLoadBalancer: [
        lambda name, opts: GcpLoadBalancer(name, BALANCER, opts),
        lambda name, opts: GcpLoadBalancer(name, BALANCER_FULL, opts),
    ],
}
