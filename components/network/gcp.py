"""Networks on Google Cloud."""

import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, among, between, checked, checked_name, known_after
from ..problems import InputError, Problem
from ..security.google import GcpScope, scope_problem
from .ranges import PRIVATE_APIS, RESTRICTED_APIS, RangePlan, api_addresses, range_problems

SERVICE_CLASSES = ("gcp-memorystore",)
API_DOMAINS = ("googleapis.com", "gcr.io", "pkg.dev", "gke.goog")
"""Domains of Google's APIs, of its registries, and of the DNS endpoints of clusters."""
POD_RANGE, SERVICE_RANGE = "pods", "services"
"""Names of the node subnet's secondary ranges."""
FLOW_LOG_INTERVALS = tuple(f"INTERVAL_{span}" for span in ("5_SEC", "30_SEC", "1_MIN", "5_MIN", "10_MIN", "15_MIN"))

_RANDOM = 8
"""What auto-naming appends: a hyphen and seven characters."""
_LONGEST = 63


class GcpRanges(TypedDict):
    """Ranges to be taken instead of their places in the network's block. None may overlap another."""

    nodes: NotRequired[pulumi.Input[str]]
    """IPv4 block of the nodes, /9 to /26. Default: an eighth of the network's."""
    pods: NotRequired[pulumi.Input[str]]
    """IPv4 block of the pods, /9 to /21, often out of 100.64.0.0/10. Default: half of the network's."""
    services: NotRequired[pulumi.Input[str]]
    """IPv4 block of the cluster's services, /16 to /27. Default: a sixteenth of the network's."""
    endpoints: NotRequired[pulumi.Input[str]]
    """IPv4 block of Private Service Connect endpoints, /9 to /28. Default: a sixteenth of the network's."""
    peered: NotRequired[pulumi.Input[str]]
    """IPv4 block that Google puts its managed services in, /9 to /24, out of RFC 1918. Default: an eighth of the
    network's."""
    proxies: NotRequired[pulumi.Input[str]]
    """IPv4 block of load balancers' proxies, /9 to /26. Default: a sixteenth of the network's."""


class GcpNetworkArgs(TypedDict):
    """The shape and the block of a network."""

    scope: GcpScope
    """Project and region of the network's subnets."""
    cidr: pulumi.Input[str]
    """IPv4 block of the network, /16 to /20, which is cut into ranges."""
    ranges: NotRequired[GcpRanges]
    """Ranges to be taken instead of their places in the block. Default: none."""
    nat: NotRequired[bool]
    """Whether nodes and pods reach the internet, through Cloud NAT. Default: yes."""
    nat_addresses: NotRequired[int]
    """How many addresses to reserve for NAT, so that partners can list them. Default: 0, and Google picks and changes
    them as it needs."""
    peering: NotRequired[bool]
    """Whether Google's managed services, such as Cloud SQL, get private addresses by private services access.
    Default: yes."""
    service_classes: NotRequired[list[str]]
    """Classes of managed services that may place Private Service Connect endpoints here. Default: `gcp-memorystore`."""
    proxies: NotRequired[bool]
    """Whether there is a subnet for the proxies of regional load balancers. Default: no; global ones need none."""
    restricted: NotRequired[bool]
    """Whether only APIs that VPC Service Controls know are reached: for networks in a perimeter. Default: no."""
    api_domains: NotRequired[list[str]]
    """Domains of Google that are reached by private addresses. Default: those of its APIs, of its registries and of
    the DNS endpoints of clusters."""
    global_routing: NotRequired[bool]
    """Whether Cloud Routers learn and tell routes of every region. Default: no, of their own."""
    mtu: NotRequired[pulumi.Input[int]]
    """Largest packet in bytes, 1300 to 8896. Default: 1460. A change takes hold of a machine when it starts anew."""
    flow_log_sampling: NotRequired[pulumi.Input[float]]
    """Share of flows to record, above 0 and up to 1. Default: 1 (CIS-GCP-3.8)."""
    flow_log_interval: NotRequired[pulumi.Input[str]]
    """Over what time flows are summed up. Default: `INTERVAL_5_SEC` (CIS-GCP-3.8). A longer one costs less."""


class GcpNetwork(Component):
    """A network in custom mode with a subnet for nodes, pods and services and one for endpoints, its ways out, and a
    record of its traffic.

    Subnets reach Google's APIs privately (CKV_GCP_74) and log their flows (CKV_GCP_26, GCP-0029, CIS-GCP-3.8); private
    DNS zones keep calls to Google off the internet; DNS queries (CIS-GCP-2.12) and NAT are logged. It has no firewall
    of its own: give it a `GcpFirewallPolicy`.

    Raises `InputError` for bad args, a malformed or unfitting block, ranges that overlap, and a name too long for what
    is named after it.
    """

    network_id: pulumi.Output[str]
    """Id of the network."""
    network_name: pulumi.Output[str]
    """Name of the network."""
    network_link: pulumi.Output[str]
    """URL of the network in the Compute API."""
    nat_addresses: pulumi.Output[list[str]]
    """Reserved addresses from which nodes and pods call the internet: what a partner puts on an allow-list. Empty
    where Google picks them, and without NAT."""
    nat_gateway: pulumi.Output[str]
    """Name of the NAT gateway, as metrics name it; empty without one."""
    node_subnet_id: pulumi.Output[str]
    """Id of the subnet of nodes. Known once its way out and the private names of Google's APIs are there."""
    node_subnet_name: pulumi.Output[str]
    """Name of the subnet of nodes."""
    endpoint_subnet_id: pulumi.Output[str]
    """Id of the subnet of Private Service Connect endpoints."""
    endpoint_subnet_name: pulumi.Output[str]
    """Name of the subnet of Private Service Connect endpoints."""
    pod_range_name: pulumi.Output[str]
    """Name of the node subnet's secondary range of pods."""
    service_range_name: pulumi.Output[str]
    """Name of the node subnet's secondary range of services."""
    node_range: pulumi.Output[str]
    """IPv4 block of the nodes."""
    pod_range: pulumi.Output[str]
    """IPv4 block of the pods."""
    service_range: pulumi.Output[str]
    """IPv4 block of the cluster's services."""
    endpoint_range: pulumi.Output[str]
    """IPv4 block of Private Service Connect endpoints."""
    peered_range: pulumi.Output[str]
    """IPv4 block of managed services on private services access."""
    proxy_range: pulumi.Output[str]
    """IPv4 block of load balancers' proxies."""
    api_range: pulumi.Output[str]
    """IPv4 block at which Google's APIs are reached from here."""
    peered: pulumi.Output[str]
    """Id of the network. Known once private services access is there: what Cloud SQL takes."""
    endpoints: pulumi.Output[str]
    """Id of the network. Known once managed services may place endpoints here: what Memorystore takes."""

    def __init__(self, name: str, args: GcpNetworkArgs, opts: pulumi.ResourceOptions | None = None):
        args = _checked(name, args)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._project, self._region = args["scope"]["project"], args["scope"]["region"]
        plan = _planned(f"GcpNetwork {name}", args)

        self._network = gcp.compute.Network(
            name,
            project=self._project,
            auto_create_subnetworks=False,
            delete_default_routes_on_create=False,  # NAT and the private addresses of APIs need the default route
            routing_mode="GLOBAL" if args.get("global_routing", False) else "REGIONAL",
            mtu=args.get("mtu", 1460),
            # GKE writes rules of its own for what its nodes must let in: the policy has its say after them.
            network_firewall_policy_enforcement_order="AFTER_CLASSIC_FIREWALL",
            opts=self._child(),
        )
        nodes = self._subnet(
            "nodes",
            "Nodes, pods and services",
            plan.apply(lambda known: known.nodes),
            secondary_ip_ranges=[
                {"range_name": POD_RANGE, "ip_cidr_range": plan.apply(lambda known: known.pods)},
                {"range_name": SERVICE_RANGE, "ip_cidr_range": plan.apply(lambda known: known.services)},
            ],
        )
        endpoints = self._subnet(
            "endpoints", "Endpoints of managed services", plan.apply(lambda known: known.endpoints)
        )
        self._make_room_for_proxies(plan)
        ways_out, addresses = self._translate(nodes)
        names = self._name_apis()
        connections = self._peer(plan)
        policies = self._admit_endpoints(endpoints)

        self.network_id = self._network.id
        self.network_name = self._network.name
        self.network_link = self._network.self_link
        self.nat_addresses = pulumi.Output.all(*addresses)
        self.node_subnet_id = known_after(nodes.id, *ways_out, *names)
        self.node_subnet_name = nodes.name
        self.endpoint_subnet_id = endpoints.id
        self.endpoint_subnet_name = endpoints.name
        self.pod_range_name = pulumi.Output.from_input(POD_RANGE)
        self.service_range_name = pulumi.Output.from_input(SERVICE_RANGE)
        self.node_range = plan.apply(lambda known: known.nodes)
        self.pod_range = plan.apply(lambda known: known.pods)
        self.service_range = plan.apply(lambda known: known.services)
        self.endpoint_range = plan.apply(lambda known: known.endpoints)
        self.peered_range = plan.apply(lambda known: known.peered)
        self.proxy_range = plan.apply(lambda known: known.proxies)
        self.api_range = pulumi.Output.from_input(self._apis())
        self.peered = known_after(self._network.id, *connections)
        self.endpoints = known_after(self._network.id, *policies)
        self._register()

    def _apis(self) -> str:
        return RESTRICTED_APIS if self._args.get("restricted", False) else PRIVATE_APIS

    def _subnet(
        self, role: str, description: str, cidr: pulumi.Input[str], **properties: Any
    ) -> gcp.compute.Subnetwork:
        return gcp.compute.Subnetwork(
            f"{self._prefix}-{role}",
            project=self._project,
            region=self._region,
            network=self._network.id,
            description=description,
            ip_cidr_range=cidr,
            stack_type="IPV4_ONLY",
            private_ip_google_access=True,
            log_config={
                "aggregation_interval": self._args.get("flow_log_interval", FLOW_LOG_INTERVALS[0]),
                "flow_sampling": self._args.get("flow_log_sampling", 1.0),
                "metadata": "INCLUDE_ALL_METADATA",
            },
            opts=self._child(),
            **properties,
        )

    def _make_room_for_proxies(self, plan: pulumi.Output[RangePlan]) -> None:
        if not self._args.get("proxies", False):
            return
        gcp.compute.Subnetwork(
            f"{self._prefix}-proxies",
            project=self._project,
            region=self._region,
            network=self._network.id,
            description="Proxies of regional load balancers",
            ip_cidr_range=plan.apply(lambda known: known.proxies),
            purpose="REGIONAL_MANAGED_PROXY",  # takes neither flow logs nor private access
            role="ACTIVE",
            # A network has one active subnet of the kind in a region.
            opts=self._child(delete_before_replace=True),
        )

    def _translate(self, nodes: gcp.compute.Subnetwork) -> tuple[list[pulumi.Output[str]], list[pulumi.Output[str]]]:
        """The way out of the nodes' subnet, and the addresses that are reserved for it."""
        self.nat_gateway = pulumi.Output.from_input("")
        if not self._args.get("nat", True):
            return [], []
        reserved = [
            gcp.compute.Address(
                f"{self._prefix}-nat-{number}",
                project=self._project,
                region=self._region,
                description="Where calls to the internet come from",
                address_type="EXTERNAL",
                network_tier="PREMIUM",
                opts=self._child(),
            )
            for number in range(1, self._args.get("nat_addresses", 0) + 1)
        ]
        router = gcp.compute.Router(
            f"{self._prefix}-nat",
            project=self._project,
            region=self._region,
            network=self._network.id,
            description="Holds the NAT",
            opts=self._child(),
        )
        nat = gcp.compute.RouterNat(
            f"{self._prefix}-nat",
            project=self._project,
            region=self._region,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY" if reserved else "AUTO_ONLY",
            nat_ips=[address.self_link for address in reserved] or None,
            auto_network_tier=None if reserved else "PREMIUM",
            # Nothing but nodes and pods calls the internet.
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[{"name": nodes.id, "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}],
            # A node's pods share its ports: it starts with few, and gets more as it needs them.
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=64,
            max_ports_per_vm=16384,
            # Only this says which pod stood behind a public address and port.
            log_config={"enable": True, "filter": "ALL"},
            opts=self._child(),
        )
        self.nat_gateway = nat.name
        return [nat.id], [address.address for address in reserved]

    def _name_apis(self) -> list[pulumi.Output[str]]:
        """Names under which Google's APIs have private addresses, and a log of who asks for what."""
        gcp.dns.Policy(
            f"{self._prefix}-queries",
            project=self._project,
            description="Logs the queries of the network",
            enable_logging=True,
            enable_inbound_forwarding=False,
            networks=[{"network_url": self._network.id}],
            opts=self._child(),
        )
        return [
            record.id
            for domain in self._args.get("api_domains", list(API_DOMAINS))
            for record in self._name_domain(domain)
        ]

    def _name_domain(self, domain: str) -> list[gcp.dns.RecordSet]:
        name = f"{self._prefix}-{_key(domain)}"
        zone = gcp.dns.ManagedZone(
            name,
            project=self._project,
            dns_name=f"{domain}.",
            description=f"Private addresses of {domain}",
            visibility="private",
            private_visibility_config={"networks": [{"network_url": self._network.id}]},
            opts=self._child(),
        )
        kind = "restricted" if self._args.get("restricted", False) else "private"
        # Google prescribes a name of its own for the APIs, and none for its other domains.
        home = f"{kind}.{domain}." if domain == "googleapis.com" else f"{domain}."

        def record(role: str, record_name: str, type_: str, values: list[str]) -> gcp.dns.RecordSet:
            return gcp.dns.RecordSet(
                f"{name}-{role}",
                project=self._project,
                managed_zone=zone.name,
                name=record_name,
                type=type_,
                ttl=300,
                rrdatas=values,
                opts=self._child(),
            )

        return [
            record("addresses", home, "A", api_addresses(self._apis())),
            record("others", f"*.{domain}.", "CNAME", [home]),
        ]

    def _peer(self, plan: pulumi.Output[RangePlan]) -> list[pulumi.Output[str]]:
        """Private services access: Google's own network for managed services, peered with this one."""
        if not self._args.get("peering", True):
            return []
        peered = plan.apply(lambda known: known.peered)
        block = gcp.compute.GlobalAddress(
            f"{self._prefix}-peered",
            project=self._project,
            network=self._network.id,
            description="Managed services on private services access",
            purpose="VPC_PEERING",
            address_type="INTERNAL",
            address=peered.apply(lambda known: known.partition("/")[0]),
            prefix_length=peered.apply(lambda known: int(known.partition("/")[2])),
            opts=self._child(),
        )
        connection = gcp.servicenetworking.Connection(
            f"{self._prefix}-peered",
            network=self._network.id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[block.name],
            update_on_creation_fail=True,  # after a destroy, Google may still know the former connection
            # Cloud SQL keeps a deleted database's network for days: the network would not go while it does.
            deletion_policy="REMOVE_PEERING",
            opts=self._child(),
        )
        return [connection.id]

    def _admit_endpoints(self, endpoints: gcp.compute.Subnetwork) -> list[pulumi.Output[str]]:
        """Which managed services may place endpoints in the subnet."""
        return [
            gcp.networkconnectivity.ServiceConnectionPolicy(
                f"{self._prefix}-{service_class}",
                project=self._project,
                location=self._region,
                network=self._network.id,
                service_class=service_class,
                description=f"Endpoints of {service_class}",
                psc_config={"subnetworks": [endpoints.id]},
                opts=self._child(),
            ).id
            for service_class in self._args.get("service_classes", list(SERVICE_CLASSES))
        ]


def _key(domain: str) -> str:
    return domain.replace(".", "-")


def _path(field: str) -> str:
    return field if field == "cidr" else f"ranges.{field}"


def _planned(subject: str, args: GcpNetworkArgs) -> pulumi.Output[RangePlan]:
    def planned(known: Mapping[str, Any]) -> RangePlan:
        _check_ranges(subject, known)
        return RangePlan(**known)

    return pulumi.Output.all(cidr=args["cidr"], **args.get("ranges", {})).apply(planned)


def _check_ranges(subject: str, known: Mapping[str, Any]) -> None:
    given = {field: block for field, block in known.items() if field != "cidr"}
    if problems := range_problems(known["cidr"], given, _path):
        raise InputError(subject, problems)


def _sampling(share: float) -> str | None:
    return None if 0 < share <= 1 else "give a share above 0 and up to 1"


def _unique(items: list[str]) -> str | None:
    twice = sorted({item for item in items if items.count(item) > 1})
    return f"{', '.join(twice)}: give each once" if twice else None


def _domains(domains: list[str]) -> str | None:
    wrong = [domain for domain in domains if not re.fullmatch(r"([a-z0-9-]+\.)+[a-z]+", domain)]
    return f"{', '.join(wrong)}: write domains like pkg.dev" if wrong else _unique(domains)


def _classes(classes: list[str]) -> str | None:
    wrong = [each for each in classes if not re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", each)]
    return f"{', '.join(wrong)}: write service classes like gcp-memorystore" if wrong else _unique(classes)


def _checked(name: str, args: GcpNetworkArgs) -> GcpNetworkArgs:
    subject = f"GcpNetwork {name}"
    rules = {
        "scope": scope_problem,
        "nat_addresses": between(0, 50, "addresses"),
        "service_classes": _classes,
        "api_domains": _domains,
        "mtu": between(1300, 8896, "bytes"),
        "flow_log_sampling": _sampling,
        "flow_log_interval": among(FLOW_LOG_INTERVALS),
    }
    args = checked(GcpNetworkArgs, args, subject, rules)
    roles = ["endpoints", "nat-50", *args.get("service_classes", SERVICE_CLASSES)]
    roles += map(_key, args.get("api_domains", API_DOMAINS))
    longest = _LONGEST - _RANDOM - 1 - max(map(len, roles))
    checked_name(
        name,
        subject,
        longest,
        r"[a-z]([a-z0-9-]*[a-z0-9])?",
        "use small letters, digits and hyphens, a letter first and no hyphen last",
    )
    problems = []
    if args.get("nat_addresses", 0) and not args.get("nat", True):
        problems.append(
            Problem("nat_addresses", args.get("nat_addresses"), "there is no NAT; leave it out, or set `nat`")
        )
    blocks = {"cidr": args["cidr"], **args.get("ranges", {})}
    if all(isinstance(block, str) for block in blocks.values()):
        given = {field: block for field, block in blocks.items() if field != "cidr"}
        problems += range_problems(blocks["cidr"], given, _path)
    if problems:
        raise InputError(subject, problems)
    return args
