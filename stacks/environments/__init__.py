"""How a system becomes an environment in each cloud."""

import importlib
from typing import Any, Protocol

from ..settings import ENVIRONMENTS, Settings


class Environment(Protocol):
    """A system, realised. Every cloud's environment has the same outputs."""

    def outputs(self) -> dict[str, Any]:
        """What an engineer needs to find and use it. No secret is among them."""
        ...


def deploy(settings: Settings) -> Environment:
    """Make the environment that the settings ask for."""
    return importlib.import_module(ENVIRONMENTS[settings.cloud]).deploy(settings)
