"""What a tier means: the one place where sizes and protections differ between dev, staging and prod."""

from dataclasses import dataclass
from typing import NamedTuple

from components.problems import MISSING

from .model import Backup, LogLevel, NodePool, Resources, Scaling, Size, System, Tier

Nodes = dict[str, NodePool]


@dataclass(frozen=True)
class Running:
    """How the services of a tier run, each unless its system says otherwise."""

    replicas: int
    """Replicas of each."""
    scaling: Scaling | None
    """How each follows its load."""
    resources: Resources
    """What each replica gets."""
    disruption_budget: bool
    """Whether maintenance takes one replica at a time."""
    log_level: LogLevel
    """What they write to their logs."""
    environment: str
    """What they are told that they run in."""


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
    cache_size: Size
    """Size of a cache's nodes."""
    cache_replicas: int
    """Replicas of a cache."""
    nodes: Nodes
    """Node pools of a cluster."""
    running: Running
    """How services run."""
    backup: Backup
    """Backups of everything that holds data."""
    rotation_days: int
    """Days between rotations of passwords by a function, 0 for none."""
    receivers: bool
    """Whether somebody must be told of alarms."""
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
        cache_size=Size.SMALL,
        cache_replicas=0,
        nodes={"general": NodePool(size=Size.SMALL, fewest=2, most=4, spot=True)},
        running=Running(
            replicas=1,
            scaling=None,
            resources=Resources(cpu="50m", memory="64Mi", cpu_limit="200m", memory_limit="256Mi"),
            disruption_budget=False,
            log_level=LogLevel.DEBUG,
            environment="development",
        ),
        backup=Backup(daily_days=7, monthly_days=0, copied=False, locked=False, restore_tests=False),
        rotation_days=0,
        receivers=False,
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
        cache_size=Size.MEDIUM,
        cache_replicas=1,
        nodes={
            "general": NodePool(size=Size.MEDIUM, fewest=2, most=6),
            "spare": NodePool(size=Size.MEDIUM, fewest=0, most=10, spot=True),
        },
        running=Running(
            replicas=2,
            scaling=None,
            resources=Resources(cpu="100m", memory="128Mi", cpu_limit="400m", memory_limit="512Mi"),
            disruption_budget=False,
            log_level=LogLevel.INFO,
            environment="staging",
        ),
        backup=Backup(daily_days=14, monthly_days=0, copied=False, locked=False, restore_tests=True),
        rotation_days=30,
        receivers=False,
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
        cache_size=Size.LARGE,
        cache_replicas=2,
        nodes={
            "general": NodePool(size=Size.LARGE, fewest=3, most=12),
            "spare": NodePool(size=Size.LARGE, fewest=0, most=30, spot=True),
        },
        running=Running(
            replicas=3,
            scaling=Scaling(fewest=3, most=10),
            resources=Resources(cpu="200m", memory="256Mi", cpu_limit="800m", memory_limit="1Gi"),
            disruption_budget=True,
            log_level=LogLevel.WARN,
            environment="production",
        ),
        backup=Backup(daily_days=35, monthly_days=365, copied=True, locked=True, restore_tests=True),
        rotation_days=30,
        receivers=True,
        zones=3,
    ),
}


class Shortfall(NamedTuple):
    """A setting below what its tier demands."""

    path: str
    value: object
    remedy: str


_FEWEST_BACKUP_DAYS = {Tier.DEV: 1, Tier.STAGING: 7, Tier.PROD: 7}
"""Of a part's own backups."""
_FEWEST_DAILY_DAYS = {Tier.DEV: 1, Tier.STAGING: 7, Tier.PROD: 30}
"""Of the backups beside them."""
_COPIED = "copies elsewhere; leave this out or set it to true"


def shortfalls(tier: Tier, system: System, zones: int) -> list[Shortfall]:
    """Where a system, with the overrides of its stack, falls below the protections that its tier demands."""
    profile = PROFILES[tier]
    found = []

    def demand(holds: bool, path: str, value: object, remedy: str) -> None:
        if not holds:
            found.append(Shortfall(path, value, f"{tier.value} needs {remedy}"))

    def days(path: str, value: int, fewest: int) -> None:
        demand(value >= fewest, path, value, f"{fewest} or more; raise it")

    database, cache, backup = system.database, system.cache, system.backup
    days("database.backupDays", database.backup_days, _FEWEST_BACKUP_DAYS[tier])
    days("backup.dailyDays", backup.daily_days, _FEWEST_DAILY_DAYS[tier])
    if profile.durable:
        days("cache.backupDays", cache.backup_days, 1)
    if profile.highly_available:
        demand(
            database.highly_available,
            "database.highlyAvailable",
            False,
            "a standby; leave this out or set it to true",
        )
        demand(cache.replicas > 0, "cache.replicas", cache.replicas, "a replica that takes over; give 1 or more")
    if profile.recovery_copies:
        demand(database.copy_backups, "database.copyBackups", False, _COPIED)
        for name, store in system.stores.items():
            demand(store.replicate, f"stores.{name}.replicate", False, _COPIED)
        demand(backup.copied, "backup.copied", False, _COPIED)
    if profile.backup.locked:
        demand(backup.locked, "backup.locked", False, "a lock; leave this out or set it to true")
    if profile.backup.restore_tests:
        demand(backup.restore_tests, "backup.restoreTests", False, "tests; leave this out or set it to true")
    for name, service in system.services.items():
        path = f"services.{name}"
        if profile.highly_available:
            fewest = service.scaling.fewest if service.scaling else service.replicas
            where = f"{path}.scaling.fewest" if service.scaling else f"{path}.replicas"
            demand(fewest >= 2, where, fewest, "a replica that is left when one goes; give 2 or more")
        if profile.receivers and service.route:
            route = f"{path}.route.host"
            demand(service.route.host is not None, route, MISSING, "a host name, for its certificate; give one")
    demand(zones >= profile.zones, "zones", zones, f"{profile.zones} zones or more; name them")
    return found
