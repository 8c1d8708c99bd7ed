"""Image registries on Google Cloud."""

from typing import Any

from ..demands import DURABLE, equal, false, given, never, true
from ..rule import Level, Resource, Rule, Stack, staying

REPOSITORY = "gcp:artifactregistry/repository:Repository"
MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
BINDING = "gcp:artifactregistry/repositoryIamBinding:RepositoryIamBinding"

_EVERYONE = ("allUsers", "allAuthenticatedUsers")


def _has_everybody(members: Any) -> bool:
    return isinstance(members, list) and any(each in members for each in _EVERYONE)


def _holds_images(repository: Resource, stack: Stack) -> bool:
    """Whether images are pushed to it: a mirror's tags move as those of its registry do."""
    mode = repository.inputs.get("mode", "STANDARD_REPOSITORY")
    return repository.inputs.get("format") == "DOCKER" and mode == "STANDARD_REPOSITORY"


def _keeps_images(repository: Resource, stack: Stack) -> bool:
    return staying(repository, stack) and _holds_images(repository, stack)


RULES: tuple[Rule, ...] = (
    Rule(
        "artifact-immutable",
        "A tag of an image never moves.",
        (REPOSITORY,),
        demands={"dockerConfig.immutableTags": true()},
        when=_holds_images,
    ),
    Rule(
        "artifact-encrypted",
        "A registry's contents are encrypted with a key of ours.",
        (REPOSITORY,),
        ("CKV_GCP_84",),
        demands={"kmsKeyName": given()},
    ),
    Rule(
        "artifact-private",
        "Nobody reads a registry who is not named.",
        (MEMBER, BINDING),
        ("CKV_GCP_101",),
        demands={
            "member": never("not be everybody", lambda value: value in _EVERYONE, *_EVERYONE),
            "members": never("not be everybody", _has_everybody, ["allUsers"]),
        },
    ),
    Rule(
        "artifact-scanned",
        "An image is scanned for vulnerabilities where its project scans at all.",
        (REPOSITORY,),
        demands={
            "vulnerabilityScanningConfig.enablementConfig": never(
                "not be DISABLED", lambda value: value == "DISABLED", "DISABLED"
            )
        },
        when=_holds_images,
    ),
    Rule(
        "artifact-cleanup",
        "A repository deletes old versions by itself.",
        (REPOSITORY,),
        demands={"cleanupPolicies": given(), "cleanupPolicyDryRun": false()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "artifact-protected",
        "Pulumi and Google's provider refuse to delete a repository in staging and prod: its images go with it.",
        (REPOSITORY,),
        demands={"deletionPolicy": equal("PREVENT", breaks=["DELETE", "ABANDON"])},
        options={"protect": true()},
        when=_keeps_images,
        tiers=DURABLE,
    ),
)
