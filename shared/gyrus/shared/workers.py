"""Worker processes: heavy work runs there, never in the event loop, where heartbeats would stop.

Each worker is one process at the end of its own pipe: whatever ends it costs the piece that it had in hand and nothing else, and the next
piece gets a new process. A worker dies with its service, however that ends. A piece that its worker did not survive is a `WorkerLost`:

    WorkerLost
    ├ WorkerDied      the process ended: killed from outside, or by what it worked on
    ├ WorkerStalled   the piece took longer than its limit; the process was killed
    └ WorkerFull      the piece wanted more memory than a worker may take; the process was ended
"""

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import resource
import select
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from gyrus.shared import crash

UNSENT = object()  # in the place of an answer that a worker had, and took with it

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

SEND_S = 0.05  # answers are sent together, at least so often: a message for each would cost more than many an answer
LOOK_S = 0.5  # how often a waiting thread looks whether it is still wanted
ALONE = 2  # how often a piece is tried in a fresh process before it is blamed for the loss of its workers


class WorkerLost(RuntimeError):
    """A worker process ended in the middle of its work."""


class WorkerDied(WorkerLost):
    """It ended by itself, or was killed."""


class WorkerStalled(WorkerLost):
    """It took too long, and was killed."""


class WorkerFull(WorkerLost):
    """It wanted more memory than it may take."""


class Workers:
    """`count` processes; `preload` names modules that they import once, before they are asked.

    memory_mb: what a worker may take beyond what it holds when it starts; None: as much as there is.
    """

    def __init__(self, count: int, preload: list[str], memory_mb: int | None = None, crash_points: str = "") -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(preload)
        self.count = count
        self._begin = (os.getpid(), crash_points, memory_mb)
        self._workers = [_Worker(self._context, self._begin) for _ in range(count)]
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._threads = ThreadPoolExecutor(2 * count, "worker")  # one that was given up may still be on its way out
        self._closed = False

    async def run(self, limit_s: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(*args)` in a worker. Raises what it raised, or a WorkerLost."""
        assert not kwargs, "a worker takes positional arguments"
        [answer] = await self._ask(limit_s, work, [args])
        if isinstance(answer, WorkerLost):
            raise answer
        return cast("T", answer)

    async def each(self, limit_s: float, work: Callable[[S], T], pieces: Sequence[S]) -> list[T | WorkerLost]:
        """`work(piece)` of every piece, in order; limit_s: for one piece. Raises what a piece raised.

        A piece whose worker dies is tried again alone: only one that costs fresh workers too is a WorkerLost.
        One that takes too long is a WorkerStalled at once.
        """
        answers: list[Any] = []
        while len(answers) < len(pieces):
            answers += await self._ask(limit_s, work, [(piece,) for piece in pieces[len(answers) :]])
        unsent = [place for place, answer in enumerate(answers) if answer is UNSENT]
        if unsent:
            again = await self.each(limit_s, work, [pieces[place] for place in unsent])
            for place, answer in zip(unsent, again, strict=True):
                answers[place] = answer
        for place, answer in enumerate(answers):
            if isinstance(answer, WorkerLost) and not isinstance(answer, WorkerStalled):
                answers[place] = await self._insist(limit_s, work, pieces[place], answer)
        return answers

    async def _insist(self, limit_s: float, work: Callable[[S], T], piece: S, lost: WorkerLost) -> T | WorkerLost:
        """Again in fresh processes: the worker may have been killed from outside."""
        for _ in range(ALONE):
            [answer] = await self._ask(limit_s, work, [(piece,)], fresh=True)
            if not isinstance(answer, WorkerLost):
                return cast("T", answer)
            lost = answer
        return lost

    async def _ask(self, limit_s: float, work: Callable[..., Any], pieces: Sequence[tuple[Any, ...]], fresh: bool = False) -> list[Any]:
        """The answers of one worker, up to the first piece that it does not survive; UNSENT for those that were lost with it."""
        worker = await self._free.get()
        try:
            if self._closed:
                raise WorkerDied("the workers were ended with their service")
            answers, error = await asyncio.get_running_loop().run_in_executor(self._threads, worker.ask, limit_s, work, pieces, fresh)
        except asyncio.CancelledError:
            worker.end()
            self._workers.remove(worker)
            worker = _Worker(self._context, self._begin)
            self._workers.append(worker)
            raise
        finally:
            self._free.put_nowait(worker)
        if error is not None and (self._closed or not isinstance(error, WorkerLost)):
            raise error
        return answers if error is None else [*answers, error]

    def close(self) -> None:
        """End the workers, whatever they do."""
        self._closed = True
        for worker in self._workers:
            worker.end()
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Worker:
    """One process and the service's end of its pipe. It is started when it is first asked, and again after it was lost."""

    def __init__(self, context: Any, begin: tuple[int, str, int | None]) -> None:
        self._context, self._begin = context, begin
        self._ended = False
        self._process: Any = None
        self._pipe: Connection | None = None
        self._at = context.RawValue("Q", 0)  # the piece that the process has in hand, which it writes and we read

    def ask(
        self, limit_s: float, work: Callable[..., Any], pieces: Sequence[tuple[Any, ...]], fresh: bool
    ) -> tuple[list[Any], Exception | None]:
        """What the process answers to each piece, and what ended it before the last one; blocks."""
        if fresh:
            self._let_go()
        answers: list[Any] = []
        try:
            pipe = self._hand_over(limit_s, (work, pieces))
            while len(answers) < len(pieces):
                is_good, answer = self._answer(pipe, limit_s)
                if not is_good:  # the work raised: its worker is well, unless it is full, and waits for more
                    return self._up_to_it(answers), answer
                answers += answer
        except (EOFError, ConnectionError):
            return self._up_to_it(answers), self._died()
        except Exception as error:  # noqa: BLE001 - it stalled, or something could not be sent: what its pipe holds belongs to nobody
            self._let_go()
            return self._up_to_it(answers), error
        return answers, None

    def _up_to_it(self, answers: list[Any]) -> list[Any]:
        """What was answered, and UNSENT for what was not sent, up to the piece that the process had in hand."""
        return answers + [UNSENT] * (int(self._at.value) - len(answers))

    def end(self) -> None:
        """Kill the process, for good; whoever waits for it is told soon."""
        self._ended = True
        self._kill()

    def _hand_over(self, limit_s: float, request: Any) -> Connection:
        """Give the process its work; one that was killed while it had none is replaced."""
        self._at.value = 0
        if self._pipe is not None:
            with contextlib.suppress(EOFError, ConnectionError):
                self._pipe.send(request)
                self._answer(self._pipe, limit_s)
                return self._pipe
        pipe = self._start()
        pipe.send(request)
        self._answer(pipe, limit_s)
        return pipe

    def _answer(self, pipe: Connection, limit_s: float) -> tuple[bool, Any]:
        """Whether the work was done, and the result or what it raised. Raises WorkerStalled; EOFError where the process ended."""
        until = time.monotonic() + limit_s
        while not pipe.poll(max(0, min(LOOK_S, until - time.monotonic()))):
            if self._ended:
                raise EOFError
            if time.monotonic() >= until:
                raise WorkerStalled(f"it took longer than {limit_s:g} s, and its worker process was killed")
        is_good, answer = pipe.recv()
        return is_good, answer

    def _start(self) -> Connection:
        """The pipe of a new process that waits for work. Raises RuntimeError where none can be had: no piece is to blame for that."""
        self._let_go()
        try:
            self._pipe, its = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(its, self._at, *self._begin), daemon=True)
            process.start()
            self._process = process
            its.close()  # so that the pipe ends with the process
            self._pipe.recv()
        except (EOFError, OSError) as error:
            self._let_go()
            if self._ended:
                raise EOFError from error
            raise RuntimeError(f"no worker process could be started: {error or 'it ended at once'}") from error
        return self._pipe

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _let_go(self) -> None:
        self._kill()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _died(self) -> WorkerDied:
        code = None
        if self._process is not None and not self._ended:
            self._process.join(1)
            code = self._process.exitcode
        self._let_go()
        how = f" ({signal.Signals(-code).name})" if code is not None and -code in set(signal.Signals) else ""
        return WorkerDied(f"the worker process died{how}: killed, or by what it worked on")


# ── in the worker process ────────────────────────────────────────────────────────────────────────────────────────────


def _serve(pipe: Connection, at: Any, service: int, crash_points: str, memory_mb: int | None) -> None:
    """Answer until the service goes."""
    _begin_work(service, crash_points, memory_mb)
    with contextlib.suppress(EOFError, ConnectionError):  # of the pipe: what work raises is an answer
        pipe.send("ready")
        while True:
            work, pieces = pipe.recv()
            pipe.send((True, "taken"))
            try:
                _answer_all(pipe, at, work, pieces)
            except MemoryError:
                pipe.send((False, WorkerFull(f"it wanted more memory than a worker may take ({memory_mb} MB)")))
                return  # what is left of its memory is in pieces


def _answer_all(pipe: Connection, at: Any, work: Callable[..., Any], pieces: Sequence[tuple[Any, ...]]) -> None:
    """Answer each piece up to the first that raises, several in one message. Raises MemoryError."""
    answers: list[Any] = []
    sent = time.monotonic()
    for place, piece in enumerate(pieces):
        at.value = place
        try:
            answers.append(work(*piece))
            is_due = place == len(pieces) - 1 or time.monotonic() - sent > SEND_S
            message = ForkingPickler.dumps((True, answers)) if is_due else None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            pipe.send((False, _portable(error)))
            return
        if message is not None:
            pipe.send_bytes(message)
            answers, sent = [], time.monotonic()


def _portable(error: Exception) -> Exception:
    """The error as it can be sent, with its trace as a note."""
    trace = traceback.format_exc()
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes
    except Exception:  # noqa: BLE001 - an error of a library that cannot be sent
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(trace)
    return error


def _begin_work(service: int, crash_points: str, memory_mb: int | None) -> None:
    die_with(service)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    crash.arm(crash_points, victim=service)
    if memory_mb is not None:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = held + (memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def die_with(service: int) -> None:
    """From now on this process dies with another one, however that ends.

    The parent of a worker is the fork server, which lives as long as its workers do: so each watches the service itself.
    """
    threading.Thread(target=_watch, args=(service,), daemon=True).start()


def _watch(service: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(service)], [], [])
    os.kill(os.getpid(), signal.SIGKILL)
