"""The kubeconfig of an existing cluster: whether it can be read, and whether the cluster answers."""

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from components.problems import MISSING, Problem, one_of

_SECONDS = 5
"""How long a cluster may take to answer."""


def kubeconfig_problem(path: str, context: str | None) -> Problem | None:
    """What is wrong with a kubeconfig and the context in it, with the path in the stack file's `cluster`."""
    file = Path(path).expanduser()
    if not os.access(file, os.R_OK) or file.is_dir():
        return Problem("kubeconfig", path, "is not a file that can be read; give the path of a kubeconfig")
    content = _content(file)
    contexts = _named(content, "contexts")
    if not contexts:
        return Problem("kubeconfig", path, "is no kubeconfig: it names no context; give the path of one")
    wanted = context or content.get("current-context")
    if not wanted:
        return Problem("context", MISSING, f"the file has no current one; {one_of(contexts)}")
    if wanted not in contexts:
        return Problem("context", wanted, f"{path} has no such context; {one_of(contexts, wanted)}")
    return None if _server(content, wanted) else Problem("context", wanted, f"{path} names no server for it; add one")


def unreachable(path: str, context: str | None) -> str | None:
    """Why the cluster of a kubeconfig does not answer and what to do about it, or None where it does. One behind a
    proxy is taken to answer."""
    content = _content(Path(path).expanduser())
    server = _server(content, context or content["current-context"])
    if not server or server.get("proxy-url") or any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy")):
        return None
    address = urlsplit(server["server"])
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname, port), _SECONDS).close()
    except OSError as error:
        return f"{server['server']} does not answer ({error}); start the cluster, or name another context"
    return None


def _content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def _named(content: dict[str, Any], key: str) -> dict[str, Any]:
    """The entries of a list in a kubeconfig, by name."""
    entries = content.get(key)
    listed = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    return {str(each.get("name")): each.get(key[:-1]) for each in listed}


def _server(content: dict[str, Any], context: str) -> dict[str, Any] | None:
    """The entry of the cluster that a context is of, if that has a server's address."""
    chosen = _named(content, "contexts").get(context)
    cluster = _named(content, "clusters").get(str(chosen.get("cluster"))) if isinstance(chosen, dict) else None
    return cluster if isinstance(cluster, dict) and isinstance(cluster.get("server"), str) else None
