"""Broker on Google Cloud."""

from .shared import Examples

EXAMPLES: Examples = {}
