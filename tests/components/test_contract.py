"""What every component keeps, whatever it makes."""

import inspect
from collections.abc import Iterable
from typing import Any, NamedTuple

import pulumi
import pytest

from components.component import Component, camel_case
from components.host import components
from components.problems import InputError
from preview.plan import Plan, Resource
from preview.record import Recording, plain

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


class Made(NamedTuple):
    """A component of one call, and what it registered."""

    kind: type[Component]
    """Its class."""
    recording: Recording
    """What was recorded."""
    changed: set[str]
    """What of a resource's own attributes it has otherwise than a component that makes nothing."""

    @property
    def plan(self) -> Plan:
        """What it asks for."""
        return self.recording.plan

    @property
    def root(self) -> Resource:
        """The component itself."""
        return component_of(self.plan, self.kind)

    @property
    def below(self) -> Iterable[Resource]:
        """All that it made."""
        return self.plan.below(self.root.urn)


@pytest.fixture(scope="module", params=[call.values for call in CALLS], ids=[str(call.id) for call in CALLS])
def made(request: pytest.FixtureRequest) -> Made:
    """Each call, recorded once: pytest runs all tests of one before it makes the next."""
    kind, make = request.param
    changed: set[str] = set()

    def program() -> None:
        options = pulumi.ResourceOptions(providers=providers())
        component = make("thing", options)
        # Of a type that is nobody's: it stands in the same plan.
        bare: dict[str, Any] = vars(pulumi.ComponentResource("pulumi:test:Bare", "bare"))
        changed.update(key for key, value in bare.items() if vars(component).get(key) != value)

    return Made(kind, recorded(program, answer=known), changed)


def component_of(plan: Plan, kind: type[Component]) -> Resource:
    return next(
        each for each in plan.resources if each.type == f"plinth:index:{kind.__name__}" and each.name == "thing"
    )


def test_children_are_parented_and_named_after_the_component(made: Made) -> None:
    below = list(made.below)
    elsewhere = {each.type for each in made.plan.resources} - {each.type for each in [made.root, *below]}
    assert below
    assert all(each.startswith("pulumi:") for each in elsewhere), "a child without a parent"
    assert all(each.name == "thing" or each.name.startswith("thing-") for each in below)


def test_children_have_the_provider_that_the_component_was_given(made: Made) -> None:
    for child in made.below:
        if child.custom:
            assert child.provider, child.name
            package = child.type.partition(":")[0]
            assert made.plan.resource(child.provider).type == f"pulumi:providers:{package}"


def test_the_declared_outputs_are_the_registered_ones(made: Made) -> None:
    registered = made.root.outputs
    declared = {camel_case(name) for name in inspect.get_annotations(made.kind) if not name.startswith("_")}
    assert set(registered) == declared
    assert not [name for name, value in registered.items() if value is None]


def test_no_secret_stands_outside_an_envelope(made: Made) -> None:
    """The generated password is a sentinel; no registration may show it in plain text."""
    recorder = made.recording.recorder
    for urn, request in recorder.requests.items():
        assert SENTINEL not in str(plain(request.object)), urn
    for urn, outputs in recorder.outputs.items():
        assert SENTINEL not in str(plain(outputs)), urn


def test_a_component_hides_nothing_of_the_resource_that_it_is(made: Made) -> None:
    """An attribute like `_protect` would change what children inherit."""
    assert made.changed <= {
        *("_type", "_name", "_providers", "_provider"),
        *("_childResources", "urn", "_source_position"),
    }


@pytest.mark.parametrize(("kind", "make"), CALLS)
def test_a_callers_options_do_not_reach_the_children(kind: type[Component], make: Maker) -> None:
    former = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="former")])
    plan = planned(lambda opts: make("thing", pulumi.ResourceOptions.merge(opts, former)))
    root = component_of(plan, kind)
    # The SDK derives aliases of children from their parent's: each names the child's own former URN or parent.
    assert root.aliases == ["name=former"]
    assert all("name=former" not in each.aliases for each in plan.below(root.urn))


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
