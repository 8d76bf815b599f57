"""Partial tiles and bundles are let go of once full ones hold what they held, and not a checkpoint earlier."""

from collections.abc import Iterable

import psycopg
import pytest

from amply.modules import ledger
from amply.modules.ledger import partial_tiles
from ledger_format.tiles import TILE_WIDTH, Tile, bundle_path, tile_path
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, LedgerWorld


def grow(books: LedgerWorld, *sizes: int) -> None:
    """A checkpoint at each of these sizes."""
    for size in sizes:
        with books.app.transaction() as session:
            grown = ledger.sequenced_size(session)
        books.post_many(size - grown)
        books.sequence()
        assert books.publish() is not None


def let_go(books: LedgerWorld) -> list[str]:
    """What one turn lets go of."""
    books.public_log.superseded.clear()
    ledger.let_go_of_partials(books.sequencer, public_log=books.public_log)
    return list(books.public_log.superseded)


def files(level: int, index: int, widths: Iterable[int]) -> list[str]:
    """The partial files of a tile, and of its bundle where it has one."""
    found = []
    for width in widths:
        found.append(tile_path(Tile(level, index, width)))
        if level == 0:
            found.append(bundle_path(index, width))
    return found


def test_nothing_is_let_go_of_while_its_tile_is_not_full(books: LedgerWorld) -> None:
    assert let_go(books) == []
    grow(books, 1, 100, 255)
    assert let_go(books) == []


def test_a_full_tile_frees_all_its_partial_versions_once(books: LedgerWorld) -> None:
    grow(books, 1, 100, 255, 300, 310)
    assert let_go(books) == files(0, 0, (1, 100, 255))
    assert let_go(books) == []
    grow(books, 400, 600)
    assert let_go(books) == files(0, 1, (44, 54, 144)), (
        "300, 310 and 400 are 44, 54 and 144 of the second tile"
    )
    kept = {path for path in books.public_log.objects if ".p/" in path}
    newest = {*files(0, 2, (88,)), tile_path(Tile(1, 0, 2))}
    assert newest <= kept


def test_a_tile_that_was_never_partial_frees_nothing(books: LedgerWorld) -> None:
    grow(books, 256, 512, 600)
    assert let_go(books) == []


def test_everything_let_go_of_was_published_and_nothing_of_the_newest_checkpoint(books: LedgerWorld) -> None:
    grow(books, *range(7, 700, 23))
    gone = set(let_go(books))
    partial = {path for path in books.public_log.objects if ".p/" in path}
    assert gone < partial
    size = max(range(7, 700, 23))
    edge = {
        *files(0, size // TILE_WIDTH, (size % TILE_WIDTH,)),
        tile_path(Tile(1, 0, size // TILE_WIDTH)),
    }
    assert edge <= partial - gone
    full = {path.partition(".p/")[0] for path in gone}
    assert full <= set(books.public_log.objects), "each has its full one"
    stay = {path.partition(".p/")[0] for path in partial - gone}
    assert not stay & set(books.public_log.objects), "none that stays has"


def test_a_signed_checkpoint_that_nobody_has_seen_frees_nothing(
    books: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(books, 100)
    books.post_many(200)
    books.sequence()

    def away(*_: object, **__: object) -> None:
        raise OSError("the bucket is away")

    with monkeypatch.context() as patched:
        patched.setattr(books.public_log, "replace_checkpoint", away)
        with pytest.raises(OSError, match="away"):
            books.publish()
    assert "tile/entries/000" in books.public_log.objects
    assert let_go(books) == []
    assert books.publish() is not None
    assert let_go(books) == files(0, 0, (100,))


def test_a_turn_lets_go_of_a_bounded_number_and_the_next_goes_on(
    books: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_tiles, "LET_GO_MAX", 3)
    sizes = (10, 20, 30, 40, 50, 60, 70)
    grow(books, *sizes, 300)
    turns = [let_go(books) for _ in range(4)]
    assert turns == [files(0, 0, sizes[:3]), files(0, 0, sizes[3:6]), files(0, 0, sizes[6:]), []]


def test_a_store_that_fails_half_way_is_told_again(
    books: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(books, 10, 20, 30, 300)
    told: list[str] = []

    def failing(path: str) -> None:
        if len(told) == 3:
            raise OSError("slow down")
        told.append(path)

    with monkeypatch.context() as patched:
        patched.setattr(books.public_log, "let_go", failing)
        with pytest.raises(OSError, match="slow down"):
            let_go(books)
    assert let_go(books) == files(0, 0, (10, 20, 30))


def pretend_checkpoints(databases: Databases, sizes: Iterable[int]) -> None:
    """Rows of published checkpoints of trees too large to grow in a test; their leaves are not there."""
    with psycopg.connect(databases.server.running.cluster.url, dbname=databases.name) as connection:
        connection.execute("SET session_replication_role = replica")
        previous = None
        for size in sizes:
            connection.execute(
                "INSERT INTO checkpoint (size, previous_size, root, note, created_at, published_at) "
                "VALUES (%s, %s, %s, 'note', %s, %s)",
                (size, previous, b"\0" * 32, NOW, NOW),
            )
            previous = size


def test_the_tiles_above_are_let_go_of_when_they_are_full(books: LedgerWorld, databases: Databases) -> None:
    wide = TILE_WIDTH * TILE_WIDTH
    pretend_checkpoints(databases, (256, 300, 512, 5_000, wide - 1, wide, 2 * wide - 256, 2 * wide + 7))
    gone = let_go(books)
    level_1 = [path for path in gone if path.startswith("tile/1/")]
    assert level_1 == [*files(1, 0, (1, 2, 19, 255)), *files(1, 1, (255,))]
    assert [path for path in gone if path.startswith(("tile/2/", "tile/3/"))] == []
    assert [path for path in gone if path.startswith("tile/0/")] == [
        *(tile_path(Tile(0, index, width)) for index, width in ((1, 44), (19, 136), (255, 255)))
    ]
    assert let_go(books) == []


def test_the_tiles_above_are_bounded_too(
    books: LedgerWorld, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_tiles, "LET_GO_MAX", 2)
    wide = TILE_WIDTH * TILE_WIDTH
    pretend_checkpoints(databases, (256, 512, 768, 1_024, wide * TILE_WIDTH))
    turns = [let_go(books) for _ in range(6)]
    assert sorted(path for turn in turns for path in turn) == sorted(files(1, 0, (1, 2, 3, 4)))
    assert max(map(len, turns)) <= 2
