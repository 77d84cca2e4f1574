"""`make fuzz [TARGET=matroska] [INPUTS=1000000]`: coverage-guided fuzzing with atheris (libFuzzer).

What breaks a rule is written to build/fuzz/TARGET/, with the error, and the command fails. Put such an input into
tests/fuzz/corpus/TARGET/ together with the repair.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

BUILD = Path("build/fuzz")
INSTRUMENTED = ["contract", "definition", "gateway", "lambdas"]
INPUTS = 1_000_000
HANG_S = 10
MEMORY_MB = 2048
_DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)
_ONE = "--one"


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Fuzz one target after the other; 1 when something was found."""
    if arguments[:1] == [_ONE]:
        _fuzz(arguments[1], arguments[2:])
    wanted = environment.get("TARGET", "")
    inputs = environment.get("INPUTS") or str(INPUTS)
    from tests.fuzz.targets import TARGETS

    if not inputs.isdecimal() or (wanted and wanted not in TARGETS):
        print(f"TARGET is one of {', '.join(TARGETS)}; INPUTS is a number", file=sys.stderr)
        return 2
    results = [_run(name, target.longest, int(inputs)) for name, target in TARGETS.items() if wanted in ("", name)]
    return max(results)


def _run(name: str, longest: int, inputs: int) -> int:
    """One target in a process of its own, and its figures in a line."""
    folder = BUILD / name
    (folder / "inputs").mkdir(parents=True, exist_ok=True)
    options = [f"-runs={inputs}", f"-max_len={longest}", f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MB}"]
    options += [f"-artifact_prefix={folder}/found-", "-print_final_stats=0", str(folder / "inputs")]
    began = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", _ONE, name, *options], capture_output=True, text=True, errors="replace"
    )
    took = time.monotonic() - began
    (folder / "log").write_text(run.stdout + run.stderr)
    done = _DONE.search(run.stderr)
    if run.returncode or done is None:
        print(f"{name}: FOUND something, or broke off, after {took:.0f} s; see {folder}/log and {folder}/found-*")
        print("".join(f"  {line}\n" for line in _error(run.stdout + run.stderr)), end="")
        return 1
    count, coverage, features, kept = map(int, done.groups())
    print(f"{name}: {count:,} inputs in {took:.0f} s, {coverage} branches, {features} features, {kept} inputs kept")
    return 0


def _error(text: str) -> list[str]:
    """The last lines of the traceback."""
    lines = [line for line in text.splitlines() if line.strip()]
    ends = [at for at, line in enumerate(lines) if "ERROR: libFuzzer" in line]
    return lines[max(0, ends[0] - 12) : ends[0] + 1] if ends else lines[-12:]


def _fuzz(name: str, options: list[str]) -> None:
    """Within the process of its own; does not return."""
    import atheris

    # The standard library's own readers are not ours to measure; what counts is our branches.
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.mutation import mutant
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    folder = Path(options[-1])
    known = [*target.seeds(), *(path.read_bytes() for path in target.found)]
    for number, data in enumerate(known):
        (folder / f"seed-{number}").write_bytes(data)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        """Half of the changes know JSON; libFuzzer's own follow what its coverage has taught it."""
        random = Random(seed)
        if random.random() < 0.5:
            return mutant(data, known, longest, random)
        changed: bytes = atheris.Mutate(data, longest)
        return changed

    atheris.Setup([sys.argv[0], *options], target.holds, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
