"""A small stack, written by hand and sound by every rule.

It owes nothing to the components: it is what the rules are held against.
"""

import json
from typing import Any

from preview.plan import SECRET, UNKNOWN

from .concerns import CONCERNS
from .sketch import ACCOUNT, AWAY, GOOGLE, HOME, Sketch, allow, document, of_account

TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::it", "arn:aws:s3:::it/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
TAKES_LOGS = {
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::it/*",
    "Condition": of_account(),
}
OF_ACCOUNT = {
    "Sid": "Account",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
FORCED = {"name": "rds.force_ssl", "value": "1"}
LOGGED = [{"name": "log_statement", "value": "ddl"}, {"name": "log_min_duration_statement", "value": "1000"}]


IMAGE = "registry.example:5000/shop/web:1.2.3"
CONTAINER = {
    "name": "web",
    "image": IMAGE,
    "ports": [{"containerPort": 8080}],
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {kind: {"cpu": "100m", "memory": "128Mi"} for kind in ("requests", "limits")},
    "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}},
    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
}
POD = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "containers": [CONTAINER],
}
TASK_CONTAINER = {
    "name": "web",
    "image": f"shop/web@sha256:{'0' * 64}",
    "user": "1000:1000",
    "readonlyRootFilesystem": True,
    "logConfiguration": {"logDriver": "awslogs"},
}


def sound(tier: str = "prod") -> Sketch:
    """The stack that breaks no rule. In dev it has what only dev may have."""
    sketch = Sketch(tier)
    _keys(sketch)
    _network(sketch)
    _database(sketch)
    _stores(sketch)
    _identities(sketch)
    _cluster(sketch)
    _machines(sketch)
    _workloads(sketch)
    sketch.add("gcp:compute/address:Address", "placed", {"region": GOOGLE}, provider=GOOGLE)
    sketch.add("gcp:compute/globalAddress:GlobalAddress", "placed-at-home", {}, provider=GOOGLE)
    for concern in CONCERNS:
        concern.plant(sketch)
    return sketch


def _keys(sketch: Sketch) -> None:
    durable = sketch.tier != "dev"
    key = {"enableKeyRotation": True, "policy": document(OF_ACCOUNT), "deletionWindowInDays": 30 if durable else 7}
    sketch.add("aws:kms/key:Key", "key", key, protect=durable)
    sketch.add("aws:kms/key:Key", "away-key", key, protect=durable, provider=AWAY)
    secret = {"recoveryWindowInDays": 7 if durable else 0}
    sketch.add("aws:secretsmanager/secret:Secret", "secret", secret, {"kmsKeyId": "key"})
    sketch.add(
        "aws:secretsmanager/secretRotation:SecretRotation",
        "rotation",
        {"rotationRules": {"automaticallyAfterDays": 90}},
        {"secretId": "secret"},
    )
    sketch.add("aws:ssm/parameter:Parameter", "parameter", {"type": "SecureString"}, {"keyId": "key"})


def _network(sketch: Sketch) -> None:
    sketch.add("aws:ec2/vpc:Vpc", "vpc", {"cidrBlock": "10.0.0.0/16"})
    sketch.add("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default-group", {}, {"vpcId": "vpc"})
    days = 365 if sketch.tier == "prod" else 1
    sketch.add("aws:cloudwatch/logGroup:LogGroup", "flows", {"retentionInDays": days}, {"kmsKeyId": "key"})
    sketch.add(
        "aws:ec2/flowLog:FlowLog",
        "flow-log",
        {"trafficType": "ALL"},
        {"vpcId": "vpc", "logDestination": "flows"},
    )
    sketch.add("aws:ec2/networkAcl:NetworkAcl", "acl", {}, {"vpcId": "vpc"})
    tcp = {"protocol": "6", "ruleAction": "allow", "fromPort": 5432, "toPort": 5432, "egress": False}
    sketch.add(
        "aws:ec2/networkAclRule:NetworkAclRule",
        "acl-rule",
        {**tcp, "cidrBlock": "10.0.0.0/17"},
        {"networkAclId": "acl"},
    )
    sketch.add("aws:ec2/routeTable:RouteTable", "data-table", {}, {"vpcId": "vpc"})
    sketch.add("aws:ec2/routeTable:RouteTable", "public-table", {}, {"vpcId": "vpc"})
    sketch.add("aws:ec2/internetGateway:InternetGateway", "gateway", {}, {"vpcId": "vpc"})
    sketch.add(
        "aws:ec2/route:Route",
        "way-out",
        {"destinationCidrBlock": "0.0.0.0/0"},
        {"routeTableId": "public-table", "gatewayId": "gateway"},
    )
    for zone in "abc":
        subnet, zone_name = f"subnet-{zone}", f"{HOME}{zone}"
        inputs = {"mapPublicIpOnLaunch": False, "availabilityZone": zone_name}
        sketch.add("aws:ec2/subnet:Subnet", subnet, inputs, {"vpcId": "vpc"})
        sketch.add(
            "aws:ec2/networkAclAssociation:NetworkAclAssociation",
            f"acl-{zone}",
            {},
            {"subnetId": subnet, "networkAclId": "acl"},
        )
        sketch.add(
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            f"table-{zone}",
            {},
            {"subnetId": subnet, "routeTableId": "data-table"},
        )
    described = {"description": "Who may reach the database"}
    sketch.add("aws:ec2/securityGroup:SecurityGroup", "group", described, {"vpcId": "vpc"})
    rule = {**described, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    for direction, block in (("Ingress", "10.0.0.0/16"), ("Egress", "0.0.0.0/0")):
        type_ = f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule"
        sketch.add(type_, direction.lower(), {**rule, "cidrIpv4": block}, {"securityGroupId": "group"})
    for service in ("s3", "dynamodb"):
        sketch.add(
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            f"{service}-endpoint",
            {"vpcEndpointType": "Gateway", "serviceName": f"com.amazonaws.{HOME}.{service}"},
            {"vpcId": "vpc", "routeTableIds": "data-table"},
        )
    sketch.add(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "endpoint",
        {"vpcEndpointType": "Interface", "serviceName": f"com.amazonaws.{HOME}.sts", "privateDnsEnabled": True},
        {"vpcId": "vpc", "subnetIds": "subnet-a", "securityGroupIds": "group"},
    )


def _database(sketch: Sketch) -> None:
    durable, prod = sketch.tier != "dev", sketch.tier == "prod"
    subnets = "subnet-a subnet-b" + (" subnet-c" if prod else "")
    sketch.add("aws:rds/subnetGroup:SubnetGroup", "subnets", {}, {"subnetIds": subnets})
    sketch.add("aws:rds/parameterGroup:ParameterGroup", "parameters", {"parameters": [*LOGGED, FORCED]})
    _role(sketch, "monitoring")
    instance = {
        "storageEncrypted": True,
        "publiclyAccessible": False,
        "deletionProtection": durable,
        "copyTagsToSnapshot": True,
        "iamDatabaseAuthenticationEnabled": True,
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "monitoringInterval": 60,
        "performanceInsightsEnabled": True,
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "autoMinorVersionUpgrade": True,
        "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "storageType": "gp3",
        "maxAllocatedStorage": 100,
        "instanceClass": "db.t4g.medium",
    }
    uses = {
        "kmsKeyId": "key",
        "performanceInsightsKmsKeyId": "key",
        "monitoringRoleArn": "monitoring",
        "parameterGroupName": "parameters",
        "vpcSecurityGroupIds": "group",
    }
    primary = {
        "multiAz": durable,
        "allocatedStorage": 20,
        "engineVersion": "17",
        "skipFinalSnapshot": not durable,
        "deleteAutomatedBackups": not durable,
        "finalSnapshotIdentifier": "last" if durable else None,
    }
    alone = {"backupRetentionPeriod": 7 if durable else 1}
    in_subnets = {**uses, "dbSubnetGroupName": "subnets"}
    managed = {**primary, "manageMasterUserPassword": True}
    _instance(sketch, "database", instance | alone | managed, in_subnets | {"masterUserSecretKmsKeyId": "key"})
    _instance(sketch, "source", instance | alone | primary | {"password": SECRET}, in_subnets)
    of_source = {"replicateSourceDb": "source"}
    _instance(sketch, "replica", instance, uses | of_source)
    _instance(sketch, "standby", instance | alone, in_subnets | of_source, provider=AWAY)
    sketch.add(
        "aws:rds/proxy:Proxy",
        "proxy",
        {"requireTls": True, "auths": [{"authScheme": "SECRETS", "secretArn": UNKNOWN}]},
        {"auths": "secret", "vpcSecurityGroupIds": "group", "roleArn": "monitoring"},
    )
    for name, backups in (("database", "backups-away"), ("source", "source-backups-away")):
        sketch.add(
            "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
            backups,
            {"retentionPeriod": 7},
            {"sourceDbInstanceArn": name, "kmsKeyId": "away-key"},
            provider=AWAY,
        )
    sketch.add(
        "aws:backup/selection:Selection",
        "source-selection",
        {"planId": "plan", "iamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/backup"},
        {"resources": "source"},
    )
    sketch.add(
        "aws:backup/restoreTestingSelection:RestoreTestingSelection",
        "restored-source",
        {"protectedResourceType": "RDS", "restoreTestingPlanName": "restores"},
        {"protectedResourceArns": "source"},
    )


def _instance(sketch: Sketch, name: str, inputs: dict[str, Any], to: dict[str, str], provider: str = HOME) -> None:
    """A database of that name, with the log groups that it writes to."""
    logs = [f"{name}-{log}" for log in ("postgresql", "upgrade")]
    days = 365 if sketch.tier == "prod" else 1
    for log in logs:
        kept = {"name": f"/aws/rds/instance/{log.replace('-', '/')}", "retentionInDays": days}
        sketch.add("aws:cloudwatch/logGroup:LogGroup", log, kept, {"kmsKeyId": "key"}, provider=provider)
    durable = sketch.tier != "dev"
    inputs = {**inputs, "identifier": name}
    sketch.add("aws:rds/instance:Instance", name, inputs, to, logs, protect=durable, provider=provider)


def _stores(sketch: Sketch) -> None:
    _bucket(sketch, "logs", None, [TLS_ONLY, TAKES_LOGS])
    _bucket(sketch, "away-logs", None, [TLS_ONLY, TAKES_LOGS], provider=AWAY)
    _bucket(sketch, "copy", "away-key", [TLS_ONLY], "away-logs", provider=AWAY)
    _bucket(sketch, "bucket", "key", [TLS_ONLY], "logs")
    _role(sketch, "replication")
    rule = {
        "status": "Enabled",
        "sourceSelectionCriteria": {"sseKmsEncryptedObjects": {"status": "Enabled"}},
        "destination": {"bucket": UNKNOWN, "encryptionConfiguration": {"replicaKmsKeyId": UNKNOWN}},
    }
    sketch.add(
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "bucket-replication",
        {"rules": [rule]},
        {"bucket": "bucket", "role": "replication", "rules": "copy away-key"},
    )


def _bucket(
    sketch: Sketch,
    name: str,
    key: str | None,
    statements: list[dict[str, Any]],
    logs: str | None = None,
    provider: str = HOME,
) -> None:
    durable = sketch.tier != "dev"
    sketch.add("aws:s3/bucket:Bucket", name, {"forceDestroy": not durable}, protect=durable, provider=provider)

    def side(type_: str, role: str, inputs: dict[str, Any], **to: str) -> None:
        token = f"aws:s3/{type_[0].lower()}{type_[1:]}:{type_}"
        sketch.add(token, f"{name}-{role}", inputs, {"bucket": name, **to}, provider=provider)

    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    side("BucketPublicAccessBlock", "block", dict.fromkeys(flags, True))
    side("BucketOwnershipControls", "owner", {"rule": {"objectOwnership": "BucketOwnerEnforced"}})
    by_default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": UNKNOWN} if key else {"sseAlgorithm": "AES256"}
    side(
        "BucketServerSideEncryptionConfiguration",
        "encryption",
        {"rules": [{"applyServerSideEncryptionByDefault": by_default, "bucketKeyEnabled": bool(key)}]},
        **({"rules": key} if key else {}),
    )
    side("BucketVersioning", "versioning", {"versioningConfiguration": {"status": "Enabled"}})
    side("BucketPolicy", "policy", {"policy": document(*statements)})
    expiry = {
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrentVersionExpiration": {"noncurrentDays": 90},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
    }
    side("BucketLifecycleConfiguration", "lifecycle", {"rules": [expiry]})
    if logs:
        side("BucketLogging", "logging", {"targetPrefix": f"{name}/"}, targetBucket=logs)


def _role(sketch: Sketch, name: str) -> None:
    trust = allow(Action="sts:AssumeRole", Principal={"Service": "rds.amazonaws.com"}, Condition=of_account())
    sketch.add("aws:iam/role:Role", name, {"assumeRolePolicy": trust})


def _identities(sketch: Sketch) -> None:
    _role(sketch, "role")
    policy = allow(Action=["s3:GetObject"], Resource=["arn:aws:s3:::it/*"])
    sketch.add("aws:iam/rolePolicy:RolePolicy", "role-policy", {"policy": policy}, {"role": "role"})
    arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    type_ = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    sketch.add(type_, "attachment", {"policyArn": arn}, {"role": "role"})


def _cluster(sketch: Sketch) -> None:
    sketch.add("pulumi:providers:kubernetes", "cluster", {"clusterIdentifier": "cluster"}, provider=None)
    sketch.add(
        "kubernetes:core/v1:Namespace",
        "namespace",
        {"metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
        provider="cluster",
    )
    sketch.add(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "deny",
        {"metadata": {"namespace": UNKNOWN}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
        {"metadata": "namespace"},
        provider="cluster",
    )


def _machines(sketch: Sketch) -> None:
    sketch.add("aws:ec2/instance:Instance", "machine", {"instanceType": "t4g.small"})
    sketch.add("aws:ec2/launchTemplate:LaunchTemplate", "template", {"instanceType": "m7g.large"})


def _workloads(sketch: Sketch) -> None:
    migrates = {"name": "migrate", **{key: CONTAINER[key] for key in ("image", "securityContext", "resources")}}
    pod = {**POD, "initContainers": [migrates]}
    template = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}}
    for type_, name, spec in (
        ("apps/v1:Deployment", "web", {"replicas": 2, **template}),
        ("batch/v1:CronJob", "nightly", {"schedule": "0 3 * * *", "jobTemplate": {"spec": template}}),
        ("core/v1:Pod", "once", POD),
    ):
        sketch.add(f"kubernetes:{type_}", name, {"spec": spec}, provider="cluster")
    sketch.add(
        "aws:ecs/taskDefinition:TaskDefinition",
        "task",
        {
            "cpu": "256",
            "memory": "512",
            "networkMode": "awsvpc",
            "containerDefinitions": json.dumps([TASK_CONTAINER]),
        },
    )
