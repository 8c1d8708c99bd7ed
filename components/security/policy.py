"""IAM policy documents as values."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi


class AwsScope(TypedDict):
    """The account and region that a component stands in. Given, not looked up: a preview asks no cloud."""

    account: str
    """Account id, twelve digits."""
    region: str
    """Region, for example `eu-central-1`."""
    partition: NotRequired[str]
    """`aws` (default), `aws-cn` or `aws-us-gov`."""


Principal = Mapping[str, Any] | str
Condition = Mapping[str, Mapping[str, Any]]


def arn(scope: AwsScope, service: str, resource: str, regional: bool = True) -> str:
    """The ARN of a resource in the scope."""
    region = scope["region"] if regional else ""
    return f"arn:{scope.get('partition', 'aws')}:{service}:{region}:{scope['account']}:{resource}"


def document(*statements: Mapping[str, Any]) -> pulumi.Output[str]:
    """The policy document of the statements, as JSON."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]] | None = None,
    principal: Principal | None = None,
    when: Condition | None = None,
) -> dict[str, Any]:
    """A statement that allows the actions. Trust policies name no resources, identity policies no principal."""
    return _statement("Allow", sid, actions, resources, principal, when)


def deny_without_tls(resources: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """A statement that refuses every request which does not come over TLS (CKV_AWS_379)."""
    return _statement("Deny", "TlsOnly", ["s3:*"], resources, {"AWS": "*"}, {"Bool": {"aws:SecureTransport": "false"}})


def trust(scope: AwsScope, service: str, source_arn: pulumi.Input[str] | None = None) -> pulumi.Output[str]:
    """The trust policy by which an AWS service takes a role on behalf of this account, and of no other."""
    when: dict[str, dict[str, Any]] = {"StringEquals": {"aws:SourceAccount": scope["account"]}}
    if source_arn is not None:
        when["ArnLike"] = {"aws:SourceArn": source_arn}
    return document(allow("Trust", ["sts:AssumeRole"], principal={"Service": service}, when=when))


def pod_trust(
    scope: AwsScope,
    cluster_arn: pulumi.Input[str] | None = None,
    namespace: str | None = None,
    service_account: str | None = None,
) -> pulumi.Output[str]:
    """The trust policy by which pods of this account's clusters take a role through EKS Pod Identity: those of one
    cluster, namespace and service account, where they are given."""
    equal: dict[str, Any] = {"aws:SourceAccount": scope["account"]}
    if namespace is not None:
        equal["aws:RequestTag/kubernetes-namespace"] = namespace
    if service_account is not None:
        equal["aws:RequestTag/kubernetes-service-account"] = service_account
    when: dict[str, dict[str, Any]] = {"StringEquals": equal}
    if cluster_arn is not None:
        when["ArnEquals"] = {"aws:SourceArn": cluster_arn}
    principal = {"Service": "pods.eks.amazonaws.com"}
    return document(allow("PodIdentity", ["sts:AssumeRole", "sts:TagSession"], principal=principal, when=when))


def _statement(
    effect: str,
    sid: str,
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]] | None,
    principal: Principal | None,
    when: Condition | None,
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": sid, "Effect": effect, "Action": list(actions)}
    if principal is not None:
        statement["Principal"] = principal
    if resources is not None:
        statement["Resource"] = list(resources)
    if when:
        statement["Condition"] = when
    return statement
