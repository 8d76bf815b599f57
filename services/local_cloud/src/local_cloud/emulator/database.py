"""Emulates `ManageMasterUserPassword` of RDS: creates the secret in Secrets Manager.

RDS names it `rds!db-<resource id>` and stores `{"username": …, "password": …}`
(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html).
"""

import json
import secrets

from ministack.services import rds, secretsmanager

from local_cloud.emulator import handlers
from local_cloud.emulator.handlers import Properties


def install() -> None:
    handlers.after("AWS::RDS::DBInstance", _manage_master_password)
    handlers.before_deletion("AWS::RDS::DBInstance", _forget_master_password)


def _manage_master_password(identifier: str, properties: Properties) -> dict[str, str]:
    if str(properties.get("ManageMasterUserPassword", "false")).lower() != "true":
        return {}
    instance = rds._instances[identifier]  # noqa: SLF001 -- the record its API answers from
    secret = instance.get("MasterUserSecret") or _create_secret(instance, properties)
    instance["MasterUserSecret"] = secret
    return {"MasterUserSecret.SecretArn": secret["SecretArn"]}


def _create_secret(instance: Properties, properties: Properties) -> dict[str, str]:
    key = str((properties.get("MasterUserSecret") or {}).get("KmsKeyId", "alias/aws/secretsmanager"))
    login = {"username": instance["MasterUsername"], "password": secrets.token_urlsafe(24)}
    request = {
        "Name": f"rds!{instance['DbiResourceId'].lower()}",
        "Description": "The master password of a database, managed by RDS",
        "SecretString": json.dumps(login),
        "KmsKeyId": key,
    }
    status, _, body = secretsmanager._create_secret(request)  # noqa: SLF001 -- calling ourselves over HTTP here would block the event loop
    answer = json.loads(body)
    if status != 200:  # noqa: PLR2004 -- HTTP's OK
        raise ValueError(f"the master secret could not be made: {answer}")
    return {"SecretArn": answer["ARN"], "SecretStatus": "active", "KmsKeyId": key}


def _forget_master_password(identifier: str) -> None:
    """RDS deletes the secret with its instance, at once."""
    secret = rds._instances.get(identifier, {}).get("MasterUserSecret")  # noqa: SLF001 -- as above
    if secret:
        request = {"SecretId": secret["SecretArn"], "ForceDeleteWithoutRecovery": True}
        secretsmanager._delete_secret(request)  # noqa: SLF001 -- as above
