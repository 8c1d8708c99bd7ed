"""Brokers: in the sound stack, and the ways to break them."""

import json
from typing import Any

from preview.plan import UNKNOWN

from ..breaking import Break, changed, without
from ..sketch import Sketch

USER = {"username": "administrator", "password": "[secret]"}


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    version = {"engineType": "RabbitMQ", "engineVersion": "4.2"}
    sketch.add("aws:mq/configuration:Configuration", "broker-settings", version)
    sketch.add(
        "aws:mq/broker:Broker",
        "broker",
        {
            **version,
            "hostInstanceType": "mq.m7g.medium",
            "deploymentMode": "CLUSTER_MULTI_AZ",
            "publiclyAccessible": False,
            "autoMinorVersionUpgrade": True,
            "encryptionOptions": {"useAwsOwnedKey": False, "kmsKeyId": UNKNOWN},
            "logs": {"general": True},
            "users": [USER],
        },
        {
            "configuration": "broker-settings",
            "encryptionOptions": "key",
            "securityGroups": "group",
            "subnetIds": "subnet-a subnet-b",
        },
        protect=sketch.tier != "dev",
    )
    for log in ("general", "connection", "channel"):
        sketch.add(
            "aws:scheduler/schedule:Schedule",
            f"broker-{log}",
            {"scheduleExpression": "rate(1 day)", "target": target(log)},
            {"target": "broker role"},
        )


def target(log: str, action: str = "cloudwatchlogs:putRetentionPolicy") -> dict[str, Any]:
    """What a schedule does with a log group."""
    kept = {"LogGroupName": f"/aws/amazonmq/broker/b-1/{log}", "RetentionInDays": 365}
    return {"arn": f"arn:aws:scheduler:::aws-sdk:{action}", "roleArn": UNKNOWN, "input": json.dumps(kept)}


def aimed(log: str, at: dict[str, Any]) -> Break:
    """Break a stack by what the schedule for a log does."""

    def aim(sketch: Sketch) -> None:
        sketch.drop(f"broker-{log}")
        sketch.add("aws:scheduler/schedule:Schedule", f"broker-{log}", {"target": at}, {"target": "broker"})

    return aim


BREAKS: dict[str, list[Break]] = {
    "broker-size": [changed("broker", hostInstanceType="mq.m5.4xlarge")],
    "mq-private": [changed("broker", publiclyAccessible=True), changed("broker", publiclyAccessible=None)],
    "mq-guarded": [
        changed("broker", securityGroups=[]),
        changed("broker", securityGroups=None),
        changed("broker", subnetIds=None),
    ],
    "mq-encrypted": [
        changed("broker", encryptionOptions=None),
        changed("broker", encryptionOptions={"useAwsOwnedKey": True}),
        changed("broker", encryptionOptions={"useAwsOwnedKey": False}),
    ],
    "mq-logs": [
        changed("broker", logs=None),
        changed("broker", logs={"general": False}),
    ],
    "mq-log-retention": [
        without("broker-general"),
        without("broker-channel"),
        aimed("connection", target("queue")),
        aimed("connection", target("connection", "cloudwatchlogs:deleteRetentionPolicy")),
        changed("broker-general", target=target("general")),
    ],
    "mq-clustered": [
        changed("broker", deploymentMode="SINGLE_INSTANCE"),
        changed("broker", deploymentMode=None),
    ],
    "mq-version": [
        changed("broker", engineVersion="3.8.6"),
        changed("broker", engineVersion="4.2.1"),
        changed("broker-settings", engineVersion=None),
    ],
    "mq-minor-upgrades": [
        changed("broker", autoMinorVersionUpgrade=False),
        changed("broker", autoMinorVersionUpgrade=None),
    ],
    "mq-one-user": [
        changed("broker", users=None),
        changed("broker", users=[]),
        changed("broker", users=[USER, {**USER, "username": "app"}]),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
