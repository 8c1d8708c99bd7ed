"""The subnet plan: which block each subnet of a network gets.

The network is cut into fixed places, whatever zones it spans:

    half      private   8 slots, one a zone
    quarter   public    8 slots, one a zone
    quarter   data      8 slots, one a zone

A zone's slot is the letter that its name ends with (`a` is the first, `h` the eighth), so no edit of the list of
zones, in whatever order, ever moves another zone's subnets.
"""

import ipaddress
import re
from enum import Enum

SLOTS = "abcdefgh"
LARGEST, SMALLEST = 16, 20
"""Prefix lengths of a network: beyond /16 AWS has no VPC, and below /20 the zones get too small for their nodes."""

WIDEST_CLIENTS = 8
"""Prefix length of the widest block that is not most of the internet."""


class SubnetTier(Enum):
    """Where a subnet stands between the internet and the data."""

    PUBLIC = "public"
    """Reached from and reaching the internet: load balancers and NAT gateways."""
    PRIVATE = "private"
    """Reaching the internet through NAT only: nodes and tasks."""
    DATA = "data"
    """No way to the internet: databases, caches and brokers."""


class SubnetPlan:
    """The blocks of a network.

    Raises `ValueError`, with a remedy, for a block that is malformed or of the wrong size.
    """

    def __init__(self, cidr: str):
        self.network = parse_network(cidr)
        if not LARGEST <= self.network.prefixlen <= SMALLEST:
            size = "too large" if self.network.prefixlen < LARGEST else f"too small for {len(SLOTS)} zones"
            raise ValueError(f"{size}; give a block from /{LARGEST} to /{SMALLEST}")
        private, rest = self.network.subnets(prefixlen_diff=1)
        public, data = rest.subnets(prefixlen_diff=1)
        self._blocks = {SubnetTier.PRIVATE: private, SubnetTier.PUBLIC: public, SubnetTier.DATA: data}

    def block(self, tier: SubnetTier) -> str:
        """The block that holds all subnets of a tier, in zones of today and of tomorrow."""
        return str(self._blocks[tier])

    def subnet(self, tier: SubnetTier, zone: str) -> str:
        """The block of the tier's subnet in a zone."""
        slots = list(self._blocks[tier].subnets(prefixlen_diff=3))
        return str(slots[zone_slot(zone)])


def parse_network(cidr: str) -> ipaddress.IPv4Network:
    """The IPv4 block that the text names. Raises `ValueError`, with a remedy, where it names none."""
    try:
        return ipaddress.IPv4Network(cidr)
    except ValueError as error:
        try:
            aligned = ipaddress.IPv4Network(cidr, strict=False)
        except ValueError:
            raise ValueError("not an IPv4 block; write one like 10.20.0.0/16") from error
        raise ValueError(f"has host bits set; write {aligned}") from error


def zone_slot(zone: str) -> int:
    """The place of a zone in each tier. Raises `ValueError`, with a remedy, for a name without one."""
    match = re.fullmatch(r"[a-z]+(?:-[a-z]+)+-?\d+-?([a-h])", zone)
    if not match:
        raise ValueError(f"not an availability zone with a letter from {SLOTS[0]} to {SLOTS[-1]}")
    return SLOTS.index(match[1])


def client_block_problem(block: str) -> str | None:
    """What is wrong with a block from which a public endpoint may be reached, or None."""
    try:
        network = parse_network(block)
    except ValueError as error:
        return str(error)
    if network.prefixlen < WIDEST_CLIENTS:
        return f"is most of the internet; name your own addresses, in blocks of /{WIDEST_CLIENTS} or narrower"
    return None
