"""Who witnesses an environment's log, and how its signing key changes: what cannot be configured by mistake."""

from collections.abc import Mapping
from dataclasses import replace

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from ledger_format.policies import parse_policy
from operations.readiness import NotFinishedError, refuse_unfinished, unfinished
from stacks.environment import Environment
from stacks.environments import ENVIRONMENTS, PRODUCTION, SANDBOX, STAGING
from stacks.images import image_missing
from stacks.keys import Keys
from stacks.signing_keys import EndedKey, SigningKeys
from stacks.witnesses import AWAITED, Unwitnessed, Witness, Witnessed
from tests.infrastructure.assembly import Deployed
from tests.verify.ledger_samples import WITNESSES, verifier_key, witness_key

FORMER = str(verifier_key())


def partner(name: str, **changes: str) -> Witness:
    told = {"verifier_key": str(witness_key(name)), "url": f"https://witness.{name}.example", **changes}
    return Witness(name=name, **told)


THREE = tuple(partner(name) for name in ("harbour", "orchard", "lantern"))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_s_policy_can_be_read(name: str) -> None:
    policy = parse_policy(ENVIRONMENTS[name].witnesses.policy().encode())  # type: ignore[index] # its own keys
    assert policy.logs == (), "the publisher knows its own log"


def test_two_of_three_are_demanded_where_people_are_to_trust_the_log() -> None:
    policy = parse_policy(PRODUCTION.witnesses.policy().encode())
    names = [witness.name for witness in policy.witnesses]
    assert [policy.is_met(names[:count]) for count in range(4)] == [False, False, True, True]


def test_nobody_can_sign_for_those_who_are_awaited() -> None:
    """Their keys are hashes of a sentence: whoever doubts it computes them."""
    import hashlib  # noqa: PLC0415 -- only here

    policy = parse_policy(AWAITED.policy().encode())
    for witness in policy.witnesses:
        sentence = f"nobody holds the private half of this key: {witness.name}"
        assert witness.key.public_key == hashlib.sha256(sentence.encode()).digest()


def test_receipts_for_real_money_need_witnesses_and_pages_that_know_the_key() -> None:
    with pytest.raises(ValueError, match="needs witnesses"):
        replace(PRODUCTION, witnesses=Unwitnessed(because="in a hurry"))
    with pytest.raises(ValueError, match="pin the log's key"):
        replace(PRODUCTION, log_keys=())


def test_staging_can_publish() -> None:
    """Nobody is awaited there: a log that shows nothing would stop every deployment on its way to production."""
    assert list(STAGING.unfinished()) == []
    assert not parse_policy(STAGING.witnesses.policy().encode()).demands_witnesses


REAL = tuple(partner(name, url=f"https://witness.{name}.org") for name in WITNESSES)
WITH_REAL_ONES = replace(
    PRODUCTION,
    log_keys=(str(verifier_key(name=PRODUCTION.log_origin)),),
    witnesses=Witnessed(witnesses=REAL, quorum=2),
)


def test_what_is_unfinished_is_said_one_sentence_each() -> None:
    witnesses, key = PRODUCTION.unfinished()
    assert witnesses.startswith(
        "production: nobody can cosign for the placeholders partner-one, partner-two, "
    )
    assert key.startswith("production: nobody can sign with the placeholder in log_keys")
    assert list(WITH_REAL_ONES.unfinished()) == []
    one_left = Witnessed(witnesses=(*REAL[:2], THREE[2]), quorum=2)
    (sentence,) = replace(WITH_REAL_ONES, witnesses=one_left).unfinished()
    assert "placeholders lantern, so" in sentence


def test_an_unfinished_environment_synthesises_and_is_refused_at_its_deployment(
    environments: Mapping[str, Deployed], idle: Deployed
) -> None:
    assert {name: len(list(unfinished(deployed))) for name, deployed in environments.items()} == {
        "production": 3,
        "staging": 1,
        "sandbox": 1,
        "local": 0,
    }
    said = [image_missing("production"), *PRODUCTION.unfinished()]
    assert list(unfinished(environments["production"])) == said
    with pytest.raises(NotFinishedError, match=r"(?s)placeholders partner-one.*placeholder in log_keys"):
        refuse_unfinished(environments["production"])
    # Everything may be put in place while nothing runs: the key to write down comes out of that.
    refuse_unfinished(idle)


@pytest.mark.parametrize(
    ("witnesses", "quorum", "reason"),
    [
        (THREE[:2], 2, "3 witnesses or more"),
        (THREE, 1, "more than half"),
        (THREE, 0, "more than half"),
        (THREE, 4, "more than half"),
        ((*THREE, partner("harbour", verifier_key=str(witness_key("harbour")))), 3, "on one host"),
    ],
)
def test_a_quorum_is_a_majority_of_three_or_more(
    witnesses: tuple[Witness, ...], quorum: int, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Witnessed(witnesses=witnesses, quorum=quorum)


def test_two_witnesses_with_one_key_are_refused() -> None:
    again = partner("orchard", verifier_key=str(witness_key("harbour")))
    with pytest.raises(Exception, match="public key stands on an earlier line"):
        Witnessed(witnesses=(THREE[0], again, THREE[2]), quorum=2)


@pytest.mark.parametrize(
    "url", ["http://witness.example", "https://witness.example/", "https://", "witness.example"]
)
def test_a_witness_is_asked_over_tls(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a witness"):
        partner("harbour", url=url)


@pytest.mark.parametrize(
    "keys",
    [
        {"present": 2},
        {"present": 1, "coming": 1},
        {"present": 1, "coming": 3},
        {"present": 2, "coming": 1},
        {"present": 2, "overlapping": 1, "coming": 3},
        {"present": 2, "overlapping": 1, "ended": (EndedKey(number=1, verifier_key=FORMER, last_size=5),)},
    ],
)
def test_keys_play_one_part_each_and_none_is_left_out(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"numbered from 1|comes after"):
        SigningKeys(**keys)  # type: ignore[arg-type] # as a person would mistype it


def test_a_former_key_is_a_verifier_key_with_a_size() -> None:
    with pytest.raises(Exception, match="looks like"):
        EndedKey(number=1, verifier_key="garbage", last_size=5)
    with pytest.raises(ValueError, match="at least one entry"):
        EndedKey(number=1, verifier_key=FORMER, last_size=0)


def _app() -> cdk.App:
    """Without validation: the gate does that once."""
    return cdk.App(builtin_cloud_formation_validation=False)


def keys_of(environment: Environment) -> dict[str, list[str]]:
    """Alias of each signing key, and the statements of its policy."""
    template = Template.from_stack(
        Keys(_app(), "keys", environment=environment),
    ).to_json()
    resources = template["Resources"]
    aliases = {
        resource["Properties"]["TargetKeyId"]["Fn::GetAtt"][0]: resource["Properties"]["AliasName"]
        for resource in resources.values()
        if resource["Type"] == "AWS::KMS::Alias"
    }
    return {
        aliases[name]: [statement["Sid"] for statement in resource["Properties"]["KeyPolicy"]["Statement"]]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::KMS::Key" and "signing" in aliases[name]
    }


ADMINISTERED, SIGNING = ["Administer", "ReadPublicKey"], ["Administer", "ReadPublicKey", "SignCheckpoints"]
ENDED = EndedKey(number=1, verifier_key=FORMER, last_size=5)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (SigningKeys(), [SIGNING]),
        (SigningKeys(coming=2), [SIGNING, ADMINISTERED]),
        (SigningKeys(present=2, overlapping=1), [SIGNING, SIGNING]),
        (SigningKeys(present=2, ended=(ENDED,)), [ADMINISTERED, SIGNING]),
    ],
)
def test_at_each_step_of_a_rotation_only_the_keys_that_sign_may(
    keys: SigningKeys, expected: list[list[str]]
) -> None:
    found = keys_of(replace(SANDBOX, signing_keys=keys))
    aliases = ["alias/amply/sandbox/signing", "alias/amply/sandbox/signing-2"]
    assert found == dict(zip(aliases, expected, strict=False))


def test_a_rotation_never_replaces_the_key_that_is_there() -> None:
    def logical_ids(keys: SigningKeys) -> set[str]:
        stack = Keys(_app(), "keys", environment=replace(SANDBOX, signing_keys=keys))
        resources = Template.from_stack(stack).to_json()["Resources"]
        return {name for name, resource in resources.items() if resource["Type"] == "AWS::KMS::Key"}

    before = logical_ids(SigningKeys())
    for keys in (SigningKeys(coming=2), SigningKeys(present=2, overlapping=1)):
        assert before < logical_ids(keys)


def test_the_publisher_is_told_of_former_keys_by_their_last_size() -> None:
    assert SigningKeys(present=2, ended=(ENDED,)).former_keys() == f"5 {FORMER}"
