"""Settings: every error by path, value and remedy."""

import json
from typing import Any

import pytest

from components.problems import InputError
from preview.project import configuration, stacks
from stacks.environments.aws_settings import INSTANCE_CLASSES, REGIONS, Section
from stacks.model import Size, Tier
from stacks.settings import Cloud, Settings, StackFile, load
from stacks.systems import SYSTEMS
from stacks.tiers import PROFILES, shortfalls

from ..support import ROOT

GOOD: dict[str, Any] = {
    "system": "skipper",
    "cloud": "aws",
    "tier": "dev",
    "region": "eu-central-1",
    "network": {"cidr": "10.20.0.0/16"},
    "tags": {"owner": "platform"},
    "aws": {"account": "123456789012", "zones": ["eu-central-1a", "eu-central-1b"]},
}
PROD: dict[str, Any] = {
    **GOOD,
    "tier": "prod",
    "recoveryRegion": "eu-west-1",
    "aws": {"account": "123456789012", "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"]},
}


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
        ("services.portal.replica", 3, "unknown key; the keys here are appends, database, purpose, reads"),
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
        ("database.storageGb", 500, "database.maxStorageGb=100: give 500 or more, which the database starts with"),
        (
            "stores.events.keepDays",
            30,
            "stores.events.keepDays=30: give more than archiveAfterDays=90 and lockDays=0, or 0",
        ),
        ("aws.account", "12345", r"aws.account=12345: must match ^\d{12}$"),
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
        ("cloud", "azure", "cloud=azure: choose one of aws, gcp, local"),
        ("cloud", "gcp", "cloud=gcp: skipper does not run there yet; choose aws"),
        ("tier", "production", "tier=production: choose one of dev, staging, prod"),
        ("region", "eu-central-9", "region=eu-central-9: no such AWS region; did you mean `eu-central-2`?"),
        ("recoveryRegion", "mars", "recoveryRegion=mars: no such AWS region; choose one of af-south-1"),
        ("region", "cn-north-1", "region=cn-north-1: no such AWS region"),
        ("services.portl", {"database": True}, "services.portl: skipper has no such service; did you mean `portal`?"),
        ("stores.files", {"replicate": True}, "stores.files: skipper has no such store; choose one of events"),
        ("services.portal.reads", ["files"], "services.portal.reads=files: choose one of events"),
        # zones and classes
        ("aws.zones", ["eu-central-1a"], "aws.zones=1: dev needs 2 zones or more; name them in Pulumi.test.yaml"),
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
    assert paths == {"netwrok", "network.cidr", "database.size", "services.portl", "aws.account"}


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
        ("aws.zones", ["eu-central-1a", "eu-central-1b"], "aws.zones=2: prod needs 3 zones or more; name them in"),
        (
            "recoveryRegion",
            ...,
            "recoveryRegion: required by database.copyBackups, stores.events.replicate; name a second",
        ),
        ("recoveryRegion", "eu-central-1", "recoveryRegion=eu-central-1: is the region itself; name another one"),
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
    for system in SYSTEMS.values():
        assert shortfalls(tier, system(tier), PROFILES[tier].zones) == []


def test_an_unlisted_instance_class_is_a_warning() -> None:
    warnings = settings(changed(GOOD, "aws.database.instanceClass", "db.m99g.large")).warnings
    assert len(warnings) == 1
    assert "plinth:aws.database.instanceClass=db.m99g.large: the SDK does not list this class" in warnings[0]


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
    for part in (made, made.system, made.system.database, made.network):
        with pytest.raises(Exception, match=r"frozen|cannot assign"):
            part.name = "other"  # pyright: ignore[reportAttributeAccessIssue]


def test_every_size_has_an_instance_class() -> None:
    assert set(INSTANCE_CLASSES) == set(Size)


def test_regions_of_other_partitions_are_left_out() -> None:
    assert "eu-central-1" in REGIONS
    assert not [region for region in REGIONS if region.startswith(("cn-", "us-gov", "us-iso", "eu-iso", "eusc"))]


def test_pulumi_yaml_declares_exactly_the_keys_that_there_are() -> None:
    """With the type that the engine checks, the description of the field, and an empty default."""
    import inspect

    import yaml

    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    source = inspect.getsource(StackFile)
    empty = {"string": "", "object": {}, "boolean": False}
    assert list(declared) == [field.alias for field in StackFile.model_fields.values()]
    for name, field in StackFile.model_fields.items():
        entry = declared[field.alias]
        described = source.split(f"    {name}: ", 1)[1].split('"""')[1]
        assert entry["description"] == described
        assert entry["default"] == empty[entry["type"]]


@pytest.mark.parametrize("stack", stacks(ROOT))
def test_every_stack_file_loads_and_turns_default_providers_off(stack: str) -> None:
    given = configuration(ROOT, stack)
    assert load(stack, given.values).warnings == ()
    assert given.disabled_default_providers == ["*"]


def test_no_two_stacks_share_addresses() -> None:
    import ipaddress
    import itertools

    blocks = [ipaddress.ip_network(load(name, configuration(ROOT, name).values).network.cidr) for name in stacks(ROOT)]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(blocks, 2))


def test_the_aws_section_is_a_key_of_the_stack_file() -> None:
    assert Cloud.AWS.value in StackFile.model_fields
    assert Section.model_fields
