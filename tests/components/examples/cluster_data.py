"""Databases, caches, brokers and secrets in a Kubernetes cluster."""

from components.broker.kubernetes import KubernetesRabbitMq, KubernetesRabbitMqArgs
from components.cache.kubernetes import KubernetesValkey, KubernetesValkeyArgs
from components.database.kubernetes import KubernetesPostgres, KubernetesPostgresArgs
from components.platform.server import ServerClient
from components.secrets.kubernetes import KubernetesGeneratedSecret, KubernetesGeneratedSecretArgs

from .shared import Examples, in_cluster

API: ServerClient = {"pods": {"app.kubernetes.io/name": "api"}}
JOBS: ServerClient = {"pods": {"app.kubernetes.io/name": "jobs"}, "namespace": "jobs"}

POSTGRES: KubernetesPostgresArgs = {"namespace": "shop", "system": "shop", "database": "shop", "clients": {"api": API}}
POSTGRES_FULL: KubernetesPostgresArgs = {
    **POSTGRES,
    "clients": {"api": API, "role": JOBS},
    "version": "18",
    "storage_gb": 20,
    "storage_class": "fast",
    "resources": {"cpu": "500m", "memory": "2Gi"},
    "max_connections": 50,
    "settings": {"work_mem": "8MB", "log_statement": "all"},
    "password_version": 2,
    "issuer": "own-ca",
    "image": "registry.example/library/postgres:18.6-trixie",
    "protect": False,
    "keep": False,
}
VALKEY: KubernetesValkeyArgs = {"namespace": "shop", "system": "shop", "clients": {"api": API}}
VALKEY_FULL: KubernetesValkeyArgs = {
    **VALKEY,
    "storage_gb": 8,
    "storage_class": "fast",
    "resources": {"cpu": "100m", "memory": "1Gi", "memory_limit": "2Gi"},
    "eviction": "noeviction",
    "access": "~shop:* -@all +@read",
    "password_version": 2,
    "issuer": "own-ca",
    "image": "registry.example/valkey/valkey:8.1.8",
    "protect": False,
    "keep": False,
}
RABBITMQ: KubernetesRabbitMqArgs = {
    "namespace": "shop",
    "system": "shop",
    "clients": {"api": API},
    "administrators": {"topology": JOBS},
}
RABBITMQ_FULL: KubernetesRabbitMqArgs = {
    **RABBITMQ,
    "storage_gb": 20,
    "storage_class": "fast",
    "resources": {"cpu": "500m", "memory": "2Gi"},
    "virtual_host": "shop",
    "username": "seller",
    "password_version": 2,
    "settings": {"max_message_size": "1048576"},
    "issuer": "own-ca",
    "image": "registry.example/library/rabbitmq:4.2.9-management",
    "protect": False,
    "keep": False,
}
SECRET: KubernetesGeneratedSecretArgs = {"namespace": "shop", "system": "shop"}
SECRET_FULL: KubernetesGeneratedSecretArgs = {**SECRET, "length": 32, "version": 2}

EXAMPLES: Examples = {
    KubernetesPostgres: [
        lambda name, opts: KubernetesPostgres(name, POSTGRES, in_cluster(opts)),
        lambda name, opts: KubernetesPostgres(name, POSTGRES_FULL, in_cluster(opts)),
    ],
    KubernetesValkey: [
        lambda name, opts: KubernetesValkey(name, VALKEY, in_cluster(opts)),
        lambda name, opts: KubernetesValkey(name, VALKEY_FULL, in_cluster(opts)),
    ],
    KubernetesRabbitMq: [
        lambda name, opts: KubernetesRabbitMq(name, RABBITMQ, in_cluster(opts)),
        lambda name, opts: KubernetesRabbitMq(name, RABBITMQ_FULL, in_cluster(opts)),
    ],
    KubernetesGeneratedSecret: [
        lambda name, opts: KubernetesGeneratedSecret(name, SECRET, in_cluster(opts)),
        lambda name, opts: KubernetesGeneratedSecret(name, SECRET_FULL, in_cluster(opts)),
    ],
}
