"""Notifications and alarms on Amazon CloudWatch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name, known_after
from ..problems import MISSING, InputError, Problem, one_of
from ..security.policy import AwsScope, allow, document
from .alarms import COMPARISONS, OWN_METRIC, RESULT, STATISTICS, Alarm, Alarms, Metric, problems
from .receivers import SEVERITIES, digest, receiver_problems

EVENTS = "events.amazonaws.com"
PUBLISHERS = ("backup.amazonaws.com", "cloudwatch.amazonaws.com", EVENTS)
"""Who may publish unless others are named: AWS Backup, CloudWatch's alarms and EventBridge's rules. The key of the
topics must let them use it too."""
KNOWN_PUBLISHERS = (*PUBLISHERS, "budgets.amazonaws.com")
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_NAME_REMEDY = "AWS takes letters, digits, hyphens and underscores, letter or digit first"

_MOST_CHILDREN = 100
_LONGEST_RULE = 10240
_LONGEST_NAME = 255


class AwsNotificationsArgs(TypedDict):
    """Who is told what goes wrong."""

    scope: AwsScope
    """Account and region of the topics. Alarms notify topics of their own region alone."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the topics (CKV_AWS_26), and that the publishers may use: AWS's own key for SNS
    lets none of them."""
    receivers: NotRequired[dict[str, list[str]]]
    """Who is told, by severity, `critical` or `warning`: addresses such as `mailto:web@example.com`, who must confirm
    what they are sent first, and endpoints such as `https://events.example.com/key`, which are kept secret, since who
    knows one may post to it. Default: nobody."""
    publishers: NotRequired[list[str]]
    """Service principals that may publish on behalf of this account. Default: those of CloudWatch, EventBridge and AWS
    Backup."""


class AwsNotifications(Component):
    """Where alarms go: an encrypted topic for each severity (CKV_AWS_26), to which named AWS services publish on behalf
    of this account (CKV_AWS_169), over TLS only, and subscriptions of those who are told. Nothing is sent in raw form:
    a message says which topic and which alarm it comes from.

    Raises `InputError` for bad args, unknown severities and publishers, receivers that can have no message, and a name
    that no topic can have.
    """

    topic_arns: pulumi.Output[dict[str, str]]
    """ARNs of the topics, by severity. Known once services may publish to them."""
    critical_topic_arn: pulumi.Output[str]
    """ARN of the topic for what somebody is called for. Known once services may publish to it."""
    warning_topic_arn: pulumi.Output[str]
    """ARN of the topic for what somebody looks at later. Known once services may publish to it."""

    def __init__(self, name: str, args: AwsNotificationsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsNotifications {name}"
        args = checked(AwsNotificationsArgs, args, subject)
        checked_name(name, subject, 240, _NAME, _NAME_REMEDY)
        _refuse(subject, [*receiver_problems(args.get("receivers", {})), *_publisher_problems(args)])
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        topics = {severity: self._topic(severity) for severity in SEVERITIES}
        self.topic_arns = _by_key(topics)
        self.critical_topic_arn, self.warning_topic_arn = (topics[severity] for severity in SEVERITIES)
        self._register()

    def _topic(self, severity: str) -> pulumi.Output[str]:
        name = f"{self._prefix}-{severity}"
        topic = aws.sns.Topic(
            name,
            kms_master_key_id=self._args["key_arn"],
            signature_version=2,  # SHA-256; the default is SHA-1
            opts=self._child(),
        )
        policy = aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=document(*_topic_statements(self._args, topic.arn)),
            opts=self._child(),
        )
        for receiver in self._args.get("receivers", {}).get(severity, []):
            self._subscribe(name, topic, receiver)
        return known_after(topic.arn, policy.id)

    def _subscribe(self, name: str, topic: aws.sns.Topic, receiver: str) -> None:
        scheme, _, address = receiver.partition(":")
        is_mail = scheme == "mailto"
        aws.sns.TopicSubscription(
            f"{name}-{'mail' if is_mail else scheme}-{digest(receiver)}",
            topic=topic.arn,
            protocol="email" if is_mail else scheme,
            endpoint=address if is_mail else pulumi.Output.secret(receiver),
            raw_message_delivery=False,
            opts=self._child(),
        )


class Topics(TypedDict):
    """Where alarms go."""

    critical: pulumi.Input[str]
    """ARN of the topic for critical alarms, in the alarms' region."""
    warning: pulumi.Input[str]
    """ARN of the topic for warnings, in the alarms' region."""


class CloudWatchAlarmsArgs(TypedDict):
    """What an environment is watched for, and who is told."""

    topics: Topics
    """Where alarms go, by severity."""
    alarms: dict[str, Alarm]
    """The alarms, by a stable key whose first word is the part of the environment that it is about."""
    composite: NotRequired[bool]
    """Whether the alarms of a severity notify together, so that a failure which trips ten of them is told once. Else
    each notifies. Default: yes."""
    by_part: NotRequired[bool]
    """Whether the alarms of each part notify together, and not all of a severity: a failure of the database is then
    told while one of the broker lasts. Default: no."""


class _Composite(NamedTuple):
    """A composite alarm to be made, after its children."""

    name: str
    about: str
    """What its alarms are about."""
    severity: str
    children: list[str]
    """Names of the alarms and composite alarms in its rule."""
    notifies: bool


class CloudWatchAlarms(Component):
    """Alarms out of data, each of which says why it is one. They notify by composite alarms: one for each severity,
    which is in alarm while any of its alarms is. Where these are more than a rule of CloudWatch's takes, there are
    composite alarms for the parts of the environment between, which do not notify.

    Raises `InputError` for bad args, for alarms that CloudWatch would refuse, and for names that are too long.
    """

    alarm_arns: pulumi.Output[dict[str, str]]
    """ARNs of the alarms, by key."""
    composite_arns: pulumi.Output[dict[str, str]]
    """ARNs of the composite alarms that notify, by severity, or by severity and part such as `critical-database`. Empty
    where each alarm notifies."""

    def __init__(self, name: str, args: CloudWatchAlarmsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudWatchAlarms {name}"
        args = checked(CloudWatchAlarmsArgs, args, subject)
        checked_name(name, subject, 200, _NAME, _NAME_REMEDY)
        alarms, composite, by_part = args["alarms"], args.get("composite", True), args.get("by_part", False)
        _refuse(subject, [*problems(alarms), *_name_problems(name, alarms)])
        if by_part and not composite:
            _refuse(
                subject, [Problem("by_part", True, "leave it out: without composite alarms nothing is put together")]
            )
        composites = _composites(name, alarms, by_part) if composite else []
        _refuse(subject, [problem for each in composites for problem in _composite_problems(name, each)])
        super().__init__(name, opts)
        self._prefix = name
        self._topics = args["topics"]
        self._made: dict[str, aws.cloudwatch.MetricAlarm | aws.cloudwatch.CompositeAlarm] = {
            f"{name}-{key}": self._alarm(key, alarm, notifies=not composite) for key, alarm in sorted(alarms.items())
        }
        self.alarm_arns = _by_key({key: self._made[f"{name}-{key}"].arn for key in sorted(alarms)})
        for each in composites:
            self._made[each.name] = self._composite(each)
        self.composite_arns = _by_key(
            {each.name.removeprefix(f"{name}-"): self._made[each.name].arn for each in composites if each.notifies}
        )
        self._register()

    def _alarm(self, key: str, alarm: Alarm, notifies: bool) -> aws.cloudwatch.MetricAlarm:
        name = f"{self._prefix}-{key}"
        actions = [self._topic(alarm["severity"])] if notifies else None
        warm_up = alarm.get("warm_up_minutes", 0)
        return aws.cloudwatch.MetricAlarm(
            name,
            name=name,  # the rules of composite alarms name it
            alarm_description=alarm["reason"],
            comparison_operator=COMPARISONS[alarm["comparison"]],
            threshold=alarm["threshold"],
            evaluation_periods=alarm["periods"],
            datapoints_to_alarm=alarm.get("datapoints", alarm["periods"]),
            treat_missing_data=alarm.get("missing", "missing"),
            warm_up_configuration={"warm_up_period_duration_in_minutes": warm_up} if warm_up else None,
            alarm_actions=actions,
            ok_actions=actions,
            opts=self._child(),
            **_compared(alarm),
        )

    def _composite(self, composite: _Composite) -> aws.cloudwatch.CompositeAlarm:
        actions = [self._topic(composite.severity)] if composite.notifies else None
        names = [
            child.alarm_name if isinstance(child, aws.cloudwatch.CompositeAlarm) else child.name
            for child in map(self._made.__getitem__, composite.children)
        ]
        return aws.cloudwatch.CompositeAlarm(
            composite.name,
            alarm_name=composite.name,
            alarm_description=f"Something {composite.severity} is wrong with {composite.about}: one alarm of its rule "
            "or more. Each of them says what it means and what to do.",
            alarm_rule=pulumi.Output.all(*names).apply(_rule),
            alarm_actions=actions,
            ok_actions=actions,
            opts=self._child(),
        )

    def _topic(self, severity: str) -> pulumi.Input[str]:
        topics: Mapping[str, Any] = self._topics
        return topics[severity]


def _composites(name: str, alarms: Alarms, by_part: bool) -> list[_Composite]:
    """The composite alarms, children first."""
    result = []
    for severity in SEVERITIES:
        keys = sorted(key for key, alarm in alarms.items() if alarm["severity"] == severity)
        if by_part:
            for part, members in _grouped(keys, 1).items():
                result += _tree(name, severity, part, members, notifies=True)
        elif keys:
            result += _tree(name, severity, "", keys, notifies=True)
    return result


def _tree(name: str, severity: str, group: str, keys: list[str], notifies: bool = False) -> list[_Composite]:
    """A composite alarm of the keys, after those for the groups that they fall into where one rule cannot hold them.
    A group's keys begin with the same words."""
    below: list[_Composite] = []
    children = [f"{name}-{key}" for key in keys]
    if not _fits(children):
        children = []
        for label, members in _parted(keys, group).items():
            if len(members) == 1:
                children.append(f"{name}-{members[0]}")
            else:
                below += _tree(name, severity, label, members)
                children.append(below[-1].name)
    about = f"{group} of {name}" if group else name
    own = "-".join(filter(None, (name, severity, group)))
    return [*below, _Composite(own, about, severity, children, notifies)]


def _parted(keys: Sequence[str], group: str) -> dict[str, list[str]]:
    """The keys of a group by as many more of their first words as tell some of them apart."""
    words = group.count("-") + 1 if group else 0
    while True:
        words += 1
        groups = _grouped(keys, words)
        if len(groups) > 1:
            return groups


def _grouped(keys: Sequence[str], words: int) -> dict[str, list[str]]:
    """The keys by their first words."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault("-".join(key.split("-")[:words]), []).append(key)
    return groups


def _rule(names: Sequence[str]) -> str:
    return " OR ".join(f'ALARM("{name}")' for name in names)


def _fits(names: Sequence[str]) -> bool:
    return len(names) <= _MOST_CHILDREN and len(_rule(names)) <= _LONGEST_RULE


def _by_key(values: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[dict[str, str]]:
    """All values as one Output. Of none, `Output.all` makes a list."""
    return pulumi.Output.all(**values).apply(dict)


def _compared(alarm: Alarm) -> dict[str, Any]:
    """The properties that say what is compared: a metric, or the result of an expression."""
    if "expression" not in alarm:
        statistic = alarm["statistic"]
        kind = "statistic" if statistic in STATISTICS else "extended_statistic"
        return {
            "namespace": alarm["namespace"],
            "metric_name": alarm["metric"],
            "dimensions": alarm["dimensions"],
            "period": alarm["period"],
            kind: statistic,
        }
    own: Metric = {
        "namespace": alarm["namespace"],
        "metric": alarm["metric"],
        "dimensions": alarm["dimensions"],
        "statistic": alarm["statistic"],
    }
    queries = {OWN_METRIC: own, **alarm.get("further", {})}
    return {
        "metric_queries": [
            {"id": RESULT, "expression": alarm["expression"], "label": alarm["expression"], "return_data": True},
            *(_query(id_, metric, alarm["period"]) for id_, metric in sorted(queries.items())),
        ]
    }


def _query(id_: str, metric: Metric, period: int) -> dict[str, Any]:
    return {
        "id": id_,
        "metric": {
            "namespace": metric["namespace"],
            "metric_name": metric["metric"],
            "dimensions": metric["dimensions"],
            "period": period,
            "stat": metric["statistic"],
        },
        "return_data": False,
    }


def _topic_statements(args: AwsNotificationsArgs, topic: pulumi.Output[str]) -> Iterator[dict[str, Any]]:
    publishers = sorted(args.get("publishers", PUBLISHERS))
    if named := [each for each in publishers if each != EVENTS]:
        account = {"StringEquals": {"aws:SourceAccount": args["scope"]["account"]}}
        yield allow("Publish", ["sns:Publish"], [topic], {"Service": named}, account)
    if EVENTS in publishers:
        # AWS documents that it evaluates no condition for EventBridge here: with one, no event would ever arrive.
        yield allow("PublishEvents", ["sns:Publish"], [topic], {"Service": EVENTS})
    yield {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["sns:Publish"],
        "Resource": [topic],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _publisher_problems(args: AwsNotificationsArgs) -> Iterator[Problem]:
    for i, publisher in enumerate(args.get("publishers", [])):
        if publisher not in KNOWN_PUBLISHERS:
            yield Problem(f"publishers[{i}]", publisher, one_of(KNOWN_PUBLISHERS, publisher))


def _name_problems(name: str, alarms: Alarms) -> Iterator[Problem]:
    for key in alarms:
        length = len(f"{name}-{key}")
        if length > _LONGEST_NAME:
            remedy = f"{length} characters with the component's name; use {_LONGEST_NAME} or fewer"
            yield Problem(f"alarms.{key}", key, remedy)


def _composite_problems(name: str, composite: _Composite) -> Iterator[Problem]:
    if not _fits(composite.children):
        first = composite.children[0].removeprefix(f"{name}-")
        remedy = (
            f"{len(composite.children)} {composite.severity} alarms like it are more than one composite alarm takes, "
            f"{_MOST_CHILDREN}; let their keys begin with more words in common, or make two of these components"
        )
        yield Problem(f"alarms.{first}", MISSING, remedy)
    if len(composite.name) > _LONGEST_NAME:
        yield Problem("name", composite.name, f"{len(composite.name)} characters; use {_LONGEST_NAME} or fewer")


def _refuse(subject: str, found: Sequence[Problem]) -> None:
    if found:
        raise InputError(subject, found)
