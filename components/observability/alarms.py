"""How each product fails, as alarms: which metric tells of it, how far it may go, for how long, and what to do then.

All of it is data. `CloudWatchAlarms` makes alarms of it, and `CloudWatchDashboard` graphs. The first word of an alarm's
key is the part of the environment that it is about: `database-cpu`, `broker-memory`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, NotRequired, TypedDict, Unpack

import pulumi

from ..problems import Problem, one_of
from .receivers import CRITICAL, SEVERITIES, WARNING

COMPARISONS = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}
MISSING_DATA = ("missing", "ignore", "breaching", "notBreaching")
STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
OWN_METRIC = "m"
"""What an expression calls the alarm's own metric."""
RESULT = "alarm"
"""What the result of an expression is called: no further metric may be."""

_GB = 2**30
_MINUTE, _FIVE_MINUTES, _HOUR, _DAY = 60, 300, 3600, 86400
_WARM_UP_LIMIT = 2880
_DESCRIPTION_LIMIT = 1024


class Metric(TypedDict):
    """A metric that an expression computes with."""

    namespace: str
    """Namespace, for example `AWS/RDS`."""
    metric: str
    """Name of the metric."""
    dimensions: dict[str, pulumi.Input[str]]
    """What it is measured of, by the name of the dimension."""
    statistic: str
    """`Average`, `Maximum`, `Minimum`, `Sum`, `SampleCount`, or a percentile such as `p99`."""


class Alarm(TypedDict):
    """When something is wrong, and what it means."""

    namespace: str
    """Namespace of the metric, for example `AWS/RDS`."""
    metric: str
    """Name of the metric."""
    dimensions: dict[str, pulumi.Input[str]]
    """What it is measured of, by the name of the dimension."""
    statistic: str
    """`Average`, `Maximum`, `Minimum`, `Sum`, `SampleCount`, or a percentile such as `p99`."""
    period: int
    """Seconds that one value is made of: 10, 20, 30 or a multiple of 60."""
    periods: int
    """Values that are looked at."""
    datapoints: NotRequired[int]
    """Values of those that must be wrong. Default: all of them."""
    comparison: str
    """`>`, `>=`, `<` or `<=`: how a wrong value compares with the threshold."""
    threshold: float
    """What values are compared with."""
    severity: str
    """`critical`: somebody is called. `warning`: somebody looks at it in working hours."""
    reason: str
    """What it means, why the threshold is what it is, and what to do: the alarm's description."""
    missing: NotRequired[str]
    """What no value stands for: `missing`, `ignore`, `breaching` or `notBreaching`. Default: `missing`, the alarm then
    knows nothing."""
    expression: NotRequired[str]
    """Metric math whose result is compared instead of the metric, which it calls `m`. Default: none."""
    further: NotRequired[dict[str, Metric]]
    """Further metrics of the expression, by what it calls them. Default: none."""
    warm_up_minutes: NotRequired[int]
    """Minutes after its making in which the alarm waits for values, up to 2880. Default: 0."""


Alarms = dict[str, Alarm]
"""Alarms by their keys."""


def together(*groups: Alarms) -> Alarms:
    """The alarms of all groups.

    Raises `ValueError` where two have the same key: one of them would be lost.
    """
    result: Alarms = {}
    for group in groups:
        if twice := sorted(set(result) & set(group)):
            raise ValueError(f"two alarms are called {twice[0]}; give one of their products another key")
        result |= group
    return result


def part_of(key: str) -> str:
    """The part of the environment that an alarm is about: its key's first word."""
    return key.partition("-")[0]


def problems(alarms: Alarms) -> list[Problem]:
    """What CloudWatch would refuse of the alarms, and what nobody would understand."""
    if not alarms:
        return [Problem("alarms", alarms, "give one alarm or more")]
    return [problem for key, alarm in alarms.items() for problem in _problems(key, alarm)]


class _Machine(NamedTuple):
    memory_gb: float
    cpus: int
    credits_an_hour: int | None
    """What it earns of CPU credits; None where it needs none."""


_SMALL = {
    "micro": _Machine(1, 2, 12),
    "small": _Machine(2, 2, 24),
    "medium": _Machine(4, 2, 24),
    "large": _Machine(8, 2, 36),
    "xlarge": _Machine(16, 4, 96),
    "2xlarge": _Machine(32, 8, 192),
}
"""The classes t3 and t4g."""
_GB_A_CPU = {"c": 2, "m": 4, "r": 8, "z": 8, "x2g": 16, "x8g": 16, "x2idn": 16, "x2iedn": 32, "x2iezn": 32}
"""By family, or by family and generation where that decides it."""


def has_known_memory(instance_class: str) -> bool:
    """Whether the alarms of a database of this class can be set: they follow from its memory."""
    try:
        _machine(instance_class)
    except ValueError:
        return False
    return True


def postgres(
    identifier: pulumi.Input[str],
    instance_class: str,
    storage_gb: int,
    max_connections: int | None = None,
    key: str = "",
) -> Alarms:
    """How a PostgreSQL instance on RDS fails, of a class and a volume of so many GB. Connections are limited to what
    RDS makes of the memory, unless another limit is given.

    Raises `ValueError` for a class whose memory is not known here.
    """
    prefix = _prefix("database", key)
    rds, volume = _Product("AWS/RDS", {"DBInstanceIdentifier": identifier}), storage_gb * _GB
    return {
        **_instance(prefix, rds, instance_class, storage_gb, max_connections),
        f"{prefix}-wal": rds.warning(
            _When("Maximum", "TransactionLogsDiskUsage", ">", volume / 5),
            "Write-ahead logs take over a fifth of the volume, where a few GB are usual: a replication slot that "
            "nobody reads holds them, or the archive lags; drop the slot or mend its reader before the volume is full.",
        ),
        f"{prefix}-slot-lag": rds.warning(
            _When("Maximum", "OldestReplicationSlotLag", ">", volume / 10),
            "A replication slot is behind by over a tenth of the volume, and logs pile up until it is read; look at "
            "pg_replication_slots for one without a reader and drop it.",
            missing="notBreaching",  # without slots there is no such metric
        ),
        f"{prefix}-transaction-ids": rds.critical(
            _When("Maximum", "MaximumUsedTransactionIDs", ">", 1e9),
            "Half of the transaction ids are used, five times of where autovacuum should have freed them, and at two "
            "billion the database stops writing; end old transactions and vacuum the oldest tables by hand.",
        ),
    }


def replica(
    identifier: pulumi.Input[str],
    number: int,
    instance_class: str,
    storage_gb: int,
    max_connections: int | None = None,
    key: str = "",
) -> Alarms:
    """How a read replica on RDS fails: as an instance, and by falling behind its primary.

    Raises `ValueError` for a class whose memory is not known here.
    """
    prefix = f"{_prefix('database', key)}-replica-{number}"
    rds = _Product("AWS/RDS", {"DBInstanceIdentifier": identifier})
    return {
        **_instance(prefix, rds, instance_class, storage_gb, max_connections),
        f"{prefix}-lag": rds.warning(
            _When("Average", "ReplicaLag", ">", 60),
            "The replica is over a minute behind, where seconds are usual: readers see old data; look for long queries "
            "on the replica and bursts of writes on the primary.",
        ),
        f"{prefix}-stale": rds.critical(
            _When("Average", "ReplicaLag", ">", 900),
            "The replica is over a quarter of an hour behind, so replication has probably stopped; send readers to the "
            "primary and look at the replica's log, or make it anew.",
        ),
    }


def proxy(name: pulumi.Input[str], key: str = "") -> Alarms:
    """How an RDS Proxy fails."""
    prefix = f"{_prefix('database', key)}-proxy"
    rds = _Product("AWS/RDS", {"ProxyName": name})
    return {
        f"{prefix}-waiting": rds.warning(
            _When("Average", "DatabaseConnectionsBorrowLatency", ">", 1_000_000),
            "Clients wait over a second for a connection, which takes milliseconds while the pool has free ones; look "
            "for long or idle transactions and pinned sessions, or let the database have more connections.",
            missing="notBreaching",
        ),
        f"{prefix}-refused": rds.warning(
            _When("Sum", "ClientConnectionsSetupFailedAuth", ">", 10),
            "Over ten clients in five minutes, more than one service that starts anew, were refused for their password "
            "or for missing TLS; compare the secret with the role's password, and look at who connects.",
            missing="notBreaching",
        ),
        f"{prefix}-cut-off": rds.critical(
            _When("Sum", "DatabaseConnectionsSetupFailed", ">", 10),
            "The proxy failed to reach the database over ten times in each five minutes, longer than a failover takes: "
            "services have no database; look at the instance, its security group and the proxy's secret.",
            missing="notBreaching",
        ),
    }


class QueueMetrics(NamedTuple):
    """Where the metrics of single queues are, and what they are called there."""

    namespace: str
    messages: str
    """The metric that counts the messages in a queue."""
    consumers: str
    """The metric that counts its consumers."""
    queue: str
    """The dimension that names the queue."""
    virtual_host: str
    """The dimension that names its virtual host."""
    broker: str | None = None
    """The dimension that names the broker, where there is one."""


OF_RABBITMQ_3 = QueueMetrics("AWS/AmazonMQ", "MessageCount", "ConsumerCount", "Queue", "VirtualHost", "Broker")
"""What Amazon MQ itself publishes of RabbitMQ 3.13. Of RabbitMQ 4 it publishes no queue."""


def scraped(namespace: str) -> QueueMetrics:
    """What a collector publishes in a namespace of its own, once it has scraped `/metrics/detailed` of RabbitMQ 4."""
    return QueueMetrics(
        namespace, "rabbitmq_detailed_queue_messages", "rabbitmq_detailed_queue_consumers", "queue", "vhost"
    )


def broker(
    name: pulumi.Input[str],
    queues: Mapping[str, int],
    queue_metrics: QueueMetrics | None = None,
    virtual_host: str = "/",
    clients: int = 1,
    key: str = "",
) -> Alarms:
    """How a RabbitMQ broker of Amazon MQ fails, with how many messages may wait in each of its queues. It has as many
    connections as `clients` and as many consumers as queues, or more.

    Its metrics are the same for one node and for three, since they are compared with limits of as many nodes.
    Single queues, and the dead letters in `<queue>.dead`, are only looked at where metrics tell of them.
    """
    prefix = _prefix("broker", key)
    mq = _Product("AWS/AmazonMQ", {"Broker": name})
    waiting = sum(queues.values())
    alarms = {
        f"{prefix}-silent": mq.silent("SystemCpuUtilization", "The broker"),
        f"{prefix}-cpu": mq.warning(
            _When("Average", "SystemCpuUtilization", ">", 80),
            "The broker is over 80 % busy for a quarter of an hour, which leaves a cluster no room to lose a node; "
            "look for clients that connect over and over, or take a larger instance.",
        ),
        f"{prefix}-memory": mq.critical(
            _When("Maximum", "RabbitMQMemUsed", ">", 80),
            "The broker uses over 80 % of the memory at whose limit it blocks everyone who publishes; look for queues "
            "that nobody empties and for unacknowledged messages, or take a larger instance.",
            percent_of="RabbitMQMemLimit",
        ),
        f"{prefix}-disk": mq.critical(
            _When("Minimum", "RabbitMQDiskFree", "<", 200),
            "Free disk space is down to twice the limit at which the broker blocks everyone who publishes; empty the "
            "queues that pile up, or take a larger instance.",
            percent_of="RabbitMQDiskFreeLimit",
        ),
        f"{prefix}-unacknowledged": mq.warning(
            _When("Maximum", "MessageUnacknowledgedCount", ">", 1000),
            "Over a thousand messages are delivered and not acknowledged, more than healthy consumers prefetch; "
            "look for a consumer that hangs, and limit its prefetch.",
        ),
    }
    if clients:
        alarms[f"{prefix}-connections"] = mq.critical(
            _When("Maximum", "ConnectionCount", "<", clients),
            f"Fewer than {clients} connections for a quarter of an hour, and the services keep theirs open: "
            "they cannot reach the broker; look at their logs, the security group and the secret.",
        )
    if queues:
        alarms[f"{prefix}-consumers"] = mq.critical(
            _When("Maximum", "ConsumerCount", "<", len(queues)),
            f"Fewer than {len(queues)} consumers for {len(queues)} queues, so one of these has none and its messages "
            "wait; look for a service that is down or has lost its subscription.",
        )
        alarms[f"{prefix}-backlog"] = mq.warning(
            _When("Maximum", "MessageReadyCount", ">", waiting),
            f"Over {waiting} messages wait, more than all queues may hold together: consumers are slower than what "
            "arrives; look for errors in their logs, or run more of them.",
        )
    if queue_metrics:
        for queue, backlog in queues.items():
            alarms |= _queue(f"{prefix}-queue-{queue}", queue_metrics, name, virtual_host, queue, backlog)
    return alarms


def cache(members: Mapping[str, pulumi.Input[str]], key: str = "") -> Alarms:
    """How the members of a replication group of ElastiCache fail, given by a stable key each."""
    return {
        name: alarm
        for member, identifier in members.items()
        for name, alarm in _cache_member(f"{_prefix('cache', key)}-{member}", identifier).items()
    }


def cluster(name: pulumi.Input[str], insights: bool = True, key: str = "") -> Alarms:
    """How an EKS cluster fails: its control plane, and with Container Insights with enhanced observability its nodes
    and pods."""
    prefix = _prefix("cluster", key)
    eks = _Product("AWS/EKS", {"ClusterName": name})
    alarms = {
        f"{prefix}-api-errors": eks.warning(
            _When("Sum", "apiserver_request_total_5XX", ">", 1),
            "Over 1 % of the requests to the Kubernetes API fail for a quarter of an hour, where single failures are "
            "usual: controllers and deployments stall; look for webhooks that do not answer, and at AWS Health.",
            percent_of="apiserver_request_total",
        ),
        f"{prefix}-unschedulable": eks.warning(
            _When("Maximum", "scheduler_pending_pods_UNSCHEDULABLE", ">", 0),
            "A pod fits on no node for a quarter of an hour, in which new nodes have long joined: the autoscaler is at "
            "its limit or no node matches; describe the pod and raise the limit.",
            missing="notBreaching",
        ),
        f"{prefix}-storage": eks.critical(
            _When("Maximum", "apiserver_storage_size_bytes", ">", 6 * _GB),
            "The cluster's own database is over 6 GB and takes no more writes at 8 GB; look for objects that pile up, "
            "such as events, jobs or reports, and delete them.",
            missing="notBreaching",
        ),
    }
    return alarms | _container_insights(prefix, name) if insights else alarms


def workload(cluster_name: pulumi.Input[str], namespace: str, name: str, key: str = "") -> Alarms:
    """How one workload of a cluster with Container Insights fails; its pods are all called by its name."""
    dimensions: dict[str, pulumi.Input[str]] = {"ClusterName": cluster_name, "Namespace": namespace, "PodName": name}
    insights = _Product("ContainerInsights", dimensions)
    return {
        f"{_prefix('cluster', key)}-{namespace}-{name}-restarts": insights.warning(
            _When("Sum", "pod_number_of_container_restarts", ">", 3),
            f"Containers of {name} started anew over three times in each five minutes, oftener than a deployment makes "
            "them; look at the log of the previous container, and whether it ran out of memory.",
            missing="notBreaching",
        )
    }


def nat(gateways: Mapping[str, pulumi.Input[str]], key: str = "") -> Alarms:
    """How NAT gateways fail, given by a stable key each, such as their zone."""
    alarms = {}
    for each, identifier in gateways.items():
        prefix = f"{_prefix('network', key)}-nat-{each}"
        gateway = _Product("AWS/NATGateway", {"NatGatewayId": identifier})
        alarms[f"{prefix}-ports"] = gateway.critical(
            _When("Sum", "ErrorPortAllocation", ">", 0),
            "The gateway has no port left for connections to some destination, and none is ever to be refused: calls "
            "to it fail; reuse connections, send AWS traffic through endpoints, or give the gateway another address.",
            periods=3,
            datapoints=2,
            missing="notBreaching",
        )
        alarms[f"{prefix}-drops"] = gateway.warning(
            _When("Sum", "PacketsDropCount", ">", 0.01),
            "The gateway drops over 0.01 % of its packets, the share above which AWS suspects the gateway itself; look "
            "at AWS Health, and move the zone's route to another gateway.",
            missing="notBreaching",
            expression="100 * m / (outward + inward)",
            further={
                "outward": gateway.metric("PacketsInFromSource", "Sum"),
                "inward": gateway.metric("PacketsInFromDestination", "Sum"),
            },
        )
    return alarms


def store(bucket: pulumi.Input[str], copy: pulumi.Input[str], rule: str = "everything", key: str = "objects") -> Alarms:
    """How copying from an S3 bucket to another fails, as its own region tells. The rule must have its metrics on."""
    return {
        f"store-{key}-copies-failed": _replication(bucket, copy, rule).warning(
            _When("Sum", "OperationsFailedReplication", ">", 0),
            "Objects failed to be copied to the other region, and S3 does not try again: each is missing there; look "
            "at the replication role and both keys, then copy them with S3 Batch Replication.",
            periods=1,
            missing="notBreaching",
        )
    }


def store_copy(
    bucket: pulumi.Input[str], copy: pulumi.Input[str], rule: str = "everything", key: str = "objects"
) -> Alarms:
    """How copying from an S3 bucket to another falls behind. These metrics are in the region of the copy, so the alarm
    must be made there. The rule must have its metrics on."""
    return {
        f"store-{key}-copies-late": _replication(bucket, copy, rule).warning(
            _When("Maximum", "ReplicationLatency", ">", 900),
            "Copies are over a quarter of an hour late, in which S3 makes nearly all of them: a disaster now loses "
            "what is missing; look for a burst of writes, the quota of requests to the key, and AWS Health.",
            missing="notBreaching",
        )
    }


def backup(vault: pulumi.Input[str], copies: bool = False, restores: bool = False, key: str = "") -> Alarms:
    """How backups into a vault of AWS Backup fail, with those that are copied from it and restored from it by test."""
    prefix = _prefix("backup", key)
    backups = _Product("AWS/Backup", {"BackupVaultName": vault})

    def failed(what: str, reason: str) -> Alarm:
        return backups.critical(
            _When("Sum", f"NumberOf{what}JobsFailed", ">", 0),
            reason,
            period=_HOUR,
            periods=1,
            missing="notBreaching",
        )

    alarms = {
        f"{prefix}-failed": failed(
            "Backup",
            "A backup failed, and each one that is missing is a day that cannot be had back; AWS Backup says why "
            "at the job, usually the role, the key or a maintenance window.",
        ),
        f"{prefix}-none": backups.critical(
            _When("Sum", "NumberOfBackupJobsCompleted", "<", 1),
            "No backup was completed for two days, where one is made each day: the plan does not run, or selects "
            "nothing; look at the plan, its selection's tags and the role.",
            period=_DAY,
            periods=2,
            missing="breaching",
            warm_up_minutes=_WARM_UP_LIMIT,
        ),
    }
    if copies:
        alarms[f"{prefix}-copies-failed"] = failed(
            "Copy",
            "A backup was not copied to the other region, so a disaster here would take it along; AWS Backup says "
            "why at the job, usually the other vault's policy or key.",
        )
    if restores:
        alarms[f"{prefix}-restores-failed"] = failed(
            "Restore",
            "A backup could not be restored, so it may be worth nothing; AWS Backup says why at the job, and the next "
            "older backup should be tried at once.",
        )
    return alarms


def rotation(function: pulumi.Input[str], key: str) -> Alarms:
    """How the rotation of secrets by a Lambda function fails."""
    return {
        f"secret-{key}-rotation": _Product("AWS/Lambda", {"FunctionName": function}).critical(
            _When("Sum", "Errors", ">", 0),
            "A secret was not rotated, and no step of a rotation may fail: old and new password may differ from the "
            "database's; read the function's log and start the rotation again.",
            periods=1,
            missing="notBreaching",
        )
    }


def certificate(arn: pulumi.Input[str], key: str) -> Alarms:
    """How a certificate of ACM runs out."""
    acm = _Product("AWS/CertificateManager", {"CertificateArn": arn})
    return {
        f"certificate-{key}-old": acm.warning(
            _When("Minimum", "DaysToExpiry", "<", 30),
            "The certificate ends in less than 30 days, and ACM renews it 60 days before: renewal has failed for a "
            "month; see that the validation record is still in the DNS zone and that the certificate is in use.",
            period=_DAY,
            periods=1,
        ),
        f"certificate-{key}-ending": acm.critical(
            _When("Minimum", "DaysToExpiry", "<", 7),
            "The certificate ends in less than a week, and then no client connects; mend its validation record today, "
            "or request another certificate and put it in place.",
            period=_DAY,
            periods=1,
        ),
    }


class _When(NamedTuple):
    """A condition: how a statistic of a metric compares with what it may be at most or at least."""

    statistic: str
    metric: str
    comparison: str
    threshold: float


class _How(TypedDict, total=False):
    """How long values are looked at, and what is computed of them."""

    period: int
    periods: int
    datapoints: int
    missing: str
    warm_up_minutes: int
    percent_of: str
    """The metric that the alarm's own is given as a percentage of."""
    expression: str
    further: dict[str, Metric]


class _Product:
    """Something that publishes metrics about itself."""

    def __init__(self, namespace: str, dimensions: dict[str, pulumi.Input[str]]):
        self._namespace = namespace
        self._dimensions = dimensions

    def critical(self, when: _When, reason: str, **how: Unpack[_How]) -> Alarm:
        return self._alarm(when, CRITICAL, reason, how)

    def warning(self, when: _When, reason: str, **how: Unpack[_How]) -> Alarm:
        return self._alarm(when, WARNING, reason, how)

    def silent(self, metric: str, what: str) -> Alarm:
        """The product no longer says anything."""
        return self.critical(
            _When("SampleCount", metric, "<", 1),
            f"{what} has told nothing about itself for five minutes, and it does so every minute: it is down, being "
            "replaced, or deleted; look at its state and its events.",
            period=_MINUTE,
            periods=5,
            missing="breaching",
            warm_up_minutes=30,
        )

    def metric(self, name: str, statistic: str) -> Metric:
        return {
            "namespace": self._namespace,
            "metric": name,
            "dimensions": dict(self._dimensions),
            "statistic": statistic,
        }

    def _alarm(self, when: _When, severity: str, reason: str, how: _How) -> Alarm:
        periods = how.get("periods", 3)
        alarm: Alarm = {
            **self.metric(when.metric, when.statistic),
            "period": how.get("period", _FIVE_MINUTES),
            "periods": periods,
            "datapoints": how.get("datapoints", periods),
            "comparison": when.comparison,
            "threshold": float(when.threshold),
            "severity": severity,
            "reason": reason,
            "missing": how.get("missing", "missing"),
        }
        if "warm_up_minutes" in how:
            alarm["warm_up_minutes"] = how["warm_up_minutes"]
        if "percent_of" in how:
            statistic = "Sum" if when.statistic == "Sum" else "Maximum"
            alarm["expression"] = f"100 * {OWN_METRIC} / whole"
            alarm["further"] = {"whole": self.metric(how["percent_of"], statistic)}
        if "expression" in how:
            alarm["expression"] = how["expression"]
            alarm["further"] = how.get("further", {})
        return alarm


def _prefix(part: str, key: str) -> str:
    return f"{part}-{key}" if key else part


def _machine(instance_class: str) -> _Machine:
    match = re.fullmatch(r"db\.(([a-z])\w*)\.(\w+)", instance_class)
    if match:
        generation, family, size = match.groups()
        if family == "t" and size in _SMALL:
            return _SMALL[size]
        cpus = {"medium": 1, "large": 2, "xlarge": 4}.get(size)
        if times := re.fullmatch(r"(\d+)xlarge", size):
            cpus = 4 * int(times[1])
        memory = _GB_A_CPU.get(generation, _GB_A_CPU.get(family))
        if cpus and memory:
            return _Machine(cpus * memory, cpus, None)
    raise ValueError(f"{instance_class}: its memory is not known; name a class such as db.m6g.large")


def _connections(memory_gb: float) -> int:
    """What RDS makes of the memory: a connection for each 9531392 bytes, up to 5000. It counts what the operating
    system and its own processes leave, which is about this."""
    left = 0.95 * memory_gb * _GB - 200 * 2**20
    return min(5000, int(left / 9531392))


def _instance(prefix: str, rds: _Product, instance_class: str, storage_gb: int, max_connections: int | None) -> Alarms:
    machine, volume = _machine(instance_class), storage_gb * _GB
    limit = max_connections or _connections(machine.memory_gb)
    alarms = {
        f"{prefix}-silent": rds.silent("CPUUtilization", "The instance"),
        f"{prefix}-cpu": rds.warning(
            _When("Average", "CPUUtilization", ">", 90),
            "The processor is over 90 % busy for a quarter of an hour, longer than any nightly job should take, so "
            "queries queue up; find the heaviest in Performance Insights, or take a larger class.",
        ),
        f"{prefix}-load": rds.warning(
            _When("Average", "DBLoad", ">", machine.cpus),
            f"Over {machine.cpus} sessions work or wait at a time for a quarter of an hour, and there are as many "
            "processors: the rest waits for these, for locks or for the disk; Performance Insights says for which.",
        ),
        f"{prefix}-memory": rds.warning(
            _When("Average", "FreeableMemory", "<", machine.memory_gb * _GB / 20),
            "Less than 5 % of the memory can be freed, so that the next large query swaps or ends the database; look "
            "for sessions with large sorts and for too many connections, or take a larger class.",
        ),
        f"{prefix}-storage-low": rds.warning(
            _When("Minimum", "FreeStorageSpace", "<", volume / 10),
            "Less than 10 % of the volume is free, where storage autoscaling begins, six hours at the soonest after "
            "the last time; see that it does, and that its limit is not reached.",
        ),
        f"{prefix}-storage-full": rds.critical(
            _When("Minimum", "FreeStorageSpace", "<", volume / 20),
            "Less than 5 % of the volume is free, so autoscaling has not kept up, and a full one stops the database; "
            "raise the storage by hand and look for what fills it: logs, slots, temporary files.",
        ),
        f"{prefix}-connections-many": rds.warning(
            _When("Maximum", "DatabaseConnections", ">", int(0.8 * limit)),
            f"Over 80 % of about {limit} connections are open for a quarter of an hour; look for a service that leaks "
            "them or has too large a pool, or put the proxy before the database.",
        ),
        f"{prefix}-connections-full": rds.critical(
            _When("Maximum", "DatabaseConnections", ">", int(0.95 * limit)),
            f"Over 95 % of about {limit} connections are open, and the next clients are refused; end idle sessions, "
            "restart the service that leaks them, and put the proxy before the database.",
            period=_MINUTE,
            periods=5,
        ),
        f"{prefix}-read-latency": rds.warning(
            _When("Average", "ReadLatency", ">", 0.02),
            "A read from the volume takes over 20 ms, where gp3 needs a few: it is at its limit of "
            "operations or of throughput; look for queries that read whole tables, or raise the limit.",
        ),
        f"{prefix}-write-latency": rds.warning(
            _When("Average", "WriteLatency", ">", 0.02),
            "A write to the volume takes over 20 ms, where gp3 needs a few: it is at its limit of "
            "operations or of throughput; look for bulk writes and checkpoints, or raise the limit.",
        ),
        f"{prefix}-disk-queue": rds.warning(
            _When("Average", "DiskQueueDepth", ">", 60),
            "Over 60 requests wait for the volume, which at the 3000 operations a second of gp3 is 20 ms for each; "
            "spread heavy jobs over time, or raise the operations of the volume.",
        ),
    }
    if machine.credits_an_hour:
        alarms[f"{prefix}-credits"] = rds.warning(
            _When("Average", "CPUCreditBalance", "<", machine.credits_an_hour),
            f"For two hours it had fewer CPU credits than the {machine.credits_an_hour} that it earns in one, so it "
            "uses all that it earns, and what is more is billed; take a larger class, or one without credits.",
            periods=24,
        )
    return alarms


def _queue(
    prefix: str, source: QueueMetrics, broker: pulumi.Input[str], virtual_host: str, queue: str, backlog: int
) -> Alarms:
    def dimensions(name: str) -> dict[str, pulumi.Input[str]]:
        known: dict[str, pulumi.Input[str]] = {source.queue: name, source.virtual_host: virtual_host}
        return known | {source.broker: broker} if source.broker else known

    live = _Product(source.namespace, dimensions(queue))
    dead = _Product(source.namespace, dimensions(f"{queue}.dead"))
    return {
        f"{prefix}-backlog": live.warning(
            _When("Maximum", source.messages, ">", backlog),
            f"Over {backlog} messages wait in {queue} for a quarter of an hour, more than it may hold: its consumers "
            "are slower than what arrives; look for errors in their logs, or run more of them.",
        ),
        f"{prefix}-consumers": live.critical(
            _When("Maximum", source.consumers, "<", 1),
            f"Nobody consumes {queue} for five minutes, longer than a deployment takes, so its messages wait; look at "
            "the service that should: whether it runs, and whether it reaches the broker.",
            period=_MINUTE,
            periods=5,
            missing="breaching",
            warm_up_minutes=30,
        ),
        f"{prefix}-dead": dead.warning(
            _When("Maximum", source.messages, ">", 0),
            f"A message of {queue} was given up and put aside, and none ever should be; read its headers for the "
            "reason, mend the consumer, and move it back into the queue.",
            periods=1,
            missing="notBreaching",
        ),
    }


def _cache_member(prefix: str, identifier: pulumi.Input[str]) -> Alarms:
    member = _Product("AWS/ElastiCache", {"CacheClusterId": identifier})
    return {
        f"{prefix}-silent": member.silent("EngineCPUUtilization", "The cache's member"),
        f"{prefix}-cpu": member.warning(
            _When("Average", "EngineCPUUtilization", ">", 90),
            "The engine's one thread is over 90 % busy for a quarter of an hour, and no further processor helps it: "
            "commands queue up; look for slow ones in the slow log, or spread keys over shards.",
        ),
        f"{prefix}-memory": member.warning(
            _When("Maximum", "DatabaseMemoryUsagePercentage", ">", 85),
            "Over 85 % of the memory is used, and at 100 % keys are evicted or writes refused; look for keys without "
            "an expiry, or take a larger node.",
        ),
        f"{prefix}-evictions": member.warning(
            _When("Sum", "Evictions", ">", 1000),
            "Over a thousand keys were evicted in each five minutes, too many to be stragglers: sessions end early and "
            "the database answers instead; look for keys without an expiry, or take a larger node.",
            missing="notBreaching",
        ),
        f"{prefix}-connections": member.critical(
            _When("Maximum", "CurrConnections", ">", 52_000),
            "Over 52000 connections are open, four fifths of the 65000 that a node takes before it refuses clients; "
            "look for a service that opens one a request instead of keeping a pool.",
        ),
        f"{prefix}-new-connections": member.warning(
            _When("Sum", "NewConnections", ">", 30_000),
            "Over a hundred new connections a second for a quarter of an hour, each with a handshake that takes longer "
            "than any command; look for a service that opens one a request, or that restarts over and over.",
            missing="notBreaching",
        ),
        f"{prefix}-lag": member.warning(
            _When("Maximum", "ReplicationLag", ">", 30),
            "The replica is over 30 seconds behind, where less than one is usual: a failover now loses what it lacks; "
            "look for bursts of writes, large keys and the network's limit.",
            missing="notBreaching",  # a primary has no such metric
        ),
        f"{prefix}-refused": member.warning(
            _When("Sum", "AuthenticationFailures", ">", 10),
            "Over ten clients in five minutes, more than one service that starts anew, failed to sign in; compare the "
            "secret with the user's password, and look at who connects.",
            periods=1,
            missing="notBreaching",
        ),
    }


def _container_insights(prefix: str, cluster_name: pulumi.Input[str]) -> Alarms:
    insights = _Product("ContainerInsights", {"ClusterName": cluster_name})

    def pods(metric: str, reason: str) -> Alarm:
        return insights.warning(_When("Maximum", metric, ">", 0), reason, missing="notBreaching")

    return {
        f"{prefix}-nodes-failed": insights.critical(
            _When("Maximum", "cluster_failed_node_count", ">", 0),
            "A node has failed for a quarter of an hour, in which node repair should have replaced it: its pods are "
            "elsewhere or nowhere; look at the node's conditions and terminate its machine.",
        ),
        f"{prefix}-nodes-cpu": insights.warning(
            _When("Average", "node_cpu_utilization", ">", 85),
            "All nodes together are over 85 % busy for a quarter of an hour, and the loss of one would overload the "
            "rest; see that the autoscaler is not at its limit, and raise it.",
        ),
        f"{prefix}-nodes-memory": insights.warning(
            _When("Maximum", "node_memory_utilization", ">", 90),
            "A node uses over 90 % of its memory, shortly before it evicts pods; look for pods that use far more than "
            "they request, and raise their requests.",
        ),
        f"{prefix}-nodes-disk": insights.warning(
            _When("Maximum", "node_filesystem_utilization", ">", 85),
            "A node's disk is over 85 % full, and at 90 % it evicts pods; look for logs and scratch files of its pods, "
            "or give nodes larger volumes.",
        ),
        f"{prefix}-pods-crashing": pods(
            "pod_container_status_waiting_reason_crash_loop_back_off",
            "A container ends over and over for a quarter of an hour, so it will not mend itself; look at the log of "
            "the previous container, and roll the last deployment back.",
        ),
        f"{prefix}-pods-imageless": pods(
            "pod_container_status_waiting_reason_image_pull_error",
            "A container's image cannot be pulled for a quarter of an hour, so it is no passing fault; look for a tag "
            "that is not in the registry, and at the node's way to it.",
        ),
    }


def _replication(bucket: pulumi.Input[str], copy: pulumi.Input[str], rule: str) -> _Product:
    return _Product("AWS/S3", {"SourceBucket": bucket, "DestinationBucket": copy, "RuleId": rule})


def _problems(key: str, alarm: Alarm) -> Iterable[Problem]:
    def wrong(field: str, remedy: str) -> Problem:
        return Problem(f"alarms.{key}.{field}", alarm.get(field), remedy)

    if not re.fullmatch(r"[A-Za-z0-9]+([._-]+[A-Za-z0-9]+)*", key) or part_of(key) in SEVERITIES:
        remedy = "use letters, digits and hyphens between, and begin with what it is about, such as `database-`"
        yield Problem(f"alarms.{key}", key, remedy)
    for field, choices in (("severity", SEVERITIES), ("comparison", COMPARISONS), ("missing", MISSING_DATA)):
        if field in alarm and alarm[field] not in choices:
            yield wrong(field, one_of(choices, alarm[field]))
    if not _is_statistic(alarm["statistic"]):
        yield wrong("statistic", f"{one_of(STATISTICS, alarm['statistic'])}, or a percentile such as p99")
    if not _is_period(alarm["period"]):
        yield wrong("period", "give 10, 20, 30 or a multiple of 60 seconds")
    if alarm["periods"] < 1:
        yield wrong("periods", "give 1 or more")
    elif alarm["period"] * alarm["periods"] > (_DAY if alarm["period"] < _HOUR else 7 * _DAY):
        yield wrong("periods", "CloudWatch looks back a day at most, with periods of an hour or more seven days")
    if not 1 <= alarm.get("datapoints", 1) <= max(alarm["periods"], 1):
        yield wrong("datapoints", f"give 1 to {alarm['periods']}, the periods that it looks at")
    if not alarm["reason"].strip() or len(alarm["reason"]) > _DESCRIPTION_LIMIT:
        yield wrong("reason", f"say what it means and what to do, in up to {_DESCRIPTION_LIMIT} characters")
    if not 0 <= alarm.get("warm_up_minutes", 0) <= _WARM_UP_LIMIT:
        yield wrong("warm_up_minutes", f"give 0 to {_WARM_UP_LIMIT} minutes")
    yield from _expression_problems(key, alarm)


def _expression_problems(key: str, alarm: Alarm) -> Iterable[Problem]:
    further, expression = alarm.get("further", {}), alarm.get("expression")
    if expression is None:
        if further:
            yield Problem(f"alarms.{key}.further", sorted(further), "give the `expression` that they are for")
        return
    used = set(re.findall(r"[A-Za-z]\w*", expression))
    for name in sorted({OWN_METRIC, *further} - used):
        yield Problem(f"alarms.{key}.expression", expression, f"does not use `{name}`; use it or leave it out")
    for name, metric in further.items():
        path = f"alarms.{key}.further.{name}"
        if not re.fullmatch(r"[a-z]\w*", name, re.ASCII) or name in (OWN_METRIC, RESULT):
            yield Problem(path, name, f"call it by a small letter, letters, digits and _, not {OWN_METRIC} or {RESULT}")
        if not _is_statistic(metric["statistic"]):
            remedy = f"{one_of(STATISTICS, metric['statistic'])}, or a percentile such as p99"
            yield Problem(f"{path}.statistic", metric["statistic"], remedy)


def _is_statistic(statistic: str) -> bool:
    if statistic in STATISTICS:
        return True
    percentile = re.fullmatch(r"p(\d{1,3}(?:\.\d{1,10})?)", statistic)
    return bool(percentile) and float(percentile[1]) <= 100


def _is_period(seconds: int) -> bool:
    return seconds in (10, 20, 30) or (seconds > 0 and seconds % 60 == 0)
