"""Alarms, dashboards and notifications."""

from collections.abc import Iterator
from typing import Any

from .demands import DURABLE, PROD, absent, given, judged, matching, never
from .documents import condition_keys, is_for_everyone, is_unknown, many, principals, statements, title
from .rule import Level, Link, Resource, Rule, Stack

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"

_ALLOWED = "policy.Statement[Effect=Allow]"
_DENIED = "policy.Statement[Effect=Deny]"
_WITHOUT_TLS = ({"Bool": {"aws:SecureTransport": "false"}}, {"Bool": {"aws:SecureTransport": False}})
_PUBLISHING = ("sns:publish", "sns:*", "*")
_SOURCES = {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"}
_OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
_UNCONDITIONAL = ("events.amazonaws.com",)
"""Services for which AWS evaluates no condition in a topic's policy: with one, they cannot publish at all."""


def _notifies(alarm: Resource, stack: Stack, seen: tuple[str, ...] = ()) -> bool:
    """Whether it has actions, or a composite alarm that is made of it notifies."""
    return bool(alarm.inputs.get("alarmActions")) or any(
        _notifies(composite, stack, (*seen, alarm.urn))
        for composite in stack.pointing(alarm, COMPOSITE, "alarmRule")
        if composite.urn not in seen
    )


def _tells_someone(alarm: Resource, stack: Stack) -> Iterator[str]:
    if not _notifies(alarm, stack):
        yield "it has no alarm actions, and no composite alarm that has some names it"


def _refuses_plain_text(topic: Resource, stack: Stack) -> Iterator[str]:
    policies = [each.inputs.get("policy") for each in stack.pointing(topic, TOPIC_POLICY, "arn")]
    if not any(is_unknown(policy) or _denies_plain_text(policy) for policy in policies):
        yield "no statement of its policy denies everyone to publish without TLS"


def _denies_plain_text(policy: Any) -> bool:
    return any(
        is_for_everyone(statement)
        and any(str(each).lower() in _PUBLISHING for each in many(statement.get("Action")))
        and many(statement.get("Resource"))
        and statement.get("Condition") in _WITHOUT_TLS
        for statement in statements(policy, "Deny")
    )


def _lets_some_publish(policy: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(policy.inputs.get("policy"), "Allow"):
        if is_for_everyone(statement):
            yield f"{title(statement)} lets everyone in"
        conditional = [each for each in principals(statement, "Service") if each not in _UNCONDITIONAL]
        if conditional and not condition_keys(statement) & _SOURCES:
            yield f"{title(statement)} lets {', '.join(map(str, conditional))} in on behalf of any account"


def _lets_events_publish(policy: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(policy.inputs.get("policy"), "Allow"):
        conditioned = [each for each in principals(statement, "Service") if each in _UNCONDITIONAL]
        if conditioned and condition_keys(statement):
            yield f"{title(statement)} lets {', '.join(conditioned)} in on a condition"


RULES = (
    Rule(
        "alarm-notifies",
        "An alarm in staging and prod tells someone, by itself or by a composite alarm.",
        (ALARM,),
        demands={
            "actionsEnabled": never("not be false", lambda value: value is False, False),
            "alarmActions": judged(),
        },
        links=(
            Link(
                "a composite alarm that names it",
                COMPOSITE,
                "alarmRule",
                {"alarmActions": judged()},
                judged=True,
            ),
        ),
        check=_tells_someone,
        tiers=DURABLE,
    ),
    Rule(
        "composite-notifies",
        "A composite alarm in staging and prod tells someone, by itself or by another one.",
        (COMPOSITE,),
        demands={
            "actionsEnabled": never("not be false", lambda value: value is False, False),
            "alarmActions": judged(),
        },
        check=_tells_someone,
        tiers=DURABLE,
        looks_around=True,
    ),
    Rule(
        "alarm-says-why",
        "An alarm says what it means and what to do.",
        (ALARM, COMPOSITE),
        demands={"alarmDescription": given()},
    ),
    Rule(
        "topic-encrypted",
        "A topic is encrypted with a key of ours: AWS's own lets no alarm publish.",
        (TOPIC,),
        ("CKV_AWS_26", "AWS-0095", "AWS-0136"),
        demands={"kmsMasterKeyId": matching(r"(?!.*alias/aws/).+", "be a key of ours", "alias/aws/sns")},
    ),
    Rule(
        "topic-tls",
        "A topic refuses what is published without TLS.",
        (TOPIC,),
        links=(
            Link(
                "a topic policy",
                TOPIC_POLICY,
                "arn",
                {
                    "policy": given(),
                    _DENIED: judged(),
                    f"{_DENIED}.Effect": judged("Allow"),
                    f"{_DENIED}.Principal": judged({"AWS": "arn:aws:iam::123456789012:root"}),
                    f"{_DENIED}.Action": judged(["sns:Subscribe"]),
                    f"{_DENIED}.Resource": judged(),
                    f"{_DENIED}.Condition": judged(),
                    f"{_DENIED}.Condition.Bool": judged({"aws:SecureTransport": "true"}),
                },
            ),
        ),
        check=_refuses_plain_text,
    ),
    Rule(
        "topic-policy-apart",
        "A topic has its policy as a resource of its own, where the rules about policies see it.",
        (TOPIC,),
        demands={"policy": absent('{"Statement": []}')},
    ),
    Rule(
        "topic-not-for-everyone",
        "Nobody publishes to a topic but those whom its policy names, and services on behalf of this account.",
        (TOPIC_POLICY,),
        ("CKV_AWS_169",),
        demands={
            "policy": given(),
            f"{_ALLOWED}.Principal": judged("*", {"AWS": "*"}, {"AWS": ["*"]}, needed=False),
            f"{_ALLOWED}.Condition": judged(),
            f'{_ALLOWED}.Condition.StringEquals["aws:SourceAccount"]': judged(),
        },
        check=_lets_some_publish,
    ),
    Rule(
        "topic-takes-events",
        "A topic lets EventBridge publish on no condition: AWS evaluates none for it, and nothing would arrive.",
        (TOPIC_POLICY,),
        demands={"policy.Statement[Sid=PublishEvents].Condition": judged(_OF_ACCOUNT, needed=False)},
        check=_lets_events_publish,
        level=Level.ADVISORY,
    ),
    Rule(
        "topic-has-receiver",
        "Somebody in prod is told what is published to a topic.",
        (TOPIC,),
        links=(Link("a subscription", SUBSCRIPTION, "topic"),),
        tiers=(PROD,),
    ),
    Rule(
        "subscription-tls",
        "What a topic sends goes over TLS.",
        (SUBSCRIPTION,),
        demands={"protocol": never("not be http", lambda value: value == "http", "http")},
    ),
)
