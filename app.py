"""The CDK app: every environment, always. See stacks/build.py."""

import sys

import aws_cdk as cdk

from stacks.build import CannotBuildError, build

app = cdk.App()
try:
    build(app)
except CannotBuildError as reason:
    sys.exit(str(reason))
app.synth()
