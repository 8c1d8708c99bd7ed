"""Property tests of the subnet plan."""

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.network.subnets import LARGEST, SLOTS, SMALLEST, SubnetPlan, SubnetTier, zone_slot

ZONES = [f"eu-central-1{letter}" for letter in SLOTS]


@st.composite
def networks(draw: st.DrawFn) -> str:
    prefix = draw(st.integers(LARGEST, SMALLEST))
    number = draw(st.integers(0, 2**prefix - 1))
    return str(ipaddress.IPv4Network((number << (32 - prefix), prefix)))


@given(networks())
def test_subnets_lie_in_their_network_and_never_overlap(cidr: str) -> None:
    plan = SubnetPlan(cidr)
    subnets = [ipaddress.IPv4Network(plan.subnet(tier, zone)) for tier in SubnetTier for zone in ZONES]
    assert all(subnet.subnet_of(ipaddress.IPv4Network(cidr)) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(subnets, 2))


@given(networks())
def test_a_tiers_block_holds_its_subnets_and_no_other(cidr: str) -> None:
    plan = SubnetPlan(cidr)
    for tier, zone, other in itertools.product(SubnetTier, ZONES, SubnetTier):
        inside = ipaddress.IPv4Network(plan.subnet(other, zone)).subnet_of(ipaddress.IPv4Network(plan.block(tier)))
        assert inside == (tier is other)


@given(networks())
def test_every_subnet_is_one_that_aws_makes_and_large_enough_for_nodes(cidr: str) -> None:
    plan = SubnetPlan(cidr)
    for zone in ZONES:
        assert ipaddress.IPv4Network(plan.subnet(SubnetTier.PRIVATE, zone)).prefixlen <= 24
        assert ipaddress.IPv4Network(plan.subnet(SubnetTier.PUBLIC, zone)).prefixlen <= 25
        assert ipaddress.IPv4Network(plan.subnet(SubnetTier.DATA, zone)).prefixlen <= 25


@given(networks(), st.permutations(ZONES), st.integers(2, 8))
def test_no_edit_of_the_zones_moves_a_subnet(cidr: str, zones: list[str], count: int) -> None:
    """A zone's block depends on that zone alone, whatever stands before it or is added."""
    plan = SubnetPlan(cidr)
    before = {zone: plan.subnet(SubnetTier.PRIVATE, zone) for zone in zones[:count]}
    after = {zone: plan.subnet(SubnetTier.PRIVATE, zone) for zone in reversed(zones)}
    assert before.items() <= after.items()


def test_the_blocks_of_a_network_stay_where_they_are() -> None:
    """Addresses of networks that exist: another plan would replace every subnet of every environment."""
    plan = SubnetPlan("10.20.0.0/16")
    assert [plan.subnet(tier, "eu-central-1b") for tier in SubnetTier] == [
        "10.20.136.0/21",
        "10.20.16.0/20",
        "10.20.200.0/21",
    ]


@pytest.mark.parametrize(
    ("cidr", "remedy"),
    [
        ("10.20.0.0", "too small for 8 zones; give a block from /16 to /20"),
        ("10.20.0.0/24", "too small for 8 zones; give a block from /16 to /20"),
        ("10.0.0.0/8", "too large; give a block from /16 to /20"),
        ("10.20.1.0/16", "has host bits set; write 10.20.0.0/16"),
        ("10.20.0.0/33", "not an IPv4 block; write one like 10.20.0.0/16"),
        ("ten", "not an IPv4 block; write one like 10.20.0.0/16"),
    ],
)
def test_an_unfit_block_is_refused_with_a_remedy(cidr: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy.replace("/", "/")) as caught:
        SubnetPlan(cidr)
    assert str(caught.value) == remedy


@pytest.mark.parametrize("zone", ["us-east-1", "us-east-1-bos-1a", "us-west-2-wl1-las-wlz-1", "eu-central-1z", "a"])
def test_a_zone_without_a_slot_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="not an availability zone with a letter from a to h"):
        zone_slot(zone)


@pytest.mark.parametrize(("zone", "slot"), [("us-east-1f", 5), ("us-gov-west-1a", 0), ("europe-west1-d", 3)])
def test_a_zones_slot_is_its_letter_on_both_clouds(zone: str, slot: int) -> None:
    assert zone_slot(zone) == slot
