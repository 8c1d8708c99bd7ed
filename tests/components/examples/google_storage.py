"""Storage on Google Cloud."""

from components.storage.gcs import GcsAccessLogs, GcsAccessLogsArgs, GcsObjectStore, GcsObjectStoreArgs

from .shared import GOOGLE, GOOGLE_KEY, Examples

STORE: GcsObjectStoreArgs = {"scope": GOOGLE, "key_name": GOOGLE_KEY}
STORE_FULL: GcsObjectStoreArgs = {
    **STORE,
    "data_locations": ["europe-west3", "europe-west4"],
    "fast_copies": True,
    "access_log_bucket": "logs-1234567",
    "archive_after_days": 30,
    "keep_days": 4000,
    "keep_versions_days": 30,
    "recovery_days": 30,
    "lock_days": 365,
    "protect": False,
    "delete_contents": True,
}
ACCESS_LOGS: GcsAccessLogsArgs = {"scope": GOOGLE, "key_name": GOOGLE_KEY}

EXAMPLES: Examples = {
    GcsObjectStore: [
        lambda name, opts: GcsObjectStore(name, STORE, opts),
        lambda name, opts: GcsObjectStore(name, STORE_FULL, opts),
    ],
    GcsAccessLogs: [lambda name, opts: GcsAccessLogs(name, ACCESS_LOGS, opts)],
}
