"""The ways to break the sound stack, by the rule that must notice."""

import json
from typing import Any

from preview.plan import UNKNOWN

from .breaking import Break, changed, with_options, with_policy, without
from .concerns import CONCERNS
from .planted import CONTAINER, FORCED, LOGGED, OF_ACCOUNT, POD, TAKES_LOGS, TASK_CONTAINER, TLS_ONLY
from .sketch import ACCOUNT, GOOGLE, HOME, Sketch, allow, document, of_account


def tagged(**tags: str) -> Break:
    """Break a stack by giving its provider these tags alone."""
    return changed(HOME, defaultTags=json.dumps({"tags": tags}))


def labelled(**labels: str) -> Break:
    """Break a stack by giving its provider for Google Cloud other labels."""
    sound = {"system": "a", "environment": "b", "tier": "prod", "managed-by": "d", "owner": "e"}
    return changed(GOOGLE, defaultLabels=json.dumps({**sound, **labels}))


def trusting(**statement: Any) -> Break:
    """Break a stack by the one statement of a role's trust policy."""
    return changed("role", assumeRolePolicy=allow(Action="sts:AssumeRole", **statement))


def granting(**statement: Any) -> Break:
    """Break a stack by the one statement of a role's policy."""
    return changed("role-policy", policy=allow(**statement))


def without_parameter(name: str) -> Break:
    """Break a stack by leaving a parameter out of the database's parameter group."""
    kept = [each for each in [*LOGGED, FORCED] if each["name"] != name]
    return changed("parameters", parameters=kept)


def with_lifecycle(**rule: Any) -> Break:
    """Break a stack by the one rule of a bucket's lifecycle."""
    return changed("bucket-lifecycle", rules=[{"status": "Enabled", **rule}])


def encrypting(name: str, **rule: Any) -> Break:
    """Break a stack by the one rule of a bucket's default encryption."""
    return changed(f"{name}-encryption", rules=[rule])


def to_data_table(sketch: Sketch) -> None:
    """Break a stack by a route from the database's subnets to the internet."""
    sketch.drop("way-out")
    sketch.add("aws:ec2/route:Route", "way-out", {}, {"routeTableId": "data-table", "gatewayId": "gateway"})


def copied_at_home(name: str) -> Break:
    """Break a stack by moving what stands in the other region home."""
    return lambda sketch: sketch.set(name, provider=sketch.urn(HOME))


def with_replication(**rule: Any) -> Break:
    """Break a stack by the one rule of a bucket's replication."""
    return lambda sketch: sketch.change("bucket-replication", rules=[rule])


def in_pod(**settings: Any) -> Break:
    """Break a stack by settings of a pod."""
    return changed("once", spec={**POD, **settings})


def in_container(**settings: Any) -> Break:
    """Break a stack by settings of the one container of a scheduled job's pods."""
    pod = {**POD, "containers": [{**CONTAINER, **settings}]}
    return changed("nightly", spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}})


def in_first_container(**settings: Any) -> Break:
    """Break a stack by settings of a container that runs before the others."""
    pod = {**POD, "initContainers": [{**CONTAINER, **settings}]}
    return changed("web", spec={"template": {"spec": pod}})


def in_task(**settings: Any) -> Break:
    """Break a stack by settings of the one container of a task."""
    return changed("task", containerDefinitions=json.dumps([{**TASK_CONTAINER, **settings}]))


def secured(**settings: Any) -> dict[str, Any]:
    """The security context of the sound container with other settings."""
    return {**CONTAINER["securityContext"], **settings}


KMS = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": UNKNOWN}
ENDS = {"noncurrentVersionExpiration": {"noncurrentDays": 90}}
ABORTS = {"abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}
LIMITED = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::it/*"}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SERVICE = {"Service": "logs.amazonaws.com"}

STATEFUL = ("database", "bucket", "key", "backup-vault", "broker", "cache")

BREAKS: dict[str, list[Break]] = {
    "explicit-provider": [
        with_options("database", provider=""),
        with_options("namespace", provider=""),
        with_options("database", provider="urn:pulumi:test::plinth::pulumi:providers:aws::default_7_51_1"),
    ],
    "stateful-protected": [with_options(name, protect=False) for name in STATEFUL],
    "provider-account": [
        changed(HOME, allowedAccountIds=None),
        changed(HOME, allowedAccountIds="[]"),
        changed(HOME, allowedAccountIds='["mine"]'),
    ],
    "provider-region": [changed(HOME, region=None), changed(GOOGLE, region=None)],
    "provider-google-project": [changed(GOOGLE, project=None), changed(GOOGLE, project="Ours")],
    "provider-google-cost-labels": [changed(GOOGLE, defaultLabels=None), labelled(owner="")],
    "provider-google-stays": [labelled(decommission="true")],
    "provider-google-no-credentials": [
        changed(GOOGLE, accessToken="[secret]"),
        changed(GOOGLE, credentials="[secret]"),
    ],
    "provider-cost-tags": [
        changed(HOME, defaultTags=None),
        tagged(system="a", environment="b", tier="c", owner="d"),
        tagged(**{"system": "a", "environment": "b", "tier": "c", "managed-by": "d", "owner": ""}),
    ],
    "provider-stays": [
        tagged(
            **{
                "system": "a",
                "environment": "b",
                "tier": "prod",
                "managed-by": "d",
                "owner": "e",
                "decommission": "true",
            }
        )
    ],
    "provider-no-credentials": [changed(HOME, accessKey="it"), changed(HOME, secretKey="[secret]")],
    "allowed-region": [
        changed(HOME, region="us-west-2"),
        changed(HOME, region="us-east-1"),
        changed("bucket", region="us-west-2"),
        changed(GOOGLE, region="us-central1"),
        changed("placed", region="asia-east1"),
        changed("placed-at-home", location="US"),
    ],
    "rds-size": [
        changed("database", instanceClass="db.r7g.16xlarge"),
        changed("replica", instanceClass="db.r7i.metal"),
    ],
    "instance-size": [changed("machine", instanceType="m7g.12xlarge")],
    "template-size": [changed("template", instanceType="m7g.12xlarge")],
    "vpc-flow-logs": [
        without("flow-log"),
        changed("flow-log", vpcId=None),
        changed("flow-log", trafficType="REJECT"),
        changed("flow-log", logDestination=None),
    ],
    "vpc-default-group-locked": [
        without("default-group"),
        changed("default-group", ingress=[{"protocol": "-1"}]),
        changed("default-group", egress=UNKNOWN),
    ],
    "vpc-gateway-endpoints": [
        without("s3-endpoint"),
        without("dynamodb-endpoint"),
        changed("s3-endpoint", vpcEndpointType="Interface"),
        changed("s3-endpoint", routeTableIds=None),
    ],
    "vpc-interface-endpoints": [
        changed("endpoint", privateDnsEnabled=None),
        changed("endpoint", securityGroupIds=[]),
        changed("endpoint", subnetIds=None),
    ],
    "subnet-no-public-addresses": [
        changed("subnet-a", mapPublicIpOnLaunch=True),
        changed("subnet-a", mapPublicIpOnLaunch=None),
    ],
    "database-subnet-acl": [without("acl-a"), changed("acl-b", networkAclId=None)],
    "database-subnet-no-internet": [
        without("table-a"),
        to_data_table,
        changed("data-table", routes=[{"natGatewayId": "nat-1"}]),
    ],
    "database-subnets-span-zones": [
        changed("subnets", subnetIds=None),
        changed("subnet-a", availabilityZone=f"{HOME}b"),
        changed("subnet-a", availabilityZone=None),
        without("subnet-c"),
    ],
    "network-acl-narrow": [
        changed("acl-rule", protocol="-1"),
        changed("acl-rule", cidrBlock="0.0.0.0/0"),
        changed("acl-rule", cidrBlock=None, ipv6CidrBlock="::/0"),
        changed("acl-rule", fromPort=0, toPort=65535),
        changed("acl-rule", fromPort=None),
    ],
    "security-group-described": [
        changed("group", description="Managed by Pulumi"),
        changed("ingress", description=None),
        changed("egress", description=""),
    ],
    "security-group-rules-apart": [
        changed("group", ingress=[{"protocol": "tcp"}]),
        changed("group", egress=[{"protocol": "tcp"}]),
    ],
    "security-group-no-public-ingress": [
        changed("ingress", cidrIpv4="0.0.0.0/0"),
        changed("ingress", cidrIpv4="128.0.0.0/1"),
        changed("ingress", cidrIpv4=None, cidrIpv6="::/0"),
    ],
    "security-group-named-ports": [
        changed("ingress", ipProtocol="-1"),
        changed("egress", ipProtocol="-1"),
        changed("egress", fromPort=1, toPort=65535),
        changed("egress", toPort=None),
    ],
    "kms-rotation": [changed("key", enableKeyRotation=False), changed("key", enableKeyRotation=None)],
    "kms-policy": [
        changed("key", policy=None),
        changed("key", policy=document({**OF_ACCOUNT, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}})),
        changed("key", policy=document({**OF_ACCOUNT, "Action": "kms:Decrypt"})),
        changed("key", bypassPolicyLockoutSafetyCheck=True),
    ],
    "kms-deletion-window": [changed("key", deletionWindowInDays=None), changed("key", deletionWindowInDays=7)],
    "log-group-encrypted": [changed("flows", kmsKeyId=None)],
    "log-group-retention": [changed("flows", retentionInDays=None), changed("flows", retentionInDays=0)],
    "log-group-year": [changed("flows", retentionInDays=90)],
    "rds-encrypted": [
        changed("database", storageEncrypted=False),
        changed("database", storageEncrypted=None),
        changed("replica", kmsKeyId=None),
    ],
    "rds-private": [changed("database", publiclyAccessible=True), changed("replica", publiclyAccessible=None)],
    "rds-guarded": [changed("database", vpcSecurityGroupIds=[]), changed("proxy", vpcSecurityGroupIds=None)],
    "rds-own-subnets": [
        changed("database", dbSubnetGroupName=None),
        changed("standby", dbSubnetGroupName=None),
        changed("replica", replicateSourceDb="arn:aws:rds:us-east-1:123456789012:db:source"),
    ],
    "rds-standby": [changed("database", multiAz=False), changed("database", multiAz=None)],
    "rds-backups": [
        changed("database", backupRetentionPeriod=None),
        changed("database", backupRetentionPeriod=6),
        changed("standby", backupRetentionPeriod=None),
    ],
    "rds-backups-elsewhere": [
        without("backups-away"),
        changed("backups-away", retentionPeriod=6),
        copied_at_home("backups-away"),
    ],
    "rds-backups-elsewhere-encrypted": [changed("backups-away", kmsKeyId=None)],
    "rds-last-snapshot": [
        changed("database", skipFinalSnapshot=True),
        changed("database", finalSnapshotIdentifier=None),
        changed("database", deleteAutomatedBackups=None),
    ],
    "rds-deletion-protection": [
        changed("database", deletionProtection=False),
        changed("replica", deletionProtection=None),
    ],
    "rds-tagged-snapshots": [changed("database", copyTagsToSnapshot=False)],
    "rds-iam-authentication": [changed("database", iamDatabaseAuthenticationEnabled=None)],
    "rds-managed-password": [
        changed("database", manageMasterUserPassword=None),
        changed("database", masterUserSecretKmsKeyId=None),
        changed("database", password="[secret]"),
        changed("database", passwordWo=UNKNOWN),
    ],
    "rds-own-password": [
        changed("source", manageMasterUserPassword=True),
        changed("source", masterUserSecretKmsKeyId=UNKNOWN),
        changed("source", password=None),
        changed("database", tags={"replicated": "in another region"}),
    ],
    "rds-replica-no-password": [
        changed("replica", password="[secret]"),
        changed("replica", manageMasterUserPassword=True),
        changed("replica", username="postgres"),
    ],
    "rds-no-blue-green-with-replicas": [changed("source", blueGreenUpdate={"enabled": True})],
    "rds-force-tls": [
        changed("database", parameterGroupName=None),
        changed("database", parameterGroupName="default.postgres17"),
        without_parameter("rds.force_ssl"),
        changed("parameters", parameters=[*LOGGED, {"name": "rds.force_ssl", "value": "0"}]),
        changed("parameters", parameters=None),
    ],
    "rds-certificate": [
        changed("database", caCertIdentifier=None),
        changed("database", caCertIdentifier="rds-ca-2019"),
    ],
    "rds-enhanced-monitoring": [
        changed("database", monitoringInterval=0),
        changed("database", monitoringRoleArn=None),
    ],
    "rds-performance-insights": [changed("database", performanceInsightsEnabled=None)],
    "rds-performance-insights-encrypted": [changed("database", performanceInsightsKmsKeyId=None)],
    "rds-logs": [
        changed("database", enabledCloudwatchLogsExports=None),
        changed("database", enabledCloudwatchLogsExports=["upgrade"]),
    ],
    "rds-log-groups": [
        without("database-postgresql"),
        changed("replica-upgrade", name="/elsewhere"),
        with_options("database", dependencies=[]),
    ],
    "rds-query-logs": [
        without_parameter("log_statement"),
        changed("parameters", parameters=[FORCED, LOGGED[0], {**LOGGED[1], "value": "-1"}]),
    ],
    "rds-parameter-group-named-apart": [changed("parameters", name="parameters")],
    "rds-version": [
        changed("database", engineVersion=None),
        changed("database", engineVersion="17.4"),
        changed("database", engineVersion="14"),
    ],
    "rds-minor-upgrades": [changed("database", autoMinorVersionUpgrade=False)],
    "rds-no-extended-support": [
        changed("database", engineLifecycleSupport=None),
        changed("replica", engineLifecycleSupport="open-source-rds-extended-support"),
    ],
    "rds-growing-storage": [
        changed("database", storageType="gp2"),
        changed("database", maxAllocatedStorage=None),
        changed("database", maxAllocatedStorage=20),
    ],
    "rds-proxy-tls": [changed("proxy", requireTls=False), changed("proxy", requireTls=None)],
    "rds-proxy-credentials": [
        changed("proxy", auths=[]),
        changed("proxy", auths=[{"authScheme": "SECRETS"}]),
        changed("proxy", roleArn=None),
    ],
    "rds-proxy-quiet": [changed("proxy", debugLogging=True)],
    "s3-public-access-block": [
        without("bucket-block"),
        changed("bucket-block", blockPublicAcls=None),
        changed("bucket-block", blockPublicPolicy=False),
        changed("bucket-block", ignorePublicAcls=None),
        changed("bucket-block", restrictPublicBuckets=False),
        changed("logs-block", bucket="another"),
    ],
    "s3-no-acls": [
        without("bucket-owner"),
        changed("bucket-owner", rule={"objectOwnership": "ObjectWriter"}),
    ],
    "s3-tls-only": [
        without("bucket-policy"),
        with_policy("bucket-policy", LIMITED),
        with_policy("bucket-policy", {**TLS_ONLY, "Effect": "Allow"}),
        with_policy("bucket-policy", {**TLS_ONLY, "Action": "s3:PutObject"}),
        with_policy("bucket-policy", {**TLS_ONLY, "Principal": {"AWS": ACCOUNT}}),
        with_policy("bucket-policy", {**TLS_ONLY, "Resource": "arn:aws:s3:::it/*"}),
        with_policy("bucket-policy", {**TLS_ONLY, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        with_policy("bucket-policy", {**TLS_ONLY, "Condition": {**TLS_ONLY["Condition"], **of_account()}}),
    ],
    "s3-encrypted": [without("logs-encryption"), encrypting("logs", bucketKeyEnabled=False)],
    "s3-encrypted-with-key": [
        without("bucket-encryption"),
        encrypting("bucket", applyServerSideEncryptionByDefault={"sseAlgorithm": "AES256"}, bucketKeyEnabled=True),
        encrypting("bucket", applyServerSideEncryptionByDefault={"sseAlgorithm": "aws:kms"}, bucketKeyEnabled=True),
        encrypting("bucket", applyServerSideEncryptionByDefault=KMS),
    ],
    "s3-log-target": [
        encrypting("logs", applyServerSideEncryptionByDefault=KMS),
        with_policy("logs-policy", TLS_ONLY),
        with_policy("logs-policy", TLS_ONLY, {**TAKES_LOGS, "Principal": {"Service": "s3.amazonaws.com"}}),
    ],
    "s3-versioning": [
        without("bucket-versioning"),
        changed("bucket-versioning", versioningConfiguration={"status": "Suspended"}),
    ],
    "s3-access-logs": [without("bucket-logging"), changed("bucket-logging", targetPrefix="")],
    "s3-lifecycle": [
        without("bucket-lifecycle"),
        with_lifecycle(**ABORTS),
        with_lifecycle(**ENDS, status="Disabled"),
        with_lifecycle(**ENDS, filter={"prefix": "tmp/"}),
    ],
    "s3-aborts-uploads": [
        without("bucket-lifecycle"),
        with_lifecycle(**ENDS),
        with_lifecycle(**ABORTS, status="Disabled"),
        with_lifecycle(**ABORTS, filter={"prefix": "tmp/"}),
    ],
    "s3-copied-elsewhere": [
        without("bucket-replication"),
        with_replication(status="Disabled"),
        changed("bucket-replication", role=None),
        copied_at_home("copy"),
    ],
    "s3-keeps-objects": [changed("bucket", forceDestroy=True), changed("bucket", forceDestroy=None)],
    "s3-sides-apart": [changed("bucket", acl="public-read"), changed("bucket", versioning={"enabled": True})],
    "s3-current-types": [
        with_options("bucket", type="aws:s3/bucketV2:BucketV2"),
        with_options("bucket-versioning", type="aws:s3/bucketVersioningV2:BucketVersioningV2"),
    ],
    "secret-encrypted": [changed("secret", kmsKeyId=None)],
    "secret-recovery": [changed("secret", recoveryWindowInDays=None), changed("secret", recoveryWindowInDays=0)],
    "secret-rotation": [
        changed("rotation", rotationRules={"automaticallyAfterDays": 91}),
        changed("rotation", rotationRules=None),
    ],
    "parameter-secure": [changed("parameter", type="String"), changed("parameter", keyId=None)],
    "iam-named-actions": [
        changed("role-policy", policy=None),
        granting(Action="*", Resource="arn:aws:s3:::it"),
        granting(Action="*", Resource="arn:aws:s3:::it", Condition=of_account()),
        granting(Action=["s3:Get*"], Resource="arn:aws:s3:::it"),
        granting(NotAction="iam:*", Resource="arn:aws:s3:::it"),
    ],
    "iam-named-resources": [
        granting(Action="s3:GetObject", Resource="*"),
        granting(Action="s3:GetObject", Resource=["arn:aws:s3:::*"]),
        granting(Action="s3:GetObject", NotResource="arn:aws:s3:::it"),
    ],
    "iam-trust": [
        changed("role", assumeRolePolicy=None),
        trusting(Principal="*"),
        trusting(Principal={"AWS": ["*"]}),
        trusting(Principal=SERVICE),
        trusting(Principal=SERVICE, Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::it"}}),
        trusting(Principal={"Service": ["ec2.amazonaws.com", "logs.amazonaws.com"]}),
        trusting(Principal={"Service": "eks.amazonaws.com"}),
        trusting(Principal={"Federated": "arn:aws:iam::1:oidc-provider/x"}),
    ],
    "iam-no-administrator": [changed("attachment", policyArn=ADMINISTRATOR)],
    "iam-policies-apart": [
        changed("role", inlinePolicies=[{"name": "x"}]),
        changed("role", managedPolicyArns=[ADMINISTRATOR]),
    ],
    "policy-not-for-everyone": [
        with_policy("bucket-policy", TLS_ONLY, {**LIMITED, "Principal": "*"}),
        with_policy("key", OF_ACCOUNT, {**OF_ACCOUNT, "Principal": {"AWS": "*"}, "Condition": of_account()}),
        with_policy("secret", {**LIMITED, "NotPrincipal": {"AWS": ACCOUNT}}),
    ],
    "policy-service-source": [
        with_policy("logs-policy", TLS_ONLY, {**LIMITED, "Principal": SERVICE}),
        with_policy("key", OF_ACCOUNT, {**OF_ACCOUNT, "Principal": SERVICE}),
    ],
    "kubernetes-pod-security": [
        changed("namespace", metadata={"name": "shop"}),
        changed("namespace", metadata={"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}),
    ],
    "kubernetes-default-deny": [
        without("deny"),
        changed("deny", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
        changed("deny", spec={"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Ingress", "Egress"]}),
        changed("deny", spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]}),
    ],
    "kubernetes-provider-identified": [changed("cluster", clusterIdentifier=None)],
    "pod-non-root": [
        in_pod(securityContext=None),
        in_pod(securityContext={**POD["securityContext"], "runAsNonRoot": False}),
        in_pod(securityContext={**POD["securityContext"], "runAsUser": 0}),
        in_container(securityContext=secured(runAsNonRoot=False)),
        in_first_container(securityContext=secured(runAsUser=0)),
    ],
    "pod-read-only-root": [
        in_container(securityContext=None),
        in_container(securityContext=secured(readOnlyRootFilesystem=False)),
        in_first_container(securityContext=secured(readOnlyRootFilesystem=False)),
        in_pod(containers=[]),
    ],
    "pod-no-escalation": [
        in_container(securityContext=secured(allowPrivilegeEscalation=None)),
        in_first_container(securityContext=secured(privileged=True)),
    ],
    "pod-no-capabilities": [
        in_container(securityContext=secured(capabilities={"drop": ["NET_RAW"]})),
        in_first_container(securityContext=secured(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]})),
    ],
    "pod-seccomp": [
        in_pod(securityContext={"runAsNonRoot": True}),
        in_container(securityContext=secured(seccompProfile={"type": "Unconfined"})),
    ],
    "pod-apart-from-node": [
        in_pod(hostNetwork=True),
        in_pod(hostPID=True),
        in_pod(hostIPC=True),
        in_pod(volumes=[{"name": "scratch", "emptyDir": {}}, {"name": "all", "hostPath": {"path": "/"}}]),
        in_container(ports=[{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]),
    ],
    "pod-images-pinned": [
        in_container(image="registry.example:5000/shop/web"),
        in_container(image="shop/web:latest"),
        in_first_container(image="web"),
    ],
    "pod-resources": [
        in_container(resources={"requests": CONTAINER["resources"]["requests"]}),
        in_container(resources={**CONTAINER["resources"], "limits": {"cpu": "1"}}),
        in_first_container(resources={}),
    ],
    "pod-probes": [
        changed("web", spec={"template": {"spec": {**POD, "containers": [{**CONTAINER, "livenessProbe": None}]}}}),
        changed("web", spec={"template": {"spec": {**POD, "containers": [{**CONTAINER, "readinessProbe": {}}]}}}),
    ],
    "task-read-only-root": [in_task(readonlyRootFilesystem=False), changed("task", containerDefinitions="[]")],
    "task-unprivileged": [
        in_task(user=None),
        in_task(user="root"),
        in_task(user="0:1000"),
        in_task(privileged=True),
        in_task(linuxParameters={"capabilities": {"add": ["SYS_PTRACE"]}}),
        changed("task", networkMode="host"),
        changed("task", pidMode="host"),
    ],
    "task-images-pinned": [in_task(image="shop/web"), in_task(image="shop/web:latest")],
    "task-resources": [changed("task", cpu=None), changed("task", memory=None)],
    "task-logs": [in_task(logConfiguration=None)],
} | {rule: breaks for concern in CONCERNS for rule, breaks in concern.BREAKS.items()}
"""The ways to break the sound stack, by the rule that must notice."""
