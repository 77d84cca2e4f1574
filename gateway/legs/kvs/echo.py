"""Whether a block of the caller's line is only the agent's own voice coming back. A core without I/O.

A telephone on its loudspeaker returns what it plays, some 20 dB quieter and a fifth of a second later. A voice agent
takes that for a caller who speaks, stops, and interrupts itself sentence after sentence. Both tracks of the stream
share one clock, so the agent's voice is at hand: a block that is much quieter than what was played shortly before,
and has its shape, is an echo. A caller who speaks into the agent's words is louder than that, and passes.
"""

from __future__ import annotations

from contract.audio import PCM_BYTES_PER_MS, alike, halved, rms

LONGEST_LAG_MS = 400
LOUDEST = 0.2  # of what was played: 14 dB down; what comes back louder is nothing that a telephone should send
QUIETEST_RMS = 60  # below, nobody takes it for speech anyway
STOPPED_MS = 1000  # a hole in the caller's line: nothing was streamed
LOUDER = 2.0  # of the last echo: as loud as another one may be that cannot be compared with what was played
SURE = 0.9  # correlation with what was played at one lag: an echo beyond doubt
LIKELY = 0.6  # and at the lag at which an echo was found before: a room adds reverberation
PROMISING = 0.4  # at a quarter of the sample rate, where lags are looked at first
COARSE = 4  # samples
# Looking at all lags is a millisecond of work: a line that is neither silent nor speaks must not cost that every time.
SEARCHES = 24
BLOCKS_A_SEARCH = 16  # after which another one is allowed
_SAMPLE = 2  # bytes
_KEPT_MS = LONGEST_LAG_MS + 200


class EchoGate:
    """Fed with both tracks, blocks of tens of ms in order, signed 16-bit PCM of 8 kHz. Times are epoch ms."""

    def __init__(self) -> None:
        self._played = b""
        self._played_until_ms = 0
        self._lag: int | None = None  # bytes of PCM, as found in this call
        self._level = 0  # of what came back as an echo last
        self._since_ms = 0  # up to where what was played is not known
        self._line_until_ms = 0
        self._searches = float(SEARCHES)  # that may be made
        self.echo_ms = 0

    def played(self, media_ms: int, pcm: bytes) -> None:
        """A block of what the caller hears."""
        if media_ms != self._played_until_ms:
            self._played = b""
            self._since_ms = media_ms
        self._played = (self._played + pcm)[-_KEPT_MS * PCM_BYTES_PER_MS :]
        self._played_until_ms = media_ms + len(pcm) // PCM_BYTES_PER_MS
        self._searches = min(SEARCHES, self._searches + 1 / BLOCKS_A_SEARCH)

    def is_echo(self, media_ms: int, pcm: bytes) -> bool:
        """A block of the caller's line."""
        if media_ms - self._line_until_ms > STOPPED_MS:  # of the new part this may come before what is played
            self._since_ms = max(self._since_ms, media_ms)
        self._line_until_ms = media_ms + len(pcm) // PCM_BYTES_PER_MS
        if self._is_from_before(media_ms, pcm):
            self.echo_ms += len(pcm) // PCM_BYTES_PER_MS
            return True
        if not self._may_be(media_ms, pcm):
            return False
        now = self._place(media_ms)
        if self._lag is not None and self._near(now - self._lag, pcm)[1] >= LIKELY:
            found = True
        else:
            found = self._search(media_ms, pcm)
        if found:
            self.echo_ms += len(pcm) // PCM_BYTES_PER_MS
            self._level = rms(pcm)
        return found

    def _is_from_before(self, media_ms: int, pcm: bytes) -> bool:
        """What comes back now was played while nothing was streamed, as the flow's own sentences are behind which it
        streams again; on a telephone that is known to send back what it plays."""
        if self._lag is None or media_ms - self._since_ms >= self._lag // PCM_BYTES_PER_MS:
            return False
        return rms(pcm) <= LOUDER * self._level

    def _may_be(self, media_ms: int, pcm: bytes) -> bool:
        level = rms(pcm) if self._played else 0
        return level >= QUIETEST_RMS and level <= LOUDEST * self._loudest(media_ms, len(pcm))

    def _loudest(self, media_ms: int, length: int) -> int:
        """The level of the loudest stretch of a block's length that can come back now."""
        window = self._between(media_ms - LONGEST_LAG_MS, media_ms + length // PCM_BYTES_PER_MS)
        return max((rms(window[at : at + length]) for at in range(0, len(window), length)), default=0)

    def _search(self, media_ms: int, pcm: bytes) -> bool:
        """At every lag: roughly first, then to the sample."""
        if self._searches < 1:
            return False
        self._searches -= 1
        begin = max(0, self._place(media_ms - LONGEST_LAG_MS))
        window = halved(halved(self._played[begin : self._place(media_ms) + len(pcm)]))
        at, like = _best(window, halved(halved(pcm)))
        if like < PROMISING:
            return False
        at, like = self._near(begin + at * COARSE, pcm)
        if like < SURE:
            return False
        self._lag = self._place(media_ms) - at
        return True

    def _near(self, at: int, pcm: bytes) -> tuple[int, float]:
        """The best match about a place in what was played."""
        begin = max(0, at - COARSE * _SAMPLE)
        window = self._played[begin : max(0, at + len(pcm) + COARSE * _SAMPLE)]
        found, like = _best(window, pcm)
        return begin + found, like

    def _place(self, media_ms: int) -> int:
        """Where in what was played a moment is, in bytes."""
        return len(self._played) - (self._played_until_ms - media_ms) * PCM_BYTES_PER_MS

    def _between(self, from_ms: int, until_ms: int) -> bytes:
        return self._played[max(0, self._place(from_ms)) : max(0, self._place(until_ms))]


def _best(window: bytes, part: bytes) -> tuple[int, float]:
    """Where in `window` the piece is that is most like `part`, in bytes, and how much; 0.0 where there is no room."""
    length = len(part)
    places = range(0, len(window) - length + 1, _SAMPLE)
    like, at = max(((alike(part, window[at : at + length]), at) for at in places), default=(0.0, 0))
    return at, like
