"""Object stores."""

from components.storage.s3 import S3AccessLogs, S3AccessLogsArgs, S3ObjectStore, S3ObjectStoreArgs

from .shared import AWAY_KEY, HOME, KEY, Examples

STORE: S3ObjectStoreArgs = {"scope": HOME, "key_arn": KEY, "access_log_bucket": "logs"}
STORE_FULL: S3ObjectStoreArgs = {
    **STORE,
    "keep_days": 4000,
    "lock_days": 365,
    "replicate_to": {"bucket_arn": "arn:aws:s3:::copy", "key_arn": AWAY_KEY, "region": "eu-west-1"},
}
ACCESS_LOGS: S3AccessLogsArgs = {"scope": HOME}

EXAMPLES: Examples = {
    S3ObjectStore: [
        lambda name, opts: S3ObjectStore(name, STORE, opts),
        lambda name, opts: S3ObjectStore(name, STORE_FULL, opts),
    ],
    S3AccessLogs: [lambda name, opts: S3AccessLogs(name, ACCESS_LOGS, opts)],
}
