"""Skipper: distributed agents under one control plane."""

from functools import partial

from ..model import (
    Broker,
    Cache,
    Exchange,
    ExchangeKind,
    Migrations,
    ObjectStore,
    Postgres,
    Queue,
    Route,
    Secret,
    Service,
    System,
    Tier,
)
from ..tiers import PROFILES, Running

_VERSION = "v1.0.0"
"""Tag of the images."""


def skipper(tier: Tier) -> System:
    """Skipper at a tier: what its control plane and its local agents need."""
    profile = PROFILES[tier]
    return System(
        name="skipper",
        title="Distributed agents under one control plane",
        registry="ghcr.io/example/skipper",
        log_level=profile.running.log_level,
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
        broker=_broker(),
        cache=Cache(
            size=profile.cache_size,
            replicas=profile.cache_replicas,
            backup_days=7 if profile.durable else 0,
        ),
        stores={
            "events": ObjectStore(
                purpose="Audit events, for ever",
                replicate=profile.recovery_copies,
            ),
        },
        secrets={"session-signing": Secret(purpose="Signs the sessions of users who have signed in")},
        services=_services(profile.running),
        nodes=profile.nodes,
        backup=profile.backup,
    )


def _broker() -> Broker:
    """The four flows. Commands go to agents by what they are; what agents say comes back through one exchange."""
    return Broker(
        exchanges={"commands": Exchange(), "agents": Exchange(kind=ExchangeKind.DIRECT)},
        queues={
            "command": Queue(purpose="Tasks for local agents", exchange="commands"),
            "result": Queue(purpose="What tasks have come to", exchange="agents", routing_key="result"),
            "monitoring": Queue(
                purpose="How local agents fare",
                exchange="agents",
                routing_key="monitoring",
                keep_days=1,
                backlog=10_000,
            ),
            "error": Queue(
                purpose="What went wrong with tasks",
                exchange="agents",
                routing_key="error",
                backlog=100,
            ),
        },
    )


def _services(running: Running) -> dict[str, Service]:
    service = partial(
        Service,
        version=_VERSION,
        replicas=running.replicas,
        scaling=running.scaling,
        resources=running.resources,
        disruption_budget=running.disruption_budget,
    )
    # A command goes from the portal through whoever signs users in to the scheduler, and from there to the agents.
    return {
        "portal": service(
            purpose="Web and API portal",
            image="portal",
            port=8000,
            route=Route(),
            migrations=Migrations(up=("alembic", "upgrade", "head"), down=("alembic", "downgrade", "-1")),
            calls=("user",),
            database=True,
            cache=True,
            reads=("events",),
            secrets=("session-signing",),
        ),
        "user": service(
            purpose="Signs users in and checks what they may do",
            image="user",
            calls=("scheduler",),
            database=True,
            cache=True,
            appends=("events",),
            secrets=("session-signing",),
            keeps_credentials=True,
        ),
        "scheduler": service(
            purpose="Hands tasks to agents",
            image="scheduler",
            database=True,
            cache=True,
            publishes=("commands",),
            appends=("events",),
            uses_credentials=True,
        ),
        "execution": service(
            purpose="Follows tasks and collects results",
            image="execution",
            database=True,
            consumes=("result",),
            appends=("events",),
        ),
        "error-handling": service(
            purpose="Handles failures and retries",
            image="error-handling",
            calls=("scheduler",),
            database=True,
            consumes=("error",),
            appends=("events",),
        ),
        "audit": service(
            purpose="Tracks every operation for compliance",
            image="audit",
            database=True,
            reads=("events",),
            appends=("events",),
        ),
        "telemetry": service(
            purpose="Brings how local agents fare to the monitoring",
            image="telemetry",
            consumes=("monitoring",),
            reports_metrics=True,
        ),
        "local-agent": service(
            purpose="Executes tasks; talks to the broker alone",
            image="local-agent",
            consumes=("command",),
            publishes=("agents",),
        ),
    }
