"""What differs between two plans, and what it is called."""

from dataclasses import replace
from typing import Any

import pytest

from preview import knowledge
from preview.difference import Change, Kind, PropertyChange, compare, differences
from preview.plan import STACK_TYPE, Plan, Resource

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
CLOUD = "urn:pulumi:dev::shop::pulumi:providers:aws::cloud"
BUCKET = "aws:s3/bucket:Bucket"
INSTANCE = "aws:rds/instance:Instance"


def resource(type_: str, name: str, parent: str = STACK, chain: str = "", **changes: Any) -> Resource:
    qualified = f"{chain}${type_}" if chain else type_
    made = Resource(
        urn=f"urn:pulumi:dev::shop::{qualified}::{name}",
        type=type_,
        name=name,
        custom=not type_.startswith("shop:") and type_ != STACK_TYPE,
        parent="" if type_ == STACK_TYPE else parent,
        inputs={},
        dependencies=[],
        property_dependencies={},
        provider=CLOUD if type_.startswith("aws:") else "",
        protect=False,
        aliases=[],
        options={},
    )
    return replace(made, **changes)


def plan(*resources: Resource) -> Plan:
    root = resource(STACK_TYPE, "shop-dev")
    return Plan("dev", "shop", [root, resource("pulumi:providers:aws", "cloud"), *resources], {}, [])


def changes(before: Plan, after: Plan) -> list[Change]:
    return compare(before, after)[0]


def kinds(before: Plan, after: Plan) -> list[tuple[str, str, bool]]:
    return [(change.kind.value, change.name, change.destroys) for change in changes(before, after)]


TOPIC = "aws:sns/topic:Topic"


def test_the_same_plan_has_no_changes() -> None:
    one = plan(resource(TOPIC, "t", inputs={"displayName": "a"}))
    assert changes(one, one) == []


def test_an_update_is_told_property_by_property() -> None:
    before = plan(resource(TOPIC, "t", inputs={"displayName": "a", "tags": {"x": "1", "y": "2"}}))
    after = plan(resource(TOPIC, "t", inputs={"displayName": "b", "tags": {"y": "2"}}, protect=True))
    (change,) = changes(before, after)
    assert change.kind is Kind.UPDATE
    assert not change.destroys
    assert change.properties == [
        PropertyChange("displayName", "a", "b"),
        PropertyChange("tags.x", "1", None),
        PropertyChange("(protect)", False, True),
    ]


def test_order_alone_is_no_change() -> None:
    assert changes(plan(resource(TOPIC, "t")), plan(resource(TOPIC, "t", dependencies=[CLOUD]))) == []


def test_creation_and_deletion() -> None:
    assert kinds(plan(), plan(resource(TOPIC, "t"))) == [("create", "t", False)]
    assert kinds(plan(resource(TOPIC, "t")), plan()) == [("delete", "t", False)]
    assert kinds(plan(resource(BUCKET, "b")), plan()) == [("delete", "b", True)]


def test_what_destroys_stands_first() -> None:
    before = plan(resource(TOPIC, "a"), resource(BUCKET, "z"), resource(TOPIC, "m", inputs={"displayName": "1"}))
    after = plan(resource(TOPIC, "m", inputs={"displayName": "2"}), resource(INSTANCE, "n"))
    assert kinds(before, after) == [
        ("delete", "z", True),
        ("delete", "a", False),
        ("update", "m", False),
        ("create", "n", False),
    ]


@pytest.mark.parametrize(
    ("type_", "key", "kind"),
    [
        (INSTANCE, "storageEncrypted", Kind.MAY_REPLACE),
        (INSTANCE, "kmsKeyId", Kind.MAY_REPLACE),
        (INSTANCE, "identifier", Kind.MAY_REPLACE),
        (INSTANCE, "backupRetentionPeriod", Kind.UPDATE),
        (INSTANCE, "instanceClass", Kind.UPDATE),
        ("aws:ec2/vpc:Vpc", "cidrBlock", Kind.MAY_REPLACE),
        ("aws:ec2/vpc:Vpc", "enableDnsSupport", Kind.UPDATE),
        ("aws:ec2/subnet:Subnet", "availabilityZone", Kind.MAY_REPLACE),
        (TOPIC, "kmsMasterKeyId", Kind.UPDATE),
    ],
)
def test_identity_place_and_encryption_of_what_loses_something_may_replace(type_: str, key: str, kind: Kind) -> None:
    (change,) = changes(plan(resource(type_, "x", inputs={key: "1"})), plan(resource(type_, "x", inputs={key: "2"})))
    assert change.kind is kind
    assert change.destroys == (kind is Kind.MAY_REPLACE)


def test_another_region_may_replace() -> None:
    before = plan(resource(BUCKET, "b"), resource(TOPIC, "t"))
    other = "urn:pulumi:dev::shop::pulumi:providers:aws::elsewhere"
    after = plan(
        resource("pulumi:providers:aws", "elsewhere"),
        resource(BUCKET, "b", provider=other),
        resource(TOPIC, "t", provider=other),
    )
    found = {change.name: change for change in changes(before, after)}
    assert found["b"].kind is Kind.MAY_REPLACE
    assert found["t"].kind is Kind.UPDATE


def test_the_installed_sdks_documentation_is_read() -> None:
    """Whatever it says of these today, a type without such words must not be called replacing."""
    said = {
        key
        for key in ("userDataReplaceOnChange", "length", "special", "lower", "byteLength", "keepers", "backupVaultName")
        for type_ in ("random:index/randomPassword:RandomPassword", "aws:backup/plan:Plan")
        if knowledge.documented_to_replace(type_, key)
    }
    assert not knowledge.documented_to_replace("aws:ec2/vpc:Vpc", "tags")
    assert not knowledge.documented_to_replace("aws:no/such:Type", "x")
    assert said <= {"keepers"}


def test_a_property_that_is_documented_to_replace_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class TopicArgs:
        def __init__(self) -> None:
            """
            :param pulumi.Input[str] display_name: The name that people see. Changing this forces a new resource.
            :param pulumi.Input[str] policy: The policy.
            """

    monkeypatch.setattr(knowledge, "_arguments", lambda type_: TopicArgs)
    knowledge._replacing.cache_clear()
    try:
        before, after = (plan(resource(TOPIC, "t", inputs={"displayName": each})) for each in "ab")
        (change,) = changes(before, after)
        assert change.kind is Kind.REPLACE
        assert "the SDK's documentation says that another displayName replaces it" in change.why
        before, after = (plan(resource(TOPIC, "t", inputs={"policy": each})) for each in "ab")
        assert changes(before, after)[0].kind is Kind.UPDATE
    finally:
        knowledge._replacing.cache_clear()


@pytest.mark.parametrize(
    ("type_", "class_name"),
    [
        ("aws:ec2/vpc:Vpc", "VpcArgs"),
        ("aws:s3/bucketVersioning:BucketVersioning", "BucketVersioningInitArgs"),
        ("random:index/randomPassword:RandomPassword", "RandomPasswordArgs"),
        ("kubernetes:core/v1:Namespace", "NamespaceInitArgs"),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "NetworkPolicyInitArgs"),
    ],
)
def test_the_arguments_of_a_type_are_found_in_its_sdk(type_: str, class_name: str) -> None:
    found = knowledge._arguments(type_)
    assert found is not None
    assert found.__name__ == class_name


def test_every_type_that_loses_something_exists_in_its_sdk() -> None:
    for types in knowledge.KEEPERS.values():
        for type_ in types:
            assert knowledge._arguments(type_), type_


def test_a_renamed_resource_names_the_missing_alias() -> None:
    before = plan(resource(INSTANCE, "db", inputs={"engine": "postgres", "storageGb": 20, "identifier": "db"}))
    after = plan(resource(INSTANCE, "main", inputs={"engine": "postgres", "storageGb": 20, "identifier": "main"}))
    (change,) = changes(before, after)
    assert (change.kind, change.name, change.destroys) == (Kind.RENAME, "db", True)
    assert 'give that one aliases=[pulumi.Alias(name="db")]' in change.why


def test_a_renamed_component_is_told_once_with_what_is_lost_below() -> None:
    def stack(kind: str, name: str) -> Plan:
        top = resource(kind, name)
        return plan(
            top,
            resource(INSTANCE, f"{name}-server", top.urn, kind),
            resource(TOPIC, f"{name}-alarms", top.urn, kind),
        )

    found = changes(stack("shop:index:Db", "db"), stack("shop:index:Database", "db"))
    assert [(change.kind, change.name, change.destroys) for change in found] == [
        (Kind.RENAME, "db-server", True),
        (Kind.RENAME, "db", False),
    ]
    assert 'pulumi.Alias(type_="shop:index:Db")' in found[1].why
    assert "2 resources below are deleted and made anew" in found[1].why

    found = changes(stack("shop:index:Db", "db"), stack("shop:index:Db", "main"))
    assert [(change.kind, change.name) for change in found] == [(Kind.RENAME, "db-server"), (Kind.RENAME, "db")]
    assert 'pulumi.Alias(name="db")' in found[1].why


@pytest.mark.parametrize(
    "alias",
    ["name=db", f"urn:pulumi:dev::shop::{INSTANCE}::db", f"name=db,parent={STACK}"],
)
def test_with_an_alias_it_is_the_same_resource(alias: str) -> None:
    before = plan(resource(INSTANCE, "db", inputs={"engine": "postgres"}))
    after = plan(resource(INSTANCE, "main", inputs={"engine": "postgres"}, aliases=[alias]))
    assert changes(before, after) == []


def test_a_new_resource_beside_an_old_one_is_no_rename() -> None:
    old = resource(INSTANCE, "db", inputs={"engine": "postgres"})
    assert kinds(plan(old), plan(old, resource(INSTANCE, "two", inputs={"engine": "postgres"}))) == [
        ("create", "two", False)
    ]


def test_unlike_resources_are_no_rename() -> None:
    before = plan(resource(BUCKET, "a", inputs={"acl": "1", "x": "1"}))
    after = plan(resource(BUCKET, "b", inputs={"acl": "2", "y": "1"}))
    assert kinds(before, after) == [("delete", "a", True), ("create", "b", False)]


def test_what_is_part_of_something_replaced_follows_it_and_what_only_refers_to_it_ends_there() -> None:
    def stack(cidr: str) -> Plan:
        vpc = resource("aws:ec2/vpc:Vpc", "vpc", inputs={"cidrBlock": cidr})
        subnet = resource("aws:ec2/subnet:Subnet", "subnet", property_dependencies={"vpcId": [vpc.urn]})
        table = resource("aws:ec2/routeTable:RouteTable", "table", property_dependencies={"vpcId": [vpc.urn]})
        route = resource("aws:ec2/route:Route", "route", property_dependencies={"routeTableId": [table.urn]})
        group = resource("aws:rds/subnetGroup:SubnetGroup", "group", property_dependencies={"subnetIds": [subnet.urn]})
        server = resource(INSTANCE, "db", property_dependencies={"dbSubnetGroupName": [group.urn]})
        return plan(vpc, subnet, table, route, group, server, resource(TOPIC, "t"))

    assert sorted(kinds(stack("10.0.0.0/16"), stack("10.1.0.0/16"))) == [
        ("may change with it", "group", False),
        ("may change with it", "route", False),
        ("may change with it", "table", False),
        ("may replace", "subnet", True),
        ("may replace", "vpc", True),
    ]


def test_what_is_encrypted_with_a_replaced_key_may_be_lost() -> None:
    def stack(name: str) -> Plan:
        key = resource("aws:kms/key:Key", name, inputs={"description": "data", "enableKeyRotation": True})
        return plan(
            key,
            resource(INSTANCE, "db", property_dependencies={"kmsKeyId": [key.urn]}),
            resource("aws:iam/rolePolicy:RolePolicy", "reader", property_dependencies={"policy": [key.urn]}),
        )

    assert kinds(stack("data"), stack("other")) == [
        ("rename without alias", "data", True),
        ("may replace", "db", True),
        ("may change with it", "reader", False),
    ]


def test_another_default_tag_is_a_note_about_everything_that_it_reaches() -> None:
    def stack(tags: str) -> Plan:
        untagged = resource("aws:sns/topicPolicy:TopicPolicy", "v")
        made = plan(resource(TOPIC, "t"), resource(TOPIC, "u"), untagged)
        cloud = replace(made.resource(CLOUD), inputs={"defaultTags": tags})
        return Plan("dev", "shop", [cloud if each.urn == CLOUD else each for each in made.resources], {}, [])

    _, notes = compare(stack('{"a": 1}'), stack('{"a": 2}'))
    assert notes == ["default tags of cloud change: so do the tags of 2 resources that use it"]


def test_json_text_is_followed() -> None:
    before = {"policy": '{"Statement": [{"Action": ["a"], "Sid": "x"}]}'}
    after = {"policy": '{"Statement": [{"Action": ["b"], "Sid": "x"}]}'}
    assert list(differences(before, after)) == [PropertyChange("policy.Statement[0].Action[0]", "a", "b")]
    assert list(differences({"p": '{"a": 1, "b": 2}'}, {"p": '{"b":2,"a":1}'})) == []
    assert list(differences({"l": [1, 2]}, {"l": [1]})) == [PropertyChange("l", [1, 2], [1])]
    assert list(differences({"t": "[not json"}, {"t": "[not"})) == [PropertyChange("t", "[not json", "[not")]


@pytest.mark.parametrize("alias", ["name=db", "name=db,type=shop:index:Db", "urn:pulumi:dev::shop::shop:index:Db::db"])
def test_what_stands_below_a_component_with_an_alias_is_the_same_too(alias: str) -> None:
    """The engine infers the aliases of children from their parents', names included."""

    def stack(kind: str, name: str, **options: Any) -> Plan:
        top = resource(kind, name, **options)
        inner = resource("shop:index:Part", f"{name}-part", top.urn, kind)
        return plan(
            top,
            inner,
            resource(INSTANCE, f"{name}-part-server", inner.urn, f"{kind}$shop:index:Part"),
            resource(BUCKET, "logs", top.urn, kind),
        )

    kind = "shop:index:Db" if alias == "name=db" else "shop:index:Database"
    assert changes(stack("shop:index:Db", "db"), stack(kind, "main", aliases=[alias])) == []
