"""Valkey on Memorystore."""

import json
from typing import Any

import pulumi
import pytest

from components.cache.eviction import EVICTIONS
from components.cache.memorystore import MemorystoreValkey
from preview.plan import Plan

from ..support import known, one, planned, providers, recorded, remedies
from .examples.google_cache import VALKEY, VALKEY_FULL
from .examples.shared import GOOGLE_AWAY_KEY, GOOGLE_KEY, GOOGLE_NETWORK

INSTANCE = "gcp:memorystore/instance:Instance"
MEMBER = "gcp:projects/iAMMember:IAMMember"
SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
PATH = "projects/plinth-123456/locations/europe-west3/instances/cache"


def cache(**changes: Any) -> Plan:
    return planned(lambda opts: MemorystoreValkey("cache", {**VALKEY, **changes}, opts))  # pyright: ignore[reportArgumentType]


def full() -> Plan:
    return planned(lambda opts: MemorystoreValkey("cache", VALKEY_FULL, opts))


def refused(name: str = "cache", **changes: Any) -> dict[str, str]:
    return remedies(lambda: MemorystoreValkey(name, {**VALKEY, **changes}))  # pyright: ignore[reportArgumentType]


def outputs(plan: Plan) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type == "plinth:index:MemorystoreValkey")


def test_the_bare_call_is_safe() -> None:
    assert one(cache(), INSTANCE) == {
        "instanceId": "cache",
        "project": "plinth-123456",
        "location": "europe-west3",
        "engineVersion": "VALKEY_8_0",
        "mode": "CLUSTER_DISABLED",
        "nodeType": "STANDARD_SMALL",
        "shardCount": 1,
        "replicaCount": 2,
        "zoneDistributionConfig": {"mode": "MULTI_ZONE"},
        "desiredAutoCreatedEndpoints": [{"network": GOOGLE_NETWORK, "projectId": "plinth-123456"}],
        "authorizationMode": "IAM_AUTH",
        "transitEncryptionMode": "SERVER_AUTHENTICATION",
        "kmsKey": GOOGLE_KEY,
        "engineConfigs": {"maxmemory-policy": "volatile-lru"},
        "persistenceConfig": {"mode": "DISABLED"},
        "automatedBackupConfig": {
            "fixedFrequencySchedule": {"startTime": {"hours": 2}},
            "retention": "604800s",
        },
        "maintenancePolicy": {
            "weeklyMaintenanceWindows": [
                {"day": "SUNDAY", "startTime": {"hours": 3, "minutes": 0, "seconds": 0, "nanos": 0}}
            ]
        },
        "deletionProtectionEnabled": True,
    }


def test_a_cache_is_what_it_is_told_to_be() -> None:
    plan = full()
    assert (
        one(plan, INSTANCE).items()
        >= {
            "engineVersion": "VALKEY_9_0",
            "mode": "CLUSTER",
            "shardCount": 3,
            "replicaCount": 0,
            "zoneDistributionConfig": {"mode": "SINGLE_ZONE", "zone": "europe-west3-a"},
            "engineConfigs": {"maxmemory-policy": "noeviction"},
            "persistenceConfig": {"mode": "AOF", "aofConfig": {"appendFsync": "EVERY_SEC"}},
        }.items()
    )
    window = one(plan, INSTANCE)["maintenancePolicy"]["weeklyMaintenanceWindows"][0]
    assert (window["day"], window["startTime"]["hours"]) == ("WEDNESDAY", 22)


def test_copies_on_disk_are_taken_every_six_hours() -> None:
    config = one(cache(persistence="rdb"), INSTANCE)["persistenceConfig"]
    assert config == {"mode": "RDB", "rdbConfig": {"rdbSnapshotPeriod": "SIX_HOURS"}}


def test_backups_are_kept_for_the_days_that_are_said() -> None:
    assert one(cache(snapshot_days=365), INSTANCE)["automatedBackupConfig"]["retention"] == "31536000s"
    assert "automatedBackupConfig" not in one(cache(snapshot_days=0), INSTANCE)


def test_cache_and_secret_are_protected_and_one_flag_takes_that_away() -> None:
    plan = cache()
    protected = {each.type for each in plan.resources if each.protect}
    assert protected == {INSTANCE, SECRET}
    assert one(plan, SECRET)["deletionProtection"] is True
    plan = cache(protect=False)
    assert not [each.name for each in plan.resources if each.protect]
    assert one(plan, INSTANCE)["deletionProtectionEnabled"] is False
    assert one(plan, SECRET)["deletionProtection"] is False


def test_its_id_is_given_back_before_it_is_taken_again() -> None:
    assert cache().of_type(INSTANCE)[0].options["deleteBeforeReplace"] is True


def test_clients_sign_in_to_this_cache_alone() -> None:
    assert one(cache(), MEMBER) == {
        "project": "plinth-123456",
        "role": "roles/memorystore.dbConnectionUser",
        "member": "serviceAccount:web@plinth-123456.iam.gserviceaccount.com",
        "condition": {"title": "Cache cache", "expression": f'resource.name == "{PATH}"'},
    }
    assert cache(clients={}).of_type(MEMBER) == []


def test_outputs_are_those_of_the_primary_and_its_replicas() -> None:
    assert (
        outputs(cache()).items()
        >= {
            "host": "192.0.2.20",
            "readerHost": "192.0.2.21",
            "port": 6379,
            "instanceId": "cache",
            "instanceName": PATH,
            "cacheId": PATH,
        }.items()
    )


def test_without_replicas_reads_go_to_the_primary() -> None:
    assert outputs(cache(replicas=0))["readerHost"] == "192.0.2.20"


def test_the_nodes_of_a_cluster_are_found_at_one_address() -> None:
    found = outputs(cache(clustered=True))
    assert found["host"] == found["readerHost"] == "192.0.2.20"


def answered(endpoints: list[Any]) -> Any:
    """A cloud that gives a cache these endpoints."""

    def answer(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        answers = known(type_, name, inputs)
        return {**answers, "endpoints": endpoints} if type_ == INSTANCE else answers

    return answer


def connection(kind: str, address: str | None, port: int | None = None) -> dict[str, Any]:
    made = {"connectionType": f"CONNECTION_TYPE_{kind}", "ipAddress": address, "port": port}
    return {"pscAutoConnection": {key: value for key, value in made.items() if value is not None}}


def made(endpoints: list[Any]) -> dict[str, Any]:
    return outputs(planned(lambda opts: MemorystoreValkey("cache", VALKEY, opts), answered(endpoints)))


def test_connections_are_told_apart_by_their_kind_and_not_by_their_order() -> None:
    found = made(
        [
            {"connections": []},
            {"connections": [{}, connection("READER", "192.0.2.2"), connection("PRIMARY", "192.0.2.1")]},
        ]
    )
    assert (found["host"], found["readerHost"], found["port"]) == ("192.0.2.1", "192.0.2.2", 6379)


@pytest.mark.parametrize(
    "endpoints",
    [
        pytest.param([], id="none"),
        pytest.param([{"connections": [connection("READER", "192.0.2.2")]}], id="another"),
        pytest.param([{"connections": [connection("PRIMARY", None)]}], id="without an address"),
    ],
)
def test_a_cache_without_an_address_is_no_cache(endpoints: list[Any]) -> None:
    with pytest.raises(Exception, match="Google gave it no primary address"):
        made(endpoints)


def secret_value() -> dict[str, str]:
    """The secret's fields as they are sent, out of their envelope."""

    def program() -> None:
        MemorystoreValkey("cache", VALKEY, pulumi.ResourceOptions(providers=providers()))

    sent = [each for each in recorded(program, answer=known).recorder.requests.values() if each.type == VERSION]
    assert len(sent) == 1
    return json.loads(sent[0].object.fields["secretData"].struct_value.fields["value"].string_value)


def test_services_find_in_the_secret_all_that_they_sign_in_with() -> None:
    assert secret_value() == {
        "engine": "valkey",
        "host": "192.0.2.20",
        "reader_host": "192.0.2.21",
        "port": "6379",
        "ca": "certificate of cache",
        "authentication": "iam",
    }


def test_every_authority_that_may_have_signed_is_in_the_secret() -> None:
    """Google adds a second one before the first ends."""
    chains = [{"certificates": [f"{name}\n", f"root of {name}"]} for name in ("old", "new")]

    def answer(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        answers = known(type_, name, inputs)
        return {**answers, "managedServerCas": [{"caCerts": chains}]} if type_ == INSTANCE else answers

    def program() -> None:
        MemorystoreValkey("cache", VALKEY, pulumi.ResourceOptions(providers=providers()))

    sent = next(each for each in recorded(program, answer=answer).recorder.requests.values() if each.type == VERSION)
    value = json.loads(sent.object.fields["secretData"].struct_value.fields["value"].string_value)
    assert value["ca"].split("\n") == ["old", "root of old", "new", "root of new"]


def test_the_secret_is_encrypted_copied_and_recovered_as_it_is_told() -> None:
    plan = cache(secret_replicas=[{"region": "europe-west4", "key_name": GOOGLE_AWAY_KEY}], recovery_days=7)
    assert one(plan, SECRET)["versionDestroyTtl"] == "604800s"
    replicas = one(plan, SECRET)["replication"]["userManaged"]["replicas"]
    assert {each["location"]: each["customerManagedEncryption"]["kmsKeyName"] for each in replicas} == {
        "europe-west3": GOOGLE_KEY,
        "europe-west4": GOOGLE_AWAY_KEY,
    }


@pytest.mark.parametrize("policy", EVICTIONS)
def test_each_policy_of_valkey_is_one_of_memorystore(policy: str) -> None:
    assert one(cache(eviction=policy), INSTANCE)["engineConfigs"] == {"maxmemory-policy": policy}


def test_shards_are_for_clusters() -> None:
    assert "set `clustered`" in refused(shards=2)["shards"]
    assert one(cache(shards=2, clustered=True), INSTANCE)["shardCount"] == 2


def test_replicas_in_one_zone_are_refused() -> None:
    assert "replicas in one zone fail with it" in refused(zone="europe-west3-a")["zone"]
    config = one(cache(zone="europe-west3-a", replicas=0), INSTANCE)["zoneDistributionConfig"]
    assert config == {"mode": "SINGLE_ZONE", "zone": "europe-west3-a"}


@pytest.mark.parametrize("zone", ["europe-west4-a", "europe-west3", "a", "", "europe-west30-a"])
def test_a_zone_is_one_of_the_region(zone: str) -> None:
    assert refused(zone=zone, replicas=0) == {
        "zone": "give a zone of europe-west3, such as europe-west3-a, or leave it out"
    }


def test_bad_args_are_refused() -> None:
    assert "did you mean `STANDARD_SMALL`?" in refused(node_type="standard-small".upper())["node_type"]
    assert refused(version="8.1") == {"version": "choose one of 7.2, 8.0, 9.0"}
    assert refused(shards=251) == {"shards": "give 1 to 250 shards"}
    assert refused(replicas=6) == {"replicas": "give 0 to 5 replicas"}
    assert "did you mean `allkeys-lru`?" in refused(eviction="allkeys_lru")["eviction"]
    assert refused(snapshot_days=366) == {"snapshot_days": "give 0 to 365 days"}
    assert refused(persistence="RDB")["persistence"].endswith("choose one of none, rdb, aof")
    for maintenance in ("sun:24", "sunday:03", "sun:03:30"):
        assert "<day>:<hour>" in refused(maintenance=maintenance)["maintenance"]
    assert refused(recovery_days=1001) == {"recovery_days": "give 1 to 1000 days, or 0 for none"}
    assert "in quotes" in refused(scope={**VALKEY["scope"], "number": "x"})["scope"]
    link = f"https://www.googleapis.com/compute/v1/{GOOGLE_NETWORK}"
    assert "not its link" in refused(network_id=link)["network_id"]


@pytest.mark.parametrize("name", ["kv", "cache-", "Cache", "1cache", "my--cache", "my_cache"])
def test_names_that_no_instance_can_have_are_refused(name: str) -> None:
    assert "4 characters or more" in refused(name=name)["name"]


def test_a_name_has_63_characters_at_most() -> None:
    assert "use 63 or fewer" in refused(name="c" * 64)["name"]


def test_what_does_not_fit_together_is_refused_together() -> None:
    found = refused(
        shards=2,
        zone="europe-west3-a",
        clients={"web": "web@plinth-123456.iam.gserviceaccount.com", "all": "allUsers"},
        secret_replicas=[{"region": "europe-west3", "key_name": GOOGLE_KEY}],
    )
    assert set(found) == {"shards", "zone", "clients.web", "clients.all", "secret_replicas[0].region"}
    assert "write serviceAccount:<address>" in found["clients.web"]
