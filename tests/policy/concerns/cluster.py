"""Clusters: in the sound stack, and the ways to break them."""

from typing import Any

from preview.plan import UNKNOWN

from ..breaking import Break, changed, with_options, without
from ..sketch import Sketch, allow

ENCRYPTED = {"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}
GUARDED = {
    "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
    "blockDeviceMappings": [ENCRYPTED],
}
ACCESS = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
NETWORK = {
    "endpointPrivateAccess": True,
    "endpointPublicAccess": True,
    "publicAccessCidrs": ["203.0.113.0/24"],
}
LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    durable = sketch.tier != "dev"
    days = 365 if sketch.tier == "prod" else 1
    logs = {"name": "/aws/eks/shop/cluster", "retentionInDays": days}
    sketch.add("aws:cloudwatch/logGroup:LogGroup", "cluster-logs", logs, {"kmsKeyId": "key"})
    sketch.add(
        "aws:eks/cluster:Cluster",
        "eks",
        {
            "name": "shop",
            "version": "1.35",
            "vpcConfig": NETWORK,
            "accessConfig": ACCESS,
            "encryptionConfig": {"provider": {"keyArn": UNKNOWN}, "resources": ["secrets"]},
            "enabledClusterLogTypes": LOGS,
            "upgradePolicy": {"supportType": "STANDARD"},
            "deletionProtection": durable,
        },
        {"encryptionConfig": "key"},
        after=["cluster-logs"],
        protect=durable,
    )
    sketch.change("template", **GUARDED)
    sketch.add("aws:ec2/launchTemplate:LaunchTemplate", "node-template", GUARDED)
    trust = allow(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
    sketch.add("aws:iam/role:Role", "node-role", {"assumeRolePolicy": trust})
    sketch.add(
        "aws:eks/nodeGroup:NodeGroup",
        "nodes",
        {
            "instanceTypes": ["t4g.small", "t4g.medium", "t4g.large"],
            "capacityType": "SPOT",
            "launchTemplate": {"id": UNKNOWN, "version": UNKNOWN},
            "nodeRepairConfig": {"enabled": True},
        },
        {"clusterName": "eks", "nodeRoleArn": "node-role", "launchTemplate": "node-template"},
    )


def answering(**settings: Any) -> Break:
    """Break a stack by settings of a cluster's network."""
    return changed("eks", vpcConfig={**NETWORK, **settings})


def accessed(**settings: Any) -> Break:
    """Break a stack by settings of who may use a cluster."""
    return changed("eks", accessConfig={**ACCESS, **settings})


BREAKS: dict[str, list[Break]] = {
    "node-size": [changed("nodes", instanceTypes=["t4g.large", "t4g.medium", "m7g.12xlarge"])],
    "eks-endpoint": [
        changed("eks", vpcConfig=None),
        answering(endpointPrivateAccess=False),
        answering(publicAccessCidrs=[]),
        answering(publicAccessCidrs=["203.0.113.0/24", "0.0.0.0/0"]),
        answering(publicAccessCidrs=["128.0.0.0/1"]),
        changed("eks", vpcConfig={"endpointPrivateAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]}),
        changed("eks", vpcConfig={"endpointPrivateAccess": True, "endpointPublicAccess": True}),
    ],
    "eks-logs": [
        changed("eks", enabledClusterLogTypes=None),
        *(changed("eks", enabledClusterLogTypes=[log for log in LOGS if log != missing]) for missing in LOGS),
    ],
    "eks-log-group": [
        without("cluster-logs"),
        changed("cluster-logs", name="/elsewhere"),
        with_options("eks", dependencies=[]),
    ],
    "eks-secrets-encrypted": [
        changed("eks", encryptionConfig=None),
        changed("eks", encryptionConfig={"provider": {"keyArn": UNKNOWN}, "resources": []}),
    ],
    "eks-version": [changed("eks", version=None), changed("eks", version="1.33"), changed("eks", version="1.350")],
    "eks-standard-support": [
        changed("eks", upgradePolicy=None),
        changed("eks", upgradePolicy={"supportType": "EXTENDED"}),
    ],
    "eks-access-entries": [
        changed("eks", accessConfig=None),
        accessed(authenticationMode="API_AND_CONFIG_MAP"),
        accessed(bootstrapClusterCreatorAdminPermissions=True),
    ],
    "eks-deletion-protection": [
        changed("eks", deletionProtection=False),
        changed("eks", deletionProtection=None),
        with_options("eks", protect=False),
    ],
    "eks-nodes-private": [
        without("node-template"),
        changed("nodes", launchTemplate=None),
        changed("nodes", remoteAccess={"ec2SshKey": "key"}),
        changed("node-template", keyName="key"),
        changed("node-template", networkInterfaces=[{"associatePublicIpAddress": "true"}]),
    ],
    "eks-spot-types": [
        changed("nodes", instanceTypes=["t4g.medium", "t4g.large"]),
        changed("nodes", instanceTypes=["t4g.large"] * 3),
        changed("nodes", instanceTypes=None),
    ],
    "eks-node-repair": [
        changed("nodes", nodeRepairConfig=None),
        changed("nodes", nodeRepairConfig={"enabled": False}),
    ],
    "template-metadata": [
        changed("node-template", metadataOptions=None),
        changed("template", metadataOptions={"httpTokens": "optional", "httpPutResponseHopLimit": 1}),
        changed("template", metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 2}),
    ],
    "template-encrypted": [
        changed("node-template", blockDeviceMappings=None),
        changed("template", blockDeviceMappings=[ENCRYPTED, {"deviceName": "/dev/xvdb", "ebs": {}}]),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
