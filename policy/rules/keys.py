"""Encryption keys."""

from collections.abc import Iterator

from .demands import absent, at_least, given, judged, true
from .documents import is_unknown, many, principals, statements
from .rule import Resource, Rule, Stack

KEY = "aws:kms/key:Key"


def _is_symmetric(key: Resource, stack: Stack) -> bool:
    return key.inputs.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"


def _leaves_it_to_the_account(key: Resource, stack: Stack) -> Iterator[str]:
    document = key.inputs.get("policy")
    if document is None or is_unknown(document):
        return
    for statement in statements(document, "Allow"):
        roots = [each for each in principals(statement, "AWS") if str(each).endswith(":root")]
        if roots and "kms:*" in many(statement.get("Action")) and "*" in many(statement.get("Resource")):
            return
    yield "no statement leaves the key to the account's IAM, so nobody could ever change it again"


RULES = (
    Rule(
        "kms-rotation",
        "A key's material is rotated every year or oftener.",
        (KEY,),
        ("CKV_AWS_7", "AWS-0065", "CIS-AWS-3.6"),
        demands={"enableKeyRotation": true()},
        when=_is_symmetric,
    ),
    Rule(
        "kms-policy",
        "A key has a policy, which leaves it to the account's IAM.",
        (KEY,),
        ("CKV2_AWS_64",),
        demands={
            "policy": given(),
            "policy.Statement[Sid=Account]": judged(),
            "policy.Statement[Sid=Account].Principal": judged({"AWS": "arn:aws:iam::123456789012:role/x"}),
            "policy.Statement[Sid=Account].Action": judged(["kms:Decrypt"]),
            "policy.Statement[Sid=Account].Resource": judged(),
            "policy.Statement[Sid=Account].Effect": judged("Deny"),
            "bypassPolicyLockoutSafetyCheck": absent(True),
        },
        check=_leaves_it_to_the_account,
    ),
    Rule(
        "kms-deletion-window",
        "The deletion of a key can be called off for a while, in staging and prod for as long as AWS allows.",
        (KEY,),
        demands={"deletionWindowInDays": at_least(30, dev=7)},
    ),
)
