"""Brokers: in the sound stack, and the ways to break them."""

from ..breaking import Break, changed
from ..sketch import Sketch


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    sketch.add("aws:mq/broker:Broker", "broker", {"hostInstanceType": "mq.t3.micro"})


BREAKS: dict[str, list[Break]] = {
    "broker-size": [changed("broker", hostInstanceType="mq.m5.4xlarge")],
}
"""The ways to break the sound stack, by the rule that must notice."""
