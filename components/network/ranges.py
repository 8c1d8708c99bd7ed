"""The range plan: which part of its block each purpose of a network on Google Cloud gets.

The block is cut into fixed places, so that no setting ever moves another one's range:

    half        pods        where a cluster's pods are
    eighth      nodes       where its machines are
    eighth      peered      where Google puts databases, by private services access
    sixteenth   services    where a cluster's services are
    sixteenth   endpoints   where caches are reached, by Private Service Connect
    sixteenth   proxies     where Google runs the proxies of regional load balancers
    sixteenth               free

A range may be given instead of its place, inside the block or anywhere else.
"""

import ipaddress
import itertools
from collections.abc import Callable, Mapping

from ..problems import Problem
from .subnets import parse_network

LARGEST, SMALLEST = 16, 20
"""Prefix lengths of a network: below /20 its pods and its peered range are too small for Google."""
SIZES = {
    "nodes": (9, 26),
    "pods": (9, 21),
    "services": (16, 27),
    "endpoints": (9, 28),
    "peered": (9, 24),
    "proxies": (9, 26),
}
"""The ranges by name, with the largest and the smallest that each may be. GKE bounds pods and services, Cloud SQL takes
a /24 of the peered range at a time, and a proxy-only subnet is /26 or larger."""
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "240.0.0.0/4")
"""The blocks that ranges may be taken from. All but the peered one, which is from the first three."""
PRIVATE_APIS, RESTRICTED_APIS = "199.36.153.8/30", "199.36.153.4/30"
"""Where a network reaches Google's APIs without the internet: all of them, or those that VPC Service Controls know."""
PODS_PER_NODE = 8, 256
"""The fewest and the most pods of a node that GKE lets one choose."""

_PLACES = {
    "pods": (1, 0),
    "nodes": (3, 4),
    "peered": (3, 5),
    "services": (4, 12),
    "endpoints": (4, 13),
    "proxies": (4, 14),
}
"""How many bits longer than the block's a place's prefix is, and which of those blocks it is."""
_RFC_1918 = PRIVATE[:3]
_DOCKER = "172.17.0.0/16"
_RESERVED = 4


class RangePlan:
    """The ranges of a network.

    Raises `ValueError`, with remedies, for what `range_problems` finds.
    """

    def __init__(
        self,
        cidr: str,
        nodes: str | None = None,
        pods: str | None = None,
        services: str | None = None,
        endpoints: str | None = None,
        peered: str | None = None,
        proxies: str | None = None,
    ):
        given = {
            "nodes": nodes,
            "pods": pods,
            "services": services,
            "endpoints": endpoints,
            "peered": peered,
            "proxies": proxies,
        }
        if problems := range_problems(cidr, given):
            raise ValueError("; ".join(map(str, problems)))
        places = _places(parse_network(cidr))
        blocks = {name: given[name] or str(place) for name, place in places.items()}
        self.cidr = cidr
        self.nodes = blocks["nodes"]
        self.pods = blocks["pods"]
        self.services = blocks["services"]
        self.endpoints = blocks["endpoints"]
        self.peered = blocks["peered"]
        self.proxies = blocks["proxies"]

    def most_nodes(self, pods_per_node: int) -> int:
        """How many nodes a cluster in these ranges can have."""
        return min(nodes_in(self.nodes), nodes_that_fit(self.pods, pods_per_node))


def range_problems(
    cidr: str, given: Mapping[str, str | None], path_of: Callable[[str], str] = lambda key: key
) -> list[Problem]:
    """What is wrong with a network's block and the ranges that are given instead of their places in it, by name.
    `path_of` says how the author of `cidr`, or of a range, spells it."""
    problems: list[Problem] = []
    blocks: dict[str, ipaddress.IPv4Network] = {}
    try:
        network = parse_network(cidr)
        _check_size(network, LARGEST, SMALLEST)
        _check_private(network, PRIVATE)
        blocks |= _places(network)
    except ValueError as error:
        problems.append(Problem(path_of("cidr"), cidr, str(error)))
    chosen = {name: block for name, block in given.items() if block is not None}
    for name, block in chosen.items():
        blocks.pop(name, None)
        try:
            range_ = parse_network(block)
            _check_size(range_, *SIZES[name])
            _check_private(range_, _RFC_1918 if name == "peered" else PRIVATE)
            blocks[name] = range_
        except ValueError as error:
            problems.append(Problem(path_of(name), block, str(error)))
    # The later one of two is at fault, and a place never is.
    order = sorted(blocks, key=lambda name: (name in chosen, list(SIZES).index(name)))
    for one, other in itertools.combinations(order, 2):
        if blocks[one].overlaps(blocks[other]):
            remedy = f"overlaps {path_of(one)}, which is {blocks[one]}; give a block apart from it"
            problems.append(Problem(path_of(other), str(blocks[other]), remedy))
    return problems


def range_for_pods_per_node(pods_per_node: int) -> int:
    """The prefix length of what GKE gives each node for its pods: twice as many addresses, up to the next power of two.

    Raises `ValueError`, with a remedy, for a number that GKE does not take.
    """
    fewest, most = PODS_PER_NODE
    if not fewest <= pods_per_node <= most:
        raise ValueError(f"give {fewest} to {most} pods")
    return 32 - (2 * pods_per_node - 1).bit_length()


def nodes_that_fit(pods_cidr: str, pods_per_node: int) -> int:
    """How many nodes find a block for their pods in the pod range."""
    spare = range_for_pods_per_node(pods_per_node) - parse_network(pods_cidr).prefixlen
    return 2**spare if spare >= 0 else 0


def nodes_in(nodes_cidr: str) -> int:
    """How many addresses a subnet of that block has for machines: Google keeps four. A private control plane and
    internal load balancers take theirs out of the same."""
    return parse_network(nodes_cidr).num_addresses - _RESERVED


def api_addresses(block: str) -> list[str]:
    """The addresses of a block, each on its own, as DNS records list them."""
    return [str(address) for address in parse_network(block)]


def _places(network: ipaddress.IPv4Network) -> dict[str, ipaddress.IPv4Network]:
    return {name: list(network.subnets(prefixlen_diff=bits))[place] for name, (bits, place) in _PLACES.items()}


def _check_size(block: ipaddress.IPv4Network, largest: int, smallest: int) -> None:
    if not largest <= block.prefixlen <= smallest:
        size = "too large" if block.prefixlen < largest else "too small"
        raise ValueError(f"{size}; give a block from /{largest} to /{smallest}")


def _check_private(block: ipaddress.IPv4Network, blocks: tuple[str, ...]) -> None:
    if not any(block.subnet_of(ipaddress.IPv4Network(each)) for each in blocks):
        raise ValueError(f"give a block within {', '.join(blocks[:-1])} or {blocks[-1]}")
    if block.overlaps(ipaddress.IPv4Network(_DOCKER)):
        raise ValueError(f"overlaps {_DOCKER}, which Docker uses inside Cloud SQL; give another block")
