"""Caches."""

from .shared import Examples

EXAMPLES: Examples = {}
