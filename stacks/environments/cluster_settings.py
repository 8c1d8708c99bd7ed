"""What the components in a cluster would refuse of a stack's settings, told before anything is made.

They are asked themselves, with what they will be given; their paths become those of the stack file. So there is no
second copy of what they demand.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from components.platform.access import access_problems
from components.platform.charts import CHARTS, source
from components.platform.gateway import host_problems
from components.problems import Problem
from components.service.kubernetes import service_problems
from components.service.pod import command_problem

from ..model import System
from ..platform import AddOn, PlatformSection
from .workloads import plain_args, variables_of_secrets

_OWN_NAMES = ("service", "system")
"""What a stack file cannot change: the model looks at it."""


def problems(system: System, registry: str, people: PlatformSection, gateway_has_hosts: bool) -> list[Problem]:
    """What is wrong with a system's services, with their hosts if the gateway has them, and with who looks at them."""
    return [
        *_services(system, registry),
        *(_hosts(system) if gateway_has_hosts else ()),
        *_people(people),
    ]


def _services(system: System, registry: str) -> Iterator[Problem]:
    for name, service in system.services.items():
        path = f"services.{name}"
        args = plain_args(system, registry, name)
        # Where their values come from is not the stack file's to say.
        secrets = {key: {"variables": each, "existing": key} for key, each in variables_of_secrets(service).items()}
        given: Any = {key: value for key, value in args.items() if key not in _OWN_NAMES} | {"secrets": secrets}
        for field, value, remedy in service_problems(given):
            yield Problem(f"{path}.{_spelled(field)}", value, _spelled(remedy))
        for way in ("up", "down") if service.migrations else ():
            words = getattr(service.migrations, way)
            if remedy := command_problem(words):
                yield Problem(f"{path}.migrations.{way}", list(words), remedy)


def _hosts(system: System) -> Iterator[Problem]:
    named = {name: service.route.hosts for name, service in system.services.items() if service.route}
    for path, value, remedy in host_problems(system.hosts):
        if path == "hosts":
            most = max(named, key=lambda name: len(named[name]))
            yield Problem(f"services.{most}.route.aliases", f"{value} hosts in all", remedy)
        else:
            owner = next(name for name, hosts in named.items() if value in hosts)
            yield Problem(f"services.{owner}.route", value, remedy)


def _people(people: PlatformSection) -> Iterator[Problem]:
    if people.viewers or people.operators:
        groups: Any = {"viewers": list(people.viewers), "operators": list(people.operators)}
        for path, value, remedy in access_problems(groups):
            yield Problem(f"platform.{path}", value, remedy)


def chart_problem(mirror: str, installed: set[AddOn]) -> str | None:
    """What is missing where a mirror of charts is a folder, out of which these add-ons are installed."""
    if "://" in mirror:
        return None
    if not Path(mirror).is_dir():
        return "is no folder here; give the path of one with the charts' archives, as `helm pull` writes them"
    wanted = [Path(source(CHARTS[add_on.value], mirror).chart) for add_on in installed]
    missing = sorted(path.name for path in wanted if not path.is_file())
    return f"lacks {', '.join(missing)}; fill it with `helm pull`" if missing else None


def _spelled(text: str) -> str:
    """A path or a remedy with the names of fields as a stack file spells them. Those of variables are its own."""
    if text.startswith(("environment", "secrets")):
        return text
    return re.sub(r"\b[a-z]+(_[a-z0-9]+)+\b", lambda name: to_camel(name[0]), text)
