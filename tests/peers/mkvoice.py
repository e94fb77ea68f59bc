"""Makes a tiny voice for Piper, without weights: a tone of 220 Hz, 256 samples for each sound. Usage: mkvoice.py FILE.onnx"""

import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE_HZ = 22_050
# The sounds that the real voices know, one id each.
SOUNDS = (
    "!'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙʛʜʝʟʡʢʲˈˌːˑ˞βθχᵻⱱ"
    "0123456789\u0327\u0303\u032a\u032f\u0329ʰˤε↓#\"↑"
)


def constant(name, value, kind=np.float32):
    return numpy_helper.from_array(np.array(value, dtype=kind), name)


def model():
    """sin(2 pi 220 t), as long as there are sounds; the length scale makes it longer."""
    constants = [
        constant("hop", 256, np.int64), constant("shape", [1, 1, 1, -1], np.int64), constant("first", 1, np.int64),
        constant("zero", 0), constant("one", 1), constant("amplitude", 0.3), constant("nothing", 0),
        constant("step", 2 * np.pi * 220 / RATE_HZ),
    ]
    node = helper.make_node
    nodes = [
        node("ReduceSum", ["input_lengths"], ["sounds"], keepdims=0),
        node("Gather", ["scales", "first"], ["scale"]),
        node("Cast", ["sounds"], ["sounds_f"], to=TensorProto.FLOAT),
        node("Cast", ["hop"], ["hop_f"], to=TensorProto.FLOAT),
        node("Mul", ["sounds_f", "hop_f"], ["usual"]),
        node("Mul", ["usual", "scale"], ["samples"]),
        node("Range", ["zero", "samples", "one"], ["at"]),
        node("Mul", ["at", "step"], ["phase"]),
        node("Sin", ["phase"], ["tone"]),
        node("Mul", ["tone", "amplitude"], ["speech"]),
        # The sounds themselves have to be used.
        node("Cast", ["input"], ["input_f"], to=TensorProto.FLOAT),
        node("ReduceSum", ["input_f"], ["sum"], keepdims=0),
        node("Mul", ["sum", "nothing"], ["silence"]),
        node("Add", ["speech", "silence"], ["whole"]),
        node("Reshape", ["whole", "shape"], ["output"]),
    ]
    value = helper.make_tensor_value_info
    inputs = [
        value("input", TensorProto.INT64, ["batch", "sounds"]),
        value("input_lengths", TensorProto.INT64, ["batch"]),
        value("scales", TensorProto.FLOAT, [3]),
    ]
    outputs = [value("output", TensorProto.FLOAT, ["batch", 1, 1, "time"])]
    graph = helper.make_graph(nodes, "voice", inputs, outputs, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return made


def description():
    ids = {"_": [0], "^": [1], "$": [2], " ": [3]}
    for at, sound in enumerate(SOUNDS):
        ids.setdefault(sound, [4 + at])
    english = {"code": "en_US", "family": "en", "region": "US", "name_native": "English", "name_english": "English",
               "country_english": "United States"}
    return {
        "audio": {"sample_rate": RATE_HZ, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_map": {},
        "phoneme_id_map": ids,
        "num_symbols": 256,
        "num_speakers": 1,
        "speaker_id_map": {},
        "piper_version": "1.0.0",
        "language": english,
        "dataset": "stub",
    }


def main():
    file = sys.argv[1]
    onnx.save(model(), file)
    with open(f"{file}.json", "w", encoding="utf-8") as out:
        json.dump(description(), out)


if __name__ == "__main__":
    main()
