"""Secrets on Google Cloud."""

from components.secrets.gcp import GcpGeneratedSecret, GcpGeneratedSecretArgs, GcpSecret, GcpSecretArgs

from .shared import GOOGLE, GOOGLE_AWAY_KEY, GOOGLE_KEY, Examples

NOTED: GcpSecretArgs = {
    "scope": GOOGLE,
    "key_name": GOOGLE_KEY,
    "description": "Key of the mail service",
    "fields": {"user": "shop", "password": "hidden"},
    "rotation_note": "by hand in the console of the mail service",
}
COPIED: GcpSecretArgs = {
    **NOTED,
    "replicas": [{"region": "europe-west4", "key_name": GOOGLE_AWAY_KEY}],
    "recovery_days": 0,
    "protect": False,
}
GENERATED: GcpGeneratedSecretArgs = {"scope": GOOGLE, "key_name": GOOGLE_KEY, "description": "Signs sessions"}
GENERATED_FULL: GcpGeneratedSecretArgs = {
    **GENERATED,
    "length": 32,
    "version": 2,
    "replicas": [{"region": "europe-west4", "key_name": GOOGLE_AWAY_KEY}],
    "recovery_days": 7,
    "protect": False,
}

EXAMPLES: Examples = {
    GcpSecret: [
        lambda name, opts: GcpSecret(name, NOTED, opts),
        lambda name, opts: GcpSecret(name, COPIED, opts),
    ],
    GcpGeneratedSecret: [
        lambda name, opts: GcpGeneratedSecret(name, GENERATED, opts),
        lambda name, opts: GcpGeneratedSecret(name, GENERATED_FULL, opts),
    ],
}
