"""A web application firewall: Google Cloud Armor."""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, between, checked, checked_name
from ..problems import InputError, Problem, one_of
from ..security.google import GcpScope, scope_problem
from .clouddns import NAME, NAME_REMEDY

DEFAULT_PRIORITY = 2147483647
"""The priority of the rule for whatever no other one is about."""
RATE_LIMIT = "rate-limit"
"""The name of the rate limit among the rules that can be tried."""
COUNTRIES = "denied-countries"
"""The name of the rule about countries among those that can be tried."""

_DENIED, _COUNTRIES, _ALLOWED, _TRIED, _ATTACKS, _RATE = 1000, 1900, 2000, 2800, 3000, 9000
_KINDS = {
    "sqli": 0,
    "xss": 10,
    "lfi": 20,
    "rfi": 30,
    "rce": 40,
    "methodenforcement": 50,
    "scannerdetection": 60,
    "protocolattack": 70,
    "sessionfixation": 80,
    "java": 90,
    "nodejs": 100,
    "php": 110,
    "cve": 120,
    "generic": 130,
}
"""The kinds of attack, and where one that is only tried stands after the first: for good, so that no other moves it."""
_GROUPS = {
    0: ("on data, pages, files and commands", ("sqli", "xss", "lfi", "rfi", "rce")),
    50: ("on the protocol", ("methodenforcement", "scannerdetection", "protocolattack", "sessionfixation")),
    90: ("on languages", ("java", "nodejs", "php", "generic")),
    120: ("on Log4j and its like", ("cve",)),
}
"""The kinds that one rule is about, by where it stands after the first: for good, whatever is chosen. Google takes five
in an expression."""
_USUAL = ["sqli", "xss", "lfi", "rfi", "rce", "scannerdetection", "protocolattack", "sessionfixation", "java", "cve"]
_RANGES_A_RULE = 10
_MOST_RANGES = 500
_INTERVALS = (10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600)
_EVERYBODY: gcp.compute.SecurityPolicyRuleMatchArgsDict = {
    "versioned_expr": "SRC_IPS_V1",
    "config": {"src_ip_ranges": ["*"]},
}


# A rule within a policy: the resource of nearly the same name takes other arguments.
_ArmorRule = gcp.compute.SecurityPolicyRuleArgsDict


class CoreRuleSet(Enum):
    """A version of the OWASP Core Rule Set, as Cloud Armor has it."""

    V33 = "v33"
    """3.3. Attacks on Node.js are `nodejs`."""
    V422 = "v422"
    """4.22. Attacks on Node.js are in `generic`."""


class ArmorRateLimit(TypedDict):
    """How much one address may ask for."""

    requests: NotRequired[int]
    """Requests that an address may make in an interval, 1 to 1000000. Default: 1000."""
    interval_seconds: NotRequired[int]
    """Seconds of an interval: 10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700 or 3600. Default: 60."""
    ban_seconds: NotRequired[int]
    """Seconds, 60 to 3600, for which whoever asks for more is refused everything. Default: none; only what is too much
    is refused."""


class CloudArmorPolicyArgs(TypedDict):
    """Whom a policy lets pass, and what it looks for."""

    scope: GcpScope
    """Project of the policy. It is global: the region has no part in it."""
    rule_set: NotRequired[CoreRuleSet]
    """The version of the OWASP rules. Default: `v33`."""
    attacks: NotRequired[list[str]]
    """Kinds of attack that it refuses, out of `sqli`, `xss`, `lfi`, `rfi`, `rce`, `methodenforcement`,
    `scannerdetection`, `protocolattack`, `sessionfixation`, `java`, `nodejs` (`generic` with `v422`), `php` and `cve`,
    which is Log4j and its like (CKV_GCP_73). `methodenforcement` refuses all methods but GET, HEAD, POST and OPTIONS.
    Default: all but that and `php`."""
    sensitivity: NotRequired[int]
    """How easily a request is taken for an attack, 1 to 4, as OWASP's paranoia levels: higher ones find more, also
    where there is none. Default: 1."""
    rate_limit: NotRequired[ArmorRateLimit]
    """How much one address may ask for. Default: 1000 requests a minute."""
    denied_ranges: NotRequired[list[str]]
    """Addresses and blocks that are refused whatever they ask for. Add new ones at the end. Default: none."""
    denied_countries: NotRequired[list[str]]
    """Countries that are refused, by ISO 3166 codes such as `KP`. Default: none."""
    allowed_ranges: NotRequired[list[str]]
    """Addresses and blocks that are let pass without a look at their requests, if they are not denied. Add new ones at
    the end. Default: none."""
    client_ip_headers: NotRequired[list[str]]
    """Headers that name the client's address where a proxy that can be trusted stands in front, which the rate limit
    then counts by. Anybody else can write them too. Default: none; the address that the connection comes from
    counts."""
    preview: NotRequired[list[str]]
    """Rules that are only tried: they are logged and refuse nothing. Kinds of attack, each of which then has a rule of
    its own, `denied-countries` and `rate-limit`. Default: none."""
    adaptive_protection: NotRequired[bool]
    """Whether Google looks for floods of requests that no rule knows, and raises an alert. Default: yes."""
    verbose_log: NotRequired[bool]
    """Whether logs tell which part of a request was taken for an attack. Default: yes."""


def _interval(seconds: int) -> str | None:
    return None if seconds in _INTERVALS else f"choose one of {', '.join(map(str, _INTERVALS))}"


_RULES = {
    "scope": scope_problem,
    "sensitivity": between(1, 4, "as the sensitivity"),
}
_RATE_RULES = {
    "requests": between(1, 1_000_000, "requests"),
    "interval_seconds": _interval,
    "ban_seconds": between(60, 3600, "seconds"),
}


class CloudArmorPolicy(Component):
    """A Cloud Armor policy for backend services: it refuses known attacks by OWASP's rules, Log4j's message lookup
    among them (CKV_GCP_73), denied addresses and countries, and what an address asks for beyond its rate.

    The first rule that is about a request decides: denied ranges, denied countries, allowed ranges, attacks in their
    order, then the rate limit, which lets pass what is within it. Whatever is left is allowed, by a rule that says so.
    A project may have 20 rules with expressions before Google is asked for more (`SECURITY_POLICY_CEVAL_RULES`). A
    policy has four for attacks, or fewer, one for each kind that is only tried, and one for countries.
    All rules belong to the one resource: Google makes a default rule of its own for a policy without any, and a rule
    that somebody adds by hand shows.

    Raises `InputError` for bad args and for a name of which no policy's can be made.
    """

    policy_id: pulumi.Output[str]
    """Id of the policy, for a load balancer's backend service. Known once all its rules are there."""
    policy_name: pulumi.Output[str]
    """Name of the policy, which its logs and metrics carry. Known once all its rules are there."""

    def __init__(self, name: str, args: CloudArmorPolicyArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudArmorPolicy {name}"
        args = checked(CloudArmorPolicyArgs, args, subject, _RULES)
        # Google takes 63 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 55, NAME, NAME_REMEDY)
        version = args.get("rule_set", CoreRuleSet.V33)
        attacks = args.get("attacks", [*_USUAL, _of_node(version)])
        if problems := [*_attack_problems(args, attacks, version), *_source_problems(args), *_rate_problems(args)]:
            raise InputError(subject, problems)
        super().__init__(name, opts)
        headers, preview = args.get("client_ip_headers", []), args.get("preview", [])
        rules: list[_ArmorRule] = [
            *_ranges("denied", _DENIED, "deny(403)", args.get("denied_ranges", [])),
            *_countries(args.get("denied_countries", []), COUNTRIES in preview),
            *_ranges("allowed", _ALLOWED, "allow", args.get("allowed_ranges", [])),
            *_attacks(attacks, version, args),
            _rate(args.get("rate_limit", {}), "USER_IP" if headers else "IP", RATE_LIMIT in preview),
            {
                "priority": DEFAULT_PRIORITY,
                "description": "Everything else",
                "action": "allow",
                "match": _EVERYBODY,
                "preview": False,
            },
        ]
        policy = gcp.compute.SecurityPolicy(
            name,
            project=args["scope"]["project"],
            description=f"Who may reach the services behind {name}",
            type="CLOUD_ARMOR",
            rules=rules,
            adaptive_protection_config={
                "layer7_ddos_defense_config": {
                    "enable": args.get("adaptive_protection", True),
                    "rule_visibility": "STANDARD",
                }
            },
            advanced_options_config={
                "json_parsing": "STANDARD",  # attacks in JSON are found too
                "log_level": "VERBOSE" if args.get("verbose_log", True) else "NORMAL",
                "user_ip_request_headers": headers,
            },
            opts=self._child(),
        )
        self.policy_id = policy.id
        self.policy_name = policy.name
        self._register()


def _attacks(attacks: Sequence[str], version: CoreRuleSet, args: CloudArmorPolicyArgs) -> Iterator[_ArmorRule]:
    """One rule for each kind that is only tried, before those that refuse, and one for each group of the others."""
    preview, sensitivity = args.get("preview", []), args.get("sensitivity", 1)

    def rule(priority: int, description: str, kinds: Sequence[str], tried: bool) -> _ArmorRule:
        return {
            "priority": priority,
            "description": description,
            "action": "deny(403)",
            "match": {"expr": {"expression": " || ".join(_looked_for(each, version, sensitivity) for each in kinds)}},
            "preview": tried,
        }

    for attack, place in _KINDS.items():
        if attack in attacks and attack in preview:
            yield rule(_TRIED + place, f"Attacks that are tried: {attack}", [attack], True)
    for place, (what, group) in _GROUPS.items():
        if kinds := [each for each in group if each in attacks and each not in preview]:
            yield rule(_ATTACKS + place, f"Attacks {what}", kinds, False)


def _looked_for(attack: str, version: CoreRuleSet, sensitivity: int) -> str:
    rules = "cve-canary" if attack == "cve" else f"{attack}-{version.value}-stable"
    return f"evaluatePreconfiguredWaf('{rules}', {{'sensitivity': {sensitivity}}})"


def _ranges(kind: str, first: int, action: str, ranges: Sequence[str]) -> Iterator[_ArmorRule]:
    """Rules of ten ranges each, in the order that they are given: a new one at the end moves no other."""
    for i in range(0, len(ranges), _RANGES_A_RULE):
        yield {
            "priority": first + i // _RANGES_A_RULE,
            "description": f"Addresses that are {kind}",
            "action": action,
            "match": {
                "versioned_expr": "SRC_IPS_V1",
                "config": {"src_ip_ranges": ranges[i : i + _RANGES_A_RULE]},
            },
            "preview": False,
        }


def _countries(countries: Sequence[str], preview: bool) -> Iterator[_ArmorRule]:
    if countries:
        yield {
            "priority": _COUNTRIES,
            "description": "Countries that are denied",
            "action": "deny(403)",
            "match": {"expr": {"expression": f"'[{','.join(sorted(countries))}]'.contains(origin.region_code)"}},
            "preview": preview,
        }


def _rate(limit: ArmorRateLimit, key: str, preview: bool) -> _ArmorRule:
    options: gcp.compute.SecurityPolicyRuleRateLimitOptionsArgsDict = {
        "conform_action": "allow",
        "exceed_action": "deny(429)",
        "enforce_on_key": key,
        "rate_limit_threshold": {
            "count": limit.get("requests", 1000),
            "interval_sec": limit.get("interval_seconds", 60),
        },
    }
    if "ban_seconds" in limit:
        options["ban_duration_sec"] = limit["ban_seconds"]
    return {
        "priority": _RATE,
        "description": "Too many requests",
        "action": "rate_based_ban" if "ban_seconds" in limit else "throttle",
        "match": _EVERYBODY,
        "rate_limit_options": options,
        "preview": preview,
    }


def _of_node(version: CoreRuleSet) -> str:
    return "nodejs" if version is CoreRuleSet.V33 else "generic"


def _attack_problems(args: CloudArmorPolicyArgs, attacks: Sequence[str], version: CoreRuleSet) -> Iterator[Problem]:
    foreign = "generic" if version is CoreRuleSet.V33 else "nodejs"
    known = [each for each in _KINDS if each != foreign]
    if not attacks:
        yield Problem("attacks", [], "name one kind of attack or more; `preview` tries rules that refuse nothing")
    yield from _choice_problems("attacks", attacks, known)
    countries = [COUNTRIES] if args.get("denied_countries") else []
    tried = [*(each for each in known if each in attacks), RATE_LIMIT, *countries]
    yield from _choice_problems("preview", args.get("preview", []), tried)


def _choice_problems(path: str, values: Sequence[str], choices: Sequence[str]) -> Iterator[Problem]:
    for i, value in enumerate(values):
        if value not in choices:
            yield Problem(f"{path}[{i}]", value, one_of(choices, value))
        elif value in values[:i]:
            yield Problem(f"{path}[{i}]", value, "is listed twice; leave one out")


def _source_problems(args: CloudArmorPolicyArgs) -> Iterator[Problem]:
    denied, allowed = args.get("denied_ranges", []), args.get("allowed_ranges", [])
    for path, ranges in (("denied_ranges", denied), ("allowed_ranges", allowed)):
        if len(ranges) > _MOST_RANGES:
            yield Problem(path, len(ranges), f"give {_MOST_RANGES} ranges or fewer; join some to larger ones")
        for i, each in enumerate(ranges):
            if remedy := _range_problem(each) or ("is listed twice; leave one out" if each in ranges[:i] else None):
                yield Problem(f"{path}[{i}]", each, remedy)
    for i, country in enumerate(args.get("denied_countries", [])):
        if not re.fullmatch(r"[A-Z]{2}", country):
            yield Problem(f"denied_countries[{i}]", country, "give a code of two capital letters, for example KP")
    for i, header in enumerate(args.get("client_ip_headers", [])):
        if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", header):
            yield Problem(f"client_ip_headers[{i}]", header, "give the name of a header, for example True-Client-IP")


def _range_problem(block: str) -> str | None:
    try:
        network = ipaddress.ip_network(block)
    except ValueError:
        return "give an address or a block without bits beyond its prefix, for example 203.0.113.0/24"
    return None if network.prefixlen else "is everybody; give the addresses that are meant"


def _rate_problems(args: CloudArmorPolicyArgs) -> Iterator[Problem]:
    limit: dict[str, Any] = dict(args.get("rate_limit", {}))
    for field, rule in _RATE_RULES.items():
        if field in limit and (remedy := rule(limit[field])):
            yield Problem(f"rate_limit.{field}", limit[field], remedy)
