"""RabbitMQ on Amazon MQ, and what it holds."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from components.broker.amazonmq import AmazonMqBroker
from components.broker.topology import QueueDeclaration, definitions
from preview.plan import Plan
from preview.record import plain

from ..support import SENTINEL, known, one, planned, recorded, remedies, statements
from .examples.broker import BROKER
from .examples.shared import AWAY_KEY, KEY

BROKER_TYPE = "aws:mq/broker:Broker"
CONFIGURATION = "aws:mq/configuration:Configuration"
PASSWORD = "random:index/randomPassword:RandomPassword"
SCHEDULE = "aws:scheduler/schedule:Schedule"
SECRET = "aws:secretsmanager/secret:Secret"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"


def broker(**changes: Any) -> Plan:
    return planned(lambda opts: AmazonMqBroker("mq", {**BROKER, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(name: str = "mq", **changes: Any) -> dict[str, str]:
    return remedies(lambda: AmazonMqBroker(name, {**BROKER, **changes}))  # pyright: ignore[reportArgumentType]


def test_the_bare_call_is_safe() -> None:
    assert (
        one(broker(), BROKER_TYPE).items()
        >= {
            "brokerName": "mq",
            "engineType": "RabbitMQ",
            "engineVersion": "4.2",
            "autoMinorVersionUpgrade": True,
            "hostInstanceType": "mq.m7g.large",
            "deploymentMode": "CLUSTER_MULTI_AZ",
            "subnetIds": ["subnet-1", "subnet-2"],
            "securityGroups": ["mq-server-id"],
            "publiclyAccessible": False,
            "encryptionOptions": {"useAwsOwnedKey": False, "kmsKeyId": KEY},
            "logs": {"general": True},
            "maintenanceWindowStartTime": {"dayOfWeek": "SUNDAY", "timeOfDay": "03:30", "timeZone": "UTC"},
        }.items()
    )


def test_the_broker_alone_is_protected_and_one_flag_takes_that_away() -> None:
    assert [each.name for each in broker().resources if each.protect] == ["mq"]
    assert not [each.name for each in broker(protect=False).resources if each.protect]


def test_a_single_broker_stands_in_the_first_subnet() -> None:
    single = one(broker(clustered=False), BROKER_TYPE)
    assert (single["deploymentMode"], single["subnetIds"]) == ("SINGLE_INSTANCE", ["subnet-1"])


def test_its_one_user_stays_as_it_was_created() -> None:
    """The provider would replace the broker for another user or password."""
    resource = broker().of_type(BROKER_TYPE)[0]
    assert resource.inputs["users"] == [{"username": "administrator", "password": "[secret]"}]
    assert resource.options["ignoreChanges"] == ["users"]


def test_settings_are_added_to_those_that_are_always_there() -> None:
    plan = broker(settings={"max_message_size": "1048576"})
    assert one(plan, CONFIGURATION)["data"] == "consumer_timeout = 1800000\nmax_message_size = 1048576\n"
    assert one(plan, CONFIGURATION)["description"] == "Settings of mq"
    assert one(plan, BROKER_TYPE)["configuration"]["id"] == "mq-id"
    assert one(broker(settings={"consumer_timeout": "0"}), CONFIGURATION)["data"] == "consumer_timeout = 0\n"


def test_broker_and_configuration_are_of_one_version() -> None:
    plan = broker(version="3.13")
    assert {one(plan, type_)["engineVersion"] for type_ in (BROKER_TYPE, CONFIGURATION)} == {"3.13"}


def test_maintenance_begins_when_it_is_said_to() -> None:
    window = one(broker(maintenance="wed:22:15"), BROKER_TYPE)["maintenanceWindowStartTime"]
    assert window == {"dayOfWeek": "WEDNESDAY", "timeOfDay": "22:15", "timeZone": "UTC"}


def reached(plan: Plan) -> set[tuple[str, str, int]]:
    """Who reaches whom on which port, where both ends agree."""
    arriving = {
        (each.inputs["referencedSecurityGroupId"], each.inputs["securityGroupId"], each.inputs["fromPort"])
        for each in plan.of_type(INGRESS)
    }
    leaving = {
        (each.inputs["securityGroupId"], each.inputs["referencedSecurityGroupId"], each.inputs["fromPort"])
        for each in plan.of_type(EGRESS)
    }
    assert arriving == leaving, "a rule without its other end"
    return arriving


def test_clients_reach_the_messages_and_administrators_the_management_api() -> None:
    assert reached(broker()) == {("sg-web", "mq-server-id", 5671), ("sg-jobs", "mq-server-id", 443)}


def test_one_group_may_be_both() -> None:
    plan = broker(clients={"jobs": "sg-jobs"}, administrators={"jobs": "sg-jobs"})
    assert reached(plan) == {("sg-jobs", "mq-server-id", 5671), ("sg-jobs", "mq-server-id", 443)}


def test_without_clients_nobody_reaches_it() -> None:
    assert reached(broker(clients={}, administrators={})) == set()


def secret_values(**changes: Any) -> dict[str, dict[str, str]]:
    """The secrets' fields as they are sent, out of their envelopes."""

    def program() -> None:
        providers: list[pulumi.ProviderResource] = [aws.Provider("cloud"), random.Provider("chance")]
        AmazonMqBroker("mq", {**BROKER, **changes}, pulumi.ResourceOptions(providers=providers))  # pyright: ignore[reportArgumentType]

    values = {}
    for request in recorded(program, answer=known).recorder.requests.values():
        if request.type == "aws:secretsmanager/secretVersion:SecretVersion":
            assert plain(request.object)["secretString"] == "[secret]"
            values[request.name] = json.loads(
                request.object.fields["secretString"].struct_value.fields["value"].string_value
            )
    return values


def test_application_and_administrator_find_their_credentials_in_the_secret_store() -> None:
    assert secret_values(virtual_host="shop", username="seller") == {
        "mq-application": {
            "engine": "rabbitmq",
            "username": "seller",
            "password": SENTINEL,
            "vhost": "shop",
            "host": "mq.mq.example",
            "port": "5671",
        },
        "mq-administrator": {
            "username": "administrator",
            "password": SENTINEL,
            "console": "https://mq.mq.example",
            "host": "mq.mq.example",
            "port": "5671",
        },
    }


def test_a_higher_version_makes_a_new_password_for_the_application_alone() -> None:
    before, after = (broker(password_version=version) for version in (1, 2))
    assert one(before, PASSWORD, "mq-application") != one(after, PASSWORD, "mq-application")
    assert one(before, PASSWORD, "mq-administrator") == one(after, PASSWORD, "mq-administrator")


def test_passwords_hold_nothing_that_amazon_mq_refuses() -> None:
    for each in broker().of_type(PASSWORD):
        assert each.inputs["special"] is False
        assert 12 <= each.inputs["length"] <= 250


def test_secrets_are_encrypted_copied_and_recovered_as_they_are_told() -> None:
    plan = broker(secret_replicas=[{"region": "eu-west-1", "key_arn": AWAY_KEY}], recovery_days=7)
    secrets = plan.of_type(SECRET)
    assert len(secrets) == 2
    for each in secrets:
        assert each.inputs["kmsKeyId"] == KEY
        assert each.inputs["recoveryWindowInDays"] == 7
        assert each.inputs["replicas"] == [{"region": "eu-west-1", "kmsKeyId": AWAY_KEY}]


def test_the_logs_that_amazon_mq_makes_end_some_day() -> None:
    plan = broker(log_days=30)
    targets = [each.inputs["target"] for each in plan.of_type(SCHEDULE)]
    assert {target["arn"] for target in targets} == {"arn:aws:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy"}
    kept = [json.loads(target["input"]) for target in targets]
    assert {each["LogGroupName"]: each["RetentionInDays"] for each in kept} == {
        f"/aws/amazonmq/broker/mq-id/{log}": 30 for log in ("general", "connection", "channel")
    }


def test_the_schedules_may_do_that_and_nothing_else() -> None:
    plan = broker()
    granted = statements(one(plan, "aws:iam/rolePolicy:RolePolicy")["policy"])
    assert [(each["Action"], each["Resource"]) for each in granted.values()] == [
        (
            ["logs:PutRetentionPolicy"],
            ["arn:aws:logs:eu-central-1:123456789012:log-group:/aws/amazonmq/broker/mq-id/*"],
        )
    ]
    trusted = statements(one(plan, "aws:iam/role:Role")["assumeRolePolicy"])["Trust"]
    assert trusted["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trusted["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/default"},
    }
    for each in plan.of_type(SCHEDULE):
        waits = {plan.resource(urn).type for urn in plan.waits_for(each.urn)}
        assert "aws:iam/rolePolicy:RolePolicy" in waits


def test_outputs_name_the_broker_as_metrics_do() -> None:
    outputs = next(each.outputs for each in broker().resources if each.type == "plinth:index:AmazonMqBroker")
    assert (
        outputs.items()
        >= {
            "host": "mq.mq.example",
            "port": 5671,
            "consoleUrl": "https://mq.mq.example",
            "brokerId": "mq-id",
            "brokerName": "mq",
            "username": "app",
            "virtualHost": "/",
            "securityGroupId": "mq-server-id",
        }.items()
    )


@pytest.mark.parametrize("instance_type", ["m7g.large", "mq.m7g", "mq.M7G.large", "mq.m7g.huge", "db.m7g.large"])
def test_instance_types_of_the_wrong_shape_are_refused(instance_type: str) -> None:
    assert refused(instance_type=instance_type) == {
        "instance_type": "write it as mq.<family>.<size>, for example mq.m7g.large"
    }


@pytest.mark.parametrize(
    ("instance_type", "version"),
    [("mq.m7g.medium", "4.2"), ("mq.m7g.16xlarge", "4.2"), ("mq.m5.large", "3.13"), ("mq.m7g.medium", "3.13")],
)
def test_instance_types_that_run_the_version_pass(instance_type: str, version: str) -> None:
    assert one(broker(instance_type=instance_type, version=version), BROKER_TYPE)["hostInstanceType"] == instance_type


def test_instance_types_that_do_not_run_the_version_are_refused() -> None:
    assert "write mq.m7g.<size>" in refused(instance_type="mq.m5.large")["instance_type"]
    for version in ("3.13", "4.2"):
        assert "no burstable instance" in refused(instance_type="mq.t3.micro", version=version)["instance_type"]


def test_a_cluster_in_one_zone_is_refused() -> None:
    assert "a cluster broker in one zone" in refused(subnet_ids=["subnet-1"])["subnet_ids"]
    assert "one subnet or more" in refused(subnet_ids=[], clustered=False)["subnet_ids"]


def test_a_cluster_in_one_zone_is_refused_once_its_subnets_are_known() -> None:
    def make(opts: pulumi.ResourceOptions) -> object:
        return AmazonMqBroker("mq", {**BROKER, "subnet_ids": pulumi.Output.from_input(["subnet-1"])}, opts)

    with pytest.raises(Exception, match="a cluster broker in one zone"):
        planned(make)


def test_bad_args_are_refused() -> None:
    assert refused(version="3.12") == {"version": "choose one of 3.13, 4.2"}
    assert "give / or letters" in refused(virtual_host="my shop")["virtual_host"]
    for username in ("guest", "administrator", "-app", ""):
        assert "are taken" in refused(username=username)["username"]
    assert refused(password_version=0) == {"password_version": "give 1 or more"}
    assert "<day>:<hour>:<minute>" in refused(maintenance="sunday:03:30")["maintenance"]
    assert refused(log_days=31)["log_days"].startswith("CloudWatch keeps logs for one of 1, 3, 5")
    assert refused(recovery_days=3) == {"recovery_days": "give 7 to 30 days, or 0 for none"}
    assert "use 45 or fewer" in refused(name="m" * 46)["name"]
    assert refused(name="my mq") == {"name": "Amazon MQ takes letters, digits and - _ ~"}


def test_what_does_not_fit_together_is_refused_together() -> None:
    home = [{"region": "eu-central-1", "key_arn": KEY}]
    found = refused(instance_type="mq.m5.large", subnet_ids=["subnet-1"], secret_replicas=home)
    assert set(found) == {"instance_type", "subnet_ids", "secret_replicas[0].region"}


QUEUES: dict[str, QueueDeclaration] = {
    "orders": {"exchange": "sales", "routing_key": "order.*", "deliveries": 7, "keep_days": 3},
    "bills": {"exchange": "sales", "ordered": True},
}


def topology() -> dict[str, Any]:
    return definitions("shop", {"sales": "topic"}, QUEUES)


def queue(name: str) -> dict[str, Any]:
    return next(each for each in topology()["queues"] if each["name"] == name)


def test_the_definitions_are_data_of_one_virtual_host() -> None:
    found = json.loads(json.dumps(topology()))
    assert found["vhosts"] == [{"name": "shop"}]
    assert set(found) == {"vhosts", "exchanges", "queues", "bindings"}
    assert {each["vhost"] for part in ("exchanges", "queues", "bindings") for each in found[part]} == {"shop"}


def test_everything_survives_a_restart() -> None:
    found = topology()
    for each in [*found["exchanges"], *found["queues"]]:
        assert (each["durable"], each["auto_delete"]) == (True, False)


def test_a_message_leaves_a_queue_only_once_its_dead_letters_have_it() -> None:
    assert queue("orders")["arguments"] == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 6,
        "x-dead-letter-exchange": "dead-letters",
        "x-dead-letter-routing-key": "orders",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-message-ttl": 259_200_000,
    }


def test_without_a_number_of_days_a_message_waits_for_ever() -> None:
    assert "x-message-ttl" not in queue("bills")["arguments"]
    assert queue("bills")["arguments"]["x-delivery-limit"] == 4


def test_an_ordered_queue_has_one_consumer_at_a_time() -> None:
    assert queue("bills")["arguments"]["x-single-active-consumer"] is True
    assert "x-single-active-consumer" not in queue("orders")["arguments"]


def test_each_queue_has_dead_letters_that_stay() -> None:
    assert [each["name"] for each in topology()["queues"]] == ["bills", "bills.dead", "orders", "orders.dead"]
    assert queue("orders.dead")["arguments"] == {"x-queue-type": "quorum"}


def test_messages_and_dead_letters_find_their_queues() -> None:
    ways = {(each["source"], each["routing_key"], each["destination"]) for each in topology()["bindings"]}
    assert ways == {
        ("sales", "order.*", "orders"),
        ("sales", "#", "bills"),
        ("dead-letters", "orders", "orders.dead"),
        ("dead-letters", "bills", "bills.dead"),
    }


def test_only_queues_send_messages_to_the_exchange_of_dead_letters() -> None:
    """No client can publish to an internal exchange."""
    internal = {each["name"]: (each["type"], each["internal"]) for each in topology()["exchanges"]}
    assert internal == {"sales": ("topic", False), "dead-letters": ("direct", True)}


def test_the_order_in_which_queues_are_named_changes_nothing() -> None:
    assert definitions("shop", {"sales": "topic"}, dict(reversed(QUEUES.items()))) == topology()


def not_defined(exchanges: dict[str, str], queues: dict[str, QueueDeclaration]) -> dict[str, str]:
    return remedies(lambda: definitions("shop", exchanges, queues))


def test_bad_exchanges_are_refused() -> None:
    found = not_defined({"amq.mine": "topic", "dead-letters": "topic", "sales": "topics"}, {})
    assert "not amq. first" in found["exchanges.amq.mine"]
    assert "the dead letters have this name" in found["exchanges.dead-letters"]
    assert found["exchanges.sales"].startswith("did you mean `topic`?")


def test_bad_queues_are_refused() -> None:
    found = not_defined(
        {"sales": "topic", "till": "direct"},
        {
            "my orders": {"exchange": "sales"},
            "orders": {"exchange": "sale", "deliveries": 0, "keep_days": 366},
            "orders.dead": {"exchange": "sales"},
            "bills": {"exchange": "till"},
        },
    )
    assert found == {
        "queues.my orders": "give letters, digits and . _ : -, 250 or fewer, and not amq. first",
        "queues.orders.exchange": "did you mean `sales`? choose one of sales, till",
        "queues.orders.deliveries": "give 1 to 1000 deliveries",
        "queues.orders.keep_days": "give 1 to 365 days",
        "queues.orders.dead": "the dead letters of orders have this name; give another one",
        "queues.bills.routing_key": "a direct exchange has no wildcards; name the key of the messages",
    }
