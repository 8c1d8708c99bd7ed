"""Kubernetes on Amazon EKS."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, between, checked, checked_name, known_after, matching
from ..network.security_group import ANYWHERE, AwsSecurityGroup, SecurityRule, connect
from ..network.subnets import client_block_problem
from ..observability.retention import log_retention
from ..problems import MISSING, InputError, Problem, one_of
from ..security.policy import AwsScope, allow, arn, document, pod_trust, trust
from .machines import SESSION_METADATA, root_volume, tagged

VERSIONS = ("1.35", "1.36")
"""The Kubernetes versions in AWS's standard support that this component is made for."""
SPOT_TYPES = 3
"""Instance types that a spot group names at least: one that runs out must not empty it."""
TUNNEL_PORT = 8443
"""Where the kubeconfig of a private cluster expects a tunnel on the engineer's own machine."""
API_PORT = 443
SCHEDULE = r"cron\(\S+( \S+){5}\)"
"""Shape of a schedule."""
SCHEDULE_REMEDY = "write it as cron(minute hour day month weekday year), for example cron(0 2 ? * SUN *)"
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
CONTROL_PLANE_TO_NODES = {
    "https": 443,  # webhooks and aggregated APIs whose pods listen on the port of HTTPS
    "metrics": 4443,  # metrics adapters
    "webhooks": 8443,  # webhooks of operators and policy engines
    # Webhooks of controllers that are built with Kubernetes' own framework: Envoy Gateway's, the load balancer's.
    "controller-webhooks": 9443,
    # Logs, shells and port forwarding. The metrics server and webhooks of cert-manager and External Secrets share it.
    "kubelet": 10250,
}
"""The ports on which the control plane calls nodes and pods, by purpose."""

_FAMILY = r"[a-z]+-?\d+(?P<attributes>[a-z0-9-]*)"
_SIZE = r"(nano|micro|small|medium|large|(\d{1,3})?xlarge|metal(-\d{1,2}xl)?)"
_INSTANCE_TYPE_REMEDY = "write it as <family>.<size>, for example m7g.large"
_IMAGES = {"arm64": "AL2023_ARM_64_STANDARD", "x86_64": "AL2023_x86_64_STANDARD"}
_TAINTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}
_ADD_ONS_TOLERATE = "CriticalAddonsOnly"
_RESERVED_GROUPS = ("system:", "eks:", "aws:", "amazon:", "iam:")
_INSIGHTS = ("application", "dataplane", "host", "performance")
# IAM takes 64 characters: the name, the longest of the roles' suffixes, a hyphen and seven random ones.
_LONGEST_NAME = 64 - len("-insights") - 8
# EKS takes 63 characters for a node group, which also ends with a hyphen and seven random ones.
_LONGEST_GROUP_NAME = 63 - 8


class NodeGroup(TypedDict):
    """Nodes of one kind, which AWS keeps running."""

    instance_types: list[str]
    """Instance types, all of one architecture. AWS takes the first that it has, and of a spot group the one that it has
    most of: name three or more there."""
    fewest: int
    """Nodes that it never falls below, and starts with. AWS refuses to raise it above the nodes that run just then."""
    most: int
    """Nodes that it never grows beyond."""
    spot: NotRequired[bool]
    """Whether it takes spare capacity, at a lower price and with two minutes' notice to leave. Default: no."""
    disk_gb: NotRequired[int]
    """Size of a node's encrypted gp3 volume in GB, 20 to 16384. Default: 50."""
    labels: NotRequired[dict[str, str]]
    """Kubernetes labels of its nodes. Default: none."""
    taints: NotRequired[dict[str, str]]
    """Kubernetes taints of its nodes, key to effect: `NoSchedule`, `NoExecute` or `PreferNoSchedule`. Default: none."""


class ClusterGroup(TypedDict):
    """Who is in which groups of Kubernetes."""

    principal_arn: pulumi.Input[str]
    """ARN of the IAM role or user."""
    groups: list[str]
    """Groups, one or more, as role bindings in the cluster name them."""


class EksClusterArgs(TypedDict):
    """Where a cluster stands, what it runs on, and who may use it."""

    scope: AwsScope
    """Account and region of the cluster."""
    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of the private subnets for nodes and the control plane's network interfaces, in two zones or more."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts what Kubernetes stores, secrets first (CKV_AWS_58), and the volumes of storage
    classes that name it."""
    log_key_arn: pulumi.Input[str]
    """ARN of the KMS key for its logs, which CloudWatch Logs must be allowed to use (CKV_AWS_158)."""
    version: NotRequired[str]
    """Kubernetes version, 1.35 or 1.36 (CKV_AWS_339). Raise it by one at a time: AWS lowers none. Default: 1.35."""
    allowed_cidrs: NotRequired[list[str]]
    """IPv4 blocks, /8 or narrower, from which the API server can be reached over the internet (CKV_AWS_38). Default:
    none, it answers inside the VPC alone (CKV_AWS_39)."""
    administrators: NotRequired[dict[str, pulumi.Input[str]]]
    """ARNs of the IAM roles and users that may do everything in the cluster, by purpose. Whoever makes the cluster is
    none by that: name the role that deploys into it. Default: nobody."""
    viewers: NotRequired[dict[str, pulumi.Input[str]]]
    """ARNs of the IAM roles and users that may read everything in the cluster, Kubernetes secrets among it, by purpose.
    Default: nobody."""
    groups: NotRequired[dict[str, ClusterGroup]]
    """IAM roles and users that are in groups of Kubernetes, by purpose. What these may do, role bindings in the cluster
    say, and nothing else. Default: nobody."""
    node_groups: NotRequired[dict[str, NodeGroup]]
    """Its nodes, by purpose. Default: none, which only Auto Mode can do without."""
    auto_mode: NotRequired[bool]
    """Whether AWS makes, sizes and replaces nodes by itself, and brings network, DNS, volumes and load balancers with
    them. Default: no."""
    node_security_group_ids: NotRequired[list[pulumi.Input[str]]]
    """Ids of further security groups that nodes join, such as the one that databases admit. Default: none."""
    node_tags: NotRequired[dict[str, str]]
    """Tags of nodes, their volumes and network interfaces, by which costs are told apart: a provider's default tags do
    not reach these. Default: none."""
    container_insights: NotRequired[bool]
    """Whether metrics and logs of nodes and pods go to CloudWatch. Default: yes."""
    log_days: NotRequired[int]
    """Days to keep its logs, one of those that CloudWatch offers. Default: 365 (CKV_AWS_338)."""
    patch_schedule: NotRequired[str]
    """When nodes are replaced with ones of the newest image, as a cron expression of EventBridge Scheduler, in UTC.
    Default: `cron(0 2 ? * SUN *)`, Sundays at two."""
    tunnel_port: NotRequired[int]
    """Port on this machine through which the kubeconfig reaches the API server, 0 for no tunnel. Default: 8443, and 0
    with `allowed_cidrs`."""
    protect: NotRequired[bool]
    """Whether AWS and Pulumi refuse to delete it. Default: yes."""


def architecture(instance_type: str) -> str | None:
    """The architecture of an instance type, `arm64` or `x86_64`, or None where it has not the shape of one.

    A family names its attributes after its generation, and `g` among them is Graviton: m7g, t4g, c8gn.
    """
    match = re.fullmatch(rf"{_FAMILY}\.{_SIZE}", instance_type)
    if match is None:
        return None
    return "arm64" if "g" in match["attributes"] else "x86_64"


def _subnets(ids: list[str]) -> str | None:
    return None if len(set(ids)) >= 2 else "name two subnets or more, in different zones: EKS takes no fewer"


_RULES = {
    "subnet_ids": _subnets,
    "version": lambda version: (
        None if version in VERSIONS else f"out of standard support; choose one of {', '.join(VERSIONS)}"
    ),
    "log_days": log_retention,
    "patch_schedule": matching(SCHEDULE, SCHEDULE_REMEDY),
    "tunnel_port": between(0, 65535, "for a port, 0 for none"),
}


class _Pods(NamedTuple):
    """The pods of an add-on that call AWS, and as whom."""

    service_account: str
    role_arn: pulumi.Output[str]


class EksCluster(Component):
    """An EKS cluster with a private endpoint (CKV_AWS_38, CKV_AWS_39), all its logs (CKV_AWS_37), its secrets encrypted
    (CKV_AWS_58), a version in standard support (CKV_AWS_339), access by IAM alone, and deletion protection.

    It runs on managed node groups or in Auto Mode. Nodes of managed groups have encrypted volumes, metadata for
    themselves alone (CKV_AWS_79, CKV_AWS_341), no way in but from the control plane and each other, and are repaired.
    On a schedule they are replaced with ones of the newest supported image, which renews their certificates too. Auto
    Mode replaces its nodes by itself, after 21 days at the latest.

    Raises `InputError` for bad args, for node groups that could not run, and for a name that is no cluster's.
    """

    cluster_name: pulumi.Output[str]
    """Name of the cluster."""
    cluster_arn: pulumi.Output[str]
    """ARN of the cluster."""
    endpoint: pulumi.Output[str]
    """URL of the API server."""
    certificate_authority: pulumi.Output[str]
    """Certificate of the authority that the API server's is signed by, in Base64."""
    version: pulumi.Output[str]
    """Kubernetes version."""
    kubeconfig: pulumi.Output[str]
    """Configuration for Kubernetes clients, which sign in with the AWS CLI: it holds no secret. It leads through a
    tunnel on this machine, or with `allowed_cidrs` to the endpoint itself. Known once those who may sign in can."""
    node_security_group_id: pulumi.Output[str]
    """Id of the security group that all nodes are in."""
    control_plane_security_group_id: pulumi.Output[str]
    """Id of the API server's security group: admit who else reaches it."""
    node_role_arn: pulumi.Output[str]
    """ARN of the nodes' IAM role."""
    log_group: pulumi.Output[str]
    """Name of the control plane's log group."""
    ready: pulumi.Output[str]
    """Name of the cluster, known once nodes, add-ons and access are all there: what workloads wait for, and what stays
    until they are gone."""

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"EksCluster {name}"
        args = checked(EksClusterArgs, args, subject, _RULES)
        remedy = "EKS takes letters, digits, - and _, letter or digit first"
        checked_name(name, subject, _LONGEST_NAME, r"[0-9A-Za-z][0-9A-Za-z_-]*", remedy)
        if problems := list(_problems(name, args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._scope = args["scope"]
        self._partition = args["scope"].get("partition", "aws")
        self._auto = args.get("auto_mode", False)

        self._control_plane = AwsSecurityGroup(
            f"{name}-control-plane",
            {"vpc_id": args["vpc_id"], "description": f"API server of {name}"},
            self._child(),
        )
        self._node_role = self._role_of_nodes()
        logs = self._log_group("control-plane", f"/aws/eks/{name}/cluster")
        self._cluster = self._make_cluster(logs)
        access = [
            *self._grant("administrator", "AmazonEKSClusterAdminPolicy", args.get("administrators", {})),
            *self._grant("viewer", "AmazonEKSAdminViewPolicy", args.get("viewers", {})),
            *self._members(args.get("groups", {})),
        ]
        if self._auto:
            running, node_group_id = [], self._own_security_group()
        else:
            nodes = self._group_of_nodes()
            running, node_group_id = self._run(nodes), nodes.group_id
        if args.get("container_insights", True):
            running.append(self._insights(running))

        self.cluster_name = self._cluster.name
        self.cluster_arn = self._cluster.arn
        self.endpoint = self._cluster.endpoint
        self.certificate_authority = self._cluster.certificate_authority.apply(lambda authority: authority.data or "")
        self.version = self._cluster.version
        self.kubeconfig = known_after(self._kubeconfig(), *access)
        self.node_security_group_id = node_group_id
        self.control_plane_security_group_id = self._control_plane.group_id
        self.node_role_arn = self._node_role
        self.log_group = logs.name
        self.ready = known_after(self._cluster.name, *access, *running)
        self._register()

    def _role(
        self,
        key: str,
        description: str,
        trusted: pulumi.Output[str],
        managed: Sequence[str] = (),
        statements: Sequence[Mapping[str, Any]] = (),
    ) -> pulumi.Output[str]:
        """The ARN of a role, known once the role has its policies: whoever takes it needs them from first to last."""
        name = f"{self._prefix}-{key}"
        role = aws.iam.Role(name, description=description, assume_role_policy=trusted, opts=self._child())
        policies: list[pulumi.CustomResource] = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{policy}",
                role=role.name,
                policy_arn=f"arn:{self._partition}:iam::aws:policy/{policy}",
                opts=self._child(),
            )
            for policy in managed
        ]
        if statements:
            policies.append(
                aws.iam.RolePolicy(name, role=role.id, policy=document(*statements), opts=self._child()),
            )
        return known_after(role.arn, *policies)

    def _role_of_nodes(self) -> pulumi.Output[str]:
        # EC2 gives a role to instances of the account that passed it, and names no source account.
        trusted = document(allow("Trust", ["sts:AssumeRole"], principal={"Service": "ec2.amazonaws.com"}))
        # What the network add-on may do belongs to its own pods.
        worker = "AmazonEKSWorkerNodeMinimalPolicy" if self._auto else "AmazonEKSWorkerNodePolicy"
        policies = (worker, "AmazonEC2ContainerRegistryPullOnly")
        return self._role("nodes", f"Nodes of the cluster {self._prefix}", trusted, policies)

    def _role_of_cluster(self) -> pulumi.Output[str]:
        policies, actions, statements = ["AmazonEKSClusterPolicy"], ["sts:AssumeRole"], []
        if self._auto:
            policies += [
                f"AmazonEKS{part}Policy" for part in ("Compute", "BlockStorage", "LoadBalancing", "Networking")
            ]
            # Those policies tell this cluster's resources from others by a tag of the session.
            actions.append("sts:TagSession")
            statements = self._use_of_volume_key()
        trusted = document(
            allow(
                "Trust",
                actions,
                principal={"Service": "eks.amazonaws.com"},
                when={
                    "StringEquals": {"aws:SourceAccount": self._scope["account"]},
                    "ArnLike": {"aws:SourceArn": arn(self._scope, "eks", f"cluster/{self._prefix}")},
                },
            )
        )
        return self._role("cluster", f"Control plane of the cluster {self._prefix}", trusted, policies, statements)

    def _use_of_volume_key(self) -> list[dict[str, Any]]:
        """What it takes to make volumes that are encrypted with the key. EC2 uses it on the caller's behalf, and keeps
        the right to it while a volume is attached."""
        key, through = self._args["key_arn"], {"kms:ViaService": f"ec2.{self._scope['region']}.amazonaws.com"}
        actions = ["Decrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"]
        return [
            allow("Volumes", [f"kms:{action}" for action in actions], [key], when={"StringEquals": through}),
            allow("Describe", ["kms:DescribeKey"], [key]),
            allow("Attach", ["kms:CreateGrant"], [key], when={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ]

    def _log_group(self, key: str, path: str) -> aws.cloudwatch.LogGroup:
        """A log group that AWS would make by itself otherwise, unencrypted and for ever."""
        return aws.cloudwatch.LogGroup(
            f"{self._prefix}-{key}",
            name=path,
            kms_key_id=self._args["log_key_arn"],
            retention_in_days=self._args.get("log_days", 365),
            opts=self._child(),
        )

    def _make_cluster(self, logs: aws.cloudwatch.LogGroup) -> aws.eks.Cluster:
        args, protected, blocks = self._args, self._args.get("protect", True), self._args.get("allowed_cidrs", [])
        network: aws.eks.ClusterVpcConfigArgsDict = {
            "subnet_ids": args["subnet_ids"],
            "security_group_ids": [self._control_plane.group_id],
            "endpoint_private_access": True,
            "endpoint_public_access": bool(blocks),
        }
        if blocks:
            network["public_access_cidrs"] = blocks
        # AWS turns the three parts of Auto Mode on and off together only.
        auto: dict[str, Any] = {}
        if self._auto:
            auto = {
                "compute_config": {
                    "enabled": True,
                    "node_pools": ["general-purpose", "system"],
                    "node_role_arn": self._node_role,
                },
                "kubernetes_network_config": {"elastic_load_balancing": {"enabled": True}},
                "storage_config": {"block_storage": {"enabled": True}},
            }
        return aws.eks.Cluster(
            self._prefix,
            name=self._prefix,  # the name of its log group contains it, and so does its role's trust
            role_arn=self._role_of_cluster(),
            version=args.get("version", VERSIONS[0]),
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
            bootstrap_self_managed_addons=False,  # add-ons that AWS keeps take their places
            vpc_config=network,
            encryption_config={"provider": {"key_arn": args["key_arn"]}, "resources": ["secrets"]},
            enabled_cluster_log_types=list(LOG_TYPES),
            upgrade_policy={"support_type": "STANDARD"},
            zonal_shift_config={"enabled": True},
            deletion_protection=protected,
            **auto,
            opts=self._child(
                protect=protected,
                delete_before_replace=True,  # its name is taken while it exists
                depends_on=[logs],  # EKS makes a missing log group by itself; no value carries that
            ),
        )

    def _grant(self, whom: str, policy: str, principals: dict[str, pulumi.Input[str]]) -> list[pulumi.CustomResource]:
        granted: list[pulumi.CustomResource] = []
        for purpose, principal in principals.items():
            name = f"{self._prefix}-{whom}-{purpose}"
            entry = aws.eks.AccessEntry(
                name, cluster_name=self._cluster.name, principal_arn=principal, opts=self._child()
            )
            granted.append(
                aws.eks.AccessPolicyAssociation(
                    name,
                    cluster_name=self._cluster.name,
                    principal_arn=entry.principal_arn,
                    policy_arn=f"arn:{self._partition}:eks::aws:cluster-access-policy/{policy}",
                    access_scope={"type": "cluster"},
                    opts=self._child(),
                )
            )
        return granted

    def _members(self, groups: dict[str, ClusterGroup]) -> list[pulumi.CustomResource]:
        return [
            aws.eks.AccessEntry(
                f"{self._prefix}-group-{purpose}",
                cluster_name=self._cluster.name,
                principal_arn=member["principal_arn"],
                kubernetes_groups=member["groups"],
                opts=self._child(),
            )
            for purpose, member in groups.items()
        ]

    def _own_security_group(self) -> pulumi.Output[str]:
        """The group that EKS makes with a cluster. Nodes of Auto Mode and the control plane are in it, and reach each
        other within."""
        return self._cluster.vpc_config.apply(lambda settings: settings.cluster_security_group_id or "")

    def _group_of_nodes(self) -> AwsSecurityGroup:
        name = self._prefix
        within: dict[str, SecurityRule] = {
            "dns": {"port": 53, "members": True},
            "dns-udp": {"port": 53, "protocol": "udp", "members": True},
            "pods": {"port": 1025, "last_port": 65535, "members": True},
            "pods-udp": {"port": 1025, "last_port": 65535, "protocol": "udp", "members": True},
        }
        tags = {
            # Karpenter finds by it what its nodes join.
            "karpenter.sh/discovery": name,
            # The load balancer controller opens ports in the one group that has it, whatever else nodes join.
            f"kubernetes.io/cluster/{name}": "owned",
        }
        nodes = AwsSecurityGroup(
            f"{name}-nodes",
            {
                "vpc_id": self._args["vpc_id"],
                "description": f"Nodes of {name}",
                "ingress": within,
                "egress": {**within, "internet": {"port": 443, "cidr": ANYWHERE}},
                # As resources of their own, `aws.ec2.Tag`, the group would take them away after every refresh.
                "tags": tags,
            },
            self._child(),
        )
        # Children of the group, so that what waits for the group waits for these rules too.
        inside = pulumi.ResourceOptions(parent=nodes)
        server = self._control_plane.group_id
        connect(f"{name}-nodes-to-control-plane", API_PORT, nodes.group_id, server, inside)
        for purpose, port in CONTROL_PLANE_TO_NODES.items():
            connect(f"{name}-control-plane-to-nodes-{purpose}", port, server, nodes.group_id, inside)
        return nodes

    def _run(self, nodes: AwsSecurityGroup) -> list[pulumi.CustomResource]:
        """Add-ons and nodes, each after what it cannot start without."""
        network = self._pods("network", "kube-system", "aws-node", ["AmazonEKS_CNI_Policy"])
        volumes = self._pods(
            "volumes",
            "kube-system",
            "ebs-csi-controller-sa",
            ["AmazonEBSCSIDriverPolicyV2"],
            self._use_of_volume_key(),
        )
        # A node is ready once it has a network, and its pods get no credentials without the agent.
        first: list[pulumi.Resource] = [
            self._add_on("vpc-cni", pods=network, settings={"enableNetworkPolicy": "true"}),
            self._add_on("kube-proxy"),
            self._add_on("eks-pod-identity-agent"),
            nodes,
        ]
        groups = {
            key: self._node_group(key, group, nodes, first) for key, group in self._args.get("node_groups", {}).items()
        }
        self._replace_nodes(groups)
        # These run on nodes, and are faulty until there are some.
        last = [
            self._add_on("coredns", after=groups.values()),
            self._add_on("aws-ebs-csi-driver", after=groups.values(), pods=volumes),
            self._add_on("eks-node-monitoring-agent", after=groups.values()),
        ]
        return [*groups.values(), *last]

    def _pods(
        self,
        key: str,
        namespace: str,
        service_account: str,
        managed: Sequence[str],
        statements: Sequence[Mapping[str, Any]] = (),
    ) -> _Pods:
        trusted = pod_trust(self._scope, self._cluster.arn, namespace, service_account)
        description = f"Pods of {namespace}/{service_account} in the cluster {self._prefix}"
        return _Pods(service_account, self._role(key, description, trusted, managed, statements))

    def _add_on(
        self,
        add_on: str,
        after: Iterable[pulumi.Resource] = (),
        pods: _Pods | None = None,
        settings: dict[str, Any] | None = None,
    ) -> aws.eks.Addon:
        identities: list[aws.eks.AddonPodIdentityAssociationArgsDict] | None = None
        if pods:
            identities = [{"role_arn": pods.role_arn, "service_account": pods.service_account}]
        return aws.eks.Addon(
            f"{self._prefix}-{add_on}",
            cluster_name=self._cluster.name,
            addon_name=add_on,
            # No version: AWS installs its default for the cluster's version. A version here would have to fit each
            # Kubernetes version and could be looked up in no preview. AWS leaves an installed add-on as it is, so after
            # an upgrade of the cluster its add-ons are updated with `aws eks update-addon`.
            configuration_values=json.dumps(settings) if settings else None,
            pod_identity_associations=identities,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=self._child(depends_on=list(after)),
        )

    def _node_group(
        self, key: str, group: NodeGroup, nodes: AwsSecurityGroup, after: list[pulumi.Resource]
    ) -> aws.eks.NodeGroup:
        name = f"{self._prefix}-{key}"
        template = aws.ec2.LaunchTemplate(
            name,
            description=f"Nodes {key} of {self._prefix}",
            update_default_version=True,
            # Pods are one hop further away: the node's role is for the node alone.
            metadata_options=SESSION_METADATA,
            block_device_mappings=root_volume(group.get("disk_gb", 50)),
            # No key pair: whoever has to look at a node starts a debugging pod there.
            vpc_security_group_ids=[nodes.group_id, *self._args.get("node_security_group_ids", [])],
            monitoring={"enabled": True},
            tag_specifications=tagged({"Name": name, **self._args.get("node_tags", {})}),
            opts=self._child(),
        )
        return aws.eks.NodeGroup(
            name,
            cluster_name=self._cluster.name,
            version=self._cluster.version,  # nodes follow the control plane, once it is there
            node_role_arn=self._node_role,
            subnet_ids=self._args["subnet_ids"],
            ami_type=_IMAGES[architecture(group["instance_types"][0]) or "x86_64"],
            capacity_type="SPOT" if group.get("spot", False) else "ON_DEMAND",
            instance_types=group["instance_types"],
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={
                "min_size": group["fewest"],
                "max_size": group["most"],
                "desired_size": group["fewest"],
            },
            update_config={"max_unavailable_percentage": 33},
            node_repair_config={"enabled": True},
            force_update_version=False,  # an update waits for disruption budgets, and fails rather than break one
            labels=group.get("labels"),
            taints=[{"key": taint, "effect": _TAINTS[effect]} for taint, effect in group.get("taints", {}).items()],
            opts=self._child(
                depends_on=after,
                ignore_changes=["scalingConfig.desiredSize"],  # an autoscaler moves it
            ),
        )

    def _replace_nodes(self, groups: dict[str, aws.eks.NodeGroup]) -> None:
        """Replace nodes on a schedule. AWS releases images about every week, takes the newest of the nodes' Kubernetes
        version, and moves nodes to it in turn, as the disruption budgets of their pods let it."""
        name, scope = self._prefix, self._scope
        schedules = aws.scheduler.ScheduleGroup(f"{name}-patching", opts=self._child())

        def resources(*kinds: str) -> list[str]:
            return [arn(scope, "ec2", f"{kind}/*") for kind in kinds]

        role = self._role(
            "patching",
            f"Replaces nodes of the cluster {name}",
            trust(scope, "scheduler.amazonaws.com", schedules.arn),
            statements=[
                allow("Replace", ["eks:UpdateNodegroupVersion"], [arn(scope, "eks", f"nodegroup/{name}/*/*")]),
                # Where a group has a launch template with tags, EKS asks whether its caller could launch and tag such
                # instances. It launches them with roles of its own, so no role need be passed.
                allow(
                    "Launch",
                    ["ec2:RunInstances"],
                    [
                        *resources(
                            "instance", "launch-template", "network-interface", "security-group", "subnet", "volume"
                        ),
                        f"arn:{self._partition}:ec2:{scope['region']}::image/*",
                    ],
                ),
                allow(
                    "Tag",
                    ["ec2:CreateTags"],
                    resources("instance", "network-interface", "volume"),
                    when={"StringEquals": {"ec2:CreateAction": "RunInstances"}},
                ),
            ],
        )
        for key, group in groups.items():
            aws.scheduler.Schedule(
                f"{name}-{key}",
                group_name=schedules.name,
                description=f"Replaces the nodes {key} of {name}",
                schedule_expression=self._args.get("patch_schedule", "cron(0 2 ? * SUN *)"),
                schedule_expression_timezone="UTC",
                flexible_time_window={"mode": "OFF"},
                target={
                    "arn": f"arn:{self._partition}:scheduler:::aws-sdk:eks:updateNodegroupVersion",
                    "role_arn": role,
                    # The scheduler spells parameters with a capital, unlike EKS itself.
                    "input": pulumi.Output.json_dumps(
                        {"ClusterName": self._cluster.name, "NodegroupName": group.node_group_name}
                    ),
                    # An update that is under way refuses another one for as long.
                    "retry_policy": {"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 5},
                },
                opts=self._child(),
            )

    def _insights(self, after: Sequence[pulumi.Resource]) -> aws.eks.Addon:
        path = f"/aws/containerinsights/{self._prefix}"
        logs = [self._log_group(f"insights-{kind}", f"{path}/{kind}") for kind in _INSIGHTS]
        agent = self._pods("insights", "amazon-cloudwatch", "cloudwatch-agent", ["CloudWatchAgentServerPolicy"])
        # The agent makes missing log groups by itself; no value carries that.
        return self._add_on("amazon-cloudwatch-observability", after=[*after, *logs], pods=agent)

    def _kubeconfig(self) -> pulumi.Output[str]:
        tunnel = self._args.get("tunnel_port", 0 if self._args.get("allowed_cidrs") else TUNNEL_PORT)
        return pulumi.Output.all(self._cluster.endpoint, self.certificate_authority).apply(
            lambda known: _kubeconfig(self._prefix, self._scope["region"], known[0], known[1], tunnel)
        )


def _kubeconfig(name: str, region: str, endpoint: str, authority: str, tunnel: int) -> str:
    """A kubeconfig as JSON, which is YAML too. Through a tunnel the server's certificate still has to be for its own
    name."""
    cluster: dict[str, Any] = {"server": endpoint, "certificate-authority-data": authority}
    if tunnel:
        cluster |= {"server": f"https://127.0.0.1:{tunnel}", "tls-server-name": endpoint.removeprefix("https://")}
    sign_in = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"],
        "interactiveMode": "Never",
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"exec": sign_in}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


_NOT_IN_AUTO_MODE = {
    "node_groups": "Auto Mode makes its own nodes; leave out these, or `auto_mode`",
    "node_security_group_ids": "nodes of Auto Mode join no further group; admit `node_security_group_id` there instead",
    "node_tags": "the pools of Auto Mode take no tags; leave them out, and tag nodes by a NodeClass in the cluster",
    "patch_schedule": "Auto Mode replaces its nodes by itself, after 21 days at the latest; leave it out",
}


def _problems(name: str, args: EksClusterArgs) -> Iterator[Problem]:
    groups = args.get("node_groups", {})
    if args.get("auto_mode", False):
        for field, remedy in _NOT_IN_AUTO_MODE.items():
            if given := args.get(field):
                yield Problem(field, given, remedy)
    elif not groups:
        remedy = "name a group of nodes, or turn `auto_mode` on: nothing runs in a cluster without nodes"
        yield Problem("node_groups", groups or MISSING, remedy)
    else:
        for key, group in groups.items():
            yield from _group_problems(name, key, group)
        if not any(map(_takes_add_ons, groups.values())):
            remedy = "give one group `fewest` of 1 or more and no taints: add-ons such as DNS need a node"
            yield Problem("node_groups", list(groups), remedy)
    for i, block in enumerate(args.get("allowed_cidrs", [])):
        if remedy := client_block_problem(block):
            yield Problem(f"allowed_cidrs[{i}]", block, remedy)
    yield from principal_problems(args.get("administrators", {}), args.get("viewers", {}), args.get("groups", {}))


def _takes_add_ons(group: NodeGroup) -> bool:
    return group["fewest"] > 0 and set(group.get("taints", {})) <= {_ADD_ONS_TOLERATE}


def _group_problems(name: str, key: str, group: NodeGroup) -> Iterator[Problem]:
    path = f"node_groups.{key}"
    room = _LONGEST_GROUP_NAME - len(f"{name}-")
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]*", key):
        yield Problem(path, key, "name it with letters, digits, - and _, letter or digit first")
    if len(key) > room:
        yield Problem(path, key, f"{len(key)} characters; use {room} or fewer in a cluster of this name")
    types = group["instance_types"]
    if not types:
        yield Problem(f"{path}.instance_types", types, "name an instance type or more")
    for i, each in enumerate(types):
        if architecture(each) is None:
            yield Problem(f"{path}.instance_types[{i}]", each, _INSTANCE_TYPE_REMEDY)
    if len({architecture(each) for each in types} - {None}) > 1:
        remedy = "name types of one architecture: a group has one image; make a group for the others"
        yield Problem(f"{path}.instance_types", types, remedy)
    if types and group.get("spot", False) and len(set(types)) < SPOT_TYPES:
        remedy = "name three types or more for a spot group, so that no one pool's shortage empties it"
        yield Problem(f"{path}.instance_types", types, remedy)
    if group["fewest"] < 0:
        yield Problem(f"{path}.fewest", group["fewest"], "give 0 nodes or more")
    if group["most"] < max(group["fewest"], 1):
        yield Problem(f"{path}.most", group["most"], "give `fewest` or more, and 1 at least")
    if not 20 <= group.get("disk_gb", 50) <= 16384:
        yield Problem(f"{path}.disk_gb", group.get("disk_gb"), "give 20 to 16384 GB")
    for taint, effect in group.get("taints", {}).items():
        if effect not in _TAINTS:
            yield Problem(f"{path}.taints.{taint}", effect, one_of(_TAINTS, effect))


def principal_problems(
    administrators: Mapping[str, pulumi.Input[str]],
    viewers: Mapping[str, pulumi.Input[str]],
    members: Mapping[str, ClusterGroup],
    spelled: Callable[[str], str] = str,
) -> Iterator[Problem]:
    """What is wrong with those who use a cluster, with paths as `spelled` writes them. EKS has one entry for each
    principal. Those that only the cloud knows are not compared."""
    named = {
        "administrators": administrators,
        "viewers": viewers,
        "groups": {purpose: member["principal_arn"] for purpose, member in members.items()},
    }
    seen: dict[str, str] = {}
    for field, principals in named.items():
        for purpose, principal in principals.items():
            path = spelled(f"{field}.{purpose}")
            if isinstance(principal, str) and principal in seen:
                yield Problem(path, principal, f"stands at {seen[principal]} too; name each principal once")
            elif isinstance(principal, str):
                seen[principal] = path
    for purpose, member in members.items():
        yield from _member_problems(spelled(f"groups.{purpose}.groups"), member["groups"])


def _member_problems(path: str, groups: list[str]) -> Iterator[Problem]:
    if not groups:
        yield Problem(path, groups, "name a group or more: who is in none may do nothing")
    for i, group in enumerate(groups):
        if not group or group.startswith(_RESERVED_GROUPS):
            remedy = f"name a group of your own; those of {', '.join(_RESERVED_GROUPS)} are Kubernetes' and AWS's"
            yield Problem(f"{path}[{i}]", group, remedy)
