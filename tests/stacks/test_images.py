"""Which images run, where they come from, and that clusters on Google Cloud admit them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.images import repository_of
from components.platform.charts import CHARTS, REGISTRIES
from components.problems import InputError
from preview.plan import Plan
from preview.project import configuration, stacks
from stacks.environments.gcp_account import PUBLIC_IMAGES
from stacks.settings import load

from ..documents import cloud_of
from ..support import ROOT, known_plan, one
from .test_environments import plan_of

RELEASE = "kubernetes:helm.sh/v3:Release"
POLICY = "gcp:binaryauthorization/policy:Policy"
ENVIRONMENTS = [stack for stack in stacks(ROOT) if not stack.startswith("account-")]
ON_GOOGLE = [stack for stack in ENVIRONMENTS if cloud_of(stack) == "gcp"]
OURS = "europe-docker.pkg.dev/example-plinth"
MIRRORS = {registry: f"{OURS}/{registry.replace('.', '-')}" for registry in REGISTRIES}


def images_in(value: Any) -> Iterator[str]:
    """The images that an object names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str):
                yield inner
            elif key == "imageRepository":
                yield f"{inner}:known-to-its-controller"
            else:
                yield from images_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from images_in(inner)


def images_of_chart(release: Mapping[str, Any]) -> Iterator[str]:
    """The images that a release runs, as the chart's templates make them of its values."""

    def at(key: str) -> str:
        value = release["values"]
        for step in key.split("."):
            value = value[step]
        return value

    chart = CHARTS[release["name"]]
    for image in chart.images:
        if image.runs:
            registry = f"{at(image.registry_key)}/" if image.registry_key else ""
            yield f"{registry}{at(image.key)}:{chart.version}"


def images_of(plan: Plan) -> set[str]:
    found: set[str] = set()
    for each in plan.resources:
        if each.type == RELEASE:
            found.update(images_of_chart(each.inputs))
        elif each.type.startswith("kubernetes:"):
            found.update(images_in(each.inputs))
    return found


def services_of(stack: str) -> set[str]:
    """Repositories of the services' own images."""
    settings = load(stack, configuration(ROOT, stack).values)
    registry = settings.images.registry or settings.system.registry
    return {f"{registry}/{service.image}" for service in settings.system.services.values()}


def admitted(image: str, patterns: list[str]) -> bool:
    """Whether Binary Authorization lets an image in: a star stays in a folder, two do not, and both end a pattern."""

    def fits(pattern: str) -> bool:
        start = pattern.rstrip("*")
        if pattern.endswith("**"):
            return image.startswith(start)
        if pattern.endswith("*"):
            return image.startswith(start) and "/" not in image.removeprefix(start)
        return image == pattern

    return any(fits(pattern) for pattern in patterns)


def patterns_of(plan: Plan) -> list[str]:
    return [each["namePattern"] for each in one(plan, POLICY)["admissionWhitelistPatterns"]]


@pytest.mark.parametrize("stack", ON_GOOGLE)
def test_whatever_runs_on_google_cloud_is_admitted_there(stack: str) -> None:
    found, patterns = images_of(known_plan(stack)), patterns_of(known_plan("account-gcp"))
    assert services_of(stack) <= {repository_of(image) for image in found}
    assert {"docker.io/library/postgres", "quay.io/jetstack/cert-manager-acmesolver", "docker.io/envoyproxy/envoy"} <= {
        repository_of(image) for image in found
    }
    assert [image for image in found if not admitted(image, patterns)] == []


def test_nothing_else_is_admitted_there() -> None:
    patterns = patterns_of(known_plan("account-gcp"))
    assert patterns.count(f"{OURS}/**") == 1
    for image in PUBLIC_IMAGES:
        assert admitted(f"{image}:1", patterns)
        assert admitted(f"{image}:1@sha256:00", patterns)
        assert admitted(f"{image}@sha256:00", patterns)
        for other in (f"{image}-2:1", f"{image}/2:1", f"{image}.2:1", f"{image.rpartition('/')[0]}/other:1"):
            assert not admitted(other, patterns), other
    # What only another cloud's clusters run.
    assert not [image for image in PUBLIC_IMAGES if "aws" in image or "metrics-server" in image]
    assert "docker.io/envoyproxy/ratelimit" not in PUBLIC_IMAGES


def test_what_an_account_names_is_admitted_besides_and_public_images_can_be_left_out() -> None:
    plan = plan_of("account-gcp", gcp={"images": ["ghcr.io/example/a"], "publicImages": False})
    assert patterns_of(plan) == [f"{OURS}/**", "ghcr.io/example/a:*", "ghcr.io/example/a@*"]


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_every_image_of_others_comes_from_its_mirror(stack: str) -> None:
    before, after = images_of(known_plan(stack)), images_of(plan_of(stack, platform={"images": MIRRORS}))
    own = services_of(stack)
    assert {image for image in after if not image.startswith(f"{OURS}/")} == {
        image for image in before if repository_of(image) in own and not image.startswith(f"{OURS}/")
    }
    assert len(after) == len(before)
    if stack in ON_GOOGLE:
        account = plan_of("account-gcp", gcp={"images": sorted(own), "publicImages": False})
        assert [image for image in after if not admitted(image, patterns_of(account))] == []


def test_mirrors_are_kept_in_the_project_and_named_by_the_account() -> None:
    plan = plan_of("account-gcp", gcp={"mirrors": ["docker.io", "quay.io"], "nodes": {"shop": "group:a@b.example"}})
    mirrors = [
        each.inputs
        for each in plan.of_type("gcp:artifactregistry/repository:Repository")
        if each.inputs["mode"] == "REMOTE_REPOSITORY"
    ]
    assert [each["repositoryId"] for each in mirrors] == ["docker-io", "quay-io"]
    assert known_plan("account-gcp").outputs["mirrors"] == {}
    assert plan.outputs["mirrors"]
    # They are below what is admitted already, and `platform.images` takes them as they stand.
    patterns = patterns_of(known_plan("account-gcp"))
    assert admitted(f"{OURS}/docker-io/library/postgres:18", patterns)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({"docker.com": "a.example/b"}, "platform.images.docker.com=a.example/b: no image comes from there; did you"),
        ({"quay.io": "oci://a.example/b"}, "platform.images.quay.io=oci://a.example/b: leave out the scheme"),
        ({"quay.io": 5}, "platform.images.quay.io=5: "),
    ],
)
def test_bad_mirrors_of_images_are_refused_with_their_key(images: dict[str, Any], message: str) -> None:
    given = configuration(ROOT, "workflows-gcp-dev").values
    platform = {**json.loads(given["plinth:platform"]), "images": images}
    with pytest.raises(InputError) as caught:
        load("workflows-gcp-dev", {**given, "plinth:platform": json.dumps(platform)})
    assert any(str(problem).startswith(f"plinth:{message}") for problem in caught.value.problems), str(caught.value)
