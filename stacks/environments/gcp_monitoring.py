"""What an environment on Google Cloud is watched for."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi

from components.broker.pubsub import PubSubBroker
from components.cache.memorystore import MemorystoreValkey
from components.cluster.gke import GkeCluster
from components.database.cloudsql import CloudSqlPostgres
from components.edge.gcp_load_balancer import GcpLoadBalancer
from components.network.gcp import GcpNetwork
from components.observability import conditions
from components.observability.conditions import GcpConditions, GcpObjectives, Subscription
from components.security.google import GcpScope
from components.storage.gcs import GcsObjectStore

from ..model import System

LATENCY_MS = 1000
"""Within which a request of a person is answered."""


class Watched(NamedTuple):
    """The parts of an environment whose failures are told."""

    scope: GcpScope
    network: GcpNetwork
    database: CloudSqlPostgres
    connections: int
    """Connections that the database takes at most."""
    broker: PubSubBroker | None
    cache: MemorystoreValkey
    cluster: GkeCluster | None
    stores: Mapping[str, GcsObjectStore]
    load_balancer: GcpLoadBalancer | None
    armor: pulumi.Output[str] | None
    """Name of the firewall for web traffic."""
    backups: Mapping[str, tuple[pulumi.Input[str], str]]
    """Plans of the cluster's backups, each with its region, by name."""
    vaulted: bool
    """Whether the database is backed up into a vault."""
    restores: pulumi.Output[str] | None
    """Name of the workflow that restores backups as a test."""


def environment_conditions(system: System, watched: Watched) -> GcpConditions:
    """A condition for each way in which each part fails."""
    region = watched.scope["region"]
    return conditions.together(
        conditions.nat(watched.network.nat_gateway, region),
        _database(system, watched),
        _broker(system, watched.broker) if watched.broker else {},
        conditions.cache(watched.cache.instance_id, region),
        conditions.cluster(watched.cluster.cluster_name, region) if watched.cluster else {},
        *(
            conditions.store(store.bucket, turbo=system.stores[name].replicate, key=name)
            for name, store in watched.stores.items()
        ),
        *(conditions.cluster_backup(plan, place, key=name) for name, (plan, place) in watched.backups.items()),
        conditions.vault() if watched.vaulted else {},
        conditions.restore_tests(watched.restores, region) if watched.restores else {},
        conditions.keys(),
        conditions.secrets(),
        conditions.quota(),
        conditions.load_balancer(watched.load_balancer.url_map_name, LATENCY_MS, watched.armor)
        if watched.load_balancer
        else {},
    )


def environment_objectives(watched: Watched) -> GcpObjectives:
    """What the environment promises, and what is told when it is about to break that."""
    found: GcpObjectives = {
        "database-up": conditions.database_up(_database_id(watched, watched.database.instance_name)),
    }
    if watched.load_balancer:
        url_map = watched.load_balancer.url_map_name
        found["edge-available"] = conditions.load_balancer_availability(url_map)
        found["edge-fast"] = conditions.load_balancer_latency(url_map, LATENCY_MS)
    return found


def _broker(system: System, broker: PubSubBroker) -> GcpConditions:
    return conditions.broker(
        {
            name: Subscription(
                subscription=_last(broker.subscription_of(name)),
                backlog=queue.backlog,
                topic=_last(broker.topic_of(queue.exchange)),
                dead=_last(broker.dead_letters[name]),
            )
            for name, queue in system.broker.queues.items()
        }
    )


def _database(system: System, watched: Watched) -> GcpConditions:
    database = system.database
    return conditions.together(
        conditions.postgres(
            _database_id(watched, watched.database.instance_name),
            watched.connections,
            database.max_storage_gb,
            backups=not watched.vaulted,
        ),
        *(
            conditions.replica(
                _database_id(watched, watched.database.replica_names[number - 1]), number, watched.connections
            )
            for number in range(1, database.replicas + 1)
        ),
        conditions.replica(
            _database_id(watched, watched.database.copy_name), database.replicas + 1, watched.connections
        )
        if database.copy_backups
        else {},
    )


def _database_id(watched: Watched, name: pulumi.Input[str]) -> pulumi.Output[str]:
    """An instance as metrics name it."""
    return pulumi.Output.concat(watched.scope["project"], ":", name)


def _last(path: pulumi.Output[str]) -> pulumi.Output[str]:
    """The last part of a resource's id."""
    return path.apply(lambda known: known.rpartition("/")[2])
