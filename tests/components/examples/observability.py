"""Alarms, dashboards and notifications."""

from components.observability import alarms
from components.observability.cloudwatch import (
    AwsNotifications,
    AwsNotificationsArgs,
    CloudWatchAlarms,
    CloudWatchAlarmsArgs,
)
from components.observability.dashboard import CloudWatchDashboard, CloudWatchDashboardArgs

from .shared import HOME, KEY, Examples

ALARM: alarms.Alarm = {
    "namespace": "AWS/RDS",
    "metric": "CPUUtilization",
    "dimensions": {"DBInstanceIdentifier": "shop"},
    "statistic": "Average",
    "period": 300,
    "periods": 3,
    "comparison": ">",
    "threshold": 90.0,
    "severity": "warning",
    "reason": "The processor is busy: queries queue up; look for the heaviest.",
}
EVERY_ALARM = alarms.together(
    alarms.postgres("shop", "db.t4g.micro", 20),
    alarms.replica("shop-replica-1", 1, "db.t4g.micro", 20),
    alarms.proxy("shop-proxy"),
    alarms.broker("shop", {"orders": 500, "returns": 20}, alarms.OF_RABBITMQ_3),
    alarms.cache({"001": "shop-001", "002": "shop-002"}),
    alarms.cluster("shop"),
    alarms.workload("shop", "shop", "web"),
    alarms.nat({"a": "nat-1", "b": "nat-2"}),
    alarms.store("events", "events-copy"),
    alarms.store_copy("events", "events-copy"),
    alarms.backup("shop", copies=True, restores=True),
    alarms.rotation("rotate", "database"),
    alarms.certificate("arn:aws:acm:eu-central-1:123456789012:certificate/1", "web"),
)
"""Every alarm that the functions make."""

TOPICS = {severity: f"arn:aws:sns:eu-central-1:123456789012:{severity}" for severity in alarms.SEVERITIES}

NOTIFICATIONS: AwsNotificationsArgs = {"scope": HOME, "key_arn": KEY}
NOTIFICATIONS_FULL: AwsNotificationsArgs = {
    **NOTIFICATIONS,
    "receivers": {
        "critical": ["mailto:web@example.com", "https://events.example.com/key"],
        "warning": ["mailto:web@example.com"],
    },
    "publishers": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"],
}
ALARMS: CloudWatchAlarmsArgs = {
    "topics": {"critical": TOPICS["critical"], "warning": TOPICS["warning"]},
    "alarms": {"database-cpu": ALARM},
}
ALARMS_FULL: CloudWatchAlarmsArgs = {**ALARMS, "alarms": EVERY_ALARM, "by_part": True}
DASHBOARD: CloudWatchDashboardArgs = {
    "scope": HOME,
    "alarms": {"database-cpu": ALARM},
    "alarm_arns": {"database-cpu": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-database-cpu"},
}
DASHBOARD_FULL: CloudWatchDashboardArgs = {
    "scope": HOME,
    "alarms": EVERY_ALARM,
    "alarm_arns": {key: f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-{key}" for key in EVERY_ALARM},
    "log_groups": ["/shop/web", "/shop/jobs"],
}

EXAMPLES: Examples = {
    AwsNotifications: [
        lambda name, opts: AwsNotifications(name, NOTIFICATIONS, opts),
        lambda name, opts: AwsNotifications(name, NOTIFICATIONS_FULL, opts),
    ],
    CloudWatchAlarms: [
        lambda name, opts: CloudWatchAlarms(name, ALARMS, opts),
        lambda name, opts: CloudWatchAlarms(name, ALARMS_FULL, opts),
    ],
    CloudWatchDashboard: [
        lambda name, opts: CloudWatchDashboard(name, DASHBOARD, opts),
        lambda name, opts: CloudWatchDashboard(name, DASHBOARD_FULL, opts),
    ],
}
