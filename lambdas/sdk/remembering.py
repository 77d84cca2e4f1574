"""What one function of a call tells the later ones, past the model."""

from __future__ import annotations


def remember(**values: str) -> dict[str, object]:
    """`return {"verified": True, **remember(customer="C-4711")}`: later functions find it in `context.remembered`.

    The model neither sees nor changes it; it holds for the rest of the call, on another gateway too. An empty value
    takes a name back. At most 20 names, each of 1,000 characters.
    """
    return {"remember": values}
