"""Valkey on ElastiCache."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from components.cache.elasticache import ElastiCacheValkey
from preview.plan import Plan
from preview.record import plain

from ..support import SENTINEL, known, one, planned, recorded, remedies
from .examples.cache import CACHE, CACHE_FULL
from .examples.shared import AWAY_KEY, KEY, LOG_KEY

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
PARAMETERS = "aws:elasticache/parameterGroup:ParameterGroup"
USER = "aws:elasticache/user:User"
USERS = "aws:elasticache/userGroup:UserGroup"
PASSWORD = "random:index/randomPassword:RandomPassword"
SECRET = "aws:secretsmanager/secret:Secret"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def cache(**changes: Any) -> Plan:
    return planned(lambda opts: ElastiCacheValkey("kv", {**CACHE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(name: str = "kv", **changes: Any) -> dict[str, str]:
    return remedies(lambda: ElastiCacheValkey(name, {**CACHE, **changes}))  # pyright: ignore[reportArgumentType]


def test_the_bare_call_is_safe() -> None:
    assert (
        one(cache(), GROUP).items()
        >= {
            "replicationGroupId": "kv",
            "engine": "valkey",
            "engineVersion": "8.2",
            "autoMinorVersionUpgrade": True,
            "nodeType": "cache.m7g.large",
            "numCacheClusters": 3,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": True,
            "parameterGroupName": "kv-valkey8-1234567",
            "subnetGroupName": "kv-1234567",
            "securityGroupIds": ["kv-server-id"],
            "atRestEncryptionEnabled": True,
            "kmsKeyId": KEY,
            "transitEncryptionEnabled": True,
            "transitEncryptionMode": "required",
            "snapshotRetentionLimit": 7,
            "finalSnapshotIdentifier": "kv-final-c0ffee00",
        }.items()
    )


def test_the_cache_alone_is_protected_and_one_flag_takes_that_away() -> None:
    assert [each.name for each in cache().resources if each.protect] == ["kv"]
    assert not [each.name for each in cache(protect=False).resources if each.protect]


def test_what_deletion_keeps_is_a_flag_of_its_own() -> None:
    assert "finalSnapshotIdentifier" in one(cache(protect=False), GROUP)
    assert "finalSnapshotIdentifier" not in one(cache(keep_final=False), GROUP)


def test_without_replicas_nothing_takes_over() -> None:
    plan = cache(replicas=0)
    group = one(plan, GROUP)
    found = (group["numCacheClusters"], group["automaticFailoverEnabled"], group["multiAzEnabled"])
    assert found == (1, False, False)
    assert outputs(plan)["readerHost"] == outputs(plan)["host"]


def test_access_is_by_user_and_not_by_one_token() -> None:
    plan = cache()
    assert "authToken" not in one(plan, GROUP)
    assert one(plan, GROUP)["userGroupIds"] == ["kv"]
    assert one(plan, USERS) == {"userGroupId": "kv", "engine": "valkey", "userIds": ["kv-app"]}


def test_the_applications_user_has_its_generated_password() -> None:
    user = one(cache(), USER)
    assert (user["userId"], user["userName"], user["engine"]) == ("kv-app", "app", "valkey")
    assert user["authenticationMode"] == {"type": "password", "passwords": ["[secret]"]}
    assert "noPasswordRequired" not in user
    # ElastiCache takes 16 to 128 characters.
    assert one(cache(), PASSWORD).items() >= {"length": 40, "special": False}.items()


def test_another_name_makes_the_new_user_beside_the_old_one() -> None:
    plan = cache(username="seller")
    assert one(plan, USER)["userId"] == "kv-seller"
    assert one(plan, USERS)["userIds"] == ["kv-seller"]


def test_the_application_may_do_nothing_dangerous() -> None:
    """What is dangerous comes after the categories that hold some of it."""
    words = one(cache(), USER)["accessString"].split()
    assert words[:4] == ["on", "~*", "&*", "-@all"]
    granted, after = words[: words.index("-@dangerous")], words[words.index("-@dangerous") + 1 :]
    assert not {"+@all", "+@admin", "+@dangerous"} & set(words)
    assert {"+@read", "+@write"} <= set(granted)
    assert after == ["+info", "+time"]


def test_the_password_changes_with_its_version() -> None:
    before, after = (cache(password_version=version) for version in (1, 2))
    assert one(before, PASSWORD) != one(after, PASSWORD)
    assert "ignoreChanges" not in before.of_type(USER)[0].options
    assert one(before, SECRET)["tags"] == {"rotation": "password_version in the stack file"}


def test_a_password_that_a_function_rotates_is_left_as_it_is() -> None:
    rotation = {"function_arn": "arn:aws:lambda:eu-central-1:123456789012:function:rotates", "days": 30}
    plan = cache(rotation=rotation)
    assert plan.of_type(USER)[0].options["ignoreChanges"] == ["authenticationMode"]
    assert one(plan, ROTATION)["rotationLambdaArn"] == rotation["function_arn"]
    assert one(plan, ROTATION)["rotationRules"] == {"automaticallyAfterDays": 30}


def secret_value(**changes: Any) -> dict[str, str]:
    """The secret's fields as they are sent, out of their envelope."""

    def program() -> None:
        providers: list[pulumi.ProviderResource] = [aws.Provider("cloud"), random.Provider("chance")]
        ElastiCacheValkey("kv", {**CACHE, **changes}, pulumi.ResourceOptions(providers=providers))  # pyright: ignore[reportArgumentType]

    sent = [
        request
        for request in recorded(program, answer=known).recorder.requests.values()
        if request.type == "aws:secretsmanager/secretVersion:SecretVersion"
    ]
    assert [plain(request.object)["secretString"] for request in sent] == ["[secret]"]
    return json.loads(sent[0].object.fields["secretString"].struct_value.fields["value"].string_value)


def test_the_application_finds_its_credentials_in_the_secret_store() -> None:
    assert secret_value(username="seller") == {
        "engine": "valkey",
        "username": "seller",
        "password": SENTINEL,
        "host": "kv.cache.example",
        "port": "6379",
        "user_arn": "arn:aws:mock:region:123456789012:kv-application",
    }


def test_the_secret_is_encrypted_copied_and_recovered_as_it_is_told() -> None:
    plan = cache(secret_replicas=[{"region": "eu-west-1", "key_arn": AWAY_KEY}], recovery_days=7)
    assert (
        one(plan, SECRET).items()
        >= {
            "kmsKeyId": KEY,
            "recoveryWindowInDays": 7,
            "replicas": [{"region": "eu-west-1", "kmsKeyId": AWAY_KEY}],
        }.items()
    )


def test_logs_go_to_groups_that_are_encrypted_and_end_some_day() -> None:
    plan = cache(log_days=30)
    groups = {each.inputs["name"]: each for each in plan.of_type("aws:cloudwatch/logGroup:LogGroup")}
    waits = plan.waits_for(plan.of_type(GROUP)[0].urn)
    delivered = one(plan, GROUP)["logDeliveryConfigurations"]
    assert [each["logType"] for each in delivered] == ["slow-log", "engine-log"]
    for each in delivered:
        group = groups[each["destination"]]
        assert group.urn in waits
        assert (group.inputs["kmsKeyId"], group.inputs["retentionInDays"]) == (LOG_KEY, 30)
        assert (each["destinationType"], each["logFormat"]) == ("cloudwatch-logs", "json")


def test_a_full_cache_forgets_what_it_is_told_to() -> None:
    for plan, policy in ((cache(), "volatile-lru"), (cache(eviction="noeviction"), "noeviction")):
        assert one(plan, PARAMETERS)["parameters"] == [{"name": "maxmemory-policy", "value": policy}]


def test_a_major_upgrade_gets_a_parameter_group_beside_the_old_one() -> None:
    before, after = (cache(version=version) for version in ("8.2", "9.0"))
    assert before.of_type(PARAMETERS)[0].urn != after.of_type(PARAMETERS)[0].urn
    assert [one(plan, PARAMETERS)["family"] for plan in (before, after)] == ["valkey8", "valkey9"]
    assert one(after, GROUP)["parameterGroupName"] == "kv-valkey9-1234567"
    assert before.of_type(PARAMETERS)[0].urn == cache(version="8.1").of_type(PARAMETERS)[0].urn


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


def test_clients_reach_the_cache_and_nobody_else_does() -> None:
    assert reached(cache()) == {("sg-web", "kv-server-id", 6379)}
    assert reached(cache(clients={})) == set()


def outputs(plan: Plan) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type == "plinth:index:ElastiCacheValkey")


def test_outputs_name_the_cache_as_metrics_do() -> None:
    assert (
        outputs(cache(replicas=1)).items()
        >= {
            "host": "kv.cache.example",
            "readerHost": "kv-reader.cache.example",
            "port": 6379,
            "username": "app",
            "replicationGroupId": "kv",
            "memberIds": ["kv-001", "kv-002"],
            "securityGroupId": "kv-server-id",
        }.items()
    )


@pytest.mark.parametrize("node_type", ["m7g.large", "cache.m7g", "cache.M7G.large", "cache.m7g.huge", "db.m7g.large"])
def test_node_types_of_the_wrong_shape_are_refused(node_type: str) -> None:
    assert refused(node_type=node_type) == {
        "node_type": "write it as cache.<family>.<size>, for example cache.m7g.large"
    }


@pytest.mark.parametrize(("version", "family"), [("8.2", "valkey9"), ("9.0", "valkey8"), ("8.1", "redis7")])
def test_a_family_that_does_not_fit_the_version_is_refused(version: str, family: str) -> None:
    assert "a cache family that does not fit its engine" in refused(version=version, family=family)["family"]


def test_bad_args_are_refused() -> None:
    assert refused(version="7.2") == {"version": "choose one of 8.1, 8.2, 9.0"}
    assert "0 to 5" in refused(replicas=6)["replicas"]
    assert "0 to 35 days" in refused(snapshot_days=36)["snapshot_days"]
    assert "did you mean `allkeys-lru`?" in refused(eviction="allkeys_lru")["eviction"]
    for username in ("default", "App", "my--app", ""):
        assert "which Valkey has" in refused(username=username)["username"]
    assert "begin with `on`" in refused(access_string="~* +@all")["access_string"]
    assert refused(password_version=0) == {"password_version": "give 1 or more"}
    assert refused(recovery_days=3) == {"recovery_days": "give 7 to 30 days, or 0 for none"}
    assert "single hyphens" in refused(name="kv--x")["name"]


def test_the_name_leaves_room_for_the_users_id() -> None:
    assert "use 36 or fewer" in refused(name="k" * 37)["name"]
    assert "use 33 or fewer" in refused(name="k" * 34, username="seller")["name"]


def test_what_does_not_fit_together_is_refused_together() -> None:
    found = refused(
        subnet_ids=["subnet-1"],
        family="valkey9",
        rotation={"function_arn": "arn", "days": 91},
        password_version=2,
        secret_replicas=[{"region": "eu-central-1", "key_arn": KEY}],
    )
    assert set(found) == {"subnet_ids", "family", "rotation.days", "password_version", "secret_replicas[0].region"}
    assert "a cache with replicas in one zone" in found["subnet_ids"]


def test_one_node_stands_in_one_subnet() -> None:
    plan = planned(lambda opts: ElastiCacheValkey("kv", {**CACHE_FULL, "subnet_ids": ["subnet-1"]}, opts))
    assert one(plan, "aws:elasticache/subnetGroup:SubnetGroup")["subnetIds"] == ["subnet-1"]
