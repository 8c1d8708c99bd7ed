"""Broker on Google Cloud: in the sound stack, and the ways to break it."""

from ...breaking import Break
from ...sketch import Sketch


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack."""


BREAKS: dict[str, list[Break]] = {}
"""The ways to break the sound stack, by the rule that must notice."""
