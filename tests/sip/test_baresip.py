"""baresip, a softphone, as the caller of a whole call: it types the code, asks for a person, and is given back."""

from __future__ import annotations

import asyncio
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from contract.audio import lin2ulaw, ulaw2lin
from contract.clock import SystemClock
from contract.dynamodb import DynamoStore
from contract.running import in_thread
from contract.turns import Role
from simulator.deepgram import tones
from simulator.estate import lambda_arn
from simulator.phone import cloud, options
from simulator.phone.stage import Stage, set_up
from simulator.phone.terminal import Terminal
from tests.contract.samples import CONTACT
from tests.lambdas.samples import an_event
from tests.sip.softphone import needs_baresip, recorded, softphone
from tests.sip.test_lost_gateway import expected, stands

pytestmark = [
    pytest.mark.sip,
    pytest.mark.timeout(150),
    needs_baresip,
]

CODE = "12345678"
SAYS = "Could I speak to a person about the delivery please?"
WAITS_S = 12  # the code, and the opening
MOST_TORN = 1


def test_a_softphone_has_a_conversation_and_is_handed_over(tmp_path: Path) -> None:
    asyncio.run(conversation(tmp_path))


async def conversation(folder: Path) -> None:
    asked = options.read({"FLOW": "sip", "REPORT": str(folder)}, speech=False)
    async with set_up(asked, Terminal(), SystemClock(), lambda child: None) as stage:
        store = DynamoStore(stage.account.client("dynamodb"), cloud.TABLE, in_thread)
        await expected(store, folder)
        speech = ulaw2lin(tones.encode_utterance(SAYS, 320))
        async with softphone(folder, bytes(WAITS_S * 16_000) + speech + bytes(40 * 16_000)) as phone:
            await phone.command("dial", f"sip:agent@{stage.log.sip}")
            await phone.until("CALL_ESTABLISHED")
            await phone.type(CODE)
            await stands(store)
            answer = await transferred(stage, store)
        assert answer["action"] == "transfer"
        assert answer["queue"] == "orders"
        said = [turn.text for turn in await store.turns(CONTACT) if turn.role is Role.CALLER]
        assert min(torn(SAYS, text) for text in said) <= MOST_TORN, said
        heard = [turn.heard_text for turn in await store.turns(CONTACT) if turn.role is Role.VOICE_AGENT]
        words = " ".join(utterance.text for utterance in tones.decode(lin2ulaw(recorded(folder))))
        print(f"baresip heard: {words!r}")
        assert torn(" ".join(heard), words) <= MOST_TORN


def torn(expected: str, found: str) -> int:
    """How many words of either are not in the other at their place. Over real sockets a packet that is late for the
    peer's own buffer breaks the word that it belongs to."""
    one, other = expected.split(), found.split()
    same = sum(block.size for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks())
    return max(len(one), len(other)) - same


@pytest.mark.parametrize(
    ("found", "count"), [("a b c d", 0), ("a x c d", 1), ("a b d", 1), ("b c d", 1), ("a c b x", 2), ("", 4)]
)
def test_a_word_that_is_torn_counts_as_one(found: str, count: int) -> None:
    assert torn("a b c d", found) == count


async def transferred(stage: Stage, store: DynamoStore) -> dict[str, str]:
    """Ask as the flow does once it has its caller back."""
    async with asyncio.timeout(60):
        while not await store.actions_after(CONTACT, 0):
            await asyncio.sleep(0.3)
    event = an_event({"attempt": "1", "loaded": "0", "ended": "none", "returned": "none", "digits": "none"})
    answer = await stage.lambdas.invoke(lambda_arn("next_action_poll"), event, 8000)
    assert isinstance(answer, dict)
    return answer
