#!/usr/bin/env python3
"""Make bench/graphs: Depth Anything graphs of the true sizes, whose weights are a rule.

Each graph is what depth.py exports, with its large weights replaced by references to a file that
src/models/random_weights.ts writes. The last two convolutions are calibrated for those weights, so
that the depth varies; graphs.json keeps a probe of the output to compare with.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from depth import export_graph, metadata
from depth_model import random_model
from float16 import to_float16
from onnx_graph import check_operators, histogram, set_metadata
from random_weights import Run, extract, fill

FOLDER = Path(__file__).resolve().parents[2] / "bench" / "graphs"
SIDE = 518
MAX_DEPTH = 20
SEED = 3
# The input image of the probe: drawn by the same rule, from bytes that no weight has.
PROBE = {"offset": 2**31, "bytes": 4 * 3 * SIDE * SIDE, "type": "float32"}
PROBE |= {"mean": 0, "deviation": 1}
PROBE_STEP = 19_997


class Skeleton:
    """A graph without weights, in a folder with the data file that it refers to."""

    def __init__(self, name: str, graph: onnx.ModelProto, folder: Path) -> None:
        self.graph = graph
        self.path = folder / f"{name}.onnx"
        data = folder / f"{name}.onnx_data"
        self.runs: list[Run] = extract(graph, data.name)
        with data.open("wb") as file:
            for run in self.runs:
                file.write(fill(run).tobytes())

    def run(self, tensor: str) -> np.ndarray:
        """Compute one tensor of the graph for the probe image."""
        graph = onnx.ModelProto()
        graph.CopyFrom(self.graph)
        if tensor not in {output.name for output in graph.graph.output}:
            graph.graph.output.append(onnx.ValueInfoProto(name=tensor))
        self.path.write_bytes(graph.SerializeToString())
        session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])
        image = fill(PROBE).reshape(1, 3, SIDE, SIDE)
        return session.run([tensor], {session.get_inputs()[0].name: image})[0]

    def calibrate(self) -> None:
        """Centre the last two convolutions as depth_model.calibrate does; their biases are inline.

        Only shifts and the last scale are needed: the weights' deviation is already right.
        """
        weights = {tensor.name: tensor for tensor in self.graph.graph.initializer}
        hidden, last = [node for node in self.graph.graph.node if node.op_type == "Conv"][-2:]
        for node, target, scaled in ((hidden, 0.7, False), (last, -0.3, True)):
            output = self.run(node.output[0]).astype(np.float64)
            scale = 1 / output.std() if scaled else 1
            bias = numpy_helper.to_array(weights[node.input[2]])
            centred = (bias - output.mean(axis=(0, 2, 3))) * scale + target
            replace(weights[node.input[2]], centred)
            if scaled:
                kernel = weights[node.input[1]]
                replace(kernel, numpy_helper.to_array(kernel) * scale)


def replace(tensor: onnx.TensorProto, values: np.ndarray) -> None:
    """Put rounded values into an inline initialiser, keeping name, type and shape."""
    stored = numpy_helper.to_array(tensor)
    assert stored.shape == values.shape, tensor.name
    tensor.CopyFrom(numpy_helper.from_array(values.round(4).astype(stored.dtype), tensor.name))


def make(name: str, graph: onnx.ModelProto, dtype: str) -> dict[str, object]:
    """Write one compressed skeleton; returns its entry for graphs.json."""
    with tempfile.TemporaryDirectory() as folder:
        skeleton = Skeleton(name, graph, Path(folder))
        skeleton.calibrate()
        depth = skeleton.run(skeleton.graph.graph.output[0].name)
    packed = gzip.compress(skeleton.graph.SerializeToString(), 9, mtime=0)
    (FOLDER / f"{name}.onnx.gz").write_bytes(packed)
    bytes_ = int(skeleton.runs[-1]["offset"]) + int(skeleton.runs[-1]["bytes"])
    print(f"{name}: {len(packed)} bytes packed, {bytes_} of data, {len(skeleton.runs)} runs")
    print(f"  {dict(histogram(skeleton.graph).most_common())}")
    print(f"  depth {depth.min():.3f} to {depth.max():.3f}, deviation {depth.std():.3f}")
    return {
        "dtype": dtype,
        "input": graph.graph.input[0].name,
        "output": graph.graph.output[0].name,
        "dataBytes": bytes_,
        "runs": skeleton.runs,
        "probe": {
            "mean": round(float(depth.mean()), 4),
            "deviation": round(float(depth.std()), 4),
            "values": [round(float(value), 4) for value in depth.ravel()[::PROBE_STEP]],
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoders", nargs="+", default=["vits", "vitb", "vitl"])
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    index = FOLDER / "graphs.json"
    known = json.loads(index.read_text())["graphs"] if index.exists() else {}
    for encoder in options.encoders:
        for suffix, size in (("", (SIDE, SIDE)), ("-dynamic", None)):
            model = random_model(encoder, "metric", MAX_DEPTH, SEED)
            description = metadata(model, "random weights", "fp32")
            single = export_graph(model, size)
            del model
            for dtype in ("fp32", "fp16"):
                graph = single if dtype == "fp32" else half
                if dtype == "fp32":
                    half = to_float16(single)
                    check_operators(half)
                set_metadata(graph, {**description, "dtype": dtype})
                name = f"depth-{encoder}{'-fp16' if dtype == 'fp16' else ''}{suffix}"
                known[name] = make(name, graph, dtype)
            del single, half, graph
    head = {"probeInput": PROBE, "probeStep": PROBE_STEP}
    text = json.dumps({**head, "graphs": dict(sorted(known.items()))}, indent=2)
    index.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
