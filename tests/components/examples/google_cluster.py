"""Cluster on Google Cloud."""

from components.cluster.gke import (
    GcpBinaryAuthorization,
    GcpBinaryAuthorizationArgs,
    GkeChannel,
    GkeCluster,
    GkeClusterArgs,
    GkeExclusionScope,
    GkeNodePool,
)

from .shared import GOOGLE, GOOGLE_KEY, GOOGLE_NETWORK, Examples

GENERAL: GkeNodePool = {"machine_type": "e2-standard-4", "fewest": 2, "most": 6}
SPARE: GkeNodePool = {
    "machine_type": "n2-standard-8",
    "spot": True,
    "fewest": 0,
    "most": 10,
    "disk_gb": 80,
    "disk_type": "pd-ssd",
    "labels": {"capacity": "spare"},
    "taints": {"spare": "NoSchedule"},
    "blue_green": True,
}
GKE: GkeClusterArgs = {
    "scope": GOOGLE,
    "network_id": GOOGLE_NETWORK,
    "subnet_id": "projects/plinth-123456/regions/europe-west3/subnetworks/nodes",
    "pods_range": "pods",
    "services_range": "services",
    "key_name": GOOGLE_KEY,
    "zones": ["europe-west3-a", "europe-west3-b", "europe-west3-c"],
    "node_account": "nodes@plinth-123456.iam.gserviceaccount.com",
    "nodes": {"general": GENERAL},
}
GKE_FULL: GkeClusterArgs = {
    **GKE,
    "nodes": {"general": GENERAL, "spare": SPARE},
    "gateway_api": True,
    "pods_per_node": 64,
    "release_channel": GkeChannel.STABLE,
    "version": "1.36",
    "administrators": {"deployment": "serviceAccount:deploys@plinth-123456.iam.gserviceaccount.com"},
    "viewers": {"support": "group:support@shop.example"},
    "security_group": "gke-security-groups@shop.example",
    "allowed_cidrs": ["203.0.113.0/24"],
    "maintenance": {
        "start": "2026-01-03T00:00:00Z",
        "end": "2026-01-03T08:00:00Z",
        "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
    },
    "exclusions": {
        "sale": {
            "start": "2026-11-20T00:00:00Z",
            "end": "2026-12-01T00:00:00Z",
            "scope": GkeExclusionScope.NO_UPGRADES,
        }
    },
    "notifications_topic": "projects/plinth-123456/topics/upgrades",
    "labels": {"system": "shop"},
}
GKE_AUTOPILOT: GkeClusterArgs = {
    "scope": GOOGLE,
    "network_id": GOOGLE_NETWORK,
    "subnet_id": "projects/plinth-123456/regions/europe-west3/subnetworks/nodes",
    "pods_range": "pods",
    "services_range": "services",
    "key_name": GOOGLE_KEY,
    "zones": ["europe-west3-a", "europe-west3-b", "europe-west3-c"],
    "node_account": "nodes@plinth-123456.iam.gserviceaccount.com",
    "autopilot": True,
}
ADMISSION_FULL: GcpBinaryAuthorizationArgs = {
    "scope": GOOGLE,
    "registries": {"images": "europe-west3-docker.pkg.dev/plinth-123456/images"},
    "images": ["docker.io/library/postgres"],
    "dry_run": True,
}
ADMISSION: GcpBinaryAuthorizationArgs = {
    "scope": GOOGLE,
    "registries": {"images": "europe-west3-docker.pkg.dev/plinth-123456/images"},
}

EXAMPLES: Examples = {
    GkeCluster: [
        lambda name, opts: GkeCluster(name, GKE, opts),
        lambda name, opts: GkeCluster(name, GKE_FULL, opts),
        lambda name, opts: GkeCluster(name, GKE_AUTOPILOT, opts),
    ],
    GcpBinaryAuthorization: [
        lambda name, opts: GcpBinaryAuthorization(name, ADMISSION, opts),
        lambda name, opts: GcpBinaryAuthorization(name, ADMISSION_FULL, opts),
    ],
}
