"""What guards an AWS account."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.problems import InputError
from components.security.audit import AwsAuditTrail, AwsConfigRecorder
from components.security.guards import AwsAccessAnalyzer, AwsAccountGuards, InternetBlock
from components.security.kms import EncryptionKey
from components.security.threats import FEATURES, AwsSecurityHub, AwsThreatDetection
from policy.catalogue import judge
from preview.plan import Plan

from ..support import one, planned, remedies, statements
from .examples.baseline import (
    ANALYZER,
    DETECTION,
    DETECTION_FULL,
    EXAMPLES,
    GUARDS,
    GUARDS_FULL,
    HUB,
    HUB_FULL,
    RECORDER,
    RECORDER_AWAY,
    RECORDER_FULL,
    REPLICA,
    TOPIC,
    TRAIL,
    TRAIL_FULL,
)
from .examples.shared import HOME, KEY

TRAIL_TYPE = "aws:cloudtrail/trail:Trail"
TRAIL_ARN = "arn:aws:cloudtrail:eu-central-1:123456789012:trail/audit"
KEY_TYPE = "aws:kms/key:Key"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
RECORDER_TYPE = "aws:cfg/recorder:Recorder"
CHANNEL = "aws:cfg/deliveryChannel:DeliveryChannel"
STATUS = "aws:cfg/recorderStatus:RecorderStatus"
SERVICE_ROLE = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
DETECTOR = "aws:guardduty/detector:Detector"
FEATURE = "aws:guardduty/detectorFeature:DetectorFeature"
INSPECTOR = "aws:inspector2/enabler:Enabler"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
HUB_TYPE = "aws:securityhub/account:Account"
STANDARD = "aws:securityhub/standardsSubscription:StandardsSubscription"
AGGREGATOR = "aws:securityhub/findingAggregator:FindingAggregator"
ANALYZER_TYPE = "aws:accessanalyzer/analyzer:Analyzer"
PASSWORDS = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"
ACCOUNT_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
VOLUMES = "aws:ebs/encryptionByDefault:EncryptionByDefault"
VOLUME_KEY = "aws:ebs/defaultKmsKey:DefaultKmsKey"
METADATA = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"
VPC_BLOCK = "aws:ec2/vpcBlockPublicAccessOptions:VpcBlockPublicAccessOptions"


def trail(name: str = "audit", **changes: Any) -> Plan:
    return planned(lambda opts: AwsAuditTrail(name, {**TRAIL, **changes}, opts))  # pyright: ignore[reportArgumentType]


def recorder(**changes: Any) -> Plan:
    return planned(lambda opts: AwsConfigRecorder("records", {**RECORDER, **changes}, opts))  # pyright: ignore[reportArgumentType]


def recorder_away() -> Plan:
    return planned(lambda opts: AwsConfigRecorder("records", RECORDER_AWAY, opts))


def detection(**changes: Any) -> Plan:
    return planned(lambda opts: AwsThreatDetection("threats", {**DETECTION, **changes}, opts))  # pyright: ignore[reportArgumentType]


def hub(**changes: Any) -> Plan:
    return planned(lambda opts: AwsSecurityHub("hub", {**HUB, **changes}, opts))  # pyright: ignore[reportArgumentType]


def analyzers(**changes: Any) -> Plan:
    return planned(lambda opts: AwsAccessAnalyzer("access", {**ANALYZER, **changes}, opts))  # pyright: ignore[reportArgumentType]


def guards(**changes: Any) -> Plan:
    return planned(lambda opts: AwsAccountGuards("guards", {**GUARDS, **changes}, opts))  # pyright: ignore[reportArgumentType]


def waits(plan: Plan, type_: str) -> set[str]:
    """The types of all that the one resource of a type waits for."""
    (late,) = plan.of_type(type_)
    return {plan.resource(urn).type for urn in plan.waits_for(late.urn)}


def after(make: Callable[[pulumi.ResourceOptions], pulumi.Output[Any]]) -> set[str]:
    """The types of all that waits before an output is known, as another resource that is made of it sees them."""
    import pulumi_random as random

    def made(opts: pulumi.ResourceOptions) -> None:
        random.RandomId("late", byte_length=1, prefix=make(opts).apply(str), opts=opts)

    return waits(planned(made), "random:index/randomId:RandomId")


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, i) for kind, makers in EXAMPLES.items() for i in range(len(makers))]
)
def test_what_it_makes_breaks_no_rule(kind: type, number: int) -> None:
    plan = planned(lambda opts: EXAMPLES[kind][number]("guard", opts))
    found = {each.rule for each in judge(plan, []) if not each.rule.startswith("provider-")}
    bare = {"s3-copied-elsewhere"} if plan.of_type(BUCKET) and not plan.of_type(REPLICATION) else set()
    chosen = {"guardduty-features"} if kind is AwsThreatDetection and number else set()
    assert found == bare | chosen


def test_a_trail_records_every_region_and_shows_changes() -> None:
    assert (
        one(trail(), TRAIL_TYPE).items()
        >= {
            "name": "audit",
            "isMultiRegionTrail": True,
            "includeGlobalServiceEvents": True,
            "enableLogging": True,
            "enableLogFileValidation": True,
            "kmsKeyId": "arn:aws:mock:region:123456789012:audit-key",
            "s3BucketName": "audit-1234567",
            "cloudWatchLogsGroupArn": "arn:aws:mock:region:123456789012:audit:*",
            "cloudWatchLogsRoleArn": "arn:aws:mock:region:123456789012:audit-logs",
            "eventSelectors": [{"readWriteType": "All", "includeManagementEvents": True}],
            "insightSelectors": [{"insightType": "ApiCallRateInsight"}, {"insightType": "ApiErrorRateInsight"}],
        }.items()
    )


def test_data_events_are_recorded_of_the_named_buckets_alone() -> None:
    (events,) = one(trail(data_events=["arn:aws:s3:::events"]), TRAIL_TYPE)["eventSelectors"]
    assert events["dataResources"] == [{"type": "AWS::S3::Object", "values": ["arn:aws:s3:::events/"]}]
    assert events["includeManagementEvents"] is True


def test_insights_are_a_matter_of_choice() -> None:
    assert not one(trail(insights=False), TRAIL_TYPE).get("insightSelectors")


def test_the_trails_bucket_takes_log_files_of_this_trail_alone() -> None:
    policy = statements(one(trail(), BUCKET_POLICY)["policy"])
    for sid in ("TrailLooks", "TrailWrites"):
        assert policy[sid]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert policy[sid]["Condition"]["ArnLike"] == {"aws:SourceArn": TRAIL_ARN}


def test_the_trails_key_encrypts_for_this_trail_and_for_log_groups() -> None:
    policy = statements(one(trail(), KEY_TYPE)["policy"])
    assert set(policy) == {"Account", "LogGroups", "Trails"}
    assert policy["Trails"]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert policy["Trails"]["Action"] == ["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"]
    assert policy["Trails"]["Condition"] == {"StringEquals": {"aws:SourceArn": [TRAIL_ARN]}}


def test_a_key_is_for_no_trail_unless_told_so() -> None:
    plan = planned(lambda opts: EncryptionKey("data", {"scope": HOME, "purpose": "Data"}, opts))
    assert set(statements(one(plan, KEY_TYPE)["policy"])) == {"Account"}


def test_a_key_lets_eventbridge_encrypt_what_it_sends_to_the_accounts_topics() -> None:
    """EventBridge names no account when it publishes to an encrypted topic: compared to one, it would stay silent."""
    services = ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
    plan = planned(
        lambda opts: EncryptionKey("alerts", {"scope": HOME, "purpose": "Alerts", "publishers": services}, opts)
    )
    policy = statements(one(plan, KEY_TYPE)["policy"])
    assert policy["Events"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert policy["Events"]["Action"] == policy["Publishers"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert policy["Events"]["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": "arn:aws:sns:eu-central-1:123456789012:*"}
    }
    assert policy["Publishers"]["Principal"] == {"Service": ["cloudwatch.amazonaws.com"]}
    assert not [each for each in judge(plan, []) if each.rule.startswith(("policy-", "kms-"))]


def test_a_trail_comes_after_all_that_it_tries_at_once() -> None:
    """CloudTrail refuses a trail whose bucket, key or log group it may not use yet."""
    assert waits(trail(), TRAIL_TYPE) >= {BUCKET_POLICY, KEY_TYPE, ROLE_POLICY, LOG_GROUP}


def test_the_trail_writes_its_own_log_streams_and_nothing_else() -> None:
    plan = trail(log_days=90)
    policy = statements(one(plan, ROLE_POLICY)["policy"])
    assert list(policy) == ["Write"]
    assert policy["Write"]["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    stream = "log-stream:123456789012_CloudTrail_eu-central-1*"
    assert policy["Write"]["Resource"] == [f"arn:aws:mock:region:123456789012:audit:{stream}"]
    group = one(plan, LOG_GROUP)
    assert (group["kmsKeyId"], group["retentionInDays"]) == ("arn:aws:mock:region:123456789012:audit-key", 90)


def test_only_cloudtrail_takes_the_role_that_writes_them() -> None:
    trust = statements(one(trail(), "aws:iam/role:Role")["assumeRolePolicy"])["Trust"]
    assert trust == {
        "Sid": "Trust",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
    }


def test_log_files_are_kept_as_asked() -> None:
    plan = planned(lambda opts: AwsAuditTrail("audit", TRAIL_FULL, opts))
    assert one(plan, LOCK)["rule"] == {"defaultRetention": {"mode": "GOVERNANCE", "days": 365}}
    assert one(plan, REPLICATION)["rules"][0]["destination"]["bucket"] == REPLICA["bucket_arn"]
    (rule,) = one(plan, "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")["rules"]
    assert rule["expiration"] == {"days": 4000}
    assert not trail().of_type(LOCK, REPLICATION)


@pytest.mark.parametrize("make", [trail, recorder])
def test_what_it_keeps_is_protected_unless_told_otherwise(make: Callable[..., Plan]) -> None:
    assert {each.type for each in make().resources if each.protect} == {BUCKET, KEY_TYPE}
    assert not [each for each in make(protect=False).resources if each.protect]
    assert one(make(), BUCKET)["forceDestroy"] is False
    assert one(make(delete_contents=True), BUCKET)["forceDestroy"] is True


def test_unfit_trails_are_refused_before_anything_is_made() -> None:
    def refused(name: str = "audit", **changes: Any) -> dict[str, str]:
        return remedies(lambda: AwsAuditTrail(name, {**TRAIL, **changes}))  # pyright: ignore[reportArgumentType]

    assert "one of 1, 3, 5" in refused(log_days=2)["log_days"]
    assert "250 buckets or fewer" in refused(data_events=["arn:aws:s3:::x"] * 251)["data_events"]
    assert "0 to 36500" in refused(lock_days=-1)["lock_days"]
    assert "more than archive_after_days" in refused(keep_days=30)["keep_days"]
    assert "use 44 or fewer" in refused(name="a" * 45)["name"]
    for name in ("Audit", "ab", "audit-", "audit--trail"):
        assert "single hyphens" in refused(name=name)["name"]
    with pytest.raises(InputError, match=r"^AwsAuditTrail audit: "):
        AwsAuditTrail("audit", {**TRAIL, "keep_days": 30})


def test_the_recorder_records_all_types_as_the_role_that_security_hub_asks_for() -> None:
    plan = recorder()
    made = one(plan, RECORDER_TYPE)
    assert made["recordingGroup"] == {"allSupported": True, "includeGlobalResourceTypes": True}
    assert one(plan, SERVICE_ROLE)["awsServiceName"] == "config.amazonaws.com"
    assert made["roleArn"] == "arn:aws:mock:region:123456789012:records"
    assert one(plan, STATUS) == {"name": "records", "isEnabled": True}


def test_a_region_has_one_recorder_and_one_channel() -> None:
    """A second one is refused while the first is there, so the first goes before it is replaced."""
    plan = recorder()
    for type_ in (RECORDER_TYPE, CHANNEL):
        (made,) = plan.of_type(type_)
        assert made.options["deleteBeforeReplace"] is True
        assert made.inputs["name"] == "records"


def test_the_recorder_starts_last_and_is_named_once_it_records() -> None:
    plan = recorder()
    assert waits(plan, CHANNEL) >= {RECORDER_TYPE, BUCKET_POLICY, KEY_TYPE}
    assert waits(plan, STATUS) >= {RECORDER_TYPE, CHANNEL}
    assert STATUS in after(lambda opts: AwsConfigRecorder("records", RECORDER, opts).recorder_name)


def test_records_are_encrypted_with_a_key_that_aws_config_may_use_for_this_account() -> None:
    plan = recorder()
    assert one(plan, CHANNEL)["s3KmsKeyArn"] == "arn:aws:mock:region:123456789012:records-key"
    statement = statements(one(plan, KEY_TYPE)["policy"])["Publishers"]
    assert statement["Principal"] == {"Service": ["config.amazonaws.com"]}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_records_bucket_takes_those_of_all_regions_of_the_account_alone() -> None:
    policy = statements(one(recorder(), BUCKET_POLICY)["policy"])
    assert policy["ConfigLooks"]["Action"] == ["s3:GetBucketAcl", "s3:ListBucket"]
    assert policy["ConfigWrites"]["Resource"] == ["arn:aws:s3:::records-1234567/AWSLogs/123456789012/Config/*"]
    for sid in ("ConfigLooks", "ConfigWrites"):
        assert policy[sid]["Condition"] == {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": "arn:aws:config:*:123456789012:*"},
        }


def test_the_records_bucket_has_no_lock_and_copies_as_asked() -> None:
    """AWS Config delivers to no bucket with object lock."""
    plan = planned(lambda opts: AwsConfigRecorder("records", RECORDER_FULL, opts))
    assert one(plan, BUCKET)["objectLockEnabled"] is False
    assert one(plan, REPLICATION)["rules"][0]["destination"]["bucket"] == REPLICA["bucket_arn"]


def test_the_recorder_of_another_region_uses_what_the_first_one_made() -> None:
    plan = recorder_away()
    assert not plan.of_type(BUCKET, KEY_TYPE, SERVICE_ROLE)
    assert one(plan, RECORDER_TYPE)["roleArn"] == RECORDER_AWAY.get("role_arn")
    assert one(plan, RECORDER_TYPE)["recordingGroup"]["includeGlobalResourceTypes"] is False
    assert (one(plan, CHANNEL)["s3BucketName"], one(plan, CHANNEL)["s3KmsKeyArn"]) == ("records", KEY)


def test_what_a_recorder_hands_on_may_be_written_to() -> None:
    assert BUCKET_POLICY in after(lambda opts: AwsConfigRecorder("records", RECORDER, opts).bucket)


def test_a_recorder_delivers_to_one_bucket() -> None:
    def refused(args: Any, name: str = "records") -> dict[str, str]:
        return remedies(lambda: AwsConfigRecorder(name, args))

    assert refused({"scope": HOME}) == {
        "access_log_bucket": "name the bucket for access logs, or give an `archive`",
    }
    both = {**RECORDER_FULL, "archive": RECORDER_AWAY.get("archive")}
    assert set(refused(both)) == {"access_log_bucket", "keep_days", "replicate_to"}
    assert "leave out `archive`" in refused(both)["keep_days"]
    assert "more than archive_after_days" in refused({**RECORDER, "keep_days": 30})["keep_days"]
    assert "use 44 or fewer" in refused(RECORDER, "r" * 45)["name"]


def test_guardduty_watches_with_all_its_features() -> None:
    plan = detection()
    assert one(plan, DETECTOR) == {"enable": True, "findingPublishingFrequency": "FIFTEEN_MINUTES"}
    features = {each.inputs["name"]: each.inputs for each in plan.of_type(FEATURE)}
    assert set(features) == set(FEATURES)
    assert {each["status"] for each in features.values()} == {"ENABLED"}
    # In the order in which GuardDuty returns them.
    assert features["RUNTIME_MONITORING"]["additionalConfigurations"] == [
        {"name": "EKS_ADDON_MANAGEMENT", "status": "ENABLED"},
        {"name": "ECS_FARGATE_AGENT_MANAGEMENT", "status": "ENABLED"},
        {"name": "EC2_AGENT_MANAGEMENT", "status": "ENABLED"},
    ]
    assert [name for name, each in features.items() if "additionalConfigurations" in each] == ["RUNTIME_MONITORING"]


def statuses(plan: Plan) -> dict[str, str]:
    """The status of each feature, and of each agent."""
    features = [each.inputs for each in plan.of_type(FEATURE)]
    agents = [agent for feature in features for agent in feature.get("additionalConfigurations", [])]
    return {each["name"]: each["status"] for each in (*features, *agents)}


def test_a_feature_that_is_off_is_said_to_be_off() -> None:
    """Leaving its resource out would leave it on."""
    found = statuses(detection(without=["RUNTIME_MONITORING"]))
    off = {"RUNTIME_MONITORING", "EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"}
    assert {name for name, status in found.items() if status == "DISABLED"} == off


def test_runtime_monitoring_goes_without_agents_of_its_own() -> None:
    found = statuses(detection(agents=False))
    assert found["RUNTIME_MONITORING"] == "ENABLED"
    assert {status for name, status in found.items() if name.endswith("_MANAGEMENT")} == {"DISABLED"}


def test_inspector_scans_this_account() -> None:
    assert one(detection(), INSPECTOR) == {
        "accountIds": ["123456789012"],
        "resourceTypes": ["EC2", "ECR", "LAMBDA"],
    }
    assert one(detection(scans=["ECR"]), INSPECTOR)["resourceTypes"] == ["ECR"]
    assert not detection(scans=[]).of_type(INSPECTOR)


def test_high_findings_of_guardduty_go_to_the_topic() -> None:
    plan = planned(lambda opts: AwsThreatDetection("threats", DETECTION_FULL, opts))
    assert json.loads(one(plan, EVENT_RULE)["eventPattern"]) == {
        "source": ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
        "detail": {"severity": [{"numeric": [">=", 7]}]},
    }
    target = one(plan, EVENT_TARGET)
    assert (target["arn"], target["rule"]) == (TOPIC, "threats-findings-1234567")
    assert not detection().of_type(EVENT_RULE, EVENT_TARGET)


def test_detection_is_protected_unless_told_otherwise() -> None:
    assert {each.type for each in detection().resources if each.protect} == {DETECTOR}
    assert {each.type for each in hub().resources if each.protect} == {HUB_TYPE}
    for plan in (detection(protect=False), hub(protect=False)):
        assert not [each for each in plan.resources if each.protect]


def test_features_and_scans_that_do_not_exist_are_refused_together() -> None:
    found = remedies(lambda: AwsThreatDetection("threats", {**DETECTION, "without": ["S3_LOGS"], "scans": ["ECS"]}))
    assert set(found) == {"without[0]", "scans[0]"}
    assert "S3_DATA_EVENTS" in found["without[0]"]
    assert "did you mean `ECR`?" in found["scans[0]"]


def test_security_hub_judges_by_the_named_standards_alone() -> None:
    plan = hub()
    assert one(plan, HUB_TYPE) == {
        "enableDefaultStandards": False,
        "controlFindingGenerator": "SECURITY_CONTROL",
        "autoEnableControls": True,
    }
    prefix = "arn:aws:securityhub:eu-central-1::standards"
    assert {each.name: each.inputs["standardsArn"] for each in plan.of_type(STANDARD)} == {
        "hub-aws-foundational-security-best-practices-1.0.0": (
            f"{prefix}/aws-foundational-security-best-practices/v/1.0.0"
        ),
        "hub-cis-aws-foundations-benchmark-3.0.0": f"{prefix}/cis-aws-foundations-benchmark/v/3.0.0",
    }


def test_a_standards_arn_follows_partition_and_region() -> None:
    scope = {"account": "123456789012", "region": "us-gov-west-1", "partition": "aws-us-gov"}
    plan = hub(scope=scope, standards=["nist-800-53/v/5.0.0"])
    arn = "arn:aws-us-gov:securityhub:us-gov-west-1::standards/nist-800-53/v/5.0.0"
    assert one(plan, STANDARD)["standardsArn"] == arn


def test_standards_come_after_security_hub_and_after_the_record_that_they_read() -> None:
    def both(opts: pulumi.ResourceOptions) -> None:
        records = AwsConfigRecorder("records", RECORDER, opts)
        AwsSecurityHub("hub", {"scope": HOME, "recorder_name": records.recorder_name}, opts)

    plan = planned(both)
    for standard in plan.of_type(STANDARD):
        assert {plan.resource(urn).type for urn in plan.waits_for(standard.urn)} >= {HUB_TYPE, STATUS}
        assert "records" not in standard.inputs["standardsArn"]


def test_findings_of_other_regions_come_to_one() -> None:
    plan = planned(lambda opts: AwsSecurityHub("hub", HUB_FULL, opts))
    assert one(plan, AGGREGATOR) == {"linkingMode": "SPECIFIED_REGIONS", "specifiedRegions": ["eu-west-1"]}
    assert HUB_TYPE in waits(plan, AGGREGATOR)
    assert not hub().of_type(AGGREGATOR)


def test_new_high_findings_of_security_hub_go_to_the_topic() -> None:
    plan = planned(lambda opts: AwsSecurityHub("hub", HUB_FULL, opts))
    assert json.loads(one(plan, EVENT_RULE)["eventPattern"])["detail"]["findings"] == {
        "Severity": {"Label": ["CRITICAL", "HIGH"]},
        "Workflow": {"Status": ["NEW"]},
        "RecordState": ["ACTIVE"],
    }
    assert one(plan, EVENT_TARGET)["arn"] == TOPIC
    assert not hub().of_type(EVENT_RULE)


def test_unfit_hubs_are_refused() -> None:
    def refused(**changes: Any) -> dict[str, str]:
        return remedies(lambda: AwsSecurityHub("hub", {**HUB, **changes}))  # pyright: ignore[reportArgumentType]

    assert "name one standard or more" in refused(standards=[])["standards"]
    assert "<standard>/v/<version>" in refused(standards=["pci-dss"])["standards"]
    assert "1.4.0 or newer" in refused(standards=["cis-aws-foundations-benchmark/v/1.2.0"])["standards"]
    assert "name the others" in refused(regions=["eu-central-1"])["regions"]


def test_access_from_outside_and_unused_access_are_looked_for() -> None:
    plan = analyzers()
    assert one(plan, ANALYZER_TYPE, "access") == {"analyzerName": "access", "type": "ACCOUNT"}
    unused = one(plan, ANALYZER_TYPE, "access-unused")
    assert (unused["analyzerName"], unused["type"]) == ("access-unused", "ACCOUNT_UNUSED_ACCESS")
    assert unused["configuration"] == {"unusedAccess": {"unusedAccessAge": 90}}
    assert [each.name for each in analyzers(unused_days=0).of_type(ANALYZER_TYPE)] == ["access"]


def test_unfit_analyzers_are_refused() -> None:
    assert "0 to 365" in remedies(lambda: AwsAccessAnalyzer("access", {**ANALYZER, "unused_days": 366}))["unused_days"]
    assert "letter first" in remedies(lambda: AwsAccessAnalyzer("1st", ANALYZER))["name"]


def test_an_account_refuses_what_is_open_or_unencrypted() -> None:
    plan = guards()
    assert one(plan, VOLUMES) == {"enabled": True}
    closed = "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess"
    assert one(plan, closed)["state"] == "block-all-sharing"
    assert one(plan, "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess")["state"] == "block-new-sharing"
    assert one(plan, METADATA) == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert one(plan, ACCOUNT_BLOCK) == {
        "accountId": "123456789012",
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert one(plan, PASSWORDS) == {
        "minimumPasswordLength": 14,
        "passwordReusePrevention": 24,
        "maxPasswordAge": 90,
        "requireLowercaseCharacters": True,
        "requireUppercaseCharacters": True,
        "requireNumbers": True,
        "requireSymbols": True,
        "allowUsersToChangePassword": True,
        "hardExpiry": False,
    }


def test_volumes_get_the_given_key_from_the_first_on() -> None:
    plan = planned(lambda opts: AwsAccountGuards("guards", GUARDS_FULL, opts))
    assert one(plan, VOLUME_KEY) == {"keyArn": KEY}
    assert VOLUME_KEY in waits(plan, VOLUMES)
    assert not guards().of_type(VOLUME_KEY)


@pytest.mark.parametrize(
    ("block", "mode"), [(InternetBlock.INGRESS, "block-ingress"), (InternetBlock.BOTH, "block-bidirectional")]
)
def test_the_internet_is_blocked_on_demand_only(block: InternetBlock, mode: str) -> None:
    assert one(guards(block_internet=block), VPC_BLOCK) == {"internetGatewayBlockMode": mode}
    assert not guards().of_type(VPC_BLOCK)
    assert not guards(block_internet=InternetBlock.NONE).of_type(VPC_BLOCK)


def test_what_is_the_same_everywhere_is_guarded_in_one_region() -> None:
    here, away = ({each.type for each in plan.resources} for plan in (guards(), guards(global_guards=False)))
    assert here - away == {ACCOUNT_BLOCK, PASSWORDS}


def test_whoever_waits_for_the_guards_waits_for_all_of_them() -> None:
    made = {each.type for each in guards().resources if each.custom and not each.type.startswith("pulumi:")}
    assert after(lambda opts: AwsAccountGuards("guards", GUARDS, opts).volumes_encrypted) >= made


def test_unfit_guards_are_refused() -> None:
    found = remedies(lambda: AwsAccountGuards("guards", {**GUARDS, "hop_limit": 0, "password_days": 0}))
    assert found == {"hop_limit": "give 1 to 64 hops", "password_days": "give 1 to 1095 days"}
