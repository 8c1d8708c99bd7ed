"""What guards an account."""

from components.security.audit import (
    AwsAuditTrail,
    AwsAuditTrailArgs,
    AwsConfigRecorder,
    AwsConfigRecorderArgs,
)
from components.security.guards import (
    AwsAccessAnalyzer,
    AwsAccessAnalyzerArgs,
    AwsAccountGuards,
    AwsAccountGuardsArgs,
    InternetBlock,
)
from components.security.threats import (
    AwsSecurityHub,
    AwsSecurityHubArgs,
    AwsThreatDetection,
    AwsThreatDetectionArgs,
)
from components.storage.s3 import S3Replica

from .shared import AWAY_KEY, HOME, KEY, Examples

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
REPLICA: S3Replica = {"bucket_arn": "arn:aws:s3:::copy", "key_arn": AWAY_KEY, "region": "eu-west-1"}

TRAIL: AwsAuditTrailArgs = {"scope": HOME, "access_log_bucket": "logs"}
TRAIL_FULL: AwsAuditTrailArgs = {
    **TRAIL,
    "data_events": ["arn:aws:s3:::events"],
    "keep_days": 4000,
    "lock_days": 365,
    "replicate_to": REPLICA,
}
RECORDER: AwsConfigRecorderArgs = {"scope": HOME, "access_log_bucket": "logs"}
RECORDER_FULL: AwsConfigRecorderArgs = {**RECORDER, "keep_days": 4000, "replicate_to": REPLICA}
RECORDER_AWAY: AwsConfigRecorderArgs = {
    "scope": {**HOME, "region": "eu-west-1"},
    "archive": {"bucket": "records", "key_arn": KEY},
    "role_arn": "arn:aws:iam::123456789012:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
    "global_types": False,
}
DETECTION: AwsThreatDetectionArgs = {"scope": HOME}
DETECTION_FULL: AwsThreatDetectionArgs = {**DETECTION, "without": ["LAMBDA_NETWORK_LOGS"], "topic_arn": TOPIC}
HUB: AwsSecurityHubArgs = {"scope": HOME, "recorder_name": "records"}
HUB_FULL: AwsSecurityHubArgs = {**HUB, "regions": ["eu-west-1"], "topic_arn": TOPIC}
ANALYZER: AwsAccessAnalyzerArgs = {"scope": HOME}
GUARDS: AwsAccountGuardsArgs = {"scope": HOME}
GUARDS_FULL: AwsAccountGuardsArgs = {**GUARDS, "volume_key_arn": KEY, "block_internet": InternetBlock.INGRESS}

EXAMPLES: Examples = {
    AwsAuditTrail: [
        lambda name, opts: AwsAuditTrail(name, TRAIL, opts),
        lambda name, opts: AwsAuditTrail(name, TRAIL_FULL, opts),
    ],
    AwsConfigRecorder: [
        lambda name, opts: AwsConfigRecorder(name, RECORDER, opts),
        lambda name, opts: AwsConfigRecorder(name, RECORDER_FULL, opts),
        lambda name, opts: AwsConfigRecorder(name, RECORDER_AWAY, opts),
    ],
    AwsThreatDetection: [
        lambda name, opts: AwsThreatDetection(name, DETECTION, opts),
        lambda name, opts: AwsThreatDetection(name, DETECTION_FULL, opts),
    ],
    AwsSecurityHub: [
        lambda name, opts: AwsSecurityHub(name, HUB, opts),
        lambda name, opts: AwsSecurityHub(name, HUB_FULL, opts),
    ],
    AwsAccessAnalyzer: [lambda name, opts: AwsAccessAnalyzer(name, ANALYZER, opts)],
    AwsAccountGuards: [
        lambda name, opts: AwsAccountGuards(name, GUARDS, opts),
        lambda name, opts: AwsAccountGuards(name, GUARDS_FULL, opts),
    ],
}
