"""Alarms, dashboards and notifications: in the sound stack, and the ways to break them."""

from typing import Any

from preview.plan import UNKNOWN

from ..breaking import Break, changed, with_policy, without
from ..sketch import Sketch, document, of_account

TOPIC_ARN = "arn:aws:sns:eu-central-1:123456789012:told"
ALARMS_PUBLISH = {
    "Sid": "Publish",
    "Effect": "Allow",
    "Principal": {"Service": ["backup.amazonaws.com", "cloudwatch.amazonaws.com"]},
    "Action": "sns:Publish",
    "Resource": TOPIC_ARN,
    "Condition": of_account(),
}
EVENTS_PUBLISH = {
    "Sid": "PublishEvents",
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sns:Publish",
    "Resource": TOPIC_ARN,
}
TLS_ONLY = {
    "Sid": "TlsOnly",
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "sns:Publish",
    "Resource": TOPIC_ARN,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    sketch.add("aws:sns/topic:Topic", "told", {}, {"kmsMasterKeyId": "key"})
    policy = document(ALARMS_PUBLISH, EVENTS_PUBLISH, TLS_ONLY)
    sketch.add("aws:sns/topicPolicy:TopicPolicy", "told-policy", {"policy": policy}, {"arn": "told"})
    sketch.add(
        "aws:sns/topicSubscription:TopicSubscription",
        "told-web",
        {"protocol": "email", "endpoint": "web@example.com"},
        {"topic": "told"},
    )
    alarm = {"alarmDescription": "Queries queue up: find the heaviest.", "namespace": "AWS/RDS", "metricName": "CPU"}
    type_ = "aws:cloudwatch/metricAlarm:MetricAlarm"
    sketch.add(type_, "alarm-alone", alarm, {"alarmActions": "told"})
    sketch.add(type_, "alarm", alarm)
    composite = {"alarmDescription": "Something is wrong with the shop.", "alarmName": "composite"}
    _composite(sketch, "composite", composite, {"alarmRule": "alarm", "alarmActions": "told"})
    sketch.add(type_, "alarm-deep", alarm)
    _composite(sketch, "composite-inner", composite, {"alarmRule": "alarm-deep"})
    _composite(sketch, "composite-outer", composite, {"alarmRule": "composite-inner", "alarmActions": "told"})


def _composite(sketch: Sketch, name: str, inputs: dict[str, Any], to: dict[str, str]) -> None:
    sketch.add("aws:cloudwatch/compositeAlarm:CompositeAlarm", name, inputs, to)


def told(*statements: dict[str, Any]) -> Break:
    """Break a stack by giving its topic a policy of these statements alone."""
    return with_policy("told-policy", *statements)


def denied(**statement: Any) -> Break:
    """Break a stack by the statement that denies what comes without TLS."""
    return told(ALARMS_PUBLISH, {**TLS_ONLY, **statement})


BREAKS: dict[str, list[Break]] = {
    "alarm-notifies": [
        changed("alarm-alone", alarmActions=None),
        changed("alarm-alone", alarmActions=[]),
        changed("alarm-alone", actionsEnabled=False),
        without("composite"),
        changed("composite", alarmActions=None),
        changed("composite", alarmRule='ALARM("another")'),
        without("composite-inner"),
        changed("composite-outer", alarmActions=[]),
    ],
    "composite-notifies": [
        changed("composite", alarmActions=None),
        changed("composite", actionsEnabled=False),
        without("composite-outer"),
    ],
    "alarm-says-why": [
        changed("alarm", alarmDescription=None),
        changed("composite", alarmDescription=""),
    ],
    "topic-encrypted": [
        changed("told", kmsMasterKeyId=None),
        changed("told", kmsMasterKeyId="alias/aws/sns"),
        changed("told", kmsMasterKeyId="arn:aws:kms:eu-central-1:123456789012:alias/aws/sns"),
    ],
    "topic-tls": [
        without("told-policy"),
        told(ALARMS_PUBLISH),
        denied(Effect="Allow"),
        denied(Principal={"AWS": "arn:aws:iam::123456789012:root"}),
        denied(Action="sns:Subscribe"),
        denied(Condition={"Bool": {"aws:SecureTransport": "true"}}),
    ],
    "topic-policy-apart": [changed("told", policy=document(ALARMS_PUBLISH))],
    "topic-not-for-everyone": [
        changed("told-policy", policy=None),
        told({**ALARMS_PUBLISH, "Principal": "*"}, TLS_ONLY),
        told({**ALARMS_PUBLISH, "Principal": {"AWS": "*"}}, TLS_ONLY),
        told({key: value for key, value in ALARMS_PUBLISH.items() if key != "Condition"}, TLS_ONLY),
        told({**ALARMS_PUBLISH, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "web"}}}, TLS_ONLY),
    ],
    "topic-takes-events": [
        told({**EVENTS_PUBLISH, "Condition": of_account()}, TLS_ONLY),
        told({**ALARMS_PUBLISH, "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}}),
    ],
    "topic-has-receiver": [without("told-web"), changed("told-web", topic=UNKNOWN)],
    "subscription-tls": [changed("told-web", protocol="http")],
}
"""The ways to break the sound stack, by the rule that must notice."""
