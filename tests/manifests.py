"""The objects of a plan as Kubernetes gets them, held against the schemas of its API."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from preview.plan import SECRET, UNKNOWN, Plan

VERSIONS = ("1.35", "1.36")
"""The versions of Kubernetes that the project supports."""
PLAUSIBLE = "text"
"""What stands for a text that a plan does not show."""

Manifest = dict[str, Any]


def manifests(plan: Plan) -> list[Manifest]:
    """The objects that a plan asks Kubernetes for, but for those of kinds that are not its own."""
    return [
        _shown(resource.inputs)
        for resource in plan.resources
        if resource.type.startswith("kubernetes:") and "kind" in resource.inputs and _is_own(resource.inputs)
    ]


def invalid(manifest: Manifest, version: str) -> list[str]:
    """What the API of a version would refuse in a manifest, each with its path. It takes no field that it does not
    know, as with strict validation."""
    kinds, schema = _schemas(version)
    kind = (manifest["apiVersion"], manifest["kind"])
    if kind not in kinds:
        return [f"{kind[0]} {kind[1]}: Kubernetes {version} has no such kind"]
    validator = Draft202012Validator({**schema, "$ref": f"#/$defs/{kinds[kind]}"})
    return sorted(f"{error.json_path.removeprefix('$.')}: {error.message}" for error in validator.iter_errors(manifest))


class _Schemas(NamedTuple):
    names: dict[tuple[str, str], str]
    """Names of the kinds' schemas, by version of the API and kind."""
    schema: dict[str, Any]
    """All of them."""


@cache
def _schemas(version: str) -> _Schemas:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    schema = json.loads((folder / "_definitions.json").read_text("utf-8"))
    names: dict[tuple[str, str], str] = {}
    for name, definition in schema["$defs"].items():
        kinds = definition.get("x-kubernetes-group-version-kind", [])
        # Some, like `DeleteOptions`, are in every group; they are no objects.
        if len(kinds) == 1:
            (kind,) = kinds
            names["/".join(filter(None, (kind["group"], kind["version"]))), kind["kind"]] = name
    return _Schemas(names, schema)


def _is_own(inputs: Manifest) -> bool:
    """Whether a kind's group is one of Kubernetes itself; of custom resources, their charts bring the schemas."""
    groups = {_group(api_version) for version in VERSIONS for api_version, _ in _schemas(version).names}
    return _group(inputs["apiVersion"]) in groups


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _shown_of(key: str, value: Any) -> Any:
    """The same of a key. What a Secret holds is hidden as a whole."""
    return {PLAUSIBLE: PLAUSIBLE} if (key, value) == ("stringData", SECRET) else _shown(value)


def _shown(value: Any) -> Any:
    """A value without what cannot be seen. Texts are all that plans hide: numbers of manifests are plain."""
    if isinstance(value, dict):
        return {key: _shown_of(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return PLAUSIBLE if value in (SECRET, UNKNOWN) else value
