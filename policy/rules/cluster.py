"""Clusters, and the machines that they and others are made of."""

from collections.abc import Iterator
from typing import Any

from .demands import DURABLE, absent, at_most, equal, false, given, including, is_internet, judged, matching, true
from .documents import many
from .logs import LOG_GROUP
from .paths import SECRET, UNKNOWN
from .rule import Link, Resource, Rule, Stack, staying

CLUSTER = "aws:eks/cluster:Cluster"
NODES = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"

_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_POOLS = 3
"""The fewest instance types of a spot group: each is a pool of its own in each zone."""


def _answers_some(cluster: Resource, stack: Stack) -> Iterator[str]:
    network = cluster.inputs.get("vpcConfig")
    if not isinstance(network, dict) or network.get("endpointPublicAccess") is not True:
        return
    blocks = network.get("publicAccessCidrs")
    if blocks in (UNKNOWN, SECRET):
        return
    if not blocks:
        yield "its public endpoint names no blocks, so it answers the internet"
    for block in many(blocks):
        if is_internet(block):
            yield f"its public endpoint answers {block}"


def _keeps_its_logs(cluster: Resource, stack: Stack) -> Iterator[str]:
    name = cluster.inputs.get("name")
    if name == UNKNOWN:
        return
    groups = [each.inputs.get("name") for each in stack.pointed(cluster, LOG_GROUP, "")]
    if f"/aws/eks/{name}/cluster" not in groups and UNKNOWN not in groups:
        yield f"it waits for no log group /aws/eks/{name}/cluster"


def _is_public(interface: Any) -> bool:
    return isinstance(interface, dict) and str(interface.get("associatePublicIpAddress")).lower() == "true"


def _has_public_addresses(nodes: Resource, stack: Stack) -> Iterator[str]:
    for template in stack.pointed(nodes, TEMPLATE, "launchTemplate"):
        if any(map(_is_public, many(template.inputs.get("networkInterfaces")))):
            yield f"{template.name} gives them public addresses"


def _is_spot(nodes: Resource, stack: Stack) -> bool:
    return nodes.inputs.get("capacityType") == "SPOT"


def _names_pools(nodes: Resource, stack: Stack) -> Iterator[str]:
    types = many(nodes.inputs.get("instanceTypes"))
    if len(set(map(str, types))) < _POOLS and UNKNOWN not in types:
        yield f"it names {len(types)} of {_POOLS} types"


RULES: tuple[Rule, ...] = (
    Rule(
        "eks-endpoint",
        "A cluster's API server answers inside its VPC, and outside it only to blocks that it names.",
        (CLUSTER,),
        ("CKV_AWS_38", "CKV_AWS_39", "AWS-0040", "AWS-0041"),
        demands={
            "vpcConfig.endpointPrivateAccess": true(),
            "vpcConfig.endpointPublicAccess": given(),  # AWS's own default is yes
            "vpcConfig.publicAccessCidrs": judged(["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"]),
        },
        check=_answers_some,
    ),
    Rule(
        "eks-logs",
        "A cluster's control plane logs all that it can.",
        (CLUSTER,),
        ("CKV_AWS_37", "AWS-0038"),
        demands={"enabledClusterLogTypes": including(*_LOGS)},
    ),
    Rule(
        "eks-log-group",
        "The log group stands before the cluster that writes to it: EKS makes a missing one by itself, unencrypted and "
        "kept for ever.",
        (CLUSTER,),
        links=(Link("a log group", LOG_GROUP, "", {"name": judged("/elsewhere")}, outward=True, judged=True),),
        check=_keeps_its_logs,
    ),
    Rule(
        "eks-secrets-encrypted",
        "A cluster's secrets are encrypted with a key of ours.",
        (CLUSTER,),
        ("CKV_AWS_58", "AWS-0039"),
        demands={
            "encryptionConfig.provider.keyArn": given(),
            "encryptionConfig.resources": including("secrets"),
        },
    ),
    Rule(
        "eks-version",
        "A cluster's version is in AWS's standard support.",
        (CLUSTER,),
        ("CKV_AWS_339",),
        demands={"version": matching(r"1\.3[56]", "be 1.35 or 1.36", "1.33")},
    ),
    Rule(
        "eks-standard-support",
        "A cluster does not slip into paid extended support.",
        (CLUSTER,),
        demands={"upgradePolicy.supportType": equal("STANDARD", breaks=["EXTENDED"])},
    ),
    Rule(
        "eks-access-entries",
        "A cluster is used by those whom its access entries name, and by nobody for having made it.",
        (CLUSTER,),
        demands={
            "accessConfig.authenticationMode": equal("API", breaks=["API_AND_CONFIG_MAP", "CONFIG_MAP"]),
            "accessConfig.bootstrapClusterCreatorAdminPermissions": false(),
        },
    ),
    Rule(
        "eks-deletion-protection",
        "AWS and Pulumi refuse to delete a cluster in staging and prod.",
        (CLUSTER,),
        demands={"deletionProtection": true()},
        options={"protect": true()},
        when=staying,
        tiers=DURABLE,
    ),
    Rule(
        "eks-nodes-private",
        "A cluster's nodes come out of a launch template of this stack, with no public addresses and no SSH keys.",
        (NODES,),
        ("CKV_AWS_88", "CKV_AWS_100"),
        demands={"remoteAccess": absent({"ec2SshKey": "key"})},
        links=(
            Link(
                "a launch template",
                TEMPLATE,
                "launchTemplate",
                {
                    "keyName": absent("key"),
                    "networkInterfaces": judged([{"associatePublicIpAddress": "true"}], needed=False),
                },
                outward=True,
            ),
        ),
        check=_has_public_addresses,
    ),
    Rule(
        "eks-spot-types",
        "Nodes of spare capacity name three instance types or more, so that no one pool's shortage takes them all.",
        (NODES,),
        demands={"instanceTypes": judged(["m7g.large", "m6g.large"], ["m7g.large"] * _POOLS)},
        check=_names_pools,
        when=_is_spot,
    ),
    Rule(
        "eks-node-repair",
        "Nodes that fail are replaced.",
        (NODES,),
        demands={"nodeRepairConfig.enabled": true()},
    ),
    Rule(
        "template-metadata",
        "A machine out of a template gives its metadata, and the credentials in it, to itself alone: to those with a "
        "token, and to no container.",
        (TEMPLATE,),
        ("CKV_AWS_79", "CKV_AWS_341", "AWS-0130"),
        demands={
            "metadataOptions.httpTokens": equal("required", breaks=["optional"]),
            "metadataOptions.httpPutResponseHopLimit": at_most(1),
        },
    ),
    Rule(
        "template-encrypted",
        "Volumes of a machine out of a template are encrypted.",
        (TEMPLATE,),
        ("CKV_AWS_8",),
        demands={"blockDeviceMappings[*].ebs.encrypted": equal("true", breaks=["false"])},
    ),
)
