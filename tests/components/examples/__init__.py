"""A full and a bare call of every component, for the contract that all of them keep."""

from . import (
    backup,
    baseline,
    broker,
    cache,
    cluster,
    database,
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
    )
    for component, calls in concern.EXAMPLES.items()
}

__all__ = ["EXAMPLES", "Maker"]
