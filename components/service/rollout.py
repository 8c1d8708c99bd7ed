"""How a new version of a service takes the place of the one before."""

from enum import Enum
from typing import Any


class Rollout(Enum):
    """How a new version takes over."""

    ROLLING = "rolling"
    """A few new pods at a time; as many old ones leave as new ones are ready, so that there are never too few."""


_SURGE_PERCENT = 25
_WAVES = 100 // _SURGE_PERCENT
"""How often new pods are waited for, at most, until all are new."""


def strategy(rollout: Rollout, startup_seconds: int) -> dict[str, Any]:
    """What a Deployment says about it, whose pods have so long to start."""
    match rollout:
        case Rollout.ROLLING:
            surge = f"{_SURGE_PERCENT}%"
            way = {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": surge}}
    return {
        "strategy": way,
        # A pod that fails right after its start stops the rollout.
        "min_ready_seconds": 10,
        # Its image has to come too, and maybe a node. Then Kubernetes says why, before Pulumi gives up.
        "progress_deadline_seconds": startup_seconds + 300,
        "revision_history_limit": 5,
    }


def patience(startup_seconds: int) -> int:
    """Seconds that Pulumi waits for it; by itself it would give up after 600."""
    return max(600, _WAVES * (startup_seconds + 60))
