"""`make mutants`: takes each protection that a rule demands away, one at a time, and sees that this rule notices.

The mutants are made of the plans of the prod stack, of the account's, of the dev stack with an existing cluster, and of
Google Cloud's, recorded with a cloud that answers, so that policy documents are known. A mutant lacks a property that a
rule names, or has a value there that the rule refuses, or lacks a whole resource that the rule wants beside another.
What no stack has, the sound stack of the tests gives.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from policy.catalogue import RULES
from policy.rules import database, kubernetes, network, storage
from policy.rules.demands import Demand
from policy.rules.documents import many
from policy.rules.google import backup as google_backup
from policy.rules.google import database as google_database
from policy.rules.google import observability as google_observability
from policy.rules.paths import MISSING, locate, parsed
from policy.rules.rule import Resource as Seen
from policy.rules.rule import Rule, Stack
from preview.plan import Plan, Resource
from preview.project import Configuration, configuration

from .policy.planted import sound
from .support import PROGRAM, ROOT, known, known_plan, recorded

Keys = tuple[str | int, ...]
BY_HAND = "by hand"


class Mutant(NamedTuple):
    """A stack without one protection of one resource."""

    rule: Rule
    source: str
    """The stack that it is made of."""
    urn: str
    """The resource that the rule must find fault with."""
    aim: str
    """What the rule demands there: a property, an option, or a resource beside it."""
    change: str
    """What is different."""
    resources: list[Resource]


class Result(NamedTuple):
    """What became of all mutants."""

    killed: list[Mutant]
    survivors: list[Mutant]
    untried: list[str]
    """Demands that no mutant breaks: nobody knows whether their rules would notice."""
    planted: list[str]
    """Rules that no stack has anything for: their mutants are made of the tests' own sound stack."""


class Change(NamedTuple):
    """How a stack becomes a mutant."""

    aim: str
    words: str
    to: Resource | None
    """What stands there instead, or besides; None leaves the resource out."""
    urn: str
    others: frozenset[str] = frozenset()
    """What is left out with it."""


def main(arguments: list[str]) -> int:
    """Make all mutants and print what became of them. Returns 1 where a rule did not notice, or was not tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Break the stacks; see who notices.")
    parser.add_argument("--list", action="store_true", help="print every mutant")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    result = run()
    print("\n".join(_report(result, time.perf_counter() - started, options.list)))
    return 1 if result.survivors or result.untried else 0


def run() -> Result:
    """Make the mutants of every rule and see which ones it notices."""
    result = Result([], [], [], [])
    for rule in RULES:
        mutants = [mutant for name, plan in plans().items() for mutant in mutants_of(rule, name, plan)]
        if not mutants:
            result.planted.append(rule.id)
        missing = set(_aims(rule)) - {mutant.aim for mutant in mutants}
        mutants += [mutant for mutant in mutants_of(rule, "sound", sound().plan()) if mutant.aim in missing]
        missing -= {mutant.aim for mutant in mutants}
        result.untried.extend(f"{rule.id}: {aim}" for aim in sorted(missing))
        for mutant in mutants:
            (result.killed if is_noticed(mutant) else result.survivors).append(mutant)
    return result


@cache
def plans() -> dict[str, Plan]:
    """The plans that mutants are made of, by stack."""
    return {
        "dev": recorded(PROGRAM, dev_with_cluster(), known).plan,
        "prod": known_plan("prod"),
        "account-aws": known_plan("account-aws"),
        "skipper-gcp-dev": known_plan("skipper-gcp-dev"),
        "skipper-gcp-prod": known_plan("skipper-gcp-prod"),
        "account-gcp": known_plan("account-gcp"),
    }


def dev_with_cluster() -> Configuration:
    """The dev stack's configuration with an existing cluster."""
    settings = configuration(ROOT, "dev")
    cluster = json.dumps({"kubeconfig": str(ROOT / "tests/kubeconfig.yaml")})
    return replace(settings, values={**settings.values, "plinth:cluster": cluster})


def is_noticed(mutant: Mutant) -> bool:
    """Whether the very rule finds fault with the very resource."""
    stack = Stack(mutant.resources)
    resource = stack.get(mutant.urn)
    return bool(resource and mutant.rule.applies(resource, stack) and mutant.rule.judge(resource, stack))


def mutants_of(rule: Rule, source: str, plan: Plan) -> Iterator[Mutant]:
    """The plan without each thing that the rule demands of each resource."""
    stack = Stack(plan.resources)
    for seen in stack.of_types(rule.types):
        if not rule.applies(seen, stack):
            continue
        resource = plan.resource(seen.urn)
        if rule.judge(resource, stack):
            raise AssertionError(f"{resource.urn} breaks {rule.id} in {source} already, so no mutant says anything")
        for change in _changes(rule, resource, stack, plan):
            others = [each for each in plan.resources if each.urn not in {change.urn, *change.others}]
            resources = others if change.to is None else [*others, change.to]
            yield Mutant(rule, source, resource.urn, change.aim, change.words, resources)


def _aims(rule: Rule) -> Iterator[str]:
    yield from rule.demands
    yield from rule.options
    for link in rule.links:
        yield link.noun
        yield from (f"{link.noun}: {path}" for path in link.demands)
    if rule.id in _BY_HAND or rule.id in _ONE_IS_ENOUGH:
        yield BY_HAND


def _changes(rule: Rule, resource: Resource, stack: Stack, plan: Plan) -> Iterator[Change]:
    tier = stack.tier(resource)
    for path, demand in rule.demands.items():
        for words, other in _harmed(resource, path, demand, tier):
            yield Change(path, words, other, resource.urn)
    for option, demand in rule.options.items():
        for value in demand.breaks(tier):
            yield Change(option, f"is {value!r}", replace(resource, **{option: value}), resource.urn)
    for link in rule.links:
        for linked in (plan.resource(each.urn) for each in stack.linked(resource, link)):
            yield Change(link.noun, f"{linked.name} is left out", None, linked.urn)
            for path, demand in link.demands.items():
                for words, other in _harmed(linked, path, demand, tier):
                    yield Change(f"{link.noun}: {path}", words, other, linked.urn)
    if by_hand := _BY_HAND.get(rule.id):
        for words, other in by_hand(resource, stack, plan):
            yield Change(BY_HAND, words, other, other.urn)
    if several := _ONE_IS_ENOUGH.get(rule.id):
        first, *others = several(resource, stack)
        yield Change(BY_HAND, "all of them are left out", None, first.urn, frozenset(each.urn for each in others))


def _harmed(resource: Resource, path: str, demand: Demand, tier: str) -> Iterator[tuple[str, Resource]]:
    """The resource without the property, and with each value there that breaks the demand."""
    for keys, found in locate(resource.inputs, path):
        if keys is None:
            continue
        if demand.needed and found is not MISSING:
            yield "is left out", _with(resource, keys, MISSING)
        if not demand.needed or found is not MISSING:
            for value in demand.breaks(tier):
                if value != found:
                    yield f"is {value!r}", _with(resource, keys, value)


def _with(resource: Resource, keys: Keys, value: Any) -> Resource:
    """The resource with another value at a place, or with none."""
    links = dict(resource.property_dependencies)
    if len(keys) == 1:
        links.pop(str(keys[0]), None)
    return replace(resource, inputs=_put(resource.inputs, keys, value), property_dependencies=links)


def _put(content: Any, keys: Keys, value: Any) -> Any:
    """A copy of the content with another value at a place, or with none. What is text stays text."""
    if not keys:
        return value
    copy: Any = deepcopy(parsed(content)) or {}
    key, rest = keys[0], keys[1:]
    if rest or value is not MISSING:
        inner = copy.get(key) if isinstance(copy, dict) else copy[key]
        copy[key] = _put(inner, rest, value)
    else:
        del copy[key]
    return json.dumps(copy) if isinstance(content, str) else copy


ByHand = Callable[[Resource, Stack, Plan], Iterable[tuple[str, Resource]]]


def _route_to_internet(subnet: Resource, stack: Stack, plan: Plan) -> Iterator[tuple[str, Resource]]:
    way_out = next(each for each in plan.of_type(network.ROUTE) if "gatewayId" in each.inputs)
    for association in stack.pointing(subnet, network.TABLE_ASSOCIATION, "subnetId"):
        for table in stack.pointed(association, network.TABLE, "routeTableId"):
            links = {**way_out.property_dependencies, "routeTableId": [table.urn]}
            yield "a route leads out", replace(way_out, urn=f"{way_out.urn}-data", property_dependencies=links)


def _same_zone(group: Resource, stack: Stack, plan: Plan) -> Iterator[tuple[str, Resource]]:
    first, *others = stack.pointed(group, network.SUBNET, "subnetIds")
    for subnet in others:
        zone = first.inputs["availabilityZone"]
        yield f"{subnet.name} is in {zone}", _with(plan.resource(subnet.urn), ("availabilityZone",), zone)


def _all_ports(rule: Resource, stack: Stack, plan: Plan) -> Iterator[tuple[str, Resource]]:
    yield "opens every port", _with(_with(rule, ("fromPort",), 0), ("toPort",), 65535)


def _same_region(target: Callable[[Resource, Stack], Iterable[Seen]]) -> ByHand:
    def moved(resource: Resource, stack: Stack, plan: Plan) -> Iterator[tuple[str, Resource]]:
        for copy in target(resource, stack):
            yield f"{copy.name} stands at home", replace(plan.resource(copy.urn), provider=resource.provider)

    return moved


def _backups_of(instance: Resource, stack: Stack) -> Iterable[Seen]:
    return stack.pointing(instance, database.COPIES, "sourceDbInstanceArn")


def _copies_of(bucket: Resource, stack: Stack) -> Iterable[Seen]:
    for replication in stack.pointing(bucket, storage.REPLICATION, "bucket"):
        yield from stack.pointed(replication, storage.BUCKET, "rules")


def _no_growth(instance: Resource, stack: Stack, plan: Plan) -> Iterator[tuple[str, Resource]]:
    if size := instance.inputs.get("allocatedStorage"):
        yield "ends where it starts", _with(instance, ("maxAllocatedStorage",), size)


def _no_waiting(instance: Resource, stack: Stack, plan: Plan) -> Iterator[tuple[str, Resource]]:
    yield "waits for nothing", replace(instance, dependencies=[])


def _wild(property_: str, *values: str) -> ByHand:
    """Statements on no condition, which alone may hold no wildcard."""

    def widened(policy: Resource, stack: Stack, plan: Plan) -> Iterator[tuple[str, Resource]]:
        for keys, statement in locate(policy.inputs, "policy.Statement[Effect=Allow]"):
            if keys and "Condition" not in statement:
                for value in values:
                    more = [*many(statement[property_]), value]
                    yield f"{property_} has {value}", _with(policy, (*keys, property_), more)

    return widened


_BY_HAND: dict[str, ByHand] = {
    "database-subnet-no-internet": _route_to_internet,
    "database-subnets-span-zones": _same_zone,
    "network-acl-narrow": _all_ports,
    "security-group-named-ports": _all_ports,
    "rds-backups-elsewhere": _same_region(_backups_of),
    "rds-growing-storage": _no_growth,
    "rds-log-groups": _no_waiting,
    "s3-copied-elsewhere": _same_region(_copies_of),
    "iam-named-actions": _wild("Action", "s3:*", "s3:Get*"),
    "iam-named-resources": _wild("Resource", "*", "arn:aws:s3:::*"),
}
"""What else breaks a rule, where no property says it alone."""


def _pointing(type_: str, through: str, elsewhere: bool = False) -> Callable[[Resource, Stack], list[Seen]]:
    def those(resource: Resource, stack: Stack) -> list[Seen]:
        found = stack.pointing(resource, type_, through)
        return [each for each in found if not elsewhere or stack.region(each) != stack.region(resource)]

    return those


_ONE_IS_ENOUGH: dict[str, Callable[[Resource, Stack], list[Seen]]] = {
    "backupdr-restore-tested": lambda resource, stack: list(stack.of_types([google_backup.WORKFLOW])),
    "cloudsql-copied-elsewhere": _pointing(google_database.INSTANCE, "masterInstanceName", elsewhere=True),
    "gke-backed-up": _pointing(google_backup.GKE_PLAN, "cluster"),
    "gke-backed-up-elsewhere": _pointing(google_backup.GKE_PLAN, "cluster", elsewhere=True),
    "kubernetes-disruption-budget": kubernetes.budgets,
    "monitoring-slo-burns": _pointing(google_observability.ALERT, "conditions"),
    "monitoring-uptime-alerts": _pointing(google_observability.ALERT, "conditions"),
}
"""Rules for which one of several is enough: a mutant lacks them all."""


def _report(result: Result, seconds: float, every: bool) -> Iterator[str]:
    killed = Counter(mutant.rule.id for mutant in result.killed)
    survived = Counter(mutant.rule.id for mutant in result.survivors)
    width = max(len(rule.id) for rule in RULES)
    yield f"{'rule':{width}}  mutants  killed"
    for rule in RULES:
        yield f"{rule.id:{width}}  {killed[rule.id] + survived[rule.id]:7}  {killed[rule.id]:6}"
    if every:
        yield from ("", *(shown(mutant) for mutant in (*result.killed, *result.survivors)))
    yield ""
    if result.planted:
        yield f"Nothing in any stack for {', '.join(result.planted)}: tried on the tests' sound stack."
    yield from (f"untried: {each}" for each in result.untried)
    yield from (f"survived: {shown(mutant)}" for mutant in result.survivors)
    yield f"{len(RULES)} rules, {killed.total() + survived.total()} mutants, {killed.total()} killed in {seconds:.1f} s"


def shown(mutant: Mutant) -> str:
    return f"{mutant.rule.id}, {mutant.source}, {mutant.urn.rpartition('::')[2]}: {mutant.aim} {mutant.change}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
