"""Alarms, dashboards and notifications."""

from .shared import Examples

EXAMPLES: Examples = {}
