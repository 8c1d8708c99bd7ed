"""Image registries, DNS zones, budgets and who deploys."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from .demands import equal, given, judged, never
from .documents import Statement, many, principals, statements, title
from .identity import ROLE
from .paths import SECRET, UNKNOWN, locate, read
from .rule import Level, Link, Resource, Rule, Stack

REPOSITORY = "aws:ecr/repository:Repository"
TEMPLATE = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
ZONE = "aws:route53/zone:Zone"
SIGNING_KEY = "aws:route53/keySigningKey:KeySigningKey"
SIGNED = "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec"
QUERY_LOG = "aws:route53/queryLog:QueryLog"
BUDGET = "aws:budgets/budget:Budget"

_GITHUB = "token.actions.githubusercontent.com"
_CONDITION = "assumeRolePolicy.Statement[Effect=Allow].Condition.StringEquals"
_OF_REPOSITORY = re.compile(r"repo:[\w.@-]+/[\w.@-]+:[^*?]+")
_HIDDEN = (UNKNOWN, SECRET)


def _is_scanned(repository: Resource, stack: Stack) -> Iterator[str]:
    scans = [read(repository.inputs, "imageScanningConfiguration.scanOnPush")]
    name, home = repository.inputs.get("name"), stack.region(repository)
    for registry in stack.of_types([SCANNING]):
        if stack.region(registry) == home:
            scans += [_scans(rule, name) for _, rule in locate(registry.inputs, "rules[*]")]
    if not any(scan is True or scan in _HIDDEN for scan in scans):
        yield "neither it nor the registry of its region says so"


def _scans(rule: Any, name: Any) -> bool:
    """Whether a rule of a registry scans the images of a repository by itself."""
    if rule in _HIDDEN:
        return True
    if read(rule, "scanFrequency") not in ("SCAN_ON_PUSH", "CONTINUOUS_SCAN", *_HIDDEN):
        return False
    filters = [str(found) for _, found in locate(rule, "repositoryFilters[*].filter")]
    # One without a wildcard takes every name that contains it.
    return any(each in _HIDDEN or name in _HIDDEN or fnmatchcase(str(name), f"*{each}*") for each in filters)


def _is_public(zone: Resource, stack: Stack) -> bool:
    return not zone.inputs.get("vpcs")


def _trusts_github(statement: Statement) -> bool:
    return any(f":oidc-provider/{_GITHUB}" in str(each) for each in principals(statement, "Federated"))


def _is_taken_by_github(role: Resource, stack: Stack) -> bool:
    return any(map(_trusts_github, statements(role.inputs.get("assumeRolePolicy"), "Allow")))


def _compared(statement: Statement, claim: str, *operators: str) -> list[Any]:
    """The values that conditions of a statement compare a claim of a token with."""
    condition = statement.get("Condition")
    found = [condition.get(operator) for operator in operators] if isinstance(condition, dict) else []
    pairs = [pair for keys in found if isinstance(keys, dict) for pair in keys.items()]
    # An enterprise can have an issuer of its own, with its name behind a slash.
    key = re.compile(rf"{re.escape(_GITHUB)}(/[\w-]+)?:{claim}", re.IGNORECASE)
    return [value for name, values in pairs if key.fullmatch(name) for value in many(values)]


def _names_a_repository(role: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(role.inputs.get("assumeRolePolicy"), "Allow"):
        if not _trusts_github(statement):
            continue
        audiences = _compared(statement, "aud", "StringEquals")
        if not audiences or any(each not in ("sts.amazonaws.com", *_HIDDEN) for each in audiences):
            yield f"{title(statement)} takes tokens for others than AWS; compare {_GITHUB}:aud"
        subjects = _compared(statement, "sub", "StringEquals", "StringLike")
        if not subjects or any(each not in _HIDDEN and not _OF_REPOSITORY.fullmatch(str(each)) for each in subjects):
            yield f"{title(statement)} takes tokens of more than a repository's named runs; compare {_GITHUB}:sub"


def _warns_in_time(budget: Resource, stack: Stack) -> Iterator[str]:
    thresholds = [found for _, found in locate(budget.inputs, "notifications[*].threshold")]
    if not any(each in _HIDDEN or (isinstance(each, int | float) and each <= 100) for each in thresholds):
        yield "nobody is told before more than all of it is spent"


RULES = (
    Rule(
        "ecr-immutable",
        "A tag of an image never moves, in a repository and in its copies.",
        (REPOSITORY, TEMPLATE),
        ("CKV_AWS_51", "AWS-0031"),
        demands={"imageTagMutability": equal("IMMUTABLE", breaks=["MUTABLE", "MUTABLE_WITH_EXCLUSION"])},
    ),
    Rule(
        "ecr-encrypted",
        "Images are encrypted with a key of ours, in a repository and in its copies.",
        (REPOSITORY, TEMPLATE),
        ("CKV_AWS_136", "AWS-0033"),
        demands={
            "encryptionConfigurations[*].encryptionType": equal("KMS", breaks=["AES256"]),
            "encryptionConfigurations[*].kmsKey": given(),
        },
    ),
    Rule(
        "ecr-scanned",
        "An image is scanned for vulnerabilities when it is pushed.",
        (REPOSITORY,),
        ("CKV_AWS_163", "AWS-0030"),
        links=(
            Link(
                "a registry that scans",
                SCANNING,
                "",
                {
                    "rules[*].scanFrequency": judged("MANUAL"),
                    "rules[*].repositoryFilters[*].filter": judged("elsewhere"),
                },
                outward=True,
                judged=True,
            ),
        ),
        check=_is_scanned,
    ),
    Rule(
        "ecr-lifecycle",
        "A repository deletes old images by itself.",
        (REPOSITORY,),
        links=(Link("a lifecycle", LIFECYCLE, "repository", {"policy": given()}),),
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "ecr-copies-lifecycle",
        "A copy of a repository deletes old images by itself: deletions are not copied.",
        (TEMPLATE,),
        demands={"lifecyclePolicy": given()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "zone-dnssec",
        "A public zone is signed, so that nobody can forge its answers.",
        (ZONE,),
        ("CKV2_AWS_38",),
        links=(
            Link(
                "a key that signs it",
                SIGNING_KEY,
                "hostedZoneId",
                {"status": never("not be INACTIVE", lambda value: value == "INACTIVE", "INACTIVE")},
            ),
            Link(
                "its signature",
                SIGNED,
                "hostedZoneId",
                {"signingStatus": never("not be NOT_SIGNING", lambda value: value == "NOT_SIGNING", "NOT_SIGNING")},
            ),
        ),
        when=_is_public,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "zone-query-log",
        "A public zone logs who asks for what.",
        (ZONE,),
        ("CKV2_AWS_39",),
        links=(Link("a log of its queries", QUERY_LOG, "zoneId", {"cloudwatchLogGroupArn": given()}),),
        when=_is_public,
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "oidc-trust-pinned",
        "A role that GitHub's workflows take is for tokens that are meant for AWS, of one repository's named runs.",
        (ROLE,),
        ("CKV_AWS_358", "CKV_AWS_393"),
        demands={
            f'{_CONDITION}["{_GITHUB}:aud"]': judged("https://github.com/shop", []),
            f'{_CONDITION}["{_GITHUB}:sub"]': judged(
                "*", "repo:*", "repo:shop/*:ref:refs/heads/main", "repo:shop/it:*", []
            ),
        },
        check=_names_a_repository,
        when=_is_taken_by_github,
    ),
    Rule(
        "budget-alerts",
        "A budget tells somebody before it is spent.",
        (BUDGET,),
        demands={
            "notifications": given(),
            "notifications[*].subscriberEmailAddresses|subscriberSnsTopicArns": given(),
        },
        check=_warns_in_time,
    ),
)
