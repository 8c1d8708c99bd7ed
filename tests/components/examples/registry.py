"""Image registries, DNS zones, budgets and who deploys."""

from .shared import Examples

EXAMPLES: Examples = {}
