"""Clusters."""

from .shared import Examples

EXAMPLES: Examples = {}
