import subprocess
import sys
from pathlib import Path

from local_cloud.demo import network_off

CONNECTS = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)"


def test_the_fallback_refuses_every_socket(tmp_path: Path) -> None:
    (tmp_path / "connects.py").write_text(CONNECTS)
    hook = Path(network_off.__file__).with_name("no_sockets.py")
    done = subprocess.run(
        [sys.executable, str(hook), "connects"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the network is off: socket." in done.stderr


def test_a_module_runs_as_usual_otherwise(tmp_path: Path) -> None:
    (tmp_path / "says.py").write_text("import sys; print(sys.argv[1:])")
    off = network_off.strongest()
    done = subprocess.run(
        off.command("says", ["a", "b"]),
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['a', 'b']\n"
