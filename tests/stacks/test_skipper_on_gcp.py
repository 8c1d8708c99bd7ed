"""Skipper's Google form, row by row: each part and each protection that it names is there."""

from collections.abc import Callable

import pytest

from policy.catalogue import RULES, judge
from policy.rules.rule import Stack
from preview.plan import Plan

from ..support import known_plan, one

STACKS = ("skipper-gcp-dev", "skipper-gcp-prod")
CLUSTER = "gcp:container/cluster:Cluster"
DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET = "gcp:storage/bucket:Bucket"


@pytest.fixture(scope="module", params=STACKS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return known_plan(request.param)


@pytest.fixture(scope="module")
def prod() -> Plan:
    return known_plan("skipper-gcp-prod")


@pytest.fixture(scope="module")
def account() -> Plan:
    return known_plan("account-gcp")


def primaries(plan: Plan) -> list[dict[str, object]]:
    return [each.inputs for each in plan.of_type(DATABASE) if "masterInstanceName" not in each.inputs]


def stores(plan: Plan) -> list[str]:
    return [each.name for each in plan.of_type(BUCKET)]


PARTS: dict[str, Callable[[Plan], object]] = {
    # On Google Cloud a subnet is public where machines have addresses of their own: what is public here is the load
    # balancer, in front of machines that have none.
    "VPC with public and private subnets": lambda plan: (
        one(plan, "gcp:compute/network:Network")["autoCreateSubnetworks"] is False
        and len(plan.of_type("gcp:compute/subnetwork:Subnetwork")) >= 2
        and one(plan, CLUSTER)["privateClusterConfig"]["enablePrivateNodes"]
        and plan.of_type("gcp:compute/globalForwardingRule:GlobalForwardingRule")
    ),
    "GKE cluster": lambda plan: plan.of_type("gcp:container/nodePool:NodePool") and one(plan, CLUSTER),
    "Cloud SQL PostgreSQL": lambda plan: str(primaries(plan)[0]["databaseVersion"]).startswith("POSTGRES_"),
    "Pub/Sub as message broker": lambda plan: (
        plan.of_type("gcp:pubsub/topic:Topic") and plan.of_type("gcp:pubsub/subscription:Subscription")
    ),
    "Memorystore": lambda plan: one(plan, "gcp:memorystore/instance:Instance")["engineVersion"].startswith("VALKEY_"),
    "Cloud Storage for the event store": lambda plan: any(name.endswith("-events") for name in stores(plan)),
    "Secret Manager": lambda plan: (
        {"plinth:index:CloudSqlPostgres", "plinth:index:MemorystoreValkey", "plinth:index:GcpGeneratedSecret"}
        <= {each.type for each in plan.resources if secrets_below(plan, each.urn)}
    ),
    "Cloud Monitoring": lambda plan: (
        plan.of_type("gcp:monitoring/alertPolicy:AlertPolicy")
        and plan.of_type("gcp:monitoring/slo:Slo")
        and plan.of_type("gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig")
        and one(plan, "gcp:monitoring/dashboard:Dashboard")
        and plan.of_type("gcp:monitoring/notificationChannel:NotificationChannel")
    ),
}
"""The infrastructure components that the system has on Google Cloud, and what of a plan is each."""


def secrets_below(plan: Plan, urn: str) -> bool:
    return any(each.type == "gcp:secretmanager/secret:Secret" for each in plan.below(urn))


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_there(plan: Plan, part: str) -> None:
    assert PARTS[part](plan)


ENVIRONMENT, ACCOUNT = STACKS, ("account-gcp",)
SECURITY: dict[str, tuple[tuple[str, ...], set[str], str]] = {
    "IAM roles: least privilege": (
        ENVIRONMENT,
        {"gcp-iam-no-basic-role", "gcp-iam-no-public", "gcp-iam-additive", "gcp-iam-project-grants"},
        "plinth:index:GcpServiceAccount",
    ),
    "KMS encryption: data at rest": (
        ENVIRONMENT,
        {"gcp-kms-rotation", "cloudsql-encrypted", "gcs-encrypted", "gcp-secret-encrypted", "pubsub-encrypted"},
        "gcp:kms/cryptoKey:CryptoKey",
    ),
    "VPC Service Controls: data exfiltration": (
        ACCOUNT,
        {"perimeter-restricts-data", "perimeter-calls-inside", "perimeter-known-identities"},
        "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter",
    ),
    "Private networks: critical infrastructure": (
        ENVIRONMENT,
        {"cloudsql-private", "gke-private-nodes", "gcp-firewall-known-sources", "gcp-firewall-denies-last"},
        "gcp:servicenetworking/connection:Connection",
    ),
    "Cloud Armor: DDoS protection and WAF": (
        ENVIRONMENT,
        {"armor-attached", "armor-owasp", "armor-log4j", "armor-rate-limit"},
        "gcp:compute/securityPolicy:SecurityPolicy",
    ),
    "Security Command Center: threat detection": (
        ACCOUNT,
        {"findings-notify"},
        "gcp:securitycenter/v2ProjectNotificationConfig:V2ProjectNotificationConfig",
    ),
}
"""The security considerations on Google Cloud: the stacks that have each, the rules that keep it, and a type that it is
made of."""


@pytest.mark.parametrize(
    ("consideration", "stack"),
    [(consideration, stack) for consideration, (those, _, _) in SECURITY.items() for stack in those],
)
def test_each_security_consideration_is_there_and_kept_by_rules(consideration: str, stack: str) -> None:
    _, rules, type_ = SECURITY[consideration]
    plan = known_plan(stack)
    assert plan.of_type(type_)
    assert kept_in(plan, rules) == rules


def kept_in(plan: Plan, rules: set[str]) -> set[str]:
    """Those of the rules that are about something in the plan."""
    seen = Stack(plan.resources)
    return {
        rule.id
        for rule in RULES
        if rule.id in rules and any(rule.applies(each, seen) for each in seen.of_types(rule.types))
    }


def test_the_perimeter_is_tried_first_and_holds_what_keeps_data(account: Plan) -> None:
    perimeter = one(account, "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter")
    assert perimeter["useExplicitDryRunSpec"] is True
    assert {"storage.googleapis.com", "secretmanager.googleapis.com", "sqladmin.googleapis.com"} <= set(
        perimeter["spec"]["restrictedServices"]
    )


def test_no_policy_finds_fault(plan: Plan, account: Plan) -> None:
    assert [(each.rule, each.urn) for each in (*judge(plan), *judge(account))] == []


BACKUP: dict[str, Callable[[Plan], object]] = {
    "Database backups": lambda plan: all(
        each["settings"]["backupConfiguration"]["pointInTimeRecoveryEnabled"]  # pyright: ignore[reportIndexIssue]
        for each in primaries(plan)
    ),
    "Object storage versioning": lambda plan: all(
        each.inputs["versioning"]["enabled"] for each in plan.of_type(BUCKET) if not each.name.endswith("-access-logs")
    ),
    "Snapshot backups": lambda plan: (
        plan.of_type("gcp:gkebackup/backupPlan:BackupPlan")
        and plan.of_type("gcp:backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation")
        and one(plan, "gcp:memorystore/instance:Instance")["automatedBackupConfig"]
    ),
    "Disaster recovery": lambda plan: (
        [each for each in plan.of_type(DATABASE) if each.inputs["region"] == "europe-west4"]
        and any(each.inputs.get("customPlacementConfig") for each in plan.of_type(BUCKET))
        and [
            each
            for each in plan.of_type("gcp:gkebackup/backupPlan:BackupPlan")
            if each.inputs["location"] == "europe-west4"
        ]
    ),
    "Restore testing": lambda plan: (
        plan.of_type("gcp:cloudscheduler/job:Job") and plan.of_type("gcp:workflows/workflow:Workflow")
    ),
}
"""The backup strategy, and what of production's plan is each."""


@pytest.mark.parametrize("strategy", BACKUP)
def test_each_backup_is_there(prod: Plan, strategy: str) -> None:
    assert BACKUP[strategy](prod)


SCALING: dict[str, Callable[[Plan], object]] = {
    "Horizontal and automatic: machines come and go": lambda plan: all(
        each.inputs["autoscaling"]["totalMaxNodeCount"] > each.inputs["autoscaling"]["totalMinNodeCount"]
        for each in plan.of_type("gcp:container/nodePool:NodePool")
    ),
    "Regional deployments: more than one zone": lambda plan: len(one(plan, CLUSTER)["nodeLocations"]) >= 2,
    "Load balancing": lambda plan: plan.of_type("gcp:compute/backendService:BackendService"),
}
"""How it scales."""


@pytest.mark.parametrize("way", SCALING)
def test_each_way_of_scaling_is_there(plan: Plan, way: str) -> None:
    assert SCALING[way](plan)
