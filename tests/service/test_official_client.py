"""The official `openai` package's own clients hold turns with the service over a real socket."""

from __future__ import annotations

import base64

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from rtnb.service.server.server import serve


@pytest.fixture
async def url():
    server = await serve(speed=0)
    yield server.url
    await server.close()


def ga(url):
    client = AsyncOpenAI(api_key="any", websocket_base_url=f"{url}/openai/v1")
    return client, client.realtime.connect(model="gpt-realtime")


def ga_over_http(url):
    client = AsyncOpenAI(api_key="any", base_url=url.replace("ws://", "http://") + "/v1")
    return client, client.realtime.connect(model="gpt-realtime")


def preview(url):
    client = AsyncAzureOpenAI(
        api_key="any",
        azure_endpoint="https://unused.example",
        api_version="2024-10-01-preview",
        websocket_base_url=f"{url}/openai",
    )
    return client, client.beta.realtime.connect(model="gpt-4o-realtime-preview")


SESSIONS = {
    ga: lambda modality: {"type": "realtime", "output_modalities": [modality]},
    ga_over_http: lambda modality: {"type": "realtime", "output_modalities": [modality]},
    preview: lambda modality: {"modalities": ["text"] if modality == "text" else ["text", "audio"]},
}
NAMES = {ga: "response.output_", ga_over_http: "response.output_", preview: "response."}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("connect", [ga, ga_over_http, preview])
async def test_official_client_holds_a_text_turn_and_an_audio_turn(url, connect):
    """As the quickstarts do: session.update, a message, response.create; deltas join to what response.done has."""
    client, connection_of = connect(url)
    async with client, connection_of as connection:
        assert (await connection.recv()).type == "session.created"
        for modality in ("text", "audio"):
            await connection.session.update(session=SESSIONS[connect](modality))
            content = [{"type": "input_text", "text": "Please assist the user."}]
            await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
            await connection.response.create()
            events = []
            async for event in connection:
                events.append(event)
                if event.type in ("response.done", "error"):
                    break
            done = events[-1]
            assert done.type == "response.done"
            word = "text" if modality == "text" else "audio_transcript"
            said = "".join(event.delta for event in events if event.type == f"{NAMES[connect]}{word}.delta")
            part = done.response.output[0].content[0]
            assert (
                said
                == (part.text if modality == "text" else part.transcript)
                == "Of course! How can I assist you today?"
            )
            audio = [event.delta for event in events if event.type == f"{NAMES[connect]}audio.delta"]
            samples = sum(len(base64.b64decode(delta)) // 2 for delta in audio)
            assert samples == done.response.usage.output_token_details.audio_tokens * 1_200
            assert bool(samples) == (modality == "audio")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_official_client_cancels(url):
    """A cancel after the first audio delta ends the response as cancelled."""
    server = await serve(speed=1.0)
    client, connection_of = ga(server.url)
    async with client, connection_of as connection:
        content = [{"type": "input_text", "text": "Count from one to sixty"}]
        await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_audio.delta":
                await connection.response.cancel()
                break
        async for event in connection:
            assert event.type != "error"
            if event.type == "response.done":
                break
        assert event.response.status == "cancelled"
    await server.close()
