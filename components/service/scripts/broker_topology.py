"""Gives a RabbitMQ broker what definitions say, through its management API, and checks that it has exactly that.

From the environment:
  RABBITMQ_CONSOLE                      URL of the management API
  ROOT_CERTIFICATE                      certificates of the authorities that vouch for it, if others than the well-known
                                        ones
  RABBITMQ_USERNAME, RABBITMQ_PASSWORD  an administrator of the broker
  VIRTUAL_HOST                          the virtual host, made where there is none
  DEFINITIONS                           file with exchanges, queues and bindings in RabbitMQ's own format
  APPLICATION_USERNAME, APPLICATION_PASSWORD, APPLICATION_CONFIGURES
                                        a user without tags that reads and writes in the virtual host, and the pattern
                                        of what it may declare there; none without a name
  WAIT_SECONDS                          how long to wait until the broker answers

What is missing is made; what is there stays as it is. Where that has other arguments, the broker keeps them until
somebody deletes it, so that this fails and says what differs. It runs in an image that has Python and nothing else.
"""

import base64
import hashlib
import json
import os
import secrets
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

HASHING = "rabbit_password_hashing_sha256"
_SALT = 4
_STARTING = (500, 502, 503, 504)
_KINDS = ("exchanges", "queues", "bindings")
_SAME = {
    "exchanges": ("name",),
    "queues": ("name",),
    "bindings": ("source", "destination_type", "destination", "routing_key", "arguments"),
}
"""What two of a kind are the same by."""


class Refused(Exception):
    """What keeps the broker from being as it should be."""


class Broker:
    """The management API of a broker."""

    def __init__(self, url: str, username: str, password: str):
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise Refused(f"{url} is no URL of a management API: give https://<host>[:<port>]")
        self._connect = partial(HTTPSConnection, context=_trust()) if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        self._path = parts.path.rstrip("/")
        self._username = username
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and content of an answer.

        Raises `OSError` or `HTTPException` where there is none.
        """
        connection = self._connect(self._host, self._port, timeout=30)
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, f"{self._path}/api/{path}", content, self._headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text) if text else None
        except json.JSONDecodeError:
            return answer.status, text

    def get(self, path: str) -> Any:
        """What stands there, or None where nothing does."""
        status, content = self.ask("GET", path)
        if status == 404:
            return None
        self._accept("GET", path, status, content)
        return content

    def send(self, method: str, path: str, body: Any) -> None:
        """Change what stands there."""
        self._accept(method, path, *self.ask(method, path, body))

    def _accept(self, method: str, path: str, status: int, content: Any) -> None:
        if status == 401:
            raise Refused(
                f"the broker does not take the name {self._username} with this password as an administrator's"
            )
        if status >= 400:
            reason = content.get("reason", content) if isinstance(content, dict) else content
            raise Refused(f"{method} /api/{path}: {status}, {reason}")

    def await_answer(self, seconds: float) -> None:
        """Wait until the broker answers, and takes the administrator as one."""
        end = time.monotonic() + seconds
        while True:
            try:
                status, content = self.ask("GET", "whoami")
                if status not in _STARTING:
                    break
                problem = f"status {status}"
            except ssl.SSLCertVerificationError as error:
                raise Refused(f"{self._host}:{self._port} is not vouched for: {error}") from error
            except (OSError, HTTPException) as error:
                problem = str(error) or type(error).__name__
            if time.monotonic() >= end:
                raise Refused(f"no answer from {self._host}:{self._port} for {seconds:.0f} seconds: {problem}")
            time.sleep(2)
        self._accept("GET", "whoami", status, content)
        if "administrator" not in _tags(content):
            raise Refused(f"{self._username} has no tag `administrator` at the broker")


def _trust() -> ssl.SSLContext:
    """Who may vouch for the broker."""
    return ssl.create_default_context(cadata=os.environ.get("ROOT_CERTIFICATE") or None)


def ensure_virtual_host(broker: Broker, virtual_host: str) -> None:
    """Make the virtual host where there is none."""
    path = f"vhosts/{_quoted(virtual_host)}"
    if broker.get(path) is None:
        broker.send("PUT", path, {})
        print(f"made virtual host {virtual_host}")


def ensure_user(broker: Broker, virtual_host: str, username: str, password: str, configures: str) -> None:
    """Make the application's user, or give it its password and rights."""
    path = f"users/{_quoted(username)}"
    user = broker.get(path)
    if user is not None and _tags(user):
        raise Refused(f"user {username} has the tags {', '.join(_tags(user))}: an application's has none")
    if user is None or not _is_password(user, password):
        # The digest alone leaves this process, so that no log of requests can have the password.
        digest = {"password_hash": digested(password), "hashing_algorithm": HASHING, "tags": ""}
        broker.send("PUT", path, digest)
        print(f"{'made user' if user is None else 'set password of'} {username}")
    rights = {"configure": configures, "write": ".*", "read": ".*"}
    path = f"permissions/{_quoted(virtual_host)}/{_quoted(username)}"
    if {right: (broker.get(path) or {}).get(right) for right in rights} != rights:
        broker.send("PUT", path, rights)
        print(f"set rights of {username} in {virtual_host}")


def ensure_topology(broker: Broker, virtual_host: str, wanted: Mapping[str, Any]) -> list[str]:
    """Make what is missing, and return what is not as it should be afterwards."""
    path = f"definitions/{_quoted(virtual_host)}"
    wanted = {kind: [_placeless(each) for each in wanted.get(kind, [])] for kind in _KINDS}
    present = broker.get(path)
    missing = {kind: list(_missing(kind, wanted[kind], present[kind])) for kind in _KINDS}
    if any(missing.values()):
        broker.send("POST", path, missing)
        for kind, each in _each(missing):
            print(f"made {_called(kind, each)}")
        present = broker.get(path)
    for kind, each in _each({kind: list(_missing(kind, present[kind], wanted[kind])) for kind in _KINDS}):
        print(f"not in the definitions, and kept: {_called(kind, each)}")
    return list(differences(wanted, present))


def differences(wanted: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[str]:
    """What of the wanted is missing in the present, or has other properties or arguments there."""
    for kind, each in _each(wanted):
        found = next((other for other in present[kind] if _identity(kind, other) == _identity(kind, each)), None)
        if found is None:
            yield f"{_called(kind, each)} is missing"
            continue
        for key in each:
            if key != "arguments" and found.get(key) != each[key]:
                yield f"{_called(kind, each)} has {key} {_shown(found, key)}, not {_shown(each, key)}"
        have, want = found.get("arguments", {}), each.get("arguments", {})
        for key in sorted({*have, *want}):
            if have.get(key) != want.get(key):
                yield f"{_called(kind, each)} has argument {key} {_shown(have, key)}, not {_shown(want, key)}"


def digested(password: str, salt: bytes | None = None) -> str:
    """A password as RabbitMQ keeps it."""
    salt = secrets.token_bytes(_SALT) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _is_password(user: Mapping[str, Any], password: str) -> bool:
    kept = user.get("password_hash", "")
    if user.get("hashing_algorithm") != HASHING or not kept:
        return False
    return secrets.compare_digest(kept, digested(password, base64.b64decode(kept)[:_SALT]))


def _tags(user: Mapping[str, Any]) -> list[str]:
    """The tags of a user; older brokers write them with commas between."""
    tags = user.get("tags", [])
    return [tag for tag in (tags.split(",") if isinstance(tags, str) else tags) if tag]


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _placeless(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition without its virtual host, which the request names."""
    return {key: value for key, value in definition.items() if key != "vhost"}


def _each(definitions: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((kind, each) for kind in _KINDS for each in definitions[kind])


def _missing(kind: str, wanted: list[Any], present: list[Any]) -> Iterator[Any]:
    there = [_identity(kind, each) for each in present]
    return (each for each in wanted if _identity(kind, each) not in there)


def _identity(kind: str, definition: Mapping[str, Any]) -> list[Any]:
    return [definition.get(key) for key in _SAME[kind]]


def _called(kind: str, definition: Mapping[str, Any]) -> str:
    if kind == "bindings":
        source, destination, key = (definition[key] for key in ("source", "destination", "routing_key"))
        return f"binding of {definition['destination_type']} {destination} to exchange {source} by `{key}`"
    return f"{kind.removesuffix('s')} {definition['name']}"


def _shown(definition: Mapping[str, Any], key: str) -> str:
    return json.dumps(definition[key]) if key in definition else "unset"


def main() -> None:
    """Make and check all of it."""
    setting = os.environ
    virtual_host = setting["VIRTUAL_HOST"]
    with open(setting["DEFINITIONS"], encoding="utf-8") as file:
        wanted = json.load(file)
    broker = Broker(setting["RABBITMQ_CONSOLE"], setting["RABBITMQ_USERNAME"], setting["RABBITMQ_PASSWORD"])
    broker.await_answer(float(setting.get("WAIT_SECONDS") or 300))
    ensure_virtual_host(broker, virtual_host)
    if username := setting.get("APPLICATION_USERNAME"):
        password, configures = setting["APPLICATION_PASSWORD"], setting.get("APPLICATION_CONFIGURES", "")
        ensure_user(broker, virtual_host, username, password, configures)
    if different := ensure_topology(broker, virtual_host, wanted):
        raise Refused("\n  ".join([f"virtual host {virtual_host} is not as the definitions say:", *different]))
    print(f"virtual host {virtual_host} has {', '.join(f'{len(wanted.get(kind, []))} {kind}' for kind in _KINDS)}")


def _fail(error: Exception) -> NoReturn:
    print(f"ERROR: {error}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except (Refused, OSError, HTTPException) as error:
        _fail(error)
    except KeyError as error:
        _fail(Refused(f"environment variable {error.args[0]} is not set"))
