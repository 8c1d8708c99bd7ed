"""What the internet meets first, on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from preview.plan import UNKNOWN

from ...breaking import Break, changed, with_options
from ...sketch import GOOGLE, Sketch

EVERYBODY = {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}}
PER_MINUTE = {"conformAction": "allow", "exceedAction": "deny(429)", "rateLimitThreshold": {"count": 9}}


def against(*attacks: str, priority: int, how: str = "Waf") -> dict[str, Any]:
    """A rule against kinds of attack."""
    rules = ["cve-canary" if attack == "cve" else f"{attack}-v33-stable" for attack in attacks]
    expression = " || ".join(f"evaluatePreconfigured{how}('{each}')" for each in rules)
    return {"priority": priority, "action": "deny(403)", "match": {"expr": {"expression": expression}}}


ATTACKS = [against("sqli", "xss", "lfi", priority=10), against("rfi", "rce", priority=11)]
LOG4J = against("cve", priority=20, how="Expr")
RATE = {"priority": 30, "action": "throttle", "match": EVERYBODY, "rateLimitOptions": PER_MINUTE}
REST = {"priority": 2147483647, "action": "allow", "match": EVERYBODY}
SIGNED = {
    "state": "on",
    "defaultKeySpecs": [{"algorithm": "rsasha256", "keyType": kind} for kind in ("keySigning", "zoneSigning")],
}


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack."""
    durable = sketch.tier != "dev"
    sketch.add(
        "gcp:compute/securityPolicy:SecurityPolicy",
        "armor",
        {"type": "CLOUD_ARMOR", "rules": [*ATTACKS, LOG4J, RATE, REST]},
        provider=GOOGLE,
    )
    caches = {"type": "CLOUD_ARMOR_EDGE"}
    sketch.add("gcp:compute/securityPolicy:SecurityPolicy", "armor-of-caches", caches, provider=GOOGLE)
    logged = {"logConfig": {"enable": True, "sampleRate": 1}}
    sketch.add(
        "gcp:compute/backendService:BackendService", "web-backend", logged, {"securityPolicy": "armor"}, provider=GOOGLE
    )
    sketch.add("gcp:compute/regionBackendService:RegionBackendService", "inner-backend", {}, provider=GOOGLE)
    sketch.add("gcp:compute/uRLMap:URLMap", "web-urls", {}, {"defaultService": "web-backend"}, provider=GOOGLE)
    away = {"defaultUrlRedirect": {"httpsRedirect": True, "stripQuery": False}}
    sketch.add("gcp:compute/uRLMap:URLMap", "web-to-https", away, provider=GOOGLE)
    tls = {"minTlsVersion": "TLS_1_2", "profile": "MODERN"}
    sketch.add("gcp:compute/sSLPolicy:SSLPolicy", "web-tls", tls, provider=GOOGLE)
    sketch.add(
        "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
        "web-https",
        {},
        {"urlMap": "web-urls", "sslPolicy": "web-tls"},
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:compute/targetHttpProxy:TargetHttpProxy", "web-http", {}, {"urlMap": "web-to-https"}, provider=GOOGLE
    )
    sketch.add(
        "gcp:certificatemanager/certificate:Certificate",
        "web-certificate",
        {"managed": {"domains": ["shop.example"], "dnsAuthorizations": [UNKNOWN]}},
        provider=GOOGLE,
    )
    sketch.add(
        "gcp:certificatemanager/certificate:Certificate", "own-certificate", {"selfManaged": {}}, provider=GOOGLE
    )
    sketch.add(
        "gcp:dns/managedZone:ManagedZone",
        "web-zone",
        {
            "dnsName": "shop.example.",
            "dnssecConfig": SIGNED,
            "cloudLoggingConfig": {"enableLogging": True},
            "deletionPolicy": "PREVENT" if durable else "DELETE",
        },
        protect=durable,
        provider=GOOGLE,
    )
    inner = {"dnsName": "shop.internal.", "visibility": "private"}
    sketch.add("gcp:dns/managedZone:ManagedZone", "inner-zone", inner, provider=GOOGLE)


def ruled(*rules: dict[str, Any]) -> Break:
    """Break a stack by the rules of its policy."""
    return changed("armor", rules=list(rules))


BREAKS: dict[str, list[Break]] = {
    "armor-attached": [
        changed("web-backend", securityPolicy=None),
        changed("web-backend", securityPolicy=None, loadBalancingScheme="EXTERNAL"),
        changed("inner-backend", loadBalancingScheme="EXTERNAL_MANAGED", logConfig={"enable": True, "sampleRate": 1}),
    ],
    "armor-owasp": [
        ruled(*ATTACKS[1:], LOG4J, RATE, REST),
        ruled(against("sqli", "lfi", priority=10), *ATTACKS[1:], LOG4J, RATE, REST),
        ruled(*ATTACKS[:-1], {**ATTACKS[-1], "action": "allow"}, LOG4J, RATE, REST),
    ],
    "armor-log4j": [
        ruled(*ATTACKS, RATE, REST),
        ruled(*ATTACKS, {**LOG4J, "action": "allow"}, RATE, REST),
    ],
    "armor-rate-limit": [
        ruled(*ATTACKS, LOG4J, REST),
        ruled(*ATTACKS, LOG4J, {**RATE, "action": "allow"}, REST),
    ],
    "armor-default-rule": [ruled(*ATTACKS, LOG4J, RATE)],
    "armor-enforced": [
        ruled({**ATTACKS[0], "preview": True}, *ATTACKS[1:], LOG4J, RATE, REST),
        ruled(*ATTACKS, LOG4J, {**RATE, "preview": True}, REST),
    ],
    "load-balancer-logged": [
        changed("web-backend", logConfig=None),
        changed("web-backend", logConfig={"enable": False, "sampleRate": 1}),
        changed("web-backend", logConfig={"enable": True, "sampleRate": 0.5}),
    ],
    "load-balancer-tls": [
        changed("web-tls", minTlsVersion=None),
        changed("web-tls", minTlsVersion="TLS_1_1"),
        changed("web-tls", profile="COMPATIBLE"),
    ],
    "load-balancer-tls-policy": [changed("web-https", sslPolicy=None)],
    "load-balancer-https-only": [
        lambda sketch: sketch.add(
            "gcp:compute/targetHttpProxy:TargetHttpProxy", "web-http", {}, {"urlMap": "web-urls"}, provider=GOOGLE
        ),
        changed("web-to-https", defaultUrlRedirect={"httpsRedirect": False, "stripQuery": False}),
        changed("web-to-https", hostRules=[{"hosts": ["shop.example"], "pathMatcher": "shop"}]),
    ],
    "certificate-dns-authorised": [changed("web-certificate", managed={"domains": ["shop.example"]})],
    "dns-zone-dnssec": [
        changed("web-zone", dnssecConfig=None),
        changed("web-zone", dnssecConfig={**SIGNED, "state": "off"}),
    ],
    "dns-zone-strong-keys": [
        changed("web-zone", dnssecConfig={**SIGNED, "defaultKeySpecs": [{"algorithm": "rsasha1"}]}),
    ],
    "dns-zone-query-log": [
        changed("web-zone", cloudLoggingConfig=None),
        changed("web-zone", cloudLoggingConfig={"enableLogging": False}),
    ],
    "dns-zone-protected": [changed("web-zone", deletionPolicy="DELETE"), with_options("web-zone", protect=False)],
}
"""The ways to break the sound stack, by the rule that must notice."""
