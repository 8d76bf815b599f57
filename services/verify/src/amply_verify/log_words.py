"""What was proven of a whole log: as lines for people, and as a document for programs."""

from typing import Any, Final

from amply_verify.auditing.cross_checks import MAX_ACCOUNTS_TOLD, TrialBalance
from amply_verify.auditing.damage import breached
from amply_verify.auditing.organization import MAX_GAPS, Gap, PieceOfOrganization
from amply_verify.auditing.report import AuditReport, Books
from amply_verify.breach_words import breach_document, breach_lines, breaches_in_words
from amply_verify.consistency_check import Consistent
from amply_verify.following import Followed
from amply_verify.mirroring import CopyChecked
from amply_verify.reconciling import Reconciled
from amply_verify.words import (
    Proven,
    amount_in_words,
    checkpoint_document,
    checkpoint_lines,
    limits_of,
    signature_lines,
)

_OUTSIDE: Final = "that what the entries say of the world outside is true"
_RULES: Final = "that the entries obey the rules between them (that is what audit does)"


def say_consistent(found: Consistent) -> Proven:
    """Say that one checkpoint extends another."""
    old, new = found.older.checkpoint, found.newer.checkpoint
    return Proven(
        lines=(
            ("log", new.origin),
            ("older", f"{old.size} entries"),
            ("newer", f"{new.size} entries, and they begin with the older ones"),
            ("proof", f"{found.proof_hashes} hashes"),
            *signature_lines(found.newer),
        ),
        document={
            "older": checkpoint_document(found.older),
            "newer": checkpoint_document(found.newer),
            "proof_hashes": found.proof_hashes,
        },
        limits=limits_of(found.newer)
        if old.size
        else "Every log extends an empty one, so this proves nothing about its entries.",
    )


def say_followed(found: Followed) -> Proven:
    """Say what one look at a log has shown."""
    old, new = found.seen.older.checkpoint, found.seen.newer.checkpoint
    words = {
        "first": f"{new.size} entries; the first look, nothing to compare with yet",
        "unchanged": f"{new.size} entries, as before",
        "grown": f"{new.size} entries, {new.size - old.size} more, and the {old.size} from before unchanged",
    }
    return Proven(
        lines=(
            ("log", new.origin),
            ("checkpoint", words[found.step]),
            *signature_lines(found.seen.newer),
        ),
        document={
            "step": found.step,
            "before": old.size,
            "checkpoint": checkpoint_document(found.seen.newer),
        },
        limits=limits_of(found.seen.newer),
    )


def say_audit(report: AuditReport) -> Proven:
    """Say what an audit has shown."""
    books = report.books
    return Proven(
        lines=(*_read_lines(report), *(_books_lines(books) if books else [])),
        document={**_read_document(report), "books": None if books is None else _books_document(books)},
        limits=limits_of(report.signed, _OUTSIDE),
        not_checked=_not_checked(report),
        refused=breached(breaches_in_words(books.breaches)) if books and books.breaches.count else None,
    )


def _not_checked(report: AuditReport) -> tuple[str, ...]:
    """What an audit of the end of a log leaves open: it has not read what its entries may contradict."""
    if report.first_index == 0:
        return ()
    first, books = report.first_index, report.books
    left = [f"whether an id of these entries stands for one before index {first} as well"]
    if books is not None and books.open_chains:
        left.append(
            f"what the chains of {books.open_chains} organisations that began before index {first} go on from"
        )
    if books is not None and books.unknown:
        more = books.unknown - len(books.unknown_told)
        told = "; ".join(books.unknown_told) + (f"; and {more} more" if more else "")
        left.append(f"{books.unknown} references to entries before index {first}, or to none: {told}")
    return tuple(left)


def say_organization(organization: str, report: AuditReport, chain: PieceOfOrganization) -> Proven:
    """Say what an organisation's own chain has shown."""
    return Proven(
        lines=(
            ("organisation", organization),
            ("entries", f"{chain.entries}, numbers 0 to {chain.next_seq - 1}, no gap"),
            ("last entry", f"index {chain.last_index}, {chain.last_minute.decode()}"),
            *(
                ("balance", f"{account.decode()}: {_sides(debits, credited, currency.decode())}")
                for (account, currency), (debits, credited) in sorted(chain.balances.items())
            ),
            *checkpoint_lines(report.signed),
        ),
        document={
            **_read_document(report),
            "organization_id": organization,
            "org_entries": chain.entries,
            "last_index": chain.last_index,
            "last_leaf_hash": (chain.last_hash or b"").decode(),
            "gaps": [],
            "accounts": _accounts_document(
                {
                    (account.decode(), currency.decode()): (debits, credited)
                    for (account, currency), (debits, credited) in sorted(chain.balances.items())
                }
            ),
        },
        limits=limits_of(report.signed, "that everything that happened was entered"),
    )


def gaps_in_words(chain: PieceOfOrganization) -> str:
    """Name the gaps of a chain, the first ones one by one."""
    told = "; ".join(_gap_in_words(gap) for gap in chain.gaps[:MAX_GAPS])
    more = f"; and {chain.gap_count - MAX_GAPS} more" if chain.gap_count > MAX_GAPS else ""
    return told + more


def say_copy(found: CopyChecked) -> Proven:
    """Say what checking a copy has shown."""
    strays = [("no part of it", f"{found.strays} files, such as {', '.join(found.told)}")]
    return Proven(
        lines=(
            *_read_lines(found.audit),
            ("left over", f"{found.leftovers} partial files of smaller trees, all right"),
            *(strays if found.strays else []),
        ),
        document={
            **_read_document(found.audit),
            "leftovers": found.leftovers,
            "strays": found.strays,
            "told": list(found.told),
        },
        limits=limits_of(found.audit.signed, _RULES),
    )


def say_mirror(directory: str, report: AuditReport) -> Proven:
    """Say what a copy has become."""
    return Proven(
        lines=(("copied into", directory), *_read_lines(report)),
        document={"directory": directory, **_read_document(report)},
        limits=limits_of(report.signed, _RULES),
    )


def say_reconciled(found: Reconciled) -> Proven:
    """Say that database and log agree."""
    return Proven(
        lines=(
            ("entries", f"{found.published} in the log, each the one the database would write"),
            ("not public yet", f"{found.unpublished} with a place, {found.waiting} without one"),
            ("balances", f"{found.balances} accounts, each the sum of its transfers"),
            *checkpoint_lines(found.signed),
        ),
        document={
            "published": found.published,
            "unpublished": found.unpublished,
            "waiting": found.waiting,
            "balances": found.balances,
            "checkpoint": checkpoint_document(found.signed),
        },
        limits=limits_of(found.signed, _OUTSIDE),
    )


def _read_lines(report: AuditReport) -> list[tuple[str, str]]:
    begin = f" from index {report.first_index} on" if report.first_index else ""
    return [
        ("entries", f"{report.entries}{begin}, {report.bytes_read} bytes, every hash of every level"),
        *checkpoint_lines(report.signed),
    ]


def _read_document(report: AuditReport) -> dict[str, Any]:
    return {
        "entries": report.entries,
        "first_index": report.first_index,
        "bytes": report.bytes_read,
        "jobs": report.jobs,
        "checkpoint": checkpoint_document(report.signed),
    }


def _books_lines(books: Books) -> list[tuple[str, str]]:
    lines = [("organisations", f"{books.organizations}, each with the entries read in one chain")]
    lines += [
        (f"books in {currency}", _trial_in_words(trial, currency)) for currency, trial in books.trials.items()
    ]
    lines += [("pending", amount_in_words(amount, currency)) for currency, amount in books.reserved.items()]
    left = f"; {books.unknown} of them not checked" if books.unknown else ""
    lines.append(
        ("between entries", f"{books.links} references, {books.resolutions} pending transfers resolved{left}")
    )
    lines += breach_lines(books.breaches)
    lines += [
        ("balance", f"{account}: {_sides(debits, credited, currency)}")
        for (account, currency), (debits, credited) in books.accounts.items()
    ]
    if len(books.accounts) >= MAX_ACCOUNTS_TOLD:
        lines.append(("balances", f"only {MAX_ACCOUNTS_TOLD} accounts are told one by one"))
    if books.last_minute:
        lines.append(("last entry", books.last_minute))
    return lines


def _trial_in_words(trial: TrialBalance, currency: str) -> str:
    return (
        f"{trial.accounts} accounts, debits and credits {amount_in_words(trial.debits, currency)} each, "
        f"balances {amount_in_words(trial.debit_balances, currency)} on both sides"
    )


def _sides(debits: int, credited: int, currency: str) -> str:
    side = "debit" if debits >= credited else "credit"
    return f"{amount_in_words(abs(debits - credited), currency)} {side}"


def _books_document(books: Books) -> dict[str, Any]:
    return {
        "organizations": books.organizations,
        "references": books.links,
        "resolutions": books.resolutions,
        "references_not_checked": books.unknown,
        "chains_not_checked": books.open_chains,
        "breaches": books.breaches.count,
        "breaches_told": [breach_document(breach) for breach in books.breaches.told],
        "trial_balance": {
            currency: {
                "accounts": trial.accounts,
                "debits": str(trial.debits),
                "credits": str(trial.credits),
                "debit_balances": str(trial.debit_balances),
                "credit_balances": str(trial.credit_balances),
            }
            for currency, trial in books.trials.items()
        },
        "pending": {currency: str(amount) for currency, amount in books.reserved.items()},
        "accounts": _accounts_document(books.accounts),
        "accounts_are_all": len(books.accounts) < MAX_ACCOUNTS_TOLD,
        "last_minute": books.last_minute,
    }


def _accounts_document(accounts: dict[tuple[str, str], tuple[int, int]]) -> list[dict[str, str]]:
    return [
        {"account": account, "currency": currency, "debits": str(debits), "credits": str(credited)}
        for (account, currency), (debits, credited) in accounts.items()
    ]


def _gap_in_words(gap: Gap) -> str:
    if gap.found == gap.expected:
        return f"entry {gap.index} (number {gap.found}) names another entry before it than number {gap.expected - 1}"
    return f"entry {gap.index} is number {gap.found}, and number {gap.expected} should come next"
