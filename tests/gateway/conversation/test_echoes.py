from __future__ import annotations

from gateway.conversation.echoes import ECHO_MS, Echoes


def test_an_echo_is_recognised_once() -> None:
    echoes = Echoes()
    echoes.expect("yes", 1000)
    assert not echoes.is_one("no", 1000)
    assert echoes.is_one("yes", 1000 + ECHO_MS)
    assert not echoes.is_one("yes", 1001)


def test_the_same_words_much_later_are_the_callers() -> None:
    echoes = Echoes()
    echoes.expect("yes", 1000)
    assert not echoes.is_one("yes", 1001 + ECHO_MS)


def test_a_new_session_echoes_nothing_of_the_old_one() -> None:
    echoes = Echoes()
    echoes.expect("yes", 1000)
    echoes.clear()
    assert not echoes.is_one("yes", 1000)
