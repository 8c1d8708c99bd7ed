"""Observability on Google Cloud."""

from collections.abc import Iterator

from ..demands import DURABLE, PROD, absent, at_least, equal, given, never, true
from ..rule import Check, Resource, Rule, Stack, staying

ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
SLO = "gcp:monitoring/slo:Slo"
UPTIME_CHECK = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"
LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"

_OF_GOOGLE = ("_Default", "_Required")
"""Buckets that every project has. They cannot be deleted."""


def _asks_by_http(check: Resource, stack: Stack) -> bool:
    return "httpCheck" in check.inputs


def _is_own(bucket: Resource, stack: Stack) -> bool:
    return bucket.inputs.get("bucketId") not in _OF_GOOGLE


def _is_own_and_stays(bucket: Resource, stack: Stack) -> bool:
    return _is_own(bucket, stack) and staying(bucket, stack)


def _tells(what: str) -> Check:
    """That an alert policy which tells somebody looks at the resource. There may be several, of which one is enough."""

    def check(resource: Resource, stack: Stack) -> Iterator[str]:
        policies = stack.pointing(resource, ALERT, "conditions")
        if not any(each.inputs.get("notificationChannels") for each in policies):
            yield f"{what} that tells somebody is missing"

    return check


RULES: tuple[Rule, ...] = (
    Rule(
        "monitoring-alert-notifies",
        "An alert policy in staging and prod tells someone.",
        (ALERT,),
        demands={
            "enabled": never("not be false", lambda value: value is False, False),
            "notificationChannels": given(),
        },
        tiers=DURABLE,
    ),
    Rule(
        "monitoring-alert-says-why",
        "An alert policy says what it means and what to do.",
        (ALERT,),
        demands={"documentation.content": given()},
    ),
    Rule(
        "monitoring-alert-severe",
        "An alert policy says how bad it is, so that those who are told need not guess.",
        (ALERT,),
        demands={"severity": equal("CRITICAL", "ERROR", "WARNING", breaks=["NONE"])},
    ),
    Rule(
        "monitoring-channel-tells",
        "A notification channel is enabled, and is not deleted from under alert policies that use it.",
        (CHANNEL,),
        demands={
            "enabled": never("not be false", lambda value: value is False, False),
            "forceDelete": absent(True),
        },
    ),
    Rule(
        "monitoring-slo-burns",
        "Someone in staging and prod is told when an objective is about to be broken.",
        (SLO,),
        check=_tells("an alert policy on how fast it burns"),
        looks_around=True,
        tiers=DURABLE,
    ),
    Rule(
        "monitoring-uptime-tls",
        "An uptime check asks over TLS, and takes no certificate that is not valid.",
        (UPTIME_CHECK,),
        demands={"httpCheck.useSsl": true(), "httpCheck.validateSsl": true()},
        when=_asks_by_http,
    ),
    Rule(
        "monitoring-uptime-alerts",
        "Someone in staging and prod is told when an uptime check fails.",
        (UPTIME_CHECK,),
        check=_tells("an alert policy on it"),
        looks_around=True,
        tiers=DURABLE,
    ),
    Rule(
        "logbucket-retention",
        "A log bucket says how long it keeps its logs.",
        (LOG_BUCKET,),
        demands={"retentionDays": at_least(1)},
    ),
    Rule(
        "logbucket-year",
        "A log bucket of ours in prod keeps its logs for a year.",
        (LOG_BUCKET,),
        demands={"retentionDays": at_least(365)},
        when=_is_own,
        tiers=(PROD,),
    ),
    Rule(
        "logbucket-encrypted",
        "A log bucket of ours is encrypted with a key of ours.",
        (LOG_BUCKET,),
        demands={"cmekSettings.kmsKeyName": given()},
        when=_is_own,
    ),
    Rule(
        "logbucket-protected",
        "Neither Pulumi nor Google deletes a log bucket in staging and prod.",
        (LOG_BUCKET,),
        demands={"deletionPolicy": equal("PREVENT", breaks=["DELETE", "ABANDON"])},
        options={"protect": true()},
        when=_is_own_and_stays,
        tiers=DURABLE,
    ),
)
