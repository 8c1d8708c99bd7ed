"""Clusters."""

from .rule import Rule

RULES: tuple[Rule, ...] = ()
