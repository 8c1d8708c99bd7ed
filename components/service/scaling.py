"""How a service follows its load."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

from ..problems import Problem

_DEFAULT_PERCENT = 80


class PodScaling(TypedDict):
    """How many pods there are, out of how busy they are."""

    fewest: int
    """Pods that are always there, 1 or more."""
    most: int
    """Pods that there may be."""
    cpu_percent: NotRequired[int]
    """Use of the CPUs that the pods are sure of, 1 to 100, above which there are more. Default: 80."""
    memory_percent: NotRequired[int]
    """Use of the memory that the pods are sure of, 1 to 100, above which there are more. Default: 80."""


def scaling_problems(scaling: PodScaling, path: str) -> Iterator[Problem]:
    """What is wrong with numbers that stand at the path."""
    if scaling["fewest"] < 1:
        yield Problem(f"{path}.fewest", scaling["fewest"], "give 1 or more; nothing would measure the load of none")
    if scaling["most"] < scaling["fewest"]:
        yield Problem(f"{path}.most", scaling["most"], f"give `fewest`, which is {scaling['fewest']}, or more")
    for key in ("cpu_percent", "memory_percent"):
        percent = scaling.get(key, _DEFAULT_PERCENT)
        if not 1 <= percent <= 100:
            yield Problem(f"{path}.{key}", percent, "give 1 to 100 percent")


def autoscaler(scaling: PodScaling, deployment: Any) -> dict[str, Any]:
    """What an autoscaler of a Deployment says: it adds pods at once, and takes them away slowly."""
    targets = {
        "cpu": scaling.get("cpu_percent", _DEFAULT_PERCENT),
        "memory": scaling.get("memory_percent", _DEFAULT_PERCENT),
    }
    return {
        "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": deployment},
        "min_replicas": scaling["fewest"],
        "max_replicas": scaling["most"],
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": name, "target": {"type": "Utilization", "average_utilization": percent}},
            }
            for name, percent in targets.items()
        ],
        "behavior": {
            "scale_up": {
                "stabilization_window_seconds": 0,
                "select_policy": "Max",
                "policies": [
                    {"type": "Percent", "value": 100, "period_seconds": 15},
                    {"type": "Pods", "value": 4, "period_seconds": 15},
                ],
            },
            "scale_down": {
                # The highest number that the last five minutes asked for.
                "stabilization_window_seconds": 300,
                "select_policy": "Max",
                "policies": [
                    {"type": "Percent", "value": 10, "period_seconds": 60},
                    {"type": "Pods", "value": 1, "period_seconds": 60},
                ],
            },
        },
    }
