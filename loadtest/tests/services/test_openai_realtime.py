"""The mock transcription session as the published client of OpenAI finds it."""

import base64
import unittest

import openai
from mocks import Mocks
from websockets.exceptions import ConnectionClosedError, InvalidStatus

KIND = "conversation.item.input_audio_transcription"
SESSION = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": "gpt-realtime-whisper", "language": "en"},
            "turn_detection": None,
        }
    },
}


def connect(mocks: Mocks):
    client = openai.OpenAI(api_key="k", base_url=f"{mocks.url}/v1", websocket_base_url=f"{mocks.ws}/v1")
    return client.realtime.connect(extra_query={"intent": "transcription"})


def set_up(test: unittest.TestCase, connection):
    test.assertEqual("session.created", connection.recv().type)
    connection.session.update(session=SESSION)
    updated = connection.recv()
    test.assertEqual(("session.updated", "transcription"), (updated.type, updated.session.type))
    test.assertEqual("gpt-realtime-whisper", updated.session.audio.input.transcription.model)


def say(connection, milliseconds: int):
    for _ in range(milliseconds // 20):
        connection.input_audio_buffer.append(audio=base64.b64encode(b"\x0f" * 160).decode())


class Transcription(unittest.TestCase):
    def test_what_is_committed_is_transcribed(self):
        with Mocks("--text", "Hello there.", "--text", "Good bye.") as mocks:
            with connect(mocks) as connection:
                set_up(self, connection)
                previous = None
                for text in ("Hello there.", "Good bye."):
                    say(connection, 400)
                    connection.input_audio_buffer.commit()
                    committed, *deltas, completed = [connection.recv() for _ in range(4)]
                    self.assertEqual("input_audio_buffer.committed", committed.type)
                    self.assertEqual(previous, committed.previous_item_id)
                    self.assertEqual([f"{KIND}.delta"] * 2, [delta.type for delta in deltas])
                    self.assertEqual(text, "".join(delta.delta for delta in deltas))
                    self.assertEqual((f"{KIND}.completed", text), (completed.type, completed.transcript))
                    self.assertEqual(committed.item_id, completed.item_id)
                    self.assertEqual("duration", completed.usage.type)
                    previous = committed.item_id
            self.assertEqual((1, 2), (mocks.service("live")["answered"], mocks.service("live")["utterances"]))

    def test_a_buffer_that_is_cleared_is_empty(self):
        with Mocks() as mocks:
            with connect(mocks) as connection:
                set_up(self, connection)
                say(connection, 400)
                connection.input_audio_buffer.clear()
                self.assertEqual("input_audio_buffer.cleared", connection.recv().type)
                connection.input_audio_buffer.commit()
                error = connection.recv()
                self.assertEqual(("error", "input_audio_buffer_commit_empty"), (error.type, error.error.code))


class Failures(unittest.TestCase):
    def test_handshakes(self):
        for failure, status in (("429", 429), ("page", 200)):
            with Mocks("--fail", f"live:100%:{failure}") as mocks:
                with self.assertRaises(InvalidStatus) as refused, connect(mocks):
                    pass
                self.assertEqual(status, refused.exception.response.status_code)

    def test_a_session_that_expires(self):
        with Mocks("--fail", "live:100%:limit", "--limit-ms", "2000") as mocks:
            with connect(mocks) as connection:
                set_up(self, connection)
                expired = connection.recv()
                self.assertEqual(("error", "session_expired"), (expired.type, expired.error.code))
                with self.assertRaises(ConnectionClosedError):
                    connection.recv()

    def test_words_that_are_none(self):
        for failure, wrong in (("garbage", ValueError), ("cut", ConnectionClosedError)):
            with Mocks("--fail", f"live:100%:{failure}") as mocks:
                with connect(mocks) as connection:
                    set_up(self, connection)
                    say(connection, 400)
                    connection.input_audio_buffer.commit()
                    with self.assertRaises(wrong):
                        for _ in range(4):
                            connection.recv()


if __name__ == "__main__":
    unittest.main()
