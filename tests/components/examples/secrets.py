"""Secrets."""

from .shared import Examples

EXAMPLES: Examples = {}
