"""A call that no signal but SIGKILL ends, as those of z3 in C."""

import signal
import time
from pathlib import Path


def deaf(path: Path) -> None:
    """Makes a file to show that it has begun, and never ends."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    path.touch()
    while True:
        time.sleep(60)
