"""Upkeep of a PostgreSQL database, once a week."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from ..component import Component, between, checked
from ..images import PSQL
from ..platform.traffic import Peer
from ..problems import Problem
from .jobs import FOLDER, JOB_RULES, KubernetesJob, check_job_name, job_problems, passed, script
from .pod import ContainerResources
from .postgres import PostgresDatabase, connection, signing_in_problems
from .secrets import ServiceSecret

_SCRIPTS = ("database_upkeep.sh", "database_upkeep.sql", "postgres.sh")


class DatabaseUpkeepArgs(TypedDict):
    """Which database is tidied, as whom, and when."""

    job: str
    """Name of the job and its objects, a DNS label of up to 52 characters. Unique in the namespace."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    database: PostgresDatabase
    """The database."""
    credentials: ServiceSecret
    """The secret of the application's role, whose tables and indexes are tidied: `PGPASSWORD` and, without `role`,
    `PGUSER`. The owner of the database can vacuum all tables, but makes no indexes anew except its own."""
    role: NotRequired[pulumi.Input[str]]
    """Name of that role. Default: the secret gives it."""
    reindex: NotRequired[bool]
    """Whether indexes of a megabyte or more are made anew. For that time each takes its room twice. Default: yes."""
    lock_seconds: NotRequired[int]
    """Seconds to wait for a table or an index that somebody holds, before it is left out and the job fails, 1 to 3600.
    It also waits that long for transactions that began before an index was made anew. Default: 60."""
    schedule: NotRequired[str]
    """When it runs: minute, hour, day of the month, month and day of the week, as cron writes them. Default:
    `0 3 * * 0`, Sundays at three."""
    time_zone: NotRequired[str]
    """Time zone of the schedule, as `Europe/Berlin`. Default: `Etc/UTC`."""
    suspended: NotRequired[bool]
    """Whether the schedule stands still. Default: no."""
    reaches: dict[str, Peer]
    """Where the database is, by purpose."""
    image: NotRequired[pulumi.Input[str]]
    """Image with psql, 14 or later, and a shell. Default: PostgreSQL's own from Docker Hub."""
    pull_secret: NotRequired[pulumi.Input[str]]
    """Name of the Secret in the namespace that the image is pulled with. Default: none; the nodes may pull it."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Name of the PriorityClass of its pods. Default: the cluster's."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most. Default: `50m` of a CPU and `128Mi`."""
    deadline_seconds: NotRequired[int]
    """Seconds that it may take, 30 to 86400. Default: 14400, four hours."""


class DatabaseUpkeep(Component):
    """What the server's own vacuum leaves to be done, on a schedule: VACUUM (ANALYZE) of every table, statistics of
    partitioned ones, and indexes made anew beside the old ones, so that everybody reads and writes meanwhile. It goes
    slowly, as the server's own vacuum does.

    One at a time tidies a database, by an advisory lock. What fails or stays locked too long does not keep it from the
    rest, and makes the job fail in the end, without another try; the log has a line for each table and index, and a
    summary. What an earlier run left behind when it was cut off, invalid indexes, is dropped first.

    Raises `InputError` for bad args.
    """

    cron_job: pulumi.Output[str]
    """Name of its CronJob."""

    def __init__(self, name: str, args: DatabaseUpkeepArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"DatabaseUpkeep {name}"
        args = checked(DatabaseUpkeepArgs, args, subject, _RULES, _problems)
        check_job_name(name, subject)
        super().__init__(name, opts)
        environment = {
            **connection(args["database"]),
            "UPKEEP_REINDEX": str(args.get("reindex", True)).lower(),
            "UPKEEP_LOCK_SECONDS": str(args.get("lock_seconds", 60)),
        }
        if "role" in args:
            environment["PGUSER"] = args["role"]
        job = KubernetesJob(
            name,
            cast(
                Any,
                {
                    "image": PSQL,
                    "schedule": "0 3 * * 0",
                    "deadline_seconds": 14400,
                    **passed(args),
                    # A second try would do all of it again, for the one table that somebody holds.
                    "retries": 0,
                    "command": ["sh", f"{FOLDER}/{_SCRIPTS[0]}"],
                    "scripts": {file: script(file) for file in _SCRIPTS},
                    "environment": environment,
                    "secrets": {"credentials": args["credentials"]},
                },
            ),
            self._child(),
        )
        self.cron_job = job.done
        self._register()


_RULES = {**JOB_RULES, "lock_seconds": between(1, 3600, "seconds")}


def _problems(args: DatabaseUpkeepArgs) -> Iterator[Problem]:
    yield from signing_in_problems("credentials", args["credentials"], "role" in args, args["database"])
    yield from job_problems(args, ("credentials",))
