"""Baseline on Google Cloud."""

from collections.abc import Iterator
from typing import Any

from ..demands import DURABLE, Demand, absent, equal, given, judged, matching, never
from ..documents import many
from ..paths import SECRET, UNKNOWN, read
from ..rule import Level, Link, Resource, Rule, Stack

WORKLOAD_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
AUDIT_CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
ORG_POLICY = "gcp:orgpolicy/policy:Policy"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
FINDINGS = "gcp:securitycenter/v2ProjectNotificationConfig:V2ProjectNotificationConfig"
TOPIC = "gcp:pubsub/topic:Topic"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
BUDGET = "gcp:billing/budget:Budget"
METADATA = "gcp:compute/projectMetadataItem:ProjectMetadataItem"

_GITHUB = "https://token.actions.githubusercontent.com"
_LOG_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
_DATA_SERVICES = (
    "pubsub.googleapis.com",
    "secretmanager.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
)
_MONTH = 30 * 86400
_HIDDEN = (UNKNOWN, SECRET)
_OF_A_REPOSITORY = r"(assertion|attribute)\.repository(_id)?\s*==\s*(\"[^\"*]+\"|'[^'*]+')"


def _is_for_github(provider: Resource, stack: Stack) -> bool:
    issuer = str(read(provider.inputs, "oidc.issuerUri"))
    return issuer.rstrip("/") == _GITHUB


def _records_everything(config: Resource, stack: Stack) -> Iterator[str]:
    configs = many(config.inputs.get("auditLogConfigs"))
    if UNKNOWN not in configs:
        recorded = {str(read(each, "logType")) for each in configs}
        for each in _LOG_TYPES:
            if each not in recorded and UNKNOWN not in recorded:
                yield f"{each} is not recorded"


def _goes_to_a_bucket(sink: Resource, stack: Stack) -> bool:
    destination = sink.inputs.get("destination")
    if isinstance(destination, str) and destination not in _HIDDEN:
        return destination.startswith("storage.googleapis.com/")
    return bool(stack.pointed(sink, BUCKET, "destination"))


def _seconds(least: int) -> Demand:
    """Seconds, as text."""

    def holds(value: Any, tier: str) -> bool:
        return value in _HIDDEN or (str(value).isdigit() and int(value) >= least)

    return Demand(f"be {least} or more", holds, lambda _: [str(least - 1)])


def _opens(policy: Resource, stack: Stack) -> Iterator[str]:
    for spec in ("spec", "dryRunSpec"):
        for rule in many(read(policy.inputs, f"{spec}.rules") or []):
            if isinstance(rule, dict) and (rule.get("enforce") == "FALSE" or rule.get("allowAll") == "TRUE"):
                yield f"`{spec}` has a rule that refuses nothing"


def _borders(perimeter: Resource) -> dict[str, Any]:
    found = {side: read(perimeter.inputs, side) for side in ("status", "spec")}
    return {side: border for side, border in found.items() if isinstance(border, dict)}


def _restricts_data(perimeter: Resource, stack: Stack) -> Iterator[str]:
    borders = _borders(perimeter)
    if not borders:
        yield "it has neither `status` nor `spec`"
    for side, border in borders.items():
        restricted = many(border.get("restrictedServices"))
        missing = [each for each in _DATA_SERVICES if each not in restricted]
        if missing and UNKNOWN not in restricted:
            yield f"`{side}` leaves out {', '.join(missing)}"


def _lets_nobody_unknown_in(perimeter: Resource, stack: Stack) -> Iterator[str]:
    for side, border in _borders(perimeter).items():
        if read(border, "vpcAccessibleServices.enableRestriction") not in (True, UNKNOWN):
            yield f"`{side}` lets machines inside call any service"


def _is_heard(config: Resource, stack: Stack) -> Iterator[str]:
    for topic in stack.pointed(config, TOPIC, "pubsubTopic"):
        if not stack.pointing(topic, SUBSCRIPTION, "topic"):
            yield f"no subscription holds what comes to {topic.name}"
        grants = stack.pointing(topic, TOPIC_MEMBER, "topic")
        if not any(grant.inputs.get("role") in ("roles/pubsub.publisher", *_HIDDEN) for grant in grants):
            yield f"nobody may publish to {topic.name}"


def _tells_the_worst(text: Any) -> bool:
    return isinstance(text, str) and ("CRITICAL" in text or "severity" not in text)


def _warns(budget: Resource, stack: Stack) -> Iterator[str]:
    rules = many(budget.inputs.get("thresholdRules"))
    if UNKNOWN in rules:
        return
    forecast = {read(rule, "spendBasis") == "FORECASTED_SPEND" for rule in rules}
    early = [read(rule, "thresholdPercent") for rule in rules if read(rule, "spendBasis") != "FORECASTED_SPEND"]
    if not any(isinstance(each, int | float) and each < 1 for each in early) and UNKNOWN not in early:
        yield "nobody is told before it is spent"
    if True not in forecast:
        yield "nobody is told that it will be"


def _tells_someone(budget: Resource, stack: Stack) -> Iterator[str]:
    told = read(budget.inputs, "allUpdatesRule")
    if not isinstance(told, dict):
        return
    named = any(told.get(each) for each in ("monitoringNotificationChannels", "pubsubTopic"))
    if told.get("disableDefaultIamRecipients") is True and not named:
        yield "nobody is told"


def _is_os_login(item: Resource, stack: Stack) -> bool:
    return item.inputs.get("key") == "enable-oslogin"


RULES: tuple[Rule, ...] = (
    Rule(
        "wif-restricted",
        "A provider of workload identities says which tokens of its issuer it takes.",
        (WORKLOAD_PROVIDER,),
        ("CKV_GCP_118", "GCP-0068"),
        demands={"attributeCondition": given(), "attributeMapping": given()},
    ),
    Rule(
        "wif-pins-repository",
        "A provider for GitHub takes tokens of one repository: all the world's have the same issuer.",
        (WORKLOAD_PROVIDER,),
        ("CKV_GCP_125",),
        demands={
            "attributeCondition": matching(
                rf"(?!.*\|\|).*\b{_OF_A_REPOSITORY}.*",
                "compare the repository with one, and know no alternatives",
                'assertion.repository_owner == "shop"',
                'assertion.repository.startsWith("shop/")',
                'assertion.repository == "shop/shop" || assertion.actor == "web"',
            )
        },
        when=_is_for_github,
    ),
    Rule(
        "audit-config-complete",
        "Audit logs record who reads and who writes, of all services and with nobody left out.",
        (AUDIT_CONFIG,),
        ("CIS-GCP-2.1",),
        demands={
            "service": equal("allServices", breaks=["storage.googleapis.com"]),
            "auditLogConfigs": judged([{"logType": "DATA_WRITE"}, {"logType": "DATA_READ"}]),
            "auditLogConfigs[*].exemptedMembers": absent(["user:web@example.com"]),
        },
        check=_records_everything,
    ),
    Rule(
        "sink-on",
        "A sink routes what it is for.",
        (SINK,),
        demands={"disabled": never("not be true", lambda value: value is True, True)},
    ),
    Rule(
        "sink-may-write",
        "The writer of a sink may write to its bucket, and nothing else there: otherwise nothing is kept, and nobody "
        "says so.",
        (SINK,),
        links=(
            Link(
                "a grant to its writer",
                BUCKET_MEMBER,
                "member",
                {"role": equal("roles/storage.objectCreator", breaks=["roles/storage.objectViewer"])},
            ),
        ),
        when=_goes_to_a_bucket,
        looks_around=True,
    ),
    Rule(
        "sink-lasts",
        "What a sink keeps in a bucket in staging and prod cannot be deleted for a month or longer.",
        (SINK,),
        ("CIS-GCP-2.3",),
        links=(
            Link(
                "a bucket that keeps it",
                BUCKET,
                "destination",
                {"retentionPolicy.retentionPeriod": _seconds(_MONTH)},
                outward=True,
            ),
        ),
        when=_goes_to_a_bucket,
        tiers=DURABLE,
    ),
    Rule(
        "orgpolicy-refuses",
        "A policy of the organization refuses something: one that allows everything takes away what stands above it.",
        (ORG_POLICY,),
        demands={
            "spec.rules": judged([{"enforce": "FALSE"}], [{"allowAll": "TRUE"}], needed=False),
            "dryRunSpec.rules": judged([{"enforce": "FALSE"}], needed=False),
        },
        check=_opens,
    ),
    Rule(
        "orgpolicy-enforced",
        "A policy of the organization holds, and is not only tried.",
        (ORG_POLICY,),
        demands={"spec.rules": given()},
        level=Level.ADVISORY,
    ),
    Rule(
        "perimeter-restricts-data",
        "A perimeter holds back the services that keep data.",
        (PERIMETER,),
        demands={
            "status.restrictedServices": judged(["storage.googleapis.com"]),
            "spec.restrictedServices": judged(["storage.googleapis.com"], needed=False),
        },
        check=_restricts_data,
    ),
    Rule(
        "perimeter-calls-inside",
        "Machines inside a perimeter call only what the perimeter names.",
        (PERIMETER,),
        demands={"status.vpcAccessibleServices.enableRestriction": judged(False)},
        check=_lets_nobody_unknown_in,
    ),
    Rule(
        "perimeter-known-identities",
        "A perimeter lets nobody in whom it does not name.",
        (PERIMETER,),
        demands={
            f"{side}.ingressPolicies[*].ingressFrom.identityType": never(
                "not be ANY_IDENTITY, ANY_USER_ACCOUNT or ANY_SERVICE_ACCOUNT",
                lambda value: str(value).startswith("ANY_"),
                "ANY_IDENTITY",
                "ANY_USER_ACCOUNT",
                "ANY_SERVICE_ACCOUNT",
            )
            for side in ("status", "spec")
        },
    ),
    Rule(
        "findings-notify",
        "Critical findings of Security Command Center are published to a topic and held until somebody reads them.",
        (FINDINGS,),
        demands={
            "streamingConfig.filter": Demand(
                "tell of what is critical",
                lambda value, _: value in _HIDDEN or _tells_the_worst(value),
                lambda _: ['state="ACTIVE" AND severity="LOW"'],
            )
        },
        links=(Link("a topic of this stack", TOPIC, "pubsubTopic", outward=True),),
        check=_is_heard,
        looks_around=True,
    ),
    Rule(
        "budget-warns",
        "A budget warns before it is spent, and when it will be.",
        (BUDGET,),
        demands={
            "thresholdRules": judged(
                [{"thresholdPercent": 0.5, "spendBasis": "CURRENT_SPEND"}],
                [{"thresholdPercent": 1.0}, {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"}],
            )
        },
        check=_warns,
    ),
    Rule(
        "budget-tells",
        "Somebody is told of a budget.",
        (BUDGET,),
        demands={"allUpdatesRule": judged({"disableDefaultIamRecipients": True}, needed=False)},
        check=_tells_someone,
    ),
    Rule(
        "project-os-login",
        "Who enters a machine of the project is known to IAM.",
        (METADATA,),
        ("CKV_GCP_33", "GCP-0042", "CIS-GCP-4.4"),
        demands={"value": equal("TRUE", "true", breaks=["FALSE"])},
        when=_is_os_login,
    ),
)
