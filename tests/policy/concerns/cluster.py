"""Clusters: in the sound stack, and the ways to break them."""

from ..breaking import Break, changed
from ..sketch import Sketch


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    sketch.add("aws:eks/nodeGroup:NodeGroup", "nodes", {"instanceTypes": ["t4g.medium", "t4g.large"]})


BREAKS: dict[str, list[Break]] = {
    "node-size": [changed("nodes", instanceTypes=["t4g.large", "m7g.12xlarge"])],
}
"""The ways to break the sound stack, by the rule that must notice."""
