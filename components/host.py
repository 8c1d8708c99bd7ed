"""The component host: how a Pulumi project in any language uses the components.

The engine starts it as a plugin, asks it for the schema out of which `pulumi package add` generates an SDK, and has
it construct components. `PulumiPlugin.yaml` says how it is started.
"""

import importlib
import importlib.metadata
import inspect
import json
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args, is_typeddict

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult, server
from pulumi.provider.experimental import analyzer
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError, ProviderServicer

from .component import ArgsError, Component, Sent, camel_case, fields
from .problems import InputError, one_of

NAME = "plinth"
_FOLDER = Path(__file__).resolve().parent
_PACKAGE = __name__.rpartition(".")[0]


class ComponentHost(ComponentProvider):
    """A provider of components, with a schema inferred from their annotations and docstrings.

    It mends what the SDK's own host gets wrong. Args reach the component whole and as they were sent, so that its check
    sees unknown keys, turns whole floats into integers and values into enum members in every nesting, and converts
    Outputs once they are known. What the component refuses comes back with its message and property paths as the
    consumer spells them.
    """

    def __init__(self, components: list[type[Component]], name: str, version: str):
        # The SDK asks for classes of components, but declares their base class.
        super().__init__([*components], name, version=version)
        self.schema = json.dumps(_tidied(json.loads(self.schema or "{}")))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make a component.

        Raises `InputPropertiesError` for what the component refuses and for a component that does not exist, and
        `ComponentInitError` for any other fault in it.
        """
        kind = self._kind(resource_type)
        try:
            made = kind(name, Sent(inputs), options)  # pyright: ignore[reportCallIssue, reportArgumentType]
        except pulumi.RunError as error:
            raise self.refusal(error, resource_type, name) from error
        except Exception as error:
            raise _Fault(error) from error
        return ConstructResult(made.urn, self.get_state(made, self._component_defs[kind.__name__]))

    def refusal(self, error: pulumi.RunError, resource_type: str, name: str) -> InputPropertiesError:
        """What a component refused, for the engine to show: a headline, and a reason for each property."""
        kind = self._kind(resource_type)
        # A component within this one may have refused what it was given: then the paths are none of the consumer's.
        if not isinstance(error, InputError) or error.subject != f"{kind.__name__} {name}":
            return InputPropertiesError(str(error), [])
        headline = str(error).partition("\n")[0]
        shape = inspect.get_annotations(kind.__init__)["args"]
        details = [
            InputPropertyErrorDetails(
                property_path=problem.path if isinstance(error, ArgsError) else _spelled_path(shape, problem.path),
                reason=_spelled_text(shape, problem.remedy),
            )
            for problem in error.problems
        ]
        return InputPropertiesError(headline, details)

    def _kind(self, resource_type: str) -> type[pulumi.ComponentResource]:
        self.validate_resource_type(self._name, resource_type)
        name = resource_type.rpartition(":")[2]
        if name not in self._components:
            remedy = one_of(sorted(self._components), name)
            raise InputPropertiesError(f"{self._name} {self.version} has no component {name}: {remedy}", [])
        return self._components[name]


class _Fault(ComponentInitError):
    """An unexpected error in a component. The server adds where it was raised."""

    def __init__(self, inner: Exception):
        super().__init__(inner)
        self.args = (f"{type(inner).__name__}: {inner}",)


class _Servicer(ProviderServicer):
    """Reports what a component refuses later, when an Output that it was given becomes known."""

    async def _construct(self, request: Any, context: Any) -> Any:
        try:
            return await super()._construct(request, context)
        except pulumi.RunError as error:
            host = cast(ComponentHost, self.provider)
            raise host.refusal(error, request.type, request.name) from error


def components() -> list[type[Component]]:
    """Every public component class of the library, by name."""
    found = {
        kind
        for module in pkgutil.walk_packages([str(_FOLDER)], f"{_PACKAGE}.")
        if not module.name.endswith(".__main__")
        for kind in vars(importlib.import_module(module.name)).values()
        if inspect.isclass(kind) and issubclass(kind, Component) and kind.__module__ == module.name
    }
    public = [kind for kind in found if kind is not Component and not kind.__name__.startswith("_")]
    return sorted(public, key=lambda kind: kind.__name__)


def version() -> str:
    """The version of the distribution, from its source where that is at hand, else from what is installed."""
    source = _FOLDER.parent / "pyproject.toml"
    if source.exists():
        project = tomllib.loads(source.read_text()).get("project", {})
        if project.get("name") == NAME:
            return project["version"]
    return importlib.metadata.version(NAME)


def main() -> None:
    """Serve the library's components to the engine, whose address is the first command-line argument."""
    server.ProviderServicer = _Servicer  # the SDK's `main` takes no other
    server.main(ComponentHost(components(), NAME, version()), sys.argv[1:])


def _tidied(schema: Any) -> Any:
    """The schema without the source's indentation in its descriptions, which Markdown would show as code."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: inspect.cleandoc(value) if key == "description" and isinstance(value, str) else _tidied(value)
        for key, value in schema.items()
    }


def _shape(note: Any) -> Any:
    """What an annotation says about a value that is there and known."""
    if analyzer.is_not_required(note) or analyzer.is_required(note):
        return _shape(get_args(note)[0])
    if analyzer.is_input(note):
        return _shape(analyzer.unwrap_input(note))
    return _shape(analyzer.unwrap_optional(note)) if analyzer.is_optional(note) else note


def _spelled_path(shape: Any, path: str) -> str:
    """A path with the fields in it as the schema spells them. Keys of a mapping stay as they are: the consumer's."""

    def spelled(match: re.Match[str]) -> str:
        nonlocal shape
        key, inside = match[0], _shape(shape)
        if is_typeddict(inside):
            shape = fields(inside).get(key)
            return camel_case(key) if shape is not None else key
        is_container = analyzer.is_list(inside) or analyzer.is_dict(inside)
        shape = get_args(inside)[-1] if is_container else None
        return key

    return re.sub(r"[^.\[\]]+", spelled, path)


def _spelled_text(shape: Any, text: str) -> str:
    """A remedy with the fields that it names as the schema spells them."""
    known = set(_fields_below(shape))
    return re.sub(
        r"\b[a-z0-9]+(_[a-z0-9]+)+\b", lambda match: camel_case(match[0]) if match[0] in known else match[0], text
    )


def _fields_below(note: Any) -> Iterator[str]:
    inside = _shape(note)
    if is_typeddict(inside):
        for field, inner in fields(inside).items():
            yield field
            yield from _fields_below(inner)
    elif analyzer.is_list(inside) or analyzer.is_dict(inside):
        yield from _fields_below(get_args(inside)[-1])
