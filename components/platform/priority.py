"""Which pods go first where a cluster has no room for all."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, between, checked
from ..problems import Problem
from .names import checked_label

_MOST = 1_000_000_000
"""What is above is the cluster's own."""


class KubernetesPriorityClassesArgs(TypedDict):
    """How much more services matter than jobs."""

    services: NotRequired[int]
    """Priority of services, 1 to 1000000000; pods without a class have 0. Default: 1000."""
    jobs: NotRequired[int]
    """Priority of jobs, less than that of services. Default: a tenth of it."""


class KubernetesPriorityClasses(Component):
    """Two priority classes, called as the component: `<name>-services`, for whose pods others make room, and
    `<name>-jobs`, whose pods wait until there is some. Neither is the cluster's default.

    Raises `InputError` for bad args, jobs that matter no less than services, and a name that is no DNS label.
    """

    services: pulumi.Output[str]
    """Name of the class of services."""
    jobs: pulumi.Output[str]
    """Name of the class of jobs."""

    def __init__(self, name: str, args: KubernetesPriorityClassesArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesPriorityClasses {name}"
        args = checked(KubernetesPriorityClassesArgs, args, subject, _RULES, _problems)
        checked_label(name, subject, 54)
        services, jobs = _values(args)
        super().__init__(name, opts)
        self._prefix = name
        self.services = self._class("services", services, "PreemptLowerPriority", "Services, which people wait for.")
        self.jobs = self._class("jobs", jobs, "Never", "Jobs, which can wait until there is room.")
        self._register()

    def _class(self, what: str, value: int, preemption: str, description: str) -> pulumi.Output[str]:
        name = f"{self._prefix}-{what}"
        made = kubernetes.scheduling.v1.PriorityClass(
            name,
            metadata={
                "name": name,
                "labels": {
                    "app.kubernetes.io/name": name,
                    "app.kubernetes.io/part-of": "priority",
                    "app.kubernetes.io/managed-by": "plinth",
                },
            },
            value=value,
            preemption_policy=preemption,
            global_default=False,
            description=description,
            # Its value cannot be changed, and its name is taken until it is gone. Pods keep what they have.
            opts=self._child(delete_before_replace=True),
        )
        return made.metadata.name


def _values(args: KubernetesPriorityClassesArgs) -> tuple[int, int]:
    services = args.get("services", 1000)
    return services, args.get("jobs", services // 10)


def _problems(args: KubernetesPriorityClassesArgs) -> Iterator[Problem]:
    services, jobs = _values(args)
    if jobs >= services:
        yield Problem("jobs", jobs, f"give less than `services`, which is {services}")


_RULES = {
    "services": between(1, _MOST, "as the priority"),
    "jobs": between(0, _MOST, "as the priority"),
}
