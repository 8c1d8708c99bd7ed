"""Identities of a cluster's add-ons on AWS."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.security.pod_roles import AwsPodRole
from policy.catalogue import judge
from preview.plan import Plan

from ..support import one, planned, remedies, statements
from .examples.add_on_identities import EVERYTHING, PODS, RECORDS
from .examples.shared import HOME

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
PARAMETER = "aws:ssm/parameter:Parameter"

BARE: dict[str, Any] = {key: value for key, value in RECORDS.items() if key != "dns_zone_ids"}
EC2 = "arn:aws:ec2:eu-central-1:123456789012"
ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
TAG = "elbv2.k8s.aws/cluster"
NEW, MADE = {f"aws:RequestTag/{TAG}": "shop"}, {f"aws:ResourceTag/{TAG}": "shop"}


def role(**changes: Any) -> Plan:
    return planned(lambda opts: AwsPodRole("add-on", {**BARE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def granted(**changes: Any) -> dict[str, dict[str, Any]]:
    return statements(one(role(**changes), POLICY)["policy"])


def load_balancers(**changes: Any) -> dict[str, dict[str, Any]]:
    return granted(load_balancers={"vpc_id": "vpc-1"}, **changes)


def refused(name: str = "add-on", **changes: Any) -> dict[str, str]:
    args: Any = {**BARE, **changes}
    return remedies(lambda: AwsPodRole(name, args))


def test_records_change_in_the_named_zones_and_are_of_hosts_alone() -> None:
    made = granted(dns_zone_ids=["Z1", "Z2"])
    zones = ["arn:aws:route53:::hostedzone/Z1", "arn:aws:route53:::hostedzone/Z2"]
    assert set(made) == {"Records", "ReadRecords", "ListZones"}
    assert made["Records"] == {
        "Sid": "Records",
        "Effect": "Allow",
        "Action": ["route53:ChangeResourceRecordSets"],
        "Resource": zones,
        "Condition": {
            "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME", "TXT"]}
        },
    }
    assert (made["ReadRecords"]["Action"], made["ReadRecords"]["Resource"]) == (
        ["route53:ListResourceRecordSets"],
        zones,
    )


def test_records_can_be_those_of_some_hosts() -> None:
    made = granted(dns_zone_ids=["Z1"], dns_names=["portal.shop.example"])
    assert made["Records"]["Condition"]["ForAllValues:StringLike"] == {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [
            "portal.shop.example",
            "*-portal.shop.example",
            "*.portal.shop.example",
        ]
    }


def test_load_balancers_are_made_for_this_cluster_and_for_the_network_alone() -> None:
    made = load_balancers()
    assert made["Make"]["Resource"] == [f"{ELB}:loadbalancer/net/*/*", f"{ELB}:targetgroup/*/*"]
    assert made["Make"]["Condition"] == {"StringEquals": NEW}
    assert made["TagNew"]["Condition"]["StringEquals"].items() >= NEW.items()
    assert set(made["TagNew"]["Condition"]["StringEquals"]["elasticloadbalancing:CreateAction"]) == {
        action.partition(":")[2] for action in made["Make"]["Action"]
    }
    everything = {*made["Make"]["Resource"], f"{ELB}:listener/net/*/*/*"}
    assert set(made["TagNew"]["Resource"]) == set(made["Change"]["Resource"]) == everything


@pytest.mark.parametrize("sid", ["Change", "Tag", "Groups", "TagGroups"])
def test_what_is_there_changes_where_it_has_the_clusters_tag(sid: str) -> None:
    assert load_balancers()[sid]["Condition"]["StringEquals"] == MADE


@pytest.mark.parametrize("sid", ["Tag", "TagGroups"])
def test_the_clusters_tag_itself_stays(sid: str) -> None:
    assert load_balancers()[sid]["Condition"]["Null"] == {f"aws:RequestTag/{TAG}": "true"}


def test_security_groups_are_made_in_the_vpc_with_the_clusters_tag() -> None:
    made = load_balancers()
    assert made["MakeGroups"]["Resource"] == [f"{EC2}:security-group/*"]
    assert made["MakeGroups"]["Condition"] == {"StringEquals": NEW}
    assert made["MakeGroupsHere"]["Resource"] == [f"{EC2}:vpc/vpc-1"]
    assert made["TagNewGroups"]["Condition"] == {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", **NEW}}


def test_of_other_security_groups_the_nodes_alone_is_opened_and_never_deleted() -> None:
    statement = load_balancers()["GroupOfNodes"]
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/kubernetes.io/cluster/shop": "owned"}}
    assert set(statement["Action"]) == {"ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"}


def test_the_controller_may_ask_what_it_and_elastic_load_balancing_need_to_know() -> None:
    """Whatever one of them asks and does not get ends the reconciliation."""
    asked = set(load_balancers()["Look"]["Action"])
    assert {
        *("ec2:DescribeAvailabilityZones", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:DescribeRouteTables"),
        *("ec2:DescribeNetworkInterfaces", "ec2:DescribeInstances", "ec2:DescribeSecurityGroups"),
        *("ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeInternetGateways"),
        "ec2:GetSecurityGroupsForVpc",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetHealth",
    } <= asked


def test_the_role_of_elastic_load_balancing_is_all_that_is_made_in_iam() -> None:
    made = load_balancers()
    assert made["LinkedRole"]["Resource"] == [
        "arn:aws:iam::123456789012:role/aws-service-role/elasticloadbalancing.amazonaws.com/"
        "AWSServiceRoleForElasticLoadBalancing"
    ]
    assert [sid for sid, each in made.items() if any(action.startswith("iam:") for action in each["Action"])] == [
        "LinkedRole"
    ]


def test_node_groups_of_this_cluster_are_resized() -> None:
    made = granted(node_groups=True)
    assert made["Resize"] == {
        "Sid": "Resize",
        "Effect": "Allow",
        "Action": ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
        "Resource": ["arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/*"],
        "Condition": {"StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/shop": "owned"}},
    }
    assert made["LookAtNodeGroups"]["Resource"] == ["arn:aws:eks:eu-central-1:123456789012:nodegroup/shop/*/*"]
    assert "autoscaling:DescribeAutoScalingGroups" in made["LookAtNodes"]["Action"]


def test_only_questions_are_about_everything_and_from_here_alone() -> None:
    about_everything = {sid: each for sid, each in granted(**EVERYTHING).items() if "*" in each["Resource"]}
    assert set(about_everything) == {"ListZones", "Look", "LookAtNodes"}
    for sid, each in about_everything.items():
        assert all(action.partition(":")[2].startswith(("Describe", "Get", "List")) for action in each["Action"])
        assert each["Condition"]["StringEquals"] in (
            {"aws:RequestedRegion": "eu-central-1"},
            {"aws:PrincipalTag/kubernetes-service-account": "external-dns"},
        ), sid


def test_nothing_is_granted_that_was_not_asked_for() -> None:
    services = {
        "dns_zone_ids": {"route53"},
        "load_balancers": {"ec2", "elasticloadbalancing", "iam"},
        "node_groups": {"autoscaling", "ec2", "eks"},
    }
    for asked, expected in services.items():
        made = granted(**{asked: EVERYTHING[asked]})  # pyright: ignore[reportTypedDictNotRequiredAccess]
        actions = [action for each in made.values() for action in each["Action"]]
        assert {action.partition(":")[0] for action in actions} == expected


def test_the_whole_fits_into_a_role() -> None:
    policy = one(role(**EVERYTHING), POLICY)["policy"]
    assert len(json.dumps(json.loads(policy), separators=(",", ":"))) < 10240


def test_the_pods_of_one_service_account_take_the_role() -> None:
    plan = role(node_groups=True)
    (trusted,) = statements(one(plan, ROLE)["assumeRolePolicy"]).values()
    assert trusted["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trusted["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": "123456789012",
            "aws:RequestTag/kubernetes-namespace": "external-dns",
            "aws:RequestTag/kubernetes-service-account": "external-dns",
        },
        "ArnEquals": {"aws:SourceArn": PODS["cluster_arn"]},
    }
    assert one(plan, ASSOCIATION) == {
        "clusterName": "shop",
        "namespace": "external-dns",
        "serviceAccount": "external-dns",
        "roleArn": "arn:aws:mock:region:123456789012:add-on",
    }


def test_pods_can_wait_until_they_get_their_role() -> None:
    """A pod that is made before gets none, and nobody gives it one later."""

    def make(opts: pulumi.ResourceOptions) -> None:
        made = AwsPodRole("add-on", RECORDS, opts)
        aws.ssm.Parameter("pod", type="SecureString", value=made.identity, opts=opts)

    plan = planned(make)
    waits = plan.waits_for(plan.of_type(PARAMETER)[0].urn)
    assert {each.urn for each in plan.of_type(POLICY, ASSOCIATION)} <= waits


def test_a_cluster_that_is_not_there_yet_can_be_named() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        cluster = pulumi.Output.from_input("shop")
        args: Any = {**BARE, "pods": {**PODS, "cluster_name": cluster}, "node_groups": True}
        AwsPodRole("add-on", args, opts)

    assert statements(one(planned(make), POLICY)["policy"]) == granted(node_groups=True)


def test_another_partition_has_its_own_arns() -> None:
    made = granted(**{**EVERYTHING, "scope": {**HOME, "partition": "aws-cn"}})
    arns = [resource for each in made.values() for resource in each["Resource"] if resource != "*"]
    assert {arn.split(":")[1] for arn in arns} == {"aws-cn"}


def test_the_catalogue_has_nothing_against_it() -> None:
    findings = judge(role(**EVERYTHING))
    assert not [each for each in findings if not each.rule.startswith("provider-")]


def test_a_role_that_would_grant_nothing_is_refused() -> None:
    assert "grants nothing" in refused()["args"]
    assert "grants nothing" in refused(dns_zone_ids=[], node_groups=False)["args"]


def test_bad_args_are_refused_together() -> None:
    assert refused(dns_zone_ids=["/hostedzone/Z1"], dns_names=["Portal.shop.example", "shop.example."]) == {
        "dns_zone_ids[0]": "give the zone's id alone, such as Z0123456789ABC",
        "dns_names[0]": "write it in small letters and without a dot at the end, as portal.example.com or "
        "*.example.com",
        "dns_names[1]": "write it in small letters and without a dot at the end, as portal.example.com or "
        "*.example.com",
    }
    assert "`dns_zone_ids`" in refused(dns_names=["a.example"], node_groups=True)["dns_names"]
    assert "use 56 or fewer" in refused(name="r" * 57, node_groups=True)["name"]
