"""Exchanges and queues on Google Cloud Pub/Sub."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name, known_after
from ..problems import InputError, Problem, one_of
from ..security.google import REGION, GcpScope, scope_problem, service_agent

ATTRIBUTE = "routing_key"
"""The attribute of a message by which queues choose. Who publishes sets it."""
KINDS = ("topic", "direct", "fanout")
ENCODINGS = ("JSON", "BINARY")
SCHEMA_TYPES = ("AVRO", "PROTOCOL_BUFFER")
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.~+%-]*"
_NAME_REMEDY = "give letters, digits and . _ ~ + % -, letter or digit first"
_LONGEST_NAME = 255
_LONGEST_FILTER = 256
_DAY = 24 * 60 * 60
_KEPT_DEAD_DAYS = 31  # the most that Pub/Sub keeps a message
_WORDS = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
_LIMITS = {
    "deliveries": (5, 100, "deliveries"),
    "keep_days": (1, 31, "days"),
    "ack_seconds": (10, 600, "seconds"),
}


class PubSubQueue(TypedDict):
    """A queue and what comes into it."""

    exchange: str
    """Name of the exchange that fills it."""
    routing_key: NotRequired[str]
    """The messages of the exchange that it takes: those of this key, or, at a topic exchange, with `a.b.#` those whose
    key begins with these words. Another one replaces the subscription and loses what waits in it. Default: `#`, which
    is all of them; a direct exchange needs a key, and a fanout one heeds none."""
    deliveries: NotRequired[int]
    """Deliveries of a message before it is a dead letter, 5 to 100, as Pub/Sub counts them. Default: 5."""
    keep_days: NotRequired[int]
    """Days that a message may wait, 1 to 31. One that nobody took by then is gone: Pub/Sub makes no dead letter of it.
    Default: 7."""
    ordered: NotRequired[bool]
    """Whether messages of one ordering key are delivered in their order. Another choice replaces the subscription and
    loses what waits in it. Default: no."""
    exactly_once: NotRequired[bool]
    """Whether Pub/Sub never delivers again what was acknowledged, which costs speed. Default: no."""
    ack_seconds: NotRequired[int]
    """Seconds that a consumer has before a message is delivered again, 10 to 600; clients prolong it. Default: 60."""


class PubSubSchema(TypedDict):
    """What the messages of an exchange look like. Others are refused when they are published."""

    type: str
    """AVRO or PROTOCOL_BUFFER."""
    definition: str
    """The schema in its own language. Another one becomes a new revision, and messages of earlier ones stay valid."""
    encoding: NotRequired[str]
    """How messages are written, JSON or BINARY. Default: JSON."""


class PubSubBrokerArgs(TypedDict):
    """What a broker holds, and where its messages are."""

    scope: GcpScope
    """Project and region of the broker."""
    key_name: pulumi.Input[str]
    """Id of the KMS key for messages (CKV_GCP_83). Pub/Sub's own account must be allowed to use it before it is
    known."""
    exchanges: dict[str, str]
    """Kinds of its exchanges, `topic`, `direct` or `fanout`, by name."""
    queues: dict[str, PubSubQueue]
    """Its queues, by name."""
    schemas: NotRequired[dict[str, PubSubSchema]]
    """Schemas of messages, by the name of their exchange. Default: none."""
    replay_days: NotRequired[int]
    """Days during which a queue can be set back to an earlier time, 1 to 31, or 0 for none. Default: 7."""
    regions: NotRequired[list[str]]
    """Regions in which messages may be kept. Default: the scope's."""
    protect: NotRequired[bool]
    """Whether Pulumi and the provider refuse to delete topics and subscriptions, also where another routing key would
    replace one. Default: yes."""


def _regions_problem(regions: list[str]) -> str | None:
    if not regions:
        return "give one region or more"
    wrong = [region for region in regions if not re.fullmatch(REGION, region)]
    return f"give regions like europe-west3, which {wrong[0]} is not" if wrong else None


_RULES = {
    "scope": scope_problem,
    "replay_days": lambda days: None if days == 0 or 1 <= days <= 31 else "give 1 to 31 days, or 0 for none",
    "regions": _regions_problem,
}


class PubSubBroker(Component):
    """Exchanges and queues on Pub/Sub, encrypted with the given key (CKV_GCP_83), whose messages stay in the given
    regions.

    An exchange is a topic, `<name>-<exchange>`. A queue is a subscription of its topic, `<name>-<queue>`, which never
    expires and waits longer after each failure. It takes the messages whose attribute `routing_key` fits its filter;
    Pub/Sub cannot change a filter, so another one replaces the subscription, the old one first since the name is taken.
    What could not be handled goes to the topic `<name>-<queue>-dead`, whose subscription of the same name keeps it for
    31 days. Pub/Sub's own account is allowed to move it there, which is what makes dead letters work at all.

    Services sign in as what they are, so there is no secret: `TopicIAMMember` on a `topic_of` lets them publish,
    `SubscriptionIAMMember` on a `subscription_of` consume. What a message has as `routing_key` is for them to set.

    Raises `InputError` for bad args, routing keys that no filter can express, names that Pub/Sub does not take or that
    dead letters have, and unknown exchanges.
    """

    protocol: pulumi.Output[str]
    """`pubsub`."""
    address: pulumi.Output[str]
    """The project."""
    credentials_secret: pulumi.Output[str]
    """Empty: the identity of a service is enough."""
    topics: pulumi.Output[dict[str, str]]
    """Ids of the topics, `projects/<project>/topics/<topic>`, by exchange."""
    subscriptions: pulumi.Output[dict[str, str]]
    """Ids of the subscriptions, `projects/<project>/subscriptions/<subscription>`, by queue. Known once their dead
    letters are kept."""
    dead_letters: pulumi.Output[dict[str, str]]
    """Ids of the subscriptions that hold the dead letters, by queue."""

    def __init__(self, name: str, args: PubSubBrokerArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"PubSubBroker {name}"
        args = checked(PubSubBrokerArgs, args, subject, _RULES)
        remedy = "Pub/Sub takes letters, digits and . _ ~ + % -, a letter first and not `goog`"
        checked_name(name, subject, 200, r"(?!goog)[A-Za-z][A-Za-z0-9_.~+%-]*", remedy)
        if problems := list(_problems(name, args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._agent = f"serviceAccount:{service_agent(args['scope'], 'gcp-sa-pubsub')}"

        self._topics = {exchange: self._exchange(exchange).id for exchange in sorted(args["exchanges"])}
        self._queues: dict[str, pulumi.Output[str]] = {}
        dead_letters: dict[str, pulumi.Output[str]] = {}
        for queue, declared in sorted(args["queues"].items()):
            dead_topic, dead_letters[queue] = self._dead(queue)
            self._queues[queue] = self._queue(queue, declared, dead_topic, dead_letters[queue])

        self.protocol = pulumi.Output.from_input("pubsub")
        self.address = pulumi.Output.from_input(args["scope"]["project"])
        self.credentials_secret = pulumi.Output.from_input("")
        self.topics = _known(self._topics)
        self.subscriptions = _known(self._queues)
        self.dead_letters = _known(dead_letters)
        self._register()

    def topic_of(self, exchange: str) -> pulumi.Output[str]:
        """The id of one topic. For grants: of `topics` each value depends on all, so that replacing one topic would
        take every grant away for a while."""
        return self._topics[exchange]

    def subscription_of(self, queue: str) -> pulumi.Output[str]:
        """The id of one subscription, known once its dead letters are kept. For grants, as `topic_of` is."""
        return self._queues[queue]

    def _exchange(self, exchange: str) -> gcp.pubsub.Topic:
        replay = self._args.get("replay_days", 7)
        return self._topic(
            f"{self._prefix}-{exchange}",
            f"{replay * _DAY}s" if replay else None,
            self._schema(exchange),
        )

    def _schema(self, exchange: str) -> gcp.pubsub.TopicSchemaSettingsArgsDict | None:
        schema = self._args.get("schemas", {}).get(exchange)
        if not schema:
            return None
        made = gcp.pubsub.Schema(
            f"{self._prefix}-{exchange}",
            name=f"{self._prefix}-{exchange}",
            project=self._args["scope"]["project"],
            type=schema["type"],
            definition=schema["definition"],
            opts=self._child(delete_before_replace=True),  # its name is taken while it exists
        )
        return {"schema": made.id, "encoding": schema.get("encoding", "JSON")}

    def _topic(
        self,
        name: str,
        retention: str | None = None,
        schema: gcp.pubsub.TopicSchemaSettingsArgsDict | None = None,
    ) -> gcp.pubsub.Topic:
        scope = self._args["scope"]
        return gcp.pubsub.Topic(
            name,
            name=name,  # services name it
            project=scope["project"],
            kms_key_name=self._args["key_name"],
            message_retention_duration=retention,
            message_storage_policy={"allowed_persistence_regions": self._args.get("regions", [scope["region"]])},
            schema_settings=schema,
            deletion_policy=self._deletion(),
            opts=self._stateful(),
        )

    def _dead(self, queue: str) -> tuple[gcp.pubsub.Topic, pulumi.Output[str]]:
        """The topic of a queue's dead letters, and the subscription that holds them: without it they would be lost."""
        name = _dead_name(f"{self._prefix}-{queue}")
        topic = self._topic(name)
        held = gcp.pubsub.Subscription(
            name,
            name=name,
            project=self._args["scope"]["project"],
            topic=topic.id,
            message_retention_duration=f"{_KEPT_DEAD_DAYS * _DAY}s",
            expiration_policy={"ttl": ""},  # never, though nobody looks at it for long
            retry_policy={"minimum_backoff": "10s", "maximum_backoff": "600s"},
            deletion_policy=self._deletion(),
            opts=self._stateful(),
        )
        return topic, held.id

    def _queue(
        self, queue: str, declared: PubSubQueue, dead: gcp.pubsub.Topic, dead_letters: pulumi.Output[str]
    ) -> pulumi.Output[str]:
        """The id of a queue's subscription, known once its dead letters find their way."""
        name, project = f"{self._prefix}-{queue}", self._args["scope"]["project"]
        kind = self._args["exchanges"][declared["exchange"]]
        subscription = gcp.pubsub.Subscription(
            name,
            name=name,  # services name it
            project=project,
            topic=self._topics[declared["exchange"]],
            filter=filter_of(kind, declared.get("routing_key", "#")) or None,
            ack_deadline_seconds=declared.get("ack_seconds", 60),
            message_retention_duration=f"{declared.get('keep_days', 7) * _DAY}s",
            enable_message_ordering=declared.get("ordered", False),
            enable_exactly_once_delivery=declared.get("exactly_once", False),
            expiration_policy={"ttl": ""},  # Pub/Sub would delete it after 31 days without a consumer
            retry_policy={"minimum_backoff": "10s", "maximum_backoff": "600s"},
            dead_letter_policy={
                # Once somebody keeps them: the topic alone loses what comes to it.
                "dead_letter_topic": known_after(dead.id, dead_letters),
                "max_delivery_attempts": declared.get("deliveries", 5),
            },
            deletion_policy=self._deletion(),
            opts=self._stateful(),
        )
        publishes = gcp.pubsub.TopicIAMMember(
            _dead_name(name),
            project=project,
            topic=dead.name,
            role="roles/pubsub.publisher",
            member=self._agent,
            opts=self._child(),
        )
        acknowledges = gcp.pubsub.SubscriptionIAMMember(
            _dead_name(name),
            project=project,
            subscription=subscription.name,
            role="roles/pubsub.subscriber",
            member=self._agent,
            opts=self._child(),
        )
        return known_after(subscription.id, publishes.id, acknowledges.id)

    def _deletion(self) -> str:
        return "PREVENT" if self._args.get("protect", True) else "DELETE"

    def _stateful(self) -> pulumi.ResourceOptions:
        """Options of what holds messages."""
        return self._child(
            protect=self._args.get("protect", True),
            delete_before_replace=True,  # its name is taken while it exists
        )


def filter_of(kind: str, routing_key: str) -> str:
    """The filter of a subscription that takes the messages of a routing key at an exchange of a kind; empty where it
    takes all. Of a key that `filter_problem` refuses it says nothing right."""
    if kind == "fanout" or (kind == "topic" and routing_key == "#"):
        return ""
    if kind == "topic" and routing_key.endswith(".#"):
        first = routing_key.removesuffix(".#")
        return f'(attributes.{ATTRIBUTE} = "{first}" OR hasPrefix(attributes.{ATTRIBUTE}, "{first}."))'
    return f'attributes.{ATTRIBUTE} = "{routing_key}"'


def filter_problem(kind: str, routing_key: str) -> str | None:
    """Why no filter of Pub/Sub takes the messages of a routing key at an exchange of a kind, with what to write
    instead; None where one does."""
    if kind == "fanout":
        return None
    if kind == "direct" and set("#*") & set(routing_key):
        return "a direct exchange has no wildcards; name the key of the messages"
    if kind == "topic" and routing_key == "#":
        return None
    words = routing_key.removesuffix(".#") if kind == "topic" else routing_key
    if set("#*") & set(words):
        return (
            "Pub/Sub compares a whole key or how it begins; write `#`, a key, or its first words with `.#` at the end, "
            "and let the consumer pass over what it does not want"
        )
    if not re.fullmatch(_WORDS, words):
        return "give words of letters, digits, _ and -, with a dot between each two"
    length = len(filter_of(kind, routing_key).encode())
    if length > _LONGEST_FILTER:
        return f"a filter of {length} bytes, and Pub/Sub takes {_LONGEST_FILTER}; write a shorter key"
    return None


def _known(values: Mapping[str, pulumi.Output[str]]) -> pulumi.Output[dict[str, str]]:
    """The values by their keys, known once all are."""
    return pulumi.Output.all(*values.values()).apply(lambda known: dict(zip(values, known, strict=True)))


def _dead_name(queue: str) -> str:
    return f"{queue}-dead"


def _problems(name: str, args: PubSubBrokerArgs) -> Iterator[Problem]:
    exchanges, queues = args["exchanges"], args["queues"]
    dead = {_dead_name(queue): queue for queue in queues}
    for exchange, kind in exchanges.items():
        path = f"exchanges.{exchange}"
        yield from _name_problems(path, exchange, f"{name}-{exchange}", dead)
        if kind not in KINDS:
            yield Problem(path, kind, one_of(KINDS, kind))
    for queue, declared in queues.items():
        path = f"queues.{queue}"
        yield from _name_problems(path, queue, _dead_name(f"{name}-{queue}"), dead)
        yield from _queue_problems(path, declared, exchanges)
    for exchange, schema in args.get("schemas", {}).items():
        yield from _schema_problems(f"schemas.{exchange}", exchange, schema, exchanges)


def _name_problems(path: str, given: str, longest: str, dead: Mapping[str, str]) -> Iterator[Problem]:
    if not re.fullmatch(_NAME, given):
        yield Problem(path, given, _NAME_REMEDY)
    elif len(longest) > _LONGEST_NAME:
        yield Problem(path, given, f"{longest} has {len(longest)} characters; use {_LONGEST_NAME} or fewer")
    elif given in dead:
        yield Problem(path, given, f"the dead letters of {dead[given]} have this name; give another one")


def _queue_problems(path: str, declared: PubSubQueue, exchanges: Mapping[str, str]) -> Iterator[Problem]:
    exchange, routing_key = declared["exchange"], declared.get("routing_key", "#")
    if exchange not in exchanges:
        yield Problem(f"{path}.exchange", exchange, one_of(exchanges, exchange))
    elif exchanges[exchange] in KINDS and (remedy := filter_problem(exchanges[exchange], routing_key)):
        yield Problem(f"{path}.routing_key", routing_key, remedy)
    for field, (least, most, unit) in _LIMITS.items():
        if not least <= declared.get(field, least) <= most:
            yield Problem(f"{path}.{field}", declared.get(field), f"give {least} to {most} {unit}")


def _schema_problems(path: str, exchange: str, schema: PubSubSchema, exchanges: Mapping[str, str]) -> Iterator[Problem]:
    if exchange not in exchanges:
        yield Problem(path, exchange, one_of(exchanges, exchange))
    if schema["type"] not in SCHEMA_TYPES:
        yield Problem(f"{path}.type", schema["type"], one_of(SCHEMA_TYPES, schema["type"]))
    elif schema["type"] == "AVRO" and not _is_json(schema["definition"]):
        yield Problem(f"{path}.definition", schema["definition"], "a schema of Avro is JSON; give it as text")
    encoding = schema.get("encoding", "JSON")
    if encoding not in ENCODINGS:
        yield Problem(f"{path}.encoding", encoding, one_of(ENCODINGS, encoding))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
