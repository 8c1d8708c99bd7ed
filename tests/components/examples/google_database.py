"""Databases on Google Cloud."""

from components.database.cloudsql import CloudSqlPostgres, CloudSqlPostgresArgs

from .shared import GOOGLE, GOOGLE_AWAY_KEY, GOOGLE_KEY, GOOGLE_NETWORK, Examples

CLOUD_SQL: CloudSqlPostgresArgs = {
    "scope": GOOGLE,
    "network_id": GOOGLE_NETWORK,
    "key_name": GOOGLE_KEY,
    "database": "shop",
    "tier": "db-custom-2-7680",
}
CLOUD_SQL_FULL: CloudSqlPostgresArgs = {
    **CLOUD_SQL,
    "tier": "db-perf-optimized-N-4",
    "allocated_range": "services",
    "zones": ["europe-west3-a", "europe-west3-b"],
    "replicas": 2,
    "pooling": True,
    "data_cache": True,
    "copy_to": {"region": "europe-west4", "key_name": GOOGLE_AWAY_KEY},
    "backup_location": "eu",
    "iam_users": {"reports": "reports@plinth-123456.iam.gserviceaccount.com"},
    "administrator": True,
    "secret_replicas": [{"region": "europe-west4", "key_name": GOOGLE_AWAY_KEY}],
}
CLOUD_SQL_STANDBY: CloudSqlPostgresArgs = {
    **CLOUD_SQL,
    "source_instance": "shop-0a1b2c3",
    "credentials_secret": "projects/plinth-123456/secrets/shop-credentials",
}

EXAMPLES: Examples = {
    CloudSqlPostgres: [
        lambda name, opts: CloudSqlPostgres(name, CLOUD_SQL, opts),
        lambda name, opts: CloudSqlPostgres(name, CLOUD_SQL_FULL, opts),
        lambda name, opts: CloudSqlPostgres(name, CLOUD_SQL_STANDBY, opts),
    ],
}
