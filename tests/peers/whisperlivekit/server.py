"""WhisperLiveKit's own server with a model that says the next of its words for each half second of sound. Its detector
of speech, which wants torch, is replaced by one of loudness. Options are those of the server."""

import sys

from standins import stand_in_for

stand_in_for("torch", "torchaudio", "tiktoken", "librosa", "triton", "faster_whisper", "numba", "tokenizers", "ctranslate2")

import numpy as np
import whisperlivekit.audio_processor as audio_processor
import whisperlivekit.core as core
import whisperlivekit.silero_vad_iterator as detector
from whisperlivekit.timed_objects import ASRToken

RATE = 16_000
STEP_S = 0.5
WORDS = "the quick brown fox jumps over the lazy dog .".split()
# Samples of a window of the detector, and of the silence that ends speech.
WINDOW, SILENCE = 512, 4_800


class Model:
    sep = ""
    backend_choice = "stub"
    confidence_validation = False
    tokenizer = None
    buffer_trimming = "segment"
    buffer_trimming_sec = 15
    original_language = "en"

    def __init__(self):
        self.transcribe_kargs = {}

    def transcribe(self, audio, init_prompt=""):
        return len(audio) / RATE if np.abs(audio).max(initial=0) > 0.005 else 0.0

    def ts_words(self, seconds):
        count = int(seconds / STEP_S)
        spoken = (" " + WORDS[at % len(WORDS)] for at in range(count))
        return [ASRToken(at * STEP_S, (at + 1) * STEP_S, word, probability=0.9) for at, word in enumerate(spoken)]

    def segments_end_ts(self, seconds):
        return [seconds] if seconds else []

    def use_vad(self):
        pass


class Loudness:
    """What the server's detector tells: `{"start": n}` and `{"end": n}`, in samples since the stream began."""

    def __init__(self, *_):
        self.reset_states()

    def reset_states(self):
        self.waiting = np.array([], np.float32)
        self.heard = self.quiet = 0
        self.speaks = False

    def __call__(self, samples, return_seconds=False):
        self.waiting = np.append(self.waiting, samples)
        events = []
        while len(self.waiting) >= WINDOW:
            window, self.waiting = self.waiting[:WINDOW], self.waiting[WINDOW:]
            self.heard += WINDOW
            events += self.judge(np.abs(window).max() > 0.02)
        return events

    def judge(self, loud):
        if loud:
            self.quiet = 0
            if not self.speaks:
                self.speaks = True
                yield {"start": max(0, self.heard - WINDOW)}
        elif self.speaks:
            self.quiet += WINDOW
            if self.quiet >= SILENCE:
                self.speaks = False
                yield {"end": self.heard - self.quiet}


core.backend_factory = lambda **_: Model()
audio_processor.FixedVADIterator = Loudness
audio_processor.OnnxWrapper = lambda session=None: None
audio_processor.load_jit_vad = lambda: None
detector.is_onnx_available = lambda: False
sys.argv += ["--backend", "faster-whisper", "--backend-policy", "localagreement", "--warmup-file", ""]

if __name__ == "__main__":
    import uvicorn
    from whisperlivekit.basic_server import app, config

    uvicorn.run(app, host=config.host, port=config.port)
