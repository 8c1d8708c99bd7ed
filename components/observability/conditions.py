"""How each product of Google Cloud fails, as conditions: which metric or log entry tells of it, how far it may go, for
how long, and what to do then. And what may be promised of some, as objectives.

All of it is data. `CloudMonitoringAlerts` makes alert policies of conditions, `CloudMonitoringDashboard` charts, and
`CloudMonitoringSlos` makes objectives. The first word of a condition's key is the part of the environment that it is
about: `database-cpu`, `broker-orders-old`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict, Unpack

import pulumi

from ..problems import MISSING, Problem, one_of
from .receivers import CRITICAL, SEVERITIES, WARNING

COMPARISONS = {">": "COMPARISON_GT", "<": "COMPARISON_LT"}
"""Those that Google takes for thresholds."""
MISSING_DATA = {
    "inactive": "EVALUATION_MISSING_DATA_INACTIVE",
    "active": "EVALUATION_MISSING_DATA_ACTIVE",
    "ignore": "EVALUATION_MISSING_DATA_NO_OP",
}
_PERCENTILES = ("PERCENTILE_99", "PERCENTILE_95", "PERCENTILE_50", "PERCENTILE_05")
ALIGNERS = tuple(
    f"ALIGN_{each}"
    for each in (
        *("DELTA", "RATE", "INTERPOLATE", "NEXT_OLDER", "MIN", "MAX", "MEAN", "COUNT", "SUM", "STDDEV"),
        *("COUNT_TRUE", "COUNT_FALSE", "FRACTION_TRUE", *_PERCENTILES, "PERCENT_CHANGE"),
    )
)
"""How the values of a period are made one."""
REDUCERS = tuple(
    f"REDUCE_{each}"
    for each in (
        *("MEAN", "MIN", "MAX", "SUM", "STDDEV", "COUNT", "COUNT_TRUE", "COUNT_FALSE", "FRACTION_TRUE"),
        *_PERCENTILES,
    )
)
"""How several series are made one."""

BURN_RATES = {
    "fast": (14.4, 3600, 300, CRITICAL),
    "steady": (6.0, 21600, 1800, CRITICAL),
    "slow": (3.0, 86400, 7200, WARNING),
}
"""How many times as fast as allowed failures come, over which two windows of seconds, and how bad that is. Of an
objective of 30 days, 2 % of what may fail has failed then, 5 % and 10 %."""

_MINUTE, _FIVE_MINUTES, _QUARTER, _HOUR, _DAY = 60, 300, 900, 3600, 86400
_LONGEST_ABSENCE = 84600
_LONGEST_LOOK = 90000
_LONGEST_FORECAST = 60
_LONGEST_SILENCE = 48 * _HOUR
_DOCUMENTATION_LIMIT = 8192
_LONGEST_KEY = 200
_LONGEST_OBJECTIVE_DAYS = 30


class GcpMetric(TypedDict):
    """A metric of some resources."""

    metric: str
    """Type of the metric, for example `cloudsql.googleapis.com/database/cpu/utilization`."""
    resource: str
    """Type of the monitored resource, for example `cloudsql_database`."""
    labels: NotRequired[dict[str, pulumi.Input[str]]]
    """What labels must be, such as `resource.labels.database_id`. Default: anything."""
    where: NotRequired[list[str]]
    """Further terms of the filter, in Google's own words. Default: none."""


class GcpCondition(TypedDict):
    """When something is wrong, and what it means. It looks at a metric, at log entries, or at a query."""

    severity: str
    """`critical`: somebody is called. `warning`: somebody looks at it in working hours."""
    reason: str
    """What it means, why the threshold is what it is, and what to do: the documentation of the alert policy."""
    metric: NotRequired[str]
    """Type of the metric. Default: none, it looks at log entries or at a query."""
    resource: NotRequired[str]
    """Type of the monitored resource that the metric is of."""
    labels: NotRequired[dict[str, pulumi.Input[str]]]
    """What labels of the metric, or fields of the log entries, must be. Default: anything."""
    where: NotRequired[list[str]]
    """Further terms of the filter, in Google's own words. Default: none."""
    aligner: NotRequired[str]
    """How the values of a period are made one: `ALIGN_MEAN`, `ALIGN_MAX`, `ALIGN_DELTA`, ..."""
    reducer: NotRequired[str]
    """How several series are made one, such as `REDUCE_SUM`. Default: each is looked at."""
    group_by: NotRequired[list[str]]
    """Labels by which series stay apart all the same. Default: none."""
    period: NotRequired[int]
    """Seconds that one value is made of, a multiple of 60. Default: 300."""
    comparison: NotRequired[str]
    """`>` or `<`: how a wrong value compares with the threshold."""
    threshold: NotRequired[float]
    """What values are compared with."""
    share_of: NotRequired[GcpMetric]
    """The metric whose share is compared instead of the condition's own. Default: none."""
    duration: NotRequired[int]
    """Seconds in which all values must be wrong, a multiple of 60. Default: 0, one is enough."""
    missing: NotRequired[str]
    """What no value stands for, once there were some: `inactive`, `active` or `ignore`. Needs a duration. Default:
    what Google makes of it."""
    forecast_hours: NotRequired[int]
    """Compares what the values will be in so many hours, 1 to 60. Default: what they are."""
    absent: NotRequired[bool]
    """Whether it is wrong that there are no values for the duration, 120 seconds to 23.5 hours. Then nothing is
    compared. Default: no."""
    log: NotRequired[str]
    """A filter of log entries, each of which is wrong. Default: none."""
    notify_every: NotRequired[int]
    """Seconds between notifications about log entries, 300 to 172800. Default: 3600."""
    promql: NotRequired[pulumi.Input[str]]
    """A query in PromQL whose every result is wrong. Default: none."""


GcpConditions = dict[str, GcpCondition]
"""Conditions by their keys."""


class GcpObjective(TypedDict):
    """A share of a service that must be good. Good is counted by requests (two of `good`, `bad` and `total`, or a
    `distribution` with a limit), or by windows of time (a `series` with a limit, or what `passes`)."""

    goal: float
    """The share, above 0.67 and up to 0.9999: of a lower one no burn-rate alert could come true."""
    reason: str
    """What is promised, why so much, and what to do when it is about to be broken."""
    rolling_days: NotRequired[int]
    """Days over which it is counted, 1 to 30. Default: 28, in which each day of the week is as often."""
    good: NotRequired[GcpMetric]
    """Counts what was good."""
    bad: NotRequired[GcpMetric]
    """Counts what was not."""
    total: NotRequired[GcpMetric]
    """Counts everything."""
    distribution: NotRequired[GcpMetric]
    """Values of requests, such as their milliseconds."""
    series: NotRequired[GcpMetric]
    """A gauge whose mean over a window is looked at."""
    passes: NotRequired[GcpMetric]
    """A gauge that is true or false: a window in which it was true once is good."""
    at_least: NotRequired[float]
    """What values of the distribution, or of the series, must be at least. Default: 0, with `at_most`."""
    at_most: NotRequired[float]
    """What values of the distribution, or of the series, may be at most, above 0 where they may be anything less.
    Default: anything."""
    window: NotRequired[int]
    """Seconds of a window: 60 or more, and a whole number of them in a day. Default: 300."""


GcpObjectives = dict[str, GcpObjective]
"""Objectives by their keys."""


def together(*groups: GcpConditions) -> GcpConditions:
    """The conditions of all groups.

    Raises `ValueError` where two have the same key: one of them would be lost.
    """
    result: GcpConditions = {}
    for group in groups:
        if twice := sorted(set(result) & set(group)):
            raise ValueError(f"two conditions are called {twice[0]}; give one of their products another key")
        result |= group
    return result


def part_of(key: str) -> str:
    """The part of the environment that a condition is about: its key's first word."""
    return key.partition("-")[0]


def selection(of: GcpMetric | GcpCondition) -> pulumi.Output[str]:
    """The filter that finds a metric's series, or the log entries of a condition."""
    terms: list[pulumi.Input[str]] = [f'metric.type = "{of.get("metric")}" AND resource.type = "{of.get("resource")}"']
    if "log" in of:
        terms = [f"({of['log']})" if of.get("labels") or of.get("where") else of["log"]]
    for label, value in sorted(of.get("labels", {}).items()):
        terms += [f' AND {label} = "', value, '"']
    terms += [f" AND {term}" for term in of.get("where", [])]
    return pulumi.Output.concat(*terms)


def problems(conditions: GcpConditions) -> list[Problem]:
    """What Google would refuse of the conditions, and what nobody would understand."""
    if not conditions:
        return [Problem("conditions", conditions, "give one condition or more")]
    return [problem for key, condition in conditions.items() for problem in _problems(key, condition)]


def objective_problems(objectives: GcpObjectives) -> list[Problem]:
    """What Google would refuse of the objectives, and what no alert could tell of."""
    if not objectives:
        return [Problem("objectives", objectives, "give one objective or more")]
    return [problem for key, objective in objectives.items() for problem in _objective_problems(key, objective)]


def postgres(
    database_id: pulumi.Input[str],
    max_connections: int,
    storage_limit_gb: int = 0,
    backups: bool = True,
    key: str = "",
) -> GcpConditions:
    """How a PostgreSQL instance of Cloud SQL fails, by its id `project:instance` and what its flag max_connections is.
    Storage that grows by itself may have a limit."""
    prefix, sql = _prefix("database", key), _sql(database_id)
    found = {
        **_instance(prefix, sql, max_connections),
        f"{prefix}-transaction-ids": sql.critical(
            _When("ALIGN_MAX", "database/postgresql/transaction_id_utilization", ">", 0.5),
            "Half of the transaction ids are used, five times of where autovacuum should have freed them, and when all "
            "are the database stops writing; end old transactions and vacuum the oldest tables by hand.",
        ),
        f"{prefix}-archive": sql.critical(
            _When("ALIGN_DELTA", "database/replication/log_archive_failure_count", ">", 0),
            "Write-ahead logs could not be archived for a quarter of an hour, longer than a passing fault: what is not "
            "archived cannot be recovered to a point in time; look at the instance's log and at the key.",
            reducer="REDUCE_SUM",
            duration=_QUARTER,
            missing="inactive",
        ),
    }
    if storage_limit_gb:
        found[f"{prefix}-storage-limit"] = sql.warning(
            _When("ALIGN_MAX", "database/disk/quota", ">", 0.9 * storage_limit_gb * 2**30),
            f"Storage has grown to over 90 % of the {storage_limit_gb} GB at which it may grow no further; look for "
            "what fills it, and raise the limit.",
        )
    if backups:
        found[f"{prefix}-backup-failed"] = sql.logged(
            CRITICAL,
            'log_id("cloudaudit.googleapis.com/system_event") AND resource.type = "cloudsql_database" '
            'AND protoPayload.methodName = "cloudsql.instances.automatedBackup" '
            'AND protoPayload.metadata.windowStatus = ("STATUS_FAILED" OR "STATUS_ATTEMPT_FAILED")',
            "A nightly backup failed, and each one that is missing is a day that cannot be had back; the log entry "
            "says why, and another can be made by hand at once.",
        )
    return found


def replica(database_id: pulumi.Input[str], number: int, max_connections: int, key: str = "") -> GcpConditions:
    """How a read replica of Cloud SQL fails: as an instance, and by falling behind its primary."""
    prefix, sql = f"{_prefix('database', key)}-replica-{number}", _sql(database_id)
    return {
        **_instance(prefix, sql, max_connections),
        f"{prefix}-lag": sql.warning(
            _When("ALIGN_MEAN", "database/replication/replica_lag", ">", 60),
            "The replica is over a minute behind, where seconds are usual: readers see old data; look for long queries "
            "on the replica and bursts of writes on the primary.",
        ),
        f"{prefix}-stale": sql.critical(
            _When("ALIGN_MEAN", "database/replication/replica_lag", ">", 900),
            "The replica is over a quarter of an hour behind, so replication has probably stopped; send readers to the "
            "primary and look at the replica's log, or make it anew.",
        ),
    }


class Subscription(NamedTuple):
    """A queue, as Pub/Sub has it."""

    subscription: pulumi.Input[str]
    """Id of the subscription, without its project."""
    backlog: int
    """Messages that may wait in it."""
    oldest_seconds: int = 600
    """How old the oldest of these may be."""
    topic: pulumi.Input[str] | None = None
    """Id of its topic, without the project, where publishing is looked at."""
    dead: pulumi.Input[str] | None = None
    """Id of the subscription that holds its dead letters, where there is one."""
    push: bool = False
    """Whether messages are pushed to an endpoint."""


def broker(queues: Mapping[str, Subscription], key: str = "") -> GcpConditions:
    """How queues of Pub/Sub fail, by their names."""
    prefix = _prefix("broker", key)
    return together(*(_queue(f"{prefix}-{name}", queue) for name, queue in queues.items()))


def cache(instance_id: pulumi.Input[str], location: pulumi.Input[str], key: str = "") -> GcpConditions:
    """How an instance of Memorystore for Valkey fails."""
    prefix = _prefix("cache", key)
    valkey = _Product(
        "memorystore.googleapis.com/instance/",
        "memorystore.googleapis.com/Instance",
        {"resource.labels.instance_id": instance_id, "resource.labels.location": location},
    )
    return {
        f"{prefix}-silent": valkey.silent("cpu/maximum_utilization", "The instance"),
        f"{prefix}-cpu": valkey.warning(
            _When("ALIGN_MEAN", "cpu/maximum_utilization", ">", 0.9),
            "The busiest node is over 90 % busy for a quarter of an hour, and commands wait for each other; look for "
            "commands that walk all keys and for a hot key, or take larger nodes or more shards.",
        ),
        f"{prefix}-memory": valkey.warning(
            _When("ALIGN_MAX", "memory/maximum_utilization", ">", 0.8),
            "The fullest node uses over 80 % of its memory, above which Google asks for more room, since a failover "
            "needs some; look for keys without an expiry, or take larger nodes or more shards.",
        ),
        f"{prefix}-memory-full": valkey.critical(
            _When("ALIGN_MAX", "memory/maximum_utilization", ">", 0.95),
            "The fullest node uses over 95 % of its memory: next it evicts keys, or refuses to write where its policy "
            "evicts none; take larger nodes or more shards, and delete what need not be there.",
            duration=_FIVE_MINUTES,
        ),
        f"{prefix}-evictions": valkey.warning(
            _When("ALIGN_DELTA", "stats/total_evicted_keys_count", ">", 0),
            "Keys are evicted for a quarter of an hour, which no instance with enough room does: clients miss what "
            "they have just stored; look for keys without an expiry, or take larger nodes.",
            reducer="REDUCE_SUM",
            duration=_QUARTER,
            missing="inactive",
        ),
        f"{prefix}-refused": valkey.critical(
            _When("ALIGN_DELTA", "stats/total_rejected_connections_count", ">", 0),
            "Connections were refused because there are too many, and none is ever to be; look for a service that "
            "connects for each request, and let it have a pool.",
            reducer="REDUCE_SUM",
        ),
        f"{prefix}-replication": valkey.warning(
            _When("ALIGN_MEAN", "replication/average_ack_lag", ">", 10),
            "Replicas confirm over ten seconds late for a quarter of an hour, where one is usual: a failover now loses "
            "what they do not have, and readers see old data; look for large values and bursts of writes.",
        ),
    }


def cluster(name: pulumi.Input[str], location: pulumi.Input[str], key: str = "") -> GcpConditions:
    """How a GKE cluster fails, by what GKE itself tells of its nodes, pods and volumes."""
    prefix = _prefix("cluster", key)
    labels = _cluster_labels(name, location)
    nodes, pods = _Product("kubernetes.io/node/", "k8s_node", labels), _Product("kubernetes.io/pod/", "k8s_pod", labels)
    containers = _Product("kubernetes.io/container/", "k8s_container", labels)
    by_node = ["resource.labels.node_name"]
    by_pod = ["resource.labels.namespace_name", "resource.labels.pod_name"]
    return {
        f"{prefix}-nodes-failed": nodes.critical(
            _When("ALIGN_FRACTION_TRUE", "status_condition", ">", 0.5),
            "A node is not ready for a quarter of an hour, in which node repair should have replaced it: its pods are "
            "elsewhere or nowhere; look at the node's conditions and delete its machine.",
            where=['metric.labels.condition = "Ready"', 'metric.labels.status = one_of("False", "Unknown")'],
            reducer="REDUCE_MAX",
            group_by=by_node,
        ),
        f"{prefix}-nodes-cpu": nodes.warning(
            _When("ALIGN_MEAN", "cpu/allocatable_utilization", ">", 0.85),
            "All nodes together are over 85 % busy for a quarter of an hour, and the loss of one would overload the "
            "rest; see that the autoscaler is not at its limit, and raise it.",
            reducer="REDUCE_MEAN",
        ),
        f"{prefix}-nodes-memory": nodes.warning(
            _When("ALIGN_MAX", "memory/allocatable_utilization", ">", 0.9),
            "A node uses over 90 % of its memory, shortly before it evicts pods; look for pods that use far more than "
            "they request, and raise their requests.",
            where=['metric.labels.memory_type = "non-evictable"'],
        ),
        f"{prefix}-nodes-disk": nodes.warning(
            _When("ALIGN_MAX", "ephemeral_storage/used_bytes", ">", 0.85),
            "A node's disk is over 85 % full, and at 90 % it evicts pods; look for logs and scratch files of its pods, "
            "or give nodes larger disks.",
            share_of="ephemeral_storage/allocatable_bytes",
            reducer="REDUCE_SUM",
            group_by=by_node,
        ),
        f"{prefix}-unschedulable": pods.warning(
            _When("ALIGN_FRACTION_TRUE", "status/unschedulable", ">", 0.9),
            "A pod fits on no node for a quarter of an hour, in which new nodes have long joined: the autoscaler is at "
            "its limit or no node matches; describe the pod and raise the limit.",
        ),
        f"{prefix}-restarts": containers.warning(
            _When("ALIGN_DELTA", "restart_count", ">", 3),
            "A container started anew over three times in a quarter of an hour, oftener than a deployment makes it, so "
            "it will not mend itself; look at the log of the previous container, and roll the deployment back.",
            period=_QUARTER,
            duration=0,
        ),
        f"{prefix}-containers-memory": containers.warning(
            _When("ALIGN_MAX", "memory/limit_utilization", ">", 0.95),
            "A container uses over 95 % of the memory that it may have for a quarter of an hour, and is killed at "
            "100 %; raise its limit, or look for what it does not let go of.",
            where=['metric.labels.memory_type = "non-evictable"'],
        ),
        f"{prefix}-volumes-filling": pods.warning(
            _When("ALIGN_MAX", "volume/utilization", ">", 0.85),
            "A volume is over 85 % full, while there is time to make it larger; look for what fills it, or raise the "
            "size in its claim.",
            reducer="REDUCE_MAX",
            group_by=[*by_pod, "metric.labels.volume_name"],
        ),
        f"{prefix}-volumes-full": pods.critical(
            _When("ALIGN_MAX", "volume/utilization", ">", 0.95),
            "A volume is over 95 % full, and what writes to it fails next; raise the size in its claim, which the "
            "storage class lets grow without a restart.",
            reducer="REDUCE_MAX",
            group_by=[*by_pod, "metric.labels.volume_name"],
        ),
    }


def workload(
    cluster_name: pulumi.Input[str], location: pulumi.Input[str], namespace: str, name: str, key: str = ""
) -> GcpConditions:
    """How one workload of a cluster fails; its pods' names begin with its own."""
    labels = _cluster_labels(cluster_name, location)
    containers = _Product("kubernetes.io/container/", "k8s_container", labels)
    chosen = [
        f'resource.labels.namespace_name = "{namespace}"',
        f'resource.labels.pod_name = starts_with("{name}-")',
    ]
    prefix = f"{_prefix('cluster', key)}-{namespace}-{name}"
    return {
        f"{prefix}-silent": containers.silent("uptime", f"The workload {name}", where=chosen),
        f"{prefix}-restarts": containers.critical(
            _When("ALIGN_DELTA", "restart_count", ">", 3),
            f"Containers of {name} started anew over three times in five minutes, oftener than a deployment makes "
            "them; look at the log of the previous container, and whether it ran out of memory.",
            where=chosen,
            reducer="REDUCE_SUM",
            duration=0,
        ),
    }


def nat(gateway: pulumi.Input[str], region: pulumi.Input[str], ports: int = 0, key: str = "") -> GcpConditions:
    """How a gateway of Cloud NAT fails, and how the ports of one machine run out, where `ports` says how many it may
    have at most."""
    prefix = f"{_prefix('network', key)}-nat"
    router = _Product(
        "router.googleapis.com/nat/",
        "nat_gateway",
        {"resource.labels.gateway_name": gateway, "resource.labels.region": region},
    )
    found = {
        f"{prefix}-allocation": router.critical(
            _When("ALIGN_COUNT_TRUE", "nat_allocation_failed", ">", 0),
            "The gateway could give a machine no address or ports, and none is ever to be refused: it calls nobody; "
            "give the gateway another address, or machines fewer ports at least.",
            duration=0,
        ),
        f"{prefix}-drops": router.warning(
            _When("ALIGN_DELTA", "dropped_sent_packets_count", ">", 0),
            "Packets are dropped for want of ports in each five minutes of a quarter of an hour, longer than a burst: "
            "calls to some destination fail; reuse connections, or let machines have more ports.",
            where=['metric.labels.reason = "OUT_OF_RESOURCES"'],
            reducer="REDUCE_SUM",
            missing="inactive",
        ),
    }
    if ports:
        found[f"{prefix}-ports"] = router.warning(
            _When("ALIGN_MAX", "port_usage", ">", int(0.8 * ports)),
            f"A machine uses over 80 % of the {ports} ports that it may have, and without one it calls nobody; reuse "
            "connections, or let machines have more ports.",
            reducer="REDUCE_MAX",
        )
    return found


def store(bucket: pulumi.Input[str], turbo: bool = False, key: str = "objects") -> GcpConditions:
    """How a bucket of Cloud Storage fails, and with turbo replication how its other region falls behind."""
    prefix = f"store-{key}"
    gcs = _Product("storage.googleapis.com/", "gcs_bucket", {"resource.labels.bucket_name": bucket})
    found = {
        f"{prefix}-errors": gcs.warning(
            _When("ALIGN_DELTA", "api/request_count", ">", 0.01),
            "Over 1 % of the requests fail at Google's side for a quarter of an hour, where clients try single ones "
            "again; look at Google's service health, and at how fast requests to one prefix grow.",
            where=['metric.labels.response_code = one_of("INTERNAL", "UNAVAILABLE", "UNKNOWN", "DEADLINE_EXCEEDED")'],
            share_of="api/request_count",
            reducer="REDUCE_SUM",
        ),
        f"{prefix}-denied": gcs.warning(
            _When("ALIGN_DELTA", "api/request_count", ">", 10),
            "Over ten requests in each five minutes are denied for a quarter of an hour: a service lacks a grant, or "
            "somebody looks for one; the bucket's audit log says who.",
            where=['metric.labels.response_code = "PERMISSION_DENIED"'],
            reducer="REDUCE_SUM",
            missing="inactive",
        ),
    }
    if turbo:
        found[f"{prefix}-copies-late"] = gcs.warning(
            _When("ALIGN_MAX", "replication/turbo_max_delay", ">", 900),
            "The oldest object that the other region lacks is over a quarter of an hour old, which is what turbo "
            "replication promises: a disaster now loses what is missing; look for a burst of writes, and at Google's "
            "service health.",
        )
    return found


def cluster_backup(plan: pulumi.Input[str], location: pulumi.Input[str], key: str = "") -> GcpConditions:
    """How backups of a plan of Backup for GKE fail."""
    gke = _Product(
        "gkebackup.googleapis.com/",
        "gkebackup.googleapis.com/BackupPlan",
        {"resource.labels.backup_plan_id": plan, "resource.labels.location": location},
    )
    return {
        f"{_prefix('backup', key)}-cluster-failed": gke.critical(
            # Of a distribution only a percentile can be compared: any that is there is of a backup that failed.
            _When("ALIGN_PERCENTILE_99", "backup_completion_times", ">", 0),
            "A backup of the cluster failed, and each one that is missing is a day that cannot be had back; the "
            "backup's own reason says why, usually a pod's hook, a volume or the key.",
            where=['metric.labels.state = "FAILED"'],
            duration=0,
            period=_HOUR,
        )
    }


def vault(key: str = "") -> GcpConditions:
    """How jobs of the Backup and DR service fail in the project."""
    jobs = _Product("", "", {})
    return {
        f"{_prefix('backup', key)}-vault-failed": jobs.logged(
            CRITICAL,
            'log_id("backupdr.googleapis.com/bdr_backup_restore_jobs") '
            'AND jsonPayload.jobStatus = ("FAILED" OR "SKIPPED" OR "TIMED_OUT")',
            "A backup into the vault failed, or was not even made, and each one that is missing is a day that cannot "
            "be had back; the log entry says why, usually the role, the key or a maintenance window.",
        )
    }


def restore_tests(workflow: pulumi.Input[str], location: pulumi.Input[str], key: str = "") -> GcpConditions:
    """How restores as a test fail, by the name of the workflow that makes them. That none was made at all cannot be
    told: Google looks for values of a day, and they are made every month."""
    workflows = _Product(
        "workflows.googleapis.com/",
        "workflows.googleapis.com/Workflow",
        {"resource.labels.workflow_id": workflow, "resource.labels.location": location},
    )
    return {
        f"{_prefix('backup', key)}-restore-test-failed": workflows.critical(
            _When("ALIGN_DELTA", "finished_execution_count", ">", 0),
            "A backup could not be restored as a test, or what was restored could not be deleted and goes on costing "
            "money; the execution says which, and a backup that nobody can restore is none.",
            where=['metric.labels.status = "FAILED"'],
            reducer="REDUCE_SUM",
        )
    }


def keys(key: str = "") -> GcpConditions:
    """How versions of keys of Cloud KMS are taken away in the project, by anybody."""
    kms = _Product("", "", {})
    return {
        f"{_prefix('key', key)}-destroyed": kms.logged(
            CRITICAL,
            'log_id("cloudaudit.googleapis.com/activity") AND protoPayload.serviceName = "cloudkms.googleapis.com" '
            'AND protoPayload.methodName = "DestroyCryptoKeyVersion"',
            "Somebody has a version of a key destroyed: when its days of grace are over, what it encrypts is gone for "
            "ever; find out who and why, and restore the version today.",
            notify_every=_FIVE_MINUTES,
        ),
        f"{_prefix('key', key)}-disabled": kms.logged(
            CRITICAL,
            'log_id("cloudaudit.googleapis.com/activity") AND protoPayload.serviceName = "cloudkms.googleapis.com" '
            'AND protoPayload.methodName = "UpdateCryptoKeyVersion" '
            'AND protoPayload.request.cryptoKeyVersion.state = ("DISABLED" OR "2")',
            "Somebody disabled a version of a key, so that what it encrypts can be read no more until it is enabled: "
            "databases and buckets fail at any moment; find out who and why, and enable it.",
            notify_every=_FIVE_MINUTES,
        ),
    }


def secrets(key: str = "") -> GcpConditions:
    """How secrets are taken away in the project, by anybody."""
    return {
        f"{_prefix('secret', key)}-gone": _Product("", "", {}).logged(
            CRITICAL,
            'log_id("cloudaudit.googleapis.com/activity") '
            'AND protoPayload.serviceName = "secretmanager.googleapis.com" '
            'AND protoPayload.methodName =~ "\\.(DeleteSecret|DestroySecretVersion|DisableSecretVersion)$"',
            "A secret or a version of one was deleted, destroyed or disabled: what signs in with it stops when it "
            "starts anew; see that it was a rotation, or enable the version while it can be.",
        )
    }


def quota(key: str = "") -> GcpConditions:
    """How the project reaches the limits that Google sets it."""
    return {
        f"{_prefix('project', key)}-quota": _Product(
            "serviceruntime.googleapis.com/", "consumer_quota", {}
        ).warning(
            _When("ALIGN_COUNT_TRUE", "quota/exceeded", ">", 0),
            "A quota of the project was exceeded, so that something was refused that was asked for; ask for a higher "
            "quota, or look for what asks so often.",
            reducer="REDUCE_SUM",
            group_by=["resource.labels.service", "metric.labels.limit_name"],
            duration=0,
        )
    }  # fmt: skip


def load_balancer(
    url_map: pulumi.Input[str],
    latency_ms: int,
    policy: pulumi.Input[str] | None = None,
    denied: int = 10,
    key: str = "",
) -> GcpConditions:
    """How an external Application Load Balancer fails, by its URL map, with how many milliseconds a request may take;
    and how often its Cloud Armor policy may deny one a second."""
    prefix = _prefix("edge", key)
    balancer = _Product("loadbalancing.googleapis.com/https/", "https_lb_rule", {_URL_MAP: url_map})
    found = {
        f"{prefix}-errors": balancer.critical(
            _When("ALIGN_DELTA", "request_count", ">", 0.05),
            "Over 5 % of the requests fail for five minutes, longer than a rollout takes: services are down or "
            "overloaded; look at the health of the backends, and roll the last deployment back.",
            where=["metric.labels.response_code_class = 500"],
            share_of="request_count",
            reducer="REDUCE_SUM",
            period=_MINUTE,
            duration=_FIVE_MINUTES,
        ),
        f"{prefix}-latency": balancer.warning(
            _When("ALIGN_DELTA", "total_latencies", ">", latency_ms),
            f"One request of twenty takes over {latency_ms} ms for a quarter of an hour, which is what was promised "
            "at most; look for slow queries, for full processors and for a backend far away.",
            reducer="REDUCE_PERCENTILE_95",
        ),
    }
    if policy is not None:
        found[f"{prefix}-denied"] = _Product(
            "networksecurity.googleapis.com/https/", "network_security_policy", {"resource.labels.policy_name": policy}
        ).warning(
            _When("ALIGN_RATE", "request_count", ">", denied),
            f"Cloud Armor denies over {denied} requests a second for a quarter of an hour: somebody attacks, or a rule "
            "is wrong about clients; look at the rule and the addresses in the load balancer's log.",
            where=['metric.labels.blocked = "true"'],
            reducer="REDUCE_SUM",
        )
    return found


def endpoint(check_id: pulumi.Input[str], host: str, key: str) -> GcpConditions:
    """How an endpoint fails that an uptime check asks for, and how its certificate runs out."""
    prefix = f"endpoint-{key}"
    uptime = _Product("monitoring.googleapis.com/uptime_check/", "uptime_url", {"metric.labels.check_id": check_id})
    return {
        f"{prefix}-down": uptime.critical(
            _When("ALIGN_NEXT_OLDER", "check_passed", "<", 2),
            f"Fewer than two places of the world get an answer from {host} for five minutes: nobody reaches it; look "
            "at the load balancer's backends, at DNS and at the certificate.",
            reducer="REDUCE_COUNT_TRUE",
            period=_UPTIME_PERIOD,
            duration=_FIVE_MINUTES,
        ),
        f"{prefix}-failing": uptime.warning(
            _When("ALIGN_NEXT_OLDER", "check_passed", ">", 1),
            f"Two or more places of the world get no answer from {host} for a quarter of an hour, and one alone may "
            "be its own fault; look at the log of the uptime check, and for slow or overloaded backends.",
            reducer="REDUCE_COUNT_FALSE",
            period=_UPTIME_PERIOD,
        ),
        f"{prefix}-certificate-old": uptime.warning(
            _When("ALIGN_NEXT_OLDER", "time_until_ssl_cert_expires", "<", 20),
            f"The certificate of {host} ends in less than 20 days, and managed ones are renewed 30 days before: "
            "renewal has failed for days; see that the DNS authorisation is still in its zone.",
            reducer="REDUCE_MIN",
            period=_UPTIME_PERIOD,
            duration=_HOUR,
        ),
        f"{prefix}-certificate-ending": uptime.critical(
            _When("ALIGN_NEXT_OLDER", "time_until_ssl_cert_expires", "<", 7),
            f"The certificate of {host} ends in less than a week, and then no client connects; mend its DNS "
            "authorisation today, or put another certificate in its place.",
            reducer="REDUCE_MIN",
            period=_UPTIME_PERIOD,
            duration=_HOUR,
        ),
    }


def load_balancer_availability(url_map: pulumi.Input[str], goal: float = 0.999) -> GcpObjective:
    """That requests to a load balancer do not fail at the server's side."""
    total = _balanced("request_count", url_map)
    return {
        "goal": goal,
        "reason": f"{_percent(goal)} of the requests are answered without a fault of ours; look at the health of the "
        "backends, and roll the last deployment back.",
        "total": total,
        "bad": {**total, "where": ["metric.labels.response_code_class = 500"]},
    }


def load_balancer_latency(url_map: pulumi.Input[str], milliseconds: int, goal: float = 0.95) -> GcpObjective:
    """That requests to a load balancer are answered in time."""
    return {
        "goal": goal,
        "reason": f"{_percent(goal)} of the requests are answered within {milliseconds} ms; look for slow queries, for "
        "full processors and for a backend far away.",
        "distribution": _balanced("total_latencies", url_map),
        "at_most": float(milliseconds),
    }


def broker_freshness(subscriptions: Mapping[str, pulumi.Input[str]], seconds: int, goal: float = 0.99) -> GcpObjectives:
    """That messages in subscriptions, given by the names of their queues, do not grow old."""
    return {
        f"broker-{name}-fresh": {
            "goal": goal,
            "reason": f"In {_percent(goal)} of the time the oldest message of {name} is at most {seconds} seconds old; "
            "look for errors of its consumers, and run more of them.",
            "series": {
                "metric": f"{_PUBSUB}subscription/oldest_unacked_message_age",
                "resource": "pubsub_subscription",
                "labels": {_SUBSCRIPTION: subscription},
            },
            "at_most": float(seconds),
        }
        for name, subscription in subscriptions.items()
    }


def database_up(database_id: pulumi.Input[str], goal: float = 0.999) -> GcpObjective:
    """That an instance of Cloud SQL is up."""
    return {
        "goal": goal,
        "reason": f"In {_percent(goal)} of the time the database takes connections; look at its log and its last "
        "operations, and fail over where it does not come back.",
        "series": {
            "metric": f"{_SQL}database/up",
            "resource": "cloudsql_database",
            "labels": {_DATABASE: database_id},
        },
        "at_least": 1.0,
        "window": _MINUTE,
    }


def endpoint_up(check_id: pulumi.Input[str], host: str, goal: float = 0.995) -> GcpObjective:
    """That an endpoint answers at least one place of the world."""
    return {
        "goal": goal,
        "reason": f"In {_percent(goal)} of the time {host} answers; look at the load balancer's backends, at DNS and "
        "at the certificate.",
        "passes": {
            "metric": "monitoring.googleapis.com/uptime_check/check_passed",
            "resource": "uptime_url",
            "labels": {"metric.labels.check_id": check_id},
        },
    }


_SQL, _PUBSUB = "cloudsql.googleapis.com/", "pubsub.googleapis.com/"
_DATABASE, _SUBSCRIPTION = "resource.labels.database_id", "resource.labels.subscription_id"
_URL_MAP = "resource.labels.url_map_name"
_UPTIME_PERIOD = 1200
"""Longer than any period of uptime checks: each place has told something in it."""


class _When(NamedTuple):
    """How the aligned values of a metric compare with what they may be at most or at least."""

    aligner: str
    metric: str
    comparison: str
    threshold: float


class _How(TypedDict, total=False):
    """How long values are looked at, and what is made of them."""

    where: list[str]
    reducer: str
    group_by: list[str]
    period: int
    duration: int
    missing: str
    forecast_hours: int
    share_of: str
    """The metric that the condition's own is given as a share of."""


class _Product:
    """Something that publishes metrics about itself."""

    def __init__(self, prefix: str, resource: str, labels: Mapping[str, pulumi.Input[str]]):
        self._metrics = prefix
        self._resource = resource
        self._labels = dict(labels)

    def critical(self, when: _When, reason: str, **how: Unpack[_How]) -> GcpCondition:
        return self._condition(when, CRITICAL, reason, how)

    def warning(self, when: _When, reason: str, **how: Unpack[_How]) -> GcpCondition:
        return self._condition(when, WARNING, reason, how)

    def silent(self, metric: str, what: str, where: Sequence[str] = ()) -> GcpCondition:
        """The product no longer says anything. The metrics of some come minutes late."""
        condition: GcpCondition = {
            "severity": CRITICAL,
            "reason": f"{what} has told nothing about itself for ten minutes, and it does so every minute: it is down, "
            "being replaced, or deleted; look at its state and its operations.",
            "metric": self._metrics + metric,
            "resource": self._resource,
            "labels": dict(self._labels),
            "aligner": "ALIGN_MEAN",
            "reducer": "REDUCE_COUNT",
            "period": _MINUTE,
            "duration": 2 * _FIVE_MINUTES,
            "absent": True,
        }
        if where:
            condition["where"] = list(where)
        return condition

    def logged(self, severity: str, log: str, reason: str, notify_every: int = _HOUR) -> GcpCondition:
        """Each of some log entries is wrong."""
        return {
            "severity": severity,
            "reason": reason,
            "log": log,
            "labels": dict(self._labels),
            "notify_every": notify_every,
        }

    def _condition(self, when: _When, severity: str, reason: str, how: _How) -> GcpCondition:
        counted = when.aligner == "ALIGN_DELTA" and "missing" not in how and "share_of" not in how
        condition: GcpCondition = {
            "severity": severity,
            "reason": reason,
            "metric": self._metrics + when.metric,
            "resource": self._resource,
            "labels": dict(self._labels),
            "aligner": when.aligner,
            "period": how.get("period", _FIVE_MINUTES),
            "comparison": when.comparison,
            "threshold": float(when.threshold),
            "duration": how.get("duration", 0 if counted and "PERCENTILE" not in how.get("reducer", "") else _QUARTER),
        }
        if "where" in how:
            condition["where"] = how["where"]
        if "reducer" in how:
            condition["reducer"] = how["reducer"]
        if "group_by" in how:
            condition["group_by"] = how["group_by"]
        if "missing" in how:
            condition["missing"] = how["missing"]
        if "forecast_hours" in how:
            condition["forecast_hours"] = how["forecast_hours"]
        if "share_of" in how:
            condition["share_of"] = {
                "metric": self._metrics + how["share_of"],
                "resource": self._resource,
                "labels": dict(self._labels),
            }
        return condition


def _sql(database_id: pulumi.Input[str]) -> _Product:
    return _Product(_SQL, "cloudsql_database", {_DATABASE: database_id})


def _instance(prefix: str, sql: _Product, max_connections: int) -> GcpConditions:
    return {
        f"{prefix}-silent": sql.silent("database/cpu/utilization", "The instance"),
        f"{prefix}-down": sql.critical(
            _When("ALIGN_MAX", "database/up", "<", 1),
            "The instance is down for five minutes, longer than a failover takes; look at its log and its last "
            "operations, and fail over or restore it.",
            period=_MINUTE,
            duration=_FIVE_MINUTES,
        ),
        f"{prefix}-cpu": sql.warning(
            _When("ALIGN_MEAN", "database/cpu/utilization", ">", 0.9),
            "The processor is over 90 % busy for a quarter of an hour, longer than any nightly job should take, so "
            "queries queue up; find the heaviest in Query Insights, or take a larger machine.",
        ),
        f"{prefix}-memory": sql.warning(
            _When("ALIGN_MEAN", "database/memory/utilization", ">", 0.9),
            "Over 90 % of the memory is in use for a quarter of an hour, so that the next large query may end the "
            "database; look for large sorts and for too many connections, or take a larger machine.",
        ),
        f"{prefix}-storage-low": sql.warning(
            _When("ALIGN_MAX", "database/disk/utilization", ">", 0.9),
            "The disk is over 90 % full, where storage that grows by itself has usually grown; see that it may, and "
            "that its limit is not reached.",
        ),
        f"{prefix}-storage-full": sql.critical(
            _When("ALIGN_MAX", "database/disk/utilization", ">", 0.97),
            "The disk is over 97 % full, so it does not grow by itself, and a full one stops the database; raise the "
            "storage by hand and look for what fills it: logs, replication slots, temporary files.",
            duration=_FIVE_MINUTES,
        ),
        f"{prefix}-storage-forecast": sql.warning(
            _When("ALIGN_MEAN", "database/disk/utilization", ">", 0.97),
            "The disk will be over 97 % full within two days, if it goes on as it does: it grows faster than Google "
            "makes it larger, or may not; look for what fills it, and raise the limit.",
            period=_HOUR,
            duration=_HOUR,
            forecast_hours=48,
        ),
        f"{prefix}-connections-many": sql.warning(
            _When("ALIGN_MAX", "database/postgresql/num_backends", ">", int(0.8 * max_connections)),
            f"Over 80 % of {max_connections} connections are open for a quarter of an hour; look for a service that "
            "leaks them or has too large a pool, or let the database have more.",
            reducer="REDUCE_SUM",
        ),
        f"{prefix}-connections-full": sql.critical(
            _When("ALIGN_MAX", "database/postgresql/num_backends", ">", int(0.95 * max_connections)),
            f"Over 95 % of {max_connections} connections are open, and the next clients are refused; end idle "
            "sessions, and restart the service that leaks them.",
            reducer="REDUCE_SUM",
            period=_MINUTE,
            duration=_FIVE_MINUTES,
        ),
    }


def _queue(prefix: str, queue: Subscription) -> GcpConditions:
    read = _Product(f"{_PUBSUB}subscription/", "pubsub_subscription", {_SUBSCRIPTION: queue.subscription})
    found = {
        f"{prefix}-old": read.critical(
            _When("ALIGN_MAX", "oldest_unacked_message_age", ">", queue.oldest_seconds),
            f"The oldest message waits for over {queue.oldest_seconds} seconds, so nobody reads the queue, or one "
            "message holds the others up; look for a consumer that is down, or for what it fails at.",
            period=_MINUTE,
            duration=_FIVE_MINUTES,
        ),
        f"{prefix}-backlog": read.warning(
            _When("ALIGN_MAX", "num_undelivered_messages", ">", queue.backlog),
            f"Over {queue.backlog} messages wait, more than the queue may hold: consumers are slower than what "
            "arrives; look for errors in their logs, or run more of them.",
        ),
    }
    if queue.push:
        found[f"{prefix}-push"] = read.warning(
            _When("ALIGN_DELTA", "push_request_count", ">", 0.05),
            "Over 5 % of what is pushed is not taken for a quarter of an hour, and Pub/Sub slows down for the "
            "endpoint; look for errors in its log, and at who may call it.",
            where=['metric.labels.response_class != "ack"'],
            share_of="push_request_count",
            reducer="REDUCE_SUM",
        )
    if queue.dead is not None:
        dead = _Product(f"{_PUBSUB}subscription/", "pubsub_subscription", {_SUBSCRIPTION: queue.dead})
        found[f"{prefix}-dying"] = read.warning(
            _When("ALIGN_DELTA", "dead_letter_message_count", ">", 0),
            "Consumers gave a message up for good, and each is work that was not done; look in their logs for what "
            "they fail at, and mend it before more follow.",
            reducer="REDUCE_SUM",
        )
        found[f"{prefix}-dead"] = dead.warning(
            _When("ALIGN_MAX", "num_undelivered_messages", ">", 0),
            "Dead letters wait for a quarter of an hour, and none is to wait for ever; mend what their consumers fail "
            "at and publish them again, or acknowledge them.",
        )
    if queue.topic is not None:
        topic = _Product(f"{_PUBSUB}topic/", "pubsub_topic", {"resource.labels.topic_id": queue.topic})
        found[f"{prefix}-publish"] = topic.warning(
            _When("ALIGN_DELTA", "send_request_count", ">", 0.01),
            "Over 1 % of what is published is refused for a quarter of an hour, where clients try single ones again: a "
            "grant or the schema is wrong, or the key is gone; look in the log of whoever publishes.",
            where=['metric.labels.response_class != "success"'],
            share_of="send_request_count",
            reducer="REDUCE_SUM",
        )
    return found


def _balanced(metric: str, url_map: pulumi.Input[str]) -> GcpMetric:
    return {
        "metric": f"loadbalancing.googleapis.com/https/{metric}",
        "resource": "https_lb_rule",
        "labels": {_URL_MAP: url_map},
    }


def _cluster_labels(name: pulumi.Input[str], location: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    return {"resource.labels.cluster_name": name, "resource.labels.location": location}


def _prefix(part: str, key: str) -> str:
    return f"{part}-{key}" if key else part


def _percent(goal: float) -> str:
    return f"{100 * goal:.6g} %"


def _problems(key: str, condition: GcpCondition) -> Iterator[Problem]:
    def wrong(field: str, remedy: str) -> Problem:
        return Problem(f"conditions.{key}.{field}", condition.get(field, MISSING), remedy)

    yield from _key_problems("conditions", key)
    if condition["severity"] not in SEVERITIES:
        yield wrong("severity", one_of(SEVERITIES, condition["severity"]))
    if not condition["reason"].strip() or len(condition["reason"]) > _DOCUMENTATION_LIMIT:
        yield wrong("reason", f"say what it means and what to do, in up to {_DOCUMENTATION_LIMIT} characters")
    kinds = [kind for kind in ("metric", "log", "promql") if kind in condition]
    if len(kinds) != 1:
        yield Problem(f"conditions.{key}", kinds or MISSING, "give one of `metric`, `log` and `promql`")
        return
    duration = condition.get("duration", 0)
    if duration % _MINUTE or not 0 <= duration <= _DAY:
        yield wrong("duration", "give a multiple of 60 seconds, up to a day")
    if "log" in condition:
        if not _FIVE_MINUTES <= condition.get("notify_every", _HOUR) <= _LONGEST_SILENCE:
            yield wrong("notify_every", "give 300 to 172800 seconds")
        strange = ("aligner", "reducer", "comparison", "threshold", "share_of", "missing", "forecast_hours", "absent")
        for field in (*strange, "duration", "resource"):
            if field in condition:
                yield wrong(field, "leave it out: log entries are not compared")
    elif "metric" in condition:
        yield from _metric_problems(key, condition)


def _metric_problems(key: str, condition: GcpCondition) -> Iterator[Problem]:
    def wrong(field: str, remedy: str) -> Problem:
        return Problem(f"conditions.{key}.{field}", condition.get(field, MISSING), remedy)

    absent = condition.get("absent", False)
    for field in ("resource", "aligner", *(() if absent else ("comparison", "threshold"))):
        if field not in condition:
            yield wrong(field, "required with a metric; give a value")
    for field, choices in (("aligner", ALIGNERS), ("reducer", REDUCERS), ("missing", tuple(MISSING_DATA))):
        if field in condition and condition[field] not in choices:
            yield wrong(field, one_of(choices, condition[field]))
    if condition.get("comparison", ">") not in COMPARISONS:
        yield wrong("comparison", "write > or <: Google compares with nothing else")
    if "group_by" in condition and "reducer" not in condition:
        yield wrong("group_by", "give the `reducer` that makes one series of each group")
    period, duration = condition.get("period", _FIVE_MINUTES), condition.get("duration", 0)
    if period % _MINUTE or not _MINUTE <= period <= _DAY:
        yield wrong("period", "give a multiple of 60 seconds, up to a day")
    elif period + duration > _LONGEST_LOOK:
        yield wrong(
            "duration", f"with its period it looks back over {period + duration} seconds; Google does {_LONGEST_LOOK}"
        )
    if not 1 <= condition.get("forecast_hours", 1) <= _LONGEST_FORECAST:
        yield wrong("forecast_hours", f"give 1 to {_LONGEST_FORECAST}")
    if "share_of" in condition and "reducer" not in condition:
        yield wrong("share_of", "give the `reducer` too: both must come down to the same series")
    if absent:
        if not 2 * _MINUTE <= duration <= _LONGEST_ABSENCE:
            yield wrong("duration", f"give 120 to {_LONGEST_ABSENCE} seconds in which there are no values")
        for field in ("comparison", "threshold", "share_of", "forecast_hours", "missing"):
            if field in condition:
                yield wrong(field, "leave it out: without values nothing is compared")
    elif "missing" in condition and not duration:
        yield wrong("missing", "give a `duration` too: Google looks for missing values only with one")


def _objective_problems(key: str, objective: GcpObjective) -> Iterator[Problem]:
    def wrong(field: str, remedy: str) -> Problem:
        return Problem(f"objectives.{key}.{field}", objective.get(field, MISSING), remedy)

    yield from _key_problems("objectives", key)
    slowest = min(rate for rate, *_ in BURN_RATES.values())
    if not 1 - 1 / slowest < objective["goal"] <= 0.9999:
        yield wrong("goal", "give more than 0.67 and up to 0.9999")
    if not 1 <= objective.get("rolling_days", 1) <= _LONGEST_OBJECTIVE_DAYS:
        yield wrong("rolling_days", f"give 1 to {_LONGEST_OBJECTIVE_DAYS} days")
    if not objective["reason"].strip() or len(objective["reason"]) > _DOCUMENTATION_LIMIT // 2:
        yield wrong("reason", f"say what is promised and what to do, in up to {_DOCUMENTATION_LIMIT // 2} characters")
    counted = [field for field in ("good", "bad", "total") if field in objective]
    others = [field for field in ("distribution", "series", "passes") if field in objective]
    if not (len(counted) == 2 and not others) and not (len(others) == 1 and not counted):
        remedy = "give two of `good`, `bad` and `total`, or one of `distribution`, `series` and `passes`"
        yield Problem(f"objectives.{key}", [*counted, *others] or MISSING, remedy)
        return
    limits = [field for field in ("at_least", "at_most") if field in objective]
    if others in (["distribution"], ["series"]):
        if not limits:
            yield wrong("at_most", "give `at_least`, `at_most` or both, or nothing tells good from bad")
        elif limits == ["at_most"] and objective.get("at_most", 0) <= 0:
            yield wrong("at_most", "give more than 0, or `at_least` too: alone it begins at 0")
    else:
        yield from (wrong(field, "leave it out: no values are compared") for field in limits)
    window = objective.get("window", _FIVE_MINUTES)
    if window < _MINUTE or _DAY % window:
        yield wrong("window", "give 60 seconds or more, a whole number of which make a day")
    elif "window" in objective and others not in (["series"], ["passes"]):
        yield wrong("window", "leave it out: requests are counted, not windows")


def _key_problems(field: str, key: str) -> Iterator[Problem]:
    if not re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", key) or part_of(key) in SEVERITIES:
        remedy = "use small letters, digits and hyphens between, and begin with what it is about, such as `database-`"
        yield Problem(f"{field}.{key}", key, remedy)
    elif len(key) > _LONGEST_KEY:
        yield Problem(f"{field}.{key}", key, f"{len(key)} characters; use {_LONGEST_KEY} or fewer")
