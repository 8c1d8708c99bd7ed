"""Backups."""

from .shared import Examples

EXAMPLES: Examples = {}
