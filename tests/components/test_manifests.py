"""What components ask Kubernetes for is what its API takes."""

import inspect
from dataclasses import replace
from typing import Any

import pytest

from components.component import Component
from components.service.kubernetes import KubernetesService
from preview.plan import SECRET, UNKNOWN

from ..manifests import PLAUSIBLE, VERSIONS, Manifest, invalid, manifests
from ..support import planned
from .examples import EXAMPLES, Maker
from .examples.service import FULL
from .examples.shared import in_cluster


def makes_kubernetes_objects(kind: type[Component]) -> bool:
    """Whether a component's module is of a folder that is about them, or uses their SDK."""
    folder = kind.__module__.split(".")[1]
    return folder in ("platform", "service") or "pulumi_kubernetes" in inspect.getsource(
        inspect.getmodule(kind) or kind
    )


CALLS = [
    pytest.param(make, id=f"{kind.__name__}-{i}")
    for kind, makers in EXAMPLES.items()
    if makes_kubernetes_objects(kind)
    for i, make in enumerate(makers)
]
versions = pytest.mark.parametrize("version", VERSIONS)


@pytest.mark.parametrize("make", CALLS)
def test_the_api_takes_every_object_of_every_component(make: Maker) -> None:
    found = manifests(planned(lambda opts: make("thing", opts)))
    refused = {
        (version, manifest["kind"], manifest["metadata"]["name"]): problems
        for version in VERSIONS
        for manifest in found
        if (problems := invalid(manifest, version))
    }
    assert refused == {}


CONTAINER = "spec.template.spec.containers[0]"


def of_service() -> list[Manifest]:
    """The objects of a service."""
    return manifests(planned(lambda opts: KubernetesService("api", FULL, in_cluster(opts))))


def deployment() -> tuple[Manifest, dict[str, Any]]:
    """A service's Deployment, and its pods."""
    (manifest,) = [manifest for manifest in of_service() if manifest["kind"] == "Deployment"]
    return manifest, manifest["spec"]["template"]["spec"]


@versions
def test_a_field_that_the_api_does_not_know_is_found(version: str) -> None:
    wrong, pod = deployment()
    pod["containers"][0]["read_only"] = True
    (problem,) = invalid(wrong, version)
    assert problem.startswith(f"{CONTAINER}: ")
    assert "'read_only' was unexpected" in problem


@versions
def test_values_of_another_type_are_found(version: str) -> None:
    wrong, pod = deployment()
    wrong["spec"]["replicas"] = "3"
    pod["containers"][0]["env"] = [{"name": "PORT", "value": 8080}]
    problems = invalid(wrong, version)
    assert [problem.split(": ")[0] for problem in problems] == ["spec.replicas", f"{CONTAINER}.env[0].value"]


@versions
def test_a_missing_field_is_found(version: str) -> None:
    wrong, pod = deployment()
    del pod["containers"][0]["name"]
    assert invalid(wrong, version) == [f"{CONTAINER}: 'name' is a required property"]


@versions
def test_a_kind_that_is_no_longer_there_is_found(version: str) -> None:
    old = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "api"}}
    assert invalid(old, version) == [f"policy/v1beta1 PodDisruptionBudget: Kubernetes {version} has no such kind"]


def test_a_field_that_came_with_a_later_version_is_found_for_an_earlier_one() -> None:
    """The SDK takes what its own version of Kubernetes has, which is newer than clusters are."""
    new, pod = deployment()
    pod["schedulingGroup"] = {"podGroupName": "shop"}
    assert invalid(new, "1.36") == []
    (problem,) = invalid(new, "1.35")
    assert "'schedulingGroup' was unexpected" in problem


def test_texts_that_a_plan_hides_are_plausible_ones() -> None:
    plan = planned(lambda opts: KubernetesService("api", FULL, in_cluster(opts)))
    hidden = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": UNKNOWN, "b": [SECRET], "c": "shown"}}
    (manifest,) = manifests(replace(plan, resources=[replace(plan.resources[0], type="kubernetes:x", inputs=hidden)]))
    assert manifest["data"] == {"a": PLAUSIBLE, "b": [PLAUSIBLE], "c": "shown"}


def test_kinds_that_charts_bring_are_left_out() -> None:
    kinds = {manifest["kind"] for manifest in of_service()}
    assert {"Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "Role"} <= kinds
    assert not {"HTTPRoute", "BackendTrafficPolicy", "ExternalSecret", "SealedSecret"} & kinds
