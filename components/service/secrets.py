"""Secrets of pods: where each comes from, and the environment variables that it becomes."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..platform.names import name_problems
from ..problems import MISSING, InputError, Problem

Child = Callable[..., pulumi.ResourceOptions]
"""Options for a child of a component, out of the options beside its parent: `Component._child`."""

_SOURCES = ("external", "sealed", "existing")
_REFRESH = r"(?=\d)([1-9]\d*h)?([1-9]\d*m)?([1-9]\d*s)?"
_VARIABLE = r"[A-Z_][A-Z0-9_]*"
_MOST_BYTES = 1024 * 1024
"""What the values of a ConfigMap take at most."""
_PURPOSE = r"[a-z]([a-z0-9-]*[a-z0-9])?"


class ExternalKey(TypedDict):
    """One entry of a cloud's secret store, which External Secrets reads."""

    store: pulumi.Input[str]
    """Name of the SecretStore in the namespace."""
    key: pulumi.Input[str]
    """Name or ARN of the entry. Its value is a JSON object, whose keys are the properties."""
    refresh: NotRequired[str]
    """How often it is read again, like `1h` or `15m`. Default: `1h`."""


class ServiceSecret(TypedDict):
    """A secret that pods get as environment variables. It comes from exactly one of the sources."""

    variables: dict[str, str]
    """Which property of the secret each environment variable holds, by variable."""
    external: NotRequired[ExternalKey]
    """An entry of the cloud's store."""
    sealed: NotRequired[dict[str, pulumi.Input[str]]]
    """The encrypted values, by property: `kubeseal --raw --scope namespace-wide` for the namespace, since a service and
    its jobs have objects of their own for the same value."""
    existing: NotRequired[pulumi.Input[str]]
    """Name of a Secret that is in the namespace already."""


def secret_problems(secrets: Mapping[str, ServiceSecret], path: str = "secrets") -> Iterator[Problem]:
    """What is wrong with secrets beyond their shape."""
    seen: dict[str, str] = {}
    for name, secret in secrets.items():
        here = f"{path}.{name}" if path else name
        given = [source for source in _SOURCES if source in secret]
        if len(given) != 1:
            yield Problem(here, given or MISSING, f"give exactly one of {', '.join(_SOURCES)}")
        if "existing" in secret:
            yield from name_problems(f"{here}.existing", secret["existing"])
        if "external" in secret:
            yield from _external_problems(secret["external"], f"{here}.external")
        if not secret["variables"]:
            yield Problem(f"{here}.variables", {}, "name one environment variable or more")
        for variable, wanted in secret["variables"].items():
            if variable in seen:
                remedy = f"{seen[variable]} gives this variable too; give it once"
                yield Problem(f"{here}.variables.{variable}", wanted, remedy)
            seen[variable] = here
            if "sealed" in secret and wanted not in secret["sealed"]:
                yield Problem(f"{here}.variables.{variable}", wanted, f"no such key in {here}.sealed; seal it, too")


def _external_problems(entry: ExternalKey, path: str) -> Iterator[Problem]:
    yield from name_problems(f"{path}.store", entry["store"])
    if "refresh" in entry and not re.fullmatch(_REFRESH, entry["refresh"]):
        yield Problem(
            f"{path}.refresh", entry["refresh"], "give hours, minutes and seconds, for example 1h, 15m or 90s"
        )


def environment_problems(
    environment: Mapping[str, pulumi.Input[str]], secrets: Mapping[str, ServiceSecret]
) -> Iterator[Problem]:
    """What is wrong with the names of environment variables, and with the purposes of the secrets among them."""
    remedy = "name it with capital letters, digits and _, no digit first"
    by_secret = {variable: purpose for purpose, secret in secrets.items() for variable in secret["variables"]}
    for variable in environment:
        if not re.fullmatch(_VARIABLE, variable):
            yield Problem(f"environment.{variable}", MISSING, remedy)
        elif variable in by_secret:
            yield Problem(
                f"environment.{variable}", MISSING, f"the secret {by_secret[variable]} gives it; leave it out"
            )
    size = sum(len(value.encode()) for value in environment.values() if isinstance(value, str))
    if size > _MOST_BYTES:
        yield Problem(
            "environment", f"{size} bytes", f"{_MOST_BYTES} is what a ConfigMap holds; keep the rest elsewhere"
        )
    for purpose, secret in secrets.items():
        path = f"secrets.{purpose}"
        if not re.fullmatch(_PURPOSE, purpose):
            yield Problem(path, MISSING, "its name is part of the object's: give small letters, digits and hyphens")
        for variable in secret["variables"]:
            if not re.fullmatch(_VARIABLE, variable):
                yield Problem(f"{path}.variables.{variable}", MISSING, remedy)


def disclosed(subject: str, path: str, value: pulumi.Input[str]) -> pulumi.Input[str]:
    """A value that whoever reads a namespace's objects may read: no secret, as far as Pulumi knows.

    Raises `InputError` for one, once that is known.
    """
    if isinstance(value, str):
        return value

    def look(known: list[Any]) -> str:
        if known[1]:
            raise InputError(subject, [Problem(path, MISSING, "is a secret; give it through `secrets`")])
        return known[0]

    given = pulumi.Output.from_input(value)
    return pulumi.Output.all(given, given.is_secret()).apply(look)


def secret_variables(
    prefix: str,
    owner: str,
    metadata: Mapping[str, Any],
    secrets: Mapping[str, ServiceSecret],
    child: Child,
) -> list[dict[str, Any]]:
    """Makes the ExternalSecrets and SealedSecrets of a component, and returns the entries of a container's `env`.

    `prefix` is the name of the component, whose children they are, and `owner` that of what the pods belong to: the
    Secret of each is named `<owner>-<key>`. `metadata` is what their objects have in theirs beside a name.

    The entries are only known once the Secret of each is there, so that what has them waits for it.
    """
    return secret_entries(secrets, secret_names(prefix, owner, metadata, secrets, child))


def secret_names(
    prefix: str,
    owner: str,
    metadata: Mapping[str, Any],
    secrets: Mapping[str, ServiceSecret],
    child: Child,
) -> dict[str, pulumi.Input[str]]:
    """The first half of `secret_variables`: the names of the Secrets, by key."""
    return {
        key: _secret(f"{prefix}-{key}", f"{owner}-{key}", metadata, secret, child)
        for key, secret in sorted(secrets.items())
    }


def secret_entries(
    secrets: Mapping[str, ServiceSecret], names: Mapping[str, pulumi.Input[str]]
) -> list[dict[str, Any]]:
    """The other half: the entries of `env`, out of the names of the Secrets."""
    return [
        {"name": variable, "value_from": {"secret_key_ref": {"name": names[key], "key": wanted}}}
        for key, secret in sorted(secrets.items())
        for variable, wanted in sorted(secret["variables"].items())
    ]


def _secret(
    resource: str, name: str, metadata: Mapping[str, Any], secret: ServiceSecret, child: Child
) -> pulumi.Input[str]:
    """Name of the Secret, made if it is to be."""
    if "external" in secret:
        source = secret["external"]
        spec: dict[str, Any] = {
            "refreshInterval": source.get("refresh", "1h"),
            "secretStoreRef": {"kind": "SecretStore", "name": source["store"]},
            "target": {"name": name},
            "data": [
                {"secretKey": wanted, "remoteRef": {"key": source["key"], "property": wanted}}
                for wanted in sorted(set(secret["variables"].values()))
            ],
        }
        return _made("external-secrets.io/v1", "ExternalSecret", resource, name, metadata, spec, "Ready", child)
    if "sealed" in secret:
        template = {"metadata": {"labels": metadata.get("labels", {})}}
        spec = {"encryptedData": dict(secret["sealed"]), "template": template}
        whole = {**metadata.get("annotations", {}), "sealedsecrets.bitnami.com/namespace-wide": "true"}
        metadata = {**metadata, "annotations": whole}
        return _made("bitnami.com/v1alpha1", "SealedSecret", resource, name, metadata, spec, "Synced", child)
    if "existing" in secret:
        return secret["existing"]
    raise InputError(resource, [Problem("secrets", MISSING, f"give one of {', '.join(_SOURCES)}")])


def _made(
    api_version: str,
    kind: str,
    resource: str,
    name: str,
    metadata: Mapping[str, Any],
    spec: dict[str, Any],
    condition: str,
    child: Child,
) -> pulumi.Output[str]:
    """Name of the Secret that a controller makes out of this object, known once it did."""
    annotations = {**metadata.get("annotations", {}), "pulumi.com/waitFor": f"condition={condition}"}
    made = kubernetes.apiextensions.CustomResource(
        resource,
        api_version=api_version,
        kind=kind,
        metadata={**metadata, "name": name, "annotations": annotations},
        spec=spec,
        opts=child(),
    )
    return made.id.apply(lambda _: name)
