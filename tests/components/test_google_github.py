"""What GitHub's workflows may do in a project of Google Cloud."""

import ast
import re
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.security.gcp_github import (
    DEPLOY_ROLES,
    GRANTED_ROLES,
    PREVIEW_ROLES,
    GithubWorkloadIdentity,
    deploy_account_id,
    preview_account_id,
)
from preview.plan import Plan

from ..support import known_plan, one, planned, remedies
from .examples.google_baseline import GITHUB, GITHUB_FULL

POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
SUBJECT = (
    "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci-c0ffee00/subject/"
)


def identity(name: str = "ci", **changes: Any) -> Plan:
    return planned(lambda opts: GithubWorkloadIdentity(name, {**GITHUB, **changes}, opts))  # pyright: ignore[reportArgumentType]


def full(**changes: Any) -> Plan:
    return identity(**{**GITHUB_FULL, **changes})


def refused(name: str = "ci", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GithubWorkloadIdentity(name, {**GITHUB, **changes}))  # pyright: ignore[reportArgumentType]


def acting(plan: Plan) -> dict[str, str]:
    """Whose tokens are whom, by the name of the grant."""
    return {
        each.name: each.inputs["member"].removeprefix(SUBJECT)
        for each in plan.of_type(ACCOUNT_MEMBER)
        if each.inputs["role"] == "roles/iam.workloadIdentityUser"
    }


def granted(plan: Plan, account: str) -> set[str]:
    """The roles of an account on the project."""
    member = f"serviceAccount:{account}@plinth-123456.iam.gserviceaccount.com"
    return {each.inputs["role"] for each in plan.of_type(PROJECT_MEMBER) if each.inputs["member"] == member}


def may_grant(expression: str, *roles: str) -> bool:
    """Whether a condition holds for a request that changes grants of these roles."""
    lists = re.findall(r"hasOnly\((\[[^\]]*\])\)", expression)
    assert expression == " || ".join(
        f"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly({each})" for each in lists
    )
    return any(set(roles) <= set(ast.literal_eval(each)) for each in lists)


def test_tokens_of_the_one_repository_are_let_in() -> None:
    provider = one(identity(), PROVIDER)
    assert provider["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}
    assert provider["attributeCondition"] == 'assertion.repository == "shop/Infrastructure"'


def test_numbers_pin_the_repository_where_they_are_given() -> None:
    assert one(full(), PROVIDER)["attributeCondition"] == (
        'assertion.repository == "shop/Infrastructure" && assertion.repository_id == "456" && '
        'assertion.repository_owner_id == "123"'
    )


def test_a_token_is_known_by_its_subject() -> None:
    mapping = one(identity(), PROVIDER)["attributeMapping"]
    assert mapping["google.subject"] == "assertion.sub"
    assert mapping["attribute.repository_id"] == "assertion.repository_id"
    assert "attribute.environment" not in mapping, "tokens without one would be refused"


def test_a_pool_has_an_id_that_was_never_deleted() -> None:
    assert one(identity(), POOL)["workloadIdentityPoolId"] == "ci-c0ffee00"


def test_pull_requests_and_the_branch_preview_and_nothing_else_of_theirs() -> None:
    assert acting(identity()) == {
        "ci-preview-pulls": "repo:shop/Infrastructure:pull_request",
        "ci-preview-branch": "repo:shop/Infrastructure:ref:refs/heads/main",
    }


def test_jobs_of_an_environment_deploy_as_its_account_alone() -> None:
    plan = identity(environments=["dev", "prod"])
    assert acting(plan)["ci-deploy-dev-jobs"] == "repo:shop/Infrastructure:environment:dev"
    assert acting(plan)["ci-deploy-prod-jobs"] == "repo:shop/Infrastructure:environment:prod"
    member = next(each for each in plan.of_type(ACCOUNT_MEMBER) if each.name == "ci-deploy-prod-jobs")
    (account,) = [each for each in plan.of_type(ACCOUNT) if each.name == "ci-deploy-prod"]
    assert account.urn in plan.waits_for(member.urn)
    assert account.inputs["accountId"] == "shop-deploy-prod"


def test_numbers_stand_in_the_subject_where_they_are_given() -> None:
    assert acting(full())["ci-preview-branch"] == "repo:shop@123/Infrastructure@456:ref:refs/heads/release/1.0"


def test_nobody_deploys_unless_an_environment_is_named() -> None:
    plan = identity()
    assert [each.name for each in plan.of_type(ACCOUNT)] == ["ci-preview"]
    assert plan.of_type(ROLE) == []


def test_accounts_have_ids_that_google_takes() -> None:
    plan = identity(environments=["Prod_EU.1"])
    assert one(plan, ACCOUNT, "ci-deploy-Prod_EU.1")["accountId"] == "shop-deploy-prod-eu-1"
    assert "repo:shop/Infrastructure:environment:Prod_EU.1" in acting(plan).values()


def test_others_can_know_the_ids_of_accounts() -> None:
    plan = identity(environments=["Prod_EU.1"])
    assert one(plan, ACCOUNT, "ci-preview")["accountId"] == preview_account_id("shop") == "shop-preview"
    assert one(plan, ACCOUNT, "ci-deploy-Prod_EU.1")["accountId"] == deploy_account_id("shop", "Prod_EU.1")


def test_no_account_has_a_key() -> None:
    assert full().of_type("gcp:serviceaccount/key:Key") == []


def test_a_preview_reads_configuration_alone() -> None:
    assert granted(identity(), "shop-preview") == set(PREVIEW_ROLES)
    reading = re.compile(r"roles/(browser|[a-z]+\.([a-zA-Z]*[vV]iewer|reader|securityReviewer))")
    # The provider names the project in its requests, and then Google asks for more than reading.
    assert [role for role in PREVIEW_ROLES if not reading.fullmatch(role)] == [
        "roles/serviceusage.serviceUsageConsumer"
    ]
    data = {"roles/logging.viewer", "roles/storage.objectViewer", "roles/secretmanager.secretAccessor"}
    assert not data & set(PREVIEW_ROLES)


def test_a_preview_grants_nothing() -> None:
    for member in identity().of_type(PROJECT_MEMBER):
        expression = member.inputs["condition"]["expression"]
        assert may_grant(expression), member.name
        assert not may_grant(expression, "roles/browser"), member.name


def test_a_deployment_has_roles_of_products_and_makes_accounts() -> None:
    plan = identity(environments=["prod"])
    assert granted(plan, "shop-deploy-prod") == {
        *DEPLOY_ROLES,
        "roles/resourcemanager.projectIamAdmin",
        "projects/plinth-123456/roles/ci_identities_c0ffee00",
    }
    assert not any(re.match(r"roles/(owner|editor|iam\.|orgpolicy\.)", role) for role in DEPLOY_ROLES)


def test_a_deployment_grants_what_environments_grant_and_nothing_else() -> None:
    plan = identity(environments=["prod"])
    for member in plan.of_type(PROJECT_MEMBER):
        if member.name.startswith("ci-deploy-prod-"):
            expression = member.inputs["condition"]["expression"]
            assert all(may_grant(expression, role) for role in GRANTED_ROLES)
            assert may_grant(expression), "what changes no grant is let through"
            for role in (
                "roles/owner",
                "roles/resourcemanager.projectIamAdmin",
                "roles/iam.serviceAccountTokenCreator",
            ):
                assert not may_grant(expression, role)


@pytest.mark.parametrize("stack", ["skipper-gcp-dev", "skipper-gcp-prod"])
def test_what_environments_grant_on_the_project_may_be_granted(stack: str) -> None:
    """But for roles of their own, which a project's settings name."""
    roles = {each.inputs["role"] for each in known_plan(stack).of_type(PROJECT_MEMBER)}
    googles = {role for role in roles if role.startswith("roles/")}
    assert len(googles) > 5
    assert googles <= set(GRANTED_ROLES)
    assert all(re.fullmatch(r"projects/[^/]+/roles/\w+", role) for role in roles - googles)


def test_many_roles_are_granted_by_several_lists() -> None:
    many = [f"roles/run.role{chr(97 + i)}" for i in range(25)]
    plan = identity(environments=["prod"], granted_roles=many)
    expression = one(plan, PROJECT_MEMBER, "ci-deploy-prod-pubsub.admin")["condition"]["expression"]
    lists = [ast.literal_eval(each) for each in re.findall(r"hasOnly\((\[[^\]]*\])\)", expression)]
    assert [len(each) for each in lists] == [10, 10, 5]
    assert all(may_grant(expression, role) for role in many)


def test_who_makes_accounts_makes_no_keys_and_no_tokens() -> None:
    permissions = one(full(), ROLE)["permissions"]
    assert "iam.serviceAccounts.create" in permissions
    assert all(each.startswith("iam.serviceAccounts.") for each in permissions)
    assert not {"iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.signJwt"} & set(permissions)


def test_a_preview_reads_the_state_and_a_deployment_writes_it() -> None:
    roles = {each.name: (each.inputs["bucket"], each.inputs["role"]) for each in full().of_type(BUCKET_MEMBER)}
    assert roles == {
        "ci-preview-state": ("state-1234567", "roles/storage.objectViewer"),
        "ci-deploy-dev-state": ("state-1234567", "roles/storage.objectUser"),
        "ci-deploy-prod-state": ("state-1234567", "roles/storage.objectUser"),
    }
    assert identity().of_type(BUCKET_MEMBER) == []


def test_outputs_are_what_a_workflow_needs() -> None:
    outputs = full().of_type("plinth:index:GithubWorkloadIdentity")[0].outputs
    pool = "projects/123456789012/locations/global/workloadIdentityPools/ci-c0ffee00"
    domain = "plinth-123456.iam.gserviceaccount.com"
    assert outputs == {
        "providerName": f"{pool}/providers/github",
        "previewAccount": f"shop-preview@{domain}",
        "deployAccounts": {"dev": f"shop-deploy-dev@{domain}", "prod": f"shop-deploy-prod@{domain}"},
    }
    assert identity().of_type("plinth:index:GithubWorkloadIdentity")[0].outputs["deployAccounts"] == {}


def test_an_account_is_known_once_it_has_its_roles() -> None:
    def program(opts: pulumi.ResourceOptions) -> None:
        made = GithubWorkloadIdentity("ci", GITHUB_FULL, opts)
        other = pulumi.ResourceOptions(provider=gcp.Provider("other"))
        email = made.deploy_accounts.apply(lambda emails: emails["prod"])
        gcp.storage.Bucket("reader", location="EU", name=email, opts=other)

    plan = planned(program)
    before = plan.waits_for(plan.of_type("gcp:storage/bucket:Bucket")[0].urn)
    granted_before = {each.name for each in plan.resources if each.urn in before and "member" in each.inputs}
    assert {
        "ci-deploy-prod-jobs",
        "ci-deploy-prod-pubsub.admin",
        "ci-deploy-prod-resourcemanager.projectIamAdmin",
        "ci-deploy-prod-identities",
        "ci-deploy-prod-state",
    } <= granted_before


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"repository": "shop/*"}, "repository", "owner/name"),
        ({"branch": "release/*"}, "branch", "one branch"),
        ({"repository_ids": {"owner": "shop", "repository": "1"}}, "repository_ids.owner", "number"),
        ({"environments": ["prod", "prod"]}, "environments[1]", "twice"),
        ({"environments": ["*"]}, "environments[0]", "letters, digits"),
        ({"environments": ["Prod", "prod"]}, "environments[1]", "rename one"),
        ({"environments": ["p" * 20]}, "environments[0]", "of 32 characters"),
        ({"environments": ["prod-"]}, "environments[0]", "digit last"),
        ({"account_prefix": "Shop"}, "account_prefix", "small letters"),
        ({"account_prefix": "s" * 23}, "account_prefix", "of 31 characters"),
        ({"branch": "b" * 100}, "branch", "127 are taken"),
        ({"preview_roles": ["roles/viewer"]}, "preview_roles[0]", "about everything"),
        ({"deploy_roles": ["roles/owner"]}, "deploy_roles[0]", "about everything"),
        ({"deploy_roles": ["roles/iam.securityAdmin"]}, "deploy_roles[0]", "grant more"),
        ({"deploy_roles": ["projects/p/roles/mine"]}, "deploy_roles[0]", "predefined"),
        ({"deploy_roles": ["roles/pubsub.admin"] * 2}, "deploy_roles[1]", "twice"),
        ({"granted_roles": ["roles/resourcemanager.projectIamAdmin"]}, "granted_roles[0]", "grant more"),
        ({"granted_roles": []}, "granted_roles", "1 to 120"),
    ],
)
def test_bad_args_are_refused(changes: dict[str, Any], path: str, words: str) -> None:
    assert words in refused(**changes)[path]


def test_names_that_no_pool_can_have_are_refused() -> None:
    assert "use 23 or fewer" in refused("c" * 24)["name"]
    assert "not gcp-" in refused("gcp-ci")["name"]
