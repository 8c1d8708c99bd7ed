"""Networks."""

from components.network.aws import AwsNetwork, AwsNetworkArgs
from components.network.security_group import AwsSecurityGroup, AwsSecurityGroupArgs

from .shared import HOME, LOG_KEY, Examples

NETWORK: AwsNetworkArgs = {
    "scope": HOME,
    "cidr": "10.20.0.0/16",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "log_key_arn": LOG_KEY,
}
GROUP: AwsSecurityGroupArgs = {
    "vpc_id": "vpc-1",
    "description": "Web servers",
    "ingress": {"proxy": {"port": 8080, "group": "sg-proxy"}},
    "egress": {"https": {"port": 443, "cidr": "0.0.0.0/0"}},
}

EXAMPLES: Examples = {
    AwsNetwork: [lambda name, opts: AwsNetwork(name, NETWORK, opts)],
    AwsSecurityGroup: [lambda name, opts: AwsSecurityGroup(name, GROUP, opts)],
}
