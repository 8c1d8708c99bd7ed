"""Settings: every error by path, value and remedy."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from components.platform.charts import CHARTS
from components.problems import InputError
from preview.__main__ import main
from preview.project import configuration, stacks
from stacks.account import ACCOUNTS, AccountFile, load_account
from stacks.environments.aws_place import REGIONS
from stacks.environments.aws_settings import CACHE_TYPES, INSTANCE_CLASSES, NODE_TYPES, Section, longest_name
from stacks.model import Part, Size, System, Tier
from stacks.reading import Reader, values_of
from stacks.settings import ENVIRONMENTS, Cloud, Settings, StackFile, load
from stacks.systems import SYSTEMS
from stacks.tiers import PROFILES, shortfalls

from ..support import ROOT, known, recorded

GOOD: dict[str, Any] = {
    "system": "skipper",
    "cloud": "aws",
    "tier": "dev",
    "region": "eu-central-1",
    "network": {"cidr": "10.20.0.0/16"},
    "tags": {"owner": "platform"},
    "aws": {
        "account": "123456789012",
        "zones": ["eu-central-1a", "eu-central-1b"],
        "cluster": {"administrators": {"deploy": "arn:aws:iam::123456789012:role/deploy"}},
    },
}
PROD: dict[str, Any] = {
    **GOOD,
    "tier": "prod",
    "recoveryRegion": "eu-west-1",
    "alerts": {"critical": ["mailto:oncall@example.com"]},
    "services": {"portal": {"route": {"host": "skipper.example.com"}}},
    "aws": {**GOOD["aws"], "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"]},
}


TYPES = ["m7i.large", "m7a.large", "m6i.large"]

KUBECONFIG = """
contexts: [{name: laptop, context: {cluster: laptop, user: me}}, {name: lost, context: {cluster: gone, user: me}}]
clusters: [{name: laptop, cluster: {server: "https://127.0.0.1:1"}}]
current-context: laptop
"""


def settings(values: dict[str, Any], stack: str = "test", secrets: frozenset[str] = frozenset()) -> Settings:
    """The settings out of values, handed over as the engine does: text, and JSON for everything else."""
    config = {f"plinth:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return load(stack, config, secrets)


def changed(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The values with another one at a path; `...` takes it away."""
    result = json.loads(json.dumps(values))
    *steps, last = path.split(".")
    place = result
    for step in steps:
        place = place.setdefault(step, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return result


def problems(values: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as caught:
        settings(values)
    assert str(caught.value).startswith("Pulumi.test.yaml: ")
    return [str(problem).removeprefix("plinth:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        # unknown keys, with the nearest valid one
        ("netwrok", {"cidr": "10.0.0.0/16"}, "netwrok={'cidr': '10.0.0.0/16'}: unknown key; did you mean `network`?"),
        ("network.cdir", "10.0.0.0/16", "network.cdir=10.0.0.0/16: unknown key; did you mean `cidr`?"),
        ("aws.zone", "a", "aws.zone=a: unknown key; did you mean `zones`?"),
        ("aws.database.class", "x", "aws.database.class=x: unknown key; the keys here are instanceClass"),
        ("database.backupDay", 3, "database.backupDay=3: unknown key; did you mean `backupDays`?"),
        ("stores.events.keep", 3, "stores.events.keep=3: unknown key; did you mean `keepDays`?"),
        ("services.portal.replica", 3, "services.portal.replica=3: unknown key; did you mean `replicas`?"),
        ("broker.queue.command.backlog", 3, "broker.queue={'command': {'backlog': 3}}: unknown key; did you mean"),
        # also below names that the file's author chose
        (
            "aws.nodes.general",
            {"instanceTypes": TYPES, "foo": 1},
            "aws.nodes.general.foo=1: unknown key; the keys here",
        ),
        ("broker.queues.result.foo", 1, "broker.queues.result.foo=1: unknown key; the keys here are backlog,"),
        ("broker.exchanges.agents.kid", 1, "broker.exchanges.agents.kid=1: unknown key; did you mean `kind`?"),
        ("nodes.general.foo", 1, "nodes.general.foo=1: unknown key; the keys here are diskGb, fewest"),
        ("aws.cluster.foo", 1, "aws.cluster.foo=1: unknown key; the keys here are administrators"),
        # wrong types
        ("network", "10.0.0.0/16", "network=10.0.0.0/16: give a mapping of keys and values"),
        ("database", "large", "database=large: give a mapping of keys and values"),
        ("aws", [1], "aws=[1]: give a mapping of keys and values"),
        ("stores.events", 3, "stores.events=3: give a mapping of keys and values"),
        ("database.backupDays", "7", "database.backupDays=7: give a whole number"),
        ("database.backupDays", 7.5, "database.backupDays=7.5: give a whole number"),
        ("database.highlyAvailable", "yes", "database.highlyAvailable=yes: give true or false"),
        ("aws.account", 123456789012, "aws.account=123456789012: give text; in YAML, put it in quotes"),
        ("aws.zones", "eu-central-1a", "aws.zones=eu-central-1a: give a list"),
        ("tags.team", 5, "tags.team=5: give text; in YAML, put it in quotes"),
        # out of range
        ("database.backupDays", 36, "database.backupDays=36: give 35 or less"),
        ("database.replicas", -1, "database.replicas=-1: give 0 or more"),
        ("database.version", "9", "database.version=9: choose one of 15, 16, 17, 18"),
        (
            "database.storageGb",
            500,
            "database.maxStorageGb=100: give storageGb=500 or more, which the database starts with",
        ),
        (
            "stores.events.keepDays",
            30,
            "stores.events.keepDays=30: give more than archiveAfterDays=90 and lockDays=0, or 0",
        ),
        ("aws.account", "12345", "aws.account=12345: write the twelve digits of an account's id in quotes"),
        # addresses
        ("network.cidr", "10.0.0.0.0/16", "network.cidr=10.0.0.0.0/16: not an IPv4 block; write one like 10.20.0.0/16"),
        ("network.cidr", "10.0.1.0/16", "network.cidr=10.0.1.0/16: has host bits set; write 10.0.0.0/16"),
        (
            "network.cidr",
            "10.0.0.0/24",
            "network.cidr=10.0.0.0/24: too small for 8 zones; give a block from /16 to /20",
        ),
        (
            "network.reserved",
            ["10.20.128.0/20"],
            "10.20.0.0/16: overlaps 10.20.128.0/20, which network.reserved[0] sets aside",
        ),
        (
            "network.reserved",
            ["nowhere"],
            "network.reserved[0]=nowhere: not an IPv4 block; write one like 10.20.0.0/16",
        ),
        # unknown names
        ("system", "skiper", "system=skiper: did you mean `skipper`? choose one of skipper"),
        ("cloud", "azure", "cloud=azure: choose one of aws, gcp, kubernetes, local"),
        ("cloud", "local", "cloud=local: skipper does not run there yet; choose aws, gcp"),
        ("tier", "production", "tier=production: choose one of dev, staging, prod"),
        ("region", "eu-central-9", "region=eu-central-9: no such AWS region; did you mean `eu-central-2`?"),
        ("recoveryRegion", "mars", "recoveryRegion=mars: no such AWS region; choose one of af-south-1"),
        ("region", "cn-north-1", "region=cn-north-1: no such AWS region"),
        ("services.portl", {"database": True}, "services.portl: skipper has no such service; did you mean `portal`?"),
        ("stores.files", {"replicate": True}, "stores.files: skipper has no such store; choose one of events"),
        ("services.portal.reads", ["files"], "services.portal.reads=files: choose one of events"),
        ("secrets.session", {"length": 40}, "secrets.session: skipper has no such secret; did you mean `session-"),
        ("services.portal.secrets", ["jwt"], "services.portal.secrets=jwt: choose one of session-signing"),
        ("services.portal.publishes", ["command"], "services.portal.publishes=command: did you mean `commands`?"),
        ("services.portal.consumes", ["commands"], "services.portal.consumes=commands: did you mean `command`?"),
        ("broker.queues.error.exchange", "errors", "broker.queues.error.exchange=errors: choose one of commands,"),
        # the broker's queues
        ("broker.queues.error.deliveries", 3, "broker.queues.error.deliveries=3: give 5 or more"),
        ("broker.queues.error.keepDays", 90, "broker.queues.error.keepDays=90: give 31 or less"),
        ("broker.queues.retry", {"purpose": "Retries"}, "broker.queues.retry.exchange: required; set it in Pulumi"),
        ("broker.queues.error.routingKey", "#", "broker.queues.error.routingKey=#: agents is a direct exchange, which"),
        ("broker.exchanges.amq!", {}, "broker.exchanges.amq!: as a name, take small letters, digits and hyphens, a"),
        # nodes
        ("nodes.GPU", {"size": "large", "fewest": 0, "most": 1}, "nodes.GPU: as a name, take small letters, digits"),
        ("nodes.general.most", 1, "nodes.general.most=1: give fewest=2 or more"),
        ("nodes.general.fewest", -1, "nodes.general.fewest=-1: give 0 or more"),
        ("nodes.gpu", {"size": "large", "most": 1}, "nodes.gpu.fewest: required; set it in Pulumi.test.yaml"),
        ("aws.nodes.general", {"instanceTypes": ["t3.large"]}, "=t3.large: spot capacity of one type runs out; name 3"),
        ("aws.nodes.general", {"instanceTypes": []}, "aws.nodes.general.instanceTypes=[]: name one or more"),
        ("aws.nodes.genral", {"instanceTypes": ["x"]}, "aws.nodes.genral: no such node pool; did you mean `general`?"),
        ("nodes.general.fewest", 0, "nodes=general: EKS's own parts need a machine that is always there"),
        # backups
        ("backup.dailyDays", 0, "backup.dailyDays=0: give 1 or more"),
        ("backup.monthlyDays", 7, "backup.monthlyDays=7: give more than dailyDays=7, or 0 for none"),
        # versions
        ("aws.cluster.version", "1.30", "aws.cluster.version=1.30: is not in EKS's standard support; did you mean"),
        ("aws.cache.version", "7.2", "aws.cache.version=7.2: did you mean `8.2`? choose one of 8.1, 8.2, 9.0"),
        (
            "aws.cache.family",
            "redis7",
            "aws.cache.family=redis7: does not fit Valkey 8.2; leave it out or write valkey8",
        ),
        ("aws.cluster.patchSchedule", "weekly", "aws.cluster.patchSchedule=weekly: write it as cron(minute hour day"),
        # the way to the cluster
        (
            "aws.cluster.allow",
            ["office"],
            "aws.cluster.allow[0]=office: not an IPv4 block; write one like 10.20.0.0/16",
        ),
        ("aws.cluster.allow", ["0.0.0.0/0"], "aws.cluster.allow[0]=0.0.0.0/0: is most of the internet; name your own"),
        (
            "aws.cluster.administrators",
            {"ci": "deploy"},
            "aws.cluster.administrators.ci=deploy: no ARN; write one like",
        ),
        ("aws.permissionsBoundary", "boundary", "aws.permissionsBoundary=boundary: no ARN; write one like arn:aws:"),
        # who is told
        ("alerts.critical", ["oncall"], "alerts.critical[0]=oncall: write mailto:<address>, or https:// and the URL"),
        ("alerts.critical", ["mailto:a@b.example"] * 2, "alerts.critical[1]=mailto:a@b.example: stands twice; name"),
        ("alerts.urgent", [], "alerts.urgent=[]: unknown key; the keys here are critical, warning"),
        # another region that is primary
        ("primaryRegion", "eu-west-1", "aws.primary: a standby needs what its primary's output `standby` lists; copy"),
        ("primaryRegion", "moon", "primaryRegion=moon: no such AWS region; choose one of af-south-1"),
        # zones and classes
        ("aws.zones", ["eu-central-1a"], "aws.zones=eu-central-1a: dev needs 2 zones or more; name them in Pulumi"),
        (
            "aws.zones",
            ["eu-central-1a", "eu-west-1b"],
            "aws.zones[1]=eu-west-1b: is not in eu-central-1; name one of its",
        ),
        (
            "aws.zones",
            ["eu-central-1a", "eu-central-1a"],
            "aws.zones[1]=eu-central-1a: stands twice; name each zone once",
        ),
        ("aws.zones", ["eu-central-1a", "b"], "aws.zones[1]=b: not an availability zone with a letter from a to h"),
        ("aws.database.instanceClass", "m6g.large", "m6g.large: no instance class; write db.<family>.<size>"),
        ("aws.database.instanceClass", "db.q9.large", "db.q9.large: its memory is not known, by which alarms are set"),
        ("aws.broker.instanceType", "m7g.large", "m7g.large: no instance type; write mq.<family>.<size>, for example"),
        ("aws.cache.nodeType", "r7g.large", "r7g.large: no node type; write cache.<family>.<size>, for example"),
        ("aws.nat", "zonal", "aws.nat=zonal: did you mean `regional`? choose one of none, single, perZone, regional"),
        ("aws.interfaceEndpoints", ["s4"], "aws.interfaceEndpoints=s4: choose one of ecr.api"),
        ("aws.endpoint", "localhost", "aws.endpoint=localhost: no URL; write one like http://127.0.0.1:5000"),
        # missing keys
        *(
            (key, ..., f"{key}: required; set it in Pulumi.test.yaml")
            for key in ("system", "cloud", "tier", "region", "network")
        ),
        ("aws.account", ..., "aws.account: required; set it in Pulumi.test.yaml"),
        ("tags.tier", "prod", "tags.tier=prod: every environment sets this tag itself; choose another name"),
        ("tags.owner", ..., "tags.owner: required for cost allocation; set it in Pulumi.test.yaml"),
        ("aws.zones", ..., "aws.zones: required; set it in Pulumi.test.yaml"),
        # a cluster
        (
            "cluster",
            {"kubeconfig": "/no/such/file"},
            "cluster.kubeconfig=/no/such/file: is not a file that can be read",
        ),
        ("cluster", {"context": "x"}, "cluster.kubeconfig: required; set it in Pulumi.test.yaml"),
    ],
)
def test_each_fault_gets_one_error_with_path_value_and_remedy(path: str, value: Any, message: str) -> None:
    found = problems(changed(GOOD, path, value))
    assert len(found) == 1
    assert message in found[0]


def test_empty_values_are_the_declared_defaults_and_count_as_missing() -> None:
    assert problems({**GOOD, "region": ""}) == ["region: required; set it in Pulumi.test.yaml"]
    assert settings({**GOOD, "database": {}, "recoveryRegion": ""}).recovery_region is None


def test_a_stack_without_anything_is_told_all_that_it_needs() -> None:
    assert problems({}) == [
        *(f"{key}: required; set it in Pulumi.test.yaml" for key in ("system", "cloud", "tier", "region", "network")),
        "tags.owner: required for cost allocation; set it in Pulumi.test.yaml",
    ]


def test_an_empty_account_is_told_what_an_accounts_stack_needs() -> None:
    """Pulumi.yaml's defaults make every key of a stack file that lacks it an empty one."""
    assert problems({"account": {}, "cloud": "gcp", "region": "europe-west3", "system": ""}) == [
        "account: an account's stack needs plinth:account with repository, environments, domain and monthlyBudget; "
        "an environment's needs plinth:system"
    ]
    assert settings({**GOOD, "account": {}}).system.name == "skipper"


def test_auto_mode_takes_no_nodes() -> None:
    auto = changed(GOOD, "aws.cluster.autoMode", True)
    remedy = "Auto Mode brings its own machines; leave it out"
    assert problems(changed(auto, "nodes", {"general": {"most": 5}})) == [f"nodes=general: {remedy}"]
    own = changed(auto, "aws.nodes", {"general": {"instanceTypes": ["t3.large"]}})
    assert problems(own) == [f"aws.nodes=general: {remedy}"]


LONGEST = "skipper-aws-prod-eu-centr1"


def test_the_longest_name_is_one_that_every_component_takes() -> None:
    given = configuration(ROOT, "prod")
    assert len(LONGEST) == longest_name(load(given.stack, given.values).system) == 26
    plan = recorded(ROOT / "__main__.py", type(given)(given.project, LONGEST, given.values, given.secrets), known).plan
    assert plan.of_type("aws:elasticache/user:User")


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (
            "skipper-aws-prod-europe-west3-blue",
            "stack=skipper-aws-prod-europe-west3-blue: makes the environment skipper-aws-prod-europe-west3-blue; "
            "rename the stack: give its name 26 characters or fewer",
        ),
        ("Skipper_Dev.X", "stack=Skipper_Dev.X: makes the environment skipper-Skipper_Dev.X; rename the stack: small"),
    ],
)
def test_a_stack_whose_environment_cannot_have_its_name_is_refused(stack: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        settings(PROD, stack=stack)
    (problem,) = caught.value.problems
    assert str(problem).startswith(message), "it is no key of the file"


def test_several_faults_are_reported_together() -> None:
    values = {
        **GOOD,
        "tier": "prod",
        "netwrok": {},
        "database": {"backupDays": 3, "size": "huge"},
        "services": {"portl": {"database": False}},
        "network": {"cidr": "10.0.0.0/28"},
        "aws": {"account": "1", "zones": ["eu-central-1a"]},
    }
    paths = {problem.partition("=")[0].partition(":")[0] for problem in problems({**values, "netwrok": {"a": 1}})}
    assert paths == {
        "netwrok",
        "network.cidr",
        "database.size",
        "services.portl",
        "aws.account",
        "alerts.critical",
        # What else there is beside what cannot be read.
        "aws.zones",
        "database.backupDays",
        "recoveryRegion",
        "services.portal.route.host",
    }


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("database.backupDays", 3, "database.backupDays=3: prod needs 7 or more; raise it in Pulumi.test.yaml"),
        ("database.highlyAvailable", False, "database.highlyAvailable=False: prod needs a standby; leave this out"),
        ("database.copyBackups", False, "database.copyBackups=False: prod needs copies elsewhere; leave this out"),
        (
            "stores.events.replicate",
            False,
            "stores.events.replicate=False: prod needs copies elsewhere; leave this out",
        ),
        ("aws.zones", ["eu-central-1a", "eu-central-1b"], "aws.zones=eu-central-1a, eu-central-1b: prod needs 3"),
        (
            "recoveryRegion",
            ...,
            "recoveryRegion: required by database.copyBackups, stores.events.replicate, backup.copied; name a second",
        ),
        ("aws.broker", {"clustered": False}, "aws.broker.clustered=False: prod needs a cluster; leave this out or"),
        ("cache.replicas", 0, "cache.replicas=0: prod needs a replica that takes over; give 1 or more"),
        ("cache.backupDays", 0, "cache.backupDays=0: prod needs 1 or more; raise it in Pulumi.test.yaml"),
        ("backup.dailyDays", 14, "backup.dailyDays=14: prod needs 30 or more; raise it in Pulumi.test.yaml"),
        ("backup.copied", False, "backup.copied=False: prod needs copies elsewhere; leave this out or set it to true"),
        ("backup.locked", False, "backup.locked=False: prod needs a lock; leave this out or set it to true"),
        ("backup.restoreTests", False, "backup.restoreTests=False: prod needs tests; leave this out or set it to true"),
        ("alerts", ..., "alerts.critical: an alarm needs somebody who is told; name them in Pulumi.test.yaml"),
        ("alerts.critical", [], "alerts.critical: an alarm needs somebody who is told; name them in Pulumi.test.yaml"),
        ("recoveryRegion", "eu-central-1", "recoveryRegion=eu-central-1: is the region itself; name another one"),
        ("services.portal.route.host", None, "services.portal.route.host: prod needs a host name, for its certificate"),
        ("services.user.scaling", {"fewest": 1}, "services.user.scaling.fewest=1: prod needs a replica that is left"),
    ],
)
def test_prod_refuses_to_fall_below_its_protections(path: str, value: Any, message: str) -> None:
    found = problems(changed(PROD, path, value))
    assert len(found) == 1
    assert message in found[0]


def test_dev_may_be_weaker_than_prod_and_as_strong() -> None:
    assert settings(changed(GOOD, "database.backupDays", 3)).system.database.backup_days == 3
    strong = changed(changed(GOOD, "database.copyBackups", True), "recoveryRegion", "eu-west-1")
    assert settings(strong).recovery_region == "eu-west-1"


@pytest.mark.parametrize("tier", Tier)
def test_a_systems_own_values_meet_the_demands_of_every_tier(tier: Tier) -> None:
    """But for hosts, which only a stack can name."""
    for system in SYSTEMS.values():
        found = shortfalls(tier, system(tier), PROFILES[tier].zones)
        assert [each.path for each in found if not each.path.endswith(".route.host")] == []


def test_an_unlisted_instance_class_is_a_warning() -> None:
    warnings = settings(changed(GOOD, "aws.database.instanceClass", "db.m99g.large")).warnings
    assert len(warnings) == 1
    assert "plinth:aws.database.instanceClass=db.m99g.large: the SDK does not list this class" in warnings[0]


def test_a_cluster_that_nobody_administers_is_a_warning(tmp_path: Path) -> None:
    lonely = changed(GOOD, "aws.cluster.administrators", {})
    assert "nobody may use the cluster; name who deploys into it" in settings(lonely).warnings[0]
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    (said,) = settings({**lonely, "cluster": {"kubeconfig": str(tmp_path / "kubeconfig")}}).warnings
    assert "aws.cluster: has no effect, since an existing cluster is used" in said


def test_what_has_no_effect_is_a_warning() -> None:
    assert "nothing is copied there" in settings({**GOOD, "recoveryRegion": "eu-west-1"}).warnings[0]


def test_encrypting_what_is_no_secret_is_refused() -> None:
    with pytest.raises(InputError, match="plinth:region: is encrypted but holds no secret"):
        settings(GOOD, secrets=frozenset({"plinth:region", "aws:secretKey"}))


def test_overrides_change_what_they_name_and_nothing_else() -> None:
    base, changes = settings(GOOD).system, {"backupDays": 5, "size": "large"}
    system = settings(changed(GOOD, "database", changes)).system
    assert system.database == base.database.model_copy(update={"backup_days": 5, "size": Size.LARGE})
    assert (system.services, system.stores) == (base.services, base.stores)
    portal = settings(changed(GOOD, "services.portal.reads", [])).system.services["portal"]
    assert portal == base.services["portal"].model_copy(update={"reads": ()})


def test_overrides_reach_into_named_parts_and_may_add_some() -> None:
    base = settings(GOOD).system
    changes = {"queues": {"error": {"backlog": 7}, "retry": {"purpose": "Retries", "exchange": "commands"}}}
    broker = settings(changed(GOOD, "broker", changes)).system.broker
    assert broker.queues["error"] == base.broker.queues["error"].model_copy(update={"backlog": 7})
    assert set(broker.queues) == {*base.broker.queues, "retry"}
    nodes = settings(changed(GOOD, "nodes", {"big": {"size": "large", "fewest": 0, "most": 3}})).system.nodes
    assert set(nodes) == {*base.nodes, "big"}


def test_a_cluster_broker_needs_two_zones() -> None:
    values = changed(changed(GOOD, "aws.broker", {"clustered": True}), "aws.zones", ["eu-central-1a"])
    assert "aws.zones=eu-central-1a: a cluster of brokers spans two zones or more; name them" in problems(values)


def test_the_region_is_primary_unless_another_one_is_said_to_be() -> None:
    primary = {
        "database": "arn:aws:rds:eu-west-1:123456789012:db:skipper-prod-database",
        "databaseSecret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x",
        "key": "arn:aws:kms:eu-central-1:123456789012:key/x",
    }
    made = settings(changed(GOOD, "aws.primary", primary))
    assert (made.is_standby, made.primary_region) == (False, "eu-central-1")
    standby = settings({**changed(GOOD, "aws.primary", primary), "primaryRegion": "eu-west-1"})
    assert (standby.is_standby, standby.primary_region) == (True, "eu-west-1")


def test_decommission_takes_the_protection_off_and_says_so() -> None:
    kept, gone = settings(PROD), settings({**PROD, "decommission": True})
    assert (kept.protect, gone.protect) == (True, False)
    assert "nothing is protected" in gone.warnings[0]
    assert settings(GOOD).protect is False


@pytest.mark.parametrize(
    ("stack", "name"),
    [("dev", "skipper-dev"), ("skipper-gcp-dev", "skipper-gcp-dev")],
)
def test_an_environments_name_begins_with_its_system(stack: str, name: str) -> None:
    assert settings(GOOD, stack=stack).name == name


def test_settings_are_frozen() -> None:
    made = settings(GOOD)
    for part in (made, made.system, made.system.database, made.images):
        with pytest.raises(Exception, match=r"frozen|cannot assign"):
            part.name = "other"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("types", [INSTANCE_CLASSES, CACHE_TYPES, NODE_TYPES])
def test_every_size_has_a_type(types: dict[Size, Any]) -> None:
    assert set(types) == set(Size)


def test_regions_of_other_partitions_are_left_out() -> None:
    assert "eu-central-1" in REGIONS
    assert not [region for region in REGIONS if region.startswith(("cn-", "us-gov", "us-iso", "eu-iso", "eusc"))]


def test_pulumi_yaml_declares_exactly_the_keys_that_there_are() -> None:
    """With the type that the engine checks, the description of the field, and an empty default."""
    import inspect

    import yaml

    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    empty = {"string": "", "object": {}, "boolean": False}
    described: dict[str, str] = {}
    for shape in (StackFile, AccountFile):
        source = inspect.getsource(shape)
        for name, field in shape.model_fields.items():
            text = " ".join(source.split(f"    {name}: ", 1)[1].split('"""')[1].split())
            described.setdefault(field.alias or name, text)
    assert {key: entry["description"] for key, entry in declared.items()} == described
    assert all(entry["default"] == empty[entry["type"]] for entry in declared.values())


ENVIRONMENT_STACKS = [stack for stack in stacks(ROOT) if "account" not in values_of(configuration(ROOT, stack).values)]


@pytest.mark.parametrize("stack", stacks(ROOT))
def test_every_stack_file_loads_and_turns_default_providers_off(stack: str) -> None:
    given = configuration(ROOT, stack)
    read = load if stack in ENVIRONMENT_STACKS else load_account
    assert read(stack, given.values).warnings == ()
    assert given.disabled_default_providers == ["*"]


def test_no_two_stacks_share_addresses() -> None:
    import ipaddress
    import itertools

    blocks = [ipaddress.ip_network(load(name, configuration(ROOT, name).values).block) for name in ENVIRONMENT_STACKS]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(blocks, 2))


def test_the_aws_section_is_a_key_of_the_stack_file() -> None:
    assert Cloud.AWS.value in StackFile.model_fields
    assert Section.model_fields


def service(**changes: Any) -> dict[str, Any]:
    """The values with other ones of one service."""
    return changed(GOOD, "services.portal", changes)


HOST = "skipper.example.com"
_MANY = [f"host-{i}.example.com" for i in range(70)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resources": {"cpu": "0.0"}}, "resources.cpu=0.0: give CPUs in thousandths above 0, for example 250m, or"),
        ({"resources": {"cpuLimit": "2000"}}, "resources.cpuLimit=2000: that many CPUs no machine has; thousandths"),
        ({"resources": {"memory": "64m"}}, "resources.memory=64m: give whole bytes above 0, with a unit such as Mi or"),
        (
            {"resources": {"memoryLimit": "64Ki"}},
            "resources.memoryLimit=64Ki: no container starts with so little; give",
        ),
        ({"version": "latest"}, "version=latest: give a tag other than latest, like v1.2.3, of 128 characters at most"),
        ({"version": "v1\n"}, r"version='v1\n': give a tag other than latest"),
        ({"version": "v" * 129}, f"version={'v' * 79}…: give a tag other than latest"),
        ({"version": "v" * 64}, f"version={'v' * 64}: give what a label can say: letters, digits, ., _ and -, letter"),
        ({"livePath": "health"}, "livePath=health: give a path that begins with a /"),
        ({"readyPath": ""}, "readyPath='': give a path that begins with a /"),
        ({"route": {"paths": []}}, "route.paths=[]: give 1 to 64 paths, or leave them out for all"),
        ({"route": {"paths": ["/", "/a//b"]}}, "route.paths[1]=/a//b: begin with a /, end without one, and have"),
        ({"route": {"host": "*.example.com"}}, "route.host=*.example.com: write one host name in small letters, like"),
        ({"route": {"aliases": [HOST]}}, "route.host: aliases stand beside a host name; give that first"),
        ({"route": {"host": HOST, "aliases": [HOST]}}, f"route.aliases[0]={HOST}: it is there already; leave it out"),
        ({"route": {"host": HOST, "aliases": _MANY}}, "route.aliases=71 hosts in all: give 63 or fewer; a Gateway has"),
        (
            {"environment": {"SESSION_SIGNING": "x"}},
            "environment.SESSION_SIGNING: the secret session-signing gives it;",
        ),
        ({"environment": {"DB_PASSWORD": "x"}}, "environment.DB_PASSWORD: the secret database gives it; leave it out"),
        ({"environment": {"log-level": "x"}}, "environment.log-level: name it with capital letters, digits and _, no"),
        (
            {"environment": {"A": "x" * 600_000, "B": "x" * 600_000}},
            "environment=1200000 bytes: 1048576 is what a ConfigMap holds; keep the rest elsewhere",
        ),
        ({"migrations": {"up": []}}, "migrations.up=[]: say what is run, word by word"),
        ({"migrations": {"down": [""]}}, "migrations.down=['']: say what is run, word by word"),
    ],
)
def test_what_a_service_would_refuse_the_settings_find(changes: dict[str, Any], message: str) -> None:
    (found,) = problems(service(**changes))
    assert found.startswith(f"services.portal.{message}")


def test_a_tag_of_an_image_may_be_as_long_as_a_label() -> None:
    assert settings(service(version="v" * 63)).system.services["portal"].version == "v" * 63


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("platform.viewers", [""], "platform.viewers[0]='': give the name of a group, with no space around it"),
        (
            "platform.operators",
            ["system:masters"],
            "platform.operators[0]=system:masters: that is one of the cluster's",
        ),
        (
            "aws.cluster.members",
            {"a": {"principal": "arn:aws:iam::123456789012:role/a", "groups": []}},
            "aws.cluster.members.a.groups=[]: name a group or more",
        ),
        (
            "aws.cluster.members",
            {"a": {"principal": "arn:aws:iam::123456789012:role/a", "groups": ["plinth:viewers", "eks:admins"]}},
            "aws.cluster.members.a.groups[1]=eks:admins: name a group of your own",
        ),
        (
            "aws.cluster.members",
            {"a": {"principal": "arn:aws:iam::123456789012:role/deploy", "groups": ["plinth:viewers"]}},
            "aws.cluster.members.a.principal=arn:aws:iam::123456789012:role/deploy: stands at aws.cluster.adm",
        ),
        ("platform.provided", [["reloader"]], "platform.provided[0]=['reloader']: did you mean `reloader`?"),
        ("kubernetes", {"storageClass": "fast"}, "kubernetes: what an environment on AWS has stands on AWS; leave it"),
    ],
)
def test_what_the_cluster_would_refuse_the_settings_find(path: str, value: Any, message: str) -> None:
    (found,) = problems(changed(GOOD, path, value))
    assert found.startswith(message)


def test_two_services_at_one_host_and_path_are_one_too_many() -> None:
    def found(portal: dict[str, Any], user: dict[str, Any]) -> list[str]:
        return problems(changed(changed(GOOD, "services.portal.route", portal), "services.user.route", user))

    taken = "already; give another host, or other paths"
    assert found({}, {}) == [f"services.user.route.host: portal takes / at any host {taken}"]
    assert found({"host": HOST}, {"host": HOST}) == [
        f"services.user.route.host={HOST}: portal takes / at {HOST} {taken}"
    ]
    assert found(
        {"host": HOST, "paths": ["/a", "/b"]}, {"host": "b.example.com", "aliases": [HOST], "paths": ["/b"]}
    ) == [f"services.user.route.aliases[0]={HOST}: portal takes /b at {HOST} {taken}"]
    apart = changed(changed(GOOD, "services.portal.route", {"host": HOST}), "services.user.route", {"paths": ["/"]})
    assert settings(apart).system.services["user"].route


def test_replicas_of_a_service_that_scales_are_refused() -> None:
    assert problems(changed(PROD, "services.user.replicas", 5)) == [
        "services.user.replicas=5: the service follows its load; give scaling.fewest, which is 3, instead"
    ]
    still = settings(changed(PROD, "services.user", {"replicas": 5, "scaling": None})).system.services["user"]
    assert (still.replicas, still.scaling) == (5, None)


def test_no_problem_hides_another() -> None:
    values = changed(PROD, "services.user", {"resources": {"cpu": "lots"}, "replicas": 0, "secrets": ["nope"]})
    values = changed(changed(values, "services.user.scaling", {"fewest": 5, "most": 2}), "backup", {"dailyDays": 10})
    values = changed(changed(values, "database.backupDays", 3), "aws.account", "1")
    found = {each.partition("=")[0] for each in problems(changed(values, "aws.zones", ["eu-central-1a"]))}
    assert found == {
        "services.user.resources.cpu",
        "services.user.replicas",
        "services.user.secrets",
        "services.user.scaling.most",
        "backup.dailyDays",
        "database.backupDays",
        "aws.account",
        "aws.zones",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services.portal.scaling", {"fewest": "many", "most": 1}),
        ("services.portal.resources", {"cpu": "lots", "cpuLimit": "1m"}),
        ("database", {"storageGb": "much", "maxStorageGb": 20}),
        ("backup", {"dailyDays": "many", "monthlyDays": 2}),
        ("nodes.general", {"fewest": "some", "most": 1}),
        ("aws.zones", [1]),
    ],
)
def test_nobody_is_told_of_what_stands_for_something_that_cannot_be_read(path: str, value: Any) -> None:
    assert len(problems(changed(GOOD, path, value))) == 1


def test_a_system_without_a_broker_needs_no_zones_for_one() -> None:
    given = configuration(ROOT, "workflows-aws-prod")
    values = changed(values_of(given.values), "aws.zones", ["eu-central-1a"])
    assert problems(values) == ["aws.zones=eu-central-1a: prod needs 3 zones or more; name them in Pulumi.test.yaml"]


def test_what_another_cloud_has_may_stay_but_is_told() -> None:
    assert settings({**GOOD, "gcp": {}}).warnings == ()
    assert settings({**GOOD, "gcp": {"project": "example-prod"}}).warnings == (
        "plinth:gcp: has no effect on aws, and may stay for a move",
    )


def test_a_choice_of_nothing_says_so() -> None:
    values = changed(values_of(configuration(ROOT, "workflows-aws-dev").values), "services.api.calls", ["api"])
    assert problems(values) == ["services.api.calls=api: there are none to choose from; leave it out"]


def test_a_mirror_that_is_a_folder_has_every_chart(tmp_path: Path) -> None:
    nowhere = tmp_path / "nothere"
    (found,) = problems(changed(GOOD, "platform.charts", str(nowhere)))
    assert ": is no folder here; give the path of one with the charts' archives" in found
    nowhere.mkdir()
    wanted = {f"{chart.name}-{chart.version}.tgz" for chart in CHARTS.values() if chart.name != "external-dns"}
    (nowhere / min(wanted)).touch()
    (found,) = problems(changed(GOOD, "platform.charts", str(nowhere)))
    assert f": lacks {', '.join(sorted(wanted - {min(wanted)}))}; fill it with `helm pull`" in found
    for name in wanted:
        (nowhere / name).touch()
    assert settings(changed(GOOD, "platform.charts", str(nowhere))).platform.charts == str(nowhere)


def shapes() -> list[type[BaseModel]]:
    """Every model of what stands in a stack file."""
    for module in (*ENVIRONMENTS.values(), *ACCOUNTS.values()):
        importlib.import_module(f"{module}_settings")

    def below(shape: type[BaseModel]) -> list[type[BaseModel]]:
        return [each for child in shape.__subclasses__() for each in (child, *below(child))]

    return [shape for shape in below(Part) if shape is not System]


WRONG = ("not ! a ^ shape\n", "", 5, -1, 10**30, 1.5, True, None, [], [5], ["^"], [[]], {}, {"a^": 5}, {"a": {"b": 5}})
RAW = re.compile(r"\^|should|Input|valid |must match|validation")


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: f"{shape.__module__.rpartition('.')[2]}.{shape.__name__}")
def test_every_remedy_is_in_words(shape: type[BaseModel]) -> None:
    for field in shape.model_fields.values():
        for wrong in WRONG:
            reader = Reader("test")
            reader.parsed(shape, {str(field.alias): wrong}, "")
            assert not [each for each in reader.problems if RAW.search(each.remedy)], (field.alias, wrong)


def test_no_field_has_a_pattern_for_its_remedy() -> None:
    """`shaped` has words beside its pattern."""
    schemas = {shape.__name__: json.dumps(shape.model_json_schema()) for shape in shapes()}
    assert len(schemas) > 30
    assert not [name for name, schema in schemas.items() if re.search(r'"(pattern|m(in|ax)(Length|Items))"', schema)]


def test_the_documents_example_is_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("__main__.py", "Pulumi.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    content = (ROOT / "Pulumi.prod.yaml").read_text()
    for old, new in (
        ("  plinth:network:\n    cidr: 10.30.0.0/16\n    reserved: [10.20.0.0/16] # dev\n", ""),
        (
            "  plinth:tags:",
            "  plinth:netwrok:\n    cidr: 10.30.0.0/16\n  plinth:database: {backupDays: 3}\n  plinth:tags:",
        ),
    ):
        assert old in content
        content = content.replace(old, new)
    (tmp_path / "Pulumi.prod.yaml").write_text(content)
    assert main(["prod"], tmp_path) == 1
    example = (ROOT / "docs" / "configuration.md").read_text().split("```\n")[1]
    assert capsys.readouterr().err == example
