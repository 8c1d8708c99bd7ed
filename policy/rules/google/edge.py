"""What the internet meets first, on Google Cloud."""

import re
from collections.abc import Iterator
from typing import Any

from ..demands import DURABLE, absent, at_least, equal, given, judged, never, true
from ..paths import SECRET, UNKNOWN, read
from ..rule import Level, Link, Resource, Rule, Stack, staying

ARMOR = "gcp:compute/securityPolicy:SecurityPolicy"
BACKEND = "gcp:compute/backendService:BackendService"
REGION_BACKEND = "gcp:compute/regionBackendService:RegionBackendService"
URLS = "gcp:compute/uRLMap:URLMap"
HTTP_PROXY = "gcp:compute/targetHttpProxy:TargetHttpProxy"
HTTPS_PROXY = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
TLS = "gcp:compute/sSLPolicy:SSLPolicy"
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
ZONE = "gcp:dns/managedZone:ManagedZone"

DEFAULT_PRIORITY = 2147483647
"""The priority of the rule for whatever no other rule of a policy is about."""

_HIDDEN = (UNKNOWN, SECRET)
_LIMITS = ("throttle", "rate_based_ban", *_HIDDEN)
_ATTACKS = ("sqli", "xss", "lfi", "rfi", "rce")
_SCHEMES = {BACKEND: "EXTERNAL_MANAGED", REGION_BACKEND: "INTERNAL"}
"""What a backend service is for that does not say so."""


def _is_external(backend: Resource, stack: Stack) -> bool:
    scheme = backend.inputs.get("loadBalancingScheme", _SCHEMES[backend.type])
    return scheme in ("EXTERNAL", "EXTERNAL_MANAGED")


def _is_for_services(policy: Resource, stack: Stack) -> bool:
    """Policies of caches and of whole networks have other rules."""
    return policy.inputs.get("type", "CLOUD_ARMOR") == "CLOUD_ARMOR"


def _is_public(zone: Resource, stack: Stack) -> bool:
    return zone.inputs.get("visibility", "public") == "public"


def _stays_public(zone: Resource, stack: Stack) -> bool:
    return staying(zone, stack) and _is_public(zone, stack)


def _is_googles(certificate: Resource, stack: Stack) -> bool:
    return "managed" in certificate.inputs


def _rules(policy: Resource) -> list[Any] | None:
    """The rules of a policy, or None where one cannot be seen. Those beside it are none: Google's provider takes either
    kind, and the default rule only as one within."""
    within = policy.inputs.get("rules")
    if within in _HIDDEN:
        return None
    rules = within if isinstance(within, list) else []
    return None if UNKNOWN in rules or SECRET in rules else [rule for rule in rules if isinstance(rule, dict)]


def _refuses(rule: dict[str, Any], attack: str) -> bool:
    """Whether a rule is against a kind of attack, alone or besides others."""
    expression, action = read(rule, "match.expr.expression"), str(rule.get("action"))
    looks = re.search(rf"evaluatePreconfigured(Waf|Expr)\(\s*'{attack}-", str(expression))
    return bool(expression in _HIDDEN or looks) and (action in _HIDDEN or action.startswith("deny"))


def _knows_attacks(policy: Resource, stack: Stack) -> Iterator[str]:
    rules = _rules(policy)
    if rules is None:
        return
    missing = [attack for attack in _ATTACKS if not any(_refuses(rule, attack) for rule in rules)]
    if missing:
        yield f"no rule denies {', '.join(missing)}"


def _knows_log4j(policy: Resource, stack: Stack) -> Iterator[str]:
    rules = _rules(policy)
    if rules is not None and not any(_refuses(rule, "cve") and rule.get("preview") is not True for rule in rules):
        yield "no rule denies cve-canary"


def _limits_rates(policy: Resource, stack: Stack) -> Iterator[str]:
    rules = _rules(policy)
    if rules is not None and not any(rule.get("action") in _LIMITS for rule in rules):
        yield "no rule throttles or bans"


def _says_the_rest(policy: Resource, stack: Stack) -> Iterator[str]:
    rules = _rules(policy)
    if rules is not None and not any(rule.get("priority") in (DEFAULT_PRIORITY, *_HIDDEN) for rule in rules):
        yield f"no rule has the priority {DEFAULT_PRIORITY}"


def _tries_none(policy: Resource, stack: Stack) -> Iterator[str]:
    tried = [rule for rule in _rules(policy) or [] if rule.get("preview") is True]
    for rule in tried:
        yield f"the one of priority {rule.get('priority')} refuses nothing"


def _rules_without(attack: str) -> list[dict[str, Any]]:
    """A rule against all attacks but one, and none for anything else."""
    looks = " || ".join(f"evaluatePreconfiguredWaf('{each}-v33-stable')" for each in _ATTACKS if each != attack)
    return [{"action": "deny(403)", "match": {"expr": {"expression": looks}}}]


RULES: tuple[Rule, ...] = (
    Rule(
        "armor-attached",
        "What answers the internet stands behind a Cloud Armor policy.",
        (BACKEND, REGION_BACKEND),
        demands={"securityPolicy": given()},
        when=_is_external,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "armor-owasp",
        "A Cloud Armor policy denies attacks by OWASP's rules: on SQL, scripts in pages, files and commands.",
        (ARMOR,),
        demands={"rules": judged([], *(_rules_without(attack) for attack in _ATTACKS))},
        check=_knows_attacks,
        when=_is_for_services,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "armor-log4j",
        "A Cloud Armor policy denies message lookups of Log4j.",
        (ARMOR,),
        ("CKV_GCP_73",),
        demands={"rules": judged([], _rules_without(""))},
        check=_knows_log4j,
        when=_is_for_services,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "armor-rate-limit",
        "A Cloud Armor policy limits how much one address may ask for.",
        (ARMOR,),
        demands={"rules": judged([], _rules_without(""))},
        check=_limits_rates,
        when=_is_for_services,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "armor-default-rule",
        "A Cloud Armor policy says what becomes of everything that no other rule is about.",
        (ARMOR,),
        demands={"rules": judged([], _rules_without(""))},
        check=_says_the_rest,
        when=_is_for_services,
    ),
    Rule(
        "armor-enforced",
        "A rule of a Cloud Armor policy is tried for a while, then it refuses.",
        (ARMOR,),
        demands={"rules[*].preview": judged(True, needed=False)},
        check=_tries_none,
        when=_is_for_services,
        level=Level.ADVISORY,
    ),
    Rule(
        "load-balancer-logged",
        "What answers the internet logs every request.",
        (BACKEND, REGION_BACKEND),
        ("CIS-GCP-2.16",),
        demands={"logConfig.enable": true(), "logConfig.sampleRate": at_least(1)},
        when=_is_external,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "load-balancer-tls",
        "A load balancer offers TLS 1.2 or newer, without weak ciphers.",
        (TLS,),
        ("CKV_GCP_4", "GCP-0039", "CIS-GCP-3.9"),
        demands={
            "minTlsVersion": equal("TLS_1_2", "TLS_1_3", breaks=["TLS_1_0", "TLS_1_1"]),
            "profile": equal("MODERN", "RESTRICTED", "FIPS_202205", breaks=["COMPATIBLE", "CUSTOM"]),
        },
    ),
    Rule(
        "load-balancer-tls-policy",
        "A load balancer has a TLS policy: without one Google takes TLS 1.0 too.",
        (HTTPS_PROXY,),
        ("CIS-GCP-3.9",),
        demands={"sslPolicy": given()},
    ),
    Rule(
        "load-balancer-https-only",
        "A load balancer answers plain HTTP with nothing but a way to HTTPS.",
        (HTTP_PROXY,),
        links=(
            Link(
                "a URL map that redirects to HTTPS",
                URLS,
                "urlMap",
                {
                    "defaultUrlRedirect.httpsRedirect": true(),
                    "hostRules": absent([{"hosts": ["shop.example"], "pathMatcher": "shop"}]),
                },
                outward=True,
            ),
        ),
    ),
    Rule(
        "certificate-dns-authorised",
        "Google issues a certificate by a record of the zone: it is there before the first request, and all directly "
        "below a domain can have one.",
        (CERTIFICATE,),
        demands={"managed.dnsAuthorizations|issuanceConfig": given()},
        when=_is_googles,
    ),
    Rule(
        "dns-zone-dnssec",
        "A public zone is signed, so that nobody can forge its answers.",
        (ZONE,),
        ("CKV_GCP_16", "GCP-0013", "CIS-GCP-3.3"),
        demands={"dnssecConfig.state": equal("on", breaks=["off", "transfer"])},
        when=_is_public,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "dns-zone-strong-keys",
        "A zone is signed with keys that nobody breaks: SHA-1 is none such.",
        (ZONE,),
        ("CKV_GCP_17", "GCP-0012", "CIS-GCP-3.4", "CIS-GCP-3.5"),
        demands={
            "dnssecConfig.defaultKeySpecs[*].algorithm": never(
                "not be rsasha1", lambda value: value == "rsasha1", "rsasha1"
            )
        },
        when=_is_public,
    ),
    Rule(
        "dns-zone-query-log",
        "A public zone logs who asks for what.",
        (ZONE,),
        demands={"cloudLoggingConfig.enableLogging": true()},
        when=_is_public,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "dns-zone-protected",
        "Pulumi and Google's provider refuse to delete a public zone in staging and prod: the next one has other name "
        "servers.",
        (ZONE,),
        demands={"deletionPolicy": equal("PREVENT", breaks=["DELETE", "ABANDON"])},
        options={"protect": true()},
        when=_stays_public,
        tiers=DURABLE,
    ),
)
