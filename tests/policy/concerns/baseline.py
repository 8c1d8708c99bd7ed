"""What guards an account: in the sound stack, and the ways to break them."""

from ..breaking import Break, changed, without
from ..sketch import AWAY, Sketch, allow

FLAGS: tuple[str, ...] = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
PASSWORDS = {
    "minimumPasswordLength": 14,
    "passwordReusePrevention": 24,
    "maxPasswordAge": 90,
    "requireLowercaseCharacters": True,
    "requireUppercaseCharacters": True,
    "requireNumbers": True,
    "requireSymbols": True,
}


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    # To this role alone CloudTrail comes without naming its source.
    trust = allow(Action="sts:AssumeRole", Principal={"Service": "cloudtrail.amazonaws.com"})
    sketch.add("aws:iam/role:Role", "trail-logs", {"assumeRolePolicy": trust})
    sketch.add(
        "aws:cloudtrail/trail:Trail",
        "trail",
        {
            "isMultiRegionTrail": True,
            "includeGlobalServiceEvents": True,
            "enableLogging": True,
            "enableLogFileValidation": True,
            "eventSelectors": [{"readWriteType": "All", "includeManagementEvents": True}],
        },
        {
            "kmsKeyId": "key",
            "s3BucketName": "bucket",
            "cloudWatchLogsGroupArn": "flows",
            "cloudWatchLogsRoleArn": "trail-logs",
        },
    )
    everything = {"recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}}
    sketch.add("aws:cfg/recorder:Recorder", "recorder", everything, {"roleArn": "role"})
    delivers = {"name": "recorder", "s3BucketName": "bucket", "s3KmsKeyArn": "key"}
    sketch.add("aws:cfg/deliveryChannel:DeliveryChannel", "deliveries", {}, delivers)
    recording = {"isEnabled": True}
    sketch.add("aws:cfg/recorderStatus:RecorderStatus", "recording", recording, {"name": "recorder"}, ["deliveries"])
    often = {"enable": True, "findingPublishingFrequency": "FIFTEEN_MINUTES"}
    sketch.add("aws:guardduty/detector:Detector", "detector", often)
    feature = {"name": "RUNTIME_MONITORING", "status": "ENABLED"}
    sketch.add("aws:guardduty/detectorFeature:DetectorFeature", "feature", feature, {"detectorId": "detector"})
    sketch.add("aws:securityhub/account:Account", "hub", {"enableDefaultStandards": False})
    standard = {"standardsArn": "arn:aws:securityhub:eu-central-1::standards/x/v/1.0.0"}
    sketch.add("aws:securityhub/standardsSubscription:StandardsSubscription", "standard", standard, after=["hub"])
    sketch.add("aws:accessanalyzer/analyzer:Analyzer", "outside", {"type": "ACCOUNT"})
    unused = {"type": "ACCOUNT_UNUSED_ACCESS", "configuration": {"unusedAccess": {"unusedAccessAge": 90}}}
    sketch.add("aws:accessanalyzer/analyzer:Analyzer", "unused", unused)
    block = dict.fromkeys(FLAGS, True)
    sketch.add("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "account-block", block)
    sketch.add("aws:iam/accountPasswordPolicy:AccountPasswordPolicy", "passwords", PASSWORDS)
    sketch.add("aws:ebs/encryptionByDefault:EncryptionByDefault", "volumes", {"enabled": True})
    closed = {"state": "block-all-sharing"}
    sketch.add("aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", "snapshots", closed)
    sketch.add("aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", "images", {"state": "block-new-sharing"})
    sessions = {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    sketch.add("aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "metadata", sessions)


def elsewhere(name: str) -> Break:
    """Break a stack by moving a resource to the other region."""
    return lambda sketch: sketch.set(name, provider=sketch.urn(AWAY))


def selecting(**selector: object) -> Break:
    """Break a stack by what its trail selects."""
    sound = {"readWriteType": "All", "includeManagementEvents": True}
    return changed("trail", eventSelectors=[{**sound, **selector}])


BREAKS: dict[str, list[Break]] = {
    "cloudtrail-everything": [
        changed("trail", isMultiRegionTrail=None),
        changed("trail", isMultiRegionTrail=False),
        changed("trail", enableLogging=False),
        changed("trail", includeGlobalServiceEvents=False),
        selecting(includeManagementEvents=False),
        selecting(readWriteType="WriteOnly"),
        selecting(excludeManagementEventSources=["kms.amazonaws.com"]),
    ],
    "cloudtrail-validated": [
        changed("trail", enableLogFileValidation=None),
        changed("trail", enableLogFileValidation=False),
    ],
    "cloudtrail-encrypted": [changed("trail", kmsKeyId=None)],
    "cloudtrail-to-logs": [
        changed("trail", cloudWatchLogsGroupArn=None),
        changed("trail", cloudWatchLogsRoleArn=None),
    ],
    "config-all-types": [
        changed("recorder", recordingGroup={"allSupported": False, "resourceTypes": ["AWS::EC2::Instance"]}),
        changed("recorder", recordingGroup=None),
        without("recording"),
        changed("recording", isEnabled=False),
        changed("recording", name="another"),
    ],
    "config-deliveries-encrypted": [changed("deliveries", s3KmsKeyArn=None)],
    "guardduty-on": [
        changed("detector", enable=False),
        changed("detector", findingPublishingFrequency=None),
        changed("detector", findingPublishingFrequency="SIX_HOURS"),
    ],
    "guardduty-features": [changed("feature", status="DISABLED"), changed("feature", status=None)],
    "security-hub-named-standards": [
        changed("hub", enableDefaultStandards=None),
        changed("hub", enableDefaultStandards=True),
        without("standard"),
        elsewhere("standard"),
    ],
    "access-analyzer-outside": [
        without("outside"),
        elsewhere("outside"),
        changed("outside", type="ACCOUNT_INTERNAL_ACCESS"),
    ],
    "access-analyzer-unused": [
        changed("unused", configuration=None),
        changed("unused", configuration={"unusedAccess": {"unusedAccessAge": 180}}),
    ],
    "account-public-access-block": [
        *(changed("account-block", **{flag: None}) for flag in FLAGS),
        changed("account-block", blockPublicPolicy=False),
    ],
    "account-passwords": [
        *(changed("passwords", **{key: None}) for key in PASSWORDS),
        changed("passwords", minimumPasswordLength=8),
        changed("passwords", passwordReusePrevention=5),
        changed("passwords", maxPasswordAge=365),
        changed("passwords", requireSymbols=False),
    ],
    "ebs-encrypted-by-default": [changed("volumes", enabled=False), changed("volumes", enabled=None)],
    "snapshots-not-public": [
        changed("snapshots", state="unblocked"),
        changed("snapshots", state="block-new-sharing"),
    ],
    "images-not-public": [changed("images", state="unblocked")],
    "instance-metadata-defaults": [
        changed("metadata", httpTokens="optional"),
        changed("metadata", httpTokens=None),
        changed("metadata", httpPutResponseHopLimit=-1),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
