"""A system on AWS."""

from typing import Any

import pulumi
import pulumi_random as random

from components.backup.aws import (
    AwsBackupPlan,
    AwsBackupPlanArgs,
    AwsBackupVault,
    AwsBackupVaultArgs,
    BackedUp,
    BackupKind,
    RestoreNetwork,
)
from components.broker.amazonmq import AmazonMqBroker
from components.broker.topology import dead_letters
from components.cache.elasticache import ElastiCacheValkey, ElastiCacheValkeyArgs
from components.cluster.bastion import SsmBastion
from components.cluster.eks import EksCluster, EksClusterArgs, NodeGroup
from components.database.rds import RdsBackupCopy, RdsPostgres, RdsPostgresArgs
from components.network.aws import AwsNetwork, nat_zones
from components.network.security_group import ANYWHERE, AwsSecurityGroup
from components.observability.alarms import Alarms
from components.observability.cloudwatch import PUBLISHERS, AwsNotifications, CloudWatchAlarms, Topics
from components.observability.dashboard import CloudWatchDashboard
from components.secrets.aws import SecretReplica
from components.secrets.generated import AwsGeneratedSecret
from components.security.iam import AwsServiceRole, AwsServiceRoleArgs, StoreGrant
from components.security.kms import EncryptionKey
from components.security.policy import AwsScope
from components.storage.s3 import S3AccessLogs, S3ObjectStore, S3ObjectStoreArgs

from ..model import ObjectStore, Service
from ..settings import Settings
from .aws_monitoring import Watched, environment_alarms, recovery_alarms
from .aws_place import regional_provider
from .aws_settings import (
    BROKER_TYPES,
    CACHE_TYPES,
    EVICTION,
    INSTANCE_CLASSES,
    INTERFACE_ENDPOINTS_OF,
    NAT_MODES,
    NODE_TYPES,
    EksSection,
    Section,
    clustered,
)
from .aws_workloads import Parts, ground, links, pods_of
from .cluster import Platform
from .tags import cost_tags
from .workloads import Workloads, declarations

PARTS = (
    "network",
    "keys",
    "database",
    "broker",
    "cache",
    "stores",
    "secrets",
    "cluster, or a namespace in an existing one",
    "identities of services and of add-ons",
    "platform of charts, gateway and certificates",
    "services, and the jobs around them",
    "alarms and dashboard",
    "backups",
    "standby in a second region",
)
"""What of a system is realised here."""


def deploy(settings: Settings) -> "AwsEnvironment":
    """Make the environment."""
    if settings.section.permissions_boundary:
        _bound_roles(settings.section.permissions_boundary)
    return AwsEnvironment(settings)


def _bound_roles(boundary: str) -> None:
    """Every role gets the boundary, in whatever component it is made: CI may make no other."""

    def bound(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != "aws:iam/role:Role":
            return None
        return pulumi.ResourceTransformationResult({**args.props, "permissions_boundary": boundary}, args.opts)

    pulumi.runtime.register_stack_transformation(bound)


class AwsEnvironment:
    """A system's environment on AWS, in one region, and what is copied in the recovery region."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._system = settings.system
        self._section: Section = settings.section
        self._eks = self._section.cluster or EksSection()
        self._name = settings.name
        self._home = self._scope(settings.region)
        self._random = random.Provider(f"{self._name}-random")
        self._in_home = self._provider(settings.region)
        self._keys()
        self._network()
        self._recovery()
        self._stores()
        self._cluster()
        self._database()
        self._broker()
        self._cache()
        self._secrets()
        self._identities()
        self._notifications()
        self._backups()
        self._monitoring()
        self._run()

    def outputs(self) -> dict[str, Any]:
        """What an engineer needs to find and use it. No secret is among them."""
        database, network, cache = self._postgres, self._vpc, self._valkey
        return {
            "environment": self._name,
            "region": self._settings.region,
            "primaryRegion": self._settings.primary_region,
            "networkId": network.vpc_id,
            "publicSubnetIds": network.public_subnet_ids,
            "privateSubnetIds": network.private_subnet_ids,
            "dataSubnetIds": network.data_subnet_ids,
            "natAddresses": network.nat_addresses,
            "workloadSecurityGroupId": self._machines.group_id,
            "databaseHost": database.host,
            "databaseReaderHost": database.reader_host,
            "databasePort": database.port,
            "databaseName": database.database,
            "databaseRole": database.role,
            "databaseSecret": database.credentials_secret,
            "databaseAdministratorSecret": database.administrator_secret,
            "cacheHost": cache.host,
            "cacheReaderHost": cache.reader_host,
            "cachePort": cache.port,
            "cacheSecret": cache.credentials_secret,
            "secrets": {name: secret.secret for name, secret in self._generated.items()},
            "stores": {name: store.bucket for name, store in self._buckets.items()},
            "storeCopies": {name: store.bucket for name, store in self._copies.items()},
            "serviceIdentities": {name: role.identity for name, role in self._roles.items()},
            "dashboard": self._dashboard.url,
            "alertTopics": self._alerts.topic_arns,
            "backupVault": self._vault.vault_name,
            **self._broker_outputs(),
            **self._cluster_outputs(),
            **self._standby_outputs(),
            **self._workloads.outputs(),
        }

    def _broker_outputs(self) -> dict[str, Any]:
        broker = self._mq
        if not broker:
            return {}
        return {
            "brokerProtocol": broker.protocol,
            "brokerAddress": broker.address,
            "brokerExchanges": {name: name for name in self._system.broker.exchanges},
            "brokerQueues": {name: name for name in self._system.broker.queues},
            "brokerDeadLetters": {name: dead_letters(name) for name in self._system.broker.queues},
            "brokerConsole": broker.console_url,
            "brokerSecret": broker.credentials_secret,
            "brokerAdministratorSecret": broker.administrator_secret,
            "brokerDefinitions": self._definitions,
        }

    def _cluster_outputs(self) -> dict[str, Any]:
        if not self._kubernetes:
            return {}
        return {
            "clusterName": self._kubernetes.cluster_name,
            "clusterEndpoint": self._kubernetes.endpoint,
            "kubeconfig": self._kubernetes.kubeconfig,
            "nodeSecurityGroupId": self._kubernetes.node_security_group_id,
            **({"tunnel": self._bastion.command} if self._bastion else {}),
        }

    def _standby_outputs(self) -> dict[str, Any]:
        """What a standby in the recovery region takes as its `aws.primary`."""
        if not self._away:
            return {}
        region = self._away["region"]
        return {
            "standby": {
                "database": self._postgres.instance_arn,
                "databaseSecret": self._postgres.credentials_replica_arns.apply(lambda arns: arns.get(region, "")),
                "key": self._away_key.arn,
                "stores": {name: store.bucket_arn for name, store in self._copies.items()},
            }
        }

    def _scope(self, region: str) -> AwsScope:
        return {"account": self._section.account, "region": region}

    def _provider(self, region: str) -> pulumi.ResourceOptions:
        provider = regional_provider(self._name, region, self._section.account, self._section.endpoint, self._tags)
        return pulumi.ResourceOptions(providers=[provider, self._random])

    @property
    def _tags(self) -> dict[str, str]:
        settings = self._settings
        return cost_tags(self._system.name, self._name, settings.tier, settings.decommission, settings.tags)

    @property
    def _instance_class(self) -> str:
        """The database's."""
        return self._section.database.instance_class or INSTANCE_CLASSES[self._system.database.size]

    @property
    def _recovery_days(self) -> int:
        """Days during which the deletion of a secret can be called off."""
        return 30 if self._settings.profile.durable else 0

    @property
    def _secret_replicas(self) -> list[SecretReplica]:
        """Where secrets are copied that a standby needs."""
        return [{"region": self._away["region"], "key_arn": self._away_key.arn}] if self._away else []

    def _key(
        self,
        name: str,
        scope: AwsScope,
        purpose: str,
        opts: pulumi.ResourceOptions,
        log_groups: bool = False,
        publishers: list[str] | None = None,
    ) -> EncryptionKey:
        return EncryptionKey(
            f"{self._name}-{name}",
            {
                "scope": scope,
                "purpose": f"{purpose} of {self._name}",
                "log_groups": log_groups,
                "publishers": publishers or [],
                "deletion_window_days": 30 if self._settings.profile.durable else 7,
                "protect": self._settings.protect,
            },
            opts,
        )

    def _keys(self) -> None:
        self._data_key = self._key("data", self._home, "Data and secrets", self._in_home)
        self._log_key = self._key(
            "logs", self._home, "Logs and notifications", self._in_home, log_groups=True, publishers=list(PUBLISHERS)
        )

    def _network(self) -> None:
        settings, section = self._settings, self._section
        endpoints = section.interface_endpoints
        self._nat = section.nat or NAT_MODES[settings.tier]
        self._vpc = AwsNetwork(
            f"{self._name}-network",
            {
                "scope": self._home,
                "cidr": settings.block,
                "zones": list(section.zones),
                "log_key_arn": self._log_key.arn,
                "nat": self._nat,
                "flow_log_days": settings.profile.log_days,
                "interface_endpoints": list(INTERFACE_ENDPOINTS_OF[settings.tier] if endpoints is None else endpoints),
                "private_tags": {} if settings.cluster else {"karpenter.sh/discovery": self._name},
            },
            self._in_home,
        )
        self._machines = AwsSecurityGroup(
            f"{self._name}-workloads",
            {
                "vpc_id": self._vpc.vpc_id,
                "description": f"Services of {self._name}",
                "egress": {
                    "https": {"port": 443, "cidr": ANYWHERE},
                    # Before a certificate is asked for, it is seen whether the host's answer comes through.
                    **({"http": {"port": 80, "cidr": ANYWHERE}} if self._system.hosts else {}),
                },
            },
            self._in_home,
        )
        self._clients: dict[str, pulumi.Input[str]] = {"workloads": self._machines.group_id}

    def _recovery(self) -> None:
        """The second region: its provider and its key, where anything is copied there."""
        region = self._settings.recovery_region
        self._away = self._scope(region) if region else None
        if self._away:
            self._in_away = self._provider(self._away["region"])
            self._away_key = self._key("recovery", self._away, "Copies", self._in_away, publishers=list(PUBLISHERS))

    def _stores(self) -> None:
        stores = self._system.stores
        self._copies: dict[str, S3ObjectStore] = {}
        self._buckets: dict[str, S3ObjectStore] = {}
        if not stores:
            return
        home_logs = self._access_logs("access-logs", self._home, self._in_home)
        if self._away and any(store.replicate for store in stores.values()):
            away_logs = self._access_logs("recovery-logs", self._away, self._in_away)
            self._copies = {
                name: self._store(f"{name}-copy", store, self._away, self._away_key, away_logs, self._in_away)
                for name, store in stores.items()
                if store.replicate
            }
        self._buckets = {
            name: self._store(name, store, self._home, self._data_key, home_logs, self._in_home, self._copies.get(name))
            for name, store in stores.items()
        }

    def _access_logs(self, name: str, scope: AwsScope, opts: pulumi.ResourceOptions) -> S3AccessLogs:
        profile = self._settings.profile
        return S3AccessLogs(
            f"{self._name}-{name}",
            {
                "scope": scope,
                "keep_days": profile.log_days,
                "protect": self._settings.protect,
                "delete_contents": not profile.durable,
            },
            opts,
        )

    def _store(
        self,
        name: str,
        store: ObjectStore,
        scope: AwsScope,
        key: EncryptionKey,
        logs: S3AccessLogs,
        opts: pulumi.ResourceOptions,
        copy: S3ObjectStore | None = None,
    ) -> S3ObjectStore:
        args: S3ObjectStoreArgs = {
            "scope": scope,
            "key_arn": key.arn,
            "access_log_bucket": logs.bucket,
            "archive_after_days": store.archive_after_days,
            "keep_days": store.keep_days,
            "keep_versions_days": store.keep_versions_days,
            "lock_days": store.lock_days,
            "protect": self._settings.protect,
            "delete_contents": not self._settings.profile.durable,
        }
        if copy and self._away:
            args["replicate_to"] = {
                "bucket_arn": copy.bucket_arn,
                "key_arn": self._away_key.arn,
                "region": self._away["region"],
            }
        return S3ObjectStore(f"{self._name}-{name}", args, opts)

    def _database(self) -> None:
        settings, database, primary = self._settings, self._system.database, self._section.primary
        args: RdsPostgresArgs = {
            "scope": self._home,
            "vpc_id": self._vpc.vpc_id,
            "subnet_ids": self._vpc.data_subnet_ids,
            "key_arn": self._data_key.arn,
            "log_key_arn": self._log_key.arn,
            "database": database.name,
            "version": database.version.value,
            "instance_class": self._instance_class,
            "storage_gb": database.storage_gb,
            "max_storage_gb": database.max_storage_gb,
            "multi_az": database.highly_available,
            "replicas": database.replicas,
            "pooling": database.pooling,
            "backup_days": database.backup_days,
            "log_days": settings.profile.log_days,
            "clients": self._clients,
            "protect": settings.protect,
            "keep_final": settings.profile.durable,
        }
        if primary:
            # It signs services in with what the primary's database has, also once it takes the writes itself.
            args["credentials_secret_arn"] = primary.database_secret
            args["credentials_key_arn"] = primary.key
            if settings.is_standby:
                args["source_arn"] = primary.database
        else:
            args["secret_replicas"] = self._secret_replicas
            # A standby follows only a database whose administrator's password RDS does not manage.
            args["replicated"] = self._away is not None
            if days := settings.profile.rotation_days:
                args["rotation"] = {"days": days, "subnet_ids": self._vpc.private_subnet_ids}
        self._postgres = RdsPostgres(f"{self._name}-database", args, self._in_home)
        if database.copy_backups and self._away and not settings.is_standby:
            RdsBackupCopy(
                f"{self._name}-database-copy",
                {
                    "instance_arn": self._postgres.instance_arn,
                    "key_arn": self._away_key.arn,
                    "backup_days": database.backup_days,
                },
                self._in_away,
            )

    def _broker(self) -> None:
        settings, broker = self._settings, self._system.broker
        self._mq, self._definitions = None, {}
        if not self._system.has_broker:
            return
        self._mq = AmazonMqBroker(
            f"{self._name}-broker",
            {
                "scope": self._home,
                "vpc_id": self._vpc.vpc_id,
                "subnet_ids": self._vpc.data_subnet_ids,
                "key_arn": self._data_key.arn,
                "instance_type": self._section.broker.instance_type or BROKER_TYPES[settings.tier],
                "clustered": clustered(self._section, settings.tier),
                "clients": self._clients,
                "administrators": self._clients,
                "virtual_host": self._system.name,
                "username": self._system.name,
                "password_version": self._section.broker.password_version,
                "log_days": settings.profile.log_days,
                "recovery_days": self._recovery_days,
                "protect": settings.protect,
            },
            self._in_home,
        )
        self._definitions = declarations(self._system.name, broker)

    def _cache(self) -> None:
        settings, cache, section = self._settings, self._system.cache, self._section.cache
        args: ElastiCacheValkeyArgs = {
            "scope": self._home,
            "vpc_id": self._vpc.vpc_id,
            "subnet_ids": self._vpc.data_subnet_ids,
            "key_arn": self._data_key.arn,
            "log_key_arn": self._log_key.arn,
            "node_type": section.node_type or CACHE_TYPES[cache.size],
            "version": section.version,
            "replicas": cache.replicas,
            "snapshot_days": cache.backup_days,
            "eviction": EVICTION[cache.eviction],
            "clients": self._clients,
            "username": self._system.name,
            "password_version": section.password_version,
            "log_days": settings.profile.log_days,
            "recovery_days": self._recovery_days,
            "protect": settings.protect,
            "keep_final": settings.profile.durable,
        }
        if section.family:
            args["family"] = section.family
        self._valkey = ElastiCacheValkey(f"{self._name}-cache", args, self._in_home)

    def _secrets(self) -> None:
        self._generated = {
            name: AwsGeneratedSecret(
                f"{self._name}-{name}",
                {
                    "scope": self._home,
                    "key_arn": self._data_key.arn,
                    "description": secret.purpose,
                    "length": secret.length,
                    "version": secret.version,
                    "replicas": self._secret_replicas,
                    "recovery_days": self._recovery_days,
                },
                self._in_home,
            )
            for name, secret in self._system.generated_secrets.items()
        }

    def _cluster(self) -> None:
        """A cluster of its own, unless the settings name one that exists; and the way in where it is private."""
        self._kubernetes, self._bastion = None, None
        settings, eks = self._settings, self._eks
        if settings.cluster:
            return
        args: EksClusterArgs = {
            "scope": self._home,
            "vpc_id": self._vpc.vpc_id,
            "subnet_ids": self._vpc.private_subnet_ids,
            "key_arn": self._data_key.arn,
            "log_key_arn": self._log_key.arn,
            "version": eks.version,
            "allowed_cidrs": list(eks.allow),
            "administrators": dict(eks.administrators),
            "viewers": dict(eks.viewers),
            "groups": {
                name: {"principal_arn": member.principal, "groups": list(member.groups)}
                for name, member in eks.members.items()
            },
            "auto_mode": eks.auto_mode,
            "log_days": settings.profile.log_days,
            "protect": settings.protect,
            "tunnel_port": 0 if eks.allow else eks.tunnel_port,
        }
        if not eks.auto_mode:
            args["node_groups"] = {name: self._node_group(name) for name in self._system.nodes}
            args["node_security_group_ids"] = [self._machines.group_id]
            args["node_tags"] = self._tags
        if eks.patch_schedule:
            args["patch_schedule"] = eks.patch_schedule
        self._kubernetes = EksCluster(self._name, args, self._in_home)
        if eks.auto_mode:
            # The machines that EKS brings join its own group and no other.
            self._clients = {"cluster": self._kubernetes.node_security_group_id}
        if not eks.allow:
            self._bastion = SsmBastion(
                f"{self._name}-bastion",
                {
                    "scope": self._home,
                    "vpc_id": self._vpc.vpc_id,
                    "subnet_ids": self._vpc.private_subnet_ids,
                    "targets": {"cluster": self._kubernetes.control_plane_security_group_id},
                    "host": self._kubernetes.endpoint,
                    "local_port": eks.tunnel_port,
                    "tags": self._tags,
                },
                self._in_home,
            )

    def _node_group(self, name: str) -> NodeGroup:
        pool, given = self._system.nodes[name], self._section.nodes.get(name)
        return {
            "instance_types": list(given.instance_types if given else NODE_TYPES[pool.size]),
            "spot": pool.spot,
            "fewest": pool.fewest,
            "most": pool.most,
            "disk_gb": pool.disk_gb,
        }

    def _identities(self) -> None:
        services = self._system.services
        self._roles = {name: self._role(name, service) for name, service in services.items() if service.uses_cloud}

    def _role(self, name: str, service: Service) -> AwsServiceRole:
        stores: dict[str, StoreGrant] = {
            store: {
                "bucket_arn": self._buckets[store].bucket_arn,
                "read": store in service.reads,
                "append": store in service.appends,
            }
            for store in dict.fromkeys((*service.reads, *service.appends))
        }
        args: AwsServiceRoleArgs = {
            "scope": self._home,
            "description": service.purpose,
            "key_arn": self._data_key.arn,
            "stores": stores,
        }
        if primary := self._section.primary:
            stores |= {
                f"{store}-of-primary": {"bucket_arn": primary.stores[store], "read": True}
                for store in service.reads
                if store in primary.stores
            }
            args["further_key_arns"] = [primary.key]
        if service.keeps_credentials or service.uses_credentials:
            args["credentials"] = {
                "prefix": f"{self._name}/credentials/",
                "keep": service.keeps_credentials,
                "use": service.uses_credentials,
            }
        if service.reports_metrics:
            args["metrics_namespace"] = self._name
        if self._kubernetes:
            args["pods"] = pods_of(self._kubernetes, self._name, name)
        return AwsServiceRole(f"{self._name}-{name}", args, self._in_home)

    def _run(self) -> None:
        """What runs in the cluster."""
        parts = Parts(
            scope=self._home,
            key=self._data_key,
            network=self._vpc,
            database=self._postgres,
            cache=self._valkey,
            broker=self._mq,
            definitions=self._definitions,
            stores=self._buckets,
            secrets=self._generated,
            roles=self._roles,
            cluster=self._kubernetes,
            tags=self._tags,
        )
        platform = Platform(self._settings, ground(self._settings, parts, self._in_home))
        self._workloads = Workloads(self._settings, platform, links(self._settings, parts))

    def _notifications(self) -> None:
        """Who is told of what goes wrong."""
        self._alerts = self._topics("alerts", self._home, self._log_key, self._in_home)

    def _topics(self, name: str, scope: AwsScope, key: EncryptionKey, opts: pulumi.ResourceOptions) -> AwsNotifications:
        return AwsNotifications(
            f"{self._name}-{name}",
            {
                "scope": scope,
                "key_arn": key.arn,
                "receivers": self._settings.alerts.by_severity,
            },
            opts,
        )

    def _monitoring(self) -> None:
        """What they are told of, and where it is seen."""
        rotated = self._settings.profile.rotation_days
        watched = Watched(
            network=self._vpc,
            nat_zones=nat_zones(self._nat, self._section.zones),
            database=self._postgres,
            instance_class=self._instance_class,
            follows=self._settings.is_standby,
            broker=self._mq,
            cache=self._valkey,
            cluster=self._kubernetes,
            stores=self._buckets,
            copies=self._copies,
            vault=self._vault.vault_name,
            rotation=f"{self._name}-database-rotation" if rotated and not self._section.primary else "",
        )
        alarms = environment_alarms(self._system, watched)
        made = self._alarms("alarms", alarms, self._alerts, self._in_home)
        self._dashboard = CloudWatchDashboard(
            self._name,
            {
                "scope": self._home,
                "alarms": alarms,
                "alarm_arns": made.alarm_arns,
                "log_groups": [self._kubernetes.log_group] if self._kubernetes else [],
            },
            self._in_home,
        )
        if self._away and (late := recovery_alarms(watched)):
            topics = self._topics("recovery-alerts", self._away, self._away_key, self._in_away)
            self._alarms("recovery-alarms", late, topics, self._in_away)

    def _alarms(
        self, name: str, alarms: Alarms, topics: AwsNotifications, opts: pulumi.ResourceOptions
    ) -> CloudWatchAlarms:
        to: Topics = {"critical": topics.critical_topic_arn, "warning": topics.warning_topic_arn}
        # By part as well: else a second failure would tell nobody while the first one lasts.
        return CloudWatchAlarms(f"{self._name}-{name}", {"topics": to, "alarms": alarms, "by_part": True}, opts)

    def _backup_vault(
        self, name: str, scope: AwsScope, key: EncryptionKey, opts: pulumi.ResourceOptions
    ) -> AwsBackupVault:
        args: AwsBackupVaultArgs = {
            "scope": scope,
            "key_arn": key.arn,
            "lock": self._system.backup.locked,
            "protect": self._settings.protect,
            "delete_contents": not self._settings.profile.durable,
        }
        return AwsBackupVault(f"{self._name}-{name}", args, opts)

    def _backups(self) -> None:
        backup = self._system.backup
        self._vault = self._backup_vault("backups", self._home, self._data_key, self._in_home)
        resources: dict[str, BackedUp] = {
            "database": {"arn": self._postgres.instance_arn, "kind": BackupKind.RDS},
            **{name: {"arn": store.bucket_arn, "kind": BackupKind.S3} for name, store in self._buckets.items()},
        }
        if self._kubernetes:
            resources["cluster"] = {"arn": self._kubernetes.cluster_arn, "kind": BackupKind.EKS}
        args: AwsBackupPlanArgs = {
            "scope": self._home,
            "vault_name": self._vault.vault_name,
            "resources": resources,
            "daily_days": backup.daily_days,
            "monthly_days": backup.monthly_days,
        }
        if backup.copied and self._away:
            copies = self._backup_vault("backup-copies", self._away, self._away_key, self._in_away)
            args["copy_to"] = {"vault_arn": copies.vault_arn}
        if backup.restore_tests:
            network: RestoreNetwork = {"vpc_id": self._vpc.vpc_id, "subnet_ids": self._vpc.data_subnet_ids}
            args["restore_test"] = {"network": network}
        AwsBackupPlan(f"{self._name}-backup", args, self._in_home)
