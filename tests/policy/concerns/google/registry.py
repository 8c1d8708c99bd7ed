"""Image registries on Google Cloud: in the sound stack, and the ways to break them."""

from typing import Any

from preview.plan import UNKNOWN

from ...breaking import Break, changed, with_options
from ...sketch import GOOGLE, Sketch

REPOSITORY = "gcp:artifactregistry/repository:Repository"


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    durable = sketch.tier != "dev"
    kept: dict[str, Any] = {
        "location": GOOGLE,
        "format": "DOCKER",
        "kmsKeyName": UNKNOWN,
        "cleanupPolicies": [{"id": "old", "action": "DELETE", "condition": {"olderThan": "86400s"}}],
        "cleanupPolicyDryRun": False,
    }
    images = {"dockerConfig": {"immutableTags": True}, "deletionPolicy": "PREVENT" if durable else "DELETE"}
    sketch.add(REPOSITORY, "system-images", {**kept, **images}, protect=durable, provider=GOOGLE)
    sketch.add(REPOSITORY, "hub-mirror", {**kept, "mode": "REMOTE_REPOSITORY"}, provider=GOOGLE)
    sketch.add(
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
        "image-reader",
        {"location": GOOGLE, "role": "roles/artifactregistry.reader", "member": UNKNOWN},
        {"repository": "system-images"},
        provider=GOOGLE,
    )


BREAKS: dict[str, list[Break]] = {
    "artifact-immutable": [
        changed("system-images", dockerConfig=None),
        changed("system-images", dockerConfig={"immutableTags": False}),
    ],
    "artifact-encrypted": [changed("system-images", kmsKeyName=None), changed("hub-mirror", kmsKeyName=None)],
    "artifact-private": [
        changed("image-reader", member="allUsers"),
        changed("image-reader", member="allAuthenticatedUsers"),
        with_options(
            "image-reader",
            type="gcp:artifactregistry/repositoryIamBinding:RepositoryIamBinding",
            inputs={"role": "roles/artifactregistry.reader", "members": ["user:web@shop.example", "allUsers"]},
        ),
    ],
    "artifact-scanned": [
        changed("system-images", vulnerabilityScanningConfig={"enablementConfig": "DISABLED"}),
    ],
    "artifact-cleanup": [
        changed("system-images", cleanupPolicies=None),
        changed("system-images", cleanupPolicyDryRun=True),
        changed("hub-mirror", cleanupPolicies=[]),
    ],
    "artifact-protected": [
        changed("system-images", deletionPolicy=None),
        with_options("system-images", protect=False),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
