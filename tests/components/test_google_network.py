"""The network on Google Cloud: its ranges, what it is made of, and its firewall policy."""

import ipaddress
import itertools
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.network.firewall import HEALTH_CHECKS, FirewallDirection, GcpFirewallPolicy
from components.network.gcp import GcpNetwork
from components.network.ranges import (
    SIZES,
    RangePlan,
    nodes_in,
    nodes_that_fit,
    range_for_pods_per_node,
    range_problems,
)
from components.problems import InputError
from policy.catalogue import judge
from preview.plan import Plan
from preview.project import PreviewError

from ..support import known, one, planned, providers, recorded, remedies
from .examples.google_network import FIREWALL, FULL, NETWORK

VPC = "gcp:compute/network:Network"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
NAT = "gcp:compute/routerNat:RouterNat"
CONNECTION = "gcp:servicenetworking/connection:Connection"
ADMISSION = "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy"
ZONE = "gcp:dns/managedZone:ManagedZone"
RECORD = "gcp:dns/recordSet:RecordSet"
RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
ASSOCIATION = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"
NETWORK_ID = "projects/plinth-123456/global/networks/net-1234567"
OPEN: dict[str, Any] = {
    "priority": 2000,
    "direction": "INGRESS",
    "ranges": ["10.0.0.0/8"],
    "ports": {"tcp": ["443", "8000-8999"], "icmp": []},
}


def network(**changes: Any) -> Plan:
    return planned(lambda opts: GcpNetwork("net", {**NETWORK, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(name: str = "net", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpNetwork(name, {**NETWORK, **changes}))  # pyright: ignore[reportArgumentType]


def outputs(plan: Plan, kind: str) -> dict[str, Any]:
    return next(each for each in plan.resources if each.type == f"plinth:index:{kind}").outputs


def firewall(**rules: Any) -> Plan:
    args: Any = {**FIREWALL, "rules": rules}
    return planned(lambda opts: GcpFirewallPolicy("wall", args, opts))


def refused_rules(**rules: Any) -> dict[str, str]:
    return remedies(lambda: GcpFirewallPolicy("wall", {**FIREWALL, "rules": rules}))


def waiting(plan: Plan, output: str) -> set[str]:
    """The types of what an address waits for that is made with an output of the network."""

    def program() -> None:
        options = pulumi.ResourceOptions(providers=providers())
        made = GcpNetwork("net", NETWORK, options)
        gcp.compute.GlobalAddress("user", network=getattr(made, output), opts=options)

    plan = recorded(program, answer=known).plan
    user = next(each for each in plan.resources if each.name == "user")
    return {plan.resource(urn).type for urn in plan.waits_for(user.urn)}


# Ranges


@st.composite
def blocks(draw: st.DrawFn) -> str:
    prefix = draw(st.integers(16, 20))
    number = draw(st.integers(0, 2 ** (prefix - 8) - 1))
    return str(ipaddress.IPv4Network(((10 << 24) + (number << (32 - prefix)), prefix)))


@given(blocks())
def test_every_purpose_has_a_place_of_its_own_in_the_block(cidr: str) -> None:
    plan = RangePlan(cidr)
    places = [ipaddress.IPv4Network(getattr(plan, name)) for name in SIZES]
    assert all(place.subnet_of(ipaddress.IPv4Network(cidr)) for place in places)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(places, 2))


@given(blocks())
def test_every_place_has_a_size_that_google_takes(cidr: str) -> None:
    plan = RangePlan(cidr)
    for name, (largest, smallest) in SIZES.items():
        assert largest <= ipaddress.IPv4Network(getattr(plan, name)).prefixlen <= smallest


def test_the_ranges_of_a_network_stay_where_they_are() -> None:
    """Addresses of networks that exist: another plan would replace every subnet of every environment."""
    assert vars(RangePlan("10.20.0.0/16")) == {
        "cidr": "10.20.0.0/16",
        "pods": "10.20.0.0/17",
        "nodes": "10.20.128.0/19",
        "peered": "10.20.160.0/19",
        "services": "10.20.192.0/20",
        "endpoints": "10.20.208.0/20",
        "proxies": "10.20.224.0/20",
    }


def test_a_given_range_moves_no_other_one() -> None:
    before, after = vars(RangePlan("10.20.0.0/16")), vars(RangePlan("10.20.0.0/16", pods="100.64.0.0/14"))
    assert after == {**before, "pods": "100.64.0.0/14"}
    assert vars(RangePlan("10.20.0.0/16", services="10.20.240.0/24"))["services"] == "10.20.240.0/24"


@pytest.mark.parametrize(
    ("cidr", "given_", "path", "remedy"),
    [
        ("ten", {}, "cidr", "not an IPv4 block; write one like 10.20.0.0/16"),
        ("10.20.1.0/16", {}, "cidr", "has host bits set; write 10.20.0.0/16"),
        ("10.0.0.0/8", {}, "cidr", "too large; give a block from /16 to /20"),
        ("10.0.0.0/21", {}, "cidr", "too small; give a block from /16 to /20"),
        ("8.8.0.0/16", {}, "cidr", "give a block within 10.0.0.0/8, "),
        ("172.17.0.0/16", {}, "cidr", "overlaps 172.17.0.0/16, which Docker uses inside Cloud SQL"),
        ("10.20.0.0/16", {"pods": "100.64.0.0/22"}, "pods", "too small; give a block from /9 to /21"),
        ("10.20.0.0/16", {"services": "10.30.0.0/15"}, "services", "too large; give a block from /16 to /27"),
        ("10.20.0.0/16", {"peered": "10.30.0.0/25"}, "peered", "too small; give a block from /9 to /24"),
        ("10.20.0.0/16", {"nodes": "10.30.0.1/20"}, "nodes", "has host bits set; write 10.30.0.0/20"),
        ("10.20.0.0/16", {"peered": "100.64.0.0/20"}, "peered", "10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"),
        ("10.20.0.0/16", {"pods": "10.20.128.0/20"}, "pods", "overlaps nodes, which is 10.20.128.0/19"),
        (
            "10.20.0.0/16",
            {"pods": "100.64.0.0/14", "endpoints": "100.64.1.0/24"},
            "endpoints",
            "overlaps pods, which is 100.64.0.0/14; give a block apart from it",
        ),
    ],
)
def test_unfit_ranges_are_refused_with_a_remedy(cidr: str, given_: dict[str, str], path: str, remedy: str) -> None:
    [problem] = range_problems(cidr, given_)
    assert problem.path == path
    assert remedy in problem.remedy
    with pytest.raises(ValueError, match=r"give|write"):
        RangePlan(cidr, **given_)


def test_problems_are_all_told_and_spelled_as_their_author_does() -> None:
    found = range_problems("10.20.0.0/16", {"pods": "x", "nodes": "10.20.192.0/20"}, lambda key: f"gcp.ranges.{key}")
    assert [problem.path for problem in found] == ["gcp.ranges.pods", "gcp.ranges.nodes"]
    assert "overlaps gcp.ranges.services" in found[1].remedy


@pytest.mark.parametrize(
    ("pods", "prefix"), [(8, 28), (9, 27), (16, 27), (32, 26), (64, 25), (65, 24), (110, 24), (128, 24), (256, 23)]
)
def test_a_node_gets_twice_as_many_addresses_as_pods(pods: int, prefix: int) -> None:
    assert range_for_pods_per_node(pods) == prefix


def test_how_many_nodes_there_can_be() -> None:
    assert nodes_that_fit("10.0.0.0/17", 110) == 128
    assert nodes_that_fit("10.0.0.0/17", 32) == 512
    assert nodes_that_fit("10.0.0.0/25", 110) == 0
    assert nodes_in("10.0.0.0/24") == 252
    assert RangePlan("10.0.0.0/16").most_nodes(110) == 128
    assert RangePlan("10.0.0.0/16", nodes="10.1.0.0/26").most_nodes(110) == 60
    for pods in (7, 257):
        with pytest.raises(ValueError, match="give 8 to 256 pods"):
            range_for_pods_per_node(pods)


# The network


def test_subnets_have_their_ranges_and_the_cluster_its_named_ones() -> None:
    plan = network(proxies=True)
    assert {each.name: each.inputs["ipCidrRange"] for each in plan.of_type(SUBNET)} == {
        "net-nodes": "10.20.128.0/19",
        "net-endpoints": "10.20.208.0/20",
        "net-proxies": "10.20.224.0/20",
    }
    assert one(plan, SUBNET, "net-nodes")["secondaryIpRanges"] == [
        {"rangeName": "pods", "ipCidrRange": "10.20.0.0/17"},
        {"rangeName": "services", "ipCidrRange": "10.20.192.0/20"},
    ]
    made = outputs(plan, "GcpNetwork")
    assert (made["podRangeName"], made["serviceRangeName"]) == ("pods", "services")
    assert (made["nodeRange"], made["peeredRange"]) == ("10.20.128.0/19", "10.20.160.0/19")


def test_the_network_has_no_subnets_that_nobody_asked_for() -> None:
    vpc = one(network(), VPC)
    assert vpc["autoCreateSubnetworks"] is False
    assert (vpc["routingMode"], vpc["mtu"]) == ("REGIONAL", 1460)
    assert one(network(global_routing=True), VPC)["routingMode"] == "GLOBAL"


def test_the_rules_that_gke_writes_come_before_the_policy() -> None:
    assert one(network(), VPC)["networkFirewallPolicyEnforcementOrder"] == "AFTER_CLASSIC_FIREWALL"


def test_subnets_log_every_flow_and_reach_google_privately() -> None:
    for each in network().of_type(SUBNET):
        assert each.inputs["privateIpGoogleAccess"] is True
        assert each.inputs["logConfig"] == {
            "aggregationInterval": "INTERVAL_5_SEC",
            "flowSampling": 1.0,
            "metadata": "INCLUDE_ALL_METADATA",
        }


def test_a_subnet_of_proxies_has_what_google_takes_there() -> None:
    assert not [each for each in network().of_type(SUBNET) if "purpose" in each.inputs]
    proxies = one(network(proxies=True), SUBNET, "net-proxies")
    assert (proxies["purpose"], proxies["role"]) == ("REGIONAL_MANAGED_PROXY", "ACTIVE")
    assert not {"logConfig", "privateIpGoogleAccess"} & set(proxies)


def test_only_the_nodes_subnet_has_a_way_out_which_is_logged() -> None:
    nat = one(network(), NAT)
    assert nat["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
    nodes = "projects/plinth-123456/regions/europe-west3/subnetworks/net-nodes-1234567"
    assert nat["subnetworks"] == [{"name": nodes, "sourceIpRangesToNats": ["ALL_IP_RANGES"]}]
    assert nat["logConfig"] == {"enable": True, "filter": "ALL"}


def test_ports_are_given_out_as_they_are_needed() -> None:
    nat = one(network(), NAT)
    assert nat["enableDynamicPortAllocation"] is True
    assert nat["enableEndpointIndependentMapping"] is False  # Google refuses both together
    for ports in (nat["minPortsPerVm"], nat["maxPortsPerVm"]):
        assert ports >= 32
        assert ports.bit_count() == 1


def test_google_picks_nat_addresses_unless_some_are_reserved() -> None:
    plan = network()
    assert one(plan, NAT)["natIpAllocateOption"] == "AUTO_ONLY"
    assert "natIps" not in one(plan, NAT)
    assert outputs(plan, "GcpNetwork")["natAddresses"] == []
    plan = network(nat_addresses=2)
    nat = one(plan, NAT)
    assert nat["natIpAllocateOption"] == "MANUAL_ONLY"
    assert nat["natIps"] == ["addresses/net-nat-1-1234567", "addresses/net-nat-2-1234567"]
    assert "autoNetworkTier" not in nat
    assert outputs(plan, "GcpNetwork")["natAddresses"] == ["192.0.2.10", "192.0.2.10"]


def test_another_nat_address_replaces_none() -> None:
    def addresses(plan: Plan) -> dict[str, Any]:
        return {each.urn: each.inputs for each in plan.of_type("gcp:compute/address:Address")}

    assert addresses(network(nat_addresses=1)).items() <= addresses(network(nat_addresses=3)).items()


def test_without_nat_there_is_no_router() -> None:
    plan = network(nat=False)
    assert not plan.of_type(NAT, "gcp:compute/router:Router", "gcp:compute/address:Address")
    assert outputs(plan, "GcpNetwork")["natAddresses"] == []


def test_a_destroy_is_not_blocked_by_what_google_keeps_of_databases() -> None:
    plan = network()
    connection = one(plan, CONNECTION)
    assert connection["deletionPolicy"] == "REMOVE_PEERING"
    assert connection["reservedPeeringRanges"] == ["net-peered-1234567"]
    block = one(plan, "gcp:compute/globalAddress:GlobalAddress")
    assert (block["purpose"], block["addressType"]) == ("VPC_PEERING", "INTERNAL")
    assert (block["address"], block["prefixLength"]) == ("10.20.160.0", 19)


def test_services_place_endpoints_in_their_own_subnet() -> None:
    plan = network(service_classes=["gcp-memorystore", "google-cloud-sql"])
    admitted = {each.inputs["serviceClass"]: each.inputs for each in plan.of_type(ADMISSION)}
    assert set(admitted) == {"gcp-memorystore", "google-cloud-sql"}
    subnet = "projects/plinth-123456/regions/europe-west3/subnetworks/net-endpoints-1234567"
    assert all(each["pscConfig"] == {"subnetworks": [subnet]} for each in admitted.values())
    assert all(each["location"] == "europe-west3" for each in admitted.values())


def test_what_needs_a_way_in_waits_for_it() -> None:
    plan = network()
    assert outputs(plan, "GcpNetwork")["peered"] == outputs(plan, "GcpNetwork")["endpoints"] == NETWORK_ID
    assert CONNECTION in waiting(plan, "peered")
    assert ADMISSION in waiting(plan, "endpoints")
    assert {NAT, RECORD} <= waiting(plan, "node_subnet_id")
    assert not {CONNECTION, ADMISSION, NAT} & waiting(plan, "network_id")


def test_without_peering_the_network_is_not_waited_for() -> None:
    plan = network(peering=False, service_classes=[])
    assert not plan.of_type(CONNECTION, ADMISSION, "gcp:compute/globalAddress:GlobalAddress")
    assert outputs(plan, "GcpNetwork")["peered"] == NETWORK_ID


@pytest.mark.parametrize(
    ("restricted", "name", "first", "block"),
    [
        (False, "private.googleapis.com.", "199.36.153.8", "199.36.153.8/30"),
        (True, "restricted.googleapis.com.", "199.36.153.4", "199.36.153.4/30"),
    ],
)
def test_google_is_called_by_private_addresses(restricted: bool, name: str, first: str, block: str) -> None:
    plan = network(restricted=restricted)
    records = {each.inputs["name"]: each.inputs for each in plan.of_type(RECORD)}
    assert (records[name]["type"], records["*.googleapis.com."]["type"]) == ("A", "CNAME")
    assert records["*.googleapis.com."]["rrdatas"] == [name]
    for domain in ("gcr.io.", "pkg.dev.", "gke.goog."):
        assert records[domain]["rrdatas"] == records[name]["rrdatas"]
        assert records[f"*.{domain}"]["rrdatas"] == [domain]
    assert len(records[name]["rrdatas"]) == 4
    assert records[name]["rrdatas"][0] == first
    assert outputs(plan, "GcpNetwork")["apiRange"] == block


def test_the_private_names_are_for_this_network_alone() -> None:
    zones = network().of_type(ZONE)
    assert len(zones) == 4
    for zone in zones:
        assert zone.inputs["visibility"] == "private"
        assert zone.inputs["privateVisibilityConfig"] == {"networks": [{"networkUrl": NETWORK_ID}]}


def test_queries_are_logged() -> None:
    queries = one(network(), "gcp:dns/policy:Policy")
    assert queries["enableLogging"] is True
    assert queries["networks"] == [{"networkUrl": NETWORK_ID}]


def test_blocks_may_be_outputs_and_are_checked_when_known() -> None:

    def later(cidr: str, pods: str) -> Plan:
        def make(opts: pulumi.ResourceOptions) -> None:
            blocks = pulumi.Output.from_input({"cidr": cidr, "pods": pods})
            GcpNetwork("net", {**NETWORK, "cidr": blocks["cidr"], "ranges": {"pods": blocks["pods"]}}, opts)

        return planned(make)

    subnets = later("10.20.0.0/16", "100.64.0.0/14").of_type(SUBNET)
    assert [each.inputs for each in subnets] == [
        each.inputs for each in network(ranges={"pods": "100.64.0.0/14"}).of_type(SUBNET)
    ]
    with pytest.raises(PreviewError, match=r"cidr=10\.20\.0\.0/24: too small"):
        later("10.20.0.0/24", "100.64.0.0/14")


def test_bad_args_are_refused_before_anything_is_made() -> None:
    found = refused(cidr="10.20.0.0/24", ranges={"pods": "x"}, nat=False, nat_addresses=1)
    assert "too small" in found["cidr"]
    assert "not an IPv4 block" in found["ranges.pods"]
    assert found["nat_addresses"] == "there is no NAT; leave it out, or set `nat`"
    assert refused(mtu=1200)["mtu"] == "give 1300 to 8896 bytes"
    assert refused(nat_addresses=51)["nat_addresses"] == "give 0 to 50 addresses"
    assert "above 0 and up to 1" in refused(flow_log_sampling=0.0)["flow_log_sampling"]
    assert "choose one of INTERVAL_5_SEC" in refused(flow_log_interval="1m")["flow_log_interval"]
    assert "gcp-memorystore" in refused(service_classes=["Valkey"])["service_classes"]
    assert refused(service_classes=["a-b", "a-b"])["service_classes"] == "a-b: give each once"
    assert "write domains like pkg.dev" in refused(api_domains=["pkg.dev."])["api_domains"]
    assert "region" in refused(scope={**NETWORK["scope"], "region": "Frankfurt"})["scope"]


def test_a_name_leaves_room_for_what_is_named_after_it() -> None:
    assert refused("n" * 40)["name"] == "40 characters; use 39 or fewer"
    assert refused("n" * 39, service_classes=["google-cloud-sql"])["name"] == "39 characters; use 38 or fewer"
    assert "small letters" in refused("Net")["name"]


# The firewall


def test_a_rule_says_all_that_it_opens() -> None:
    rule = one(firewall(web={**OPEN, "service_accounts": ["nodes@example.test"]}), RULE, "wall-web")
    assert (rule["ruleName"], rule["priority"], rule["direction"], rule["action"]) == ("web", 2000, "INGRESS", "allow")
    assert rule["match"] == {
        "srcIpRanges": ["10.0.0.0/8"],
        "layer4Configs": [{"ipProtocol": "tcp", "ports": ["443", "8000-8999"]}, {"ipProtocol": "icmp"}],
    }
    assert rule["targetServiceAccounts"] == ["nodes@example.test"]
    assert rule["enableLogging"] is True


def test_an_egress_rule_is_about_where_calls_go() -> None:
    match = one(firewall(web={**OPEN, "direction": FirewallDirection.EGRESS}), RULE, "wall-web")["match"]
    assert match["destIpRanges"] == ["10.0.0.0/8"]
    assert "srcIpRanges" not in match


def test_what_no_rule_names_is_denied_both_ways_and_logged() -> None:
    plan = firewall(web=OPEN)
    for direction, side in (("INGRESS", "srcIpRanges"), ("EGRESS", "destIpRanges")):
        last = one(plan, RULE, f"wall-deny-{direction.lower()}")
        assert (last["action"], last["direction"], last["enableLogging"]) == ("deny", direction, True)
        assert last["match"] == {side: ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]}
        assert last["priority"] > 2_147_483_545
    numbers = [each.inputs["priority"] for each in plan.of_type(RULE)]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) == 2_147_483_547, "Google has its own rules below"


def test_another_rule_changes_none_that_was_there() -> None:
    def rules(plan: Plan) -> dict[str, Any]:
        return {each.urn: each.inputs for each in plan.of_type(RULE)}

    before, after = rules(firewall(web=OPEN)), rules(firewall(api={**OPEN, "priority": 1}, web=OPEN))
    assert before.items() <= after.items()


def test_the_policy_is_in_force_only_with_all_its_rules() -> None:
    plan = firewall(web=OPEN)
    waits = {plan.resource(urn).name for urn in plan.waits_for(plan.of_type(ASSOCIATION)[0].urn)}
    assert {"wall-web", "wall-deny-ingress", "wall-deny-egress"} <= waits


def test_what_there_can_be_one_of_leaves_before_its_successor_comes() -> None:
    alone = [firewall(web=OPEN).of_type(ASSOCIATION)[0], network(proxies=True).of_type(SUBNET)[-1]]
    assert [each.options.get("deleteBeforeReplace") for each in alone] == [True, True]


def test_the_network_is_known_once_it_is_guarded() -> None:

    def program() -> None:
        options = pulumi.ResourceOptions(providers=providers())
        wall = GcpFirewallPolicy("wall", FIREWALL, options)
        gcp.compute.GlobalAddress("user", network=wall.network_id, opts=options)

    plan = recorded(program, answer=known).plan
    user = next(each for each in plan.resources if each.name == "user")
    assert user.inputs["network"] == FIREWALL["network_id"]
    assert ASSOCIATION in {plan.resource(urn).type for urn in plan.waits_for(user.urn)}


def test_the_internet_comes_in_only_where_that_is_said() -> None:
    for block in ("0.0.0.0/0", "128.0.0.0/1"):
        remedy = refused_rules(web={**OPEN, "ranges": [block]})["rules.web.ranges[0]"]
        assert "lets the internet in" in remedy
        assert "`from_internet`" in remedy
    assert firewall(web={**OPEN, "ranges": ["0.0.0.0/0"], "from_internet": True})
    assert firewall(checks={**OPEN, "ranges": list(HEALTH_CHECKS)})
    assert firewall(out={**OPEN, "direction": "EGRESS", "ranges": ["0.0.0.0/0"]})
    assert firewall(none={**OPEN, "ranges": ["0.0.0.0/0"], "deny": True})


def test_a_range_that_is_not_known_yet_is_checked_when_it_is() -> None:

    def later(block: str) -> Plan:
        def make(opts: pulumi.ResourceOptions) -> None:
            rule: Any = {**OPEN, "ranges": [pulumi.Output.from_input(block)]}
            GcpFirewallPolicy("wall", {**FIREWALL, "rules": {"web": rule}}, opts)

        return planned(make)

    assert one(later("10.0.0.0/8"), RULE, "wall-web")["match"]["srcIpRanges"] == ["10.0.0.0/8"]
    with pytest.raises(PreviewError, match=r"rules\.web\.ranges\[0\]=0\.0\.0\.0/0: lets the internet in"):
        later("0.0.0.0/0")


@pytest.mark.parametrize("ports", [None, {"tcp": []}, {"tcp": ["1-65535"]}])
def test_every_port_is_open_only_where_that_is_said(ports: dict[str, list[str]] | None) -> None:
    rule = {**OPEN, "ports": ports} if ports else {key: value for key, value in OPEN.items() if key != "ports"}
    [remedy] = refused_rules(web=rule).values()
    assert "or set `all_ports`" in remedy
    assert firewall(web={**rule, "all_ports": True})
    assert firewall(web={**rule, "deny": True})


def test_without_ports_a_rule_is_about_everything() -> None:
    rule = {"priority": 1, "direction": "EGRESS", "ranges": ["10.0.0.0/8"], "all_ports": True}
    match = one(firewall(inside=rule), RULE, "wall-inside")["match"]
    assert match["layer4Configs"] == [{"ipProtocol": "all"}]


def test_bad_rules_are_refused_together() -> None:
    found = refused_rules(
        one=OPEN,
        two=OPEN,
        three={**OPEN, "priority": 2_147_483_546},
        four={**OPEN, "priority": 4, "ranges": []},
        five={**OPEN, "priority": 5, "ranges": ["10.0.0.1/8"]},
        six={**OPEN, "priority": 6, "ports": {"tcp": ["70000"]}},
        seven={**OPEN, "priority": 7, "ports": {"http": ["80"]}},
        eight={**OPEN, "priority": 8, "ports": {"icmp": ["80"]}},
        nine={**OPEN, "priority": 9, "service_accounts": ["a@example.test"] * 11},
        Ten={**OPEN, "priority": 10},
        **{"deny-egress": {**OPEN, "priority": 11}},
    )
    assert found["rules.two.priority"] == "is that of `one`; give each once"
    assert found["rules.three.priority"] == "give 0 to 2147483545"
    assert found["rules.four.ranges"] == "name the blocks of the peers"
    assert "without host bits" in found["rules.five.ranges[0]"]
    assert "1 to 65535" in found["rules.six.ports.tcp"]
    assert found["rules.seven.ports.http"].startswith("choose one of tcp, udp")
    assert "only tcp and udp have ports" in found["rules.eight.ports.icmp"]
    assert found["rules.nine.service_accounts"] == "name 10 or fewer"
    assert "small letters" in found["rules.Ten"]
    assert "are there already" in found["rules.deny-egress"]
    assert len(found) == 10
    with pytest.raises(InputError, match="55 or fewer"):
        GcpFirewallPolicy("w" * 56, FIREWALL)


def test_a_network_with_its_firewall_breaks_no_rule() -> None:

    def make(opts: pulumi.ResourceOptions) -> None:
        made = GcpNetwork("net", FULL, opts)
        args: Any = {**FIREWALL, "network_id": made.network_id, "rules": {**FIREWALL["rules"], "web": OPEN}}
        GcpFirewallPolicy("wall", args, opts)

    for answer in (known, None):
        found = judge(planned(make, answer))
        assert [finding for finding in found if "provider" not in finding.rule] == []
