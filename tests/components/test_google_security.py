"""Keys, identities and services of a project on Google Cloud."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.component import Component
from components.security.gcp_identity import GcpNodeAccount, GcpServiceAccount
from components.security.gcp_keys import GcpEncryptionKey
from components.security.project import GcpServices
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.google_security import (
    ACCOUNT,
    ACCOUNT_FULL,
    KEY,
    KEY_FULL,
    NODES,
    NODES_FULL,
    SERVICES,
    SERVICES_FULL,
)

RING = "gcp:kms/keyRing:KeyRing"
CRYPTO_KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
ACCOUNTS = "gcp:serviceaccount/account:Account"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
SERVICE = "gcp:projects/service:Service"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
READER = "gcp:storage/bucket:Bucket"
SELLER = "serviceAccount:shop-web@plinth-123456.iam.gserviceaccount.com"


def key(**changes: Any) -> Plan:
    return planned(lambda opts: GcpEncryptionKey("data", {**KEY, **changes}, opts))  # pyright: ignore[reportArgumentType]


def full_key(**changes: Any) -> Plan:
    return planned(lambda opts: GcpEncryptionKey("data", {**KEY_FULL, **changes}, opts))  # pyright: ignore[reportArgumentType]


def account(**changes: Any) -> Plan:
    return planned(lambda opts: GcpServiceAccount("shop", {**ACCOUNT, **changes}, opts))  # pyright: ignore[reportArgumentType]


def granted_alone(**grants: Any) -> Plan:
    args: Any = {name: value for name, value in ACCOUNT.items() if name != "secrets"} | grants
    return planned(lambda opts: GcpServiceAccount("shop", args, opts))


def full_account() -> Plan:
    return planned(lambda opts: GcpServiceAccount("shop", ACCOUNT_FULL, opts))


def refused(kind: Callable[..., Component], args: Any, name: str = "shop", **changes: Any) -> dict[str, str]:
    return remedies(lambda: kind(name, {**args, **changes}))


def output(plan: Plan, name: str) -> Any:
    return next(each for each in plan.resources if each.type.startswith("plinth:index:")).outputs[name]


def waiting(make: Callable[[pulumi.ResourceOptions], pulumi.Output[str]]) -> tuple[Plan, set[str]]:
    """A plan with somebody who takes an output, and the names of what that one waits for."""

    def program(opts: pulumi.ResourceOptions) -> None:
        other = pulumi.ResourceOptions(provider=gcp.Provider("other"))
        gcp.storage.Bucket("reader", location="EU", name=make(opts), opts=other)

    plan = planned(program)
    before = plan.waits_for(plan.of_type(READER)[0].urn)
    return plan, {each.name for each in plan.resources if each.urn in before and each.custom}


def roles(plan: Plan) -> dict[str, str]:
    """What is granted, by the name of the grant."""
    return {each.name: each.inputs["role"] for each in plan.resources if "member" in each.inputs}


def condition(plan: Plan, name: str) -> str:
    return one(plan, PROJECT_MEMBER, name)["condition"]["expression"]


def test_a_key_is_rotated_every_quarter_and_its_destruction_can_be_called_off() -> None:
    found = one(key(), CRYPTO_KEY)
    assert found["rotationPeriod"] == f"{90 * 86400}s"
    assert found["destroyScheduledDuration"] == f"{30 * 86400}s"
    assert found["purpose"] == "ENCRYPT_DECRYPT"
    found = one(full_key(), CRYPTO_KEY)
    assert (found["rotationPeriod"], found["destroyScheduledDuration"]) == (f"{30 * 86400}s", f"{60 * 86400}s")


def test_a_key_is_kept_twice() -> None:
    found = key().of_type(CRYPTO_KEY)[0]
    assert (found.protect, found.inputs["deletionPolicy"]) == (True, "PREVENT")
    found = full_key().of_type(CRYPTO_KEY)[0]
    assert (found.protect, found.inputs["deletionPolicy"]) == (False, "DELETE")


def test_names_that_never_come_back_are_not_fixed() -> None:
    assert "name" not in one(key(), RING)
    assert "name" not in one(key(), CRYPTO_KEY)


def test_a_key_stands_in_its_region_or_where_it_is_told() -> None:
    assert one(key(), RING)["location"] == "europe-west3"
    assert one(full_key(), RING)["location"] == "europe"


def test_a_key_is_in_software_unless_hardware_is_asked_for() -> None:
    assert one(key(), CRYPTO_KEY)["versionTemplate"] == {
        "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
        "protectionLevel": "SOFTWARE",
    }
    assert one(full_key(), CRYPTO_KEY)["versionTemplate"]["protectionLevel"] == "HSM"


def test_a_key_says_what_it_is_for_as_labels_can() -> None:
    assert one(key(), CRYPTO_KEY)["labels"] == {"purpose": "data-of-the-shop"}


def test_those_who_use_a_key_may_use_this_key_and_do_nothing_else_with_it() -> None:
    members = {each.name: each.inputs for each in full_key().of_type(KEY_MEMBER)}
    assert set(members) == {"data-secrets", "data-stores"}
    for member in members.values():
        assert member["role"] == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
        assert member["cryptoKeyId"].endswith("/keyRings/data-1234567/cryptoKeys/data-1234567")
    assert members["data-secrets"]["member"] == (
        "serviceAccount:service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com"
    )
    assert key().of_type(KEY_MEMBER) == []


def test_whoever_gets_a_key_waits_until_it_can_be_used() -> None:
    _, before = waiting(lambda opts: GcpEncryptionKey("data", KEY_FULL, opts).key_name)
    assert {"data-secrets", "data-stores"} <= before


def test_a_key_is_named_by_its_id() -> None:
    ring = "projects/plinth-123456/locations/europe-west3/keyRings/data-1234567"
    assert output(key(), "keyName") == f"{ring}/cryptoKeys/data-1234567"
    assert output(key(), "keyRing") == ring


def test_bad_args_of_a_key_are_refused() -> None:
    assert refused(GcpEncryptionKey, KEY, rotation_days=91) == {"rotation_days": "give 1 to 90 days"}
    assert refused(GcpEncryptionKey, KEY, destroy_days=121) == {"destroy_days": "give 1 to 120 days"}
    assert refused(GcpEncryptionKey, KEY, purpose=" ") == {"purpose": "say what it encrypts"}
    assert "like europe" in refused(GcpEncryptionKey, KEY, location="EU")["location"]
    assert "use 55 or fewer" in refused(GcpEncryptionKey, KEY, name="k" * 56)["name"]
    assert "letters, digits" in refused(GcpEncryptionKey, KEY, name="my.key")["name"]
    assert "choose one of SOFTWARE, HSM" in refused(GcpEncryptionKey, KEY, protection="PAPER")["protection"]


def test_a_service_is_granted_what_it_needs_and_no_more() -> None:
    assert roles(full_account()) == {
        "shop-secret-database": "roles/secretmanager.secretAccessor",
        "shop-read-events": "roles/storage.objectViewer",
        "shop-append-events": "roles/storage.objectCreator",
        "shop-publish-orders": "roles/pubsub.publisher",
        "shop-consume-invoices": "roles/pubsub.subscriber",
        "shop-database": "roles/cloudsql.client",
        "shop-database-login": "roles/cloudsql.instanceUser",
        "shop-cache": "roles/memorystore.dbConnectionUser",
        "shop-metrics": "roles/monitoring.metricWriter",
        "shop-use-credentials": "roles/secretmanager.secretAccessor",
        "shop-keep-credentials": "projects/plinth-123456/roles/shop_c0ffee00",
        "shop-records-shop": "roles/dns.admin",
        "shop-records-market": "roles/dns.admin",
        "shop-records-fair": "roles/dns.admin",
        "shop-zones-plinth-123456": "roles/dns.reader",
        "shop-zones-plinth-domains": "roles/dns.reader",
        "shop-pods": "roles/iam.workloadIdentityUser",
    }
    assert roles(account()) == {"shop-secret-database": "roles/secretmanager.secretAccessor"}


def test_grants_are_the_accounts_own() -> None:
    found = [each for each in full_account().resources if "member" in each.inputs and each.name != "shop-pods"]
    assert {each.inputs["member"] for each in found} == {SELLER}


def test_what_has_a_policy_is_granted_there() -> None:
    plan = full_account()
    secret = one(plan, "gcp:secretmanager/secretIamMember:SecretIamMember")
    assert secret["secretId"] == "projects/plinth-123456/secrets/shop-database"
    assert one(plan, "gcp:pubsub/topicIAMMember:TopicIAMMember")["topic"] == "projects/plinth-123456/topics/orders"
    subscription = one(plan, "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember")
    assert subscription["subscription"] == "projects/plinth-123456/subscriptions/invoices"
    buckets = plan.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    assert {each.inputs["bucket"] for each in buckets} == {"events-1234567"}


@pytest.mark.parametrize("granted", ["read", "append"])
def test_reading_and_appending_are_granted_apart(granted: str) -> None:
    plan = granted_alone(stores={"events": {"bucket": "events", granted: True}})
    assert set(roles(plan)) == {f"shop-{granted}-events"}


def test_what_has_no_policy_is_held_to_one_resource_by_a_condition() -> None:
    plan = full_account()
    instance = (
        'resource.service == "sqladmin.googleapis.com" && '
        'resource.name == "projects/plinth-123456/instances/shop-1234567"'
    )
    assert condition(plan, "shop-database") == condition(plan, "shop-database-login") == instance
    cache = "projects/plinth-123456/locations/europe-west3/instances/shop"
    assert condition(plan, "shop-cache") == f'resource.name == "{cache}"'
    unconditional = {each.name for each in plan.of_type(PROJECT_MEMBER) if "condition" not in each.inputs}
    assert unconditional == {"shop-metrics", "shop-zones-plinth-123456", "shop-zones-plinth-domains"}


def test_records_are_kept_in_the_named_zones_alone_and_zones_of_their_projects_are_listed() -> None:
    plan = full_account()
    zones = plan.of_type("gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember")
    assert {(each.inputs["project"], each.inputs["managedZone"]) for each in zones} == {
        ("plinth-123456", "shop-1234567"),
        ("plinth-domains", "market-1234567"),
        ("plinth-domains", "fair-1234567"),
    }
    listed = [each for each in plan.of_type(PROJECT_MEMBER) if each.inputs["role"] == "roles/dns.reader"]
    assert {each.name: each.inputs["project"] for each in listed} == {
        "shop-zones-plinth-123456": "plinth-123456",
        "shop-zones-plinth-domains": "plinth-domains",
    }


def test_credentials_are_kept_and_used_under_their_prefix_alone() -> None:
    plan = full_account()
    theirs = 'resource.name.startsWith("projects/123456789012/secrets/shop-credentials-")'
    assert condition(plan, "shop-use-credentials") == theirs
    or_made = f'{theirs} || resource.type == "cloudresourcemanager.googleapis.com/Project"'
    assert condition(plan, "shop-keep-credentials") == or_made


def test_a_keeper_of_credentials_destroys_and_reads_none() -> None:
    role = one(full_account(), ROLE)
    assert {each.rpartition(".")[2] for each in role["permissions"]} == {
        "create",
        "get",
        "add",
        "disable",
        "enable",
        "list",
    }
    assert role["stage"] == "GA"


def test_a_custom_role_has_an_id_that_was_never_deleted() -> None:
    plan = planned(lambda opts: GcpServiceAccount("shop-web", ACCOUNT_FULL, opts))
    assert one(plan, ROLE)["roleId"] == "shop_web_c0ffee00"
    assert one(plan, "random:index/randomId:RandomId")["byteLength"] == 4


def test_credentials_that_are_only_used_need_no_role_of_ours() -> None:
    plan = granted_alone(credentials={"prefix": "shop-", "use": True})
    assert set(roles(plan)) == {"shop-use-credentials"}
    assert plan.of_type(ROLE) == []


def test_pods_act_as_the_account_without_a_key() -> None:
    plan = full_account()
    member = one(plan, "gcp:serviceaccount/iAMMember:IAMMember")
    assert member["member"] == "serviceAccount:plinth-123456.svc.id.goog[web/seller]"
    assert plan.of_type("gcp:serviceaccount/key:Key") == []


def test_whoever_gets_an_identity_waits_for_everything_that_it_was_granted() -> None:
    plan, before = waiting(lambda opts: GcpServiceAccount("shop", ACCOUNT_FULL, opts).identity)
    assert set(roles(plan)) <= before
    _, before = waiting(lambda opts: GcpServiceAccount("shop", ACCOUNT_FULL, opts).email)
    assert before & {"shop", "shop-metrics"} == {"shop"}


def test_an_identity_is_an_address() -> None:
    address = "shop-web@plinth-123456.iam.gserviceaccount.com"
    assert (output(account(), "identity"), output(account(), "email")) == (address, address)
    assert output(account(), "member") == SELLER


@pytest.mark.parametrize("nothing", [{}, {"secrets": {}}, {"metrics": False}, {"pods": ACCOUNT_FULL.get("pods")}])
def test_an_account_that_is_granted_nothing_is_refused(nothing: dict[str, Any]) -> None:
    args = {name: value for name, value in ACCOUNT.items() if name != "secrets"}
    assert "grants nothing" in refused(GcpServiceAccount, args, **nothing)["args"]


def test_grants_that_grant_nothing_are_refused() -> None:
    assert "`read` or `append`" in refused(GcpServiceAccount, ACCOUNT, stores={"a": {"bucket": "a"}})["stores.a"]
    assert "`keep` or `use`" in refused(GcpServiceAccount, ACCOUNT, credentials={"prefix": "a"})["credentials"]


def test_bad_args_of_an_account_are_refused() -> None:
    assert "6 to 30" in refused(GcpServiceAccount, ACCOUNT, account_id="web")["account_id"]
    assert "256 bytes" in refused(GcpServiceAccount, ACCOUNT, description="d" * 257)["description"]
    credentials = {"prefix": 'shop/"', "use": True}
    assert "letters, digits" in refused(GcpServiceAccount, ACCOUNT, credentials=credentials)["credentials.prefix"]
    assert "name alone" in refused(GcpServiceAccount, ACCOUNT, database="projects/p/instances/shop")["database"]
    assert "whole name" in refused(GcpServiceAccount, ACCOUNT, cache="shop")["cache"]
    assert "use 55 or fewer" in refused(GcpServiceAccount, ACCOUNT, name="s" * 56)["name"]
    assert "use letters" in refused(GcpServiceAccount, ACCOUNT, name="shop.web")["name"]


def test_nodes_write_logs_and_read_images_and_nothing_else() -> None:
    plan = planned(lambda opts: GcpNodeAccount("nodes", NODES_FULL, opts))
    assert roles(plan) == {
        "nodes": "roles/container.defaultNodeServiceAccount",
        "nodes-shop": "roles/artifactregistry.reader",
        "nodes-shared": "roles/artifactregistry.reader",
    }
    readers = plan.of_type("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember")
    assert {(each.inputs["project"], each.inputs["location"], each.inputs["repository"]) for each in readers} == {
        ("plinth-123456", "europe-west3", "shop"),
        ("plinth-images", "europe", "images"),
    }


def test_nodes_do_not_start_before_they_may_anything() -> None:
    for name in ("email", "identity"):
        plan, before = waiting(lambda opts, name=name: getattr(GcpNodeAccount("nodes", NODES_FULL, opts), name))
        assert set(roles(plan)) <= before


def test_bad_args_of_nodes_are_refused() -> None:
    assert "6 to 30" in refused(GcpNodeAccount, NODES, account_id="nodes")["account_id"]


def services(**changes: Any) -> Plan:
    return planned(lambda opts: GcpServices("on", {**SERVICES_FULL, **changes}, opts))  # pyright: ignore[reportArgumentType]


def test_services_stay_on() -> None:
    plan = services()
    assert {each.inputs["service"] for each in plan.of_type(SERVICE)} == set(SERVICES_FULL["services"])
    assert all(each.inputs["disableOnDestroy"] is False for each in plan.of_type(SERVICE))


def test_a_service_is_on_before_it_has_an_account() -> None:
    plan = services()
    agent = next(each for each in plan.of_type(AGENT) if each.name == "on-pubsub")
    service = next(each for each in plan.of_type(SERVICE) if each.name == "on-pubsub")
    assert service.urn in plan.waits_for(agent.urn)


def test_the_project_is_known_once_everything_is_there() -> None:
    plan, before = waiting(lambda opts: GcpServices("on", SERVICES_FULL, opts).project)
    assert {each.name for each in (*plan.of_type(SERVICE), *plan.of_type(AGENT))} <= before
    assert output(services(), "project") == "plinth-123456"


def test_the_addresses_are_those_that_google_tells() -> None:
    told = "service-123456789012@{}.iam.gserviceaccount.com"
    assert output(services(), "agents") == {
        "pubsub.googleapis.com": told.format("pubsub"),
        "sqladmin.googleapis.com": told.format("sqladmin"),
    }
    assert output(planned(lambda opts: GcpServices("on", SERVICES, opts)), "agents") == {}


def test_an_address_that_google_keeps_to_itself_is_the_usual_one() -> None:
    def silent(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"id": name, "email": ""} if type_ == AGENT else {"id": name}

    plan = planned(lambda opts: GcpServices("on", SERVICES_FULL, opts), silent)
    assert output(plan, "agents") == {
        "pubsub.googleapis.com": "service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com",
        "sqladmin.googleapis.com": "service-123456789012@gcp-sa-cloud-sql.iam.gserviceaccount.com",
    }


def test_a_provider_can_come_after_all_of_them() -> None:
    made: list[pulumi.Resource] = []
    plan = planned(lambda opts: made.extend(GcpServices("on", SERVICES_FULL, opts).made))
    assert len(made) == len(plan.of_type(SERVICE)) + len(plan.of_type(AGENT))


def test_bad_services_are_refused() -> None:
    def problems(**changes: Any) -> dict[str, str]:
        return refused(GcpServices, SERVICES_FULL, name="on", **changes)

    assert "one service" in problems(services=[], agents=[])["services"]
    assert "name of its API" in problems(services=["container"], agents=[])["services[0]"]
    twice = ["pubsub.googleapis.com"] * 2
    assert "named twice" in problems(services=twice, agents=twice)["services[1]"]
    assert "named twice" in problems(services=twice[:1], agents=twice)["agents[1]"]
    assert "`services` too" in problems(agents=["redis.googleapis.com"])["agents[0]"]
    assert "did you mean `pubsub.googleapis.com`" in problems(agents=["pubsubs.googleapis.com"])["agents[0]"]
    assert "as soon as it is enabled" in problems(agents=["compute.googleapis.com"])["agents[0]"]
    assert "gcloud storage service-agent" in problems(agents=["storage.googleapis.com"])["agents[0]"]
