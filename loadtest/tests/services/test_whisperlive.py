"""The mock of WhisperLive's socket as the client of its own package finds it."""

import contextlib
import io
import queue
import sys
import tempfile
import types
import unittest

import numpy as np
from mocks import Mocks, silence, tone

# The module imports microphones, decoders and filters beside its client; none of them is what is tested.
for name in ("pyaudio", "av", "scipy"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["pyaudio"].paInt16 = 8

from whisper_live.client import Client

PATIENCE_S = 30


class Told(Client):
    """The client, all of whose news end in a queue instead of on a screen."""

    def __init__(self, mocks: Mocks, **options):
        self.told = queue.Queue()
        host, port = mocks.url.removeprefix("http://").split(":")
        options = {"lang": "en", "same_output_threshold": 3, **options}
        with contextlib.redirect_stdout(io.StringIO()):
            super().__init__(host, int(port), transcription_callback=lambda _, segments: self.told.put(segments), **options)

    def handle_status_messages(self, message):
        self.told.put(message["status"])

    def on_close(self, socket, code, reason):
        super().on_close(socket, code, reason)
        self.told.put(("closed", code))


class Listening:
    """A call of the client."""

    def __init__(self, mocks: Mocks, **options):
        self.output = contextlib.redirect_stdout(io.StringIO())
        self.output.__enter__()
        self.client = Told(mocks, **options)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.close_websocket()
        self.output.__exit__(*error)

    def say(self, *audio: bytes):
        floats = np.frombuffer(b"".join(audio), np.int16).astype(np.float32) / 32_768
        for at in range(0, len(floats), 4_096):
            self.client.send_packet_to_server(floats[at : at + 4_096].tobytes())

    def next(self):
        return self.client.told.get(timeout=PATIENCE_S)

    def closed(self) -> int:
        """The code with which the server closes."""
        while not isinstance(told := self.next(), tuple):
            pass
        return told[1]

    def ready(self):
        """Waits until the server has said so."""
        while not self.client.recording:
            self.client.ws_thread.join(0.01)

    def segment(self, completed: bool) -> dict:
        """The next last segment of this kind."""
        while True:
            segments = self.next()
            if segments[-1]["completed"] == completed:
                return segments[-1]


class Listen(unittest.TestCase):
    def test_two_utterances_that_stand(self):
        with Mocks("--text", "Hello there.", "--text", "Good bye.") as mocks:
            with Listening(mocks) as listening:
                listening.ready()
                for text in (" Hello there.", " Good bye."):
                    listening.say(tone(1.2), silence(2))
                    self.assertEqual(text.split()[0], listening.segment(False)["text"].split()[0])
                    segment = listening.segment(True)
                    self.assertEqual(text, segment["text"])
                    self.assertGreater(float(segment["end"]), float(segment["start"]))
                # The client keeps what stands by itself.
                kept = [segment["text"] for segment in listening.client.transcript]
                self.assertEqual([" Hello there.", " Good bye."], kept)
                listening.client.send_packet_to_server(Client.END_OF_AUDIO.encode())
                self.assertEqual(1_000, listening.closed())
            self.assertEqual((1, 2), (mocks.service("whisperlive")["answered"], mocks.service("whisperlive")["utterances"]))

    def test_the_language_is_told_where_it_was_not(self):
        with Mocks() as mocks:
            with Listening(mocks, lang=None) as listening:
                listening.ready()
                listening.say(tone(1.2), silence(1))
                listening.segment(False)
                self.assertEqual("en", listening.client.language)


class Limits(unittest.TestCase):
    def test_who_finds_no_place_is_told_to_wait(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("[whisperlive]\nmost_clients = 1\n")
            file.flush()
            with Mocks("--config", file.name) as mocks, Listening(mocks) as served:
                served.ready()
                with Listening(mocks) as refused:
                    self.assertEqual("WAIT", refused.next())
                    self.assertEqual(1_000, refused.closed())


class Failures(unittest.TestCase):
    def test_handshakes(self):
        for failure, told in (("503", "503"), ("page", "200")):
            with Mocks("--fail", f"whisperlive:100%:{failure}") as mocks:
                with Listening(mocks) as listening:
                    listening.client.ws_thread.join(PATIENCE_S)
                self.assertTrue(listening.client.server_error)
                self.assertIn(told, str(listening.client.error_message))

    def test_a_client_that_is_sent_away_at_its_time(self):
        with Mocks("--fail", "whisperlive:100%:limit", "--limit-ms", "1000") as mocks:
            with Listening(mocks, max_retries=1, retry_delay=0) as listening:
                self.assertEqual(1_000, listening.closed())
                # It was told so, and does not try again.
                self.assertTrue(listening.client._server_disconnect)
                self.assertEqual(1, mocks.service("whisperlive")["failures"]["limit"])
                self.assertEqual(1, mocks.service("whisperlive")["requests"])

    def test_words_that_never_come(self):
        for failure in ("cut", "hang"):
            with Mocks("--fail", f"whisperlive:100%:{failure}") as mocks:
                with Listening(mocks) as listening:
                    listening.ready()
                    listening.say(tone(0.5), silence(2))
                    if failure == "cut":
                        listening.closed()
                    self.assertEqual([], listening.client.transcript)


if __name__ == "__main__":
    unittest.main()
