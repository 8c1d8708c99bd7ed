"""Container images on Artifact Registry."""

from typing import Any

import pytest

from components.registry.artifact import GcpArtifactRegistry
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.google_registry import REGISTRY, REGISTRY_FULL
from .examples.shared import GOOGLE, GOOGLE_KEY

REPOSITORY = "gcp:artifactregistry/repository:Repository"
MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
NODES, BUILDS = "serviceAccount:nodes@shop.example", "serviceAccount:builds@shop.example"


def registry(**changes: Any) -> Plan:
    return planned(lambda opts: GcpArtifactRegistry("images", {**REGISTRY, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(**changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpArtifactRegistry("images", {**REGISTRY, **changes}))  # pyright: ignore[reportArgumentType]


def outputs(plan: Plan) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type == "plinth:index:GcpArtifactRegistry")


def grants(plan: Plan) -> set[tuple[str, str, str]]:
    """Who may what in which repository."""
    return {
        (each.inputs["repository"], each.inputs["role"].rpartition(".")[2], each.inputs["member"])
        for each in plan.of_type(MEMBER)
    }


def test_the_bare_call_is_safe() -> None:
    plan = registry()
    for repository in plan.of_type(REPOSITORY):
        assert (
            repository.inputs.items()
            >= {
                "project": "plinth-123456",
                "location": "europe-west3",
                "format": "DOCKER",
                "mode": "STANDARD_REPOSITORY",
                "dockerConfig": {"immutableTags": True},
                "kmsKeyName": GOOGLE_KEY,
                "vulnerabilityScanningConfig": {"enablementConfig": "INHERITED"},
                "deletionPolicy": "PREVENT",
            }.items()
        )
        assert repository.protect
    assert plan.of_type(MEMBER) == []


def test_each_system_has_one_repository() -> None:
    assert [each.inputs["repositoryId"] for each in registry().of_type(REPOSITORY)] == ["skipper", "tools"]


def test_what_nobody_uses_is_deleted_and_the_newest_stays() -> None:
    inputs = one(registry(keep_images=9, untagged_days=2), REPOSITORY, "images-skipper")
    assert inputs["cleanupPolicyDryRun"] is False
    assert inputs["cleanupPolicies"] == [
        {"id": "newest", "action": "KEEP", "mostRecentVersions": {"keepCount": 9}},
        {"id": "untagged", "action": "DELETE", "condition": {"tagState": "UNTAGGED", "olderThan": "172800s"}},
    ]


def test_who_reads_and_who_writes_is_named_on_each_repository() -> None:
    plan = registry(readers={"nodes": NODES}, writers={"builds": BUILDS}, mirrors=["quay.io"])
    assert grants(plan) == {
        ("skipper", "reader", NODES),
        ("skipper", "writer", BUILDS),
        ("tools", "reader", NODES),
        ("tools", "writer", BUILDS),
        ("quay-io", "reader", NODES),
    }


def test_grants_of_systems_and_purposes_that_share_a_hyphen_are_told_apart() -> None:
    plan = registry(repositories=["a/it", "a-b/it"], readers={"c": NODES, "b-c": BUILDS})
    assert len(plan.of_type(MEMBER)) == 4


def test_mirrors_keep_what_was_pulled_for_a_while() -> None:
    plan = registry(mirrors=["docker.io", "ghcr.io"], mirrored_days=10)
    hub, github = one(plan, REPOSITORY, "images-docker-io"), one(plan, REPOSITORY, "images-ghcr-io")
    assert hub["remoteRepositoryConfig"]["dockerRepository"] == {"publicRepository": "DOCKER_HUB"}
    assert github["remoteRepositoryConfig"]["commonRepository"] == {"uri": "https://ghcr.io"}
    for mirror in (hub, github):
        assert mirror["mode"] == "REMOTE_REPOSITORY"
        assert mirror["kmsKeyName"] == GOOGLE_KEY
        assert "dockerConfig" not in mirror
        assert mirror["cleanupPolicies"] == [
            {"id": "old", "action": "DELETE", "condition": {"tagState": "ANY", "olderThan": "864000s"}}
        ]


def test_it_says_where_to_push_and_pull() -> None:
    assert outputs(registry(mirrors=["registry.k8s.io"])) == {
        "registryHost": "europe-west3-docker.pkg.dev/plinth-123456",
        "repositoryUrls": {
            image: f"europe-west3-docker.pkg.dev/plinth-123456/{image}"
            for image in ("skipper/portal", "skipper/worker", "tools/build/base")
        },
        "repositoryIds": {
            system: f"projects/plinth-123456/locations/europe-west3/repositories/{system}"
            for system in ("skipper", "tools")
        },
        "mirrorUrls": {"registry.k8s.io": "europe-west3-docker.pkg.dev/plinth-123456/registry-k8s-io"},
    }
    assert outputs(registry())["mirrorUrls"] == {}


def test_a_multi_region_keeps_copies_with_a_key_of_its_own() -> None:
    plan = planned(lambda opts: GcpArtifactRegistry("images", REGISTRY_FULL, opts))
    assert {each.inputs["location"] for each in plan.of_type(REPOSITORY)} == {"europe"}
    assert {each.inputs["location"] for each in plan.of_type(MEMBER)} == {"europe"}
    assert outputs(plan)["registryHost"] == "europe-docker.pkg.dev/plinth-123456"
    assert refused(location="europe")["key_name"] == "give a key of europe, where the images are"


def test_weakening_is_named() -> None:
    plan = registry(protect=False, scanned=False)
    assert not any(each.protect for each in plan.resources)
    for repository in plan.of_type(REPOSITORY):
        assert repository.inputs["deletionPolicy"] == "DELETE"
        assert repository.inputs["vulnerabilityScanningConfig"] == {"enablementConfig": "DISABLED"}


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        ("portal", "write <system>/<image>"),
        ("skipper/", "write <system>/<image>"),
        ("skipper/Portal", "write <system>/<image>"),
        ("skipper//portal", "write <system>/<image>"),
        ("skipper/" + "a" * 129, "write <system>/<image>"),
        ("Skipper/portal", "begin with the system"),
        ("1/portal", "begin with the system"),
        ("a" * 64 + "/portal", "begin with the system"),
        ("skip_per/portal", "begin with the system"),
    ],
)
def test_names_that_no_image_can_have_are_refused(image: str, remedy: str) -> None:
    assert remedy in refused(repositories=[image])["repositories[0]"]


def test_bad_args_are_refused_together() -> None:
    assert refused(
        repositories=["skipper/it", "skipper/it", "quay-io/it"],
        mirrors=["quay.io", "docker.com", "quay.io"],
        readers={"all": "allUsers", "The nodes": NODES},
        writers={"all": "allAuthenticatedUsers"},
        key_name=GOOGLE_KEY.replace("west3", "west4"),
    ) == {
        "repositories[1]": "is listed twice; leave one out",
        "repositories[2]": "quay-io is the id of a mirror; choose another name for the system",
        "mirrors[1]": "did you mean `docker.io`? choose one of docker.io, ghcr.io, quay.io, registry.k8s.io",
        "mirrors[2]": "is listed twice; leave one out",
        "readers.all": "is everybody; name those who are meant",
        "readers.The nodes": "name the purpose in small letters, digits and hyphens",
        "writers.all": "is everybody; name those who are meant",
        "key_name": "give a key of europe-west3, where the images are",
    }
    assert refused(repositories=[]) == {"repositories": "name one image or more"}
    assert refused(
        scope={**GOOGLE, "number": "1"}, location="Frankfurt", keep_images=0, untagged_days=0, mirrored_days=0
    ).keys() == {"scope", "location", "keep_images", "untagged_days", "mirrored_days"}
