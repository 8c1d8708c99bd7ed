"""Examples."""

from .shared import Examples

EXAMPLES: Examples = {}
