"""The mock services as the published client of Anthropic finds them."""

import unittest

import anthropic
from mocks import Mocks

USER = [{"role": "user", "content": "good day to you"}]
TOOL = {
    "name": "weather", "description": "Of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALL = '@weather {"city": "Rome"}'


def client(mocks: Mocks, **more) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url=mocks.url, **{"max_retries": 0, **more})


def ask(mocks: Mocks, messages=USER, **more):
    return client(mocks).messages.create(model="m", max_tokens=100, messages=messages, **more)


class Messages(unittest.TestCase):
    def test_a_stream_in_the_clients_own_events(self):
        with Mocks("--reply", "Of course. I will look.") as mocks:
            with client(mocks).messages.stream(model="m", max_tokens=100, messages=USER) as stream:
                texts = list(stream.text_stream)
                final = stream.get_final_message()
        self.assertEqual(["Of", " course.", " I", " will", " look."], texts)
        self.assertEqual(("Of course. I will look.", "end_turn"), (final.content[0].text, final.stop_reason))
        self.assertEqual(5, final.usage.output_tokens)

    def test_what_is_marked_is_remembered(self):
        system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
        with Mocks() as mocks:
            first, second = (ask(mocks, system=system).usage for _ in range(2))
            with self.assertRaises(anthropic.BadRequestError):
                ask(mocks, system=[{**system[0], "cache_control": {"type": "forever"}}])
        written = first.cache_creation_input_tokens
        self.assertEqual((0, written, 0), (first.cache_read_input_tokens, second.cache_read_input_tokens,
                                           second.cache_creation_input_tokens))
        self.assertGreater(written, 0)

    def test_raw_events_come_in_their_order(self):
        with Mocks("--reply", "Of course.") as mocks:
            kinds = [event.type for event in ask(mocks, stream=True)]
        self.assertEqual(["message_start", "content_block_start"], kinds[:2])
        self.assertEqual(["content_block_delta"] * 2, [kind for kind in kinds if kind == "content_block_delta"])
        self.assertEqual(["content_block_stop", "message_delta", "message_stop"], kinds[-3:])

    def test_a_whole_message(self):
        with Mocks("--reply", "Of course.", "--reply", "Never.") as mocks:
            answers = [ask(mocks) for _ in range(2)]
        self.assertEqual(["Of course.", "Never."], [answer.content[0].text for answer in answers])

    def test_too_many_tokens_are_cut_off(self):
        with Mocks("--reply", "Of course I will.") as mocks:
            message = client(mocks).messages.create(model="m", max_tokens=2, messages=USER)
        self.assertEqual(("Of course", "max_tokens"), (message.content[0].text, message.stop_reason))

    def test_a_call_and_its_result(self):
        with Mocks("--reply", CALL, "--reply", "It is sunny.") as mocks:
            talk = client(mocks)
            with talk.messages.stream(model="m", max_tokens=100, messages=USER, tools=[TOOL]) as stream:
                asked = stream.get_final_message()
            call = asked.content[0]
            self.assertEqual(("tool_use", "weather", {"city": "Rome"}), (call.type, call.name, call.input))
            self.assertEqual("tool_use", asked.stop_reason)
            result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
            messages = [*USER, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
            self.assertEqual("It is sunny.", ask(mocks, messages, tools=[TOOL]).content[0].text)

    def test_what_the_service_refuses_is_refused(self):
        result = {"type": "tool_result", "tool_use_id": "nobody", "content": "x"}
        wrong = [
            [{"role": "assistant", "content": "hello"}],
            [{"role": "user", "content": [{"type": "text", "text": ""}]}],
            [{"role": "user", "content": [result]}],
            [*USER, {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "x", "input": {}}]}, *USER],
        ]
        with Mocks() as mocks:
            for messages in wrong:
                with self.subTest(messages=messages), self.assertRaises(anthropic.BadRequestError):
                    ask(mocks, messages)
            self.assertEqual(len(wrong), mocks.service("llm")["rejected"])


class Failures(unittest.TestCase):
    def expect(self, failure: str, error: type[Exception], **more):
        with Mocks("--fail", f"llm:100%:{failure}") as mocks:
            with self.assertRaises(error) as raised:
                list(client(mocks, **more).messages.create(model="m", max_tokens=9, messages=USER, stream=True))
            kind = "status" if failure.isdigit() else failure
            self.assertEqual(1, mocks.service("llm")["failures"][kind])
        return raised.exception

    def test_each_is_what_the_client_calls_it(self):
        self.assertEqual("api_error", self.expect("500", anthropic.InternalServerError).body["error"]["type"])
        overloaded = self.expect("529", anthropic.APIStatusError)
        self.assertEqual((529, "overloaded_error"), (overloaded.status_code, overloaded.body["error"]["type"]))
        self.assertEqual("rate_limit_error", self.expect("429", anthropic.RateLimitError).body["error"]["type"])
        self.expect("refuse", anthropic.APIConnectionError)
        self.expect("hang", anthropic.APITimeoutError, timeout=0.5)
        self.expect("cut", Exception)
        self.expect("garbage", Exception)


if __name__ == "__main__":
    unittest.main()
