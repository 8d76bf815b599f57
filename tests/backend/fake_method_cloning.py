"""In-memory implementation of payment-method cloning."""

from dataclasses import dataclass, field

from amply.infra.database import forbid_transaction
from amply.modules.payments import Paid, ProcessorUnavailable, SharedOutcome, SharedSetup
from tests.backend.world import Died


@dataclass
class FakeMethodCloning:
    """Intents are paid once. `declines` holds methods that no account takes, `declining` intents that take no method.

    `dies_at` ends the process at the n-th payment from now: before the charge, or after it with `dies_after`.
    `silent` intents are not answered for; what was charged then stays charged.
    """

    publishable_key: str = "pk_test_fake"
    payers: dict[str, str] = field(default_factory=dict)
    released: list[str] = field(default_factory=list)
    entered: dict[str, str] = field(default_factory=dict)
    standing: dict[str, Paid] = field(default_factory=dict)
    charged: list[tuple[str, str]] = field(default_factory=list)
    declines: set[str] = field(default_factory=set)
    declining: set[str] = field(default_factory=set)
    asking: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    dies_at: int | None = None
    dies_after: bool = False

    def open_payer(self, *, split_id: str) -> str:
        forbid_transaction("open payer")
        return self.payers.setdefault(split_id, f"cus_{split_id}")

    def open_setup(self, *, split_id: str, payer_id: str, number: int) -> SharedSetup:
        forbid_transaction("open setup")
        remote_id = f"seti_{split_id}_{number}"
        return SharedSetup(remote_id=remote_id, client_secret=f"{remote_id}_secret_x")

    def method_of(self, *, setup_id: str) -> str | None:
        forbid_transaction("method of")
        return self.entered.get(setup_id)

    def pay(self, *, remote_id: str, account_id: str, payer_id: str, method_id: str) -> SharedOutcome:
        forbid_transaction("pay")
        dies = self.dies_at == 0
        self.dies_at = None if self.dies_at is None else self.dies_at - 1
        if dies and not self.dies_after:
            raise Died
        self._charge(remote_id, method_id)
        if dies:
            raise Died
        if remote_id in self.silent:
            raise ProcessorUnavailable("later")
        paid = self.standing.get(remote_id, Paid.DECLINED)
        secret = f"{remote_id}_secret_x" if paid is Paid.NEEDS_DONOR else None
        return SharedOutcome(paid=paid, client_secret=secret)

    def release(self, *, payer_id: str) -> None:
        forbid_transaction("release")
        self.released.append(payer_id)

    def _charge(self, remote_id: str, method_id: str) -> None:
        if remote_id in self.standing or method_id in self.declines or remote_id in self.declining:
            return
        if remote_id in self.asking:
            self.standing[remote_id] = Paid.NEEDS_DONOR
            return
        self.charged.append((remote_id, method_id))
        self.standing[remote_id] = Paid.PAID
