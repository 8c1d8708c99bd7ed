"""Notifications, alert policies, objectives and uptime checks on Cloud Monitoring, and buckets of logs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from ..component import Component, between, checked, checked_name, known_after
from ..problems import InputError, Problem, one_of
from ..security.google import GcpScope, scope_problem, service_account, service_agent
from .conditions import (
    BURN_RATES,
    COMPARISONS,
    MISSING_DATA,
    GcpCondition,
    GcpObjective,
    endpoint,
    objective_problems,
    part_of,
    problems,
    selection,
)
from .receivers import SEVERITIES, digest, receiver_problems

_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_NAME_REMEDY = "use letters, digits, hyphens and underscores, letter or digit first"
_LONGEST_NAME = 200
_LONGEST_KEY = 253
"""A host name's. With the name before it and a condition behind, Google's 512 for a title still hold."""
_MARKDOWN = "text/markdown"
_CLOSES_AFTER_HOURS = 24
_HOST = r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
_PERIODS = (60, 300, 600, 900)
_REGIONS = {
    "EUROPE": 1, "ASIA_PACIFIC": 1, "SOUTH_AMERICA": 1, "USA": 3, "USA_OREGON": 1, "USA_IOWA": 1, "USA_VIRGINIA": 1,
}  # fmt: skip
"""Where uptime checks come from, and how many places that is."""
_LEAST_PLACES = 3
_HIGHEST = 1e300
"""What no value exceeds. Google's provider sends a limit that is left out as 0, and Google refuses a range that ends
before it begins."""
_LONGEST_RETENTION = 3650


class GcpNotificationChannelsArgs(TypedDict):
    """Who is told what goes wrong."""

    scope: GcpScope
    """Project of the channels, and region in which the topics keep their messages."""
    key_name: pulumi.Input[str]
    """Key that encrypts the topics (CKV_GCP_83), in the same region. Pub/Sub's service agent may use it."""
    receivers: NotRequired[dict[str, list[str]]]
    """Who is told, by severity, `critical` or `warning`: addresses such as `mailto:web@example.com`, and endpoints such
    as `https://events.example.com/key`, which are kept secret, since who knows one may post to it. Default: nobody but
    who subscribes to the topics."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google refuse to delete the topics, which other tools may depend on. Default: yes."""


class GcpNotificationChannels(Component):
    """Where alerts go: for each severity a channel for each of those who are told, and an encrypted topic (CKV_GCP_83)
    to which other tools may subscribe and to which Cloud Monitoring alone publishes. A channel that an alert policy
    still uses is not deleted.

    Raises `InputError` for bad args, unknown severities, receivers that can have no message, and a name that no topic
    can have.
    """

    critical: pulumi.Output[list[str]]
    """Channels for what somebody is called for. Known once Cloud Monitoring may publish to the topic."""
    warning: pulumi.Output[list[str]]
    """Channels for what somebody looks at later. Known once Cloud Monitoring may publish to the topic."""
    topics: pulumi.Output[dict[str, str]]
    """Ids of the topics, by severity."""
    mail: pulumi.Output[list[str]]
    """Channels for e-mail, of either severity, one for each address. Budgets take no others."""

    def __init__(self, name: str, args: GcpNotificationChannelsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpNotificationChannels {name}"
        args = checked(GcpNotificationChannelsArgs, args, subject, {"scope": scope_problem})
        checked_name(
            name, subject, _LONGEST_NAME, r"(?!goog)[A-Za-z][A-Za-z0-9_-]*", "begin with a letter, not with goog"
        )
        _refuse(subject, [*receiver_problems(args.get("receivers", {}))])
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._mailed: dict[str, pulumi.Output[str]] = {}
        topics = {severity: self._topic(severity) for severity in SEVERITIES}
        self.topics = _by_key({severity: topic.id for severity, topic in topics.items()})
        self.critical, self.warning = (self._channels(severity, topics[severity]) for severity in SEVERITIES)
        self.mail = pulumi.Output.all(*self._mailed.values()).apply(list)
        self._register()

    def _topic(self, severity: str) -> gcp.pubsub.Topic:
        scope, protected = self._args["scope"], self._args.get("protect", True)
        return gcp.pubsub.Topic(
            f"{self._prefix}-{severity}",
            project=scope["project"],
            kms_key_name=self._args["key_name"],
            message_storage_policy={"allowed_persistence_regions": [scope["region"]]},
            deletion_policy="PREVENT" if protected else "DELETE",
            opts=self._child(protect=protected),
        )

    def _channels(self, severity: str, topic: gcp.pubsub.Topic) -> pulumi.Output[list[str]]:
        name, scope = f"{self._prefix}-{severity}", self._args["scope"]
        publisher = gcp.pubsub.TopicIAMMember(
            name,
            project=scope["project"],
            topic=topic.id,
            role="roles/pubsub.publisher",
            member=service_account(service_agent(scope, "gcp-sa-monitoring-notification")),
            opts=self._child(),
        )
        published = self._channel(severity, f"{name}-topic", "pubsub", {"topic": topic.id})
        allowed = known_after(published.id, publisher.id)
        told = [self._told(severity, each) for each in self._args.get("receivers", {}).get(severity, [])]
        return pulumi.Output.all(allowed, *(channel.id for channel in told)).apply(list)

    def _told(self, severity: str, receiver: str) -> gcp.monitoring.NotificationChannel:
        scheme, _, address = receiver.partition(":")
        name = f"{self._prefix}-{severity}-{'mail' if scheme == 'mailto' else scheme}-{digest(receiver)}"
        if scheme == "mailto":
            channel = self._channel(severity, name, "email", {"email_address": address})
            self._mailed.setdefault(address, channel.id)
            return channel
        # Google takes the key of an endpoint as a part of its URL, for which there is no sensitive label.
        return self._channel(severity, name, "webhook_tokenauth", {"url": pulumi.Output.secret(receiver)})

    def _channel(
        self, severity: str, name: str, type_: str, labels: dict[str, pulumi.Input[str]]
    ) -> gcp.monitoring.NotificationChannel:
        return gcp.monitoring.NotificationChannel(
            name,
            project=self._args["scope"]["project"],
            type=type_,
            display_name=name,
            labels=labels,
            enabled=True,
            force_delete=False,
            user_labels={"severity": severity},
            opts=self._child(),
        )


class Channels(TypedDict):
    """Where alerts go."""

    critical: pulumi.Input[list[str]]
    """Channels for critical alerts: `critical` of `GcpNotificationChannels`."""
    warning: pulumi.Input[list[str]]
    """Channels for warnings: `warning` of `GcpNotificationChannels`."""


class CloudMonitoringAlertsArgs(TypedDict):
    """What an environment is watched for, and who is told."""

    scope: GcpScope
    """Project whose metrics and logs are watched."""
    channels: Channels
    """Where alerts go, by severity."""
    conditions: dict[str, GcpCondition]
    """The conditions, by a stable key whose first word is the part of the environment that it is about."""
    close_after_hours: NotRequired[int]
    """Hours after which an incident without new values ends by itself, 1 to 168. Default: 24."""


class CloudMonitoringAlerts(Component):
    """An alert policy for each condition, which says why it is one, whom it tells and how bad it is. Google tells of a
    log entry at most once in the time that the condition names, and of an end only where there are values.

    Raises `InputError` for bad args, and for conditions that Cloud Monitoring would refuse.
    """

    policy_ids: pulumi.Output[dict[str, str]]
    """Ids of the alert policies, `projects/<project>/alertPolicies/<id>`, by the key of their condition."""

    def __init__(self, name: str, args: CloudMonitoringAlertsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudMonitoringAlerts {name}"
        rules = {"scope": scope_problem, "close_after_hours": between(1, 168, "hours")}
        args = checked(CloudMonitoringAlertsArgs, args, subject, rules)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        _refuse(subject, problems(args["conditions"]))
        super().__init__(name, opts)
        policies = _Policies(self, name, args["scope"], args["channels"], args.get("close_after_hours"))
        self.policy_ids = policies.of(args["conditions"])
        self._register()


class SloService(TypedDict):
    """What promises something."""

    id: str
    """Id of the service, of small letters, digits and hyphens."""
    display: str
    """What people call it."""


class CloudMonitoringSlosArgs(TypedDict):
    """What is promised, and who is told when it is about to be broken."""

    scope: GcpScope
    """Project whose metrics tell of it."""
    service: SloService
    """What promises it."""
    objectives: dict[str, GcpObjective]
    """The promises, by a stable key."""
    channels: Channels
    """Where alerts go, by severity."""


class CloudMonitoringSlos(Component):
    """A service with its objectives, and for each of them alert policies for failures that come faster than allowed:
    14.4 times over an hour and 6 times over six hours call somebody, 3 times over a day is a warning. Each also looks
    at a twelfth of its time, so that it ends soon after the failures do. An objective so low that failures cannot come
    as fast has none of that speed.

    Raises `InputError` for bad args, and for objectives that Cloud Monitoring would refuse or no alert could tell of.
    """

    service_id: pulumi.Output[str]
    """Id of the service."""
    slo_names: pulumi.Output[dict[str, str]]
    """Names of the objectives, `projects/<project>/services/<service>/serviceLevelObjectives/<id>`, by key."""
    policy_ids: pulumi.Output[dict[str, str]]
    """Ids of the alert policies, by the key of their objective and the speed: `<key>-fast`, `-steady` and `-slow`."""

    def __init__(self, name: str, args: CloudMonitoringSlosArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudMonitoringSlos {name}"
        args = checked(CloudMonitoringSlosArgs, args, subject, {"scope": scope_problem, "service": _service_problem})
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        _refuse(subject, objective_problems(args["objectives"]))
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        service = gcp.monitoring.CustomService(
            name,
            project=args["scope"]["project"],
            service_id=args["service"]["id"],
            display_name=args["service"]["display"],
            opts=self._child(),
        )
        slos = {key: self._slo(service, key, objective) for key, objective in sorted(args["objectives"].items())}
        self.service_id = service.service_id
        self.slo_names = _by_key({key: slo.name for key, slo in slos.items()})
        policies = _Policies(self, name, args["scope"], args["channels"])
        self.policy_ids = _by_key(
            {
                f"{key}-{speed}": policies.burning(key, speed, slos[key].name, objective)
                for key, objective in sorted(args["objectives"].items())
                for speed in BURN_RATES
                if _can_burn(speed, objective["goal"])
            }
        )
        self._register()

    def _slo(self, service: gcp.monitoring.CustomService, key: str, objective: GcpObjective) -> gcp.monitoring.Slo:
        return gcp.monitoring.Slo(
            f"{self._prefix}-{key}",
            project=self._args["scope"]["project"],
            service=service.service_id,
            display_name=key,
            goal=objective["goal"],
            rolling_period_days=objective.get("rolling_days", 28),
            opts=self._child(),
            **_indicator(objective),
        )


class UptimeCheck(TypedDict):
    """An endpoint that is asked from all over the world whether it answers."""

    host: str
    """Its host name, public and without a scheme."""
    path: NotRequired[str]
    """What is asked for. Default: `/`."""
    port: NotRequired[int]
    """TCP port. Default: 443."""
    content: NotRequired[str]
    """What the answer must contain, up to 1024 bytes. Default: anything."""
    any_answer: NotRequired[bool]
    """Whether an error is an answer too, for an endpoint without services behind it yet. Default: no; it must be a
    status of 200 to 299."""
    regions: NotRequired[list[str]]
    """Where it is asked from: regions with three places or more, such as `USA`, or `EUROPE` with two others. Default:
    everywhere."""
    period: NotRequired[int]
    """Seconds between checks from one place: 60, 300, 600 or 900. Default: 60."""
    timeout: NotRequired[int]
    """Seconds in which it must answer, 1 to 60. Default: 10."""


class CloudMonitoringUptimeChecksArgs(TypedDict):
    """What the world must reach, and who is told when it does not."""

    scope: GcpScope
    """Project of the checks."""
    checks: dict[str, UptimeCheck]
    """The checks, by a stable key, which may be the host name."""
    channels: Channels
    """Where alerts go, by severity."""


class CloudMonitoringUptimeChecks(Component):
    """Checks over TLS with a certificate that is valid, and for each of them alert policies: fewer than two places get
    an answer, two or more get none, and the certificate ends in 20 days and in 7.

    Raises `InputError` for bad args, and for hosts, paths and regions that Google would refuse.
    """

    check_ids: pulumi.Output[dict[str, str]]
    """Ids of the checks, by key, as metrics name them."""
    policy_ids: pulumi.Output[dict[str, str]]
    """Ids of the alert policies, by the keys that `endpoint` of the catalogue gives their conditions."""

    def __init__(self, name: str, args: CloudMonitoringUptimeChecksArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudMonitoringUptimeChecks {name}"
        args = checked(CloudMonitoringUptimeChecksArgs, args, subject, {"scope": scope_problem})
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        _refuse(subject, [*_check_problems(args["checks"])])
        super().__init__(name, opts)
        self._prefix = name
        self._scope = args["scope"]
        ids = {key: self._check(key, check).uptime_check_id for key, check in sorted(args["checks"].items())}
        self.check_ids = _by_key(ids)
        conditions = {
            key: condition
            for each, id_ in ids.items()
            for key, condition in endpoint(id_, args["checks"][each]["host"], each).items()
        }
        self.policy_ids = _Policies(self, name, args["scope"], args["channels"]).of(conditions)
        self._register()

    def _check(self, key: str, check: UptimeCheck) -> gcp.monitoring.UptimeCheckConfig:
        project = self._scope["project"]
        content = [{"content": check["content"], "matcher": "CONTAINS_STRING"}] if "content" in check else None
        accepted = "STATUS_CLASS_ANY" if check.get("any_answer", False) else "STATUS_CLASS_2XX"
        return gcp.monitoring.UptimeCheckConfig(
            f"{self._prefix}-{key}",
            project=project,
            display_name=f"{self._prefix}-{key}",
            period=f"{check.get('period', 60)}s",
            timeout=f"{check.get('timeout', 10)}s",
            selected_regions=check.get("regions"),
            http_check={
                "use_ssl": True,
                "validate_ssl": True,
                "port": check.get("port", 443),
                "path": check.get("path", "/"),
                "request_method": "GET",
                "accepted_response_status_codes": [{"status_class": accepted}],
            },
            content_matchers=content,  # pyright: ignore[reportArgumentType]
            monitored_resource={"type": "uptime_url", "labels": {"project_id": project, "host": check["host"]}},
            log_check_failures=True,
            opts=self._child(),
        )


class GcpLogBucketArgs(TypedDict):
    """Where an environment's logs are kept, and for how long."""

    scope: GcpScope
    """Project and region of the bucket."""
    filter: pulumi.Input[str]
    """Which of the project's log entries are kept here, such as `resource.labels.cluster_name = "shop"`."""
    days: int
    """Days for which they are kept, 1 to 3650."""
    key_name: NotRequired[pulumi.Input[str]]
    """Key that encrypts the bucket, in its region. Cloud Logging's service agent may use it. It can be changed and not
    be taken away. Default: Google's own."""
    exclusions: NotRequired[dict[str, str]]
    """Filters of entries that are not kept all the same, by a name each. Default: none."""
    analytics: NotRequired[bool]
    """Whether it can be asked in SQL. It stays so. Default: no."""
    locked: NotRequired[bool]
    """Whether the days may never be changed again, and the bucket not be deleted while it has entries. It stays so.
    Default: no."""
    default_days: NotRequired[int]
    """Days for which the project's own bucket `_Default` keeps what it gets, 1 to 3650. One stack of a project may say
    so. Default: it is left alone."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google refuse to delete the bucket. Default: yes."""


class GcpLogBucket(Component):
    """A bucket of Cloud Logging with its own days and key, and the sink that routes log entries into it. Entries go
    to `_Default` as before too; audit logs of who did what stay in `_Required` for 400 days, whatever is said here.

    Raises `InputError` for bad args, a key of another region, and a name that no bucket can have.
    """

    bucket: pulumi.Output[str]
    """The bucket, `projects/<project>/locations/<region>/buckets/<id>`. Known once entries are routed to it."""
    bucket_id: pulumi.Output[str]
    """Its id alone."""

    def __init__(self, name: str, args: GcpLogBucketArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpLogBucket {name}"
        rules = {
            "scope": scope_problem,
            "days": between(1, _LONGEST_RETENTION, "days"),
            "default_days": between(1, _LONGEST_RETENTION, "days"),
            "filter": lambda text: None if text.strip() else "say which entries; all of a project belong to `_Default`",
        }
        args = checked(GcpLogBucketArgs, args, subject, rules)
        checked_name(name, subject, 90, r"[A-Za-z0-9][A-Za-z0-9_.-]*", "use letters, digits, _, - and ., no _ first")
        _refuse(subject, [*_bucket_problems(args)])
        super().__init__(name, opts)
        scope, protected, key = args["scope"], args.get("protect", True), args.get("key_name")
        # The id of a deleted bucket is taken for a week.
        suffix = random.RandomId(name, byte_length=3, opts=self._child())
        bucket = gcp.logging.ProjectBucketConfig(
            name,
            project=scope["project"],
            location=scope["region"],
            bucket_id=pulumi.Output.concat(name, "-", suffix.hex),
            description=f"Logs of {name}",
            retention_days=args["days"],
            cmek_settings={"kms_key_name": key} if key is not None else None,
            enable_analytics=args.get("analytics", False),
            locked=args.get("locked", False),
            deletion_policy="PREVENT" if protected else "DELETE",
            opts=self._child(protect=protected),
        )
        exclusions = [{"name": each, "filter": text} for each, text in sorted(args.get("exclusions", {}).items())]
        sink = gcp.logging.ProjectSink(
            name,
            project=scope["project"],
            destination=pulumi.Output.concat("logging.googleapis.com/", bucket.id),
            filter=args["filter"],
            exclusions=exclusions or None,  # pyright: ignore[reportArgumentType]
            unique_writer_identity=True,
            opts=self._child(),
        )
        if "default_days" in args:
            gcp.logging.ProjectBucketConfig(
                f"{name}-default",
                project=scope["project"],
                location="global",
                bucket_id="_Default",
                retention_days=args["default_days"],
                opts=self._child(),
            )
        self.bucket = known_after(bucket.id, sink.id)
        self.bucket_id = bucket.bucket_id
        self._register()


class _Policies:
    """The alert policies of a component."""

    def __init__(
        self, owner: Component, name: str, scope: GcpScope, channels: Channels, close_after_hours: int | None = None
    ) -> None:
        self._owner = owner
        self._prefix = name
        self._project = scope["project"]
        self._channels: Mapping[str, Any] = channels
        self._closes = f"{3600 * (close_after_hours or _CLOSES_AFTER_HOURS)}s"

    def of(self, conditions: Mapping[str, GcpCondition]) -> pulumi.Output[dict[str, str]]:
        """One policy for each condition; their ids."""
        return _by_key({key: self._of_condition(key, condition) for key, condition in sorted(conditions.items())})

    def burning(self, key: str, speed: str, slo: pulumi.Output[str], objective: GcpObjective) -> pulumi.Output[str]:
        """A policy for failures of an objective that come so fast over a long time, and still do."""
        rate, long, short, severity = BURN_RATES[speed]
        tests = [
            {
                "display_name": f"{key} over {window} seconds",
                "condition_threshold": {
                    "filter": pulumi.Output.concat('select_slo_burn_rate("', slo, f'", "{window}s")'),
                    "comparison": COMPARISONS[">"],
                    "threshold_value": rate,
                    "duration": "0s",
                    "trigger": {"count": 1},
                },
            }
            for window in (long, short)
        ]
        reason = (
            f"{objective['reason']}\n\nFailures come {rate:g} times as fast as that allows, over {long // 3600} h and "
            f"still over the last {short // 60} min."
        )
        return self._policy(f"{key}-{speed}", severity, reason, tests, combiner="AND")

    def _of_condition(self, key: str, condition: GcpCondition) -> pulumi.Output[str]:
        every = f"{condition.get('notify_every', 3600)}s" if "log" in condition else None
        test = {"display_name": key, **_test(condition)}
        return self._policy(key, condition["severity"], condition["reason"], [test], every=every)

    def _policy(
        self,
        key: str,
        severity: str,
        reason: str,
        tests: list[dict[str, Any]],
        combiner: str = "OR",
        every: str | None = None,
    ) -> pulumi.Output[str]:
        name = f"{self._prefix}-{key}"
        strategy: dict[str, Any] = {"auto_close": self._closes}
        if every:
            strategy["notification_rate_limit"] = {
                "period": every
            }  # Google demands one for log entries, and only there
        else:
            strategy["notification_prompts"] = ["OPENED", "CLOSED"]
        return gcp.monitoring.AlertPolicy(
            name,
            project=self._project,
            display_name=name,
            combiner=combiner,
            conditions=tests,  # pyright: ignore[reportArgumentType]
            enabled=True,
            severity=severity.upper(),
            documentation={"content": reason, "mime_type": _MARKDOWN, "subject": f"{severity}: {name}"},
            notification_channels=self._channels[severity],
            alert_strategy=strategy,  # pyright: ignore[reportArgumentType]
            user_labels={"part": part_of(key), "severity": severity},
            opts=pulumi.ResourceOptions(parent=self._owner),
        ).id


def _test(condition: GcpCondition) -> dict[str, Any]:
    """What Google calls a condition, as data."""
    if "log" in condition:
        return {"condition_matched_log": {"filter": selection(condition)}}
    duration = f"{condition.get('duration', 0)}s"
    if "promql" in condition:
        query = {"query": condition["promql"], "duration": duration, "evaluation_interval": "60s"}
        return {"condition_prometheus_query_language": query}
    aggregation = _aggregation(condition)
    common = {
        "filter": selection(condition),
        "duration": duration,
        "aggregations": [aggregation],
        "trigger": {"count": 1},
    }
    if condition.get("absent", False):
        return {"condition_absent": common}
    compared = {
        **common,
        "comparison": COMPARISONS[condition.get("comparison", ">")],
        "threshold_value": condition.get("threshold"),
    }
    if "share_of" in condition:
        compared["denominator_filter"] = selection(condition["share_of"])
        compared["denominator_aggregations"] = [aggregation]
    if "missing" in condition:
        compared["evaluation_missing_data"] = MISSING_DATA[condition["missing"]]
    if "forecast_hours" in condition:
        compared["forecast_options"] = {"forecast_horizon": f"{3600 * condition['forecast_hours']}s"}
    return {"condition_threshold": compared}


def _aggregation(condition: GcpCondition) -> dict[str, Any]:
    result: dict[str, Any] = {
        "alignment_period": f"{condition.get('period', 300)}s",
        "per_series_aligner": condition.get("aligner"),
    }
    if "reducer" in condition:
        result["cross_series_reducer"] = condition["reducer"]
    if "group_by" in condition:
        result["group_by_fields"] = condition["group_by"]
    return result


def _indicator(objective: GcpObjective) -> dict[str, Any]:
    """The property that says what good is."""
    metrics: dict[str, Any] = {**objective}
    filters = {
        field: selection(metrics[field])
        for field in ("good", "bad", "total", "distribution", "series", "passes")
        if field in metrics
    }
    limit = {"min": objective.get("at_least", 0.0), "max": objective.get("at_most", _HIGHEST)}
    window = f"{objective.get('window', 300)}s"
    if "distribution" in filters:
        return {
            "request_based_sli": {"distribution_cut": {"distribution_filter": filters["distribution"], "range": limit}}
        }
    if "series" in filters:
        mean = {"time_series": filters["series"], "range": limit}
        return {"windows_based_sli": {"window_period": window, "metric_mean_in_range": mean}}
    if "passes" in filters:
        return {"windows_based_sli": {"window_period": window, "good_bad_metric_filter": filters["passes"]}}
    ratio = {f"{field}_service_filter": text for field, text in filters.items()}
    return {"request_based_sli": {"good_total_ratio": ratio}}


def _can_burn(speed: str, goal: float) -> bool:
    """Whether failures can come as fast: where all fail, they come 1 / (1 - goal) times as fast as allowed."""
    return BURN_RATES[speed][0] * (1 - goal) < 1


def _by_key(values: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[dict[str, str]]:
    """All values as one Output. Of none, `Output.all` makes a list."""
    return pulumi.Output.all(**values).apply(dict)


def _service_problem(service: SloService) -> str | None:
    if not re.fullmatch(r"[a-z0-9-]{1,63}", service["id"]):
        return "give an id of up to 63 small letters, digits and hyphens"
    return None if service["display"].strip() else "say what people call it"


def _check_problems(checks: Mapping[str, UptimeCheck]) -> Iterator[Problem]:
    if not checks:
        yield Problem("checks", checks, "give one check or more")
    for key, check in checks.items():
        path = f"checks.{key}"
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", key) or len(key) > _LONGEST_KEY:
            yield Problem(path, key, f"use up to {_LONGEST_KEY} small letters and digits, hyphens and dots between")
        if not re.fullmatch(_HOST, check["host"]):
            yield Problem(f"{path}.host", check["host"], "give a host name such as www.example.com, without a scheme")
        if not check.get("path", "/").startswith("/"):
            yield Problem(f"{path}.path", check.get("path"), "begin with /")
        if not 1 <= check.get("port", 443) <= 65535:
            yield Problem(f"{path}.port", check.get("port"), "give 1 to 65535")
        if not 1 <= len(check.get("content", "x").encode()) <= 1024:
            yield Problem(f"{path}.content", check.get("content"), "give 1 to 1024 bytes")
        if check.get("period", 60) not in _PERIODS:
            yield Problem(f"{path}.period", check.get("period"), one_of(list(map(str, _PERIODS))))
        if not 1 <= check.get("timeout", 10) <= 60:
            yield Problem(f"{path}.timeout", check.get("timeout"), "give 1 to 60 seconds")
        yield from _region_problems(path, check)


def _region_problems(path: str, check: UptimeCheck) -> Iterator[Problem]:
    regions = check.get("regions")
    if regions is None:
        return
    unknown = [(i, region) for i, region in enumerate(regions) if region not in _REGIONS]
    for i, region in unknown:
        yield Problem(f"{path}.regions[{i}]", region, one_of(_REGIONS, region))
    if not unknown and sum(_REGIONS[region] for region in set(regions)) < _LEAST_PLACES:
        yield Problem(f"{path}.regions", regions, f"are fewer than {_LEAST_PLACES} places; add some, or leave it out")


def _bucket_problems(args: GcpLogBucketArgs) -> Iterator[Problem]:
    key, region = args.get("key_name"), args["scope"]["region"]
    if isinstance(key, str) and f"/locations/{region}/" not in key:
        yield Problem("key_name", key, f"is not of {region}, where the bucket is; give a key of that region")
    for each, text in args.get("exclusions", {}).items():
        path = f"exclusions.{each}"
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", each):
            yield Problem(path, each, "use up to 100 letters, digits, _, - and ., letter or digit first")
        if not text.strip():
            yield Problem(path, text, "say which entries are not kept")


def _refuse(subject: str, found: Sequence[Problem]) -> None:
    if found:
        raise InputError(subject, found)
