"""What the outside reaches first, and what it may not say of itself."""

import aws_cdk as cdk
import pytest

from stacks.build import CannotBuildError, build
from stacks.contracts import CLIENT_ADDRESS_HEADER
from tests.infrastructure.assembly import Deployed


def test_the_gateway_says_who_the_client_is_whatever_the_client_says(deployed: Deployed) -> None:
    (integration,) = deployed.resources("AWS::ApiGatewayV2::Integration")

    assert integration.properties["RequestParameters"] == {
        f"overwrite:header.{CLIENT_ADDRESS_HEADER}": "$context.identity.sourceIp"
    }


def test_only_distributions_of_this_account_read_the_log(deployed: Deployed) -> None:
    statements = [
        statement
        for policy in deployed.resources("AWS::S3::BucketPolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "ServeTheLog"
    ]

    (statement,) = statements
    assert "distribution/*" in str(statement["Condition"]["ArnLike"]["aws:SourceArn"])


@pytest.mark.parametrize("answer", ["no", "0", ""])
def test_a_careless_word_on_the_command_line_is_refused(
    answer: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").touch()

    with pytest.raises(CannotBuildError, match="idle is true or false"):
        build(cdk.App(context={"idle": answer}), site=site)
