"""What GitHub's workflows may do in a project of Google Cloud."""

import re
from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from ..component import Component, checked, checked_name, known_after, matching
from ..problems import InputError, Problem
from .google import ACCOUNT_ID, GcpScope, email_of, scope_problem, service_account

ISSUER = "https://token.actions.githubusercontent.com"

PREVIEW_ROLES = (
    "roles/artifactregistry.reader",
    "roles/backupdr.viewer",
    "roles/browser",
    "roles/certificatemanager.viewer",
    "roles/cloudkms.viewer",
    "roles/cloudscheduler.viewer",
    "roles/cloudsql.viewer",
    "roles/compute.viewer",
    "roles/container.clusterViewer",
    "roles/dns.reader",
    "roles/gkebackup.viewer",
    "roles/iam.roleViewer",
    "roles/iam.securityReviewer",
    "roles/memorystore.viewer",
    "roles/monitoring.viewer",
    "roles/pubsub.viewer",
    "roles/secretmanager.viewer",
    "roles/serviceusage.serviceUsageConsumer",
    "roles/storage.bucketViewer",
    "roles/workflows.viewer",
)
"""How a preview sees how things are configured: neither logs, nor messages, objects, rows or values of secrets. It
consumes the project's quota, since the provider names the project in each of its requests."""

DEPLOY_ROLES = (
    "roles/artifactregistry.admin",
    "roles/backupdr.admin",
    "roles/browser",
    "roles/certificatemanager.owner",
    "roles/cloudkms.admin",
    "roles/cloudscheduler.admin",
    "roles/cloudsql.admin",
    "roles/compute.loadBalancerAdmin",
    "roles/compute.networkAdmin",
    "roles/compute.securityAdmin",
    "roles/container.admin",
    "roles/dns.admin",
    "roles/gkebackup.admin",
    "roles/logging.configWriter",
    "roles/memorystore.admin",
    "roles/monitoring.editor",
    "roles/pubsub.admin",
    "roles/secretmanager.admin",
    "roles/servicenetworking.networksAdmin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin",
    "roles/workflows.admin",
)
"""What environments are made with. None of them changes who may do what in the project. That of Artifact Registry lets
nodes read images: no lesser role of Google's changes who reads a repository."""

GRANTED_ROLES = (
    "roles/backupdr.cloudSqlOperator",
    "roles/cloudsql.client",
    "roles/cloudsql.instanceUser",
    "roles/cloudtrace.agent",
    "roles/container.admin",
    "roles/container.clusterViewer",
    "roles/container.defaultNodeServiceAccount",
    "roles/dns.reader",
    "roles/logging.logWriter",
    "roles/memorystore.dbConnectionUser",
    "roles/monitoring.metricWriter",
    "roles/secretmanager.secretAccessor",
    "roles/workflows.invoker",
)
"""What environments grant on the whole project, most of it with a condition on what is theirs. What has a policy of its
own is granted there."""

_IDENTITIES = (
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.delete",
    "iam.serviceAccounts.disable",
    "iam.serviceAccounts.enable",
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.getIamPolicy",
    "iam.serviceAccounts.list",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccounts.undelete",
    "iam.serviceAccounts.update",
)
"""To make the accounts of services and nodes, and give them to those. No keys, and no tokens."""

_ATTRIBUTES = ("actor", "ref", "repository", "repository_id", "repository_owner", "repository_owner_id")
"""What of a token audit logs and grants can name. Only tokens of jobs with an environment have one to name."""
_ESCALATING = (
    r"roles/(owner|editor|viewer)|roles/resourcemanager\..*|roles/orgpolicy\..*|roles/iam\..*"
    r"|roles/(accesscontextmanager|securitycenter|billing)\..*"
)
_SEGMENT = r"[A-Za-z0-9_.-]+"
_ROLE = r"roles/[A-Za-z]+\.[A-Za-z.]+"
_CUSTOM_ROLE = r"projects/[a-z0-9-]+/roles/[A-Za-z0-9_.]+"
# A pool's id takes 32 characters: the name, a hyphen and eight random ones.
_LONGEST_NAME = 23
_LONGEST_SUBJECT = 127
# A condition takes up to twelve operators, and a list in it up to ten roles.
_ROLES_IN_A_LIST, _MOST_LISTS = 10, 12


def preview_account_id(prefix: str) -> str:
    """The id of the account that previews."""
    return f"{prefix}-preview"


def deploy_account_id(prefix: str, environment: str) -> str:
    """The id of the account that deploys a GitHub environment."""
    return f"{prefix}-deploy-{re.sub(r'[^a-z0-9]', '-', environment.lower())}"


class RepositoryIds(TypedDict):
    """The numbers of a repository, which stay its own when names change hands."""

    owner: str
    """Number of the user or organisation that owns it."""
    repository: str
    """Number of the repository."""


class GithubWorkloadIdentityArgs(TypedDict):
    """Whose workflows they are, and what these may touch."""

    scope: GcpScope
    """The project. Identities belong to no region."""
    repository: str
    """The repository as `owner/name`, written as GitHub writes it: capitals count."""
    repository_ids: NotRequired[RepositoryIds]
    """The numbers in the subject of its tokens. Repositories that were made, renamed or transferred since July 2026
    have them there, others where their settings say so. Default: names alone."""
    branch: NotRequired[str]
    """The branch whose workflows may preview, besides pull requests. Default: `main`."""
    environments: NotRequired[list[str]]
    """Names of the GitHub environments whose jobs may deploy, each with an account of its own. Whom they wait for is up
    to their protection rules. Default: none."""
    account_prefix: str
    """What the ids of the service accounts begin with: `<prefix>-preview` and `<prefix>-deploy-<environment>`, of 6 to
    30 characters in all."""
    preview_roles: NotRequired[list[str]]
    """Predefined roles of who previews. Default: those that show how the products of environments are configured."""
    deploy_roles: NotRequired[list[str]]
    """Predefined roles of who deploys. None may let its holder change the project's own policy. Default: those that
    administer the products of environments."""
    granted_roles: NotRequired[list[str]]
    """The only roles that a deployment may grant on the project. A custom role among them must not be one that
    deployments can change. Default: those that environments grant."""
    state_bucket: NotRequired[pulumi.Input[str]]
    """Name of the bucket that holds the state of the stacks, if that is Cloud Storage. Default: elsewhere."""


_RULES = {
    "scope": scope_problem,
    "repository": matching(rf"{_SEGMENT}/{_SEGMENT}", "write it as owner/name, without wildcards"),
    "branch": matching(rf"{_SEGMENT}(/{_SEGMENT})*", "give one branch, without wildcards"),
    "account_prefix": matching(r"[a-z]([a-z0-9-]*[a-z0-9])?", "give small letters, digits and hyphens, a letter first"),
}


class GithubWorkloadIdentity(Component):
    """The service accounts as which a repository's GitHub workflows act, with no key stored anywhere: one for previews,
    and one for each GitHub environment that deploys (CKV_GCP_125).

    A preview reads how things are configured, and neither data nor secrets: it refreshes no secret's value. A
    deployment makes what environments are made of. On the project it grants the `granted_roles` and no others, whatever
    else its own roles may let it do one day. It makes service accounts and acts as them, so that within the project all
    that deploy can do what any of them can: give environments that are to be safe from each other projects of their
    own. It makes no custom roles, which could hold anything.

    The id of the pool ends in random characters: that of a deleted pool is taken for 30 days.

    Raises `InputError` for bad args, and for subjects, pools and accounts that Google Cloud has no room for.
    """

    provider_name: pulumi.Output[str]
    """Name of the provider, as `google-github-actions/auth` takes it:
    `projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>`."""
    preview_account: pulumi.Output[str]
    """Address of the account that previews. Known once it has its roles."""
    deploy_accounts: pulumi.Output[dict[str, str]]
    """Addresses of the accounts that deploy, by GitHub environment. Known once they have their roles."""

    def __init__(self, name: str, args: GithubWorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GithubWorkloadIdentity {name}"
        args = checked(GithubWorkloadIdentityArgs, args, subject, _RULES)
        remedy = "use small letters, digits and hyphens, a letter first and not gcp-"
        checked_name(name, subject, _LONGEST_NAME, r"(?!gcp-)[a-z][a-z0-9-]*", remedy)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._project = args["scope"]["project"]
        self._pool = self._make_pool()
        self.provider_name = self._trust()
        self.preview_account = self._preview()
        deployers = self._deployers()
        self.deploy_accounts = pulumi.Output.all(**deployers) if deployers else pulumi.Output.from_input({})
        self._register()

    def _make_pool(self) -> gcp.iam.WorkloadIdentityPool:
        # The id of a deleted pool is taken for 30 days.
        suffix = random.RandomId(self._prefix, byte_length=4, opts=self._child())
        return gcp.iam.WorkloadIdentityPool(
            self._prefix,
            project=self._project,
            workload_identity_pool_id=pulumi.Output.concat(self._prefix, "-", suffix.hex),
            display_name=self._prefix,
            description=f"Workflows of {self._args['repository']}"[:256],
            opts=self._child(),
        )

    def _trust(self) -> pulumi.Output[str]:
        """Let in tokens that GitHub signed for the repository, and for no other: all the world's have one issuer."""
        return gcp.iam.WorkloadIdentityPoolProvider(
            self._prefix,
            project=self._project,
            workload_identity_pool_id=self._pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github",
            display_name="GitHub Actions",
            oidc={"issuer_uri": ISSUER},  # tokens for this provider alone: its name is their audience
            attribute_mapping={
                "google.subject": "assertion.sub",
                **{f"attribute.{each}": f"assertion.{each}" for each in _ATTRIBUTES},
            },
            attribute_condition=_pinned(self._args),
            opts=self._child(),
        ).name

    def _preview(self) -> pulumi.Output[str]:
        branch = self._args.get("branch", "main")
        account = self._account("preview", preview_account_id(self._args["account_prefix"]), "Previews changes")
        grants = [
            *self._acting(account, "preview", {"pulls": "pull_request", "branch": f"ref:refs/heads/{branch}"}),
            # Nothing that Google adds to these roles one day lets a preview change who may do what.
            *self._roles(account, "preview", self._args.get("preview_roles", PREVIEW_ROLES), ()),
            *self._state(account, "preview", "roles/storage.objectViewer"),
        ]
        return known_after(email_of(account), *grants)

    def _deployers(self) -> dict[str, pulumi.Output[str]]:
        environments = self._args.get("environments", [])
        if not environments:
            return {}
        identities = self._identities()
        return {each: self._deploy(each, identities) for each in environments}

    def _deploy(self, environment: str, identities: pulumi.Output[str]) -> pulumi.Output[str]:
        role = f"deploy-{environment}"
        granted = self._args.get("granted_roles", GRANTED_ROLES)
        account_id = deploy_account_id(self._args["account_prefix"], environment)
        account = self._account(role, account_id, f"Deploys {environment}")
        grants = [
            *self._acting(account, role, {"jobs": f"environment:{environment}"}),
            *self._roles(account, role, self._args.get("deploy_roles", DEPLOY_ROLES), granted),
            *self._roles(account, role, ["roles/resourcemanager.projectIamAdmin"], granted),
            self._grant(account, f"{role}-identities", identities, granted),
            *self._state(account, role, "roles/storage.objectUser"),
        ]
        return known_after(email_of(account), *grants)

    def _identities(self) -> pulumi.Output[str]:
        """The name of a role that makes service accounts. Google's own makes keys of theirs, too."""
        # The id of a deleted role is taken for 37 days.
        suffix = random.RandomId(f"{self._prefix}-identities", byte_length=4, opts=self._child())
        return gcp.projects.IAMCustomRole(
            f"{self._prefix}-identities",
            project=self._project,
            role_id=pulumi.Output.concat(self._prefix.replace("-", "_"), "_identities_", suffix.hex),
            title=f"Maker of service accounts: {self._prefix}",
            description="Makes service accounts, acts as them and says who else does",
            permissions=list(_IDENTITIES),
            stage="GA",
            opts=self._child(),
        ).name

    def _account(self, role: str, account_id: str, description: str) -> gcp.serviceaccount.Account:
        return gcp.serviceaccount.Account(
            f"{self._prefix}-{role}",
            project=self._project,
            account_id=account_id,
            display_name=f"{self._prefix}-{role}"[:100],
            description=description[:256],
            opts=self._child(),
        )

    def _acting(
        self, account: gcp.serviceaccount.Account, role: str, claims: dict[str, str]
    ) -> Iterator[gcp.serviceaccount.IAMMember]:
        """Let workflows whose token has one of these subjects act as the account."""
        for key, claim in claims.items():
            yield gcp.serviceaccount.IAMMember(
                f"{self._prefix}-{role}-{key}",
                service_account_id=account.name,
                role="roles/iam.workloadIdentityUser",
                member=pulumi.Output.concat(
                    "principal://iam.googleapis.com/", self._pool.name, "/subject/", _subject(self._args, claim)
                ),
                opts=self._child(),
            )

    def _roles(
        self, account: gcp.serviceaccount.Account, role: str, roles: Sequence[str], granted: Sequence[str]
    ) -> Iterator[gcp.projects.IAMMember]:
        for each in roles:
            yield self._grant(account, f"{role}-{each.removeprefix('roles/')}", each, granted)

    def _grant(
        self, account: gcp.serviceaccount.Account, key: str, role: pulumi.Input[str], granted: Sequence[str]
    ) -> gcp.projects.IAMMember:
        """On the project, since what a deployment makes is not there yet."""
        title = "Grants what environments grant" if granted else "Grants nothing"
        return gcp.projects.IAMMember(
            f"{self._prefix}-{key}",
            project=self._project,
            role=role,
            member=service_account(email_of(account)),
            condition={"title": title, "expression": _grants_only(granted)},
            opts=self._child(),
        )

    def _state(self, account: gcp.serviceaccount.Account, role: str, may: str) -> Iterator[gcp.storage.BucketIAMMember]:
        if bucket := self._args.get("state_bucket"):
            yield gcp.storage.BucketIAMMember(
                f"{self._prefix}-{role}-state",
                bucket=bucket,
                role=may,
                member=service_account(email_of(account)),
                opts=self._child(),
            )


def _grants_only(roles: Sequence[str]) -> str:
    """A condition that holds for whatever changes no grants of other roles on the project. The provider changes one
    role at a time where several at once are refused, so that any list that has it will do."""
    lists = [list(roles[i : i + _ROLES_IN_A_LIST]) for i in range(0, len(roles), _ROLES_IN_A_LIST)] or [[]]
    changed = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', [])"
    return " || ".join(f"{changed}.hasOnly([{', '.join(map(repr, each))}])" for each in lists)


def _pinned(args: GithubWorkloadIdentityArgs) -> str:
    claims = {"repository": args["repository"]}
    if "repository_ids" in args:
        ids = args["repository_ids"]
        claims |= {"repository_id": ids["repository"], "repository_owner_id": ids["owner"]}
    return " && ".join(f'assertion.{claim} == "{value}"' for claim, value in claims.items())


def _subject(args: GithubWorkloadIdentityArgs, claim: str) -> str:
    """Whom a token of the repository is about, as it says."""
    repository = args["repository"]
    if "repository_ids" in args:
        owner, _, name = repository.partition("/")
        repository = f"{owner}@{args['repository_ids']['owner']}/{name}@{args['repository_ids']['repository']}"
    return f"repo:{repository}:{claim}"


def _problems(args: GithubWorkloadIdentityArgs) -> Iterator[Problem]:
    environments = args.get("environments", [])
    for field, number in args.get("repository_ids", {}).items():
        if not re.fullmatch(r"\d+", str(number)):
            yield Problem(f"repository_ids.{field}", number, "give the number that GitHub's API shows as the id")
    preview = preview_account_id(args["account_prefix"])
    if not re.fullmatch(ACCOUNT_ID, preview):
        remedy = f"makes the account {preview} of {len(preview)} characters; 6 to 30 are taken"
        yield Problem("account_prefix", args["account_prefix"], remedy)
    made: dict[str, str] = {}
    for i, environment in enumerate(environments):
        path, account = f"environments[{i}]", deploy_account_id(args["account_prefix"], environment)
        if not re.fullmatch(_SEGMENT, environment):
            yield Problem(path, environment, "give GitHub's name of it in letters, digits and . _ -")
        elif environment in environments[:i]:
            yield Problem(path, environment, "is listed twice; leave one out")
        elif account in made:
            yield Problem(path, environment, f"makes the account {account}, as {made[account]} does; rename one")
        elif not re.fullmatch(ACCOUNT_ID, account):
            remedy = (
                f"makes the account {account} of {len(account)} characters; 6 to 30 are taken, a letter or digit last"
            )
            yield Problem(path, environment, remedy)
        made.setdefault(account, environment)
        yield from _long_subject(path, environment, _subject(args, f"environment:{environment}"))
    branch = args.get("branch", "main")
    yield from _long_subject("branch", branch, _subject(args, f"ref:refs/heads/{branch}"))
    yield from _role_problems(args)


def _long_subject(path: str, value: str, subject: str) -> Iterator[Problem]:
    if len(subject.encode()) > _LONGEST_SUBJECT:
        remedy = (
            f"makes a subject of {len(subject.encode())} characters, {_LONGEST_SUBJECT} are taken; use a shorter name"
        )
        yield Problem(path, value, remedy)


def _role_problems(args: GithubWorkloadIdentityArgs) -> Iterator[Problem]:
    for field in ("preview_roles", "deploy_roles", "granted_roles"):
        roles: Sequence[str] = args.get(field, ())
        for i, role in enumerate(roles):
            path = f"{field}[{i}]"
            if field == "granted_roles" and re.fullmatch(_CUSTOM_ROLE, role):
                continue
            if re.fullmatch(_ESCALATING, role) and (field != "preview_roles" or role == "roles/viewer"):
                yield Problem(path, role, "is about everything or lets its holder grant more; name roles of products")
            elif not re.fullmatch(_ROLE, role) and role != "roles/browser":
                yield Problem(path, role, "name a predefined role such as roles/pubsub.viewer")
            elif role in roles[:i]:
                yield Problem(path, role, "is listed twice; leave one out")
    most = _ROLES_IN_A_LIST * _MOST_LISTS
    if not 1 <= len(args.get("granted_roles", GRANTED_ROLES)) <= most:
        yield Problem("granted_roles", args.get("granted_roles"), f"name 1 to {most} of them, or leave it out")
