"""Baseline on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from ...breaking import Break, changed, without
from ...sketch import GOOGLE, PROJECT, Sketch

KEY = f"projects/{PROJECT}/locations/{GOOGLE}/keyRings/ring/cryptoKeys/audit"
SERVICES = [f"{each}.googleapis.com" for each in ("pubsub", "secretmanager", "sqladmin", "storage")]
BORDER = {
    "resources": ["projects/123456789012"],
    "restrictedServices": SERVICES,
    "vpcAccessibleServices": {"enableRestriction": True, "allowedServices": ["RESTRICTED-SERVICES"]},
    "ingressPolicies": [{"ingressFrom": {"identities": ["user:web@example.com"]}}],
}
LOG_TYPES = [{"logType": each} for each in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")]
THRESHOLDS = [
    {"thresholdPercent": 0.5, "spendBasis": "CURRENT_SPEND"},
    {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"},
]
MAIN = 'assertion.repository == "shop/infrastructure"'


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack."""
    provider = {
        "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": MAIN,
    }
    _add(sketch, "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", "google-github", provider)
    recorded = {"service": "allServices", "auditLogConfigs": LOG_TYPES}
    _add(sketch, "gcp:projects/iAMAuditConfig:IAMAuditConfig", "google-audit", recorded)
    _sink(sketch)
    held = {"parent": f"projects/{PROJECT}", "spec": {"rules": [{"enforce": "TRUE"}]}}
    _add(sketch, "gcp:orgpolicy/policy:Policy", "google-guard", held)
    perimeter = {"parent": "accessPolicies/1234567", "status": BORDER, "spec": BORDER, "useExplicitDryRunSpec": True}
    _add(sketch, "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter", "google-perimeter", perimeter)
    _findings(sketch)
    budget = {"thresholdRules": THRESHOLDS, "allUpdatesRule": {"pubsubTopic": "costs"}}
    _add(sketch, "gcp:billing/budget:Budget", "google-budget", budget)
    os_login = {"key": "enable-oslogin", "value": "TRUE"}
    _add(sketch, "gcp:compute/projectMetadataItem:ProjectMetadataItem", "google-oslogin", os_login)


def _add(sketch: Sketch, type_: str, name: str, inputs: dict[str, Any], **more: Any) -> None:
    sketch.add(type_, name, inputs, provider=GOOGLE, **more)


def _sink(sketch: Sketch) -> None:
    kept = {
        "location": "EU",
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "versioning": {"enabled": True},
        "encryption": {"defaultKmsKeyName": KEY},
        "softDeletePolicy": {"retentionDurationSeconds": 90 * 86400},
        "retentionPolicy": {"retentionPeriod": str(365 * 86400), "isLocked": False},
        "lifecycleRules": [
            {"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 90}},
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
        ],
        "forceDestroy": False,
        "deletionPolicy": "PREVENT",
    }
    _add(sketch, "gcp:storage/bucket:Bucket", "google-audited", kept, protect=True)
    sink = {"project": PROJECT, "destination": "storage.googleapis.com/audited"}
    to = {"destination": "google-audited"}
    _add(sketch, "gcp:logging/projectSink:ProjectSink", "google-sink", sink, to=to)
    grant = {"role": "roles/storage.objectCreator"}
    writer = {"member": "google-sink", "bucket": "google-audited"}
    _add(sketch, "gcp:storage/bucketIAMMember:BucketIAMMember", "google-sink-writer", grant, to=writer)


def _findings(sketch: Sketch) -> None:
    """The topic holds dead letters of nobody: a subscription that keeps findings needs no more."""
    topic = {"kmsKeyName": KEY, "messageStoragePolicy": {"allowedPersistenceRegions": [GOOGLE]}}
    topic |= {"deletionPolicy": "PREVENT"}
    for name in ("google-found", "google-found-dead"):
        _add(sketch, "gcp:pubsub/topic:Topic", name, topic, protect=True)
    agent = {"member": "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"}
    finder = {"member": "serviceAccount:service-123456789012@gcp-sa-scc-notification.iam.gserviceaccount.com"}
    publisher = {"role": "roles/pubsub.publisher"}
    grant = "gcp:pubsub/topicIAMMember:TopicIAMMember"
    _add(sketch, grant, "google-found-publisher", finder | publisher, to={"topic": "google-found"})
    _add(sketch, grant, "google-found-mover", agent | publisher, to={"topic": "google-found-dead"})
    held = {
        "messageRetentionDuration": "2678400s",
        "expirationPolicy": {"ttl": ""},
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "deletionPolicy": "PREVENT",
    }
    kind = "gcp:pubsub/subscription:Subscription"
    _add(sketch, kind, "google-found-kept", held, to={"topic": "google-found-dead"}, protect=True)
    dead = {"deadLetterPolicy": {"deadLetterTopic": "[unknown]", "maxDeliveryAttempts": 5}}
    to = {"topic": "google-found", "deadLetterPolicy": "google-found-dead"}
    _add(sketch, kind, "google-findings", held | dead, to=to, protect=True)
    taker = agent | {"role": "roles/pubsub.subscriber"}
    member = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
    _add(sketch, member, "google-findings-mover", taker, to={"subscription": "google-findings"})
    told = {"streamingConfig": {"filter": 'state="ACTIVE" AND (severity="CRITICAL" OR severity="HIGH")'}}
    config = "gcp:securitycenter/v2ProjectNotificationConfig:V2ProjectNotificationConfig"
    _add(sketch, config, "google-told-findings", told, to={"pubsubTopic": "google-found"})


def bordered(**border: Any) -> Break:
    """Break a stack by another border of its perimeter."""
    return changed("google-perimeter", status={**BORDER, **border})


def trusting(condition: str) -> Break:
    """Break a stack by letting in other tokens of GitHub."""
    return changed("google-github", attributeCondition=condition)


def letting_in(identity_type: str, side: str = "status") -> Break:
    """Break a stack by letting anybody into its perimeter."""
    policies = [{"ingressFrom": {"identityType": identity_type}}]
    return changed("google-perimeter", **{side: {**BORDER, "ingressPolicies": policies}})


BREAKS: dict[str, list[Break]] = {
    "wif-restricted": [
        changed("google-github", attributeCondition=None),
        changed("google-github", attributeCondition=""),
        changed("google-github", attributeMapping=None),
    ],
    "wif-pins-repository": [
        trusting('assertion.repository_owner == "shop"'),
        trusting('assertion.repository.startsWith("shop/")'),
        trusting(f'{MAIN} || assertion.actor == "web"'),
        trusting('assertion.repository == "*"'),
    ],
    "audit-config-complete": [
        *(
            changed("google-audit", auditLogConfigs=[each for each in LOG_TYPES if each != left_out])
            for left_out in LOG_TYPES
        ),
        changed("google-audit", auditLogConfigs=None),
        changed("google-audit", auditLogConfigs=[{**each, "exemptedMembers": ["user:a@b.c"]} for each in LOG_TYPES]),
        changed("google-audit", service="storage.googleapis.com"),
    ],
    "sink-on": [changed("google-sink", disabled=True)],
    "sink-may-write": [
        without("google-sink-writer"),
        changed("google-sink-writer", member="user:web@example.com"),
        changed("google-sink-writer", role="roles/storage.objectViewer"),
    ],
    "sink-lasts": [
        without("google-audited"),
        changed("google-audited", retentionPolicy=None),
        changed("google-audited", retentionPolicy={"retentionPeriod": "86400"}),
    ],
    "orgpolicy-refuses": [
        changed("google-guard", spec={"rules": [{"enforce": "FALSE"}]}),
        changed("google-guard", spec={"rules": [{"allowAll": "TRUE"}]}),
        changed("google-guard", dryRunSpec={"rules": [{"enforce": "FALSE"}]}),
    ],
    "orgpolicy-enforced": [
        changed("google-guard", spec=None, dryRunSpec={"rules": [{"enforce": "TRUE"}]}),
        changed("google-guard", spec={"rules": []}),
    ],
    "perimeter-restricts-data": [
        *(bordered(restrictedServices=[each for each in SERVICES if each != left_out]) for left_out in SERVICES),
        bordered(restrictedServices=[]),
        changed("google-perimeter", status=None, spec=None),
        changed("google-perimeter", spec={**BORDER, "restrictedServices": SERVICES[:1]}),
    ],
    "perimeter-calls-inside": [
        bordered(vpcAccessibleServices={"enableRestriction": False}),
        bordered(vpcAccessibleServices={}),
        changed("google-perimeter", spec={**BORDER, "vpcAccessibleServices": {}}),
    ],
    "perimeter-known-identities": [
        letting_in("ANY_IDENTITY"),
        letting_in("ANY_SERVICE_ACCOUNT"),
        letting_in("ANY_USER_ACCOUNT", "spec"),
    ],
    "findings-notify": [
        changed("google-told-findings", streamingConfig={"filter": 'severity="LOW"'}),
        changed("google-told-findings", streamingConfig=None),
        changed("google-told-findings", pubsubTopic=None),
        without("google-found-publisher"),
        changed("google-found-publisher", role="roles/pubsub.viewer"),
        changed("google-findings", topic="another"),
    ],
    "budget-warns": [
        changed("google-budget", thresholdRules=None),
        changed("google-budget", thresholdRules=THRESHOLDS[:1]),
        changed("google-budget", thresholdRules=THRESHOLDS[1:]),
        changed("google-budget", thresholdRules=[{"thresholdPercent": 1.0}, THRESHOLDS[1]]),
    ],
    "budget-tells": [changed("google-budget", allUpdatesRule={"disableDefaultIamRecipients": True})],
    "project-os-login": [
        changed("google-oslogin", value="FALSE"),
        changed("google-oslogin", value=None),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
