"""The marketplace's API for buyers: three routes of our own, and Delta Sharing over the same grants."""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import CfnOutput
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from constructs_lib.function import PlainFunction
from constructs_lib.table import READS_TABLES, WRITES_TABLES
from stacks.environment import Environment
from stacks.lake.control_plane import ControlPlane
from stacks.lake.gateway import lay_out_routes, make_gateway, make_plan
from stacks.lake.governance import GIVEN, LakeAndGovernance
from stacks.permissions import allow_key, allow_on_objects
from stacks.stack import AmplyStack

SOURCES = Path(__file__).parents[2] / "services" / "marketplace" / "src"


class MarketplaceApi(AmplyStack):
    """Each function reads grants first, and has only the permissions of its own route."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: LakeAndGovernance,
        control: ControlPlane,
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: the marketplace's API"
        )
        self._lake, self._control = lake, control
        datasets, usage = control.datasets, control.usage
        self._datasets = self._function("GetDatasets", "get_datasets", gets=[datasets])
        self._link = self._function("GetDataSignedUrl", "get_data_signed_url", gets=[datasets], links=True)
        self._usage = self._function("GetUsage", "get_usage", gets=[usage], asks=[usage])
        self._sharing = self._function("DeltaSharing", "delta_sharing", gets=[datasets], links=True)
        self.api = make_gateway(self)
        lay_out_routes(
            self.api,
            datasets=self._datasets,
            links=self._link,
            usage=self._usage,
            sharing=self._sharing,
        )
        self.plan = make_plan(self.api)
        CfnOutput(self, "MarketplaceUrl", value=self.api.url, description="Where buyers ask")

    def _function(
        self,
        construct_id: str,
        handler: str,
        *,
        gets: Sequence[dynamodb.ITable] = (),
        asks: Sequence[dynamodb.ITable] = (),
        links: bool = False,
    ) -> PlainFunction:
        """One that reads a token's grants and their contracts, items of `gets` and whole partitions of `asks`."""
        control = self._control
        function = PlainFunction(
            self,
            construct_id,
            description=f"Marketplace: {handler}",
            sources=SOURCES,
            handler=f"amply_marketplace.handlers.{handler}",
            environment={**control.names, "AMPLY_CURATED_BUCKET": self._lake.curated.bucket_name},
            log=self.log_keeping,
            seconds=15,
        )
        function.allow(["dynamodb:Query"], [table.table_arn for table in (control.grants, *asks)])
        function.allow(["dynamodb:GetItem"], [table.table_arn for table in (control.contracts, *gets)])
        allow_key(function.role, self._lake.key, READS_TABLES)
        if links:
            self._let_link(function)
        return function

    def _let_link(self, function: PlainFunction) -> None:
        """A link carries the right of whoever signed it; it is written down before it is handed out."""
        control = self._control
        function.allow(["dynamodb:Query"], [control.datasets.table_arn])
        function.allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [control.usage.table_arn])
        allow_key(function.role, self._lake.key, WRITES_TABLES)
        function.allow(
            ["dynamodb:ConditionCheckItem"], [control.grants.table_arn, control.contracts.table_arn]
        )
        allow_on_objects(function.role, self._lake.curated, f"{GIVEN}*", ["s3:GetObject"])
