"""Cluster on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from preview.plan import UNKNOWN

from ...breaking import Break, changed, with_options
from ...sketch import GOOGLE, PROJECT, Sketch

ACCOUNT = f"nodes@{PROJECT}.iam.gserviceaccount.com"
DEFAULT_ACCOUNT = "123456789012-compute@developer.gserviceaccount.com"
BY_NAME = {"allowExternalTraffic": True, "enableK8sTokensViaDns": False, "enableK8sCertsViaDns": False}
ENDPOINTS = {"dnsEndpointConfig": BY_NAME, "ipEndpointsConfig": {"enabled": False}}
NETWORKS = {"cidrBlocks": [{"cidrBlock": "203.0.113.0/24"}], "gcpPublicCidrsAccessEnabled": False}
LOGS = ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"]
METRICS = ["SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"]
MONITORING = {"enableComponents": METRICS, "managedPrometheus": {"enabled": True}}
BINDINGS = {
    "enableInsecureBindingSystemAuthenticated": False,
    "enableInsecureBindingSystemUnauthenticated": False,
}
RANGES = {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"}
DEFAULTS = {"serviceAccount": ACCOUNT, "bootDiskKmsKey": UNKNOWN}
NODE = {
    "machineType": "e2-standard-2",
    "imageType": "COS_CONTAINERD",
    "serviceAccount": ACCOUNT,
    "bootDiskKmsKey": UNKNOWN,
    "metadata": {"disable-legacy-endpoints": "true"},
    "workloadMetadataConfig": {"mode": "GKE_METADATA"},
    "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
    "kubeletConfig": {"insecureKubeletReadonlyPortEnabled": "FALSE"},
}
PATTERNS = [{"namePattern": f"{GOOGLE}-docker.pkg.dev/{PROJECT}/images/**"}]
DENIES = {"evaluationMode": "ALWAYS_DENY", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack."""
    durable = sketch.tier != "dev"
    both = {
        "location": GOOGLE,
        "privateClusterConfig": {"enablePrivateNodes": True},
        "ipAllocationPolicy": RANGES,
        "databaseEncryption": {"state": "ENCRYPTED", "keyName": UNKNOWN},
        "binaryAuthorization": {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"},
        "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
        "rbacBindingConfig": BINDINGS,
        "releaseChannel": {"channel": "REGULAR"},
        "maintenancePolicy": {"recurringWindow": {"recurrence": "FREQ=DAILY"}},
        "loggingConfig": {"enableComponents": LOGS},
        "monitoringConfig": MONITORING,
        "costManagementConfig": {"enabled": True},
        "addonsConfig": {"gkeBackupAgentConfig": {"enabled": True}},
        "deletionProtection": durable,
    }
    sketch.add(
        "gcp:container/cluster:Cluster",
        "gke",
        {
            **both,
            "controlPlaneEndpointsConfig": ENDPOINTS,
            "removeDefaultNodePool": True,
            "initialNodeCount": 1,
            "nodeConfig": NODE,
            "workloadIdentityConfig": {"workloadPool": f"{PROJECT}.svc.id.goog"},
            "datapathProvider": "ADVANCED_DATAPATH",
            "enableShieldedNodes": True,
            "enableIntranodeVisibility": True,
            "serviceExternalIpsConfig": {"enabled": False},
        },
        protect=durable,
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:container/nodePool:NodePool",
        "gke-nodes",
        {
            "location": GOOGLE,
            "networkConfig": {"enablePrivateNodes": True},
            "nodeConfig": NODE,
            "management": {"autoRepair": True, "autoUpgrade": True},
        },
        {"cluster": "gke"},
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:container/cluster:Cluster",
        "gke-autopilot",
        {
            **both,
            "enableAutopilot": True,
            "controlPlaneEndpointsConfig": {"dnsEndpointConfig": BY_NAME, "ipEndpointsConfig": {"enabled": True}},
            "masterAuthorizedNetworksConfig": NETWORKS,
            "clusterAutoscaling": {"autoProvisioningDefaults": DEFAULTS},
        },
        protect=durable,
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:projects/iAMMember:IAMMember",
        "gke-deployment",
        {
            "project": PROJECT,
            "role": "roles/container.admin",
            "member": f"serviceAccount:deploys@{PROJECT}.iam.gserviceaccount.com",
            "condition": {"title": "Cluster", "expression": UNKNOWN},
        },
        {"condition": "gke"},
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:binaryauthorization/policy:Policy",
        "gke-admission",
        {
            "project": PROJECT,
            "globalPolicyEvaluationMode": "ENABLE",
            "defaultAdmissionRule": DENIES,
            "clusterAdmissionRules": [{"cluster": f"{GOOGLE}.gke", **DENIES}],
            "admissionWhitelistPatterns": PATTERNS,
        },
        provider=GOOGLE,
    )


def named(**settings: Any) -> Break:
    """Break a stack by settings of how an API server is reached by its name."""
    return changed("gke", controlPlaneEndpointsConfig={**ENDPOINTS, "dnsEndpointConfig": {**BY_NAME, **settings}})


def node(**settings: Any) -> Break:
    """Break a stack by settings of a pool's nodes."""
    return changed("gke-nodes", nodeConfig={**NODE, **settings})


def without_setting(setting: str) -> Break:
    """Break a stack by leaving a setting of a pool's nodes out."""
    return changed("gke-nodes", nodeConfig={key: value for key, value in NODE.items() if key != setting})


def admitting(**settings: Any) -> Break:
    """Break a stack by the rule for images of which no other speaks."""
    return changed("gke-admission", defaultAdmissionRule={**DENIES, **settings})


BREAKS: dict[str, list[Break]] = {
    "gke-private-nodes": [
        changed("gke", privateClusterConfig=None),
        changed("gke-autopilot", privateClusterConfig={"enablePrivateNodes": False}),
    ],
    "gke-pool-private": [
        changed("gke-nodes", networkConfig=None),
        changed("gke-nodes", networkConfig={"enablePrivateNodes": False}),
    ],
    "gke-endpoint": [
        changed("gke", controlPlaneEndpointsConfig=None),
        changed("gke", controlPlaneEndpointsConfig={"dnsEndpointConfig": BY_NAME}),
        changed("gke", controlPlaneEndpointsConfig={**ENDPOINTS, "ipEndpointsConfig": {"enabled": True}}),
        changed("gke-autopilot", masterAuthorizedNetworksConfig=None),
        changed("gke-autopilot", masterAuthorizedNetworksConfig={"cidrBlocks": [{"cidrBlock": "0.0.0.0/0"}]}),
        changed("gke-autopilot", masterAuthorizedNetworksConfig={"cidrBlocks": [{"cidrBlock": "128.0.0.0/1"}]}),
        changed("gke-autopilot", masterAuthorizedNetworksConfig={**NETWORKS, "gcpPublicCidrsAccessEnabled": True}),
        named(enableK8sTokensViaDns=True),
        named(enableK8sCertsViaDns=True),
    ],
    "gke-access": [changed("gke-deployment", condition=None)],
    "gke-legacy-sign-in": [
        changed("gke", masterAuth={"clientCertificateConfig": {"issueClientCertificate": True}}),
        changed("gke", enableLegacyAbac=True),
    ],
    "gke-no-alpha": [changed("gke", enableKubernetesAlpha=True)],
    "gke-public-bindings": [
        changed("gke", rbacBindingConfig=None),
        changed("gke", rbacBindingConfig={**BINDINGS, "enableInsecureBindingSystemAuthenticated": True}),
        changed("gke-autopilot", rbacBindingConfig={**BINDINGS, "enableInsecureBindingSystemUnauthenticated": True}),
    ],
    "gke-workload-identity": [changed("gke", workloadIdentityConfig=None)],
    "gke-node-metadata": [
        without_setting("workloadMetadataConfig"),
        node(workloadMetadataConfig={"mode": "GCE_METADATA"}),
        without_setting("metadata"),
        node(metadata={"disable-legacy-endpoints": "false"}),
    ],
    "gke-shielded-nodes": [changed("gke", enableShieldedNodes=False), changed("gke", enableShieldedNodes=None)],
    "gke-secure-boot": [
        without_setting("shieldedInstanceConfig"),
        node(shieldedInstanceConfig={"enableSecureBoot": False, "enableIntegrityMonitoring": True}),
        node(shieldedInstanceConfig={"enableSecureBoot": True, "enableIntegrityMonitoring": False}),
    ],
    "gke-node-image": [without_setting("imageType"), node(imageType="UBUNTU_CONTAINERD")],
    "gke-kubelet-port": [
        without_setting("kubeletConfig"),
        node(kubeletConfig={"insecureKubeletReadonlyPortEnabled": "TRUE"}),
    ],
    "gke-own-node-account": [
        without_setting("serviceAccount"),
        node(serviceAccount="default"),
        node(serviceAccount=DEFAULT_ACCOUNT),
    ],
    "gke-autopilot-node-account": [
        changed("gke-autopilot", clusterAutoscaling=None),
        changed(
            "gke-autopilot",
            clusterAutoscaling={"autoProvisioningDefaults": {**DEFAULTS, "serviceAccount": DEFAULT_ACCOUNT}},
        ),
    ],
    "gke-default-pool": [
        changed("gke", removeDefaultNodePool=None),
        changed("gke", removeDefaultNodePool=False),
        changed("gke", nodeConfig=None),
        changed("gke", nodeConfig={**NODE, "serviceAccount": "default"}),
        changed("gke", nodePools=[{"name": "general"}]),
    ],
    "gke-binary-authorization": [
        changed("gke", binaryAuthorization=None),
        changed("gke-autopilot", binaryAuthorization={"evaluationMode": "DISABLED"}),
    ],
    "gke-admission": [
        admitting(evaluationMode="ALWAYS_ALLOW"),
        changed("gke-admission", globalPolicyEvaluationMode="DISABLE"),
        changed("gke-admission", clusterAdmissionRules=[{**DENIES, "evaluationMode": "ALWAYS_ALLOW"}]),
        changed("gke-admission", admissionWhitelistPatterns=[*PATTERNS, {"namePattern": "*"}]),
        changed("gke-admission", admissionWhitelistPatterns=[{"namePattern": "docker.io/**"}]),
    ],
    "gke-admission-enforced": [admitting(enforcementMode="DRYRUN_AUDIT_LOG_ONLY")],
    "gke-release-channel": [
        changed("gke", releaseChannel=None),
        changed("gke", releaseChannel={"channel": "UNSPECIFIED"}),
    ],
    "gke-maintenance-window": [changed("gke", maintenancePolicy=None), changed("gke", maintenancePolicy={})],
    "gke-dataplane-v2": [
        changed("gke", datapathProvider=None),
        changed("gke", datapathProvider="LEGACY_DATAPATH"),
        changed("gke", networkPolicy={"enabled": True}),
    ],
    "gke-ranges": [
        changed("gke", ipAllocationPolicy=None),
        changed("gke", ipAllocationPolicy={"clusterSecondaryRangeName": "pods"}),
        changed("gke", ipAllocationPolicy={"servicesSecondaryRangeName": "services"}),
    ],
    "gke-intranode-visibility": [changed("gke", enableIntranodeVisibility=None)],
    "gke-service-addresses": [
        changed("gke", serviceExternalIpsConfig=None),
        changed("gke", serviceExternalIpsConfig={"enabled": True}),
    ],
    "gke-secrets-encrypted": [
        changed("gke", databaseEncryption=None),
        changed("gke", databaseEncryption={"state": "DECRYPTED", "keyName": UNKNOWN}),
        changed("gke-autopilot", databaseEncryption={"state": "ENCRYPTED"}),
    ],
    "gke-disks-encrypted": [without_setting("bootDiskKmsKey")],
    "gke-autopilot-disks-encrypted": [
        changed("gke-autopilot", clusterAutoscaling={"autoProvisioningDefaults": {"serviceAccount": ACCOUNT}}),
    ],
    "gke-logs": [
        changed("gke", loggingConfig=None),
        *(
            changed("gke", loggingConfig={"enableComponents": [log for log in LOGS if log != missing]})
            for missing in LOGS
        ),
    ],
    "gke-metrics": [
        changed("gke", monitoringConfig=None),
        changed("gke", monitoringConfig={**MONITORING, "managedPrometheus": {"enabled": False}}),
        changed("gke-autopilot", monitoringConfig={**MONITORING, "enableComponents": METRICS[1:]}),
    ],
    "gke-backup-agent": [changed("gke", addonsConfig=None)],
    "gke-deletion-protection": [
        changed("gke", deletionProtection=False),
        changed("gke-autopilot", deletionProtection=None),
        with_options("gke", protect=False),
    ],
    "gke-node-repair": [
        changed("gke-nodes", management=None),
        changed("gke-nodes", management={"autoRepair": False, "autoUpgrade": True}),
        changed("gke-nodes", management={"autoRepair": True, "autoUpgrade": False}),
    ],
    "gke-cost-allocation": [
        changed("gke", costManagementConfig=None),
        changed("gke", costManagementConfig={"enabled": False}),
    ],
    "gke-node-size": [
        node(machineType="n2-standard-64"),
        node(machineType="n2-custom-48-98304"),
        node(machineType="a2-highgpu-1g"),
        node(machineType="c3-standard-192-metal"),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
