"""The rules, by what they are about."""

from . import (
    backup,
    baseline,
    broker,
    cache,
    cluster,
    database,
    general,
    identity,
    keys,
    kubernetes,
    logs,
    network,
    observability,
    pods,
    regions,
    registry,
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
    *broker.RULES,
    *cache.RULES,
    *secrets.RULES,
    *identity.RULES,
    *observability.RULES,
    *backup.RULES,
    *registry.RULES,
    *baseline.RULES,
    *cluster.RULES,
    *kubernetes.RULES,
    *pods.RULES,
    *tasks.RULES,
)
"""Every rule there is."""
