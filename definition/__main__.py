"""`python -m definition agents/shop.yaml`: what would be sent to Deepgram, or every problem of the file.

Several files are told apart by a line with their name. Only what is sent goes to standard output.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TextIO

from definition.errors import DefinitionError
from definition.reader import load
from definition.settings import settings
from definition.spoken import FOLDER, MISSING, Files, personas, spoken


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the Settings as JSON (0), or the problems to stderr, one a line (1). Secrets appear by name only."""
    parser = argparse.ArgumentParser(prog="python -m definition", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="file", help="an agent definition, such as agents/shop.yaml")
    files = parser.parse_args(arguments).files
    failed = 0
    for file in files:
        if len(files) > 1:
            _write(sys.stderr, f"-- {file}")
        failed |= _check(file)
    return failed


def _check(file: str) -> int:
    try:
        definition = load(file)
        missing = spoken(personas([definition]), Files(FOLDER)).missing
    except DefinitionError as error:
        _write(sys.stderr, str(error))
        return 1
    secrets = {name: f"<the secret {name}>" for name in definition.secrets}
    message = settings(definition, greeting=None, secrets=secrets)
    _write(sys.stdout, json.dumps(message, indent=2, ensure_ascii=False))
    for language in missing:
        _write(sys.stderr, f"{file}: there is no languages/{language}.yaml; {MISSING}")
    return 0


def _write(stream: TextIO, text: str) -> None:
    """One text and a line end in UTF-8, whatever the terminal's encoding is: no character ends in a traceback."""
    stream.flush()
    stream.buffer.write(f"{text}\n".encode(errors="backslashreplace"))
    stream.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
