"""The mock of Deepgram's socket of version 2 as its published client finds it."""

import queue
import threading
import unittest

from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v2.types import (
    ListenV2Configure,
    ListenV2ConfigureSuccess,
    ListenV2ConfigureThresholds,
    ListenV2Connected,
    ListenV2FatalError,
    ListenV2TurnInfo,
)
from mocks import RATE_HZ, Mocks, silence, tone
from websockets.exceptions import InvalidStatus

PATIENCE_S = 30
CLOSED = object()


class Listening:
    """A socket of the client, all of whose messages end in a queue."""

    def __init__(self, mocks: Mocks, **options):
        environment = DeepgramClientEnvironment(base=mocks.url, production=mocks.ws, agent=mocks.ws, agent_rest=mocks.url)
        client = DeepgramClient(api_key="k", environment=environment)
        options = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": RATE_HZ, **options}
        self.connecting = client.listen.v2.connect(**options)
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
        whole = b"".join(audio)
        for at in range(0, len(whole), 2_560):
            self.socket.send_media(whole[at : at + 2_560])

    def next(self):
        return self.messages.get(timeout=PATIENCE_S)

    def turn(self, event: str) -> ListenV2TurnInfo:
        """The next news of a turn that is this."""
        while True:
            message = self.next()
            if isinstance(message, ListenV2TurnInfo) and message.event == event:
                return message


class Flux(unittest.TestCase):
    def test_a_turn_with_an_early_end_that_is_taken_back(self):
        with Mocks("--text", "Hello there.", "--text", "Good bye.") as mocks:
            with Listening(mocks, eager_eot_threshold=0.5, eot_threshold=0.8) as listening:
                self.assertIsInstance(listening.next(), ListenV2Connected)
                listening.say(silence(0.3), tone(0.8), silence(0.5), tone(0.2), silence(1))
                turns = [listening.turn(event) for event in ("StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn")]
                end = listening.turn("EndOfTurn")
                self.assertEqual(["Hello there."] * 2, [turns[1].transcript, end.transcript])
                self.assertEqual((0, "model"), (end.turn_index, end.trigger))
                self.assertGreaterEqual(end.end_of_turn_confidence, 0.8)
                self.assertEqual(["Hello", "there."], [word.word for word in end.words])
                numbers = [turn.sequence_id for turn in (*turns, end)]
                self.assertEqual(sorted(set(numbers)), numbers)
                listening.say(tone(0.4))
                listening.socket.send_force_end_turn()
                end = listening.turn("EndOfTurn")
                self.assertEqual((1, "manual", "Good bye."), (end.turn_index, end.trigger, end.transcript))
                listening.socket.send_close_stream()
                while listening.next() is not CLOSED:
                    pass
                self.assertEqual([], listening.errors)
            self.assertEqual((1, 2), (mocks.service("flux")["answered"], mocks.service("flux")["utterances"]))

    def test_other_thresholds(self):
        with Mocks() as mocks:
            with Listening(mocks) as listening:
                listening.next()
                thresholds = ListenV2ConfigureThresholds(eot_threshold=0.9)
                listening.socket.send_configure(ListenV2Configure(type="Configure", thresholds=thresholds))
                configured = listening.next()
                self.assertIsInstance(configured, ListenV2ConfigureSuccess)
                self.assertEqual(0.9, configured.thresholds.eot_threshold)

    def test_what_makes_no_sense(self):
        with Mocks() as mocks:
            with self.assertRaises(InvalidStatus) as refused, Listening(mocks, model="nova-3"):
                pass
            self.assertEqual(400, refused.exception.response.status_code)
            with Listening(mocks) as listening:
                listening.next()
                listening.socket.send_configure({"type": "KeepAlive"})
                error = listening.next()
                self.assertIsInstance(error, ListenV2FatalError)
                self.assertIs(CLOSED, listening.next())


class Failures(unittest.TestCase):
    def test_handshakes(self):
        for failure, status in (("503", 503), ("page", 200)):
            with Mocks("--fail", f"flux:100%:{failure}") as mocks:
                with self.assertRaises(InvalidStatus) as refused, Listening(mocks):
                    pass
                self.assertEqual(status, refused.exception.response.status_code)

    def test_bytes_where_text_is_due(self):
        with Mocks("--fail", "flux:100%:type") as mocks:
            with Listening(mocks) as listening:
                listening.say(tone(0.5), silence(0.8))
                while isinstance(message := listening.next(), (ListenV2Connected, ListenV2TurnInfo)):
                    self.assertNotEqual("EndOfTurn", getattr(message, "event", None))
                self.assertIsInstance(message, bytes)

    def test_a_socket_that_comes_to_its_limit(self):
        with Mocks("--fail", "flux:100%:limit", "--limit-ms", "300") as mocks:
            with Listening(mocks) as listening:
                while listening.next() is not CLOSED:
                    pass
                self.assertIn("limit", str(listening.errors[0]))
            self.assertEqual(1, mocks.service("flux")["failures"]["limit"])


if __name__ == "__main__":
    unittest.main()
