import socket
import subprocess
from pathlib import Path

import pytest

from local_cloud import ports
from local_cloud.failures import LocalCloudError
from local_cloud.ports import is_free, require_free
from local_cloud.settings import Settings
from stacks.local_ports import LocalPorts


def test_every_part_has_a_port_of_its_own_above_the_base() -> None:
    assert sorted(LocalPorts(base=20000).by_part().values()) == list(range(20000, 20010))


@pytest.mark.parametrize("base", [0, 80, 65526, 100000])
def test_a_base_without_room_for_eleven_ports_is_refused(base: int) -> None:
    with pytest.raises(LocalCloudError, match=f"AMPLY_PORT_BASE is {base}: choose a number from 1024"):
        Settings.from_environment({"AMPLY_PORT_BASE": str(base)})


def test_a_base_that_is_no_number_is_refused() -> None:
    with pytest.raises(LocalCloudError, match="AMPLY_PORT_BASE is 'many'"):
        Settings.from_environment({"AMPLY_PORT_BASE": "many"})


@pytest.mark.enable_socket
def test_a_taken_port_is_named_with_the_part_and_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalCloudError) as failure:
            require_free("postgres", port)
        assert f"Port {port}, which postgres needs, is taken by " in failure.value.sentence
        assert "(pid " in failure.value.sentence
        assert "AMPLY_PORT_BASE" in failure.value.sentence
    assert is_free(port)


@pytest.mark.enable_socket
def test_a_process_that_ends_while_it_is_looked_at_is_another_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = subprocess.Popen(["sleep", "600"])

    def ends_now(looked_at: Path) -> set[str]:
        if looked_at.name != str(process.pid):
            return set()
        process.kill()
        process.wait()
        return ports._listening_inodes(port)

    monkeypatch.setattr(ports, "_socket_inodes", ends_now)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalCloudError, match="is taken by another program: stop it, or choose"):
            require_free("postgres", port)
    assert process.returncode is not None
