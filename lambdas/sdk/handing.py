"""What a function found out, for the human who may take the call over."""

from __future__ import annotations


def handover(*, customer_id: str = "", verified: bool | None = None, note: str = "") -> dict[str, object]:
    """`return {"verified": True, **handover(customer_id="C-4711", verified=True)}`.

    The model never sees it. `customer_id` and `verified` become contact attributes of a handover, the newest of each;
    `note` is what the human reads of this call of the function, in place of the plain values of its answer.
    """
    given: dict[str, object] = {"customer_id": customer_id, "note": note}
    found = {key: value for key, value in given.items() if value}
    return {"handover": found if verified is None else {**found, "verified": verified}}
