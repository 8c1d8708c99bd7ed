"""A system on Google Cloud."""

from typing import Any, cast

import pulumi
import pulumi_random as random

from components.backup.gcp import GcpBackupPlan, GcpBackupVault, GkeBackupPlan, GkeBackupPlanArgs
from components.backup.gcp_restore import GcpRestoreTests, GcpRestoreTestsArgs
from components.broker.pubsub import PubSubBroker
from components.cache.memorystore import PORT as CACHE_PORT
from components.cache.memorystore import MemorystoreValkey
from components.cluster.gke import GkeCluster, GkeClusterArgs, GkeNodePool
from components.database.cloudsql import CloudSqlPostgres, CloudSqlPostgresArgs
from components.edge.cloudarmor import CloudArmorPolicy
from components.edge.clouddns import GcpDnsZone
from components.edge.gcp_certificates import GcpCertificates
from components.edge.gcp_endpoint_groups import GcpEndpointGroups
from components.edge.gcp_load_balancer import GcpLoadBalancer, GcpLoadBalancerArgs
from components.network.firewall import EVERYWHERE, HEALTH_CHECKS, FirewallDirection, GcpFirewallPolicy, GcpFirewallRule
from components.network.gcp import GcpNetwork, GcpRanges
from components.network.ranges import PRIVATE
from components.observability.cloudmonitoring import (
    Channels,
    CloudMonitoringAlerts,
    CloudMonitoringSlos,
    CloudMonitoringUptimeChecks,
    GcpLogBucket,
    GcpNotificationChannels,
    UptimeCheck,
)
from components.observability.cloudmonitoring_dashboard import CloudMonitoringDashboard
from components.platform.envoy import HEALTH_PATH
from components.secrets.gcp import GcpGeneratedSecret, GcpSecretReplica
from components.security.gcp_identity import (
    BucketGrant,
    GcpNodeAccount,
    GcpServiceAccount,
    GcpServiceAccountArgs,
)
from components.security.gcp_keys import GcpEncryptionKey
from components.security.google import GcpScope, service_agent
from components.security.project import GcpServices
from components.storage.gcs import GcsAccessLogs, GcsObjectStore, GcsObjectStoreArgs, key_location

from ..model import ObjectStore, Service
from ..settings import Settings
from .cluster import Platform
from .gcp_monitoring import Watched, environment_conditions, environment_objectives
from .gcp_place import project_provider
from .gcp_settings import (
    CACHE_TYPES,
    EVICTION,
    NODE_TYPES,
    NODES_ACCOUNT,
    RESTORES_ACCOUNT,
    GkeSection,
    Section,
    account_id,
    database_tier,
    most_connections,
    registry_of,
    signs_in,
)
from .gcp_workloads import GATEWAY_PORT, POSTGRES_PORTS, Parts, ground, links, pods_of
from .tags import cost_tags
from .workloads import Workloads

PARTS = (
    "project services",
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
    "load balancer and firewall for web traffic",
    "alerts and dashboard",
    "backups",
    "copies in a second region",
)
"""What of a system is realised here."""
SERVICES = (
    "backupdr.googleapis.com",
    "binaryauthorization.googleapis.com",
    "certificatemanager.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudscheduler.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "containersecurity.googleapis.com",
    "dns.googleapis.com",
    "gkebackup.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "memorystore.googleapis.com",
    "monitoring.googleapis.com",
    "networkconnectivity.googleapis.com",
    "pubsub.googleapis.com",
    "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
    "workflowexecutions.googleapis.com",
    "workflows.googleapis.com",
)
"""What an environment switches on in its project."""
AGENTS = (
    "backupdr.googleapis.com",
    "container.googleapis.com",
    "gkebackup.googleapis.com",
    "logging.googleapis.com",
    "memorystore.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com",
    "sqladmin.googleapis.com",
    "workflows.googleapis.com",
)
"""Those whose own accounts are given keys, or grants, before the first of their resources is made."""
_DATA_USERS = {
    "backups": "gcp-sa-gkebackup",
    "broker": "gcp-sa-pubsub",
    "cache": "gcp-sa-memorystore",
    "cluster": "container-engine-robot",
    "database": "gcp-sa-cloud-sql",
    "logs": "gcp-sa-logging",
    "machines": "compute-system",
    "secrets": "gcp-sa-secretmanager",
    "stores": "gs-project-accounts",
    "vault": "gcp-sa-backupdr",
    "workflows": "gcp-sa-workflows",
}
"""By which accounts Google's services encrypt data: the middle of their domains, by what they keep."""
LONGEST_LOCK = 90
"""Days for which Google locks a cluster's backups at most."""


def deploy(settings: Settings) -> "GcpEnvironment":
    """Make the environment."""
    return GcpEnvironment(settings)


class GcpEnvironment:
    """A system's environment on Google Cloud, in one region, and what is copied in the recovery region."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._system = settings.system
        self._section: Section = settings.section
        self._gke = self._section.cluster or GkeSection()
        self._name = settings.name
        self._home = self._scope(settings.region)
        self._random = random.Provider(f"{self._name}-random")
        self._project()
        self._keys()
        self._recovery()
        self._network()
        self._stores()
        self._firewall()
        self._cluster()
        self._database()
        self._broker()
        self._cache()
        self._secrets()
        self._identities()
        self._edge()
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
            "project": self._section.project,
            "networkId": network.network_id,
            "privateSubnetIds": [network.node_subnet_id],
            "dataSubnetIds": [network.endpoint_subnet_id],
            "natAddresses": network.nat_addresses,
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
            "edgeAddress": self._load_balancer.address if self._load_balancer else "",
            "edgeBackend": self._load_balancer.backend_service_name if self._load_balancer else "",
            "serviceIdentities": {name: account.identity for name, account in self._accounts.items()},
            "dashboard": self._dashboard.url,
            "backupVault": self._vault.vault_name if self._vault else "",
            "alertTopics": self._channels.topics,
            **self._broker_outputs(),
            **self._cluster_outputs(),
            **self._workloads.outputs(),
        }

    def _broker_outputs(self) -> dict[str, Any]:
        broker = self._pubsub
        if not broker:
            return {}
        return {
            "brokerProtocol": broker.protocol,
            "brokerAddress": broker.address,
            "brokerSecret": broker.credentials_secret,
            "brokerExchanges": broker.topics,
            "brokerQueues": broker.subscriptions,
            "brokerDeadLetters": broker.dead_letters,
        }

    def _cluster_outputs(self) -> dict[str, Any]:
        if not self._kubernetes:
            return {}
        return {
            "clusterName": self._kubernetes.cluster_name,
            "clusterEndpoint": self._kubernetes.endpoint,
            "kubeconfig": self._kubernetes.kubeconfig,
        }

    def _scope(self, region: str) -> GcpScope:
        return {"project": self._section.project, "number": self._section.project_number, "region": region}

    @property
    def _labels(self) -> dict[str, str]:
        settings = self._settings
        return cost_tags(self._system.name, self._name, settings.tier, settings.decommission, settings.tags)

    @property
    def _recovery_days(self) -> int:
        """Days during which a destroyed version of a secret can be had back."""
        return 30 if self._settings.profile.durable else 0

    @property
    def _secret_replicas(self) -> list[GcpSecretReplica]:
        """Where secrets are copied, for the day on which the region is lost."""
        return [{"region": self._away["region"], "key_name": self._away_key.key_name}] if self._away else []

    def _project(self) -> None:
        """What the project must have switched on; the providers of everything else wait for it."""
        settings = self._settings
        at_first = project_provider(self._name, "project", self._section.project, settings.region, self._labels)
        self._enabled = GcpServices(
            f"{self._name}-services",
            {"scope": self._home, "services": list(SERVICES), "agents": list(AGENTS)},
            pulumi.ResourceOptions(provider=at_first),
        )
        self._in_home = self._provider(settings.region)

    def _provider(self, region: str) -> pulumi.ResourceOptions:
        made = self._enabled.made
        provider = project_provider(self._name, region, self._section.project, region, self._labels, made)
        return pulumi.ResourceOptions(providers=[provider, self._random])

    def _key(
        self,
        name: str,
        scope: GcpScope,
        purpose: str,
        users: tuple[str, ...],
        opts: pulumi.ResourceOptions,
        location: str | None = None,
    ) -> GcpEncryptionKey:
        return GcpEncryptionKey(
            f"{self._name}-{name}",
            {
                "scope": scope,
                "purpose": purpose,
                "location": location or scope["region"],
                "users": {user: service_agent(scope, _DATA_USERS[user]) for user in users},
                "destroy_days": 30 if self._settings.profile.durable else 1,
                "protect": self._settings.protect,
            },
            opts,
        )

    def _keys(self) -> None:
        # Cloud Storage has no account before somebody asks for it, and nobody does where nothing is stored.
        users = tuple(user for user in _DATA_USERS if user != "stores" or self._system.stores)
        self._data_key = self._key("data", self._home, "Data and secrets", users, self._in_home)

    def _recovery(self) -> None:
        """The second region: its provider and its key, where anything is copied there."""
        region = self._settings.recovery_region
        self._away = self._scope(region) if region else None
        if self._away:
            self._in_away = self._provider(self._away["region"])
            users = ("backups", "cluster", "database", "secrets")
            self._away_key = self._key("recovery", self._away, "Copies", users, self._in_away)

    def _network(self) -> None:
        settings, section = self._settings, self._section
        self._vpc = GcpNetwork(
            f"{self._name}-network",
            {
                "scope": self._home,
                "cidr": settings.block,
                "ranges": cast(GcpRanges, section.ranges.model_dump(exclude_none=True)),
                "nat_addresses": section.nat_addresses,
            },
            self._in_home,
        )
        self._nodes_account = GcpNodeAccount(
            f"{self._name}-nodes",
            {
                "scope": self._home,
                "account_id": account_id(section, self._system, settings.tier, NODES_ACCOUNT),
                "registries": {name: registry_of(path) for name, path in section.registries.items()},
            },
            self._in_home,
        )

    def _firewall(self) -> None:
        """Who may reach whom. Pods send as their node: which of them may, their cluster's own policies say."""
        network = self._vpc
        nodes: list[pulumi.Input[str]] = [self._nodes_account.email]
        inside: list[pulumi.Input[str]] = [network.node_range, network.pod_range]
        out, into = FirewallDirection.EGRESS, FirewallDirection.INGRESS
        rules: dict[str, GcpFirewallRule] = {
            # What comes in from nodes and pods, GKE's own rules let in, which are asked first.
            "cluster": {"priority": 1000, "direction": out, "ranges": inside, "all_ports": True},
            "google": {"priority": 1100, "direction": out, "ranges": [network.api_range], "ports": {"tcp": ["443"]}},
            "database": {
                "priority": 1200,
                "direction": out,
                "ranges": [network.peered_range],
                "ports": {"tcp": [str(port) for port in POSTGRES_PORTS]},
            },
            "cache": {
                "priority": 1300,
                "direction": out,
                "ranges": [network.endpoint_range],
                "ports": {"tcp": [str(CACHE_PORT)]},
            },
            # So that the next one is about the internet alone.
            "inside": {"priority": 8000, "direction": out, "ranges": list(PRIVATE), "deny": True},
            "https": {"priority": 9000, "direction": out, "ranges": [EVERYWHERE], "ports": {"tcp": ["443"]}},
        }
        if self._system.hosts and not self._section.edge:
            # Before a certificate is asked for, it is seen whether the host's answer comes through.
            rules["http"] = {"priority": 9100, "direction": out, "ranges": [EVERYWHERE], "ports": {"tcp": ["80"]}}
        if self._section.edge:
            rules["load-balancer"] = {
                "priority": 2000,
                "direction": into,
                "ranges": list(HEALTH_CHECKS),
                "ports": {"tcp": [str(GATEWAY_PORT)]},
            }
        for rule in rules.values():
            rule["service_accounts"] = nodes
        self._guarded = GcpFirewallPolicy(
            f"{self._name}-firewall",
            {
                "scope": self._home,
                "network_id": network.network_id,
                "description": f"Services of {self._name}",
                "rules": rules,
            },
            self._in_home,
        )

    def _stores(self) -> None:
        stores, profile = self._system.stores, self._settings.profile
        self._two_regions_key = None
        self._buckets: dict[str, GcsObjectStore] = {}
        if not stores:
            return
        logs = GcsAccessLogs(
            f"{self._name}-access-logs",
            {
                "scope": self._home,
                "key_name": self._data_key.key_name,
                "keep_days": profile.log_days,
                "protect": self._settings.protect,
                "delete_contents": not profile.durable,
            },
            self._in_home,
        )
        if self._away and any(store.replicate for store in stores.values()):
            location = key_location(self._home["region"], self._away["region"])
            self._two_regions_key = self._key(
                "stores", self._home, "Stores in two regions", ("stores",), self._in_home, location
            )
        self._buckets = {name: self._store(name, store, logs) for name, store in stores.items()}

    def _store(self, name: str, store: ObjectStore, logs: GcsAccessLogs) -> GcsObjectStore:
        args: GcsObjectStoreArgs = {
            "scope": self._home,
            "key_name": self._data_key.key_name,
            "access_log_bucket": logs.bucket,
            "archive_after_days": store.archive_after_days,
            "keep_days": store.keep_days,
            "keep_versions_days": store.keep_versions_days,
            "lock_days": store.lock_days,
            "protect": self._settings.protect,
            "delete_contents": not self._settings.profile.durable,
        }
        if store.replicate and self._away and self._two_regions_key:
            args["key_name"] = self._two_regions_key.key_name
            args["data_locations"] = [self._home["region"], self._away["region"]]
            args["fast_copies"] = True
        return GcsObjectStore(f"{self._name}-{name}", args, self._in_home)

    def _cluster(self) -> None:
        """A cluster of its own, unless the settings name one that exists."""
        self._kubernetes = None
        settings, gke = self._settings, self._gke
        if settings.cluster:
            return
        args: GkeClusterArgs = {
            "scope": self._home,
            "network_id": self._guarded.network_id,
            "subnet_id": self._vpc.node_subnet_id,
            "pods_range": self._vpc.pod_range_name,
            "services_range": self._vpc.service_range_name,
            "key_name": self._data_key.key_name,
            "zones": list(self._section.zones),
            "node_account": self._nodes_account.email,
            "release_channel": gke.release_channel,
            "allowed_cidrs": list(gke.allow),
            "administrators": dict(gke.administrators),
            "viewers": dict(gke.viewers),
            "autopilot": gke.autopilot,
            "labels": self._labels,
            "protect": settings.protect,
        }
        if gke.security_group:
            args["security_group"] = gke.security_group
        if not gke.autopilot:
            args["nodes"] = {name: self._node_pool(name) for name in self._system.nodes}
            args["pods_per_node"] = gke.pods_per_node
        self._kubernetes = GkeCluster(self._name, args, self._in_home)

    def _node_pool(self, name: str) -> GkeNodePool:
        pool, given = self._system.nodes[name], self._section.nodes.get(name)
        return {
            "machine_type": given.machine_type if given else NODE_TYPES[pool.size],
            "spot": pool.spot,
            "fewest": pool.fewest,
            "most": pool.most,
            "disk_gb": pool.disk_gb,
        }

    def _database(self) -> None:
        settings, database = self._settings, self._system.database
        args: CloudSqlPostgresArgs = {
            "scope": self._home,
            "network_id": self._vpc.peered,
            "key_name": self._data_key.key_name,
            "database": database.name,
            "version": database.version.value,
            "tier": database_tier(self._section, self._system),
            "storage_gb": database.storage_gb,
            "max_storage_gb": database.max_storage_gb,
            "highly_available": database.highly_available,
            "replicas": database.replicas,
            "pooling": database.pooling,
            "backup_days": database.backup_days,
            "kept_backups": self._kept_backups,
            "password_version": self._section.database.password_version,
            # It makes the role that the services share.
            "administrator": True,
            "protect": settings.protect,
            "secret_replicas": self._secret_replicas,
            "labels": self._labels,
            "keep_final": settings.profile.durable,
        }
        if database.copy_backups and self._away:
            args["copy_to"] = {"region": self._away["region"], "key_name": self._away_key.key_name}
        self._postgres = CloudSqlPostgres(f"{self._name}-database", args, self._in_home)

    def _broker(self) -> None:
        self._pubsub, broker = None, self._system.broker
        if not self._system.has_broker:
            return
        self._pubsub = PubSubBroker(
            self._name,
            {
                "scope": self._home,
                "key_name": self._data_key.key_name,
                "exchanges": {name: exchange.kind.value for name, exchange in broker.exchanges.items()},
                "queues": {
                    name: {
                        "exchange": queue.exchange,
                        "routing_key": queue.routing_key,
                        "deliveries": queue.deliveries,
                        "keep_days": queue.keep_days,
                        "ordered": queue.ordered,
                    }
                    for name, queue in broker.queues.items()
                },
                "protect": self._settings.protect,
            },
            self._in_home,
        )

    def _cache(self) -> None:
        cache, section = self._system.cache, self._section.cache
        self._valkey = MemorystoreValkey(
            f"{self._name}-cache",
            {
                "scope": self._home,
                "network_id": self._vpc.endpoints,
                "key_name": self._data_key.key_name,
                "node_type": section.node_type or CACHE_TYPES[cache.size],
                "version": section.version,
                "replicas": cache.replicas,
                "snapshot_days": cache.backup_days,
                "eviction": EVICTION[cache.eviction],
                "secret_replicas": self._secret_replicas,
                "recovery_days": self._recovery_days,
                "protect": self._settings.protect,
            },
            self._in_home,
        )

    def _secrets(self) -> None:
        self._generated = {
            name: GcpGeneratedSecret(
                f"{self._name}-{name}",
                {
                    "scope": self._home,
                    "key_name": self._data_key.key_name,
                    "description": secret.purpose,
                    "length": secret.length,
                    "version": secret.version,
                    "replicas": self._secret_replicas,
                    "recovery_days": self._recovery_days,
                    "protect": self._settings.protect,
                },
                self._in_home,
            )
            for name, secret in self._system.generated_secrets.items()
        }

    def _identities(self) -> None:
        services = self._system.services
        self._accounts = {name: self._account(name, service) for name, service in services.items() if signs_in(service)}

    def _account(self, name: str, service: Service) -> GcpServiceAccount:
        stores: dict[str, BucketGrant] = {
            store: {
                "bucket": self._buckets[store].bucket,
                "read": store in service.reads,
                "append": store in service.appends,
            }
            for store in dict.fromkeys((*service.reads, *service.appends))
        }
        args: GcpServiceAccountArgs = {
            "scope": self._home,
            "account_id": account_id(self._section, self._system, self._settings.tier, name),
            "description": service.purpose,
            "stores": stores,
        }
        if broker := self._pubsub:
            args["publishes"] = {each: broker.topic_of(each) for each in service.publishes}
            args["consumes"] = {each: broker.subscription_of(each) for each in service.consumes}
        if service.database:
            args["database"] = self._postgres.instance_name
        if service.cache:
            args["cache"] = self._valkey.instance_name
        if service.keeps_credentials or service.uses_credentials:
            args["credentials"] = {
                "prefix": f"{self._name}-credentials-",
                "keep": service.keeps_credentials,
                "use": service.uses_credentials,
            }
        if service.reports_metrics:
            args["metrics"] = True
        if self._kubernetes:
            args["pods"] = pods_of(self._kubernetes, self._name, name)
        return GcpServiceAccount(f"{self._name}-{name}", args, self._in_home)

    def _edge(self) -> None:
        """Where the system is reached from the internet: behind a firewall for web traffic, over TLS."""
        self._load_balancer, self._endpoints = None, None
        edge, dns, hosts = self._section.edge, self._section.dns, self._system.hosts
        if not (edge and dns):
            return
        zone: GcpDnsZone = {"zone_name": dns.zone, "project": dns.project or self._section.project}
        self._armor = CloudArmorPolicy(
            f"{self._name}-armor",
            {"scope": self._home, "rate_limit": {"requests": edge.requests_per_minute}},
            self._in_home,
        )
        certificates = GcpCertificates(
            f"{self._name}-tls", {"scope": self._home, "domains": hosts, "zone": zone}, self._in_home
        )
        args: GcpLoadBalancerArgs = {
            "scope": self._home,
            "hosts": hosts,
            "zone": zone,
            "security_policy_id": self._armor.policy_id,
            "certificate_map_id": certificates.certificate_map_id,
            "health_check": {"path": HEALTH_PATH},
            "protect": self._settings.protect,
        }
        if self._kubernetes:
            self._endpoints = GcpEndpointGroups(
                f"{self._name}-gateway",
                {
                    "scope": self._home,
                    "network_id": self._vpc.network_id,
                    "subnet_id": self._vpc.node_subnet_id,
                    "zones": list(self._section.zones),
                    "group": f"{self._name}-gateway",
                },
                self._in_home,
            )
            groups = self._endpoints.groups
            args["backends"] = {zone: {"group": groups[zone]} for zone in self._section.zones}
        self._load_balancer = GcpLoadBalancer(f"{self._name}-edge", args, self._in_home)

    def _run(self) -> None:
        """What runs in the cluster."""
        parts = Parts(
            scope=self._home,
            key=self._data_key,
            network=self._vpc,
            database=self._postgres,
            cache=self._valkey,
            broker=self._pubsub,
            stores=self._buckets,
            secrets=self._generated,
            accounts=self._accounts,
            cluster=self._kubernetes,
            endpoints=self._endpoints,
        )
        platform = Platform(self._settings, ground(self._settings, parts, self._in_home))
        self._workloads = Workloads(self._settings, platform, links(self._settings, parts))

    def _notifications(self) -> None:
        """Who is told of what goes wrong."""
        self._channels = GcpNotificationChannels(
            f"{self._name}-alerts",
            {
                "scope": self._home,
                "key_name": self._data_key.key_name,
                "receivers": self._settings.alerts.by_severity,
                "protect": self._settings.protect,
            },
            self._in_home,
        )

    def _logged(self) -> pulumi.Output[str]:
        """Which entries of the project's log are the environment's, and kept as long as its tier wants."""
        database = pulumi.Output.concat(
            f'resource.labels.database_id = "{self._section.project}:', self._postgres.instance_name, '"'
        )
        if not self._kubernetes:
            return database
        return pulumi.Output.concat(
            database, ' OR resource.labels.cluster_name = "', self._kubernetes.cluster_name, '"'
        )

    @property
    def _vaulted(self) -> bool:
        """Whether backups outlive the environment. Google deletes no vault, and no plan of a cluster's backups, before
        the last of them is gone: where nothing is to be left behind, there are those that the database keeps itself."""
        backup = self._system.backup
        more = backup.locked or backup.monthly_days or backup.copied or backup.restore_tests
        return self._settings.profile.durable or bool(more)

    @property
    def _kept_backups(self) -> int:
        """Daily backups that the database keeps itself: each for as long as a month's one is wanted."""
        backup = self._system.backup
        return max(backup.daily_days, backup.monthly_days, self._system.database.backup_days + 1)

    def _backups(self) -> None:
        self._cluster_plans: dict[str, tuple[GkeBackupPlan, str]] = {}
        self._tests: GcpRestoreTests | None = None
        self._vault: GcpBackupVault | None = None
        self._vault_plan: GcpBackupPlan | None = None
        if not self._vaulted:
            return
        if self._section.database.vault:
            self._back_databases_up()
        if self._kubernetes:
            self._back_cluster_up(self._kubernetes)
        if self._system.backup.restore_tests:
            self._restore()

    def _back_databases_up(self) -> None:
        backup, protect = self._system.backup, self._settings.protect
        # A vault locks each backup for a day at least. A month's one is free when a day's is gone.
        locked_days = backup.daily_days if backup.locked else 1
        self._vault = GcpBackupVault(
            f"{self._name}-backups",
            {
                "scope": self._home,
                "key_name": self._data_key.key_name,
                "locked_days": locked_days,
                "protect": protect,
                "abandon": not protect,
            },
            self._in_home,
        )
        self._vault_plan = GcpBackupPlan(
            f"{self._name}-backup",
            {
                "scope": self._home,
                "vault_id": self._vault.vault_id,
                "vault_account": self._vault.service_account,
                "locked_days": locked_days,
                "resources": {"database": self._postgres.instance_id},
                "daily_days": backup.daily_days,
                "monthly_days": backup.monthly_days,
                "log_days": self._system.database.backup_days,
            },
            self._in_home,
        )

    def _back_cluster_up(self, cluster: GkeCluster) -> None:
        at_home = self._cluster_plan("cluster", cluster, self._home, self._data_key, self._in_home, hour=1)
        self._cluster_plans["cluster"] = at_home, self._home["region"]
        if self._system.backup.copied and self._away:
            away = self._cluster_plan("cluster-copy", cluster, self._away, self._away_key, self._in_away, hour=4)
            self._cluster_plans["cluster-copy"] = away, self._away["region"]

    def _cluster_plan(
        self,
        name: str,
        cluster: GkeCluster,
        scope: GcpScope,
        key: GcpEncryptionKey,
        opts: pulumi.ResourceOptions,
        hour: int,
    ) -> GkeBackupPlan:
        backup, protect = self._system.backup, self._settings.protect
        args: GkeBackupPlanArgs = {
            "scope": self._home,
            "cluster_id": cluster.cluster_id,
            "location": scope["region"],
            "key_name": key.key_name,
            "daily_days": backup.daily_days,
            "monthly_days": backup.monthly_days,
            "lock_days": min(LONGEST_LOCK, backup.daily_days) if backup.locked else 0,
            "hour": hour,
            "protect": protect,
            "abandon": not protect,
        }
        if scope is self._home and backup.restore_tests:
            args["test_namespace"] = self._name
        return GkeBackupPlan(f"{self._name}-{name}", args, opts)

    def _restore(self) -> None:
        """Sees every month that what is backed up can be had back."""
        args: GcpRestoreTestsArgs = {
            "scope": self._home,
            "key_name": self._data_key.key_name,
            "account_id": account_id(self._section, self._system, self._settings.tier, RESTORES_ACCOUNT),
            "database": self._postgres.instance_name,
            "protect": self._settings.protect,
        }
        if self._vault_plan:
            args["datasource"] = self._vault_plan.data_sources["database"]
        if "cluster" in self._cluster_plans:
            plan, _ = self._cluster_plans["cluster"]
            args["cluster"] = {"backup_plan_id": plan.daily_plan_id, "restore_plan_id": plan.test_restore_plan_id}
        self._tests = GcpRestoreTests(f"{self._name}-restores", args, self._in_home)

    def _monitoring(self) -> None:
        """What they are told of, and where it is seen."""
        to: Channels = {"critical": self._channels.critical, "warning": self._channels.warning}
        watched = Watched(
            scope=self._home,
            network=self._vpc,
            database=self._postgres,
            connections=most_connections(database_tier(self._section, self._system)),
            broker=self._pubsub,
            cache=self._valkey,
            cluster=self._kubernetes,
            stores=self._buckets,
            load_balancer=self._load_balancer,
            armor=self._armor.policy_name if self._load_balancer else None,
            backups={name: (plan.daily_plan_name, region) for name, (plan, region) in self._cluster_plans.items()},
            vaulted=self._vault is not None,
            restores=self._tests.workflow_name if self._tests else None,
        )
        conditions = environment_conditions(self._system, watched)
        alerts = CloudMonitoringAlerts(
            f"{self._name}-alarms", {"scope": self._home, "channels": to, "conditions": conditions}, self._in_home
        )
        CloudMonitoringSlos(
            f"{self._name}-objectives",
            {
                "scope": self._home,
                "channels": to,
                "service": {"id": self._name, "display": self._system.title},
                "objectives": environment_objectives(watched),
            },
            self._in_home,
        )
        if self._system.hosts:
            checks: dict[str, UptimeCheck] = {
                host if host != service.route.host else name: {"host": host, "path": service.ready_path}
                for name, service in self._system.services.items()
                if service.route
                for host in service.route.hosts
            }
            CloudMonitoringUptimeChecks(
                f"{self._name}-uptime", {"scope": self._home, "channels": to, "checks": checks}, self._in_home
            )
        self._logs = GcpLogBucket(
            f"{self._name}-logs",
            {
                "scope": self._home,
                "filter": self._logged(),
                "key_name": self._data_key.key_name,
                "days": self._settings.profile.log_days,
                "protect": self._settings.protect,
            },
            self._in_home,
        )
        self._dashboard = CloudMonitoringDashboard(
            self._name,
            {"scope": self._home, "conditions": conditions, "policy_ids": alerts.policy_ids},
            self._in_home,
        )
