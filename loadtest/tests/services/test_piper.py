"""The mock voice as pipecat's client of Piper's HTTP server finds it, and one of the first generation without it."""

import array
import io
import logging
import math
import sys
import tempfile
import types
import unittest
import urllib.error
import urllib.parse
import urllib.request
import wave

from mocks import Mocks

# The module imports the voice itself beside its client; the voice is not what is tested.
for name, attribute in (("piper", "PiperVoice"), ("piper.download_voices", "download_voice")):
    sys.modules[name] = types.ModuleType(name)
    setattr(sys.modules[name], attribute, None)

import aiohttp
from loguru import logger
from pipecat.frames.frames import ErrorFrame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.worker import PipelineParams
from pipecat.services.piper.tts import PiperHttpTTSService
from pipecat.tests.utils import run_test

logger.remove()
# Asyncio tells of every step that takes long on a busy machine.
logging.getLogger("asyncio").setLevel(logging.ERROR)

TEXT = "Hello there, how can I help you?"
TEXT_MS = 60 * len(TEXT)
RATE_HZ = 22_050


async def speak(url: str) -> tuple[bytes, list[str]]:
    """The audio and the errors of a pipeline that says TEXT."""
    async with aiohttp.ClientSession() as session:
        settings = PiperHttpTTSService.Settings(voice="en_US-ryan-high")
        voice = PiperHttpTTSService(base_url=url, aiohttp_session=session, settings=settings)
        params = PipelineParams(audio_out_sample_rate=RATE_HZ)
        down, up = await run_test(voice, frames_to_send=[TTSSpeakFrame(TEXT)], pipeline_params=params)
    audio = b"".join(frame.audio for frame in down if isinstance(frame, TTSAudioRawFrame))
    return audio, [frame.error for frame in up if isinstance(frame, ErrorFrame)]


def dbfs(audio: bytes) -> float:
    samples = array.array("h", audio)
    power = sum(sample * sample for sample in samples) / len(samples)
    return 10 * math.log10(power / 32_768**2)


class Pipecat(unittest.IsolatedAsyncioTestCase):
    async def test_speaks_with_every_generation_that_it_knows(self):
        for options, path in (([], ""), ([], "/synthesize"), (["1.4"], ""), (["1.5"], "/synthesize")):
            with Configured(*options) as mocks:
                audio, errors = await speak(mocks.url + path)
                self.assertEqual(1, mocks.service("tts")["answered"])
            self.assertEqual([], errors)
            # Pipecat may add silence of its own behind the speech.
            self.assertGreaterEqual(len(audio), TEXT_MS * RATE_HZ // 1_000 * 2)
            self.assertGreater(dbfs(audio[: RATE_HZ // 50 * 2]), -20)

    async def test_finds_the_newer_server_at_the_old_place_as_it_is(self):
        with Configured("1.5") as mocks:
            audio, errors = await speak(mocks.url)
        self.assertEqual(b"", audio)
        self.assertIn("405", errors[0])

    async def test_is_told_of_failures(self):
        for failure, told in (("500", "500"), ("cut", "payload|[Ii]ncomplete|Content"), ("refuse", "[Dd]isconnect")):
            with Mocks("--fail", f"tts:100%:{failure}") as mocks:
                _, errors = await speak(f"{mocks.url}/synthesize")
            self.assertRegex(errors[0], told)


class FirstGeneration(unittest.TestCase):
    def test_text_in_the_query_or_as_the_body(self):
        with Configured("legacy") as mocks:
            asked = f"{mocks.url}/?{urllib.parse.urlencode({'text': TEXT})}"
            for request in (asked, urllib.request.Request(mocks.url, data=TEXT.encode())):
                with urllib.request.urlopen(request, timeout=10) as answer:
                    file = wave.open(io.BytesIO(answer.read()))
                self.assertEqual((1, 2, RATE_HZ), file.getparams()[:3])
                self.assertEqual(TEXT_MS * RATE_HZ // 1_000, file.getnframes())
            with self.assertRaises(urllib.error.HTTPError) as failed:
                urllib.request.urlopen(f"{mocks.url}/?text=", timeout=10)
            self.assertEqual(500, failed.exception.code)


class Configured(Mocks):
    """As one generation of Piper, by a configuration file."""

    def __init__(self, generation: str = "any"):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(f"[tts]\ngeneration = '{generation}'\n")
            file.flush()
            super().__init__("--config", file.name)


if __name__ == "__main__":
    unittest.main()
