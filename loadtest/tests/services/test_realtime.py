"""The mock model that hears and speaks as the published client of OpenAI finds it."""

import base64
import unittest

from mocks import Mocks
from openai import OpenAI
from websockets.exceptions import InvalidStatus

RATE_HZ = 24_000
TELEPHONE = {"type": "audio/pcmu"}
WIDEBAND = {"type": "audio/pcm", "rate": RATE_HZ}


def audio(byte: bytes, milliseconds: int) -> str:
    """Mu-law."""
    return base64.b64encode(byte * 8 * milliseconds).decode()


LOUD, SILENT = b"\x0f", b"\xff"


class Talking:
    """A session of the client in which nobody but the client ends turns, unless it wants that."""

    def __init__(self, mocks: Mocks, detection: dict | None = None, **session):
        client = OpenAI(api_key="k", base_url=f"{mocks.url}/v1", websocket_base_url=f"{mocks.ws}/v1")
        self.connecting = client.realtime.connect(model="gpt-realtime")
        self.session = {
            "type": "realtime", "instructions": "Be brief.", "output_modalities": ["audio"],
            "audio": {
                "input": {"format": TELEPHONE, "turn_detection": detection, "transcription": {"model": "w", "language": "en"}},
                "output": {"format": TELEPHONE, "voice": "marin"},
            },
            **session,
        }

    def __enter__(self):
        self.socket = self.connecting.__enter__()
        created = self.socket.recv()
        assert created.type == "session.created", created
        self.socket.session.update(session=self.session)
        updated = self.socket.recv()
        assert updated.type == "session.updated" and updated.session.instructions == "Be brief.", updated
        return self

    def __exit__(self, *error):
        return self.connecting.__exit__(*error)

    def say(self, byte: bytes, milliseconds: int):
        self.socket.input_audio_buffer.append(audio=audio(byte, milliseconds))

    def until(self, kind: str) -> list:
        """All events up to the first of this kind."""
        seen = [self.socket.recv()]
        while seen[-1].type != kind:
            seen.append(self.socket.recv())
        return seen

    def answer(self) -> list:
        self.socket.response.create()
        return self.until("response.done")


def of(kind: str, events: list) -> list:
    return [event for event in events if event.type == kind]


def heard(events: list) -> bytes:
    return b"".join(base64.b64decode(event.delta) for event in of("response.output_audio.delta", events))


class Functions(unittest.TestCase):
    def test_a_function_is_called_and_its_output_taken(self):
        tools = [{"type": "function", "name": "weather", "description": "Tells the weather.",
                  "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
        replies = ("--reply", '@weather {"city": "Rome"}', "--reply", "It is sunny.")
        with Mocks(*replies) as mocks, Talking(mocks, tools=tools) as talking:
            events = talking.answer()
            told = of("response.function_call_arguments.done", events)[0]
            self.assertEqual((told.name, told.arguments), ("weather", '{"city":"Rome"}'))
            call = events[-1].response.output[0]
            self.assertEqual((call.type, call.call_id, call.arguments), ("function_call", told.call_id, told.arguments))
            self.assertEqual(heard(events), b"")
            output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
            talking.socket.conversation.item.create(item=output)
            self.assertEqual(talking.until("conversation.item.done")[-1].item.output, "sunny")
            self.assertEqual(talking.answer()[-1].response.output[0].content[0].transcript, "It is sunny.")
            talking.socket.conversation.item.create(item={**output, "call_id": "call_of_nobody"})
            self.assertEqual(talking.until("error")[-1].error.code, "invalid_tool_call_id")


class Conversation(unittest.TestCase):
    def test_a_turn_is_written_down_and_answered(self):
        with Mocks("--text", "A table, please.", "--reply", "For how many?") as mocks, Talking(mocks) as talking:
            talking.say(LOUD, 500)
            talking.socket.input_audio_buffer.commit()
            committed = talking.until("input_audio_buffer.committed")[-1]
            talking.socket.response.create()
            events = talking.until("response.done")
            self.assertEqual("completed", events[-1].response.status)
            self.assertEqual("For how many?", events[-1].response.output[0].content[0].transcript)
            words = of("response.output_audio_transcript.delta", events)
            self.assertEqual("For how many?", "".join(event.delta for event in words))
            self.assertEqual(13 * 60 * 8, len(heard(events)))
            kinds = "conversation.item.input_audio_transcription.completed"
            told = of(kinds, events) or talking.until(kinds)
            self.assertEqual((committed.item_id, "A table, please."), (told[-1].item_id, told[-1].transcript))

    def test_an_answer_is_cancelled_and_truncated_to_what_was_heard(self):
        with Mocks("--reply", "This is a long answer that nobody wants to hear to its end.") as mocks, Talking(mocks) as talking:
            talking.socket.response.create()
            first = talking.until("response.output_audio.delta")[-1]
            talking.socket.response.cancel(response_id=first.response_id)
            done = talking.until("response.done")[-1]
            self.assertEqual(("cancelled", "client_cancelled"), (done.response.status, done.response.status_details.reason))
            talking.socket.conversation.item.truncate(item_id=first.item_id, content_index=0, audio_end_ms=120)
            truncated = talking.until("conversation.item.truncated")[-1]
            self.assertEqual((first.item_id, 120), (truncated.item_id, truncated.audio_end_ms))
            talking.socket.conversation.item.retrieve(item_id=first.item_id)
            item = talking.until("conversation.item.retrieved")[-1].item
            self.assertIsNone(item.content[0].transcript)
            talking.socket.conversation.item.truncate(item_id=first.item_id, content_index=0, audio_end_ms=60_000)
            self.assertEqual("audio_end_ms", talking.until("error")[-1].error.param)

    def test_what_was_said_before_is_put_before_all_else(self):
        with Mocks() as mocks, Talking(mocks) as talking:
            talking.say(LOUD, 300)
            talking.socket.input_audio_buffer.commit()
            talking.until("conversation.item.done")
            content = [{"type": "input_text", "text": "earlier"}]
            item = {"type": "message", "role": "user", "content": content}
            talking.socket.conversation.item.create(item=item, previous_item_id="root")
            added = talking.until("conversation.item.added")[-1]
            self.assertIsNone(added.previous_item_id)
            self.assertEqual("earlier", added.item.content[0].text)

    def test_its_own_detection_begins_and_ends_turns(self):
        detection = {"type": "server_vad", "silence_duration_ms": 300, "create_response": False, "interrupt_response": False}
        with Mocks() as mocks, Talking(mocks, detection) as talking:
            talking.say(SILENT, 200)
            talking.say(LOUD, 500)
            talking.say(SILENT, 500)
            events = talking.until("input_audio_buffer.committed")
            started, = of("input_audio_buffer.speech_started", events)
            stopped, = of("input_audio_buffer.speech_stopped", events)
            self.assertEqual((200, 1_000), (started.audio_start_ms, stopped.audio_end_ms))
            self.assertEqual("completed", talking.answer()[-1].response.status)

    def test_wideband_audio(self):
        audio_of = {"input": {"format": WIDEBAND, "turn_detection": None}, "output": {"format": WIDEBAND, "voice": "cedar"}}
        with Mocks("--reply", "Yes.") as mocks, Talking(mocks, audio=audio_of) as talking:
            self.assertEqual(4 * 60 * 48, len(heard(talking.answer())))

    def test_mistakes_are_told_and_harm_nothing(self):
        with Mocks() as mocks, Talking(mocks) as talking:
            talking.socket.input_audio_buffer.commit()
            self.assertEqual("input_audio_buffer_commit_empty", talking.until("error")[-1].error.code)
            talking.socket.response.cancel(event_id="mine")
            error = talking.until("error")[-1].error
            self.assertEqual(("response_cancel_not_active", "mine"), (error.code, error.event_id))
            self.assertEqual("completed", talking.answer()[-1].response.status)
            talking.socket.response.create()
            talking.socket.response.create()
            self.assertEqual("conversation_already_has_active_response", talking.until("error")[-1].error.code)


class Failures(unittest.TestCase):
    def test_handshakes(self):
        for failure, status in (("503", 503), ("401", 401)):
            with Mocks("--fail", f"realtime:100%:{failure}") as mocks:
                with self.assertRaises(InvalidStatus) as refused, Talking(mocks):
                    pass
                self.assertEqual(status, refused.exception.response.status_code)

    def test_an_answer_that_is_cut(self):
        with Mocks("--fail", "realtime:100%:cut") as mocks, Talking(mocks) as talking:
            with self.assertRaises(Exception):
                talking.answer()
            self.assertEqual(1, mocks.service("realtime")["failures"]["cut"])


if __name__ == "__main__":
    unittest.main()
