"""Keys and identities."""

from components.security.iam import AwsServiceRole, AwsServiceRoleArgs
from components.security.kms import EncryptionKey, EncryptionKeyArgs

from .shared import HOME, KEY, SECRET, Examples

KEY_ARGS: EncryptionKeyArgs = {"scope": HOME, "purpose": "Data", "log_groups": True}
ROLE: AwsServiceRoleArgs = {
    "scope": HOME,
    "description": "Sells things",
    "key_arn": KEY,
    "secret_arns": {"database": SECRET},
    "stores": {"events": {"bucket_arn": "arn:aws:s3:::events", "read": True, "append": True}},
}

EXAMPLES: Examples = {
    EncryptionKey: [lambda name, opts: EncryptionKey(name, KEY_ARGS, opts)],
    AwsServiceRole: [lambda name, opts: AwsServiceRole(name, ROLE, opts)],
}
