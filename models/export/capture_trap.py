"""Writes test/fixtures/capture/ends-in-squeeze.onnx, a graph that capture computes wrongly.

onnxruntime-web 1.30 turns a Squeeze or Reshape before a graph output into a buffer copy, which a
captured graph does not replay. x [1, 1, 4, 4] -> y = 20 * sigmoid(x) [1, 4, 4].

    python models/export/capture_trap.py test/fixtures/capture/ends-in-squeeze.onnx
"""

import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save


def main(path: str) -> None:
    graph = helper.make_graph(
        [
            helper.make_node("Sigmoid", ["x"], ["a"]),
            helper.make_node("Mul", ["a", "twenty"], ["b"]),
            helper.make_node("Squeeze", ["b", "axis"], ["y"]),
        ],
        "ends-in-squeeze",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 4])],
        [
            numpy_helper.from_array(np.float32(20), "twenty"),
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    save(model, path)


if __name__ == "__main__":
    main(sys.argv[1])
