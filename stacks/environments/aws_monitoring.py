"""What an environment on AWS is watched for."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi

from components.broker.amazonmq import AmazonMqBroker
from components.cache.elasticache import ElastiCacheValkey
from components.cluster.eks import EksCluster
from components.database.rds import RdsPostgres
from components.network.aws import AwsNetwork
from components.observability import alarms
from components.observability.alarms import Alarms
from components.storage.s3 import S3ObjectStore

from ..model import System


class Watched(NamedTuple):
    """The parts of an environment whose failures are told."""

    network: AwsNetwork
    nat_zones: tuple[str, ...]
    """Zones with a NAT gateway of their own."""
    database: RdsPostgres
    instance_class: str
    """The database's."""
    follows: bool
    """Whether the database follows a primary in another region."""
    broker: AmazonMqBroker | None
    cache: ElastiCacheValkey
    cluster: EksCluster | None
    stores: Mapping[str, S3ObjectStore]
    copies: Mapping[str, S3ObjectStore]
    vault: pulumi.Output[str]
    rotation: str
    """Name of the function that rotates the database's credentials, or empty."""


def environment_alarms(system: System, watched: Watched) -> Alarms:
    """An alarm for each way in which each part fails."""
    return alarms.together(
        alarms.nat({zone: _item(watched.network.nat_gateway_ids, zone) for zone in watched.nat_zones}),
        _database(system, watched),
        alarms.broker(
            watched.broker.broker_name,
            {name: queue.backlog for name, queue in system.broker.queues.items()},
            virtual_host=system.name,
            clients=0,  # services of the cluster come and go; that queues are consumed is what counts
        )
        if watched.broker
        else {},
        alarms.cache(
            {
                f"node-{number}": _item(watched.cache.member_ids, number - 1)
                for number in range(1, system.cache.replicas + 2)
            }
        ),
        alarms.cluster(watched.cluster.cluster_name) if watched.cluster else {},
        *(
            alarms.store(store.bucket, watched.copies[name].bucket, key=name)
            for name, store in watched.stores.items()
            if name in watched.copies
        ),
        alarms.backup(watched.vault, copies=system.backup.copied, restores=system.backup.restore_tests),
        alarms.rotation(watched.rotation, "database") if watched.rotation else {},
    )


def recovery_alarms(watched: Watched) -> Alarms:
    """Those whose metrics are in the recovery region."""
    return alarms.together(
        *(
            alarms.store_copy(watched.stores[name].bucket, copy.bucket, key=name)
            for name, copy in watched.copies.items()
        )
    )


def _database(system: System, watched: Watched) -> Alarms:
    database, postgres, kind = system.database, watched.database, watched.instance_class
    main = (
        alarms.replica(postgres.identifier, 0, kind, database.storage_gb)
        if watched.follows
        else alarms.postgres(postgres.identifier, kind, database.storage_gb)
    )
    return alarms.together(
        main,
        *(
            alarms.replica(_item(postgres.replica_identifiers, number - 1), number, kind, database.storage_gb)
            for number in range(1, database.replicas + 1)
        ),
        alarms.proxy(postgres.proxy_name) if database.pooling else {},
    )


def _item(values: pulumi.Output, key: str | int) -> pulumi.Output[str]:
    return values.apply(lambda known: known[key])
