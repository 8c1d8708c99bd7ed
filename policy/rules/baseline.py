"""What guards an account."""

from .rule import Rule

RULES: tuple[Rule, ...] = ()
