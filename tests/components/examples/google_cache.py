"""Cache on Google Cloud."""

from components.cache.memorystore import MemorystoreValkey, MemorystoreValkeyArgs

from .shared import GOOGLE, GOOGLE_AWAY_KEY, GOOGLE_KEY, GOOGLE_NETWORK, Examples

VALKEY: MemorystoreValkeyArgs = {
    "scope": GOOGLE,
    "network_id": GOOGLE_NETWORK,
    "key_name": GOOGLE_KEY,
    "node_type": "STANDARD_SMALL",
    "clients": {"web": "serviceAccount:web@plinth-123456.iam.gserviceaccount.com"},
}
VALKEY_FULL: MemorystoreValkeyArgs = {
    **VALKEY,
    "version": "9.0",
    "clustered": True,
    "shards": 3,
    "replicas": 0,
    "zone": "europe-west3-a",
    "eviction": "noeviction",
    "snapshot_days": 0,
    "persistence": "aof",
    "maintenance": "wed:22",
    "secret_replicas": [{"region": "europe-west4", "key_name": GOOGLE_AWAY_KEY}],
    "recovery_days": 7,
    "protect": False,
}

EXAMPLES: Examples = {
    MemorystoreValkey: [
        lambda name, opts: MemorystoreValkey(name, VALKEY, opts),
        lambda name, opts: MemorystoreValkey(name, VALKEY_FULL, opts),
    ],
}
