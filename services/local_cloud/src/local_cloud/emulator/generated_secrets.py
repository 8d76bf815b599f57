"""Generates secrets with the characters that their template allows; MiniStack honours only `ExcludeCharacters`."""

import string

from local_cloud.emulator import handlers
from local_cloud.emulator.handlers import Properties

_EXCLUDED_BY = {
    "ExcludePunctuation": string.punctuation,
    "ExcludeNumbers": string.digits,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeLowercase": string.ascii_lowercase,
}


def install() -> None:
    handlers.before("AWS::SecretsManager::Secret", _with_excluded_characters)


def _with_excluded_characters(properties: Properties) -> Properties:
    generate = properties.get("GenerateSecretString")
    if generate is None:
        return properties
    excluded = generate.get("ExcludeCharacters", "") + "".join(
        characters for name, characters in _EXCLUDED_BY.items() if str(generate.get(name)).lower() == "true"
    )
    return {**properties, "GenerateSecretString": {**generate, "ExcludeCharacters": excluded}}
