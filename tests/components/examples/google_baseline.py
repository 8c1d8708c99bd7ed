"""The baseline of a project on Google Cloud."""

from components.observability.cloudmonitoring import Channels
from components.security.gcp_audit import GcpAuditLogs, GcpAuditLogsArgs
from components.security.gcp_budget import GcpBudget, GcpBudgetArgs
from components.security.gcp_findings import GcpFindingNotifications, GcpFindingNotificationsArgs
from components.security.gcp_github import GithubWorkloadIdentity, GithubWorkloadIdentityArgs
from components.security.gcp_guards import GcpGuards, GcpGuardsArgs
from components.security.gcp_perimeter import GcpServicePerimeter, GcpServicePerimeterArgs

from .shared import GOOGLE, GOOGLE_KEY, Examples

CHANNELS: Channels = {
    "critical": ["projects/plinth-123456/notificationChannels/1"],
    "warning": ["projects/plinth-123456/notificationChannels/2"],
}
DEPLOYER = "shop-deploy-prod@plinth-123456.iam.gserviceaccount.com"
GITHUB: GithubWorkloadIdentityArgs = {
    "scope": GOOGLE,
    "repository": "shop/Infrastructure",
    "account_prefix": "shop",
}
GITHUB_FULL: GithubWorkloadIdentityArgs = {
    **GITHUB,
    "repository_ids": {"owner": "123", "repository": "456"},
    "branch": "release/1.0",
    "environments": ["dev", "prod"],
    "preview_roles": ["roles/browser", "roles/pubsub.viewer"],
    "deploy_roles": ["roles/pubsub.admin"],
    "granted_roles": ["roles/cloudsql.client", "projects/plinth-123456/roles/keeper"],
    "state_bucket": "state-1234567",
}
BUDGET: GcpBudgetArgs = {"scope": GOOGLE, "billing_account": "012345-6789AB-CDEF01", "monthly_units": 500}
BUDGET_FULL: GcpBudgetArgs = {
    **BUDGET,
    "currency": "EUR",
    "thresholds": [25, 90],
    "channels": ["projects/plinth-123456/notificationChannels/2"],
    "topic": "projects/plinth-123456/topics/costs",
    "billing_administrators": False,
}
AUDIT: GcpAuditLogsArgs = {"scope": GOOGLE, "key_name": GOOGLE_KEY, "channels": CHANNELS}
AUDIT_FULL: GcpAuditLogsArgs = {
    **AUDIT,
    "deployers": [DEPLOYER],
    "all_logs": True,
    "key_name": "projects/plinth-123456/locations/europe/keyRings/ring/cryptoKeys/audit",
    "data_locations": ["europe-west3", "europe-west4"],
    "archive_after_days": 30,
    "keep_days": 400,
    "lock_days": 0,
    "protect": False,
    "delete_contents": True,
}
FINDINGS: GcpFindingNotificationsArgs = {"scope": GOOGLE, "key_name": GOOGLE_KEY, "channels": CHANNELS}
FINDINGS_FULL: GcpFindingNotificationsArgs = {**FINDINGS, "severities": ["CRITICAL"], "protect": False}
GUARDS: GcpGuardsArgs = {
    "scope": GOOGLE,
    "locations": ["in:eu-locations", "is:europe"],
    "contacts": ["security@example.com"],
}
GUARDS_FULL: GcpGuardsArgs = {
    **GUARDS,
    "locations": ["europe-west3", "europe-west4"],
    "language": "de",
    "members": ["C03xgje4y", "principalSet://iam.googleapis.com/organizations/123456789012"],
    "exceptions": {"compute.vmExternalIpAccess": "One appliance has an address until it is replaced"},
}
PERIMETER: GcpServicePerimeterArgs = {"scope": GOOGLE, "access_policy": "987654321098"}
PERIMETER_FULL: GcpServicePerimeterArgs = {
    **PERIMETER,
    "other_projects": ["210987654321"],
    "services": [
        "pubsub.googleapis.com",
        "secretmanager.googleapis.com",
        "sqladmin.googleapis.com",
        "storage.googleapis.com",
    ],
    "accessible_services": ["oauth2.googleapis.com"],
    "allowed_cidrs": ["203.0.113.0/24"],
    "allowed_identities": [f"serviceAccount:{DEPLOYER}"],
    "enforced": True,
}

EXAMPLES: Examples = {
    GithubWorkloadIdentity: [
        lambda name, opts: GithubWorkloadIdentity(name, GITHUB, opts),
        lambda name, opts: GithubWorkloadIdentity(name, GITHUB_FULL, opts),
    ],
    GcpBudget: [
        lambda name, opts: GcpBudget(name, BUDGET, opts),
        lambda name, opts: GcpBudget(name, BUDGET_FULL, opts),
    ],
    GcpAuditLogs: [
        lambda name, opts: GcpAuditLogs(name, AUDIT, opts),
        lambda name, opts: GcpAuditLogs(name, AUDIT_FULL, opts),
    ],
    GcpFindingNotifications: [
        lambda name, opts: GcpFindingNotifications(name, FINDINGS, opts),
        lambda name, opts: GcpFindingNotifications(name, FINDINGS_FULL, opts),
    ],
    GcpGuards: [
        lambda name, opts: GcpGuards(name, GUARDS, opts),
        lambda name, opts: GcpGuards(name, GUARDS_FULL, opts),
        lambda name, opts: GcpGuards(name, {**GUARDS, "dry_run": True}, opts),
    ],
    GcpServicePerimeter: [
        lambda name, opts: GcpServicePerimeter(name, PERIMETER, opts),
        lambda name, opts: GcpServicePerimeter(name, PERIMETER_FULL, opts),
    ],
}
