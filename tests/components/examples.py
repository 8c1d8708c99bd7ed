"""A full and a bare call of every component, for the contract that all of them keep."""

from collections.abc import Callable

import pulumi
import pulumi_kubernetes as kubernetes

from components.component import Component
from components.database.rds import RdsBackupCopy, RdsBackupCopyArgs, RdsPostgres, RdsPostgresArgs
from components.network.aws import AwsNetwork, AwsNetworkArgs
from components.network.security_group import AwsSecurityGroup, AwsSecurityGroupArgs
from components.platform.namespace import KubernetesNamespace
from components.security.iam import AwsServiceRole, AwsServiceRoleArgs
from components.security.kms import EncryptionKey, EncryptionKeyArgs
from components.security.policy import AwsScope
from components.storage.s3 import S3AccessLogs, S3AccessLogsArgs, S3ObjectStore, S3ObjectStoreArgs

HOME: AwsScope = {"account": "123456789012", "region": "eu-central-1"}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/data"
LOG_KEY = "arn:aws:kms:eu-central-1:123456789012:key/logs"
AWAY_KEY = "arn:aws:kms:eu-west-1:123456789012:key/away"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:url"

NETWORK: AwsNetworkArgs = {
    "scope": HOME,
    "cidr": "10.20.0.0/16",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "log_key_arn": LOG_KEY,
}
GROUP: AwsSecurityGroupArgs = {
    "vpc_id": "vpc-1",
    "description": "Web servers",
    "ingress": {"proxy": {"port": 8080, "group": "sg-proxy"}},
    "egress": {"https": {"port": 443, "cidr": "0.0.0.0/0"}},
}
KEY_ARGS: EncryptionKeyArgs = {"scope": HOME, "purpose": "Data", "log_groups": True}
POSTGRES: RdsPostgresArgs = {
    "scope": HOME,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "key_arn": KEY,
    "log_key_arn": LOG_KEY,
    "database": "shop",
    "instance_class": "db.m6g.large",
    "clients": {"web": "sg-web"},
}
POSTGRES_FULL: RdsPostgresArgs = {**POSTGRES, "replicas": 2, "pooling": True}
BACKUP_COPY: RdsBackupCopyArgs = {"instance_arn": "arn:aws:rds:eu-central-1:123456789012:db:x", "key_arn": AWAY_KEY}
STORE: S3ObjectStoreArgs = {"scope": HOME, "key_arn": KEY, "access_log_bucket": "logs"}
STORE_FULL: S3ObjectStoreArgs = {
    **STORE,
    "keep_days": 4000,
    "lock_days": 365,
    "replicate_to": {"bucket_arn": "arn:aws:s3:::copy", "key_arn": AWAY_KEY, "region": "eu-west-1"},
}
ACCESS_LOGS: S3AccessLogsArgs = {"scope": HOME}
ROLE: AwsServiceRoleArgs = {
    "scope": HOME,
    "description": "Sells things",
    "key_arn": KEY,
    "secret_arns": {"database": SECRET},
    "stores": {"events": {"bucket_arn": "arn:aws:s3:::events", "read": True, "append": True}},
}

Maker = Callable[[str, pulumi.ResourceOptions], Component]


def _namespace(name: str, opts: pulumi.ResourceOptions) -> Component:
    cluster = kubernetes.Provider("cluster", kubeconfig="~/.kube/config", cluster_identifier="cluster")
    return KubernetesNamespace(
        name, {}, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[cluster]))
    )


EXAMPLES: dict[type[Component], list[Maker]] = {
    AwsNetwork: [lambda name, opts: AwsNetwork(name, NETWORK, opts)],
    AwsSecurityGroup: [lambda name, opts: AwsSecurityGroup(name, GROUP, opts)],
    EncryptionKey: [lambda name, opts: EncryptionKey(name, KEY_ARGS, opts)],
    RdsPostgres: [
        lambda name, opts: RdsPostgres(name, POSTGRES, opts),
        lambda name, opts: RdsPostgres(name, POSTGRES_FULL, opts),
    ],
    RdsBackupCopy: [lambda name, opts: RdsBackupCopy(name, BACKUP_COPY, opts)],
    S3ObjectStore: [
        lambda name, opts: S3ObjectStore(name, STORE, opts),
        lambda name, opts: S3ObjectStore(name, STORE_FULL, opts),
    ],
    S3AccessLogs: [lambda name, opts: S3AccessLogs(name, ACCESS_LOGS, opts)],
    AwsServiceRole: [lambda name, opts: AwsServiceRole(name, ROLE, opts)],
    KubernetesNamespace: [_namespace],
}
