"""Writes two graphs that onnxruntime-web cannot capture, to test/fixtures/capture.

ends-in-squeeze.onnx is captured and then computed wrongly:
onnxruntime-web 1.30 turns a Squeeze or Reshape before a graph output into a buffer copy, which a
captured graph does not replay. x [1, 1, 4, 4] -> y = 20 * sigmoid(x) [1, 4, 4].

rounds.onnx is refused, because Round runs on the CPU. y = sigmoid(round(x)) [1, 1, 4, 4].

    python models/export/capture_trap.py test/fixtures/capture
"""

import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save


def write(path: str, nodes: list, shape: list[int], weights: list = ()) -> None:
    graph = helper.make_graph(
        nodes,
        "capture-trap",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    save(model, path)


def main(folder: str) -> None:
    node = helper.make_node
    write(
        f"{folder}/ends-in-squeeze.onnx",
        [
            node("Sigmoid", ["x"], ["a"]),
            node("Mul", ["a", "twenty"], ["b"]),
            node("Squeeze", ["b", "axis"], ["y"]),
        ],
        [1, 4, 4],
        [
            numpy_helper.from_array(np.float32(20), "twenty"),
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ],
    )
    write(
        f"{folder}/rounds.onnx",
        [node("Round", ["x"], ["a"]), node("Sigmoid", ["a"], ["y"])],
        [1, 1, 4, 4],
    )


if __name__ == "__main__":
    main(sys.argv[1])
