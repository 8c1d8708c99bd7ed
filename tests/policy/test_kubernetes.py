"""Rules of Kubernetes, where what they find hangs on more than one resource."""

from typing import Any

import pytest

from policy.catalogue import judge
from preview.plan import UNKNOWN

from .breaking import Break, changed, with_options, without
from .concerns.kubernetes import CHART, after, in_pods, in_spec
from .planted import sound
from .sketch import AWAY, GOOGLE, GOOGLE_AWAY, HOME, Sketch

FORGETFUL: dict[str, Break] = {
    "kubernetes-replicas": in_spec("web", replicas=1),
    "kubernetes-autoscaler-fewest": in_spec("busy-scale", minReplicas=1),
    "kubernetes-disruption-budget": without("web-budget"),
    "kubernetes-data-kept": with_options("keeper", protect=False),
}
"""What a stack may do without in dev, by the rule that is about it elsewhere."""


def found(*breaks: Break, tier: str = "prod") -> list[str]:
    """The rules that notice."""
    sketch = sound(tier)
    for each in breaks:
        each(sketch)
    return [finding.rule for finding in judge(sketch.plan())]


def labelled(**labels: str) -> Break:
    """Break a stack by further labels of its namespace alone."""
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    of_ours = {f"plinth/{key}": value for key, value in labels.items()}
    return changed("namespace", metadata={"name": "shop", "labels": {**level, **of_ours}})


def without_tags(sketch: Sketch) -> None:
    """Break a stack by leaving out what its clouds' providers say of it."""
    for provider in (HOME, AWAY):
        sketch.change(provider, defaultTags=None)
    for provider in (GOOGLE, GOOGLE_AWAY):
        sketch.change(provider, defaultLabels=None)


@pytest.mark.parametrize("rule", FORGETFUL)
def test_a_namespace_says_of_which_tier_it_is(rule: str) -> None:
    assert rule in found(FORGETFUL[rule], labelled(tier="prod"))
    assert rule not in found(FORGETFUL[rule], labelled(tier="dev"))


@pytest.mark.parametrize("rule", FORGETFUL)
def test_without_a_label_the_providers_say_it(rule: str) -> None:
    assert rule in found(FORGETFUL[rule], labelled())
    assert rule not in found(FORGETFUL[rule], labelled(), tier="dev")


@pytest.mark.parametrize("rule", FORGETFUL)
def test_where_nothing_says_it_it_is_prod(rule: str) -> None:
    assert rule in found(FORGETFUL[rule], labelled(), without_tags, tier="dev")
    assert rule in found(FORGETFUL[rule], labelled(tier="somewhere"))
    # In a namespace of another stack, too.
    assert rule in found(FORGETFUL[rule], without("namespace"), without_tags, tier="dev")


def test_a_namespace_is_known_by_what_names_are_made_of() -> None:
    def linked(sketch: Sketch) -> None:
        (namespace,) = [each.urn for each in sketch.plan().resources if each.name == "namespace"]
        sketch.change("web", metadata={"name": "web", "namespace": UNKNOWN})
        sketch.set("web", property_dependencies={"metadata": [namespace]}, dependencies=[namespace])

    assert "kubernetes-replicas" not in found(linked, in_spec("web", replicas=1), labelled(tier="dev"))


def test_staging_keeps_data_and_two_pods_and_needs_no_budgets() -> None:
    rules = [rule for rule, break_ in FORGETFUL.items() if rule in found(break_, tier="staging")]
    assert rules == ["kubernetes-replicas", "kubernetes-data-kept"]


def test_what_is_being_taken_down_protects_nothing() -> None:
    gone = with_options("keeper", protect=False)
    assert found(gone, labelled(tier="prod", decommission="true")) == []
    assert found(gone, labelled(tier="prod", decommission="false")) == ["kubernetes-data-kept"]


def test_an_autoscaler_is_known_by_name_too() -> None:
    named = in_spec("busy-scale", scaleTargetRef={"kind": "Deployment", "name": "busy"})
    unlinked = with_options("busy-scale", property_dependencies={}, dependencies=[])
    elsewhere = changed("busy-scale", metadata={"name": "busy-scale", "namespace": "desk"})
    assert found(named, unlinked) == []
    assert "kubernetes-replicas" in found(named, unlinked, elsewhere)


def test_what_selects_an_unknown_label_may_be_a_budget() -> None:
    assert found(in_spec("web-budget", selector={"matchLabels": {"app": UNKNOWN}})) == []
    assert found(in_spec("web-budget", selector=UNKNOWN)) == []


def test_an_annotation_says_whether_the_internet_reaches_a_load_balancer() -> None:
    said = {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}
    metadata = {"name": "web-balancer", "namespace": "shop", "annotations": said}
    assert found(in_spec("web-balancer", loadBalancerClass=None), changed("web-balancer", metadata=metadata)) == []


def test_a_token_goes_with_a_role_whose_account_may_not_be_known_yet() -> None:
    unknown = changed("web-binding", subjects=[{"kind": "ServiceAccount", "name": UNKNOWN}])
    assert found(unknown) == []
    people = changed("web-binding", subjects=[{"kind": "Group", "name": "web"}])
    assert found(people) == ["pod-token"]
    assert found(in_pods("web", automountServiceAccountToken=True, serviceAccountName=UNKNOWN)) == []


def test_a_route_of_a_gateway_elsewhere_is_none_of_plain_text() -> None:
    plain = in_spec("web-route", parentRefs=[{"name": "web-gateway"}])
    assert found(plain) == ["kubernetes-plain-redirects"]
    assert found(plain, without("web-gateway")) == []


def test_a_route_may_be_tied_to_its_gateway_by_a_value() -> None:
    def tied(sketch: Sketch) -> None:
        (gateway,) = [each.urn for each in sketch.plan().resources if each.name == "web-gateway"]
        sketch.set("web-route", dependencies=[gateway])

    other = in_spec("web-route", parentRefs=[{"name": "other", "sectionName": "http"}])
    assert found(other) == []
    assert found(after(other, tied)) == ["kubernetes-plain-redirects"]


@pytest.mark.parametrize("chart", ["oci://registry.example/charts/x", "./charts/x-1.2.3.tgz", "x-1.2.3.tgz"])
def test_a_chart_of_a_registry_or_a_folder_needs_no_repository(chart: str) -> None:
    whole: dict[str, Any] = {**CHART, "chart": chart, "repositoryOpts": None}
    assert found(changed("chart", **whole)) == []


@pytest.mark.parametrize("version", ["1.2.3", "v1.2.3", "1.2.3-rc.1", "1.2.3+up1"])
def test_an_exact_version_may_have_more_to_it(version: str) -> None:
    assert found(changed("chart", version=version)) == []


@pytest.mark.parametrize("key", ["DB_PASSWORD_FILE", "SECRET_NAME", "TOKENS", "passwordPolicy", "tokenizer", "MONKEY"])
def test_not_everything_that_speaks_of_secrets_is_one(key: str) -> None:
    assert found(changed("settings", data={key: "x"})) == []


@pytest.mark.parametrize("key", ["password", "DB_PASSWORD", "jwt-secret", "api.token", "API_KEY", "aws_access_key"])
def test_what_is_called_a_secret_is_one(key: str) -> None:
    assert found(changed("settings", data={key: "x"})) == ["kubernetes-config-no-secrets"]
    assert found(changed("settings", data={key: ""})) == []


@pytest.mark.parametrize(
    "image", ["localhost/web:1.2", "registry:5000/web:1.2", "ghcr.io/shop/web:1.2", "docker.io/library/postgres:17.11"]
)
def test_a_registry_has_a_dot_a_port_or_is_this_machine(image: str) -> None:
    assert "pod-images-registry" not in found(in_pods("web", containers=[{"name": "web", "image": image}]))
