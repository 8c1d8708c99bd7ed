"""Databases."""

from components.database.rds import RdsBackupCopy, RdsBackupCopyArgs, RdsPostgres, RdsPostgresArgs

from .shared import AWAY_KEY, HOME, KEY, LOG_KEY, SECRET, Examples

POSTGRES: RdsPostgresArgs = {
    "scope": HOME,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "key_arn": KEY,
    "log_key_arn": LOG_KEY,
    "database": "shop",
    "instance_class": "db.m6g.large",
    "clients": {"web": "sg-web"},
}
POSTGRES_FULL: RdsPostgresArgs = {
    **POSTGRES,
    "replicas": 2,
    "pooling": True,
    "rotation": {"days": 30, "subnet_ids": ["subnet-3", "subnet-4"]},
    "secret_replicas": [{"region": "eu-west-1", "key_arn": AWAY_KEY}],
}
STANDBY: RdsPostgresArgs = {
    **POSTGRES,
    "pooling": True,
    "source_arn": "arn:aws:rds:eu-west-1:123456789012:db:shop",
    "credentials_secret_arn": SECRET,
}
BACKUP_COPY: RdsBackupCopyArgs = {"instance_arn": "arn:aws:rds:eu-central-1:123456789012:db:x", "key_arn": AWAY_KEY}

EXAMPLES: Examples = {
    RdsPostgres: [
        lambda name, opts: RdsPostgres(name, POSTGRES, opts),
        lambda name, opts: RdsPostgres(name, POSTGRES_FULL, opts),
        lambda name, opts: RdsPostgres(name, STANDBY, opts),
    ],
    RdsBackupCopy: [lambda name, opts: RdsBackupCopy(name, BACKUP_COPY, opts)],
}
