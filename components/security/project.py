"""What a project of Google Cloud must have before anything else stands in it."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked
from ..problems import InputError, Problem, one_of
from .google import GcpScope, scope_problem, service_agent

AGENTS = {
    "artifactregistry.googleapis.com": "gcp-sa-artifactregistry",
    "backupdr.googleapis.com": "gcp-sa-backupdr",
    "cloudkms.googleapis.com": "gcp-sa-cloudkms",
    "container.googleapis.com": "container-engine-robot",
    "gkebackup.googleapis.com": "gcp-sa-gkebackup",
    "logging.googleapis.com": "gcp-sa-logging",
    "memorystore.googleapis.com": "gcp-sa-memorystore",
    "monitoring.googleapis.com": "gcp-sa-monitoring-notification",
    "networkconnectivity.googleapis.com": "gcp-sa-networkconnectivity",
    "pubsub.googleapis.com": "gcp-sa-pubsub",
    "redis.googleapis.com": "cloud-redis",
    "secretmanager.googleapis.com": "gcp-sa-secretmanager",
    "servicenetworking.googleapis.com": "service-networking",
    "sqladmin.googleapis.com": "gcp-sa-cloud-sql",
    "workflows.googleapis.com": "gcp-sa-workflows",
}
"""The accounts by which services act in a project and which can be asked for, by service: the middle of their domains.
Their addresses come from Google; this is for services whose account Google makes without telling its address."""
_OF_THEMSELVES = {
    "compute.googleapis.com": "it has its account, `compute-system`, as soon as it is enabled; leave it out",
    "storage.googleapis.com": (
        "it makes its account, `gs-project-accounts`, when somebody first asks for it, which no resource does; leave "
        "it out, and ask once with `gcloud storage service-agent`"
    ),
}


class GcpServicesArgs(TypedDict):
    """What is switched on in a project."""

    scope: GcpScope
    """The project."""
    services: list[str]
    """Services to enable, such as `container.googleapis.com`. `serviceusage.googleapis.com` and
    `cloudresourcemanager.googleapis.com` must be on before."""
    agents: NotRequired[list[str]]
    """Those of them whose own account in the project is made at once, and not when it is first needed: a key can be
    given only to who exists. Default: none."""


class GcpServices(Component):
    """The services of a project, and the accounts by which they act in it. None is switched off again: others in the
    project may use it too.

    Raises `InputError` for bad args, and for accounts of services that are not enabled or make none.
    """

    project: pulumi.Output[str]
    """Id of the project. Known once everything is there."""
    agents: pulumi.Output[dict[str, str]]
    """Addresses of the services' own accounts, by service. Known once they are there."""

    def __init__(self, name: str, args: GcpServicesArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpServices {name}"
        args = checked(GcpServicesArgs, args, subject, {"scope": scope_problem})
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        scope = args["scope"]
        enabled = {
            service: gcp.projects.Service(
                f"{name}-{_short(service)}",
                project=scope["project"],
                service=service,
                disable_on_destroy=False,
                opts=self._child(),
            )
            for service in args["services"]
        }
        accounts = {
            service: gcp.projects.ServiceIdentity(
                f"{name}-{_short(service)}",
                project=scope["project"],
                service=enabled[service].service,  # there must be a service before it has an account
                opts=self._child(),
            )
            for service in args.get("agents", [])
        }
        self._made: list[pulumi.Resource] = [*enabled.values(), *accounts.values()]
        done = [each.id for each in (*enabled.values(), *accounts.values())]
        self.project = pulumi.Output.all(*done).apply(lambda _: scope["project"])
        self.agents = pulumi.Output.all(*(each.email for each in accounts.values())).apply(
            lambda emails: {
                service: email or service_agent(scope, AGENTS[service])
                for service, email in zip(accounts, emails, strict=True)
            }
        )
        self._register()

    @property
    def made(self) -> list[pulumi.Resource]:
        """The services and accounts: a provider that depends on them does nothing before they are there."""
        return self._made


def _short(service: str) -> str:
    return service.partition(".")[0]


def _problems(args: GcpServicesArgs) -> Iterator[Problem]:
    services, agents = args["services"], args.get("agents", [])
    if not services:
        yield Problem("services", services, "name one service or more")
    for field, named in (("services", services), ("agents", agents)):
        for i, service in enumerate(named):
            if service in named[:i]:
                yield Problem(f"{field}[{i}]", service, "named twice; leave one out")
    for i, service in enumerate(services):
        if not (service.endswith(".googleapis.com") and _short(service)):
            yield Problem(f"services[{i}]", service, "give the name of its API, such as container.googleapis.com")
    for i, service in enumerate(agents):
        if service in _OF_THEMSELVES:
            yield Problem(f"agents[{i}]", service, _OF_THEMSELVES[service])
        elif service not in AGENTS:
            yield Problem(f"agents[{i}]", service, one_of(AGENTS, service))
        elif service not in services:
            yield Problem(f"agents[{i}]", service, "name it in `services` too")
