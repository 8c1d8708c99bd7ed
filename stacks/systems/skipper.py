"""Skipper: distributed agents under one control plane."""

from ..model import (
    Broker,
    Cache,
    Exchange,
    ExchangeKind,
    ObjectStore,
    Postgres,
    Queue,
    Secret,
    Service,
    System,
    Tier,
)
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
        services=_services(),
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


def _services() -> dict[str, Service]:
    return {
        "portal": Service(
            purpose="Web and API portal",
            database=True,
            cache=True,
            reads=("events",),
            secrets=("session-signing",),
        ),
        "user": Service(
            purpose="Signs users in and checks what they may do",
            database=True,
            cache=True,
            appends=("events",),
            secrets=("session-signing",),
            keeps_credentials=True,
        ),
        "scheduler": Service(
            purpose="Hands tasks to agents",
            database=True,
            cache=True,
            publishes=("commands",),
            appends=("events",),
            uses_credentials=True,
        ),
        "execution": Service(
            purpose="Follows tasks and collects results",
            database=True,
            consumes=("result",),
            appends=("events",),
        ),
        "error-handling": Service(
            purpose="Handles failures and retries",
            database=True,
            consumes=("error",),
            appends=("events",),
        ),
        "audit": Service(
            purpose="Tracks every operation for compliance",
            database=True,
            reads=("events",),
            appends=("events",),
        ),
        "telemetry": Service(
            purpose="Brings how local agents fare to the monitoring",
            consumes=("monitoring",),
            reports_metrics=True,
        ),
        "local-agent": Service(
            purpose="Executes tasks; talks to the broker alone",
            consumes=("command",),
            publishes=("agents",),
        ),
    }
