"""Secrets."""

from components.secrets.aws import AwsSecret, AwsSecretArgs
from components.secrets.generated import AwsGeneratedSecret, AwsGeneratedSecretArgs
from components.secrets.rotation import AwsRotationFunction, AwsRotationFunctionArgs, RotationKind

from .shared import AWAY_KEY, HOME, KEY, LOG_KEY, Examples

NOTED: AwsSecretArgs = {
    "scope": HOME,
    "key_arn": KEY,
    "description": "Key of the mail service",
    "fields": {"user": "shop", "password": "hidden"},
    "rotation_note": "by hand in the console of the mail service",
}
ROTATED: AwsSecretArgs = {
    "scope": HOME,
    "key_arn": KEY,
    "description": "Credentials",
    "fields": {"user": "shop", "password": "hidden"},
    "rotation": {"function_arn": "arn:aws:lambda:eu-central-1:123456789012:function:rotate", "days": 30},
    "replicas": [{"region": "eu-west-1", "key_arn": AWAY_KEY}],
}
FUNCTION: AwsRotationFunctionArgs = {
    "scope": HOME,
    "kind": RotationKind.POSTGRES,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "key_arn": KEY,
    "log_key_arn": LOG_KEY,
    "servers": {"database": "sg-database"},
}

GENERATED: AwsGeneratedSecretArgs = {"scope": HOME, "key_arn": KEY, "description": "Signs sessions"}

EXAMPLES: Examples = {
    AwsGeneratedSecret: [lambda name, opts: AwsGeneratedSecret(name, GENERATED, opts)],
    AwsSecret: [
        lambda name, opts: AwsSecret(name, NOTED, opts),
        lambda name, opts: AwsSecret(name, ROTATED, opts),
    ],
    AwsRotationFunction: [lambda name, opts: AwsRotationFunction(name, FUNCTION, opts)],
}
