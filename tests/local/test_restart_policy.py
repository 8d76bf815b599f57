from local_cloud.supervisor.policy import Restarts


def test_the_wait_doubles_with_each_end_in_a_row_up_to_half_a_minute() -> None:
    restarts, delays = Restarts(), []
    for _ in range(9):
        restarts = restarts.after_end(ran_seconds=1.0)
        delays.append(restarts.delay_seconds())
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_minute_of_running_well_ends_the_row() -> None:
    restarts = Restarts(in_a_row=6, total=6).after_end(ran_seconds=60.0)
    assert restarts.delay_seconds() == 0.5
    assert restarts.total == 7


def test_a_part_that_never_ended_starts_at_once() -> None:
    assert Restarts().delay_seconds() == 0.0
