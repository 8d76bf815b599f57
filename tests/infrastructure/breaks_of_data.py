"""Mutations that break each invariant of data: backups, encryption, copies, expiry."""

from collections.abc import Mapping

from tests.infrastructure import invariants as rules
from tests.infrastructure.breaking import Broken, append, drop, grant, overwrite, remove

BUCKET, QUEUE, KEY = "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::KMS::Key"
SECRET, ZONE, LOG = "AWS::SecretsManager::Secret", "AWS::Route53::HostedZone", "AWS::Logs::LogGroup"
DATABASE, SETTINGS = "AWS::RDS::DBInstance", ("AWS::RDS::DBParameterGroup", "Properties", "Parameters")
CACHE, POLICY = "AWS::ElastiCache::ReplicationGroup", "AWS::S3::BucketPolicy"
PUBLIC = (BUCKET, "Properties", "PublicAccessBlockConfiguration")
ALARM, BUS = "AWS::CloudWatch::Alarm", "AWS::Events::EventBus"
FUNCTION, ROLE = "AWS::Lambda::Function", "AWS::IAM::Role"
MAKES_LOGS = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
kept, encrypted, over_tls, own_log = (
    rules.data_leaves_only_as_durability_says,
    rules.everything_is_encrypted_at_rest,
    rules.clients_must_speak_tls,
    rules.functions_write_to_a_log_of_their_stack,
)

BREAKS: Mapping[str, Broken] = {
    "a bucket deleted with its stack": (kept, "storage", overwrite(BUCKET, "DeletionPolicy", to="Delete")),
    "a database replaced without a trace": (kept, "database", drop(DATABASE, "UpdateReplacePolicy")),
    "a key that goes with its stack": (kept, "keys", overwrite(KEY, "DeletionPolicy", to="Delete")),
    "a key replaced without a trace": (kept, "keys", overwrite(KEY, "UpdateReplacePolicy", to="Delete")),
    "a secret that goes with its stack": (kept, "keys", drop(SECRET, "DeletionPolicy")),
    "a queue that goes with its stack": (kept, "queues", drop(QUEUE, "DeletionPolicy")),
    "a log that goes with its stack": (kept, "workers", overwrite(LOG, "DeletionPolicy", to="Delete")),
    "a zone that goes with its stack": (kept, "dns", overwrite(ZONE, "DeletionPolicy", to="Delete")),
    "an unencrypted bucket": (encrypted, "storage", drop(BUCKET, "Properties", "BucketEncryption")),
    "an unencrypted database": (
        encrypted,
        "database",
        overwrite(DATABASE, "Properties", "StorageEncrypted", to=False),
    ),
    "a database under AWS's key": (encrypted, "database", drop(DATABASE, "Properties", "KmsKeyId")),
    "an unencrypted queue": (
        encrypted,
        "queues",
        overwrite(QUEUE, "Properties", "SqsManagedSseEnabled", to=False),
    ),
    "a queue that does not say": (encrypted, "queues", drop(QUEUE, "Properties", "SqsManagedSseEnabled")),
    "an unencrypted cache": (encrypted, "cache", drop(CACHE, "Properties", "AtRestEncryptionEnabled")),
    "a cache under AWS's key": (encrypted, "cache", drop(CACHE, "Properties", "KmsKeyId")),
    "a bucket without a policy": (over_tls, "storage", remove(POLICY)),
    "a bucket whose policy refuses nobody": (
        over_tls,
        "storage",
        overwrite(POLICY, "Properties", "PolicyDocument", "Statement", "0", "Effect", to="Allow"),
    ),
    "a bucket that refuses those who speak TLS": (
        over_tls,
        "storage",
        overwrite(
            POLICY,
            *("Properties", "PolicyDocument", "Statement", "0", "Condition"),
            to={"Bool": {"aws:SecureTransport": "true"}},
        ),
    ),
    "a queue without a policy": (over_tls, "queues", remove("AWS::SQS::QueuePolicy")),
    "a topic without a policy": (over_tls, "observability", remove("AWS::SNS::TopicPolicy")),
    "a topic in another region without a policy": (over_tls, "certificate", remove("AWS::SNS::TopicPolicy")),
    "a cache that prefers TLS": (
        over_tls,
        "cache",
        overwrite(CACHE, "Properties", "TransitEncryptionMode", to="preferred"),
    ),
    "a database that may do without TLS": (over_tls, "database", drop(*SETTINGS, "rds.force_ssl")),
    "a database that logs what slow statements were given": (
        rules.the_database_logs_no_values,
        "database",
        drop(*SETTINGS, "log_parameter_max_length"),
    ),
    "a database that logs what failing statements were given": (
        rules.the_database_logs_no_values,
        "database",
        overwrite(*SETTINGS, "log_parameter_max_length_on_error", to="-1"),
    ),
    "a database that logs the values in an error's detail": (
        rules.the_database_logs_no_values,
        "database",
        overwrite(*SETTINGS, "log_error_verbosity", to="default"),
    ),
    "a bucket that takes public policies": (
        rules.buckets_are_never_public,
        "storage",
        overwrite(*PUBLIC, "BlockPublicPolicy", to=False),
    ),
    "a bucket that takes public lists": (
        rules.buckets_are_never_public,
        "storage",
        drop(*PUBLIC, "BlockPublicAcls"),
    ),
    "a log kept for ever": (
        rules.logs_are_forgotten_in_time,
        "workers",
        drop(LOG, "Properties", "RetentionInDays"),
    ),
    "a function that names no log": (
        own_log,
        "network",
        drop(FUNCTION, "Properties", "LoggingConfig"),
    ),
    "a function that names a log of nobody's": (
        own_log,
        "edge",
        overwrite(FUNCTION, "Properties", "LoggingConfig", "LogGroup", to="/aws/lambda/upload"),
    ),
    "a function that may make any log": (
        own_log,
        "network",
        overwrite(ROLE, "Properties", "ManagedPolicyArns", to=[MAKES_LOGS]),
    ),
    "a function whose own policy makes a log": (own_log, "network", grant("logs:CreateLogGroup")),
    "a queue that retries for ever": (
        rules.failing_messages_are_set_aside_and_noticed,
        "queues",
        drop(QUEUE, "Properties", "RedrivePolicy"),
    ),
    "a queue nobody watches": (
        rules.failing_messages_are_set_aside_and_noticed,
        "observability",
        remove(ALARM),
    ),
    "a bus that forgets": (rules.events_are_kept, "events", remove("AWS::Events::Archive")),
    "a bus that drops what it cannot deliver": (
        rules.events_are_kept,
        "events",
        drop(BUS, "Properties", "DeadLetterConfig"),
    ),
    "nobody's queue": (rules.resources_say_whose_they_are, "queues", drop(QUEUE, "Properties", "Tags")),
    "another environment's queue": (
        rules.resources_say_whose_they_are,
        "queues",
        append(QUEUE, "Properties", "Tags", more={"Key": "amply:environment", "Value": "staging"}),
    ),
    "another project's database": (
        rules.resources_say_whose_they_are,
        "database",
        append(DATABASE, "Properties", "Tags", more={"Key": "amply:project", "Value": "other"}),
    ),
}
