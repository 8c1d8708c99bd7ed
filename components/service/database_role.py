"""The role of an application in its PostgreSQL database."""

from collections.abc import Iterator, Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from ..component import Component, between, checked, known_after
from ..images import PSQL
from ..platform.traffic import Peer
from ..problems import Problem
from .jobs import (
    FOLDER,
    JOB_RULES,
    KubernetesJob,
    check_job_name,
    given_variables,
    job_problems,
    passed,
    picked,
    script,
)
from .pod import ContainerResources
from .postgres import PostgresDatabase, connection, signing_in_problems
from .secrets import ServiceSecret

_SCRIPTS = ("database_role.sh", "database_role.sql", "database_password.sql", "postgres.sh")
_SECRETS = ("administrator", "password")


class DatabaseRoleArgs(TypedDict):
    """Which role, with which rights, and how the administrator gets to the database."""

    job: str
    """Name of the job and its objects, a DNS label of up to 52 characters. Unique in the namespace."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    database: PostgresDatabase
    """The database. Its owner must be the administrator, or a role that the administrator is a member of."""
    administrator: ServiceSecret
    """The secret of the administrator, with `PGPASSWORD` and, without `administrator_name`, `PGUSER`."""
    administrator_name: NotRequired[pulumi.Input[str]]
    """Name of the administrator. Default: the secret gives it."""
    role: pulumi.Input[str]
    """Name of the role."""
    password: NotRequired[ServiceSecret]
    """The secret with the password that the role signs in with, as `ROLE_PASSWORD`. Default: none. Then a new role is a
    group that nobody signs in as, and one that is there, since a cloud made it, keeps its password."""
    schema: NotRequired[str]
    """Schema that it makes its objects in: one of another name than `public` belongs to it, and is found before that
    one. Default: `public`."""
    members: NotRequired[list[pulumi.Input[str]]]
    """Further logins with the same rights, such as the users of a cloud's identities. What they make belongs to the
    role. They must be there. Leaving one out again leaves it a member. Default: none."""
    visitors: NotRequired[list[pulumi.Input[str]]]
    """Roles that may connect to the database and no more, since nobody may who is not named; for example an exporter's.
    They must be there. Default: none."""
    extensions: NotRequired[list[str]]
    """Extensions that the administrator makes in the database. Default: none."""
    statement_seconds: NotRequired[int]
    """Seconds that a statement of its logins may take, 0 for no limit. Whatever may take longer, such as a migration,
    says so itself: `SET statement_timeout = 0`. Default: 300."""
    idle_seconds: NotRequired[int]
    """Seconds that a transaction of its logins may do nothing, 0 for no limit. Default: 60."""
    reaches: dict[str, Peer]
    """Where the database is, by purpose."""
    revision: NotRequired[pulumi.Input[str]]
    """Any text. Another one makes it run again: give the version of the password. Default: none."""
    image: NotRequired[pulumi.Input[str]]
    """Image with psql, 14 or later, and a shell. Default: PostgreSQL's own from Docker Hub."""
    pull_secret: NotRequired[pulumi.Input[str]]
    """Name of the Secret in the namespace that the image is pulled with. Default: none; the nodes may pull it."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Name of the PriorityClass of its pods. Default: the cluster's."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most. Default: `50m` of a CPU and `128Mi`."""
    deadline_seconds: NotRequired[int]
    """Seconds that it may take, with all its retries and the pull of its image, 30 to 86400. Default: 600."""


class DatabaseRole(Component):
    """The role that an application signs in with: no superuser, with rights on one schema of one database, which nobody
    else may connect to any more who is not named, and with limits on how long its statements and its idle transactions
    hold others up. A job gives it all that, and can do so again at any time.

    The job needs an administrator that owns the database and may make roles: the one of RDS, `postgres` of Cloud SQL, a
    superuser anywhere. From PostgreSQL 16 on an administrator that is no superuser has no power over roles that it did
    not make: limits of such members it cannot set, nor that what they make belongs to the role. The job's log then says
    what they have to do themselves. On Cloud SQL make the role a group, without a password, and the application's login
    one of the `members`, since Cloud SQL makes that.

    The password reaches the server as a SCRAM digest that psql makes: it stands in no command, no statement and no log.
    Only a role that cannot sign in with it yet gets it.

    Raises `InputError` for bad args.
    """

    role: pulumi.Output[str]
    """Name of the role. Known once it is ready."""

    def __init__(self, name: str, args: DatabaseRoleArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"DatabaseRole {name}"
        args = checked(DatabaseRoleArgs, args, subject, _RULES, _problems)
        check_job_name(name, subject)
        super().__init__(name, opts)
        environment = {
            **connection(args["database"]),
            "ROLE": args["role"],
            "ROLE_SCHEMA": args.get("schema", "public"),
            "ROLE_MEMBERS": _lines(args.get("members", [])),
            "ROLE_VISITORS": _lines(args.get("visitors", [])),
            "ROLE_EXTENSIONS": _lines(args.get("extensions", [])),
            "ROLE_STATEMENT_TIMEOUT": str(args.get("statement_seconds", 300) * 1000),
            "ROLE_IDLE_TIMEOUT": str(args.get("idle_seconds", 60) * 1000),
        }
        if "administrator_name" in args:
            environment["PGUSER"] = args["administrator_name"]
        job = KubernetesJob(
            name,
            cast(
                Any,
                {
                    "image": PSQL,
                    **passed(args),
                    "command": ["sh", f"{FOLDER}/{_SCRIPTS[0]}"],
                    "scripts": {file: script(file) for file in _SCRIPTS},
                    "environment": environment,
                    "secrets": picked(args, _SECRETS),
                },
            ),
            self._child(),
        )
        self.role = known_after(args["role"], job.done)
        self._register()


def _lines(names: Sequence[pulumi.Input[str]]) -> pulumi.Output[str]:
    return pulumi.Output.all(*names).apply("\n".join)


def _name_problem(name: str) -> str | None:
    if name.startswith("pg_") or name in ("information_schema", "public"):
        return "PostgreSQL has that name for itself; choose another one"
    return None if 0 < len(name.encode()) <= 63 and name.isprintable() else "give 1 to 63 characters"


def _schema_problem(name: str) -> str | None:
    return None if name == "public" else _name_problem(name)


_RULES = {
    **JOB_RULES,
    "role": _name_problem,
    "schema": _schema_problem,
    "statement_seconds": between(0, 86400, "seconds"),
    "idle_seconds": between(0, 86400, "seconds"),
}


def _problems(args: DatabaseRoleArgs) -> Iterator[Problem]:
    named = "administrator_name" in args
    yield from signing_in_problems("administrator", args["administrator"], named, args["database"])
    if "password" in args:
        yield from given_variables("password", args["password"], ("ROLE_PASSWORD",))
    yield from job_problems(args, _SECRETS)
