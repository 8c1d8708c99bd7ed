"""Where components stand on Google Cloud, and the names of those who act there."""

import re
from typing import TypedDict

import pulumi
import pulumi_gcp as gcp

PROJECT = r"[a-z][a-z0-9-]{4,28}[a-z0-9]"
"""Shape of a project's id."""
NUMBER = r"[1-9]\d{5,18}"
"""Shape of a project's number."""
REGION = r"[a-z]+-[a-z]+\d{1,2}"
"""Shape of a region. What exists, only Google knows."""
ACCOUNT_ID = r"[a-z][a-z0-9-]{4,28}[a-z0-9]"
"""Shape of the id of a service account, which stands before the `@` of its address."""
LABEL = r"[a-z0-9_-]{0,63}"
"""Shape of a label's value."""


class GcpScope(TypedDict):
    """The project and region that a component stands in. Given, not looked up: a preview asks no cloud."""

    project: str
    """Id of the project."""
    number: str
    """Number of the project, which names Google's own accounts in it."""
    region: str
    """Region, for example `europe-west3`."""


def scope_problem(scope: GcpScope) -> str | None:
    """A rule for args: a scope whose project, number and region can be such."""
    if not re.fullmatch(PROJECT, scope["project"]):
        return "give a project id of 6 to 30 small letters, digits and hyphens, a letter first"
    if not re.fullmatch(NUMBER, scope["number"]):
        return "give the project's number, in quotes"
    return None if re.fullmatch(REGION, scope["region"]) else "give a region like europe-west3"


def account_id_problem(account_id: str) -> str | None:
    """A rule for args: the id of a service account."""
    if re.fullmatch(ACCOUNT_ID, account_id):
        return None
    shape = "6 to 30 small letters, digits and hyphens, a letter first and no hyphen last"
    return f"{len(account_id)} characters; give {shape}"


def service_agent(scope: GcpScope, service: str) -> str:
    """The address of the account by which a Google service acts in the project: `service` is the middle of its domain,
    for example `gcp-sa-pubsub`."""
    return f"service-{scope['number']}@{service}.iam.gserviceaccount.com"


def email_of(account: gcp.serviceaccount.Account) -> pulumi.Output[str]:
    """The address of an account. It follows from its id, so that a preview knows it too, before there is one."""
    return pulumi.Output.all(account.account_id, account.project).apply(
        lambda known: f"{known[0]}@{known[1]}.iam.gserviceaccount.com"
    )


def service_account(email: pulumi.Input[str]) -> pulumi.Output[str]:
    """A service account as IAM names a member."""
    return pulumi.Output.concat("serviceAccount:", email)


def account_email(scope: GcpScope, account_id: str) -> str:
    """The address of a service account of the project, by its id."""
    return f"{account_id}@{scope['project']}.iam.gserviceaccount.com"
