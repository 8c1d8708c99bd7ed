"""The systems, by name. A system is a function from a tier to a `System`."""

from collections.abc import Callable

from ..model import System, Tier
from .skipper import skipper
from .workflows import workflows

SYSTEMS: dict[str, Callable[[Tier], System]] = {"skipper": skipper, "workflows": workflows}
