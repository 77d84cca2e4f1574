"""What a function of the voice agent is made of: a Python function with type hints and a docstring.

    from lambdas.sdk import function, serve

    @function(timeout_s=5, idempotent=True)
    def get_price(article: str) -> dict[str, object]:
        \"""What an article costs.

        Args:
            article: The name of the article.
        \"""
        return {"price": 12}

    handler = serve(get_price)

The gateway reads name, description and JSON Schema out of the source and never runs it; docs/functions.md.
"""

from lambdas.sdk.calling import Refused
from lambdas.sdk.changing import change
from lambdas.sdk.context import Context
from lambdas.sdk.declaring import function
from lambdas.sdk.handing import handover
from lambdas.sdk.marks import Between, Length, Matches, Private, Unit
from lambdas.sdk.remembering import remember
from lambdas.sdk.serving import serve

__all__ = [
    "Between",
    "Context",
    "Length",
    "Matches",
    "Private",
    "Refused",
    "Unit",
    "change",
    "function",
    "handover",
    "remember",
    "serve",
]
