"""Every rule that a stack must keep, and what they find in a plan."""

from collections.abc import Sequence
from typing import Protocol

from .rules import RULES
from .rules.rule import Finding, Resource, Stack


class Planned(Protocol):
    """A plan, as far as rules read it."""

    @property
    def resources(self) -> Sequence[Resource]:
        """What it asks for."""
        ...


def judge(plan: Planned) -> list[Finding]:
    """Everything that the rules find in a plan, rule by rule."""
    stack = Stack(plan.resources)
    return [finding for rule in RULES for finding in rule.findings(stack)]


__all__ = ["RULES", "Finding", "Planned", "judge"]
