"""The buckets: what is signed for ever, what anyone may read, what belongs to donors, and who asked for it."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from stacks.contracts import Parameter
from stacks.environments import Environment
from stacks.keys import Keys
from stacks.stack import AmplyStack


class Storage(AmplyStack):
    """Public data is encrypted with S3's own keys: CloudFront reads it without a grant on ours."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, keys: Keys) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: buckets", holds_data=True
        )
        durability = environment.durability
        self.access_logs = self._make_access_logs()
        self.archive = PrivateBucket(
            self,
            "Archive",
            durability=durability,
            request_logs=self.access_logs,
            object_lock=durability.object_lock,
        )
        self.public = PrivateBucket(
            self,
            "Public",
            durability=durability,
            request_logs=self.access_logs,
            # The checkpoint is rewritten every few seconds; its history is in the archive, not in versions.
            lifecycle=[s3.LifecycleRule(id="overwritten", noncurrent_version_expiration=Duration.days(7))],
        )
        self.documents = PrivateBucket(
            self, "Documents", durability=durability, request_logs=self.access_logs, key=keys.data
        )
        self.exports = PrivateBucket(
            self,
            "Exports",
            durability=durability,
            request_logs=self.access_logs,
            key=keys.data,
            lifecycle=[_forget("exports", days=30)],
        )
        self.media = PrivateBucket(self, "Media", durability=durability, request_logs=self.access_logs)
        self._let_cloudfront_read(self.public, "log/*", sid="ServeTheLog")
        self._let_cloudfront_read(self.media, "media/*", sid="ServeMedia")
        self.publish(Parameter.MEDIA_BUCKET, self.media.bucket_name)
        self.publish(Parameter.PUBLIC_BUCKET, self.public.bucket_name)
        self.publish(Parameter.ARCHIVE_BUCKET, self.archive.bucket_name)

    def _make_access_logs(self) -> PrivateBucket:
        bucket = PrivateBucket(
            self,
            "AccessLogs",
            durability=self.settings.durability,
            request_logs=None,
            lifecycle=[_forget("access-logs", days=400)],
        )
        # Said once for the account: the buckets of other stacks log here, and naming them would tie a knot.
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TakeRequestLogs",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("s3/*")],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return bucket

    def _let_cloudfront_read(self, bucket: PrivateBucket, objects: str, *, sid: str) -> None:
        """Any distribution of this account: the edge stands above this stack, so it cannot be named here."""
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(objects)],
                conditions={
                    "ArnLike": {
                        "aws:SourceArn": f"arn:{self.partition}:cloudfront::{self.account}:distribution/*"
                    }
                },
            )
        )


def _forget(name: str, *, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=name,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(7),
    )
