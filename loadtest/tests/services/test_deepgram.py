"""The mock recogniser's socket as the published client of Deepgram finds it."""

import queue
import threading
import unittest

from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.types import ListenV1Metadata, ListenV1Results, ListenV1SpeechStarted, ListenV1UtteranceEnd
from mocks import RATE_HZ, Mocks, silence, tone
from websockets.exceptions import InvalidStatus

PATIENCE_S = 30
CLOSED = object()


class Listening:
    """A socket of the client, all of whose messages end in a queue."""

    def __init__(self, mocks: Mocks, **options):
        environment = DeepgramClientEnvironment(base=mocks.url, production=mocks.ws, agent=mocks.ws, agent_rest=mocks.url)
        client = DeepgramClient(api_key="k", environment=environment)
        options = {"model": "nova-3", "encoding": "linear16", "sample_rate": RATE_HZ, "endpointing": 300, **options}
        self.connecting = client.listen.v1.connect(**options)
        self.messages, self.errors = queue.Queue(), []

    def __enter__(self):
        self.socket = self.connecting.__enter__()
        self.socket.on(EventType.MESSAGE, self.messages.put)
        self.socket.on(EventType.ERROR, self.errors.append)
        self.socket.on(EventType.CLOSE, lambda _: self.messages.put(CLOSED))
        threading.Thread(target=self.socket.start_listening, daemon=True).start()
        return self

    def __exit__(self, *error):
        return self.connecting.__exit__(*error)

    def say(self, *audio: bytes):
        frame = RATE_HZ // 50 * 2
        whole = b"".join(audio)
        for at in range(0, len(whole), frame):
            self.socket.send_media(whole[at : at + frame])

    def next(self):
        return self.messages.get(timeout=PATIENCE_S)

    def until(self, kind) -> list:
        """All messages up to the first of this kind."""
        seen = []
        while not (seen and (seen[-1] is kind if kind is CLOSED else isinstance(seen[-1], kind))):
            seen.append(self.next())
        return seen


def transcript(results: ListenV1Results) -> str:
    return results.channel.alternatives[0].transcript


class Listen(unittest.TestCase):
    def test_a_conversation(self):
        with Mocks("--text", "Hello there.", "--text", "Good bye.") as mocks:
            options = {"interim_results": True, "vad_events": True, "utterance_end_ms": 1000}
            with Listening(mocks, **options) as listening:
                listening.say(silence(0.5), tone(1), silence(1.5))
                *seen, end = listening.until(ListenV1UtteranceEnd)
                started, *interim, final = seen
                self.assertIsInstance(started, ListenV1SpeechStarted)
                self.assertEqual((0.5, 1.5), (started.timestamp, end.last_word_end))
                self.assertTrue(all(not result.is_final for result in interim) and interim)
                self.assertEqual((True, True, "Hello there."), (final.is_final, final.speech_final, transcript(final)))
                words = final.channel.alternatives[0].words
                self.assertEqual(["hello", "there"], [word.word for word in words])
                self.assertEqual(["Hello", "there."], [word.punctuated_word for word in words])
                listening.say(tone(0.4))
                listening.socket.send_finalize()
                flushed = [message for message in listening.until(ListenV1Results) if isinstance(message, ListenV1Results)]
                self.assertEqual((True, "Good bye."), (flushed[-1].from_finalize, transcript(flushed[-1])))
                listening.socket.send_close_stream()
                metadata, _ = listening.until(CLOSED)
                self.assertIsInstance(metadata, ListenV1Metadata)
                self.assertEqual(final.metadata.request_id, metadata.request_id)
                self.assertEqual([], listening.errors)
            self.assertEqual((1, 1), (mocks.service("listen")["requests"], mocks.service("listen")["answered"]))

    def test_silence_of_the_client_ends_the_socket_after_ten_seconds_unless_it_is_kept_alive(self):
        with Mocks() as mocks:
            with Listening(mocks) as listening:
                listening.socket.send_keep_alive()
                self.assertIs(CLOSED, listening.next())
                self.assertIn("net0001", str(listening.errors[0]))
                self.assertIn("1011", str(listening.errors[0]))

    def test_telephone_audio(self):
        with Mocks("--text", "Yes.") as mocks:
            with Listening(mocks, encoding="mulaw", sample_rate=8000) as listening:
                listening.socket.send_media(b"\x0f" * 4_000 + b"\xff" * 4_000)
                self.assertEqual("Yes.", transcript(listening.next()))


class Failures(unittest.TestCase):
    def test_handshakes(self):
        for failure, status in (("503", 503), ("429", 429)):
            with Mocks("--fail", f"listen:100%:{failure}") as mocks:
                with self.assertRaises(InvalidStatus) as refused, Listening(mocks):
                    pass
                self.assertEqual(status, refused.exception.response.status_code)

    def test_a_connection_that_is_refused(self):
        with Mocks("--fail", "listen:100%:refuse") as mocks:
            with self.assertRaises(Exception), Listening(mocks):
                pass
            self.assertEqual(1, mocks.service("listen")["failures"]["refuse"])

    def test_options_that_make_no_sense(self):
        with Mocks() as mocks:
            with self.assertRaises(InvalidStatus) as refused, Listening(mocks, utterance_end_ms=1000):
                pass
            self.assertEqual(400, refused.exception.response.status_code)

    def test_a_socket_that_is_cut(self):
        with Mocks("--fail", "listen:100%:cut") as mocks:
            with Listening(mocks) as listening:
                listening.say(tone(0.5), silence(0.5))
                self.assertIs(CLOSED, listening.next())
                self.assertEqual(1, len(listening.errors))

    def test_words_that_never_come(self):
        with Mocks("--fail", "listen:100%:hang") as mocks:
            with Listening(mocks) as listening:
                listening.say(tone(0.5), silence(0.5))
                with self.assertRaises(queue.Empty):
                    listening.messages.get(timeout=1)


if __name__ == "__main__":
    unittest.main()
