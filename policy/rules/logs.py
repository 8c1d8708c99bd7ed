"""Logs."""

from .demands import at_least, given
from .rule import Rule

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"

RULES = (
    Rule(
        "log-group-encrypted",
        "A log group is encrypted with a key of ours.",
        (LOG_GROUP,),
        ("CKV_AWS_158", "AWS-0017"),
        demands={"kmsKeyId": given()},
    ),
    Rule(
        "log-group-retention",
        "A log group says how long it keeps its logs.",
        (LOG_GROUP,),
        ("CKV_AWS_66",),
        demands={"retentionInDays": at_least(1)},
    ),
    Rule(
        "log-group-year",
        "A log group in prod keeps its logs for a year.",
        (LOG_GROUP,),
        ("CKV_AWS_338",),
        demands={"retentionInDays": at_least(365)},
        tiers=("prod",),
    ),
)
