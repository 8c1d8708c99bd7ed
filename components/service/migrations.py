"""Migrations of a service's database: up with each version, and down by hand."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from ..component import Component, checked, known_after, matching
from ..platform.traffic import Peer
from ..problems import Problem
from .jobs import JOB_RULES, KubernetesJob, check_job_name, job_problems, passed
from .pod import ContainerResources
from .secrets import ServiceSecret, environment_problems, secret_problems

_DOWN = "-down"
_NEVER = "0 0 1 1 *"
"""The schedule of what is suspended: it must have one."""


class MigrationsArgs(TypedDict):
    """What brings the database to the version of an image, and back."""

    service: str
    """Name of the service, a DNS label of up to 39 characters. Its jobs are `<service>-migrate` and
    `<service>-migrate-down`."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    image: pulumi.Input[str]
    """Image of the service, with a tag other than `latest`, or with a digest (CKV_K8S_14)."""
    up: list[str]
    """What is run to bring the database up to this image, instead of its own entry point."""
    down: NotRequired[list[str]]
    """What is run to take the last migration back, when somebody asks for it. Default: nothing; no such job."""
    environment: NotRequired[dict[str, pulumi.Input[str]]]
    """Environment variables, which are no secrets. Default: none."""
    secrets: NotRequired[dict[str, ServiceSecret]]
    """Secrets that become environment variables, by purpose. Default: none."""
    reaches: NotRequired[dict[str, Peer]]
    """Whom it reaches, by purpose; it resolves names always. Default: nobody."""
    service_account_annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations by which a cloud gives it an identity. Default: none."""
    pull_secret: NotRequired[pulumi.Input[str]]
    """Name of the Secret in the namespace that the image is pulled with. Default: none; the nodes may pull it."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Name of the PriorityClass of its pods. Default: the cluster's."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most. Default: `50m` of a CPU and `128Mi`."""
    deadline_seconds: NotRequired[int]
    """Seconds that it may take, with all its retries and the pull of its image, 30 to 86400. Default: 1800."""
    retries: NotRequired[int]
    """How often it is tried again when it fails, 0 to 20. Default: 1, for a database that was away for a moment."""
    user: NotRequired[int]
    """Id of the user and group that its processes run as; never root's. Default: 65532."""


class Migrations(Component):
    """The migrations of a service's database, as jobs with the service's own image. Up runs once for each image and
    configuration, before the service that depends on this component; when it fails, the service stays as it is. Down
    never runs by itself: it waits as a suspended schedule, out of which somebody makes a job.

    Old pods serve on while the database is migrated, so each migration must leave them what they use.

    Only one migration at a time may change a database. That is for the tool in the image to see to, which all the usual
    ones do by an advisory lock of PostgreSQL: Kubernetes alone cannot, since a pod on a node that is lost may still run
    when its successor starts. Such locks need a direct connection, no pool. The limit on the statements of the
    application's role is for a migration to lift: `SET statement_timeout = 0`.

    Raises `InputError` for bad args.
    """

    done: pulumi.Output[str]
    """Name of the service. Known once the database is up to the image."""
    down_command: pulumi.Output[str]
    """What somebody types to take the last migration back, or empty where there is no such job."""

    def __init__(self, name: str, args: MigrationsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"Migrations {name}"
        args = checked(MigrationsArgs, args, subject, _RULES, _problems)
        check_job_name(name, subject, _DOWN)
        super().__init__(name, opts)
        job = f"{args['service']}-migrate"
        common = {"deadline_seconds": 1800, "retries": 1, **passed(args)}
        up = KubernetesJob(name, cast(Any, {**common, "job": job, "command": args["up"]}), self._child())
        self.done = known_after(args["service"], up.done)
        self.down_command = pulumi.Output.from_input("")
        if "down" in args:
            down: Any = {
                **common,
                "job": f"{job}{_DOWN}",
                "command": args["down"],
                # Once too often would take two of them back.
                "retries": 0,
                "schedule": _NEVER,
                "suspended": True,
                "secrets": {
                    purpose: {
                        "variables": secret["variables"],
                        "existing": up.secret_names.apply(lambda names, purpose=purpose: names[purpose]),
                    }
                    for purpose, secret in args.get("secrets", {}).items()
                },
            }
            self.down_command = _command(KubernetesJob(f"{name}{_DOWN}", down, self._child()), args["namespace"])
        self._register()


def _command(job: KubernetesJob, namespace: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat(
        "kubectl --namespace ", namespace, " create job --from=cronjob/", job.done, " ", job.done, "-$(date +%s)"
    )


_RULES = {
    **{field: rule for field, rule in JOB_RULES.items() if field in MigrationsArgs.__annotations__},
    "service": matching(
        r"[a-z]([a-z0-9-]{0,37}[a-z0-9])?", "give a DNS label of up to 39 small letters, digits and hyphens"
    ),
    "up": JOB_RULES["command"],
    "down": JOB_RULES["command"],
}


def _problems(args: MigrationsArgs) -> Iterator[Problem]:
    yield from job_problems(args, ())
    yield from secret_problems(args.get("secrets", {}))
    yield from environment_problems(args.get("environment", {}), args.get("secrets", {}))
