"""Identity on Google Cloud."""

import re
from collections.abc import Iterator
from typing import Any

from ..demands import Demand, judged, matching, never
from ..rule import Resource, Rule, Stack

ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
WIDE = (PROJECT_MEMBER, "gcp:folder/iAMMember:IAMMember", "gcp:organizations/iAMMember:IAMMember")
"""Grants on all that is in a project, a folder or an organization."""

_GRANT = r"I(AM|am)(Member|Binding|Policy)$"
_BASIC = ("roles/owner", "roles/editor", "roles/viewer")
_EVERYONE = ("allUsers", "allAuthenticatedUsers")
_IMPERSONATION = (
    "roles/iam.serviceAccountUser",
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountKeyAdmin",
    "roles/iam.workloadIdentityUser",
)
_NOT_ON_A_RESOURCE = {
    "roles/cloudtrace.agent": "traces are the project's, and Cloud Trace knows no conditions",
    "roles/container.defaultNodeServiceAccount": "nodes write logs and metrics, which are the project's",
    "roles/dns.reader": "zones are found by listing all of a project's, and Cloud DNS knows no conditions",
    "roles/logging.logWriter": "who writes a log names it; Cloud Logging knows no conditions for it",
    "roles/monitoring.metricWriter": "metrics are the project's, and Cloud Monitoring knows no conditions",
    "roles/workflows.invoker": "Workflows has no policies of workflows, and knows no conditions",
}
"""Roles that are granted on a project on no condition, and why there is none."""
_OF_PODS = r"serviceAccount:[a-z0-9.:-]+\.svc\.id\.goog\[[a-z0-9-]+/[a-z0-9.-]+\]"
_OF_POOLS = r"principal(Set)?://iam\.googleapis\.com/.+/(subject|attribute\.\w+)/.+"


def _is_grant(resource: Resource, stack: Stack) -> bool:
    return bool(re.search(_GRANT, resource.type))


def _is_for_workloads(member: Resource, stack: Stack) -> bool:
    return member.inputs.get("role") == "roles/iam.workloadIdentityUser"


def _lets_all_in(grant: Resource, stack: Stack) -> Iterator[str]:
    """What a grant to several says, which has a list."""
    members = grant.inputs.get("members")
    if isinstance(members, list) and any(str(each) in _EVERYONE for each in members):
        yield "`members` names everyone"


def _could_have_a_condition(grant: Resource, stack: Stack) -> bool:
    return str(grant.inputs.get("role")) not in _NOT_ON_A_RESOURCE


def _has_a_condition(grant: Resource, stack: Stack) -> Iterator[str]:
    condition = grant.inputs.get("condition")
    expression = condition.get("expression") if isinstance(condition, dict) else condition
    if not expression:
        yield f"it grants {grant.inputs.get('role')} on everything in the project"


def _none_of(words: str, *values: str) -> Demand:
    return never(words, lambda value: value in values, *values)


def _is_default_account(member: Any) -> bool:
    return str(member).endswith(("-compute@developer.gserviceaccount.com", "@appspot.gserviceaccount.com"))


RULES: tuple[Rule, ...] = (
    Rule(
        "gcp-iam-additive",
        "A grant adds to who may do what: it takes nothing away that somebody else has granted.",
        ("gcp:*",),
        options={
            "type": never(
                "end in IAMMember",
                lambda value: not value.lower().endswith("iammember"),
                "gcp:projects/iAMBinding:IAMBinding",
                "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
                "gcp:secretmanager/secretIamPolicy:SecretIamPolicy",
            )
        },
        when=_is_grant,
    ),
    Rule(
        "gcp-iam-no-public",
        "Nothing is granted to everyone.",
        ("gcp:*",),
        (
            "CKV_GCP_28",
            "CKV_GCP_99",
            "CKV_GCP_101",
            "CKV2_GCP_6",
            "CKV2_GCP_8",
            "GCP-0001",
            "CIS-GCP-1.9",
            "CIS-GCP-5.1",
        ),
        demands={"member": _none_of("not be everyone", *_EVERYONE)},
        check=_lets_all_in,
        when=_is_grant,
    ),
    Rule(
        "gcp-iam-no-basic-role",
        "Nobody is granted a basic role, which is about everything there is.",
        ("gcp:*",),
        ("CKV_GCP_115", "CKV_GCP_116", "CKV_GCP_117"),
        demands={"role": _none_of(f"not be {', '.join(_BASIC)}", *_BASIC)},
        when=_is_grant,
    ),
    Rule(
        "gcp-iam-no-impersonation",
        "Nobody acts as every service account there is, or takes its keys: that is granted on the account.",
        WIDE,
        ("CKV_GCP_41", "CKV_GCP_44", "CKV_GCP_45", "CKV_GCP_49", "CIS-GCP-1.6"),
        demands={"role": _none_of("not let anyone act as all service accounts", *_IMPERSONATION)},
    ),
    Rule(
        "gcp-iam-no-default-accounts",
        "Nothing is granted to the accounts that Google makes for machines and applications which name none.",
        ("gcp:*",),
        ("CKV_GCP_46", "CKV_GCP_47", "CKV_GCP_48"),
        demands={
            "member": never(
                "not be a default service account",
                _is_default_account,
                "serviceAccount:123456789012-compute@developer.gserviceaccount.com",
                "serviceAccount:plinth-123456@appspot.gserviceaccount.com",
            )
        },
        when=_is_grant,
    ),
    Rule(
        "gcp-iam-project-grants",
        "What is granted on a whole project is held to some of it by a condition, where Google Cloud knows any.",
        WIDE,
        demands={"condition.expression": judged("")},
        when=_could_have_a_condition,
        check=_has_a_condition,
    ),
    Rule(
        "gcp-iam-workloads-named",
        "Who acts as a service account through Workload Identity is one account of a namespace, or named by a subject "
        "or an attribute.",
        (ACCOUNT_MEMBER,),
        demands={
            "member": matching(
                f"{_OF_PODS}|{_OF_POOLS}",
                "name a namespace and an account, a subject, or an attribute",
                "serviceAccount:plinth-123456.svc.id.goog[*/*]",
                "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/*",
            )
        },
        when=_is_for_workloads,
    ),
    Rule(
        "gcp-no-service-account-keys",
        "A service account has no key, which would be good wherever it gets to: who acts as it proves who it is.",
        ("gcp:serviceaccount/*",),
        ("CIS-GCP-1.4",),
        options={"type": never("not be a key", lambda value: value.endswith(":Key"), "gcp:serviceaccount/key:Key")},
    ),
)
