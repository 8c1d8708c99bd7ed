"""Identities of a cluster's add-ons."""

from components.security.iam import PodIdentity
from components.security.pod_roles import AwsPodRole, AwsPodRoleArgs

from .shared import HOME, Examples

PODS: PodIdentity = {
    "cluster_name": "shop",
    "cluster_arn": "arn:aws:eks:eu-central-1:123456789012:cluster/shop",
    "namespace": "external-dns",
    "service_account": "external-dns",
}
RECORDS: AwsPodRoleArgs = {
    "scope": HOME,
    "description": "Keeps records of the shop's hosts",
    "pods": PODS,
    "dns_zone_ids": ["Z0123456789ABC"],
}
EVERYTHING: AwsPodRoleArgs = {
    **RECORDS,
    "dns_zone_ids": ["Z0123456789ABC", "Z0123456789DEF"],
    "dns_names": ["portal.shop.example", "*.eu.shop.example"],
    "load_balancers": {"vpc_id": "vpc-1"},
    "node_groups": True,
}

EXAMPLES: Examples = {
    AwsPodRole: [
        lambda name, opts: AwsPodRole(name, RECORDS, opts),
        lambda name, opts: AwsPodRole(name, EVERYTHING, opts),
    ],
}
"""A full and a bare call of every component, for the contract that all of them keep."""
