"""Secrets."""

from collections.abc import Iterator

from .demands import at_least, at_most, equal, given, judged
from .paths import MISSING, read
from .rule import Link, Resource, Rule, Stack

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
PARAMETER = "aws:ssm/parameter:Parameter"


def _is_rotated(secret: Resource, stack: Stack) -> Iterator[str]:
    how = read(secret.inputs, "tags.rotation")
    if how in (MISSING, None, "") and not stack.pointing(secret, ROTATION, "secretId"):
        yield "it has no rotation, and no tag `rotation` says how it is rotated instead"


RULES = (
    Rule(
        "secret-encrypted",
        "A secret is encrypted with a key of ours.",
        (SECRET,),
        ("CKV_AWS_149", "AWS-0098"),
        demands={"kmsKeyId": given()},
    ),
    Rule(
        "secret-recovery",
        "A deleted secret can be had back for a week in staging and prod, and in dev the stack says whether it can.",
        (SECRET,),
        demands={"recoveryWindowInDays": at_least(7, dev=0)},
    ),
    Rule(
        "secret-rotates",
        "A secret is rotated by a function, or says in its tag `rotation` how it is rotated instead.",
        (SECRET,),
        ("CKV2_AWS_57",),
        demands={"tags.rotation": judged("")},
        links=(Link("a rotation", ROTATION, "secretId", judged=True),),
        check=_is_rotated,
    ),
    Rule(
        "secret-rotation",
        "A secret that is rotated is rotated every 90 days or oftener.",
        (ROTATION,),
        ("CKV_AWS_304",),
        demands={"rotationRules.automaticallyAfterDays": at_most(90)},
    ),
    Rule(
        "parameter-secure",
        "A parameter is a secure string, encrypted with a key of ours.",
        (PARAMETER,),
        ("CKV_AWS_337",),
        demands={"type": equal("SecureString", breaks=["String"]), "keyId": given()},
    ),
)
