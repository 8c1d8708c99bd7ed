"""Brokers on Amazon MQ."""

from collections.abc import Iterator

from .demands import DURABLE, Demand, equal, false, given, judged, matching, true
from .paths import SECRET, UNKNOWN, read
from .rule import Level, Link, Resource, Rule, Stack

BROKER = "aws:mq/broker:Broker"
CONFIGURATION = "aws:mq/configuration:Configuration"
SCHEDULE = "aws:scheduler/schedule:Schedule"

_LOGS = ("general", "connection", "channel")
"""The log groups of RabbitMQ that fill up."""


def _is_rabbit(broker: Resource, stack: Stack) -> bool:
    return str(broker.inputs.get("engineType")).lower() == "rabbitmq"


def _one_user() -> Demand:
    users = [{"username": name, "password": "something"} for name in ("one", "two")]
    return Demand(
        "name one user",
        lambda value, _: value in (UNKNOWN, SECRET) or (isinstance(value, list) and len(value) == 1),
        lambda _: [[], users],
    )


def _keeps_its_logs(broker: Resource, stack: Stack) -> Iterator[str]:
    groups = [
        read(schedule.inputs, "target.input.LogGroupName")
        for schedule in stack.pointing(broker, SCHEDULE, "target")
        if "putRetentionPolicy" in str(read(schedule.inputs, "target.arn"))
    ]
    for log in _LOGS:
        if UNKNOWN not in groups and not any(str(group).endswith(f"/{log}") for group in groups):
            yield f"no schedule limits its {log} log"


RULES = (
    Rule(
        "mq-private",
        "A broker has no public address.",
        (BROKER,),
        ("CKV_AWS_69", "AWS-0072"),
        demands={"publiclyAccessible": false()},
    ),
    Rule(
        "mq-guarded",
        "A broker stands behind security groups of its own, in the subnets that it is given: else it is in the "
        "account's default VPC, and behind its default group, for good.",
        (BROKER,),
        demands={"securityGroups": given(), "subnetIds": given()},
    ),
    Rule(
        "mq-encrypted",
        "A broker's messages are encrypted with a key of ours.",
        (BROKER,),
        ("CKV_AWS_209",),
        demands={"encryptionOptions.kmsKeyId": given(), "encryptionOptions.useAwsOwnedKey": false()},
    ),
    Rule(
        "mq-logs",
        "A broker sends its logs to CloudWatch.",
        (BROKER,),
        ("CKV_AWS_48", "AWS-0071"),
        demands={"logs.general": true()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "mq-log-retention",
        "A schedule limits how long a broker's logs are kept: Amazon MQ makes the log groups by itself, and they stay "
        "for ever.",
        (BROKER,),
        links=(
            Link(
                "a schedule for each log",
                SCHEDULE,
                "target",
                {"target": judged(), "target.arn": judged("arn:aws:scheduler:::aws-sdk:sqs:sendMessage")},
                judged=True,
            ),
        ),
        check=_keeps_its_logs,
        when=_is_rabbit,
    ),
    Rule(
        "mq-clustered",
        "A broker in staging and prod stands in more zones than one.",
        (BROKER,),
        demands={"deploymentMode": equal("CLUSTER_MULTI_AZ", "ACTIVE_STANDBY_MULTI_AZ", breaks=["SINGLE_INSTANCE"])},
        tiers=DURABLE,
    ),
    Rule(
        "mq-version",
        "A broker of RabbitMQ, and its configuration, are of a supported version and leave the patches to AWS.",
        (BROKER, CONFIGURATION),
        ("CKV_AWS_208",),
        demands={"engineVersion": matching(r"4\.2|3\.13", "be 4.2 or 3.13", "3.8.6", "4.2.1")},
        when=_is_rabbit,
    ),
    Rule(
        "mq-minor-upgrades",
        "A broker takes minor versions by itself.",
        (BROKER,),
        ("CKV_AWS_207",),
        demands={"autoMinorVersionUpgrade": true()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "mq-one-user",
        "A broker of RabbitMQ starts with one user, its administrator; all others are declared in the broker itself, "
        "since Amazon MQ can neither add nor change them.",
        (BROKER,),
        demands={"users": _one_user()},
        when=_is_rabbit,
    ),
)
