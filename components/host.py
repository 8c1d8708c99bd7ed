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

from .component import ArgsError, Component, Sent, camel_case, fields, outputs, unwrapped
from .problems import InputError, Problem, one_of

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
            raise self.refusal(error, resource_type, name, inputs) from error
        except Exception as error:
            raise _Fault(error) from error
        return ConstructResult(made.urn, {name: value for name, value in outputs(made).items() if value is not None})

    def refusal(
        self, error: pulumi.RunError, resource_type: str, name: str, inputs: pulumi.Inputs | None = None
    ) -> InputPropertiesError:
        """What a component refused, for the engine to show: a headline, and a reason for each property.

        The engine adds the property's value, even where it is a secret. So a property that holds an Output, or may
        since the inputs are not given, gets its line in the message instead.
        """
        kind = self._kind(resource_type)
        # A component within this one may have refused what it was given: then the paths are none of the consumer's.
        if not isinstance(error, InputError) or error.subject != f"{kind.__name__} {name}":
            return InputPropertiesError(str(error), [])
        message = str(error).partition("\n")[0]
        shape = inspect.get_annotations(kind.__init__)["args"]
        details = []
        for problem in error.problems:
            path = problem.path if isinstance(error, ArgsError) else _spelled_path(shape, problem.path)
            remedy = _spelled_text(shape, problem.remedy)
            if path and inputs is not None and not _holds_output(inputs.get(_head(path))):
                details.append(InputPropertyErrorDetails(property_path=path, reason=remedy))
            else:
                message += f"\n  {Problem(path or problem.path, problem.value, remedy)}"
        return InputPropertiesError(message, details)

    def _kind(self, resource_type: str) -> type[Component]:
        self.validate_resource_type(self._name, resource_type)
        name = resource_type.rpartition(":")[2]
        if name not in self._components:
            remedy = one_of(sorted(self._components), name)
            raise InputPropertiesError(f"{self._name} {self.version} has no component {name}: {remedy}", [])
        return cast(type[Component], self._components[name])


class _Fault(ComponentInitError):
    """An unexpected error in a component. The server adds where it was raised."""

    def __init__(self, inner: Exception):
        super().__init__(inner)
        self.args = (f"{type(inner).__name__}: {inner}",)


class _Servicer(ProviderServicer):
    """Reports what goes wrong in a component later, when an Output becomes known, as what goes wrong at once."""

    async def _construct(self, request: Any, context: Any) -> Any:
        try:
            return await super()._construct(request, context)
        except (InputPropertiesError, ComponentInitError):
            raise
        except pulumi.RunError as error:
            host = cast(ComponentHost, self.provider)
            raise host.refusal(error, request.type, request.name) from error
        except Exception as error:
            raise _Fault(error) from error


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


def _head(path: str) -> str:
    return re.split(r"[.\[]", path)[0]


def _holds_output(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_output, value.values() if isinstance(value, dict) else value))
    return isinstance(value, pulumi.Output)


def _spelled_path(shape: Any, path: str) -> str | None:
    """A path with the fields in it as the schema spells them. Keys of a mapping stay as they are: the consumer's.

    None for what is no property at all: the component's name.
    """
    if _head(path) not in fields(shape):
        return None

    def spelled(match: re.Match[str]) -> str:
        nonlocal shape
        key, inside = match[0], unwrapped(shape)
        if is_typeddict(inside):
            shape = fields(inside).get(key)
            return camel_case(key)
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
    inside = unwrapped(note)
    if is_typeddict(inside):
        for field, inner in fields(inside).items():
            yield field
            yield from _fields_below(inner)
    elif analyzer.is_list(inside) or analyzer.is_dict(inside):
        yield from _fields_below(get_args(inside)[-1])
