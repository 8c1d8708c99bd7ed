"""The AWS network."""

import ipaddress
from typing import Any

import pulumi
import pytest

from components.network.aws import INTERFACE_ENDPOINTS, AwsNetwork, NatMode, nat_zones
from preview.plan import Plan
from preview.project import PreviewError

from ..support import known, one, planned, recorded, remedies
from .examples.network import NETWORK

SUBNET = "aws:ec2/subnet:Subnet"


def network(**changes: Any) -> Plan:
    return planned(lambda opts: AwsNetwork("net", {**NETWORK, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(**changes: Any) -> dict[str, str]:
    return remedies(lambda: AwsNetwork("net", {**NETWORK, **changes}))  # pyright: ignore[reportArgumentType]


def subnets(plan: Plan) -> dict[str, str]:
    return {each.name: each.inputs["cidrBlock"] for each in plan.of_type(SUBNET)}


def route_targets(plan: Plan) -> dict[str, Any]:
    return {
        each.name: each.inputs.get("natGatewayId") or each.inputs.get("gatewayId")
        for each in plan.of_type("aws:ec2/route:Route")
    }


def test_every_zone_has_a_subnet_of_each_tier() -> None:
    assert set(subnets(network())) == {
        f"net-{tier}-eu-central-1{zone}" for tier in ("public", "private", "data") for zone in "ab"
    }


def test_another_zone_changes_no_resource_that_was_there() -> None:
    """Neither names nor blocks: the diff of adding a zone holds additions only."""
    before, after = network(), network(zones=["eu-central-1c", "eu-central-1b", "eu-central-1a"])
    kept = {each.urn: each.inputs for each in after.resources if each.custom}
    lists_every_zone = ("routeTableIds", "subnetIds")
    for each in before.resources:
        if each.custom:
            same = {key: value for key, value in each.inputs.items() if key not in lists_every_zone}
            assert same.items() <= kept[each.urn].items(), each.name


@pytest.mark.parametrize(
    ("mode", "gateways", "targets"),
    [
        (NatMode.NONE, 0, set()),
        (NatMode.SINGLE, 1, {"net-nat-eu-central-1a-id"}),
        (NatMode.PER_ZONE, 2, {"net-nat-eu-central-1a-id", "net-nat-eu-central-1b-id"}),
        (NatMode.REGIONAL, 1, {"net-nat-id"}),
    ],
)
def test_nat_modes(mode: NatMode, gateways: int, targets: set[str]) -> None:
    plan = network(nat=mode)
    assert len(plan.of_type("aws:ec2/natGateway:NatGateway")) == gateways
    private = {name: target for name, target in route_targets(plan).items() if "private" in name}
    assert set(private.values()) == targets
    assert len(private) == (0 if mode is NatMode.NONE else 2)


def test_each_zone_goes_out_through_its_own_gateway() -> None:
    assert route_targets(network())["net-private-eu-central-1b-internet"] == "net-nat-eu-central-1b-id"


def test_a_regional_gateway_names_the_vpc_and_no_subnet() -> None:
    gateway = one(network(nat=NatMode.REGIONAL), "aws:ec2/natGateway:NatGateway")
    assert gateway["vpcId"] == "net-vpc-id"
    assert gateway["availabilityMode"] == "regional"
    assert "subnetId" not in gateway
    assert "allocationId" not in gateway


def test_another_nat_mode_moves_no_subnet_to_another_table() -> None:
    def associations(plan: Plan) -> dict[str, Any]:
        return {each.urn: each.inputs for each in plan.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")}

    assert associations(network(nat=NatMode.SINGLE)) == associations(network(nat=NatMode.PER_ZONE))


def test_data_subnets_have_no_way_to_the_internet() -> None:
    plan = network()
    associations = plan.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
    tables = {each.inputs["routeTableId"] for each in associations if "-data-" in each.name}
    assert tables == {"net-data-id"}
    assert not [each for each in plan.of_type("aws:ec2/route:Route") if each.inputs["routeTableId"] == "net-data-id"]


def test_private_subnets_are_known_once_their_routes_are_there() -> None:
    """A node group in them must find its way out, and leave before the way is gone."""
    import pulumi_aws as aws

    def program() -> None:
        cloud = aws.Provider("cloud")
        net = AwsNetwork("net", NETWORK, pulumi.ResourceOptions(provider=cloud))
        aws.ec2.Instance("node", subnet_id=net.private_subnet_ids[0], opts=pulumi.ResourceOptions(provider=cloud))

    plan = recorded(program, answer=known).plan
    node = plan.of_type("aws:ec2/instance:Instance")[0]
    assert node.inputs["subnetId"] == "net-private-eu-central-1a-id"
    waits = {plan.resource(urn).name for urn in plan.waits_for(node.urn)}
    assert {f"net-private-eu-central-1{zone}-internet" for zone in "ab"} <= waits


def test_a_nat_gateway_waits_for_the_internet_gateway() -> None:
    plan = network()
    for gateway in plan.of_type("aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip"):
        assert "net-internet" in {plan.resource(urn).name for urn in plan.waits_for(gateway.urn)}


def test_the_default_group_is_locked() -> None:
    group = one(network(), "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert group["vpcId"] == "net-vpc-id"
    assert not {"ingress", "egress"} & set(group)


@pytest.mark.parametrize(
    ("mode", "zones"),
    [
        ("none", set()),
        ("single", {"eu-central-1a"}),
        ("perZone", {"eu-central-1a", "eu-central-1b"}),
        ("regional", {"regional"}),
    ],
)
def test_gateways_are_told_by_zone(mode: str, zones: set[str]) -> None:
    plan = network(nat=NatMode(mode))
    outputs = next(each for each in plan.resources if each.type == "plinth:index:AwsNetwork").outputs
    assert set(outputs["natGatewayIds"]) == zones
    assert set(nat_zones(NatMode(mode), ["eu-central-1a", "eu-central-1b"])) == zones - {"regional"}


def test_blocks_are_known_before_there_is_a_network() -> None:
    """Policies of a cluster's network name them, and a preview shows them."""
    plan = planned(lambda opts: AwsNetwork("net", NETWORK, opts), None)
    outputs = next(each for each in plan.resources if each.type == "plinth:index:AwsNetwork").outputs
    made = subnets(plan)
    assert outputs["vpcCidr"] == NETWORK["cidr"]
    for tier in ("private", "data"):
        assert outputs[f"{tier}Cidrs"] == [made[f"net-{tier}-{zone}"] for zone in NETWORK["zones"]]


def test_private_subnets_carry_the_tags_by_which_a_cluster_finds_them() -> None:
    plan = network(private_tags={"karpenter.sh/discovery": "shop"})
    found = {each.inputs["tags"]["subnet-tier"] for each in plan.of_type("aws:ec2/subnet:Subnet")
             if each.inputs["tags"].get("karpenter.sh/discovery") == "shop"}  # fmt: skip
    assert found == {"private"}


def test_the_data_tier_lets_in_private_subnets_on_data_ports_only() -> None:
    plan = network(data_ports={"postgres": 5432, "redis": 6379})
    rules = {each.name: each.inputs for each in plan.of_type("aws:ec2/networkAclRule:NetworkAclRule")}
    opened = {
        (rule["cidrBlock"], rule["fromPort"], rule["toPort"], rule["egress"], rule["protocol"])
        for rule in rules.values()
    }
    private, data = "10.20.0.0/17", "10.20.192.0/18"
    assert opened == {
        (private, 5432, 5432, False, "6"),
        (private, 6379, 6379, False, "6"),
        (data, 1024, 65535, False, "6"),
        (private, 1024, 65535, True, "6"),
        (data, 1024, 65535, True, "6"),
    }
    assert all(rule["ruleAction"] == "allow" for rule in rules.values())
    for each in plan.of_type(SUBNET):
        inside = ipaddress.IPv4Network(each.inputs["cidrBlock"]).subnet_of(ipaddress.IPv4Network(private))
        assert inside == ("-private-" in each.name), "public subnets must not stand in the block that is let in"


def test_rule_numbers_stay_when_a_port_is_added() -> None:
    def numbers(plan: Plan) -> dict[str, int]:
        return {each.name: each.inputs["ruleNumber"] for each in plan.of_type("aws:ec2/networkAclRule:NetworkAclRule")}

    before, after = (
        numbers(network(data_ports={"redis": 6379})),
        numbers(network(data_ports={"amqps": 5671, "redis": 6379})),
    )
    assert before.items() <= after.items()


def test_flow_logs_record_all_traffic_into_an_encrypted_group() -> None:
    plan = network()
    log = one(plan, "aws:ec2/flowLog:FlowLog")
    assert (log["trafficType"], log["vpcId"]) == ("ALL", "net-vpc-id")
    group = one(plan, "aws:cloudwatch/logGroup:LogGroup")
    assert (group["retentionInDays"], group["kmsKeyId"]) == (365, NETWORK["log_key_arn"])
    waits = {plan.resource(urn).type for urn in plan.waits_for(plan.of_type("aws:ec2/flowLog:FlowLog")[0].urn)}
    assert "aws:iam/rolePolicy:RolePolicy" in waits


def test_endpoints_keep_traffic_to_aws_off_the_internet() -> None:
    plan = network()
    endpoints = {each.name: each.inputs for each in plan.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")}
    gateways = {name for name, each in endpoints.items() if each["vpcEndpointType"] == "Gateway"}
    assert gateways == {"net-s3", "net-dynamodb"}
    assert set(endpoints) - gateways == {f"net-{service}" for service in INTERFACE_ENDPOINTS}
    # Everything in every tier finds S3 without NAT.
    assert set(endpoints["net-s3"]["routeTableIds"]) == {
        each.name + "-id" for each in plan.of_type("aws:ec2/routeTable:RouteTable")
    }
    rule = one(plan, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert (rule["fromPort"], rule["toPort"], rule["cidrIpv4"]) == (443, 443, "10.20.0.0/16")


def test_without_interface_endpoints_there_is_no_group_for_them() -> None:
    assert not network(interface_endpoints=[]).of_type("aws:ec2/securityGroup:SecurityGroup")


def test_the_block_may_be_an_output_and_is_checked_when_known() -> None:

    def later(cidr: str) -> Plan:
        return planned(lambda opts: AwsNetwork("net", {**NETWORK, "cidr": pulumi.Output.from_input(cidr)}, opts))

    assert subnets(later("10.20.0.0/16")) == subnets(network())
    with pytest.raises(PreviewError, match=r"cidr=10\.20\.0\.0/24: too small for 8 zones"):
        later("10.20.0.0/24")


def test_bad_args_are_refused_before_anything_is_made() -> None:
    assert "too small" in refused(cidr="10.0.0.0/22")["cidr"]
    assert "one alone" in refused(zones=["eu-central-1a"])["zones"]
    assert "stands twice" in refused(zones=["eu-central-1a", "eu-central-1a"])["zones[1]"]
    assert "is not in eu-central-1" in refused(zones=["eu-central-1a", "eu-west-1b"])["zones[1]"]
    assert "CloudWatch keeps logs for one of" in refused(flow_log_days=100)["flow_log_days"]
    assert "gateway endpoint already" in refused(interface_endpoints=["s3"])["interface_endpoints"]
    assert "101 to 32766" in refused(data_ports={"web": 80})["data_ports"]
    assert "each port once" in refused(data_ports={"one": 5432, "two": 5432})["data_ports"]
    assert refused(nat="zonal")["nat"] == "did you mean `regional`? choose one of none, single, perZone, regional"
