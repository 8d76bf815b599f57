"""E-mail through SES: a signed domain, TLS or nothing, and no second letter to an address that bounced."""

from aws_cdk import aws_ses as ses
from constructs import Construct

from stacks.contracts import Parameter
from stacks.environments import Environment
from stacks.stack import AmplyStack


class Mail(AmplyStack):
    """The identity is verified by DKIM records (`aws sesv2 get-email-identity` shows them); leaving SES's sandbox is a
    request to AWS.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: e-mail")
        self.configuration = ses.ConfigurationSet(
            self,
            "Configuration",
            tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
            reputation_metrics=True,
            sending_enabled=True,
            suppression_reasons=ses.SuppressionReasons.BOUNCES_AND_COMPLAINTS,
        )
        self.identity = ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.domain(environment.mail.domain),
            configuration_set=self.configuration,
            dkim_identity=ses.DkimIdentity.easy_dkim(ses.EasyDkimSigningKeyLength.RSA_2048_BIT),
            mail_from_domain=f"bounce.{environment.mail.domain}",
            mail_from_behavior_on_mx_failure=ses.MailFromBehaviorOnMxFailure.REJECT_MESSAGE,
        )
        self.publish(Parameter.MAIL_SENDER, environment.mail.sender)
