"""The rules, by what they are about."""

from . import (
    database,
    general,
    identity,
    keys,
    kubernetes,
    logs,
    network,
    pods,
    regions,
    secrets,
    sizes,
    storage,
    tasks,
)
from .rule import Rule

RULES: tuple[Rule, ...] = (
    *general.RULES,
    *regions.RULES,
    *sizes.RULES,
    *network.RULES,
    *keys.RULES,
    *logs.RULES,
    *database.RULES,
    *storage.RULES,
    *secrets.RULES,
    *identity.RULES,
    *kubernetes.RULES,
    *pods.RULES,
    *tasks.RULES,
)
"""Every rule there is."""
