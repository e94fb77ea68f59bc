"""The mock services as the published client of Ollama finds them."""

import unittest

import httpx
import ollama
from mocks import Mocks

USER = [{"role": "user", "content": "good day to you"}]
CALL = '@weather {"city": "Rome"}'


def weather(city: str) -> str:
    """Of a city."""
    return f"It is sunny in {city}."


def client(mocks: Mocks, **more) -> ollama.Client:
    return ollama.Client(host=mocks.url, **more)


class Chat(unittest.TestCase):
    def test_a_stream_of_tokens_with_counts_at_its_end(self):
        with Mocks("--reply", "Of course. I will look.") as mocks:
            parts = list(client(mocks).chat("m", USER, stream=True, think=False, keep_alive=-1))
        self.assertEqual(["Of", " course.", " I", " will", " look.", ""], [part.message.content for part in parts])
        self.assertEqual([False] * 5 + [True], [part.done for part in parts])
        self.assertEqual(("stop", 5), (parts[-1].done_reason, parts[-1].eval_count))

    def test_a_whole_reply_no_longer_than_was_asked(self):
        with Mocks("--reply", "Of course I will.") as mocks:
            reply = client(mocks).chat("m", USER, options={"num_predict": 2})
        self.assertEqual(("Of course", "length"), (reply.message.content, reply.done_reason))

    def test_a_call_and_its_result(self):
        with Mocks("--reply", CALL, "--reply", "It is sunny.") as mocks:
            talk = client(mocks)
            asked = list(talk.chat("m", USER, tools=[weather], stream=True))
            call = asked[0].message.tool_calls[0].function
            self.assertEqual(("weather", {"city": "Rome"}), (call.name, dict(call.arguments)))
            result = {"role": "tool", "tool_name": "weather", "content": weather(**call.arguments)}
            self.assertEqual("It is sunny.", talk.chat("m", [*USER, asked[0].message, result]).message.content)

    def test_a_model_is_loaded_without_a_word(self):
        with Mocks() as mocks:
            loaded = client(mocks).chat("m", [], keep_alive="30m")
            self.assertEqual(("", "load"), (loaded.message.content, loaded.done_reason))
            self.assertEqual(1, mocks.service("llm")["answered"])

    def test_a_model_that_is_not_there(self):
        with Mocks() as mocks:
            with self.assertRaises(ollama.ResponseError) as missing:
                client(mocks).chat("missing", USER)
            self.assertEqual((404, "model 'missing' not found"), (missing.exception.status_code, missing.exception.error))
            self.assertEqual("mock-chat:latest", client(mocks).list().models[0].model)


class Failures(unittest.TestCase):
    def expect(self, failure: str, error: type[Exception], **more):
        with Mocks("--fail", f"llm:100%:{failure}") as mocks:
            with self.assertRaises(error) as raised:
                list(client(mocks, **more).chat("m", USER, stream=True))
            kind = "status" if failure.isdigit() else failure
            self.assertEqual(1, mocks.service("llm")["failures"][kind])
        return raised.exception

    def test_each_is_what_the_client_calls_it(self):
        self.assertEqual(503, self.expect("503", ollama.ResponseError).status_code)
        self.expect("refuse", (httpx.RemoteProtocolError, ConnectionError))
        self.expect("hang", httpx.ReadTimeout, timeout=0.5)
        self.expect("cut", httpx.RemoteProtocolError)
        self.expect("garbage", ValueError)


if __name__ == "__main__":
    unittest.main()
