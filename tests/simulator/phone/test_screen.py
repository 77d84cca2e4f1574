from __future__ import annotations

import io

import pytest
from rich.console import Console

from simulator.phone.screen import INDENT, PLAIN_WIDTH, Screen


def a_screen(width: int = 60) -> tuple[Screen, io.StringIO]:
    file = io.StringIO()
    screen = Screen(Console(file=file, width=width, highlight=False, no_color=True))
    screen.started_ms = 1000
    return screen, file


def test_lines_come_in_the_order_of_their_times() -> None:
    screen, file = a_screen()
    screen.add(3000, "agent", "second")
    screen.add(2500, "caller", "first")
    screen.add(3000, "flow", "third")

    screen.show()

    assert [line.split()[2] for line in file.getvalue().splitlines()] == ["first", "second", "third"]


def test_what_happened_later_than_is_known_is_kept_back() -> None:
    screen, file = a_screen()
    screen.add(3000, "agent", "later")
    screen.add(2000, "agent", "now")

    screen.show(until_ms=2000)

    assert "now" in file.getvalue()
    assert "later" not in file.getvalue()


def test_time_and_who_stand_in_columns() -> None:
    screen, file = a_screen()
    screen.add(2500, "agent", "speaks")
    screen.add(13_500, "understood", "speaks", "dim")
    screen.show()

    assert [line.index("speaks") for line in file.getvalue().splitlines()] == [INDENT, INDENT]


def test_a_time_before_the_ring_is_the_ring() -> None:
    screen, file = a_screen()
    screen.add(10, "flow", "early")
    screen.show()

    assert file.getvalue().startswith("    0.00")


def test_a_long_line_goes_on_below_its_beginning() -> None:
    screen, file = a_screen(width=50)
    screen.add(1000, "agent", "one two three four five six seven eight nine ten")
    screen.show()
    first, second = file.getvalue().splitlines()

    assert (first[INDENT:], second) == ("one two three four five six", " " * INDENT + "seven eight nine ten")


def test_a_path_is_never_broken() -> None:
    screen, file = a_screen(width=30)
    path = "/a/very/long/folder/" * 5
    screen.say(path)

    assert file.getvalue() == path + "\n"


def test_a_pair_without_a_value_is_a_name() -> None:
    screen, file = a_screen()
    screen.pair("queue", "")

    assert file.getvalue().strip() == "queue"


def test_output_that_is_no_terminal_has_a_width_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.say("x")

    assert screen.console.width == PLAIN_WIDTH
    assert capsys.readouterr().out == "x\n"
