"""The edge's certificate. CloudFront takes one from us-east-1 alone, wherever everything else stands."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from constructs import Construct

from stacks.dns import Dns
from stacks.environment import Environment
from stacks.stack import AmplyStack

CLOUDFRONT_REGION = "us-east-1"


class Certificate(AmplyStack):
    """Proves the domain by records in its zone, and renews itself while they stand there."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, dns: Dns) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: certificate of the edge",
            env=cdk.Environment(account=environment.account, region=CLOUDFRONT_REGION),
        )
        site, *others = dns.domain.edge_hosts
        self.certificate = acm.Certificate(
            self,
            "Edge",
            domain_name=site,
            subject_alternative_names=others,
            validation=acm.CertificateValidation.from_dns(dns.zone),
        )
