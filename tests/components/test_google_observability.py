"""Notifications, alert policies, objectives, uptime checks, dashboards and logs on Google Cloud."""

import json
import re
from itertools import combinations
from typing import Any

import pulumi
import pytest

from components.observability import conditions
from components.observability.cloudmonitoring import (
    CloudMonitoringAlerts,
    CloudMonitoringSlos,
    CloudMonitoringUptimeChecks,
    GcpLogBucket,
    GcpNotificationChannels,
)
from components.observability.cloudmonitoring_dashboard import COLUMNS, CloudMonitoringDashboard
from components.observability.conditions import GcpCondition, GcpConditions, GcpObjective
from policy.catalogue import judge
from preview.plan import SECRET, UNKNOWN, Plan, Resource

from ..support import PROJECT, PROJECT_NUMBER, known, one, planned, remedies
from .examples.google_observability import (
    ALERTS,
    CHANNELS,
    CHECKS,
    CHECKS_FULL,
    CONDITION,
    DASHBOARD,
    DASHBOARD_FULL,
    EVERY_CONDITION,
    EVERY_OBJECTIVE,
    LOGS,
    LOGS_FULL,
    NOTIFICATIONS,
    NOTIFICATIONS_FULL,
    SLOS,
    SLOS_FULL,
)
from .examples.shared import GOOGLE_AWAY_KEY, GOOGLE_KEY

TOPIC = "gcp:pubsub/topic:Topic"
PUBLISHER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
SLO = "gcp:monitoring/slo:Slo"
SERVICE = "gcp:monitoring/customService:CustomService"
CHECK = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"
BOARD = "gcp:monitoring/dashboard:Dashboard"
BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"

GAUGE, BOOLEAN, COUNT, DISTRIBUTION = "gauge", "boolean", "count", "distribution"
_SQL, _PUBSUB = "cloudsql.googleapis.com/database/", "pubsub.googleapis.com/"
_CACHE, _K8S = "memorystore.googleapis.com/instance/", "kubernetes.io/"
_LB, _UPTIME = "loadbalancing.googleapis.com/https/", "monitoring.googleapis.com/uptime_check/"
KINDS = {
    "workflows.googleapis.com/finished_execution_count": COUNT,
    f"{_SQL}up": GAUGE,
    f"{_SQL}cpu/utilization": GAUGE,
    f"{_SQL}memory/utilization": GAUGE,
    f"{_SQL}disk/utilization": GAUGE,
    f"{_SQL}disk/quota": GAUGE,
    f"{_SQL}postgresql/num_backends": GAUGE,
    f"{_SQL}postgresql/transaction_id_utilization": GAUGE,
    f"{_SQL}replication/replica_lag": GAUGE,
    f"{_SQL}replication/log_archive_failure_count": COUNT,
    f"{_PUBSUB}subscription/oldest_unacked_message_age": GAUGE,
    f"{_PUBSUB}subscription/num_undelivered_messages": GAUGE,
    f"{_PUBSUB}subscription/dead_letter_message_count": COUNT,
    f"{_PUBSUB}subscription/push_request_count": COUNT,
    f"{_PUBSUB}topic/send_request_count": COUNT,
    f"{_CACHE}cpu/maximum_utilization": GAUGE,
    f"{_CACHE}memory/maximum_utilization": GAUGE,
    f"{_CACHE}stats/total_evicted_keys_count": COUNT,
    f"{_CACHE}stats/total_rejected_connections_count": COUNT,
    f"{_CACHE}replication/average_ack_lag": GAUGE,
    f"{_K8S}node/status_condition": BOOLEAN,
    f"{_K8S}node/cpu/allocatable_utilization": GAUGE,
    f"{_K8S}node/memory/allocatable_utilization": GAUGE,
    f"{_K8S}node/ephemeral_storage/used_bytes": GAUGE,
    f"{_K8S}node/ephemeral_storage/allocatable_bytes": GAUGE,
    f"{_K8S}pod/status/unschedulable": BOOLEAN,
    f"{_K8S}pod/volume/utilization": GAUGE,
    f"{_K8S}container/restart_count": COUNT,
    f"{_K8S}container/memory/limit_utilization": GAUGE,
    f"{_K8S}container/uptime": GAUGE,
    "router.googleapis.com/nat/nat_allocation_failed": BOOLEAN,
    "router.googleapis.com/nat/dropped_sent_packets_count": COUNT,
    "router.googleapis.com/nat/port_usage": GAUGE,
    "storage.googleapis.com/api/request_count": COUNT,
    "storage.googleapis.com/replication/turbo_max_delay": GAUGE,
    "gkebackup.googleapis.com/backup_completion_times": DISTRIBUTION,
    "serviceruntime.googleapis.com/quota/exceeded": BOOLEAN,
    f"{_LB}request_count": COUNT,
    f"{_LB}total_latencies": DISTRIBUTION,
    "networksecurity.googleapis.com/https/request_count": COUNT,
    f"{_UPTIME}check_passed": BOOLEAN,
    f"{_UPTIME}time_until_ssl_cert_expires": GAUGE,
}
"""What kind of values each metric has."""
ALIGNED = {
    GAUGE: {"ALIGN_MEAN", "ALIGN_MAX", "ALIGN_MIN", "ALIGN_NEXT_OLDER"},
    BOOLEAN: {"ALIGN_COUNT_TRUE", "ALIGN_FRACTION_TRUE", "ALIGN_NEXT_OLDER"},
    COUNT: {"ALIGN_DELTA", "ALIGN_RATE"},
    DISTRIBUTION: {"ALIGN_DELTA", "ALIGN_PERCENTILE_99"},
}
"""How Google lets values of each kind be made one."""


def notified(**changes: Any) -> Plan:
    return planned(lambda opts: GcpNotificationChannels("told", {**NOTIFICATIONS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def told_nobody(**changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpNotificationChannels("told", {**NOTIFICATIONS, **changes}))  # pyright: ignore[reportArgumentType]


def alerted(watched: GcpConditions, **changes: Any) -> Plan:
    return planned(lambda opts: CloudMonitoringAlerts("shop", {**ALERTS, "conditions": watched, **changes}, opts))  # pyright: ignore[reportArgumentType]


def condition(**changes: Any) -> GcpCondition:
    """The condition with other fields; None takes one away."""
    merged = {**CONDITION, **changes}
    return {key: value for key, value in merged.items() if value is not None}  # pyright: ignore[reportReturnType]


def refused(**changes: Any) -> dict[str, str]:
    """What a condition is refused for, by field."""
    watched = {"database-cpu": condition(**changes)}
    found = remedies(lambda: CloudMonitoringAlerts("shop", {**ALERTS, "conditions": watched}))
    return {path.removeprefix("conditions.database-cpu").removeprefix("."): remedy for path, remedy in found.items()}


def named(plan: Plan, type_: str) -> dict[str, Resource]:
    return {each.name: each for each in plan.of_type(type_)}


def component(plan: Plan, kind: str) -> Resource:
    return next(each for each in plan.resources if each.type == f"plinth:index:{kind}")


def test_every_topic_is_encrypted_with_the_given_key_and_keeps_its_messages_at_home() -> None:
    topics = named(notified(), TOPIC)
    assert set(topics) == {"told-critical", "told-warning"}
    for topic in topics.values():
        assert topic.inputs["kmsKeyName"] == GOOGLE_KEY
        assert topic.inputs["messageStoragePolicy"] == {"allowedPersistenceRegions": ["europe-west3"]}


def test_topics_are_protected_unless_said_otherwise() -> None:
    for protect in (True, False):
        for topic in notified(protect=protect).of_type(TOPIC):
            assert topic.protect is protect
            assert topic.inputs["deletionPolicy"] == ("PREVENT" if protect else "DELETE")
    assert {topic.protect for topic in notified().of_type(TOPIC)} == {True}


@pytest.mark.parametrize("severity", conditions.SEVERITIES)
def test_monitoring_alone_publishes_to_the_topics(severity: str) -> None:
    publisher = one(notified(), PUBLISHER, f"told-{severity}")
    agent = f"service-{PROJECT_NUMBER}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
    assert publisher["member"] == f"serviceAccount:{agent}"
    assert publisher["role"] == "roles/pubsub.publisher"


def test_whoever_reads_mail_is_told_once_by_what_takes_mail_alone() -> None:
    receivers = {
        "critical": ["mailto:web@example.com", "https://events.example.com/key"],
        "warning": ["mailto:office@example.com", "mailto:web@example.com"],
    }
    plan = notified(receivers=receivers)
    addresses = {
        f"projects/{PROJECT}/notificationChannels/{each.name}": each.inputs["labels"].get("email_address")
        for each in plan.of_type(CHANNEL)
        if each.inputs["type"] == "email"
    }
    mail = component(plan, "GcpNotificationChannels").outputs["mail"]
    assert [addresses[each] for each in mail] == ["web@example.com", "office@example.com"]
    assert component(notified(receivers={}), "GcpNotificationChannels").outputs["mail"] == []


def test_whoever_has_the_channels_may_be_told() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        told = GcpNotificationChannels("told", NOTIFICATIONS_FULL, opts)
        channels: Any = {"critical": told.critical, "warning": told.warning}
        CloudMonitoringAlerts("shop", {**ALERTS, "channels": channels}, opts)

    plan = planned(make)
    alert = named(plan, ALERT)["shop-database-cpu"]
    own = [each for name, each in named(plan, CHANNEL).items() if name.startswith("told-warning-")]
    assert len(own) == 2
    assert set(alert.inputs["notificationChannels"]) == {
        f"projects/{PROJECT}/notificationChannels/{each.name}" for each in own
    }
    waits = plan.waits_for(alert.urn)
    assert named(plan, PUBLISHER)["told-warning"].urn in waits
    assert named(plan, PUBLISHER)["told-critical"].urn not in waits


def test_receivers_are_told_of_their_severity() -> None:
    plan = notified(receivers=NOTIFICATIONS_FULL.get("receivers"))
    told = {
        (each.inputs["userLabels"]["severity"], each.inputs["type"], next(iter(each.inputs["labels"].values())))
        for each in plan.of_type(CHANNEL)
        if each.inputs["type"] != "pubsub"
    }
    assert told == {
        ("critical", "email", "web@example.com"),
        ("critical", "webhook_tokenauth", SECRET),
        ("warning", "email", "web@example.com"),
    }
    for channel in plan.of_type(CHANNEL):
        assert channel.inputs["enabled"] is True
        assert channel.inputs["forceDelete"] is False


def test_a_channel_keeps_its_name_when_another_is_added_and_tells_no_address() -> None:
    old, new = "mailto:web@example.com", "https://events.example.com/key"
    before = set(named(notified(receivers={"critical": [old]}), CHANNEL))
    after = set(named(notified(receivers={"critical": [new, old]}), CHANNEL))
    assert before < after
    for name in after - {"told-critical-topic", "told-warning-topic"}:
        assert re.fullmatch(r"told-critical-(mail|https)-[0-9a-f]{8}", name)


def test_receivers_that_can_have_no_message_are_refused_and_not_shown() -> None:
    wrong = ["sms:+49123", "web@example.com", "mailto:web", "http://x.example/secret", "https:///secret"]
    with pytest.raises(pulumi.RunError) as caught:
        GcpNotificationChannels("told", {**NOTIFICATIONS, "receivers": {"critical": wrong}})
    assert "secret" not in str(caught.value)
    found = told_nobody(receivers={"critical": wrong})
    assert set(found) == {f"receivers.critical[{i}]" for i in range(len(wrong))}
    assert "mailto:<address> or https://<endpoint>" in found["receivers.critical[3]"]
    mail = "mailto:web@example.com"
    assert "stands twice" in told_nobody(receivers={"critical": [mail, mail]})["receivers.critical[1]"]
    assert "choose one of critical, warning" in told_nobody(receivers={"urgent": [mail]})["receivers.urgent"]
    assert "not with goog" in remedies(lambda: GcpNotificationChannels("google", NOTIFICATIONS))["name"]


@pytest.mark.parametrize(("key", "watched"), EVERY_CONDITION.items(), ids=EVERY_CONDITION)
def test_every_condition_says_why_and_can_come_true(key: str, watched: GcpCondition) -> None:
    assert conditions.problems({key: watched}) == []
    meaning, remedy = watched["reason"].split(";", 1)
    assert len(meaning.split()) > 8, "what it means, and why this threshold"
    assert len(remedy.split()) > 3, "what to do"
    assert watched["reason"].endswith(".")
    if "threshold" in watched:
        assert watched["threshold"] >= 0
        if watched["threshold"] == 0:
            assert watched.get("comparison") == ">", "else it is always true, or never"


@pytest.mark.parametrize(("key", "watched"), EVERY_CONDITION.items(), ids=EVERY_CONDITION)
def test_values_are_made_one_as_their_kind_allows(key: str, watched: GcpCondition) -> None:
    if "metric" not in watched:
        return
    kind, aligner, reducer = KINDS[watched["metric"]], watched.get("aligner"), watched.get("reducer", "")
    assert aligner in ALIGNED[kind]
    if aligner == "ALIGN_NEXT_OLDER" and kind == BOOLEAN:
        assert reducer in ("REDUCE_COUNT_TRUE", "REDUCE_COUNT_FALSE"), "true is no number"
    if aligner == "ALIGN_DELTA" and kind == DISTRIBUTION:
        assert reducer.startswith("REDUCE_PERCENTILE_"), "a distribution is no number"
    if "share_of" in watched:
        assert KINDS[watched["share_of"]["metric"]] == kind


@pytest.mark.parametrize(("key", "watched"), EVERY_CONDITION.items(), ids=EVERY_CONDITION)
def test_a_share_stays_one(key: str, watched: GcpCondition) -> None:
    metric = watched.get("metric", "")
    if metric.endswith("utilization") or "share_of" in watched or watched.get("aligner") == "ALIGN_FRACTION_TRUE":
        assert 0 < watched.get("threshold", 0.5) < 1


@pytest.mark.parametrize("product", ["database", "database-replica-1", "cache", "cluster-shop-web"])
def test_what_falls_silent_is_noticed(product: str) -> None:
    """No value is no breach of any limit, so that something must watch for values."""
    silent = EVERY_CONDITION[f"{product}-silent"]
    assert (silent.get("absent"), silent["severity"]) == (True, "critical")
    policy = one(alerted({f"{product}-silent": silent}), ALERT)
    (test,) = policy["conditions"]
    assert test["conditionAbsent"]["duration"] == "600s"


def metrics(watched: GcpConditions, prefix: str) -> set[str]:
    return {each["metric"].removeprefix(prefix) for each in watched.values() if "metric" in each}


def test_each_way_a_product_fails_is_watched() -> None:
    instance = {
        *("up", "cpu/utilization", "memory/utilization", "disk/utilization", "postgresql/num_backends"),
    }
    assert metrics(conditions.postgres("p:x", 100), _SQL) == instance | {
        *("postgresql/transaction_id_utilization", "replication/log_archive_failure_count"),
    }
    assert metrics(conditions.replica("p:x", 1, 100), _SQL) == instance | {"replication/replica_lag"}
    assert "database-storage-limit" in conditions.postgres("p:x", 100, storage_limit_gb=10)
    assert "database-backup-failed" not in conditions.postgres("p:x", 100, backups=False)
    queue = conditions.Subscription("orders", 10)
    assert set(conditions.broker({"orders": queue})) == {"broker-orders-old", "broker-orders-backlog"}
    dead = conditions.broker({"orders": queue._replace(dead="orders-dead")})
    assert {"broker-orders-dying", "broker-orders-dead"} < set(dead)
    assert dead["broker-orders-dead"].get("labels") == {"resource.labels.subscription_id": "orders-dead"}
    assert "broker-orders-push" in conditions.broker({"orders": queue._replace(push=True)})
    assert "broker-orders-publish" in conditions.broker({"orders": queue._replace(topic="orders")})
    assert "network-nat-ports" not in conditions.nat("x", "europe-west3")
    assert "store-objects-copies-late" not in conditions.store("x")
    assert "edge-denied" not in conditions.load_balancer("x", 100)
    restores = conditions.restore_tests("restores-1234567", "europe-west3")
    assert not conditions.problems(restores)
    failed = restores["backup-restore-test-failed"]
    assert failed.get("where") == ['metric.labels.status = "FAILED"']
    assert failed.get("labels", {})["resource.labels.workflow_id"] == "restores-1234567"


def test_limits_follow_from_what_the_database_may_do() -> None:
    watched = conditions.postgres("p:x", 200, storage_limit_gb=100)
    assert watched["database-connections-many"].get("threshold") == 160
    assert watched["database-connections-full"].get("threshold") == 190
    assert watched["database-storage-limit"].get("threshold") == 0.9 * 100 * 2**30


def test_two_conditions_of_one_key_are_not_lost() -> None:
    with pytest.raises(ValueError, match="database-archive"):
        conditions.together(conditions.postgres("p:x", 1), conditions.postgres("p:y", 1))
    both = conditions.together(conditions.postgres("p:x", 1), conditions.postgres("p:y", 1, key="more"))
    assert "database-more-cpu" in both


def test_a_condition_becomes_a_policy_that_tells_why() -> None:
    policy = one(alerted({"database-cpu": CONDITION}), ALERT, "shop-database-cpu")
    assert policy["conditions"] == [
        {
            "displayName": "database-cpu",
            "conditionThreshold": {
                "filter": 'metric.type = "cloudsql.googleapis.com/database/cpu/utilization" '
                'AND resource.type = "cloudsql_database" AND resource.labels.database_id = "plinth-123456:shop"',
                "comparison": "COMPARISON_GT",
                "thresholdValue": 0.9,
                "duration": "900s",
                "aggregations": [{"alignmentPeriod": "300s", "perSeriesAligner": "ALIGN_MEAN"}],
                "trigger": {"count": 1},
            },
        }
    ]
    assert policy["documentation"] == {
        "content": CONDITION["reason"],
        "mimeType": "text/markdown",
        "subject": "warning: shop-database-cpu",
    }
    assert (policy["severity"], policy["enabled"], policy["combiner"]) == ("WARNING", True, "OR")
    assert policy["notificationChannels"] == CHANNELS["warning"]
    assert policy["userLabels"] == {"part": "database", "severity": "warning"}
    assert policy["alertStrategy"] == {"autoClose": "86400s", "notificationPrompts": ["OPENED", "CLOSED"]}


def compared(watched: GcpCondition) -> Any:
    (test,) = one(alerted({"database-x": watched}), ALERT)["conditions"]
    return next(value for key, value in test.items() if key != "displayName")


def test_a_share_is_compared_by_numerator_and_denominator_alike() -> None:
    test = compared(EVERY_CONDITION["edge-errors"])
    assert test["filter"].endswith('url_map_name = "shop" AND metric.labels.response_code_class = 500')
    assert test["denominatorFilter"].endswith('url_map_name = "shop"')
    assert test["denominatorAggregations"] == test["aggregations"]
    assert test["aggregations"][0]["crossSeriesReducer"] == "REDUCE_SUM"


def test_a_forecast_looks_ahead() -> None:
    test = compared(EVERY_CONDITION["database-storage-forecast"])
    assert test["forecastOptions"] == {"forecastHorizon": f"{48 * 3600}s"}


def test_missing_values_stand_for_what_is_said() -> None:
    assert compared(condition(missing="active"))["evaluationMissingData"] == "EVALUATION_MISSING_DATA_ACTIVE"
    assert compared(condition(missing="ignore"))["evaluationMissingData"] == "EVALUATION_MISSING_DATA_NO_OP"
    assert "evaluationMissingData" not in compared(CONDITION)


def test_groups_stay_apart() -> None:
    (aggregation,) = compared(EVERY_CONDITION["cluster-nodes-failed"])["aggregations"]
    assert aggregation["groupByFields"] == ["resource.labels.node_name"]


def test_a_query_is_asked_as_it_is() -> None:
    query: GcpCondition = {"severity": "critical", "reason": "Wrong; mend it.", "promql": "up == 0", "duration": 60}
    assert compared(query) == {"query": "up == 0", "duration": "60s", "evaluationInterval": "60s"}


@pytest.mark.parametrize("key", [key for key, each in EVERY_CONDITION.items() if "log" in each])
def test_a_log_entry_is_told_of_at_most_so_often(key: str) -> None:
    """Google refuses a policy on log entries without a limit, and one with a limit that is on metrics."""
    policy = one(alerted({key: EVERY_CONDITION[key]}), ALERT)
    assert set(policy["conditions"][0]) == {"displayName", "conditionMatchedLog"}
    assert policy["alertStrategy"]["notificationRateLimit"] == {
        "period": f"{EVERY_CONDITION[key].get('notify_every')}s"
    }
    assert "notificationPrompts" not in policy["alertStrategy"]


def test_log_entries_are_those_of_the_instance() -> None:
    text = compared(EVERY_CONDITION["database-backup-failed"])["filter"]
    assert text.endswith(' AND resource.labels.database_id = "plinth-123456:shop"')
    either: GcpCondition = {"severity": "warning", "reason": "x", "log": "a OR b", "labels": {"c": "d"}}
    assert compared(either)["filter"] == '(a OR b) AND c = "d"'


def test_incidents_end_by_themselves() -> None:
    policy = one(alerted({"database-cpu": CONDITION}, close_after_hours=1), ALERT)
    assert policy["alertStrategy"]["autoClose"] == "3600s"
    assert (
        "1 to 168"
        in remedies(lambda: CloudMonitoringAlerts("shop", {**ALERTS, "close_after_hours": 0}))["close_after_hours"]
    )


def test_conditions_that_google_would_refuse_are_refused_here() -> None:
    assert "did you mean `warning`" in refused(severity="warnin")["severity"]
    assert "say what it means" in refused(reason=" ")["reason"]
    assert "8192" in refused(reason="x" * 8193)["reason"]
    assert "write > or <" in refused(comparison=">=")["comparison"]
    assert "ALIGN_MEAN" in refused(aligner="ALIGN_MEN")["aligner"]
    assert "REDUCE_SUM" in refused(reducer="REDUCE_SUMM")["reducer"]
    assert "choose one of" in refused(missing="breaching")["missing"]
    assert "multiple of 60" in refused(period=90)["period"]
    assert "multiple of 60" in refused(period=0)["period"]
    assert "multiple of 60" in refused(duration=30)["duration"]
    assert "looks back over" in refused(period=86400, duration=7200)["duration"]
    assert "1 to 60" in refused(forecast_hours=61)["forecast_hours"]
    assert "reducer" in refused(group_by=["resource.labels.zone"])["group_by"]
    assert "reducer" in refused(share_of={"metric": "x", "resource": "y"})["share_of"]
    assert "give a `duration`" in refused(missing="active", duration=0)["missing"]
    assert "required" in refused(threshold=None)["threshold"]
    assert "required" in refused(aligner=None)["aligner"]
    assert "required" in refused(resource=None)["resource"]
    assert "give one of `metric`, `log` and `promql`" in refused(log="x")[""]
    assert "give one of `metric`, `log` and `promql`" in refused(metric=None)[""]


def test_conditions_without_values_compare_nothing() -> None:
    found = refused(absent=True, duration=60, missing="active")
    assert set(found) == {"duration", "comparison", "threshold", "missing"}
    assert "120 to 84600" in found["duration"]
    log = {"metric": None, "resource": None, "aligner": None, "comparison": None, "threshold": None, "log": "x"}
    assert "not compared" in refused(**log)["duration"]
    assert "300 to 172800" in refused(**log, duration=None, notify_every=60)["notify_every"]


def test_keys_begin_with_what_they_are_about() -> None:
    def found(key: str) -> str:
        return remedies(lambda: CloudMonitoringAlerts("shop", {**ALERTS, "conditions": {key: CONDITION}}))[
            f"conditions.{key}"
        ]

    assert "small letters" in found("Database")
    assert "small letters" in found("critical-database")
    assert "200 or fewer" in found("a" * 201)
    assert remedies(lambda: CloudMonitoringAlerts("shop", {**ALERTS, "conditions": {}})) == {
        "conditions": "give one condition or more"
    }
    assert "letter or digit first" in remedies(lambda: CloudMonitoringAlerts("-", ALERTS))["name"]


def promised(**objectives: GcpObjective) -> Plan:
    named_so: Any = {key.replace("_", "-"): objective for key, objective in objectives.items()}
    return planned(lambda opts: CloudMonitoringSlos("shop", {**SLOS, "objectives": named_so}, opts))


def test_objectives_are_of_the_service() -> None:
    plan = planned(lambda opts: CloudMonitoringSlos("shop", SLOS_FULL, opts))
    assert one(plan, SERVICE)["serviceId"] == "shop"
    assert set(named(plan, SLO)) == {f"shop-{key}" for key in EVERY_OBJECTIVE}
    for slo in plan.of_type(SLO):
        assert slo.inputs["service"] == "shop"
        assert slo.inputs["rollingPeriodDays"] == 28
        assert named(plan, SERVICE)["shop"].urn in plan.waits_for(slo.urn)


@pytest.mark.parametrize(("key", "objective"), EVERY_OBJECTIVE.items(), ids=EVERY_OBJECTIVE)
def test_every_objective_says_why_and_can_be_kept(key: str, objective: GcpObjective) -> None:
    assert conditions.objective_problems({key: objective}) == []
    meaning, remedy = objective["reason"].split(";", 1)
    assert meaning.startswith(("In ", f"{100 * objective['goal']:g} % "))
    assert len(remedy.split()) > 3


def test_what_is_good_is_counted_as_each_objective_says() -> None:
    plan = planned(lambda opts: CloudMonitoringSlos("shop", SLOS_FULL, opts))
    slos = {name.removeprefix("shop-"): each.inputs for name, each in named(plan, SLO).items()}
    ratio = slos["edge-availability"]["requestBasedSli"]["goodTotalRatio"]
    assert set(ratio) == {"totalServiceFilter", "badServiceFilter"}
    assert ratio["badServiceFilter"] == f"{ratio['totalServiceFilter']} AND metric.labels.response_code_class = 500"
    cut = slos["edge-latency"]["requestBasedSli"]["distributionCut"]
    assert cut["range"] == {"min": 0, "max": 800}
    assert "total_latencies" in cut["distributionFilter"]
    up = slos["database-up"]["windowsBasedSli"]
    assert (up["windowPeriod"], up["metricMeanInRange"]["range"]) == ("60s", {"min": 1, "max": 1e300})
    fresh = slos["broker-orders-fresh"]["windowsBasedSli"]
    assert (fresh["windowPeriod"], fresh["metricMeanInRange"]["range"]) == ("300s", {"min": 0, "max": 300})
    assert 'subscription_id = "orders"' in fresh["metricMeanInRange"]["timeSeries"]
    assert "check_passed" in slos["endpoint-web-up"]["windowsBasedSli"]["goodBadMetricFilter"]


def test_someone_is_told_how_fast_an_objective_burns() -> None:
    plan = promised(database_up=EVERY_OBJECTIVE["database-up"])
    policies = {name: each.inputs for name, each in named(plan, ALERT).items()}
    name = f"projects/{PROJECT_NUMBER}/services/shop/serviceLevelObjectives/shop-database-up"
    found = {
        key: [
            (each["conditionThreshold"]["filter"], each["conditionThreshold"]["thresholdValue"])
            for each in one["conditions"]
        ]
        for key, one in policies.items()
    }
    assert found == {
        f"shop-database-up-{speed}": [(f'select_slo_burn_rate("{name}", "{window}s")', rate) for window in windows]
        for speed, rate, windows in (
            ("fast", 14.4, (3600, 300)),
            ("steady", 6, (21600, 1800)),
            ("slow", 3, (86400, 7200)),
        )
    }
    assert {each["combiner"] for each in policies.values()} == {"AND"}, "long enough, and still"
    told = {key.rpartition("-")[2]: each["notificationChannels"] for key, each in policies.items()}
    assert told == {"fast": CHANNELS["critical"], "steady": CHANNELS["critical"], "slow": CHANNELS["warning"]}
    for policy in policies.values():
        assert policy["documentation"]["content"].startswith(EVERY_OBJECTIVE["database-up"]["reason"])


def test_a_speed_that_failures_cannot_have_is_not_looked_for() -> None:
    """Of a goal of 90 %, failures come ten times as fast as allowed when everything fails."""
    plan = promised(edge_latency={**EVERY_OBJECTIVE["edge-latency"], "goal": 0.9})
    assert set(named(plan, ALERT)) == {"shop-edge-latency-steady", "shop-edge-latency-slow"}


def test_objectives_that_google_would_refuse_are_refused_here() -> None:
    def found(**changes: Any) -> dict[str, str]:
        merged = {**EVERY_OBJECTIVE["database-up"], **changes}
        objective: Any = {key: value for key, value in merged.items() if value is not None}
        given = remedies(lambda: CloudMonitoringSlos("shop", {**SLOS, "objectives": {"up": objective}}))
        return {path.removeprefix("objectives.up").removeprefix("."): remedy for path, remedy in given.items()}

    metric = EVERY_OBJECTIVE["database-up"].get("series")
    for goal in (0.0, 0.66, 0.99995, 1.0):
        assert "more than 0.67 and up to 0.9999" in found(goal=goal)["goal"]
    assert "1 to 30" in found(rolling_days=31)["rolling_days"]
    assert "say what is promised" in found(reason="")["reason"]
    assert "two of `good`, `bad` and `total`" in found(good=metric)[""]
    assert "two of `good`, `bad` and `total`" in found(series=None, good=metric)[""]
    assert "or nothing tells good from bad" in found(at_least=None)["at_most"]
    for limit in (0.0, -1.0):
        assert "more than 0" in found(at_least=None, at_most=limit)["at_most"], "it would end before it begins"
    assert "no values are compared" in found(series=None, passes=metric)["at_least"]
    assert "whole number" in found(window=3601)["window"]
    assert "whole number" in found(window=30)["window"]
    assert "not windows" in found(series=None, distribution=metric, window=60)["window"]
    wrong: Any = {**SLOS, "service": {"id": "Shop", "display": "Shop"}, "objectives": {}}
    assert "small letters" in remedies(lambda: CloudMonitoringSlos("shop", wrong))["service"]
    assert remedies(lambda: CloudMonitoringSlos("shop", {**SLOS, "objectives": {}})) == {
        "objectives": "give one objective or more"
    }


def test_endpoints_are_asked_over_tls_with_a_valid_certificate() -> None:
    plan = planned(lambda opts: CloudMonitoringUptimeChecks("shop", CHECKS_FULL, opts))
    checks = {name: each.inputs for name, each in named(plan, CHECK).items()}
    for check in checks.values():
        assert (check["httpCheck"]["useSsl"], check["httpCheck"]["validateSsl"]) == (True, True)
        assert check["monitoredResource"]["type"] == "uptime_url", "else no certificate is looked at"
    web, api = checks["shop-web"], checks["shop-api"]
    assert (web["httpCheck"]["port"], web["httpCheck"]["path"], web["period"], web["timeout"]) == (
        443,
        "/",
        "60s",
        "10s",
    )
    assert web["monitoredResource"]["labels"] == {"project_id": PROJECT, "host": "www.example.com"}
    assert "contentMatchers" not in web
    assert "selectedRegions" not in web
    assert api["contentMatchers"] == [{"content": "ready", "matcher": "CONTAINS_STRING"}]
    assert api["selectedRegions"] == ["EUROPE", "ASIA_PACIFIC", "USA_IOWA"]


def test_a_check_may_have_its_hosts_name_for_a_key() -> None:
    longest = ".".join(["xn--" + "a" * 59] * 3 + ["b" * 57, "com"])
    checks: Any = {host: {"host": host} for host in ("more.example.com", longest)}
    plan = planned(lambda opts: CloudMonitoringUptimeChecks("shop", {**CHECKS, "checks": checks}, opts))
    assert set(named(plan, CHECK)) == {"shop-more.example.com", f"shop-{longest}"}
    assert len(longest) == 253
    for policy in plan.of_type(ALERT):
        assert len(policy.inputs["displayName"]) <= 512
        assert policy.inputs["userLabels"]["part"] == "endpoint"


def test_an_error_is_an_answer_where_it_is_said_alone() -> None:
    checks: Any = {"web": {"host": "www.example.com"}, "new": {"host": "new.example.com", "any_answer": True}}
    plan = planned(lambda opts: CloudMonitoringUptimeChecks("shop", {**CHECKS, "checks": checks}, opts))
    accepted = {
        name: each.inputs["httpCheck"]["acceptedResponseStatusCodes"] for name, each in named(plan, CHECK).items()
    }
    assert accepted == {
        "shop-web": [{"statusClass": "STATUS_CLASS_2XX"}],
        "shop-new": [{"statusClass": "STATUS_CLASS_ANY"}],
    }


def test_someone_is_told_when_an_endpoint_does_not_answer_or_its_certificate_ends() -> None:
    plan = planned(lambda opts: CloudMonitoringUptimeChecks("shop", CHECKS, opts))
    assert set(named(plan, ALERT)) == {
        f"shop-endpoint-web-{what}" for what in ("down", "failing", "certificate-old", "certificate-ending")
    }
    for policy in plan.of_type(ALERT):
        (test,) = policy.inputs["conditions"]
        assert 'metric.labels.check_id = "shop-web"' in test["conditionThreshold"]["filter"]
        assert named(plan, CHECK)["shop-web"].urn in plan.waits_for(policy.urn)
    (down,) = named(plan, ALERT)["shop-endpoint-web-down"].inputs["conditions"]
    (aggregation,) = down["conditionThreshold"]["aggregations"]
    assert aggregation["crossSeriesReducer"] == "REDUCE_COUNT_TRUE"
    assert (down["conditionThreshold"]["comparison"], down["conditionThreshold"]["thresholdValue"]) == (
        "COMPARISON_LT",
        2,
    )


def test_checks_that_google_would_refuse_are_refused_here() -> None:
    def found(key: str = "web", **changes: Any) -> dict[str, str]:
        checks: Any = {key: {"host": "www.example.com", **changes}}
        given = remedies(lambda: CloudMonitoringUptimeChecks("shop", {**CHECKS, "checks": checks}))
        return {path.removeprefix(f"checks.{key}").removeprefix("."): remedy for path, remedy in given.items()}

    assert "without a scheme" in found(host="https://www.example.com")["host"]
    assert "begin with /" in found(path="health")["path"]
    assert "1 to 65535" in found(port=0)["port"]
    assert "1 to 1024 bytes" in found(content="x" * 1025)["content"]
    assert "60, 300, 600, 900" in found(period=120)["period"]
    assert "1 to 60 seconds" in found(timeout=61)["timeout"]
    assert "fewer than 3 places" in found(regions=["EUROPE", "EUROPE", "USA_IOWA"])["regions"]
    assert "EUROPE" in found(regions=["EUROP"])["regions[0]"]
    for key in ("Web", "-web", "web.", "w" * 254):
        assert "small letters" in found(key=key)[""]
    assert remedies(lambda: CloudMonitoringUptimeChecks("shop", {**CHECKS, "checks": {}})) == {
        "checks": "give one check or more"
    }


def board(**changes: Any) -> dict[str, Any]:
    args: Any = {**DASHBOARD, **changes}
    if "conditions" in changes and "policy_ids" not in changes:
        args["policy_ids"] = {key: f"policies/{key}" for key in changes["conditions"]}
    plan = planned(lambda opts: CloudMonitoringDashboard("shop", args, opts))
    return json.loads(one(plan, BOARD)["dashboardJson"])


def tiles(**changes: Any) -> list[dict[str, Any]]:
    return board(**changes)["mosaicLayout"]["tiles"]


def covered(tile: dict[str, Any]) -> tuple[range, range]:
    x, y = tile.get("xPos", 0), tile.get("yPos", 0)
    return range(x, x + tile["width"]), range(y, y + tile["height"])


@pytest.mark.parametrize("full", [True, False])
def test_widgets_stand_on_the_grid_and_not_on_each_other(full: bool) -> None:
    found = tiles(**DASHBOARD_FULL) if full else tiles()
    for tile in found:
        across, _ = covered(tile)
        assert across.stop <= COLUMNS
    shown = [tile for tile in found if "collapsibleGroup" not in tile["widget"]]
    for first, second in combinations(shown, 2):
        apart = [
            max(a.start, b.start) >= min(a.stop, b.stop) for a, b in zip(covered(first), covered(second), strict=True)
        ]
        assert any(apart), (first, second)


def test_each_part_is_a_group_around_its_charts() -> None:
    found = tiles(**DASHBOARD_FULL)
    groups = {each["widget"]["title"]: covered(each)[1] for each in found if "collapsibleGroup" in each["widget"]}
    assert set(groups) == {conditions.part_of(key).capitalize() for key in EVERY_CONDITION}
    for tile in found:
        for line in tile["widget"].get("xyChart", {}).get("thresholds", []):
            part = conditions.part_of(line["label"].partition(": ")[2]).capitalize()
            rows = covered(tile)[1]
            assert groups[part].start <= rows.start
            assert rows.stop <= groups[part].stop


def test_every_condition_is_shown_once() -> None:
    shown: list[str] = []
    for tile in tiles(conditions=EVERY_CONDITION):
        widget = tile["widget"]
        if "xyChart" in widget:
            shown += [line["label"].partition(": ")[2] for line in widget["xyChart"].get("thresholds", [])]
        elif "alertChart" in widget:
            shown.append(widget["alertChart"]["name"].removeprefix("policies/"))
    watched = {key for key, each in EVERY_CONDITION.items() if "threshold" in each}
    assert sorted(shown) == sorted(watched)
    for key in ("edge-errors", "database-storage-forecast"):
        assert key in shown, "a line cannot show it"


def test_conditions_on_the_same_metric_share_a_chart() -> None:
    queues = {name: conditions.Subscription(name, 10) for name in ("orders", "returns")}
    charts = [
        each["widget"]["xyChart"] for each in tiles(conditions=conditions.broker(queues)) if "xyChart" in each["widget"]
    ]
    assert len(charts) == 2
    for chart in charts:
        assert len(chart["dataSets"]) == 2, "a line for each queue"
        assert len(chart["thresholds"]) == 2
    full = conditions.postgres("p:x", 1)
    titles = [each["widget"]["title"] for each in tiles(conditions=full)]
    assert "storage full, storage low" in titles


def test_a_threshold_in_a_chart_has_no_colour_and_no_direction() -> None:
    """Google refuses both there."""
    lines = [
        line
        for each in tiles(conditions=EVERY_CONDITION)
        for line in each["widget"].get("xyChart", {}).get("thresholds", [])
    ]
    assert lines
    assert set().union(*lines) == {"label", "value", "targetAxis"}


def test_the_dashboard_is_written_as_google_gives_it_back() -> None:
    """A zero, a false or an empty list that Google leaves out would be a change for ever."""

    def empty(value: Any) -> bool:
        if isinstance(value, dict):
            return any(
                key != "collapsibleGroup" and (item in (0, "", [], {}) or empty(item)) for key, item in value.items()
            )
        return isinstance(value, list) and any(map(empty, value))

    whole = board(**DASHBOARD_FULL)
    assert not empty(whole)
    assert whole["displayName"] == "shop"
    backwards = dict(reversed(EVERY_CONDITION.items()))
    assert board(**{**DASHBOARD_FULL, "conditions": backwards}) == whole


def test_incidents_stand_at_the_top_and_the_log_at_the_bottom() -> None:
    first, *others = tiles(**DASHBOARD_FULL)
    assert first["widget"]["incidentList"]["policyNames"] == [
        f"projects/{PROJECT}/alertPolicies/{key}" for key in sorted(EVERY_CONDITION)
    ]
    assert others[-1]["widget"]["logsPanel"] == {"filter": "severity >= ERROR"}
    assert others[-1]["yPos"] == max(each["yPos"] for each in others)
    assert "logsPanel" not in tiles()[-1]["widget"]


def test_log_entries_that_are_watched_for_are_shown() -> None:
    (panel,) = [
        each["widget"]["logsPanel"] for each in tiles(conditions=conditions.keys()) if "logsPanel" in each["widget"]
    ]
    assert panel["filter"].count(") OR (log_id") == 1
    assert "DestroyCryptoKeyVersion" in panel["filter"]


def test_a_dashboard_is_found_under_its_url() -> None:
    plan = planned(lambda opts: CloudMonitoringDashboard("shop", DASHBOARD, opts))
    outputs = component(plan, "CloudMonitoringDashboard").outputs
    assert outputs["dashboardId"] == f"projects/{PROJECT_NUMBER}/dashboards/shop"
    assert outputs["url"] == f"https://console.cloud.google.com/monitoring/dashboards/builder/shop?project={PROJECT}"


def test_a_dashboard_is_refused_for_what_it_cannot_show() -> None:
    def found(**changes: Any) -> dict[str, str]:
        return remedies(lambda: CloudMonitoringDashboard("shop", {**DASHBOARD, **changes}))  # pyright: ignore[reportArgumentType]

    assert found(conditions={}) == {"conditions": "give one condition or more"}
    assert "is missing" in found(policy_ids={})["policy_ids.database-cpu"]
    queues = {f"queue-{number}": conditions.Subscription("x", 10, push=True) for number in range(120)}
    many = conditions.broker(queues)
    assert (
        "make dashboards of 100 or fewer" in found(conditions=many, policy_ids=dict.fromkeys(many, "x"))["conditions"]
    )


def logged(**changes: Any) -> Plan:
    return planned(lambda opts: GcpLogBucket("shop", {**LOGS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def test_logs_are_routed_into_a_bucket_of_their_own() -> None:
    plan = logged(exclusions=LOGS_FULL.get("exclusions"))
    bucket, sink = one(plan, BUCKET), one(plan, SINK)
    assert (bucket["location"], bucket["retentionDays"]) == ("europe-west3", 30)
    assert bucket["bucketId"] == "shop-c0ffee00"
    path = f"projects/{PROJECT}/locations/europe-west3/buckets/shop-c0ffee00"
    assert sink["destination"] == f"logging.googleapis.com/{path}"
    assert sink["filter"] == LOGS["filter"]
    assert sink["exclusions"] == [{"name": "health", "filter": 'httpRequest.requestUrl =~ "/health$"'}]
    assert component(plan, "GcpLogBucket").outputs["bucket"] == path


def test_a_bucket_is_protected_unless_said_otherwise() -> None:
    assert one(logged(), BUCKET)["deletionPolicy"] == "PREVENT"
    assert named(logged(), BUCKET)["shop"].protect
    assert one(logged(protect=False), BUCKET)["deletionPolicy"] == "DELETE"
    assert not named(logged(protect=False), BUCKET)["shop"].protect


def test_what_cannot_be_undone_is_asked_for() -> None:
    bare, full = one(logged(), BUCKET), one(logged(**LOGS_FULL), BUCKET, "shop")
    assert (bare["locked"], bare["enableAnalytics"]) == (False, False)
    assert (full["locked"], full["enableAnalytics"]) == (True, True)
    assert full["cmekSettings"] == {"kmsKeyName": GOOGLE_KEY}


def test_the_projects_own_bucket_is_left_alone_unless_asked_for() -> None:
    assert set(named(logged(), BUCKET)) == {"shop"}
    default = one(logged(default_days=90), BUCKET, "shop-default")
    assert (default["bucketId"], default["location"], default["retentionDays"]) == ("_Default", "global", 90)


def test_a_bucket_is_refused_for_what_google_would_refuse() -> None:
    def found(name: str = "shop", **changes: Any) -> dict[str, str]:
        return remedies(lambda: GcpLogBucket(name, {**LOGS, **changes}))  # pyright: ignore[reportArgumentType]

    assert "1 to 3650 days" in found(days=0)["days"]
    assert "1 to 3650 days" in found(default_days=3651)["default_days"]
    assert "say which entries" in found(filter=" ")["filter"]
    assert "not of europe-west3" in found(key_name=GOOGLE_AWAY_KEY)["key_name"]
    assert "say which entries" in found(exclusions={"health": ""})["exclusions.health"]
    assert "letter or digit first" in found(exclusions={"-": "x"})["exclusions.-"]
    assert "no _ first" in found(name="_Default")["name"]


@pytest.mark.parametrize("answer", [None, known], ids=["unknown", "known"])
def test_what_is_made_breaks_no_rule(answer: Any) -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        told = GcpNotificationChannels("told", NOTIFICATIONS_FULL, opts)
        channels: Any = {"critical": told.critical, "warning": told.warning}
        made = CloudMonitoringAlerts("shop", {**ALERTS, "channels": channels, "conditions": EVERY_CONDITION}, opts)
        CloudMonitoringSlos("shop", {**SLOS_FULL, "channels": channels}, opts)
        CloudMonitoringUptimeChecks("world", {**CHECKS_FULL, "channels": channels}, opts)
        CloudMonitoringDashboard("shop", {**DASHBOARD_FULL, "policy_ids": made.policy_ids}, opts)
        GcpLogBucket("shop", LOGS_FULL, opts)

    plan = planned(make, answer)
    assert [finding for finding in judge(plan) if "provider-" not in finding.rule] == []
    if answer is None:
        assert one(plan, BOARD)["dashboardJson"] == UNKNOWN
