"""PostgreSQL on RDS."""

import json
from typing import Any

import pytest

from components.database.rds import RdsBackupCopy, RdsPostgres
from preview.plan import Plan
from preview.record import plain

from ..support import SENTINEL, known, one, planned, recorded, remedies, statements
from .examples.database import BACKUP_COPY, POSTGRES
from .examples.shared import KEY, LOG_KEY

INSTANCE = "aws:rds/instance:Instance"
SECRET = "aws:secretsmanager/secret:Secret"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def database(**changes: Any) -> Plan:
    return planned(lambda opts: RdsPostgres("db", {**POSTGRES, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(name: str = "db", **changes: Any) -> dict[str, str]:
    return remedies(lambda: RdsPostgres(name, {**POSTGRES, **changes}))  # pyright: ignore[reportArgumentType]


def test_the_bare_call_is_safe() -> None:
    assert (
        one(database(), INSTANCE).items()
        >= {
            "storageEncrypted": True,
            "kmsKeyId": KEY,
            "publiclyAccessible": False,
            "multiAz": True,
            "iamDatabaseAuthenticationEnabled": True,
            "manageMasterUserPassword": True,
            "masterUserSecretKmsKeyId": KEY,
            "backupRetentionPeriod": 14,
            "deletionProtection": True,
            "skipFinalSnapshot": False,
            "finalSnapshotIdentifier": "db-final-c0ffee00",
            "deleteAutomatedBackups": False,
            "copyTagsToSnapshot": True,
            "performanceInsightsEnabled": True,
            "performanceInsightsKmsKeyId": KEY,
            "monitoringInterval": 60,
            "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
            "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
            "autoMinorVersionUpgrade": True,
            "engineVersion": "17",
            "storageType": "gp3",
            "allocatedStorage": 20,
            "maxAllocatedStorage": 100,
        }.items()
    )


def test_no_password_is_given_to_an_instance() -> None:
    for each in database(replicas=1).of_type(INSTANCE):
        assert "password" not in each.inputs


def test_tls_is_forced_on_every_instance() -> None:
    plan = database(replicas=2)
    group = one(plan, "aws:rds/parameterGroup:ParameterGroup")
    assert {"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"} in group["parameters"]
    assert {each.inputs["parameterGroupName"] for each in plan.of_type(INSTANCE)} == {"db-postgres17-1234567"}


def test_a_major_upgrade_gets_a_parameter_group_beside_the_old_one() -> None:
    before, after = (
        database(version=version).of_type("aws:rds/parameterGroup:ParameterGroup")[0] for version in ("16", "17")
    )
    assert before.urn != after.urn
    assert (before.inputs["family"], after.inputs["family"]) == ("postgres16", "postgres17")


def test_protection_is_one_flag_and_what_deletion_keeps_another() -> None:
    plan = database(protect=False)
    assert not plan.of_type(INSTANCE)[0].protect
    assert one(plan, INSTANCE)["deletionProtection"] is False
    assert one(plan, INSTANCE)["skipFinalSnapshot"] is False

    plan = database(protect=False, keep_final=False)
    assert one(plan, INSTANCE)["skipFinalSnapshot"] is True
    assert one(plan, INSTANCE)["deleteAutomatedBackups"] is True
    assert "finalSnapshotIdentifier" not in one(plan, INSTANCE)
    assert {each.inputs["recoveryWindowInDays"] for each in plan.of_type(SECRET)} == {0}


def test_every_instance_is_protected_and_nothing_else() -> None:
    plan = database(replicas=1, pooling=True)
    assert {each.name for each in plan.resources if each.protect} == {"db", "db-replica-1"}


def test_replicas_follow_the_primary() -> None:
    plan = database(replicas=2)
    for number in (1, 2):
        replica = one(plan, INSTANCE, f"db-replica-{number}")
        assert replica["replicateSourceDb"] == "db"
        assert replica["storageEncrypted"] is True
        assert not {"username", "manageMasterUserPassword", "dbName", "backupRetentionPeriod"} & set(replica)


def test_logs_go_to_groups_that_stand_before_the_instance_writes() -> None:
    """RDS makes a missing group by itself: unencrypted, and kept for ever."""
    plan = database(replicas=1, log_days=30)
    for name in ("db", "db-replica-1"):
        instance = next(each for each in plan.of_type(INSTANCE) if each.name == name)
        waits = {plan.resource(urn).inputs.get("name"): plan.resource(urn) for urn in plan.waits_for(instance.urn)}
        for log in one(plan, INSTANCE, name)["enabledCloudwatchLogsExports"]:
            group = waits[f"/aws/rds/instance/{instance.inputs['identifier']}/{log}"]
            assert (group.inputs["kmsKeyId"], group.inputs["retentionInDays"]) == (LOG_KEY, 30)


def test_the_monitoring_role_has_its_policy_before_the_instance_uses_it() -> None:
    plan = database()
    waits = {plan.resource(urn).type for urn in plan.waits_for(plan.of_type(INSTANCE)[0].urn)}
    assert "aws:iam/rolePolicyAttachment:RolePolicyAttachment" in waits


def reached(plan: Plan) -> set[tuple[str, str, int]]:
    """Who reaches whom on which port, where both ends agree."""
    arriving = {
        (each.inputs["referencedSecurityGroupId"], each.inputs["securityGroupId"], each.inputs["fromPort"])
        for each in plan.of_type(INGRESS)
    }
    leaving = {
        (each.inputs["securityGroupId"], each.inputs["referencedSecurityGroupId"], each.inputs["fromPort"])
        for each in plan.of_type(EGRESS)
    }
    assert arriving == leaving, "a rule without its other end"
    return arriving


def test_clients_reach_the_server() -> None:
    assert reached(database()) == {("sg-web", "db-server-id", 5432)}


def test_with_pooling_clients_reach_the_proxy_and_the_proxy_the_server() -> None:
    assert reached(database(pooling=True)) == {("sg-web", "db-pool-id", 5432), ("db-pool-id", "db-server-id", 5432)}


def test_with_pooling_and_replicas_clients_reach_replicas_directly() -> None:
    assert ("sg-web", "db-server-id", 5432) in reached(database(pooling=True, replicas=1))


def test_without_clients_nobody_reaches_it() -> None:
    assert reached(database(clients={})) == set()


def secret_values(**changes: Any) -> dict[str, str]:
    """The secrets' values as they are sent, out of their envelopes."""
    import pulumi
    import pulumi_aws as aws
    import pulumi_random as random

    def program() -> None:
        providers: list[pulumi.ProviderResource] = [aws.Provider("cloud"), random.Provider("chance")]
        RdsPostgres("db", {**POSTGRES, **changes}, pulumi.ResourceOptions(providers=providers))  # pyright: ignore[reportArgumentType]

    recording = recorded(program, answer=known)
    values = {}
    for request in recording.recorder.requests.values():
        if request.type == "aws:secretsmanager/secretVersion:SecretVersion":
            assert plain(request.object)["secretString"] == "[secret]"
            values[request.name] = request.object.fields["secretString"].struct_value.fields["value"].string_value
    return values


def test_the_application_finds_its_connection_url_in_the_secret_store() -> None:
    assert secret_values() == {
        "db-url": f"postgresql://shop_app:{SENTINEL}@db.rds.example:5432/shop?sslmode=require",
        "db-reader-url": f"postgresql://shop_app:{SENTINEL}@db.rds.example:5432/shop?sslmode=require",
    }


def test_with_a_proxy_and_replicas_the_urls_name_them() -> None:
    values = secret_values(pooling=True, replicas=2)
    assert values["db-url"] == f"postgresql://shop_app:{SENTINEL}@db-proxy.proxy.example:5432/shop?sslmode=require"
    readers = "db-replica-1.rds.example:5432,db-replica-2.rds.example:5432"
    assert values["db-reader-url"] == f"postgresql://shop_app:{SENTINEL}@{readers}/shop?sslmode=require"
    assert json.loads(values["db-proxy-credentials"]) == {"username": "shop_app", "password": SENTINEL}


def test_secrets_are_encrypted_with_the_given_key() -> None:
    assert {each.inputs["kmsKeyId"] for each in database(pooling=True).of_type(SECRET)} == {KEY}


def test_the_proxy_takes_tls_only_and_reads_one_secret() -> None:
    plan = database(pooling=True)
    proxy = one(plan, "aws:rds/proxy:Proxy")
    assert proxy["requireTls"] is True
    assert [auth["secretArn"] for auth in proxy["auths"]] == ["arn:aws:mock:region:123456789012:db-proxy-credentials"]
    policy = statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert policy["Read"]["Resource"] == ["arn:aws:mock:region:123456789012:db-proxy-credentials"]
    assert policy["Decrypt"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}
    }
    assert "aws:iam/rolePolicy:RolePolicy" in {
        plan.resource(urn).type for urn in plan.waits_for(plan.of_type("aws:rds/proxy:Proxy")[0].urn)
    }


@pytest.mark.parametrize("instance_class", ["db.m6g.large", "db.t4g.micro", "db.r6gd.16xlarge", "db.x2iedn.32xlarge"])
def test_instance_classes_of_the_right_shape_pass(instance_class: str) -> None:
    assert one(database(instance_class=instance_class), INSTANCE)["instanceClass"] == instance_class


@pytest.mark.parametrize("instance_class", ["m6g.large", "db.m6g", "db.m6g.huge", "db.M6G.large", "large"])
def test_instance_classes_of_the_wrong_shape_are_refused(instance_class: str) -> None:
    assert refused(instance_class=instance_class) == {
        "instance_class": "write it as db.<family>.<size>, for example db.m6g.large"
    }


def test_bad_args_are_refused() -> None:
    assert "1 to 35 days" in refused(backup_days=0)["backup_days"]
    assert "0 to 5" in refused(replicas=6)["replicas"]
    assert "20 to 65536" in refused(storage_gb=5)["storage_gb"]
    assert "where it starts" in refused(storage_gb=100, max_storage_gb=50)["max_storage_gb"]
    assert refused(version="14") == {"version": "choose one of 15, 16, 17, 18"}
    assert "small letter" in refused(database="Shop")["database"]
    assert "use 52 or fewer" in refused(name="d" * 53)["name"]
    assert "single hyphens" in refused(name="db--x")["name"]


def test_backups_are_copied_by_the_region_that_keeps_them() -> None:
    plan = planned(lambda opts: RdsBackupCopy("copy", BACKUP_COPY, opts))
    copies = one(plan, "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication")
    assert copies == {
        "sourceDbInstanceArn": BACKUP_COPY["instance_arn"],
        "kmsKeyId": BACKUP_COPY["key_arn"],
        "retentionPeriod": 14,
    }
