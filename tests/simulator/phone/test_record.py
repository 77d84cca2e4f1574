from __future__ import annotations

from collections.abc import Sequence

from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import Turn
from simulator.phone.record import Record
from tests.contract.samples import CLIP, CONTACT, T0, taken
from tests.simulator.phone.samples import caller_turn


class Gone(MemoryStore):
    """A store that is there at first."""

    gone = False

    async def turns(self, contact_id: str) -> Sequence[Turn]:
        if self.gone:
            raise StoreUnavailable("Query", "EndpointConnectionError")
        return await super().turns(contact_id)


async def test_the_record_of_a_call_that_nobody_started_is_empty() -> None:
    record = Record(MemoryStore(), CONTACT)
    await record.read()

    assert (record.head, record.turns, record.closed) == (None, [], False)


async def test_the_record_grows_with_the_call() -> None:
    store = MemoryStore()
    lease = await taken(store)
    await store.put_turn(lease, caller_turn(1, "Hello.", 100, 900))
    await store.append(lease, CLIP, T0)
    record = Record(store, CONTACT)
    await record.read()

    assert [turn.text for turn in record.turns] == ["Hello."]
    assert not record.closed
    assert record.clip(CLIP.prompt_url) == "clip 1"
    assert record.clip("https://elsewhere/a.wav") == "a clip"


async def test_what_cannot_be_read_stays_as_it_was() -> None:
    store = Gone()
    lease = await taken(store)
    await store.put_turn(lease, caller_turn(1, "Hello.", 100, 900))
    record = Record(store, CONTACT)
    await record.read()
    store.gone = True
    await record.read()

    assert [turn.text for turn in record.turns] == ["Hello."]
