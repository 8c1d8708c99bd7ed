"""PostgreSQL on Cloud SQL."""

import json
import re
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random
import pytest

from components.database.cloudsql import CloudSqlEdition, CloudSqlPostgres, edition_of, tier_problem
from policy.catalogue import judge
from preview.plan import Plan
from preview.record import plain

from ..support import GCP_REGION, PROJECT, SENTINEL, known, one, planned, recorded, remedies
from .examples.google_database import CLOUD_SQL, CLOUD_SQL_FULL, CLOUD_SQL_STANDBY
from .examples.shared import GOOGLE_AWAY_KEY, GOOGLE_KEY, GOOGLE_NETWORK

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
USER = "gcp:sql/user:User"
DATABASE = "gcp:sql/database:Database"
PASSWORD = "random:index/randomPassword:RandomPassword"
SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
AWAY: Any = {"region": "europe-west4", "key_name": GOOGLE_AWAY_KEY}
PLUS: Any = {"tier": "db-perf-optimized-N-4"}
SMALL: Any = {"tier": "db-f1-micro", "highly_available": False}


def database(**changes: Any) -> Plan:
    return planned(lambda opts: CloudSqlPostgres("db", {**CLOUD_SQL, **changes}, opts))  # pyright: ignore[reportArgumentType]


def standby(**changes: Any) -> Plan:
    return planned(lambda opts: CloudSqlPostgres("db", {**CLOUD_SQL_STANDBY, **changes}, opts))  # pyright: ignore[reportArgumentType]


def promoted(**changes: Any) -> Plan:
    args = {key: value for key, value in CLOUD_SQL_STANDBY.items() if key != "source_instance"}
    return planned(lambda opts: CloudSqlPostgres("db", {**args, **changes}, opts))  # pyright: ignore[reportArgumentType]


def output(plan: Plan, name: str) -> Any:
    return next(each for each in plan.resources if each.type == "plinth:index:CloudSqlPostgres").outputs[name]


def refused(name: str = "db", **changes: Any) -> dict[str, str]:
    return remedies(lambda: CloudSqlPostgres(name, {**CLOUD_SQL, **changes}))  # pyright: ignore[reportArgumentType]


def settings(plan: Plan, name: str = "db") -> dict[str, Any]:
    return one(plan, INSTANCE, name)["settings"]


def flags(plan: Plan, name: str = "db") -> dict[str, str]:
    return {flag["name"]: flag["value"] for flag in settings(plan, name)["databaseFlags"]}


def test_the_bare_call_is_safe() -> None:
    plan = database()
    instance = one(plan, INSTANCE)
    assert (
        instance.items()
        >= {
            "project": PROJECT,
            "region": GCP_REGION,
            "encryptionKeyName": GOOGLE_KEY,
            "databaseVersion": "POSTGRES_17",
            "deletionProtection": True,
        }.items()
    )
    assert (
        instance["settings"].items()
        >= {
            "tier": "db-custom-2-7680",
            "edition": "ENTERPRISE",
            "availabilityType": "REGIONAL",
            "deletionProtectionEnabled": True,
            "retainBackupsOnDelete": True,
            "finalBackupConfig": {"enabled": True, "retentionDays": 30},
            "diskType": "PD_SSD",
            "diskSize": 20,
            "diskAutoresize": True,
            "diskAutoresizeLimit": 100,
            "ipConfiguration": {
                "ipv4Enabled": False,
                "privateNetwork": GOOGLE_NETWORK,
                "sslMode": "ENCRYPTED_ONLY",
                "serverCaMode": "GOOGLE_MANAGED_INTERNAL_CA",
            },
            "insightsConfig": {
                "queryInsightsEnabled": True,
                "recordClientAddress": True,
                "recordApplicationTags": True,
            },
            "maintenanceWindow": {"day": 7, "hour": 3, "updateTrack": "stable"},
        }.items()
    )


def test_it_can_be_put_back_to_any_moment_of_its_days() -> None:
    """Recovery to the first of them starts with the backup before it."""
    backups = settings(database())["backupConfiguration"]
    assert (backups["enabled"], backups["pointInTimeRecoveryEnabled"]) == (True, True)
    assert (backups["transactionLogRetentionDays"], backups["backupRetentionSettings"]["retainedBackups"]) == (7, 8)
    backups = settings(database(**PLUS, backup_location="eu", backup_hour=4))["backupConfiguration"]
    assert (backups["transactionLogRetentionDays"], backups["backupRetentionSettings"]["retainedBackups"]) == (14, 15)
    assert (backups["location"], backups["startTime"]) == ("eu", "04:00")


def test_flags_are_those_of_the_benchmarks() -> None:
    assert flags(database()) == {
        "cloudsql.enable_pgaudit": "on",
        "cloudsql.iam_authentication": "on",
        "log_checkpoints": "on",
        "log_connections": "on",
        "log_disconnections": "on",
        "log_error_verbosity": "default",
        "log_hostname": "on",
        "log_lock_waits": "on",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "error",
        "log_min_messages": "warning",
        "log_statement": "ddl",
        "log_temp_files": "0",
        "pgaudit.log": "ddl,role",
    }


def test_the_edition_is_always_said() -> None:
    """Cloud SQL would take ENTERPRISE_PLUS, which refuses the other edition's tiers."""
    assert settings(database())["edition"] == "ENTERPRISE"
    plus = settings(database(**PLUS))
    assert plus["edition"] == "ENTERPRISE_PLUS"
    # Said too, since that edition has it where nothing is said.
    assert plus["dataCacheConfig"] == {"dataCacheEnabled": False}
    assert "dataCacheConfig" not in settings(database())


@pytest.mark.parametrize("tier", ["db-c4a-highmem-4", "db-custom-N4-2-8192"])
def test_new_machines_have_the_volumes_that_they_can_have(tier: str) -> None:
    assert settings(database(tier=tier))["diskType"] == "HYPERDISK_BALANCED"
    assert "20 GB or more" in refused(tier=tier, storage_gb=10)["storage_gb"]


def test_protection_is_one_flag_and_what_deletion_keeps_another() -> None:
    plan = database(protect=False, replicas=1)
    assert not any(each.protect for each in plan.resources)
    for name in ("db", "db-replica-1"):
        assert one(plan, INSTANCE, name)["deletionProtection"] is False
        assert settings(plan, name)["deletionProtectionEnabled"] is False
    assert settings(plan)["retainBackupsOnDelete"] is True

    plan = database(protect=False, keep_final=False)
    assert settings(plan)["retainBackupsOnDelete"] is False
    assert settings(plan)["finalBackupConfig"] == {"enabled": False}
    assert "versionDestroyTtl" not in one(plan, SECRET)


def test_every_instance_and_secret_is_protected_and_nothing_else() -> None:
    plan = database(replicas=1, copy_to=AWAY)
    protected = {(each.type, each.name) for each in plan.resources if each.protect}
    assert protected == {
        (INSTANCE, "db"),
        (INSTANCE, "db-replica-1"),
        (INSTANCE, "db-copy"),
        (SECRET, "db-credentials"),
    }


def test_replicas_follow_the_primary() -> None:
    plan = database(replicas=2)
    for number in (1, 2):
        replica = one(plan, INSTANCE, f"db-replica-{number}")
        assert replica["masterInstanceName"] == "db-1234567"
        assert (replica["region"], replica["encryptionKeyName"]) == (GCP_REGION, GOOGLE_KEY)
        # The network, TLS, flags and insights of the primary; no backups and passwords, which Cloud SQL refuses.
        primary, own = settings(plan), settings(plan, f"db-replica-{number}")
        assert all(own[key] == primary[key] for key in ("ipConfiguration", "databaseFlags", "insightsConfig", "tier"))
        assert not {"backupConfiguration", "passwordValidationPolicy", "finalBackupConfig", "diskSize"} & set(own)


def test_replicas_are_upgraded_with_their_primary() -> None:
    """The provider would upgrade them a second time."""
    plan = database(replicas=1, version="18")
    assert one(plan, INSTANCE, "db")["includeReplicasForMajorVersionUpgrade"] is True
    replica = next(each for each in plan.of_type(INSTANCE) if each.name == "db-replica-1")
    assert replica.options["ignoreChanges"] == ["databaseVersion"]
    assert "ignoreChanges" not in next(each for each in plan.of_type(INSTANCE) if each.name == "db").options


def test_a_copy_stands_in_another_region_under_a_key_of_that_region() -> None:
    plan = database(copy_to=AWAY)
    copy = one(plan, INSTANCE, "db-copy")
    assert (copy["region"], copy["encryptionKeyName"]) == ("europe-west4", GOOGLE_AWAY_KEY)
    assert copy["masterInstanceName"] == "db-1234567"
    assert (output(plan, "copyName"), output(plan, "copyHost")) == ("db-copy-1234567", "db-copy.sql.example")
    assert output(plan, "replicaNames") == []
    assert (output(database(), "copyName"), output(database(), "copyHost")) == ("", "")


def test_clients_write_to_the_primary_and_read_from_the_replicas() -> None:
    plan = database(replicas=2, copy_to=AWAY)
    assert (output(plan, "host"), output(plan, "port")) == ("db.sql.example", 5432)
    assert output(plan, "readerHost") == "db-replica-1.sql.example,db-replica-2.sql.example"
    assert output(plan, "replicaNames") == ["db-replica-1-1234567", "db-replica-2-1234567"]
    assert output(database(), "readerHost") == "db.sql.example"


def test_the_pool_has_a_port_of_its_own_on_replicas_too() -> None:
    plan = database(**PLUS, pooling=True, replicas=1)
    for name in ("db", "db-replica-1"):
        assert settings(plan, name)["connectionPoolConfigs"] == [{"connectionPoolingEnabled": True}]
    assert output(plan, "port") == 6432
    assert "connectionPoolConfigs" not in settings(database(**PLUS))


def test_an_instance_is_known_by_its_names() -> None:
    plan = database()
    assert output(plan, "instanceName") == "db-1234567"
    assert output(plan, "instanceId") == f"projects/{PROJECT}/instances/db-1234567"
    assert output(plan, "connectionName") == f"{PROJECT}:{GCP_REGION}:db-1234567"
    # A deleted instance's name is taken for a week.
    assert "name" not in one(plan, INSTANCE)


def test_what_is_chosen_is_passed_on() -> None:
    plan = database(**{key: value for key, value in CLOUD_SQL_FULL.items() if key != "scope"}, maintenance_day=2)
    chosen = settings(plan)
    assert chosen["ipConfiguration"]["allocatedIpRange"] == "services"
    assert chosen["locationPreference"] == {"zone": "europe-west3-a", "secondaryZone": "europe-west3-b"}
    assert chosen["dataCacheConfig"] == {"dataCacheEnabled": True}
    assert chosen["maintenanceWindow"]["day"] == 2
    assert chosen["connectorEnforcement"] == "NOT_REQUIRED"
    assert settings(database(connectors_only=True))["connectorEnforcement"] == "REQUIRED"
    assert settings(database(highly_available=False))["availabilityType"] == "ZONAL"


def secret_values(**changes: Any) -> dict[str, dict[str, str]]:
    """The secrets' values as they are sent, out of their envelopes."""

    def program() -> None:
        providers: list[pulumi.ProviderResource] = [
            gcp.Provider("google", project=PROJECT, region=GCP_REGION),
            random.Provider("chance"),
        ]
        CloudSqlPostgres("db", {**CLOUD_SQL, **changes}, pulumi.ResourceOptions(providers=providers))  # pyright: ignore[reportArgumentType]

    recording = recorded(program, answer=known)
    values = {}
    for request in recording.recorder.requests.values():
        if request.type == VERSION:
            assert plain(request.object)["secretData"] == "[secret]"
            sent = request.object.fields["secretData"].struct_value.fields["value"].string_value
            values[request.name] = json.loads(sent)
    return values


def connection(**changes: str) -> dict[str, str]:
    fields = {"engine": "postgres", "host": "db.sql.example", "port": "5432", "dbname": "shop"}
    return {**fields, "password": SENTINEL, "username": "shop_app", "ca": "certificate of db", **changes}


def test_the_application_finds_all_that_a_connection_needs_in_one_secret() -> None:
    assert secret_values() == {"db-credentials": connection()}
    plan = database()
    assert output(plan, "credentialsSecret") == f"projects/{PROJECT}/secrets/db-credentials"
    assert (output(plan, "database"), output(plan, "role")) == ("shop", "shop_app")


def test_the_secret_names_the_pool_and_every_authority() -> None:
    """Each instance has an authority of its own."""
    values = secret_values(**PLUS, pooling=True, replicas=1, copy_to=AWAY)
    authorities = "certificate of db\ncertificate of db-replica-1\ncertificate of db-copy"
    assert values == {"db-credentials": connection(port="6432", ca=authorities)}


def test_credentials_are_known_once_they_work() -> None:
    plan = database()
    version = plan.of_type(VERSION)[0]
    waits = {plan.resource(urn).type for urn in plan.waits_for(version.urn)}
    assert {USER, DATABASE, INSTANCE} <= waits


def test_passwords_keep_the_policy_and_stand_in_a_url_as_they_are() -> None:
    plan = database(administrator=True)
    policy = settings(plan)["passwordValidationPolicy"]
    assert policy.items() >= {"enablePasswordPolicy": True, "complexity": "COMPLEXITY_DEFAULT"}.items()
    passwords = plan.of_type(PASSWORD)
    assert {each.name for each in passwords} == {"db-application", "db-administrator"}
    for password in passwords:
        inputs = password.inputs
        assert all(inputs[f"min{kind}"] == 1 for kind in ("Lower", "Upper", "Numeric", "Special"))
        assert re.fullmatch(r"[-_.~]+", inputs["overrideSpecial"])
        assert inputs["length"] >= policy["minLength"]


def test_raising_the_version_makes_new_passwords() -> None:
    before, after = (one(database(**change), PASSWORD)["keepers"] for change in ({}, {"password_version": 2}))
    assert before != after


def test_users_and_the_database_go_with_the_instance_alone() -> None:
    """Cloud SQL deletes no user who owns something, and no database that is in use."""
    plan = database(iam_users={"reports": "r@p.iam.gserviceaccount.com"}, administrator=True)
    assert len(plan.of_type(USER)) == 3
    for each in (*plan.of_type(USER), *plan.of_type(DATABASE)):
        assert each.inputs["deletionPolicy"] == "ABANDON"
        assert each.inputs["instance"] == "db-1234567"


def test_service_accounts_sign_in_as_themselves() -> None:
    plan = database(iam_users={"reports": "reports@plinth-123456.iam.gserviceaccount.com"})
    user = one(plan, USER, "db-iam-reports")
    assert (user["name"], user["type"]) == ("reports@plinth-123456.iam", "CLOUD_IAM_SERVICE_ACCOUNT")
    assert "password" not in user


def test_the_application_is_what_its_roles_make_it() -> None:
    """With roles named, Cloud SQL does not make it a cloudsqlsuperuser."""
    assert "databaseRoles" not in one(database(), USER, "db-application")
    assert one(database(database_roles=["shop"]), USER, "db-application")["databaseRoles"] == ["shop"]
    with_administrator = database(database_roles=["shop"], administrator=True)
    assert "databaseRoles" not in one(with_administrator, USER, "db-administrator")


def test_nobody_knows_the_administrators_password_unless_asked_for() -> None:
    plan = database()
    assert not {"rootPassword", "rootPasswordWo"} & set(one(plan, INSTANCE))
    assert output(plan, "administratorSecret") == ""
    assert {each.name for each in plan.of_type(USER)} == {"db-application"}

    plan = database(administrator=True)
    assert one(plan, USER, "db-administrator")["name"] == "postgres"
    assert output(plan, "administratorSecret") == f"projects/{PROJECT}/secrets/db-administrator"
    values = secret_values(administrator=True)
    assert values["db-administrator"] == connection(username="postgres")


def test_an_administrator_goes_past_the_pool() -> None:
    values = secret_values(**PLUS, pooling=True, administrator=True)
    assert {name: value["port"] for name, value in values.items()} == {
        "db-credentials": "6432",
        "db-administrator": "5432",
    }


def test_the_application_finds_its_credentials_in_another_region() -> None:
    plan = database(secret_replicas=[AWAY], administrator=True)

    def regions(name: str) -> list[str]:
        return [each["location"] for each in one(plan, SECRET, name)["replication"]["userManaged"]["replicas"]]

    assert regions("db-credentials") == [GCP_REGION, "europe-west4"]
    assert regions("db-administrator") == [GCP_REGION]


def test_a_standby_follows_a_primary_and_has_nothing_that_a_replica_cannot_have() -> None:
    plan = standby(iam_users={"reports": "r@p.iam.gserviceaccount.com"}, administrator=True)
    instance = one(plan, INSTANCE)
    assert instance["masterInstanceName"] == "shop-0a1b2c3"
    assert instance["settings"]["availabilityType"] == "REGIONAL"
    assert not {"backupConfiguration", "passwordValidationPolicy", "finalBackupConfig"} & set(instance["settings"])
    for type_ in (USER, DATABASE, PASSWORD, SECRET):
        assert plan.of_type(type_) == []
    assert output(plan, "credentialsSecret") == CLOUD_SQL_STANDBY.get("credentials_secret")
    assert output(plan, "administratorSecret") == ""
    assert output(plan, "readerHost") == output(plan, "host") == "db.sql.example"
    assert plan.of_type(INSTANCE)[0].protect


def test_the_promotion_keeps_the_instance_and_its_credentials() -> None:
    """The provider promotes a replica in place where its type changes with the missing source."""
    before, after = standby().of_type(INSTANCE)[0], promoted().of_type(INSTANCE)[0]
    assert after.urn == before.urn
    assert (before.inputs["instanceType"], after.inputs["instanceType"]) == (
        "READ_REPLICA_INSTANCE",
        "CLOUD_SQL_INSTANCE",
    )
    assert "masterInstanceName" not in after.inputs
    assert after.inputs["settings"]["backupConfiguration"]["enabled"] is True
    changed = {key for key, value in before.inputs.items() if after.inputs.get(key) != value}
    assert changed == {"instanceType", "masterInstanceName", "settings"}


def test_a_promoted_standby_has_the_database_and_the_role_that_came_with_the_data() -> None:
    plan = promoted(iam_users={"reports": "r@p.iam.gserviceaccount.com"}, administrator=True, password_version=2)
    assert {each.name for each in plan.of_type(USER)} == {"db-iam-reports", "db-administrator"}
    assert plan.of_type(DATABASE) == []
    assert output(plan, "credentialsSecret") == CLOUD_SQL_STANDBY.get("credentials_secret")


def test_wrong_combinations_with_a_standby_are_refused() -> None:
    problems = refused(source_instance="shop", replicas=1, copy_to=AWAY)
    assert "required with `source_instance`" in problems["credentials_secret"]
    assert "until its promotion" in problems["replicas"]
    assert "until its promotion" in problems["copy_to"]
    problems = refused(credentials_secret="it", secret_replicas=[AWAY], database_roles=["shop"], password_version=2)
    assert set(problems) == {"secret_replicas", "database_roles", "password_version"}
    assert all("kept where they were made" in remedy for remedy in problems.values())


@pytest.mark.parametrize(
    ("tier", "edition"),
    [
        ("db-custom-1-3840", "ENTERPRISE"),
        ("db-custom-2-7680", "ENTERPRISE"),
        ("db-custom-96-638976", "ENTERPRISE"),
        ("db-custom-N4-2-4096", "ENTERPRISE"),
        ("db-g1-small", "ENTERPRISE"),
        ("db-perf-optimized-N-2", "ENTERPRISE_PLUS"),
        ("db-c4a-highmem-72", "ENTERPRISE_PLUS"),
    ],
)
def test_tiers_belong_to_an_edition(tier: str, edition: str) -> None:
    own = CloudSqlEdition(edition)
    assert edition_of(tier) is own
    assert tier_problem(tier, own) is None
    other = next(each for each in CloudSqlEdition if each is not own)
    problem = tier_problem(tier, other)
    assert problem
    assert f"make the edition {edition}" in problem


@pytest.mark.parametrize(
    ("tier", "remedy"),
    [
        ("db-custom-3-7680", "1 or an even number"),
        ("db-custom-98-122880", "96 or fewer"),
        ("db-custom-N4-1-4096", "an even number, 80 or fewer"),
        ("db-custom-2-7700", "for example 7680 or 7936"),
        ("db-custom-2-3584", "with 2 vCPUs give 3840 to 13312 MB"),
        ("db-custom-2-13568", "with 2 vCPUs give 3840 to 13312 MB"),
        ("db-custom-8-7168", "with 8 vCPUs give 7424 to 53248 MB"),
        ("db-custom-02-7680", "write it as db-custom"),
        ("db-perf-optimized-N-6", "2, 4, 8, 16, 32, 48, 64, 80, 96, 128"),
        ("db-c4a-highmem-80", "2, 4, 8, 16, 32, 48, 64, 72"),
        ("db-n1-standard-2", "no tier of PostgreSQL; choose one of db-custom-<vCPUs>-<MB>"),
        ("db.m6g.large", "no tier of PostgreSQL"),
    ],
)
def test_tiers_that_there_are_not_are_refused(tier: str, remedy: str) -> None:
    assert remedy in refused(tier=tier)["tier"]


def test_what_an_edition_does_not_have_is_refused() -> None:
    problems = refused(pooling=True, data_cache=True, backup_days=14)
    assert "choose a tier db-perf-optimized-N-<vCPUs>" in problems["pooling"]
    assert "choose a tier db-perf-optimized-N-<vCPUs>" in problems["data_cache"]
    assert problems["backup_days"] == "give 1 to 7 days; up to 35 with a tier of ENTERPRISE_PLUS"
    assert refused(**PLUS, backup_days=36) == {"backup_days": "give 1 to 35 days"}
    assert "db-c4a-highmem-4 or more" in refused(tier="db-c4a-highmem-2", data_cache=True)["data_cache"]
    assert "make the edition ENTERPRISE_PLUS" in refused(**PLUS, edition="ENTERPRISE")["tier"]


def test_what_a_shared_core_does_not_have_is_refused() -> None:
    problems = refused(tier="db-f1-micro", replicas=1, copy_to=AWAY)
    assert set(problems) == {"highly_available", "replicas", "copy_to"}
    assert "set it to false" in problems["highly_available"]
    assert settings(database(**SMALL))["availabilityType"] == "ZONAL"


def test_places_that_do_not_fit_are_refused() -> None:
    assert "another region" in refused(copy_to={**AWAY, "region": GCP_REGION})["copy_to.region"]
    assert "europe-west4" in refused(copy_to={**AWAY, "region": "Mars"})["copy_to.region"]
    assert "europe-west3-a" in refused(zones=["europe-west4-a"])["zones[0]"]
    assert "another zone" in refused(zones=["europe-west3-a"] * 2)["zones"]
    assert "two at most" in refused(zones=[f"europe-west3-{zone}" for zone in "abc"])["zones"]
    assert "no standby" in refused(highly_available=False, zones=["europe-west3-a", "europe-west3-b"])["zones"]


def test_bad_args_are_refused() -> None:
    assert "0 to 5" in refused(replicas=6)["replicas"]
    assert "10 to 65536" in refused(storage_gb=5)["storage_gb"]
    assert "where it starts" in refused(storage_gb=100, max_storage_gb=50)["max_storage_gb"]
    assert refused(version="14") == {"version": "choose one of 15, 16, 17, 18"}
    assert "small letter" in refused(database="Shop")["database"]
    assert "up to 59" in refused(database="d" * 60)["database"]
    assert "choose another one" in refused(database="postgres")["database"]
    assert "1 to 7" in refused(maintenance_day=0)["maintenance_day"]
    assert "0 to 23" in refused(backup_hour=24)["backup_hour"]
    assert "purposes" in refused(iam_users={"My reports": "r@p"})["iam_users"]
    assert "another region" in refused(secret_replicas=[{**AWAY, "region": GCP_REGION}])["secret_replicas[0].region"]


def test_names_leave_room_for_what_cloud_sql_adds() -> None:
    """An instance's name, its project's id and a colon have 98 characters."""
    longest = 98 - len(f"{PROJECT}:") - len("-replica-5-1234567")
    assert f"use {longest} or fewer" in refused(name="d" * (longest + 1))["name"]
    assert "small letters" in refused(name="Db")["name"]


@pytest.mark.parametrize("changes", [{}, {"replicas": 1, "copy_to": AWAY, "administrator": True}])
def test_it_keeps_the_rules(changes: dict[str, Any]) -> None:
    found = judge(database(**{"copy_to": AWAY, **changes}), [])
    # What takes its backups is another component's.
    others = {each.rule for each in found if "::pulumi:providers:" not in each.urn}
    assert others <= {"cloudsql-vaulted"}


def test_it_keeps_as_many_backups_as_it_is_told_to() -> None:
    def kept(**changes: Any) -> Any:
        return one(database(**changes), INSTANCE)["settings"]["backupConfiguration"]["backupRetentionSettings"]

    assert kept(backup_days=3) == {"retainedBackups": 4, "retentionUnit": "COUNT"}
    assert kept(backup_days=3, kept_backups=30) == {"retainedBackups": 30, "retentionUnit": "COUNT"}
    assert refused(backup_days=3, kept_backups=3)["kept_backups"] == "give 4 to 365 backups"
    assert refused(backup_days=3, kept_backups=366)["kept_backups"] == "give 4 to 365 backups"
