"""SIGTERM and Ctrl-C: wherever `gyrus up` is, it stops in order, and no child is forgotten."""

import contextlib
import signal
import threading
from collections.abc import Iterator

ASKING = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def asked_to_stop() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does."""
    before = [(number, signal.signal(number, signal.default_int_handler)) for number in ASKING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Both wait until the end of the block: a child that was just born has its place by then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = [(number, signal.signal(number, lambda signum, _: came.append(signum))) for number in ASKING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    for signum in came[:1]:
        signal.raise_signal(signum)


def ignore() -> None:
    """It stops already; asking twice does not hurry it."""
    for number in ASKING:
        signal.signal(number, signal.SIG_IGN)
