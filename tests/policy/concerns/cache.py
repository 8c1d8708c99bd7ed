"""Caches: in the sound stack, and the ways to break them."""

from ..breaking import Break, changed
from ..sketch import Sketch


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    sketch.add("aws:elasticache/replicationGroup:ReplicationGroup", "cache", {"nodeType": "cache.t4g.small"})


BREAKS: dict[str, list[Break]] = {
    "cache-size": [changed("cache", nodeType="cache.r7g.12xlarge")],
}
"""The ways to break the sound stack, by the rule that must notice."""
