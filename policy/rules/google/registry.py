"""Registry on Google Cloud."""

from ..rule import Rule

RULES: tuple[Rule, ...] = ()
