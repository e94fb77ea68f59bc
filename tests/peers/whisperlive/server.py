"""WhisperLive's own server with a model that says the next of its words for each half second of sound; each sound is a
segment, and begins with the first word. It serves two clients at once, for 12 s each."""

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
# Sounds with less between them are one.
GAP_S = 0.3
WORDS = "the quick brown fox jumps over the lazy dog .".split()


class Model:
    def __init__(self, *_, **__):
        pass

    def transcribe(self, audio, **_):
        seconds = len(audio) / RATE
        info = SimpleNamespace(language="en", language_probability=0.99, duration=seconds, duration_after_vad=seconds)
        return list(segments(np.flatnonzero(np.abs(audio) > 0.02) / RATE)), info


def segments(loud):
    """Of the times of loud samples."""
    sounds = np.split(loud, np.flatnonzero(np.diff(loud) > GAP_S) + 1) if len(loud) else []
    for sound in sounds:
        start, end = float(sound[0]), float(sound[-1])
        count = max(1, round((end - start) / STEP_S))
        words = " ".join(WORDS[n % len(WORDS)] for n in range(count))
        yield SimpleNamespace(start=start, end=end, text=" " + words, no_speech_prob=0.01, words=None)


backend.WhisperModel = Model
server.WhisperModel = Model

if __name__ == "__main__":
    server.TranscriptionServer().run(
        "127.0.0.1", port=int(sys.argv[1]), backend="faster_whisper", max_clients=2, max_connection_time=12,
    )
