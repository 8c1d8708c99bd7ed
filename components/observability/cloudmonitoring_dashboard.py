"""Dashboards on Cloud Monitoring."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name
from ..problems import MISSING, InputError, Problem
from ..security.google import GcpScope, scope_problem
from .conditions import GcpCondition, GcpConditions, part_of, problems, selection

COLUMNS = 48
"""Width of the grid."""
_CHART_WIDTH, _CHART_HEIGHT = 16, 14
_STATE_HEIGHT, _LOG_HEIGHT = 12, 16
_MOST_WIDGETS = 100
_CONSOLE = "https://console.cloud.google.com/monitoring/dashboards/builder"

Widget = dict[str, Any]


class CloudMonitoringDashboardArgs(TypedDict):
    """What a dashboard shows."""

    scope: GcpScope
    """Project of the alert policies and their metrics."""
    conditions: dict[str, GcpCondition]
    """The conditions, as `CloudMonitoringAlerts` takes them: their metrics are shown, with the thresholds."""
    policy_ids: pulumi.Input[dict[str, str]]
    """Ids of the alert policies, by key: `policy_ids` of `CloudMonitoringAlerts`."""
    log_filter: NotRequired[pulumi.Input[str]]
    """Which log entries are shown at the end, newest first. Default: none."""


class CloudMonitoringDashboard(Component):
    """The incidents of all alert policies of an environment at a glance, then a group for each of its parts: every
    metric that is watched, with its thresholds as lines, what a line cannot show (shares, forecasts and queries) as its
    alert policy's own chart, and the log entries that are watched for. Then the log. It is written as Google gives it
    back, so that a second deployment finds nothing to change.

    Raises `InputError` for bad args, for conditions that Cloud Monitoring would refuse, and for more than a dashboard
    holds.
    """

    dashboard_id: pulumi.Output[str]
    """Id of the dashboard, `projects/<project>/dashboards/<id>`."""
    url: pulumi.Output[str]
    """Where people look at it."""

    def __init__(self, name: str, args: CloudMonitoringDashboardArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudMonitoringDashboard {name}"
        args = checked(CloudMonitoringDashboardArgs, args, subject, {"scope": scope_problem})
        checked_name(name, subject, 200, r"[A-Za-z0-9][A-Za-z0-9_-]*", "use letters, digits, hyphens and underscores")
        conditions, given, project = args["conditions"], args["policy_ids"], args["scope"]["project"]
        found = problems(conditions)
        if isinstance(given, dict):
            found += _missing(conditions, given)
        if found:
            raise InputError(subject, found)
        count = _widgets(conditions) + ("log_filter" in args)
        if count > _MOST_WIDGETS:
            remedy = f"they make {count} widgets; make dashboards of {_MOST_WIDGETS} or fewer"
            raise InputError(subject, [Problem("conditions", len(conditions), remedy)])
        super().__init__(name, opts)
        ids = pulumi.Output.from_input(given).apply(lambda known: _complete(subject, conditions, known))
        tiles = _tiles(conditions, ids, args.get("log_filter"))
        layout = {"displayName": name, "mosaicLayout": {"columns": COLUMNS, "tiles": tiles}}
        dashboard = gcp.monitoring.Dashboard(
            name,
            project=project,
            dashboard_json=pulumi.Output.from_input(layout).apply(_normal),
            opts=self._child(),
        )
        self.dashboard_id = dashboard.id
        self.url = dashboard.id.apply(lambda known: f"{_CONSOLE}/{known.rpartition('/')[2]}?project={project}")
        self._register()


class _Page:
    """Widgets, one after the other from left to right and from top to bottom, in groups that can be folded."""

    def __init__(self) -> None:
        self.tiles: list[dict[str, Any]] = []
        self._x = self._y = self._row = 0

    def add(self, width: int, height: int, title: str, content: Mapping[str, Any]) -> None:
        if self._x + width > COLUMNS:
            self._new_row()
        place = {"xPos": self._x, "yPos": self._y, "width": width, "height": height}
        self.tiles.append({**place, "widget": {"title": title, **content}})
        self._x, self._row = self._x + width, max(self._row, height)

    def group(self, title: str, widgets: Sequence[tuple[int, int, str, Mapping[str, Any]]]) -> None:
        """Widgets that belong together. The group is a widget below them, as high as they are together."""
        self._new_row()
        top, place = self._y, len(self.tiles)
        for each in widgets:
            self.add(*each)
        self._new_row()
        frame = {"xPos": 0, "yPos": top, "width": COLUMNS, "height": self._y - top}
        self.tiles.insert(place, {**frame, "widget": {"title": title, "collapsibleGroup": {}}})

    def _new_row(self) -> None:
        self._x, self._y, self._row = 0, self._y + self._row, 0


def _widgets(conditions: GcpConditions) -> int:
    """How many widgets conditions make: the incidents, and for each part its group, its charts and its log entries."""
    parts = _parts(conditions).values()
    return 1 + sum(1 + len(_sheets(part)) + any("log" in each for each in part.values()) for part in parts)


def _tiles(
    conditions: GcpConditions, ids: pulumi.Output[dict[str, str]], log_filter: pulumi.Input[str] | None
) -> list[dict[str, Any]]:
    page = _Page()
    page.add(COLUMNS, _STATE_HEIGHT, "Incidents", {"incidentList": {"policyNames": _chosen(ids, sorted(conditions))}})
    for part, of_part in _parts(conditions).items():
        charts = [(_CHART_WIDTH, _CHART_HEIGHT, *_drawn(sheet, ids)) for sheet in _sheets(of_part)]
        page.group(part.capitalize(), [*charts, *_logs(of_part)])
    if log_filter is not None:
        page.add(COLUMNS, _LOG_HEIGHT, "Log", {"logsPanel": {"filter": log_filter}})
    return page.tiles


def _parts(conditions: GcpConditions) -> dict[str, GcpConditions]:
    """The conditions of each part. All is in the order of the keys, whatever the order of the conditions: the same ones
    make the same dashboard."""
    parts: dict[str, GcpConditions] = {}
    for key in sorted(conditions, key=lambda key: (part_of(key), key)):
        parts.setdefault(part_of(key), {})[key] = conditions[key]
    return parts


def _sheets(conditions: GcpConditions) -> list[GcpConditions]:
    """The conditions of each chart. Those on the same metric share one."""
    sheets: dict[str, GcpConditions] = {}
    for key, condition in conditions.items():
        if "log" not in condition:
            sheets.setdefault(key if _has_own_chart(condition) else _drawn_alike(condition), {})[key] = condition
    return list(sheets.values())


def _drawn(sheet: GcpConditions, ids: pulumi.Output[dict[str, str]]) -> tuple[str, Mapping[str, Any]]:
    """The title of a chart, and the chart."""
    key, condition = next(iter(sheet.items()))
    title = ", ".join(map(_title, sheet))
    if _has_own_chart(condition):
        return title, {"alertChart": {"name": ids.apply(lambda known: known[key])}}
    return title, {"xyChart": _chart(sheet)}


def _has_own_chart(condition: GcpCondition) -> bool:
    """Whether a line with a threshold cannot show it."""
    return "promql" in condition or "share_of" in condition or "forecast_hours" in condition


def _drawn_alike(condition: GcpCondition) -> str:
    """What conditions have in common that share a chart."""
    fields = ("metric", "resource", "where", "aligner", "reducer", "group_by", "period")
    return json.dumps([condition.get(field) for field in fields])


def _chart(conditions: GcpConditions) -> dict[str, Any]:
    # What only the cloud knows is the same where it is the same Output.
    chosen: list[GcpCondition] = []
    for condition in conditions.values():
        if all(condition.get("labels") != other.get("labels") for other in chosen):
            chosen.append(condition)
    thresholds = [
        {"label": f"{each['severity']}: {key}", "value": _number(each["threshold"]), "targetAxis": "Y1"}
        for key, each in conditions.items()
        if "threshold" in each
    ]
    return {
        "chartOptions": {"mode": "COLOR"},
        "dataSets": [_series(condition) for condition in chosen],
        "thresholds": thresholds,
        "yAxis": {"scale": "LINEAR"},
    }


def _series(condition: GcpCondition) -> dict[str, Any]:
    period = f"{condition.get('period', 300)}s"
    aggregation = {
        "alignmentPeriod": period,
        "perSeriesAligner": condition.get("aligner"),
        "crossSeriesReducer": condition.get("reducer"),
        "groupByFields": condition.get("group_by", []),
    }
    return {
        "plotType": "LINE",
        "targetAxis": "Y1",
        "minAlignmentPeriod": period,
        "timeSeriesQuery": {"timeSeriesFilter": {"filter": selection(condition), "aggregation": aggregation}},
    }


def _logs(conditions: GcpConditions) -> list[tuple[int, int, str, Mapping[str, Any]]]:
    """One list of all log entries that are watched for."""
    watched = [condition for condition in conditions.values() if "log" in condition]
    if not watched:
        return []
    terms = [part for condition in watched for part in (" OR (", selection(condition), ")")]
    text = pulumi.Output.concat("(", *terms[1:])
    return [(COLUMNS, _LOG_HEIGHT, "Log entries that are watched for", {"logsPanel": {"filter": text}})]


def _title(key: str) -> str:
    return key.partition("-")[2].replace("-", " ") or key


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _normal(layout: Mapping[str, Any]) -> str:
    """The dashboard as JSON without what Google leaves out when it gives it back: zeros, and nothing."""
    return json.dumps(_pruned(layout), sort_keys=True)


def _pruned(value: Any) -> Any:
    if isinstance(value, Mapping):
        pruned = {key: _pruned(item) for key, item in value.items()}
        # A group is one by its being there, whatever stands in it.
        return {key: item for key, item in pruned.items() if key == "collapsibleGroup" or not _is_nothing(item)}
    return [_pruned(item) for item in value] if isinstance(value, list | tuple) else value


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value in (0, "", [], {})


def _chosen(ids: pulumi.Output[dict[str, str]], keys: Sequence[str]) -> pulumi.Output[list[str]]:
    return ids.apply(lambda known: [known[key] for key in keys])


def _complete(subject: str, conditions: GcpConditions, ids: dict[str, str]) -> dict[str, str]:
    if missing := _missing(conditions, ids):
        raise InputError(subject, missing)
    return ids


def _missing(conditions: GcpConditions, ids: Mapping[str, Any]) -> list[Problem]:
    without = sorted(set(conditions) - set(ids))
    return [Problem(f"policy_ids.{key}", MISSING, "is missing; give the id of each alert policy") for key in without]
