"""What a tier means: the one place where sizes and protections differ between dev, staging and prod."""

from dataclasses import dataclass
from typing import NamedTuple

from .model import Size, System, Tier


@dataclass(frozen=True)
class Profile:
    """Sizes and protections of a tier."""

    durable: bool
    """Whether data survives a mistake: protected against deletion, kept in a final snapshot, secrets recoverable."""
    highly_available: bool
    """Whether a zone may be lost without an outage."""
    recovery_copies: bool
    """Whether data is copied to the recovery region."""
    pooling: bool
    """Whether database connections are pooled."""
    replicas: int
    """Read replicas of a database."""
    size: Size
    """Size of a database's instances."""
    storage_gb: int
    """Storage of a database, in GB."""
    backup_days: int
    """Days of point-in-time recovery."""
    log_days: int
    """Days to keep logs."""
    zones: int
    """Fewest zones to span."""


PROFILES = {
    Tier.DEV: Profile(
        durable=False,
        highly_available=False,
        recovery_copies=False,
        pooling=False,
        replicas=0,
        size=Size.SMALL,
        storage_gb=20,
        backup_days=1,
        log_days=7,
        zones=2,
    ),
    Tier.STAGING: Profile(
        durable=True,
        highly_available=True,
        recovery_copies=False,
        pooling=True,
        replicas=0,
        size=Size.MEDIUM,
        storage_gb=50,
        backup_days=7,
        log_days=90,
        zones=2,
    ),
    Tier.PROD: Profile(
        durable=True,
        highly_available=True,
        recovery_copies=True,
        pooling=True,
        replicas=1,
        size=Size.LARGE,
        storage_gb=100,
        backup_days=30,
        log_days=365,
        zones=3,
    ),
}


class Shortfall(NamedTuple):
    """A setting below what its tier demands."""

    path: str
    value: object
    remedy: str


_FEWEST_BACKUP_DAYS = {Tier.DEV: 1, Tier.STAGING: 7, Tier.PROD: 7}


def shortfalls(tier: Tier, system: System, zones: int) -> list[Shortfall]:
    """Where a system, with the overrides of its stack, falls below the protections that its tier demands."""
    profile = PROFILES[tier]
    found = []

    def demand(holds: bool, path: str, value: object, remedy: str) -> None:
        if not holds:
            found.append(Shortfall(path, value, f"{tier.value} needs {remedy}"))

    fewest, database = _FEWEST_BACKUP_DAYS[tier], system.database
    demand(
        database.backup_days >= fewest,
        "database.backupDays",
        database.backup_days,
        f"{fewest} or more; raise it",
    )
    if profile.highly_available:
        demand(
            database.highly_available,
            "database.highlyAvailable",
            False,
            "a standby; leave this out or set it to true",
        )
    if profile.recovery_copies:
        demand(
            database.copy_backups,
            "database.copyBackups",
            False,
            "copies elsewhere; leave this out or set it to true",
        )
        for name, store in system.stores.items():
            path = f"stores.{name}.replicate"
            demand(store.replicate, path, False, "copies elsewhere; leave this out or set it to true")
    demand(zones >= profile.zones, "zones", zones, f"{profile.zones} zones or more; name them")
    return found
