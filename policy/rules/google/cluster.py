"""Cluster on Google Cloud.

Autopilot has much by itself, and refuses to be told it: the rules about that leave its clusters out.
"""

import re
from collections.abc import Iterator
from typing import Any

from ..demands import (
    DEV,
    DURABLE,
    PROD,
    STAGING,
    Demand,
    absent,
    equal,
    false,
    given,
    including,
    is_internet,
    judged,
    matching,
    never,
    true,
)
from ..paths import MISSING, SECRET, UNKNOWN, locate, read
from ..rule import Level, Resource, Rule, Stack, staying

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
MEMBER = "gcp:projects/iAMMember:IAMMember"
ADMISSION = "gcp:binaryauthorization/policy:Policy"

PROCESSORS = {DEV: 4, STAGING: 8, PROD: 32}
"""The most processors of a node, by tier."""

_LOGS = ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")
_METRICS = ("SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")
_DEFAULT_ACCOUNT = "123456789012-compute@developer.gserviceaccount.com"
_NODE_ROLE = "roles/container.defaultNodeServiceAccount"
_SHARED = {"micro": 2, "small": 2, "medium": 2}
_UNKNOWN_SIZE = 1000
"""Stands for machines whose name counts something dearer than processors."""


def processors(machine: str) -> int | None:
    """The processors of a machine type such as `n2-standard-8`, or None where it does not say."""
    _, _, rest = machine.partition("-")
    if rest in _SHARED:
        return _SHARED[rest]
    if custom := re.fullmatch(r"([a-z]\d+[a-z]*-)?custom-(\d+)-\d+(-ext)?", machine):
        return int(custom[2])
    counted = re.fullmatch(r"[a-z]+-(\d+)(g|t)?(-.*)?", rest)
    if counted is None:
        return None
    return _UNKNOWN_SIZE if counted[2] else int(counted[1])


def _no_larger() -> Demand:
    def holds(value: Any, tier: str) -> bool:
        if value is MISSING or value in (UNKNOWN, SECRET):
            return True
        return (processors(str(value)) or 0) <= PROCESSORS[tier]

    words = "have no more processors than " + ", ".join(f"{most} in {tier}" for tier, most in PROCESSORS.items())
    return Demand(words, holds, lambda tier: ["n2-standard-64", "a2-highgpu-8g"], needed=False)


def _own_account() -> Demand:
    return matching(
        r"(?!default$)(?!\d+-compute@developer\.gserviceaccount\.com$).+",
        "be a service account of its own",
        "default",
        _DEFAULT_ACCOUNT,
    )


def _is_autopilot(cluster: Resource, stack: Stack) -> bool:
    return cluster.inputs.get("enableAutopilot") is True


def _is_standard(cluster: Resource, stack: Stack) -> bool:
    return not _is_autopilot(cluster, stack)


def _answers_some(cluster: Resource, stack: Stack) -> Iterator[str]:
    """Nobody reaches an address of the API server that it has not, or that is the network's own."""
    if read(cluster.inputs, "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled") in (False, UNKNOWN):
        return
    if read(cluster.inputs, "privateClusterConfig.enablePrivateEndpoint") in (True, UNKNOWN):
        return
    networks = cluster.inputs.get("masterAuthorizedNetworksConfig")
    if networks is None:
        yield "its address answers the internet"
    for place in locate(networks, "cidrBlocks[*].cidrBlock"):
        if is_internet(place.found):
            yield f"its address answers {place.found}"


def _is_about_clusters(member: Resource, stack: Stack) -> bool:
    role = member.inputs.get("role")
    return isinstance(role, str) and role.startswith("roles/container.") and role != _NODE_ROLE


RULES: tuple[Rule, ...] = (
    Rule(
        "gke-private-nodes",
        "A cluster's nodes have no public addresses.",
        (CLUSTER,),
        ("CKV_GCP_25", "CKV_GCP_64", "GCP-0059"),
        demands={"privateClusterConfig.enablePrivateNodes": true()},
    ),
    Rule(
        "gke-pool-private",
        "A pool gives its nodes no public addresses, whatever its cluster says.",
        (POOL,),
        demands={"networkConfig.enablePrivateNodes": true()},
    ),
    Rule(
        "gke-endpoint",
        "A cluster's API server is reached through IAM, and by its address only from blocks that it names.",
        (CLUSTER,),
        ("CKV_GCP_18", "CKV_GCP_20", "GCP-0053", "GCP-0061"),
        demands={
            "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled": judged(True, needed=False),
            "controlPlaneEndpointsConfig.dnsEndpointConfig.enableK8sTokensViaDns": absent(True),
            "controlPlaneEndpointsConfig.dnsEndpointConfig.enableK8sCertsViaDns": absent(True),
            "masterAuthorizedNetworksConfig.cidrBlocks[*].cidrBlock": judged("0.0.0.0/0", "128.0.0.0/1", needed=False),
            "masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled": absent(True),
        },
        check=_answers_some,
    ),
    Rule(
        "gke-access",
        "Roles of clusters are given in a whole project, so a condition says which cluster they are about.",
        (MEMBER,),
        demands={"condition.expression": given()},
        when=_is_about_clusters,
    ),
    Rule(
        "gke-legacy-sign-in",
        "A cluster is used by those whom IAM and its own roles name: no certificates for clients, no ABAC.",
        (CLUSTER,),
        ("CKV_GCP_7", "CKV_GCP_13", "GCP-0062", "GCP-0064"),
        demands={
            "masterAuth.clientCertificateConfig.issueClientCertificate": absent(True),
            "enableLegacyAbac": absent(True),
        },
    ),
    Rule(
        "gke-no-alpha",
        "A cluster has no alpha features: such a one is not upgraded, and gone after 30 days.",
        (CLUSTER,),
        ("CKV2_GCP_19",),
        demands={"enableKubernetesAlpha": absent(True)},
    ),
    Rule(
        "gke-public-bindings",
        "No role of a cluster is for everybody with a Google account, or for everybody.",
        (CLUSTER,),
        demands={
            "rbacBindingConfig.enableInsecureBindingSystemAuthenticated": false(),
            "rbacBindingConfig.enableInsecureBindingSystemUnauthenticated": false(),
        },
    ),
    Rule(
        "gke-workload-identity",
        "Pods of a cluster have identities of their own.",
        (CLUSTER,),
        demands={"workloadIdentityConfig.workloadPool": given()},
        when=_is_standard,
    ),
    Rule(
        "gke-node-metadata",
        "A node gives its metadata, and the credentials in it, to itself alone.",
        (POOL,),
        ("CKV_GCP_69", "GCP-0048", "GCP-0057"),
        demands={
            "nodeConfig.workloadMetadataConfig.mode": equal("GKE_METADATA", breaks=["GCE_METADATA"]),
            "nodeConfig.metadata.disable-legacy-endpoints": equal("true", breaks=["false"]),
        },
    ),
    Rule(
        "gke-shielded-nodes",
        "A cluster's nodes prove that they are its own.",
        (CLUSTER,),
        ("CKV_GCP_71", "GCP-0055"),
        demands={"enableShieldedNodes": true()},
        when=_is_standard,
    ),
    Rule(
        "gke-secure-boot",
        "Nodes start signed software only, and note what they started.",
        (POOL,),
        ("CKV_GCP_68", "CKV_GCP_72"),
        demands={
            "nodeConfig.shieldedInstanceConfig.enableSecureBoot": true(),
            "nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring": true(),
        },
    ),
    Rule(
        "gke-node-image",
        "Nodes run Container-Optimized OS.",
        (POOL,),
        ("CKV_GCP_22", "GCP-0054"),
        demands={"nodeConfig.imageType": equal("COS_CONTAINERD", breaks=["UBUNTU_CONTAINERD"])},
    ),
    Rule(
        "gke-kubelet-port",
        "A node's kubelet answers nobody who does not sign in.",
        (POOL,),
        demands={"nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled": equal("FALSE", breaks=["TRUE"])},
    ),
    Rule(
        "gke-own-node-account",
        "Nodes have a service account of their own: the project's default one may do much more.",
        (POOL,),
        ("CKV2_GCP_1", "GCP-0050"),
        demands={"nodeConfig.serviceAccount": _own_account()},
    ),
    Rule(
        "gke-autopilot-node-account",
        "Nodes that Autopilot makes have a service account of their own, too.",
        (CLUSTER,),
        ("CKV2_GCP_1", "GCP-0050"),
        demands={"clusterAutoscaling.autoProvisioningDefaults.serviceAccount": _own_account()},
        when=_is_autopilot,
    ),
    Rule(
        "gke-default-pool",
        "A cluster's nodes are in pools beside it, which can be replaced without it. The pool that it begins with is "
        "taken away, and is until then no other's account.",
        (CLUSTER,),
        ("CKV_GCP_123",),
        demands={
            "removeDefaultNodePool": true(),
            "nodeConfig.serviceAccount": _own_account(),
            "nodePools": absent([{"name": "general"}]),
        },
        when=_is_standard,
    ),
    Rule(
        "gke-binary-authorization",
        "A cluster admits the images that its project's policy admits.",
        (CLUSTER,),
        ("CKV_GCP_66",),
        demands={"binaryAuthorization.evaluationMode": equal("PROJECT_SINGLETON_POLICY_ENFORCE", breaks=["DISABLED"])},
    ),
    Rule(
        "gke-admission",
        "A project admits images out of registries that it names, and Google's own for clusters.",
        (ADMISSION,),
        demands={
            "defaultAdmissionRule.evaluationMode": equal("ALWAYS_DENY", "REQUIRE_ATTESTATION", breaks=["ALWAYS_ALLOW"]),
            "globalPolicyEvaluationMode": equal("ENABLE", breaks=["DISABLE"]),
            "clusterAdmissionRules[*].evaluationMode": never(
                "not admit all images", lambda mode: mode == "ALWAYS_ALLOW", "ALWAYS_ALLOW"
            ),
            "admissionWhitelistPatterns[*].namePattern": never(
                "name a registry and a path in it",
                lambda pattern: "/" not in str(pattern).rstrip("/*"),
                "*",
                "docker.io/*",
            ),
        },
    ),
    Rule(
        "gke-admission-enforced",
        "Images that are not admitted are refused, not only noted.",
        (ADMISSION,),
        demands={
            "defaultAdmissionRule.enforcementMode": equal(
                "ENFORCED_BLOCK_AND_AUDIT_LOG", breaks=["DRYRUN_AUDIT_LOG_ONLY"]
            )
        },
        level=Level.ADVISORY,
    ),
    Rule(
        "gke-release-channel",
        "A cluster's versions come out of a release channel.",
        (CLUSTER,),
        ("CKV_GCP_70",),
        demands={
            "releaseChannel.channel": equal("REGULAR", "STABLE", "EXTENDED", "RAPID", breaks=["UNSPECIFIED"]),
        },
    ),
    Rule(
        "gke-maintenance-window",
        "A cluster is upgraded at times that are known.",
        (CLUSTER,),
        demands={"maintenancePolicy.recurringWindow|recurringMaintenanceWindow|dailyMaintenanceWindow": given()},
    ),
    Rule(
        "gke-dataplane-v2",
        "A cluster enforces network policies, by Dataplane V2.",
        (CLUSTER,),
        ("CKV_GCP_12", "GCP-0056"),
        demands={
            "datapathProvider": equal("ADVANCED_DATAPATH", breaks=["LEGACY_DATAPATH"]),
            "networkPolicy": absent({"enabled": True}),  # the former way, which does not go with it
        },
        when=_is_standard,
    ),
    Rule(
        "gke-ranges",
        "Pods and services have addresses of the network, out of ranges with names.",
        (CLUSTER,),
        ("CKV_GCP_23", "GCP-0049"),
        demands={
            "ipAllocationPolicy.clusterSecondaryRangeName": given(),
            "ipAllocationPolicy.servicesSecondaryRangeName": given(),
        },
    ),
    Rule(
        "gke-intranode-visibility",
        "The network sees what pods of one node send each other, so that its flow logs have it.",
        (CLUSTER,),
        ("CKV_GCP_61",),
        demands={"enableIntranodeVisibility": true()},
        when=_is_standard,
    ),
    Rule(
        "gke-service-addresses",
        "No service of a cluster takes addresses at will.",
        (CLUSTER,),
        demands={"serviceExternalIpsConfig.enabled": false()},
        when=_is_standard,
    ),
    Rule(
        "gke-secrets-encrypted",
        "A cluster's secrets are encrypted with a key of ours.",
        (CLUSTER,),
        demands={
            "databaseEncryption.state": equal("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED", breaks=["DECRYPTED"]),
            "databaseEncryption.keyName": given(),
        },
    ),
    Rule(
        "gke-disks-encrypted",
        "Nodes' disks are encrypted with a key of ours.",
        (POOL,),
        demands={"nodeConfig.bootDiskKmsKey": given()},
    ),
    Rule(
        "gke-autopilot-disks-encrypted",
        "Disks of nodes that Autopilot makes are encrypted with a key of ours.",
        (CLUSTER,),
        demands={"clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey": given()},
        when=_is_autopilot,
    ),
    Rule(
        "gke-logs",
        "A cluster's control plane and its workloads log.",
        (CLUSTER,),
        ("CKV_GCP_1", "GCP-0060"),
        demands={"loggingConfig.enableComponents": including(*_LOGS)},
    ),
    Rule(
        "gke-metrics",
        "A cluster and its control plane are measured.",
        (CLUSTER,),
        ("CKV_GCP_8", "GCP-0052"),
        demands={
            "monitoringConfig.enableComponents": including(*_METRICS),
            "monitoringConfig.managedPrometheus.enabled": true(),
        },
    ),
    Rule(
        "gke-backup-agent",
        "A cluster in staging and prod can be backed up.",
        (CLUSTER,),
        demands={"addonsConfig.gkeBackupAgentConfig.enabled": true()},
        tiers=DURABLE,
    ),
    Rule(
        "gke-deletion-protection",
        "Google's provider and Pulumi refuse to delete a cluster in staging and prod.",
        (CLUSTER,),
        demands={"deletionProtection": true()},
        options={"protect": true()},
        when=staying,
        tiers=DURABLE,
    ),
    Rule(
        "gke-node-repair",
        "Nodes that fail are replaced, and nodes are upgraded.",
        (POOL,),
        ("CKV_GCP_9", "CKV_GCP_10", "GCP-0058", "GCP-0063"),
        demands={"management.autoRepair": true(), "management.autoUpgrade": true()},
    ),
    Rule(
        "gke-cost-allocation",
        "A cluster's costs are told apart by what runs in it.",
        (CLUSTER,),
        demands={"costManagementConfig.enabled": true()},
    ),
    Rule(
        "gke-node-size",
        "A cluster's node is no larger than its tier needs.",
        (POOL,),
        demands={"nodeConfig.machineType": _no_larger()},
        level=Level.ADVISORY,
        in_dev=Level.MANDATORY,
    ),
)
