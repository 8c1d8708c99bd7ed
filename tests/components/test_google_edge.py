"""Firewall, certificates, load balancer and zone on Google Cloud."""

import json
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.edge.cloudarmor import CloudArmorPolicy, CoreRuleSet
from components.edge.clouddns import CloudDnsZone
from components.edge.gcp_certificates import GcpCertificates
from components.edge.gcp_endpoint_groups import GcpEndpointGroups
from components.edge.gcp_load_balancer import BackendProtocol, GcpLoadBalancer, TlsProfile
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.google_edge import ARMOR, BALANCER, CERTIFICATES, ENDPOINTS, ENDPOINTS_OF_A_SERVICE, ZONE
from .examples.shared import GOOGLE

ARMOR_POLICY = "gcp:compute/securityPolicy:SecurityPolicy"
BACKEND = "gcp:compute/backendService:BackendService"
HEALTH = "gcp:compute/healthCheck:HealthCheck"
URLS = "gcp:compute/uRLMap:URLMap"
HTTPS_PROXY = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
HTTP_PROXY = "gcp:compute/targetHttpProxy:TargetHttpProxy"
FORWARDING = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
ADDRESS = "gcp:compute/globalAddress:GlobalAddress"
TLS = "gcp:compute/sSLPolicy:SSLPolicy"
IAP = "gcp:iap/webBackendServiceIamMember:WebBackendServiceIamMember"
RECORD = "gcp:dns/recordSet:RecordSet"
MANAGED_ZONE = "gcp:dns/managedZone:ManagedZone"
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
MAP = "gcp:certificatemanager/certificateMap:CertificateMap"
ENTRY = "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry"
ENDPOINT_GROUP = "gcp:compute/networkEndpointGroup:NetworkEndpointGroup"
PROOF = "gcp:certificatemanager/dnsAuthorization:DnsAuthorization"
GROUP = "https://www.googleapis.com/compute/v1/projects/plinth-123456/zones/europe-west3-a/networkEndpointGroups/portal"

KINDS = ["sqli", "xss", "lfi", "rfi", "rce", "methodenforcement", "scannerdetection", "protocolattack"]
KINDS += ["sessionfixation", "java", "php", "cve"]
"""The kinds of attack that every rule set knows."""


def armor(**changes: Any) -> Plan:
    return planned(lambda opts: CloudArmorPolicy("armor", {**ARMOR, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_armor(**changes: Any) -> dict[str, str]:
    return remedies(lambda: CloudArmorPolicy("armor", {**ARMOR, **changes}))  # pyright: ignore[reportArgumentType]


def rules(**changes: Any) -> dict[int, dict[str, Any]]:
    """The rules of a policy, by priority."""
    listed = one(armor(**changes), ARMOR_POLICY)["rules"]
    assert len({rule["priority"] for rule in listed}) == len(listed)
    return {rule["priority"]: rule for rule in listed}


def expressions(**changes: Any) -> list[str]:
    return [rule["match"]["expr"]["expression"] for rule in rules(**changes).values() if "expr" in rule["match"]]


def alternatives(**changes: Any) -> list[str]:
    """What the expressions look for, one after the other."""
    return [each for expression in expressions(**changes) for each in expression.split(" || ")]


def certificates(**changes: Any) -> Plan:
    return planned(lambda opts: GcpCertificates("tls", {**CERTIFICATES, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_certificates(**changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpCertificates("tls", {**CERTIFICATES, **changes}))  # pyright: ignore[reportArgumentType]


def balancer(**changes: Any) -> Plan:
    return planned(lambda opts: GcpLoadBalancer("web", {**BALANCER, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_balancer(**changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpLoadBalancer("web", {**BALANCER, **changes}))  # pyright: ignore[reportArgumentType]


def endpoints(base: Any = ENDPOINTS, **changes: Any) -> Plan:
    return planned(lambda opts: GcpEndpointGroups("pods", {**base, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_endpoints(**changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpEndpointGroups("pods", {**ENDPOINTS, **changes}))  # pyright: ignore[reportArgumentType]


def zone(**changes: Any) -> Plan:
    return planned(lambda opts: CloudDnsZone("zone", {**ZONE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_zone(**changes: Any) -> dict[str, str]:
    return remedies(lambda: CloudDnsZone("zone", {**ZONE, **changes}))  # pyright: ignore[reportArgumentType]


def outputs(plan: Plan, kind: str) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type == f"plinth:index:{kind}")


def waits(plan: Plan, type_: str) -> set[str]:
    """The types of what resources of a type wait for."""
    return {plan.resource(urn).type for each in plan.of_type(type_) for urn in plan.waits_for(each.urn)}


def test_the_policy_denies_attacks_by_owasps_rules() -> None:
    for attack in ("sqli", "xss", "lfi", "rfi", "rce", "scannerdetection", "protocolattack", "sessionfixation"):
        assert f"evaluatePreconfiguredWaf('{attack}-v33-stable', {{'sensitivity': 1}})" in alternatives()
    for rule in rules().values():
        assert rule["preview"] is False
        assert rule["action"] == "deny(403)" or "expr" not in rule["match"]


def test_log4j_is_among_them() -> None:
    assert "evaluatePreconfiguredWaf('cve-canary', {'sensitivity': 1})" in expressions()


def test_a_project_has_room_for_several_policies() -> None:
    """Google lets it have 20 rules with expressions, of five parts and 2048 characters each."""
    assert len(expressions()) == 4
    every = [*KINDS, "nodejs"]
    for changes in ({}, {"attacks": every}, {"attacks": every, "preview": every}):
        assert {len(each.split(" || ")) <= 5 and len(each) <= 2048 for each in expressions(**changes)} == {True}
        assert sorted(alternatives(**changes)) == sorted(set(alternatives(**changes)))
        assert all(len(rule["description"]) <= 64 for rule in rules(**changes).values())
    assert len(alternatives(attacks=every)) == len(every)
    assert len(alternatives(rule_set=CoreRuleSet.V422, attacks=[*KINDS, "generic"])) == len(every)


def test_services_with_put_and_delete_work_unless_it_is_said() -> None:
    assert not any("methodenforcement" in each for each in expressions())
    assert expressions(attacks=["methodenforcement"], sensitivity=3) == [
        "evaluatePreconfiguredWaf('methodenforcement-v33-stable', {'sensitivity': 3})"
    ]


def test_the_newer_rule_set_has_attacks_on_node_elsewhere() -> None:
    assert any("nodejs-v33-stable" in each for each in expressions())
    found = expressions(rule_set=CoreRuleSet.V422)
    assert any("generic-v422-stable" in each for each in found)
    assert not any("nodejs" in each or "v33" in each for each in found)


def test_a_rule_keeps_its_priority_whatever_else_is_chosen() -> None:
    usual = {rule["description"]: priority for priority, rule in rules().items()}
    changes: dict[str, Any] = {"attacks": ["php", "cve", "xss", "sqli"], "denied_ranges": ["198.51.100.7"]}
    chosen = {rule["description"]: priority for priority, rule in rules(**changes, preview=["xss"]).items()}
    assert chosen.pop("Attacks that are tried: xss") not in usual.values()
    assert chosen.pop("Addresses that are denied") not in usual.values()
    assert chosen.items() <= usual.items()
    assert len(chosen) == len(usual) - 1, "nobody looks at the protocol"


def test_each_address_has_a_rate_after_all_else_was_looked_at() -> None:
    *_, limit, rest = sorted(rules().values(), key=lambda rule: rule["priority"])
    assert (limit["action"], limit["match"]["config"]) == ("throttle", {"srcIpRanges": ["*"]})
    assert limit["rateLimitOptions"] == {
        "conformAction": "allow",
        "exceedAction": "deny(429)",
        "enforceOnKey": "IP",
        "rateLimitThreshold": {"count": 1000, "intervalSec": 60},
    }
    assert (rest["priority"], rest["action"]) == (2147483647, "allow")
    assert rest["match"]["config"] == {"srcIpRanges": ["*"]}


def test_whoever_asks_for_too_much_can_be_banned() -> None:
    limit = rules(rate_limit={"requests": 10, "interval_seconds": 30, "ban_seconds": 600})[9000]
    assert limit["action"] == "rate_based_ban"
    assert limit["rateLimitOptions"]["banDurationSec"] == 600
    assert limit["rateLimitOptions"]["rateLimitThreshold"] == {"count": 10, "intervalSec": 30}


def test_behind_a_proxy_the_clients_own_address_counts() -> None:
    inputs = one(armor(client_ip_headers=["True-Client-IP"]), ARMOR_POLICY)
    assert inputs["advancedOptionsConfig"]["userIpRequestHeaders"] == ["True-Client-IP"]
    assert rules(client_ip_headers=["True-Client-IP"])[9000]["rateLimitOptions"]["enforceOnKey"] == "USER_IP"


def test_the_denied_come_before_the_allowed_and_both_before_attacks() -> None:
    found = rules(denied_ranges=["198.51.100.0/24"], denied_countries=["RU", "KP"], allowed_ranges=["203.0.113.7"])
    denied, countries, allowed, attack, *_ = sorted(found.items())
    assert (denied[1]["action"], denied[1]["match"]["config"]["srcIpRanges"]) == ("deny(403)", ["198.51.100.0/24"])
    assert countries[1]["match"]["expr"]["expression"] == "'[KP,RU]'.contains(origin.region_code)"
    assert (allowed[1]["action"], allowed[1]["match"]["config"]["srcIpRanges"]) == ("allow", ["203.0.113.7"])
    assert "sqli" in attack[1]["match"]["expr"]["expression"]


def test_a_rule_has_ten_ranges_and_a_new_one_at_the_end_moves_none() -> None:
    many = [f"198.51.100.{i}" for i in range(20)]
    before, after = rules(denied_ranges=many), rules(denied_ranges=[*many, "203.0.113.0/24"])
    assert [len(before[priority]["match"]["config"]["srcIpRanges"]) for priority in (1000, 1001)] == [10, 10]
    assert after.items() >= {1000: before[1000], 1001: before[1001]}.items()
    assert after[1002]["match"]["config"]["srcIpRanges"] == ["203.0.113.0/24"]


def test_a_rule_can_be_tried_without_refusing() -> None:
    changes: dict[str, Any] = {"preview": ["xss", "rate-limit", "denied-countries"], "denied_countries": ["KP"]}
    found = rules(**changes)
    tried = {rule["description"]: priority for priority, rule in found.items() if rule["preview"]}
    assert set(tried) == {"Attacks that are tried: xss", "Too many requests", "Countries that are denied"}
    alone = found[tried["Attacks that are tried: xss"]]["match"]["expr"]["expression"]
    assert alone == "evaluatePreconfiguredWaf('xss-v33-stable', {'sensitivity': 1})"
    assert alternatives(**changes).count(alone) == 1, "no rule that refuses looks for it"
    assert tried["Attacks that are tried: xss"] < min(
        priority for priority, rule in found.items() if rule["description"].startswith("Attacks on")
    ), "else what another rule refuses would not be logged"


def test_floods_are_noticed_and_json_is_read() -> None:
    inputs = one(armor(), ARMOR_POLICY)
    assert inputs["adaptiveProtectionConfig"]["layer7DdosDefenseConfig"]["enable"] is True
    assert inputs["advancedOptionsConfig"]["jsonParsing"] == "STANDARD"
    assert inputs["advancedOptionsConfig"]["logLevel"] == "VERBOSE"
    weaker = one(armor(adaptive_protection=False, verbose_log=False), ARMOR_POLICY)
    assert weaker["adaptiveProtectionConfig"]["layer7DdosDefenseConfig"]["enable"] is False
    assert weaker["advancedOptionsConfig"]["logLevel"] == "NORMAL"


def test_the_policy_is_known_with_all_its_rules_in_it() -> None:
    plan = armor()
    assert [each.type for each in plan.resources if each.custom and each.type.startswith("gcp:")] == [ARMOR_POLICY]
    assert outputs(plan, "CloudArmorPolicy")["policyName"] == "armor-1234567"


def test_bad_rules_are_refused_together() -> None:
    assert refused_armor(
        attacks=["sqli", "generic", "sqli"],
        preview=["xss", "sqli", "sqli"],
        rate_limit={"requests": 0, "interval_seconds": 45, "ban_seconds": 10},
        denied_ranges=["198.51.100.7/24", "198.51.100.7", "198.51.100.7"],
        allowed_ranges=["0.0.0.0/0"],
        denied_countries=["de"],
        client_ip_headers=["X Real IP"],
    ) == {
        "attacks[1]": "choose one of sqli, xss, lfi, rfi, rce, methodenforcement, scannerdetection, protocolattack, "
        "sessionfixation, java, nodejs, php, cve",
        "attacks[2]": "is listed twice; leave one out",
        "preview[0]": "choose one of sqli, rate-limit, denied-countries",
        "preview[2]": "is listed twice; leave one out",
        "rate_limit.requests": "give 1 to 1000000 requests",
        "rate_limit.interval_seconds": "choose one of 10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, "
        "2700, 3600",
        "rate_limit.ban_seconds": "give 60 to 3600 seconds",
        "denied_ranges[0]": "give an address or a block without bits beyond its prefix, for example 203.0.113.0/24",
        "denied_ranges[2]": "is listed twice; leave one out",
        "allowed_ranges[0]": "is everybody; give the addresses that are meant",
        "denied_countries[0]": "give a code of two capital letters, for example KP",
        "client_ip_headers[0]": "give the name of a header, for example True-Client-IP",
    }
    assert "one kind of attack or more" in refused_armor(attacks=[])["attacks"]
    assert refused_armor(preview=["denied-countries"]).keys() == {"preview[0]"}
    assert "1 to 4" in refused_armor(sensitivity=0)["sensitivity"]
    assert (
        "500 ranges or fewer"
        in refused_armor(denied_ranges=[f"10.0.{i}.0/24" for i in range(256)] * 2)["denied_ranges"]
    )
    assert "nodejs" not in refused_armor(rule_set=CoreRuleSet.V422, attacks=["nodejs"])["attacks[0]"]


@pytest.mark.parametrize("name", ["Armor", "9armor", "armor-", "a" * 56])
def test_names_of_which_no_policys_can_be_made_are_refused(name: str) -> None:
    assert "name" in remedies(lambda: CloudArmorPolicy(name, ARMOR))


def test_google_issues_a_certificate_by_a_record_of_the_zone() -> None:
    plan = certificates()
    assert (
        one(plan, PROOF).items()
        >= {"domain": "portal.shop.example", "type": "PER_PROJECT_RECORD", "location": "global"}.items()
    )
    assert one(plan, RECORD) == {
        "project": "plinth-123456",
        "managedZone": "shop-1234567",
        "name": "_acme-challenge_c0ffee00.portal.shop.example.",
        "type": "CNAME",
        "ttl": 300,
        "rrdatas": ["c0ffee00.authorize.certificatemanager.goog."],
    }
    inputs = one(plan, CERTIFICATE)
    assert inputs["managed"]["domains"] == ["portal.shop.example"]
    assert inputs["managed"]["dnsAuthorizations"] == ["projects/plinth-123456/tls-portal-shop-example"]
    assert (inputs["scope"], inputs["location"]) == ("DEFAULT", "global")
    assert RECORD in waits(plan, CERTIFICATE)


def test_the_zone_can_be_another_projects() -> None:
    plan = certificates(zone={"zone_name": "shop", "project": "plinth-domains"})
    assert one(plan, RECORD)["project"] == "plinth-domains"
    assert one(plan, CERTIFICATE)["project"] == "plinth-123456"


def test_another_host_replaces_no_certificate() -> None:
    before, after = certificates(), certificates(domains=["*.shop.example", "portal.shop.example"])
    kept = one(before, CERTIFICATE)
    assert one(after, CERTIFICATE, "tls-portal-shop-example") == kept


def test_a_domain_and_all_below_it_are_proven_once() -> None:
    plan = certificates(domains=["shop.example", "*.shop.example"])
    assert one(plan, PROOF)["domain"] == "shop.example"
    assert len(plan.of_type(RECORD)) == 1
    assert {tuple(each.inputs["managed"]["domains"]) for each in plan.of_type(CERTIFICATE)} == {
        ("shop.example",),
        ("*.shop.example",),
    }


def test_the_map_finds_each_certificate_by_its_host_and_the_first_without_one() -> None:
    plan = certificates(domains=["shop.example", "*.shop.example"])
    entries = {
        each.inputs.get("hostname", each.inputs.get("matcher")): each.inputs["certificates"]
        for each in plan.of_type(ENTRY)
    }
    assert entries == {
        "shop.example": ["projects/plinth-123456/tls-shop-example"],
        "*.shop.example": ["projects/plinth-123456/tls-any---shop-example"],
        "PRIMARY": ["projects/plinth-123456/tls-shop-example"],
    }
    assert {each.inputs["map"] for each in plan.of_type(ENTRY)} == {"tls-1234567"}


def test_the_map_is_told_once_it_has_all_entries() -> None:
    def made(opts: pulumi.ResourceOptions) -> None:
        tls = GcpCertificates("tls", CERTIFICATES, opts)
        gcp.compute.TargetHttpsProxy(
            "proxy", url_map="urls", certificate_map=tls.certificate_map_id, opts=pulumi.ResourceOptions(parent=tls)
        )

    plan = planned(made)
    assert one(plan, HTTPS_PROXY)["certificateMap"].endswith("/certificateMaps/tls-1234567")
    assert ENTRY in waits(plan, HTTPS_PROXY)


@pytest.mark.parametrize("name", ["t", "a" * 42])
def test_hosts_that_look_alike_are_told_apart_and_long_ones_fit(name: str) -> None:
    long = ["a" * 60 + ".shop.example", "a" * 61 + ".shop.example"]
    hosts = ["a-b.example", "a.b.example", "any.b.example", "*.b.example", *long]
    plan = planned(lambda opts: GcpCertificates(name, {**CERTIFICATES, "domains": hosts}, opts))
    for type_ in (CERTIFICATE, PROOF, ENTRY):
        names = [each.name for each in plan.of_type(type_)]
        assert len(set(names)) == len(names)
        assert max(map(len, names)) <= 63 - 8


def test_bad_hosts_are_refused() -> None:
    assert refused_certificates(domains=["Shop.example", "shop.example.", "*.*.example", "a.example", "a.example"]) == {
        **{
            f"domains[{i}]": "write it in small letters and without a dot at the end, as portal.example.com or "
            "*.example.com"
            for i in range(3)
        },
        "domains[4]": "is listed twice; leave one out",
    }
    assert refused_certificates(domains=[]) == {"domains": "name one host or more"}
    assert "42 or fewer" in remedies(lambda: GcpCertificates("a" * 43, CERTIFICATES))["name"]


def test_every_request_is_looked_at_and_logged() -> None:
    inputs = one(balancer(), BACKEND)
    assert inputs["securityPolicy"] == BALANCER["security_policy_id"]
    assert inputs["logConfig"] == {"enable": True, "sampleRate": 1}
    assert inputs["loadBalancingScheme"] == "EXTERNAL_MANAGED"
    assert inputs["enableCdn"] is False


def test_tls_is_new_and_without_weak_ciphers() -> None:
    plan = balancer()
    assert one(plan, TLS).items() >= {"minTlsVersion": "TLS_1_2", "profile": "RESTRICTED"}.items()
    proxy = one(plan, HTTPS_PROXY)
    assert proxy["certificateMap"] == f"//certificatemanager.googleapis.com/{BALANCER['certificate_map_id']}"
    assert (proxy["tlsEarlyData"], proxy["quicOverride"]) == ("DISABLED", "ENABLE")
    assert TLS in waits(plan, HTTPS_PROXY)
    assert one(balancer(tls_profile=TlsProfile.MODERN), TLS)["profile"] == "MODERN"


def test_plain_http_only_leads_to_https() -> None:
    plan = balancer()
    redirect = one(plan, URLS, "web-http")
    assert redirect["defaultUrlRedirect"] == {
        "httpsRedirect": True,
        "redirectResponseCode": "MOVED_PERMANENTLY_DEFAULT",
        "stripQuery": False,
    }
    assert not {"hostRules", "defaultService"} & redirect.keys()
    assert one(plan, HTTP_PROXY)["urlMap"] == "projects/plinth-123456/web-http"
    assert one(plan, HTTPS_PROXY)["urlMap"] == "projects/plinth-123456/web"


def test_other_hosts_get_a_404() -> None:
    urls = one(balancer(), URLS, "web")
    assert urls["hostRules"] == [{"hosts": ["portal.shop.example"], "pathMatcher": "hosts"}]
    assert urls["pathMatchers"] == [{"name": "hosts", "defaultService": "projects/plinth-123456/web"}]
    assert urls["defaultRouteAction"] == {"faultInjectionPolicy": {"abort": {"httpStatus": 404, "percentage": 100}}}


def test_it_listens_on_two_ports_of_each_address() -> None:
    plan = balancer()
    assert {
        (each.inputs["ipAddress"], each.inputs["portRange"], each.inputs["loadBalancingScheme"])
        for each in plan.of_type(FORWARDING)
    } == {(ip, port, "EXTERNAL_MANAGED") for ip in ("203.0.113.10", "2001:db8::10") for port in ("443", "80")}
    for name, proxy in (("web-https", HTTPS_PROXY), ("web-http-ipv6", HTTP_PROXY)):
        rule = next(each for each in plan.of_type(FORWARDING) if each.name == name)
        pointed = {plan.resource(urn).type for urn in rule.property_dependencies["target"]}
        assert pointed == {proxy}
    found = outputs(plan, "GcpLoadBalancer")
    assert (found["address"], found["addressIpv6"]) == ("203.0.113.10", "2001:db8::10")
    without = balancer(ipv6=False)
    assert outputs(without, "GcpLoadBalancer")["addressIpv6"] == ""
    assert len(without.of_type(ADDRESS)) == 1


def test_addresses_stay() -> None:
    plan = balancer()
    assert {each.type for each in plan.resources if each.protect} == {ADDRESS}
    assert {each.inputs["deletionPolicy"] for each in plan.of_type(ADDRESS)} == {"PREVENT"}
    gone = balancer(protect=False)
    assert not any(each.protect for each in gone.resources)
    assert {each.inputs["deletionPolicy"] for each in gone.of_type(ADDRESS)} == {"DELETE"}


def test_hosts_become_records_once_somebody_listens() -> None:
    assert balancer().of_type(RECORD) == []
    plan = balancer(hosts=["portal.shop.example", "*.shop.example"], zone={"zone_name": "shop-1234567"})
    assert {(each.inputs["name"], each.inputs["type"], *each.inputs["rrdatas"]) for each in plan.of_type(RECORD)} == {
        (f"{host}.shop.example.", kind, ip)
        for host in ("portal", "*")
        for kind, ip in (("A", "203.0.113.10"), ("AAAA", "2001:db8::10"))
    }
    assert FORWARDING in waits(plan, RECORD)


def test_the_hosts_are_told_once_their_records_are_there() -> None:
    def made(opts: pulumi.ResourceOptions) -> None:
        web = GcpLoadBalancer("web", {**BALANCER, "zone": {"zone_name": "shop-1234567"}}, opts)
        gcp.pubsub.Topic("told", name=web.hosts.apply(lambda hosts: hosts[0]), opts=pulumi.ResourceOptions(parent=web))

    topic = "gcp:pubsub/topic:Topic"
    assert {FORWARDING, RECORD} <= waits(planned(made), topic)


def test_nothing_answers_before_there_are_services() -> None:
    assert one(balancer(), BACKEND)["backends"] == []


def test_requests_go_to_groups_by_their_rate() -> None:
    plan = balancer(backends={"b": {"group": "b"}, "a": {"group": GROUP, "max_rate_per_endpoint": 5}})
    assert one(plan, BACKEND)["backends"] == [
        {"group": GROUP, "balancingMode": "RATE", "capacityScaler": 1, "maxRatePerEndpoint": 5},
        {"group": "b", "balancingMode": "RATE", "capacityScaler": 1, "maxRatePerEndpoint": 100},
    ]
    machines = balancer(backends={"a": {"group": "a", "max_rate_per_instance": 7, "capacity_percent": 0}})
    assert one(machines, BACKEND)["backends"] == [
        {"group": "a", "balancingMode": "RATE", "capacityScaler": 0, "maxRatePerInstance": 7}
    ]


def test_a_group_of_each_zone_stands_where_the_cluster_looks_for_it() -> None:
    made = {each.inputs["zone"]: each.inputs for each in endpoints().of_type(ENDPOINT_GROUP)}
    assert set(made) == {"europe-west3-a", "europe-west3-b"}
    for inputs in made.values():
        assert (inputs["name"], inputs["networkEndpointType"]) == ("shop-gateway", "GCE_VM_IP_PORT")
        assert inputs["network"] == ENDPOINTS["network_id"]
        assert inputs["subnetwork"] == ENDPOINTS["subnet_id"]


def test_another_zone_changes_no_group_that_was_there() -> None:
    zones = ["europe-west3-c", *reversed(ENDPOINTS["zones"])]
    kept = {each.urn: each.inputs for each in endpoints(zones=zones).resources}
    for each in endpoints().of_type(ENDPOINT_GROUP):
        assert kept[each.urn] == each.inputs


def test_groups_have_a_description_that_gke_lets_pass() -> None:
    """It leaves alone what has none, and what names another service in JSON."""
    text = endpoints().of_type(ENDPOINT_GROUP)[0].inputs["description"]
    assert text
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(text)


def test_groups_can_name_their_service_as_gke_does() -> None:
    descriptions = [each.inputs["description"] for each in endpoints(ENDPOINTS_OF_A_SERVICE).of_type(ENDPOINT_GROUP)]
    assert [json.loads(each) for each in descriptions] == 2 * [
        {
            "cluster-uid": "0b1c0ffe-0000-4000-8000-000000000000",
            "namespace": "gateway",
            "service-name": "shop",
            "port": "8443",
        }
    ]


def test_the_name_of_groups_is_told_once_all_are_there() -> None:
    def made(opts: pulumi.ResourceOptions) -> None:
        pods = GcpEndpointGroups("pods", ENDPOINTS, opts)
        gcp.pubsub.Topic("told", name=pods.group_name, opts=pulumi.ResourceOptions(parent=pods))

    plan = planned(made)
    topic = plan.of_type("gcp:pubsub/topic:Topic")[0]
    assert topic.inputs["name"] == "shop-gateway"
    assert {each.urn for each in plan.of_type(ENDPOINT_GROUP)} <= plan.waits_for(topic.urn)


def test_a_load_balancer_takes_groups_by_their_zones() -> None:
    def made(opts: pulumi.ResourceOptions) -> None:
        pods = GcpEndpointGroups("pods", ENDPOINTS, opts)
        backends: Any = {zone: {"group": pods.groups[zone]} for zone in ENDPOINTS["zones"]}
        GcpLoadBalancer("web", {**BALANCER, "backends": backends}, opts)

    plan = planned(made)
    place = "https://www.googleapis.com/compute/v1/projects/plinth-123456/zones"
    assert [each["group"] for each in one(plan, BACKEND)["backends"]] == [
        f"{place}/{zone}/networkEndpointGroups/shop-gateway" for zone in ENDPOINTS["zones"]
    ]
    assert {each.urn for each in plan.of_type(ENDPOINT_GROUP)} <= plan.waits_for(plan.of_type(BACKEND)[0].urn)


@pytest.mark.parametrize("group", ["k8s1-shop", "Shop", "shop-", "s" * 64, ""])
def test_names_that_no_group_of_ours_can_have_are_refused(group: str) -> None:
    assert "GKE's own names" in refused_endpoints(group=group)["group"]


def test_bad_zones_of_groups_are_refused_together() -> None:
    assert refused_endpoints(zones=["europe-west4-a", "europe-west3-a", "europe-west3-a"]) == {
        "zones[0]": "not in the cluster's region; write one like europe-west3-a",
        "zones[2]": "name each zone once",
    }
    assert refused_endpoints(zones=[]) == {"zones": "name a zone or more, such as europe-west3-a"}


@pytest.mark.parametrize("protocol", BackendProtocol)
def test_services_are_looked_at_as_they_are_spoken_to(protocol: BackendProtocol) -> None:
    plan = balancer(protocol=protocol, health_check={"path": "/healthz", "failures": 2})
    assert one(plan, BACKEND)["protocol"] == protocol.value
    inputs = one(plan, HEALTH)
    assert inputs[f"{protocol.value.lower()}HealthCheck"] == {
        "portSpecification": "USE_SERVING_PORT",
        "requestPath": "/healthz",
    }
    assert inputs["unhealthyThreshold"] == 2
    assert inputs["logConfig"] == {"enable": True}
    assert one(plan, BACKEND)["healthChecks"] == "projects/plinth-123456/web"


def test_tls_goes_on_to_the_services_unless_it_is_said() -> None:
    assert one(balancer(), BACKEND)["protocol"] == "HTTPS"


def test_a_short_interval_shortens_the_wait() -> None:
    inputs = one(balancer(health_check={"interval_seconds": 2}), HEALTH)
    assert (inputs["checkIntervalSec"], inputs["timeoutSec"]) == (2, 2)


def test_every_answer_has_headers_that_guard_the_client() -> None:
    headers = one(balancer(), BACKEND)["customResponseHeaders"]
    assert "Strict-Transport-Security: max-age=31536000" in headers
    assert "X-Content-Type-Options: nosniff" in headers
    own = one(balancer(response_headers={"strict-transport-security": "max-age=60", "X-A": "b"}), BACKEND)
    assert own["customResponseHeaders"][-2:] == ["strict-transport-security: max-age=60", "X-A: b"]
    assert not any(each.startswith("Strict-Transport") for each in own["customResponseHeaders"])


def test_who_may_come_in_can_be_named() -> None:
    assert one(balancer(), BACKEND)["iap"] == {"enabled": False}
    plan = balancer(iap_members={"staff": "group:staff@shop.example"})
    assert one(plan, BACKEND)["iap"] == {"enabled": True}
    assert one(plan, IAP) == {
        "project": "plinth-123456",
        "webBackendService": "web-1234567",
        "role": "roles/iap.httpsResourceAccessor",
        "member": "group:staff@shop.example",
    }


def test_bad_settings_of_the_load_balancer_are_refused_together() -> None:
    assert refused_balancer(
        hosts=["Portal"],
        backends={
            "a": {"group": "a", "max_rate_per_endpoint": 0, "max_rate_per_instance": 1},
            "b": {"group": "b", "capacity_percent": 101},
        },
        health_check={"path": "healthz", "interval_seconds": 5, "timeout_seconds": 6, "failures": 0},
        response_headers={"X:": "a"},
        iap_members={"all": "allUsers"},
    ) == {
        "hosts[0]": "write it in small letters and without a dot at the end, as portal.example.com or *.example.com",
        "backends": "give endpoint groups alone, or instance groups alone",
        "backends.a.max_rate_per_endpoint": "give 1 to 1000000 requests a second",
        "backends.a.max_rate_per_instance": "leave out this or max_rate_per_endpoint: a group has machines or "
        "endpoints",
        "backends.b.capacity_percent": "give 0 to 100 percent",
        "health_check.path": "give a path, for example /healthz",
        "health_check.timeout_seconds": "give 5 seconds, the interval, or fewer",
        "health_check.failures": "give 1 to 10 looks",
        "response_headers.X:": "give a header's name and its value on one line",
        "iap_members.all": "is everybody; leave iap_members out where that is meant",
    }
    assert refused_balancer(timeout_seconds=0, draining_seconds=3601, port_name="Web_port").keys() == {
        "timeout_seconds",
        "draining_seconds",
        "port_name",
    }
    assert "44 or fewer" in remedies(lambda: GcpLoadBalancer("a" * 45, BALANCER))["name"]


def test_the_zone_is_signed_with_elliptic_curves() -> None:
    inputs = one(zone(), MANAGED_ZONE)
    assert (inputs["dnsName"], inputs["visibility"]) == ("shop.example.", "public")
    signing = inputs["dnssecConfig"]
    assert (signing["state"], signing["nonExistence"]) == ("on", "nsec3")
    assert {(each["keyType"], each["algorithm"], each["keyLength"]) for each in signing["defaultKeySpecs"]} == {
        ("keySigning", "ecdsap256sha256", 256),
        ("zoneSigning", "ecdsap256sha256", 256),
    }


def test_without_dnssec_the_keys_for_later_stay_named() -> None:
    signing = one(zone(dnssec=False), MANAGED_ZONE)["dnssecConfig"]
    assert signing == {**one(zone(), MANAGED_ZONE)["dnssecConfig"], "state": "off"}


def test_queries_are_logged() -> None:
    assert one(zone(), MANAGED_ZONE)["cloudLoggingConfig"] == {"enableLogging": True}
    assert one(zone(query_log=False), MANAGED_ZONE)["cloudLoggingConfig"] == {"enableLogging": False}


def test_some_authorities_may_issue_certificates() -> None:
    inputs = one(zone(), RECORD)
    assert (inputs["type"], inputs["name"], inputs["managedZone"]) == ("CAA", "shop.example.", "zone-1234567")
    assert inputs["rrdatas"] == ['0 issue "pki.goog"', '0 issue "letsencrypt.org"']
    assert one(zone(certificate_issuers=["pki.goog"]), RECORD)["rrdatas"] == ['0 issue "pki.goog"']
    assert one(zone(certificate_issuers=[]), RECORD)["rrdatas"] == ['0 issue ";"']


def test_what_would_take_the_domain_off_the_internet_is_protected() -> None:
    plan = zone()
    assert {each.type for each in plan.resources if each.protect} == {MANAGED_ZONE}
    assert one(plan, MANAGED_ZONE)["deletionPolicy"] == "PREVENT"
    assert one(plan, MANAGED_ZONE)["forceDestroy"] is False
    gone = zone(protect=False, delete_contents=True)
    assert not any(each.protect for each in gone.resources)
    assert one(gone, MANAGED_ZONE)["deletionPolicy"] == "DELETE"
    assert one(gone, MANAGED_ZONE)["forceDestroy"] is True


def test_the_zone_says_how_it_is_found() -> None:
    assert outputs(zone(), "CloudDnsZone") == {
        "zoneName": "zone-1234567",
        "zoneId": "projects/plinth-123456/managedZones/zone-1234567",
        "nameServers": [f"ns-cloud-a{i}.dns.example." for i in range(1, 5)],
    }


@pytest.mark.parametrize("domain", ["example", "Example.com", "example.com.", "-a.example", "a..b", "a." * 127 + "com"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    assert "without a dot at the end" in refused_zone(domain=domain)["domain"]


def test_bad_issuers_scopes_and_names_are_refused() -> None:
    assert "pki.goog" in refused_zone(certificate_issuers=["Let's Encrypt"])["certificate_issuers[0]"]
    assert refused_zone(scope={**GOOGLE, "project": "P"}).keys() == {"scope"}
    assert "55 or fewer" in remedies(lambda: CloudDnsZone("a" * 56, ZONE))["name"]
