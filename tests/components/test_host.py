"""The component host: discovery, schema, and what the SDK's own host gets wrong."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum
from typing import Any, NotRequired, TypedDict

import grpc
import pulumi
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.errors import InputPropertiesError
from pulumi.output import Unknown
from pulumi.provider.experimental.analyzer import Analyzer
from pulumi.provider.server import ComponentInitError
from pulumi.runtime import rpc
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)

from components.component import Component, between, camel_case, checked
from components.database.rds import RdsPostgres
from components.host import ComponentHost, components, version
from components.network.aws import AwsNetwork
from components.network.security_group import AwsSecurityGroup
from components.problems import InputError, Problem
from components.security.iam import AwsServiceRole
from components.security.kms import EncryptionKey
from components.storage.s3 import S3ObjectStore
from preview.record import Answer

from ..support import ROOT, known, planned, recorded
from .examples.database import POSTGRES_FULL
from .examples.network import GROUP, NETWORK
from .examples.security import KEY_ARGS, ROLE
from .examples.storage import STORE_FULL

# --- what the library's host offers ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library() -> ComponentHost:
    return ComponentHost(components(), "plinth", version())


@pytest.fixture(scope="module")
def schema(library: ComponentHost) -> dict[str, Any]:
    return json.loads(library.schema or "")


def test_every_component_class_of_the_source_is_discovered() -> None:
    written = {
        node.name
        for path in (ROOT / "components").rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Component" for base in node.bases)
    }
    assert {kind.__name__ for kind in components()} == written
    assert "AwsNetwork" in written


def test_the_analyzer_takes_every_component() -> None:
    found = Analyzer("plinth").analyze([*components()])
    assert set(found["component_definitions"]) == {kind.__name__ for kind in components()}


def test_the_schema_has_the_version_of_the_distribution(schema: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (schema["name"], schema["version"]) == (project["name"], project["version"])


def _properties(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for token, entry in [*schema["resources"].items(), *schema["types"].items()]:
        for group in ("inputProperties", "properties"):
            for name, definition in entry.get(group, {}).items():
                yield token, name, definition


def test_everything_in_the_schema_has_a_description(schema: dict[str, Any]) -> None:
    described = {
        token: entry.get("description") for token, entry in [*schema["resources"].items(), *schema["types"].items()]
    }
    for token, name, definition in _properties(schema):
        described[f"{token}.{name}"] = definition.get("description")
    for token, entry in schema["types"].items():
        for member in entry.get("enum") or []:
            described[f"{token}.{member['name']}"] = member.get("description")
    assert len(described) > 50
    assert [path for path, text in described.items() if not text] == []
    assert [path for path, text in described.items() if "\n  " in text] == [], "Markdown shows indented text as code"


def test_the_schema_spells_properties_in_camel_case_as_the_args_check_does(schema: dict[str, Any]) -> None:
    names = {name for _, name, _ in _properties(schema)}
    assert [name for name in names if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", name)] == []
    for kind in components():
        args = kind.__init__.__annotations__["args"]
        sent = schema["resources"][f"plinth:index:{kind.__name__}"]["inputProperties"]
        assert {camel_case(field) for field in args.__annotations__} == set(sent)


@pytest.mark.parametrize("kind", components(), ids=lambda kind: kind.__name__)
def test_every_component_checks_what_it_was_sent(
    kind: type[Component], library: ComponentHost, schema: dict[str, Any]
) -> None:
    """Whatever the class: unknown and missing keys come back together, spelled as its consumer spells them."""
    token = f"plinth:index:{kind.__name__}"
    error = refused(library, {"nonsenseKey": 1.0}, kind=kind.__name__, name="thing")
    reasons = {each["property_path"]: each["reason"] for each in error.errors or []}
    assert set(reasons) == {"nonsenseKey", *schema["resources"][token]["requiredInputs"]}
    assert reasons["nonsenseKey"].startswith("unknown key")


def _as_sent(value: Any) -> Any:
    """Args of this process as the engine would hand them over."""
    if isinstance(value, dict):
        return {camel_case(key): _as_sent(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_sent(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        (
            AwsNetwork,
            {**NETWORK, "nat": "single", "flow_log_days": 30, "data_ports": {"postgres": 5432}},
        ),
        (AwsSecurityGroup, GROUP),
        (EncryptionKey, KEY_ARGS),
        (RdsPostgres, POSTGRES_FULL),
        (S3ObjectStore, STORE_FULL),
        (AwsServiceRole, ROLE),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_hosted_component_makes_what_it_makes_in_the_same_process(
    kind: Callable[..., Component], args: Any, library: ComponentHost
) -> None:
    token = f"plinth:index:{getattr(kind, '__name__', '')}"
    here = planned(lambda opts: kind("thing", args, opts))
    hosted = planned(lambda opts: library.construct("thing", token, _as_sent(args), opts))
    assert len(here.resources) > 3
    assert hosted.resources == here.resources


# --- each of the SDK's faults, on a component of every shape ----------------------------------------------------


class Tone(Enum):
    """How loud."""

    LOUD = "loud"
    """Very."""
    SOFT = "soft"
    """Little."""


class Leaf(TypedDict):
    """A nested value."""

    leaf_weight: pulumi.Input[int]
    """Weight in grams."""
    leaf_tone: NotRequired[pulumi.Input[Tone]]
    """Tone."""


class ProbeArgs(TypedDict):
    """Every shape."""

    plain_count: NotRequired[int]
    """Plain."""
    counts: NotRequired[list[int]]
    """List."""
    counts_by_key: NotRequired[dict[str, int]]
    """Mapping."""
    size_gb: NotRequired[pulumi.Input[int]]
    """Input."""
    later_counts: NotRequired[pulumi.Input[list[int]]]
    """Input of a list."""
    some_tones: NotRequired[list[Tone]]
    """List of enum members."""
    later_tones: NotRequired[pulumi.Input[list[Tone]]]
    """Input of a list of enum members."""
    inner_leaf: NotRequired[Leaf]
    """Nested."""
    later_leaf: NotRequired[pulumi.Input[Leaf]]
    """Input of a nested value."""
    later_leaves: NotRequired[pulumi.Input[list[Leaf]]]
    """Input of a list of nested values."""
    leaves_by_key: NotRequired[dict[str, pulumi.Input[Leaf]]]
    """Mapping of Inputs of nested values."""
    fail_with: NotRequired[str]
    """Which error to raise."""


SEEN: list[Any] = []
"""The args that a Probe was made with, once they are known."""


class Probe(Component):
    """Keeps the args that it was made with."""

    size: pulumi.Output[int]
    """What `size_gb` was."""
    first_leaf: pulumi.Output[Leaf]
    """A nested output."""
    moods: dict[str, list[Tone]]
    """An output of enum members."""

    def __init__(self, name: str, args: ProbeArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"Probe {name}"
        args = checked(
            ProbeArgs, args, subject, {"size_gb": between(1, 100, "GB"), "plain_count": between(0, 9, "things")}
        )
        self._fail(subject, args.get("fail_with"))
        super().__init__(name, opts)
        pulumi.Output.from_input(args).apply(SEEN.append)
        self.size = pulumi.Output.from_input(args.get("size_gb", 0))
        self.first_leaf = pulumi.Output.from_input(args.get("later_leaf", {"leaf_weight": 1}))
        self.moods = {"my_mood": [Tone.SOFT]}
        self._register()

    def _fail(self, subject: str, how: str | None) -> None:
        match how:
            case "input":
                remedies = ["give more than size_gb", "wrong", "too long for a name_tag"]
                paths = ["leaves_by_key.my_size_gb.leaf_weight", "counts[1]", "name"]
                raise InputError(
                    subject, [Problem(path, "x", text) for path, text in zip(paths, remedies, strict=True)]
                )
            case "within":
                raise InputError("Child it-part", [Problem("size_gb", 1, "wrong")])
            case "run":
                raise pulumi.RunError("plainly refused")
            case "unexpected":
                {}["lost"]


@pytest.fixture(scope="module")
def host() -> ComponentHost:
    return ComponentHost([Probe], "plinth", "1.2.3")


Inputs = dict[str, Any] | Callable[[], dict[str, Any]]
"""Inputs, or what makes them: an Output is made where it is used."""


def _construct(host: ComponentHost, inputs: Inputs, kind: str = "Probe", name: str = "it") -> Any:
    return host.construct(name, f"plinth:index:{kind}", inputs() if callable(inputs) else inputs)


def received(host: ComponentHost, inputs: Inputs, answer: Answer | None = known) -> str:
    """The args that the component got, written out so that 1 and 1.0 differ."""
    SEEN.clear()
    recorded(lambda: _construct(host, inputs), answer=answer)
    assert len(SEEN) == 1
    return repr(SEEN[0])


def refused(host: ComponentHost, inputs: Inputs, kind: str = "Probe", name: str = "it") -> InputPropertiesError:
    """What the host answers to inputs that the component refuses."""
    caught: list[InputPropertiesError] = []

    def program() -> None:
        with pytest.raises(InputPropertiesError) as error:
            _construct(host, inputs, kind, name)
        caught.append(error.value)

    recorded(program)
    return caught[0]


def reasons(host: ComponentHost, inputs: Inputs) -> dict[str, str]:
    return {each["property_path"]: each["reason"] for each in refused(host, inputs).errors or []}


def test_whole_numbers_arrive_as_integers_in_every_nesting(host: ComponentHost) -> None:
    inputs = {
        "plainCount": 3.0,
        "counts": [1.0, 2.0],
        "countsByKey": {"my_key": 4.0},
        "sizeGb": 5.0,
        "laterCounts": [6.0],
        "innerLeaf": {"leafWeight": 7.0},
        "laterLeaf": {"leafWeight": 8.0},
        "laterLeaves": [{"leafWeight": 9.0}],
        "leavesByKey": {"my_key": {"leafWeight": 10.0}},
    }
    args = {
        "plain_count": 3,
        "counts": [1, 2],
        "counts_by_key": {"my_key": 4},
        "size_gb": 5,
        "later_counts": [6],
        "inner_leaf": {"leaf_weight": 7},
        "later_leaf": {"leaf_weight": 8},
        "later_leaves": [{"leaf_weight": 9}],
        "leaves_by_key": {"my_key": {"leaf_weight": 10}},
    }
    assert received(host, inputs) == repr(args)


def test_outputs_are_converted_once_they_are_known(host: ComponentHost) -> None:
    later = pulumi.Output.from_input

    def inputs() -> dict[str, Any]:
        return {
            "sizeGb": later(5.0),
            "laterCounts": later([6.0, 7.0]),
            "laterTones": later(["loud"]),
            "innerLeaf": {"leafWeight": later(7.0), "leafTone": later("soft")},
            "laterLeaf": later({"leafWeight": 8.0, "leafTone": "loud"}),
            "laterLeaves": [later({"leafWeight": 9.0})],
            "leavesByKey": {"my_key": later({"leafWeight": 10.0})},
        }

    args = {
        "size_gb": 5,
        "later_counts": [6, 7],
        "later_tones": [Tone.LOUD],
        "inner_leaf": {"leaf_weight": 7, "leaf_tone": Tone.SOFT},
        "later_leaf": {"leaf_weight": 8, "leaf_tone": Tone.LOUD},
        "later_leaves": [{"leaf_weight": 9}],
        "leaves_by_key": {"my_key": {"leaf_weight": 10}},
    }
    assert received(host, inputs) == repr(args)


def test_an_output_may_hold_nothing(host: ComponentHost) -> None:
    assert received(host, lambda: {"sizeGb": pulumi.Output.from_input(None)}) == repr({"size_gb": None})


def test_lists_of_enum_members_arrive(host: ComponentHost) -> None:
    inputs = {"someTones": ["loud", "soft"], "laterTones": ["soft"]}
    assert received(host, inputs) == repr({"some_tones": [Tone.LOUD, Tone.SOFT], "later_tones": [Tone.SOFT]})


def test_what_is_unknown_in_a_preview_stays_unknown(host: ComponentHost) -> None:
    sizes = [Unknown, lambda: pulumi.Output.from_input(Unknown())]
    for size in sizes:
        plan = recorded(lambda size=size: _construct(host, {"sizeGb": size()})).plan
        assert plan.resources[-1].outputs["size"] == "[unknown]"


def test_secrets_stay_secret(host: ComponentHost) -> None:
    plan = recorded(lambda: _construct(host, {"sizeGb": pulumi.Output.secret(5.0)}), answer=known).plan
    assert plan.resources[-1].outputs["size"] == "[secret]"


def test_unknown_keys_are_refused_at_every_level_with_the_nearest_valid_one(host: ComponentHost) -> None:
    inputs = {
        "plainCoutn": 1.0,
        "size_gb": 1.0,
        "innerLeaf": {"leafWeight": 1.0, "leafTonne": "loud"},
        "laterLeaves": [{"leafWeight": 1.0, "leaf_weight": 1.0}],
        "leavesByKey": {"my_key": {"leafWeihgt": 1.0}},
    }
    assert reasons(host, inputs) == {
        "plainCoutn": "unknown key; did you mean `plainCount`?",
        "size_gb": "unknown key; did you mean `sizeGb`?",
        "innerLeaf.leafTonne": "unknown key; did you mean `leafTone`?",
        "laterLeaves[0].leaf_weight": "unknown key; did you mean `leafWeight`?",
        "leavesByKey.my_key.leafWeihgt": "unknown key; did you mean `leafWeight`?",
        "leavesByKey.my_key.leafWeight": "required; give a value",
    }


def test_all_problems_are_told_together_under_one_headline(host: ComponentHost) -> None:
    error = refused(host, {"plainCount": 10.0, "sizeGb": 1.5, "someTones": ["laud"], "innerLeaf": {}})
    assert error.message == "Probe it: 4 problems"
    assert {each["property_path"]: each["reason"] for each in error.errors or []} == {
        "plainCount": "give 0 to 9 things",
        "sizeGb": "give a whole number",
        "someTones[0]": "did you mean `loud`? choose one of loud, soft",
        "innerLeaf.leafWeight": "required; give a value",
    }


def test_what_the_component_itself_refuses_is_spelled_as_the_consumer_spells_it(host: ComponentHost) -> None:
    error = refused(host, {"failWith": "input"})
    assert error.errors == [
        {"property_path": "leavesByKey.my_size_gb.leafWeight", "reason": "give more than sizeGb"},
        {"property_path": "counts[1]", "reason": "wrong"},
    ]
    assert error.message == "Probe it: 3 problems\n  name=x: too long for a name_tag"


def test_what_a_component_within_refuses_is_told_whole(host: ComponentHost) -> None:
    error = refused(host, {"failWith": "within"})
    assert (error.message, error.errors) == ("Child it-part: 1 problem\n  size_gb=1: wrong", [])


def test_a_run_error_keeps_its_message(host: ComponentHost) -> None:
    error = refused(host, {"failWith": "run"})
    assert (error.message, error.errors) == ("plainly refused", [])


def test_an_unexpected_error_keeps_its_kind_and_where_it_was_raised(host: ComponentHost) -> None:
    def program() -> None:
        with pytest.raises(ComponentInitError, match="KeyError: 'lost'") as error:
            _construct(host, {"failWith": "unexpected"})
        assert error.value.inner.__traceback__ is not None

    recorded(program)


def test_no_secret_reaches_the_engine_in_a_refusal(host: ComponentHost) -> None:
    """The engine prints the value of a property that it is given a reason for, even of a secret one."""

    def inputs() -> dict[str, Any]:
        return {
            "counts": pulumi.Output.secret([12345]),
            "innerLeaf": {"leafWeight": pulumi.Output.secret(1), "leaf": 1.0},
        }

    error = refused(host, inputs)
    assert error.errors == []
    assert "counts: decides which resources there are" in error.message
    assert "innerLeaf.leaf=1.0: unknown key" in error.message
    assert "12345" not in error.message


def test_a_component_that_does_not_exist_is_named(host: ComponentHost) -> None:
    error = refused(host, {}, kind="Prode")
    assert error.message == "plinth 1.2.3 has no component Prode: did you mean `Probe`? choose one of Probe"


def test_enum_and_nested_outputs_are_spelled_as_the_schema_has_them(host: ComponentHost) -> None:
    states: list[Any] = []

    def program() -> None:
        state = _construct(host, {"laterLeaf": {"leafWeight": 3.0, "leafTone": "loud"}}).state
        assert state["moods"] == {"my_mood": ["soft"]}
        state["firstLeaf"].apply(states.append)

    recorded(program, answer=known)
    assert states == [{"leafWeight": 3, "leafTone": "loud"}]


# --- over the wire: the plugin as the engine starts it -----------------------------------------------------------


class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """As much of an engine as a component needs."""

    def __init__(self) -> None:
        self.registered: list[resource_pb2.RegisterResourceRequest] = []

    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "older than that")

    def RegisterResource(self, request: Any, context: Any) -> Any:
        self.registered.append(request)
        urn = f"urn:pulumi:test::shop::{request.type}::{request.name}"
        return resource_pb2.RegisterResourceResponse(urn=urn, id=f"{request.name}-id", object=request.object)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


class Plugin:
    """A running component host, and the monitor that it registers with."""

    def __init__(self, port: str, monitor: Monitor, address: str):
        self.monitor = monitor
        self._address = address
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def construct(self, kind: str, inputs: dict[str, Any]) -> Any:
        sent = struct_pb2.Struct()
        sent.update(inputs)
        request = provider_pb2.ConstructRequest(
            project="shop",
            stack="test",
            type=f"plinth:index:{kind}",
            name="it",
            inputs=sent,
            monitorEndpoint=self._address,
        )
        return self.stub.Construct(request, timeout=30)

    def close(self) -> None:
        self._channel.close()


@contextmanager
def _monitor() -> Iterator[tuple[Monitor, str]]:
    monitor, server = Monitor(), grpc.server(ThreadPoolExecutor())
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield monitor, f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """The folder, started by its path as the engine does it, under a parent of another name and from elsewhere."""
    parent = tmp_path_factory.mktemp("some where-else")
    shutil.copytree(ROOT / "components", parent / "components", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", parent)
    with _monitor() as (monitor, address):
        command = [sys.executable, str(parent / "components"), address]
        with subprocess.Popen(
            command, cwd=tmp_path_factory.mktemp("cwd"), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            plugin = Plugin(process.stdout.readline().strip(), monitor, address)
            try:
                yield plugin
            finally:
                plugin.close()
                process.terminate()


KEY = {"scope": {"account": "123456789012", "region": "eu-central-1"}, "purpose": "Data"}


def test_the_folder_runs_as_a_plugin(plugin: Plugin, library: ComponentHost) -> None:
    assert plugin.stub.GetPluginInfo(empty_pb2.Empty()).version == version()
    answer = plugin.stub.GetSchema(provider_pb2.GetSchemaRequest(version=0))
    assert json.loads(answer.schema) == json.loads(library.schema or "")


def test_the_plugin_makes_a_component(plugin: Plugin) -> None:
    response = plugin.construct("EncryptionKey", {**KEY, "rotationDays": 180})
    assert response.urn == "urn:pulumi:test::shop::plinth:index:EncryptionKey::it"
    assert response.state["alias"] == "alias/it"
    key = next(each for each in plugin.monitor.registered if each.type == "aws:kms/key:Key")
    assert key.object["rotationPeriodInDays"] == 180
    assert key.parent == response.urn


def _told(plugin: Plugin, kind: str, inputs: dict[str, Any]) -> tuple[str, dict[str, str]]:
    with pytest.raises(grpc.RpcError) as caught:
        plugin.construct(kind, inputs)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = next(value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin")
    return error.details(), _property_errors(details)


def _property_errors(details: bytes) -> dict[str, str]:
    status, errors = status_pb2.Status(), errors_pb2.InputPropertiesError()
    status.MergeFromString(details)
    for detail in status.details:
        detail.Unpack(errors)
    return {each.property_path: each.reason for each in errors.errors}


def test_the_plugin_tells_what_a_component_refuses(plugin: Plugin) -> None:
    message, reasons = _told(plugin, "EncryptionKey", {**KEY, "rotationDays": 5, "purpos": "x"})
    assert message == "EncryptionKey it: 2 problems"
    assert reasons == {"purpos": "unknown key; did you mean `purpose`?", "rotationDays": "give 90 to 2560 days"}


def test_the_plugin_tells_what_a_component_refuses_later(plugin: Plugin) -> None:
    """An Output is checked while the component's resources wait for it, after its constructor is done."""
    block = {rpc._special_sig_key: rpc._special_output_value_sig, "value": "10.0.0.0/8"}
    network = {"scope": KEY["scope"], "cidr": block, "zones": ["eu-central-1a", "eu-central-1b"], "logKeyArn": "arn"}
    message, reasons = _told(plugin, "AwsNetwork", network)
    assert message == "AwsNetwork it: 1 problem\n  cidr=10.0.0.0/8: too large; give a block from /16 to /20"
    assert reasons == {}
    message, _ = _told(plugin, "AwsNetwork", {**network, "cidr": {**block, "secret": True}})
    assert message == "AwsNetwork it: 1 problem\n  cidr: too large; give a block from /16 to /20"
