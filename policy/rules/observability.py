"""Alarms, dashboards and notifications."""

from .rule import Rule

RULES: tuple[Rule, ...] = ()
