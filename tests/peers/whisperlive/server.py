"""WhisperLive's own server with a model that says the next of its words for each half second of sound, and completes a
segment every two seconds. It serves two clients at once, for 12 s each."""

import sys
from types import SimpleNamespace

from standins import stand_in_for

stand_in_for(
    "torch", "torchaudio", "faster_whisper", "ctranslate2", "huggingface_hub", "tokenizers", "av", "onnxruntime", "tqdm",
    "numba", "librosa", "soundfile", "kaldialign", "pyaudio",
)

import numpy as np
import whisper_live.backend.faster_whisper_backend as backend
import whisper_live.server as server

RATE = 16_000
STEP_S = 0.5
SEGMENT_S = 2.0
WORDS = "the quick brown fox jumps over the lazy dog .".split()


class Model:
    def __init__(self, *_, **__):
        pass

    def transcribe(self, audio, **_):
        seconds = len(audio) / RATE
        info = SimpleNamespace(language="en", language_probability=0.99, duration=seconds, duration_after_vad=seconds)
        loud = np.flatnonzero(np.abs(audio) > 0.02)
        if not len(loud):
            return [], info
        start, end = loud[0] / RATE, (loud[-1] + 1) / RATE
        return list(segments(start, end)), info


def segments(start: float, end: float):
    """Of the sound between two silences."""
    said = 0
    at = start
    while at < end:
        until = min(at + SEGMENT_S, end)
        count = max(1, round((until - at) / STEP_S))
        words = " ".join(WORDS[n % len(WORDS)] for n in range(said, said + count))
        yield SimpleNamespace(start=at, end=until, text=" " + words, no_speech_prob=0.01, words=None)
        said, at = said + count, until


backend.WhisperModel = Model
server.WhisperModel = Model

if __name__ == "__main__":
    server.TranscriptionServer().run(
        "127.0.0.1", port=int(sys.argv[1]), backend="faster_whisper", max_clients=2, max_connection_time=12,
    )
