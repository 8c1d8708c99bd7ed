"""Dashboards on Amazon CloudWatch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name
from ..problems import MISSING, InputError, Problem
from ..security.policy import AwsScope
from .alarms import CRITICAL, OWN_METRIC, RESULT, Alarm, Alarms, Metric, part_of, problems

COLUMNS = 24
"""Width of CloudWatch's grid."""
_GRAPH_WIDTH, _GRAPH_HEIGHT = 8, 6
_LOG_HEIGHT = 8
_TITLE_HEIGHT = 1
_MOST_GRAPHS = 400
"""A dashboard holds 500 widgets: this leaves room for those that are no graphs."""
_MOST_ALARMS = 100
_MOST_LOG_GROUPS = 50
_COLOURS = {CRITICAL: "#d13212"}
_OTHER_COLOUR = "#ff9900"
_CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
_FAULTS = (
    "fields @timestamp, @log, @message | filter @message like /(?i)(error|exception|fatal|panic)/ "
    "| sort @timestamp desc | limit 100"
)

Widget = dict[str, Any]


class CloudWatchDashboardArgs(TypedDict):
    """What a dashboard shows."""

    scope: AwsScope
    """Account and region of the alarms and their metrics."""
    alarms: dict[str, Alarm]
    """The alarms, as `CloudWatchAlarms` takes them: their metrics are shown, with the thresholds."""
    alarm_arns: pulumi.Input[dict[str, str]]
    """ARNs of the alarms, by key: `alarm_arns` of `CloudWatchAlarms`."""
    log_groups: NotRequired[list[pulumi.Input[str]]]
    """Names of log groups whose newest errors are listed, up to 50. Default: none."""


class CloudWatchDashboard(Component):
    """The state of all alarms of an environment at a glance, then a row of graphs for each of its parts: every metric
    that is watched, with its thresholds as lines, then the newest errors in its logs.

    Raises `InputError` for bad args, for alarms that CloudWatch would refuse, for more than a dashboard holds, and for
    a name that no dashboard can have.
    """

    dashboard_name: pulumi.Output[str]
    """Name of the dashboard, the component's."""
    url: pulumi.Output[str]
    """Where people look at it."""

    def __init__(self, name: str, args: CloudWatchDashboardArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudWatchDashboard {name}"
        args = checked(CloudWatchDashboardArgs, args, subject)
        checked_name(name, subject, 255, r"[A-Za-z0-9_-]+", "CloudWatch takes letters, digits, hyphens and underscores")
        scope, log_groups = args["scope"], args.get("log_groups", [])
        found = problems(args["alarms"])
        if len(log_groups) > _MOST_LOG_GROUPS:
            found.append(Problem("log_groups", len(log_groups), f"name {_MOST_LOG_GROUPS} or fewer"))
        given = args["alarm_arns"]
        if isinstance(given, dict):
            found += _missing(args["alarms"], given)
        if found:
            raise InputError(subject, found)
        parts = _parts(args["alarms"])
        graphs = sum(len(each) for each in parts.values())
        if graphs > _MOST_GRAPHS:
            remedy = f"they make {graphs} graphs; make dashboards of {_MOST_GRAPHS} or fewer"
            raise InputError(subject, [Problem("alarms", len(args["alarms"]), remedy)])
        super().__init__(name, opts)
        arns = pulumi.Output.from_input(given).apply(lambda known: _complete(subject, args["alarms"], known))
        widgets = _widgets(scope["region"], parts, arns, log_groups)
        dashboard = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": widgets}),
            opts=self._child(),
        )
        console = _CONSOLES.get(scope.get("partition", "aws"), "console.aws.amazon.com")
        self.dashboard_name = dashboard.dashboard_name
        self.url = dashboard.dashboard_name.apply(
            lambda known: (
                f"https://{scope['region']}.{console}/cloudwatch/home?region={scope['region']}#dashboards/dashboard/{known}"
            )
        )
        self._register()


class _Page:
    """Widgets, one after the other from left to right and from top to bottom."""

    def __init__(self) -> None:
        self.widgets: list[Widget] = []
        self._x = self._y = self._row = 0

    def add(self, kind: str, width: int, height: int, properties: Mapping[str, Any]) -> None:
        if self._x + width > COLUMNS:
            self.new_row()
        place = {"x": self._x, "y": self._y, "width": width, "height": height}
        self.widgets.append({"type": kind, **place, "properties": dict(properties)})
        self._x, self._row = self._x + width, max(self._row, height)

    def new_row(self) -> None:
        self._x, self._y, self._row = 0, self._y + self._row, 0


def _parts(alarms: Alarms) -> dict[str, list[Alarms]]:
    """The alarms of each graph, by the part that they are about. All is in the order of the keys, whatever the order of
    the alarms: the same alarms make the same dashboard."""
    parts: dict[str, list[Alarms]] = {}
    for key, alarm in sorted(alarms.items(), key=lambda item: (part_of(item[0]), item[0])):
        graphs = parts.setdefault(part_of(key), [])
        alike = next((each for each in graphs if _series(next(iter(each.values()))) == _series(alarm)), None)
        if alike is None:
            graphs.append({key: alarm})
        else:
            alike[key] = alarm
    return parts


def _widgets(
    region: str,
    parts: Mapping[str, Sequence[Alarms]],
    arns: pulumi.Output[dict[str, str]],
    log_groups: Sequence[pulumi.Input[str]],
) -> list[Widget]:
    page = _Page()
    keys = sorted(key for graphs in parts.values() for graph in graphs for key in graph)
    for start in range(0, len(keys), _MOST_ALARMS):
        shown = keys[start : start + _MOST_ALARMS]
        page.add("alarm", COLUMNS, _status_height(len(shown)), {"title": "Alarms", "alarms": _chosen(arns, shown)})
    for part, graphs in parts.items():
        page.new_row()
        page.add("text", COLUMNS, _TITLE_HEIGHT, {"markdown": f"## {part.capitalize()}"})
        for graph in graphs:
            page.add("metric", _GRAPH_WIDTH, _GRAPH_HEIGHT, _drawn(region, graph))
    if log_groups:
        page.new_row()
        properties = {"title": "Newest errors", "region": region, "view": "table", "query": _query(log_groups)}
        page.add("log", COLUMNS, _LOG_HEIGHT, properties)
    return page.widgets


def _status_height(alarms: int) -> int:
    """Eight alarms a line; the widget scrolls where there are more lines than this shows."""
    return min(8, 2 + -(-alarms // 8))


def _chosen(arns: pulumi.Output[dict[str, str]], keys: Sequence[str]) -> pulumi.Output[list[str]]:
    return arns.apply(lambda known: [known[key] for key in keys])


def _complete(subject: str, alarms: Alarms, arns: dict[str, str]) -> dict[str, str]:
    if missing := _missing(alarms, arns):
        raise InputError(subject, missing)
    return arns


def _missing(alarms: Alarms, arns: Mapping[str, Any]) -> list[Problem]:
    without = sorted(set(alarms) - set(arns))
    return [Problem(f"alarm_arns.{key}", MISSING, "is missing; give the ARN of each alarm") for key in without]


def _series(alarm: Alarm) -> tuple[Any, ...]:
    """What is drawn of an alarm. Dimensions that only the cloud knows are the same where they are the same Output."""
    return (*_metric(alarm), alarm["period"], alarm.get("expression"), alarm.get("further"))


def _metric(metric: Metric | Alarm) -> tuple[Any, ...]:
    return metric["namespace"], metric["metric"], metric["dimensions"], metric["statistic"]


def _drawn(region: str, graph: Alarms) -> Mapping[str, Any]:
    alarm = next(iter(graph.values()))
    return {
        "title": ", ".join(key.partition("-")[2].replace("-", " ") or key for key in graph),
        "region": region,
        "view": "timeSeries",
        "stacked": False,
        "period": alarm["period"],
        "metrics": list(_lines(alarm)),
        "annotations": {"horizontal": [_threshold(key, alarm) for key, alarm in graph.items()]},
    }


def _lines(alarm: Alarm) -> Iterable[list[Any]]:
    if "expression" not in alarm:
        yield _line(alarm, {"stat": alarm["statistic"]})
        return
    yield [{"expression": alarm["expression"], "label": alarm["metric"], "id": RESULT}]
    yield _line(alarm, {"stat": alarm["statistic"], "id": OWN_METRIC, "visible": False})
    for id_, metric in sorted(alarm.get("further", {}).items()):
        yield _line(metric, {"stat": metric["statistic"], "id": id_, "visible": False})


def _line(metric: Metric | Alarm, options: Mapping[str, Any]) -> list[Any]:
    dimensions = [each for pair in sorted(metric["dimensions"].items()) for each in pair]
    return [metric["namespace"], metric["metric"], *dimensions, dict(options)]


def _threshold(key: str, alarm: Alarm) -> Mapping[str, Any]:
    return {
        "label": f"{alarm['severity']}: {key}",
        "value": alarm["threshold"],
        "fill": "above" if alarm["comparison"].startswith(">") else "below",
        "color": _COLOURS.get(alarm["severity"], _OTHER_COLOUR),
    }


def _query(log_groups: Sequence[pulumi.Input[str]]) -> pulumi.Output[str]:
    sources = [pulumi.Output.concat("SOURCE '", group, "' | ") for group in log_groups]
    return pulumi.Output.concat(*sources, _FAULTS)
