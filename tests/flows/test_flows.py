"""Our flows as a whole: valid, complete, readable, and where every failure ends."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import handover
from flows import wire
from flows.layout import BLOCK_WIDTH, BRANCH_HEIGHT, HEAD_HEIGHT
from flows.parameters import FlowLogging, SipTransfer
from flows.sip import sip
from flows.validator import validate
from tests.flows.deployment import FLOWS, as_json, build, parameters, token
from tests.flows.interpreter import Walk

BOTH = pytest.mark.parametrize("name", ["interruptible", "polling"])
EACH = pytest.mark.parametrize("name", sorted(FLOWS))
HANDOVER = dict.fromkeys((*wire.ESSENTIAL, *wire.CONTEXT, *wire.REST), "none") | {"va_summary": "wants a refund"}
EMPTY = {
    "action": "listen",
    "seq": "0",
    "promptUrl": "none",
    "durationMs": "none",
    "text": "none",
    "maxDigits": "none",
    "terminator": "none",
    "timeoutS": "none",
    "secret": "false",
    "queueArn": "none",
    "queue": "none",
    "reason": "none",
    "priority": "none",
    "callback": "none",
    "previous": "none",
    "language": "none",
    **HANDOVER,
}
START = {"action": "agent", "attempt": "1", "openingUrl": "https://clips/opening.wav", "openingMs": "900", **HANDOVER}
START |= {"sipNumber": "+4930", "sipDigits": ",,12345678", "sipCode": "12345678"}
TRANSFER = {"action": "transfer", "queueArn": "arn:queue", "reason": "asked"}


def answers(*script: Mapping[str, str]) -> Any:
    """The Lambdas: start_call, then the script by `loaded`, then listening for ever."""

    def answer(function: str, request: Mapping[str, str]) -> Mapping[str, str]:
        if function == token(1):
            return {**START, "attempt": str(int(request["attempt"] or 0) + 1)}
        if function == token(11):
            return {"known": "yes", "sentence": request["sentence"].replace("{opens}", "tomorrow at 9 AM")}
        loaded = int(request["loaded"])
        if loaded < len(script):
            return {**EMPTY, "seq": str(loaded + 1), **script[loaded]}
        return EMPTY

    return answer


def clip(number: int) -> dict[str, str]:
    return {"action": "play", "promptUrl": f"https://clips/{number}.wav", "previous": "completed"}


def walk(name: str, *script: Mapping[str, str], seed: int = 1, **more: Any) -> Walk:
    return Walk(
        flow=build(name).to_dict(),
        lambdas=more.pop("lambdas", answers(*script)),
        fails=more.pop("fails", lambda name: False),
        chance=random.Random(seed),
        **more,
    ).run()


@EACH
@pytest.mark.parametrize("logging", list(FlowLogging))
@pytest.mark.parametrize("queue_flow", [True, False])
def test_is_valid_with_no_problem(name: str, logging: FlowLogging, queue_flow: bool) -> None:
    assert validate(build(name, logging, queue_flow).to_dict()) == []


@EACH
def test_handles_every_action_of_the_answer(name: str) -> None:
    actions = as_json(name)["Actions"]
    switches = [a for a in actions if a["Parameters"].get("ComparisonValue") == "$.External.action"]
    loops = switches[1:]
    assert {o["Condition"]["Operands"][0] for o in switches[0]["Transitions"]["Conditions"]} == {"agent", "transfer"}
    assert len(loops) == (2 if name == "interruptible" else 1)
    for loop in loops:
        handled = {each["Condition"]["Operands"][0] for each in loop["Transitions"]["Conditions"]}
        assert handled == {"play", "listen", "say", "collect", "transfer", "end"}


@EACH
def test_no_two_blocks_overlap_in_the_designer(name: str) -> None:
    flow = as_json(name)
    boxes = []
    for action in flow["Actions"]:
        place = flow["Metadata"]["ActionMetadata"][action["Identifier"]]["position"]
        transitions = action["Transitions"]
        branches = 1 + len(transitions.get("Conditions", [])) + len(transitions.get("Errors", []))
        boxes.append((place["x"], place["y"], BLOCK_WIDTH, HEAD_HEIGHT + BRANCH_HEIGHT * branches))
    for index, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:index]:
            apart = x + width <= other_x or other_x + other_width <= x
            assert apart or y + height <= other_y or other_y + other_height <= y


def test_the_handover_is_that_of_the_contract() -> None:
    assert tuple(handover.ESSENTIAL) == (*wire.ESSENTIAL, *wire.CONTEXT)
    assert tuple(handover.REST) == wire.REST
    assert handover.VERSION == wire.HANDOVER_VERSION


@EACH
def test_every_error_ends_at_a_human_or_at_a_spoken_end_when_all_else_fails_too(name: str) -> None:
    flow = as_json(name)
    actions = {action["Identifier"]: action for action in flow["Actions"]}
    for action in flow["Actions"]:
        for edge in action["Transitions"].get("Errors", []):
            at, spoke, seen = edge["NextAction"], action["Type"] == "MessageParticipant", set()
            while actions[at]["Type"] != "DisconnectParticipant":
                assert at not in seen, f"{action['Identifier']} fails in a circle at {at}"
                seen.add(at)
                spoke = spoke or actions[at]["Type"] in ("MessageParticipant", "GetParticipantInput")
                transitions = actions[at]["Transitions"]
                at = transitions.get("Errors", [transitions])[-1]["NextAction"]
            assert spoke


@EACH
def test_from_every_action_an_end_can_be_reached(name: str) -> None:
    flow = as_json(name)
    ends = {
        a["Identifier"] for a in flow["Actions"] if a["Type"] in ("TransferContactToQueue", "DisconnectParticipant")
    }
    grown = 0
    while grown != len(ends):
        grown = len(ends)
        for action in flow["Actions"]:
            transitions = action["Transitions"]
            edges = [transitions, *transitions.get("Conditions", []), *transitions.get("Errors", [])]
            if any(edge.get("NextAction") in ends for edge in edges):
                ends.add(action["Identifier"])
    assert len(ends) == len(flow["Actions"])


@BOTH
@given(seed=st.integers(0, 2**32), rate=st.sampled_from([0.0, 0.05, 0.3]))
@settings(max_examples=40, deadline=None)
def test_each_sequence_starts_at_most_once_whatever_fails(name: str, seed: int, rate: float) -> None:
    chance = random.Random(seed)
    script = [clip(number) for number in range(1, 30)]
    script[9] = {"action": "say", "text": "sentence"}
    result = walk(name, *script, fails=lambda _: chance.random() < rate, seed=seed)
    heard = [sound for sound in result.heard if sound.endswith(".wav") and "opening" not in sound]
    assert len(heard) == len(set(heard))
    assert heard == sorted(heard, key=lambda url: int(url.split("/")[-1].removesuffix(".wav")))
    assert [int(r["loaded"]) for r in result.requests[1:]] == sorted(int(r["loaded"]) for r in result.requests[1:])


@BOTH
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_nobody_is_disconnected_unheard_and_every_walk_with_a_dead_service_ends(name: str, seed: int) -> None:
    chance = random.Random(seed)
    result = walk(name, clip(1), fails=lambda each: each.startswith("Ask") or chance.random() < 0.1, seed=seed)
    assert result.end in ("TransferContactToQueue", "DisconnectParticipant")
    if result.end == "DisconnectParticipant" and not result.heard:  # not even Connect's own voice could be had
        types = {action["Identifier"]: action["Type"] for action in result.flow["Actions"]}
        assert types[result.path[-2]] == "MessageParticipant"


@BOTH
def test_plays_the_opening_then_the_clips_in_order(name: str) -> None:
    result = walk(name, clip(1), clip(2), {"action": "end"})
    heard = [sound for sound in result.heard if sound != "(sound)"]
    assert heard == ["https://clips/opening.wav", "https://clips/1.wav", "https://clips/2.wav"]
    assert result.end == "DisconnectParticipant"
    assert result.contact["va_attempt"] == "1"


@BOTH
def test_asks_with_every_field_of_a_request(name: str) -> None:
    result = walk(name, clip(1), {"action": "end"})
    assert result.requests[0] == {"agent": "front_desk", "form": name, "attempt": "0"}
    assert set(result.requests[1]) == {"attempt", "loaded", "ended", "returned", "digits", "language"}
    assert result.requests[1]["loaded"] == "0"
    assert result.requests[1]["attempt"] == "1"


def test_polling_reports_what_the_branch_of_the_prompt_says() -> None:
    result = walk("polling", clip(1), clip(2), {"action": "end"}, fails=lambda each: each == "Play the clip")
    assert [r["ended"] for r in result.requests[1:]] == ["completed", "failed", "failed"]


def test_interruptible_sends_back_what_the_lambda_knew_of_the_previous_clip() -> None:
    result = walk("interruptible", clip(1), clip(2) | {"previous": "cut"}, {"action": "end"}, seed=4)
    assert {r["ended"] for r in result.requests if r.get("loaded") == "2"} <= {"cut", "completed"}
    assert result.requests[1]["ended"] == "none"


def test_interruptible_goes_on_in_turn_after_an_error_and_does_not_come_back() -> None:
    result = walk(
        "interruptible",
        clip(1),
        {"action": "say", "text": "hello"},
        {"action": "end"},
        fails=lambda each: each == "Ask while playing",
    )
    assert result.end == "DisconnectParticipant"
    assert result.heard[0] == "https://clips/opening.wav"
    assert "hello" in result.heard
    assert "Ask while silent" not in result.path


@EACH
def test_three_failures_of_next_action_in_a_row_give_the_caller_to_the_default_queue(name: str) -> None:
    result = walk(name, fails=lambda each: each.startswith("Ask"))
    assert result.end == "TransferContactToQueue"
    assert "To the default queue - into the queue" in result.path
    assert result.contact["va_reason"] == "flow_failure"


@EACH
def test_the_switch_sends_everybody_to_the_default_queue_without_a_lambda(name: str) -> None:
    result = walk(name, switch_on=False)
    assert result.end == "TransferContactToQueue"
    assert result.requests == []
    assert result.contact["va_reason"] == "switched_off"


@BOTH
def test_hands_over_and_stops_the_streaming_it_started(name: str) -> None:
    result = walk(name, TRANSFER | {"va_reason": "asked"})
    assert result.end == "TransferContactToQueue"
    assert result.contact["va_summary"] == "wants a refund"
    assert result.contact["va_queue_arn"] == "arn:queue"
    assert not result.streaming


@BOTH
def test_leaves_streaming_on_that_somebody_else_started(name: str) -> None:
    result = walk(name, TRANSFER, streaming=True)
    assert result.end == "TransferContactToQueue"
    assert result.streaming


@BOTH
def test_starts_streaming_again_when_the_caller_comes_back_after_we_stopped(name: str) -> None:
    came_back = {"va_streaming": "stopped", "va_attempt": "1"}
    result = walk(name, {"action": "end"}, contact=came_back)
    assert result.streaming


@EACH
def test_a_failure_of_the_rest_does_not_prevent_the_transfer(name: str) -> None:
    failing = {"Hand over the rest", "Hand over what was found out", "Hand over the essentials"}
    result = walk(name, TRANSFER, fails=lambda each: each in failing)
    assert result.end == "TransferContactToQueue"
    assert result.contact["va_queue_arn"] == "arn:queue"


@BOTH
@pytest.mark.parametrize(
    ("world", "returned"),
    [({"queue_open": False}, "closed"), ({"staffed": False}, "no_staff"), ({}, "full")],
)
def test_what_prevents_a_transfer_is_said_and_goes_back(name: str, world: dict[str, bool], returned: str) -> None:
    def fails(identifier: str) -> bool | str:
        into_queue = returned == "full" and identifier == "To the human - into the queue"
        return "QueueAtCapacity" if into_queue else False

    result = walk(name, TRANSFER, {"action": "end"}, fails=fails, **world)
    assert next(r["returned"] for r in result.requests if r.get("loaded") == "1") == returned
    assert result.streaming
    assert result.end == "DisconnectParticipant"


@EACH
def test_a_transfer_that_comes_back_twice_does_not_go_in_circles(name: str) -> None:
    result = walk(name, *[TRANSFER] * 5, queue_open=False)
    assert result.path.count("Closed until - say so") == 1
    assert "Closed until - offer a callback" in result.path
    assert result.end == "DisconnectParticipant"


@EACH
@pytest.mark.parametrize("failed", [{"seq": "0"}, {"va_result": "failed"}])
def test_a_transfer_of_a_failed_call_has_no_way_back(name: str, failed: dict[str, str]) -> None:
    result = walk(name, TRANSFER | failed, staffed=False)
    assert result.end == "TransferContactToQueue"
    assert [r["returned"] for r in result.requests[1:]] == ["none"] * len(result.requests[1:])


OFFERS = TRANSFER | {"callback": "true"}


@EACH
@pytest.mark.parametrize(
    ("world", "what"), [({"queue_open": False}, "Closed until"), ({"staffed": False}, "Nobody there")]
)
def test_a_callback_comes_before_the_way_back_where_the_definition_says_so(
    name: str, world: dict[str, bool], what: str
) -> None:
    result = walk(name, OFFERS, keys="1", **world)
    assert result.path[result.path.index(f"{what} - say so before the offer") :] == [
        f"{what} - say so before the offer",
        "Offer a callback instead",
        "Is there a number to call back",
        "Confirm the number",
        "Callback number",
        "Remember the callback",
        "Create the callback",
        "Promise the callback",
        "Hang up",
    ]
    assert result.contact["va_result"] == "callback"


@BOTH
def test_who_declines_the_callback_goes_back_and_the_agent_knows(name: str) -> None:
    result = walk(name, OFFERS, {"action": "end"}, staffed=False)
    assert next(r["returned"] for r in result.requests if r.get("loaded") == "1") == "declined"
    assert result.end == "DisconnectParticipant"


@EACH
def test_a_number_that_cannot_be_called_is_asked_for_once_more_and_then_left(name: str) -> None:
    def fails(identifier: str) -> bool | str:
        return "InvalidPhoneNumber" if identifier in ("Type another number", "Type it once more") else False

    result = walk(name, OFFERS, keys="1", caller="", staffed=False, fails=fails)
    assert result.path[-4:] == ["Type another number", "Type it once more", "No callback possible", "Hang up"]
    typed = walk(name, OFFERS, keys="1", caller="", staffed=False)
    assert "Create the callback" in typed.path
    assert "Confirm the number" not in typed.path


@EACH
def test_a_number_that_is_not_typed_is_no_callback(name: str) -> None:
    def fails(identifier: str) -> bool | str:
        return "=1" if identifier == "Offer a callback instead" else False

    result = walk(name, OFFERS, caller="", staffed=False, fails=fails)
    assert result.path[-4:-1] == [
        "Type another number",
        "Type another number - was a key pressed",
        "No callback possible",
    ]


@EACH
@pytest.mark.parametrize(
    ("waiting", "oldest_s", "said"),
    [
        (0, 0, ["Nobody waits"]),
        (3, 60, ["A few wait", "A short wait"]),
        (4, 61, ["Several wait", "A medium wait"]),
        (10, 900, ["Several wait", "A long wait"]),
        (11, 901, ["Many wait", "A very long wait"]),
    ],
)
def test_before_the_transfer_it_says_how_many_wait_and_how_long(
    name: str, waiting: int, oldest_s: int, said: list[str]
) -> None:
    result = walk(name, TRANSFER, free=False, waiting=waiting, oldest_s=oldest_s)
    assert [
        place for place in result.path if place.endswith((" wait", " waits")) and not place.startswith("How")
    ] == said
    assert result.end == "TransferContactToQueue"


@EACH
def test_of_a_queue_that_nobody_knows_it_says_nothing_but_to_stay(name: str) -> None:
    result = walk(name, TRANSFER, free=False, fails=lambda each: each == "How many wait")
    assert "Nobody knows how many wait" in result.path
    assert result.end == "TransferContactToQueue"
    free = walk(name, TRANSFER)
    assert "How many wait" not in free.path


@EACH
@pytest.mark.parametrize(
    ("priority", "set_to"), [("1", ["Priority 1"]), ("3", ["Priority 3"]), ("2", []), ("none", [])]
)
def test_a_priority_is_set_by_a_block_of_its_own(name: str, priority: str, set_to: list[str]) -> None:
    result = walk(name, TRANSFER | {"priority": priority})
    assert [place for place in result.path if place.startswith("Priority ")] == set_to
    assert result.end == "TransferContactToQueue"


@EACH
def test_a_queue_whose_hours_are_not_known_is_closed_without_a_time(name: str) -> None:
    result = walk(name, TRANSFER, queue_open=False, fails=lambda each: each.startswith("When does"))
    assert "Closed - say so" in result.path
    assert not [heard for heard in result.heard if "External" in heard]


@EACH
def test_a_callback_is_created_where_nobody_can_take_the_call(name: str) -> None:
    result = walk(name, TRANSFER | {"seq": "0"}, queue_open=False, keys="1")
    assert "Create the callback" in result.path
    assert result.end == "DisconnectParticipant"


@BOTH
@pytest.mark.parametrize(
    ("secret", "keys", "told"), [("false", "1234", "1234"), ("true", "1234", "entered"), ("true", "Timeout", "none")]
)
def test_key_presses_are_told_and_secret_ones_are_not(name: str, secret: str, keys: str, told: str) -> None:
    question = {"action": "collect", "promptUrl": "https://clips/q.wav", "maxDigits": "4", "secret": secret}
    result = walk(name, question, {"action": "end"}, keys=keys)
    after = [r for r in result.requests[1:] if r["loaded"] == "1"]
    assert after[0]["digits"] == told
    assert after[0]["ended"] == "completed"
    assert "Take up to 4 keys" in result.path
    assert ("Stop streaming for a secret" in result.path) == (secret == "true")
    assert result.streaming


SECRET = {"action": "collect", "promptUrl": "https://clips/q.wav", "maxDigits": "4", "secret": "true"}


def with_secret_keys(name: str, told: str) -> Walk:
    """A call in which a secret is typed, and a Lambda gets it; it fails where nothing is `told`."""
    usual = answers(SECRET, {"action": "end"})

    def lambdas(function: str, request: Mapping[str, str]) -> Mapping[str, str]:
        if function == token(12):
            assert request["digits"] == "7391"
            return {"told": told}
        assert request.get("digits") != "7391"
        return cast(Mapping[str, str], usual(function, request))

    flow = FLOWS[name](parameters(secret_keys=True)).to_dict()
    assert validate(flow) == []
    failing = "" if told else "Pass the secret on"
    chance = random.Random(1)
    return Walk(flow=flow, lambdas=lambdas, fails=lambda block: block == failing, chance=chance, keys="7391").run()


@BOTH
@pytest.mark.parametrize(("told", "known"), [('{"verified": true}', '{"verified": true}'), ("", "unknown")])
def test_a_secret_goes_to_its_lambda_alone_and_what_came_of_it_is_told(name: str, told: str, known: str) -> None:
    result = with_secret_keys(name, told)
    assert "Pass the secret on" in result.path
    after = [request for request in result.requests if request.get("loaded") == "1" and request["digits"] != "7391"]
    assert after[0]["digits"] == known
    assert result.streaming, "the voice agent hears the caller again"


@EACH
def test_a_question_without_a_clip_still_takes_keys(name: str) -> None:
    result = walk(name, {"action": "collect", "maxDigits": "12"}, {"action": "end"}, keys="123456789012")
    assert "Take up to 20 keys without a clip" in result.path


@EACH
@pytest.mark.parametrize("logging", list(FlowLogging))
def test_nothing_that_was_said_is_in_a_minimal_log(name: str, logging: FlowLogging) -> None:
    flow = build(name, logging).to_dict()
    for contact in ({}, {"va_attempt": "1", "va_summary": "before"}):
        script = answers({"action": "say", "text": "content"}, TRANSFER)
        result = Walk(flow, script, lambda _: False, random.Random(1), contact=dict(contact)).run()
        said = [entry for entry in result.logged if "content" in entry.values()]
        assert bool(said) == (logging is FlowLogging.FULL)
        assert bool(result.logged) == (logging is FlowLogging.FULL or (logging is FlowLogging.MINIMAL and not contact))


@EACH
def test_an_action_of_a_newer_release_ends_at_a_human(name: str) -> None:
    assert walk(name, {"action": "sing"}).end == "TransferContactToQueue"


@BOTH
def test_an_agent_without_an_opening_is_asked_at_once(name: str) -> None:
    def none(function: str, request: Mapping[str, str]) -> Mapping[str, str]:
        start = {**START, "openingUrl": "none"}
        return start if function == token(1) else {**EMPTY, "action": "end", "seq": "1"}

    assert set(walk(name, lambdas=none).heard) == {"(sound)"}


@EACH
def test_start_call_can_refuse_with_a_transfer(name: str) -> None:
    full = {**START, "action": "transfer", "queueArn": "arn:other", "reason": "limit"}
    result = walk(name, lambdas=lambda *_: full, staffed=False)
    assert result.end == "TransferContactToQueue"
    assert result.contact["va_queue_arn"] == "arn:other"


# -- the flow that transfers the call ----------------------------------------------------------------------------


def test_the_call_is_transferred_and_comes_back_to_ask() -> None:
    result = walk("sip", {"action": "end"})
    assert result.heard[0] == "(agent at +4930)"
    assert result.keys_sent == [",,12345678"]
    assert result.requests[0] == {"agent": "front_desk", "form": "sip", "attempt": "0", "returned": "none"}
    assert result.requests[1]["attempt"] == "1"
    assert result.end == "DisconnectParticipant"
    assert not result.streaming


@pytest.mark.parametrize("error", ["CallFailed", "ConnectionTimeLimitExceeded", "NoMatchingError"])
def test_a_transfer_that_fails_gives_the_caller_to_a_human(error: str) -> None:
    result = walk("sip", fails=lambda each: error if each == "Transfer to the voice agent" else False)
    assert result.end == "TransferContactToQueue"
    assert result.contact["va_reason"] == "flow_failure"
    assert len(result.requests) == 1


def test_a_human_who_cannot_be_had_leads_to_the_voice_agent_once_more() -> None:
    result = walk("sip", TRANSFER, {"action": "end"}, queue_open=False)
    assert [request["returned"] for request in result.requests if "agent" in request] == ["none", "closed"]
    assert len(result.keys_sent) == 2
    assert result.path.count("Closed until - say so") == 1


def test_with_a_connector_the_code_goes_in_user_to_user_information() -> None:
    to = SipTransfer(connector_arn=token(10), caller_id_name="ignored", time_limit_s=9)
    flow = sip(replace(parameters(), sip=to)).to_dict()
    assert validate(flow) == []
    (transfer,) = [each for each in flow["Actions"] if each["Type"] == "TransferParticipantToThirdParty"]
    assert transfer["Parameters"] == {
        "ThirdPartyConnectionTimeLimitSeconds": "9",
        "ContinueFlowExecution": "True",
        "VoiceConnector": {
            "VoiceConnectorType": "CallTransferConnector",
            "VoiceConnectorArn": token(10),
            "ToUser": "voice-agent",
            "FromUser": "$.SystemEndpoint.Address",
            "UserToUserInformation": "$.External.sipCode",
        },
    }


def test_a_number_can_be_called_under_a_name() -> None:
    flow = sip(replace(parameters(), sip=SipTransfer(caller_id_name="Shop"))).to_dict()
    assert validate(flow) == []
    (transfer,) = [each for each in flow["Actions"] if each["Type"] == "TransferParticipantToThirdParty"]
    assert transfer["Parameters"]["CallerId"] == {"Name": "Shop", "Number": "$.SystemEndpoint.Address"}
