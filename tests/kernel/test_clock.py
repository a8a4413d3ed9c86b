"""The clock that processes on one database share: its accuracy, its corrections and its warnings."""

import logging
from datetime import timedelta

import pytest

from groups.kernel.clock import DatabaseClock, SteadyClock, SystemClock, to_milliseconds
from groups.kernel.mongo import Database
from tests.builders import START, HandClock
from tests.mongod import DRIVER


def compare(clock: DatabaseClock, machine: HandClock, *, ahead: float, took: float = 0.0) -> None:
    """Compare with a database that is so far ahead of the machine and answers half-way."""
    asked_at = machine.now()
    answer = asked_at + timedelta(seconds=took / 2 + ahead)
    machine.move(seconds=took)
    clock.compare(asked_at, answer, machine.now())


@pytest.mark.parametrize("ahead", [0.01, 50.0, 3600.0, -0.01, -50.0, -3600.0])
@pytest.mark.parametrize("took", [0.0, 0.004])
def test_it_shows_the_database_s_time(ahead: float, took: float) -> None:
    machine = HandClock()
    clock = DatabaseClock(machine)
    assert clock.now() == START
    compare(clock, machine, ahead=ahead, took=took)
    assert clock.now() - machine.now() == timedelta(seconds=ahead)
    assert clock.machine_ahead_seconds == -ahead
    machine.move(seconds=10)
    assert clock.now() == START + timedelta(seconds=took + 10 + ahead)


def test_a_slow_reading_corrects_it_no_further_than_the_reading_shows() -> None:
    machine = HandClock()
    clock = DatabaseClock(machine)
    compare(clock, machine, ahead=0.4, took=0.9)
    assert clock.now() == machine.now()
    compare(clock, machine, ahead=0.4, took=0.002)
    assert clock.now() - machine.now() == timedelta(seconds=0.4)
    compare(clock, machine, ahead=0.401, took=0.002)
    assert clock.now() - machine.now() == timedelta(seconds=0.4)


def test_instants_are_whole_milliseconds() -> None:
    machine = HandClock()
    clock = DatabaseClock(machine)
    compare(clock, machine, ahead=1.5, took=0.003)
    assert clock.now() == to_milliseconds(clock.now())
    now = SteadyClock().now()
    assert now == to_milliseconds(now)


def test_a_wrong_machine_clock_is_logged_once_until_its_error_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = HandClock()
    clock = DatabaseClock(machine)
    with caplog.at_level(logging.WARNING):
        compare(clock, machine, ahead=0.9)
        assert caplog.messages == []
        for _ in range(3):
            compare(clock, machine, ahead=-50)
        assert len(caplog.messages) == 1
        assert "50.0 s ahead of the database's" in caplog.messages[0]
        compare(clock, machine, ahead=50)
        assert "50.0 s behind the database's" in caplog.messages[1]
        compare(clock, machine, ahead=0)
        compare(clock, machine, ahead=50)
        assert len(caplog.messages) == 3


def test_setting_the_machine_s_clock_does_not_move_it(monkeypatch: pytest.MonkeyPatch) -> None:
    steady = SteadyClock()
    before = steady.now()
    assert abs((before - SystemClock().now()).total_seconds()) < 1
    monkeypatch.setattr("time.time_ns", lambda: 0)
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert timedelta() <= steady.now() - before < timedelta(seconds=10)


@pytest.mark.parametrize("ahead", [50, -3600])
async def test_a_connection_follows_the_database_s_time_when_it_moves(
    mongod_uri: str, ahead: float
) -> None:
    machine = HandClock()
    machine.instant = SystemClock().now() + timedelta(seconds=ahead)
    database = await Database.connect(mongod_uri, "x", clock=machine, driver=DRIVER)
    try:
        assert abs((database.clock.now() - SystemClock().now()).total_seconds()) < 2
        machine.move(seconds=-ahead)
        await database.read_clock()
        assert abs((database.clock.now() - SystemClock().now()).total_seconds()) < 2
    finally:
        await database.close()
