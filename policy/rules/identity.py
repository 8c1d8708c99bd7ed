"""Who may do what."""

from collections.abc import Iterator
from typing import Any

from .demands import absent, given, judged, never
from .documents import Statement, condition_keys, is_for_everyone, many, principals, statements, title
from .keys import KEY
from .rule import Resource, Rule, Stack
from .secrets import SECRET
from .storage import POLICY

ROLE = "aws:iam/role:Role"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
IDENTITY_POLICIES = (
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/policy:Policy",
    "aws:iam/groupPolicy:GroupPolicy",
    "aws:iam/userPolicy:UserPolicy",
)
RESOURCE_POLICIES = (POLICY, KEY, SECRET, "aws:secretsmanager/secretPolicy:SecretPolicy")

_ALLOWED = "policy.Statement[Effect=Allow]"
_SOURCES = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "kms:encryptioncontext:")
_TOO_MUCH = ("/AdministratorAccess", "/PowerUserAccess", "/IAMFullAccess")
_WITHIN_ACCOUNT = frozenset({"cloudtrail.amazonaws.com", "ec2.amazonaws.com"})
"""Services that take a role only inside the account that passed it to them, and name no source to compare: EC2 gives a
role to instances of its own account alone, and CloudTrail writes the log groups of a trail's own account with one."""


def _is_any_resource(resource: Any) -> bool:
    """Whether it is everything there is, or everything of a service."""
    parts = str(resource).split(":", 5)
    return parts[-1] == "*" and len(parts) in (1, 6)


def _names_its_actions(policy: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(policy.inputs.get("policy"), "Allow"):
        wild = [action for action in many(statement.get("Action")) if "*" in str(action)]
        if "NotAction" in statement:
            yield f"{title(statement)} allows everything but some actions"
        elif "*" in wild or (wild and "Condition" not in statement):
            yield f"{title(statement)} allows {', '.join(map(str, wild))}"


def _names_its_resources(policy: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(policy.inputs.get("policy"), "Allow"):
        if "NotResource" in statement:
            yield f"{title(statement)} is about everything but some resources"
        elif "Condition" not in statement and any(map(_is_any_resource, many(statement.get("Resource")))):
            yield f"{title(statement)} is about every resource, on no condition"


def _trusts_some(role: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(role.inputs.get("assumeRolePolicy"), "Allow"):
        if is_for_everyone(statement):
            yield f"{title(statement)} trusts everyone"
        others = {str(service) for service in principals(statement, "Service")} - _WITHIN_ACCOUNT
        if others and "aws:sourceaccount" not in condition_keys(statement):
            yield f"{title(statement)} trusts a service on behalf of any account; compare aws:SourceAccount"
        if principals(statement, "Federated") and "Condition" not in statement:
            yield f"{title(statement)} trusts everyone whom an identity provider knows"


def _is_for_some(policy: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(policy.inputs.get("policy"), "Allow"):
        if is_for_everyone(statement):
            yield f"{title(statement)} lets everyone in"


def _serves_its_account(policy: Resource, stack: Stack) -> Iterator[str]:
    for statement in statements(policy.inputs.get("policy"), "Allow"):
        if principals(statement, "Service") and not _names_a_source(statement):
            yield f"{title(statement)} lets a service in on behalf of any account"


def _names_a_source(statement: Statement) -> bool:
    return any(key.startswith(_SOURCES) for key in condition_keys(statement))


RULES = (
    Rule(
        "iam-named-actions",
        "An identity may do what its policy names, action by action.",
        IDENTITY_POLICIES,
        ("CKV_AWS_62", "CKV_AWS_63", "CKV2_AWS_40", "AWS-0057", "CIS-AWS-1.16"),
        demands={
            "policy": given(),
            f"{_ALLOWED}.Action": judged("*", needed=False),
            f"{_ALLOWED}.NotAction": judged(["iam:*"], needed=False),
        },
        check=_names_its_actions,
    ),
    Rule(
        "iam-named-resources",
        "An identity may do something to the resources that its policy names, or to others on a condition.",
        IDENTITY_POLICIES,
        ("CKV_AWS_286", "CKV_AWS_287", "CKV_AWS_288", "CKV_AWS_289", "CKV_AWS_290", "CKV_AWS_355", "AWS-0057"),
        demands={
            "policy": given(),
            f"{_ALLOWED}.NotResource": judged(["arn:aws:s3:::x"], needed=False),
        },
        check=_names_its_resources,
    ),
    Rule(
        "iam-trust",
        "A role is taken by those that it names, and by a service only on behalf of this account.",
        (ROLE,),
        ("CKV_AWS_60", "CKV_AWS_61"),
        demands={
            "assumeRolePolicy": given(),
            "assumeRolePolicy.Statement[Effect=Allow].Condition": judged(),
            'assumeRolePolicy.Statement[Effect=Allow].Condition.StringEquals["aws:SourceAccount"]': judged(),
            "assumeRolePolicy.Statement[Effect=Allow].Principal": judged("*", {"AWS": "*"}, needed=False),
        },
        check=_trusts_some,
    ),
    Rule(
        "iam-no-administrator",
        "No role has all the account's permissions, or those to take them.",
        (ATTACHMENT,),
        ("CKV_AWS_274", "CKV2_AWS_56"),
        demands={
            "policyArn": never(
                f"not end in {' or '.join(_TOO_MUCH)}",
                lambda value: str(value).endswith(_TOO_MUCH),
                *(f"arn:aws:iam::aws:policy{name}" for name in _TOO_MUCH),
            )
        },
    ),
    Rule(
        "iam-policies-apart",
        "A role has its policies as resources of their own, where the rules about policies see them.",
        (ROLE,),
        demands={"inlinePolicies": absent([{"name": "x"}]), "managedPolicyArns": absent(["arn:aws:iam::aws:policy/x"])},
    ),
    Rule(
        "policy-not-for-everyone",
        "No resource's policy lets everyone in, on whatever condition.",
        RESOURCE_POLICIES,
        ("CKV_AWS_33", "CKV_AWS_70"),
        demands={f"{_ALLOWED}.Principal": judged("*", {"AWS": "*"}, {"AWS": ["*"]}, needed=False)},
        check=_is_for_some,
    ),
    Rule(
        "policy-service-source",
        "A resource's policy lets a service in only on behalf of resources that it names, or of this account.",
        RESOURCE_POLICIES,
        demands={f"{_ALLOWED}.Condition": judged()},
        check=_serves_its_account,
    ),
)
