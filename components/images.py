"""Images of others that run in clusters, and where they are pulled from instead."""

import re
from collections.abc import Mapping

ENVOY = "docker.io/envoyproxy/envoy"
"""Repository of the proxies of gateways. Envoy Gateway knows which version it steers."""
POSTGRES = {
    version: f"docker.io/library/postgres:{minor}-trixie"
    for version, minor in (("15", "15.19"), ("16", "16.15"), ("17", "17.11"), ("18", "18.6"))
}
"""Databases in a cluster, by major version. Each image names its distribution: text is sorted by that one's C library,
and indexes with it, so that another one would find them out of order."""
PSQL = "docker.io/library/postgres:18.3-alpine3.23"
"""Jobs at a database. It has psql, which speaks to all servers that are supported."""
PYTHON = "docker.io/library/python:3.13.14-alpine3.24"
"""Jobs at a broker. It has Python and the well-known authorities."""
RABBITMQ = "docker.io/library/rabbitmq:4.2.9-management"
"""Brokers in a cluster."""
VALKEY = "docker.io/valkey/valkey:8.1.8"
"""Caches in a cluster."""
ALL = (*POSTGRES.values(), PSQL, PYTHON, RABBITMQ, VALKEY)
"""The images of jobs and servers. Those of charts stand with the charts."""

_MIRROR = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"


def repository_of(image: str) -> str:
    """An image without its tag and its digest."""
    path, slash, name = image.partition("@")[0].rpartition("/")
    return f"{path}{slash}{name.partition(':')[0]}"


def registry_of(image: str) -> str:
    """The registry of an image."""
    return image.partition("/")[0]


def mirrored(image: str, mirrors: Mapping[str, str] | None) -> str:
    """An image, or the repository of one, as it is called in the mirror of its registry, where there is one."""
    registry, slash, path = image.partition("/")
    return f"{(mirrors or {}).get(registry, registry)}{slash}{path}"


def mirror_of_images_problem(mirror: str) -> str | None:
    """What is wrong with what stands in place of a registry's name, and what to write instead. None where nothing
    is."""
    if "://" in mirror:
        return "leave out the scheme: write it as images begin, <host>/<path>"
    if mirror.endswith("/"):
        return "leave out the slash at its end"
    host = registry_of(mirror)
    # Without a dot or a port it would be a user of Docker Hub.
    if not re.fullmatch(_MIRROR, mirror) or not ("." in host or ":" in host):
        return "write it as images begin, <host> or <host>/<path>, in small letters, without a tag"
    return None
