"""The credential-free preview equals the engine's."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from preview.plan import SECRET, UNKNOWN, Plan, Resource
from preview.project import configuration, stacks
from preview.record import record

from .engine import Engine, skipped

ENGINE_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
ADDED_BY_CHECK = {
    "__defaults": "the bridge notes which values it filled in",
    "__internal": "the engine's own note on a provider",
    "tagsAll": "the provider merges its default tags into a resource's",
    "version": "the engine notes a provider's version",
    "name": "an auto-name: the logical name and random characters",
    "bucket": "an auto-name",
    "nodeGroupName": "an auto-name",
    "targetId": "an auto-name",
}
"""Inputs that the provider's check adds where the program gives none."""
NEWER = {
    ("aws:eks/cluster:Cluster", "deletionProtection"),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "warmUpConfiguration"),
}
"""Inputs that an older provider than the SDK's own does not know, and leaves out."""


def compared(plan: Plan, engine: dict[str, dict[str, Any]]) -> list[str]:
    """Where the two differ."""
    recorded = {resource.urn: resource for resource in plan.resources}
    differences = [f"only recorded: {urn}" for urn in recorded.keys() - engine.keys()]
    differences += [f"only in the engine: {urn}" for urn in engine.keys() - recorded.keys()]
    for urn in recorded.keys() & engine.keys():
        differences += [
            f"{recorded[urn].name} ({recorded[urn].type}): {each}" for each in _resource(recorded[urn], engine[urn])
        ]
    return sorted(differences)


def _resource(ours: Resource, theirs: dict[str, Any]) -> list[str]:
    found = []
    provider = theirs.get("provider", "").rpartition("::")[0]
    for what, one, other in (
        ("type", ours.type, theirs["type"]),
        ("custom", ours.custom, theirs.get("custom", False)),
        ("parent", ours.parent, theirs.get("parent", "")),
        ("provider", ours.provider, provider),
        ("dependencies", ours.dependencies, sorted(theirs.get("dependencies", []))),
        ("protect", ours.protect, theirs.get("protect", False)),
    ):
        if one != other:
            found.append(f"{what}: {one} here, {other} in the engine")
    inputs = {key: value for key, value in theirs.get("inputs", {}).items() if not _filled_in(theirs["inputs"], key)}
    for key in sorted(ours.inputs.keys() | inputs.keys()):
        if key not in inputs and (ours.type, key) in NEWER:
            continue
        if key not in inputs:
            found.append(f"input {key}: missing in the engine")
        elif key not in ours.inputs:
            if key not in ADDED_BY_CHECK:
                found.append(f"input {key}: {inputs[key]} added in the engine")
        elif not _same(ours.inputs[key], inputs[key]):
            found.append(f"input {key}: {ours.inputs[key]} here, {inputs[key]} in the engine")
    return found


def _same(ours: Any, theirs: Any) -> bool:
    """Equal, where what is unknown here may be, or hold, an auto-name there, and a secret may make all that holds it
    one."""
    if ours == UNKNOWN:
        return theirs == ENGINE_UNKNOWN or bool(re.search(r"-[0-9a-f]{7}\b", str(theirs)))
    if ours == SECRET or theirs == SECRET:
        return theirs == SECRET and SECRET in str(ours)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        given = {key for key in theirs if not key.startswith("__") and not _filled_in(theirs, key)}
        theirs = {key: theirs[key] for key in given}
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, str) and isinstance(theirs, str) and ours[:1] in ("{", "["):
        return _loaded(ours) == _loaded(theirs)  # JSON: the provider may write it in another order
    return ours == theirs


def _filled_in(inputs: dict[str, Any], key: str) -> bool:
    """Whether the bridge notes that a value is not the program's, but the provider's default."""
    return key in inputs.get("__defaults", [])


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


ROOT = Path(__file__).parents[2]


@pytest.mark.engine
@pytest.mark.parametrize(
    "stack",
    [pytest.param(stack, marks=skipped(configuration(ROOT, stack).values["plinth:cloud"])) for stack in stacks(ROOT)],
)
def test_the_recorded_plan_is_the_engines(stack: str, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.stack(stack)
    os.environ.setdefault("PULUMI_CONFIG_PASSPHRASE", "test")
    plan = record(configuration(engine.project, stack), engine.project / "__main__.py").plan
    assert compared(plan, engine.preview(stack)) == []
