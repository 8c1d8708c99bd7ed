"""The check of args, in every shape that they can have."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest

from components.component import between, checked, matching
from components.problems import InputError, Problem
from preview.project import PreviewError

from ..support import recorded


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(TypedDict):
    width: int
    label: NotRequired[pulumi.Input[str]]


class Shape(TypedDict):
    name: str
    count: NotRequired[int]
    ratio: NotRequired[float]
    colour: NotRequired[Colour]
    colours: NotRequired[list[Colour]]
    inner: NotRequired[Inner]
    inners: NotRequired[dict[str, Inner]]
    flag: NotRequired[bool]
    given: NotRequired[pulumi.Input[int]]
    ids: NotRequired[pulumi.Input[list[str]]]
    maybe: NotRequired[str | None]


def problems(args: dict[str, Any], **rules: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        checked(Shape, args, "Shape x", rules)  # pyright: ignore[reportArgumentType]
    return {problem.path: problem.remedy for problem in caught.value.problems}


def test_good_args_come_back_in_their_types() -> None:
    args: Any = {
        "name": "x",
        "count": 3.0,
        "ratio": 1,
        "colour": "red",
        "colours": ["red", Colour.BLUE],
        "inner": {"width": 2.0},
        "inners": {"a": {"width": 1}},
        "flag": True,
        "given": 4.0,
        "ids": ["a"],
        "maybe": None,
    }
    result = checked(Shape, args, "Shape x")
    assert result == {
        "name": "x",
        "count": 3,
        "ratio": 1.0,
        "colour": Colour.RED,
        "colours": [Colour.RED, Colour.BLUE],
        "inner": {"width": 2},
        "inners": {"a": {"width": 1}},
        "flag": True,
        "given": 4,
        "ids": ["a"],
    }
    assert type(result.get("count")) is type(result.get("given")) is int
    assert args["count"] == 3.0, "the caller's dict is not changed"


@pytest.mark.parametrize(
    ("args", "path", "remedy"),
    [
        ({"name": "x", "nme": 1}, "nme", "unknown key; did you mean `name`?"),
        ({}, "name", "required; give a value"),
        ({"name": None}, "name", "give text"),
        ({"name": 5}, "name", "give text"),
        ({"name": "x", "count": 2.5}, "count", "give a whole number"),
        ({"name": "x", "count": True}, "count", "give a whole number"),
        ({"name": "x", "count": "2"}, "count", "give a whole number"),
        ({"name": "x", "given": "2"}, "given", "give a whole number"),
        ({"name": "x", "ratio": "wide"}, "ratio", "give a number"),
        ({"name": "x", "flag": 1}, "flag", "give true or false"),
        ({"name": "x", "colour": "blu"}, "colour", "did you mean `blue`? choose one of red, blue"),
        ({"name": "x", "colours": ["red", "green"]}, "colours[1]", "choose one of red, blue"),
        ({"name": "x", "colours": "red"}, "colours", "give a list"),
        ({"name": "x", "ids": "a"}, "ids", "give a list"),
        ({"name": "x", "inner": {}}, "inner.width", "required; give a value"),
        (
            {"name": "x", "inner": {"width": 1, "heigth": 2}},
            "inner.heigth",
            "unknown key; the keys here are label, width",
        ),
        ({"name": "x", "inner": 3}, "inner", "give a mapping with the keys of Inner"),
        ({"name": "x", "inners": {"a": {"width": "1"}}}, "inners.a.width", "give a whole number"),
        ({"name": "x", "inners": []}, "inners", "give a mapping"),
    ],
)
def test_each_fault_is_named_with_its_path_and_a_remedy(args: dict[str, Any], path: str, remedy: str) -> None:
    assert problems(args) == {path: remedy}


def test_faults_are_reported_together_with_their_values() -> None:
    with pytest.raises(InputError) as caught:
        checked(Shape, {"count": "many", "colour": "grey"}, "Shape x")  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == (
        "Shape x: 3 problems\n"
        "  count=many: give a whole number\n"
        "  colour=grey: choose one of red, blue\n"
        "  name: required; give a value"
    )


def test_further_faults_are_reported_with_those_of_rules_but_not_with_those_of_shape() -> None:
    def further(args: Shape) -> Iterator[Problem]:
        yield Problem("inner", args["name"], "does not fit")

    def found(args: Any) -> dict[str, str]:
        with pytest.raises(InputError) as caught:
            checked(Shape, args, "Shape x", {"count": between(1, 3, "pieces")}, further)
        return {problem.path: problem.remedy for problem in caught.value.problems}

    assert found({"name": "x", "count": 4}) == {"count": "give 1 to 3 pieces", "inner": "does not fit"}
    assert found({"name": "x", "count": 3}) == {"inner": "does not fit"}
    assert set(found({"count": 4})) == {"name", "count"}


def test_what_shapes_the_graph_must_be_plain() -> None:
    def program() -> None:
        remedies = problems({"name": "x", "count": pulumi.Output.from_input(1)})
        assert "decides which resources there are" in remedies["count"]

    recorded(program)


def test_what_fills_a_property_may_be_an_output_in_all_its_parts() -> None:
    def program() -> None:
        later: Any = pulumi.Output.from_input("a")
        result = checked(Shape, {"name": "x", "ids": [later], "given": later}, "Shape x")
        assert result.get("ids") == [later]

    recorded(program)


def test_an_output_is_held_against_its_rule_when_it_is_known() -> None:
    def program() -> None:
        args: Any = {"name": "x", "given": pulumi.Output.from_input(5)}
        pulumi.export("given", checked(Shape, args, "Shape x", {"given": between(1, 3, "things")}).get("given"))

    with pytest.raises(PreviewError, match="given=5: give 1 to 3 things"):
        recorded(program)


def test_rules_see_good_values_only() -> None:
    rules = {"count": between(1, 3, "things"), "name": matching("[a-z]+", "small letters only")}
    assert problems({"name": "X", "count": 5}, **rules) == {"name": "small letters only", "count": "give 1 to 3 things"}
    assert problems({"name": "X", "count": "five"}, **rules)["count"] == "give a whole number"
