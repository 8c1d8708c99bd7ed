"""A full and a bare call of every component, for the contract that all of them keep."""

from . import (
    backup,
    baseline,
    broker,
    cache,
    cluster,
    database,
    google_backup,
    google_baseline,
    google_broker,
    google_cache,
    google_cluster,
    google_database,
    google_edge,
    google_network,
    google_observability,
    google_registry,
    google_secrets,
    google_security,
    google_storage,
    network,
    observability,
    platform,
    registry,
    secrets,
    security,
    storage,
)
from .shared import Examples, Maker

EXAMPLES: Examples = {
    component: calls
    for concern in (
        network,
        security,
        secrets,
        database,
        broker,
        cache,
        storage,
        cluster,
        platform,
        observability,
        backup,
        registry,
        baseline,
        google_backup,
        google_baseline,
        google_broker,
        google_cache,
        google_cluster,
        google_database,
        google_edge,
        google_network,
        google_observability,
        google_registry,
        google_secrets,
        google_security,
        google_storage,
    )
    for component, calls in concern.EXAMPLES.items()
}

__all__ = ["EXAMPLES", "Maker"]
