"""What the worker's tasks are called: all that who sends them needs to know of the worker."""

from typing import Final

HANDLE_PROVIDER_EVENT: Final = "donations.handle_provider_event"
SEND_DUE_RECEIPTS: Final = "donations.send_due_receipts"
SEND_DUE_DEDICATIONS: Final = "donations.send_due_dedications"
COMPLETE_STUCK: Final = "donations.complete_stuck"
COMPLETE_SPLITS: Final = "donations.complete_splits"
CLOSE_EXHAUSTED: Final = "donations.close_exhausted"
RECONCILE: Final = "ledger.reconcile"
HEAR_FEEDBACK: Final = "mail.hear_feedback"
RECONCILE_PAYOUT: Final = "payouts.reconcile"
MATCH_WAITING: Final = "payouts.match_waiting"
CLOSE_BOOKS: Final = "payouts.close_books"
FIND_MISSED: Final = "webhooks.find_missed"
COLLECT_DUE: Final = "recurring.collect_due"
SEND_PLAN_LETTERS: Final = "recurring.send_letters"
MAKE_DOCUMENTS: Final = "giving.make_documents"
