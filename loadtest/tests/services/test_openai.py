"""The mock services as the published client of OpenAI finds them."""

import json
import time
import unittest

import openai
from mocks import Mocks, recording

USER = [{"role": "user", "content": "good day to you"}]


def client(mocks: Mocks, **more) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{mocks.url}/v1", **{"max_retries": 0, **more})


def stream(mocks: Mocks, **more):
    return client(mocks).chat.completions.create(model="m", messages=USER, stream=True, **more)


class Chat(unittest.TestCase):
    def test_a_stream_of_tokens_with_usage_at_its_end(self):
        with Mocks("--reply", "Of course. I will look.", "--llm-ms", "100") as mocks:
            began = time.monotonic()
            chunks = list(stream(mocks, stream_options={"include_usage": True}))
            self.assertGreaterEqual(time.monotonic() - began, 0.1)
        *chunks, usage = chunks
        self.assertEqual("assistant", chunks[0].choices[0].delta.role)
        tokens = [chunk.choices[0].delta.content for chunk in chunks[1:-1]]
        self.assertEqual(["Of", " course.", " I", " will", " look."], tokens)
        reasons = [chunk.choices[0].finish_reason for chunk in chunks]
        self.assertEqual([None] * 6 + ["stop"], reasons)
        self.assertTrue(all(chunk.object == "chat.completion.chunk" and chunk.usage is None for chunk in chunks))
        self.assertEqual([], usage.choices)
        self.assertEqual((4, 5, 9), (usage.usage.prompt_tokens, usage.usage.completion_tokens, usage.usage.total_tokens))

    def test_the_clients_own_accumulator_takes_the_stream(self):
        with Mocks("--reply", "Of course. I will look.") as mocks:
            with client(mocks).chat.completions.stream(model="m", messages=USER) as events:
                kinds = {event.type for event in events}
                final = events.get_final_completion()
        self.assertLessEqual({"chunk", "content.delta", "content.done"}, kinds)
        self.assertEqual("Of course. I will look.", final.choices[0].message.content)

    def test_a_whole_completion(self):
        with Mocks("--reply", "Of course.", "--reply", "Never.") as mocks:
            talk = client(mocks)
            answers = [talk.chat.completions.create(model="m", messages=USER) for _ in range(2)]
            self.assertEqual(1, mocks.stats()["connections"] - 1, "the client keeps its connection")
        self.assertEqual(["Of course.", "Never."], [answer.choices[0].message.content for answer in answers])
        self.assertEqual("chat.completion", answers[0].object)
        self.assertEqual("stop", answers[0].choices[0].finish_reason)

    def test_too_many_tokens_are_cut_off(self):
        with Mocks() as mocks:
            chunks = list(stream(mocks, max_completion_tokens=2))
        self.assertEqual("length", chunks[-1].choices[0].finish_reason)

    def test_a_call_of_a_tool(self):
        tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
        with Mocks("--reply", '@weather {"city": "Rome"}') as mocks:
            with client(mocks).chat.completions.stream(model="m", messages=USER, tools=[tool]) as events:
                streamed = events.get_final_completion().choices[0]
            whole = client(mocks).chat.completions.create(model="m", messages=USER, tools=[tool]).choices[0]
        for choice in (streamed, whole):
            call = choice.message.tool_calls[0].function
            self.assertEqual(("tool_calls", "weather", {"city": "Rome"}),
                             (choice.finish_reason, call.name, json.loads(call.arguments)))

    def test_a_stream_that_is_closed_early_counts_as_abandoned(self):
        with Mocks("--token-ms", "50") as mocks:
            chunks = stream(mocks)
            next(chunks)
            chunks.close()
            deadline = time.monotonic() + 10
            while not mocks.service("llm")["abandoned"] and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertEqual((1, 0), (mocks.service("llm")["abandoned"], mocks.service("llm")["answered"]))

    def test_models(self):
        with Mocks() as mocks:
            names = [model.id for model in client(mocks).models.list()]
            self.assertEqual(names[0], client(mocks).models.retrieve(names[0]).id)
            with self.assertRaises(openai.NotFoundError):
                client(mocks).models.retrieve("none")


class Transcription(unittest.TestCase):
    def test_every_format(self):
        path = recording(1.5)
        with Mocks("--text", "Hello there.") as mocks:
            create = client(mocks).audio.transcriptions.create
            self.assertEqual("Hello there.", create(model="whisper-1", file=path).text)
            self.assertEqual("Hello there.\n", create(model="whisper-1", file=path, response_format="text"))
            verbose = create(model="whisper-1", file=path, response_format="verbose_json", language="en",
                             timestamp_granularities=["word", "segment"])
        self.assertEqual((1.5, "en", "Hello there."), (verbose.duration, verbose.language, verbose.text))
        self.assertEqual(["Hello", "there."], [word.word for word in verbose.words])
        self.assertEqual((0.0, 1.5), (verbose.segments[0].start, verbose.segments[0].end))
        self.assertEqual(2.0, verbose.usage.seconds)

    def test_what_is_too_short_or_no_audio_is_refused(self):
        with Mocks() as mocks:
            create = client(mocks).audio.transcriptions.create
            with self.assertRaises(openai.BadRequestError) as short:
                create(model="whisper-1", file=recording(0.05))
            self.assertEqual("audio_too_short", short.exception.code)
            with self.assertRaises(openai.BadRequestError) as noise:
                create(model="whisper-1", file=("a.wav", b"no audio"))
            self.assertEqual("file", noise.exception.param)


class Failures(unittest.TestCase):
    def expect(self, failure: str, error: type[Exception], **more):
        with Mocks("--fail", f"llm:100%:{failure}") as mocks:
            with self.assertRaises(error) as raised:
                list(client(mocks, **more).chat.completions.create(model="m", messages=USER, stream=True))
            kind = "status" if failure.isdigit() else failure
            self.assertEqual(1, mocks.service("llm")["failures"][kind])
        return raised.exception

    def test_each_is_what_the_client_calls_it(self):
        self.assertEqual("server_error", self.expect("500", openai.InternalServerError).type)
        self.assertEqual("rate_limit_exceeded", self.expect("429", openai.RateLimitError).code)
        self.assertRegex(str(self.expect("refuse", openai.APIConnectionError).__cause__), "without sending a response")
        self.expect("hang", openai.APITimeoutError, timeout=0.5)
        self.assertRegex(str(self.expect("cut", openai.APIConnectionError).__cause__), "incomplete|closed")
        # The client lets the error of its JSON reader through.
        self.assertIsInstance(self.expect("garbage", Exception), (ValueError, openai.APIError))

    def test_a_transcript_that_is_cut_is_none(self):
        with Mocks("--fail", "stt:100%:cut") as mocks:
            with self.assertRaises(openai.APIConnectionError):
                client(mocks).audio.transcriptions.create(model="whisper-1", file=recording(0.5))

    def test_what_is_slow_comes_all_the_same(self):
        with Mocks("--fail", "llm:100%:slow", "--llm-ms", "20", "--token-ms", "1") as mocks:
            began = time.monotonic()
            chunks = list(stream(mocks))
            self.assertGreaterEqual(time.monotonic() - began, 0.2 + 13 * 0.01)
        self.assertEqual("stop", chunks[-1].choices[0].finish_reason)

    def test_the_clients_retries_come_to_their_end(self):
        with Mocks("--fail", "llm:100%:503") as mocks:
            with self.assertRaises(openai.InternalServerError):
                client(mocks, max_retries=1).chat.completions.create(model="m", messages=USER)
            self.assertEqual(2, mocks.service("llm")["failures"]["status"])


if __name__ == "__main__":
    unittest.main()
