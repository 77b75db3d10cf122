"""The child process that listens with PocketSphinx: sound in, text out, over its standard streams.

It is first told ``{"phrases": […]}``. Then ``{"begin": n, "hint": […]}``, any number of ``{"feed": n}`` with PCM16 at 16 kHz, each
answered by ``{"job": n, "text": …}``, and ``{"finish": n}``, answered by ``{"job": n, "text": …, "model": …}``. ``{"stop": n}`` ends
job n without an answer. The process ends when its input does.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import BinaryIO

from rtnb.service.engines.frames import Message, pack, read
from rtnb.service.engines.sphinx_decoders import Ears

_Orders = queue.Queue[tuple[Message, bytes]]


def _read(source: BinaryIO, orders: _Orders) -> None:
    while (frame := read(source)) is not None:
        orders.put(frame)
    os._exit(0)  # whatever the other thread is doing, nobody listens any more


def _obey(ears: Ears, message: Message, sound: bytes) -> Message | None:
    """Carry out an order, and return the answer if there is one."""
    if "begin" in message:
        ears.begin(message["hint"])
    elif "stop" in message:
        ears.stop()
    elif "feed" in message:
        return {"job": message["feed"], "text": ears.feed(sound)}
    elif "finish" in message:
        text, model = ears.finish()
        return {"job": message["finish"], "text": text, "model": model}
    return None


def main() -> None:
    """Listen until the input ends."""
    # The library may print: nothing but frames may reach the pipe.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    orders: _Orders = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, orders), daemon=True).start()
    opening, _ = orders.get()
    ears = Ears(opening["phrases"])
    answer: Message | None = {"unknown": ears.unknown}
    while True:
        if answer is not None:
            output.write(pack(answer))
            output.flush()
        answer = _obey(ears, *orders.get())


if __name__ == "__main__":
    main()
