"""What runs to its end in a Kubernetes cluster: once for each change, or on a schedule."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, at_least, between, checked, checked_name, known_after, matching
from ..platform.names import (
    SERVICE,
    SERVICE_REMEDY,
    annotations_problem,
    label_problem,
    service_problem,
    subdomain_problem,
)
from ..platform.traffic import Peer, network_policy, peer_problems, pods_of
from ..problems import MISSING, Problem
from .pod import USER, ContainerResources, command_problem, container, image_problem, pod_spec, resource_problems
from .quantities import memory_problem
from .schedule import schedule_problem, time_zone_problem
from .secrets import (
    ServiceSecret,
    disclosed,
    environment_problems,
    secret_entries,
    secret_names,
    secret_problems,
)

FOLDER = "/scripts"
"""Where a job finds its scripts."""
_LONGEST = 52
"""Characters of a CronJob's name: Kubernetes adds eleven for each of its jobs."""
_LONGEST_COMPONENT = 54
"""Characters of a component's name: Pulumi adds nine for the name of a Job."""
_DAY = 24 * 60 * 60
_OF_SCHEDULES = ("suspended", "time_zone")
_RESOURCES: ContainerResources = {"cpu": "50m", "memory": "128Mi"}
_MARGIN_SECONDS = 60
_STAYS = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
"""What keeps those who empty nodes to save money from doing so while it runs."""


class KubernetesJobArgs(TypedDict):
    """What runs, with what, and when."""

    job: str
    """Name of the job and its objects, a DNS label of up to 52 characters. Unique in the namespace."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    image: pulumi.Input[str]
    """Image, with a tag other than `latest`, or with a digest (CKV_K8S_14)."""
    command: list[str]
    """What is run, instead of the image's own entry point."""
    environment: NotRequired[dict[str, pulumi.Input[str]]]
    """Environment variables, which are no secrets. Default: none."""
    secrets: NotRequired[dict[str, ServiceSecret]]
    """Secrets that become environment variables, by purpose. Default: none."""
    scripts: NotRequired[dict[str, pulumi.Input[str]]]
    """Contents of files in `/scripts`, by their names. Default: none."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most. Default: `50m` of a CPU and `128Mi`."""
    reaches: NotRequired[dict[str, Peer]]
    """Whom it reaches, by purpose; it resolves names always. Default: nobody."""
    service_account_annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations by which a cloud gives it an identity. Default: none."""
    pull_secret: NotRequired[pulumi.Input[str]]
    """Name of the Secret in the namespace that the image is pulled with. Default: none; the nodes may pull it."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Name of the PriorityClass of its pods. Default: the cluster's."""
    deadline_seconds: NotRequired[int]
    """Seconds that it may take, with all its retries and the pull of its image, 30 to 86400. Default: 600."""
    retries: NotRequired[int]
    """How often it is tried again when it fails, 0 to 20; a node that goes away does not count. Default: 3."""
    revision: NotRequired[pulumi.Input[str]]
    """Any text. Another one makes it run again where nothing else changed, for example the version of a secret.
    Default: none."""
    schedule: NotRequired[str]
    """When it runs: minute, hour, day of the month, month and day of the week, as cron writes them. Default: once, and
    again whenever what it does is another."""
    time_zone: NotRequired[str]
    """Time zone of the schedule, as `Europe/Berlin`. Default: `Etc/UTC`."""
    suspended: NotRequired[bool]
    """Whether the schedule stands still, so that it runs only when somebody makes a job out of it. Default: no."""
    user: NotRequired[int]
    """Id of the user and group that its processes run as; never root's. Default: 65532."""
    tmp_size: NotRequired[str]
    """What it may write to /tmp, its only writable place, before it is evicted. Default: `64Mi`."""


class KubernetesJob(Component):
    """A job in a pod of the `restricted` Pod Security Standard, with a deadline, a service account without any right,
    and a network policy that allows what is named here.

    Without a schedule it runs once. A Job cannot be changed: another image, command, script, variable or reference to a
    secret makes a new one, which runs before the old one goes away, and the same one stays as it is. It is named with
    random letters, so that both can be there at a time. It has no time to live: one that is deleted by itself would run
    again with the next refresh. One that failed is made anew by the next update. A new value of a secret does not make
    it run again; `revision` does.

    With a schedule it never runs twice at a time. The pods of the last runs stay, for their logs.

    Raises `InputError` for bad args, and for a name that no Job can have.
    """

    job_name: pulumi.Output[str]
    """Name by which its pods are labelled (`app.kubernetes.io/name`) and, with a schedule, that of its CronJob."""
    done: pulumi.Output[str]
    """The same, known once it succeeded. With a schedule: once that is there."""
    secret_names: pulumi.Output[dict[str, str]]
    """Names of the Secrets that it reads, by purpose."""
    pods: dict[str, str]
    """Labels by which its pods are found: to whom they are let in."""

    def __init__(self, name: str, args: KubernetesJobArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesJob {name}"
        args = checked(KubernetesJobArgs, args, subject, JOB_RULES, _problems)
        check_job_name(name, subject)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._subject = subject
        self.pods = pods_of(args["job"], args["system"])
        self._labels = {**self.pods, "app.kubernetes.io/managed-by": "plinth"}
        # Some of its objects are named by Pulumi: whatever replaces one of them is there before it goes.
        self._unnamed: dict[str, Any] = {"namespace": args["namespace"], "labels": self._labels}
        self._metadata: dict[str, Any] = {**self._unnamed, "name": args["job"]}

        policy = network_policy(
            name, self._metadata, self.pods, args.get("reaches", {}), {}, self._child(), subject=subject
        )
        secrets = secret_names(name, args["job"], self._metadata, args.get("secrets", {}), self._child)
        run = self._run(secrets)
        made = self._scheduled(run, policy) if "schedule" in args else self._once(run, policy)

        self.job_name = pulumi.Output.from_input(args["job"])
        self.done = known_after(args["job"], made.id)
        self.secret_names = pulumi.Output.all(**secrets).apply(dict)
        self._register()

    def _run(self, secrets: dict[str, pulumi.Input[str]]) -> dict[str, Any]:
        """What a Job is: its pod, and how often and how long that is tried."""
        args = self._args
        annotations: dict[str, pulumi.Input[str]] = dict(_STAYS)
        if "revision" in args:
            annotations["plinth/revision"] = args["revision"]
        return {
            "backoff_limit": args.get("retries", 3),
            "active_deadline_seconds": self._deadline,
            # A pod whose node is drained did not fail. This also keeps a second pod from starting beside a first one.
            "pod_failure_policy": {
                "rules": [{"action": "Ignore", "on_pod_conditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": {
                "metadata": {"labels": self._labels, "annotations": annotations},
                "spec": self._pod(secrets),
            },
        }

    @property
    def _deadline(self) -> int:
        return self._args.get("deadline_seconds", 600)

    def _pod(self, secrets: dict[str, pulumi.Input[str]]) -> dict[str, Any]:
        args = self._args
        account = kubernetes.core.v1.ServiceAccount(
            self._prefix,
            metadata=cast(Any, {**self._metadata, "annotations": args.get("service_account_annotations", {})}),
            automount_service_account_token=False,
            opts=self._child(),
        )
        environment = [
            {"name": variable, "value": disclosed(self._subject, f"environment.{variable}", value)}
            for variable, value in sorted(args.get("environment", {}).items())
        ]
        entries = [*environment, *secret_entries(args.get("secrets", {}), secrets)]
        runs = container(
            args["job"],
            args["image"],
            args.get("resources", _RESOURCES),
            command=args["command"],
            mounts={"scripts": FOLDER} if "scripts" in args else None,
        )
        if entries:
            runs["env"] = entries
        return pod_spec(
            [runs],
            service_account=account.metadata.name,
            pull_secrets=[args["pull_secret"]] if "pull_secret" in args else [],
            priority_class=args.get("priority_class"),
            volumes={"scripts": {"config_map": {"name": self._scripts()}}} if "scripts" in args else None,
            # What failed stays to be looked at, and the next try is another pod.
            restart_policy="Never",
            user=args.get("user", USER),
            tmp_size=args.get("tmp_size", "64Mi"),
        )

    def _scripts(self) -> pulumi.Output[str]:
        contents = {
            file: disclosed(self._subject, f"scripts.{file}", text)
            for file, text in self._args.get("scripts", {}).items()
        }
        return kubernetes.core.v1.ConfigMap(
            f"{self._prefix}-scripts",
            metadata=cast(Any, self._unnamed),
            data=contents,
            # Others make another ConfigMap, and so another Job.
            immutable=True,
            opts=self._child(),
        ).metadata.name

    def _once(self, run: dict[str, Any], policy: pulumi.Resource) -> pulumi.CustomResource:
        waits = f"{self._deadline + _MARGIN_SECONDS}s"
        return kubernetes.batch.v1.Job(
            self._prefix,
            metadata=cast(Any, {**self._unnamed, "annotations": {"pulumi.com/replaceUnready": "true"}}),
            spec=cast(Any, run),
            opts=self._child(
                # No value carries it: it must let the pod out as soon as that starts.
                depends_on=[policy],
                # Kubernetes gives up first, and says why.
                custom_timeouts=pulumi.CustomTimeouts(create=waits, update=waits),
            ),
        )

    def _scheduled(self, run: dict[str, Any], policy: pulumi.Resource) -> pulumi.CustomResource:
        args = self._args
        return kubernetes.batch.v1.CronJob(
            self._prefix,
            # A schedule that somebody suspended by hand becomes again what stands here.
            metadata=cast(Any, {**self._metadata, "annotations": {"pulumi.com/patchForce": "true"}}),
            spec=cast(
                Any,
                {
                    "schedule": args.get("schedule"),
                    "time_zone": args.get("time_zone", "Etc/UTC"),
                    "suspend": args.get("suspended", False),
                    "concurrency_policy": "Forbid",
                    # One that was missed is made up for within an hour; without a limit, a hundred missed ones stop it.
                    "starting_deadline_seconds": 3600,
                    "successful_jobs_history_limit": 3,
                    "failed_jobs_history_limit": 3,
                    "job_template": {"metadata": {"labels": self._labels}, "spec": run},
                },
            ),
            opts=self._child(depends_on=[policy]),
        )


@cache
def script(name: str) -> str:
    """The text of a script beside this module."""
    return (Path(__file__).parent / "scripts" / name).read_text()


def given_variables(
    path: str, secret: ServiceSecret, needed: tuple[str, ...], possible: tuple[str, ...] = ()
) -> Iterator[Problem]:
    """What is wrong with the variables of a secret that a job's script reads, by their names."""
    variables = secret["variables"]
    for variable in sorted(set(needed) - set(variables)):
        yield Problem(f"{path}.variables.{variable}", MISSING, "required; name the property that holds it")
    for variable in sorted(set(variables) - {*needed, *possible}):
        known = ", ".join([*needed, *possible])
        yield Problem(f"{path}.variables.{variable}", variables[variable], f"nothing reads it; give {known}")


def check_job_name(name: str, subject: str, ending: str = "") -> None:
    """Refuse the name of a component that, with the ending, no Job can be named after."""
    longest = _LONGEST_COMPONENT - len(ending)
    checked_name(name, subject, longest, SERVICE, f"its Job is named after it: {SERVICE_REMEDY}")


def picked(args: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Those of the args that are given, among these fields."""
    return {field: args[field] for field in fields if field in args}


def job_problems(args: Mapping[str, Any], secrets: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with those args of a component that its job has, too, and with these fields, its secrets."""
    if "resources" in args:
        yield from resource_problems(args["resources"], "resources")
    yield from secret_problems(picked(args, secrets), "")
    yield from _reach_problems(args)


def _reach_problems(args: Mapping[str, Any]) -> Iterator[Problem]:
    for purpose, peer in args.get("reaches", {}).items():
        yield from peer_problems(f"reaches.{purpose}", peer)


def passed(args: Mapping[str, Any]) -> dict[str, Any]:
    """Those args of a component that are the same ones of the job that it makes."""
    return picked(args, list(KubernetesJobArgs.__annotations__))


JOB_RULES = {
    "job": matching(
        rf"(?!.{{{_LONGEST + 1}}}){SERVICE}", "give a DNS label of up to 52 small letters, digits and hyphens"
    ),
    "system": service_problem,
    "namespace": label_problem,
    "image": image_problem,
    "command": command_problem,
    "service_account_annotations": annotations_problem,
    "pull_secret": subdomain_problem,
    "priority_class": subdomain_problem,
    "deadline_seconds": between(30, _DAY, "seconds"),
    "retries": between(0, 20, "retries"),
    "schedule": schedule_problem,
    "time_zone": time_zone_problem,
    "user": at_least(1),
    "tmp_size": memory_problem,
}
"""What the args of a job must be, by themselves."""


def _problems(args: KubernetesJobArgs) -> Iterator[Problem]:
    yield from resource_problems(args.get("resources", _RESOURCES), "resources")
    yield from secret_problems(args.get("secrets", {}))
    yield from environment_problems(args.get("environment", {}), args.get("secrets", {}))
    yield from _reach_problems(args)
    for file in args.get("scripts", {}):
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", file):
            yield Problem(f"scripts.{file}", MISSING, "name a file with letters, digits and . _ -, no dot first")
    if "schedule" in args and "revision" in args:
        yield Problem("revision", args["revision"], "leave it out: it runs when its `schedule` says")
    for field, value in args.items():
        if field in _OF_SCHEDULES and "schedule" not in args:
            yield Problem(field, value, "only a job with a `schedule` has it; give that or leave it out")
