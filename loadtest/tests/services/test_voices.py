"""The mock voices as the published clients of OpenAI, ElevenLabs, Cartesia and Deepgram find them."""

import base64
import io
import json
import queue
import threading
import unittest
import wave

import openai
from cartesia import Cartesia
from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Metadata, SpeakV1Text
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.unchecked_base_model import construct_type
from elevenlabs.types import FinalOutputMulti, WebsocketTtsServerMessageMulti
from mocks import Mocks
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

TEXT = "Hello there, how can I help you?"
CHARACTER_MS = 60
PATIENCE_S = 20


class OpenAI(unittest.TestCase):
    def speak(self, mocks: Mocks, **more) -> bytes:
        client = openai.OpenAI(api_key="k", base_url=f"{mocks.url}/v1", max_retries=0, timeout=PATIENCE_S)
        asked = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": TEXT, "response_format": "pcm", **more}
        with client.audio.speech.with_streaming_response.create(**asked) as answer:
            return b"".join(answer.iter_bytes())

    def test_samples_come_as_they_are_made(self):
        with Mocks() as mocks:
            audio = self.speak(mocks, instructions="Calmly.", speed=2.0)
            self.assertEqual(1, mocks.service("speech")["answered"])
        self.assertEqual(len(TEXT) * CHARACTER_MS * 24 * 2 // 2, len(audio))

    def test_a_wav_file_does_not_know_its_length(self):
        with Mocks() as mocks:
            audio = self.speak(mocks, response_format="wav")
        file = wave.open(io.BytesIO(audio))
        self.assertEqual((1, 2, 24_000), file.getparams()[:3])
        self.assertEqual(len(TEXT) * CHARACTER_MS * 24 * 2, len(audio) - 44)

    def test_what_has_mistakes_is_refused(self):
        with Mocks() as mocks:
            for wrong in ({"speed": 9}, {"response_format": "mp3"}, {"input": ""}):
                with self.assertRaises(openai.BadRequestError):
                    self.speak(mocks, **wrong)

    def test_failures(self):
        for failure, error in (("500", openai.InternalServerError), ("cut", Exception), ("refuse", openai.APIConnectionError)):
            with Mocks("--fail", f"speech:100%:{failure}") as mocks:
                with self.assertRaises(error):
                    self.speak(mocks)


class ElevenLabsSingle(unittest.TestCase):
    def speak(self, mocks: Mocks, **more) -> bytes:
        client = ElevenLabs(api_key="k", base_url=mocks.url)
        # The client takes every base for one of TLS.
        client.text_to_speech._ws_base_url = mocks.ws
        pieces = iter(["Hello there, ", "how can I help you?"])
        return b"".join(client.text_to_speech.convert_realtime("v", text=pieces, model_id="m", **more))

    def test_the_clients_own_stream(self):
        with Mocks() as mocks:
            audio = self.speak(mocks, output_format="pcm_16000")
            self.assertEqual((1, 1), (mocks.service("elevenlabs")["answered"], mocks.service("elevenlabs")["utterances"]))
        # The client puts a blank first and behind each piece.
        self.assertGreaterEqual(len(audio), len(TEXT) * CHARACTER_MS * 16 * 2)

    def test_failures(self):
        for failure in ("503", "refuse", "cut"):
            with Mocks("--fail", f"elevenlabs:100%:{failure}") as mocks:
                with self.assertRaises(Exception):
                    self.speak(mocks, output_format="pcm_16000")
                    raise ApiError(status_code=0, body="the stream ended without an error")


class ElevenLabsMulti(unittest.TestCase):
    def open(self, mocks: Mocks, query: str = "output_format=ulaw_8000&sync_alignment=true"):
        url = f"{mocks.ws}/v1/text-to-speech/v/multi-stream-input?model_id=m&{query}"
        return connect(url, additional_headers={"xi-api-key": "k"})

    def next(self, socket) -> WebsocketTtsServerMessageMulti | FinalOutputMulti:
        """In the client's own types, which want their fields: one for audio, another for the end of a context."""
        message = json.loads(socket.recv(timeout=PATIENCE_S))
        kind = FinalOutputMulti if message.get("isFinal") else WebsocketTtsServerMessageMulti
        return construct_type(type_=kind, object_=message)

    def ask(self, socket, context: str, text: str = TEXT):
        socket.send(json.dumps({"text": " ", "context_id": context}))
        socket.send(json.dumps({"text": f"{text} ", "context_id": context, "flush": True}))

    def test_a_context_to_its_end(self):
        with Mocks() as mocks, self.open(mocks) as socket:
            self.ask(socket, "c1")
            socket.send(json.dumps({"context_id": "c1", "close_context": True}))
            seen = [self.next(socket)]
            while not seen[-1].is_final:
                seen.append(self.next(socket))
            *audio, last = seen
            self.assertEqual({"c1"}, {message.context_id for message in seen})
            self.assertIsInstance(last, FinalOutputMulti)
            said = "".join("".join(message.alignment.chars) for message in audio)
            self.assertEqual(f" {TEXT} ", said)
            for message in audio:
                alignment = message.alignment
                self.assertEqual(0, alignment.char_start_times_ms[0])
                length_ms = alignment.char_start_times_ms[-1] + alignment.char_durations_ms[-1]
                self.assertEqual(length_ms * 8, len(base64.b64decode(message.audio)))

    def test_contexts_are_counted_and_the_key_is_wanted(self):
        with Mocks() as mocks, self.open(mocks) as socket:
            for n in range(6):
                socket.send(json.dumps({"text": " ", "context_id": f"c{n}"}))
            told = json.loads(socket.recv(timeout=PATIENCE_S))
            self.assertEqual("max_active_conversations", told["error"])
            with self.assertRaises(ConnectionClosed) as closed:
                socket.recv(timeout=PATIENCE_S)
            self.assertEqual(1008, closed.exception.rcvd.code)


class CartesiaSocket(unittest.TestCase):
    def client(self, mocks: Mocks) -> Cartesia:
        return Cartesia(api_key="k", base_url=mocks.url, websocket_base_url=mocks.ws)

    def context(self, connection, **more):
        form = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8_000}
        voice = {"mode": "id", "id": "v"}
        return connection.context(model_id="sonic-3", voice=voice, output_format=form, language="en", timeout=PATIENCE_S,
                                  add_timestamps=True, **more)

    def test_flushes_tell_transcripts_apart(self):
        with Mocks() as mocks, self.client(mocks).tts.websocket_connect() as connection:
            context = self.context(connection)
            context.push("Stay hungry, ")
            context.push("", flush=True)
            context.push("stay foolish.")
            context.no_more_inputs()
            seen = list(context.receive())
        audio = {1: b"", 2: b""}
        for message in seen:
            if message.type == "chunk":
                audio[message.flush_id] += message.audio
        self.assertEqual([13 * CHARACTER_MS * 8] * 2, [len(part) for part in audio.values()])
        words = [message.word_timestamps for message in seen if message.type == "timestamps"]
        self.assertEqual([["Stay", "hungry,"], ["stay", "foolish."]], [times.words for times in words])
        # The second transcript goes on where the first one ended.
        self.assertEqual([0.0, 0.78], [round(times.start[0], 3) for times in words])
        self.assertEqual(["flush_done", "done"], [message.type for message in seen if "done" in message.type])

    def test_a_cancelled_context_falls_silent(self):
        with Mocks("--tts-ms", "200") as mocks, self.client(mocks).tts.websocket_connect() as connection:
            context = self.context(connection, context_id="first")
            context.push(TEXT)
            connection.send({"context_id": "first", "cancel": True})
            again = self.context(connection, context_id="second")
            again.push("Yes.")
            again.no_more_inputs()
            kinds = [(message.type, message.context_id) for message in again.receive()]
            self.assertEqual([("chunk", "second"), ("timestamps", "second"), ("done", "second")], kinds)

    def test_mistakes_and_failures(self):
        with Mocks() as mocks, self.client(mocks).tts.websocket_connect() as connection:
            connection.send({"context_id": "x", "model_id": "m", "transcript": "Yes.", "voice": {"mode": "id", "id": "v"},
                             "output_format": {"container": "raw", "encoding": "pcm_f32le", "sample_rate": 8_000}})
            error = connection.recv()
            self.assertEqual(("error", 400), (error.type, error.status_code))
        with Mocks("--fail", "sonic:100%:503") as mocks:
            with self.assertRaises(Exception):
                self.client(mocks).tts.websocket_connect().__enter__()


class Speaking:
    """A socket to Deepgram's voice, whose messages are waited for one by one."""

    def __init__(self, mocks: Mocks, **options):
        environment = DeepgramClientEnvironment(base=mocks.url, production=mocks.ws, agent=mocks.ws, agent_rest=mocks.url)
        client = DeepgramClient(api_key="k", environment=environment)
        options = {"model": "aura-2-thalia-en", "encoding": "mulaw", "sample_rate": 8000, **options}
        self.connecting = client.speak.v1.connect(**options)
        self.messages = queue.Queue()

    def __enter__(self):
        self.socket = self.connecting.__enter__()
        self.socket.on(EventType.MESSAGE, self.messages.put)
        threading.Thread(target=self.socket.start_listening, daemon=True).start()
        return self

    def __exit__(self, *error):
        return self.connecting.__exit__(*error)

    def say(self, text: str):
        self.socket.send_text(SpeakV1Text(type="Speak", text=text))

    def until(self, kind: str) -> list:
        """By what messages call themselves: to the client, what is cleared may be flushed as well."""
        seen = [self.messages.get(timeout=PATIENCE_S)]
        while getattr(seen[-1], "type", None) != kind:
            seen.append(self.messages.get(timeout=PATIENCE_S))
        return seen


class Deepgram(unittest.TestCase):
    def test_speech_is_flushed_and_cleared(self):
        with Mocks() as mocks, Speaking(mocks) as speaking:
            speaking.say(TEXT)
            speaking.socket.send_flush()
            metadata, *audio, flushed = speaking.until("Flushed")
            self.assertIsInstance(metadata, SpeakV1Metadata)
            self.assertEqual("aura-2-thalia-en", metadata.model_name)
            self.assertEqual(len(TEXT) * CHARACTER_MS * 8, sum(len(piece) for piece in audio))
            self.assertEqual(0, flushed.sequence_id)
            speaking.say("Never mind.")
            speaking.socket.send_clear()
            self.assertEqual(1, speaking.until("Cleared")[-1].sequence_id)

    def test_flushes_are_limited(self):
        with Mocks() as mocks, Speaking(mocks) as speaking:
            for _ in range(21):
                speaking.socket.send_flush()
            warning = speaking.until("Warning")[-1]
            self.assertEqual("EXCESSIVE_FLUSH", warning.code)

    def test_handshakes(self):
        for options, fail, status in (({}, ["--fail", "speak:100%:503"], 503), ({"sample_rate": 44100}, [], 400)):
            with Mocks(*fail) as mocks:
                with self.assertRaises(InvalidStatus) as refused, Speaking(mocks, **options):
                    pass
                self.assertEqual(status, refused.exception.response.status_code)


if __name__ == "__main__":
    unittest.main()
