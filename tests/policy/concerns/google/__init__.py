"""What the sound stack has of each concern on Google Cloud, and how that is broken."""

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

# What others point to comes first.
CONCERNS = (
    keys,
    network,
    identity,
    database,
    storage,
    broker,
    cache,
    secrets,
    cluster,
    observability,
    backup,
    registry,
    edge,
    baseline,
)
