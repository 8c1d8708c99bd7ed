"""Whole stacks: what they ask for, and what they never do."""

import ast
import dataclasses
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.component import laid_over
from components.problems import InputError
from preview.judged import judged_plan
from preview.plan import STACK_TYPE, Plan
from preview.project import Configuration, PreviewError, configuration, stacks
from preview.record import plain
from stacks import model
from stacks.environments.aws_place import EMULATED
from stacks.model import (
    Backup,
    Broker,
    Cache,
    Exchange,
    Migrations,
    NodePool,
    ObjectStore,
    Part,
    Postgres,
    Queue,
    Resources,
    Route,
    Scaling,
    Secret,
    Service,
    System,
)
from stacks.reading import RESERVED_TAGS, values_of
from stacks.settings import ENVIRONMENTS, Cloud, load

from ..documents import WAYS, cloud_of, has_network
from ..support import PROGRAM, ROOT, SENTINEL, known, known_plan, one, previewed_plan, recorded
from . import reach_google
from .reach import ways

INSTANCE = "aws:rds/instance:Instance"
BUCKET = "aws:s3/bucket:Bucket"
CLUSTER = "aws:eks/cluster:Cluster"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
TYPES = ["c6i.large", "c6a.large", "c5.large"]


def changed(stack: str, **values: Any) -> Configuration:
    """A stack's configuration with other values; those under `aws` and `gcp` are laid over what is there."""
    given = configuration(ROOT, stack)
    merged = dict(given.values)
    for key, value in values.items():
        if key in ("aws", "gcp"):
            value = {**json.loads(merged.get(f"plinth:{key}", "{}")), **value}
        merged[f"plinth:{key}"] = value if isinstance(value, str) else json.dumps(value)
    return dataclasses.replace(given, values=merged)


def plan_of(stack: str, **values: Any) -> Plan:
    return recorded(PROGRAM, changed(stack, **values)).plan if values else previewed_plan(stack)


@pytest.mark.parametrize("stack", stacks(ROOT))
def test_urns_are_the_recorded_ones(stack: str) -> None:
    """A rename replaces what it names: it must be seen in a review, and needs an alias once there is a release.

    `make docs` writes the lists.
    """
    urns = [resource.urn for resource in plan_of(stack).resources]
    assert urns == (ROOT / "tests" / "stacks" / "urns" / f"{stack}.txt").read_text().splitlines()


def test_dev_is_small_and_leaves_nothing(dev: Plan) -> None:
    assert len(dev.of_type("aws:ec2/natGateway:NatGateway")) == 1
    assert len(dev.of_type("aws:ec2/subnet:Subnet")) == 6
    database = one(dev, INSTANCE)
    assert (database["multiAz"], database["skipFinalSnapshot"], database["deletionProtection"]) == (False, True, False)
    assert not [each.name for each in dev.resources if each.protect]
    assert {each.inputs["forceDestroy"] for each in dev.of_type(BUCKET)} == {True}
    assert {each.inputs["recoveryWindowInDays"] for each in dev.of_type("aws:secretsmanager/secret:Secret")} == {0}
    assert len(dev.of_type("pulumi:providers:aws")) == 1


def test_prod_spans_three_zones_with_a_gateway_in_each(prod: Plan) -> None:
    gateways = prod.of_type("aws:ec2/natGateway:NatGateway")
    assert {each.name[-13:] for each in gateways} == {f"eu-central-1{zone}".rjust(13, "-") for zone in "abc"}
    assert len(prod.of_type("aws:ec2/subnet:Subnet")) == 9


def test_prods_database_has_a_standby_a_replica_a_proxy_and_backups_elsewhere(prod: Plan) -> None:
    primary = one(prod, INSTANCE, "skipper-prod-database")
    assert (primary["multiAz"], primary["backupRetentionPeriod"], primary["skipFinalSnapshot"]) == (True, 30, False)
    assert one(prod, INSTANCE, "skipper-prod-database-replica-1")
    assert one(prod, "aws:rds/proxy:Proxy")
    copies = prod.of_type("aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication")[0]
    assert prod.resource(copies.provider).inputs["region"] == "eu-west-1"


def test_prods_event_store_is_copied_to_the_recovery_region(prod: Plan) -> None:
    region = {each.name: prod.resource(each.provider).inputs["region"] for each in prod.of_type(BUCKET)}
    assert (region["skipper-prod-events"], region["skipper-prod-events-copy"]) == ("eu-central-1", "eu-west-1")
    replication = prod.of_type("aws:s3/bucketReplicationConfig:BucketReplicationConfig")[0]
    copy_versions = next(
        each.urn
        for each in prod.of_type("aws:s3/bucketVersioning:BucketVersioning")
        if each.name.endswith("events-copy")
    )
    assert copy_versions in prod.waits_for(replication.urn), "S3 copies only into a versioned bucket"


def test_prod_protects_what_holds_data_and_nothing_else(prod: Plan) -> None:
    held = {
        INSTANCE,
        BUCKET,
        "aws:kms/key:Key",
        "aws:mq/broker:Broker",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:eks/cluster:Cluster",
        "aws:backup/vault:Vault",
    }
    assert {each.type for each in prod.resources if each.protect} == held
    assert all(each.protect for type_ in held for each in prod.of_type(type_))


def test_decommissioning_takes_protection_off_and_keeps_the_last_snapshot() -> None:
    plan = plan_of("prod", decommission=True)
    assert not [each.name for each in plan.resources if each.protect]
    primary = one(plan, INSTANCE, "skipper-prod-database")
    assert (primary["deletionProtection"], primary["skipFinalSnapshot"]) == (False, False)
    assert {each.inputs["forceDestroy"] for each in plan.of_type(BUCKET)} == {False}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_each_region_has_a_provider_that_touches_one_account(stack: str) -> None:
    plan = plan_of(stack)
    for provider in plan.of_type("pulumi:providers:aws"):
        # The SDK sends a provider's objects and lists as JSON.
        assert json.loads(provider.inputs["allowedAccountIds"]) == ["123456789012"]
        tags = json.loads(provider.inputs["defaultTags"])["tags"]
        assert tags == {
            "system": "skipper",
            "environment": f"skipper-{stack}",
            "tier": stack,
            "managed-by": "plinth",
            "owner": "platform",
            "cost-center": "skipper",
        }
        assert not {"endpoints", "accessKey", "secretKey"} & set(provider.inputs)
        assert provider.inputs["skipCredentialsValidation"] == "false"
    regions = [each.inputs["region"] for each in plan.of_type("pulumi:providers:aws")]
    assert len(set(regions)) == len(regions)
    assert all(each.provider for each in plan.resources if each.custom and not each.type.startswith("pulumi:"))


@pytest.mark.parametrize("stack", stacks(ROOT))
def test_no_resource_overrides_a_cost_allocation_tag(stack: str) -> None:
    """Its own tag would win, and its cost would be counted elsewhere."""
    plan = plan_of(stack)
    allocated = allocated_by(plan)
    for each in plan.resources:
        settings = each.inputs.get("settings", {})
        labels = {**each.inputs.get("labels", {}), **each.inputs.get("resourceLabels", {})}
        labels |= settings.get("userLabels", {}) if isinstance(settings, dict) else {}
        tags = each.inputs.get("tags", labels)
        # Default tags do not reach what a group starts, so it is told all of them, in a list.
        own = {tag["key"]: tag["value"] for tag in tags} if isinstance(tags, list) else tags
        assert not {key for key, value in own.items() if allocated.get(key, value) != value}, each.name


def allocated_by(plan: Plan) -> dict[str, str]:
    """The tags, or labels, that a plan's providers give to everything."""
    if google := plan.of_type("pulumi:providers:gcp"):
        return json.loads(google[0].inputs["defaultLabels"])
    return json.loads(plan.of_type("pulumi:providers:aws")[0].inputs["defaultTags"])["tags"]


@pytest.mark.parametrize("stack", ["skipper-gcp-dev", "skipper-gcp-prod"])
def test_on_google_cloud_labels_reach_what_a_providers_do_not(stack: str) -> None:
    """Machines and databases are most of the costs, and take their labels from nobody but their own settings."""
    plan = plan_of(stack)
    allocated = allocated_by(plan)
    assert allocated["environment"] == stack
    for database in plan.of_type("gcp:sql/databaseInstance:DatabaseInstance"):
        assert database.inputs["settings"]["userLabels"] == allocated
    for cluster in plan.of_type("gcp:container/cluster:Cluster"):
        assert cluster.inputs["resourceLabels"] == allocated
    for pool in plan.of_type("gcp:container/nodePool:NodePool"):
        assert pool.inputs["nodeConfig"]["resourceLabels"] == allocated


def test_without_a_vault_the_database_keeps_its_own_backups_for_as_long() -> None:
    given = changed("skipper-gcp-prod", gcp={"database": {"vault": False}})
    plan = judged_plan(given, PROGRAM)
    assert not plan.of_type("gcp:backupdisasterrecovery/backupVault:BackupVault")
    database = one(plan, "gcp:sql/databaseInstance:DatabaseInstance", "skipper-gcp-prod-database")
    kept = database["settings"]["backupConfiguration"]
    assert (kept["enabled"], kept["backupRetentionSettings"]["retainedBackups"]) == (True, 365)
    assert {(each.rule, each.level.value) for each in plan.findings} == {("cloudsql-vaulted", "advisory")}
    assert any("not locked" in warning for warning in plan.warnings)
    workflow = "gcp:workflows/workflow:Workflow"
    assert "/clone" in one(recorded(PROGRAM, given, known).plan, workflow)["sourceContents"]
    assert ":pointInTimeRestore" in one(known_plan("skipper-gcp-prod"), workflow)["sourceContents"]


def test_the_edge_is_asked_whether_services_answer_behind_it() -> None:
    plan = plan_of("skipper-gcp-dev")
    asked = one(plan, "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig")["httpCheck"]
    assert asked["acceptedResponseStatusCodes"] == [{"statusClass": "STATUS_CLASS_2XX"}]
    assert asked["path"] == "/ready"
    objectives = {each.name for each in plan.of_type("gcp:monitoring/slo:Slo")}
    assert {f"skipper-gcp-dev-objectives-edge-{what}" for what in ("available", "fast")} <= objectives


@pytest.mark.parametrize("stack", ["skipper-gcp-dev", "skipper-gcp-prod"])
def test_the_load_balancer_sends_to_the_proxies_of_the_gateway(stack: str) -> None:
    plan = known_plan(stack)
    groups = plan.of_type("gcp:compute/networkEndpointGroup:NetworkEndpointGroup")
    assert len(groups) == len(json.loads(configuration(ROOT, stack).values["plinth:gcp"])["zones"])
    backends = one(plan, "gcp:compute/backendService:BackendService")["backends"]
    assert len(backends) == len(groups)
    proxies = plan.of_type("kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy")[0].inputs
    service = proxies["spec"]["provider"]["kubernetes"]["envoyService"]
    asked = json.loads(service["annotations"]["cloud.google.com/neg"])
    assert asked == {"exposed_ports": {"8443": {"name": groups[0].inputs["name"]}}}
    assert service["type"] == "ClusterIP"


@pytest.mark.parametrize(("stack", "stored"), [("workflows-gcp-dev", False), ("skipper-gcp-dev", True)])
def test_cloud_storage_is_given_a_key_where_something_is_stored(stack: str, stored: bool) -> None:
    """Elsewhere nobody has ever asked for its account, and IAM takes no member that there is not."""
    grants = known_plan(stack).of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert grants
    assert any("gs-project-accounts" in each.inputs["member"] for each in grants) is stored


@pytest.mark.parametrize("stack", ["skipper-gcp-dev", "skipper-gcp-prod", "account-gcp"])
def test_on_google_cloud_services_are_enabled_before_anything_else_is_made(stack: str) -> None:
    """What a provider makes waits for it, and it waits for the project's services and their accounts."""
    plan = plan_of(stack)
    enabled = {
        each.urn
        for each in plan.of_type("gcp:projects/service:Service", "gcp:projects/serviceIdentity:ServiceIdentity")
    }
    assert len(enabled) > 20
    for each in plan.resources:
        if each.custom and each.type.startswith("gcp:") and each.urn not in enabled:
            assert enabled <= plan.waits_for(each.provider), each.name


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_secret_leaves_its_envelope(stack: str) -> None:
    """In an update, with a sentinel as every generated password: no input, name, tag or output shows it."""
    recorder = recorded(PROGRAM, configuration(ROOT, stack), known).recorder
    seen = False
    for urn, request in recorder.requests.items():
        assert SENTINEL not in urn
        assert SENTINEL not in str(plain(request.object)), urn
        seen = seen or SENTINEL in str(request.object)
    for urn, outputs in recorder.outputs.items():
        assert SENTINEL not in str(outputs), f"{urn} must not hold a secret, not even in an envelope"
    assert seen, "the sentinel was never used"


def services_of(plan: Plan) -> set[str]:
    """The AWS services that a plan calls, as the provider's `endpoints` names them."""
    tokens = {each.type.split(":")[1] for each in plan.resources if each.type.startswith("aws:")}
    return {next((name for start, name in SERVICES.items() if token.startswith(start)), token.split("/")[0])
            for token in tokens}  # fmt: skip


SERVICES = {
    "cfg/": "configservice",
    "cloudwatch/event": "events",
    "cloudwatch/log": "logs",
    "costexplorer/": "ce",
    "ebs/": "ec2",
    "s3/accountPublicAccessBlock": "s3control",
    "serverlessrepository/": "serverlessrepo",
    "vpc/": "ec2",
}
"""Where the SDK's module has another name than the service that it calls."""


def test_an_emulator_is_used_for_every_service_that_is_called(prod: Plan) -> None:
    """A service without an endpoint would call AWS."""
    account = plan_of("account-aws")
    emulated = plan_of("prod", aws={"endpoint": "http://127.0.0.1:5000"})
    for provider in emulated.of_type("pulumi:providers:aws"):
        assert json.loads(provider.inputs["endpoints"]) == [dict.fromkeys(EMULATED, "http://127.0.0.1:5000")]
        assert json.loads(provider.inputs["s3UsePathStyle"]) is True
    assert services_of(prod) | services_of(account) | {"sts"} == set(EMULATED)
    # Nothing but the providers knows of it.
    strip = [each for each in emulated.resources if not each.type.startswith("pulumi:providers:aws")]
    assert strip == [each for each in prod.resources if not each.type.startswith("pulumi:providers:aws")]


def test_a_permissions_boundary_bounds_every_role() -> None:
    boundary = "arn:aws:iam::123456789012:policy/account-aws-ci-boundary-1234567"
    plan = plan_of("prod", aws={"permissionsBoundary": boundary})
    roles = plan.of_type("aws:iam/role:Role")
    assert len(roles) > 15
    assert {each.inputs.get("permissionsBoundary") for each in roles} == {boundary}
    assert not [each for each in plan_of("prod").of_type("aws:iam/role:Role") if "permissionsBoundary" in each.inputs]


def test_a_private_cluster_has_a_way_in_and_a_listed_one_needs_none(dev: Plan, prod: Plan) -> None:
    bastion = "plinth:index:SsmBastion"
    reached = one(dev, CLUSTER)["vpcConfig"]
    assert (reached["endpointPublicAccess"], reached["publicAccessCidrs"]) == (True, ["203.0.113.0/24"])
    assert not dev.of_type(bastion)
    assert one(prod, CLUSTER)["vpcConfig"]["endpointPublicAccess"] is False
    assert len(prod.of_type(bastion)) == 1
    known_prod = known_plan("prod")
    assert "start-session" in known_prod.outputs["tunnel"]
    assert "https://127.0.0.1:8443" in known_prod.outputs["kubeconfig"]


def test_the_stack_says_when_nodes_are_replaced() -> None:
    plan = plan_of("dev", aws={"cluster": {"allow": ["203.0.113.0/24"], "patchSchedule": "cron(0 4 ? * MON *)"}})
    schedules = {each.inputs["scheduleExpression"] for each in plan.of_type("aws:scheduler/schedule:Schedule")}
    assert "cron(0 4 ? * MON *)" in schedules
    assert "cron(0 2 ? * SUN *)" not in schedules


def test_auto_mode_brings_its_own_machines_and_lets_them_in() -> None:
    given = changed("dev", aws={"cluster": {"allow": ["203.0.113.0/24"], "autoMode": True}})
    plan = recorded(PROGRAM, given, known).plan
    assert one(plan, CLUSTER)["computeConfig"]["enabled"] is True
    assert not plan.of_type("aws:eks/nodeGroup:NodeGroup")
    # Databases admit the group that EKS makes for a cluster, which no list of ours can show.
    rules = plan.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    clients = {each.inputs.get("referencedSecurityGroupId") for each in rules if "database-server" in str(each.inputs)}
    assert clients == {plan.outputs["nodeSecurityGroupId"]}


def test_an_existing_cluster_is_used_instead_of_a_new_one(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "contexts: [{name: here, context: {cluster: here}}]\n"
        "clusters: [{name: here, cluster: {server: 'https://127.0.0.1:1'}}]\n"
    )
    plan = plan_of("dev", cluster={"kubeconfig": str(kubeconfig), "context": "here"})
    provider = one(plan, "pulumi:providers:kubernetes")
    assert (provider["kubeconfig"], provider["context"]) == (str(kubeconfig), "here")
    assert provider["clusterIdentifier"] == "skipper-dev-cluster"
    assert not plan.of_type(CLUSTER)
    of_cluster = [each for each in plan.resources if each.type.startswith("kubernetes:")]
    assert {plan.resource(each.provider).type for each in of_cluster} == {"pulumi:providers:kubernetes"}
    releases = {each.inputs["name"] for each in plan.of_type("kubernetes:helm.sh/v3:Release")}
    assert not releases & {"aws-load-balancer-controller", "cluster-autoscaler", "external-dns"}
    assert plan.outputs["namespace"] == "skipper-dev"


@pytest.mark.parametrize("stack", ["dev", "skipper-gcp-dev"])
def test_nodes_are_there_before_the_cluster_gets_anything_and_until_it_has_nothing(stack: str) -> None:
    plan = known_plan(stack)
    nodes = {each.urn for each in plan.of_type("aws:eks/nodeGroup:NodeGroup", "gcp:container/nodePool:NodePool")}
    assert nodes
    # Whatever a provider makes waits for it, and goes before it.
    (provider,) = plan.of_type("pulumi:providers:kubernetes")
    assert nodes <= plan.waits_for(provider.urn)
    assert {each.provider for each in plan.resources if each.type.startswith("kubernetes:")} == {provider.urn}


OTHER: dict[type, tuple[str, dict[str, Any]]] = {
    Postgres: (
        "database",
        {
            "name": "other",
            "version": "16",
            "size": "xlarge",
            "storage_gb": 30,
            "max_storage_gb": 777,
            "highly_available": True,
            "replicas": 2,
            "pooling": True,
            "backup_days": 9,
            "copy_backups": True,
        },
    ),
    Broker: (
        "broker",
        {
            "exchanges": {"more": {}},
            "queues": {"more": {"purpose": "More", "exchange": "commands"}},
        },
    ),
    Exchange: ("broker.exchanges.agents", {"kind": "fanout"}),
    Queue: (
        "broker.queues.error",
        {
            "exchange": "commands",
            "routing_key": "other",
            "deliveries": 20,
            "keep_days": 3,
            "ordered": True,
            "backlog": 7,
        },
    ),
    Cache: ("cache", {"size": "large", "replicas": 2, "backup_days": 3, "eviction": "refuse"}),
    ObjectStore: (
        "stores.events",
        {
            "archive_after_days": 10,
            "keep_days": 4000,
            "keep_versions_days": 5,
            "lock_days": 30,
            "replicate": True,
        },
    ),
    Service: (
        "services.user",
        {
            "purpose": "Other",
            "image": "other",
            "version": "v2.0.0",
            "replicas": 2,
            "scaling": {"fewest": 2, "most": 4},
            "resources": {"cpu": "60m"},
            "disruption_budget": True,
            "port": 8081,
            "metrics_port": 9091,
            "live_path": "/live",
            "ready_path": "/other",
            "environment": {"OTHER": "yes"},
            "route": {"host": "user.example.com"},
            "migrations": {"up": ["up"], "down": ["down"]},
            "calls": [],
            "internet": True,
            "database": False,
            "cache": False,
            "publishes": ["agents"],
            "consumes": ["error"],
            "reads": ["events"],
            "appends": [],
            "secrets": [],
            "keeps_credentials": False,
            "uses_credentials": True,
            "reports_metrics": True,
        },
    ),
    Resources: (
        "services.user.resources",
        {"cpu": "60m", "memory": "80Mi", "cpu_limit": "1", "memory_limit": "1Gi"},
    ),
    Scaling: ("services.user.scaling", {"fewest": 3, "most": 9, "cpu_percent": 50, "memory_percent": 50}),
    Route: (
        "services.portal.route",
        {
            "host": "other.example.com",
            "aliases": ["more.example.com"],
            "paths": ["/api"],
            "requests_per_second": 7,
            "timeout_seconds": 9,
        },
    ),
    Migrations: ("services.portal.migrations", {"up": ["up"], "down": ["down"]}),
    Secret: (
        "secrets.session-signing",
        {"purpose": "Other", "length": 40, "version": 2, "sealed": "Ag" + "B" * 100},
    ),
    NodePool: ("nodes.general", {"size": "medium", "fewest": 1, "most": 9, "spot": False, "disk_gb": 80}),
    Backup: (
        "backup",
        {"daily_days": 9, "monthly_days": 300, "copied": True, "locked": True, "restore_tests": True},
    ),
}
"""Where each part stands in a stack file, and a value for each field that differs from the dev stack's."""
BESIDE: dict[tuple[type, str | None], dict[str, Any]] = {
    (Service, "disruption_budget"): {"services": {"user": {"replicas": 2}}},
    (Scaling, None): {"services": {"user": {"scaling": {"fewest": 2, "most": 4}}}},
}
"""What must be there for a field, or for all of a part, to say anything."""
FOR_PEOPLE = {ObjectStore: {"purpose"}, Queue: {"purpose"}}
"""Fields that only people read."""


TARGETS = {"dev": "eu-west-1", "skipper-gcp-dev": "europe-west4"}
"""A stack of each target, and a second region there."""
REFUSED = {
    ("skipper-gcp-dev", Postgres, "pooling"): "is of the edition ENTERPRISE",
    ("skipper-gcp-dev", Postgres, "backup_days"): "is of the edition ENTERPRISE",
}
"""What the settings of a target refuse to change in a stack like its dev one, and a part of the reason."""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("part", "field"), [(part, field) for part, (_, fields) in OTHER.items() for field in fields])
def test_every_field_of_the_model_changes_the_plan(part: type, field: str, target: str) -> None:
    """Nothing of the model is silently dropped, by any target: its plan changes, or its settings say why it may not.
    With known answers, since policies hold what a preview cannot know."""
    path, fields = OTHER[part]
    alias = part.model_fields[field].alias or field  # pyright: ignore[reportAttributeAccessIssue]
    override: Any = {alias: fields[field]}
    key, *steps = path.split(".")
    for step in reversed(steps):
        override = {step: override}
    beside = BESIDE.get((part, field), BESIDE.get((part, None), {}))
    given = _with(target, beside, {key: override})
    if reason := REFUSED.get((target, part, field)):
        with pytest.raises(InputError) as refused:
            load(target, given.values)
        assert f"{path}.{alias}=" in str(refused.value)
        assert reason in str(refused.value)
        return
    assert _differs(given, _before(target, json.dumps(beside)))


def _differs(given: Configuration, before: Plan) -> bool:
    """Whether a configuration leads to other resources or outputs. It stops at the first resource that is another."""
    there = {(each.type, each.name): each.inputs for each in before.resources if each.custom}

    def answer(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if there.get((type_, name)) != inputs:
            raise _Other
        return known(type_, name, inputs)

    try:
        after = recorded(PROGRAM, given, answer).plan
    except PreviewError as error:
        if isinstance(error.__cause__, _Other):
            return True
        raise
    return [each for each in before.resources if each.custom] != [
        each for each in after.resources if each.custom
    ] or before.outputs != after.outputs


class _Other(Exception):
    pass


def _with(target: str, *overrides: dict[str, Any]) -> Configuration:
    """A target's stack with overrides laid over what its file says."""
    values = values_of(configuration(ROOT, target).values)
    for override in overrides:
        values = laid_over(values, override)
    keys = {key for override in overrides for key in override}
    return changed(target, recoveryRegion=TARGETS[target], **{key: values[key] for key in keys})


@cache
def _before(target: str, beside: str) -> Plan:
    return recorded(PROGRAM, _with(target, json.loads(beside)), known).plan


def test_every_target_is_tried() -> None:
    tried = {configuration(ROOT, stack).values["plinth:cloud"] for stack in TARGETS}
    # What an existing cluster does not go by, its settings refuse: they have tests of their own.
    assert tried == {cloud.value for cloud in ENVIRONMENTS if cloud is not Cloud.KUBERNETES}


def test_every_field_of_the_model_is_tried() -> None:
    parts = {each for each in vars(model).values() if isinstance(each, type) and issubclass(each, Part)}
    assert set(OTHER) == parts - {Part, System}
    for part, (_, fields) in OTHER.items():
        assert set(part.model_fields) - set(fields) == FOR_PEOPLE.get(part, set())  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("section", "type_", "key", "value"),
    [
        ({"nat": "none"}, "aws:ec2/natGateway:NatGateway", None, 0),
        ({"nat": "perZone"}, "aws:ec2/natGateway:NatGateway", None, 2),
        ({"interfaceEndpoints": ["sts"]}, "aws:ec2/vpcEndpoint:VpcEndpoint", None, 3),
        ({"database": {"instanceClass": "db.r6g.large"}}, INSTANCE, "instanceClass", "db.r6g.large"),
        (
            {"broker": {"instanceType": "mq.m7g.large"}},
            "aws:mq/broker:Broker",
            "hostInstanceType",
            "mq.m7g.large",
        ),
        ({"broker": {"clustered": True}}, "aws:mq/broker:Broker", "deploymentMode", "CLUSTER_MULTI_AZ"),
        ({"cache": {"nodeType": "cache.t4g.micro"}}, CACHE, "nodeType", "cache.t4g.micro"),
        ({"cache": {"version": "9.0"}}, CACHE, "engineVersion", "9.0"),
        ({"cluster": {"version": "1.36"}}, CLUSTER, "version", "1.36"),
        ({"nodes": {"general": {"instanceTypes": TYPES}}}, "aws:eks/nodeGroup:NodeGroup", "instanceTypes", TYPES),
    ],
)
def test_the_aws_section_decides_what_only_aws_has(section: Any, type_: str, key: str | None, value: Any) -> None:
    found = plan_of("dev", aws=section).of_type(type_)
    assert (len(found) if key is None else found[0].inputs[key]) == value


@pytest.mark.parametrize("stack", [stack for stack in stacks(ROOT) if has_network(stack)])
def test_who_reaches_whom(stack: str) -> None:
    """Out of the recorded security groups, or the firewall policy: the ways that are listed, and nothing more.

    `make docs` writes the lists; a review reads their changes.
    """
    plan = known_plan(stack)
    listed = (ROOT / "tests" / "stacks" / "reachability" / f"{stack}.txt").read_text().splitlines()
    assert WAYS[cloud_of(stack)](plan, plan.outputs["environment"]) == listed


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_data_is_reached_by_services_alone_and_reaches_nobody(stack: str) -> None:
    plan = known_plan(stack)
    open_ways = [way.split() for way in ways(plan, f"skipper-{stack}")]
    data = {name for way in open_ways for name in (way[0], way[2]) if name.startswith(("database", "broker", "cache"))}
    assert len(data) >= 3
    assert {way[0] for way in open_ways if way[2] in data} <= {"workloads", *data}
    assert not [way for way in open_ways if way[0] in data and way[2] not in data and "rotation" not in way[0]]
    assert not [way for way in open_ways if way[0] == "internet"]


@pytest.mark.parametrize("stack", ["skipper-gcp-dev", "skipper-gcp-prod"])
def test_on_google_cloud_machines_reach_data_at_its_port_and_nobody_else_does(stack: str) -> None:
    plan = known_plan(stack)
    open_ways = reach_google.ways(plan, plan.outputs["environment"])
    nodes = f"skipper-{stack.rpartition('-')[2]}-nodes"
    assert [way for way in open_ways if "databases" in way or "caches" in way] == [
        f"{nodes} -> caches tcp 6379",
        f"{nodes} -> databases tcp 5432",
        f"{nodes} -> databases tcp 6432",
    ]
    assert not [way for way in open_ways if way.startswith("internet")]


@pytest.mark.parametrize("stack", ["skipper-gcp-dev", "skipper-gcp-prod"])
@pytest.mark.parametrize(
    ("layers", "ways_in"),
    [
        ([{"ipProtocol": "tcp", "ports": ["22", "8080"]}], ["tcp 22", "tcp 8080"]),
        ([{"ipProtocol": "tcp"}], ["tcp"]),
        ([{"ipProtocol": "all"}], ["all"]),
    ],
)
@pytest.mark.parametrize("block", ["203.0.113.0/24", "10.0.0.0/8", "35.190.0.0/15", "128.0.0.0/1"])
def test_on_google_cloud_a_way_in_from_addresses_that_nobody_is_known_to_have_is_seen(
    stack: str, layers: list[Any], ways_in: list[str], block: str
) -> None:
    after = with_ingress(stack, {"srcIpRanges": [block], "layer4Configs": layers})
    nodes = f"skipper-{stack.rpartition('-')[2]}-nodes"
    assert {f"{block} -> {nodes} {way}" for way in ways_in} <= set(after)


def test_on_google_cloud_a_rule_that_names_nobody_lets_everybody_in() -> None:
    after = with_ingress("skipper-gcp-dev", {"layer4Configs": [{"ipProtocol": "tcp", "ports": ["22"]}]})
    assert "internet -> skipper-dev-nodes tcp 22" in after
    with pytest.raises(ValueError, match="srcRegionCodes"):
        with_ingress("skipper-gcp-dev", {"srcRegionCodes": ["DE"], "layer4Configs": [{"ipProtocol": "all"}]})


def with_ingress(stack: str, match: dict[str, Any]) -> list[str]:
    """The open ways of a stack with one more rule, for all machines."""
    plan = known_plan(stack)
    rule = plan.of_type(reach_google.RULE)[0]
    inputs = {"action": "allow", "direction": "INGRESS", "priority": 500, "match": match}
    more = dataclasses.replace(rule, urn=f"{rule.urn}-more", name=f"{rule.name}-more", inputs=inputs)
    widened = dataclasses.replace(plan, resources=[*plan.resources, more])
    return reach_google.ways(widened, plan.outputs["environment"])


DIFFERENT_OUTPUTS: dict[tuple[str, str], tuple[dict[str, str], dict[str, str]]] = {
    ("prod", "skipper-gcp-prod"): (
        {
            "publicSubnetIds": "no subnet of Google's is more public than another: load balancers stand in none",
            "workloadSecurityGroupId": "Google Cloud knows machines by their service accounts, not by groups",
            "nodeSecurityGroupId": "likewise",
            "storeCopies": "a store on Google Cloud is one bucket in two regions",
            "standby": "what a stack in another region takes over from; no stack on Google Cloud is a standby",
            "tunnel": "the way into a private cluster; GKE is reached by name and IAM",
            "brokerConsole": "Pub/Sub has no console of its own",
            "brokerAdministratorSecret": "nor an administrator",
            "brokerDefinitions": "nor definitions to load: topics and subscriptions are resources",
        },
        {
            "project": "the project is part of every name there; on AWS ARNs say the account",
            "edgeAddress": "the load balancer is part of the environment; on AWS a controller in the cluster makes it",
            "edgeBackend": "likewise; the cluster's endpoints are put behind it by name",
        },
    ),
    ("account-aws", "account-gcp"): (
        {
            "auditTrail": "CloudTrail is a resource; on Google Cloud auditing is a setting",
            "delegationSigner": "no output of a zone of Cloud DNS has its DS record",
            "deployRoles": "`deployIdentities` there: CI takes roles on AWS and acts as accounts on Google Cloud",
            "previewRole": "`previewIdentity` there",
            "permissionsBoundary": "Google Cloud has none: conditions say which roles CI may grant",
            "zoneId": "`zone` there: Route 53 knows zones by ids, Cloud DNS by names",
        },
        {
            "deployIdentities": "`deployRoles` there",
            "previewIdentity": "`previewRole` there",
            "findings": "the queue in which findings wait until they are read; on AWS they go to the topics alone",
            "identityProvider": "CI signs in by its whole name; on AWS by a role's",
            "mirrors": "the registry can keep what others have; on AWS it does not",
            "registries": "environments are granted each repository that they read; on AWS nodes may read all",
            "zone": "`zoneId` there",
        },
    ),
}
"""Outputs that only one of two stacks has, and why: first those on AWS, then those on Google Cloud."""


@pytest.mark.parametrize("pair", DIFFERENT_OUTPUTS, ids="-".join)
def test_outputs_are_the_same_on_every_cloud_but_for_what_only_one_has(pair: tuple[str, str]) -> None:
    on_aws, on_google = (set(known_plan(stack).outputs) for stack in pair)
    only_aws, only_google = DIFFERENT_OUTPUTS[pair]
    assert on_aws - on_google == set(only_aws)
    assert on_google - on_aws == set(only_google)


NEEDED_BY_SERVICES = {
    "skipper-gcp-dev": {
        "plinth:index:CloudSqlPostgres",
        "plinth:index:GcpGeneratedSecret",
        "plinth:index:GcpServiceAccount",
        "plinth:index:GcsObjectStore",
        "plinth:index:GkeCluster",
        "plinth:index:MemorystoreValkey",
        "plinth:index:PubSubBroker",
    },
    "dev": {
        "plinth:index:AmazonMqBroker",
        "plinth:index:AwsGeneratedSecret",
        "plinth:index:AwsServiceRole",
        "plinth:index:EksCluster",
        "plinth:index:ElastiCacheValkey",
        "plinth:index:RdsPostgres",
        "plinth:index:S3ObjectStore",
    },
}
"""What services run in, are, and use, by a stack that has it."""


@pytest.mark.parametrize(("stack", "like"), [("dev", "skipper-gcp-dev"), ("skipper-gcp-dev", "dev")])
def test_a_stack_moves_to_another_cloud_with_its_region_and_that_clouds_section(stack: str, like: str) -> None:
    """Nothing else of its file changes, and all that the system is made of is there."""
    given, there = configuration(ROOT, stack), configuration(ROOT, like)
    sections = {"plinth:aws", "plinth:gcp"}
    of_cloud = {"plinth:cloud", "plinth:region"} | (sections & set(there.values))
    kept = {key: value for key, value in given.values.items() if key not in sections | of_cloud}
    moved = dataclasses.replace(given, values={**kept, **{key: there.values[key] for key in of_cloud}})
    plan = recorded(PROGRAM, moved, known).plan
    types = {each.type for each in plan.resources}
    assert NEEDED_BY_SERVICES[like] <= types
    assert types == {each.type for each in known_plan(like).resources}
    assert not types & NEEDED_BY_SERVICES[stack]
    assert set(plan.outputs) == set(known_plan(like).outputs)


LOADED = [
    (("account-aws",), ["pulumi_aws"]),
    (("account-gcp",), ["pulumi_gcp"]),
    # What runs in the cluster of an environment is Kubernetes' in every cloud.
    (("dev", "prod", "workflows-aws-"), ["pulumi_aws", "pulumi_kubernetes"]),
    (("skipper-gcp-", "workflows-gcp-"), ["pulumi_gcp", "pulumi_kubernetes"]),
]
CLOUD_SDKS = ("pulumi_aws", "pulumi_gcp", "pulumi_kubernetes", "pulumi_docker")


def test_every_stack_is_asked_what_it_loads() -> None:
    assert [len([names for names, _ in LOADED if stack.startswith(names)]) for stack in stacks(ROOT)] == [1] * len(
        stacks(ROOT)
    )


@pytest.mark.parametrize(("among", "loaded"), LOADED)
def test_a_stack_loads_no_other_clouds_sdk(among: tuple[str, ...], loaded: list[str]) -> None:
    """In one process for them all: what one of them loads, stays loaded."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from preview.project import configuration\n"
        "from preview.record import record\n"
        "root = Path.cwd()\n"
        f"for stack in {[stack for stack in stacks(ROOT) if stack.startswith(among)]!r}:\n"
        "    record(configuration(root, stack), root / '__main__.py')\n"
        f"print([name for name in {CLOUD_SDKS!r} if name in sys.modules])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(loaded)


def imports(path: Path) -> set[str]:
    """The modules that a file imports, relative ones as `.`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." if node.level else (node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        # Relative inside, so that the folder is also the package of a distribution.
        ("components", {"components", "stacks", "preview", "policy", "yaml", "pydantic", "requests"}),
        ("stacks", {"preview", "policy"}),
        ("preview", {"components", "stacks"}),
        ("policy", {"components", "stacks"}),
    ],
)
def test_imports_go_one_way(folder: str, forbidden: set[str]) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if path != ROOT / "components" / "__main__.py":  # started by its path, it has no package yet
            assert not imports(path) & forbidden, path


IN_PODS = "scripts"
"""Folder of what runs in pods, where nothing but the environment says what to do."""
LIBRARY = [path for path in sorted((ROOT / "components").rglob("*.py")) if path.parent.name != IN_PODS]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_a_component_reads_no_environment_clock_or_configuration(path: Path) -> None:
    host = {"host.py", "__main__.py"}  # they start a process, and make no component
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    clocks = {"now", "today", "utcnow", "fromtimestamp"}
    assert not names & {"environ", "getenv", "Config", "get_stack", "is_dry_run", "invoke", *clocks}
    if path.name not in host:
        assert not imports(path) & {"os", "time", "boto3", "socket", "subprocess"}


def test_the_stack_is_the_root(dev: Plan) -> None:
    assert dev.resources[0].type == STACK_TYPE
    assert dev.resources[0].urn == "urn:pulumi:dev::plinth::pulumi:pulumi:Stack::plinth-dev"


@pytest.mark.parametrize(("stack", "rule"), [("prod", "provider-stays"), ("skipper-gcp-prod", "provider-google-stays")])
def test_a_stack_that_is_taken_down_breaks_no_mandatory_rule(stack: str, rule: str) -> None:
    """Else a pack that is enforced would keep it from ever being taken down; what remains says that it is."""
    given = changed(stack, decommission=True)
    plan = judged_plan(given, PROGRAM)
    assert {(finding.rule, finding.level.value) for finding in plan.findings} == {(rule, "advisory")}
    assert not [each.name for each in plan.resources if each.protect]


def test_the_tags_that_an_environment_sets_are_the_reserved_ones() -> None:
    provider = plan_of("prod", decommission=True).of_type("pulumi:providers:aws")[0]
    given = json.loads(configuration(ROOT, "prod").values["plinth:tags"])
    assert set(json.loads(provider.inputs["defaultTags"])["tags"]) - set(given) == set(RESERVED_TAGS)
