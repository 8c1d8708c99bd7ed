"""Backups on Google Cloud."""

from components.backup.gcp import (
    GcpBackupPlan,
    GcpBackupPlanArgs,
    GcpBackupVault,
    GcpBackupVaultArgs,
    GkeBackupPlan,
    GkeBackupPlanArgs,
    VaultAccess,
)
from components.backup.gcp_restore import GcpRestoreTests, GcpRestoreTestsArgs

from .shared import GOOGLE, GOOGLE_AWAY_KEY, GOOGLE_KEY, Examples

INSTANCE = "projects/plinth-123456/instances/db-1234567"
CLUSTER = "projects/plinth-123456/locations/europe-west3/clusters/shop"
OTHER_CLUSTER = "projects/plinth-123456/locations/europe-west4/clusters/shop"
PLACE = "projects/plinth-123456/locations/europe-west3"
DATASOURCE = f"{PLACE}/backupVaults/kept-01234567/dataSources/c0ffee00"

VAULT: GcpBackupVaultArgs = {"scope": GOOGLE}
VAULT_FULL: GcpBackupVaultArgs = {
    **VAULT,
    "location": "europe-west4",
    "locked_days": 30,
    "access": VaultAccess.WITHIN_PROJECT,
    "key_name": GOOGLE_AWAY_KEY,
    "protect": False,
    "delete_contents": True,
    "abandon": True,
}
PLAN: GcpBackupPlanArgs = {
    "scope": GOOGLE,
    "vault_id": f"{PLACE}/backupVaults/kept-01234567",
    "vault_account": "vault@gcp-sa-backupdr-pr.iam.gserviceaccount.com",
    "resources": {"database": INSTANCE},
}
PLAN_FULL: GcpBackupPlanArgs = {
    **PLAN,
    "locked_days": 14,
    "resources": {"database": INSTANCE, "reports": "projects/plinth-123456/instances/reports-1234567"},
    "daily_days": 14,
    "monthly_days": 0,
    "log_days": 14,
}
GKE: GkeBackupPlanArgs = {"scope": GOOGLE, "cluster_id": CLUSTER, "key_name": GOOGLE_KEY}
GKE_FULL: GkeBackupPlanArgs = {
    **GKE,
    "location": "europe-west4",
    "key_name": GOOGLE_AWAY_KEY,
    "namespaces": ["shop", "monitoring"],
    "daily_days": 30,
    "monthly_days": 180,
    "lock_days": 30,
    "hour": 4,
    "permissive": True,
    "restore_cluster_id": OTHER_CLUSTER,
    "test_namespace": "shop",
    "protect": False,
    "abandon": True,
}
TESTS: GcpRestoreTestsArgs = {
    "scope": GOOGLE,
    "key_name": GOOGLE_KEY,
    "account_id": "shop-restores",
    "database": "db-1234567",
}
TESTS_FULL: GcpRestoreTestsArgs = {
    **TESTS,
    "cluster": {
        "backup_plan_id": f"{PLACE}/backupPlans/shop-daily-1234567",
        "restore_plan_id": f"{PLACE}/restorePlans/shop-test-1234567",
        "fresh_days": 2,
    },
    "datasource": DATASOURCE,
    "schedule": "30 5 * * 1",
    "protect": False,
}

EXAMPLES: Examples = {
    GcpBackupVault: [
        lambda name, opts: GcpBackupVault(name, VAULT, opts),
        lambda name, opts: GcpBackupVault(name, VAULT_FULL, opts),
    ],
    GcpBackupPlan: [
        lambda name, opts: GcpBackupPlan(name, PLAN, opts),
        lambda name, opts: GcpBackupPlan(name, PLAN_FULL, opts),
    ],
    GkeBackupPlan: [
        lambda name, opts: GkeBackupPlan(name, GKE, opts),
        lambda name, opts: GkeBackupPlan(name, GKE_FULL, opts),
    ],
    GcpRestoreTests: [
        lambda name, opts: GcpRestoreTests(name, TESTS, opts),
        lambda name, opts: GcpRestoreTests(name, TESTS_FULL, opts),
    ],
}
