"""What the local service can explain: realtime sessions in two or three sentences each.

Pure data and one lookup.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["lesson"]

# A topic is ``pattern | text``; the first whose pattern is found is told.
_LESSONS = r"""
semantic[ -]?vad|| Semantic VAD judges by what was said whether a speaker has finished, not only by silence. It waits longer after an open sentence and answers sooner after a finished one.
(?:server[ -]?)?\bvad\b|voice activity detection|turn detection|| Server VAD means that the service itself listens for the start and the end of speech. After a set silence, often half a second, it commits your audio and answers, so you never press a button.
pcm ?-?16|\bpcm\b|audio format|| PCM16 is plain sound: each sample is a signed 16-bit number, little-endian. Realtime sessions use one channel at 24,000 samples a second, which makes 48,000 bytes for every second of audio.
g\.?711|mu-?law|a-?law|| G.711 is the sound format of the telephone: 8,000 samples a second, one byte each. It comes as mu-law or A-law, and needs a sixth of the bytes of PCM16.
base ?-?64|| Base64 writes three bytes as four plain letters, so that sound can travel inside JSON text. That is why audio takes a third more room on the wire than in memory.
websocket|| A WebSocket is one connection that stays open, on which both sides may send at any time. That is what lets audio arrive while you are still speaking.
\bdeltas?\b|| A delta is one small piece of an answer: a few letters of the transcript, or a fraction of a second of sound. Deltas come while the answer is still being made; joined in order they are the whole of it.
transcripts?\b|transcription|| A transcript is the text of what was spoken. The transcript of an answer usually arrives ahead of its sound, because text is made faster than it can be spoken.
realtime session|real-time session|\bsessions?\b|| A realtime session is one open connection to a speech model, with settings such as the voice, the instructions and the audio formats. While it lasts, the model remembers the conversation.
(?:input )?audio buffer|\bcommit\b|| The input audio buffer collects the sound that you send. Committing it turns what was collected into a message of the conversation; with turn detection on, the service commits by itself.
\bevents?\b|| An event is one message on the connection: a JSON object with a type. You send events to ask for something, and the service sends events to tell what happened, in a fixed order.
conversation items?|\bitems?\b|| An item is one entry of the conversation: a message by you or by the assistant, a call of a function, or its result. Each item has an id, and every piece of sound says to which item it belongs.
\bresponses?\b|| A response is one answer of the model, from its creation until it is done. It ends as completed, cancelled, incomplete or failed, and tells how many tokens it used.
\btokens?\b|| Tokens are the small units that a model reads and writes, and by which it is billed. Text and audio tokens are counted apart, because audio costs more.
barge[ -]?in|interrupt(?:ion|ing|s)?\b|| Barge-in means that you start to speak while the answer still plays. The answer is then cancelled and cut where you stopped hearing it, so that the conversation holds only what was heard.
function call(?:s|ing)?|tool call(?:s|ing)?|\btools?\b|| With a function tool, the model may ask your program to do something and wait for the result. It sends the name and the arguments as JSON; your program answers with an item that holds the output.
modalit(?:y|ies)|| A modality is a form of an answer: text, or audio together with its transcript. You choose it for the session or for a single response.
latency|| Latency is the time between asking and hearing. For speech the figure to watch is the time until the first sound, because the rest arrives faster than it plays.
rtnb|| rtnb is a toolkit for talking to realtime speech models from a notebook. It keeps everything that crossed the connection, so that you can hear, plot, save and compare it.
"""

_MOST_WORDS = 7
_REALTIME = re.compile(r"\b(?:real-?time|rtnb|api|websocket|server|vad|pcm|audio|model)\b")
_QUESTION = re.compile(
    r"\b(?:what(?:'s| is| are| does| do)|what a|explain|define|describe|tell (?:me|us)|teach|how (?:does|do|is|are)"
    r"|meaning of|mean by|know about|learn about)\b"
)


@lru_cache(maxsize=1)
def _topics() -> tuple[tuple[re.Pattern[str], str], ...]:
    pairs = (line.rsplit("|| ", 1) for line in _LESSONS.strip().splitlines())
    return tuple((re.compile(pattern), text) for pattern, text in pairs)


def lesson(text: str) -> str | None:
    """Explain a notion of realtime sessions.

    Parameters
    ----------
    text : str
        A lower-case question such as ``"what is server vad?"``.

    Returns
    -------
    str or None
        Two or three sentences; None when the text is not a question about a known notion.
    """
    # A long question with an everyday word in it («the events of that year») is about something else.
    everyday = len(text.split()) > _MOST_WORDS and not _REALTIME.search(text)
    if everyday or not _QUESTION.search(text):
        return None
    return next((told for pattern, told in _topics() if pattern.search(text)), None)
