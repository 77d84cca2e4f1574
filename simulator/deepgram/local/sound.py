"""Samples as numpy arrays: change of rate, level, trimming. Used by the speech processes and by rendering only.

An array here is float32, mono, 1.0 is full scale.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from contract.audio import SAMPLE_RATE, lin2ulaw, ulaw2lin

Samples = NDArray[np.float32]

# Half the length of the low-pass, in samples of the slower of the two rates. With the Kaiser window below the
# transition lies between 0.44 and 0.5 of the slower rate: 3,520 to 4,000 Hz for telephone audio.
HALF_WIDTH = 48
CUT_OFF = 0.47
KAISER_BETA = 8.0

FRAME = 80
"""10 ms at 8,000 Hz, for everything that looks at loudness."""
AUDIBLE = 10 ** (-45 / 20)
LEAD_MS = 60
TAIL_MS = 100


@lru_cache(maxsize=8)
def _filters(up: int, down: int) -> Samples:
    """One row of taps for each of `up` phases, each with gain 1 at 0 Hz."""
    slower = max(1.0, down / up)
    half = int(np.ceil(HALF_WIDTH * slower))
    offset = np.arange(-half, half + 1)[None, :] - (np.arange(up) / up)[:, None]
    inside = np.clip(1 - (offset / (half + 1)) ** 2, 0, None)
    taps = np.sinc(2 * CUT_OFF / slower * offset) * np.i0(KAISER_BETA * np.sqrt(inside))
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), dtype=np.float32)


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The same sound at another rate, without aliases; the first samples stand at the same time."""
    if from_hz == to_hz or not len(samples):
        return samples
    common = gcd(from_hz, to_hz)
    up, down = to_hz // common, from_hz // common
    bank = _filters(up, down)
    half = bank.shape[1] // 2
    count = -(-len(samples) * up // down)
    padded = np.concatenate([np.zeros(half, np.float32), samples, np.zeros(half, np.float32)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, bank.shape[1])
    out = np.empty(count, np.float32)
    # Output n stands at input n * down / up, so every `up`-th output shares one phase and moves on by `down`.
    for first in range(min(up, count)):
        start, phase = divmod(first * down, up)
        out[first::up] = windows[start::down] @ bank[phase]
    return out


def _frame_rms(samples: Samples) -> Samples:
    padded = np.concatenate([samples, np.zeros(-len(samples) % FRAME, np.float32)])
    return np.asarray(np.sqrt(np.mean(padded.reshape(-1, FRAME) ** 2, axis=1)), dtype=np.float32)


def levelled(samples: Samples, rms_dbfs: float = -20.0, peak: float = 0.9) -> Samples:
    """8 kHz speech brought to `rms_dbfs`, or as near as `peak` allows; frames that are nearly silent do not count."""
    frames = _frame_rms(samples)
    loudest = float(frames.max(initial=0.0))
    if loudest == 0.0:
        return samples
    spoken = frames[frames > loudest * 0.1]
    gain = 10 ** (rms_dbfs / 20) / float(np.sqrt(np.mean(spoken**2)))
    return np.asarray(samples * min(gain, peak / float(np.abs(samples).max())), dtype=np.float32)


def trimmed(samples: Samples) -> Samples:
    """8 kHz speech with LEAD_MS of what came before its first audible 10 ms, and TAIL_MS after its last."""
    audible = np.flatnonzero(_frame_rms(samples) > AUDIBLE)
    if not len(audible):
        return samples[:0]
    first = audible[0] * FRAME - LEAD_MS * SAMPLE_RATE // 1000
    last = (audible[-1] + 1) * FRAME + TAIL_MS * SAMPLE_RATE // 1000
    return samples[max(0, first) : last]


def for_telephone(samples: Samples, from_hz: int) -> Samples:
    """Synthetic speech at 8 kHz, levelled and trimmed."""
    return trimmed(levelled(resample(samples, from_hz, SAMPLE_RATE)))


def to_pcm(samples: Samples) -> bytes:
    """Signed 16-bit little-endian; what is beyond full scale is cut."""
    return (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def to_ulaw(samples: Samples) -> bytes:
    """1 byte a sample."""
    return lin2ulaw(to_pcm(samples))


def from_ulaw(ulaw: bytes) -> Samples:
    return np.frombuffer(ulaw2lin(ulaw), "<i2").astype(np.float32) / np.float32(32768)
