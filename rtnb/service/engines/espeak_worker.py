"""The child process that speaks with eSpeak NG: sentences in, sound and word timings out, over its standard streams.

``{"say": text, "job": n, …}`` gives frames ``{"words": [[character, length, sample], …]}`` with PCM16, then ``{"end": n}``;
``{"stop": n}`` ends job n early. The process ends when its input does.
"""

from __future__ import annotations

import ctypes
import os
import queue
import sys
import threading
from typing import BinaryIO

from rtnb.service.engines.espeak_library import EspeakLibrary, WordEvent
from rtnb.service.engines.frames import Message, pack, read

_TOGETHER = 8  # buffers of 60 ms in a frame, after the first, which must not wait


class Speaker:
    """Carries out one sentence after the other.

    Parameters
    ----------
    library : EspeakLibrary
    output : binary file
    """

    def __init__(self, library: EspeakLibrary, output: BinaryIO) -> None:
        self._library = library
        self._output = output
        self._stopped = 0  # jobs up to this number
        self._job = 0
        self._words: list[WordEvent] = []
        self._sound: list[bytes] = []
        self._room = 1

    def stop(self, job: int) -> None:
        """End a job at the next buffer; called from another thread."""
        self._stopped = job

    def say(self, order: Message) -> None:
        """Speak one sentence."""
        self._job, self._room = order["job"], 1
        language = self._library.choose(order["languages"], order["variant"])
        if self._job > self._stopped:
            self._library.speak(
                order["say"],
                self._take,
                rate=order["rate"],
                volume=order["volume"],
                pitch=order["pitch"],
                melody=order["melody"],
                seed=order["seed"],
                pause=order["pause"],
            )
        self._flush()
        self._send({"end": self._job, "language": language})

    def _take(self, words: list[WordEvent], sound: bytes) -> bool:
        self._words += words
        self._sound.append(sound)
        if len(self._sound) >= self._room:
            self._flush()
            self._room = _TOGETHER
        return self._job > self._stopped

    def _flush(self) -> None:
        if self._words or self._sound:
            self._send({"words": self._words}, b"".join(self._sound))
            self._words, self._sound = [], []

    def _send(self, message: Message, data: bytes = b"") -> None:
        self._output.write(pack(message, data))
        self._output.flush()


def _read(source: BinaryIO, speaker: Speaker, orders: queue.Queue[Message]) -> None:
    while (frame := read(source)) is not None:
        message, _ = frame
        if "stop" in message:
            speaker.stop(message["stop"])
        else:
            orders.put(message)
    os._exit(0)  # whatever the other thread is doing, nobody listens any more


def main() -> None:
    """Speak until the input ends."""
    import espeakng_loader

    # The library may print: nothing but frames may reach the pipe.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    library = EspeakLibrary(ctypes.CDLL(espeakng_loader.get_library_path()), espeakng_loader.get_data_path())
    library.choose(["en-us"], "m1")
    speaker = Speaker(library, output)
    orders: queue.Queue[Message] = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, speaker, orders), daemon=True).start()
    output.write(pack({"rate": library.rate}))
    output.flush()
    while True:
        speaker.say(orders.get())


if __name__ == "__main__":
    main()
