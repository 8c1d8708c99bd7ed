"""Security on Google Cloud."""

from components.security.gcp_identity import (
    GcpNodeAccount,
    GcpNodeAccountArgs,
    GcpServiceAccount,
    GcpServiceAccountArgs,
)
from components.security.gcp_keys import GcpEncryptionKey, GcpEncryptionKeyArgs, KeyProtection
from components.security.project import GcpServices, GcpServicesArgs

from .shared import GOOGLE, Examples

KEY: GcpEncryptionKeyArgs = {"scope": GOOGLE, "purpose": "Data of the shop"}
KEY_FULL: GcpEncryptionKeyArgs = {
    **KEY,
    "location": "europe",
    "users": {
        "secrets": "service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com",
        "stores": "service-123456789012@gs-project-accounts.iam.gserviceaccount.com",
    },
    "rotation_days": 30,
    "destroy_days": 60,
    "protection": KeyProtection.HSM,
    "protect": False,
}
ACCOUNT: GcpServiceAccountArgs = {
    "scope": GOOGLE,
    "account_id": "shop-web",
    "description": "Sells things",
    "secrets": {"database": "projects/plinth-123456/secrets/shop-database"},
}
ACCOUNT_FULL: GcpServiceAccountArgs = {
    **ACCOUNT,
    "stores": {"events": {"bucket": "events-1234567", "read": True, "append": True}},
    "publishes": {"orders": "projects/plinth-123456/topics/orders"},
    "consumes": {"invoices": "projects/plinth-123456/subscriptions/invoices"},
    "database": "shop-1234567",
    "cache": "projects/plinth-123456/locations/europe-west3/instances/shop",
    "metrics": True,
    "credentials": {"prefix": "shop-credentials-", "keep": True, "use": True},
    "dns_zones": {
        "shop": {"zone_name": "shop-1234567"},
        "market": {"zone_name": "market-1234567", "project": "plinth-domains"},
        "fair": {"zone_name": "fair-1234567", "project": "plinth-domains"},
    },
    "pods": {"workload_pool": "plinth-123456.svc.id.goog", "namespace": "web", "service_account": "seller"},
}
NODES: GcpNodeAccountArgs = {"scope": GOOGLE, "account_id": "shop-nodes"}
NODES_FULL: GcpNodeAccountArgs = {
    **NODES,
    "registries": {
        "shop": {"repository": "shop", "location": "europe-west3"},
        "shared": {"repository": "images", "location": "europe", "project": "plinth-images"},
    },
}
SERVICES: GcpServicesArgs = {"scope": GOOGLE, "services": ["container.googleapis.com"]}
SERVICES_FULL: GcpServicesArgs = {
    "scope": GOOGLE,
    "services": ["container.googleapis.com", "pubsub.googleapis.com", "sqladmin.googleapis.com"],
    "agents": ["pubsub.googleapis.com", "sqladmin.googleapis.com"],
}

EXAMPLES: Examples = {
    GcpEncryptionKey: [
        lambda name, opts: GcpEncryptionKey(name, KEY, opts),
        lambda name, opts: GcpEncryptionKey(name, KEY_FULL, opts),
    ],
    GcpServiceAccount: [
        lambda name, opts: GcpServiceAccount(name, ACCOUNT, opts),
        lambda name, opts: GcpServiceAccount(name, ACCOUNT_FULL, opts),
    ],
    GcpNodeAccount: [
        lambda name, opts: GcpNodeAccount(name, NODES, opts),
        lambda name, opts: GcpNodeAccount(name, NODES_FULL, opts),
    ],
    GcpServices: [
        lambda name, opts: GcpServices(name, SERVICES, opts),
        lambda name, opts: GcpServices(name, SERVICES_FULL, opts),
    ],
}
