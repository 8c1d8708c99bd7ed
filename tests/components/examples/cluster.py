"""Clusters."""

from components.cluster.bastion import SsmBastion, SsmBastionArgs
from components.cluster.eks import EksCluster, EksClusterArgs, NodeGroup

from .shared import HOME, KEY, LOG_KEY, Examples

GENERAL: NodeGroup = {"instance_types": ["m7g.large"], "fewest": 2, "most": 6}
SPARE: NodeGroup = {
    "instance_types": ["m7g.large", "m6g.large", "c7g.xlarge"],
    "spot": True,
    "fewest": 0,
    "most": 10,
    "disk_gb": 80,
    "labels": {"capacity": "spare"},
    "taints": {"spare": "NoSchedule"},
}
EKS: EksClusterArgs = {
    "scope": HOME,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "key_arn": KEY,
    "log_key_arn": LOG_KEY,
    "node_groups": {"general": GENERAL},
}
EKS_FULL: EksClusterArgs = {
    **EKS,
    "version": "1.36",
    "allowed_cidrs": ["203.0.113.0/24"],
    "administrators": {"deployment": "arn:aws:iam::123456789012:role/deploys"},
    "viewers": {"support": "arn:aws:iam::123456789012:role/supports"},
    "groups": {"developers": {"principal_arn": "arn:aws:iam::123456789012:role/develops", "groups": ["developers"]}},
    "node_groups": {"general": GENERAL, "spare": SPARE},
    "node_security_group_ids": ["sg-workloads"],
    "node_tags": {"system": "shop"},
}
EKS_AUTO: EksClusterArgs = {
    "scope": HOME,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "key_arn": KEY,
    "log_key_arn": LOG_KEY,
    "auto_mode": True,
}
BASTION: SsmBastionArgs = {
    "scope": HOME,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "targets": {"cluster": "sg-control-plane"},
    "host": "https://thing.eks.example",
}

EXAMPLES: Examples = {
    EksCluster: [
        lambda name, opts: EksCluster(name, EKS, opts),
        lambda name, opts: EksCluster(name, EKS_FULL, opts),
        lambda name, opts: EksCluster(name, EKS_AUTO, opts),
    ],
    SsmBastion: [lambda name, opts: SsmBastion(name, BASTION, opts)],
}
