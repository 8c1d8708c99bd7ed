"""Identities of a cluster's add-ons on AWS."""

import re
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name, known_after
from ..problems import InputError, Problem
from .iam import PodIdentity
from .policy import AwsScope, allow, arn, document, pod_trust

RECORD_TYPES = ("A", "AAAA", "CNAME", "TXT")
"""The types of records that an add-on keeps: where hosts are, and a text beside each that says whose it is."""
CONTROLLER_TAG = "elbv2.k8s.aws/cluster"
"""The tag by which the AWS Load Balancer Controller knows what it has made, with the cluster's name as its value."""

_HOST = r"(\*\.)?([a-z0-9_-]+\.)+[a-z0-9-]+"
_ZONE = r"Z[A-Z0-9]+"
_SECURITY_GROUPS = (
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupIngress",
)
# What the controller itself asks, and what Elastic Load Balancing asks in its name when it makes a load balancer.
_LOOKS_AT_NETWORK = (
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:GetSecurityGroupsForVpc",
)
_LOOKS_AT_LOAD_BALANCERS = tuple(
    f"elasticloadbalancing:Describe{what}"
    for what in (
        "ListenerAttributes",
        "ListenerCertificates",
        "Listeners",
        "LoadBalancerAttributes",
        "LoadBalancers",
        "Rules",
        "Tags",
        "TargetGroupAttributes",
        "TargetGroups",
        "TargetHealth",
    )
)
_MAKES = ("CreateListener", "CreateLoadBalancer", "CreateTargetGroup")
_CHANGES = (
    "AddListenerCertificates",
    "DeleteListener",
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "DeregisterTargets",
    "ModifyListener",
    "ModifyListenerAttributes",
    "ModifyLoadBalancerAttributes",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "RegisterTargets",
    "RemoveListenerCertificates",
    "SetIpAddressType",
    "SetSecurityGroups",
    "SetSubnets",
)
_LOOKS_AT_NODES = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)


class LoadBalancerGrant(TypedDict):
    """Where network load balancers are made."""

    vpc_id: pulumi.Input[str]
    """Id of the cluster's VPC."""


class AwsPodRoleArgs(TypedDict):
    """What one add-on needs: one of `dns_zone_ids`, `load_balancers` and `node_groups`, or several."""

    scope: AwsScope
    """Account and region of the cluster."""
    description: str
    """What the add-on does."""
    pods: PodIdentity
    """The pods that take the role, in their cluster."""
    dns_zone_ids: NotRequired[list[pulumi.Input[str]]]
    """Ids of the hosted zones in which it keeps records of hosts (A, AAAA, CNAME) and of whose they are (TXT), as
    external-dns does. Default: none."""
    dns_names: NotRequired[list[str]]
    """Hosts whose records alone it keeps, such as `portal.example.com` or `*.eu.example.com`, and what stands before
    them, where external-dns writes down whose they are. Default: all that are in the zones."""
    load_balancers: NotRequired[LoadBalancerGrant]
    """Network load balancers that it makes for the cluster's services, as the AWS Load Balancer Controller does.
    Default: none."""
    node_groups: NotRequired[bool]
    """Whether it resizes the cluster's node groups, as the cluster autoscaler does. Default: no."""


class AwsPodRole(Component):
    """The IAM role that an add-on's pods take through EKS Pod Identity, with exactly what it needs (CKV_AWS_355,
    CKV_AWS_290, CKV2_AWS_40): what is in the given zones, and what carries the cluster's tags. Only questions to which
    AWS knows no narrower resource are about everything, and these in the cluster's region or from its pods alone.

    Of the AWS Load Balancer Controller it is for services alone: the controller's parts for WAF and Shield are to be
    turned off, and application load balancers are refused to it.

    Raises `InputError` for bad args and for a role that would grant nothing.
    """

    identity: pulumi.Output[str]
    """ARN of the role. Known once pods that start get it, with all that it grants."""
    role_name: pulumi.Output[str]
    """Name of the role."""

    def __init__(self, name: str, args: AwsPodRoleArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsPodRole {name}"
        args = checked(AwsPodRoleArgs, args, subject)
        # IAM takes 64 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 56, r"[\w+=,.@-]+", "IAM takes letters, digits and _+=,.@-")
        if problems := list(_problems(name, args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        pods = args["pods"]
        role = aws.iam.Role(
            name,
            description=args["description"],
            assume_role_policy=pod_trust(
                args["scope"], pods["cluster_arn"], pods["namespace"], pods["service_account"]
            ),
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(name, role=role.id, policy=document(*_statements(args)), opts=self._child())
        association = aws.eks.PodIdentityAssociation(
            name,
            cluster_name=pods["cluster_name"],
            namespace=pods["namespace"],
            service_account=pods["service_account"],
            role_arn=role.arn,
            opts=self._child(),
        )
        # A pod gets its role when it is made, and never later.
        self.identity = known_after(role.arn, policy.id, association.id)
        self.role_name = role.name
        self._register()


def _statements(args: AwsPodRoleArgs) -> Iterator[dict[str, Any]]:
    if args.get("dns_zone_ids"):
        yield from _records(args)
    if "load_balancers" in args:
        yield from _load_balancers(args, args["load_balancers"])
    if args.get("node_groups", False):
        yield from _node_groups(args)


def _records(args: AwsPodRoleArgs) -> Iterator[dict[str, Any]]:
    zones: list[pulumi.Input[str]] = [
        pulumi.Output.concat(f"arn:{_partition(args)}:route53:::hostedzone/", zone)
        for zone in args.get("dns_zone_ids", [])
    ]
    some: dict[str, dict[str, Any]] = {
        "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": list(RECORD_TYPES)}
    }
    if names := args.get("dns_names", []):
        # The text about a host is at `<type>-<host>`, with what the add-on is told to put before it.
        patterns = [pattern for host in names for pattern in (host, f"*-{host}", f"*.{host}")]
        some["ForAllValues:StringLike"] = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": patterns}
    yield allow("Records", ["route53:ChangeResourceRecordSets"], zones, when=some)
    yield allow("ReadRecords", ["route53:ListResourceRecordSets"], zones)
    # Zones are listed all or not at all. Route 53 is in no region: the session's own tag holds it to these pods.
    theirs = {"StringEquals": {"aws:PrincipalTag/kubernetes-service-account": args["pods"]["service_account"]}}
    yield allow("ListZones", ["route53:ListHostedZones"], ["*"], when=theirs)


def _load_balancers(args: AwsPodRoleArgs, grant: LoadBalancerGrant) -> Iterator[dict[str, Any]]:
    """What of the controller's published policy network load balancers need. Where that asks for any cluster's tag,
    this asks for this cluster's."""
    scope, cluster = args["scope"], args["pods"]["cluster_name"]
    new = {f"aws:RequestTag/{CONTROLLER_TAG}": cluster}
    made = {f"aws:ResourceTag/{CONTROLLER_TAG}": cluster}
    # It may not take its own tag away, nor put another cluster's in its place.
    tag_stays = {f"aws:RequestTag/{CONTROLLER_TAG}": "true"}
    groups = [arn(scope, "ec2", "security-group/*")]
    vpc = pulumi.Output.concat(arn(scope, "ec2", "vpc/"), grant["vpc_id"])
    balancers = [arn(scope, "elasticloadbalancing", kind) for kind in ("loadbalancer/net/*/*", "targetgroup/*/*")]
    all_of_them = [*balancers, arn(scope, "elasticloadbalancing", "listener/net/*/*/*")]
    linked = "role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"

    yield allow(
        "LinkedRole",
        ["iam:CreateServiceLinkedRole"],
        [arn(scope, "iam", linked, regional=False)],
        when={"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
    )
    yield _look(args, "Look", [*_LOOKS_AT_NETWORK, *_LOOKS_AT_LOAD_BALANCERS])
    yield allow("MakeGroups", ["ec2:CreateSecurityGroup"], groups, when={"StringEquals": new})
    yield allow("MakeGroupsHere", ["ec2:CreateSecurityGroup"], [vpc])
    yield allow(
        "TagNewGroups",
        ["ec2:CreateTags"],
        groups,
        when={"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", **new}},
    )
    yield allow(
        "TagGroups", ["ec2:CreateTags", "ec2:DeleteTags"], groups, when={"StringEquals": made, "Null": tag_stays}
    )
    yield allow("Groups", [*_SECURITY_GROUPS, "ec2:DeleteSecurityGroup"], groups, when={"StringEquals": made})
    owned = _owned("kubernetes.io/cluster", cluster)
    yield allow("GroupOfNodes", _SECURITY_GROUPS, groups, when={"StringEquals": owned})
    yield allow("Make", [f"elasticloadbalancing:{action}" for action in _MAKES], balancers, when={"StringEquals": new})
    yield allow(
        "TagNew",
        ["elasticloadbalancing:AddTags"],
        all_of_them,
        when={"StringEquals": {"elasticloadbalancing:CreateAction": list(_MAKES), **new}},
    )
    yield allow(
        "Tag",
        ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
        all_of_them,
        when={"StringEquals": made, "Null": tag_stays},
    )
    yield allow(
        "Change", [f"elasticloadbalancing:{action}" for action in _CHANGES], all_of_them, when={"StringEquals": made}
    )


def _node_groups(args: AwsPodRoleArgs) -> Iterator[dict[str, Any]]:
    scope, cluster = args["scope"], args["pods"]["cluster_name"]
    yield _look(args, "LookAtNodes", list(_LOOKS_AT_NODES))
    yield allow(
        "LookAtNodeGroups",
        ["eks:DescribeNodegroup"],
        [pulumi.Output.concat(arn(scope, "eks", "nodegroup/"), cluster, "/*/*")],
    )
    # EKS gives the groups of its node groups this tag.
    yield allow(
        "Resize",
        ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
        [arn(scope, "autoscaling", "autoScalingGroup:*:autoScalingGroupName/*")],
        when={"StringEquals": _owned("k8s.io/cluster-autoscaler", cluster)},
    )


def _look(args: AwsPodRoleArgs, sid: str, actions: list[str]) -> dict[str, Any]:
    """Questions for which EC2, Auto Scaling and Elastic Load Balancing know no resources."""
    return allow(sid, actions, ["*"], when={"StringEquals": {"aws:RequestedRegion": args["scope"]["region"]}})


def _owned(tag: str, cluster: pulumi.Input[str]) -> Any:
    """A tag that names the cluster in its key."""
    return pulumi.Output.from_input(cluster).apply(lambda known: {f"aws:ResourceTag/{tag}/{known}": "owned"})


def _partition(args: AwsPodRoleArgs) -> str:
    return args["scope"].get("partition", "aws")


def _problems(name: str, args: AwsPodRoleArgs) -> Iterator[Problem]:
    zones, names = args.get("dns_zone_ids", []), args.get("dns_names", [])
    for i, zone in enumerate(zones):
        if isinstance(zone, str) and not re.fullmatch(_ZONE, zone):
            yield Problem(f"dns_zone_ids[{i}]", zone, "give the zone's id alone, such as Z0123456789ABC")
    for i, host in enumerate(names):
        if not re.fullmatch(_HOST, host):
            remedy = "write it in small letters and without a dot at the end, as portal.example.com or *.example.com"
            yield Problem(f"dns_names[{i}]", host, remedy)
    if names and not zones:
        yield Problem("dns_names", names, "there is no zone that they are in; give `dns_zone_ids`, or leave them out")
    if not (zones or "load_balancers" in args or args.get("node_groups", False)):
        remedy = "grants nothing; give `dns_zone_ids`, `load_balancers` or `node_groups`, or make no role"
        yield Problem("args", name, remedy)
