"""What jobs at a PostgreSQL database have in common."""

from collections.abc import Iterator
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi

from ..problems import Problem
from .jobs import given_variables
from .secrets import ServiceSecret


class SslMode(Enum):
    """How a connection is protected."""

    DISABLE = "disable"
    """Not at all: for a database on the same machine."""
    REQUIRE = "require"
    """Encrypted. With root certificates, the server also proves that one of them vouches for it."""
    VERIFY_CA = "verify-ca"
    """Encrypted, with a server that one of the root certificates vouches for."""
    VERIFY_FULL = "verify-full"
    """Encrypted, with a server that one of the root certificates vouches for by the name of its host."""


class PostgresDatabase(TypedDict):
    """A database, and how it is reached. Never through a pool of connections, which loses locks and settings."""

    host: pulumi.Input[str]
    """Name or address of the server that takes writes."""
    port: NotRequired[pulumi.Input[int]]
    """TCP port. Default: 5432."""
    database: pulumi.Input[str]
    """Name of the database."""
    ssl_mode: NotRequired[SslMode]
    """How the connection is protected. Default: `require`."""
    root_certificate: NotRequired[pulumi.Input[str]]
    """Certificates of the authorities that vouch for the server, as PEM. A secret can give them, too, as
    `ROOT_CERTIFICATE`. Default: none."""


def signing_in_problems(path: str, secret: ServiceSecret, named: bool, database: PostgresDatabase) -> Iterator[Problem]:
    """What is wrong with the variables of a secret that signs in at a database, as a user named elsewhere or not."""
    needed = ("PGPASSWORD",) if named else ("PGUSER", "PGPASSWORD")
    yield from given_variables(path, secret, needed, () if "root_certificate" in database else ("ROOT_CERTIFICATE",))


def connection(database: PostgresDatabase) -> dict[str, pulumi.Input[str]]:
    """The environment variables by which PostgreSQL's programs find a database."""
    variables: dict[str, pulumi.Input[str]] = {
        "PGHOST": database["host"],
        "PGPORT": pulumi.Output.from_input(database.get("port", 5432)).apply(str),
        "PGDATABASE": database["database"],
        "PGSSLMODE": database.get("ssl_mode", SslMode.REQUIRE).value,
    }
    if "root_certificate" in database:
        variables["ROOT_CERTIFICATE"] = database["root_certificate"]
    return variables
