"""Notifications, alarms and dashboards on CloudWatch."""

import json
import math
import re
from itertools import combinations
from typing import Any

import pulumi
import pytest

from components.observability import alarms
from components.observability.alarms import Alarm, Alarms
from components.observability.cloudwatch import AwsNotifications, CloudWatchAlarms
from components.observability.dashboard import COLUMNS, CloudWatchDashboard
from policy.catalogue import judge
from preview.plan import SECRET, UNKNOWN, Plan, Resource

from ..support import known, one, planned, remedies, statements
from .examples.observability import ALARM, ALARMS, DASHBOARD, EVERY_ALARM, NOTIFICATIONS, NOTIFICATIONS_FULL, TOPICS
from .examples.shared import KEY

TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
METRIC_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
BOARD = "aws:cloudwatch/dashboard:Dashboard"

DIMENSIONS = {
    "AWS/AmazonMQ": [{"Broker"}, {"Broker", "VirtualHost", "Queue"}],
    "AWS/Backup": [{"BackupVaultName"}],
    "AWS/CertificateManager": [{"CertificateArn"}],
    "AWS/EKS": [{"ClusterName"}],
    "AWS/ElastiCache": [{"CacheClusterId"}],
    "AWS/Lambda": [{"FunctionName"}],
    "AWS/NATGateway": [{"NatGatewayId"}],
    "AWS/RDS": [{"DBInstanceIdentifier"}, {"ProxyName"}],
    "AWS/S3": [{"SourceBucket", "DestinationBucket", "RuleId"}],
    "ContainerInsights": [{"ClusterName"}, {"ClusterName", "Namespace", "PodName"}],
}
"""What CloudWatch keeps values of, by namespace: with a dimension more or less there are none."""


def notified(**changes: Any) -> Plan:
    return planned(lambda opts: AwsNotifications("told", {**NOTIFICATIONS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def told_nobody(**changes: Any) -> dict[str, str]:
    return remedies(lambda: AwsNotifications("told", {**NOTIFICATIONS, **changes}))  # pyright: ignore[reportArgumentType]


def alarmed(watched: Alarms, **changes: Any) -> Plan:
    return planned(lambda opts: CloudWatchAlarms("shop", {**ALARMS, "alarms": watched, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(watched: Alarms, name: str = "shop", **changes: Any) -> dict[str, str]:
    return remedies(lambda: CloudWatchAlarms(name, {**ALARMS, "alarms": watched, **changes}))  # pyright: ignore[reportArgumentType]


def alarm(**changes: Any) -> Alarm:
    return {**ALARM, **changes}  # pyright: ignore[reportReturnType]


def named(plan: Plan, type_: str) -> dict[str, Resource]:
    return {each.name: each for each in plan.of_type(type_)}


def children(composite: Resource) -> list[str]:
    """The alarms of a composite alarm's rule, which is in alarm while any of them is."""
    names = re.findall(r'ALARM\("([^"]+)"\)', composite.inputs["alarmRule"])
    assert composite.inputs["alarmRule"] == " OR ".join(f'ALARM("{name}")' for name in names)
    return names


def leaves(plan: Plan, name: str) -> list[str]:
    """The alarms that a composite alarm is made of in the end."""
    composites = named(plan, COMPOSITE)
    if name not in composites:
        return [name]
    return [leaf for child in children(composites[name]) for leaf in leaves(plan, child)]


def test_every_topic_is_encrypted_with_the_given_key() -> None:
    topics = named(notified(), TOPIC)
    assert set(topics) == {"told-critical", "told-warning"}
    assert {each.inputs["kmsMasterKeyId"] for each in topics.values()} == {KEY}
    assert {each.inputs["signatureVersion"] for each in topics.values()} == {2}


@pytest.mark.parametrize("severity", alarms.SEVERITIES)
def test_named_services_publish_on_behalf_of_the_account_over_tls_alone(severity: str) -> None:
    plan = notified()
    topic = one(plan, POLICY, f"told-{severity}")["arn"]
    policy = statements(one(plan, POLICY, f"told-{severity}")["policy"])
    assert policy == {
        "Publish": {
            "Sid": "Publish",
            "Effect": "Allow",
            "Principal": {"Service": ["backup.amazonaws.com", "cloudwatch.amazonaws.com"]},
            "Action": ["sns:Publish"],
            "Resource": [topic],
            "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        },
        # AWS evaluates no condition for EventBridge.
        "PublishEvents": {
            "Sid": "PublishEvents",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["sns:Publish"],
            "Resource": [topic],
        },
        "TlsOnly": {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["sns:Publish"],
            "Resource": [topic],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    }


def test_other_publishers_stand_in_the_place_of_the_usual_ones() -> None:
    policy = statements(one(notified(publishers=["budgets.amazonaws.com"]), POLICY, "told-critical")["policy"])
    assert policy["Publish"]["Principal"] == {"Service": ["budgets.amazonaws.com"]}
    assert "PublishEvents" not in policy


def test_whoever_has_a_topic_may_publish_to_it() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        told = AwsNotifications("told", NOTIFICATIONS, opts)
        topics = {"critical": told.critical_topic_arn, "warning": told.topic_arns.apply(lambda known: known["warning"])}
        CloudWatchAlarms("shop", {"topics": topics, "alarms": {"database-cpu": ALARM}}, opts)  # pyright: ignore[reportArgumentType]

    plan = planned(make)
    composite = named(plan, COMPOSITE)["shop-warning"]
    assert composite.inputs["alarmActions"] == [named(plan, POLICY)["told-warning"].inputs["arn"]]
    assert named(plan, POLICY)["told-warning"].urn in plan.waits_for(composite.urn)


def test_receivers_are_told_of_their_severity() -> None:
    plan = notified(receivers=NOTIFICATIONS_FULL.get("receivers"))
    topics = {each.inputs["arn"]: name for name, each in named(plan, POLICY).items()}
    told = {
        (topics[each.inputs["topic"]], each.inputs["protocol"], each.inputs["endpoint"])
        for each in plan.of_type(SUBSCRIPTION)
    }
    assert told == {
        ("told-critical", "email", "web@example.com"),
        ("told-critical", "https", SECRET),
        ("told-warning", "email", "web@example.com"),
    }
    assert {each.inputs["rawMessageDelivery"] for each in plan.of_type(SUBSCRIPTION)} == {False}


def test_a_subscription_keeps_its_name_when_another_is_added() -> None:
    old, new = "mailto:web@example.com", "https://events.example.com/key"
    before = set(named(notified(receivers={"critical": [old]}), SUBSCRIPTION))
    after = set(named(notified(receivers={"critical": [new, old]}), SUBSCRIPTION))
    assert before < after
    assert len(after) == 2


def test_names_tell_no_address() -> None:
    receivers = {"warning": ["mailto:web@example.com", "https://events.example.com/key"]}
    for name in named(notified(receivers=receivers), SUBSCRIPTION):
        assert re.fullmatch(r"told-warning-(mail|https)-[0-9a-f]{8}", name)


def test_receivers_that_can_have_no_message_are_refused_and_not_shown() -> None:
    wrong = [
        "sms:+49123",
        "web@example.com",
        "mailto:web",
        "http://x.example/secret",
        "https:///secret",
        "slack:secret",
    ]
    with pytest.raises(pulumi.RunError) as caught:
        AwsNotifications("told", {**NOTIFICATIONS, "receivers": {"critical": wrong}})
    assert "secret" not in str(caught.value)
    found = told_nobody(receivers={"critical": wrong})
    assert set(found) == {f"receivers.critical[{i}]" for i in range(len(wrong))}
    assert "mailto:<address> or https://<endpoint>" in found["receivers.critical[3]"]
    assert "write it as mailto:web@example.com" in found["receivers.critical[2]"]


def test_notifications_are_refused_for_what_is_not_there() -> None:
    mail = "mailto:web@example.com"
    assert "choose one of critical, warning" in told_nobody(receivers={"urgent": [mail]})["receivers.urgent"]
    assert "stands twice" in told_nobody(receivers={"critical": [mail, mail]})["receivers.critical[1]"]
    assert "did you mean" in told_nobody(publishers=["cloudwatch.amazonaws.co"])["publishers[0]"]
    assert "letter or digit first" in remedies(lambda: AwsNotifications("told.", NOTIFICATIONS))["name"]


@pytest.mark.parametrize(("key", "watched"), EVERY_ALARM.items(), ids=EVERY_ALARM)
def test_every_alarm_says_why_and_can_come_true(key: str, watched: Alarm) -> None:
    assert alarms.problems({key: watched}) == []
    meaning, remedy = watched["reason"].split(";", 1)
    assert len(meaning.split()) > 8, "what it means, and why this threshold"
    assert len(remedy.split()) > 3, "what to do"
    assert watched["reason"].endswith(".")
    assert math.isfinite(watched["threshold"])
    assert watched["threshold"] >= 0
    if watched["threshold"] == 0:
        assert watched["comparison"] == ">", "else it is always true, or never"
    assert 60 <= watched["period"] * watched["periods"] <= 7 * 86400


@pytest.mark.parametrize(("key", "watched"), EVERY_ALARM.items(), ids=EVERY_ALARM)
def test_every_metric_has_the_dimensions_that_aws_keeps_it_by(key: str, watched: Alarm) -> None:
    for metric in (watched, *watched.get("further", {}).values()):
        assert set(metric["dimensions"]) in DIMENSIONS[metric["namespace"]], metric["metric"]
        assert all(metric["dimensions"].values())


@pytest.mark.parametrize(("key", "watched"), EVERY_ALARM.items(), ids=EVERY_ALARM)
def test_a_percentage_stays_one(key: str, watched: Alarm) -> None:
    name = watched["metric"].lower()
    if any(word in name for word in ("utilization", "percentage")) and watched["statistic"] != "SampleCount":
        assert 50 <= watched["threshold"] < 100


@pytest.mark.parametrize("product", ["database", "database-replica-1", "broker", "cache-001"])
def test_what_falls_silent_is_noticed(product: str) -> None:
    """No value is no breach of any limit, so that something must watch for values."""
    silent = EVERY_ALARM[f"{product}-silent"]
    assert (silent["statistic"], silent["comparison"], silent["threshold"]) == ("SampleCount", "<", 1)
    assert (silent["severity"], silent.get("missing")) == ("critical", "breaching")


def metrics(watched: Alarms) -> set[str]:
    return {each["metric"] for each in watched.values()}


def test_each_way_a_product_fails_is_watched() -> None:
    instance = {
        *("CPUUtilization", "DBLoad", "FreeableMemory", "FreeStorageSpace", "DatabaseConnections", "CPUCreditBalance"),
        *("ReadLatency", "WriteLatency", "DiskQueueDepth"),
    }
    assert metrics(alarms.postgres("x", "db.t4g.micro", 20)) == instance | {
        *("TransactionLogsDiskUsage", "OldestReplicationSlotLag", "MaximumUsedTransactionIDs"),
    }
    assert metrics(alarms.replica("x", 1, "db.t4g.micro", 20)) == instance | {"ReplicaLag"}
    assert metrics(alarms.broker("x", {"orders": 10})) == {
        *("SystemCpuUtilization", "RabbitMQMemUsed", "RabbitMQDiskFree", "ConnectionCount", "ConsumerCount"),
        *("MessageReadyCount", "MessageUnacknowledgedCount"),
    }
    assert metrics(alarms.cache({"001": "x"})) == {
        *("EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "Evictions", "CurrConnections", "NewConnections"),
        *("ReplicationLag", "AuthenticationFailures"),
    }
    assert metrics(alarms.backup("x", copies=True, restores=True)) == {
        *("NumberOfBackupJobsFailed", "NumberOfBackupJobsCompleted"),
        *("NumberOfCopyJobsFailed", "NumberOfRestoreJobsFailed"),
    }
    assert metrics(alarms.cluster("x", insights=False)) < metrics(alarms.cluster("x"))


def threshold(watched: Alarms, key: str) -> float:
    return watched[key]["threshold"]


def test_a_databases_limits_grow_with_it() -> None:
    small, large = alarms.postgres("x", "db.t4g.medium", 20), alarms.postgres("x", "db.r6g.xlarge", 200)
    assert threshold(small, "database-storage-low") == 2 * 2**30
    assert threshold(small, "database-storage-full") == 1 * 2**30
    assert threshold(large, "database-storage-low") == 20 * 2**30
    assert threshold(small, "database-memory") == 4 * 2**30 / 20
    assert threshold(large, "database-memory") == 32 * 2**30 / 20
    assert (threshold(small, "database-load"), threshold(large, "database-load")) == (2, 4)
    assert threshold(small, "database-credits") == 24
    assert "database-credits" not in large


@pytest.mark.parametrize(
    ("instance_class", "limit"),
    [
        ("db.t4g.micro", 85),
        ("db.t4g.small", 190),
        ("db.t4g.medium", 406),
        ("db.m6g.large", 838),
        ("db.r6g.4xlarge", 5000),
    ],
)
def test_connections_are_limited_to_what_rds_makes_of_the_memory(instance_class: str, limit: int) -> None:
    """What instances of these classes have shown, within a few per cent."""
    watched = alarms.postgres("x", instance_class, 20)
    assert threshold(watched, "database-connections-many") == pytest.approx(0.8 * limit, rel=0.03)
    assert threshold(watched, "database-connections-full") < limit


def test_a_given_limit_of_connections_is_the_limit() -> None:
    assert threshold(alarms.postgres("x", "db.m6g.large", 20, 200), "database-connections-many") == 160


@pytest.mark.parametrize("instance_class", ["db.t4g.huge", "db.q1.large", "m6g.large", "db.m6g.metal"])
def test_a_class_whose_memory_is_not_known_is_refused(instance_class: str) -> None:
    with pytest.raises(ValueError, match="its memory is not known; name a class such as"):
        alarms.postgres("x", instance_class, 20)


def test_single_queues_are_watched_where_metrics_tell_of_them() -> None:
    queues = {"orders": 500, "returns": 20}
    assert not [key for key in alarms.broker("shop", queues) if "-queue-" in key]

    watched = alarms.broker("shop", queues, alarms.OF_RABBITMQ_3, virtual_host="shop")
    for queue, backlog in queues.items():
        live = {"Broker": "shop", "VirtualHost": "shop", "Queue": queue}
        dead = {**live, "Queue": f"{queue}.dead"}
        assert watched[f"broker-queue-{queue}-backlog"]["dimensions"] == live
        assert threshold(watched, f"broker-queue-{queue}-backlog") == backlog
        assert watched[f"broker-queue-{queue}-consumers"]["dimensions"] == live
        assert watched[f"broker-queue-{queue}-dead"]["dimensions"] == dead
        assert threshold(watched, f"broker-queue-{queue}-dead") == 0

    scraped = alarms.broker("shop", queues, alarms.scraped("shop"))["broker-queue-orders-dead"]
    assert (scraped["namespace"], scraped["metric"]) == ("shop", "rabbitmq_detailed_queue_messages")
    assert scraped["dimensions"] == {"queue": "orders.dead", "vhost": "/"}


def test_a_broker_without_clients_or_queues_is_not_missed_by_any() -> None:
    assert not {"ConnectionCount", "ConsumerCount", "MessageReadyCount"} & metrics(alarms.broker("x", {}, clients=0))


def test_memory_and_disk_of_a_broker_are_compared_with_their_limits() -> None:
    watched = alarms.broker("shop", {})
    memory = watched["broker-memory"]
    assert memory.get("expression") == "100 * m / whole"
    assert memory.get("further", {})["whole"]["metric"] == "RabbitMQMemLimit"
    # The least free space of any node, with the limit of all of them.
    disk = watched["broker-disk"]
    assert (disk["statistic"], disk["comparison"], disk["threshold"]) == ("Minimum", "<", 200)
    assert disk.get("further", {})["whole"]["statistic"] == "Maximum"


def test_late_copies_are_an_alarm_of_their_own_region() -> None:
    """S3 publishes failures where the bucket is, and delays where its copy is."""
    assert metrics(alarms.store("a", "b")) == {"OperationsFailedReplication"}
    assert metrics(alarms.store_copy("a", "b")) == {"ReplicationLatency"}


def test_two_of_a_product_need_two_keys() -> None:
    first, second = alarms.postgres("a", "db.m6g.large", 20), alarms.postgres("b", "db.m6g.large", 20, key="reports")
    assert len(alarms.together(first, second)) == len(first) + len(second)
    with pytest.raises(ValueError, match="two alarms are called database-connections-full"):
        alarms.together(first, first)


def test_an_alarm_is_what_its_data_say() -> None:
    watched = alarm(datapoints=2, missing="breaching", warm_up_minutes=30)
    assert one(alarmed({"database-cpu": watched}), METRIC_ALARM) == {
        "name": "shop-database-cpu",
        "alarmDescription": ALARM["reason"],
        "namespace": "AWS/RDS",
        "metricName": "CPUUtilization",
        "dimensions": {"DBInstanceIdentifier": "shop"},
        "statistic": "Average",
        "period": 300,
        "evaluationPeriods": 3,
        "datapointsToAlarm": 2,
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 90.0,
        "treatMissingData": "breaching",
        "warmUpConfiguration": {"warmUpPeriodDurationInMinutes": 30},
    }


def test_a_percentile_is_an_extended_statistic() -> None:
    inputs = one(alarmed({"web-latency": alarm(statistic="p99.9")}), METRIC_ALARM)
    assert inputs["extendedStatistic"] == "p99.9"
    assert "statistic" not in inputs


def test_the_result_of_an_expression_is_compared_alone() -> None:
    inputs = one(alarmed({"broker-memory": EVERY_ALARM["broker-memory"]}), METRIC_ALARM)
    assert not {"metricName", "namespace", "period", "statistic", "dimensions"} & set(inputs)
    queries = {each["id"]: each for each in inputs["metricQueries"]}
    assert set(queries) == {"alarm", "m", "whole"}
    assert [each["id"] for each in inputs["metricQueries"] if each["returnData"]] == ["alarm"]
    assert queries["alarm"]["expression"] == "100 * m / whole"
    assert queries["whole"]["metric"] == {
        "namespace": "AWS/AmazonMQ",
        "metricName": "RabbitMQMemLimit",
        "dimensions": {"Broker": "shop"},
        "period": 300,
        "stat": "Maximum",
    }


def test_a_severitys_composite_names_exactly_its_alarms_and_notifies_its_topic() -> None:
    plan = alarmed(EVERY_ALARM)
    assert set(named(plan, COMPOSITE)) == {"shop-critical", "shop-warning"}
    for severity in alarms.SEVERITIES:
        composite = named(plan, COMPOSITE)[f"shop-{severity}"]
        meant = {f"shop-{key}" for key, each in EVERY_ALARM.items() if each["severity"] == severity}
        assert sorted(children(composite)) == sorted(meant)
        assert composite.inputs["alarmActions"] == composite.inputs["okActions"] == [TOPICS[severity]]
        assert composite.inputs["alarmName"] == f"shop-{severity}"


def test_with_composites_no_single_alarm_notifies() -> None:
    for each in alarmed(EVERY_ALARM).of_type(METRIC_ALARM):
        assert not {"alarmActions", "okActions", "insufficientDataActions"} & set(each.inputs)


def test_without_composites_each_alarm_notifies_its_topic() -> None:
    plan = alarmed(EVERY_ALARM, composite=False)
    assert not plan.of_type(COMPOSITE)
    for key, each in EVERY_ALARM.items():
        inputs = one(plan, METRIC_ALARM, f"shop-{key}")
        assert inputs["alarmActions"] == inputs["okActions"] == [TOPICS[each["severity"]]]


def test_a_severity_without_alarms_has_no_composite() -> None:
    assert set(named(alarmed({"database-cpu": ALARM}), COMPOSITE)) == {"shop-warning"}


def test_a_composite_waits_for_its_alarms() -> None:
    plan = alarmed(EVERY_ALARM)
    composite = named(plan, COMPOSITE)["shop-critical"]
    waits = {plan.resource(urn).inputs.get("name") for urn in plan.waits_for(composite.urn)}
    assert set(children(composite)) <= waits


def test_by_part_each_part_notifies_by_itself() -> None:
    plan = alarmed(EVERY_ALARM, by_part=True)
    for name, composite in named(plan, COMPOSITE).items():
        _, severity, part = name.split("-")
        meant = {
            f"shop-{key}"
            for key, each in EVERY_ALARM.items()
            if each["severity"] == severity and key.startswith(f"{part}-")
        }
        assert set(children(composite)) == meant
        assert composite.inputs["alarmActions"] == [TOPICS[severity]]
    assert sorted(leaf for name in named(plan, COMPOSITE) for leaf in children(named(plan, COMPOSITE)[name])) == sorted(
        f"shop-{key}" for key in EVERY_ALARM
    )


def many(parts: int, each: int, padding: str = "") -> Alarms:
    return {f"part{part}-{kind:03}{padding}": ALARM for part in range(parts) for kind in range(each)}


@pytest.mark.parametrize(
    ("watched", "composites"),
    [
        pytest.param(many(1, 100), 1, id="as many as one rule takes"),
        pytest.param(many(3, 40), 4, id="too many in all"),
        pytest.param(many(2, 40, "x" * 150), 3, id="too long in all"),
        pytest.param({**many(2, 60), "single": ALARM}, 3, id="with one that is alone"),
        pytest.param(
            {f"broker-queue-q{queue}-{kind}": ALARM for queue in range(60) for kind in ("backlog", "dead")},
            61,
            id="all of one part",
        ),
    ],
)
def test_rules_stay_within_cloudwatchs_limits(watched: Alarms, composites: int) -> None:
    plan = alarmed(watched)
    made = named(plan, COMPOSITE)
    assert len(made) == composites
    for composite in made.values():
        assert len(children(composite)) <= 100
        assert len(composite.inputs["alarmRule"]) <= 10240
    assert sorted(leaves(plan, "shop-warning")) == sorted(f"shop-{key}" for key in watched)
    assert [name for name, each in made.items() if "alarmActions" in each.inputs] == ["shop-warning"]


def test_the_same_alarms_in_another_order_are_put_together_in_the_same_way() -> None:
    watched = many(3, 40)
    backwards = dict(reversed(watched.items()))
    first, second = alarmed(watched), alarmed(backwards)
    assert {name: each.inputs for name, each in named(first, COMPOSITE).items()} == {
        name: each.inputs for name, each in named(second, COMPOSITE).items()
    }


def test_more_alike_than_one_rule_takes_are_refused() -> None:
    alike = {f"broker-queue-{queue:03}": ALARM for queue in range(101)}
    assert refused(alike) == {
        "alarms.broker-queue-000": "101 warning alarms like it are more than one composite alarm takes, 100; let their "
        "keys begin with more words in common, or make two of these components"
    }


@pytest.mark.parametrize(
    ("change", "path", "remedy"),
    [
        ({"severity": "urgent"}, "severity", "choose one of critical, warning"),
        ({"severity": "warn"}, "severity", "did you mean `warning`?"),
        ({"comparison": "=="}, "comparison", "choose one of >, >=, <, <="),
        ({"missing": "fine"}, "missing", "breaching"),
        ({"statistic": "Mean"}, "statistic", "or a percentile such as p99"),
        ({"statistic": "p101"}, "statistic", "or a percentile such as p99"),
        ({"datapoints": 4}, "datapoints", "give 1 to 3"),
        ({"datapoints": 0}, "datapoints", "give 1 to 3"),
        ({"periods": 0}, "periods", "give 1 or more"),
        ({"period": 45}, "period", "a multiple of 60"),
        ({"period": 0}, "period", "a multiple of 60"),
        ({"period": 300, "periods": 300}, "periods", "a day at most"),
        ({"period": 86400, "periods": 8}, "periods", "seven days"),
        ({"reason": " "}, "reason", "what it means and what to do"),
        ({"reason": "x" * 1025}, "reason", "up to 1024 characters"),
        ({"warm_up_minutes": 2881}, "warm_up_minutes", "0 to 2880 minutes"),
        ({"expression": "1 + 1"}, "expression", "does not use `m`"),
        ({"further": {"whole": ALARM}}, "further", "give the `expression`"),
    ],
)
def test_an_alarm_that_cloudwatch_would_refuse_is_refused(change: dict[str, Any], path: str, remedy: str) -> None:
    if "further" in change:
        metric = {key: ALARM[key] for key in ("namespace", "metric", "dimensions", "statistic")}
        change = {"further": dict.fromkeys(change["further"], metric)}
    found = refused({"database-cpu": alarm(**change)})
    assert set(found) == {f"alarms.database-cpu.{path}"}
    assert remedy in found[f"alarms.database-cpu.{path}"]


def test_further_metrics_are_called_what_an_expression_can_call_them() -> None:
    metric = {key: ALARM[key] for key in ("namespace", "metric", "dimensions")}
    further = {"Whole": {**metric, "statistic": "Sum"}, "alarm": {**metric, "statistic": "Mean"}}
    found = refused({"database-cpu": alarm(expression="m / Whole / alarm", further=further)})
    assert "a small letter" in found["alarms.database-cpu.further.Whole"]
    assert "not m or alarm" in found["alarms.database-cpu.further.alarm"]
    assert "percentile" in found["alarms.database-cpu.further.alarm.statistic"]


@pytest.mark.parametrize("key", ["", "-cpu", "cpu load", 'cpu"', "critical-database", "warning"])
def test_a_key_that_cannot_be_named_in_a_rule_is_refused(key: str) -> None:
    assert "begin with what it is about" in refused({key: ALARM})[f"alarms.{key}"]


def test_alarms_are_refused_for_what_is_not_there() -> None:
    assert refused({}) == {"alarms": "give one alarm or more"}
    assert "use 255 or fewer" in refused({"x" * 255: ALARM})[f"alarms.{'x' * 255}"]
    assert "without composite alarms" in refused({"database-cpu": ALARM}, composite=False, by_part=True)["by_part"]
    assert "use 200 or fewer" in refused({"database-cpu": ALARM}, name="x" * 201)["name"]
    together = refused({"a": alarm(severity="urgent"), "b": alarm(comparison="=", periods=0)})
    assert set(together) == {"alarms.a.severity", "alarms.b.comparison", "alarms.b.periods"}


def board(watched: Alarms, **changes: Any) -> list[dict[str, Any]]:
    arns = {key: f"arn:{key}" for key in watched}
    args = {**DASHBOARD, "alarms": watched, "alarm_arns": arns, **changes}
    plan = planned(lambda opts: CloudWatchDashboard("shop", args, opts))  # pyright: ignore[reportArgumentType]
    assert one(plan, BOARD)["dashboardName"] == "shop"
    return json.loads(one(plan, BOARD)["dashboardBody"])["widgets"]


def covered(widget: dict[str, Any]) -> tuple[range, range]:
    return (
        range(widget["x"], widget["x"] + widget["width"]),
        range(widget["y"], widget["y"] + widget["height"]),
    )


@pytest.mark.parametrize("watched", [EVERY_ALARM, {"database-cpu": ALARM}, many(5, 31)], ids=["all", "one", "many"])
def test_widgets_stand_on_the_grid_and_not_on_each_other(watched: Alarms) -> None:
    widgets = board(watched, log_groups=["/shop/web"])
    assert set().union(*widgets) == {"type", "x", "y", "width", "height", "properties"}
    for widget in widgets:
        assert widget["x"] >= 0
        assert widget["y"] >= 0
        assert 1 <= widget["width"] <= COLUMNS
        assert 1 <= widget["height"] <= 1000
        assert widget["x"] + widget["width"] <= COLUMNS
    for first, second in combinations(widgets, 2):
        apart = [
            max(a.start, b.start) >= min(a.stop, b.stop) for a, b in zip(covered(first), covered(second), strict=True)
        ]
        assert any(apart), (first, second)


def test_the_state_of_all_alarms_stands_at_the_top() -> None:
    first, *others = board(EVERY_ALARM)
    assert (first["type"], first["y"], first["width"]) == ("alarm", 0, COLUMNS)
    assert first["properties"]["alarms"] == [f"arn:{key}" for key in sorted(EVERY_ALARM)]
    assert "alarm" not in {each["type"] for each in others}


def test_a_state_widget_shows_a_hundred_alarms_at_most() -> None:
    widgets = [each for each in board(many(3, 70)) if each["type"] == "alarm"]
    assert [len(each["properties"]["alarms"]) for each in widgets] == [100, 100, 10]


def test_each_part_has_a_title_over_its_graphs() -> None:
    title, found = "", {}
    for widget in board(EVERY_ALARM):
        if widget["type"] == "text":
            title = widget["properties"]["markdown"].removeprefix("## ").lower()
            assert widget["x"] == 0
        elif widget["type"] == "metric":
            for line in widget["properties"]["annotations"]["horizontal"]:
                found[line["label"].partition(": ")[2]] = title
    assert found == {key: key.partition("-")[0] for key in EVERY_ALARM}


def test_each_threshold_is_a_line_over_its_own_metric() -> None:
    graphs = [each["properties"] for each in board(EVERY_ALARM) if each["type"] == "metric"]
    for key, watched in EVERY_ALARM.items():
        label = f"{watched['severity']}: {key}"
        (graph,) = [each for each in graphs if label in [line["label"] for line in each["annotations"]["horizontal"]]]
        (line,) = [each for each in graph["annotations"]["horizontal"] if each["label"] == label]
        assert line["value"] == watched["threshold"]
        assert line["fill"] == ("above" if watched["comparison"] == ">" else "below")
        pairs = [item for pair in sorted(watched["dimensions"].items()) for item in pair]
        drawn = {tuple(each[:-1]): each[-1] for each in graph["metrics"] if len(each) > 1}
        options = drawn[watched["namespace"], watched["metric"], *pairs]
        assert options["stat"] == watched["statistic"]
        assert graph["region"] == "eu-central-1"
        assert graph["period"] == watched["period"]


def test_alarms_about_the_same_values_share_a_graph() -> None:
    graphs = [each["properties"] for each in board(EVERY_ALARM) if each["type"] == "metric"]
    assert "storage full, storage low" in {each["title"] for each in graphs}
    drawn = [(json.dumps(each["metrics"]), each["period"]) for each in graphs]
    assert len(drawn) == len(set(drawn))


def test_values_that_only_the_cloud_knows_share_a_graph_too() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        watched = alarms.postgres(pulumi.Output.from_input("shop"), "db.m6g.large", 20)
        arns = dict.fromkeys(watched, "arn")
        CloudWatchDashboard("shop", {**DASHBOARD, "alarms": watched, "alarm_arns": arns}, opts)

    widgets = json.loads(one(planned(make), BOARD)["dashboardBody"])["widgets"]
    assert "storage full, storage low" in [each["properties"].get("title") for each in widgets]


def test_an_expression_is_drawn_and_what_it_is_made_of_is_not() -> None:
    (graph,) = [
        each["properties"]
        for each in board({"broker-memory": EVERY_ALARM["broker-memory"]})
        if each["type"] == "metric"
    ]
    result, *others = graph["metrics"]
    assert result == [{"expression": "100 * m / whole", "label": "RabbitMQMemUsed", "id": "alarm"}]
    assert {each[-1]["id"]: each[-1]["visible"] for each in others} == {"m": False, "whole": False}


def test_the_same_alarms_in_another_order_make_the_same_dashboard() -> None:
    assert board(EVERY_ALARM) == board(dict(reversed(EVERY_ALARM.items())))


def test_the_newest_errors_of_all_log_groups_stand_at_the_bottom() -> None:
    widgets = board({"database-cpu": ALARM}, log_groups=["/shop/web", "/shop/jobs"])
    log = widgets[-1]
    assert log["type"] == "log"
    assert log["y"] == max(each["y"] for each in widgets)
    assert log["properties"]["query"].startswith("SOURCE '/shop/web' | SOURCE '/shop/jobs' | fields @timestamp, @log")
    assert "log" not in {each["type"] for each in board({"database-cpu": ALARM})}


def test_a_dashboard_is_found_under_its_url() -> None:
    plan = planned(lambda opts: CloudWatchDashboard("shop", DASHBOARD, opts))
    component = next(each for each in plan.resources if each.type == "plinth:index:CloudWatchDashboard")
    assert component.outputs["url"] == (
        "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/shop"
    )


def test_a_dashboard_is_refused_for_what_it_cannot_show() -> None:
    def found(**changes: Any) -> dict[str, str]:
        return remedies(lambda: CloudWatchDashboard("shop", {**DASHBOARD, **changes}))  # pyright: ignore[reportArgumentType]

    assert found(alarms={}) == {"alarms": "give one alarm or more"}
    assert "is missing" in found(alarm_arns={})["alarm_arns.database-cpu"]
    assert "50 or fewer" in found(log_groups=["x"] * 51)["log_groups"]
    different = {f"web-{i:03}": alarm(metric=f"m{i}") for i in range(500)}
    arns = dict.fromkeys(different, "arn")
    assert "500 graphs; make dashboards of 400 or fewer" in found(alarms=different, alarm_arns=arns)["alarms"]
    assert "CloudWatch takes letters" in remedies(lambda: CloudWatchDashboard("shop.", DASHBOARD))["name"]


@pytest.mark.parametrize("answer", [None, known], ids=["unknown", "known"])
@pytest.mark.parametrize("composite", [True, False])
def test_what_is_made_breaks_no_rule(answer: Any, composite: bool) -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        told = AwsNotifications("told", NOTIFICATIONS_FULL, opts)
        topics = {"critical": told.critical_topic_arn, "warning": told.warning_topic_arn}
        watched = {**EVERY_ALARM, **many(2, 60)}
        made = CloudWatchAlarms("shop", {"topics": topics, "alarms": watched, "composite": composite}, opts)  # pyright: ignore[reportArgumentType]
        CloudWatchDashboard("shop", {**DASHBOARD, "alarms": watched, "alarm_arns": made.alarm_arns}, opts)

    plan = planned(make, answer)
    assert [finding for finding in judge(plan) if not finding.rule.startswith("provider-")] == []
    if answer is None:
        assert one(plan, BOARD)["dashboardBody"] == UNKNOWN
