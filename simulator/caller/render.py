"""`python -m simulator.caller.render [FOLDER]`: make the default caller's recordings; the same bytes every time.

The caller has the agent's voice, as it is the only one inside the package, but a deeper and slower one: a third
of an octave lower, so that anybody can tell the two apart.
"""

from __future__ import annotations

import argparse
import wave
from collections.abc import Sequence
from pathlib import Path

from contract.audio import SAMPLE_RATE
from simulator.caller.recordings import FOLDER, WORDS

LOWER = 0.8
"""The factor of every frequency, the voice's pitch and its timbre alike."""
SPEED = 1.2
"""Of the synthesis, before it is lowered and so becomes slower: 0.96 of the agent's pace in the end."""
SEED = 1


def render(folder: Path) -> list[Path]:
    """Speak WORDS into `folder`; needs the extra `speech`."""
    from hibari import Hibari

    from simulator.deepgram.local.sound import for_telephone, to_pcm

    hibari = Hibari(threads=1)
    written = []
    for name, text in WORDS.items():
        samples = hibari(text, speed=SPEED, seed=SEED)
        deeper = for_telephone(samples, round(hibari.sample_rate * LOWER))
        path = folder / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(to_pcm(deeper))
        written.append(path)
    return written


def main(argv: Sequence[str] | None = None) -> None:
    """Render into the folder of the package, or another."""
    parser = argparse.ArgumentParser(prog="simulator.caller.render", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    for path in render(parser.parse_args(argv).folder):
        print(f"{path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":  # pragma: no cover - the command itself
    main()
