"""Brokers on Pub/Sub: in the sound stack, and the ways to break them."""

from typing import Any

from preview.plan import UNKNOWN

from ...breaking import Break, changed, without
from ...sketch import GOOGLE, Sketch

TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIPTION_MEMBER = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
SERVICE = "serviceAccount:web@plinth-123456.iam.gserviceaccount.com"
DEAD_LETTERS = {"deadLetterTopic": UNKNOWN, "maxDeliveryAttempts": 5}
PATIENT = {
    "expirationPolicy": {"ttl": ""},
    "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
}


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    durable = sketch.tier != "dev"
    for topic in ("pubsub-topic", "pubsub-dead-topic"):
        inputs = {"kmsKeyName": "key", "messageStoragePolicy": {"allowedPersistenceRegions": [GOOGLE]}}
        sketch.add(TOPIC, topic, inputs, protect=durable, provider=GOOGLE)
    _subscription(sketch, "pubsub-dead", {"messageRetentionDuration": "2678400s"}, {"topic": "pubsub-dead-topic"})
    _subscription(
        sketch,
        "pubsub-queue",
        {"deadLetterPolicy": DEAD_LETTERS},
        {"topic": "pubsub-topic", "deadLetterPolicy": "pubsub-dead-topic pubsub-dead"},
    )
    _grant(sketch, "pubsub-publishes", AGENT, "publisher", {"topic": "pubsub-dead-topic"})
    _grant(sketch, "pubsub-acknowledges", AGENT, "subscriber", {"subscription": "pubsub-queue"})
    _grant(sketch, "pubsub-produces", SERVICE, "publisher", {"topic": "pubsub-topic"})
    _grant(sketch, "pubsub-consumes", SERVICE, "subscriber", {"subscription": "pubsub-queue"})


def _subscription(sketch: Sketch, name: str, inputs: dict[str, Any], to: dict[str, str]) -> None:
    sketch.add(SUBSCRIPTION, name, {**PATIENT, **inputs}, to, protect=sketch.tier != "dev", provider=GOOGLE)


def _grant(sketch: Sketch, name: str, member: str, role: str, to: dict[str, str]) -> None:
    type_ = TOPIC_MEMBER if "topic" in to else SUBSCRIPTION_MEMBER
    sketch.add(type_, name, {"member": member, "role": f"roles/pubsub.{role}"}, to, provider=GOOGLE)


BREAKS: dict[str, list[Break]] = {
    "pubsub-encrypted": [changed("pubsub-topic", kmsKeyName=None), changed("pubsub-dead-topic", kmsKeyName="")],
    "pubsub-stays-in-region": [
        changed("pubsub-topic", messageStoragePolicy=None),
        changed("pubsub-topic", messageStoragePolicy={"allowedPersistenceRegions": []}),
        changed("pubsub-dead-topic", messageStoragePolicy={"allowedPersistenceRegions": [GOOGLE, "us-central1"]}),
    ],
    "pubsub-dead-letters": [
        changed("pubsub-queue", deadLetterPolicy=None),
        changed("pubsub-queue", deadLetterPolicy=DEAD_LETTERS),
        changed("pubsub-queue", deadLetterPolicy={"deadLetterTopic": UNKNOWN}),
        without("pubsub-dead-topic"),
        without("pubsub-dead"),
        changed("pubsub-dead", topic="elsewhere"),
    ],
    "pubsub-dead-letter-grants": [
        without("pubsub-publishes"),
        without("pubsub-acknowledges"),
        changed("pubsub-publishes", role="roles/pubsub.viewer"),
        changed("pubsub-acknowledges", role="roles/pubsub.viewer"),
        changed("pubsub-publishes", member=SERVICE),
        changed("pubsub-acknowledges", member=SERVICE),
    ],
    "pubsub-dead-letters-kept": [
        changed("pubsub-dead", messageRetentionDuration=None),
        changed("pubsub-dead", messageRetentionDuration="86400s"),
    ],
    "pubsub-never-expires": [
        changed("pubsub-queue", expirationPolicy=None),
        changed("pubsub-queue", expirationPolicy={}),
        changed("pubsub-dead", expirationPolicy={"ttl": "2678400s"}),
    ],
    "pubsub-retry": [
        changed("pubsub-queue", retryPolicy=None),
        changed("pubsub-queue", retryPolicy={"minimumBackoff": "10s"}),
        changed("pubsub-queue", retryPolicy={"maximumBackoff": "600s"}),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
