"""What a RabbitMQ broker holds, declared by a job inside the network."""

import json
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict, cast

import pulumi

from ..component import Component, checked
from ..images import PYTHON
from ..platform.traffic import Peer
from ..problems import MISSING, Problem
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
from .secrets import ServiceSecret

_SCRIPT, _DEFINITIONS = "broker_topology.py", "definitions.json"
_KINDS = ("exchanges", "queues", "bindings")
_SECRETS = ("administrator", "application", "authority")


class BrokerTopologyArgs(TypedDict):
    """What the broker is to hold, and how its administrator gets to it."""

    job: str
    """Name of the job and its objects, a DNS label of up to 52 characters. Unique in the namespace."""
    system: str
    """Name of the system that it is a part of, a DNS label."""
    namespace: pulumi.Input[str]
    """Namespace that it runs in. Its default must be to allow no traffic."""
    definitions: dict[str, Any]
    """Exchanges, queues and bindings of one virtual host, as `definitions` in `components/broker/topology.py` makes
    them. The virtual host is made where there is none."""
    administrator: ServiceSecret
    """The secret of the broker's administrator, with `RABBITMQ_USERNAME`, `RABBITMQ_PASSWORD` and, without `console`,
    `RABBITMQ_CONSOLE`."""
    console: NotRequired[pulumi.Input[str]]
    """URL of the management API. Default: the secret gives it."""
    root_certificate: NotRequired[pulumi.Input[str]]
    """Certificates of the authorities that vouch for the management API, as PEM. Default: the well-known ones."""
    authority: NotRequired[ServiceSecret]
    """The secret that has these certificates instead, as `ROOT_CERTIFICATE`. Default: none."""
    application: NotRequired[ServiceSecret]
    """The secret of the application's user, with `APPLICATION_USERNAME` and `APPLICATION_PASSWORD`. It gets that
    password, and reads and writes in the virtual host. Default: users are left alone."""
    application_configures: NotRequired[str]
    """Pattern of the names that the application may declare or delete in the virtual host by itself, for example
    `reply[.].*`. Default: none."""
    reaches: dict[str, Peer]
    """Where the management API is, by purpose."""
    revision: NotRequired[pulumi.Input[str]]
    """Any text. Another one makes it run again: give the version of the application's password. Default: none."""
    image: NotRequired[pulumi.Input[str]]
    """Image with Python, 3.11 or later. Default: Python's own from Docker Hub."""
    pull_secret: NotRequired[pulumi.Input[str]]
    """Name of the Secret in the namespace that the image is pulled with. Default: none; the nodes may pull it."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Name of the PriorityClass of its pods. Default: the cluster's."""
    resources: NotRequired[ContainerResources]
    """What it needs, and how much it may take at most. Default: `50m` of a CPU and `128Mi`."""
    deadline_seconds: NotRequired[int]
    """Seconds that it may take, with all its retries and the pull of its image, 30 to 86400. Default: 600."""


class BrokerTopology(Component):
    """The virtual host of an application on a RabbitMQ broker, with its exchanges, queues and bindings and, by choice,
    the application's user. A job makes what is missing and then compares all of it.

    RabbitMQ changes nothing that is there. Where a queue or an exchange has other arguments than the definitions say,
    the job fails and names both; it can be deleted once it is empty, and the next update makes it anew. What the
    definitions do not have stays, and is named in the log: a binding of a former key goes on filling its queue.

    The application's password reaches the broker as a digest.

    Raises `InputError` for bad args.
    """

    virtual_host: pulumi.Output[str]
    """Name of the virtual host. Known once the broker has what the definitions say."""

    def __init__(self, name: str, args: BrokerTopologyArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"BrokerTopology {name}"
        args = checked(BrokerTopologyArgs, args, subject, JOB_RULES, _problems)
        check_job_name(name, subject)
        super().__init__(name, opts)
        virtual_host = _virtual_host(args["definitions"])
        definitions = json.dumps(_whole(args["definitions"]), indent=1, sort_keys=True)
        environment: dict[str, pulumi.Input[str]] = {
            "VIRTUAL_HOST": virtual_host,
            "DEFINITIONS": f"{FOLDER}/{_DEFINITIONS}",
            "APPLICATION_CONFIGURES": args.get("application_configures", ""),
        }
        if "console" in args:
            environment["RABBITMQ_CONSOLE"] = args["console"]
        if "root_certificate" in args:
            environment["ROOT_CERTIFICATE"] = args["root_certificate"]
        job = KubernetesJob(
            name,
            cast(
                Any,
                {
                    "image": PYTHON,
                    **passed(args),
                    "command": ["python3", "-I", f"{FOLDER}/{_SCRIPT}"],
                    "scripts": {_SCRIPT: script(_SCRIPT), _DEFINITIONS: definitions},
                    "environment": environment,
                    "secrets": picked(args, _SECRETS),
                },
            ),
            self._child(),
        )
        self.virtual_host = job.done.apply(lambda _: virtual_host)
        self._register()


def _whole(value: Any) -> Any:
    """The value with whole numbers as such: a program in another language sends them as floats, which RabbitMQ takes
    for another argument."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _virtual_host(definitions: dict[str, Any]) -> str:
    return definitions["vhosts"][0]["name"]


def _problems(args: BrokerTopologyArgs) -> Iterator[Problem]:
    definitions = args["definitions"]
    if [list(each) for each in definitions.get("vhosts", [])] != [["name"]]:
        yield Problem("definitions.vhosts", definitions.get("vhosts", MISSING), "name one virtual host")
    for key in sorted(set(definitions) - {"vhosts", *_KINDS}):
        yield Problem(f"definitions.{key}", MISSING, f"nothing reads it; give {', '.join(_KINDS)}")
    console = () if "console" in args else ("RABBITMQ_CONSOLE",)
    yield from given_variables(
        "administrator", args["administrator"], ("RABBITMQ_USERNAME", "RABBITMQ_PASSWORD", *console)
    )
    if "application" in args:
        yield from given_variables("application", args["application"], ("APPLICATION_USERNAME", "APPLICATION_PASSWORD"))
    elif "application_configures" in args:
        yield Problem(
            "application_configures", args["application_configures"], "give `application`, too, or leave it out"
        )
    if "authority" in args:
        yield from given_variables("authority", args["authority"], ("ROOT_CERTIFICATE",))
        if "root_certificate" in args:
            yield Problem("authority", MISSING, "`root_certificate` has the certificates; leave one of both out")
    yield from job_problems(args, _SECRETS)
