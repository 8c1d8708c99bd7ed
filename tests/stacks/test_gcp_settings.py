"""What the settings refuse on Google Cloud, and that changing its cloud and regions alone moves a system there."""

import json
from typing import Any

import pytest

from components.problems import InputError
from preview.project import configuration
from stacks.account import load_account
from stacks.environments import aws_settings, gcp_settings
from stacks.environments.gcp_place import REGIONS, zones_of
from stacks.model import Size, System
from stacks.reading import values_of
from stacks.settings import Settings, load

from ..support import ROOT, known, recorded

GOOD: dict[str, Any] = {
    "system": "skipper",
    "cloud": "gcp",
    "tier": "dev",
    "region": "europe-west3",
    "network": {"cidr": "10.20.0.0/16"},
    "tags": {"owner": "platform"},
    "gcp": {
        "project": "example-skipper-dev",
        "projectNumber": "123456789012",
        "zones": ["europe-west3-a", "europe-west3-b"],
        "cluster": {"administrators": {"deploy": "group:platform@example.com"}},
    },
}
PROD: dict[str, Any] = {
    **GOOD,
    "tier": "prod",
    "recoveryRegion": "europe-west4",
    "alerts": {"critical": ["mailto:oncall@example.com"]},
    "services": {"portal": {"route": {"host": "skipper.example.com"}}},
    "gcp": {**GOOD["gcp"], "zones": zones_of("europe-west3")},
}


def settings(values: dict[str, Any]) -> Settings:
    """The settings out of values, as the engine hands them over."""
    config = {f"plinth:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return load("test", config)


def changed(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The values with another one at a path."""
    result = json.loads(json.dumps(values))
    *steps, last = path.split(".")
    place = result
    for step in steps:
        place = place.setdefault(step, {})
    place[last] = value
    return result


def problems(values: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as caught:
        settings(values)
    return [str(problem).removeprefix("plinth:") for problem in caught.value.problems]


def test_what_is_right_is_taken() -> None:
    assert settings(GOOD).section.project == "example-skipper-dev"
    assert settings(PROD).recovery_region == "europe-west4"


def _without_hosts(system: System) -> System:
    """A system without the names under which it is found, of which each place has its own."""
    services = {
        name: service.model_copy(update={"route": service.route and service.route.model_copy(update={"host": None})})
        for name, service in system.services.items()
    }
    return system.model_copy(update={"services": services})


MOVES = {"dev": "skipper-gcp-dev", "prod": "skipper-gcp-prod"}
"""The stack files of a tier on both clouds."""


@pytest.mark.parametrize("tier", MOVES)
def test_changing_the_cloud_and_its_regions_moves_the_system(tier: str) -> None:
    """The rest of the file holds, but for the clouds' own sections: and the system in it is the same, to the letter."""
    there, here = (values_of(configuration(ROOT, stack).values) for stack in (MOVES[tier], tier))
    places = ("cloud", "region", "recoveryRegion", "services", "images")
    moved = {**here, **{key: there[key] for key in (*places, "gcp") if key in there}}
    # What the other cloud has of its own may stay in the file.
    assert "aws" in moved
    after, before = settings(moved), load(tier, configuration(ROOT, tier).values)
    assert _without_hosts(after.system) == _without_hosts(before.system)
    assert (after.tags, after.alerts, after.network) == (before.tags, before.alerts, before.network)
    again = {**there, **{key: here[key] for key in (*places, "aws") if key in here}}
    assert settings(again).system == before.system


@pytest.mark.parametrize("tier", MOVES)
def test_the_stack_files_of_both_clouds_differ_in_their_places_alone(tier: str) -> None:
    there, here = (values_of(configuration(ROOT, stack).values) for stack in (MOVES[tier], tier))
    differing = {key for key in {*there, *here} if there.get(key) != here.get(key)}
    places = {"cloud", "region", "network", "services", "images", "platform", "aws", "gcp"}
    assert differing - {"recoveryRegion"} == places
    groups = {key for key in there["platform"] if there["platform"][key] != here["platform"][key]}
    assert groups == {"viewers", "operators"}, "each cloud's clusters call groups in their own way"
    assert set(there["network"]) == set(here["network"]), "both stand side by side: they only have other addresses"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "region",
            "europe-west33",
            "region=europe-west33: no such region of Google Cloud; did you mean `europe-west3`?",
        ),
        ("region", "eu-central-1", "region=eu-central-1: no such region of Google Cloud"),
        (
            "gcp.zones",
            ["europe-west3-a", "europe-west3-d"],
            "gcp.zones[1]=europe-west3-d: is no zone of europe-west3; did you mean `europe-west3-c`? choose one of "
            "europe-west3-a, europe-west3-b, europe-west3-c",
        ),
        ("gcp.zones", ["europe-west3-a", "europe-west3-a"], "gcp.zones[1]=europe-west3-a: stands twice"),
        ("gcp.project", "Example", "gcp.project=Example: write the id of a project, 6 to 30 small letters, digits"),
        ("gcp.project", "123456789012", "gcp.project=123456789012: write the id of a project"),
        ("gcp.project", "a-project-whose-name-is-too-long", "-too-long: write the id of a project, 6 to 30 small"),
        ("gcp.projectNumber", "example", "gcp.projectNumber=example: write the number of a project, in quotes, like"),
        ("gcp.projectNumber", 123456789012, "gcp.projectNumber=123456789012: give text; in YAML, put it in quotes"),
        (
            "gcp.ranges",
            {"pods": "10.20.128.0/20"},
            "gcp.ranges.pods=10.20.128.0/20: overlaps gcp.ranges.nodes, which is 10.20.128.0/19; give a block apart",
        ),
        (
            "gcp.ranges",
            {"pods": "100.64.0.0/14", "services": "100.65.0.0/20"},
            "gcp.ranges.services=100.65.0.0/20: overlaps gcp.ranges.pods, which is 100.64.0.0/14; give a block apart",
        ),
        ("gcp.ranges", {"pods": "100.64.0.0/22"}, "gcp.ranges.pods=100.64.0.0/22: too small; give a block from /9 to"),
        ("gcp.ranges", {"pods": "100.64.0.1/16"}, "gcp.ranges.pods=100.64.0.1/16: has host bits set"),
        ("gcp.ranges", {"pods": "8.8.0.0/16"}, "gcp.ranges.pods=8.8.0.0/16: give a block within 10.0.0.0/8"),
        (
            "nodes",
            {"general": {"most": 200}},
            "gcp.ranges.pods=10.20.0.0/17: room for 128 nodes, and 201 may be there with upgrades; give a larger "
            "block, or lower gcp.cluster.podsPerNode",
        ),
        (
            "network.cidr",
            "10.20.0.0/20",
            None,
        ),
        ("network.cidr", "172.17.0.0/16", "network.cidr=172.17.0.0/16: overlaps 172.17.0.0/16, which Docker uses"),
        ("network.cidr", "11.0.0.0/16", "network.cidr=11.0.0.0/16: give a block within 10.0.0.0/8"),
        (
            "gcp.database",
            {"tier": "db-custom-2-8192", "edition": "ENTERPRISE_PLUS"},
            "gcp.database.tier=db-custom-2-8192: ",
        ),
        (
            "gcp.database",
            {"tier": "db-perf-optimized-N-2", "edition": "ENTERPRISE"},
            "gcp.database.tier=db-perf-optimized-N-2: ",
        ),
        ("gcp.database", {"edition": "ENTERPRISE_PLUS"}, "database.size=db-custom-2-8192: "),
        ("gcp.database", {"tier": "db.m6g.large"}, "gcp.database.tier=db.m6g.large: "),
        ("gcp.database", {"edition": "FREE"}, "gcp.database.edition=FREE: choose one of ENTERPRISE, ENTERPRISE_PLUS"),
        (
            "database",
            {"pooling": True},
            "database.pooling=True: db-custom-2-8192 is of the edition ENTERPRISE; name a tier of ENTERPRISE_PLUS in "
            "gcp.database.tier, or set it to false",
        ),
        ("backup", {"dailyDays": 361}, "backup.dailyDays=361: Google Cloud keeps a cluster's backups for 360 days at"),
        ("backup", {"monthlyDays": 366}, "backup.monthlyDays=366: Google Cloud keeps a cluster's backups for 365 days"),
        ("gcp.cache", {"nodeType": "cache.t4g.small"}, "gcp.cache.nodeType=cache.t4g.small: choose one of SHARED_CORE"),
        ("gcp.cache", {"version": "8.2"}, "gcp.cache.version=8.2: did you mean `8.0`? choose one of 7.2, 8.0, 9.0"),
        (
            "gcp.accountPrefix",
            "skipper-gcp-production",
            "gcp.accountPrefix=skipper-gcp-production: makes the service account "
            "skipper-gcp-production-restores-call, 36 characters; with its service's name, an id has 6 to 30: give a "
            "shorter prefix",
        ),
        ("gcp.nodes", {"other": {"machineType": "e2-standard-2"}}, "gcp.nodes.other: no such node pool; choose one of"),
        (
            "gcp.nodes",
            {"general": {"machineType": "t3.large"}},
            "gcp.nodes.general.machineType=t3.large: no machine type; write <family>-<kind>-<cores>",
        ),
        (
            "gcp.cluster",
            {"administrators": {"deploy": "arn:aws:iam::123456789012:role/deploy"}},
            "gcp.cluster.administrators.deploy=arn:aws:iam::123456789012:role/deploy: no IAM member; write group:",
        ),
        ("gcp.cluster", {"allow": ["0.0.0.0/0"]}, "gcp.cluster.allow[0]=0.0.0.0/0: is most of the internet"),
        ("gcp.cluster", {"allow": ["office"]}, "gcp.cluster.allow[0]=office: not an IPv4 block"),
        ("gcp.cluster", {"podsPerNode": 4}, "gcp.cluster.podsPerNode=4: give 8 or more"),
        (
            "broker",
            {"queues": {"more": {"purpose": "More", "exchange": "commands", "routingKey": "agent.*.stop"}}},
            "broker.queues.more.routingKey=agent.*.stop: ",
        ),
        ("tags", {"owner": "Platform Team"}, "tags.owner=Platform Team: Google Cloud's labels are small letters"),
        (
            "primaryRegion",
            "europe-west4",
            "primaryRegion=europe-west4: on Google Cloud the environment itself keeps a copy of its database",
        ),
        ("gcp.dns", {"zone": "example.com"}, "gcp.dns.zone=example.com: write the managed zone's name, not its domain"),
        (
            "gcp.registries",
            {"ours": "eu.gcr.io/x"},
            "gcp.registries.ours=eu.gcr.io/x: write it in small letters, projects/",
        ),
        ("gcp.colour", "red", "gcp.colour=red: unknown key"),
        # unknown keys below names that the file's author chose
        (
            "gcp.nodes",
            {"general": {"machineType": "n2-standard-4", "foo": 1}},
            "gcp.nodes.general.foo=1: unknown key; the keys here are machineType",
        ),
        ("broker", {"queues": {"result": {"foo": 1}}}, "broker.queues.result.foo=1: unknown key; the keys here are"),
        # what only a component would refuse
        ("gcp.accountPrefix", "", "gcp.accountPrefix='': write small letters, digits and hyphens, a letter first"),
        ("gcp.accountPrefix", "Skipper", "gcp.accountPrefix=Skipper: write small letters, digits and hyphens"),
        (
            "network",
            {"cidr": "10.20.0.0/16", "reserved": ["nowhere", "100.64.0.0/10"]},
            "network.reserved[0]=nowhere: not an IPv4 block",
        ),
        ("gcp.database", {"tier": "db-g1-small"}, None),
        *(
            ("database", {"name": name}, f"database.name={name}: PostgreSQL or Cloud SQL has that name for itself")
            for name in ("postgres", "template0", "pg_skipper", "cloudsqladmin")
        ),
        (
            "broker",
            {"queues": {"error-dead": {"purpose": "More", "exchange": "commands"}}},
            "broker.queues.error-dead: the dead letters of error have this name; give another one",
        ),
        (
            "broker",
            {"exchanges": {"error-dead": {}}},
            "broker.exchanges.error-dead: the dead letters of error have this name; give another one",
        ),
        ("nodes", {"general": {"fewest": 0}}, "nodes=general: GKE's own parts need a machine that is always there"),
        (
            "gcp.cluster",
            {"administrators": {"a": "user:a@example.com"}, "viewers": {"b": "user:a@example.com"}},
            "gcp.cluster.viewers.b=user:a@example.com: stands at gcp.cluster.administrators.a too",
        ),
        ("services", {"portal": {"purpose": "ü" * 129}}, ": 258 bytes; say it in 256 or fewer"),
        # Autopilot
        (
            "gcp.cluster",
            {"autopilot": True, "podsPerNode": 32},
            "gcp.cluster.podsPerNode=32: Autopilot brings its own machines; leave it out",
        ),
    ],
)
def test_each_fault_gets_one_error_with_path_value_and_remedy(path: str, value: Any, message: str | None) -> None:
    if message is None:
        settings(changed(GOOD, path, value))
        return
    found = problems(changed(GOOD, path, value))
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "gcp.zones",
            ["europe-west3-a", "europe-west3-b"],
            "gcp.zones=europe-west3-a, europe-west3-b: prod needs 3 zones",
        ),
        (
            "recoveryRegion",
            "us-east4",
            "recoveryRegion=us-east4: ",
        ),
        ("network", {"cidr": "10.20.0.0/20"}, "gcp.ranges.pods=10.20.0.0/21: room for 8 nodes, and 44 may be there"),
        (
            "gcp.database",
            {"tier": "db-custom-8-32768"},
            "database.backupDays=30: db-custom-8-32768 is of the edition ENTERPRISE; name a tier of ENTERPRISE_PLUS in "
            "gcp.database.tier, or give 7 or less",
        ),
        ("backup", {"dailyDays": 30, "monthlyDays": 0}, None),
        ("database", {"backupDays": 35, "copyBackups": True}, None),
        ("gcp.database", {"tier": "db-custom-8-32768"}, "database.pooling=True: db-custom-8-32768 is of the edition"),
    ],
)
def test_prod_refuses_what_it_cannot_do(path: str, value: Any, message: str | None) -> None:
    if message is None:
        settings(changed(PROD, path, value))
        return
    assert any(message in problem for problem in problems(changed(PROD, path, value)))


def test_a_load_balancer_needs_hosts_and_their_zone() -> None:
    edge = {"requestsPerMinute": 1_000_001, "foo": 1}
    most, unknown, zone, host = problems(changed(GOOD, "gcp.edge", edge))
    assert most == "gcp.edge.requestsPerMinute=1000001: give 1000000 or less"
    assert unknown.startswith("gcp.edge.foo=1: unknown key")
    assert zone.startswith("gcp.dns.zone: a load balancer's certificate is proved in the zone of its hosts")
    assert host.startswith("services.portal.route.host: the load balancer's certificate needs a host name; give one")


def test_fewer_pods_a_node_make_room_for_more_nodes() -> None:
    small = changed(PROD, "network", {"cidr": "10.20.0.0/20"})
    assert settings(changed(small, "gcp.cluster", {"podsPerNode": 16})).block == "10.20.0.0/20"


def test_autopilot_counts_no_nodes() -> None:
    small = changed(PROD, "network", {"cidr": "10.20.0.0/20"})
    assert settings(changed(small, "gcp.cluster", {"autopilot": True})).section.cluster.autopilot


def test_autopilot_takes_no_nodes() -> None:
    autopilot = changed(GOOD, "gcp.cluster.autopilot", True)
    remedy = "Autopilot brings its own machines; leave it out"
    assert problems(changed(autopilot, "nodes", {"general": {"most": 5}})) == [f"nodes=general: {remedy}"]
    own = changed(autopilot, "gcp.nodes", {"general": {"machineType": "n2-standard-4"}})
    assert problems(own) == [f"gcp.nodes=general: {remedy}"]


def test_ranges_are_apart_from_what_is_reserved() -> None:
    reserved = changed(GOOD, "network.reserved", ["10.30.0.0/16", "100.64.0.0/12"])
    assert problems(changed(reserved, "gcp.ranges", {"pods": "100.64.0.0/14"})) == [
        "gcp.ranges.pods=100.64.0.0/14: overlaps 100.64.0.0/12, which network.reserved[1] sets aside; give a block "
        "apart from it"
    ]
    assert settings(changed(reserved, "gcp.ranges", {"pods": "100.80.0.0/14"})).section.ranges.pods == "100.80.0.0/14"


@pytest.mark.parametrize(
    ("database", "key"),
    [({"highlyAvailable": True}, "highlyAvailable"), ({"replicas": 1}, "replicas"), ({"copyBackups": True}, "copyB")],
)
def test_a_shared_core_has_no_second_instance(database: dict[str, Any], key: str) -> None:
    shared = {**changed(GOOD, "gcp.database", {"tier": "db-g1-small"}), "recoveryRegion": "europe-west4"}
    (found,) = problems({**shared, "database": database})
    assert found.startswith(f"gcp.database.tier=db-g1-small: shares its core, so that it has no database.{key}")


def test_a_region_without_a_partner_is_at_fault_itself() -> None:
    in_london = {**PROD, "region": "europe-west2", "gcp": {**GOOD["gcp"], "zones": zones_of("europe-west2")}}
    (found,) = problems(in_london)
    assert found.startswith("region=europe-west2: europe-west2 holds no bucket together with another region")


LONGEST = "skipper-gcp-prod-eu-west"


def test_the_longest_name_is_one_that_every_component_takes() -> None:
    given = configuration(ROOT, "skipper-gcp-prod")
    assert len(LONGEST) == gcp_settings.longest_name(load(given.stack, given.values).system) == 24
    plan = recorded(ROOT / "__main__.py", type(given)(given.project, LONGEST, given.values, given.secrets), known).plan
    assert plan.of_type("gcp:container/nodePool:NodePool")


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (
            "skipper-gcp-prod-europe-west3-blue",
            "stack=skipper-gcp-prod-europe-west3-blue: makes the environment skipper-gcp-prod-europe-west3-blue; "
            "rename the stack: give its name 24 characters or fewer",
        ),
        (
            "zz-skipper-gcp-dev",
            "stack=zz-skipper-gcp-dev: makes the environment skipper-zz-skipper-gcp-dev; rename the stack: give its "
            "name 16 characters or fewer",
        ),
        ("Skipper_Dev.X", "stack=Skipper_Dev.X: makes the environment skipper-Skipper_Dev.X; rename the stack: small"),
        ("skipper--dev", "stack=skipper--dev: makes the environment skipper--dev; rename the stack: small letters"),
        ("skipper-dev-", "stack=skipper-dev-: makes the environment skipper-dev-; rename the stack: small letters"),
    ],
)
def test_a_stack_whose_environment_cannot_have_its_name_is_refused(stack: str, message: str) -> None:
    given = configuration(ROOT, "skipper-gcp-prod")
    with pytest.raises(InputError) as caught:
        load(stack, given.values)
    (problem,) = caught.value.problems
    assert str(problem).startswith(message)


def test_nobody_in_a_cluster_is_a_warning() -> None:
    alone = changed(GOOD, "gcp.cluster", {})
    assert any("nobody may use the cluster" in warning for warning in settings(alone).warnings)


@pytest.mark.parametrize("types", [gcp_settings.TIERS, gcp_settings.CACHE_TYPES, gcp_settings.NODE_TYPES])
def test_every_size_has_a_type(types: dict[Size, Any]) -> None:
    assert set(types) == set(Size)
    assert set(gcp_settings.EVICTION) == set(aws_settings.EVICTION)


@pytest.mark.parametrize(
    ("tier", "connections"),
    [("db-f1-micro", 25), ("db-custom-2-8192", 400), ("db-perf-optimized-N-8", 800), ("db-perf-optimized-N-32", 1000)],
)
def test_connections_follow_from_the_memory_of_a_tier(tier: str, connections: int) -> None:
    assert gcp_settings.most_connections(tier) == connections


def test_a_region_has_zones() -> None:
    assert zones_of("europe-west1") == ["europe-west1-b", "europe-west1-c", "europe-west1-d"]
    assert all(len(zones_of(region)) >= 3 for region in REGIONS)


ACCOUNT = values_of(configuration(ROOT, "account-gcp").values)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("region", "eu-central-1", "region=eu-central-1: no such region of Google Cloud"),
        ("gcp.billingAccount", "12345", "gcp.billingAccount=12345: write the id of a billing account, like 012345-"),
        (
            "gcp.accountPrefix",
            "continuous-integration-of-us",
            "gcp.accountPrefix=continuous-integration-of-us: makes the service account "
            "continuous-integration-of-us-preview, 36 characters; give a shorter prefix",
        ),
        ("gcp.accountPrefix", "CI", "gcp.accountPrefix=CI: write small letters, digits and hyphens, a letter first"),
        (
            "account.environments",
            ["dev", "production-europe-west3"],
            "account.environments[1]=production-europe-west3: makes the service account "
            "ci-deploy-production-europe-west3, 33 characters; an id has 6 to 30",
        ),
        ("account.environments", ["dev", "dev"], "account.environments[1]=dev: stands twice; name each environment"),
        (
            "account.environments",
            ["dev", "Dev"],
            "account.environments[1]=Dev: makes the service account ci-deploy-dev, as dev does; rename one",
        ),
        (
            "account.environments",
            ["my dev"],
            "account.environments[0]=my dev: rename it to letters, digits and . _ -",
        ),
        (
            "account.environments",
            ["dev."],
            "account.environments[0]=dev.: makes the service account ci-deploy-dev-, 14",
        ),
        ("account.branch", "release/*", "account.branch=release/*: name one branch, without wildcards, like main"),
        ("gcp.locations", [], "gcp.locations=[]: nothing could be made anywhere; name regions like europe-west3"),
        ("gcp.locations", ["Europe"], "gcp.locations[0]=Europe: no such place; name regions like europe-west3, groups"),
        ("gcp.images", ["postgres:18"], "gcp.images[0]=postgres:18: write host and path as the image begins, without"),
        ("gcp.images", ["ghcr.io/a/b", "ghcr.io/a/b"], "gcp.images[1]=ghcr.io/a/b: stands twice; name each image once"),
        ("gcp.mirrors", ["docker.com"], "gcp.mirrors[0]=docker.com: no mirror is made of it; did you mean `docker.io`"),
        ("gcp.mirrors", ["quay.io", "quay.io"], "gcp.mirrors[1]=quay.io: stands twice; name each registry once"),
        ("gcp.perimeter.allow", ["10.0.0.0/8"], "gcp.perimeter.allow[0]=10.0.0.0/8: is private, and nobody comes from"),
        ("gcp.perimeter.foo", 1, "gcp.perimeter.foo=1: unknown key; the keys here are accessPolicy, allow, enforced"),
        (
            "gcp.perimeter.identities",
            {"us": "group:us@example.com"},
            "gcp.perimeter.identities.us=group:us@example.com: nobody whom a perimeter knows, which knows no groups",
        ),
        ("recoveryRegion", "us-east1", "recoveryRegion=us-east1: beside europe-west3 name one of"),
        ("region", "europe-west2", "region=europe-west2: europe-west2 holds no bucket together with another region"),
        ("gcp.perimeter.allow", ["0.0.0.0/0"], "gcp.perimeter.allow[0]=0.0.0.0/0: is most of the internet"),
        ("gcp.perimeter.allow", ["here"], "gcp.perimeter.allow[0]=here: not an IPv4 block"),
        (
            "gcp.perimeter",
            {"accessPolicy": "123456789012", "enforced": True},
            "gcp.perimeter.allow: an enforced perimeter that lets in nobody but CI locks people out",
        ),
        ("gcp.nodes", {"skipper": "everyone"}, "gcp.nodes.skipper=everyone: no IAM member; write group:, user: or"),
    ],
)
def test_an_accounts_faults_get_errors_too(path: str, value: Any, message: str) -> None:
    values = changed(ACCOUNT, path, value)
    config = {f"plinth:{key}": each if isinstance(each, str) else json.dumps(each) for key, each in values.items()}
    with pytest.raises(InputError) as caught:
        load_account("account-gcp", config)
    assert len(caught.value.problems) == 1
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("account.environments", ["Prod", "dev_2", "eu.west"]),
        ("account.branch", "release/2026"),
        ("gcp.locations", ["europe-west3", "in:eu-locations", "is:europe"]),
        (
            "gcp.perimeter.identities",
            {
                "a": "user:a@example.com",
                "b": "serviceAccount:b@example.iam.gserviceaccount.com",
                "c": "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
            },
        ),
    ],
)
def test_an_account_takes_what_is_right(path: str, value: Any) -> None:
    values = changed(ACCOUNT, path, value)
    config = {f"plinth:{key}": each if isinstance(each, str) else json.dumps(each) for key, each in values.items()}
    assert load_account("account-gcp", config).section.project == "example-plinth"
