"""Identities of services and of machines on Google Cloud."""

import re
from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from ..component import Component, checked, checked_name, known_after, matching
from ..problems import InputError, Problem
from .google import GcpScope, account_id_problem, email_of, scope_problem, service_account


class BucketGrant(TypedDict):
    """What a service may do with one object store."""

    bucket: pulumi.Input[str]
    """Name of the bucket."""
    read: NotRequired[bool]
    """Whether it may list and read objects. Default: no."""
    append: NotRequired[bool]
    """Whether it may add objects. Default: no. Replacing and deleting one are never granted: Google Cloud takes the one
    for the other."""


class GcpPods(TypedDict):
    """The pods that act as a service account."""

    workload_pool: pulumi.Input[str]
    """Workload identity pool of their cluster, `<project>.svc.id.goog`. It exists once a cluster does."""
    namespace: str
    """Their namespace."""
    service_account: str
    """Their Kubernetes service account."""


class GcpCredentialGrant(TypedDict):
    """What a service may do with secrets that services keep while they run."""

    prefix: str
    """What their ids begin with."""
    keep: NotRequired[bool]
    """Whether it may make them, give them new versions and disable those. A disabled one can be had back; destroying
    and deleting, which nobody can call off, are not granted. Default: no."""
    use: NotRequired[bool]
    """Whether it may read them. Default: no."""


class GcpZoneGrant(TypedDict):
    """A DNS zone whose records a service keeps."""

    zone_name: pulumi.Input[str]
    """Name of the zone's resource, not its domain."""
    project: NotRequired[str]
    """Project of the zone. Default: that of the scope."""


class GcpServiceAccountArgs(TypedDict):
    """What one service needs."""

    scope: GcpScope
    """Project in which the service runs."""
    account_id: str
    """What stands before the `@` of its address, 6 to 30 characters."""
    description: str
    """What the service does."""
    secrets: NotRequired[dict[str, pulumi.Input[str]]]
    """References of the secrets that it reads, by purpose. Default: none."""
    stores: NotRequired[dict[str, BucketGrant]]
    """What it may do with which store, by purpose. Default: nothing."""
    publishes: NotRequired[dict[str, pulumi.Input[str]]]
    """Ids of the topics to which it publishes, by exchange. Default: none."""
    consumes: NotRequired[dict[str, pulumi.Input[str]]]
    """Ids of the subscriptions from which it receives, by queue. Default: none."""
    database: NotRequired[pulumi.Input[str]]
    """Name of the Cloud SQL instance to which it connects and in which it is a user, who signs in as itself. What the
    user may do there, grants in the database say. Default: none."""
    cache: NotRequired[pulumi.Input[str]]
    """Whole name of the Memorystore instance in which it signs in as itself,
    `projects/<project>/locations/<region>/instances/<id>`. Default: none."""
    metrics: NotRequired[bool]
    """Whether it may report metrics of its own. Default: no."""
    credentials: NotRequired[GcpCredentialGrant]
    """What it may do with secrets that services keep while they run. Default: nothing."""
    dns_zones: NotRequired[dict[str, GcpZoneGrant]]
    """DNS zones whose records it keeps, as external-dns does, by purpose. It finds them by listing the zones of their
    project, and so may read those. Default: none."""
    pods: NotRequired[GcpPods]
    """The pods that act as it, through Workload Identity. Default: none."""


_KEEPS = (
    "secretmanager.secrets.create",
    "secretmanager.secrets.get",
    "secretmanager.versions.add",
    "secretmanager.versions.disable",
    "secretmanager.versions.enable",
    "secretmanager.versions.get",
    "secretmanager.versions.list",
)
_GRANTS = ("secrets", "stores", "publishes", "consumes", "database", "cache", "metrics", "credentials", "dns_zones")


def _description(text: str) -> str | None:
    return None if len(text.encode()) <= 256 else "give 256 bytes or fewer"


# A condition that names something in another way holds for nothing, and nobody says so.
_RULES = {
    "scope": scope_problem,
    "account_id": account_id_problem,
    "description": _description,
    "database": matching(r"[a-z][a-z0-9-]*", "give the instance's name alone"),
    "cache": matching(
        r"projects/[^/]+/locations/[^/]+/instances/[^/]+",
        "give its whole name, projects/<project>/locations/<region>/instances/<id>",
    ),
}


class GcpServiceAccount(Component):
    """The service account as which a service's pods act through Workload Identity, without a key of its own, with
    exactly what it needs. What has a policy of its own is granted there and on nothing else; what Google Cloud grants
    only on the project is held to one resource by a condition.

    It needs no key of KMS: Google's services encrypt and decrypt as themselves.

    Raises `InputError` for bad args and for an account that would be granted nothing.
    """

    identity: pulumi.Output[str]
    """Its address. Known once it has everything that it was granted."""
    email: pulumi.Output[str]
    """Its address, known as soon as it exists."""
    member: pulumi.Output[str]
    """It as policies name it, `serviceAccount:<address>`, known as soon as it exists."""

    def __init__(self, name: str, args: GcpServiceAccountArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpServiceAccount {name}"
        args = checked(GcpServiceAccountArgs, args, subject, _RULES)
        # A custom role's id takes 64 characters: the name, an underscore and eight random ones.
        checked_name(name, subject, 55, r"[a-zA-Z0-9_-]+", "use letters, digits, _ and -")
        if problems := list(_problems(name, args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._project = args["scope"]["project"]
        account = gcp.serviceaccount.Account(
            name,
            project=self._project,
            account_id=args["account_id"],
            display_name=name,
            description=args["description"],
            opts=self._child(),
        )
        self.email = email_of(account)
        self.member = service_account(self.email)
        grants = [*self._on_resources(args), *self._on_project(args)]
        if "pods" in args:
            grants.append(self._act_as(account, args["pods"]))
        self.identity = known_after(email_of(account), *grants)
        self._register()

    def _on_resources(self, args: GcpServiceAccountArgs) -> Iterator[pulumi.CustomResource]:
        """What is granted by the resource's own policy."""
        for purpose, secret in args.get("secrets", {}).items():
            yield gcp.secretmanager.SecretIamMember(
                f"{self._prefix}-secret-{purpose}",
                project=self._project,
                secret_id=secret,
                role="roles/secretmanager.secretAccessor",
                member=self.member,
                opts=self._child(),
            )
        for purpose, store in args.get("stores", {}).items():
            for granted, role in (("read", "objectViewer"), ("append", "objectCreator")):
                if store.get(granted, False):
                    yield gcp.storage.BucketIAMMember(
                        f"{self._prefix}-{granted}-{purpose}",
                        bucket=store["bucket"],
                        role=f"roles/storage.{role}",
                        member=self.member,
                        opts=self._child(),
                    )
        for exchange, topic in args.get("publishes", {}).items():
            yield gcp.pubsub.TopicIAMMember(
                f"{self._prefix}-publish-{exchange}",
                project=self._project,
                topic=topic,
                role="roles/pubsub.publisher",
                member=self.member,
                opts=self._child(),
            )
        for queue, subscription in args.get("consumes", {}).items():
            yield gcp.pubsub.SubscriptionIAMMember(
                f"{self._prefix}-consume-{queue}",
                project=self._project,
                subscription=subscription,
                role="roles/pubsub.subscriber",
                member=self.member,
                opts=self._child(),
            )
        for purpose, zone in args.get("dns_zones", {}).items():
            yield gcp.dns.DnsManagedZoneIamMember(
                f"{self._prefix}-records-{purpose}",
                project=zone.get("project", self._project),
                managed_zone=zone["zone_name"],
                role="roles/dns.admin",
                member=self.member,
                opts=self._child(),
            )

    def _on_project(self, args: GcpServiceAccountArgs) -> Iterator[pulumi.CustomResource]:
        """What is granted on the project alone."""
        if "database" in args:
            # Cloud SQL has no policies of instances.
            instance = _text("projects/", self._project, "/instances/", args["database"])
            only = pulumi.Output.concat('resource.service == "sqladmin.googleapis.com" && resource.name == ', instance)
            yield self._granted("database", "roles/cloudsql.client", "Only the database", only)
            yield self._granted("database-login", "roles/cloudsql.instanceUser", "Only the database", only)
            yield gcp.sql.User(
                f"{self._prefix}-database",
                project=self._project,
                instance=args["database"],
                name=self.email.apply(lambda known: known.removesuffix(".gserviceaccount.com")),
                type="CLOUD_IAM_SERVICE_ACCOUNT",
                # Cloud SQL deletes no user who owns something. All of them go with the instance.
                deletion_policy="ABANDON",
                opts=self._child(),
            )
        if "cache" in args:
            # Memorystore has no policies of instances.
            only = pulumi.Output.concat("resource.name == ", _text(args["cache"]))
            yield self._granted("cache", "roles/memorystore.dbConnectionUser", "Only the cache", only)
        if args.get("metrics", False):
            # Cloud Monitoring has no policies and knows no conditions: a project's metrics are one thing to it.
            yield self._granted("metrics", "roles/monitoring.metricWriter")
        for project in sorted({zone.get("project", self._project) for zone in args.get("dns_zones", {}).values()}):
            # Zones are listed all or not at all, and Cloud DNS knows no conditions.
            yield gcp.projects.IAMMember(
                f"{self._prefix}-zones-{project}",
                project=project,
                role="roles/dns.reader",
                member=self.member,
                opts=self._child(),
            )
        if "credentials" in args:
            yield from self._credentials(args["scope"], args["credentials"])

    def _credentials(self, scope: GcpScope, grant: GcpCredentialGrant) -> Iterator[pulumi.CustomResource]:
        # These secrets are not there yet: no policy of theirs can grant anything. Secret Manager names a project by its
        # number.
        theirs = f'resource.name.startsWith("projects/{scope["number"]}/secrets/{grant["prefix"]}")'
        if grant.get("use", False):
            role = "roles/secretmanager.secretAccessor"
            yield self._granted("use-credentials", role, "Only credentials", theirs)
        if grant.get("keep", False):
            # Whether somebody may make a secret is asked of the project, whatever its name will be. All that this lets
            # a service do outside its prefix is to make a secret with which it can then do nothing.
            or_made = f'{theirs} || resource.type == "cloudresourcemanager.googleapis.com/Project"'
            yield self._granted("keep-credentials", self._keeper(), "Only credentials", or_made)

    def _keeper(self) -> pulumi.Output[str]:
        """The name of a role that makes secrets and changes their versions. Google's own either cannot make one, or can
        delete all of them."""
        # A deleted role's id is taken for 37 days, and the provider would bring that role back.
        suffix = random.RandomId(f"{self._prefix}-keeper", byte_length=4, opts=self._child())
        role = gcp.projects.IAMCustomRole(
            f"{self._prefix}-keeper",
            project=self._project,
            role_id=pulumi.Output.concat(re.sub(r"\W", "_", self._prefix), "_", suffix.hex),
            title=f"Keeper of credentials: {self._prefix}",
            description="Makes secrets, gives them versions and disables those",
            permissions=list(_KEEPS),
            stage="GA",
            opts=self._child(),
        )
        return role.name

    def _granted(
        self, purpose: str, role: pulumi.Input[str], title: str = "", only: pulumi.Input[str] = ""
    ) -> gcp.projects.IAMMember:
        return gcp.projects.IAMMember(
            f"{self._prefix}-{purpose}",
            project=self._project,
            role=role,
            member=self.member,
            condition={"title": title, "expression": only} if title else None,
            opts=self._child(),
        )

    def _act_as(self, account: gcp.serviceaccount.Account, pods: GcpPods) -> gcp.serviceaccount.IAMMember:
        pod = f"[{pods['namespace']}/{pods['service_account']}]"
        return gcp.serviceaccount.IAMMember(
            f"{self._prefix}-pods",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=service_account(pulumi.Output.concat(pods["workload_pool"], pod)),
            opts=self._child(),
        )


class NodeRegistry(TypedDict):
    """A repository of images."""

    repository: pulumi.Input[str]
    """Its name, or its id."""
    location: pulumi.Input[str]
    """Where it stands."""
    project: NotRequired[pulumi.Input[str]]
    """Its project. Default: that of the scope."""


class GcpNodeAccountArgs(TypedDict):
    """What the nodes of a cluster need."""

    scope: GcpScope
    """Project of the cluster."""
    account_id: str
    """What stands before the `@` of its address, 6 to 30 characters."""
    registries: NotRequired[dict[str, NodeRegistry]]
    """Repositories from which nodes take images, by purpose. Default: none."""


class GcpNodeAccount(Component):
    """The service account of a cluster's nodes (CKV2_GCP_1): it writes their logs and metrics, reads the images of the
    given repositories, and can do nothing else.

    Raises `InputError` for bad args.
    """

    identity: pulumi.Output[str]
    """Its address. Known once it has everything that it was granted."""
    email: pulumi.Output[str]
    """Its address, known at the same time: nodes that start earlier never become ready."""

    def __init__(self, name: str, args: GcpNodeAccountArgs, opts: pulumi.ResourceOptions | None = None):
        rules = {"scope": scope_problem, "account_id": account_id_problem}
        args = checked(GcpNodeAccountArgs, args, f"GcpNodeAccount {name}", rules)
        super().__init__(name, opts)
        project = args["scope"]["project"]
        account = gcp.serviceaccount.Account(
            name,
            project=project,
            account_id=args["account_id"],
            display_name=name,
            description="Nodes of the cluster",
            opts=self._child(),
        )
        member = service_account(email_of(account))
        # Logs and metrics belong to the project, and have no policies.
        grants: list[pulumi.CustomResource] = [
            gcp.projects.IAMMember(
                name,
                project=project,
                role="roles/container.defaultNodeServiceAccount",
                member=member,
                opts=self._child(),
            )
        ]
        for purpose, registry in args.get("registries", {}).items():
            reader = gcp.artifactregistry.RepositoryIamMember(
                f"{name}-{purpose}",
                project=registry.get("project", project),
                location=registry["location"],
                repository=registry["repository"],
                role="roles/artifactregistry.reader",
                member=member,
                opts=self._child(),
            )
            grants.append(reader)
        self.identity = known_after(email_of(account), *grants)
        self.email = self.identity
        self._register()


def _text(*parts: pulumi.Input[str]) -> pulumi.Output[str]:
    """Text as an expression of a condition quotes it."""
    return pulumi.Output.concat('"', *parts, '"')


def _problems(name: str, args: GcpServiceAccountArgs) -> Iterator[Problem]:
    stores = args.get("stores", {})
    for purpose, store in stores.items():
        if not (store.get("read", False) or store.get("append", False)):
            yield Problem(f"stores.{purpose}", name, "grants nothing; set `read` or `append`, or leave it out")
    if "credentials" in args:
        grant = args["credentials"]
        if not re.fullmatch(r"[\w-]{1,200}", grant["prefix"], re.ASCII):
            remedy = "Secret Manager takes letters, digits, _ and -; give 1 to 200 of them"
            yield Problem("credentials.prefix", grant["prefix"], remedy)
        if not (grant.get("keep", False) or grant.get("use", False)):
            yield Problem("credentials", name, "grants nothing; set `keep` or `use`, or leave it out")
    if not any(args.get(kind) for kind in _GRANTS):
        yield Problem("args", name, "grants nothing; name what it needs, or make no account")
