"""Networks: who may reach whom, and what is recorded of it."""

from collections.abc import Callable, Iterator

from .demands import (
    PROD,
    absent,
    equal,
    false,
    given,
    judged,
    matching,
    not_everyone,
    true,
)
from .documents import many
from .paths import UNKNOWN
from .rule import Level, Link, Resource, Rule, Stack

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
ACL_RULE = "aws:ec2/networkAclRule:NetworkAclRule"
ACL_ASSOCIATION = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
TABLE = "aws:ec2/routeTable:RouteTable"
TABLE_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ROUTE = "aws:ec2/route:Route"
SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"

_WAYS_OUT = ("gatewayId", "natGatewayId", "egressOnlyGatewayId")
_EVERYTHING = {"ingress": {"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}}


def _holds_a_database(subnet: Resource, stack: Stack) -> bool:
    return bool(stack.pointing(subnet, SUBNET_GROUP, "subnetIds"))


def _lets_in(rule: Resource, stack: Stack) -> bool:
    return not rule.inputs.get("egress") and rule.inputs.get("ruleAction") == "allow"


def _is_interface(endpoint: Resource, stack: Stack) -> bool:
    return endpoint.inputs.get("vpcEndpointType") == "Interface"


def _serves(service: str) -> Callable[[Resource], bool]:
    def serves(endpoint: Resource) -> bool:
        name = endpoint.inputs.get("serviceName")
        return name == UNKNOWN or str(name).endswith(f".{service}")

    return serves


def _opens_every_port(rule: Resource, stack: Stack) -> Iterator[str]:
    ends = rule.inputs.get("fromPort"), rule.inputs.get("toPort")
    if ends in ((0, 65535), (1, 65535)):
        yield "every port is open"


def _leads_out(subnet: Resource, stack: Stack) -> Iterator[str]:
    for association in stack.pointing(subnet, TABLE_ASSOCIATION, "subnetId"):
        for table in stack.pointed(association, TABLE, "routeTableId"):
            inline = [
                ("an inline route", route) for route in many(table.inputs.get("routes")) if isinstance(route, dict)
            ]
            routes = [(each.name, each.inputs) for each in stack.pointing(table, ROUTE, "routeTableId")]
            for name, route in [*inline, *routes]:
                if any(route.get(way) for way in _WAYS_OUT):
                    yield f"{name} of its table {table.name} leads there"


def _spans_zones(group: Resource, stack: Stack) -> Iterator[str]:
    subnets = stack.pointed(group, SUBNET, "subnetIds")
    zones = {str(each.inputs["availabilityZone"]) for each in subnets if "availabilityZone" in each.inputs}
    fewest = 3 if stack.tier(group) == PROD else 2
    # Subnets that come from elsewhere show no zone.
    if subnets and len(zones) < fewest and UNKNOWN not in zones:
        yield f"its subnets name {len(zones)} of {fewest} zones"


RULES = (
    Rule(
        "vpc-flow-logs",
        "A VPC keeps a record of its traffic, accepted and rejected.",
        (VPC,),
        ("CKV2_AWS_11", "AWS-0178", "CIS-AWS-3.7"),
        links=(
            Link(
                "a flow log",
                FLOW_LOG,
                "vpcId",
                {"trafficType": equal("ALL", breaks=["REJECT", "ACCEPT"]), "logDestination": given()},
            ),
        ),
    ),
    Rule(
        "vpc-default-group-locked",
        "The default security group of a VPC, which everything without a group falls into, lets nothing through.",
        (VPC,),
        ("CKV2_AWS_12", "AWS-0173", "CIS-AWS-5.4"),
        links=(
            Link(
                "a locked default group",
                DEFAULT_GROUP,
                "vpcId",
                {"ingress": absent([_EVERYTHING]), "egress": absent([_EVERYTHING])},
            ),
        ),
    ),
    Rule(
        "vpc-gateway-endpoints",
        "A VPC reaches S3 and DynamoDB through gateway endpoints: they are free and private.",
        (VPC,),
        links=tuple(
            Link(
                f"a gateway endpoint for {service}",
                ENDPOINT,
                "vpcId",
                {"vpcEndpointType": equal("Gateway", breaks=["Interface"]), "routeTableIds": given()},
                only=_serves(service),
            )
            for service in ("s3", "dynamodb")
        ),
        level=Level.ADVISORY,
    ),
    Rule(
        "vpc-interface-endpoints",
        "An interface endpoint stands in subnets behind a security group of its own and answers to the service's "
        "public name: the default group lets nobody reach it.",
        (ENDPOINT,),
        demands={"privateDnsEnabled": true(), "securityGroupIds": given(), "subnetIds": given()},
        when=_is_interface,
    ),
    Rule(
        "subnet-no-public-addresses",
        "A subnet gives no public address to what starts in it.",
        (SUBNET,),
        ("CKV_AWS_130", "AWS-0164"),
        demands={"mapPublicIpOnLaunch": false()},
    ),
    Rule(
        "database-subnet-acl",
        "A subnet of a database stands behind a network ACL of its own.",
        (SUBNET,),
        ("CKV2_AWS_1",),
        links=(Link("a network ACL association", ACL_ASSOCIATION, "subnetId", {"networkAclId": given()}),),
        when=_holds_a_database,
    ),
    Rule(
        "database-subnet-no-internet",
        "A subnet of a database has a route table of its own, with no way to the internet.",
        (SUBNET,),
        links=(Link("a route table association", TABLE_ASSOCIATION, "subnetId", {"routeTableId": given()}),),
        check=_leads_out,
        when=_holds_a_database,
    ),
    Rule(
        "database-subnets-span-zones",
        "A database's subnets span two zones, and three in prod.",
        (SUBNET_GROUP,),
        demands={"subnetIds": given()},
        links=(Link("subnets", SUBNET, "subnetIds", {"availabilityZone": judged()}, outward=True, judged=True),),
        check=_spans_zones,
    ),
    Rule(
        "network-acl-narrow",
        "A network ACL lets in named ports, and not from the internet.",
        (ACL_RULE,),
        (
            "CKV_AWS_229",
            "CKV_AWS_230",
            "CKV_AWS_231",
            "CKV_AWS_232",
            "CKV_AWS_352",
            "AWS-0102",
            "AWS-0105",
            "CIS-AWS-5.1",
        ),
        demands={
            "protocol": matching(r"(?!-1$|all$).+", "name a protocol", "-1", "all"),
            "fromPort": given(),
            "toPort": given(),
            "cidrBlock": not_everyone("0.0.0.0/0", "128.0.0.0/1"),
            "ipv6CidrBlock": not_everyone("::/0"),
        },
        check=_opens_every_port,
        when=_lets_in,
    ),
    Rule(
        "security-group-described",
        "A security group, and each of its rules, says what it is for.",
        (GROUP, INGRESS, EGRESS),
        ("CKV_AWS_23", "AWS-0099", "AWS-0124"),
        demands={"description": matching(r"(?!Managed by ).+", "say what it is for", "", "Managed by Pulumi")},
        level=Level.ADVISORY,
    ),
    Rule(
        "security-group-rules-apart",
        "A security group has its rules as resources of their own: inline ones fight with them at every update.",
        (GROUP,),
        demands={"ingress": absent([_EVERYTHING]), "egress": absent([_EVERYTHING])},
    ),
    Rule(
        "security-group-no-public-ingress",
        "A security group lets nobody in from the internet.",
        (INGRESS,),
        ("CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260", "CKV_AWS_277", "AWS-0107", "CIS-AWS-5.2", "CIS-AWS-5.3"),
        demands={
            "cidrIpv4": not_everyone("0.0.0.0/0", "128.0.0.0/1"),
            "cidrIpv6": not_everyone("::/0"),
        },
    ),
    Rule(
        "security-group-named-ports",
        "A security group's rule opens one protocol and the ports that it names, not everything.",
        (INGRESS, EGRESS),
        ("CKV_AWS_277", "CKV_AWS_382"),
        demands={
            "ipProtocol": matching(r"(?!-1$|all$).+", "name a protocol", "-1"),
            "fromPort": given(),
            "toPort": given(),
        },
        check=_opens_every_port,
    ),
)
