"""Names that Kubernetes takes, held against what its API server says of them."""

from typing import Any

import pytest

from components.platform.names import (
    annotations_problem,
    label_problem,
    label_problems,
    service_problem,
    subdomain_problem,
)


def test_labels_are_short_and_have_no_dots() -> None:
    assert [label_problem(name) for name in ("a", "1", "shop-1", "a" * 63)] == [None] * 4
    for name in ("", "Shop", "a.b", "a_b", "-a", "a-", "a b", "a\n", "a" * 64):
        assert "DNS label" in (label_problem(name) or ""), name


def test_services_begin_with_a_letter() -> None:
    assert service_problem("shop-1") is None
    for name in ("1shop", "Shop", "a" * 64):
        assert "a letter first" in (service_problem(name) or ""), name


def test_subdomains_are_long_and_have_dots() -> None:
    names = ("a", "0", "system-cluster-critical", "registry.example.org", "a" * 253)
    assert [subdomain_problem(name) for name in names] == [None] * 5
    for name in ("", "A", "a b", ".a", "a.", "a..b", "a.-b", "a_b", "a/b", "a\n", "a" * 254):
        assert "253 at most" in (subdomain_problem(name) or ""), name


def test_annotations_have_keys_like_labels_and_any_value() -> None:
    fine: dict[str, Any] = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x y", "plain": "", "a.b_c-D": "1"}
    assert annotations_problem(fine) is None
    for key in ("", "a b", "/a", "a/", "a/b/c", "A/b", "-a", "a" * 64):
        assert f"`{key}` is no key of an annotation" in (annotations_problem({**fine, key: "x"}) or "")


def test_labels_of_objects_have_keys_and_values() -> None:
    labels = {"app": "", "shop.example/tier": "Prod_1.0", "a b": "x", "tier": "a b", "long": "a" * 64}
    problems = {problem.path: problem.remedy for problem in label_problems("labels", labels)}
    assert list(problems) == ["labels.a b", "labels.tier", "labels.long"]
    assert "no key of a label" in problems["labels.a b"]


@pytest.mark.parametrize("value", [None, 3, object()])
def test_what_is_not_known_yet_passes(value: Any) -> None:
    assert list(label_problems("labels", {"app": value})) == []
