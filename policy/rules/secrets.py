"""Secrets."""

from .demands import at_least, at_most, equal, given
from .rule import Rule

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
PARAMETER = "aws:ssm/parameter:Parameter"

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
