"""The project's files: which stacks there are, and the configuration that the engine would hand to their programs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .plan import SECRET


class PreviewError(Exception):
    """What keeps a stack from being previewed, in words for its author."""


@dataclass(frozen=True)
class Configuration:
    """A stack's configuration as the engine hands it over: full keys, and text or JSON as values."""

    project: str
    stack: str
    values: dict[str, str]
    secrets: frozenset[str]
    """Keys whose values are encrypted. Their text here is `[secret]`."""

    @property
    def disabled_default_providers(self) -> list[str]:
        """The packages that may not use a default provider; `*` is all."""
        return json.loads(self.values.get("pulumi:disable-default-providers", "[]"))


def stacks(root: Path) -> list[str]:
    """The stacks of the project: those that have a file."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))


def configuration(root: Path, stack: str) -> Configuration:
    """The configuration of a stack: its file over the project's defaults, without merging objects, as the engine does.

    Raises `PreviewError` for a stack without a file and a file that is no YAML mapping, or has none as `config`.
    """
    known = stacks(root)
    if stack not in known:
        raise PreviewError(
            f"no stack `{stack}`: there is no Pulumi.{stack}.yaml; the stacks here are {', '.join(known)}"
        )
    project = _mapping(root / "Pulumi.yaml")
    name = project["name"]
    declared = {
        _full_key(name, key): entry["default"]
        for key, entry in _configured(project, "Pulumi.yaml").items()
        if isinstance(entry, dict) and "default" in entry
    }
    given = {
        _full_key(name, key): entry
        for key, entry in _configured(_mapping(root / f"Pulumi.{stack}.yaml"), f"Pulumi.{stack}.yaml").items()
    }
    values, secrets = {}, set()
    for key, value in {**declared, **given}.items():
        plain = _decrypted(value)
        values[key] = _text(plain)
        if plain != value:
            secrets.add(key)
    return Configuration(name, stack, values, frozenset(secrets))


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise PreviewError(f"{path.name} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise PreviewError(f"{path.name} is no mapping; it starts with `config:`")
    return content


def _configured(content: dict[str, Any], file: str) -> dict[str, Any]:
    """What stands under `config` in a file."""
    config = content.get("config") or {}
    if not isinstance(config, dict):
        raise PreviewError(
            f"{file}: `config` is no mapping; write a line `<key>: <value>` for each key, without a hyphen"
        )
    return {str(key): value for key, value in config.items()}


def _full_key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _decrypted(value: Any) -> Any:
    """The value with `[secret]` wherever something is encrypted."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return SECRET
        return {key: _decrypted(item) for key, item in value.items()}
    return [_decrypted(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, default=str)
