"""Brokers."""

from components.broker.amazonmq import AmazonMqBroker, AmazonMqBrokerArgs

from .shared import AWAY_KEY, HOME, KEY, Examples

BROKER: AmazonMqBrokerArgs = {
    "scope": HOME,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "key_arn": KEY,
    "instance_type": "mq.m7g.large",
    "clients": {"web": "sg-web"},
    "administrators": {"jobs": "sg-jobs"},
}
BROKER_FULL: AmazonMqBrokerArgs = {
    **BROKER,
    "version": "3.13",
    "clustered": False,
    "virtual_host": "shop",
    "username": "shop",
    "password_version": 2,
    "settings": {"heartbeat": "60"},
    "maintenance": "wed:22:15",
    "log_days": 30,
    "recovery_days": 7,
    "secret_replicas": [{"region": "eu-west-1", "key_arn": AWAY_KEY}],
    "protect": False,
}

EXAMPLES: Examples = {
    AmazonMqBroker: [
        lambda name, opts: AmazonMqBroker(name, BROKER, opts),
        lambda name, opts: AmazonMqBroker(name, BROKER_FULL, opts),
    ],
}
