"""Container images on Google Artifact Registry."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, between, checked, known_after
from ..problems import InputError, Problem, one_of
from ..security.google import REGION, GcpScope, scope_problem

READER, WRITER = "roles/artifactregistry.reader", "roles/artifactregistry.writer"
UPSTREAMS: Mapping[str, str] = {
    "docker.io": "docker-io",
    "ghcr.io": "ghcr-io",
    "quay.io": "quay-io",
    "registry.k8s.io": "registry-k8s-io",
}
"""The registries that can be mirrored, and the ids of their mirrors."""

_DAY = 86400
_CONTINENTS = ("asia", "europe", "us")
_SYSTEM = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_IMAGE = r"[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*"
_LONGEST_IMAGE = 128
_EVERYONE = ("allUsers", "allAuthenticatedUsers")


class GcpArtifactRegistryArgs(TypedDict):
    """Which images a registry has, how long it keeps them, and who reads and writes them."""

    scope: GcpScope
    """Project and region of the registry."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts the images (CKV_GCP_84), a key of `location`. A new one replaces the
    repositories, which `protect` refuses."""
    repositories: list[str]
    """Images, one or more, as `<system>/<image>`, for example `skipper/portal`. Each system has a repository."""
    location: NotRequired[str]
    """Where the images are: a region, or `asia`, `europe` or `us`, which keeps copies in several regions of it.
    Default: the region of `scope`."""
    readers: NotRequired[dict[str, pulumi.Input[str]]]
    """Who pulls the images and through the mirrors, as IAM names them, by purpose, for example the nodes' service
    account. Default: none."""
    writers: NotRequired[dict[str, pulumi.Input[str]]]
    """Who pushes images, as IAM names them, by purpose. Default: none."""
    mirrors: NotRequired[list[str]]
    """Registries whose images are kept here once somebody has pulled them, out of `docker.io`, `ghcr.io`, `quay.io`
    and `registry.k8s.io`. Default: none."""
    keep_images: NotRequired[int]
    """How many of the newest versions of each image are kept even without a tag. Default: 50."""
    untagged_days: NotRequired[int]
    """Days until a version without a tag is deleted. Default: 7."""
    mirrored_days: NotRequired[int]
    """Days until a version in a mirror is deleted; whoever pulls it again gets it from its registry. Default: 90."""
    scanned: NotRequired[bool]
    """Whether images are scanned for vulnerabilities where the project scans at all, which the Container Scanning API
    costs extra for. Default: yes."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete the repositories and with them their images. Default:
    yes."""


_RULES = {
    "scope": scope_problem,
    "location": lambda value: (
        None if value in _CONTINENTS or re.fullmatch(REGION, value) else "give a region, asia, europe or us"
    ),
    "keep_images": between(1, 10000, "versions"),
    "untagged_days": between(1, 365, "days"),
    "mirrored_days": between(1, 365, "days"),
}


class GcpArtifactRegistry(Component):
    """The image repositories of a project in a location, one for each system: encrypted (CKV_GCP_84), with tags that
    never move, read and written by those who are named alone (CKV_GCP_101), and without versions that nobody uses. By
    choice, mirrors of public registries.

    Google deletes no version whose tag never moves: what has a tag stays until somebody deletes it with its repository.

    Raises `InputError` for bad args.
    """

    registry_host: pulumi.Output[str]
    """What all images' names begin with: the host to sign in to, and the project."""
    repository_urls: pulumi.Output[dict[str, str]]
    """What to push to and pull from, without a tag, by image. Known once those who read and write may."""
    repository_ids: pulumi.Output[dict[str, str]]
    """Ids of the repositories, by system."""
    mirror_urls: pulumi.Output[dict[str, str]]
    """What stands in place of a mirrored registry's name, by that. Known once those who read may."""

    def __init__(self, name: str, args: GcpArtifactRegistryArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpArtifactRegistry {name}"
        args = checked(GcpArtifactRegistryArgs, args, subject, _RULES)
        location = args.get("location", args["scope"]["region"])
        problems = [*_name_problems(args), *_member_problems(args), *_key_problems(args["key_name"], location)]
        if problems:
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._location = location
        systems = dict.fromkeys(image.partition("/")[0] for image in args["repositories"])
        repositories = {system: self._repository(system) for system in systems}
        mirrors = {upstream: self._mirror(upstream) for upstream in args.get("mirrors", [])}
        addresses = {system: self._address(system, made, [READER, WRITER]) for system, made in repositories.items()}
        project = args["scope"]["project"]
        self.registry_host = pulumi.Output.from_input(f"{location}-docker.pkg.dev/{project}")
        self.repository_urls = pulumi.Output.all(
            **{
                each: pulumi.Output.concat(addresses[system], slash, image)
                for each, (system, slash, image) in ((each, each.partition("/")) for each in args["repositories"])
            }
        )
        self.repository_ids = pulumi.Output.all(**{system: made.id for system, made in repositories.items()})
        self.mirror_urls = pulumi.Output.all(
            **{each: self._address(UPSTREAMS[each], made, [READER]) for each, made in mirrors.items()}
        ).apply(dict)  # of nothing it would be a list
        self._register()

    def _repository(self, system: str) -> gcp.artifactregistry.Repository:
        args = self._args
        return self._made(
            system,
            description=f"Images of {system}",
            mode="STANDARD_REPOSITORY",
            docker_config={"immutable_tags": True},
            cleanup_policies=[
                {
                    "id": "newest",
                    "action": "KEEP",
                    "most_recent_versions": {"keep_count": args.get("keep_images", 50)},
                },
                _deleting("untagged", "UNTAGGED", args.get("untagged_days", 7)),
            ],
        )

    def _mirror(self, upstream: str) -> gcp.artifactregistry.Repository:
        source: gcp.artifactregistry.RepositoryRemoteRepositoryConfigArgsDict = (
            {"docker_repository": {"public_repository": "DOCKER_HUB"}}
            if upstream == "docker.io"
            else {"common_repository": {"uri": f"https://{upstream}"}}
        )
        return self._made(
            UPSTREAMS[upstream],
            description=f"What was pulled from {upstream}",
            mode="REMOTE_REPOSITORY",
            remote_repository_config={"description": upstream, **source},
            cleanup_policies=[_deleting("old", "ANY", self._args.get("mirrored_days", 90))],
        )

    def _made(self, repository: str, **properties: object) -> gcp.artifactregistry.Repository:
        args, protect = self._args, self._args.get("protect", True)
        return gcp.artifactregistry.Repository(
            f"{self._prefix}-{repository}",
            project=args["scope"]["project"],
            location=self._location,
            repository_id=repository,  # whoever pulls writes it
            format="DOCKER",
            kms_key_name=args["key_name"],
            cleanup_policy_dry_run=False,
            vulnerability_scanning_config={
                "enablement_config": "INHERITED" if args.get("scanned", True) else "DISABLED"
            },
            deletion_policy="PREVENT" if protect else "DELETE",
            opts=self._child(
                protect=protect,
                delete_before_replace=True,  # its id is taken while it exists
            ),
            **properties,  # pyright: ignore[reportArgumentType]
        )

    def _address(
        self, repository: str, made: gcp.artifactregistry.Repository, roles: Sequence[str]
    ) -> pulumi.Output[str]:
        """What a repository's images are called by, once those who read and write may."""
        granted = []
        for role, verb, members in (
            (READER, "read", self._args.get("readers", {})),
            (WRITER, "write", self._args.get("writers", {})),
        ):
            if role in roles:
                granted += [
                    gcp.artifactregistry.RepositoryIamMember(
                        f"{self._prefix}-{repository}/{purpose}-{verb}",
                        project=self._args["scope"]["project"],
                        location=self._location,
                        repository=made.name,
                        role=role,
                        member=member,
                        opts=self._child(),
                    ).id
                    for purpose, member in members.items()
                ]
        return known_after(made.registry_uri, *granted)


def _deleting(name: str, state: str, days: int) -> gcp.artifactregistry.RepositoryCleanupPolicyArgsDict:
    return {
        "id": name,
        "action": "DELETE",
        "condition": {"tag_state": state, "older_than": f"{days * _DAY}s"},
    }


def _name_problems(args: GcpArtifactRegistryArgs) -> Iterator[Problem]:
    images, mirrors = args["repositories"], args.get("mirrors", [])
    if not images:
        yield Problem("repositories", [], "name one image or more")
    taken = {UPSTREAMS[each] for each in mirrors if each in UPSTREAMS}
    for i, each in enumerate(images):
        system, _, image = each.partition("/")
        path = f"repositories[{i}]"
        if not re.fullmatch(_SYSTEM, system):
            yield Problem(
                path, each, "begin with the system: 1 to 63 small letters, digits and hyphens, a letter first"
            )
        elif not re.fullmatch(_IMAGE, image) or len(image) > _LONGEST_IMAGE:
            remedy = (
                f"write <system>/<image>, the image in up to {_LONGEST_IMAGE} small letters and digits, with single"
            )
            yield Problem(path, each, f"{remedy} . _ - / between them")
        elif each in images[:i]:
            yield Problem(path, each, "is listed twice; leave one out")
        elif system in taken:
            yield Problem(path, each, f"{system} is the id of a mirror; choose another name for the system")
    for i, upstream in enumerate(mirrors):
        if upstream not in UPSTREAMS:
            yield Problem(f"mirrors[{i}]", upstream, one_of(UPSTREAMS, upstream))
        elif upstream in mirrors[:i]:
            yield Problem(f"mirrors[{i}]", upstream, "is listed twice; leave one out")


def _member_problems(args: GcpArtifactRegistryArgs) -> Iterator[Problem]:
    for path in ("readers", "writers"):
        for purpose, member in args.get(path, {}).items():
            if not re.fullmatch(r"[a-z0-9-]+", purpose):
                yield Problem(f"{path}.{purpose}", member, "name the purpose in small letters, digits and hyphens")
            if member in _EVERYONE:
                yield Problem(f"{path}.{purpose}", member, "is everybody; name those who are meant")


def _key_problems(key: pulumi.Input[str], location: str) -> Iterator[Problem]:
    if isinstance(key, str) and f"/locations/{location}/" not in key:
        yield Problem("key_name", key, f"give a key of {location}, where the images are")
