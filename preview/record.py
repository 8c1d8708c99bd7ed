"""Runs a stack's program under Pulumi's mocks and keeps every registration.

The recorder refuses what the engine would refuse and mocks let pass: duplicate URNs, a resource without a provider
where default providers are off, look-ups of existing resources. It refuses invokes too: the engine executes them in a
preview, with credentials.
"""

import asyncio
import contextvars
import gc
import logging
import os
import runpy
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
import pulumi.resource as sdk
from google.protobuf import struct_pb2
from pulumi.runtime import mocks, resource, resource_cycle_breaker, rpc
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import alias_pb2, provider_pb2, resource_pb2, source_pb2
from pulumi.runtime.settings import SETTINGS, configure, set_root_resource
from pulumi.runtime.stack import run_in_stack

from .plan import SECRET, STACK_TYPE, UNKNOWN, Plan, Resource
from .project import Configuration, PreviewError

Answer = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""What a cloud would return: given type, name and inputs of a resource, its outputs with its `id`."""

_SIGNATURE = rpc._special_sig_key
_SECRET_SIGNATURE = rpc._special_secret_sig
_REFERENCE_SIGNATURE = rpc._special_resource_sig


class Recorder(mocks.MockMonitor):
    """A monitor that keeps registrations, under the URNs that the engine would give them.

    Without an `answer` it behaves as the engine in a preview: a resource's inputs are known, all else of it is not, and
    nothing at all of what a provider makes that is not configured yet.
    """

    def __init__(self, configuration: Configuration, answer: Answer | None = None):
        super().__init__(_NoMocks())
        self._configuration = configuration
        self._answer = answer
        self._lock = threading.Lock()
        self.requests: dict[str, resource_pb2.RegisterResourceRequest] = {}
        self.outputs: dict[str, struct_pb2.Struct] = {}
        self.refusals: list[str] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The engine's URN: the whole chain of the parents' types, but for the stack's."""
        chain = parent.split("::")[2] if parent else ""
        qualified = type_ if chain in ("", STACK_TYPE) else f"{chain}${type_}"
        return f"urn:pulumi:{self._configuration.stack}::{self._configuration.project}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:
        """Keep a registration, and answer it as the engine would."""
        urn = self.make_urn(request.parent, request.type, request.name)
        with self._lock:
            self._refuse_if_wrong(urn, request)
            self.requests[urn] = request
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if not self._answer and self._is_out_of_reach(request.provider):
            # What its provider would say, the engine cannot ask.
            return resource_pb2.RegisterResourceResponse(urn=urn)
        state = struct_pb2.Struct()
        state.CopyFrom(request.object)
        identity = ""
        if self._answer:
            given = self._answer(request.type, request.name, plain(request.object))
            identity = given.get("id", f"{request.name}-id")
            state.update({key: value for key, value in given.items() if key != "id"})
        for secret in request.additionalSecretOutputs:
            value = state[secret] if secret in state.fields else rpc.UNKNOWN
            if not _is_secret(state, secret):
                state.update({secret: {_SIGNATURE: _SECRET_SIGNATURE, "value": value}})
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=state)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Keep the outputs of a component or the stack."""
        with self._lock:
            self.outputs[request.urn] = request.outputs
        return super().RegisterResourceOutputs(request)

    def Invoke(self, request: Any) -> Any:
        """Refuse a function call."""
        self._refuse(f"invoke of {request.tok}: the program must preview without asking a cloud; make it a setting")
        return resource_pb2.ResourceInvokeResponse()

    def Call(self, request: Any) -> Any:
        """Refuse a method call."""
        self._refuse(f"call of {request.tok}: the program must preview without asking a cloud; make it a setting")
        return provider_pb2.CallResponse()

    def ReadResource(self, request: Any) -> Any:
        """Refuse a look-up."""
        self._refuse(f"look-up of {request.type} {request.name}: name the resource in the settings instead")
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=request.properties)

    def _is_out_of_reach(self, provider: str) -> bool:
        """Whether what a provider is configured with is not all known."""
        request = self.requests.get(provider.rpartition("::")[0])
        return bool(request) and rpc.UNKNOWN in str(request.object)

    def _refuse(self, what: str) -> None:
        with self._lock:
            self.refusals.append(what)

    def _refuse_if_wrong(self, urn: str, request: Any) -> None:
        if request.type == STACK_TYPE:
            return
        if urn in self.requests:
            self.refusals.append(f"two resources with the URN {urn}: give one of them another name")
        package = request.type.partition(":")[0]
        disabled = self._configuration.disabled_default_providers
        if request.custom and package != "pulumi" and not request.provider and ("*" in disabled or package in disabled):
            self.refusals.append(f"{urn} has no provider, and default providers are off: pass one of package {package}")


class _NoMocks(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict]:
        raise AssertionError("the recorder answers registrations itself")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict, list[tuple[str, str]] | None]:
        return {}, None  # refused already; the program may go on to its further faults


class Recording:
    """A plan, and the raw registrations that it was made of."""

    def __init__(self, plan: Plan, recorder: Recorder):
        self.plan = plan
        self.recorder = recorder


def record(configuration: Configuration, program: Path | Callable[[], None], answer: Answer | None = None) -> Recording:
    """Run a program, a file or a function, and return what it registered.

    It runs in a context and an event loop of its own, and leaves neither behind. Without an `answer` it runs as a
    preview, with unknown outputs; with one as an update.

    Raises `PreviewError` when the program fails and for what the engine would refuse.
    """
    return contextvars.copy_context().run(_record, configuration, program, answer)


def load(configuration: Configuration, program: Path) -> None:
    """Import what a program imports, by running it as far as its first resource. A fault is left for `record`."""
    contextvars.copy_context().run(_load, configuration, program)


def _load(configuration: Configuration, program: Path) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise _FirstResource

    settings = mocks.MockSettings(
        monitor=Recorder(configuration), project=configuration.project, stack=configuration.stack, dry_run=True
    )
    set_all_config(configuration.values, list(configuration.secrets))
    configure(settings)
    register = sdk.register_resource  # pyright: ignore[reportPrivateImportUsage]
    sdk.register_resource = stop  # pyright: ignore[reportPrivateImportUsage]
    try:
        runpy.run_path(str(program), run_name="__main__")
    except Exception:  # noqa: S110 - `record` will meet it again, and tell
        pass
    finally:
        sdk.register_resource = register  # pyright: ignore[reportPrivateImportUsage]


class _FirstResource(Exception):
    pass


def _record(configuration: Configuration, program: Path | Callable[[], None], answer: Answer | None) -> Recording:
    recorder = Recorder(configuration, answer)
    log = _Log()
    loop = asyncio.new_event_loop()
    # The first fault is raised. Outputs that never come because of it would each be told when they are collected.
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    with _strict_outputs(), _no_collection(), _no_source_positions(), _quick_search_for_cycles():
        try:
            set_all_config(configuration.values, list(configuration.secrets))
            # No root resource yet: `set_mocks` makes one, which has no outputs; the program gets its own below.
            set_root_resource(None)  # pyright: ignore[reportArgumentType]
            mocks.set_mocks(
                recorder.mocks,
                project=configuration.project,
                stack=configuration.stack,
                preview=answer is None,
                logger=log.logger,
                monitor=recorder,
            )
            set_root_resource(None)  # pyright: ignore[reportArgumentType]
            # Else the run would wait for what a run elsewhere has left behind.
            SETTINGS.outputs = set()  # pyright: ignore[reportAttributeAccessIssue]
            loop.run_until_complete(run_in_stack(lambda: _run(program)))
        except pulumi.RunError as error:
            raise PreviewError(str(error)) from error
        except Exception as error:
            if not recorder.refusals:
                raise PreviewError(_described(error, program)) from error
        finally:
            _close(loop)
    if recorder.refusals:
        raise PreviewError("\n".join(dict.fromkeys(recorder.refusals)))
    return Recording(_plan(configuration, recorder, log.warnings), recorder)


def _run(program: Path | Callable[[], None]) -> None:
    if isinstance(program, Path):
        runpy.run_path(str(program), run_name="__main__")
    else:
        program()


@contextmanager
def _strict_outputs() -> Iterator[None]:
    """An Output inside an f-string is a fault, not a warning."""
    name = "PULUMI_ERROR_OUTPUT_STRING"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _no_collection() -> Iterator[None]:
    """A recording makes many objects and drops few: looking for garbage among them takes a third of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def _no_source_positions() -> Iterator[None]:
    """The engine shows which line makes a resource; a plan does not, and looking it up takes a fifth of the time."""
    trace = resource._get_stack_trace
    resource._get_stack_trace = source_pb2.StackTrace
    try:
        yield
    finally:
        resource._get_stack_trace = trace


@contextmanager
def _quick_search_for_cycles() -> Iterator[None]:
    """Before each dependency the SDK walks all that the other one depends on, to see that it closes no cycle: a third
    of the time. One that is declared already closes none, nor does any of a resource on which nothing depends yet, as
    nearly all are when they are registered."""
    walk = resource_cycle_breaker._reachable
    depended: set[pulumi.Resource] = set()

    def reachable(from_resource: pulumi.Resource, to_resource: pulumi.Resource) -> bool:
        if from_resource in resource_cycle_breaker._deps(to_resource):
            return False
        closes = (to_resource in depended or to_resource is from_resource) and walk(from_resource, to_resource)
        depended.add(from_resource)
        return closes

    resource_cycle_breaker._reachable = reachable
    try:
        yield
    finally:
        resource_cycle_breaker._reachable = walk


def _close(loop: asyncio.AbstractEventLoop) -> None:
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    asyncio.set_event_loop(None)


def _described(error: Exception, program: Path | Callable[[], None]) -> str:
    """An unexpected error with the line of the project that it comes from."""
    root = program.parent if isinstance(program, Path) else None
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if root and Path(frame.filename).is_relative_to(root) and ".venv" not in frame.filename
        and "preview" not in Path(frame.filename).relative_to(root).parts
    ]  # fmt: skip
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"the program failed{place}: {type(error).__name__}: {error}"


class _Log:
    """Collects what the program logs for its user."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.logger = logging.Logger("program", logging.WARNING)
        handler = logging.Handler()
        handler.emit = lambda record: self.warnings.append(record.getMessage())
        self.logger.addHandler(handler)


def plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The properties with `[unknown]` for unknown values and `[secret]` for secret ones."""
    # In their order by name: the fields themselves come in another order in each process.
    return {key: _plain(struct.fields[key]) for key in sorted(struct.fields) if not key.startswith("__")}


def _plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        signature = fields[_SIGNATURE].string_value if _SIGNATURE in fields else None
        if signature == _SECRET_SIGNATURE:
            return SECRET
        if signature == _REFERENCE_SIGNATURE:
            return fields["urn"].string_value
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _is_secret(state: struct_pb2.Struct, key: str) -> bool:
    value = state.fields.get(key)
    return bool(value and value.struct_value.fields and _SIGNATURE in value.struct_value.fields)


def _plan(configuration: Configuration, recorder: Recorder, warnings: list[str]) -> Plan:
    outputs = {urn: plain(struct) for urn, struct in recorder.outputs.items()}
    resources = [_resource(urn, request, outputs.get(urn, {})) for urn, request in recorder.requests.items()]
    resources.sort(key=lambda resource: (resource.type != STACK_TYPE, resource.urn.count("$"), resource.urn))
    return Plan(
        stack=configuration.stack,
        project=configuration.project,
        resources=resources,
        outputs=next((resource.outputs for resource in resources if resource.type == STACK_TYPE), {}),
        warnings=warnings,
    )


def _resource(urn: str, request: Any, outputs: dict[str, Any]) -> Resource:
    property_dependencies = {
        key: sorted(value.urns) for key, value in request.propertyDependencies.items() if value.urns
    }
    return Resource(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=plain(request.object),
        dependencies=sorted(set(request.dependencies).union(*property_dependencies.values())),
        property_dependencies=property_dependencies,
        provider=request.provider.rpartition("::")[0],
        protect=request.protect,
        aliases=[_alias(alias) for alias in request.aliases] + list(request.aliasURNs),
        options=_options(request),
        outputs=outputs,
    )


def _alias(alias: alias_pb2.Alias) -> str:
    if alias.urn:
        return alias.urn
    spec = alias.spec
    parts = {
        "name": spec.name,
        "type": spec.type,
        "parent": spec.parentUrn,
        "stack": spec.stack,
        "project": spec.project,
    }
    return ",".join(f"{key}={value}" for key, value in parts.items() if value) or "noParent"


def _options(request: Any) -> dict[str, Any]:
    options = {
        "deleteBeforeReplace": request.deleteBeforeReplace,
        "ignoreChanges": list(request.ignoreChanges),
        "replaceOnChanges": list(request.replaceOnChanges),
        "retainOnDelete": request.retainOnDelete,
        "import": request.importId,
        "additionalSecretOutputs": sorted(request.additionalSecretOutputs),
        "version": request.version,
    }
    return {key: value for key, value in options.items() if value}
