"""Clusters on EKS, and the way to private ones."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.cluster.bastion import SsmBastion
from components.cluster.eks import EksCluster, architecture
from preview.plan import UNKNOWN, Plan, Resource
from preview.record import Answer

from ..support import known, one, planned, remedies, statements
from .examples.cluster import BASTION, EKS, EKS_AUTO, EKS_FULL, GENERAL, SPARE
from .examples.shared import HOME, KEY, LOG_KEY

CLUSTER = "aws:eks/cluster:Cluster"
NODES = "aws:eks/nodeGroup:NodeGroup"
ADD_ON = "aws:eks/addon:Addon"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ENTRY = "aws:eks/accessEntry:AccessEntry"
ACCESS = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
SCHEDULE = "aws:scheduler/schedule:Schedule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
PARAMETER = "aws:ssm/parameter:Parameter"
SCALING = "aws:autoscaling/group:Group"

ROLE_ARN = "arn:aws:iam::123456789012:role/deploys"
EVERY_PORT_OF_PODS = (1025, 65535)


def cluster(base: Any = EKS, answer: Answer | None = known, **changes: Any) -> Plan:
    args: Any = {**base, **changes}
    return planned(lambda opts: EksCluster("shop", args, opts), answer)


def automatic(**changes: Any) -> Plan:
    return cluster(EKS_AUTO, **changes)


def nodes(**changes: Any) -> Plan:
    """A cluster with changes of its one node group."""
    return cluster(node_groups={"general": {**GENERAL, **changes}})


def bastion(**changes: Any) -> Plan:
    return planned(lambda opts: SsmBastion("way", {**BASTION, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(base: Any = EKS, name: str = "shop", **changes: Any) -> dict[str, str]:
    args: Any = {**base, **changes}
    return remedies(lambda: EksCluster(name, args))


def refused_nodes(**changes: Any) -> dict[str, str]:
    return refused(node_groups={"general": {**GENERAL, **changes}})


def found(plan: Plan, type_: str, name: str) -> Resource:
    return next(each for each in plan.of_type(type_) if each.name == name)


def before(plan: Plan, type_: str, name: str) -> set[tuple[str, str]]:
    """Type and name of all that a resource waits for."""
    waits = plan.waits_for(found(plan, type_, name).urn)
    return {(plan.resource(urn).type, plan.resource(urn).name) for urn in waits}


def add_ons(plan: Plan) -> set[str]:
    return {each.inputs["addonName"] for each in plan.of_type(ADD_ON)}


def attached(plan: Plan, role: str) -> set[str]:
    """ARNs of the policies of a role of AWS's own."""
    return {each.inputs["policyArn"] for each in plan.of_type(ATTACHMENT) if each.inputs["role"] == f"{role}-1234567"}


def trusted(plan: Plan, role: str) -> dict[str, Any]:
    (statement,) = statements(one(plan, ROLE, role)["assumeRolePolicy"]).values()
    return statement


def output(plan: Plan, name: str) -> Any:
    return next(each for each in plan.resources if each.type == "plinth:index:EksCluster").outputs[name]


def kubeconfig(**changes: Any) -> dict[str, Any]:
    return json.loads(output(cluster(**changes), "kubeconfig"))


def server(**changes: Any) -> dict[str, Any]:
    (entry,) = kubeconfig(**changes)["clusters"]
    return entry["cluster"]


Way = tuple[str, str, str, tuple[int, int]]


def ways(plan: Plan, type_: str) -> set[Way]:
    """Whose rule names which peer, with protocol and ports."""
    return {
        (
            each.inputs["securityGroupId"],
            each.inputs.get("referencedSecurityGroupId") or each.inputs["cidrIpv4"],
            each.inputs["ipProtocol"],
            (each.inputs["fromPort"], each.inputs["toPort"]),
        )
        for each in plan.of_type(type_)
    }


def test_the_bare_call_is_safe() -> None:
    made = one(cluster(), CLUSTER)
    assert (
        made.items()
        >= {
            "name": "shop",
            "version": "1.35",
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
            "encryptionConfig": {"provider": {"keyArn": KEY}, "resources": ["secrets"]},
            "upgradePolicy": {"supportType": "STANDARD"},
            "zonalShiftConfig": {"enabled": True},
            "deletionProtection": True,
            "bootstrapSelfManagedAddons": False,
            "vpcConfig": {
                "subnetIds": ["subnet-1", "subnet-2"],
                "securityGroupIds": ["shop-control-plane-id"],
                "endpointPrivateAccess": True,
                "endpointPublicAccess": False,
            },
        }.items()
    )
    assert set(made["enabledClusterLogTypes"]) == {"api", "audit", "authenticator", "controllerManager", "scheduler"}
    assert "computeConfig" not in made


def test_listed_blocks_reach_the_endpoint_and_no_others() -> None:
    made = one(cluster(allowed_cidrs=["203.0.113.0/24", "198.51.100.7/32"]), CLUSTER)
    assert made["vpcConfig"]["endpointPublicAccess"] is True
    assert made["vpcConfig"]["endpointPrivateAccess"] is True
    assert made["vpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24", "198.51.100.7/32"]


def test_protection_is_one_flag() -> None:
    plan = cluster()
    assert {each.name for each in plan.resources if each.protect} == {"shop"}
    plan = cluster(protect=False)
    assert not [each.name for each in plan.resources if each.protect]
    assert one(plan, CLUSTER)["deletionProtection"] is False


def test_a_cluster_waits_for_its_log_group_and_for_the_policy_of_its_role() -> None:
    """EKS makes a missing log group by itself, and cannot clean up after itself once its role has lost its policy."""
    waits = before(cluster(), CLUSTER, "shop")
    assert (LOG_GROUP, "shop-control-plane") in waits
    assert (ATTACHMENT, "shop-cluster-AmazonEKSClusterPolicy") in waits


def test_every_log_group_is_made_beforehand_encrypted_and_with_an_end() -> None:
    plan = cluster(log_days=30)
    groups = {each.inputs["name"]: each.inputs for each in plan.of_type(LOG_GROUP)}
    insights = {f"/aws/containerinsights/shop/{kind}" for kind in ("application", "dataplane", "host", "performance")}
    assert set(groups) == {"/aws/eks/shop/cluster", *insights}
    assert {(each["kmsKeyId"], each["retentionInDays"]) for each in groups.values()} == {(LOG_KEY, 30)}
    waits = before(plan, ADD_ON, "shop-amazon-cloudwatch-observability")
    assert {name for type_, name in waits if type_ == LOG_GROUP} >= {
        f"shop-insights-{kind}" for kind in ("application", "dataplane", "host", "performance")
    }


def test_without_container_insights_nothing_of_it_is_made() -> None:
    plan = cluster(container_insights=False)
    assert "amazon-cloudwatch-observability" not in add_ons(plan)
    assert not [each.name for each in plan.resources if "insights" in each.name]


def test_the_control_plane_takes_its_role_for_this_cluster_alone() -> None:
    statement = trusted(cluster(), "shop-cluster")
    assert statement["Action"] == ["sts:AssumeRole"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:eks:eu-central-1:123456789012:cluster/shop"},
    }


def test_who_reaches_whom() -> None:
    """Both ends of every way, exactly."""
    plan = cluster()
    control, node = "shop-control-plane-id", "shop-nodes-id"
    calls: set[Way] = {(control, node, "tcp", (port, port)) for port in (443, 4443, 8443, 9443, 10250)}
    calls.add((node, control, "tcp", (443, 443)))
    for protocol in ("tcp", "udp"):
        calls |= {(node, node, protocol, (53, 53)), (node, node, protocol, EVERY_PORT_OF_PODS)}
    assert ways(plan, EGRESS) == {*calls, (node, "0.0.0.0/0", "tcp", (443, 443))}
    assert {(client, to, *rest) for to, client, *rest in ways(plan, INGRESS)} == calls


def test_add_ons_find_the_nodes_group_by_its_tags() -> None:
    """The group has them itself: a tag made beside it would be taken away by the group's next update."""
    tags = one(cluster(), GROUP, "shop-nodes")["tags"]
    assert tags == {"Name": "shop-nodes", "karpenter.sh/discovery": "shop", "kubernetes.io/cluster/shop": "owned"}
    assert one(cluster(), GROUP, "shop-control-plane")["tags"] == {"Name": "shop-control-plane"}


def test_nodes_wait_for_a_network_credentials_and_the_way_to_the_control_plane() -> None:
    waits = before(cluster(), NODES, "shop-general")
    assert {(ADD_ON, f"shop-{name}") for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")} <= waits
    assert (ATTACHMENT, "shop-network-AmazonEKS_CNI_Policy") in waits
    assert (ATTACHMENT, "shop-nodes-AmazonEKSWorkerNodePolicy") in waits
    assert (INGRESS, "shop-nodes-to-control-plane-ingress") in waits
    assert (EGRESS, "shop-nodes-to-control-plane-egress") in waits
    assert (EGRESS, "shop-nodes-to-internet") in waits


@pytest.mark.parametrize(
    "add_on", ["coredns", "aws-ebs-csi-driver", "eks-node-monitoring-agent", "amazon-cloudwatch-observability"]
)
def test_what_runs_on_nodes_waits_for_all_of_them(add_on: str) -> None:
    waits = before(cluster(EKS_FULL), ADD_ON, f"shop-{add_on}")
    assert {(NODES, "shop-general"), (NODES, "shop-spare")} <= waits


@pytest.mark.parametrize("add_on", ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"])
def test_what_nodes_wait_for_waits_for_no_node(add_on: str) -> None:
    assert NODES not in {type_ for type_, _ in before(cluster(), ADD_ON, f"shop-{add_on}")}


def waiting_for(name: str) -> tuple[Plan, set[tuple[str, str]]]:
    """A full cluster, and what a resource waits for that is made of one of its outputs."""

    def make(opts: pulumi.ResourceOptions) -> None:
        made = EksCluster("shop", EKS_FULL, opts)
        aws.ssm.Parameter("workload", type="SecureString", value=getattr(made, name), opts=opts)

    plan = planned(make)
    return plan, before(plan, PARAMETER, "workload")


def test_workloads_can_wait_until_everything_is_there() -> None:
    """And stay until nothing else goes: the engine deletes in the opposite order."""
    plan, waits = waiting_for("ready")
    expected = {(each.type, each.name) for each in plan.of_type(ADD_ON, NODES, ACCESS, ENTRY)}
    assert len(expected) == 14
    assert expected <= waits


def test_the_kubeconfig_is_known_once_those_who_sign_in_can() -> None:
    _, waits = waiting_for("kubeconfig")
    assert {(ACCESS, "shop-administrator-deployment"), (ACCESS, "shop-viewer-support")} <= waits
    assert (ENTRY, "shop-group-developers") in waits


def test_add_ons_win_over_what_stands_in_their_place_and_have_no_fixed_version() -> None:
    plan = cluster()
    assert add_ons(plan) == {
        "vpc-cni",
        "kube-proxy",
        "eks-pod-identity-agent",
        "coredns",
        "aws-ebs-csi-driver",
        "eks-node-monitoring-agent",
        "amazon-cloudwatch-observability",
    }
    for each in plan.of_type(ADD_ON):
        assert each.inputs["resolveConflictsOnCreate"] == each.inputs["resolveConflictsOnUpdate"] == "OVERWRITE"
        assert "addonVersion" not in each.inputs
    assert json.loads(one(plan, ADD_ON, "shop-vpc-cni")["configurationValues"]) == {"enableNetworkPolicy": "true"}


@pytest.mark.parametrize(
    ("add_on", "role", "namespace", "account", "policy"),
    [
        ("vpc-cni", "network", "kube-system", "aws-node", "AmazonEKS_CNI_Policy"),
        ("aws-ebs-csi-driver", "volumes", "kube-system", "ebs-csi-controller-sa", "AmazonEBSCSIDriverPolicyV2"),
        (
            "amazon-cloudwatch-observability",
            "insights",
            "amazon-cloudwatch",
            "cloudwatch-agent",
            "CloudWatchAgentServerPolicy",
        ),
    ],
)
def test_an_add_on_has_a_role_that_its_own_pods_alone_take(
    add_on: str, role: str, namespace: str, account: str, policy: str
) -> None:
    plan = cluster()
    (identity,) = one(plan, ADD_ON, f"shop-{add_on}")["podIdentityAssociations"]
    assert identity == {"roleArn": f"arn:aws:mock:region:123456789012:shop-{role}", "serviceAccount": account}
    assert attached(plan, f"shop-{role}") == {f"arn:aws:iam::aws:policy/{policy}"}
    statement = trusted(plan, f"shop-{role}")
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": "123456789012",
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": account,
        },
        "ArnEquals": {"aws:SourceArn": "arn:aws:eks:region:123456789012:cluster/shop"},
    }


def test_nodes_have_no_permission_that_a_pod_could_want() -> None:
    plan = cluster()
    assert attached(plan, "shop-nodes") == {
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }
    assert trusted(plan, "shop-nodes")["Principal"] == {"Service": "ec2.amazonaws.com"}


def test_volumes_may_be_encrypted_with_the_given_key_and_through_ec2_alone() -> None:
    policy = statements(one(cluster(), ROLE_POLICY, "shop-volumes")["policy"])
    assert {resource for each in policy.values() for resource in each["Resource"]} == {KEY}
    assert policy["Volumes"]["Condition"] == {"StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}}
    assert policy["Attach"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_a_node_keeps_its_metadata_to_itself_and_its_volume_encrypted() -> None:
    template = one(nodes(disk_gb=80), TEMPLATE)
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    (disk,) = template["blockDeviceMappings"]
    assert disk["ebs"].items() >= {"encrypted": "true", "volumeType": "gp3", "volumeSize": 80}.items()
    assert template["monitoring"] == {"enabled": True}
    assert not {"keyName", "networkInterfaces", "imageId", "userData"} & set(template)
    assert "remoteAccess" not in one(nodes(), NODES)


def test_nodes_join_further_groups_and_carry_the_tags_of_their_costs() -> None:
    plan = cluster(node_security_group_ids=["sg-workloads"], node_tags={"system": "shop"})
    template = one(plan, TEMPLATE)
    assert template["vpcSecurityGroupIds"] == ["shop-nodes-id", "sg-workloads"]
    assert {each["resourceType"]: each["tags"] for each in template["tagSpecifications"]} == {
        kind: {"Name": "shop-general", "system": "shop"} for kind in ("instance", "volume", "network-interface")
    }


def test_a_node_group_follows_its_cluster_its_template_and_its_autoscaler() -> None:
    plan = nodes(fewest=1, most=4)
    group = found(plan, NODES, "shop-general")
    assert (
        group.inputs.items()
        >= {
            "version": "1.35",
            "launchTemplate": {"id": "shop-general-id", "version": "1"},
            "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 1},
            "capacityType": "ON_DEMAND",
            "nodeRepairConfig": {"enabled": True},
            "updateConfig": {"maxUnavailablePercentage": 33},
            "forceUpdateVersion": False,
            "subnetIds": ["subnet-1", "subnet-2"],
        }.items()
    )
    assert group.options["ignoreChanges"] == ["scalingConfig.desiredSize"]


def test_a_spot_group_takes_spare_capacity_of_any_of_its_types() -> None:
    group = one(cluster(EKS_FULL), NODES, "shop-spare")
    assert group["capacityType"] == "SPOT"
    assert group["instanceTypes"] == ["m7g.large", "m6g.large", "c7g.xlarge"]
    assert group["labels"] == {"capacity": "spare"}
    assert group["taints"] == [{"key": "spare", "effect": "NO_SCHEDULE"}]


@pytest.mark.parametrize(
    "kind", ["m7g.large", "t4g.nano", "c8gn.48xlarge", "x2gd.metal", "is4gen.xlarge", "hpc7g.4xlarge", "g5g.xlarge"]
)
def test_graviton_is_known_by_the_attributes_of_its_family(kind: str) -> None:
    assert architecture(kind) == "arm64"
    assert one(nodes(instance_types=[kind]), NODES)["amiType"] == "AL2023_ARM_64_STANDARD"


@pytest.mark.parametrize(
    "kind", ["m7i.large", "g4dn.xlarge", "g6.xlarge", "u-6tb1.112xlarge", "m7a.metal-48xl", "t3.micro"]
)
def test_other_families_are_not(kind: str) -> None:
    assert architecture(kind) == "x86_64"
    assert one(nodes(instance_types=[kind]), NODES)["amiType"] == "AL2023_x86_64_STANDARD"


@pytest.mark.parametrize("kind", ["large", "m7g", "m7g.huge", "M7G.large", "mg.large", "m7g.large.x", "db.m7g.large"])
def test_what_is_no_instance_type_is_refused(kind: str) -> None:
    assert refused_nodes(instance_types=[kind]) == {
        "node_groups.general.instance_types[0]": "write it as <family>.<size>, for example m7g.large"
    }


def test_another_node_group_changes_nothing_that_was_there() -> None:
    once, again = cluster(), cluster(node_groups={"spare": SPARE, "general": GENERAL})
    kept = {each.urn: each.inputs for each in again.resources if each.custom}
    for each in once.resources:
        if each.custom:
            assert kept[each.urn] == each.inputs, each.name


def test_access_is_for_those_who_are_named() -> None:
    plan = cluster(EKS_FULL)
    scope = {"type": "cluster"}
    assert {each.inputs["principalArn"]: each.inputs for each in plan.of_type(ACCESS)} == {
        principal: {
            "clusterName": "shop",
            "principalArn": principal,
            "policyArn": f"arn:aws:eks::aws:cluster-access-policy/{policy}",
            "accessScope": scope,
        }
        for principal, policy in (
            (ROLE_ARN, "AmazonEKSClusterAdminPolicy"),
            ("arn:aws:iam::123456789012:role/supports", "AmazonEKSAdminViewPolicy"),
        )
    }
    assert (ENTRY, "shop-administrator-deployment") in before(plan, ACCESS, "shop-administrator-deployment")
    assert not cluster().of_type(ENTRY)


def test_groups_of_kubernetes_have_what_role_bindings_say_and_no_policy() -> None:
    plan = cluster(EKS_FULL)
    assert found(plan, ENTRY, "shop-group-developers").inputs == {
        "clusterName": "shop",
        "principalArn": "arn:aws:iam::123456789012:role/develops",
        "kubernetesGroups": ["developers"],
    }
    assert not [each for each in plan.of_type(ACCESS) if each.inputs["principalArn"].endswith("role/develops")]
    assert all("kubernetesGroups" not in each.inputs for each in plan.of_type(ENTRY) if "group" not in each.name)


def test_groups_that_are_kubernetes_own_are_refused() -> None:
    groups = {"all": {"principal_arn": ROLE_ARN, "groups": ["system:masters", "people", "eks:x"]}}
    problems = refused(groups=groups)
    assert set(problems) == {"groups.all.groups[0]", "groups.all.groups[2]"}
    assert "of your own" in problems["groups.all.groups[0]"]
    nobody = {"all": {"principal_arn": ROLE_ARN, "groups": []}}
    assert "a group or more" in refused(groups=nobody)["groups.all.groups"]


def test_another_partition_has_its_own_arns() -> None:
    plan = cluster(EKS_FULL, scope={**HOME, "partition": "aws-us-gov"})
    policies = [each.inputs["policyArn"] for each in plan.of_type(ACCESS, ATTACHMENT)]
    assert {arn.split(":")[1] for arn in policies} == {"aws-us-gov"}
    assert one(plan, SCHEDULE, "shop-general")["target"]["arn"].startswith("arn:aws-us-gov:scheduler:::")
    assert "arn:aws:" not in one(plan, ROLE_POLICY, "shop-patching")["policy"]


def test_nodes_are_replaced_on_a_schedule_with_the_newest_image() -> None:
    plan = cluster(EKS_FULL)
    assert {each.name for each in plan.of_type(SCHEDULE)} == {"shop-general", "shop-spare"}
    schedule = one(plan, SCHEDULE, "shop-spare")
    assert schedule["scheduleExpression"] == "cron(0 2 ? * SUN *)"
    assert schedule["scheduleExpressionTimezone"] == "UTC"
    target = schedule["target"]
    assert target["arn"] == "arn:aws:scheduler:::aws-sdk:eks:updateNodegroupVersion"
    assert json.loads(target["input"]) == {"ClusterName": "shop", "NodegroupName": "shop-spare-1234567"}
    assert one(cluster(patch_schedule="cron(0 4 1 * ? *)"), SCHEDULE)["scheduleExpression"] == "cron(0 4 1 * ? *)"


def test_the_schedule_may_replace_nodes_of_this_cluster_and_no_more() -> None:
    plan = cluster()
    policy = statements(one(plan, ROLE_POLICY, "shop-patching")["policy"])
    assert policy["Replace"]["Action"] == ["eks:UpdateNodegroupVersion"]
    assert policy["Replace"]["Resource"] == ["arn:aws:eks:eu-central-1:123456789012:nodegroup/shop/*/*"]
    assert policy["Launch"]["Action"] == ["ec2:RunInstances"]
    assert policy["Tag"]["Condition"] == {"StringEquals": {"ec2:CreateAction": "RunInstances"}}
    assert set(policy) == {"Replace", "Launch", "Tag"}
    assert trusted(plan, "shop-patching")["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:mock:region:123456789012:shop-patching"},
    }
    assert (ROLE_POLICY, "shop-patching") in before(plan, SCHEDULE, "shop-general")


def test_auto_mode_turns_its_three_parts_on_together() -> None:
    made = one(automatic(), CLUSTER)
    assert made["computeConfig"] == {
        "enabled": True,
        "nodePools": ["general-purpose", "system"],
        "nodeRoleArn": "arn:aws:mock:region:123456789012:shop-nodes",
    }
    assert made["storageConfig"] == {"blockStorage": {"enabled": True}}
    assert made["kubernetesNetworkConfig"] == {"elasticLoadBalancing": {"enabled": True}}
    assert made["bootstrapSelfManagedAddons"] is False


def test_auto_mode_brings_nodes_and_add_ons_itself() -> None:
    plan = automatic()
    assert add_ons(plan) == {"amazon-cloudwatch-observability"}
    assert not plan.of_type(NODES, TEMPLATE, SCHEDULE)
    assert [each.name for each in plan.of_type(GROUP)] == ["shop-control-plane"]
    assert output(plan, "nodeSecurityGroupId") == "shop-own-id"
    assert output(automatic(answer=None), "nodeSecurityGroupId") == UNKNOWN


def test_auto_mode_has_the_roles_that_aws_prescribes() -> None:
    plan = automatic()
    assert trusted(plan, "shop-cluster")["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    parts = ("Cluster", "Compute", "BlockStorage", "LoadBalancing", "Networking")
    assert attached(plan, "shop-cluster") == {f"arn:aws:iam::aws:policy/AmazonEKS{part}Policy" for part in parts}
    assert attached(plan, "shop-nodes") == {
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }
    waits = before(plan, CLUSTER, "shop")
    assert {(ATTACHMENT, f"shop-cluster-AmazonEKS{part}Policy") for part in parts} <= waits
    assert (ATTACHMENT, "shop-nodes-AmazonEKSWorkerNodeMinimalPolicy") in waits
    assert (ROLE_POLICY, "shop-cluster") in waits


def test_a_private_cluster_is_reached_through_a_tunnel() -> None:
    assert server()["server"] == "https://127.0.0.1:8443"
    assert server()["tls-server-name"] == "shop.eks.example"
    assert server(tunnel_port=9000)["server"] == "https://127.0.0.1:9000"
    assert server(tunnel_port=0) == {
        "server": "https://shop.eks.example",
        "certificate-authority-data": "Y2VydGlmaWNhdGU=",
    }


def test_a_listed_block_reaches_the_endpoint_itself() -> None:
    listed = {"allowed_cidrs": ["203.0.113.0/24"]}
    assert server(**listed)["server"] == "https://shop.eks.example"
    assert "tls-server-name" not in server(**listed)
    assert server(**listed, tunnel_port=9000)["server"] == "https://127.0.0.1:9000"


def test_a_kubeconfig_signs_in_with_the_aws_cli_and_holds_no_secret() -> None:
    config = kubeconfig()
    (user,) = config["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "aws"
    assert user["user"]["exec"]["args"] == [
        *("eks", "get-token"),
        *("--cluster-name", "shop"),
        *("--region", "eu-central-1"),
        *("--output", "json"),
    ]
    assert config["current-context"] == config["contexts"][0]["name"]
    assert config["contexts"][0]["context"] == {"cluster": config["clusters"][0]["name"], "user": user["name"]}


def test_a_version_out_of_support_is_refused() -> None:
    assert refused(version="1.33") == {"version": "out of standard support; choose one of 1.35, 1.36"}


def test_blocks_that_let_the_internet_in_are_refused() -> None:
    problems = refused(allowed_cidrs=["203.0.113.0/24", "0.0.0.0/0", "128.0.0.0/1", "203.0.113.7/24", "here"])
    assert set(problems) == {f"allowed_cidrs[{i}]" for i in (1, 2, 3, 4)}
    assert "is most of the internet" in problems["allowed_cidrs[1]"]
    assert "/8 or narrower" in problems["allowed_cidrs[2]"]
    assert problems["allowed_cidrs[3]"] == "has host bits set; write 203.0.113.0/24"


def test_nodes_that_could_not_run_are_refused() -> None:
    types = "node_groups.general.instance_types"
    assert "name an instance type" in refused_nodes(instance_types=[])[types]
    assert "one architecture" in refused_nodes(instance_types=["m7g.large", "m7i.large"])[types]
    assert "three types or more" in refused_nodes(spot=True)[types]
    assert "three types or more" in refused_nodes(spot=True, instance_types=["m7g.large"] * 3)[types]
    assert "`fewest` or more" in refused_nodes(fewest=3, most=2)["node_groups.general.most"]
    assert "0 nodes or more" in refused_nodes(fewest=-1)["node_groups.general.fewest"]
    assert "20 to 16384" in refused_nodes(disk_gb=10)["node_groups.general.disk_gb"]
    taint = refused_nodes(taints={"spare": "NO_SCHEDULE"})["node_groups.general.taints.spare"]
    assert "NoSchedule" in taint


def test_all_problems_of_all_groups_are_reported_together() -> None:
    wrong = {"instance_types": [], "fewest": -1, "most": 2}
    problems = refused(node_groups={"one": wrong, "two": wrong}, allowed_cidrs=["0.0.0.0/0"])
    assert set(problems) == {
        *("node_groups.one.instance_types", "node_groups.one.fewest"),
        *("node_groups.two.instance_types", "node_groups.two.fewest"),
        *("node_groups", "allowed_cidrs[0]"),
    }


@pytest.mark.parametrize("group", [{"fewest": 0}, {"taints": {"only": "NoExecute"}}])
def test_add_ons_without_a_node_to_run_on_are_refused(group: dict[str, Any]) -> None:
    assert "add-ons such as DNS need a node" in refused_nodes(**group)["node_groups"]


def test_a_group_for_add_ons_alone_will_do() -> None:
    assert nodes(taints={"CriticalAddonsOnly": "NoSchedule"}).of_type(ADD_ON)


def test_nodes_come_from_groups_or_from_auto_mode() -> None:
    assert "turn `auto_mode` on" in refused(node_groups={})["node_groups"]
    assert "leave out these" in refused(auto_mode=True)["node_groups"]


def test_auto_mode_refuses_what_would_have_no_effect() -> None:
    problems = refused(
        EKS_AUTO,
        node_security_group_ids=["sg-workloads"],
        node_tags={"system": "shop"},
        patch_schedule="cron(0 2 ? * SUN *)",
    )
    assert set(problems) == {"node_security_group_ids", "node_tags", "patch_schedule"}
    assert "`node_security_group_id`" in problems["node_security_group_ids"]


def test_a_principal_has_one_entry() -> None:
    problems = refused(administrators={"deployment": ROLE_ARN}, viewers={"support": ROLE_ARN})
    assert problems == {"viewers.support": "stands at administrators.deployment too; name each principal once"}
    groups = {"people": {"principal_arn": ROLE_ARN, "groups": ["people"]}}
    problems = refused(administrators={"deployment": ROLE_ARN}, groups=groups)
    assert problems == {"groups.people": "stands at administrators.deployment too; name each principal once"}


def test_names_are_as_long_as_what_is_made_of_them() -> None:
    assert "use 47 or fewer" in refused(name="c" * 48)["name"]
    assert "letter or digit first" in refused(name="-shop")["name"]
    problems = refused(name="c" * 40, node_groups={"g" * 15: GENERAL})
    assert "use 14 or fewer" in problems[f"node_groups.{'g' * 15}"]
    assert "letters, digits" in refused(node_groups={"a.b": GENERAL})["node_groups.a.b"]


def test_other_bad_args_are_refused() -> None:
    assert "two subnets" in refused(subnet_ids=["subnet-1", "subnet-1"])["subnet_ids"]
    assert "365" in refused(log_days=364)["log_days"]
    assert "cron(0 2 ? * SUN *)" in refused(patch_schedule="every week")["patch_schedule"]
    assert "0 to 65535" in refused(tunnel_port=70000)["tunnel_port"]


def test_a_bastion_is_reached_by_nobody_and_reaches_its_targets() -> None:
    plan = bastion(targets={"cluster": "sg-control-plane", "search": "sg-search"})
    assert ways(plan, EGRESS) == {
        ("way-id", peer, "tcp", (443, 443)) for peer in ("sg-control-plane", "sg-search", "0.0.0.0/0")
    }
    assert ways(plan, INGRESS) == {
        (target, "way-id", "tcp", (443, 443)) for target in ("sg-control-plane", "sg-search")
    }


def test_a_bastion_has_an_encrypted_volume_no_key_and_metadata_for_itself() -> None:
    template = one(bastion(tags={"system": "shop"}), TEMPLATE)
    assert template["metadataOptions"]["httpTokens"] == "required"
    assert template["metadataOptions"]["httpPutResponseHopLimit"] == 1
    assert template["blockDeviceMappings"][0]["ebs"]["encrypted"] == "true"
    assert template["vpcSecurityGroupIds"] == ["way-id"]
    assert "keyName" not in template
    assert {each["resourceType"]: each["tags"] for each in template["tagSpecifications"]} == {
        kind: {"Name": "way", "system": "shop"} for kind in ("instance", "volume", "network-interface")
    }


@pytest.mark.parametrize(("kind", "suffix"), [(None, "arm64"), ("t4g.micro", "arm64"), ("t3.nano", "x86_64")])
def test_a_bastion_starts_with_the_newest_image_of_its_architecture(kind: str | None, suffix: str) -> None:
    template = one(bastion(**({"instance_type": kind} if kind else {})), TEMPLATE)
    path = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default"
    assert template["imageId"] == f"resolve:ssm:{path}-{suffix}"
    assert template["instanceType"] == (kind or "t4g.nano")


def test_a_bastion_is_one_instance_that_lives_for_a_week_and_follows_its_template() -> None:
    group = one(bastion(), SCALING)
    assert (group["minSize"], group["maxSize"], group["desiredCapacity"]) == (1, 1, 1)
    assert group["maxInstanceLifetime"] == 7 * 24 * 60 * 60
    assert group["instanceRefresh"]["strategy"] == "Rolling"
    assert group["launchTemplate"] == {"id": "way-id", "version": "1"}
    assert group["vpcZoneIdentifiers"] == ["subnet-1", "subnet-2"]
    assert group["tags"] == [{"key": "Name", "value": "way", "propagateAtLaunch": False}]


def test_a_bastion_starts_once_it_can_register() -> None:
    plan = bastion()
    assert attached(plan, "way") == {"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}
    waits = before(plan, SCALING, "way")
    assert {(ATTACHMENT, "way"), (EGRESS, "way-to-systems-manager")} <= waits


def test_the_command_opens_the_tunnel_that_a_kubeconfig_expects() -> None:
    def command(**changes: Any) -> str:
        plan = bastion(**changes)
        return next(each for each in plan.resources if each.type == "plinth:index:SsmBastion").outputs["command"]

    assert command() == (
        'aws ssm start-session --region eu-central-1 --target "$(aws autoscaling describe-auto-scaling-groups '
        "--region eu-central-1 --auto-scaling-group-names way-1234567 "
        '--query "AutoScalingGroups[0].Instances[?LifecycleState==\'InService\'].InstanceId | [0]" --output text)" '
        "--document-name AWS-StartPortForwardingSessionToRemoteHost "
        "--parameters host=thing.eks.example,portNumber=443,localPortNumber=8443"
    )
    assert command(local_port=9000, host="other.example").endswith(
        "host=other.example,portNumber=443,localPortNumber=9000"
    )


def test_a_bastion_refuses_bad_args() -> None:
    def refused(name: str = "way", **changes: Any) -> dict[str, str]:
        return remedies(lambda: SsmBastion(name, {**BASTION, **changes}))  # pyright: ignore[reportArgumentType]

    assert "t4g.nano" in refused(instance_type="tiny")["instance_type"]
    assert "1 to 65535" in refused(local_port=0)["local_port"]
    assert "use 56 or fewer" in refused(name="w" * 57)["name"]
