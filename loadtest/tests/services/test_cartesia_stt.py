"""The mock of Cartesia's recogniser as its published client finds it."""

import unittest

import cartesia
from cartesia.types.stt import (
    STTManualFinalizeDoneResponse,
    STTManualFinalizeFlushDoneResponse,
    STTManualFinalizeTranscriptResponse,
)
from cartesia.types.stt_error_response import STTErrorResponse
from mocks import RATE_HZ, Mocks, silence, tone
from websockets.exceptions import ConnectionClosed, InvalidStatus


def connect(mocks: Mocks, **more):
    client = cartesia.Cartesia(api_key="k", base_url=mocks.url, websocket_base_url=mocks.ws)
    options = {"model": "ink-2", "encoding": "pcm_s16le", "sample_rate": RATE_HZ, **more}
    return client.stt.manual_finalize.websocket(**options)


def say(connection, *audio: bytes):
    whole = b"".join(audio)
    for at in range(0, len(whole), 3_200):
        connection.send_raw(whole[at : at + 3_200])


class Listen(unittest.TestCase):
    def test_a_conversation(self):
        with Mocks("--text", "Hello there.", "--text", "Good bye.") as mocks:
            with connect(mocks) as connection:
                final = ""
                for _ in range(2):
                    say(connection, tone(0.8), silence(0.3))
                    connection.send("finalize")
                    while not isinstance(message := connection.recv(), STTManualFinalizeFlushDoneResponse):
                        self.assertIsInstance(message, STTManualFinalizeTranscriptResponse)
                        final += message.text if message.is_final else ""
                self.assertEqual("Hello there. Good bye.", final)
                connection.send("close")
                self.assertIsInstance(connection.recv(), STTManualFinalizeDoneResponse)
                with self.assertRaises(ConnectionClosed):
                    connection.recv()
            self.assertEqual((1, 2), (mocks.service("cartesia")["answered"], mocks.service("cartesia")["utterances"]))

    def test_what_makes_no_sense(self):
        with Mocks() as mocks:
            with self.assertRaises(InvalidStatus) as refused, connect(mocks, encoding="pcm_f16le"):
                pass
            self.assertEqual(400, refused.exception.response.status_code)
            with connect(mocks) as connection:
                connection.send("stop")
                error = connection.recv()
                self.assertIsInstance(error, STTErrorResponse)
                self.assertEqual(400, error.status_code)


class Failures(unittest.TestCase):
    def test_handshakes(self):
        for failure, status in (("503", 503), ("page", 200)):
            with Mocks("--fail", f"cartesia:100%:{failure}") as mocks:
                with self.assertRaises(InvalidStatus) as refused, connect(mocks):
                    pass
                self.assertEqual(status, refused.exception.response.status_code)

    def test_sockets_that_end_before_the_words(self):
        for failure in ("cut", "limit"):
            with Mocks("--fail", f"cartesia:100%:{failure}", "--limit-ms", "300") as mocks:
                with connect(mocks) as connection:
                    say(connection, tone(0.2))
                    if failure == "cut":
                        connection.send("finalize")
                    with self.assertRaises(ConnectionClosed):
                        connection.recv()


if __name__ == "__main__":
    unittest.main()
