"""Image registries on Google Cloud."""

from components.registry.artifact import GcpArtifactRegistry, GcpArtifactRegistryArgs

from .shared import GOOGLE, GOOGLE_KEY, Examples

REGISTRY: GcpArtifactRegistryArgs = {
    "scope": GOOGLE,
    "key_name": GOOGLE_KEY,
    "repositories": ["skipper/portal", "skipper/worker", "tools/build/base"],
}
REGISTRY_FULL: GcpArtifactRegistryArgs = {
    **REGISTRY,
    "key_name": "projects/plinth-123456/locations/europe/keyRings/ring/cryptoKeys/images",
    "location": "europe",
    "readers": {"nodes": "serviceAccount:nodes@plinth-123456.iam.gserviceaccount.com"},
    "writers": {"builds": "serviceAccount:builds@plinth-123456.iam.gserviceaccount.com"},
    "mirrors": ["docker.io", "registry.k8s.io"],
    "keep_images": 9,
    "untagged_days": 1,
    "mirrored_days": 30,
    "scanned": False,
    "protect": False,
}

EXAMPLES: Examples = {
    GcpArtifactRegistry: [
        lambda name, opts: GcpArtifactRegistry(name, REGISTRY, opts),
        lambda name, opts: GcpArtifactRegistry(name, REGISTRY_FULL, opts),
    ],
}
