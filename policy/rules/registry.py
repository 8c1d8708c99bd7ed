"""Image registries, DNS zones, budgets and who deploys."""

from .rule import Rule

RULES: tuple[Rule, ...] = ()
