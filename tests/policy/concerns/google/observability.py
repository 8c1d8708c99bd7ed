"""Observability on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from ...breaking import Break, changed, with_options, without
from ...sketch import GOOGLE, PROJECT, Sketch

ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
WHY = {"content": "Queries queue up: find the heaviest.", "mimeType": "text/markdown"}
HTTPS = {"useSsl": True, "validateSsl": True, "port": 443, "path": "/"}


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack."""
    channel = {"type": "email", "labels": {"email_address": "web@example.com"}, "enabled": True, "project": PROJECT}
    _add(sketch, "gcp:monitoring/notificationChannel:NotificationChannel", "google-told", channel)
    _alert(sketch, "google-alert")
    objective = {"goal": 0.999, "rollingPeriodDays": 28, "project": PROJECT}
    _add(sketch, "gcp:monitoring/slo:Slo", "google-slo", objective)
    _alert(sketch, "google-burning", "google-slo")
    check = {"httpCheck": HTTPS, "timeout": "10s", "period": "60s", "project": PROJECT}
    _add(sketch, "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig", "google-check", check)
    _alert(sketch, "google-down", "google-check")
    kept: dict[str, Any] = {"project": PROJECT, "location": GOOGLE, "bucketId": "shop", "retentionDays": 365}
    kept |= {"cmekSettings": {"kmsKeyName": KEY}, "deletionPolicy": "PREVENT"}
    _add(sketch, BUCKET, "google-logs", kept, protect=True)
    default = {"project": PROJECT, "location": "global", "bucketId": "_Default", "retentionDays": 30}
    _add(sketch, BUCKET, "google-logs-default", default)


KEY = f"projects/{PROJECT}/locations/{GOOGLE}/keyRings/ring/cryptoKeys/logs"


def _add(sketch: Sketch, type_: str, name: str, inputs: dict[str, Any], **more: Any) -> None:
    sketch.add(type_, name, inputs, provider=GOOGLE, **more)


def _alert(sketch: Sketch, name: str, about: str = "") -> None:
    inputs = {"documentation": WHY, "severity": "WARNING", "enabled": True, "combiner": "OR", "project": PROJECT}
    to = {"notificationChannels": "google-told", **({"conditions": about} if about else {})}
    _add(sketch, ALERT, name, inputs, to=to)


def asking(**check: Any) -> Break:
    """Break a stack by another way to ask."""
    return changed("google-check", httpCheck={**HTTPS, **check})


BREAKS: dict[str, list[Break]] = {
    "monitoring-alert-notifies": [
        changed("google-alert", notificationChannels=None),
        changed("google-alert", notificationChannels=[]),
        changed("google-alert", enabled=False),
    ],
    "monitoring-alert-says-why": [
        changed("google-alert", documentation=None),
        changed("google-alert", documentation={"content": ""}),
    ],
    "monitoring-alert-severe": [
        changed("google-alert", severity=None),
        changed("google-alert", severity="LOUD"),
    ],
    "monitoring-channel-tells": [
        changed("google-told", enabled=False),
        changed("google-told", forceDelete=True),
    ],
    "monitoring-slo-burns": [
        without("google-burning"),
        changed("google-burning", conditions=[]),
        changed("google-burning", notificationChannels=[]),
    ],
    "monitoring-uptime-tls": [asking(useSsl=False), asking(validateSsl=False), changed("google-check", httpCheck={})],
    "monitoring-uptime-alerts": [without("google-down"), changed("google-down", notificationChannels=None)],
    "logbucket-retention": [
        changed("google-logs", retentionDays=None),
        changed("google-logs-default", retentionDays=0),
    ],
    "logbucket-year": [changed("google-logs", retentionDays=364)],
    "logbucket-encrypted": [
        changed("google-logs", cmekSettings=None),
        changed("google-logs", cmekSettings={}),
    ],
    "logbucket-protected": [
        changed("google-logs", deletionPolicy="DELETE"),
        changed("google-logs", deletionPolicy=None),
        with_options("google-logs", protect=False),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
