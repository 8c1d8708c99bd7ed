"""Broker on Google Cloud."""

from components.broker.pubsub import PubSubBroker, PubSubBrokerArgs

from .shared import GOOGLE, GOOGLE_KEY, Examples

PUBSUB: PubSubBrokerArgs = {
    "scope": GOOGLE,
    "key_name": GOOGLE_KEY,
    "exchanges": {"sales": "topic"},
    "queues": {"orders": {"exchange": "sales"}},
}
ORDER = '{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}'
PUBSUB_FULL: PubSubBrokerArgs = {
    **PUBSUB,
    "exchanges": {"sales": "topic", "till": "direct", "news": "fanout"},
    "queues": {
        "orders": {
            "exchange": "sales",
            "routing_key": "order.#",
            "deliveries": 7,
            "keep_days": 3,
            "ordered": True,
            "exactly_once": True,
            "ack_seconds": 120,
        },
        "bills": {"exchange": "till", "routing_key": "bill"},
        "mails": {"exchange": "news"},
    },
    "schemas": {"sales": {"type": "AVRO", "definition": ORDER, "encoding": "BINARY"}},
    "replay_days": 0,
    "regions": ["europe-west3", "europe-west4"],
    "protect": False,
}

EXAMPLES: Examples = {
    PubSubBroker: [
        lambda name, opts: PubSubBroker(name, PUBSUB, opts),
        lambda name, opts: PubSubBroker(name, PUBSUB_FULL, opts),
    ],
}
