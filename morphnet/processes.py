"""Processes: one job for many things, each in a process of its own on one core."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue
from typing import Any, TypeVar

from morphnet.errors import MorphNetError

T = TypeVar("T")
MOST = 61
"""Processes that Windows can wait for at once."""
LISTEN_SECONDS = 0.5
"""How often it is listened to what calls tell."""

_messages: SimpleQueue[Any] | None = None
"""Of a process that was started here: what the parent listens to."""


def tell(message: Any) -> None:
    """Tell the process that started this one something; the first process of all has nobody to tell."""
    if _messages is not None:
        _messages.put(message)


def in_processes(
    job: Callable[..., T],
    arguments: Sequence[tuple[Any, ...]],
    processes: int,
    what: str,
    hear: Callable[[Any], None] = lambda _: None,
) -> Generator[T, None, None]:
    """Call ``job`` with each of ``arguments``, and yield what it returns, in the order in which they end.

    Closing the generator ends the processes, and so does the death of this one.

    Args:
        job: a function of a module.
        arguments: positional arguments a call.
        processes: calls at the same time.
        what: named in errors.
        hear: called with whatever a call tells by ``tell``.

    Raises:
        MorphNetError: a process was killed.
        Exception: whatever a call raised; the others are ended.
    """
    # spawned, as torch's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    messages = context.SimpleQueue()
    pool = ProcessPoolExecutor(max(1, min(processes, len(arguments), MOST)), context, _follow_parent, (messages,))
    try:
        waiting = {pool.submit(job, *given) for given in arguments}
        while waiting:
            done, waiting = wait(waiting, LISTEN_SECONDS, FIRST_COMPLETED)
            while not messages.empty():
                hear(messages.get())
            for one in done:
                yield one.result()
    except BrokenProcessPool:
        raise MorphNetError(
            f"{what}: a process was killed, for want of memory perhaps; try fewer at the same time"
        ) from None
    finally:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        pool.shutdown(cancel_futures=True)


def _follow_parent(messages: SimpleQueue[Any]) -> None:
    """Leave Ctrl-C to the parent, which ends its children, and end when it was killed and could not."""
    global _messages
    _messages = messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
