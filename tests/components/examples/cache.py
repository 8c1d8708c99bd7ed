"""Caches."""

from components.cache.elasticache import ElastiCacheValkey, ElastiCacheValkeyArgs

from .shared import AWAY_KEY, HOME, KEY, LOG_KEY, Examples

CACHE: ElastiCacheValkeyArgs = {
    "scope": HOME,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "key_arn": KEY,
    "log_key_arn": LOG_KEY,
    "node_type": "cache.m7g.large",
    "clients": {"web": "sg-web"},
}
CACHE_FULL: ElastiCacheValkeyArgs = {
    **CACHE,
    "version": "9.0",
    "family": "valkey9",
    "replicas": 0,
    "eviction": "noeviction",
    "snapshot_days": 0,
    "username": "shop",
    "access_string": "on ~shop:* -@all +@read",
    "rotation": {"function_arn": "arn:aws:lambda:eu-central-1:123456789012:function:rotates", "days": 30},
    "secret_replicas": [{"region": "eu-west-1", "key_arn": AWAY_KEY}],
    "recovery_days": 7,
    "log_days": 30,
    "protect": False,
    "keep_final": False,
}

EXAMPLES: Examples = {
    ElastiCacheValkey: [
        lambda name, opts: ElastiCacheValkey(name, CACHE, opts),
        lambda name, opts: ElastiCacheValkey(name, CACHE_FULL, opts),
    ],
}
