from pathlib import Path

from local_cloud.inputs import digest


def test_a_digest_changes_with_any_file_and_word(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.py").write_text("one")
    before = digest([source], words=["8700"])
    assert digest([source], words=["8700"]) == before
    assert digest([source], words=["9700"]) != before
    (source / "a.py").write_text("two")
    changed = digest([source], words=["8700"])
    assert changed != before
    (source / "b.py").touch()
    assert digest([source], words=["8700"]) != changed


def test_what_tools_leave_in_a_folder_does_not_count(tmp_path: Path) -> None:
    before = digest([tmp_path])
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").touch()
    assert digest([tmp_path]) == before


def test_a_missing_path_is_empty(tmp_path: Path) -> None:
    assert digest([tmp_path / "missing"]) == digest([])
