"""Every rule that a stack must keep, and what they find in a plan."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from .exceptions import Allowance, excepted, load, stale
from .rules import RULES
from .rules.rule import Finding, Resource, Stack

STACK_TYPE = "pulumi:pulumi:Stack"
IDS = frozenset(rule.id for rule in RULES)


class Planned(Protocol):
    """A plan, as far as rules read it."""

    @property
    def resources(self) -> Sequence[Resource]:
        """What it asks for."""
        ...


def judge(plan: Planned, allowances: Sequence[Allowance] | None = None, today: date | None = None) -> list[Finding]:
    """Everything that the rules find in a plan, rule by rule, and the exceptions that are about nothing in it.

    The exceptions are those of `exceptions.yaml`, on the day that it is, unless others are given.

    Raises `ExceptionsError` for exceptions that say too little.
    """
    allowed = load(IDS) if allowances is None else allowances
    stack = Stack(plan.resources)
    found = [finding for rule in RULES for finding in rule.findings(stack)]
    roots = [resource.urn for resource in plan.resources if resource.type == STACK_TYPE]
    idle = [finding for root in roots for finding in stale(root, found, allowed)]
    return excepted(found, allowed, today or date.today()) + idle


__all__ = ["IDS", "RULES", "Finding", "Planned", "judge"]
