"""What every component keeps, whatever it makes."""

import inspect

import pulumi
import pytest

from components.component import Component, camel_case
from components.host import components
from components.problems import InputError
from preview.plan import Plan, Resource
from preview.record import plain

from ..support import SENTINEL, known, planned, providers, recorded
from .examples import EXAMPLES, Maker

CALLS = [
    pytest.param(kind, make, id=f"{kind.__name__}-{i}")
    for kind, makers in EXAMPLES.items()
    for i, make in enumerate(makers)
]


def test_every_component_is_listed() -> None:
    assert set(EXAMPLES) == set(components())


def test_class_names_are_unique_across_clouds() -> None:
    """The plugin host puts all classes into one module."""
    names = [kind.__name__ for kind in components()]
    assert len(set(names)) == len(names)


def made(make: Maker, name: str = "thing", **options: object) -> Plan:
    return planned(lambda opts: make(name, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(**options))))  # pyright: ignore[reportArgumentType]


def component_of(plan: Plan, kind: type[Component]) -> Resource:
    return next(
        each for each in plan.resources if each.type == f"plinth:index:{kind.__name__}" and each.name == "thing"
    )


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_children_are_parented_and_named_after_the_component(kind: type[Component], make: Maker) -> None:
    plan = made(make)
    root = component_of(plan, kind)
    below = list(plan.below(root.urn))
    elsewhere = {each.type for each in plan.resources} - {each.type for each in [root, *below]}
    assert below
    assert all(each.startswith("pulumi:") for each in elsewhere), "a child without a parent"
    assert all(each.name == "thing" or each.name.startswith("thing-") for each in below)


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_children_have_the_provider_that_the_component_was_given(kind: type[Component], make: Maker) -> None:
    plan = made(make)
    for child in plan.below(component_of(plan, kind).urn):
        if child.custom:
            assert child.provider, child.name
            package = child.type.partition(":")[0]
            assert plan.resource(child.provider).type == f"pulumi:providers:{package}"


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_the_declared_outputs_are_the_registered_ones(kind: type[Component], make: Maker) -> None:
    registered = component_of(made(make), kind).outputs
    declared = {camel_case(name) for name in inspect.get_annotations(kind) if not name.startswith("_")}
    assert set(registered) == declared
    assert not [name for name, value in registered.items() if value is None]


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_a_callers_options_do_not_reach_the_children(kind: type[Component], make: Maker) -> None:
    plan = made(make, aliases=[pulumi.Alias(name="former")])
    root = component_of(plan, kind)
    # The SDK derives aliases of children from their parent's: each names the child's own former URN or parent.
    assert root.aliases == ["name=former"]
    assert all("name=former" not in each.aliases for each in plan.below(root.urn))


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_no_secret_stands_outside_an_envelope(kind: type[Component], make: Maker) -> None:
    """The generated password is a sentinel; no registration may show it in plain text."""

    def program() -> None:
        make("thing", pulumi.ResourceOptions(providers=providers()))

    recorder = recorded(program, answer=known).recorder
    for urn, request in recorder.requests.items():
        assert SENTINEL not in str(plain(request.object)), urn
    for urn, outputs in recorder.outputs.items():
        assert SENTINEL not in str(plain(outputs)), urn


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_unknown_and_missing_args_are_refused_together(kind: type[Component], make: Maker) -> None:
    shape = inspect.get_annotations(kind.__init__)["args"]
    required = sorted(shape.__required_keys__)
    with pytest.raises(InputError) as caught:
        kind("thing", {"colour": "red"}, None)  # pyright: ignore[reportCallIssue]
    paths = [problem.path for problem in caught.value.problems]
    assert "colour" in paths
    assert [path for path in paths if path != "colour"] == required
    assert str(caught.value).startswith(f"{kind.__name__} thing: ")


@pytest.mark.parametrize("kind", components(), ids=lambda kind: kind.__name__)
def test_each_class_and_each_attribute_says_what_it_is(kind: type[Component]) -> None:
    shape = inspect.get_annotations(kind.__init__)["args"]
    for described in (kind, shape):
        assert described.__doc__
        source = inspect.getsource(described)
        for name in inspect.get_annotations(described):
            if not name.startswith("_"):
                after = source.split(f"\n    {name}: ", 1)[1].split("\n", 1)[1]
                assert after.lstrip().startswith('"""'), f"{described.__name__}.{name} says nothing"


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_a_component_hides_nothing_of_the_resource_that_it_is(kind: type[Component], make: Maker) -> None:
    """An attribute like `_protect` would change what children inherit."""
    seen: list[set[str]] = []

    def program() -> None:
        options = pulumi.ResourceOptions(providers=providers())
        plain_component = pulumi.ComponentResource("test:index:Plain", "plain")
        component = make("thing", options)
        seen.append({key for key, value in vars(plain_component).items() if vars(component).get(key) != value})

    recorded(program, answer=known)
    assert seen[0] <= {"_type", "_name", "_providers", "_provider", "_childResources", "urn", "_source_position"}
