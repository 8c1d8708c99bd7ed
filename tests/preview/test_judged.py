"""What the policies find stands in the preview."""

import pulumi
import pulumi_aws as aws

from preview.judged import judged_plan
from preview.plan import UNKNOWN

from ..support import NO_DEFAULTS, one

POLICY = "aws:s3/bucketPolicy:BucketPolicy"


def test_a_policy_that_only_the_cloud_can_complete_is_judged_all_the_same() -> None:
    """Its document is unknown in a preview, because it holds an ARN that there is not yet."""

    def program() -> None:
        cloud = pulumi.ResourceOptions(provider=aws.Provider("cloud"))
        bucket = aws.s3.Bucket("open", opts=cloud)
        statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": bucket.arn}
        document = pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.s3.BucketPolicy("open", bucket=bucket.bucket, policy=document, opts=cloud)

    plan = judged_plan(NO_DEFAULTS, program)
    assert one(plan, POLICY)["policy"] == UNKNOWN
    found = {(finding.rule, plan.resource(finding.urn).type) for finding in plan.findings}
    assert ("policy-not-for-everyone", POLICY) in found
