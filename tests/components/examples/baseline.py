"""What guards an account."""

from .shared import Examples

EXAMPLES: Examples = {}
