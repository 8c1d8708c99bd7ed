"""Property paths, and what properties must be."""

import json
from typing import Any

import pytest

from policy.rules import demands
from policy.rules.demands import DEV, PROD, Demand
from policy.rules.paths import MISSING, SECRET, UNKNOWN, locate, read

INPUTS = {
    "a": {"b": 1, "c.d/e": 2},
    "list": [{"name": "x", "value": "1"}, {"name": "y"}],
    "text": json.dumps({"Statement": [{"Effect": "Deny", "Sid": "No"}, {"Effect": "Allow"}]}),
    "unknown": UNKNOWN,
    "secret": SECRET,
    "empty": [],
}


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("a.b", [(("a", "b"), 1)]),
        ('a["c.d/e"]', [(("a", "c.d/e"), 2)]),
        ("a.x", [(("a", "x"), MISSING)]),
        ("x.y", [(("x", "y"), MISSING)]),
        ("a.b.c", [(("a", "b", "c"), MISSING)]),
        ("a?.b", [(("a", "b"), 1)]),
        ("x?.a.b", [(("a", "b"), 1)]),
        ("empty?.a.b", [(("a", "b"), 1)]),
        ("a|list", [(("a",), {"b": 1, "c.d/e": 2}), (("list",), [{"name": "x", "value": "1"}, {"name": "y"}])]),
        ("x|list[*].name", [(("list", 0, "name"), "x"), (("list", 1, "name"), "y")]),
        ("x|y.z", [(("x", "z"), MISSING)]),
        ("list[*].value", [(("list", 0, "value"), "1"), (("list", 1, "value"), MISSING)]),
        ("list[name=y]", [(("list", 1), {"name": "y"})]),
        ("list[name=z].value", [(None, MISSING)]),
        ("empty[*].value", [(None, MISSING)]),
        ("x[*].value", [(None, MISSING)]),
        ("text.Statement[Effect=Deny].Sid", [(("text", "Statement", 0, "Sid"), "No")]),
        ("unknown.deep[*].down", [(("unknown",), UNKNOWN)]),
        ("secret.deep", [(("secret",), SECRET)]),
    ],
)
def test_a_path_leads_to_places(path: str, places: list[Any]) -> None:
    assert locate(INPUTS, path) == places
    assert read(INPUTS, path) == places[0][1]


@pytest.mark.parametrize("path", ["a..b", "a[", "a[1]x y", "a b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no property path"):
        locate(INPUTS, path)


def test_text_that_is_no_json_holds_nothing() -> None:
    assert read({"a": "{broken"}, "a.b") is MISSING
    assert read({"a": "plain"}, "a.b") is MISSING


ALL: dict[str, tuple[Demand, list[Any], list[Any]]] = {
    "given": (demands.given(), ["x", 0, False, ["x"]], [MISSING, None, "", [], {}]),
    "true": (demands.true(), [True], [MISSING, False, "true", 1]),
    "false": (demands.false(), [False], [MISSING, True, 0, None]),
    "equal": (demands.equal("a", "b", breaks=["c"]), ["a", "b"], [MISSING, "c", "A"]),
    "matching": (demands.matching("a+", "be a", "b"), ["a", "aa"], [MISSING, "ab", 1]),
    "including": (demands.including("a", "b"), [["b", "c", "a"], [UNKNOWN]], [MISSING, ["a"], "ab"]),
    "at_least": (demands.at_least(7), [7, 8], [MISSING, 6, "7", True]),
    "at_most": (demands.at_most(7), [7, 0], [MISSING, 8, "7"]),
    "absent": (demands.absent(1), [MISSING, None, [], False, ""], ["x", True, [0]]),
    "not_everyone": (
        demands.not_everyone(),
        [MISSING, "10.0.0.0/8", "10.1.2.3/32", "fd00::/16", "pl-1"],
        ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"],
    ),
}


@pytest.mark.parametrize("name", ALL)
def test_demands(name: str) -> None:
    demand, right, wrong = ALL[name]
    assert [value for value in right if not demand.holds(value, PROD)] == []
    assert [value for value in wrong if demand.holds(value, PROD)] == []
    assert [value for value in demand.breaks(PROD) if demand.holds(value, PROD)] == []
    assert demand.holds(MISSING, PROD) is not demand.needed


@pytest.mark.parametrize("name", ALL)
def test_what_cannot_be_seen_is_right_but_it_is_not_absent(name: str) -> None:
    demand = ALL[name][0]
    assert [demand.holds(value, PROD) for value in (UNKNOWN, SECRET)] == [name != "absent"] * 2


def test_dev_may_ask_for_less() -> None:
    demand = demands.at_least(7, dev=0)
    assert demand.words == "be 7 or more, in dev 0"
    assert demand.holds(0, DEV)
    assert not demand.holds(0, PROD)
    assert demand.breaks(DEV) == []
    assert demand.breaks(PROD) == [6]
