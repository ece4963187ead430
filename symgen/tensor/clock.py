"""The clock of all budgets."""

from __future__ import annotations

import time

__all__ = ["spent"]


def spent() -> float:
    """Seconds of processor time that this thread has used: a busy machine changes no answer, it only comes later."""
    return time.thread_time()
