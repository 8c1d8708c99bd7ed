"""How a system becomes an environment in each cloud, and an account what environments need of it."""

import importlib
from typing import Any, Protocol

from ..account import ACCOUNTS
from ..settings import ENVIRONMENTS, AccountSettings, Settings


class Environment(Protocol):
    """A system, or an account, realised. Every cloud's has the same outputs, but for what only that cloud has."""

    def outputs(self) -> dict[str, Any]:
        """What an engineer needs to find and use it. No secret is among them."""
        ...


def deploy(settings: Settings | AccountSettings) -> Environment:
    """Make the environment, or the account, that the settings ask for."""
    modules = ACCOUNTS if isinstance(settings, AccountSettings) else ENVIRONMENTS
    return importlib.import_module(modules[settings.cloud]).deploy(settings)
