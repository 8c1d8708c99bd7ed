"""Backups."""

from components.backup.aws import (
    AwsBackupPlan,
    AwsBackupPlanArgs,
    AwsBackupVault,
    AwsBackupVaultArgs,
    BackedUp,
    BackupKind,
)

from .shared import HOME, KEY, Examples

VAULT: AwsBackupVaultArgs = {"scope": HOME, "key_arn": KEY}
VAULT_FULL: AwsBackupVaultArgs = {
    **VAULT,
    "max_retention_days": 400,
    "topic_arn": "arn:aws:sns:eu-central-1:123456789012:alarms",
}
DATABASE: BackedUp = {"arn": "arn:aws:rds:eu-central-1:123456789012:db:shop", "kind": BackupKind.RDS}
STORE: BackedUp = {"arn": "arn:aws:s3:::events", "kind": BackupKind.S3}
CLUSTER: BackedUp = {"arn": "arn:aws:eks:eu-central-1:123456789012:cluster/shop", "kind": BackupKind.EKS}
PLAN: AwsBackupPlanArgs = {"scope": HOME, "vault_name": "vault", "resources": {"database": DATABASE}}
PLAN_FULL: AwsBackupPlanArgs = {
    **PLAN,
    "resources": {"database": DATABASE, "event-store": STORE, "cluster": CLUSTER},
    "copy_to": {"vault_arn": "arn:aws:backup:eu-west-1:123456789012:backup-vault:away", "days": 90},
    "restore_test": {
        "network": {"vpc_id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2"]},
        "overrides": {"database": {"dbInstanceClass": "db.t4g.medium"}},
    },
}

EXAMPLES: Examples = {
    AwsBackupVault: [
        lambda name, opts: AwsBackupVault(name, VAULT, opts),
        lambda name, opts: AwsBackupVault(name, VAULT_FULL, opts),
    ],
    AwsBackupPlan: [
        lambda name, opts: AwsBackupPlan(name, PLAN, opts),
        lambda name, opts: AwsBackupPlan(name, PLAN_FULL, opts),
    ],
}
