"""Exchanges and queues on Pub/Sub."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_random as random
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.broker.pubsub import PubSubBroker, filter_of, filter_problem
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.google_broker import ORDER, PUBSUB, PUBSUB_FULL
from .examples.shared import GOOGLE_KEY

TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
SCHEMA = "gcp:pubsub/schema:Schema"
PUBLISHES = "gcp:pubsub/topicIAMMember:TopicIAMMember"
ACKNOWLEDGES = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
DAY = 86400


def broker(**changes: Any) -> Plan:
    return planned(lambda opts: PubSubBroker("mq", {**PUBSUB, **changes}, opts))  # pyright: ignore[reportArgumentType]


def full() -> Plan:
    return planned(lambda opts: PubSubBroker("mq", PUBSUB_FULL, opts))


def queue(**changes: Any) -> Plan:
    """A broker whose one queue is different."""
    return broker(queues={"orders": {"exchange": "sales", **changes}})


def refused(name: str = "mq", **changes: Any) -> dict[str, str]:
    return remedies(lambda: PubSubBroker(name, {**PUBSUB, **changes}))  # pyright: ignore[reportArgumentType]


def outputs(plan: Plan) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type == "plinth:index:PubSubBroker")


def test_an_exchange_is_a_topic_that_stays_in_its_region() -> None:
    assert one(broker(), TOPIC, "mq-sales") == {
        "name": "mq-sales",
        "project": "plinth-123456",
        "kmsKeyName": GOOGLE_KEY,
        "messageRetentionDuration": f"{7 * DAY}s",
        "messageStoragePolicy": {"allowedPersistenceRegions": ["europe-west3"]},
        "deletionPolicy": "PREVENT",
    }


def test_a_queue_is_a_subscription_that_never_expires() -> None:
    assert one(broker(), SUBSCRIPTION, "mq-orders") == {
        "name": "mq-orders",
        "project": "plinth-123456",
        "topic": "projects/plinth-123456/topics/mq-sales",
        "ackDeadlineSeconds": 60,
        "messageRetentionDuration": f"{7 * DAY}s",
        "enableMessageOrdering": False,
        "enableExactlyOnceDelivery": False,
        "expirationPolicy": {"ttl": ""},
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "deadLetterPolicy": {
            "deadLetterTopic": "projects/plinth-123456/topics/mq-orders-dead",
            "maxDeliveryAttempts": 5,
        },
        "deletionPolicy": "PREVENT",
    }


def test_a_queue_is_what_it_is_told_to_be() -> None:
    assert (
        one(full(), SUBSCRIPTION, "mq-orders").items()
        >= {
            "filter": '(attributes.routing_key = "order" OR hasPrefix(attributes.routing_key, "order."))',
            "ackDeadlineSeconds": 120,
            "messageRetentionDuration": f"{3 * DAY}s",
            "enableMessageOrdering": True,
            "enableExactlyOnceDelivery": True,
        }.items()
    )
    assert one(full(), SUBSCRIPTION, "mq-orders")["deadLetterPolicy"]["maxDeliveryAttempts"] == 7


def test_each_kind_of_exchange_chooses_in_its_way() -> None:
    plan = full()
    assert one(plan, SUBSCRIPTION, "mq-bills")["filter"] == 'attributes.routing_key = "bill"'
    assert "filter" not in one(plan, SUBSCRIPTION, "mq-mails")
    assert one(plan, SUBSCRIPTION, "mq-mails")["topic"] == "projects/plinth-123456/topics/mq-news"


def test_dead_letters_are_kept_as_long_as_can_be() -> None:
    plan = broker()
    assert one(plan, TOPIC, "mq-orders-dead").items() >= {"name": "mq-orders-dead", "kmsKeyName": GOOGLE_KEY}.items()
    assert (
        one(plan, SUBSCRIPTION, "mq-orders-dead").items()
        >= {
            "name": "mq-orders-dead",
            "topic": "projects/plinth-123456/topics/mq-orders-dead",
            "messageRetentionDuration": f"{31 * DAY}s",
            "expirationPolicy": {"ttl": ""},
        }.items()
    )


def test_dead_letters_are_encrypted_and_stay_in_the_regions_too() -> None:
    regions = ["europe-west3", "europe-west4"]
    topics = broker(regions=regions).of_type(TOPIC)
    assert len(topics) == 2
    for each in topics:
        assert each.inputs["kmsKeyName"] == GOOGLE_KEY
        assert each.inputs["messageStoragePolicy"] == {"allowedPersistenceRegions": regions}


def test_nothing_becomes_a_dead_letter_before_somebody_keeps_them() -> None:
    plan = broker()
    kept = named(plan, SUBSCRIPTION, "mq-orders-dead")
    assert kept in plan.waits_for(named(plan, SUBSCRIPTION, "mq-orders"))


def named(plan: Plan, type_: str, name: str) -> str:
    return next(each.urn for each in plan.of_type(type_) if each.name == name)


def test_pubsub_may_move_what_nobody_could_handle() -> None:
    plan = broker()
    assert one(plan, PUBLISHES) == {
        "project": "plinth-123456",
        "topic": "mq-orders-dead",
        "role": "roles/pubsub.publisher",
        "member": AGENT,
    }
    assert one(plan, ACKNOWLEDGES) == {
        "project": "plinth-123456",
        "subscription": "mq-orders",
        "role": "roles/pubsub.subscriber",
        "member": AGENT,
    }
    assert named(plan, SUBSCRIPTION, "mq-orders") in plan.waits_for(named(plan, ACKNOWLEDGES, "mq-orders-dead"))


def test_a_queue_can_be_set_back_for_as_long_as_its_exchange_says() -> None:
    assert one(broker(replay_days=31), TOPIC, "mq-sales")["messageRetentionDuration"] == f"{31 * DAY}s"
    assert "messageRetentionDuration" not in one(broker(replay_days=0), TOPIC, "mq-sales")
    assert "messageRetentionDuration" not in one(broker(), TOPIC, "mq-orders-dead")


def test_a_schema_refuses_other_messages() -> None:
    plan = full()
    assert one(plan, SCHEMA) == {
        "name": "mq-sales",
        "project": "plinth-123456",
        "type": "AVRO",
        "definition": ORDER,
    }
    settings = one(plan, TOPIC, "mq-sales")["schemaSettings"]
    assert settings == {"schema": "projects/plinth-123456/schemas/mq-sales", "encoding": "BINARY"}
    assert "schemaSettings" not in one(plan, TOPIC, "mq-till")


def test_a_schema_is_json_unless_it_is_said_to_be_binary() -> None:
    plan = broker(schemas={"sales": {"type": "PROTOCOL_BUFFER", "definition": 'syntax = "proto3";'}})
    assert one(plan, TOPIC, "mq-sales")["schemaSettings"]["encoding"] == "JSON"


def test_what_holds_messages_is_protected_and_one_flag_takes_that_away() -> None:
    held = broker().of_type(TOPIC, SUBSCRIPTION)
    assert len(held) == 4
    assert all(each.protect and each.inputs["deletionPolicy"] == "PREVENT" for each in held)
    assert [each.name for each in broker().resources if each.protect and each not in held] == []
    for each in broker(protect=False).of_type(TOPIC, SUBSCRIPTION):
        assert (each.protect, each.inputs["deletionPolicy"]) == (False, "DELETE")


def test_names_that_are_taken_are_given_back_first() -> None:
    for each in full().of_type(TOPIC, SUBSCRIPTION, SCHEMA):
        assert each.options["deleteBeforeReplace"] is True


def test_outputs_are_what_services_and_their_grants_need() -> None:
    found = outputs(full())
    assert (found["protocol"], found["address"], found["credentialsSecret"]) == ("pubsub", "plinth-123456", "")
    path = "projects/plinth-123456"
    assert found["topics"] == {name: f"{path}/topics/mq-{name}" for name in ("sales", "till", "news")}
    queues = ("orders", "bills", "mails")
    assert found["subscriptions"] == {name: f"{path}/subscriptions/mq-{name}" for name in queues}
    assert found["deadLetters"] == {name: f"{path}/subscriptions/mq-{name}-dead" for name in queues}


def test_a_broker_without_queues_has_none() -> None:
    found = outputs(broker(queues={}))
    assert (found["subscriptions"], found["deadLetters"]) == ({}, {})
    assert list(found["topics"]) == ["sales"]


def used(use: Callable[[PubSubBroker], pulumi.Output[Any]]) -> set[tuple[str, str]]:
    """What one waits for, by type and name, who uses something of a broker."""

    def make(opts: pulumi.ResourceOptions) -> None:
        broker = PubSubBroker("mq", PUBSUB_FULL, opts)
        random.RandomId("user", byte_length=1, keepers={"it": use(broker).apply(str)}, opts=opts)

    plan = planned(make)
    waits = plan.waits_for(named(plan, "random:index/randomId:RandomId", "user"))
    return {(plan.resource(urn).type, plan.resource(urn).name) for urn in waits}


@pytest.mark.parametrize(
    "use", [lambda broker: broker.subscriptions, lambda broker: broker.subscription_of("orders")], ids=["all", "one"]
)
def test_nobody_consumes_before_dead_letters_find_their_way(use: Callable[[PubSubBroker], Any]) -> None:
    assert {
        (SUBSCRIPTION, "mq-orders"),
        (SUBSCRIPTION, "mq-orders-dead"),
        (PUBLISHES, "mq-orders-dead"),
        (ACKNOWLEDGES, "mq-orders-dead"),
    } <= used(use)


def test_a_grant_on_one_of_them_depends_on_no_other() -> None:
    """Else replacing a subscription would take all grants away for a while."""
    consumes, publishes = (used(lambda it: it.subscription_of("orders")), used(lambda it: it.topic_of("sales")))
    assert not [name for _, name in consumes if "bills" in name or "mails" in name]
    assert SUBSCRIPTION not in {type_ for type_, _ in publishes}
    assert (TOPIC, "mq-sales") in publishes


@pytest.mark.parametrize(
    ("kind", "routing_key", "expected"),
    [
        ("topic", "#", ""),
        ("fanout", "#", ""),
        ("fanout", "anything", ""),
        ("topic", "a.b", 'attributes.routing_key = "a.b"'),
        ("direct", "result", 'attributes.routing_key = "result"'),
        ("topic", "a.b.#", '(attributes.routing_key = "a.b" OR hasPrefix(attributes.routing_key, "a.b."))'),
    ],
)
def test_routing_keys_as_filters(kind: str, routing_key: str, expected: str) -> None:
    assert filter_problem(kind, routing_key) is None
    assert filter_of(kind, routing_key) == expected


@pytest.mark.parametrize("routing_key", ["*", "order.*", "*.order", "#.order", "a.#.b", "a.*.#", "a#", "##", "#.#"])
def test_what_no_filter_can_say_is_refused(routing_key: str) -> None:
    assert "first words with `.#` at the end" in (filter_problem("topic", routing_key) or "")


@pytest.mark.parametrize("routing_key", ["#", "a.#", "a.*"])
def test_a_direct_exchange_has_no_wildcards(routing_key: str) -> None:
    assert "a direct exchange has no wildcards" in (filter_problem("direct", routing_key) or "")


@pytest.mark.parametrize("routing_key", ["", ".", "a.", ".#", 'a" OR "a', "a b", "a\\", "ä"])
def test_keys_that_are_no_words_are_refused(routing_key: str) -> None:
    for kind in ("topic", "direct"):
        assert filter_problem(kind, routing_key)


def test_a_filter_is_no_longer_than_pubsub_takes() -> None:
    longest = 256 - len(filter_of("direct", ""))
    assert filter_problem("direct", "k" * longest) is None
    assert "a filter of 257 bytes" in (filter_problem("direct", "k" * (longest + 1)) or "")


@given(st.text(alphabet='ab.#*" \\', max_size=12))
def test_a_filter_holds_one_key_and_nothing_that_ends_it(routing_key: str) -> None:
    """What passes cannot break out of the quotes, and says the same twice."""
    for kind in ("topic", "direct"):
        if filter_problem(kind, routing_key) is None and (found := filter_of(kind, routing_key)):
            assert found.count('"') in (2, 4)
            assert "\\" not in found
            assert "#" not in found


def test_bad_exchanges_are_refused() -> None:
    found = refused(exchanges={"my sales": "topic", "sales": "topics", "orders-dead": "topic"})
    assert found == {
        "exchanges.my sales": "give letters, digits and . _ ~ + % -, letter or digit first",
        "exchanges.sales": "did you mean `topic`? choose one of topic, direct, fanout",
        "exchanges.orders-dead": "the dead letters of orders have this name; give another one",
    }


def test_bad_queues_are_refused_together() -> None:
    found = refused(
        exchanges={"sales": "topic", "till": "direct"},
        queues={
            "my orders": {"exchange": "sales"},
            "orders": {"exchange": "sale", "deliveries": 4, "keep_days": 32, "ack_seconds": 9},
            "orders-dead": {"exchange": "sales"},
            "bills": {"exchange": "till"},
            "mails": {"exchange": "sales", "routing_key": "mail.*"},
            "q" * 248: {"exchange": "sales"},
        },
    )
    assert found.pop("queues." + "q" * 248).endswith("has 256 characters; use 255 or fewer")
    assert "first words with `.#` at the end" in found.pop("queues.mails.routing_key")
    assert found == {
        "queues.my orders": "give letters, digits and . _ ~ + % -, letter or digit first",
        "queues.orders.exchange": "did you mean `sales`? choose one of sales, till",
        "queues.orders.deliveries": "give 5 to 100 deliveries",
        "queues.orders.keep_days": "give 1 to 31 days",
        "queues.orders.ack_seconds": "give 10 to 600 seconds",
        "queues.orders-dead": "the dead letters of orders have this name; give another one",
        "queues.bills.routing_key": "a direct exchange has no wildcards; name the key of the messages",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("deliveries", 5), ("deliveries", 100), ("keep_days", 1), ("keep_days", 31), ("ack_seconds", 10)],
)
def test_what_pubsub_takes_passes(field: str, value: int) -> None:
    assert one(queue(**{field: value}), SUBSCRIPTION, "mq-orders")


def test_bad_schemas_are_refused() -> None:
    found = refused(
        exchanges={"sales": "topic", "news": "fanout"},
        schemas={
            "sale": {"type": "AVRO", "definition": "{}"},
            "sales": {"type": "AVRO", "definition": "record Order", "encoding": "XML"},
            "news": {"type": "JSON", "definition": "{}"},
        },
    )
    assert found == {
        "schemas.sale": "did you mean `sales`? choose one of sales, news",
        "schemas.sales.definition": "a schema of Avro is JSON; give it as text",
        "schemas.sales.encoding": "choose one of JSON, BINARY",
        "schemas.news.type": "choose one of AVRO, PROTOCOL_BUFFER",
    }


def test_bad_args_are_refused() -> None:
    assert refused(replay_days=32) == {"replay_days": "give 1 to 31 days, or 0 for none"}
    assert refused(replay_days=-1) == {"replay_days": "give 1 to 31 days, or 0 for none"}
    assert refused(regions=[]) == {"regions": "give one region or more"}
    assert refused(regions=["europe-west3", "eu"]) == {"regions": "give regions like europe-west3, which eu is not"}
    assert "in quotes" in refused(scope={**PUBSUB["scope"], "number": "x"})["scope"]
    for name in ("goog-mq", "1mq", "my mq"):
        assert "a letter first and not `goog`" in refused(name=name)["name"]
    assert "use 200 or fewer" in refused(name="m" * 201)["name"]
