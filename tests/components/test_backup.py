"""Backups."""

import json
from typing import Any

import pulumi
import pytest

from components.backup.aws import AwsBackupPlan, AwsBackupVault, BackupKind
from policy.catalogue import judge
from preview.plan import Plan
from preview.project import PreviewError

from ..support import SCOPE, one, planned, remedies, statements
from .examples.backup import CLUSTER, DATABASE, EXAMPLES, PLAN, PLAN_FULL, STORE, VAULT, VAULT_FULL
from .examples.shared import KEY, Maker

VAULT_TYPE = "aws:backup/vault:Vault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
VAULT_POLICY = "aws:backup/vaultPolicy:VaultPolicy"
NOTIFICATIONS = "aws:backup/vaultNotifications:VaultNotifications"
PLAN_TYPE = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
RESTORE_PLAN = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
RESTORE_SELECTION = "aws:backup/restoreTestingSelection:RestoreTestingSelection"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

AWAY_VAULT = "arn:aws:backup:eu-west-1:123456789012:backup-vault:away"
NETWORK = {"vpc_id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2"]}


def vault(**changes: Any) -> Plan:
    return planned(lambda opts: AwsBackupVault("kept", {**VAULT, **changes}, opts))  # pyright: ignore[reportArgumentType]


def backups(**changes: Any) -> Plan:
    return planned(lambda opts: AwsBackupPlan("shop", {**PLAN, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_vault(name: str = "kept", **changes: Any) -> dict[str, str]:
    return remedies(lambda: AwsBackupVault(name, {**VAULT, **changes}))  # pyright: ignore[reportArgumentType]


def refused(name: str = "shop", **changes: Any) -> dict[str, str]:
    return remedies(lambda: AwsBackupPlan(name, {**PLAN, **changes}))  # pyright: ignore[reportArgumentType]


def refused_arn(arn: str, kind: BackupKind = BackupKind.RDS) -> str:
    return refused(resources={"it": {"arn": arn, "kind": kind}})["resources.it.arn"]


def before(plan: Plan, type_: str, name: str) -> set[tuple[str, str]]:
    """Types and names of what a resource waits for."""
    resource = next(each for each in plan.of_type(type_) if each.name == name)
    waits = [plan.resource(urn) for urn in plan.waits_for(resource.urn)]
    return {(each.type, each.name) for each in waits}


def rules(plan: Plan) -> dict[str, dict[str, Any]]:
    """The rules of the plan, by name."""
    return {rule["ruleName"]: rule for rule in one(plan, PLAN_TYPE)["rules"]}


def test_the_bare_vault_is_safe() -> None:
    plan = vault()
    assert one(plan, VAULT_TYPE) == {"name": "kept", "kmsKeyArn": KEY, "forceDestroy": False}
    assert {each.type for each in plan.resources if each.protect} == {VAULT_TYPE}
    assert one(plan, LOCK) == {"backupVaultName": "kept", "minRetentionDays": 7}


def test_a_lock_can_always_be_undone() -> None:
    """With days after which it can be changed no more it would be a compliance lock."""
    plan = planned(lambda opts: AwsBackupVault("kept", {**VAULT_FULL, "min_retention_days": 30}, opts))
    assert one(plan, LOCK) == {"backupVaultName": "kept", "minRetentionDays": 30, "maxRetentionDays": 400}


def test_nobody_deletes_a_backup_but_pulumi_may_still_change_the_vault() -> None:
    [kept] = statements(one(vault(), VAULT_POLICY)["policy"]).values()
    assert (kept["Effect"], kept["Principal"], kept["Resource"]) == ("Deny", {"AWS": "*"}, "*")
    assert kept["Action"] == ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"]


def test_a_vault_that_goes_with_its_backups_has_no_policy_in_the_way() -> None:
    plan = vault(delete_contents=True, protect=False)
    assert one(plan, VAULT_TYPE)["forceDestroy"] is True
    assert not plan.of_type(VAULT_POLICY)
    assert not [each for each in plan.resources if each.protect]
    # Pulumi takes it away before the vault.
    assert (VAULT_TYPE, "kept") in before(plan, LOCK, "kept")


def test_a_vault_without_a_lock_is_a_choice() -> None:
    plan = vault(lock=False)
    assert not plan.of_type(LOCK)
    assert plan.of_type(VAULT_POLICY)


def test_somebody_hears_of_failures_by_events_that_are_still_sent() -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:alarms"
    notifications = one(vault(topic_arn=topic), NOTIFICATIONS)
    assert (notifications["backupVaultName"], notifications["snsTopicArn"]) == ("kept", topic)
    assert set(notifications["backupVaultEvents"]) == {
        "BACKUP_JOB_COMPLETED",
        "COPY_JOB_FAILED",
        "RESTORE_JOB_COMPLETED",
        "S3_BACKUP_OBJECT_FAILED",
        "S3_RESTORE_OBJECT_FAILED",
    }
    assert not vault().of_type(NOTIFICATIONS)


def test_backups_begin_once_the_vault_is_locked_and_guarded() -> None:
    """Both of its outputs wait, since a copy names the vault by its ARN."""

    def both(opts: pulumi.ResourceOptions) -> None:
        home = AwsBackupVault("home", VAULT, opts)
        away = AwsBackupVault("away", VAULT, opts)
        AwsBackupPlan(
            "shop",
            {**PLAN, "vault_name": home.vault_name, "copy_to": {"vault_arn": away.vault_arn}},
            opts,
        )

    waits = before(planned(both), PLAN_TYPE, "shop")
    assert {(type_, name) for type_ in (LOCK, VAULT_POLICY) for name in ("home", "away")} <= waits


def test_bad_vaults_are_refused() -> None:
    assert "50 or fewer" in refused_vault(name="v" * 51)["name"]
    assert "letters, digits" in refused_vault(name="my.vault")["name"]
    assert "two or more" in refused_vault(name="v")["name"]
    assert "1 to 36500 days" in refused_vault(min_retention_days=0)["min_retention_days"]
    assert refused_vault(min_retention_days=30, max_retention_days=29) == {
        "max_retention_days": "give min_retention_days, 30, or more"
    }
    assert "7, or more" in refused_vault(max_retention_days=6)["max_retention_days"]
    unlocked = refused_vault(lock=False, min_retention_days=7, max_retention_days=8)
    assert set(unlocked) == {"min_retention_days", "max_retention_days"}
    assert "leave it out, or lock the vault" in unlocked["min_retention_days"]
    elsewhere = refused_vault(key_arn="arn:aws:kms:eu-west-1:1:key/x", topic_arn="arn:aws:sns:eu-west-3:1:x")
    assert elsewhere == dict.fromkeys(["key_arn", "topic_arn"], "give one in eu-central-1, where the vault stands")


def test_the_bare_plan_keeps_days_for_a_month_and_months_for_a_year() -> None:
    plan = rules(backups())
    assert {name: rule["lifecycle"] for name, rule in plan.items()} == {
        "daily": {"deleteAfter": 35},
        "monthly": {"deleteAfter": 365},
    }
    assert plan["daily"]["schedule"] == "cron(0 23 * * ? *)"
    assert plan["monthly"]["schedule"] == "cron(0 23 1 * ? *)"
    for rule in plan.values():
        assert rule["targetVaultName"] == "vault"
        assert rule["scheduleExpressionTimezone"] == "Etc/UTC"
        assert "copyActions" not in rule


def test_rds_keeps_its_own_automated_backups() -> None:
    """A continuous rule would take them over, against what the database's own resource says."""
    assert {rule["enableContinuousBackup"] for rule in rules(backups()).values()} == {False}


def test_backups_keep_away_from_the_windows_in_which_rds_takes_none() -> None:
    """RDS starts no snapshot within its windows for backups and maintenance, nor in the hour before."""
    from components.database.rds import RdsPostgres

    from .examples.database import POSTGRES

    database = one(planned(lambda opts: RdsPostgres("db", POSTGRES, opts)), "aws:rds/instance:Instance")

    def minutes(time: str) -> int:
        hour, minute = time.removeprefix("sun:").split(":")
        return 60 * int(hour) + int(minute)

    for rule in rules(backups()).values():
        _, hour, *_ = rule["schedule"].removeprefix("cron(").split()
        first, last = 60 * int(hour), 60 * int(hour) + rule["startWindow"]
        for window in (database["backupWindow"], database["maintenanceWindow"]):
            start, _, end = window.partition("-")
            for day in (0, 24 * 60):
                assert last <= day + minutes(start) - 60 or first >= day + minutes(end)


def test_a_first_backup_may_take_days() -> None:
    assert {rule["completionWindow"] for rule in rules(backups()).values()} == {7 * 24 * 60}


def test_no_monthly_backups_is_a_choice() -> None:
    assert set(rules(backups(daily_days=7, monthly_days=0))) == {"daily"}


def test_every_rule_copies_and_copies_last_as_long_as_their_originals_or_as_said() -> None:
    def copied(**copy: Any) -> dict[str, Any]:
        plan = rules(backups(copy_to={"vault_arn": AWAY_VAULT, **copy}))
        return {name: rule["copyActions"] for name, rule in plan.items()}

    def to(days: int) -> list[dict[str, Any]]:
        return [{"destinationVaultArn": AWAY_VAULT, "lifecycle": {"deleteAfter": days}}]

    assert copied() == {"daily": to(35), "monthly": to(365)}
    assert copied(days=90) == {"daily": to(90), "monthly": to(90)}


def test_each_resource_has_a_selection_of_its_own() -> None:
    """AWS changes no selection in place: another resource must not replace those that there are."""
    plan = backups(resources={"database": DATABASE, "event-store": STORE})
    selections = {each.name: each.inputs for each in plan.of_type(SELECTION)}
    assert {name: inputs["resources"] for name, inputs in selections.items()} == {
        "shop-database": [DATABASE["arn"]],
        "shop-event-store": [STORE["arn"]],
    }
    assert {inputs["planId"] for inputs in selections.values()} == {"shop-id"}


def policies(plan: Plan, role: str) -> set[str]:
    """The managed policies of a role."""
    return {each.inputs["policyArn"] for each in plan.of_type(ATTACHMENT) if each.inputs["role"] == f"{role}-1234567"}


def test_a_role_has_the_policies_that_its_kinds_need() -> None:
    prefix = "arn:aws:iam::aws:policy"
    services = f"{prefix}/service-role/AWSBackupServiceRolePolicyForBackup"
    restores = f"{prefix}/service-role/AWSBackupServiceRolePolicyForRestores"
    tested = {"restore_test": {"network": NETWORK}}
    plan = backups(**tested)
    assert policies(plan, "shop") == {services}
    assert policies(plan, "shop-restore") == {restores}
    plan = backups(resources={"store": STORE, "database": DATABASE}, **tested)
    assert policies(plan, "shop") == {services, f"{prefix}/AWSBackupServiceRolePolicyForS3Backup"}
    assert policies(plan, "shop-restore") == {restores, f"{prefix}/AWSBackupServiceRolePolicyForS3Restore"}


def test_policies_are_those_of_the_partition() -> None:
    plan = backups(scope={**SCOPE, "partition": "aws-cn"})
    [policy] = policies(plan, "shop")
    assert policy.startswith("arn:aws-cn:iam::aws:policy/")


def test_roles_are_taken_on_behalf_of_this_account_alone() -> None:
    for role in backups(restore_test={"network": NETWORK}).of_type("aws:iam/role:Role"):
        [trust] = statements(role.inputs["assumeRolePolicy"]).values()
        assert trust["Principal"] == {"Service": "backup.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": SCOPE["account"]}}


def test_a_role_has_its_policies_before_anything_uses_it() -> None:
    plan = planned(lambda opts: AwsBackupPlan("shop", PLAN_FULL, opts))
    for purpose in ("database", "event-store"):
        assert {(ATTACHMENT, "shop-services"), (ATTACHMENT, "shop-stores")} <= before(
            plan, SELECTION, f"shop-{purpose}"
        )
        assert {(ATTACHMENT, "shop-restore-services"), (ATTACHMENT, "shop-restore-stores")} <= before(
            plan, RESTORE_SELECTION, f"shop-{purpose}"
        )


def test_what_is_backed_up_is_restored_every_month_from_the_plans_own_vault() -> None:
    plan = planned(lambda opts: AwsBackupPlan("shop-eu", PLAN_FULL, opts))
    restores = one(plan, RESTORE_PLAN)
    assert restores["name"] == "shop_eu"
    assert restores["scheduleExpression"] == "cron(0 6 2 * ? *)"
    assert restores["recoveryPointSelection"] == {
        "algorithm": "LATEST_WITHIN_WINDOW",
        "recoveryPointTypes": ["SNAPSHOT"],
        "includeVaults": ["arn:aws:backup:eu-central-1:123456789012:backup-vault:vault"],
    }
    tests = {each.name: each.inputs for each in plan.of_type(RESTORE_SELECTION)}
    assert {name: (test["name"], test["protectedResourceType"]) for name, test in tests.items()} == {
        "shop-eu-database": ("database", "RDS"),
        "shop-eu-event-store": ("event_store", "S3"),
    }
    for test in tests.values():
        assert test["restoreTestingPlanName"] == "shop_eu"
        assert test["validationWindowHours"] == 1
    assert tests["shop-eu-event-store"]["protectedResourceArns"] == [STORE["arn"]]


def test_a_database_is_restored_out_of_everyones_reach() -> None:
    plan = planned(lambda opts: AwsBackupPlan("shop", PLAN_FULL, opts))
    test = one(plan, RESTORE_SELECTION, "shop-database")
    metadata = test["restoreMetadataOverrides"]
    assert metadata["dbSubnetGroupName"] == "shop-restore-1234567"
    assert json.loads(metadata["vpcSecurityGroupIds"]) == ["shop-restore-id"]
    assert metadata["dbInstanceClass"] == "db.t4g.medium"
    assert one(plan, "aws:rds/subnetGroup:SubnetGroup")["subnetIds"] == NETWORK["subnet_ids"]
    group = one(plan, "aws:ec2/securityGroup:SecurityGroup")
    assert group["vpcId"] == "vpc-1"
    assert not {"ingress", "egress"} & set(group)
    assert not [each for each in plan.resources if "securityGroupId" in each.inputs]
    assert "restoreMetadataOverrides" not in one(plan, RESTORE_SELECTION, "shop-event-store")


def test_without_databases_nothing_is_made_to_restore_them_in() -> None:
    plan = backups(resources={"store": STORE}, restore_test={"schedule": "cron(0 5 ? * SUN *)", "validation_hours": 4})
    assert not plan.of_type("aws:rds/subnetGroup:SubnetGroup", "aws:ec2/securityGroup:SecurityGroup")
    assert one(plan, RESTORE_PLAN)["scheduleExpression"] == "cron(0 5 ? * SUN *)"
    assert one(plan, RESTORE_SELECTION)["validationWindowHours"] == 4


def test_restore_tests_are_a_choice_and_leave_clusters_out() -> None:
    assert not backups().of_type(RESTORE_PLAN, RESTORE_SELECTION)
    plan = backups(resources={"cluster": CLUSTER, "store": STORE}, restore_test={})
    assert len(plan.of_type(SELECTION)) == 2
    assert [each.name for each in plan.of_type(RESTORE_SELECTION)] == ["shop-store"]


@pytest.mark.parametrize(
    ("kind", "arn"),
    [
        (BackupKind.RDS, "arn:aws:rds:eu-central-1:123456789012:db:shop"),
        (BackupKind.S3, "arn:aws-cn:s3:::events"),
        (BackupKind.EKS, "arn:aws:eks:eu-central-1:123456789012:cluster/shop"),
        (BackupKind.EBS, "arn:aws:ec2:eu-central-1:123456789012:volume/vol-1"),
        (BackupKind.EFS, "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-1"),
        (BackupKind.DYNAMODB, "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"),
    ],
)
def test_every_kind_takes_its_own_arns_and_no_others(kind: BackupKind, arn: str) -> None:
    assert one(backups(resources={"it": {"arn": arn, "kind": kind}}), SELECTION)["resources"] == [arn]
    other = BackupKind.S3 if kind is BackupKind.RDS else BackupKind.RDS
    assert "or change its kind" in refused_arn(arn, other)


def test_arns_of_what_is_not_covered_are_refused() -> None:
    cache = refused_arn("arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:shop")
    assert cache == "AWS Backup does not cover it: a cache's own daily snapshots do; leave it out"
    broker = refused_arn("arn:aws:mq:eu-central-1:123456789012:broker:shop:b-1")
    assert broker.startswith("AWS Backup does not cover it")
    assert ":db:<identifier>" in refused_arn("arn:aws:rds:eu-central-1:123456789012:cluster:shop")
    assert "arn:aws:s3:::<bucket>" in refused_arn("shop", BackupKind.S3)


def test_what_is_known_later_is_checked_then() -> None:
    home_vault = "arn:aws:backup:eu-central-1:123456789012:backup-vault:home"

    def make(opts: pulumi.ResourceOptions, broker: bool) -> None:
        arn = pulumi.Output.from_input("arn:aws:mq:eu-central-1:123456789012:broker:shop:b-1")
        broken: Any = {"resources": {"it": {"arn": arn, "kind": BackupKind.RDS}}}
        if not broker:
            broken = {"copy_to": {"vault_arn": pulumi.Output.from_input(home_vault)}}
        AwsBackupPlan("shop", {**PLAN, **broken}, opts)  # pyright: ignore[reportArgumentType]

    with pytest.raises(PreviewError, match=r"resources\.it\.arn=arn:aws:mq.*: AWS Backup does not cover it"):
        planned(lambda opts: make(opts, broker=True))
    with pytest.raises(PreviewError, match=r"copy_to\.vault_arn=arn:aws:backup.*: it stands in eu-central-1 as well"):
        planned(lambda opts: make(opts, broker=False))


def test_bad_plans_are_refused() -> None:
    assert refused(resources={}) == {"resources": "name what is backed up, or make no plan"}
    assert refused(daily_days=35, monthly_days=35) == {"monthly_days": "give more than daily_days, 35, or 0 for none"}
    assert "1 to 36500 days" in refused(daily_days=0)["daily_days"]
    assert "another region" in refused(copy_to={"vault_arn": "arn:aws:backup:eu-central-1:1:x"})["copy_to.vault_arn"]
    assert "1 to 36500 days" in refused(copy_to={"vault_arn": AWAY_VAULT, "days": 0})["copy_to.days"]
    assert "choose one of RDS, S3" in refused(resources={"it": {"arn": "x", "kind": "Lambda"}})["resources.it.kind"]


def test_bad_names_are_refused() -> None:
    assert "42 or fewer" in refused(name="p" * 43)["name"]
    assert "small letters" in refused(name="my_plan")["name"]
    for purpose in ("Main", "a_b", "a--b", "1st", ""):
        assert "small letters" in refused(resources={purpose: DATABASE})[f"resources.{purpose}"]
    long = "d" * 38
    assert "beside the name shop use 37 or fewer" in refused(resources={long: DATABASE})[f"resources.{long}"]


def test_bad_restore_tests_are_refused_together() -> None:
    found = refused(
        resources={"database": DATABASE, "cluster": CLUSTER},
        restore_test={"schedule": "monthly", "validation_hours": 169, "overrides": {"databse": {}, "cluster": {}}},
    )
    assert set(found) == {
        "restore_test.schedule",
        "restore_test.validation_hours",
        "restore_test.network",
        "restore_test.overrides.databse",
        "restore_test.overrides.cluster",
    }
    assert "six fields" in found["restore_test.schedule"]
    assert "1 to 168" in found["restore_test.validation_hours"]
    assert "VPC and data subnets" in found["restore_test.network"]
    assert "did you mean `database`?" in found["restore_test.overrides.databse"]
    alone = refused(resources={"cluster": CLUSTER}, restore_test={})
    assert alone == {"restore_test": "AWS restores no cluster as a test; leave it out"}


@pytest.mark.parametrize("make", [make for makers in EXAMPLES.values() for make in makers])
def test_what_is_made_breaks_no_rule_that_it_can_keep_alone(make: Maker) -> None:
    """Copies and accounts are for whoever puts it together."""
    found = {finding.rule for finding in judge(planned(lambda opts: make("thing", opts)))}
    assert {rule for rule in found if not rule.startswith("provider-")} <= {"backup-copied-elsewhere"}
