"""Observability on Google Cloud."""

from components.observability import conditions
from components.observability.cloudmonitoring import (
    Channels,
    CloudMonitoringAlerts,
    CloudMonitoringAlertsArgs,
    CloudMonitoringSlos,
    CloudMonitoringSlosArgs,
    CloudMonitoringUptimeChecks,
    CloudMonitoringUptimeChecksArgs,
    GcpLogBucket,
    GcpLogBucketArgs,
    GcpNotificationChannels,
    GcpNotificationChannelsArgs,
)
from components.observability.cloudmonitoring_dashboard import CloudMonitoringDashboard, CloudMonitoringDashboardArgs

from .shared import GOOGLE, GOOGLE_KEY, Examples

REGION = GOOGLE["region"]
CONDITION: conditions.GcpCondition = {
    "severity": "warning",
    "reason": "The processor is busy: queries queue up; look for the heaviest.",
    "metric": "cloudsql.googleapis.com/database/cpu/utilization",
    "resource": "cloudsql_database",
    "labels": {"resource.labels.database_id": "plinth-123456:shop"},
    "aligner": "ALIGN_MEAN",
    "period": 300,
    "comparison": ">",
    "threshold": 0.9,
    "duration": 900,
}
ORDERS = conditions.Subscription("orders", 500, topic="orders", dead="orders-dead", push=True)
EVERY_CONDITION = conditions.together(
    conditions.postgres("plinth-123456:shop", 100, storage_limit_gb=100),
    conditions.replica("plinth-123456:shop-1", 1, 100),
    conditions.broker({"orders": ORDERS, "returns": conditions.Subscription("returns", 20)}),
    conditions.cache("shop", REGION),
    conditions.cluster("shop", REGION),
    conditions.workload("shop", REGION, "shop", "web"),
    conditions.nat("shop-nat", REGION, ports=4096),
    conditions.restore_tests("restores", REGION),
    conditions.store("events", turbo=True),
    conditions.cluster_backup("shop", REGION),
    conditions.vault(),
    conditions.keys(),
    conditions.secrets(),
    conditions.quota(),
    conditions.load_balancer("shop", 800, policy="shop-armor"),
    conditions.endpoint("shop-web", "www.example.com", "web"),
)
"""Every condition that the functions make."""
EVERY_OBJECTIVE: conditions.GcpObjectives = {
    "edge-availability": conditions.load_balancer_availability("shop"),
    "edge-latency": conditions.load_balancer_latency("shop", 800),
    "database-up": conditions.database_up("plinth-123456:shop"),
    "endpoint-web-up": conditions.endpoint_up("shop-web", "www.example.com"),
    **conditions.broker_freshness({"orders": "orders", "returns": "returns"}, 300),
}
"""Every objective that the functions make."""

CHANNELS: Channels = {
    "critical": ["projects/plinth-123456/notificationChannels/1"],
    "warning": ["projects/plinth-123456/notificationChannels/2"],
}

NOTIFICATIONS: GcpNotificationChannelsArgs = {"scope": GOOGLE, "key_name": GOOGLE_KEY}
NOTIFICATIONS_FULL: GcpNotificationChannelsArgs = {
    **NOTIFICATIONS,
    "receivers": {
        "critical": ["mailto:web@example.com", "https://events.example.com/key"],
        "warning": ["mailto:web@example.com"],
    },
}
ALERTS: CloudMonitoringAlertsArgs = {
    "scope": GOOGLE,
    "channels": CHANNELS,
    "conditions": {"database-cpu": CONDITION},
}
ALERTS_FULL: CloudMonitoringAlertsArgs = {**ALERTS, "conditions": EVERY_CONDITION, "close_after_hours": 6}
SLOS: CloudMonitoringSlosArgs = {
    "scope": GOOGLE,
    "service": {"id": "shop", "display": "Shop"},
    "objectives": {"database-up": EVERY_OBJECTIVE["database-up"]},
    "channels": CHANNELS,
}
SLOS_FULL: CloudMonitoringSlosArgs = {**SLOS, "objectives": EVERY_OBJECTIVE}
CHECKS: CloudMonitoringUptimeChecksArgs = {
    "scope": GOOGLE,
    "checks": {"web": {"host": "www.example.com"}},
    "channels": CHANNELS,
}
CHECKS_FULL: CloudMonitoringUptimeChecksArgs = {
    **CHECKS,
    "checks": {
        "web": {"host": "www.example.com"},
        "api": {
            "host": "api.example.com",
            "path": "/health",
            "port": 8443,
            "content": "ready",
            "regions": ["EUROPE", "ASIA_PACIFIC", "USA_IOWA"],
            "period": 300,
            "timeout": 5,
        },
    },
}
DASHBOARD: CloudMonitoringDashboardArgs = {
    "scope": GOOGLE,
    "conditions": {"database-cpu": CONDITION},
    "policy_ids": {"database-cpu": "projects/plinth-123456/alertPolicies/database-cpu"},
}
DASHBOARD_FULL: CloudMonitoringDashboardArgs = {
    **DASHBOARD,
    "conditions": EVERY_CONDITION,
    "policy_ids": {key: f"projects/plinth-123456/alertPolicies/{key}" for key in EVERY_CONDITION},
    "log_filter": "severity >= ERROR",
}
LOGS: GcpLogBucketArgs = {
    "scope": GOOGLE,
    "filter": 'resource.labels.cluster_name = "shop"',
    "days": 30,
}
LOGS_FULL: GcpLogBucketArgs = {
    **LOGS,
    "days": 365,
    "key_name": GOOGLE_KEY,
    "exclusions": {"health": 'httpRequest.requestUrl =~ "/health$"'},
    "analytics": True,
    "locked": True,
    "default_days": 30,
}

EXAMPLES: Examples = {
    GcpNotificationChannels: [
        lambda name, opts: GcpNotificationChannels(name, NOTIFICATIONS, opts),
        lambda name, opts: GcpNotificationChannels(name, NOTIFICATIONS_FULL, opts),
    ],
    CloudMonitoringAlerts: [
        lambda name, opts: CloudMonitoringAlerts(name, ALERTS, opts),
        lambda name, opts: CloudMonitoringAlerts(name, ALERTS_FULL, opts),
    ],
    CloudMonitoringSlos: [
        lambda name, opts: CloudMonitoringSlos(name, SLOS, opts),
        lambda name, opts: CloudMonitoringSlos(name, SLOS_FULL, opts),
    ],
    CloudMonitoringUptimeChecks: [
        lambda name, opts: CloudMonitoringUptimeChecks(name, CHECKS, opts),
        lambda name, opts: CloudMonitoringUptimeChecks(name, CHECKS_FULL, opts),
    ],
    CloudMonitoringDashboard: [
        lambda name, opts: CloudMonitoringDashboard(name, DASHBOARD, opts),
        lambda name, opts: CloudMonitoringDashboard(name, DASHBOARD_FULL, opts),
    ],
    GcpLogBucket: [
        lambda name, opts: GcpLogBucket(name, LOGS, opts),
        lambda name, opts: GcpLogBucket(name, LOGS_FULL, opts),
    ],
}
