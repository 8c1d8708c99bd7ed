"""Backups on Google Cloud."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from components.backup.gcp import GcpBackupPlan, GcpBackupVault, GkeBackupPlan
from components.backup.gcp_restore import GcpRestoreTests
from components.database.cloudsql import CloudSqlPostgres
from policy.catalogue import judge
from policy.rules.rule import Finding
from preview.plan import Plan
from preview.project import PreviewError

from ..support import known, one, planned, remedies
from .examples.google_backup import (
    CLUSTER,
    DATASOURCE,
    EXAMPLES,
    GKE,
    GKE_FULL,
    INSTANCE,
    OTHER_CLUSTER,
    PLACE,
    PLAN,
    PLAN_FULL,
    TESTS,
    TESTS_FULL,
    VAULT,
    VAULT_FULL,
)
from .examples.google_database import CLOUD_SQL
from .examples.shared import GOOGLE_AWAY_KEY, GOOGLE_KEY, Maker

VAULT_TYPE = "gcp:backupdisasterrecovery/backupVault:BackupVault"
PLAN_TYPE = "gcp:backupdisasterrecovery/backupPlan:BackupPlan"
ASSOCIATION = "gcp:backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation"
GKE_PLAN = "gcp:gkebackup/backupPlan:BackupPlan"
RESTORE_PLAN = "gcp:gkebackup/restorePlan:RestorePlan"
WORKFLOW = "gcp:workflows/workflow:Workflow"
JOB = "gcp:cloudscheduler/job:Job"
GRANT = "gcp:projects/iAMMember:IAMMember"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
ACCOUNT = "gcp:serviceaccount/account:Account"
RESTORER = "serviceAccount:shop-restores@plinth-123456.iam.gserviceaccount.com"


def vault(**changes: Any) -> Plan:
    return planned(lambda opts: GcpBackupVault("kept", {**VAULT, **changes}, opts))  # pyright: ignore[reportArgumentType]


def backups(**changes: Any) -> Plan:
    return planned(lambda opts: GcpBackupPlan("shop", {**PLAN, **changes}, opts))  # pyright: ignore[reportArgumentType]


def gke(**changes: Any) -> Plan:
    return planned(lambda opts: GkeBackupPlan("shop", {**GKE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def gke_full() -> Plan:
    return planned(lambda opts: GkeBackupPlan("shop", GKE_FULL, opts))


def restores(**changes: Any) -> Plan:
    return planned(lambda opts: GcpRestoreTests("shop", {**TESTS_FULL, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused_vault(name: str = "kept", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpBackupVault(name, {**VAULT, **changes}))  # pyright: ignore[reportArgumentType]


def refused_plan(name: str = "shop", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpBackupPlan(name, {**PLAN, **changes}))  # pyright: ignore[reportArgumentType]


def refused_gke(name: str = "shop", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GkeBackupPlan(name, {**GKE, **changes}))  # pyright: ignore[reportArgumentType]


def refused_tests(name: str = "shop", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpRestoreTests(name, {**TESTS, **changes}))  # pyright: ignore[reportArgumentType]


def waits(plan: Plan, type_: str, name: str) -> set[tuple[str, str]]:
    """Types and names of what a resource waits for."""
    resource = next(each for each in plan.of_type(type_) if each.name == name)
    return {(each.type, each.name) for each in map(plan.resource, plan.waits_for(resource.urn))}


def test_the_bare_vault_is_locked_and_closed() -> None:
    plan = vault()
    inputs = one(plan, VAULT_TYPE)
    assert inputs["backupMinimumEnforcedRetentionDuration"] == f"{7 * 86400}s"
    assert inputs["accessRestriction"] == "WITHIN_ORGANIZATION"
    assert (inputs["project"], inputs["location"]) == ("plinth-123456", "europe-west3")
    assert inputs["deletionPolicy"] == "PREVENT"
    assert {each.type for each in plan.resources if each.protect} == {VAULT_TYPE}


def test_a_locked_vault_can_be_changed_and_says_how_long_it_locks() -> None:
    """With a time from which on it is locked itself it never could be again."""
    plan = planned(lambda opts: GcpBackupVault("kept", VAULT_FULL, opts))
    inputs = one(plan, VAULT_TYPE)
    assert "effectiveTime" not in inputs
    assert inputs["backupMinimumEnforcedRetentionDuration"] == f"{30 * 86400}s"
    assert inputs["accessRestriction"] == "WITHIN_PROJECT"
    assert inputs["encryptionConfig"] == {"kmsKeyName": GOOGLE_AWAY_KEY}
    assert inputs["location"] == "europe-west4"


def test_a_vault_goes_only_when_it_is_told_to() -> None:
    def deletion(**changes: Any) -> tuple[object, ...]:
        inputs = one(vault(**changes), VAULT_TYPE)
        flags = ("ignoreInactiveDatasources", "ignoreBackupPlanReferences", "deletionPolicy")
        return tuple(inputs[flag] for flag in flags)

    assert deletion() == (False, False, "PREVENT")
    assert deletion(protect=False) == (False, False, "DELETE")
    assert deletion(protect=False, delete_contents=True) == (True, True, "DELETE")
    assert deletion(protect=False, abandon=True) == (False, False, "ABANDON")
    assert not any(each.protect for each in vault(protect=False).resources)


def test_the_id_of_an_abandoned_vault_is_in_nobodys_way() -> None:
    assert re.fullmatch(r"kept-\w+", one(vault(), VAULT_TYPE)["backupVaultId"])


def test_bad_vaults_are_refused() -> None:
    assert "54 or fewer" in refused_vault(name="v" * 55)["name"]
    assert "small letters" in refused_vault(name="My-vault")["name"]
    assert "1 to 36159 days" in refused_vault(locked_days=0)["locked_days"]
    assert "europe-west3" in refused_vault(location="EU")["location"]
    assert refused_vault(key_name=GOOGLE_AWAY_KEY) == {
        "key_name": "give the id of a key in europe-west3, where the backups are"
    }
    assert "set `protect` to false" in refused_vault(abandon=True)["abandon"]
    assert "set `protect` to false" in refused_gke(abandon=True)["abandon"]


def test_the_bare_plan_keeps_days_for_a_month_and_months_for_a_year() -> None:
    inputs = one(backups(), PLAN_TYPE)
    assert inputs["resourceType"] == "sqladmin.googleapis.com/Instance"
    assert inputs["backupVault"] == PLAN["vault_id"]
    assert inputs["logRetentionDays"] == 7
    rules = {rule["ruleId"]: rule for rule in inputs["backupRules"]}
    assert {name: rule["backupRetentionDays"] for name, rule in rules.items()} == {"daily": 35, "monthly": 365}
    schedules = {name: rule["standardSchedule"] for name, rule in rules.items()}
    assert schedules["daily"]["recurrenceType"] == "DAILY"
    assert (schedules["monthly"]["recurrenceType"], schedules["monthly"]["daysOfMonths"]) == ("MONTHLY", [1])
    for schedule in schedules.values():
        assert schedule["timeZone"] == "UTC"
        assert schedule["backupWindow"] == {"startHourOfDay": 0, "endHourOfDay": 6}


def test_no_monthly_backups_is_a_choice() -> None:
    plan = planned(lambda opts: GcpBackupPlan("shop", PLAN_FULL, opts))
    inputs = one(plan, PLAN_TYPE)
    assert [(rule["ruleId"], rule["backupRetentionDays"]) for rule in inputs["backupRules"]] == [("daily", 14)]
    assert inputs["logRetentionDays"] == 14


def test_each_instance_has_an_association_of_its_own() -> None:
    plan = planned(lambda opts: GcpBackupPlan("shop", PLAN_FULL, opts))
    associations = {each.name: each.inputs for each in plan.of_type(ASSOCIATION)}
    assert {name: inputs["resource"] for name, inputs in associations.items()} == {
        "shop-database": INSTANCE,
        "shop-reports": "projects/plinth-123456/instances/reports-1234567",
    }
    plan_id = f"{PLACE}/backupPlans/{one(plan, PLAN_TYPE)['backupPlanId']}"
    for name, inputs in associations.items():
        assert (inputs["backupPlanAssociationId"], inputs["backupPlan"]) == (name, plan_id)
        assert inputs["location"] == one(plan, PLAN_TYPE)["location"] == "europe-west3"


def test_the_vault_may_back_these_instances_up_and_no_others_before_it_has_to() -> None:
    plan = planned(lambda opts: GcpBackupPlan("shop", PLAN_FULL, opts))
    grant = one(plan, GRANT)
    assert grant["role"] == "roles/backupdr.cloudSqlOperator"
    assert grant["member"] == "serviceAccount:vault@gcp-sa-backupdr-pr.iam.gserviceaccount.com"
    assert grant["condition"]["expression"] == (
        'resource.service == "sqladmin.googleapis.com" && '
        f'(resource.name == "{INSTANCE}" || '
        'resource.name == "projects/plinth-123456/instances/reports-1234567")'
    )
    assert (GRANT, "shop") in waits(plan, ASSOCIATION, "shop-database")


def test_a_plan_takes_the_outputs_of_a_vault_and_of_a_database() -> None:
    def both(opts: pulumi.ResourceOptions) -> None:
        kept = GcpBackupVault("kept", VAULT, opts)
        database = CloudSqlPostgres("db", CLOUD_SQL, opts)
        args = {"vault_id": kept.vault_id, "vault_account": kept.service_account}
        GcpBackupPlan("shop", {**PLAN, **args, "resources": {"database": database.instance_id}}, opts)  # pyright: ignore[reportArgumentType]

    plan = planned(both)
    assert one(plan, ASSOCIATION)["resource"] == INSTANCE
    assert (VAULT_TYPE, "kept") in waits(plan, PLAN_TYPE, "shop")
    assert not [each for each in judge(plan) if each.rule == "cloudsql-vaulted"]
    # Google's provider leaves alone what the plan makes of an instance's own backups, but for their place.
    settings = one(plan, "gcp:sql/databaseInstance:DatabaseInstance")["settings"]
    assert "location" not in settings["backupConfiguration"]


def test_bad_plans_are_refused() -> None:
    assert "54 or fewer" in refused_plan(name="p" * 55)["name"]
    assert refused_plan(resources={}) == {"resources": "name what is backed up, or make no plan"}
    assert "small letters" in refused_plan(resources={"My": INSTANCE})["resources.My"]
    assert "58 or fewer" in refused_plan(resources={"p" * 59: INSTANCE})[f"resources.{'p' * 59}"]
    assert "projects/<project>/instances/<name>" in refused_plan(resources={"it": "db"})["resources.it"]
    assert refused_plan(daily_days=6, monthly_days=5, log_days=8) == {
        "daily_days": "the vault keeps every backup for 7 days; give as many or more",
        "monthly_days": "give more than daily_days, 6, or 0 for none",
        "log_days": "logs follow a backup; give daily_days, 6, or fewer",
    }
    assert "1 to 35 days" in refused_plan(log_days=36)["log_days"]


def test_an_instance_of_another_form_is_refused_once_it_is_known() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        resources = {"database": pulumi.Output.from_input("db-1234567")}
        GcpBackupPlan("shop", {**PLAN, "resources": resources}, opts)  # pyright: ignore[reportArgumentType]

    with pytest.raises(PreviewError, match="give the instance's id"):
        planned(make)


def test_the_bare_plans_of_a_cluster_are_whole_encrypted_and_locked() -> None:
    plan = gke()
    plans = {each.name: each for each in plan.of_type(GKE_PLAN)}
    assert set(plans) == {"shop-daily", "shop-monthly"}
    for each in plans.values():
        assert each.protect
        assert each.inputs["cluster"] == CLUSTER
        assert each.inputs["location"] == "europe-west3"
        assert each.inputs["deletionPolicy"] == "PREVENT"
        assert each.inputs["deactivated"] is False
        assert each.inputs["backupConfig"] == {
            "allNamespaces": True,
            "includeSecrets": True,
            "includeVolumeData": True,
            "permissiveMode": False,
            "encryptionKey": {"gcpKmsEncryptionKey": GOOGLE_KEY},
        }
    assert {name: each.inputs["retentionPolicy"] for name, each in plans.items()} == {
        "shop-daily": {"backupRetainDays": 35, "backupDeleteLockDays": 7, "locked": False},
        "shop-monthly": {"backupRetainDays": 365, "backupDeleteLockDays": 7, "locked": False},
    }
    assert {name: each.inputs["backupSchedule"] for name, each in plans.items()} == {
        "shop-daily": {"cronSchedule": "0 1 * * *", "paused": False},
        "shop-monthly": {"cronSchedule": "0 3 1 * *", "paused": False},
    }


def test_backups_elsewhere_are_plans_elsewhere_with_a_key_there() -> None:
    plan = gke_full()
    for each in plan.of_type(GKE_PLAN):
        assert each.inputs["location"] == "europe-west4"
        config = each.inputs["backupConfig"]
        assert config["encryptionKey"] == {"gcpKmsEncryptionKey": GOOGLE_AWAY_KEY}
        assert config["selectedNamespaces"] == {"namespaces": ["shop", "monitoring"]}
        assert "allNamespaces" not in config
        assert config["permissiveMode"] is True
        assert each.inputs["retentionPolicy"]["backupDeleteLockDays"] == 30
        assert each.inputs["deletionPolicy"] == "ABANDON"
        assert not each.protect
    schedules = {each.name: each.inputs["backupSchedule"]["cronSchedule"] for each in plan.of_type(GKE_PLAN)}
    assert schedules == {"shop-daily": "0 4 * * *", "shop-monthly": "0 6 1 * *"}
    for each in plan.of_type(RESTORE_PLAN):
        assert (each.inputs["location"], each.inputs["cluster"]) == ("europe-west4", OTHER_CLUSTER)
        assert each.inputs["deletionPolicy"] == "ABANDON"


def test_no_monthly_backups_of_a_cluster_is_a_choice() -> None:
    plan = gke(monthly_days=0)
    assert [each.name for each in plan.of_type(GKE_PLAN)] == ["shop-daily"]
    assert [each.name for each in plan.of_type(RESTORE_PLAN)] == ["shop-daily"]


def test_a_restore_brings_everything_back_and_overwrites_nothing() -> None:
    for each in gke().of_type(RESTORE_PLAN):
        assert each.inputs["backupPlan"].startswith(f"{PLACE}/backupPlans/{each.name}")
        assert each.inputs["cluster"] == CLUSTER
        assert each.inputs["restoreConfig"] == {
            "allNamespaces": True,
            "namespacedResourceRestoreMode": "FAIL_ON_CONFLICT",
            "volumeDataRestorePolicy": "RESTORE_VOLUME_DATA_FROM_BACKUP",
            "clusterResourceRestoreScope": {"allGroupKinds": True},
            "clusterResourceConflictPolicy": "USE_EXISTING_VERSION",
        }


def test_a_test_restores_a_namespace_into_another_in_which_nothing_runs() -> None:
    config = one(gke(test_namespace="web"), RESTORE_PLAN, "shop-test")["restoreConfig"]
    assert config["selectedNamespaces"] == {"namespaces": ["web"]}
    assert config["clusterResourceRestoreScope"] == {"noGroupKinds": True}
    assert config["volumeDataRestorePolicy"] == "RESTORE_VOLUME_DATA_FROM_BACKUP"
    # This one deletes the namespaces that it finds, and nobody says by which name it looks for them.
    assert config["namespacedResourceRestoreMode"] != "DELETE_AND_RESTORE"
    rules = config["transformationRules"]
    changes = [(action["path"], action["value"]) for rule in rules for action in rule["fieldActions"]]
    assert changes == [
        ("/spec/replicas", "0"),
        ("/spec/suspend", "true"),
        ("/metadata/name", "web-restore-test"),
        ("/metadata/namespace", "web-restore-test"),
    ]
    kinds = [{kind["resourceKind"] for kind in rule["resourceFilter"].get("groupKinds", [])} for rule in rules]
    assert kinds == [{"Deployment", "StatefulSet"}, {"CronJob", "Job"}, {"Namespace"}, set()]
    assert rules[-1]["resourceFilter"] == {"namespaces": ["web"]}
    assert not [each for each in gke().of_type(RESTORE_PLAN) if each.name == "shop-test"]


def test_bad_plans_of_clusters_are_refused() -> None:
    assert "47 or fewer" in refused_gke(name="p" * 48)["name"]
    assert "clusters/<name>" in refused_gke(cluster_id="shop")["cluster_id"]
    assert "clusters/<name>" in refused_gke(restore_cluster_id="shop")["restore_cluster_id"]
    assert "a key in europe-west4" in refused_gke(location="europe-west4")["key_name"]
    assert "1 to 360" in refused_gke(daily_days=361)["daily_days"]
    assert "0 to 365" in refused_gke(monthly_days=366)["monthly_days"]
    assert "0 to 90" in refused_gke(lock_days=91)["lock_days"]
    assert "0 to 21" in refused_gke(hour=22)["hour"]
    assert refused_gke(daily_days=6, monthly_days=6) == {
        "monthly_days": "give more than daily_days, 6, or 0 for none",
        "lock_days": "give daily_days, 6, or fewer: nothing deletes a locked backup",
    }
    assert "one namespace or more" in refused_gke(namespaces=[])["namespaces"]
    assert "use 50 or fewer" in refused_gke(test_namespace="n" * 51)["test_namespace"]
    assert "namespace's name" in refused_gke(test_namespace="My")["test_namespace"]
    assert "not backed up" in refused_gke(namespaces=["shop"], test_namespace="web")["test_namespace"]


def source(plan: Plan) -> dict[str, Any]:
    return json.loads(one(plan, WORKFLOW)["sourceContents"])


def steps(of: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step, however deep, by its name."""
    if isinstance(of, list):
        for each in of:
            yield from steps(each)
    elif isinstance(of, dict):
        for key, value in of.items():
            if key == "steps":
                for step in value:
                    [(name, body)] = step.items()
                    yield name, body
            yield from steps(value)


def test_a_workflow_restores_at_most_what_it_is_told_and_encrypted() -> None:
    plan = restores()
    workflow = one(plan, WORKFLOW)
    assert workflow["serviceAccount"] == RESTORER.removeprefix("serviceAccount:")
    assert workflow["cryptoKeyName"] == GOOGLE_KEY
    assert workflow["callLogLevel"] == "LOG_ERRORS_ONLY"
    assert workflow["deletionProtection"] is False
    assert set(source(plan)) == {"main", "restore_database", "restore_cluster", "is_passing"}
    bare = planned(lambda opts: GcpRestoreTests("shop", TESTS, opts))
    assert set(source(bare)) == {"main", "restore_database", "is_passing"}
    assert one(bare, WORKFLOW)["deletionProtection"] is True
    alone = {key: value for key, value in TESTS_FULL.items() if key not in ("database", "datasource")}
    only = planned(lambda opts: GcpRestoreTests("shop", alone, opts))  # pyright: ignore[reportArgumentType]
    assert set(source(only)) == {"main", "restore_cluster", "is_passing"}


def test_a_workflow_is_one_that_google_takes() -> None:
    """Names of steps are unique in a flow and none of the words that say where to go on, expressions are short."""
    flows = source(restores())
    for flow in flows.values():
        names = [name for name, _ in steps(flow)]
        assert len(names) == len(set(names)), names
        assert not {"end", "break", "continue"} & set(names)
        goals = set(re.findall(r'"next": "(\w+)"', json.dumps(flow)))
        assert goals <= {*names, "break"}
    for expression in re.findall(r'"(\$\{(?:[^"\\]|\\.)*\})"', json.dumps(flows)):
        assert len(expression) <= 400
    assert len(json.dumps(flows)) < 128 * 1024


def test_every_request_is_made_as_the_workflow_itself_to_google() -> None:
    calls = [body["args"] for _, body in steps(source(restores())) if str(body.get("call", "")).startswith("http.")]
    tried = [body["try"]["args"] for _, body in steps(source(restores())) if "call" in body.get("try", {})]
    assert len(calls) >= 3
    assert {call["auth"]["type"] for call in [*calls, *tried]} == {"OAuth2"}


def test_one_test_that_fails_does_not_keep_the_other_from_being_made_but_fails_all() -> None:
    main = source(restores())["main"]["steps"]
    by_name = {name: body for step in main for name, body in step.items()}
    assert list(by_name) == ["begin", "database", "cluster", "verdict", "done"]
    for part in ("database", "cluster"):
        [noted] = by_name[part]["except"]["steps"]
        assert noted == {f"note_{part}": {"assign": [{"problems": "${list.concat(problems, error)}"}]}}
    [verdict] = by_name["verdict"]["switch"]
    assert verdict["condition"] == "${len(problems) > 0}"
    assert "raise" in verdict["steps"][0]["verdict_not"]


def test_a_clone_is_always_taken_away() -> None:
    flow = source(restores())["restore_database"]["steps"]
    names = [name for step in flow for name in step]
    assert names == ["begin", "restore", "is_there_one", "remove", "verdict", "done"]
    by_name = {name: body for step in flow for name, body in step.items()}
    # What fails while it is restored is noted, and the next step comes all the same.
    assert list(by_name["restore"]) == ["try", "except"]
    assert by_name["is_there_one"]["switch"] == [{"condition": "${made}", "next": "remove"}]
    removal = [name for step in by_name["remove"]["try"]["steps"] for name in step]
    assert removal == ["unprotect_it", "delete_it", "until_it_is_gone"]
    unprotected = dict(steps(flow))["unprotect_it"]["try"]["args"]["body"]["settings"]
    assert unprotected["deletionProtectionEnabled"] is False
    # Or each test would leave the backups of a whole database behind.
    assert unprotected["finalBackupConfig"] == {"enabled": False}
    assert unprotected["retainBackupsOnDelete"] is False


def test_nothing_but_clones_is_changed_or_deleted() -> None:
    flow = source(restores())["restore_database"]
    begun = {key: value for each in dict(steps(flow))["begin"]["assign"] for key, value in each.items()}
    assert begun["clone"] == '${"shop-restore-test-" + string(int(sys.now()))}'
    assert begun["source"] == "db-1234567"
    urls = {name: body["try"]["args"]["url"] for name, body in steps(flow) if "call" in body.get("try", {})}
    assert {urls["unprotect_it"], urls["delete_it"]} == {"${instances + clone}"}
    grants = {each.name: each.inputs for each in restores().of_type(GRANT) if each.inputs["member"] == RESTORER}
    roles = {each.name: set(each.inputs["permissions"]) for each in restores().of_type(ROLE)}
    assert roles == {
        "shop-source": {"cloudsql.instances.clone", "cloudsql.instances.get"},
        "shop-clones": {f"cloudsql.instances.{each}" for each in ("create", "delete", "get", "update")},
        "shop-backups": {
            "backupdr.bvbackups.useReadOnlyForCloudSqlInstance",
            "backupdr.bvdataSources.useReadOnlyForCloudSqlInstance",
        },
    }
    only = {name: grant["condition"]["expression"] for name, grant in grants.items() if "condition" in grant}
    service = 'resource.service == "sqladmin.googleapis.com" && '
    assert only == {
        "shop-source": f'{service}resource.name == "projects/plinth-123456/instances/db-1234567"',
        "shop-clones": f'{service}resource.name.startsWith("projects/plinth-123456/instances/shop-restore-test-")',
        # Google names the project of a data source by its number or by its id.
        "shop-backups": 'resource.service == "backupdr.googleapis.com" && '
        '(resource.name.endsWith("/backupVaults/kept-01234567/dataSources/c0ffee00") || '
        'resource.name.extract("/backupVaults/kept-01234567/dataSources/c0ffee00/backups/{backup}") != "")',
    }
    assert set(grants) == {"shop-source", "shop-clones", "shop-backups", "shop-logs"}
    for name in roles:
        assert grants[name]["role"].startswith(f"projects/plinth-123456/roles/{name.replace('-', '_')}_")


def test_a_database_is_put_back_to_an_hour_ago_and_must_run() -> None:
    plan = planned(lambda opts: GcpRestoreTests("shop", TESTS, opts))
    flow = dict(steps(source(plan)["restore_database"]))
    assert flow["clone_it"]["args"]["url"] == '${instances + source + "/clone"}'
    assert flow["clone_it"]["args"]["body"] == {
        "cloneContext": {
            "destinationInstanceName": "${clone}",
            "pointInTime": "${time.format(int(sys.now()) - 3600)}",
        }
    }
    assert "shop-backups" not in {each.name for each in plan.of_type(GRANT)}
    judged = json.dumps(flow["until_it_runs_judge"])
    assert all(each in judged for each in ("RUNNABLE", "FAILED", "after 6 hours"))


def test_a_database_with_its_backups_in_a_vault_is_put_back_from_there() -> None:
    """Cloud SQL has no backups of its own of it then."""
    flow = dict(steps(source(restores())["restore_database"]))
    request = flow["clone_it"]
    assert request["call"] == "http.post"
    assert request["args"]["url"] == "https://sqladmin.googleapis.com/v1/projects/plinth-123456:pointInTimeRestore"
    assert request["args"]["body"] == {
        "datasource": DATASOURCE,
        "pointInTime": "${time.format(int(sys.now()) - 3600)}",
        "targetInstance": "${clone}",
    }


def test_a_plan_says_where_the_backups_of_each_instance_are() -> None:
    def answer(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        told = known(type_, name, inputs)
        return told | {"dataSource": DATASOURCE} if type_ == ASSOCIATION else told

    def both(opts: pulumi.ResourceOptions) -> None:
        kept = GcpBackupPlan("shop", PLAN, opts)
        datasource = kept.data_sources.apply(lambda found: found["database"])
        GcpRestoreTests("shop", {**TESTS, "datasource": datasource}, opts)

    plan = planned(both, answer)
    flow = dict(steps(source(plan)["restore_database"]))
    assert flow["clone_it"]["args"]["body"]["datasource"] == DATASOURCE
    assert (ASSOCIATION, "shop-database") in waits(plan, WORKFLOW, "shop")


def test_the_latest_backup_of_a_cluster_is_restored_if_it_is_fresh() -> None:
    plan = restores()
    flow = dict(steps(source(plan)["restore_cluster"]))
    begun = {key: value for each in flow["begin"]["assign"] for key, value in each.items()}
    assert begun["backups"] == f"https://gkebackup.googleapis.com/v1/{PLACE}/backupPlans/shop-daily-1234567/backups"
    assert begun["restores"] == f"https://gkebackup.googleapis.com/v1/{PLACE}/restorePlans/shop-test-1234567/restores"
    assert "SUCCEEDED" in flow["compare"]["switch"][0]["condition"]
    assert flow["is_it_fresh"]["switch"][0]["condition"] == f"${{sys.now() - made_at > {2 * 86400}}}"
    assert flow["restore_it"]["args"]["body"]["backup"] == "${latest}"
    # What is assigned in a loop is lost after it, unless it was there before.
    assert {"latest", "made_at", "objects"} <= set(begun)
    viewer = one(plan, "gcp:gkebackup/backupPlanIamMember:BackupPlanIamMember")
    restorer = one(plan, "gcp:gkebackup/restorePlanIamMember:RestorePlanIamMember")
    for grant, role, name in (
        (viewer, "viewer", "shop-daily-1234567"),
        (restorer, "delegatedRestoreAdmin", "shop-test-1234567"),
    ):
        assert (grant["role"], grant["member"]) == (f"roles/gkebackup.{role}", RESTORER)
        assert (grant["location"], grant["name"]) == ("europe-west3", name)


def test_a_schedule_starts_it_as_somebody_who_can_do_nothing_else() -> None:
    plan = restores()
    caller = "shop-restores-call@plinth-123456.iam.gserviceaccount.com"
    job = one(plan, JOB)
    assert (job["schedule"], job["timeZone"]) == ("30 5 * * 1", "Etc/UTC")
    target = job["httpTarget"]
    assert target["uri"] == (f"https://workflowexecutions.googleapis.com/v1/{PLACE}/workflows/shop-1234567/executions")
    assert target["oauthToken"]["serviceAccountEmail"] == caller
    assert json.loads(base64.b64decode(target["body"])) == {}
    assert job["retryConfig"]["retryCount"] > 0
    assert "paused" not in job
    grants = [
        each.inputs["role"] for each in plan.of_type(GRANT) if each.inputs["member"] == f"serviceAccount:{caller}"
    ]
    assert grants == ["roles/workflows.invoker"]
    assert (GRANT, "shop-call") in waits(plan, JOB, "shop")
    assert len(plan.of_type(ACCOUNT)) == 2
    assert one(planned(lambda opts: GcpRestoreTests("shop", TESTS, opts)), JOB)["schedule"] == "0 6 2 * *"


def test_bad_tests_are_refused() -> None:
    assert "45 or fewer" in refused_tests(name="t" * 46)["name"]
    nothing = {key: value for key, value in TESTS.items() if key != "database"}
    found = remedies(lambda: GcpRestoreTests("shop", nothing))  # pyright: ignore[reportArgumentType]
    assert "make no tests" in found["database"]
    alone = {**nothing, "datasource": DATASOURCE, "cluster": TESTS_FULL.get("cluster")}
    found = remedies(lambda: GcpRestoreTests("shop", alone))  # pyright: ignore[reportArgumentType]
    assert "whose backups" in found["database"]
    assert "dataSources/<data source>" in refused_tests(datasource="c0ffee00")["datasource"]
    assert "name alone" in refused_tests(database=INSTANCE)["database"]
    assert "with -call use 25 or fewer" in refused_tests(account_id="a" * 26)["account_id"]
    assert "a key in europe-west3" in refused_tests(key_name=GOOGLE_AWAY_KEY)["key_name"]
    assert "five fields" in refused_tests(schedule="monthly")["schedule"]
    bad = refused_tests(cluster={"backup_plan_id": "x", "restore_plan_id": "y", "fresh_days": 0})
    assert "backupPlans/<name>" in bad["cluster.backup_plan_id"]
    assert "restorePlans/<name>" in bad["cluster.restore_plan_id"]
    assert "1 to 365" in bad["cluster.fresh_days"]


MAKERS = {
    f"{type_.__name__}-{number}": make for type_, makers in EXAMPLES.items() for number, make in enumerate(makers)
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_what_is_made_breaks_no_rule(make: Maker) -> None:
    found = judge(planned(lambda opts: make("shop", opts)))
    assert not [(each.rule, each.urn) for each in found if not excused(each)]


def excused(finding: Finding) -> bool:
    """What the providers of tests lack, what the full examples are there to show, and that Workflows knows neither
    policies of workflows nor conditions."""
    return finding.rule.startswith(("provider-", "provider-google-")) or (
        finding.rule in ("stateful-protected", "gke-backup-whole", "backupdr-retention-month")
        or (finding.rule == "gcp-iam-project-grants" and finding.urn.endswith("::shop-call"))
    )
