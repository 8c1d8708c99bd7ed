"""Identities of services on AWS."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name, known_after
from ..problems import InputError, Problem
from .policy import AwsScope, Condition, allow, arn, document, pod_trust


class StoreGrant(TypedDict):
    """What a service may do with one object store."""

    bucket_arn: pulumi.Input[str]
    """ARN of the bucket."""
    read: NotRequired[bool]
    """Whether it may list and read objects. Default: no."""
    append: NotRequired[bool]
    """Whether it may add objects. Default: no. Versions keep what an object was; deleting is never granted."""


_KEEP = ("CreateSecret", "PutSecretValue", "UpdateSecret", "DescribeSecret", "RestoreSecret", "TagResource")


class PodIdentity(TypedDict):
    """The pods that take a role."""

    cluster_name: pulumi.Input[str]
    """Name of their cluster."""
    cluster_arn: pulumi.Input[str]
    """ARN of their cluster."""
    namespace: str
    """Their namespace."""
    service_account: str
    """Their service account."""


class CredentialGrant(TypedDict):
    """What a service may do with secrets that services keep while they run."""

    prefix: str
    """What their names begin with."""
    keep: NotRequired[bool]
    """Whether it may make, change and delete them. Deleted ones can be had back for a while. Default: no."""
    use: NotRequired[bool]
    """Whether it may read them. Default: no."""


class AwsServiceRoleArgs(TypedDict):
    """What one service needs."""

    scope: AwsScope
    """Account and region in which the service runs."""
    description: str
    """What the service does."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts its secrets and stores."""
    secret_arns: NotRequired[dict[str, pulumi.Input[str]]]
    """ARNs of the secrets that it reads, by purpose. Default: none."""
    stores: NotRequired[dict[str, StoreGrant]]
    """What it may do with which store, by purpose. Default: nothing."""
    further_key_arns: NotRequired[list[pulumi.Input[str]]]
    """ARNs of other KMS keys that encrypt what it reads. Default: none."""
    credentials: NotRequired[CredentialGrant]
    """What it may do with secrets that services keep while they run. Default: nothing."""
    metrics_namespace: NotRequired[str]
    """CloudWatch namespace in which it may report metrics of its own. Default: none."""
    pods: NotRequired[PodIdentity]
    """The pods that take the role. Default: those that an association made elsewhere names, in any cluster of the
    account."""


class AwsServiceRole(Component):
    """The IAM role that a service's pods take through EKS Pod Identity, with exactly what it needs (CKV_AWS_355,
    CKV_AWS_290, CKV2_AWS_40): no wildcard action, no resource that is not its own.

    Raises `InputError` for bad args and for a role that would grant nothing.
    """

    identity: pulumi.Output[str]
    """ARN of the role. Known once the role has its policy, and the pods of `pods` get it."""
    role_name: pulumi.Output[str]
    """Name of the role."""

    def __init__(self, name: str, args: AwsServiceRoleArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsServiceRole {name}"
        args = checked(AwsServiceRoleArgs, args, subject)
        # IAM takes 64 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 56, r"[\w+=,.@-]+", "IAM takes letters, digits and _+=,.@-")
        statements = _Grants(args).statements
        if not statements:
            raise InputError(subject, [Problem("args", name, "grants nothing; name what it needs, or make no role")])
        super().__init__(name, opts)
        pods = args.get("pods")
        role = aws.iam.Role(
            name,
            description=args["description"],
            assume_role_policy=pod_trust(
                args["scope"],
                pods["cluster_arn"] if pods else None,
                pods["namespace"] if pods else None,
                pods["service_account"] if pods else None,
            ),
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(name, role=role.id, policy=document(*statements), opts=self._child())
        known: list[pulumi.Output[str]] = [policy.id]
        if pods:
            association = aws.eks.PodIdentityAssociation(
                name,
                cluster_name=pods["cluster_name"],
                namespace=pods["namespace"],
                service_account=pods["service_account"],
                role_arn=role.arn,
                opts=self._child(),
            )
            # A pod gets its role when it is made, and never later.
            known.append(association.id)
        self.identity = known_after(role.arn, *known)
        self.role_name = role.name
        self._register()


class _Grants:
    """The statements of a role, and the services through which it uses keys."""

    def __init__(self, args: AwsServiceRoleArgs):
        self._args = args
        self._through: set[str] = set()
        self._encrypts = False
        self.statements: list[dict[str, Any]] = []
        self._secrets(args.get("secret_arns", {}))
        for purpose, store in args.get("stores", {}).items():
            self._store("".join(character for character in purpose.title() if character.isalnum()), store)
        if "credentials" in args:
            self._credentials(args["credentials"])
        if "metrics_namespace" in args:
            # CloudWatch has no ARN for metrics: the namespace is all that can be named.
            named = {"StringEquals": {"cloudwatch:namespace": args["metrics_namespace"]}}
            self._allow("Metrics", ["cloudwatch:PutMetricData"], ["*"], named)
        if self._through:
            self._keys()

    def _allow(
        self, sid: str, actions: list[str], resources: list[pulumi.Input[str]], when: Condition | None = None
    ) -> None:
        self.statements.append(allow(sid, actions, resources, when=when))

    def _secrets(self, arns: dict[str, pulumi.Input[str]]) -> None:
        if arns:
            actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
            self._allow("Secrets", actions, list(arns.values()))
            self._through.add("secretsmanager")

    def _store(self, sid: str, store: StoreGrant) -> None:
        objects = pulumi.Output.concat(store["bucket_arn"], "/*")
        if store.get("read", False):
            self._allow(f"List{sid}", ["s3:ListBucket"], [store["bucket_arn"]])
            self._allow(f"Read{sid}", ["s3:GetObject", "s3:GetObjectVersion"], [objects])
            self._through.add("s3")
        if store.get("append", False):
            self._allow(f"Append{sid}", ["s3:PutObject"], [objects])
            # S3 decrypts what it has of an upload in parts before it adds the next.
            self._through.add("s3")
            self._encrypts = True

    def _credentials(self, grant: CredentialGrant) -> None:
        theirs: list[pulumi.Input[str]] = [arn(self._args["scope"], "secretsmanager", f"secret:{grant['prefix']}*")]
        if grant.get("use", False):
            self._allow("UseCredentials", ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], theirs)
            self._through.add("secretsmanager")
        if grant.get("keep", False):
            changes = [
                "CreateSecret",
                "PutSecretValue",
                "UpdateSecret",
                "TagResource",
                "DescribeSecret",
                "RestoreSecret",
            ]
            self._allow("KeepCredentials", [f"secretsmanager:{change}" for change in changes], theirs)
            # Secrets Manager can delete at once, beyond recovery; that is not for services.
            recoverable = {"BoolIfExists": {"secretsmanager:ForceDeleteWithoutRecovery": "false"}}
            self._allow("DropCredentials", ["secretsmanager:DeleteSecret"], theirs, recoverable)
            self._through.add("secretsmanager")
            self._encrypts = True

    def _keys(self) -> None:
        region = self._args["scope"]["region"]
        through = {"kms:ViaService": [f"{service}.{region}.amazonaws.com" for service in sorted(self._through)]}
        actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if self._encrypts else [])]
        self._allow("Key", actions, [self._args["key_arn"]], {"StringEquals": through})
        if further := self._args.get("further_key_arns", []):
            self._allow("FurtherKeys", ["kms:Decrypt"], further, {"StringEquals": through})
