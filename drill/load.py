"""The load of a drill: a till, `./loyalty produce` in a process of its own, with an answer key."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from drill.plan import Plan
from drill.stack import OwnStack
from drill.waiting import insist
from pipeline.errors import LoyaltyError
from producer.faults import AGAIN, MALFORMED, parse_faults
from producer.orders import LINES

FAULTS: Final = "duplicate=0.02,malformed=0.02,conflict=0.01,late-minutes=0.01,late-days=0.01"
FULL_RATE: Final = 0.9
"""A drill whose till wrote less than this share of what was asked proves little."""
LOG: Final = "drill-till.log"
START_SECONDS: Final = 60
EVEN_SECONDS: Final = 20
STOP_SECONDS: Final = 10


def lines_per_order(faults: str) -> float:
    """Give the lines of a receipt on average, with those that its faults add."""
    receipt = sum(lines * share for lines, share in enumerate(LINES, start=1))
    shares = parse_faults(faults) if faults else {}
    return receipt + sum(s for name, s in shares.items() if name in AGAIN or name == MALFORMED)


def shortfall(reached: float, asked: float) -> str:
    """Say how much of a rate was missed, when that is too much; else empty. Lines a second."""
    if reached >= FULL_RATE * asked:
        return ""
    return f"the till wrote {reached:,.0f} lines/s and should have written {asked:,.0f}"


def _new_key(folder: Path) -> Path:
    """Give the name of a key that is not there yet: each till on a stack has its own."""
    path = folder / "answer-key.tsv"
    numbers = count(2)
    while path.exists():
        path = folder / f"answer-key-{next(numbers)}.tsv"
    return path


class Till:
    """Writes about `rate` order lines a second; its key is new, and goes on after a kill.

    Its counts are taken from the key, whose rows are written after their lines. `ends`: how often
    it has ended, each time perhaps between a line and its row.
    """

    def __init__(self, stack: OwnStack, rate: float, seed: int, faults: str = FAULTS) -> None:
        self._stack = stack
        self._rate = rate
        self._seed = seed
        self._faults = faults
        self._process: subprocess.Popen[bytes] | None = None
        self.key = _new_key(stack.settings.data)
        self.ends = 0
        self._fell = False
        self._counted, self._read = 0, 0
        # while it wrote: seconds and lines of its lives so far, and the beginning of this one
        self._seconds, self._lines = 0.0, 0
        self._since, self._before = 0.0, 0

    @property
    def pid(self) -> int:
        """The process that writes; 0 where none does."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def start(self) -> None:
        """Begin to write, or go on; each time with a seed of its own.

        Raises LoyaltyError where nothing is written.
        """
        log = self._stack.places.logs / LOG
        before = self.written()
        self._process = self._stack.start(
            "produce", "--rate", f"{self._rate / lines_per_order(self._faults):.3f}/s",
            "--duration", "86400", "--seed", str(self._seed), "--faults", self._faults,
            "--answer-key", str(self.key), log=log,
        )  # fmt: skip
        self._seed += 1
        self._since, self._before = time.monotonic(), before
        end = time.monotonic() + START_SECONDS
        while self.written() == before:
            if self._process.poll() is not None or time.monotonic() > end:
                raise LoyaltyError(f"The drill's till does not write: {log.read_text()[-500:]}")
            time.sleep(0.1)
        self._since, self._before = time.monotonic(), self.written()

    def kill(self) -> int:
        """End it without a word; gives the pid that was."""
        pid = self.pid
        self._end(signal.SIGKILL)
        return pid

    def stop(self) -> None:
        """Let it end as Ctrl-C does; one that does not is killed."""
        self._end(signal.SIGINT)

    def write_on(self, seconds: float) -> None:
        """Wait until it has written what it writes in so many seconds."""
        goal = self.written() + seconds * self._rate

        def demand() -> None:
            if (lacks := goal - self.written()) > 0:
                raise LoyaltyError(f"the till lacks {lacks:,.0f} lines")

        insist(demand, START_SECONDS + 2 * seconds)

    def written(self) -> int:
        """Give how many lines the key tells of by now."""
        if self.key.exists():
            with self.key.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            self._counted += new.count(b"\n")
            self._read += new.rfind(b"\n") + 1  # half a row is taken back by the next run
        return max(0, self._counted - 1)  # without the header

    def lines_per_second(self) -> float:
        """Give the rate that was reached while there was a process to write."""
        seconds, lines = self._seconds, self._lines
        if self.pid:
            seconds += time.monotonic() - self._since
            lines += self.written() - self._before
        return lines / seconds if seconds else 0.0

    def complaint(self) -> str:
        """Say why its load proves little, when it has been stopped; empty where it does not.

        It had ended by itself, or missed too much of the rate.
        """
        if self._fell:
            log = (self._stack.places.logs / LOG).read_text(errors="replace")
            return f"the till ended by itself: {log[-500:].strip()}"
        return shortfall(self.lines_per_second(), self._rate)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is not None:
            self._fell = True
            return
        process.send_signal(number)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:  # whoever is started with SIGINT ignored, ignores it
            process.kill()
            process.wait()
        self.ends += 1
        self._seconds += time.monotonic() - self._since
        self._lines += self.written() - self._before


def even_out(till: Till) -> None:
    """Let a till that lacks too much of its rate write on, for EVEN_SECONDS at most.

    In a short drill a machine that was busy for a second or two is a tenth of all.
    """
    end = time.monotonic() + EVEN_SECONDS
    while till.complaint() and till.pid and time.monotonic() < end:
        time.sleep(0.2)


@contextmanager
def under_load(stack: OwnStack, plan: Plan) -> Iterator[tuple[Till, list[str]]]:
    """Let a till write while the body runs; what it did not write is a complaint afterwards."""
    till = Till(stack, plan.rate, plan.seed)
    complaints: list[str] = []
    till.start()
    try:
        yield till, complaints
        even_out(till)
    finally:
        till.stop()
    if complaint := till.complaint():
        complaints.append(complaint)
