"""Networks on AWS."""

from collections.abc import Sequence
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked
from ..observability.retention import log_retention
from ..problems import InputError, Problem
from ..security.policy import AwsScope, allow, arn, document, trust
from .security_group import ANYWHERE, AwsSecurityGroup
from .subnets import SubnetPlan, SubnetTier, zone_slot

GATEWAY_ENDPOINTS = ("s3", "dynamodb")
INTERFACE_ENDPOINTS = ("ecr.api", "ecr.dkr", "eks-auth", "kms", "logs", "secretsmanager", "ssm", "sts")
DATA_PORTS = {"postgres": 5432, "valkey": 6379, "amqps": 5671, "broker-management": 443}
_EPHEMERAL = (1024, 65535)


class NatMode(Enum):
    """How private subnets reach the internet."""

    NONE = "none"
    """Not at all."""
    SINGLE = "single"
    """Through one gateway, in the first zone: cheapest, and gone with that zone."""
    PER_ZONE = "perZone"
    """Through a gateway in each zone: no traffic between zones, and no zone depends on another."""
    REGIONAL = "regional"
    """Through one gateway that AWS spreads over the zones by itself."""


def nat_zones(mode: NatMode, zones: Sequence[str]) -> tuple[str, ...]:
    """The zones that have a gateway of their own. A regional one stands in none of them."""
    many = {NatMode.SINGLE: 1, NatMode.PER_ZONE: len(zones)}.get(mode, 0)
    return tuple(zones[:many])


class AwsNetworkArgs(TypedDict):
    """The shape and the block of a network."""

    scope: AwsScope
    """Account and region of the network."""
    cidr: pulumi.Input[str]
    """IPv4 block of the VPC, /16 to /20."""
    zones: list[str]
    """Availability zones to span, two or more. Adding, removing or reordering never renumbers the others."""
    log_key_arn: pulumi.Input[str]
    """ARN of the KMS key for the flow logs, which CloudWatch Logs must be allowed to use (CKV_AWS_158)."""
    nat: NotRequired[NatMode]
    """How private subnets reach the internet. Default: one gateway per zone."""
    flow_log_days: NotRequired[int]
    """Days to keep flow logs, one of those that CloudWatch offers. Default: 365 (CKV_AWS_338)."""
    interface_endpoints: NotRequired[list[str]]
    """AWS services reached over private addresses. Default: those that clusters, tasks and secrets need.
    Each costs by hour and zone."""
    data_ports: NotRequired[dict[str, int]]
    """TCP ports on which private subnets may reach data subnets, by purpose. Default: PostgreSQL 5432, Valkey 6379,
    AMQP over TLS 5671, and a broker's management 443."""
    private_tags: NotRequired[dict[str, str]]
    """Further tags of the private subnets, by which a cluster's add-ons find them. Default: none."""


class AwsNetwork(Component):
    """A VPC with public, private and data subnets in each zone, its ways in and out, and a record of its traffic.

    Flow logs go to an encrypted log group (CKV2_AWS_11, AWS-0178); the default security group holds no rule
    (CKV2_AWS_12); no subnet gives out public addresses (CKV_AWS_130); data subnets have no route to the internet and a
    network ACL that lets only private subnets in, on the data ports.

    Raises `InputError` for bad args, a malformed or unfitting block, and zones of another region.
    """

    vpc_id: pulumi.Output[str]
    """Id of the VPC."""
    cidr: pulumi.Output[str]
    """IPv4 block of the VPC."""
    vpc_cidr: pulumi.Output[str]
    """The same, known before there is a VPC."""
    private_cidrs: pulumi.Output[list[str]]
    """IPv4 blocks of the private subnets, in the order of the zones, known before there are any: what policies of a
    cluster's network name."""
    data_cidrs: pulumi.Output[list[str]]
    """IPv4 blocks of the data subnets, likewise."""
    public_subnet_ids: pulumi.Output[list[str]]
    """Ids of the public subnets, in the order of the zones."""
    private_subnet_ids: pulumi.Output[list[str]]
    """Ids of the private subnets, in the order of the zones. Known once their way out is there."""
    data_subnet_ids: pulumi.Output[list[str]]
    """Ids of the data subnets, in the order of the zones."""
    nat_addresses: pulumi.Output[list[str]]
    """Public addresses from which private subnets reach the internet: what a partner puts on an allow-list.
    Empty without NAT, and with a regional gateway, which brings its own."""
    nat_gateway_ids: pulumi.Output[dict[str, str]]
    """Ids of the NAT gateways, by zone; of a regional one under `regional`."""

    def __init__(self, name: str, args: AwsNetworkArgs, opts: pulumi.ResourceOptions | None = None):
        args = _checked(name, args)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._zones = args["zones"]
        plan = pulumi.Output.from_input(args["cidr"]).apply(SubnetPlan)

        self._vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args["cidr"],
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": name},
            opts=self._child(),
        )
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default",
            vpc_id=self._vpc.id,
            tags={"Name": f"{name}-default-locked"},
            opts=self._child(),
        )
        self._log_flows()

        public = self._subnets(plan, SubnetTier.PUBLIC, {"kubernetes.io/role/elb": "1"})
        further = args.get("private_tags", {})
        private = self._subnets(plan, SubnetTier.PRIVATE, {"kubernetes.io/role/internal-elb": "1", **further})
        data = self._subnets(plan, SubnetTier.DATA, {})
        public_table = self._route_public(public)
        data_table = self._table(SubnetTier.DATA.value)
        self._associate({f"data-{zone}": (subnet, data_table) for zone, subnet in data.items()})
        private_tables, addresses = self._route_private(private, public)
        self._guard_data(plan, data)
        self._endpoints(private, [public_table, data_table, *private_tables.values()])

        self.vpc_id = self._vpc.id
        self.cidr = self._vpc.cidr_block
        self.vpc_cidr = pulumi.Output.from_input(args["cidr"])
        self.private_cidrs = self._blocks(plan, SubnetTier.PRIVATE)
        self.data_cidrs = self._blocks(plan, SubnetTier.DATA)
        self.public_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in public.values()])
        self.private_subnet_ids = self._once_routed(private)
        self.data_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in data.values()])
        self.nat_addresses = pulumi.Output.all(*addresses)
        ids = self._gateway_ids
        # Of nothing, `all` makes a list.
        self.nat_gateway_ids = pulumi.Output.all(**ids) if ids else pulumi.Output.from_input({})
        self._register()

    def _log_flows(self) -> None:
        name, args, scope = self._prefix, self._args, self._args["scope"]
        group = aws.cloudwatch.LogGroup(
            f"{name}-flow-logs",
            kms_key_id=args["log_key_arn"],
            retention_in_days=args.get("flow_log_days", 365),
            opts=self._child(),
        )
        role = aws.iam.Role(
            f"{name}-flow-logs",
            description="Writes the flow logs of the network",
            assume_role_policy=trust(scope, "vpc-flow-logs.amazonaws.com", arn(scope, "ec2", "vpc-flow-log/*")),
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-flow-logs",
            role=role.id,
            policy=document(
                allow(
                    "Write",
                    ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                    [pulumi.Output.concat(group.arn, ":*")],
                )
            ),
            opts=self._child(),
        )
        aws.ec2.FlowLog(
            f"{name}-flow-log",
            vpc_id=self._vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=60,
            tags={"Name": name},
            # The role may write only once it has its policy; no value carries that.
            opts=self._child(depends_on=[policy]),
        )

    def _subnets(
        self, plan: pulumi.Output[SubnetPlan], tier: SubnetTier, tags: dict[str, str]
    ) -> dict[str, aws.ec2.Subnet]:
        def block(zone: str) -> pulumi.Output[str]:
            return plan.apply(lambda known: known.subnet(tier, zone))

        return {
            zone: aws.ec2.Subnet(
                f"{self._prefix}-{tier.value}-{zone}",
                vpc_id=self._vpc.id,
                availability_zone=zone,
                cidr_block=block(zone),
                map_public_ip_on_launch=False,
                tags={"Name": f"{self._prefix}-{tier.value}-{zone}", "subnet-tier": tier.value, **tags},
                opts=self._child(),
            )
            for zone in self._zones
        }

    def _blocks(self, plan: pulumi.Output[SubnetPlan], tier: SubnetTier) -> pulumi.Output[list[str]]:
        return plan.apply(lambda known: [known.subnet(tier, zone) for zone in self._zones])

    def _table(self, key: str) -> aws.ec2.RouteTable:
        name = f"{self._prefix}-{key}"
        return aws.ec2.RouteTable(name, vpc_id=self._vpc.id, tags={"Name": name}, opts=self._child())

    def _associate(self, pairs: dict[str, tuple[aws.ec2.Subnet, aws.ec2.RouteTable]]) -> None:
        for key, (subnet, table) in pairs.items():
            aws.ec2.RouteTableAssociation(
                f"{self._prefix}-{key}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child()
            )

    def _route_public(self, public: dict[str, aws.ec2.Subnet]) -> aws.ec2.RouteTable:
        self._gateway = aws.ec2.InternetGateway(
            f"{self._prefix}-internet", vpc_id=self._vpc.id, tags={"Name": self._prefix}, opts=self._child()
        )
        table = self._table(SubnetTier.PUBLIC.value)
        aws.ec2.Route(
            f"{self._prefix}-public-internet",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=self._gateway.id,
            opts=self._child(),
        )
        self._associate({f"public-{zone}": (subnet, table) for zone, subnet in public.items()})
        return table

    def _route_private(
        self, private: dict[str, aws.ec2.Subnet], public: dict[str, aws.ec2.Subnet]
    ) -> tuple[dict[str, aws.ec2.RouteTable], list[pulumi.Output[str]]]:
        """A table for each zone in every mode, so that another mode changes routes and moves no subnet."""
        gateways, addresses = self._nat_gateways(public)
        tables = {zone: self._table(f"private-{zone}") for zone in self._zones}
        self._associate({f"private-{zone}": (subnet, tables[zone]) for zone, subnet in private.items()})
        self._ways_out = [
            aws.ec2.Route(
                f"{self._prefix}-private-{zone}-internet",
                route_table_id=tables[zone].id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateway.id,
                opts=self._child(),
            )
            for zone, gateway in gateways.items()
        ]
        return tables, addresses

    def _nat_gateways(
        self, public: dict[str, aws.ec2.Subnet]
    ) -> tuple[dict[str, aws.ec2.NatGateway], list[pulumi.Output[str]]]:
        """The gateway that each zone uses, and their public addresses."""
        mode = self._args.get("nat", NatMode.PER_ZONE)
        self._gateway_ids: dict[str, pulumi.Output[str]] = {}
        if mode is NatMode.NONE:
            return {}, []
        # A gateway works only in a VPC that has its internet gateway; no value carries that.
        after = self._child(depends_on=[self._gateway])
        if mode is NatMode.REGIONAL:
            shared = aws.ec2.NatGateway(
                f"{self._prefix}-nat",
                availability_mode="regional",
                vpc_id=self._vpc.id,
                tags={"Name": self._prefix},
                opts=after,
            )
            self._gateway_ids = {"regional": shared.id}
            return dict.fromkeys(self._zones, shared), []
        homes = nat_zones(mode, self._zones)
        gateways, addresses = {}, []
        for zone in homes:
            name = f"{self._prefix}-nat-{zone}"
            address = aws.ec2.Eip(name, domain="vpc", tags={"Name": name}, opts=after)
            gateways[zone] = aws.ec2.NatGateway(
                name, allocation_id=address.id, subnet_id=public[zone].id, tags={"Name": name}, opts=after
            )
            addresses.append(address.public_ip)
            self._gateway_ids[zone] = gateways[zone].id
        return {zone: gateways.get(zone, gateways[homes[0]]) for zone in self._zones}, addresses

    def _once_routed(self, private: dict[str, aws.ec2.Subnet]) -> pulumi.Output[list[str]]:
        """The private subnets' ids, which also depend on the routes: what starts there finds its way out, and what is
        deleted there is gone before the way is."""
        ids = [subnet.id for subnet in private.values()]
        return pulumi.Output.all(*ids, *[route.id for route in self._ways_out]).apply(lambda known: known[: len(ids)])

    def _guard_data(self, plan: pulumi.Output[SubnetPlan], data: dict[str, aws.ec2.Subnet]) -> None:
        """The data tier answers private subnets on the data ports, and talks within itself."""
        ports = self._args.get("data_ports", DATA_PORTS)
        acl = aws.ec2.NetworkAcl(
            f"{self._prefix}-data", vpc_id=self._vpc.id, tags={"Name": f"{self._prefix}-data"}, opts=self._child()
        )
        private_block = plan.apply(lambda known: known.block(SubnetTier.PRIVATE))
        data_block = plan.apply(lambda known: known.block(SubnetTier.DATA))

        def rule(key: str, number: int, egress: bool, block: pulumi.Output[str], ports: tuple[int, int]) -> None:
            aws.ec2.NetworkAclRule(
                f"{self._prefix}-data-{key}",
                network_acl_id=acl.id,
                rule_number=number,
                egress=egress,
                protocol="6",  # TCP, as AWS returns it
                rule_action="allow",
                cidr_block=block,
                from_port=ports[0],
                to_port=ports[1],
                opts=self._child(),
            )

        for purpose, port in ports.items():
            # A rule's number is its port, so that another purpose renumbers none.
            rule(f"from-private-{purpose}", port, False, private_block, (port, port))
        rule("from-data", 100, False, data_block, _EPHEMERAL)
        rule("to-private", 200, True, private_block, _EPHEMERAL)
        rule("to-data", 100, True, data_block, _EPHEMERAL)
        for zone, subnet in data.items():
            aws.ec2.NetworkAclAssociation(
                f"{self._prefix}-data-{zone}", network_acl_id=acl.id, subnet_id=subnet.id, opts=self._child()
            )

    def _endpoints(self, private: dict[str, aws.ec2.Subnet], tables: list[aws.ec2.RouteTable]) -> None:
        region = self._args["scope"]["region"]
        for service in GATEWAY_ENDPOINTS:
            aws.ec2.VpcEndpoint(
                f"{self._prefix}-{service}",
                vpc_id=self._vpc.id,
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{region}.{service}",
                route_table_ids=[table.id for table in tables],
                tags={"Name": f"{self._prefix}-{service}"},
                opts=self._child(),
            )
        services = self._args.get("interface_endpoints", list(INTERFACE_ENDPOINTS))
        if not services:
            return
        members = AwsSecurityGroup(
            f"{self._prefix}-endpoints",
            {
                "vpc_id": self._vpc.id,
                "description": "Private addresses of AWS services",
                "ingress": {"vpc": {"port": 443, "cidr": self._args["cidr"]}},
            },
            self._child(),
        )
        for service in services:
            aws.ec2.VpcEndpoint(
                f"{self._prefix}-{service}",
                vpc_id=self._vpc.id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{region}.{service}",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in private.values()],
                security_group_ids=[members.group_id],
                tags={"Name": f"{self._prefix}-{service}"},
                opts=self._child(),
            )


def _plan(cidr: str) -> str | None:
    try:
        SubnetPlan(cidr)
    except ValueError as error:
        return str(error)
    return None


def _port(ports: dict[str, int]) -> str | None:
    wrong = [f"{purpose}: {port}" for purpose, port in ports.items() if not 101 <= port <= 32766]
    if wrong:
        return f"{', '.join(wrong)}: give ports from 101 to 32766, which number their rules"
    return None if len(set(ports.values())) == len(ports) else "give each port once"


def _checked(name: str, args: AwsNetworkArgs) -> AwsNetworkArgs:
    subject = f"AwsNetwork {name}"
    rules = {"cidr": _plan, "flow_log_days": log_retention, "data_ports": _port}
    args = checked(AwsNetworkArgs, args, subject, rules)
    problems = []
    region = args["scope"]["region"]
    for i, zone in enumerate(args["zones"]):
        path = f"zones[{i}]"
        try:
            zone_slot(zone)
        except ValueError as error:
            problems.append(Problem(path, zone, str(error)))
            continue
        if zone[:-1] != region:
            problems.append(Problem(path, zone, f"is not in {region}; name one of its zones"))
        if zone in args["zones"][:i]:
            problems.append(Problem(path, zone, "stands twice; name each zone once"))
    if len(args["zones"]) < 2:
        problems.append(
            Problem("zones", args["zones"], "name two zones or more: one alone is a single point of failure")
        )
    unknown = set(args.get("interface_endpoints", [])) & set(GATEWAY_ENDPOINTS)
    problems += [
        Problem("interface_endpoints", service, "has a gateway endpoint already; leave it out")
        for service in sorted(unknown)
    ]
    if problems:
        raise InputError(subject, problems)
    return args
