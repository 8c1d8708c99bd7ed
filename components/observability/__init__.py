"""What tells of an environment's health: notifications, alarms and dashboards."""
