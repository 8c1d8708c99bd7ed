"""Container images on ECR."""

import json
from typing import Any

import pytest

from components.registry.ecr import EcrRegistry, EcrReplicaSettings
from preview.plan import Plan

from ..support import one, planned, remedies, statements
from .examples.registry import REGISTRY, REPLICAS
from .examples.shared import AWAY_KEY, KEY

REPOSITORY = "aws:ecr/repository:Repository"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
REPLICATION = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
TEMPLATE = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"


def registry(**changes: Any) -> Plan:
    return planned(lambda opts: EcrRegistry("images", {**REGISTRY, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(**changes: Any) -> dict[str, str]:
    return remedies(lambda: EcrRegistry("images", {**REGISTRY, **changes}))  # pyright: ignore[reportArgumentType]


def replicas(**changes: Any) -> Plan:
    return planned(lambda opts: EcrReplicaSettings("away", {**REPLICAS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_replicas(**changes: Any) -> dict[str, str]:
    return remedies(lambda: EcrReplicaSettings("away", {**REPLICAS, **changes}))  # pyright: ignore[reportArgumentType]


def expiry(policy: str) -> dict[str, tuple[str, int]]:
    """What a lifecycle deletes: how it counts and up to which number, by the state of the tag."""
    found = {}
    for rule in json.loads(policy)["rules"]:
        assert rule["action"] == {"type": "expire"}
        found[rule["selection"]["tagStatus"]] = (rule["selection"]["countType"], rule["selection"]["countNumber"])
    return found


def test_the_bare_call_is_safe() -> None:
    plan = registry()
    assert [each.inputs["name"] for each in plan.of_type(REPOSITORY)] == ["skipper/portal", "skipper/worker"]
    for repository in plan.of_type(REPOSITORY):
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
        assert repository.inputs["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": KEY}]
        assert repository.inputs["forceDelete"] is False
        assert repository.protect


def test_the_registry_scans_every_image_when_it_is_pushed() -> None:
    assert one(registry(), SCANNING) == {
        "scanType": "BASIC",
        "rules": [
            {
                "scanFrequency": "SCAN_ON_PUSH",
                "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
            }
        ],
    }


def test_the_registry_scans_before_there_is_a_repository_to_push_to() -> None:
    plan = registry()
    for repository in plan.of_type(REPOSITORY):
        assert SCANNING in {plan.resource(urn).type for urn in plan.waits_for(repository.urn)}


def test_inspector_scans_again_by_choice() -> None:
    scanning = one(registry(enhanced=True), SCANNING)
    assert (scanning["scanType"], scanning["rules"][0]["scanFrequency"]) == ("ENHANCED", "CONTINUOUS_SCAN")


def test_each_repository_forgets_old_images() -> None:
    plan = registry()
    assert {each.inputs["repository"] for each in plan.of_type(LIFECYCLE)} == {"skipper/portal", "skipper/worker"}
    for lifecycle in plan.of_type(LIFECYCLE):
        assert expiry(lifecycle.inputs["policy"]) == {
            "untagged": ("sinceImagePushed", 7),
            "tagged": ("imageCountMoreThan", 50),
        }


def test_how_many_images_stay_is_the_callers() -> None:
    lifecycle = one(registry(keep_images=9, untagged_days=1), LIFECYCLE, "images-skipper/portal")
    assert {count for _, count in expiry(lifecycle["policy"]).values()} == {1, 9}


def test_lifecycle_rules_have_priorities_of_their_own() -> None:
    lifecycle = one(registry(), LIFECYCLE, "images-skipper/portal")
    priorities = [rule["rulePriority"] for rule in json.loads(lifecycle["policy"])["rules"]]
    assert len(set(priorities)) == len(priorities)


def test_weakening_is_named() -> None:
    plan = registry(protect=False, delete_contents=True)
    assert {each.inputs["forceDelete"] for each in plan.of_type(REPOSITORY)} == {True}
    assert not any(each.protect for each in plan.resources)


def test_nothing_is_copied_unless_it_is_said() -> None:
    assert registry().of_type(REPLICATION) == []


def test_copies_go_to_the_same_account_in_each_region_one_filter_a_system() -> None:
    plan = registry(
        repositories=["skipper/portal", "skipper/worker", "tools", "other/it"], replicate_to=["eu-west-1", "eu-north-1"]
    )
    (rule,) = one(plan, REPLICATION)["replicationConfiguration"]["rules"]
    assert rule["destinations"] == [
        {"region": "eu-west-1", "registryId": "123456789012"},
        {"region": "eu-north-1", "registryId": "123456789012"},
    ]
    assert [each["filter"] for each in rule["repositoryFilters"]] == ["other/", "skipper/", "tools"]
    assert {each["filterType"] for each in rule["repositoryFilters"]} == {"PREFIX_MATCH"}


def outputs(plan: Plan, type_: str) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type == type_)


def test_it_says_where_to_push() -> None:
    assert outputs(registry(), "plinth:index:EcrRegistry") == {
        "registryHost": "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        "repositoryUrls": {
            name: f"123456789012.dkr.ecr.region.amazonaws.com/{name}" for name in ("skipper/portal", "skipper/worker")
        },
        "repositoryArns": {
            name: f"arn:aws:ecr:region:123456789012:repository/{name}" for name in ("skipper/portal", "skipper/worker")
        },
    }


def test_registries_in_china_have_a_domain_of_their_own() -> None:
    scope = {"account": "123456789012", "region": "cn-north-1", "partition": "aws-cn"}
    host = outputs(registry(scope=scope), "plinth:index:EcrRegistry")["registryHost"]
    assert host == "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("name", ["Portal", "skipper//portal", "/portal", "portal/", "a", "a__", "a" * 257])
def test_names_that_no_repository_can_have_are_refused(name: str) -> None:
    assert "small letters" in refused(repositories=[name])["repositories[0]"]


def test_bad_args_are_refused_together() -> None:
    assert refused(
        repositories=["it", "it", "It"], replicate_to=["eu-central-1", "Ireland", "eu-west-1", "eu-west-1"]
    ) == {
        "repositories[1]": "is listed twice; leave one out",
        "repositories[2]": "ECR takes 2 to 256 small letters and digits, with single . _ - / between them",
        "replicate_to[0]": "is the registry's own region; name another one",
        "replicate_to[1]": "give a region, for example eu-west-1",
        "replicate_to[3]": "is listed twice; leave one out",
    }
    assert refused(repositories=[]) == {"repositories": "name one repository or more"}
    assert "1 to 10000" in refused(keep_images=0)["keep_images"]
    assert "1 to 365" in refused(untagged_days=0)["untagged_days"]
    assert "25 regions or fewer" in refused(replicate_to=[f"eu-west-{i % 9}" for i in range(26)])["replicate_to"]


def test_copies_are_as_safe_as_the_originals() -> None:
    template = one(replicas(), TEMPLATE)
    assert (
        template.items()
        >= {
            "prefix": "ROOT",
            "appliedFors": ["REPLICATION"],
            "imageTagMutability": "IMMUTABLE",
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": AWAY_KEY}],
            "customRoleArn": "arn:aws:mock:region:123456789012:away-copies",
        }.items()
    )
    assert expiry(template["lifecyclePolicy"]) == {
        "untagged": ("sinceImagePushed", 7),
        "tagged": ("imageCountMoreThan", 50),
    }


def test_copies_are_scanned() -> None:
    assert one(replicas(), SCANNING)["rules"][0]["scanFrequency"] == "SCAN_ON_PUSH"
    assert one(replicas(enhanced=True), SCANNING)["scanType"] == "ENHANCED"


def test_ecr_has_its_permissions_before_it_copies() -> None:
    plan = replicas()
    waits = {plan.resource(urn).type for urn in plan.waits_for(plan.of_type(TEMPLATE)[0].urn)}
    assert "aws:iam/rolePolicy:RolePolicy" in waits


def test_ecr_makes_copies_of_the_prefixes_alone_with_the_one_key() -> None:
    policy = statements(one(replicas(prefixes=["skipper", "tools"]), "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert policy["Repositories"]["Resource"] == [
        "arn:aws:ecr:eu-west-1:123456789012:repository/skipper/*",
        "arn:aws:ecr:eu-west-1:123456789012:repository/tools/*",
    ]
    assert policy["Key"]["Resource"] == [AWAY_KEY]
    everything = statements(one(replicas(), "aws:iam/rolePolicy:RolePolicy")["policy"])["Repositories"]
    assert everything["Resource"] == ["arn:aws:ecr:eu-west-1:123456789012:repository/*"]


def test_each_prefix_has_its_settings() -> None:
    plan = replicas(prefixes=["skipper", "ROOT"])
    assert {each.name: each.inputs["prefix"] for each in plan.of_type(TEMPLATE)} == {
        "away-skipper": "skipper",
        "away-ROOT": "ROOT",
    }


def test_bad_prefixes_are_refused() -> None:
    assert refused_replicas(prefixes=["skipper/", "tools", "tools"]) == {
        "prefixes[0]": "give the part of names before a slash, without it, or ROOT",
        "prefixes[2]": "is listed twice; leave one out",
    }
    assert "one prefix or more" in refused_replicas(prefixes=[])["prefixes"]
    assert "1 to 10000" in refused_replicas(keep_images=0)["keep_images"]
    assert "49 or fewer" in remedies(lambda: EcrReplicaSettings("a" * 50, REPLICAS))["name"]
