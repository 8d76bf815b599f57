"""A checkpoint's note may gain signature lines until it is public: cosignatures, or the signature of a new key.

It never loses or changes a line: what was signed may have been seen.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_FUNCTION = """
    CREATE OR REPLACE FUNCTION check_checkpoint_completed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (OLD.size, OLD.root, OLD.created_at) <> (NEW.size, NEW.root, NEW.created_at)
            OR OLD.previous_size IS DISTINCT FROM NEW.previous_size
            OR {note_is_broken}
            OR (OLD.published_at IS NOT NULL AND OLD.published_at IS DISTINCT FROM NEW.published_at) THEN
            RAISE EXCEPTION 'a checkpoint is completed, never changed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'checkpoint_completed';
        END IF;
        RETURN NEW;
    END $$
"""

# A signature line is an em dash, a name, and base64 (c2sp.org/signed-note).
_BEFORE = "(OLD.note IS NOT NULL AND OLD.note IS DISTINCT FROM NEW.note)"
_NOW = """(OLD.note IS NOT NULL AND OLD.note IS DISTINCT FROM NEW.note AND NOT (
                OLD.published_at IS NULL
                AND NEW.note IS NOT NULL
                AND starts_with(NEW.note, OLD.note)
                AND substr(NEW.note, length(OLD.note) + 1) ~ '^(— [^[:space:]+]+ [A-Za-z0-9+/]+=*\\n)+$'
            ))"""


def upgrade() -> None:
    op.execute(_FUNCTION.format(note_is_broken=_NOW))


def downgrade() -> None:
    op.execute(_FUNCTION.format(note_is_broken=_BEFORE))
