"""Keys, security groups, service roles, namespaces."""

from typing import Any

import pulumi
import pytest

from components.network.security_group import AwsSecurityGroup
from components.platform.namespace import KubernetesNamespace
from components.problems import InputError
from components.security.iam import AwsServiceRole
from components.security.kms import EncryptionKey
from components.security.policy import pod_trust
from preview.plan import Plan

from ..support import known, one, planned, recorded, statements
from .examples.network import GROUP
from .examples.security import KEY_ARGS, ROLE
from .examples.shared import HOME, KEY, SECRET

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def key(**changes: Any) -> Plan:
    return planned(lambda opts: EncryptionKey("data", {**KEY_ARGS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def group(name: str = "web", **changes: Any) -> Plan:
    return planned(lambda opts: AwsSecurityGroup(name, {**GROUP, **changes}, opts))  # pyright: ignore[reportArgumentType]


def role(**changes: Any) -> Plan:
    return planned(lambda opts: AwsServiceRole("shop", {**ROLE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def test_a_key_rotates_and_can_be_called_back() -> None:
    made = one(key(), "aws:kms/key:Key")
    assert made["enableKeyRotation"] is True
    assert (made["rotationPeriodInDays"], made["deletionWindowInDays"]) == (365, 30)
    assert one(key(), "aws:kms/alias:Alias")["name"] == "alias/data"
    assert [each.type for each in key().resources if each.protect] == ["aws:kms/key:Key"]
    assert not [each for each in key(protect=False).resources if each.protect]


def test_a_keys_policy_leaves_access_to_iam_and_to_the_log_service_of_this_account() -> None:
    policy = statements(one(key(), "aws:kms/key:Key")["policy"])
    assert policy["Account"]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert policy["LogGroups"]["Principal"] == {"Service": "logs.eu-central-1.amazonaws.com"}
    assert policy["LogGroups"]["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:123456789012:log-group:*"}
    }
    assert set(statements(one(key(log_groups=False), "aws:kms/key:Key")["policy"])) == {"Account"}


def test_a_group_opens_what_its_rules_name() -> None:
    plan = group()
    incoming, outgoing = one(plan, INGRESS), one(plan, EGRESS)
    assert (incoming["fromPort"], incoming["toPort"], incoming["ipProtocol"]) == (8080, 8080, "tcp")
    assert incoming["referencedSecurityGroupId"] == "sg-proxy"
    assert "cidrIpv4" not in incoming
    assert outgoing["cidrIpv4"] == "0.0.0.0/0"
    assert {each.name for each in plan.of_type(INGRESS, EGRESS)} == {"web-from-proxy", "web-to-https"}
    assert not {"ingress", "egress"} & set(one(plan, "aws:ec2/securityGroup:SecurityGroup")), (
        "never mixed with inline rules"
    )


def test_a_group_opens_ranges_to_its_own_members() -> None:
    rules: dict[str, Any] = {"members": {"port": 1025, "last_port": 65535, "protocol": "udp", "members": True}}
    incoming = one(group(ingress=rules), INGRESS)
    assert (incoming["fromPort"], incoming["toPort"], incoming["ipProtocol"]) == (1025, 65535, "udp")
    assert incoming["referencedSecurityGroupId"] == incoming["securityGroupId"]


def test_a_bare_group_opens_nothing() -> None:
    plan = planned(lambda opts: AwsSecurityGroup("web", {"vpc_id": "vpc-1", "description": "Web"}, opts))
    assert not plan.of_type(INGRESS, EGRESS)


def test_another_rule_touches_no_other() -> None:
    more: dict[str, Any] = {"ingress": {"monitor": {"port": 9090, "group": "sg-monitor"}, **GROUP.get("ingress", {})}}
    before = {each.urn: each.inputs for each in group().resources}
    after = {each.urn: each.inputs for each in group(**more).resources}
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    ("changes", "path", "remedy"),
    [
        ({"ingress": {"all": {"port": 80}}}, "ingress.all", "name one peer: `group`, `cidr` or `members`"),
        (
            {"egress": {"two": {"port": 80, "group": "a", "cidr": "b"}}},
            "egress.two",
            "name one peer: `group`, `cidr` or `members`",
        ),
        ({"ingress": {"none": {"port": 0, "group": "a"}}}, "ingress.none.port", "give a port from 1 to 65535"),
        ({"ingress": {"x": {"group": "a"}}}, "ingress.x.port", "required; give a value"),
        (
            {"ingress": {"x": {"port": 90, "last_port": 80, "group": "a"}}},
            "ingress.x.last_port",
            "give `port` or more, up to 65535",
        ),
        (
            {"ingress": {"x": {"port": 80, "protocol": "all", "members": True}}},
            "ingress.x.protocol",
            "choose tcp or udp",
        ),
        ({"name": "sg-web"}, "name", "AWS reserves names that begin with sg-"),
    ],
)
def test_unfit_groups_are_refused(changes: dict[str, Any], path: str, remedy: str) -> None:
    name = changes.pop("name", "web")
    with pytest.raises(InputError) as caught:
        AwsSecurityGroup(name, {**GROUP, **changes})  # pyright: ignore[reportArgumentType]
    assert {problem.path: problem.remedy for problem in caught.value.problems} == {path: remedy}


def test_a_service_role_is_taken_by_pods_of_this_account() -> None:
    trust = statements(one(role(), "aws:iam/role:Role")["assumeRolePolicy"])["PodIdentity"]
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a_trust_names_cluster_namespace_and_service_account() -> None:
    def program() -> None:
        pulumi.export("trust", pod_trust(HOME, "arn:aws:eks:x:1:cluster/y", "shop", "web"))

    trust = statements(recorded(program, answer=known).plan.outputs["trust"])["PodIdentity"]
    assert trust["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": "123456789012",
            "aws:RequestTag/kubernetes-namespace": "shop",
            "aws:RequestTag/kubernetes-service-account": "web",
        },
        "ArnEquals": {"aws:SourceArn": "arn:aws:eks:x:1:cluster/y"},
    }


def test_a_key_encrypts_for_those_who_publish_for_this_account() -> None:
    args: Any = {**KEY_ARGS, "publishers": ["cloudwatch.amazonaws.com"]}
    plan = planned(lambda opts: EncryptionKey("alerts", args, opts))
    publishers = statements(one(plan, "aws:kms/key:Key")["policy"])["Publishers"]
    assert publishers["Principal"] == {"Service": ["cloudwatch.amazonaws.com"]}
    assert publishers["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert publishers["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a_service_roles_pods_are_one_service_account_of_one_cluster() -> None:
    pods = {
        "cluster_name": "shop",
        "cluster_arn": "arn:aws:eks:x:1:cluster/shop",
        "namespace": "web",
        "service_account": "seller",
    }
    plan = role(pods=pods)
    condition = statements(one(plan, "aws:iam/role:Role")["assumeRolePolicy"])["PodIdentity"]["Condition"]
    assert condition["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == "seller"
    assert condition["ArnEquals"] == {"aws:SourceArn": "arn:aws:eks:x:1:cluster/shop"}
    association = one(plan, "aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert (association["clusterName"], association["namespace"], association["serviceAccount"]) == (
        "shop",
        "web",
        "seller",
    )


def test_credentials_are_kept_and_used_under_their_prefix_alone() -> None:
    plan = role(stores={}, credentials={"prefix": "shop/credentials/", "keep": True, "use": True})
    policy = statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"])
    theirs = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/credentials/*"]
    for sid in ("UseCredentials", "KeepCredentials", "DropCredentials"):
        assert policy[sid]["Resource"] == theirs
    assert policy["DropCredentials"]["Condition"] == {
        "BoolIfExists": {"secretsmanager:ForceDeleteWithoutRecovery": "false"}
    }
    assert "kms:GenerateDataKey" in policy["Key"]["Action"]


def test_credentials_that_are_only_used_are_never_changed() -> None:
    plan = role(stores={}, credentials={"prefix": "shop/credentials/", "use": True})
    policy = statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert set(policy) == {"Secrets", "UseCredentials", "Key"}
    assert policy["Key"]["Action"] == ["kms:Decrypt"]


def test_metrics_go_to_one_namespace_and_need_no_key() -> None:
    plan = role(stores={}, secret_arns={}, metrics_namespace="shop")
    assert statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"]) == {
        "Metrics": {
            "Sid": "Metrics",
            "Effect": "Allow",
            "Action": ["cloudwatch:PutMetricData"],
            "Resource": ["*"],
            "Condition": {"StringEquals": {"cloudwatch:namespace": "shop"}},
        }
    }


def test_other_keys_are_only_for_reading() -> None:
    policy = statements(one(role(further_key_arns=[KEY + "-2"]), "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert (policy["FurtherKeys"]["Action"], policy["FurtherKeys"]["Resource"]) == (["kms:Decrypt"], [KEY + "-2"])


def test_a_service_role_grants_what_is_needed() -> None:
    policy = statements(one(role(), "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert {sid: (statement["Action"], statement["Resource"]) for sid, statement in policy.items()} == {
        "Secrets": (["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], [SECRET]),
        "ListEvents": (["s3:ListBucket"], ["arn:aws:s3:::events"]),
        "ReadEvents": (["s3:GetObject", "s3:GetObjectVersion"], ["arn:aws:s3:::events/*"]),
        "AppendEvents": (["s3:PutObject"], ["arn:aws:s3:::events/*"]),
        "Key": (["kms:Decrypt", "kms:GenerateDataKey"], [KEY]),
    }
    assert policy["Key"]["Condition"] == {
        "StringEquals": {
            "kms:ViaService": ["s3.eu-central-1.amazonaws.com", "secretsmanager.eu-central-1.amazonaws.com"]
        }
    }


@pytest.mark.parametrize(
    ("grant", "granted"),
    [
        ({"read": True}, {"ListEvents", "ReadEvents", "Key"}),
        ({"append": True}, {"AppendEvents", "Key"}),
    ],
)
def test_reading_and_appending_are_granted_apart(grant: dict[str, bool], granted: set[str]) -> None:
    plan = role(secret_arns={}, stores={"events": {"bucket_arn": "arn:aws:s3:::events", **grant}})
    policy = statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert set(policy) == granted
    assert ("kms:GenerateDataKey" in policy["Key"]["Action"]) == ("append" in grant)


def test_a_role_that_grants_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="grants nothing"):
        AwsServiceRole("shop", {"scope": HOME, "description": "Nothing", "key_arn": KEY})


def test_a_namespace_admits_restricted_pods_and_no_traffic() -> None:
    import pulumi_kubernetes as kubernetes

    def program() -> None:
        cluster = kubernetes.Provider("cluster", kubeconfig="~/.kube/config")
        KubernetesNamespace("shop", {"labels": {"team": "web"}}, pulumi.ResourceOptions(provider=cluster))

    plan = recorded(program, answer=known).plan
    metadata = one(plan, "kubernetes:core/v1:Namespace")["metadata"]
    assert metadata["name"] == "shop"
    assert metadata["labels"] == {
        "team": "web",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    policy = one(plan, "kubernetes:networking.k8s.io/v1:NetworkPolicy")
    assert policy["metadata"]["namespace"] == "shop"
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
