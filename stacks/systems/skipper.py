"""Skipper: distributed agents under one control plane."""

from ..model import ObjectStore, Postgres, Service, System, Tier
from ..tiers import PROFILES


def skipper(tier: Tier) -> System:
    """Skipper at a tier: what its control plane and its local agents need."""
    profile = PROFILES[tier]
    return System(
        name="skipper",
        title="Distributed agents under one control plane",
        database=Postgres(
            name="skipper",
            size=profile.size,
            storage_gb=profile.storage_gb,
            max_storage_gb=5 * profile.storage_gb,
            highly_available=profile.highly_available,
            replicas=profile.replicas,
            pooling=profile.pooling,
            backup_days=profile.backup_days,
            copy_backups=profile.recovery_copies,
        ),
        stores={
            "events": ObjectStore(
                purpose="Audit events, for ever",
                replicate=profile.recovery_copies,
            ),
        },
        services={
            "portal": Service(purpose="Web and API portal", database=True, reads=("events",)),
            "user": Service(purpose="Signs users in and checks what they may do", database=True, appends=("events",)),
            "scheduler": Service(purpose="Hands tasks to agents", database=True, appends=("events",)),
            "execution": Service(purpose="Follows tasks and collects results", database=True, appends=("events",)),
            "error-handling": Service(purpose="Handles failures and retries", database=True, appends=("events",)),
            "audit": Service(
                purpose="Tracks every operation for compliance",
                database=True,
                reads=("events",),
                appends=("events",),
            ),
            "local-agent": Service(purpose="Executes tasks; talks to the broker alone"),
        },
    )
