"""What guards an account."""

from collections.abc import Iterator

from .demands import Demand, absent, at_least, at_most, equal, false, given, judged, never, true
from .paths import UNKNOWN
from .rule import Level, Link, Resource, Rule, Stack

TRAIL = "aws:cloudtrail/trail:Trail"
RECORDER = "aws:cfg/recorder:Recorder"
RECORDER_STATUS = "aws:cfg/recorderStatus:RecorderStatus"
DELIVERY = "aws:cfg/deliveryChannel:DeliveryChannel"
DETECTOR = "aws:guardduty/detector:Detector"
FEATURE = "aws:guardduty/detectorFeature:DetectorFeature"
HUB = "aws:securityhub/account:Account"
STANDARD = "aws:securityhub/standardsSubscription:StandardsSubscription"
ANALYZER = "aws:accessanalyzer/analyzer:Analyzer"
ACCOUNT_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
PASSWORDS = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"
VOLUMES = "aws:ebs/encryptionByDefault:EncryptionByDefault"
SNAPSHOTS = "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess"
IMAGES = "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess"
METADATA = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"

_UNUSED = "_UNUSED_ACCESS"
_OUTSIDE = ("ACCOUNT", "ORGANIZATION", UNKNOWN)


def _is_judged(hub: Resource, stack: Stack) -> Iterator[str]:
    home = stack.region(hub)
    if not any(stack.region(each) == home for each in stack.of_types([STANDARD])):
        yield "it has no standard, so it judges nothing"


def _looks_for_unused(analyzer: Resource, stack: Stack) -> bool:
    return str(analyzer.inputs.get("type")).endswith(_UNUSED)


def _is_watched_from_outside(analyzer: Resource, stack: Stack) -> Iterator[str]:
    home = stack.region(analyzer)
    beside = [each for each in stack.of_types([ANALYZER]) if stack.region(each) == home]
    if not any(each.inputs.get("type", "ACCOUNT") in _OUTSIDE for each in beside):
        yield "no analyzer in its region looks for access from outside"


def _unless_false() -> Demand:
    """True, as it is where nothing is said."""
    return never("not be false", lambda value: value is False, False)


RULES: tuple[Rule, ...] = (
    Rule(
        "cloudtrail-everything",
        "A trail records all calls, in all regions.",
        (TRAIL,),
        ("CKV_AWS_67", "CKV_AWS_251", "AWS-0014", "CIS-AWS-3.1"),
        demands={
            "isMultiRegionTrail": true(),
            "enableLogging": _unless_false(),
            "includeGlobalServiceEvents": _unless_false(),
            "eventSelectors[*].includeManagementEvents": _unless_false(),
            "eventSelectors[*].readWriteType": never("be All", lambda value: value != "All", "ReadOnly", "WriteOnly"),
            "eventSelectors[*].excludeManagementEventSources": absent(["kms.amazonaws.com"]),
        },
    ),
    Rule(
        "cloudtrail-validated",
        "A trail's log files show when they were changed.",
        (TRAIL,),
        ("CKV_AWS_36", "AWS-0016", "CIS-AWS-3.2"),
        demands={"enableLogFileValidation": true()},
    ),
    Rule(
        "cloudtrail-encrypted",
        "A trail's log files are encrypted with a key of ours.",
        (TRAIL,),
        ("CKV_AWS_35", "AWS-0015", "CIS-AWS-3.5"),
        demands={"kmsKeyId": given()},
    ),
    Rule(
        "cloudtrail-to-logs",
        "A trail's events go to CloudWatch Logs too, where alarms read them.",
        (TRAIL,),
        ("CKV2_AWS_10", "AWS-0162"),
        demands={"cloudWatchLogsGroupArn": given(), "cloudWatchLogsRoleArn": given()},
    ),
    Rule(
        "config-all-types",
        "AWS Config records resources of all types, and records.",
        (RECORDER,),
        ("CKV2_AWS_45", "CIS-AWS-3.3"),
        demands={"recordingGroup.allSupported": true()},
        links=(Link("a status", RECORDER_STATUS, "name", {"isEnabled": true()}),),
    ),
    Rule(
        "config-deliveries-encrypted",
        "What AWS Config delivers is encrypted with a key of ours.",
        (DELIVERY,),
        demands={"s3KmsKeyArn": given()},
    ),
    Rule(
        "guardduty-on",
        "GuardDuty is on, and tells what it found within a quarter of an hour.",
        (DETECTOR,),
        ("CKV_AWS_238",),
        demands={
            "enable": true(),
            "findingPublishingFrequency": equal("FIFTEEN_MINUTES", breaks=["ONE_HOUR", "SIX_HOURS"]),
        },
    ),
    Rule(
        "guardduty-features",
        "A feature of GuardDuty is on.",
        (FEATURE,),
        demands={"status": equal("ENABLED", breaks=["DISABLED"])},
        level=Level.ADVISORY,
    ),
    Rule(
        "security-hub-named-standards",
        "Security Hub judges by the standards that the stack names, and by no others.",
        (HUB,),
        ("CIS-AWS-4.16",),
        demands={"enableDefaultStandards": false()},
        check=_is_judged,
        looks_around=True,
    ),
    Rule(
        "access-analyzer-outside",
        "Where access is analyzed, access from outside the account is.",
        (ANALYZER,),
        ("AWS-0175", "CIS-AWS-1.20"),
        demands={"type": judged("ACCOUNT_UNUSED_ACCESS", needed=False)},
        check=_is_watched_from_outside,
        looks_around=True,
    ),
    Rule(
        "access-analyzer-unused",
        "Access counts as unused after 90 days or fewer.",
        (ANALYZER,),
        demands={"configuration.unusedAccess.unusedAccessAge": at_most(90)},
        when=_looks_for_unused,
        level=Level.ADVISORY,
    ),
    Rule(
        "account-public-access-block",
        "An account refuses every way of opening any of its buckets to the public.",
        (ACCOUNT_BLOCK,),
        ("CIS-AWS-2.1.4",),
        demands={
            "blockPublicAcls": true(),
            "blockPublicPolicy": true(),
            "ignorePublicAcls": true(),
            "restrictPublicBuckets": true(),
        },
    ),
    Rule(
        "account-passwords",
        "IAM's passwords are long, of every kind of character, changed every 90 days and not used again.",
        (PASSWORDS,),
        (
            "CKV_AWS_9",
            "CKV_AWS_10",
            "CKV_AWS_11",
            "CKV_AWS_12",
            "CKV_AWS_13",
            "CKV_AWS_14",
            "CKV_AWS_15",
            "AWS-0056",
            "AWS-0058",
            "AWS-0059",
            "AWS-0060",
            "AWS-0061",
            "AWS-0062",
            "AWS-0063",
            "CIS-AWS-1.8",
            "CIS-AWS-1.9",
        ),
        demands={
            "minimumPasswordLength": at_least(14),
            "passwordReusePrevention": at_least(24),
            "maxPasswordAge": at_most(90),
            "requireLowercaseCharacters": true(),
            "requireUppercaseCharacters": true(),
            "requireNumbers": true(),
            "requireSymbols": true(),
        },
    ),
    Rule(
        "ebs-encrypted-by-default",
        "Volumes are encrypted, whoever makes them.",
        (VOLUMES,),
        ("CKV_AWS_106", "CIS-AWS-2.2.1"),
        demands={"enabled": true()},
    ),
    Rule(
        "snapshots-not-public",
        "No snapshot of a volume is public.",
        (SNAPSHOTS,),
        demands={"state": equal("block-all-sharing", breaks=["block-new-sharing", "unblocked"])},
    ),
    Rule(
        "images-not-public",
        "No machine image is made public.",
        (IMAGES,),
        demands={"state": equal("block-new-sharing", breaks=["unblocked"])},
    ),
    Rule(
        "instance-metadata-defaults",
        "Instances give their metadata to sessions only, and none further than a container.",
        (METADATA,),
        demands={
            "httpTokens": equal("required", breaks=["optional", "no-preference"]),
            "httpPutResponseHopLimit": equal(1, 2, breaks=[-1, 64]),
        },
    ),
)
