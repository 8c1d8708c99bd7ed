"""Jobs in a Kubernetes cluster, around services."""

from components.broker.topology import definitions
from components.service.broker_topology import BrokerTopology, BrokerTopologyArgs
from components.service.database_role import DatabaseRole, DatabaseRoleArgs
from components.service.database_upkeep import DatabaseUpkeep, DatabaseUpkeepArgs
from components.service.jobs import KubernetesJob, KubernetesJobArgs
from components.service.migrations import Migrations, MigrationsArgs
from components.service.postgres import PostgresDatabase, SslMode
from components.service.secrets import ServiceSecret

from .shared import Examples, in_cluster

JOB: KubernetesJobArgs = {
    "job": "import",
    "system": "shop",
    "namespace": "shop",
    "image": "registry.example/shop/import:1.2.3",
    "command": ["/import", "all"],
}

JOB_FULL: KubernetesJobArgs = {
    **JOB,
    "environment": {"LOG_LEVEL": "info", "APP_ENV": "prod"},
    "secrets": {
        "database": {
            "variables": {"DB_PASSWORD": "password", "DB_USER": "username"},
            "external": {"store": "cloud", "key": "db-credentials"},
        },
        "signing": {"variables": {"JWT_SECRET": "value"}, "sealed": {"value": "AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq"}},
        "queue": {"variables": {"BROKER_URL": "url"}, "existing": "broker"},
    },
    "scripts": {"import.sh": "echo importing\n"},
    "resources": {"cpu": "200m", "memory": "256Mi"},
    "reaches": {"database": {"ports": [5432], "cidrs": ["10.0.48.0/20"]}},
    "service_account_annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/import"},
    "pull_secret": "registry",
    "priority_class": "batch",
    "deadline_seconds": 900,
    "retries": 1,
    "revision": "3",
    "user": 1000,
    "tmp_size": "1Gi",
}

SCHEDULED: KubernetesJobArgs = {
    **JOB,
    "schedule": "30 2 * * 1-5",
    "time_zone": "Europe/Berlin",
    "suspended": True,
    "scripts": {"import.sh": "echo importing\n"},
}

DATABASE: PostgresDatabase = {"host": "db.example", "database": "shop"}
ADMINISTRATOR: ServiceSecret = {
    "variables": {"PGUSER": "username", "PGPASSWORD": "password"},
    "external": {"store": "cloud", "key": "db-administrator"},
}
CREDENTIALS: ServiceSecret = {
    "variables": {"PGUSER": "username", "PGPASSWORD": "password"},
    "external": {"store": "cloud", "key": "db-credentials"},
}

ROLE: DatabaseRoleArgs = {
    "job": "database-role",
    "system": "shop",
    "namespace": "shop",
    "database": DATABASE,
    "administrator": ADMINISTRATOR,
    "role": "shop_app",
    "reaches": {"database": {"ports": [5432], "cidrs": ["10.0.48.0/20"]}},
}

ROLE_FULL: DatabaseRoleArgs = {
    **ROLE,
    "database": {
        "host": "db.example",
        "port": 5433,
        "database": "shop",
        "ssl_mode": SslMode.VERIFY_FULL,
        "root_certificate": "-----BEGIN CERTIFICATE-----",
    },
    "administrator": {"variables": {"PGPASSWORD": "password"}, "existing": "administrator"},
    "administrator_name": "administrator",
    "password": {
        "variables": {"ROLE_PASSWORD": "password"},
        "external": {"store": "cloud", "key": "db-credentials"},
    },
    "schema": "shop",
    "members": ["reports@plinth-123456.iam", "support@plinth-123456.iam"],
    "visitors": ["exporter"],
    "extensions": ["pgaudit"],
    "statement_seconds": 30,
    "idle_seconds": 10,
    "revision": "2",
    "image": "mirror.example/postgres:18.3-alpine3.23",
    "pull_secret": "registry",
    "priority_class": "batch",
    "resources": {"cpu": "100m", "memory": "64Mi"},
    "deadline_seconds": 300,
}

UPKEEP: DatabaseUpkeepArgs = {
    "job": "database-upkeep",
    "system": "shop",
    "namespace": "shop",
    "database": DATABASE,
    "credentials": CREDENTIALS,
    "reaches": {"database": {"ports": [5432], "cidrs": ["10.0.48.0/20"]}},
}

UPKEEP_FULL: DatabaseUpkeepArgs = {
    **UPKEEP,
    "credentials": {"variables": {"PGPASSWORD": "password", "ROOT_CERTIFICATE": "ca"}, "existing": "database"},
    "role": "shop_app",
    "reindex": False,
    "lock_seconds": 5,
    "schedule": "0 4 1 * *",
    "time_zone": "Europe/Berlin",
    "suspended": True,
    "deadline_seconds": 3600,
}

MIGRATIONS: MigrationsArgs = {
    "service": "api",
    "system": "shop",
    "namespace": "shop",
    "image": "registry.example/shop/api:1.2.3",
    "up": ["/api", "migrate", "up"],
}

MIGRATIONS_FULL: MigrationsArgs = {
    **MIGRATIONS,
    "down": ["/api", "migrate", "down", "1"],
    "environment": {"DB_HOST": "db.example", "DB_SSL_MODE": "require"},
    "secrets": {
        "database": {
            "variables": {"DB_PASSWORD": "password", "DB_USER": "username"},
            "external": {"store": "cloud", "key": "db-credentials"},
        },
        "licence": {"variables": {"LICENCE": "value"}, "sealed": {"value": "AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq"}},
    },
    "reaches": {"database": {"ports": [5432], "cidrs": ["10.0.48.0/20"]}},
    "service_account_annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/migrate"},
    "deadline_seconds": 600,
}

TOPOLOGY: BrokerTopologyArgs = {
    "job": "topology",
    "system": "shop",
    "namespace": "shop",
    "definitions": definitions("/shop", {"tasks": "topic"}, {"orders": {"exchange": "tasks", "keep_days": 2}}),
    "administrator": {
        "variables": {
            "RABBITMQ_USERNAME": "username",
            "RABBITMQ_PASSWORD": "password",
            "RABBITMQ_CONSOLE": "console",
        },
        "external": {"store": "cloud", "key": "broker-administrator"},
    },
    "reaches": {"console": {"ports": [443], "cidrs": ["10.0.48.0/20"]}},
}

TOPOLOGY_FULL: BrokerTopologyArgs = {
    **TOPOLOGY,
    "administrator": {
        "variables": {"RABBITMQ_USERNAME": "username", "RABBITMQ_PASSWORD": "password"},
        "existing": "broker-default-user",
    },
    "console": "https://broker.shop.svc:15671",
    "root_certificate": "-----BEGIN CERTIFICATE-----",
    "application": {
        "variables": {"APPLICATION_USERNAME": "username", "APPLICATION_PASSWORD": "password"},
        "external": {"store": "cloud", "key": "broker-application"},
    },
    "application_configures": "reply[.].*",
    "revision": "2",
}

EXAMPLES: Examples = {
    KubernetesJob: [
        lambda name, opts: KubernetesJob(name, JOB, in_cluster(opts)),
        lambda name, opts: KubernetesJob(name, JOB_FULL, in_cluster(opts)),
        lambda name, opts: KubernetesJob(name, SCHEDULED, in_cluster(opts)),
    ],
    DatabaseRole: [
        lambda name, opts: DatabaseRole(name, ROLE, in_cluster(opts)),
        lambda name, opts: DatabaseRole(name, ROLE_FULL, in_cluster(opts)),
    ],
    DatabaseUpkeep: [
        lambda name, opts: DatabaseUpkeep(name, UPKEEP, in_cluster(opts)),
        lambda name, opts: DatabaseUpkeep(name, UPKEEP_FULL, in_cluster(opts)),
    ],
    Migrations: [
        lambda name, opts: Migrations(name, MIGRATIONS, in_cluster(opts)),
        lambda name, opts: Migrations(name, MIGRATIONS_FULL, in_cluster(opts)),
    ],
    BrokerTopology: [
        lambda name, opts: BrokerTopology(name, TOPOLOGY, in_cluster(opts)),
        lambda name, opts: BrokerTopology(name, TOPOLOGY_FULL, in_cluster(opts)),
    ],
}
