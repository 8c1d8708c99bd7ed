"""What an environment on AWS gives to what runs in its cluster."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pulumi

from components.broker.amazonmq import AmazonMqBroker
from components.cache.elasticache import ElastiCacheValkey
from components.cluster.eks import EksCluster
from components.component import Component
from components.database.rds import RdsPostgres
from components.network.aws import AwsNetwork
from components.network.security_group import ANYWHERE
from components.platform import autoscaling, load_balancer
from components.platform import dns as external_dns
from components.platform import secrets as external_secrets
from components.platform.add_on import AWS_IDENTITY
from components.platform.gateway import Exposure
from components.platform.storage import VolumeProvisioner
from components.platform.traffic import Peer
from components.secrets.generated import AwsGeneratedSecret
from components.security.iam import AwsServiceRole, AwsServiceRoleArgs, PodIdentity
from components.security.kms import EncryptionKey
from components.security.pod_roles import AwsPodRole, AwsPodRoleArgs
from components.security.policy import AwsScope
from components.storage.s3 import S3ObjectStore

from ..platform import AddOn
from ..settings import Settings
from .aws_settings import EksSection, Section
from .cluster import Exposed, Ground, cluster_provider
from .workloads import (
    BROKER_ADMINISTRATOR,
    BROKER_APPLICATION,
    BROKER_USER,
    CACHE_USER,
    DATABASE_USER,
    POSTGRES_USER,
    SOON,
    BrokerSetup,
    Credentials,
    DatabaseSetup,
    Link,
    Links,
)

_LOAD_BALANCER = "service.beta.kubernetes.io/aws-load-balancer"
"""What the annotations of a load balancer begin with."""


class Parts(NamedTuple):
    """The parts of an environment that its services use."""

    scope: AwsScope
    key: EncryptionKey
    network: AwsNetwork
    database: RdsPostgres
    cache: ElastiCacheValkey
    broker: AmazonMqBroker | None
    definitions: Mapping[str, Any]
    """Exchanges and queues, as the broker takes them."""
    stores: Mapping[str, S3ObjectStore]
    secrets: Mapping[str, AwsGeneratedSecret]
    roles: Mapping[str, AwsServiceRole]
    """Who services are, by their names."""
    cluster: EksCluster | None
    """The environment's own cluster."""
    tags: Mapping[str, str]
    """Of what the cluster makes in the account."""


def pods_of(cluster: EksCluster, namespace: str, service_account: str) -> PodIdentity:
    """The pods of the environment's own cluster that run as somebody. In one that exists, whoever runs it says so."""
    return {
        "cluster_name": cluster.cluster_name,
        "cluster_arn": cluster.cluster_arn,
        "namespace": namespace,
        "service_account": service_account,
    }


def ground(settings: Settings, parts: Parts, opts: pulumi.ResourceOptions) -> Ground:
    """What the cluster is given. Makes who its add-ons are."""
    section: Section = settings.section
    cluster, eks, region = parts.cluster, section.cluster or EksSection(), parts.scope["region"]
    add_ons = _add_ons(settings, parts, opts)
    place = Ground(
        provider=cluster_provider(settings.name, settings, cluster),
        exposed=Exposed({"type": Exposure.LOAD_BALANCER}),
        identities={**parts.roles, **{add_on.value: role for add_on, role in add_ons.items()}},
        secret_store={"aws": {"region": region}},
    )
    if not cluster:
        return place
    driver = VolumeProvisioner.EBS_AUTO if eks.auto_mode else VolumeProvisioner.EBS
    place = replace(
        place,
        exposed=_exposed(settings, parts, eks.auto_mode),
        dns={"aws": {"zone_id": section.dns.zone, "region": region}} if section.dns else None,
        storage={"provisioner": driver, "key": parts.key.arn, "keep": settings.profile.durable},
    )
    if eks.auto_mode:
        return place  # which brings load balancers and nodes itself
    here = {"cluster_name": cluster.cluster_name, "region": region}
    return replace(
        place,
        load_balancers={**here, "vpc_id": parts.network.vpc_id, "tags": dict(parts.tags)},
        nodes={**here, "version": eks.version},
    )


def links(settings: Settings, parts: Parts) -> Links:
    """What services are connected to."""
    system, data = settings.system, parts.network.data_cidrs
    database, cache = parts.database, parts.cache
    return Links(
        database=Link(
            {
                "DB_HOST": database.host,
                "DB_NAME": database.database,
                "DB_PORT": database.port.apply(str),
                "DB_READER_HOST": database.reader_host,
                "DB_SSL_MODE": "require",
            },
            {"ports": [5432], "cidrs": data},
            {"database": Credentials(database.credentials_secret, DATABASE_USER, SOON)},
            direct={"DB_HOST": database.direct_host},
        ),
        database_owner=Credentials(database.credentials_secret, POSTGRES_USER, SOON),
        # A standby's role comes from its primary, with all else that is in the database.
        database_setup=None if settings.section.primary else _database_setup(database),
        cache=Link(
            {
                "REDIS_HOST": cache.host,
                "REDIS_PORT": cache.port.apply(str),
                "REDIS_READER_HOST": cache.reader_host,
                "REDIS_TLS": "true",
            },
            {"ports": [6379], "cidrs": data},
            {"cache": Credentials(cache.credentials_secret, CACHE_USER)},
        ),
        broker=_broker(parts.broker, data) if parts.broker else None,
        broker_setup=_broker_setup(settings, parts, parts.broker) if parts.broker else None,
        exchanges={name: name for name in system.broker.exchanges},
        queues={name: name for name in system.broker.queues},
        stores={name: store.bucket for name, store in parts.stores.items()},
        secrets={name: secret.secret for name, secret in parts.secrets.items()},
        registry=settings.images.pull_secret,
        cloud=dict.fromkeys(parts.roles, _CLOUD),
    )


_CLOUD: dict[str, Peer] = {"aws": {"ports": [443], "cidrs": [ANYWHERE]}, **AWS_IDENTITY}
"""Where services reach AWS."""


def _add_ons(settings: Settings, parts: Parts, opts: pulumi.ResourceOptions) -> dict[AddOn, Component]:
    """Who the add-ons of the cluster are."""
    section: Section = settings.section
    name, scope, cluster, hosts = settings.name, parts.scope, parts.cluster, settings.system.hosts
    brings: AwsServiceRoleArgs = {
        "scope": scope,
        "description": "Brings secrets to the services of the cluster",
        "key_arn": parts.key.arn,
        "secret_arns": _delivered(settings, parts),
    }
    if cluster:
        brings["pods"] = pods_of(cluster, external_secrets.NAMESPACE, external_secrets.SERVICE_ACCOUNT)
    if section.primary:
        brings["further_key_arns"] = [section.primary.key]
    roles: dict[AddOn, Component] = {AddOn.SECRETS: AwsServiceRole(f"{name}-external-secrets", brings, opts)}
    if not cluster:
        return roles
    if section.dns and hosts:
        keeps: AwsPodRoleArgs = {
            "scope": scope,
            "description": "Keeps records of hosts",
            "pods": pods_of(cluster, external_dns.NAMESPACE, external_dns.SERVICE_ACCOUNT),
            "dns_zone_ids": [section.dns.zone],
            "dns_names": hosts,
        }
        roles[AddOn.DNS] = AwsPodRole(f"{name}-external-dns", keeps, opts)
    if section.cluster and section.cluster.auto_mode:
        return roles
    balances: AwsPodRoleArgs = {
        "scope": scope,
        "description": "Makes load balancers of services",
        "pods": pods_of(cluster, load_balancer.NAMESPACE, load_balancer.SERVICE_ACCOUNT),
        "load_balancers": {"vpc_id": parts.network.vpc_id},
    }
    resizes: AwsPodRoleArgs = {
        "scope": scope,
        "description": "Resizes node groups",
        "pods": pods_of(cluster, autoscaling.NAMESPACE, autoscaling.SERVICE_ACCOUNT),
        "node_groups": True,
    }
    roles[AddOn.LOAD_BALANCERS] = AwsPodRole(f"{name}-load-balancers", balances, opts)
    roles[AddOn.NODES] = AwsPodRole(f"{name}-autoscaler", resizes, opts)
    return roles


def _delivered(settings: Settings, parts: Parts) -> dict[str, pulumi.Input[str]]:
    """The secrets that services, and the jobs before them, are given."""
    secrets: dict[str, pulumi.Input[str]] = {name: secret.secret for name, secret in parts.secrets.items()}
    secrets["database"] = parts.database.credentials_secret
    secrets["cache"] = parts.cache.credentials_secret
    if not settings.section.primary:
        secrets["database-administrator"] = parts.database.administrator_secret
    if parts.broker:
        secrets["broker"] = parts.broker.credentials_secret
        secrets["broker-administrator"] = parts.broker.administrator_secret
    if registry := settings.images.pull_secret:
        secrets["registry"] = registry
    return secrets


def _exposed(settings: Settings, parts: Parts, auto_mode: bool) -> Exposed:
    """A network load balancer, which sends to the pods of the proxies themselves. A new one is not ready before the
    load balancer finds it healthy: else a rollout could be over while all it has are targets that come or go."""
    domain = "eks.amazonaws.com" if auto_mode else "elbv2.k8s.aws"
    attributes = {
        "load_balancing.cross_zone.enabled": "true",
        "deletion_protection.enabled": str(settings.protect).lower(),
    }
    return Exposed(
        {
            "type": Exposure.LOAD_BALANCER,
            "load_balancer_class": "eks.amazonaws.com/nlb" if auto_mode else "service.k8s.aws/nlb",
            "annotations": {
                f"{_LOAD_BALANCER}-scheme": "internet-facing",
                f"{_LOAD_BALANCER}-nlb-target-type": "ip",
                f"{_LOAD_BALANCER}-proxy-protocol": "*",
                f"{_LOAD_BALANCER}-attributes": _pairs(attributes),
                f"{_LOAD_BALANCER}-additional-resource-tags": _pairs(parts.tags),
            },
        },
        proxy_protocol=True,
        # It goes on sending connections to a target for about two minutes, and hears a little late that one leaves.
        drain_seconds=150,
        namespace_labels={f"{domain}/pod-readiness-gate-inject": "enabled"},
    )


def _pairs(values: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in values.items())


def _database_setup(database: RdsPostgres) -> DatabaseSetup:
    return DatabaseSetup(
        host=database.direct_host,
        administrator=Credentials(database.administrator_secret, POSTGRES_USER),
        role=database.role,
        password=Credentials(database.credentials_secret, {"ROLE_PASSWORD": "password"}, SOON),
    )


def _broker(broker: AmazonMqBroker, data: pulumi.Output[list[str]]) -> Link:
    return Link(
        {"BROKER_ADDRESS": broker.address, "BROKER_PROTOCOL": broker.protocol},
        {"ports": [5671], "cidrs": data},
        {"broker": Credentials(broker.credentials_secret, BROKER_USER)},
    )


def _broker_setup(settings: Settings, parts: Parts, broker: AmazonMqBroker) -> BrokerSetup:
    return BrokerSetup(
        definitions=parts.definitions,
        administrator=Credentials(
            broker.administrator_secret,
            BROKER_ADMINISTRATOR,
        ),
        application=Credentials(broker.credentials_secret, BROKER_APPLICATION),
        reached={"ports": [443], "cidrs": parts.network.data_cidrs},
        revision=str(settings.section.broker.password_version),
    )
