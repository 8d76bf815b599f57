"""API schemas of people."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from amply.kernel.clock import iso, iso_or_none
from amply.modules.mail import Language
from amply.modules.people.domain import IpBinding, Person, SignInSession
from amply.modules.people.factors import Factors, NewTotp
from amply.modules.people.passkeys import Ceremony, Passkey
from amply.modules.people.signing_in import FactorNeeded

Email = Annotated[str, Field(min_length=3, max_length=320, examples=["ada@example.org"])]
Password = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        description="12 to 128 characters after NFKC, of any kind, and not one that is known from leaks.",
        examples=["a quiet river at dawn"],
    ),
]
LinkToken = Annotated[
    str, Field(min_length=1, max_length=300, description="What stands behind `#` in the letter's link.")
]
Code = Annotated[
    str,
    Field(
        min_length=6,
        max_length=40,
        description="Six digits of the app, or a recovery code.",
        examples=["123456"],
    ),
]


class In(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RegisterIn(In):
    """Who wants an account."""

    email: Email
    password: Password
    language: Language = Language.EN


class VerifyIn(In):
    """The letter's token, and the password that was registered with."""

    token: LinkToken
    password: Password


class LoginIn(In):
    """Who signs in."""

    email: Email
    password: Password


class LoginFactorIn(In):
    """The second factor, after a password."""

    pending: LinkToken
    code: Code


class ResetAskedIn(In):
    """Whose password is forgotten."""

    email: Email
    language: Language = Language.EN


class ResetIn(In):
    """The letter's token, and the new password."""

    token: LinkToken
    password: Password


class PasswordIn(In):
    """The present password and the new one."""

    present_password: Password
    password: Password


class EmailIn(In):
    """The address an account is to have."""

    email: Email


class TokenIn(In):
    """A letter's token."""

    token: LinkToken


class ConfirmIn(In):
    """Password, and a code where there is a second factor."""

    password: Password
    code: Code | None = None


class CodeIn(In):
    """A code of the app that is being set up."""

    code: Code


class SecuritySettingsIn(In):
    """How closely sessions are held to where they begin."""

    ip_binding: IpBinding


class PasskeyIn(In):
    """What `navigator.credentials.create` answered, as JSON (WebAuthn §5.1, `toJSON`)."""

    ceremony: Annotated[str, Field(min_length=1, max_length=64)]
    credential: dict[str, Any]
    name: Annotated[
        str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Telephone"])
    ]


class PasskeyShownIn(In):
    """What `navigator.credentials.get` answered, as JSON. `pending` where a password was right before."""

    ceremony: Annotated[str, Field(min_length=1, max_length=64)]
    credential: dict[str, Any]
    pending: LinkToken | None = None


class PasskeyAskedIn(In):
    """`pending` where a password was right before; without it, whoever has a passkey may sign in."""

    pending: LinkToken | None = None


class LetterAsked(BaseModel):
    """The same for every address, whoever has an account."""

    detail: str = "A letter is on its way to this address; it says what to do next."


class SignedInOut(BaseModel):
    """A session was opened; its cookie came with this answer."""

    status: Literal["signed_in"] = "signed_in"
    person_id: str


class FactorNeededOut(BaseModel):
    """The password was right. `pending` goes back with the second factor within five minutes."""

    status: Literal["second_factor_required"] = "second_factor_required"
    pending: str
    methods: list[Literal["code", "passkey"]]

    @classmethod
    def of(cls, needed: FactorNeeded) -> Self:
        """The wire form. A recovery code is a code too, and stands in for either."""
        passkey: list[Literal["code", "passkey"]] = ["passkey"] if needed.has_passkeys else []
        return cls(pending=needed.pending, methods=["code", *passkey])


class Done(BaseModel):
    """It is done."""

    status: Literal["done"] = "done"


class FactorsOut(BaseModel):
    """What somebody has beside a password."""

    totp: bool
    passkeys: int
    recovery_codes_left: int

    @classmethod
    def of(cls, found: Factors) -> Self:
        """The wire form."""
        return cls(totp=found.has_totp, passkeys=found.passkeys, recovery_codes_left=found.recovery_codes)


class PersonOut(BaseModel):
    """Who is signed in, as they see themselves."""

    id: str
    email: str
    language: Language
    ip_binding: IpBinding
    created_at: str
    session_id: str
    signed_in_at: str
    confirmed_at: str
    factors: FactorsOut

    @classmethod
    def of(cls, person: Person, session: Any, factors: Factors) -> Self:
        """The wire form."""
        return cls(
            id=person.id,
            email=person.address.written,
            language=person.language,
            ip_binding=person.ip_binding,
            created_at=iso(person.created_at),
            session_id=session.session_id,
            signed_in_at=iso(session.signed_in_at),
            confirmed_at=iso(session.confirmed_at),
            factors=FactorsOut.of(factors),
        )


class SessionOut(BaseModel):
    """One session of whoever asks."""

    id: str
    device: str = Field(examples=["Firefox on Linux"])
    signed_in_at: str
    seen_at: str = Field(description="When it was last used, to five minutes.")
    is_this_one: bool

    @classmethod
    def of(cls, session: SignInSession, *, present: str) -> Self:
        """The wire form."""
        return cls(
            id=session.id,
            device=session.device,
            signed_in_at=iso(session.signed_in_at),
            seen_at=iso(session.seen_at),
            is_this_one=session.id == present,
        )


class SessionList(BaseModel):
    """At most fifty, the newest first."""

    data: list[SessionOut]


class TotpOut(BaseModel):
    """What an app is told. Shown once."""

    secret: str = Field(description="Base 32.")
    uri: str = Field(description="For a QR code (`otpauth:`).")

    @classmethod
    def of(cls, made: NewTotp) -> Self:
        """The wire form."""
        return cls(secret=made.secret, uri=made.uri)


class RecoveryCodesOut(BaseModel):
    """Ten codes, each good once in place of the second factor. Shown once."""

    recovery_codes: list[str]


class CeremonyOut(BaseModel):
    """What to ask the browser for: `options` are the JSON that `parseCreationOptionsFromJSON` and its like read."""

    ceremony: str
    options: dict[str, Any]

    @classmethod
    def of(cls, begun: Ceremony) -> Self:
        """The wire form."""
        return cls(ceremony=begun.id, options=dict(begun.options))


class PasskeyOut(BaseModel):
    """One passkey of whoever asks."""

    id: str
    name: str
    created_at: str
    last_used_at: str | None

    @classmethod
    def of(cls, passkey: Passkey) -> Self:
        """The wire form."""
        return cls(
            id=passkey.id,
            name=passkey.name,
            created_at=iso(passkey.created_at),
            last_used_at=iso_or_none(passkey.last_used_at),
        )


class PasskeyList(BaseModel):
    """The oldest first."""

    data: list[PasskeyOut]


class PasskeyMade(BaseModel):
    """The new passkey; with the first factor of all come recovery codes, shown once."""

    passkey: PasskeyOut
    recovery_codes: list[str] | None
