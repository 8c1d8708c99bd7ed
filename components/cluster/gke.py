"""Kubernetes on Google Kubernetes Engine."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, between, checked, checked_name, known_after, matching
from ..network.subnets import client_block_problem
from ..problems import MISSING, InputError, Problem, one_of
from ..security.google import LABEL, GcpScope, scope_problem

LOGS = ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")
"""What of a cluster goes to Cloud Logging."""
METRICS = (
    *("SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"),
    *("STORAGE", "HPA", "POD", "DAEMONSET", "DEPLOYMENT", "STATEFULSET", "KUBELET", "CADVISOR"),
)
"""What of a cluster goes to Cloud Monitoring."""
WINDOW_HOURS = 48
"""Hours of maintenance windows in 32 days: Google takes no fewer."""
DISK_TYPES = ("pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced")
SYSTEM_TAINT = "components.gke.io/gke-managed-components"
"""The taint that GKE's own add-ons tolerate."""

# GKE takes 40 characters for clusters and pools, which end with a hyphen and seven random ones.
LONGEST_NAME = 40 - 8
MACHINE_TYPE = r"(?P<family>[a-z]\d{1,2}[a-z]*)-(small|medium|[a-z]+-\d{1,4}[a-z]?(-[a-z0-9]+)*)"
MACHINE_TYPE_REMEDY = "write it as <family>-<kind>-<processors>, for example e2-standard-4"
_ON_HYPERDISK = ("c4", "c4a", "c4d", "n4", "n4a", "n4d")
_ON_PERSISTENT_DISK = ("c2", "c2d", "e2", "n1", "n2", "n2d", "t2a", "t2d")
_TAINTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}
_RESERVED_LABEL = r"([^/]*\.)?(kubernetes|k8s)\.io/.*"
_MEMBER = r"(user|group|serviceAccount):[^@\s:]+@[^@\s]+\.[^@\s.]+|principal(Set)?://iam\.googleapis\.com/\S+"
_MEMBER_REMEDY = (
    "write it as group:<address>, user:<address>, serviceAccount:<address>, or principal://iam.googleapis.com/..."
)
_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"
_TIME_REMEDY = "write it as a time in UTC, for example 2026-01-01T02:00:00Z"
_RECURRENCE = r"FREQ=DAILY|FREQ=WEEKLY;BYDAY=(?P<days>(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*)"
_MOST_EXCLUSIONS = 20
_SHIELDED = {"enable_secure_boot": True, "enable_integrity_monitoring": True}
_EVERY_API = ["https://www.googleapis.com/auth/cloud-platform"]


class GkeChannel(Enum):
    """How early a cluster gets a Kubernetes version, which Google then upgrades it to."""

    RAPID = "RAPID"
    """Weeks after its release; with no promise of a fix for what is known."""
    REGULAR = "REGULAR"
    """A few months after its release."""
    STABLE = "STABLE"
    """A few months after the regular channel."""
    EXTENDED = "EXTENDED"
    """As the regular channel, and kept for up to two years, at a higher price in the second."""


class GkeExclusionScope(Enum):
    """What Google leaves alone for a time."""

    NO_UPGRADES = "NO_UPGRADES"
    """Everything: for a few weeks at most."""
    NO_MINOR_UPGRADES = "NO_MINOR_UPGRADES"
    """Minor versions. Patches come."""
    NO_MINOR_OR_NODE_UPGRADES = "NO_MINOR_OR_NODE_UPGRADES"
    """Minor versions, and nodes. The control plane gets its patches."""


class GkeNodePool(TypedDict):
    """Nodes of one kind, which GKE keeps running and sizes by what their pods ask for."""

    machine_type: str
    """Machine type, for example `e2-standard-4`. GKE taints nodes of Arm families (`c4a`, `n4a`, `t2a`) with
    `kubernetes.io/arch`, which their pods have to tolerate."""
    fewest: int
    """Nodes in all zones together that it never falls below."""
    most: int
    """Nodes in all zones together that it never grows beyond."""
    spot: NotRequired[bool]
    """Whether it takes spare capacity, at a lower price and with half a minute's notice to leave. Default: no."""
    disk_gb: NotRequired[int]
    """Size of a node's disk in GB, 10 to 65536. Default: 100."""
    disk_type: NotRequired[str]
    """`pd-standard`, `pd-balanced`, `pd-ssd` or `hyperdisk-balanced`. Default: what GKE takes for the machine type,
    `pd-balanced`, or `hyperdisk-balanced` where the family has no other."""
    labels: NotRequired[dict[str, str]]
    """Kubernetes labels of its nodes. Default: none."""
    taints: NotRequired[dict[str, str]]
    """Kubernetes taints of its nodes, each of the value `true`, key to effect: `NoSchedule`, `NoExecute` or
    `PreferNoSchedule`. Default: none."""
    blue_green: NotRequired[bool]
    """Whether an upgrade makes all new nodes beside the old ones, and keeps these for an hour in case it has to go
    back. It takes twice the machines for that time. Default: no, one node is added and one taken away in turn."""


class GkeMaintenance(TypedDict):
    """When Google may upgrade a cluster."""

    start: str
    """When the first window opens, in UTC: `2026-01-01T02:00:00Z`."""
    end: str
    """When the first window closes, four hours to a day later."""
    recurrence: str
    """`FREQ=DAILY`, or `FREQ=WEEKLY;BYDAY=SA,SU` with its days. Google wants 48 hours in 32 days: four hours once a
    week are too few."""


class GkeExclusion(TypedDict):
    """A time in which Google upgrades less of a cluster, or nothing."""

    start: str
    """When it begins, in UTC: `2026-12-20T00:00:00Z`."""
    end: str
    """When it ends."""
    scope: NotRequired[GkeExclusionScope]
    """What is left alone. Default: minor versions and nodes."""


class GkeClusterArgs(TypedDict):
    """Where a cluster stands, what it runs on, and who may use it."""

    scope: GcpScope
    """Project and region of the cluster. Its control plane spans the region."""
    network_id: pulumi.Input[str]
    """Id of the network."""
    subnet_id: pulumi.Input[str]
    """Id of the subnet of its nodes, in the region."""
    pods_range: pulumi.Input[str]
    """Name of the subnet's secondary range for pods."""
    services_range: pulumi.Input[str]
    """Name of the subnet's secondary range for services. No other cluster can have it."""
    key_name: pulumi.Input[str]
    """Name of the key, in the same region, that encrypts what Kubernetes stores, secrets first, and the disks of nodes.
    GKE's and Compute Engine's service agents must be allowed to use it."""
    zones: list[str]
    """Zones of its nodes."""
    node_account: pulumi.Input[str]
    """Address of the nodes' service account (CKV2_GCP_1). It needs the role `roles/container.defaultNodeServiceAccount`
    and may read images, and nothing else: pods have identities of their own."""
    nodes: NotRequired[dict[str, GkeNodePool]]
    """Its nodes, by purpose. Default: none, which only Autopilot can do without."""
    autopilot: NotRequired[bool]
    """Whether Google makes, sizes and hardens nodes by itself, and bills pods instead. It cannot be changed later.
    Default: no."""
    gateway_api: NotRequired[bool]
    """Whether Google brings the resources of the Gateway API and makes load balancers of its own for them. Default: no,
    a gateway in the cluster brings the versions that it needs."""
    pods_per_node: NotRequired[int]
    """Pods that fit on a node, 8 to 256. Each node takes twice as many addresses out of the range for pods. Another
    number replaces the nodes. Default: 110."""
    release_channel: NotRequired[GkeChannel]
    """Where its versions come from (CKV_GCP_70). Default: the regular channel."""
    version: NotRequired[str]
    """Kubernetes version that its control plane has at least, `1.36` or `1.36.2-gke.1000`. Default: its channel's."""
    administrators: NotRequired[dict[str, pulumi.Input[str]]]
    """Who may do everything in the cluster and with it, as IAM names them (`group:platform@example.com`), by purpose.
    Name who deploys into it. Default: nobody."""
    viewers: NotRequired[dict[str, pulumi.Input[str]]]
    """Who may read everything in the cluster but Kubernetes secrets, as IAM names them, by purpose. Default: nobody."""
    security_group: NotRequired[pulumi.Input[str]]
    """Google group, `gke-security-groups@<domain>`, whose groups Kubernetes roles can be bound to (CKV_GCP_65).
    Default: none, roles are bound to users and service accounts."""
    allowed_cidrs: NotRequired[list[str]]
    """IPv4 blocks, /8 or narrower, from which the API server can be reached by its address too (CKV_GCP_20). Default:
    none, it has no address (CKV_GCP_18): it is reached by its name, at Google's front, by those whom IAM admits."""
    maintenance: NotRequired[GkeMaintenance]
    """When Google may upgrade it. Default: daily from two to six, in UTC."""
    exclusions: NotRequired[dict[str, GkeExclusion]]
    """Times in which it upgrades less, or nothing, by name. Default: none."""
    notifications_topic: NotRequired[pulumi.Input[str]]
    """Id of the Pub/Sub topic, in the same project, that is told of upgrades and security bulletins. Default: none."""
    labels: NotRequired[dict[str, str]]
    """Labels of the cluster, its nodes and their disks, by which costs are told apart: a provider's default labels do
    not reach nodes. Default: none."""
    protect: NotRequired[bool]
    """Whether Google's provider and Pulumi refuse to delete it. Default: yes."""


_RULES = {
    "scope": scope_problem,
    "pods_per_node": between(8, 256, "pods"),
    "version": matching(
        r"1\.\d{2}(\.\d+(-gke\.\d+)?)?", "write it as 1.36 or 1.36.2-gke.1000, or leave it to the channel"
    ),
    "security_group": matching(
        r"gke-security-groups@[^@\s]+\.[^@\s.]+", "GKE takes one name only: gke-security-groups@<domain>"
    ),
    "notifications_topic": matching(r"projects/[^/]+/topics/[^/]+", "write it as projects/<project>/topics/<topic>"),
}


class GkeCluster(Component):
    """A regional GKE cluster of private nodes (CKV_GCP_64), whose API server is reached by name and IAM alone
    (CKV_GCP_18), with secrets and nodes' disks encrypted by a key of ours, Workload Identity (CKV_GCP_69), Dataplane
    V2, which enforces network policies (CKV_GCP_12), images admitted by Binary Authorization (CKV_GCP_66), upgrades out
    of a release channel (CKV_GCP_70), and deletion protection.

    It runs on node pools or in Autopilot. Nodes of pools are shielded (CKV_GCP_68, CKV_GCP_71, CKV_GCP_72), run
    Container-Optimized OS (CKV_GCP_22) as a service account of their own (CKV2_GCP_1), and are repaired and upgraded
    (CKV_GCP_9, CKV_GCP_10). Autopilot has all that by itself.

    Its DNS is Cloud DNS with a cache on each node. Neither is a pod of the cluster's network, so a network policy that
    closes the ways out opens port 53 to 169.254.20.10 and 169.254.169.254.

    Which images are admitted, `GcpBinaryAuthorization` says for the project. Without it all are.

    Raises `InputError` for bad args, for nodes that could not run, and for a name that is no cluster's.
    """

    cluster_name: pulumi.Output[str]
    """Name of the cluster."""
    cluster_id: pulumi.Output[str]
    """Id of the cluster: `projects/<project>/locations/<region>/clusters/<name>`."""
    location: pulumi.Output[str]
    """Region of the cluster."""
    endpoint: pulumi.Output[str]
    """URL of the API server."""
    ca_certificate: pulumi.Output[str]
    """Certificate of the authority that signs the API server's where it is reached by its address, in Base64."""
    version: pulumi.Output[str]
    """Kubernetes version of the control plane."""
    workload_pool: pulumi.Output[str]
    """The identities of its pods: IAM knows them as `serviceAccount:<pool>[<namespace>/<service account>]`. Known once
    the cluster is there, since IAM takes none of them before."""
    kubeconfig: pulumi.Output[str]
    """Configuration for Kubernetes clients, which sign in with Google's `gke-gcloud-auth-plugin` and the application
    default credentials: it holds no secret. Known once those who may sign in can."""
    ready: pulumi.Output[str]
    """Name of the cluster, known once nodes and access are all there: what workloads wait for, and what stays until
    they are gone."""

    def __init__(self, name: str, args: GkeClusterArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GkeCluster {name}"
        args = checked(GkeClusterArgs, args, subject, _RULES)
        remedy = "GKE takes small letters, digits and hyphens, a letter first and no hyphen last"
        checked_name(name, subject, LONGEST_NAME, r"[a-z]([a-z0-9-]*[a-z0-9])?", remedy)
        if problems := list(_problems(name, args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._scope = args["scope"]

        self._cluster = self._make_cluster()
        access = [
            *self._grant("administrator", "roles/container.admin", args.get("administrators", {})),
            *self._grant("viewer", "roles/container.viewer", args.get("viewers", {})),
        ]
        pools = [self._node_pool(key, pool) for key, pool in args.get("nodes", {}).items()]

        self.cluster_name = self._cluster.name
        self.cluster_id = self._cluster.id
        self.location = self._cluster.location
        # With the id: before there is one, the SDK takes what was asked for as what there is, which has no name yet.
        name_there = self._cluster.control_plane_endpoints_config.apply(_dns_name)
        self.endpoint = pulumi.Output.all(name_there, self._cluster.id).apply(lambda known: f"https://{known[0]}")
        # A certificate is for everybody. What stands beside it makes it a secret.
        self.ca_certificate = pulumi.Output.unsecret(
            self._cluster.master_auth.apply(lambda known: known.cluster_ca_certificate or "")
        )
        self.version = self._cluster.master_version
        self.workload_pool = known_after(pulumi.Output.from_input(self._pool_of_identities), self._cluster)
        self.kubeconfig = known_after(self.endpoint.apply(lambda known: _kubeconfig(name, known)), *access)
        self.ready = known_after(self._cluster.name, *access, *pools)
        self._register()

    @property
    def _pool_of_identities(self) -> str:
        return f"{self._scope['project']}.svc.id.goog"

    def _make_cluster(self) -> gcp.container.Cluster:
        args, protected = self._args, self._args.get("protect", True)
        autopilot = args.get("autopilot", False)
        kind = self._autopilot() if autopilot else self._standard()
        return gcp.container.Cluster(
            self._prefix,
            project=self._scope["project"],
            location=self._scope["region"],
            node_locations=args["zones"],
            network=args["network_id"],
            subnetwork=args["subnet_id"],
            ip_allocation_policy={
                "cluster_secondary_range_name": args["pods_range"],
                "services_secondary_range_name": args["services_range"],
            },
            **self._endpoints(),
            datapath_provider="ADVANCED_DATAPATH",
            # While it is on, Google puts its own version of the resources back in the place of any other.
            gateway_api_config={"channel": f"CHANNEL_{'STANDARD' if args.get('gateway_api', False) else 'DISABLED'}"},
            release_channel={"channel": args.get("release_channel", GkeChannel.REGULAR).value},
            min_master_version=args.get("version"),
            maintenance_policy=_maintenance(args),
            notification_config={"pubsub": {"enabled": True, "topic": args["notifications_topic"]}}
            if "notifications_topic" in args
            else None,
            database_encryption={"state": "ENCRYPTED", "key_name": args["key_name"]},
            secret_manager_config={"enabled": True},
            binary_authorization={"evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"},
            master_auth={"client_certificate_config": {"issue_client_certificate": False}},
            authenticator_groups_config={"security_group": args["security_group"]}
            if "security_group" in args
            else None,
            # Health checks need no identity, everything else does. `system:authenticated` is everybody with a Google
            # account, of whatever company.
            anonymous_authentication_config={"mode": "LIMITED"},
            rbac_binding_config={
                "enable_insecure_binding_system_authenticated": False,
                "enable_insecure_binding_system_unauthenticated": False,
            },
            # Images are scanned where they are stored; Google has given up scanning them here.
            security_posture_config={"mode": "BASIC", "vulnerability_mode": "VULNERABILITY_DISABLED"},
            logging_config={"enable_components": list(LOGS)},
            monitoring_config={
                "enable_components": list(METRICS),
                "managed_prometheus": {"enabled": True},
                "advanced_datapath_observability_config": {"enable_metrics": True, "enable_relay": False},
            },
            cost_management_config={"enabled": True},
            vertical_pod_autoscaling={"enabled": True},
            resource_labels=args.get("labels"),
            deletion_protection=protected,
            **kind,
            opts=self._child(
                protect=protected,
                delete_before_replace=True,  # two clusters cannot have one range for services
                # These are about the pool that is gone once the cluster is there, and about what pools say themselves.
                # Later the provider takes another pool's settings for them, and would replace the cluster.
                ignore_changes=[] if autopilot else ["nodeConfig", "initialNodeCount", "defaultMaxPodsPerNode"],
            ),
        )

    def _endpoints(self) -> dict[str, Any]:
        """Where the API server is reached, and from where."""
        blocks = self._args.get("allowed_cidrs", [])
        settings: dict[str, Any] = {
            # Without an address of the API server the provider sends no more of this block than nodes' own. The subnet
            # of that address is left to GKE, which takes the nodes': a named one could not be changed any more.
            "private_cluster_config": {"enable_private_nodes": True},
            "control_plane_endpoints_config": {
                "dns_endpoint_config": {
                    "allow_external_traffic": True,
                    # Only IAM signs in here: neither tokens of Kubernetes service accounts nor certificates.
                    "enable_k8s_tokens_via_dns": False,
                    "enable_k8s_certs_via_dns": False,
                },
                "ip_endpoints_config": {"enabled": bool(blocks)},
            },
        }
        if blocks:
            settings["master_authorized_networks_config"] = {
                "cidr_blocks": [{"cidr_block": block} for block in blocks],
                "gcp_public_cidrs_access_enabled": False,
                "private_endpoint_enforcement_enabled": True,
            }
        return settings

    def _autopilot(self) -> dict[str, Any]:
        """What makes it Autopilot. The rest Autopilot has by itself, and refuses to be told."""
        return {
            "enable_autopilot": True,
            "cluster_autoscaling": {
                "auto_provisioning_defaults": {
                    "service_account": self._args["node_account"],
                    "oauth_scopes": _EVERY_API,
                    "boot_disk_kms_key": self._args["key_name"],
                }
            },
            "node_pool_auto_config": {"node_kubelet_config": {"insecure_kubelet_readonly_port_enabled": "FALSE"}},
            "addons_config": _ADD_ONS,
        }

    def _standard(self) -> dict[str, Any]:
        return {
            # GKE makes no cluster without a pool. This one is taken away at once, and is made as the others are.
            "remove_default_node_pool": True,
            "initial_node_count": 1,
            "node_config": {**self._node_config(), "machine_type": "e2-medium"},
            "default_max_pods_per_node": self._args.get("pods_per_node", 110),
            "networking_mode": "VPC_NATIVE",
            "workload_identity_config": {"workload_pool": self._pool_of_identities},
            "enable_shielded_nodes": True,
            "enable_intranode_visibility": True,
            "service_external_ips_config": {"enabled": False},
            "dns_config": {"cluster_dns": "CLOUD_DNS", "cluster_dns_scope": "CLUSTER_SCOPE"},
            "node_pool_defaults": {"node_config_defaults": {"insecure_kubelet_readonly_port_enabled": "FALSE"}},
            "addons_config": {**_ADD_ONS, "dns_cache_config": {"enabled": True}},
        }

    def _node_config(self) -> Any:
        """What all nodes have in common."""
        return {
            "image_type": "COS_CONTAINERD",
            "service_account": self._args["node_account"],
            "oauth_scopes": _EVERY_API,  # what the nodes may do is IAM's to say
            "metadata": {"disable-legacy-endpoints": "true"},
            "workload_metadata_config": {"mode": "GKE_METADATA"},
            "shielded_instance_config": _SHIELDED,
            "boot_disk_kms_key": self._args["key_name"],
            "kubelet_config": {"insecure_kubelet_readonly_port_enabled": "FALSE"},
            "resource_labels": self._args.get("labels", {}),
        }

    def _node_pool(self, key: str, pool: GkeNodePool) -> gcp.container.NodePool:
        spot, zones = pool.get("spot", False), self._args["zones"]
        disk: dict[str, Any] = {"size_gb": pool.get("disk_gb", 100)}
        if "disk_type" in pool:
            disk["disk_type"] = pool["disk_type"]
        config: Any = {
            **self._node_config(),
            "machine_type": pool["machine_type"],
            "spot": spot,
            "boot_disk": disk,
            "labels": pool.get("labels", {}),
            "taints": [
                {"key": taint, "value": "true", "effect": _TAINTS[effect]}
                for taint, effect in pool.get("taints", {}).items()
            ],
        }
        # No name: what cannot be changed replaces a pool, and the new one has to be there before the old one goes.
        return gcp.container.NodePool(
            f"{self._prefix}-{key}",
            project=self._scope["project"],
            location=self._scope["region"],
            cluster=self._cluster.name,
            node_locations=zones,  # a pool does not follow its cluster's
            initial_node_count=_nodes_per_zone(pool, zones),
            autoscaling={
                "total_min_node_count": pool["fewest"],
                "total_max_node_count": pool["most"],
                "location_policy": "ANY" if spot else "BALANCED",
            },
            max_pods_per_node=self._args.get("pods_per_node", 110),
            network_config={"enable_private_nodes": True},
            node_config=config,
            management={"auto_repair": True, "auto_upgrade": True},
            upgrade_settings=_BLUE_GREEN if pool.get("blue_green", False) else _SURGE,
            opts=self._child(
                ignore_changes=["initialNodeCount"],  # another number would replace the pool
            ),
        )

    def _grant(self, whom: str, role: str, members: Mapping[str, pulumi.Input[str]]) -> list[gcp.projects.IAMMember]:
        """Roles in the project, since clusters have no policies of their own, with the condition that it is about this
        cluster or what is in it."""
        this = self._cluster.id.apply(
            lambda path: f'resource.name == "{path}" || resource.name.startsWith("{path}/")'  # its own objects
        )
        return [
            gcp.projects.IAMMember(
                f"{self._prefix}-{whom}-{purpose}",
                project=self._scope["project"],
                role=role,
                member=member,
                condition={"title": f"Cluster {self._prefix}", "expression": this},
                opts=self._child(),
            )
            for purpose, member in members.items()
        ]


_ADD_ONS: dict[str, Any] = {
    "gce_persistent_disk_csi_driver_config": {"enabled": True},
    "gke_backup_agent_config": {"enabled": True},
    "horizontal_pod_autoscaling": {"disabled": False},
    "http_load_balancing": {"disabled": False},  # it fills the endpoint groups of services
}
_SURGE: gcp.container.NodePoolUpgradeSettingsArgsDict = {"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0}
_BLUE_GREEN: gcp.container.NodePoolUpgradeSettingsArgsDict = {
    "strategy": "BLUE_GREEN",
    "blue_green_settings": {
        "standard_rollout_policy": {"batch_percentage": 0.25, "batch_soak_duration": "60s"},
        "node_pool_soak_duration": "3600s",
    },
}
_NIGHTLY: GkeMaintenance = {
    "start": "2026-01-01T02:00:00Z",
    "end": "2026-01-01T06:00:00Z",
    "recurrence": "FREQ=DAILY",
}


def _dns_name(settings: Any) -> str:
    """The name of the API server."""
    return (settings.dns_endpoint_config and settings.dns_endpoint_config.endpoint) or ""


def _nodes_per_zone(pool: GkeNodePool, zones: Sequence[str]) -> int:
    """The nodes that a pool starts with in each zone: GKE starts with the same number in each."""
    return -(-pool["fewest"] // len(zones))


def _maintenance(args: GkeClusterArgs) -> gcp.container.ClusterMaintenancePolicyArgsDict:
    window = args.get("maintenance", _NIGHTLY)
    return {
        "recurring_window": {
            "start_time": window["start"],
            "end_time": window["end"],
            "recurrence": window["recurrence"],
        },
        "maintenance_exclusions": [
            {
                "exclusion_name": name,
                "start_time": exclusion["start"],
                "end_time": exclusion["end"],
                "exclusion_options": {
                    "scope": exclusion.get("scope", GkeExclusionScope.NO_MINOR_OR_NODE_UPGRADES).value
                },
            }
            for name, exclusion in args.get("exclusions", {}).items()
        ],
    }


def _kubeconfig(name: str, endpoint: str) -> str:
    """A kubeconfig as JSON, which is YAML too. The name of the API server has a certificate that everybody trusts."""
    sign_in = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        # As whoever Google's provider is. By itself it is whom gcloud was told to be: another, or nobody.
        "args": ["--use_application_default_credentials"],
        "installHint": "Install it with `gcloud components install gke-gcloud-auth-plugin`.",
        "provideClusterInfo": True,
        "interactiveMode": "Never",
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": endpoint}}],
            "users": [{"name": name, "user": {"exec": sign_in}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


_NOT_IN_AUTOPILOT = {
    "nodes": "Autopilot makes its own nodes; leave out these, or `autopilot`",
    "pods_per_node": "Autopilot decides it for each node; leave it out",
}


def _problems(name: str, args: GkeClusterArgs) -> Iterator[Problem]:
    zones, nodes = args["zones"], args.get("nodes", {})
    region = args["scope"]["region"]
    if not zones:
        yield Problem("zones", zones, f"name a zone or more, such as {region}-a")
    for i, zone in enumerate(zones):
        if not re.fullmatch(rf"{region}-[a-z]", zone):
            yield Problem(f"zones[{i}]", zone, f"not in the cluster's region; write one like {region}-a")
        elif zone in zones[:i]:
            yield Problem(f"zones[{i}]", zone, "name each zone once")
    if args.get("autopilot", False):
        for field, remedy in _NOT_IN_AUTOPILOT.items():
            if given := args.get(field):
                yield Problem(field, given, remedy)
    elif not nodes:
        remedy = "name a pool of nodes, or turn `autopilot` on: nothing runs in a cluster without nodes"
        yield Problem("nodes", nodes or MISSING, remedy)
    else:
        for key, pool in nodes.items():
            yield from _pool_problems(name, key, pool, zones)
        if not any(map(_takes_add_ons, nodes.values())):
            remedy = "give one pool `fewest` of 1 or more and no taints: GKE's own add-ons need a node"
            yield Problem("nodes", list(nodes), remedy)
    for i, block in enumerate(args.get("allowed_cidrs", [])):
        if remedy := client_block_problem(block):
            yield Problem(f"allowed_cidrs[{i}]", block, remedy)
    yield from _member_problems(args)
    yield from _maintenance_problems(args)
    yield from _label_problems("labels", args.get("labels", {}))


def _takes_add_ons(pool: GkeNodePool) -> bool:
    return pool["fewest"] > 0 and set(pool.get("taints", {})) <= {SYSTEM_TAINT}


def _pool_problems(name: str, key: str, pool: GkeNodePool, zones: Sequence[str]) -> Iterator[Problem]:
    path = f"nodes.{key}"
    room = LONGEST_NAME - len(f"{name}-")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", key):
        yield Problem(path, key, "name it with small letters, digits and hyphens, no hyphen first or last")
    if len(key) > room:
        yield Problem(path, key, f"{len(key)} characters; use {room} or fewer in a cluster of this name")
    machine = re.fullmatch(MACHINE_TYPE, pool["machine_type"])
    if machine is None:
        yield Problem(f"{path}.machine_type", pool["machine_type"], MACHINE_TYPE_REMEDY)
    if pool["fewest"] < 0:
        yield Problem(f"{path}.fewest", pool["fewest"], "give 0 nodes or more")
    if pool["most"] < max(pool["fewest"], 1):
        yield Problem(f"{path}.most", pool["most"], "give `fewest` or more, and 1 at least")
    elif zones and (first := _nodes_per_zone(pool, zones) * len(zones)) > pool["most"]:
        remedy = f"GKE starts with as many nodes in each zone, {first} here; give {first} or more, or fewer zones"
        yield Problem(f"{path}.most", pool["most"], remedy)
    if not 10 <= pool.get("disk_gb", 100) <= 65536:
        yield Problem(f"{path}.disk_gb", pool.get("disk_gb"), "give 10 to 65536 GB")
    disk = pool.get("disk_type")
    if disk and (remedy := _disk_remedy(disk, machine["family"] if machine else "")):
        yield Problem(f"{path}.disk_type", disk, remedy)
    for label in pool.get("labels", {}):
        if re.fullmatch(_RESERVED_LABEL, label):
            yield Problem(f"{path}.labels.{label}", label, "Kubernetes keeps its own domains to itself; take another")
    for taint, effect in pool.get("taints", {}).items():
        if effect not in _TAINTS:
            yield Problem(f"{path}.taints.{taint}", effect, one_of(_TAINTS, effect))


def _disk_remedy(disk: str, family: str) -> str | None:
    if disk not in DISK_TYPES:
        return one_of(DISK_TYPES, disk)
    if family in _ON_HYPERDISK and disk.startswith("pd-"):
        return f"machines of the family {family} have hyperdisks only; write hyperdisk-balanced, or leave it out"
    if family in _ON_PERSISTENT_DISK and not disk.startswith("pd-"):
        return f"machines of the family {family} start from no hyperdisk; write pd-balanced, or leave it out"
    return None


def _member_problems(args: GkeClusterArgs) -> Iterator[Problem]:
    """A grant that stands twice would be gone with either. Members that only the cloud knows are not compared."""
    for field in ("administrators", "viewers"):
        seen: dict[str, str] = {}
        for purpose, member in args.get(field, {}).items():
            path = f"{field}.{purpose}"
            if not isinstance(member, str):
                continue
            if not re.fullmatch(_MEMBER, member):
                yield Problem(path, member, _MEMBER_REMEDY)
            elif member in seen:
                yield Problem(path, member, f"stands at {seen[member]} too; name each member once")
            seen[member] = path


def _maintenance_problems(args: GkeClusterArgs) -> Iterator[Problem]:
    if window := args.get("maintenance"):
        yield from _window_problems(window)
    exclusions = args.get("exclusions", {})
    if len(exclusions) > _MOST_EXCLUSIONS:
        yield Problem("exclusions", len(exclusions), f"GKE takes {_MOST_EXCLUSIONS} at most; drop those that are over")
    for name, exclusion in exclusions.items():
        yield from _period_problems(f"exclusions.{name}", exclusion["start"], exclusion["end"])


def _window_problems(window: GkeMaintenance) -> Iterator[Problem]:
    start, end = window["start"], window["end"]
    problems = list(_period_problems("maintenance", start, end))
    yield from problems
    recurrence = re.fullmatch(_RECURRENCE, window["recurrence"])
    if recurrence is None:
        remedy = "write FREQ=DAILY, or FREQ=WEEKLY;BYDAY= and days like SA,SU"
        yield Problem("maintenance.recurrence", window["recurrence"], remedy)
    elif not problems:
        length, days = _length(start, end), recurrence["days"]
        # Four weeks are sure to be in 32 days.
        windows = 4 * len(set(days.split(","))) if days else 32
        if not timedelta(hours=4) <= length <= timedelta(hours=24):
            yield Problem("maintenance.end", end, "keep a window open for 4 to 24 hours")
        elif windows * length < timedelta(hours=WINDOW_HOURS):
            remedy = f"Google wants {WINDOW_HOURS} hours in 32 days; name more days, or keep the window open for longer"
            yield Problem("maintenance.recurrence", window["recurrence"], remedy)


def _period_problems(path: str, start: str, end: str) -> Iterator[Problem]:
    wrong = [(key, time) for key, time in (("start", start), ("end", end)) if _time(time) is None]
    for key, time in wrong:
        yield Problem(f"{path}.{key}", time, _TIME_REMEDY)
    if not wrong and _length(start, end) <= timedelta():
        yield Problem(f"{path}.end", end, "give a time after `start`")


def _time(text: str) -> datetime | None:
    if not re.fullmatch(_TIME, text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _length(start: str, end: str) -> timedelta:
    return datetime.fromisoformat(end) - datetime.fromisoformat(start)


def _label_problems(path: str, labels: Mapping[str, str]) -> Iterator[Problem]:
    for key, value in labels.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key):
            yield Problem(f"{path}.{key}", key, "name it with small letters, digits, _ and -, a letter first")
        if not re.fullmatch(LABEL, value):
            yield Problem(f"{path}.{key}", value, "write it with small letters, digits, _ and -, 63 at most")


class GcpBinaryAuthorizationArgs(TypedDict):
    """Which images may run in a project."""

    scope: GcpScope
    """The project."""
    registries: dict[str, pulumi.Input[str]]
    """Registries whose images are all admitted, as images begin with them, by purpose:
    `europe-west3-docker.pkg.dev/shop-123456/images`."""
    images: NotRequired[list[str]]
    """Single images out of other registries that are admitted in any version, without a tag:
    `docker.io/library/postgres`. Default: none."""
    dry_run: NotRequired[bool]
    """Whether images out of other places are let in and only noted in the audit log. Default: no, they are refused."""


_REGISTRY = r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?(/[a-z0-9._-]+)+"
_REGISTRY_REMEDY = (
    "write it as images begin, host and path with no wildcard: europe-west3-docker.pkg.dev/shop-123456/images"
)


class GcpBinaryAuthorization(Component):
    """What Binary Authorization admits to the clusters of a project (CKV_GCP_66): images out of the named registries,
    named images out of others, and those that Google itself runs in clusters. Nothing else.

    A project has one such policy. Taking it away admits every image again.

    In need, a pod with the label `image-policy.k8s.io/break-glass: "true"` is admitted whatever its images are. The
    audit log keeps that: alert on it.

    Raises `InputError` for bad args.
    """

    policy: pulumi.Output[str]
    """Id of the policy."""

    def __init__(self, name: str, args: GcpBinaryAuthorizationArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpBinaryAuthorization {name}"
        args = checked(GcpBinaryAuthorizationArgs, args, subject, {"scope": scope_problem})
        images = args.get("images", [])
        if problems := [*_registry_problems(args["registries"]), *_image_problems(images)]:
            raise InputError(subject, problems)
        super().__init__(name, opts)

        # One star stays within a folder. It stands at the end alone; after the tag's colon, it is of this image only.
        admitted = [
            *(pulumi.Output.concat(registry, "/**") for registry in args["registries"].values()),
            *(f"{image}{version}" for image in images for version in (":*", "@*")),
        ]
        policy = gcp.binaryauthorization.Policy(
            name,
            project=args["scope"]["project"],
            description=f"Images that may run in {args['scope']['project']}",
            global_policy_evaluation_mode="ENABLE",
            admission_whitelist_patterns=[{"name_pattern": each} for each in admitted],
            default_admission_rule={
                "evaluation_mode": "ALWAYS_DENY",
                "enforcement_mode": "DRYRUN_AUDIT_LOG_ONLY"
                if args.get("dry_run", False)
                else "ENFORCED_BLOCK_AND_AUDIT_LOG",
            },
            opts=self._child(),
        )

        self.policy = policy.id
        self._register()


def _registry_problems(registries: Mapping[str, pulumi.Input[str]]) -> Iterable[Problem]:
    if not registries:
        yield Problem("registries", registries, "name a registry or more: with none, no image of ours could run")
    for purpose, registry in registries.items():
        if isinstance(registry, str) and not re.fullmatch(_REGISTRY, registry):
            yield Problem(f"registries.{purpose}", registry, _REGISTRY_REMEDY)


def _image_problems(images: Sequence[str]) -> Iterable[Problem]:
    for i, image in enumerate(images):
        if not re.fullmatch(_REGISTRY, image):
            remedy = "write host and path, without a tag and a wildcard: docker.io/library/postgres"
            yield Problem(f"images[{i}]", image, remedy)
        elif image in images[:i]:
            yield Problem(f"images[{i}]", image, "is listed twice; leave one out")
