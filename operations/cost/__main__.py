"""`make cost CALLS=10000 MINUTES=3`: what a month costs in US dollars, line by line, and where each price is from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from contract.errors import VoiceAgentError
from infra.deployment import read
from operations.cost.estimate import Item, Load, calling, standing
from operations.cost.prices import PRICES
from operations.doctor.report import console

ROOT = Path(__file__).resolve().parents[2]


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="operations.cost", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, help="calls a month (default: 10000)")
    parser.add_argument("--minutes", type=float, default=3.0, help="minutes of each call with the agent (default: 3)")
    parser.add_argument("--full-tier", action="store_true", help="the instance has Connect's tier with AI features")
    parser.add_argument("--deployment", default="", help="the settings; without them the example's")
    chosen = parser.parse_args(given)
    if chosen.calls < 0 or chosen.minutes < 0:
        parser.error("calls and minutes are numbers of at least 0")
    return chosen


def main(given: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Print the estimate; 2 when the settings cannot be read."""
    chosen = arguments(given)
    out = console()
    own = root / "deployment.yaml"
    file = root / chosen.deployment if chosen.deployment else own if own.exists() else root / "deployment.example.yaml"
    try:
        deployment = read(file)
    except VoiceAgentError as error:
        out.print(str(error), markup=False)
        return 2
    load = Load(chosen.calls, chosen.minutes, chosen.full_tier)
    out.print(f"{load.calls} calls a month of {load.minutes:g} minutes, settings of {file.name}", style="bold")
    still, moving = list(standing(deployment)), list(calling(deployment, load))
    _table("without any call", still, out)
    _table("what the calls add", moving, out)
    total = _sum([*still, *moving])
    each = f", {total / load.calls:.3f} USD a call" if load.calls else ""
    out.print(f"\n{total:,.2f} USD a month{each}", style="bold")
    guessed = sorted({item.price for item in [*still, *moving] if not PRICES[item.price].verified})
    out.print(f"Not read on the provider's page by us: {len(guessed)} of these prices. docs/cost.md names each source.")
    return 0


def _sum(items: Iterable[Item]) -> float:
    return sum(item.usd for item in items)


def _table(title: str, items: Sequence[Item], out: Console) -> None:
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify)
    for item in items:
        if item.quantity:
            price = PRICES[item.price]
            table.add_row(
                f"  {item.name}", f"{item.quantity:,.2f}", f"× {price.usd:g} ({price.unit})", f"{item.usd:,.2f}"
            )
    table.add_row("  together", "", "", f"{_sum(items):,.2f}")
    out.print(f"\n{title}")
    out.print(table)


if __name__ == "__main__":
    sys.exit(main())
