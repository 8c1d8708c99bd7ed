"""PostgreSQL on RDS."""

import json
from typing import Any

import pytest

from components.database.rds import RdsBackupCopy, RdsPostgres
from preview.plan import Plan
from preview.record import plain

from ..support import SENTINEL, known, one, planned, recorded, remedies, statements
from .examples.database import BACKUP_COPY, POSTGRES, STANDBY
from .examples.shared import AWAY_KEY, KEY, LOG_KEY
from .examples.shared import SECRET as CREDENTIALS

INSTANCE = "aws:rds/instance:Instance"
SECRET = "aws:secretsmanager/secret:Secret"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
FUNCTION = "aws:serverlessrepository/cloudFormationStack:CloudFormationStack"
ROTATED: Any = {"rotation": {"days": 30, "subnet_ids": ["subnet-3", "subnet-4"]}}


def database(**changes: Any) -> Plan:
    return planned(lambda opts: RdsPostgres("db", {**POSTGRES, **changes}, opts))  # pyright: ignore[reportArgumentType]


def standby(**changes: Any) -> Plan:
    return planned(lambda opts: RdsPostgres("db", {**STANDBY, **changes}, opts))  # pyright: ignore[reportArgumentType]


def output(plan: Plan, name: str) -> Any:
    return next(each for each in plan.resources if each.type == "plinth:index:RdsPostgres").outputs[name]


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


def test_no_password_is_given_to_an_instance_without_replicas() -> None:
    assert "password" not in one(database(), INSTANCE)


@pytest.mark.parametrize("changes", [{"replicas": 1}, {"replicated": True}])
def test_a_database_with_replicas_has_a_password_of_ours(changes: dict[str, Any]) -> None:
    """AWS makes no replica of an instance whose password RDS manages."""
    plan = database(**changes)
    primary = one(plan, INSTANCE, "db")
    assert primary["password"] == "[secret]"
    assert not {"manageMasterUserPassword", "masterUserSecretKmsKeyId"} & set(primary)
    assert output(plan, "administratorSecret") == "arn:aws:mock:region:123456789012:db-administrator"


def test_a_primary_whose_standby_is_elsewhere_says_so() -> None:
    assert one(database(replicated=True), INSTANCE)["tags"] == {"replicated": "in another region"}
    assert "tags" not in one(database(), INSTANCE)


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
        if "cidrIpv4" not in each.inputs
    }
    assert arriving == leaving, "a rule without its other end"
    return arriving


def test_clients_reach_the_server() -> None:
    assert reached(database()) == {("sg-web", "db-server-id", 5432)}


def test_with_pooling_clients_reach_the_proxy_and_the_server_itself() -> None:
    """What sets the database up needs locks and settings, which a pool would lose."""
    assert reached(database(pooling=True)) == {
        ("sg-web", "db-pool-id", 5432),
        ("sg-web", "db-server-id", 5432),
        ("db-pool-id", "db-server-id", 5432),
    }


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


def connection(**changes: Any) -> dict[str, str]:
    fields = {"engine": "postgres", "host": "db.rds.example", "port": "5432", "dbname": "shop", "password": SENTINEL}
    return {**fields, **changes}


def test_the_application_finds_all_that_a_connection_needs_in_one_secret() -> None:
    values = {name: json.loads(value) for name, value in secret_values().items()}
    assert values == {"db-credentials": connection(username="shop_app")}
    assert output(database(), "credentialsSecret") == "arn:aws:mock:region:123456789012:db-credentials"


def test_the_secret_names_the_primary_where_the_rotation_function_changes_the_password() -> None:
    values = {name: json.loads(value) for name, value in secret_values(pooling=True, replicas=2).items()}
    assert values == {
        "db-credentials": connection(username="shop_app"),
        "db-administrator": connection(username="postgres"),
    }


def test_clients_write_through_the_proxy_and_read_from_the_replicas() -> None:
    plan = database(pooling=True, replicas=2)
    assert output(plan, "host") == "db-proxy.proxy.example"
    assert output(plan, "readerHost") == "db-replica-1.rds.example,db-replica-2.rds.example"
    assert output(plan, "replicaIdentifiers") == ["db-replica-1", "db-replica-2"]
    plan = database()
    assert output(plan, "host") == output(plan, "readerHost") == "db.rds.example"


def test_passwords_stand_in_a_url_as_they_are() -> None:
    passwords = database(replicas=1).of_type("random:index/randomPassword:RandomPassword")
    assert {each.name for each in passwords} == {"db-application", "db-administrator"}
    assert not any(each.inputs["special"] for each in passwords)


def test_without_a_function_the_secrets_say_how_they_are_rotated() -> None:
    secrets = database(replicas=1).of_type(SECRET)
    assert len(secrets) == 2
    assert all("by hand" in each.inputs["tags"]["rotation"] for each in secrets)


def test_one_function_rotates_every_password_that_is_not_of_rds() -> None:
    plan = database(**ROTATED, replicas=1)
    rotations = plan.of_type(ROTATION)
    assert {each.name for each in rotations} == {"db-credentials", "db-administrator"}
    for rotation in rotations:
        assert rotation.inputs["rotationRules"] == {"automaticallyAfterDays": 30}
        assert rotation.inputs["rotationLambdaArn"] == "arn:aws:mock:region:123456789012:db-rotation"
    assert one(plan, FUNCTION)["parameters"]["vpcSubnetIds"] == "subnet-3,subnet-4"
    assert ("db-rotation-function-id", "db-server-id", 5432) in reached(plan)


def test_the_rotation_function_keeps_its_logs_as_the_database_does() -> None:
    plan = database(**ROTATED, log_days=30)
    group = one(plan, "aws:cloudwatch/logGroup:LogGroup", "db-rotation")
    assert (group["kmsKeyId"], group["retentionInDays"]) == (LOG_KEY, 30)


def test_the_application_finds_its_credentials_in_another_region() -> None:
    copies = [{"region": "eu-west-1", "key_arn": AWAY_KEY}]
    plan = database(secret_replicas=copies, replicas=1)
    assert one(plan, SECRET, "db-credentials")["replicas"] == [{"region": "eu-west-1", "kmsKeyId": AWAY_KEY}]
    assert "replicas" not in one(plan, SECRET, "db-administrator")
    assert output(plan, "credentialsReplicaArns") == {"eu-west-1": "arn:aws:mock:eu-west-1:123456789012:db-credentials"}


def test_secrets_are_encrypted_with_the_given_key() -> None:
    assert {each.inputs["kmsKeyId"] for each in database(replicas=1).of_type(SECRET)} == {KEY}


def test_the_proxy_takes_tls_only_and_reads_one_secret() -> None:
    plan = database(pooling=True)
    proxy = one(plan, "aws:rds/proxy:Proxy")
    assert proxy["requireTls"] is True
    assert [auth["secretArn"] for auth in proxy["auths"]] == ["arn:aws:mock:region:123456789012:db-credentials"]
    policy = statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert policy["Read"]["Resource"] == ["arn:aws:mock:region:123456789012:db-credentials"]
    assert policy["Decrypt"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}
    }
    assert "aws:iam/rolePolicy:RolePolicy" in {
        plan.resource(urn).type for urn in plan.waits_for(plan.of_type("aws:rds/proxy:Proxy")[0].urn)
    }


def test_the_proxy_waits_until_the_credentials_are_there() -> None:
    plan = database(pooling=True)
    proxy = plan.of_type("aws:rds/proxy:Proxy")[0]
    version = plan.of_type("aws:secretsmanager/secretVersion:SecretVersion")[0]
    assert version.urn in plan.waits_for(proxy.urn)


def test_a_standby_replicates_a_primary_and_stands_on_its_own() -> None:
    instance = one(standby(), INSTANCE)
    assert instance.items() >= {
        "replicateSourceDb": STANDBY["source_arn"],  # pyright: ignore[reportTypedDictNotRequiredAccess]
        "storageEncrypted": True,
        "kmsKeyId": KEY,
        "dbSubnetGroupName": "db-1234567",
        "parameterGroupName": "db-postgres17-1234567",
        "backupRetentionPeriod": 14,
        "multiAz": True,
        "publiclyAccessible": False,
        "deletionProtection": True,
        "deleteAutomatedBackups": False,
        "skipFinalSnapshot": True,
    }.items()  # fmt: skip
    assert standby().of_type(INSTANCE)[0].protect


def test_a_standby_takes_its_users_from_its_source() -> None:
    """AWS refuses credentials of its own, and so does the provider a name of the database."""
    plan = standby(replicated=True)
    refused = {"username", "password", "manageMasterUserPassword", "masterUserSecretKmsKeyId", "dbName"}
    assert not refused & set(one(plan, INSTANCE))
    assert plan.of_type("random:index/randomPassword:RandomPassword") == []
    assert plan.of_type(SECRET) == []
    assert output(plan, "credentialsSecret") == CREDENTIALS
    assert output(plan, "credentialsReplicaArns") == {}
    assert output(plan, "administratorSecret") == ""


def test_a_standbys_proxy_is_ready_and_gets_its_database_at_the_promotion() -> None:
    plan = standby()
    assert [auth["secretArn"] for auth in one(plan, "aws:rds/proxy:Proxy")["auths"]] == [CREDENTIALS]
    assert statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"])["Read"]["Resource"] == [CREDENTIALS]
    assert plan.of_type("aws:rds/proxyTarget:ProxyTarget") == []
    assert (output(plan, "host"), output(plan, "readerHost")) == ("db-proxy.proxy.example", "db.rds.example")
    assert reached(plan) == {
        ("sg-web", "db-pool-id", 5432),
        ("db-pool-id", "db-server-id", 5432),
        ("sg-web", "db-server-id", 5432),
    }


def test_a_standbys_proxy_reads_credentials_under_the_key_of_their_copy() -> None:
    def decrypts(**changes: Any) -> list[str]:
        return statements(one(standby(**changes), "aws:iam/rolePolicy:RolePolicy")["policy"])["Decrypt"]["Resource"]

    assert decrypts() == [KEY]
    assert decrypts(credentials_key_arn=AWAY_KEY) == [AWAY_KEY]
    assert one(standby(credentials_key_arn=AWAY_KEY), INSTANCE)["kmsKeyId"] == KEY
    assert "goes with `credentials_secret_arn`" in refused(credentials_key_arn=KEY)["credentials_key_arn"]


def test_a_standby_can_have_replicas_of_its_own() -> None:
    plan = standby(replicas=1)
    assert one(plan, INSTANCE, "db-replica-1")["replicateSourceDb"] == "db"
    assert output(plan, "readerHost") == "db-replica-1.rds.example"


def promoted(**changes: Any) -> Plan:
    args = {key: value for key, value in STANDBY.items() if key != "source_arn"}
    return planned(lambda opts: RdsPostgres("db", {**args, **changes}, opts))  # pyright: ignore[reportArgumentType]


def test_the_promotion_keeps_the_instance_and_its_credentials() -> None:
    before, after = standby(), promoted()
    instance = after.of_type(INSTANCE)[0]
    assert instance.urn == before.of_type(INSTANCE)[0].urn
    changed = {key for key, value in before.of_type(INSTANCE)[0].inputs.items() if instance.inputs.get(key) != value}
    assert changed == {"replicateSourceDb", "skipFinalSnapshot"}
    assert instance.inputs["manageMasterUserPassword"] is True
    # The provider would replace an instance that was made without them.
    assert set(instance.options["ignoreChanges"]) == {"dbName", "username"}
    assert output(after, "credentialsSecret") == CREDENTIALS
    assert len(after.of_type("aws:rds/proxyTarget:ProxyTarget")) == 1


def test_a_primary_is_made_with_what_a_promoted_standby_lacks() -> None:
    assert "ignoreChanges" not in database().of_type(INSTANCE)[0].options


def test_wrong_combinations_with_a_standby_are_refused() -> None:
    assert "required with `source_arn`" in refused(source_arn="arn")["credentials_secret_arn"]
    copies = [{"region": "eu-west-1", "key_arn": AWAY_KEY}]
    problems = refused(credentials_secret_arn=CREDENTIALS, secret_replicas=copies, **ROTATED)
    assert set(problems) == {"rotation", "secret_replicas"}
    assert all("kept where they were made" in remedy for remedy in problems.values())


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
    assert refused(rotation={"days": 91, "subnet_ids": []}) == {"rotation.days": "give 1 to 90 days"}
    assert (
        "another region"
        in refused(secret_replicas=[{"region": "eu-central-1", "key_arn": KEY}])["secret_replicas[0].region"]
    )
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
