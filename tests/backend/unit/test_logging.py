from amply.infra.logging import redact


def test_secrets_and_addresses_never_reach_a_log() -> None:
    line = redact(
        None,
        "info",
        {
            "key": "sk_test_abcdef123",
            "webhook": "whsec_abcdef123",
            "client": "pi_3Abc_secret_xyz",
            "text": "mail to ada@example.org failed",
            "count": 3,
        },
    )

    assert line == {
        "key": "[redacted]",
        "webhook": "[redacted]",
        "client": "[redacted]",
        "text": "mail to [redacted] failed",
        "count": 3,
    }
