from __future__ import annotations

from typing import Any

import pytest

from simulator.deepgram.scripted import Rule, ScriptedMind, calls
from tests.simulator.deepgram.driver import Client, textbook

THINK = {"provider": {"type": "open_ai", "model": "other"}, "prompt": "New.", "functions": [{"name": "fresh"}]}
LISTEN_MULTI = {
    "provider": {
        "type": "deepgram",
        "version": "v2",
        "model": "flux-general-multi",
        "language_hints": ["es"],
        "keyterms": ["Zurich"],
        "eot_threshold": 0.8,
    }
}


def agent(client: Client) -> Any:
    return client.session.settings["agent"]


def test_update_prompt_adds_to_the_prompt_and_is_acknowledged() -> None:
    client = Client().open().forget()
    client.send("UpdatePrompt", prompt="The caller is verified.")
    assert client.kinds() == ["PromptUpdated"]
    assert agent(client)["think"]["prompt"] == "Be brief.\nThe caller is verified."
    assert client.mind.settings["agent"] == agent(client)


def test_update_prompt_adds_to_every_entry_of_a_fallback_list() -> None:
    client = Client().open(think=[THINK, THINK])
    client.send("UpdatePrompt", prompt="More.")
    assert [entry["prompt"] for entry in agent(client)["think"]] == ["New.\nMore."] * 2


def test_updates_that_grow_the_prompt_beyond_the_limit_are_cut_with_a_warning() -> None:
    client = Client().open()
    client.send("UpdatePrompt", prompt="x" * 25_000)
    assert client.codes() == ["PROMPT_TOO_LONG"]
    assert len(agent(client)["think"]["prompt"]) == 25_000


@pytest.mark.parametrize("think", [THINK, [THINK]])
def test_update_think_replaces_the_functions(think: Any) -> None:
    client = textbook(ScriptedMind([Rule("fresh", calls("fresh")), Rule(".", calls("look_up"))])).open().forget()
    client.send("UpdateThink", think=think)
    assert client.kinds() == ["ThinkUpdated"]
    client.ask("fresh").quiet(500)
    assert client.calls()[0]["name"] == "fresh"
    client.answer().quiet(2_000).ask("the old one").quiet(500)
    assert client.error()["code"] == "NON_EXISTENT_FUNCTION_CALLED"


def test_update_think_can_be_applied_without_an_acknowledgement() -> None:
    client = Client().open().forget()
    client.send("UpdateThink", think=THINK)
    assert client.quiet(1_000).log == []
    assert agent(client)["think"] == THINK


def test_update_speak_is_acknowledged() -> None:
    client = Client().open().forget()
    client.send("UpdateSpeak", speak={"provider": {"type": "deepgram", "model": "aura-2-other"}})
    assert client.kinds() == ["SpeakUpdated"]


def test_update_speak_that_cannot_be_applied_ends_the_session() -> None:
    client = Client().open()
    client.send("UpdateSpeak", speak={"provider": {"type": "deepgram", "model": "flux-kit-en"}})
    assert client.error()["code"] == "INVALID_SETTINGS"


def test_update_listen_keeps_what_it_omits_but_clears_the_language_hints() -> None:
    client = Client().open(listen=LISTEN_MULTI).forget()
    client.send("UpdateListen", listen={"provider": {"type": "deepgram", "eot_threshold": 0.6}})
    assert client.kinds() == ["ListenUpdated"]
    expected = {key: value for key, value in LISTEN_MULTI["provider"].items() if key != "language_hints"}
    assert agent(client)["listen"]["provider"] == {**expected, "eot_threshold": 0.6}


def test_update_listen_can_set_hints_and_replaces_keyterms() -> None:
    client = Client().open(listen=LISTEN_MULTI)
    client.send("UpdateListen", listen={"provider": {"language_hints": ["de"], "keyterms": ["Bern"]}})
    provider = agent(client)["listen"]["provider"]
    assert (provider["language_hints"], provider["keyterms"]) == (["de"], ["Bern"])


def test_update_listen_can_switch_the_version_and_force_end_turn_follows() -> None:
    client = Client().open(listen=LISTEN_MULTI)
    client.send("UpdateListen", listen={"provider": {"version": "v1", "model": "nova-3"}})
    client.send("ForceEndTurn")
    assert client.codes() == ["FORCE_END_TURN_UNSUPPORTED"]
    assert "eot_threshold" not in agent(client)["listen"]["provider"]


def test_update_listen_with_fields_of_the_other_version_is_refused() -> None:
    client = Client().open()
    client.send("UpdateListen", listen={"provider": {"smart_format": True}})
    assert client.error()["code"] == "UNPARSABLE_CLIENT_MESSAGE"
