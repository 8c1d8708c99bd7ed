"""What guards a project of Google Cloud."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.component import Component
from components.security.gcp_audit import GcpAuditLogs
from components.security.gcp_budget import GcpBudget
from components.security.gcp_findings import GcpFindingNotifications
from components.security.gcp_guards import CONSTRAINTS, GcpGuards
from components.security.gcp_perimeter import RESTRICTED_SERVICES, GcpServicePerimeter
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.google_baseline import (
    AUDIT,
    AUDIT_FULL,
    BUDGET,
    BUDGET_FULL,
    DEPLOYER,
    FINDINGS,
    FINDINGS_FULL,
    GUARDS,
    GUARDS_FULL,
    PERIMETER,
    PERIMETER_FULL,
)

BUDGET_TYPE = "gcp:billing/budget:Budget"
AUDIT_CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
NOTIFICATIONS = "gcp:securitycenter/v2ProjectNotificationConfig:V2ProjectNotificationConfig"
TOPIC = "gcp:pubsub/topic:Topic"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
POLICY = "gcp:orgpolicy/policy:Policy"
CONTACT = "gcp:essentialcontacts/contact:Contact"
METADATA = "gcp:compute/projectMetadataItem:ProjectMetadataItem"
PERIMETER_TYPE = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
LEVEL = "gcp:accesscontextmanager/accessLevel:AccessLevel"


def made(kind: Callable[..., Component], args: Any, name: str = "base", **changes: Any) -> Plan:
    return planned(lambda opts: kind(name, {**args, **changes}, opts))


def refused(kind: Callable[..., Component], args: Any, name: str = "base", **changes: Any) -> dict[str, str]:
    return remedies(lambda: kind(name, {**args, **changes}))


def waited_for(make: Callable[[pulumi.ResourceOptions], pulumi.Output[Any]]) -> set[str]:
    """The names of what somebody waits for who takes an output."""

    def program(opts: pulumi.ResourceOptions) -> None:
        other = pulumi.ResourceOptions(provider=gcp.Provider("other"))
        gcp.compute.Address("reader", name=make(opts).apply(str), region="europe-west3", opts=other)

    plan = planned(program)
    before = plan.waits_for(plan.of_type("gcp:compute/address:Address")[0].urn)
    return {f"{each.type.rpartition(':')[2]} {each.name}" for each in plan.resources if each.urn in before}


def conditions(plan: Plan) -> dict[str, str]:
    """The filters of alert policies on log entries, by name."""
    return {
        each.name.removeprefix("base-changes-"): each.inputs["conditions"][0]["conditionMatchedLog"]["filter"]
        for each in plan.of_type(ALERT)
    }


def policies(plan: Plan) -> dict[str, Any]:
    """The policies, by constraint."""
    return {each.inputs["name"].rpartition("/")[2]: each.inputs for each in plan.of_type(POLICY)}


def test_a_budget_is_about_the_project_and_a_month() -> None:
    budget = one(made(GcpBudget, BUDGET), BUDGET_TYPE)
    assert budget["budgetFilter"] == {"projects": ["projects/123456789012"], "calendarPeriod": "MONTH"}
    assert budget["amount"] == {"specifiedAmount": {"units": "500"}}


def test_a_budget_warns_before_it_is_spent_and_when_it_will_be() -> None:
    rules = one(made(GcpBudget, BUDGET), BUDGET_TYPE)["thresholdRules"]
    assert [(each["thresholdPercent"], each["spendBasis"]) for each in rules] == [
        (0.5, "CURRENT_SPEND"),
        (0.8, "CURRENT_SPEND"),
        (1.0, "CURRENT_SPEND"),
        (1.0, "FORECASTED_SPEND"),
    ]
    percent = [each["thresholdPercent"] for each in one(made(GcpBudget, BUDGET_FULL), BUDGET_TYPE)["thresholdRules"]]
    assert percent == [0.25, 0.9, 1.0]


def test_a_budget_tells_channels_a_topic_and_administrators() -> None:
    assert "allUpdatesRule" not in one(made(GcpBudget, BUDGET), BUDGET_TYPE), "Google takes no empty rule"
    budget = one(made(GcpBudget, BUDGET_FULL), BUDGET_TYPE)
    assert budget["allUpdatesRule"] == {
        "monitoringNotificationChannels": ["projects/plinth-123456/notificationChannels/2"],
        "pubsubTopic": "projects/plinth-123456/topics/costs",
        "schemaVersion": "1.0",
        "disableDefaultIamRecipients": True,
    }
    assert budget["amount"]["specifiedAmount"]["currencyCode"] == "EUR"


def test_a_budget_tells_five_channels_of_more_that_it_did_not_know_of() -> None:
    many = [f"projects/plinth-123456/notificationChannels/{i}" for i in range(7)]

    def program(opts: pulumi.ResourceOptions) -> None:
        GcpBudget("base", {**BUDGET, "channels": pulumi.Output.from_input(many)}, opts)

    budget = one(planned(program), BUDGET_TYPE)
    assert budget["allUpdatesRule"]["monitoringNotificationChannels"] == many[:5]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"billing_account": "billingAccounts/1"}, "billing_account", "XXXXXX"),
        ({"monthly_units": 0}, "monthly_units", "1 or more"),
        ({"currency": "euro"}, "currency", "EUR"),
        ({"thresholds": []}, "thresholds", "one percentage"),
        ({"thresholds": [0]}, "thresholds[0]", "1 to 1000"),
        ({"thresholds": [50, 50]}, "thresholds[1]", "twice"),
        ({"channels": ["c"] * 6}, "channels", "1 to 5"),
        ({"billing_administrators": False}, "billing_administrators", "nobody is told"),
    ],
)
def test_bad_args_of_a_budget_are_refused(changes: dict[str, Any], path: str, words: str) -> None:
    assert words in refused(GcpBudget, BUDGET, **changes)[path]


def test_everything_is_recorded_of_everyone() -> None:
    config = one(made(GcpAuditLogs, AUDIT), AUDIT_CONFIG)
    assert config["service"] == "allServices"
    assert config["auditLogConfigs"] == [{"logType": each} for each in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")]


def test_the_record_is_kept_in_a_bucket_from_which_nobody_deletes_for_a_year() -> None:
    plan = made(GcpAuditLogs, AUDIT)
    bucket = one(plan, BUCKET)
    assert bucket["retentionPolicy"]["retentionPeriod"] == str(365 * 86400)
    assert bucket["encryption"]["defaultKmsKeyName"] == AUDIT["key_name"]
    sink = plan.of_type(SINK)[0]
    assert sink.inputs["destination"] == "storage.googleapis.com/base-1234567"
    assert sink.inputs["filter"] == 'logName:"cloudaudit.googleapis.com"'
    assert (sink.protect, sink.inputs["deletionPolicy"]) == (True, "PREVENT")


def test_the_sink_may_write_to_its_bucket() -> None:
    plan = made(GcpAuditLogs, AUDIT)
    writer = one(plan, BUCKET_MEMBER)
    assert writer == {
        "bucket": "base-1234567",
        "role": "roles/storage.objectCreator",
        "member": "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com",
    }
    before = waited_for(lambda opts: GcpAuditLogs("base", AUDIT, opts).bucket)
    assert {"BucketIAMMember base-writer", "ProjectSink base", "IAMAuditConfig base"} <= before


def test_a_record_can_be_taken_down_where_it_may() -> None:
    plan = made(GcpAuditLogs, AUDIT_FULL)
    bucket, sink = plan.of_type(BUCKET)[0], plan.of_type(SINK)[0]
    assert "retentionPolicy" not in bucket.inputs
    assert (bucket.protect, bucket.inputs["forceDestroy"], bucket.inputs["deletionPolicy"]) == (False, True, "DELETE")
    assert (sink.protect, sink.inputs["deletionPolicy"]) == (False, "DELETE")


def test_a_record_can_be_of_all_logs_and_in_two_regions() -> None:
    plan = made(GcpAuditLogs, AUDIT_FULL)
    assert "filter" not in one(plan, SINK)
    assert one(plan, BUCKET)["customPlacementConfig"] == {"dataLocations": ["EUROPE-WEST3", "EUROPE-WEST4"]}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("audit-ownership", "roles/owner"),
        ("audit-configuration", "auditConfigDeltas:*"),
        ("audit-roles", "google\\.iam\\.admin\\.v1\\."),
        ("audit-firewall", "networkFirewallPolicies"),
        ("audit-routes", "routes\\.insert"),
        ("audit-networks", "removePeering"),
        ("audit-buckets", "storage.setIamPermissions"),
        ("audit-databases", "cloudsql\\.instances\\."),
        ("audit-sink", 'protoPayload.resourceName = "projects/plinth-123456/sinks/base-1234567"'),
    ],
)
def test_somebody_hears_of_changes(key: str, words: str) -> None:
    plan = made(GcpAuditLogs, AUDIT)
    assert words in conditions(plan)[key]
    assert conditions(plan)[key].lstrip("(").startswith('log_id("cloudaudit.googleapis.com/activity")'), "not of reads"
    assert one(plan, ALERT, f"base-changes-{key}")["notificationChannels"]


def test_what_lets_somebody_take_over_calls_somebody() -> None:
    found = {each.name: each.inputs["severity"] for each in made(GcpAuditLogs, AUDIT).of_type(ALERT)}
    critical = {name.removeprefix("base-changes-") for name, severity in found.items() if severity == "CRITICAL"}
    assert critical == {"audit-ownership", "audit-configuration", "audit-sink"}


def test_deployments_are_expected_to_change_what_they_make_and_nothing_else() -> None:
    plan = made(GcpAuditLogs, AUDIT_FULL)
    left_out = f'NOT protoPayload.authenticationInfo.principalEmail = ("{DEPLOYER}")'
    assert {key for key, text in conditions(plan).items() if left_out in text} == {
        "audit-firewall",
        "audit-routes",
        "audit-networks",
        "audit-buckets",
        "audit-databases",
    }
    assert not [text for text in conditions(made(GcpAuditLogs, AUDIT)).values() if "NOT" in text]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"keep_days": 90, "lock_days": 0}, "keep_days", "more than archive_after_days, 90"),
        ({"keep_days": 100}, "keep_days", "lock_days, 365"),
        ({"data_locations": ["europe-west3"]}, "data_locations", "two regions"),
        ({"deployers": ["web"]}, "deployers[0]", "address"),
        ({"deployers": [DEPLOYER, DEPLOYER]}, "deployers[1]", "twice"),
        ({"name": "google-audit"}, "name", "do not say google"),
    ],
)
def test_bad_args_of_a_record_are_refused(changes: dict[str, Any], path: str, words: str) -> None:
    assert words in refused(GcpAuditLogs, AUDIT, **changes)[path]


def test_severe_findings_that_are_active_are_told() -> None:
    config = one(made(GcpFindingNotifications, FINDINGS), NOTIFICATIONS)
    assert config["streamingConfig"] == {
        "filter": 'state="ACTIVE" AND (severity="CRITICAL" OR severity="HIGH")',
    }
    assert config["pubsubTopic"] == "projects/plinth-123456/topics/base-found"
    filtered = one(made(GcpFindingNotifications, FINDINGS_FULL), NOTIFICATIONS)["streamingConfig"]["filter"]
    assert filtered == 'state="ACTIVE" AND (severity="CRITICAL")'


def test_security_command_center_may_publish_before_it_tries() -> None:
    plan = made(GcpFindingNotifications, FINDINGS)
    member = next(each for each in plan.of_type(TOPIC_MEMBER) if each.name == "base-publisher")
    agent = "serviceAccount:service-123456789012@gcp-sa-scc-notification.iam.gserviceaccount.com"
    assert (member.inputs["member"], member.inputs["role"]) == (agent, "roles/pubsub.publisher")
    assert member.urn in plan.waits_for(plan.of_type(NOTIFICATIONS)[0].urn)


def test_findings_wait_encrypted_until_somebody_reads_them() -> None:
    plan = made(GcpFindingNotifications, FINDINGS)
    findings = one(plan, SUBSCRIPTION, "base-findings")
    assert findings["expirationPolicy"] == {"ttl": ""}
    assert findings["messageRetentionDuration"] == f"{31 * 86400}s"
    assert {each.inputs["kmsKeyName"] for each in plan.of_type(TOPIC)} == {FINDINGS["key_name"]}
    assert all(each.protect for each in (*plan.of_type(TOPIC), *plan.of_type(SUBSCRIPTION)))
    unprotected = made(GcpFindingNotifications, FINDINGS_FULL)
    assert not any(each.protect for each in (*unprotected.of_type(TOPIC), *unprotected.of_type(SUBSCRIPTION)))


@pytest.mark.parametrize(("key", "held"), [("waiting", "base-findings"), ("unread", "base-findings-dead")])
def test_somebody_is_called_as_long_as_a_finding_waits(key: str, held: str) -> None:
    alert = one(made(GcpFindingNotifications, FINDINGS), ALERT, f"base-waiting-findings-{key}")
    assert alert["severity"] == "CRITICAL"
    assert alert["notificationChannels"] == ["projects/plinth-123456/notificationChannels/1"]
    (condition,) = (each["conditionThreshold"] for each in alert["conditions"])
    assert f'resource.labels.subscription_id = "{held}"' in condition["filter"]
    assert (condition["comparison"], condition["thresholdValue"]) == ("COMPARISON_GT", 0)


def test_bad_args_of_findings_are_refused() -> None:
    kind = GcpFindingNotifications
    assert "did you mean" in refused(kind, FINDINGS, severities=["CRITCAL"])["severities"]
    assert "otherwise nothing" in refused(kind, FINDINGS, severities=[])["severities"]
    assert "each once" in refused(kind, FINDINGS, severities=["HIGH", "HIGH"])["severities"]
    assert "not goog" in refused(kind, FINDINGS, name="goog")["name"]


def test_a_project_refuses_what_every_project_refuses() -> None:
    found = policies(made(GcpGuards, GUARDS))
    assert set(found) == {*CONSTRAINTS, "gcp.resourceLocations"}
    for constraint, policy in found.items():
        assert policy["parent"] == "projects/plinth-123456"
        assert "dryRunSpec" not in policy
        (rule,) = policy["spec"]["rules"]
        assert "FALSE" not in rule.values(), constraint
    assert found["compute.requireOsLogin"]["spec"]["rules"] == [{"enforce": "TRUE"}]
    assert found["compute.vmExternalIpAccess"]["spec"]["rules"] == [{"denyAll": "TRUE"}]
    assert found["gcp.restrictTLSVersion"]["spec"]["rules"] == [
        {"values": {"deniedValues": ["TLS_VERSION_1", "TLS_VERSION_1_1"]}}
    ]


def test_each_constraint_says_why() -> None:
    assert all(constraint.reason.endswith(".") for constraint in CONSTRAINTS.values())


def test_data_stands_where_it_may() -> None:
    for args, allowed in (
        (GUARDS, ["in:eu-locations", "is:europe"]),
        (GUARDS_FULL, ["in:europe-west3-locations", "in:europe-west4-locations"]),
    ):
        (rule,) = policies(made(GcpGuards, args))["gcp.resourceLocations"]["spec"]["rules"]
        assert rule == {"values": {"allowedValues": allowed}}


def test_strangers_are_granted_nothing_where_the_organization_is_named() -> None:
    assert "iam.allowedPolicyMemberDomains" not in policies(made(GcpGuards, GUARDS))
    (rule,) = policies(made(GcpGuards, GUARDS_FULL))["iam.allowedPolicyMemberDomains"]["spec"]["rules"]
    assert rule["values"]["allowedValues"] == [
        "is:C03xgje4y",
        "is:principalSet://iam.googleapis.com/organizations/123456789012",
    ]


def test_exceptions_are_left_out() -> None:
    assert set(policies(made(GcpGuards, GUARDS))) - set(policies(made(GcpGuards, GUARDS_FULL))) == {
        "compute.vmExternalIpAccess"
    }


def test_a_dry_run_refuses_nothing_and_asks_for_what_google_can_try() -> None:
    found = policies(made(GcpGuards, GUARDS, dry_run=True))
    assert all("spec" not in each and each["dryRunSpec"]["rules"] for each in found.values())
    assert set(found) == {each.tried for each in CONSTRAINTS.values() if each.tried}
    assert "iam.disableServiceAccountKeyCreation" not in found, "Google refuses to try this one"


def test_people_enter_machines_as_iam_knows_them() -> None:
    assert one(made(GcpGuards, GUARDS), METADATA) == {
        "project": "plinth-123456",
        "key": "enable-oslogin",
        "value": "TRUE",
    }


def test_google_knows_whom_to_tell() -> None:
    plan = made(GcpGuards, GUARDS_FULL)
    contact = one(plan, CONTACT)
    assert contact["email"] == "security@example.com"
    assert contact["languageTag"] == "de"
    # As Google gives them back: any other order would be a change for ever.
    assert contact["notificationCategorySubscriptions"] == ["SUSPENSION", "SECURITY", "TECHNICAL", "LEGAL"]
    assert "example" not in plan.of_type(CONTACT)[0].name


def test_constraints_are_known_once_they_hold() -> None:
    before = waited_for(lambda opts: GcpGuards("base", GUARDS, opts).constraints)
    assert len([each for each in before if each.startswith("Policy ")]) == len(CONSTRAINTS) + 1


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"locations": []}, "locations", "one or more"),
        ({"locations": ["Frankfurt"]}, "locations", "which Frankfurt is not"),
        ({"locations": ["is:Europe"]}, "locations", "which is:Europe is not"),
        ({"contacts": []}, "contacts", "nobody hears"),
        ({"contacts": ["web"]}, "contacts[0]", "e-mail"),
        ({"contacts": ["a@b.de", "a@b.de"]}, "contacts[1]", "twice"),
        ({"members": ["example.com"]}, "members[0]", "customer id"),
        ({"language": "German"}, "language", "de"),
        ({"exceptions": {"sql.restrictPublicIP": "x"}}, "exceptions.sql.restrictPublicIP", "sql.restrictPublicIp"),
        ({"exceptions": {"sql.restrictPublicIp": " "}}, "exceptions.sql.restrictPublicIp", "say why"),
    ],
)
def test_bad_args_of_guards_are_refused(changes: dict[str, Any], path: str, words: str) -> None:
    assert words in refused(GcpGuards, GUARDS, **changes)[path]


def test_a_perimeter_is_tried_first() -> None:
    perimeter = one(made(GcpServicePerimeter, PERIMETER), PERIMETER_TYPE)
    assert "status" not in perimeter
    assert perimeter["useExplicitDryRunSpec"] is True
    assert perimeter["spec"]["restrictedServices"] == list(RESTRICTED_SERVICES)


def test_a_perimeter_refuses_once_it_is_enforced() -> None:
    tried = one(made(GcpServicePerimeter, PERIMETER_FULL, enforced=False), PERIMETER_TYPE)
    enforced = one(made(GcpServicePerimeter, PERIMETER_FULL), PERIMETER_TYPE)
    assert "spec" not in enforced
    assert enforced["useExplicitDryRunSpec"] is False
    assert enforced["status"] == tried["spec"], "what was tried is what holds"


def test_a_perimeter_is_around_the_projects_by_their_numbers() -> None:
    perimeter = one(made(GcpServicePerimeter, PERIMETER_FULL), PERIMETER_TYPE)
    assert perimeter["status"]["resources"] == ["projects/123456789012", "projects/210987654321"]
    assert perimeter["name"] == "accessPolicies/987654321098/servicePerimeters/base"


def test_machines_inside_call_what_the_perimeter_names() -> None:
    assert one(made(GcpServicePerimeter, PERIMETER_FULL), PERIMETER_TYPE)["status"]["vpcAccessibleServices"] == {
        "enableRestriction": True,
        "allowedServices": ["RESTRICTED-SERVICES", "oauth2.googleapis.com"],
    }


def test_known_addresses_and_identities_come_in_and_nobody_else() -> None:
    plan = made(GcpServicePerimeter, PERIMETER_FULL)
    level = one(plan, LEVEL)
    assert level["basic"] == {"conditions": [{"ipSubnetworks": ["203.0.113.0/24"]}]}
    border = one(plan, PERIMETER_TYPE)["status"]
    assert border["accessLevels"] == ["accessPolicies/987654321098/accessLevels/base"]
    (policy,) = border["ingressPolicies"]
    assert policy["ingressFrom"]["identities"] == [f"serviceAccount:{DEPLOYER}"]
    assert "identityType" not in policy["ingressFrom"]
    closed = made(GcpServicePerimeter, PERIMETER)
    assert closed.of_type(LEVEL) == []
    assert not {"accessLevels", "ingressPolicies"} & set(one(closed, PERIMETER_TYPE)["spec"])


def test_a_perimeter_has_an_id_that_google_takes() -> None:
    plan = made(GcpServicePerimeter, PERIMETER, name="shop-data")
    assert one(plan, PERIMETER_TYPE)["name"].endswith("/shop_data")
    assert one(plan, PERIMETER_TYPE)["title"] == "shop-data"


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"access_policy": "accessPolicies/1"}, "access_policy", "number"),
        ({"other_projects": ["shop"]}, "other_projects[0]", "number"),
        ({"other_projects": ["123456789012"]}, "other_projects[0]", "inside already"),
        ({"services": []}, "services", "one or more"),
        ({"services": ["storage"]}, "services[0]", "name of its API"),
        ({"accessible_services": ["oauth2"]}, "accessible_services[0]", "name of its API"),
        ({"allowed_identities": ["web@example.com"]}, "allowed_identities[0]", "serviceAccount:"),
        ({"allowed_cidrs": ["203.0.113.1/24"]}, "allowed_cidrs[0]", "without bits of a host"),
        ({"allowed_cidrs": ["0.0.0.0/0"]}, "allowed_cidrs[0]", "most of the internet"),
        ({"allowed_cidrs": ["10.1.0.0/16"]}, "allowed_cidrs[0]", "private"),
        ({"name": "1st"}, "name", "letter first"),
        ({"name": "p" * 43}, "name", "use 42 or fewer"),
    ],
)
def test_bad_args_of_a_perimeter_are_refused(changes: dict[str, Any], path: str, words: str) -> None:
    assert words in refused(GcpServicePerimeter, PERIMETER, **changes)[path]
