"""Intelligent Workflows: an API that runs workflows."""

from ..model import (
    Cache,
    Migrations,
    Postgres,
    PostgresVersion,
    Route,
    Secret,
    Service,
    System,
    Tier,
)
from ..tiers import PROFILES

_VERSIONS = {Tier.DEV: "develop", Tier.STAGING: "main", Tier.PROD: "v1.0.0"}
"""Tags of the image. A branch's moves with the branch; a release's stays."""


def workflows(tier: Tier) -> System:
    """Intelligent Workflows at a tier: its API, its database and its cache."""
    profile = PROFILES[tier]
    running = profile.running
    return System(
        name="workflows",
        title="Intelligent workflows behind one API",
        registry="ghcr.io/example",
        log_level=running.log_level,
        database=Postgres(
            name="workflows",
            version=PostgresVersion.V15,
            size=profile.size,
            storage_gb=profile.storage_gb,
            max_storage_gb=5 * profile.storage_gb,
            highly_available=profile.highly_available,
            replicas=profile.replicas,
            pooling=profile.pooling,
            backup_days=profile.backup_days,
            copy_backups=profile.recovery_copies,
        ),
        cache=Cache(
            size=profile.cache_size,
            replicas=profile.cache_replicas,
            backup_days=7 if profile.durable else 0,
        ),
        secrets={"jwt-secret": Secret(purpose="Signs the tokens with which clients call the API")},
        services={
            "api": Service(
                purpose="Takes workflows over HTTP and runs them",
                image="intelligent-workflows",
                version=_VERSIONS[tier],
                replicas=running.replicas,
                scaling=running.scaling,
                resources=running.resources,
                disruption_budget=running.disruption_budget,
                route=Route(),
                migrations=Migrations(up=("./api", "migrate", "up"), down=("./api", "migrate", "down")),
                database=True,
                cache=True,
                secrets=("jwt-secret",),
            ),
        },
        nodes=profile.nodes,
        backup=profile.backup,
    )
