"""The rules for Google Cloud, by what they are about."""

from ..rule import Rule
from . import (
    backup,
    baseline,
    broker,
    cache,
    cluster,
    database,
    edge,
    identity,
    keys,
    network,
    observability,
    registry,
    secrets,
    storage,
)

RULES: tuple[Rule, ...] = (
    *network.RULES,
    *keys.RULES,
    *identity.RULES,
    *database.RULES,
    *storage.RULES,
    *broker.RULES,
    *cache.RULES,
    *secrets.RULES,
    *observability.RULES,
    *backup.RULES,
    *registry.RULES,
    *edge.RULES,
    *baseline.RULES,
    *cluster.RULES,
)
