"""Writes what is generated: the marked parts of the documents, and the recorded URNs. `make docs` runs it."""

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from importlib import import_module
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from components.component import camel_case
from components.host import components
from components.images import ALL, PSQL, PYTHON, registry_of
from components.platform.charts import CHARTS, REGISTRIES
from policy.catalogue import RULES
from policy.rules.demands import EVERY_TIER
from policy.rules.rule import Rule
from preview import render
from preview.project import configuration, stacks
from stacks.account import Account, AccountFile, RepositoryIds
from stacks.environments import (
    aws_account_settings,
    aws_settings,
    gcp_account_settings,
    gcp_settings,
    kubernetes_settings,
)
from stacks.model import (
    Backup,
    Broker,
    Cache,
    Exchange,
    Migrations,
    NodePool,
    ObjectStore,
    Part,
    Postgres,
    Queue,
    Resources,
    Route,
    Scaling,
    Secret,
    Service,
    Size,
    System,
    Tier,
)
from stacks.platform import AddOn, ImagesSection, PlatformSection
from stacks.reading import Alerts
from stacks.settings import ENVIRONMENTS, Cloud, ClusterSection, NetworkSection, StackFile
from stacks.systems import SYSTEMS
from stacks.tiers import PROFILES, Profile, Running

from .stacks import reach, reach_google
from .support import ROOT, known_plan, previewed_plan

MARK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
README_LINES = 15


def first_screen() -> str:
    """The first lines that `make preview` prints."""
    result = subprocess.run(
        [sys.executable, "-m", "preview", "dev"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return "\n".join(["```console", "$ make preview", *result.stdout.splitlines()[:README_LINES], "…", "```"])


def support() -> str:
    parts = {cloud: ", ".join(import_module(module).PARTS) for cloud, module in ENVIRONMENTS.items()}
    rows = [
        [
            f"[{name.capitalize()}](docs/systems/{name}.md)",
            *(refused(cloud, make(Tier.DEV)) or parts.get(cloud, "not yet") for cloud in Cloud),
        ]
        for name, make in SYSTEMS.items()
    ]
    return table(["System", *(cloud.value for cloud in Cloud)], rows)


def refused(cloud: Cloud, system: System) -> str:
    """Why a system is not realised somewhere, as the settings say it."""
    if cloud is not Cloud.KUBERNETES:
        return ""
    found = kubernetes_settings.problems({"tier": "dev"}, kubernetes_settings.Section(), system)
    reasons = [problem.remedy.partition(";")[0] for problem in found if problem.path == "cloud"]
    return f"no: {'; '.join(reasons)}" if reasons else ""


def stack_table() -> str:
    rows = []
    for stack in stacks(ROOT):
        values = configuration(ROOT, stack).values
        resources = sum(each.custom and not each.type.startswith("pulumi:") for each in previewed_plan(stack).resources)
        # An account's stack has no system and no tier.
        said = (values[f"plinth:{key}"] or "" for key in ("system", "cloud", "tier", "region"))
        rows.append([f"`{stack}`", *said, resources])
    return table(["Stack", "System", "Cloud", "Tier", "Region", "Resources"], rows)


def picture(stack: str) -> str:
    return f"```mermaid\n{render.mermaid(previewed_plan(stack))}\n```"


def keys() -> str:
    """Every key of a stack file, from the models that check it."""
    shapes: list[tuple[str, type[BaseModel]]] = [
        ("", StackFile),
        ("network.", NetworkSection),
        ("database.", Postgres),
        ("broker.", Broker),
        ("broker.exchanges.<name>.", Exchange),
        ("broker.queues.<name>.", Queue),
        ("cache.", Cache),
        ("stores.<name>.", ObjectStore),
        ("services.<name>.", Service),
        ("services.<name>.resources.", Resources),
        ("services.<name>.scaling.", Scaling),
        ("services.<name>.route.", Route),
        ("services.<name>.migrations.", Migrations),
        ("secrets.<name>.", Secret),
        ("nodes.<name>.", NodePool),
        ("backup.", Backup),
        ("alerts.", Alerts),
        ("images.", ImagesSection),
        ("platform.", PlatformSection),
        ("cluster.", ClusterSection),
        ("aws.", aws_settings.Section),
        ("aws.database.", aws_settings.DatabaseSection),
        ("aws.broker.", aws_settings.BrokerSection),
        ("aws.cache.", aws_settings.CacheSection),
        ("aws.nodes.<name>.", aws_settings.NodesSection),
        ("aws.cluster.", aws_settings.EksSection),
        ("aws.cluster.members.<name>.", aws_settings.MemberSection),
        ("aws.dns.", aws_settings.DnsSection),
        ("aws.primary.", aws_settings.PrimarySection),
        ("gcp.", gcp_settings.Section),
        ("gcp.ranges.", gcp_settings.RangesSection),
        ("gcp.database.", gcp_settings.DatabaseSection),
        ("gcp.cache.", gcp_settings.CacheSection),
        ("gcp.nodes.<name>.", gcp_settings.NodesSection),
        ("gcp.cluster.", gcp_settings.GkeSection),
        ("gcp.dns.", gcp_settings.DnsSection),
        ("gcp.edge.", gcp_settings.EdgeSection),
        ("kubernetes.", kubernetes_settings.Section),
        ("kubernetes.database.", kubernetes_settings.AddressSection),
        ("kubernetes.cache.", kubernetes_settings.AddressSection),
        ("kubernetes.broker.", kubernetes_settings.BrokerSection),
    ]
    needed = (
        *("", "network.", "cluster.", "aws.", "aws.dns.", "aws.primary.", "gcp.", "gcp.dns."),
        *("kubernetes.database.", "kubernetes.cache.", "kubernetes.broker."),
    )
    return key_table(shapes, needed)


def account_keys() -> str:
    """Every key of an account's stack file, likewise."""
    shapes: list[tuple[str, type[BaseModel]]] = [
        ("", AccountFile),
        ("account.", Account),
        ("account.repositoryIds.", RepositoryIds),
        ("alerts.", Alerts),
        ("aws.", aws_account_settings.Section),
        ("gcp.", gcp_account_settings.Section),
        ("gcp.perimeter.", gcp_account_settings.PerimeterSection),
    ]
    return key_table(shapes, needed=("", "account.", "aws.", "gcp.", "gcp.perimeter."))


def key_table(shapes: list[tuple[str, type[BaseModel]]], needed: tuple[str, ...]) -> str:
    rows = []
    for prefix, shape in shapes:
        said = docstrings(shape)
        for name, field in shape.model_fields.items():
            need = "yes" if prefix in needed and field.is_required() else ""
            rows.append([f"`{prefix}{field.alias}`", kind(field.annotation), need, said[name]])
    return table(["Key", "Type", "Required", "Meaning"], rows)


def tiers() -> str:
    said = docstrings(Profile)
    rows = [
        [said[name], *(shown(getattr(PROFILES[tier], name)) for tier in Tier)]
        for name in inspect.get_annotations(Profile)
        if name != "running"
    ]
    running = docstrings(Running)
    rows += [
        [f"Services: {said[0].lower()}{said[1:]}", *(shown(getattr(PROFILES[tier].running, name)) for tier in Tier)]
        for name, said in running.items()
    ]
    rows += [["How private subnets reach the internet (AWS)", *(aws_settings.NAT_MODES[tier].value for tier in Tier)]]
    rows += [["Broker instance type (AWS)", *(f"`{aws_settings.BROKER_TYPES[tier]}`" for tier in Tier)]]
    types: list[tuple[str, dict[Size, str], str]] = [
        ("Database instance class (AWS)", aws_settings.INSTANCE_CLASSES, "size"),
        ("Cache node type (AWS)", aws_settings.CACHE_TYPES, "cache_size"),
        ("Database tier (Google Cloud)", gcp_settings.TIERS, "size"),
        ("Cache node type (Google Cloud)", gcp_settings.CACHE_TYPES, "cache_size"),
    ]
    for said_of, by_size, of in types:
        rows += [[said_of, *(f"`{by_size[getattr(PROFILES[tier], of)]}`" for tier in Tier)]]
    return table(["", *(tier.value for tier in Tier)], rows)


def services(name: str) -> str:
    """The services of a system, with what none of them has left out."""

    def uses(service: Service) -> str:
        parts = [part for part in ("database", "cache") if getattr(service, part)]
        parts += [f"`{secret}`" for secret in service.secrets]
        parts += ["keeps credentials"] if service.keeps_credentials else []
        parts += ["takes credentials"] if service.uses_credentials else []
        return ", ".join(parts)

    head = ["Service", "Purpose", "Uses", "Publishes to", "Consumes", "Reads", "Adds to"]
    rows = [
        [
            f"`{each}`",
            service.purpose,
            uses(service),
            ", ".join(service.publishes),
            ", ".join(service.consumes),
            ", ".join(service.reads),
            ", ".join(service.appends),
        ]
        for each, service in SYSTEMS[name](Tier.PROD).services.items()
    ]
    return table(*without_empty(head, rows))


def calls(name: str) -> str:
    """Who may call whom in a system: each service at its ports, and what it reaches."""
    system = SYSTEMS[name](Tier.PROD)

    def reached_by(each: str, service: Service) -> str:
        return ", ".join(
            [*(["the gateway"] if service.route else []), *(f"`{other}`" for other in system.callers(each))]
        )

    def reaches(service: Service) -> str:
        parts = [f"`{other}`" for other in service.calls]
        parts += [part for part in ("database", "cache", "broker") if getattr(service, part)]
        parts += ["the cloud's APIs"] if service.uses_cloud else []
        parts += ["the internet"] if service.internet else []
        return ", ".join(parts)

    rows = [
        [f"`{each}`", f"`{service.port}`", reached_by(each, service) or "nobody", reaches(service) or "nobody"]
        for each, service in system.services.items()
    ]
    jobs = [
        ("database-role", "database", True),
        ("database-upkeep", "database", True),
        ("broker-topology", "broker", system.has_broker),
        *((f"{each}-migrate", "database", bool(service.migrations)) for each, service in system.services.items()),
    ]
    rows += [[f"`{job}`, a job", "", "nobody", what] for job, what, there in jobs if there]
    return table(["Who", "Port", "Is called by", "Calls"], rows)


def running_tiers(name: str, service: str) -> str:
    """What sets the tiers of a service apart."""
    systems = {tier: SYSTEMS[name](tier) for tier in Tier}
    said = docstrings(Service)
    fields = ("version", "replicas", "scaling", "resources", "disruption_budget")
    rows = [
        [said[field], *(shown(getattr(system.services[service], field)) for system in systems.values())]
        for field in fields
    ]
    rows += [[docstrings(System)["log_level"], *(system.log_level.value for system in systems.values())]]
    rows += [["`APP_ENV`", *(PROFILES[tier].running.environment for tier in systems)]]
    return table(["", *(tier.value for tier in systems)], rows)


ADD_ONS = {"aws": aws_settings.ADD_ONS, "gcp": gcp_settings.ADD_ONS, "kubernetes": kubernetes_settings.ADD_ONS}


def charts() -> str:
    """The charts, and where each may be installed."""
    rows = [
        [
            f"`{chart.name}`",
            chart.version,
            chart.repository,
            chart.why,
            *("yes" if AddOn(chart.name) in there else "" for there in ADD_ONS.values()),
        ]
        for chart in CHARTS.values()
    ]
    return table(["Chart", "Version", "Repository", "Why", *ADD_ONS], rows)


def images() -> str:
    """The images of others, by the registry that has them: of charts without a tag, which the chart knows."""
    found: dict[str, set[str]] = {}
    for chart in CHARTS.values():
        for image in chart.images:
            if image.runs:
                found.setdefault(image.repository, set()).add(f"`{chart.name}`")
    for image in ALL:
        found.setdefault(image, set()).add("jobs" if image in (PSQL, PYTHON) else "servers in a cluster")
    rows = [
        [
            f"`{registry}`",
            ", ".join(f"`{image.partition('/')[2]}`" for image in sorted(found) if registry_of(image) == registry),
            ", ".join(sorted({by for image in found if registry_of(image) == registry for by in found[image]})),
        ]
        for registry in REGISTRIES
    ]
    return table(["Registry", "Images", "Run by"], rows)


def without_empty(head: list[str], rows: list[list[Any]]) -> tuple[list[str], list[list[Any]]]:
    """A table without the columns that say nothing in any row."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    return [head[i] for i in kept], [[row[i] for i in kept] for row in rows]


def flows() -> str:
    system = SYSTEMS["skipper"](Tier.PROD)

    def those(field: str, name: str) -> str:
        return ", ".join(each for each, service in system.services.items() if name in getattr(service, field))

    rows = [
        [
            f"`{name}`",
            queue.purpose,
            those("publishes", queue.exchange),
            f"`{queue.exchange}`",
            those("consumes", name),
            f"{queue.keep_days} days",
            queue.deliveries,
            queue.backlog,
        ]
        for name, queue in system.broker.queues.items()
    ]
    head = ["Queue", "Holds", "From", "Exchange", "To", "Kept", "Deliveries", "Backlog"]
    return table(head, rows)


def library() -> str:
    rows = []
    for component in sorted(components(), key=lambda each: each.__name__):
        outputs = [f"`{camel_case(name)}`" for name in inspect.get_annotations(component) if not name.startswith("_")]
        module = component.__module__.removeprefix("components.")
        rows.append([f"`{component.__name__}`", f"`plinth.{module}`", first_sentence(component), ", ".join(outputs)])
    return table(["Component", "Module", "Makes", "Outputs"], rows)


def rules() -> str:
    def levels(rule: Rule) -> str:
        """Its level at each tier that it is for, once where they are the same."""
        by_tier = {tier: rule.level_at(tier).value for tier in rule.tiers}
        if len(set(by_tier.values())) == 1 and rule.tiers == EVERY_TIER:
            return rule.level.value
        return ", ".join(f"{tier}: {level}" for tier, level in by_tier.items())

    return table(
        ["Rule", "Demands", "Level", "Answers"],
        [[f"`{rule.id}`", rule.meaning, levels(rule), ", ".join(rule.answers)] for rule in RULES],
    )


def commands() -> str:
    # As from a shell: a make within a make says where it is.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    result = subprocess.run(["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return f"```console\n{result.stdout.rstrip()}\n```"


BLOCKS: dict[str, Callable[[], str]] = {
    "first-screen": first_screen,
    "support": support,
    "stacks": stack_table,
    "picture-dev": lambda: picture("dev"),
    "picture-prod": lambda: picture("prod"),
    "keys": keys,
    "account-keys": account_keys,
    "flows": flows,
    "picture-account": lambda: picture("account-aws"),
    "picture-account-gcp": lambda: picture("account-gcp"),
    "picture-skipper-gcp-prod": lambda: picture("skipper-gcp-prod"),
    "picture-workflows-aws-prod": lambda: picture("workflows-aws-prod"),
    "tiers": tiers,
    "services": lambda: services("skipper"),
    "services-workflows": lambda: services("workflows"),
    "calls-skipper": lambda: calls("skipper"),
    "calls-workflows": lambda: calls("workflows"),
    "tiers-workflows": lambda: running_tiers("workflows", "api"),
    "charts": charts,
    "images": images,
    "library": library,
    "rules": rules,
    "commands": commands,
}


def filled(text: str) -> str:
    """The document with its generated parts as they are now."""
    return MARK.sub(lambda match: f"{match[1]}{BLOCKS[match['name']]()}\n{match[3]}", text)


def urns(stack: str) -> str:
    return "".join(f"{resource.urn}\n" for resource in previewed_plan(stack).resources)


WAYS = {"aws": reach.ways, "gcp": reach_google.ways}
"""How it is computed who reaches whom, by cloud."""


def cloud_of(stack: str) -> str:
    return configuration(ROOT, stack).values["plinth:cloud"]


def has_network(stack: str) -> bool:
    return "plinth:network" in configuration(ROOT, stack).values and configuration(ROOT, stack).values[
        "plinth:network"
    ] not in ("", "{}")


def reachability(stack: str) -> str:
    plan = known_plan(stack)
    return "".join(f"{way}\n" for way in WAYS[cloud_of(stack)](plan, plan.outputs["environment"]))


def table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def docstrings(shape: type) -> dict[str, str]:
    """What a class, or one that it is made of, says of each of its fields."""
    said = {}
    for base in shape.__bases__:
        said |= docstrings(base) if issubclass(base, Part) else {}
    body = ast.parse(inspect.getsource(shape).strip()).body[0].body  # pyright: ignore[reportAttributeAccessIssue]
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            said[field.target.id] = " ".join(str(text.value.value).split())  # pyright: ignore[reportAttributeAccessIssue]
    return said


def first_sentence(thing: type) -> str:
    return " ".join((thing.__doc__ or "").split()).partition(". ")[0].rstrip(".") + "."


def kind(note: Any) -> str:
    """A type as a reader of YAML knows it. A type that no reader was told of yet is an error."""
    origin = get_origin(note) or note
    options = [each for each in get_args(note) if each is not NoneType]
    if origin is Annotated:
        return kind(options[0])
    if origin in (Union, UnionType) and len(options) == 1:
        return kind(options[0])
    if origin in KINDS:
        return KINDS[origin]
    if isinstance(note, type) and issubclass(note, Enum):
        return ", ".join(f"`{member.value}`" for member in note)
    if isinstance(note, type) and issubclass(note, BaseModel):
        return "mapping"
    raise TypeError(f"{note} has no words here")


KINDS = {
    str: "text",
    int: "number",
    bool: "`true` or `false`",
    list: "list",
    tuple: "list",
    dict: "mapping",
}
"""What types of Python are called."""


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, NodePool):
        return f"{value.fewest} to {value.most} {value.size.value}{', spot' if value.spot else ''}"
    if isinstance(value, Backup):
        days = f"{value.daily_days} days" + (f", monthly {value.monthly_days}" if value.monthly_days else "")
        more = [word for word in ("copied", "locked") if getattr(value, word)]
        return ", ".join([days, *more, *(["restored as a test"] if value.restore_tests else [])])
    if isinstance(value, Resources):
        return f"{value.cpu} and {value.memory}, at most {value.cpu_limit} and {value.memory_limit}"
    if isinstance(value, Scaling):
        return f"{value.fewest} to {value.most}, at {value.cpu_percent} % of CPU or {value.memory_percent} % of memory"
    if value is None:
        return "no"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {shown(item)}" for key, item in value.items())
    return value.value if isinstance(value, Enum) else str(value)


def main() -> None:
    recorded_lists: list[tuple[str, list[str], Callable[[str], str]]] = [
        ("urns", stacks(ROOT), urns),
        ("reachability", [stack for stack in stacks(ROOT) if has_network(stack)], reachability),
    ]
    for kept, names, write in recorded_lists:
        folder = ROOT / "tests" / "stacks" / kept
        folder.mkdir(exist_ok=True)
        for stale in folder.glob("*.txt"):
            stale.unlink()
        for stack in names:
            (folder / f"{stack}.txt").write_text(write(stack))
    for path in DOCUMENTS:
        path.write_text(filled(path.read_text()))


if __name__ == "__main__":
    main()
