"""What a project of Google Cloud refuses, whoever asks."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name, matching
from ..problems import InputError, Problem, one_of
from .google import REGION, GcpScope, scope_problem

LOCATIONS, DOMAINS = "gcp.resourceLocations", "iam.allowedPolicyMemberDomains"


class Constraint(NamedTuple):
    """What the project refuses, and why."""

    reason: str
    """Why it is refused."""
    rule: Mapping[str, Any]
    """The rule of its policy, as Google has it."""
    tried: str = ""
    """The constraint of the same effect that Google can try: it refuses a dry run of most old ones. Else empty."""


_ENFORCED = {"enforce": "TRUE"}

CONSTRAINTS: Mapping[str, Constraint] = {
    "compute.disableSerialPortAccess": Constraint(
        "A serial console asks nobody who they are but for a key (CIS-GCP-4.5).",
        _ENFORCED,
        "compute.managed.disableSerialPortAccess",
    ),
    "compute.requireOsLogin": Constraint(
        "Who enters a machine is known to IAM, and leaves with it (CIS-GCP-4.4).",
        _ENFORCED,
        "compute.managed.requireOsLogin",
    ),
    "compute.requireShieldedVm": Constraint("A machine starts what was signed, and nothing else.", _ENFORCED),
    "compute.skipDefaultNetworkCreation": Constraint(
        "The default network lets the internet in by SSH (CIS-GCP-3.1).", _ENFORCED
    ),
    "compute.vmExternalIpAccess": Constraint(
        "No machine has an address in the internet (CIS-GCP-4.9).", {"deny_all": "TRUE"}
    ),
    "gcp.restrictTLSVersion": Constraint(
        "TLS 1.0 and 1.1 are broken.",
        {"values": {"denied_values": ["TLS_VERSION_1", "TLS_VERSION_1_1"]}},
        "gcp.restrictTLSVersion",
    ),
    "iam.automaticIamGrantsForDefaultServiceAccounts": Constraint(
        "Google would make the default accounts of services editors of the project (CIS-GCP-4.1).",
        _ENFORCED,
        "iam.managed.preventPrivilegedBasicRolesForDefaultServiceAccounts",
    ),
    "iam.disableServiceAccountKeyCreation": Constraint(
        "A key is good wherever it gets to (CIS-GCP-1.4).", _ENFORCED, "iam.managed.disableServiceAccountKeyCreation"
    ),
    "iam.disableServiceAccountKeyUpload": Constraint(
        "A key of somebody's own is good wherever it gets to (CIS-GCP-1.4).",
        _ENFORCED,
        "iam.managed.disableServiceAccountKeyUpload",
    ),
    "sql.restrictAuthorizedNetworks": Constraint(
        "No instance of Cloud SQL lets addresses of the internet in (CIS-GCP-6.5).", _ENFORCED
    ),
    "sql.restrictPublicIp": Constraint("No instance of Cloud SQL stands in the internet (CIS-GCP-6.6).", _ENFORCED),
    "storage.publicAccessPrevention": Constraint("No bucket is opened to everyone (CIS-GCP-5.1).", _ENFORCED),
    "storage.uniformBucketLevelAccess": Constraint(
        "A bucket's policy says who reads all of its objects (CIS-GCP-5.2).", _ENFORCED
    ),
}
"""What every project refuses, besides places and people that it is told."""
# In the order of Google's enumeration, in which it gives them back.
_CATEGORIES = ("SUSPENSION", "SECURITY", "TECHNICAL", "LEGAL")
_ADDRESS = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_GROUP, _PLACE = r"in:[a-z0-9-]+-locations", r"is:[a-z0-9-]+"
_CUSTOMER = r"C[0-9a-z]{6,12}"
_ORGANIZATION = r"principalSet://iam\.googleapis\.com/organizations/\d+"


class GcpGuardsArgs(TypedDict):
    """What a project refuses, and who hears from Google of its security."""

    scope: GcpScope
    """The project."""
    locations: list[str]
    """Where anything may stand: regions such as `europe-west3`, each with its zones, groups of Google's such as
    `in:eu-locations`, and single places such as `is:europe`: no group has that multi-region of KMS and Artifact
    Registry in it."""
    contacts: list[str]
    """E-mail addresses that hear from Google of the project's security, of its suspension, and of technical and legal
    matters (CIS-GCP-1.16), one or more."""
    language: NotRequired[str]
    """Language in which they hear, such as `en` or `de`. Default: `en`."""
    members: NotRequired[list[str]]
    """Whose people and accounts may be granted anything (`iam.allowedPolicyMemberDomains`): customer ids such as
    `C03xgje4y`, and `principalSet://iam.googleapis.com/organizations/<number>`, which a pool of workload identities
    needs. Access logs of buckets need an exception of their own: a group of google.com writes them. Default:
    everyone's."""
    exceptions: NotRequired[dict[str, str]]
    """Why something is not refused, by constraint. Default: none."""
    dry_run: NotRequired[bool]
    """Whether what would be refused is only logged. Google tries few constraints, some of them under a newer name: all
    others have no policy then. Default: no."""


def _listed_location(locations: list[str]) -> str | None:
    wrong = [each for each in locations if not re.fullmatch(f"{REGION}|{_GROUP}|{_PLACE}", each)]
    if wrong:
        return f"give regions like europe-west3, groups like in:eu-locations or is:<place>, which {wrong[0]} is not"
    return None if locations else "name one or more: otherwise nothing can be made anywhere"


_RULES = {
    "scope": scope_problem,
    "locations": _listed_location,
    "language": matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "give a code such as en or de"),
}


class GcpGuards(Component):
    """What holds in a project for whatever is made there, by policies of its organization: each refuses one thing, and
    `CONSTRAINTS` says why. Machines are entered as IAM knows people (CKV_GCP_33, CIS-GCP-4.4), and Google knows whom to
    tell (CIS-GCP-1.16).

    A project has one. It needs an organization, and who makes it `roles/orgpolicy.policyAdmin` there.

    Raises `InputError` for bad args, and for exceptions from what it does not refuse or without a reason.
    """

    constraints: pulumi.Output[list[str]]
    """Constraints that have a policy here. Known once all of them hold."""

    def __init__(self, name: str, args: GcpGuardsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpGuards {name}"
        args = checked(GcpGuardsArgs, args, subject, _RULES)
        checked_name(name, subject, 100, r"[A-Za-z0-9_-]+", "use letters, digits, _ and -")
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        project, dry_run = args["scope"]["project"], args.get("dry_run", False)
        policies = {
            each: self._policy(name, project, each, rule, dry_run) for each, rule in _policies(args, dry_run).items()
        }
        gcp.compute.ProjectMetadataItem(
            name, project=project, key="enable-oslogin", value="TRUE", opts=self._child(delete_before_replace=True)
        )
        for address in args["contacts"]:
            gcp.essentialcontacts.Contact(
                f"{name}-{hashlib.sha256(address.encode()).hexdigest()[:8]}",  # shows nobody's address
                parent=f"projects/{project}",
                email=address,
                language_tag=args.get("language", "en"),
                notification_category_subscriptions=list(_CATEGORIES),
                opts=self._child(),
            )
        made = sorted(policies)
        self.constraints = pulumi.Output.all(*(policies[each].id for each in made)).apply(lambda _: made)
        self._register()

    def _policy(
        self, name: str, project: str, constraint: str, rule: Mapping[str, Any], dry_run: bool
    ) -> gcp.orgpolicy.Policy:
        # A list of what is allowed stands alone: together with what the organization allows, it would allow more.
        spec: Any = {"rules": [rule]}
        return gcp.orgpolicy.Policy(
            f"{name}-{constraint.replace('.', '-')}",
            name=f"projects/{project}/policies/{constraint}",
            parent=f"projects/{project}",
            spec=None if dry_run else spec,
            dry_run_spec=spec if dry_run else None,
            opts=self._child(),
        )


def _all(args: GcpGuardsArgs) -> dict[str, Constraint]:
    """Everything that the project could refuse."""
    places = [each if each.startswith(("in:", "is:")) else f"in:{each}-locations" for each in args["locations"]]
    found = {
        **CONSTRAINTS,
        LOCATIONS: Constraint("Data stands where it may.", {"values": {"allowed_values": places}}),
    }
    if members := args.get("members"):
        allowed = [f"is:{each}" for each in members]
        found[DOMAINS] = Constraint("Strangers are granted nothing.", {"values": {"allowed_values": allowed}})
    return found


def _policies(args: GcpGuardsArgs, dry_run: bool) -> dict[str, Mapping[str, Any]]:
    """The rule of each policy, by its constraint."""
    left_out = args.get("exceptions", {})
    kept = {each: constraint for each, constraint in _all(args).items() if each not in left_out}
    if dry_run:
        return {constraint.tried: constraint.rule for constraint in kept.values() if constraint.tried}
    return {each: constraint.rule for each, constraint in kept.items()}


def _problems(args: GcpGuardsArgs) -> Iterator[Problem]:
    contacts, members = args["contacts"], args.get("members", [])
    if not contacts:
        yield Problem("contacts", contacts, "name one e-mail address or more, or nobody hears of what Google finds")
    for i, address in enumerate(contacts):
        if not re.fullmatch(_ADDRESS, address):
            yield Problem(f"contacts[{i}]", address, "give an e-mail address, for example security@example.com")
        elif address in contacts[:i]:
            yield Problem(f"contacts[{i}]", address, "is listed twice; leave one out")
    for i, member in enumerate(members):
        if not re.fullmatch(f"{_CUSTOMER}|{_ORGANIZATION}", member):
            remedy = "give a customer id like C03xgje4y, or principalSet://iam.googleapis.com/organizations/<number>"
            yield Problem(f"members[{i}]", member, remedy)
    known = _all(args)
    for constraint, reason in args.get("exceptions", {}).items():
        path = f"exceptions.{constraint}"
        if constraint not in known:
            yield Problem(path, constraint, one_of(sorted(known), constraint))
        elif not reason.strip():
            yield Problem(path, reason, "say why it is not refused")
