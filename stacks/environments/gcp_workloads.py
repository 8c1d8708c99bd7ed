"""What an environment on Google Cloud gives to what runs in its cluster."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import pulumi

from components.broker.pubsub import PubSubBroker
from components.cache.memorystore import PORT as CACHE_PORT
from components.cache.memorystore import MemorystoreValkey
from components.cluster.gke import GkeCluster
from components.database.cloudsql import CloudSqlPostgres
from components.edge.gcp_endpoint_groups import GcpEndpointGroups
from components.network.firewall import EVERYWHERE
from components.network.gcp import GcpNetwork
from components.platform import dns as external_dns
from components.platform import secrets as external_secrets
from components.platform.add_on import GOOGLE_IDENTITY
from components.platform.gateway import Exposure
from components.platform.storage import VolumeProvisioner
from components.platform.traffic import Peer
from components.secrets.gcp import GcpGeneratedSecret
from components.security.gcp_identity import GcpPods, GcpServiceAccount, GcpServiceAccountArgs
from components.security.gcp_keys import GcpEncryptionKey
from components.security.google import GcpScope
from components.storage.gcs import GcsObjectStore

from ..model import Service, System
from ..platform import AddOn
from ..settings import Settings
from .cluster import Exposed, Ground, cluster_provider
from .gcp_settings import RECORDS_ACCOUNT, SECRETS_ACCOUNT, DnsSection, Section, account_id
from .workloads import DATABASE_USER, POSTGRES_USER, SOON, Credentials, DatabaseSetup, Link, Links

GATEWAY_PORT = 8443
"""At which the gateway of a cluster answers the load balancer."""
POSTGRES_PORTS = (5432, 6432)
"""Of an instance, and of its pool."""


class Parts(NamedTuple):
    """The parts of an environment that its services use."""

    scope: GcpScope
    key: GcpEncryptionKey
    network: GcpNetwork
    database: CloudSqlPostgres
    cache: MemorystoreValkey
    broker: PubSubBroker | None
    stores: Mapping[str, GcsObjectStore]
    secrets: Mapping[str, GcpGeneratedSecret]
    accounts: Mapping[str, GcpServiceAccount]
    """Who services are, by their names."""
    cluster: GkeCluster | None
    """The environment's own cluster."""
    endpoints: GcpEndpointGroups | None
    """What the load balancer in front of the cluster sends to."""


def pods_of(cluster: GkeCluster, namespace: str, service_account: str) -> GcpPods:
    """The pods of the environment's own cluster that act as somebody. In one that exists, whoever runs it says so."""
    return {"workload_pool": cluster.workload_pool, "namespace": namespace, "service_account": service_account}


def ground(settings: Settings, parts: Parts, opts: pulumi.ResourceOptions) -> Ground:
    """What the cluster is given. Makes who its add-ons are."""
    section: Section = settings.section
    cluster, dns = parts.cluster, kept_zone(settings)
    add_ons = _add_ons(settings, parts, opts)
    accounts = {**parts.accounts, **{add_on.value: account for add_on, account in add_ons.items()}}
    place = Ground(
        provider=cluster_provider(settings.name, settings, cluster),
        exposed=_exposed(parts.endpoints),
        identities=accounts,
        annotations={name: {"iam.gke.io/gcp-service-account": each.identity} for name, each in accounts.items()},
        secret_store={"google": {"project": section.project}},
        measures=False,  # GKE does
    )
    if not cluster:
        return place
    return replace(
        place,
        dns={"google": {"zone": dns.zone, "project": dns.project or section.project}} if dns else None,
        storage={
            "provisioner": VolumeProvisioner.PERSISTENT_DISK,
            "key": parts.key.key_name,
            "keep": settings.profile.durable,
        },
    )


def links(settings: Settings, parts: Parts) -> Links:
    """What services are connected to."""
    system, registry = settings.system, settings.images.pull_secret
    broker, database, cache = parts.broker, parts.database, parts.cache
    return Links(
        database=Link(
            {
                "DB_HOST": database.host,
                "DB_NAME": database.database,
                "DB_PORT": database.port.apply(str),
                "DB_READER_HOST": database.reader_host,
                "DB_SSL_MODE": "require",
            },
            {"ports": list(POSTGRES_PORTS), "cidrs": _one(parts.network.peered_range)},
            {"database": Credentials(_id_of(database.credentials_secret), DATABASE_USER, SOON)},
            direct={"DB_PORT": str(POSTGRES_PORTS[0])},
        ),
        database_owner=Credentials(_id_of(database.credentials_secret), POSTGRES_USER, SOON),
        database_setup=DatabaseSetup(
            host=database.host,
            administrator=Credentials(_id_of(database.administrator_secret), POSTGRES_USER),
            # Cloud SQL makes the logins; what they make belongs to a role that they share.
            role=f"{system.database.name}_owner",
            members=(database.role, *_database_users(system, parts)),
        ),
        cache=Link(
            {
                "REDIS_AUTHENTICATION": "iam",
                "REDIS_HOST": cache.host,
                "REDIS_PORT": cache.port.apply(str),
                "REDIS_READER_HOST": cache.reader_host,
                "REDIS_TLS": "true",
            },
            {"ports": [CACHE_PORT], "cidrs": _one(parts.network.endpoint_range)},
            # Its certificate is of an authority of its own.
            {"cache": Credentials(_id_of(cache.credentials_secret), {"REDIS_CA": "ca"})},
        ),
        broker=_broker(broker) if broker else None,
        exchanges={name: broker.topic_of(name) for name in system.broker.exchanges} if broker else {},
        queues={name: broker.subscription_of(name) for name in system.broker.queues} if broker else {},
        stores={name: store.bucket for name, store in parts.stores.items()},
        secrets={name: _id_of(secret.secret) for name, secret in parts.secrets.items()},
        registry=registry.rpartition("/")[2] if registry else None,
        cloud={name: _cloud_of(system.services[name]) for name in parts.accounts},
    )


def kept_zone(settings: Settings) -> DnsSection | None:
    """The zone in which the cluster keeps records of hosts: where nothing that is made here stands before it."""
    section: Section = settings.section
    return section.dns if settings.system.hosts and not section.edge else None


def _add_ons(settings: Settings, parts: Parts, opts: pulumi.ResourceOptions) -> dict[AddOn, GcpServiceAccount]:
    """Who the add-ons of the cluster are."""
    section: Section = settings.section
    brings: GcpServiceAccountArgs = {
        "scope": parts.scope,
        "account_id": account_id(section, settings.system, settings.tier, SECRETS_ACCOUNT),
        "description": "Brings secrets to the services of the cluster",
        "secrets": _delivered(settings, parts),
    }
    if parts.cluster:
        brings["pods"] = pods_of(parts.cluster, external_secrets.NAMESPACE, external_secrets.SERVICE_ACCOUNT)
    accounts = {AddOn.SECRETS: GcpServiceAccount(f"{settings.name}-external-secrets", brings, opts)}
    if parts.cluster and (dns := kept_zone(settings)):
        keeps: GcpServiceAccountArgs = {
            "scope": parts.scope,
            "account_id": account_id(section, settings.system, settings.tier, RECORDS_ACCOUNT),
            "description": "Keeps records of hosts",
            "dns_zones": {"hosts": {"zone_name": dns.zone, "project": dns.project or section.project}},
            "pods": pods_of(parts.cluster, external_dns.NAMESPACE, external_dns.SERVICE_ACCOUNT),
        }
        accounts[AddOn.DNS] = GcpServiceAccount(f"{settings.name}-external-dns", keeps, opts)
    return accounts


def _delivered(settings: Settings, parts: Parts) -> dict[str, pulumi.Input[str]]:
    """The secrets that services, and the jobs before them, are given."""
    secrets: dict[str, pulumi.Input[str]] = {name: secret.secret for name, secret in parts.secrets.items()}
    secrets["database"] = parts.database.credentials_secret
    secrets["database-administrator"] = parts.database.administrator_secret
    secrets["cache"] = parts.cache.credentials_secret
    if registry := settings.images.pull_secret:
        secrets["registry"] = registry
    return secrets


def _exposed(endpoints: GcpEndpointGroups | None) -> Exposed:
    if not endpoints:
        return Exposed({"type": Exposure.LOAD_BALANCER})
    # The load balancer sends to the pods of the proxies themselves.
    ports = endpoints.group_name.apply(lambda group: {"exposed_ports": {str(GATEWAY_PORT): {"name": group}}})
    return Exposed(
        {"type": Exposure.CLUSTER, "annotations": {"cloud.google.com/neg": pulumi.Output.json_dumps(ports)}},
        https_port=GATEWAY_PORT,
        http_port=0,
        seen=False,
        trusted_hops=2,  # its own address is the last of those that it adds
    )


def _broker(broker: PubSubBroker) -> Link:
    """One of the cloud's APIs, in which services are who they are."""
    return Link(
        {"BROKER_ADDRESS": broker.address, "BROKER_PROTOCOL": broker.protocol},
        {"ports": [443], "cidrs": [EVERYWHERE]},
    )


def _database_users(system: System, parts: Parts) -> list[pulumi.Output[str]]:
    """The services' own logins, by which Cloud SQL knows their accounts."""
    return [
        account.identity.apply(lambda address: address.removesuffix(".gserviceaccount.com"))
        for name, account in parts.accounts.items()
        if system.services[name].database
    ]


def _cloud_of(service: Service) -> dict[str, Peer]:
    """Where a service reaches Google Cloud."""
    peers: dict[str, Peer] = {**GOOGLE_IDENTITY}
    if service.uses_cloud:
        peers["google"] = {"ports": [443], "cidrs": [EVERYWHERE]}
    return peers


def _one(block: pulumi.Output[str]) -> pulumi.Output[list[str]]:
    """A list of one block."""
    return block.apply(lambda known: [known])


def _id_of(secret: pulumi.Output[str]) -> pulumi.Output[str]:
    """A secret's id in its project, by which it is read in the cluster."""
    return secret.apply(lambda known: known.rpartition("/")[2])
