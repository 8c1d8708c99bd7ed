"""What a full Valkey does, in whatever cloud."""

from ..problems import one_of

EVICTIONS = (
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
)
"""The values of Valkey's `maxmemory-policy`."""


def eviction_problem(policy: str) -> str | None:
    """A rule for args: a policy that Valkey has."""
    return None if policy in EVICTIONS else one_of(EVICTIONS, policy)
