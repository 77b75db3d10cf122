"""One item of the conversation as the service holds it: what it shows, how it sounded, and what was understood of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import PCM16, AudioFormat
from rtnb.audio.samples import Samples
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import encode_base64
from rtnb.service.engines.tasks import Message, SpokenWord
from rtnb.service.session.usage import (
    AUDIO_TOKENS_PER_SECOND,
    USER_AUDIO_TOKENS_PER_SECOND,
    InputTokens,
    image_tokens,
    text_tokens,
)

_KEPT_AUDIO = 640_000  # bytes; more would make a frame of 1 MiB in base64, so it is never shown


@dataclass(slots=True)
class HeldItem:
    """An item and the sound that belongs to it.

    Attributes
    ----------
    item : dict
        GA's form, without audio.
    format : AudioFormat
        Of the sound.
    truncated : bool
        Whether a client cut it: then nothing is added any more.
    understood : str
        The words of a sound whose transcript is not shown.
    pending : bool
        Whether its words are still being written down.
    problem : str
        Why its words are not known.
    """

    item: dict[str, Any]
    format: AudioFormat = PCM16
    truncated: bool = False
    understood: str = ""
    pending: bool = False
    problem: str = ""
    _audio: bytearray = field(default_factory=bytearray)
    _audio_bytes: int = 0
    _words: list[tuple[str, float]] = field(default_factory=list)
    _spoken: int = 0

    @property
    def id(self) -> str:
        """Return the item's id."""
        return str(self.item["id"])

    @property
    def role(self) -> str:
        """Return the role of a message, else its type."""
        return str(self.item.get("role") or self.item["type"])

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Return the content of a message, else nothing."""
        found: list[dict[str, Any]] = self.item.get("content", [])
        return found

    @property
    def text(self) -> str:
        """Return the item's words: texts and transcripts, and what was understood of a sound without one."""
        words = [part.get("text") or part.get("transcript") for part in self.parts]
        return " ".join(filter(None, (*words, self.understood)))

    @property
    def sounds(self) -> bool:
        """Return whether it has, or had, sound."""
        return bool(self._audio_bytes) or self.truncated

    @property
    def images(self) -> int:
        """Return how many images it holds."""
        return sum(part["type"] == "input_image" for part in self.parts)

    @property
    def seconds(self) -> float:
        """Return how long its sound is."""
        return self.format.duration(self._audio_bytes)

    @property
    def audio_ms(self) -> int:
        """Return how long its sound is, in whole milliseconds."""
        return round(self.seconds * 1000)

    def turn(self) -> Message:
        """Return it as a turn of the conversation."""
        if self.item["type"] == "function_call":
            return Message(self.role, "", self.item["name"], self.item["arguments"], self.item["call_id"])
        if self.item["type"] == "function_call_output":
            return Message(self.role, self.item["output"], call_id=self.item["call_id"])
        return Message(self.role, self.text)

    def say(self, audio: bytes) -> None:
        """Add sound, unless the client cut the item."""
        if not self.truncated:
            self._audio += audio
            self._audio_bytes += len(audio)

    def samples(self) -> Samples:
        """Return its sound (int16), as long as it was not trimmed."""
        return self.format.decode(self._audio)

    def trim(self) -> None:
        """Keep no more of the sound than will ever be shown, and its length."""
        del self._audio[_KEPT_AUDIO:]

    def note(self, word: SpokenWord) -> None:
        """Remember when a word of the sound is more than half over, which is when it counts as heard."""
        self._words.append((word.text, (self._spoken + len(word.samples) / 2) / PCM16.rate))
        self._spoken += len(word.samples)

    def settle(self, final: Mapping[str, Any]) -> None:
        """Take over the finished item; a truncated one keeps what the cut left of it."""
        kept = {"content": self.item["content"]} if self.truncated else {}
        self.item = {**copy_tree(final), **kept}

    def cut(self, audio_end_ms: int) -> None:
        """Keep the first milliseconds: their sound, and the words that were heard in them, which no transcript shows."""
        keep = audio_end_ms * self.format.rate // 1000 * self.format.bytes_per_sample
        del self._audio[keep:]
        self._audio_bytes = min(self._audio_bytes, keep)
        self.truncated = True
        self.understood = "".join(text for text, heard_at in self._words if heard_at <= audio_end_ms / 1000).strip()
        self.item["content"] = [{"type": "output_audio", "transcript": None}]

    def tokens(self) -> InputTokens:
        """Return what the item counts as input: its sound where it has one, else its words; and its images."""
        images = sum(image_tokens(part.get("detail", "auto")) for part in self.parts if part["type"] == "input_image")
        texts = [part["text"] for part in self.parts if "text" in part]
        if self.sounds:
            rate = USER_AUDIO_TOKENS_PER_SECOND if self.role == "user" else AUDIO_TOKENS_PER_SECOND
            return InputTokens(sum(map(text_tokens, texts)), round(self.seconds * rate), images)
        fields = (self.item.get(key, "") for key in ("name", "arguments", "output"))
        return InputTokens(sum(text_tokens(each) for each in (self.text, *fields)), 0, images)

    def with_audio(self) -> dict[str, Any]:
        """Return the item with its sound in base64, left out where it is too long for one frame."""
        shown: dict[str, Any] = copy_tree(self.item)
        if 0 < self._audio_bytes == len(self._audio):
            for part in shown.get("content", ()):
                if part["type"] in ("input_audio", "output_audio"):
                    part["audio"] = encode_base64(bytes(self._audio))
                    break
        return shown
