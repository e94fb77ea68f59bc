"""The mocks that speak Wyoming as the package that defines it finds them: its client and its events are those of
wyoming-satellite and Home Assistant."""

import asyncio
import logging
import unittest

from mocks import RATE_HZ, Mocks, tone
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

# Asyncio tells of every step that takes long on a busy machine.
logging.getLogger("asyncio").setLevel(logging.ERROR)

PATIENCE_S = 30
FORMAT = {"rate": RATE_HZ, "width": 2, "channels": 1}
VOICE_HZ, CHARACTER_S = 22_050, 0.06
TEXT = "Hello there, how can I help you?"


def client(mocks: Mocks) -> AsyncClient:
    return AsyncClient.from_uri(mocks.url.replace("http", "tcp"), connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S)


async def say(connection: AsyncClient, seconds: float = 0.5):
    """An utterance."""
    await connection.write_event(Transcribe(language="en").event())
    await connection.write_event(AudioStart(**FORMAT).event())
    audio = tone(seconds)
    for at in range(0, len(audio), 2_048):
        await connection.write_event(AudioChunk(audio=audio[at : at + 2_048], **FORMAT).event())
    await connection.write_event(AudioStop().event())


async def understood(mocks: Mocks) -> Event | None:
    async with client(mocks) as connection:
        await say(connection)
        return await connection.read_event()


async def events(connection: AsyncClient, last: str) -> list[Event]:
    """Up to this one, or to the end of the connection."""
    found = []
    while not found or found[-1].type != last:
        event = await connection.read_event()
        if event is None:
            break
        found.append(event)
    return found


async def spoken(mocks: Mocks, text: str = TEXT) -> list[Event]:
    async with client(mocks) as connection:
        await connection.write_event(Synthesize(text=text, voice=SynthesizeVoice(name="en_US-mock-medium")).event())
        return await events(connection, "audio-stop")


def seconds(found: list[Event]) -> float:
    chunks = [AudioChunk.from_event(event) for event in found if AudioChunk.is_type(event.type)]
    assert all((chunk.rate, chunk.width, chunk.channels) == (VOICE_HZ, 2, 1) for chunk in chunks)
    return sum(chunk.samples for chunk in chunks) / VOICE_HZ


class Conversations(unittest.IsolatedAsyncioTestCase):
    async def test_what_the_server_is(self):
        with Mocks() as mocks:
            async with client(mocks) as connection:
                await connection.write_event(Describe().event())
                info = Info.from_event(await connection.read_event())
        self.assertEqual((["en"], ["en"]), (info.asr[0].models[0].languages, info.tts[0].voices[0].languages))
        self.assertTrue(info.tts[0].supports_synthesize_streaming)

    async def test_utterances(self):
        with Mocks("--text", "Hello there.", "--text", "Good bye.") as mocks:
            for text in ("Hello there.", "Good bye."):
                async with client(mocks) as connection:
                    await say(connection)
                    self.assertEqual(text, Transcript.from_event(await connection.read_event()).text)
                    self.assertIsNone(await connection.read_event())
            self.assertEqual(2, mocks.service("wyoming_stt")["answered"])

    async def test_speech(self):
        with Mocks() as mocks:
            async with client(mocks) as connection:
                for text in (TEXT, "Yes."):
                    await connection.write_event(Synthesize(text=text).event())
                    found = await events(connection, "audio-stop")
                    start = AudioStart.from_event(found[0])
                    self.assertEqual((VOICE_HZ, 2, 1), (start.rate, start.width, start.channels))
                    self.assertAlmostEqual(CHARACTER_S * len(text), seconds(found), places=3)
            self.assertEqual(2, mocks.service("wyoming_tts")["answered"])

    async def test_speech_whose_text_comes_in_pieces(self):
        with Mocks() as mocks:
            async with client(mocks) as connection:
                await connection.write_event(SynthesizeStart(voice=SynthesizeVoice(language="en")).event())
                for piece in ("Good da", "y. How ", "are you?"):
                    await connection.write_event(SynthesizeChunk(text=piece).event())
                await connection.write_event(Synthesize(text="Good day. How are you?").event())
                await connection.write_event(SynthesizeStop().event())
                found = await events(connection, "synthesize-stopped")
            self.assertTrue(SynthesizeStopped.is_type(found[-1].type))
            self.assertEqual(2, sum(AudioStop.is_type(event.type) for event in found))
            self.assertAlmostEqual(CHARACTER_S * len("Good day.How are you?"), seconds(found), places=3)
            self.assertEqual(1, mocks.service("wyoming_tts")["requests"])


class Failures(unittest.IsolatedAsyncioTestCase):
    async def test_errors(self):
        with Mocks("--fail", "wyoming_stt:100%:500", "--fail", "wyoming_tts:100%:503") as mocks:
            error = Error.from_event(await understood(mocks))
            self.assertEqual("500", error.code)
            self.assertEqual("503", Error.from_event((await spoken(mocks))[0]).code)

    async def test_what_ends_before_it_is_said(self):
        for failure in ("refuse", "cut", "garbage", "page"):
            with Mocks("--fail", f"wyoming_stt:100%:{failure}") as mocks:
                try:
                    self.assertIsNone(await understood(mocks))
                except (ConnectionError, asyncio.IncompleteReadError):
                    pass
                self.assertEqual(1, mocks.service("wyoming_stt")["answered"])

    async def test_speech_that_breaks_off(self):
        with Mocks("--fail", "wyoming_tts:100%:cut") as mocks:
            found = await spoken(mocks)
        self.assertEqual({"audio-start", "audio-chunk"}, {event.type for event in found})
        self.assertLess(seconds(found), CHARACTER_S * len(TEXT) * 0.6)

    async def test_what_is_of_another_type(self):
        with Mocks("--fail", "wyoming_stt:100%:type", "--fail", "wyoming_tts:100%:type") as mocks:
            self.assertFalse(Transcript.is_type((await understood(mocks)).type))
            self.assertEqual(4, AudioStart.from_event((await spoken(mocks))[0]).width)

    async def test_a_connection_that_comes_to_its_limit(self):
        with Mocks("--fail", "wyoming_tts:100%:limit", "--limit-ms", "300") as mocks:
            async with client(mocks) as connection:
                await connection.write_event(Synthesize(text="Yes.").event())
                await events(connection, "audio-stop")
                self.assertIsNone(await connection.read_event())
            self.assertEqual(1, mocks.service("wyoming_tts")["failures"]["limit"])

    async def test_what_hangs(self):
        with Mocks("--fail", "wyoming_stt:100%:hang") as mocks:
            async with client(mocks) as connection:
                await say(connection)
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(connection.read_event(), 0.5)


if __name__ == "__main__":
    unittest.main()
