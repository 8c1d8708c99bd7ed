"""Skipper's AWS form, row by row: each part and each protection that it names is there."""

from collections.abc import Callable

import pytest

from policy.catalogue import IDS, judge
from preview.plan import Plan

from ..support import known_plan, one

STACKS = ("dev", "prod")


@pytest.fixture(scope="module", params=STACKS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return known_plan(request.param)


@pytest.fixture(scope="module")
def account() -> Plan:
    return known_plan("account-aws")


def tiers_of_subnets(plan: Plan) -> set[str]:
    return {each.inputs["tags"]["subnet-tier"] for each in plan.of_type("aws:ec2/subnet:Subnet")}


PARTS: dict[str, Callable[[Plan], object]] = {
    "VPC with public and private subnets": lambda plan: {"public", "private", "data"} == tiers_of_subnets(plan),
    "EKS cluster": lambda plan: plan.of_type("aws:eks/nodeGroup:NodeGroup") and one(plan, "aws:eks/cluster:Cluster"),
    "RDS PostgreSQL": lambda plan: plan.of_type("aws:rds/instance:Instance")[0].inputs["engine"] == "postgres",
    "Amazon MQ, RabbitMQ": lambda plan: one(plan, "aws:mq/broker:Broker")["engineType"] == "RabbitMQ",
    "ElastiCache": lambda plan: one(plan, "aws:elasticache/replicationGroup:ReplicationGroup")["engine"] == "valkey",
    "S3 bucket for the event store": lambda plan: any(
        each.name.endswith("-events") for each in plan.of_type("aws:s3/bucket:Bucket")
    ),
    "vault for secrets": lambda plan: (
        {
            "plinth:index:RdsPostgres",
            "plinth:index:AmazonMqBroker",
            "plinth:index:ElastiCacheValkey",
            "plinth:index:AwsGeneratedSecret",
        }
        <= {each.type.rsplit("$", 1)[-1] for each in plan.resources if secrets_below(plan, each.urn)}
    ),
    "monitoring": lambda plan: (
        plan.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
        and plan.of_type("aws:cloudwatch/compositeAlarm:CompositeAlarm")
        and one(plan, "aws:cloudwatch/dashboard:Dashboard")
        and plan.of_type("aws:sns/topic:Topic")
    ),
}
"""The infrastructure components that the system has on AWS, and what of a plan is each."""


def secrets_below(plan: Plan, urn: str) -> bool:
    return any(each.type == "aws:secretsmanager/secret:Secret" for each in plan.below(urn))


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_there(plan: Plan, part: str) -> None:
    assert PARTS[part](plan)


SECURITY: dict[str, tuple[set[str], str]] = {
    "VPC security groups: restrict traffic between services": (
        {"security-group-no-public-ingress", "security-group-named-ports", "vpc-default-group-locked"},
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    ),
    "IAM roles: least privilege": (
        {"iam-named-actions", "iam-named-resources", "iam-trust", "iam-no-administrator"},
        "plinth:index:AwsServiceRole",
    ),
    "KMS encryption: data at rest": (
        {"kms-rotation", "rds-encrypted", "s3-encrypted", "secret-encrypted", "log-group-encrypted"},
        "aws:kms/key:Key",
    ),
    "Private subnets: critical infrastructure": (
        {"rds-private", "subnet-no-public-addresses", "database-subnet-no-internet"},
        "aws:ec2/subnet:Subnet",
    ),
    "Network ACLs: traffic at the subnet": (
        {"network-acl-narrow", "database-subnet-acl"},
        "aws:ec2/networkAclRule:NetworkAclRule",
    ),
}
"""The security considerations on AWS: the rules that keep each, and a type that it is made of."""


@pytest.mark.parametrize("consideration", SECURITY)
def test_each_security_consideration_has_rules_and_something_that_they_are_about(
    plan: Plan, consideration: str
) -> None:
    rules, type_ = SECURITY[consideration]
    assert rules <= IDS
    assert plan.of_type(type_)


def test_security_hub_watches_the_account(account: Plan) -> None:
    assert len(account.of_type("aws:securityhub/standardsSubscription:StandardsSubscription")) >= 2


def test_no_policy_finds_fault(plan: Plan, account: Plan) -> None:
    assert [(each.rule, each.urn) for each in (*judge(plan), *judge(account))] == []


def test_each_flow_is_a_queue_between_the_services_that_it_joins() -> None:
    """Command, result, monitoring and error: who publishes and who consumes."""
    from stacks.model import Tier
    from stacks.systems.skipper import skipper

    system = skipper(Tier.PROD)
    flows = {
        name: (
            {each for each, service in system.services.items() if queue.exchange in service.publishes},
            {each for each, service in system.services.items() if name in service.consumes},
        )
        for name, queue in system.broker.queues.items()
    }
    assert flows == {
        "command": ({"scheduler"}, {"local-agent"}),
        "result": ({"local-agent"}, {"execution"}),
        "monitoring": ({"local-agent"}, {"telemetry"}),
        "error": ({"local-agent"}, {"error-handling"}),
    }


BACKUP: dict[str, Callable[[Plan], object]] = {
    "Database backups": lambda plan: all(
        each.inputs["backupRetentionPeriod"] >= 7
        for each in plan.of_type("aws:rds/instance:Instance")
        if "replicateSourceDb" not in each.inputs
    ),
    "Object storage versioning": lambda plan: (
        len(plan.of_type("aws:s3/bucketVersioning:BucketVersioning")) == len(plan.of_type("aws:s3/bucket:Bucket"))
    ),
    "Snapshot backups": lambda plan: (
        plan.of_type("aws:backup/selection:Selection")
        and one(plan, "aws:elasticache/replicationGroup:ReplicationGroup")["snapshotRetentionLimit"] > 0
    ),
    "Disaster recovery": lambda plan: (
        plan.of_type("aws:s3/bucketReplicationConfig:BucketReplicationConfig")
        and plan.of_type("aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication")
        and all(rule["copyActions"] for rule in one(plan, "aws:backup/plan:Plan")["rules"])
    ),
    "Restore testing": lambda plan: plan.of_type("aws:backup/restoreTestingSelection:RestoreTestingSelection"),
}
"""The backup strategy, and what of production's plan is each."""


@pytest.mark.parametrize("part", BACKUP)
def test_each_part_of_the_backup_strategy_is_there_in_production(part: str) -> None:
    assert BACKUP[part](known_plan("prod"))
