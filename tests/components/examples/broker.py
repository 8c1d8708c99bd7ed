"""Brokers."""

from .shared import Examples

EXAMPLES: Examples = {}
