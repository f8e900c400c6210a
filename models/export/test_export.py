"""The exporter's checks, each with a graph that passes and one that must not."""

from __future__ import annotations

import unittest

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from float16 import to_float16
from official_depth import target_size
from onnx_graph import OperatorError, check_operators, check_outputs, histogram
from random_weights import distribution, extract, fill

node = helper.make_node


def graph(*nodes: NodeProto, weights: dict[str, np.ndarray] | None = None) -> ModelProto:
    """Build a model from x to y, both float32 [1, 4]."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    stored = [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    inner = helper.make_graph(list(nodes), "test", [x], [y], stored)
    return helper.make_model(inner, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


class Operators(unittest.TestCase):
    def test_refuses_what_leaves_the_gpu_and_says_what_to_write(self) -> None:
        check_operators(graph(node("Relu", ["x"], ["y"])))
        with self.assertRaisesRegex(OperatorError, "Round.*Floor"):
            check_operators(graph(node("Round", ["x"], ["y"])))
        with self.assertRaisesRegex(OperatorError, "not known to run"):
            check_operators(graph(node("Det", ["x"], ["y"])))

    def test_refuses_integers_cast_to_floats(self) -> None:
        shape = node("Shape", ["x"], ["s"])
        with self.assertRaisesRegex(OperatorError, "int64"):
            check_operators(graph(shape, node("Cast", ["s"], ["y"], to=TensorProto.FLOAT)))
        argmax = node("Greater", ["x", "x"], ["b"])
        check_operators(graph(argmax, node("Cast", ["b"], ["y"], to=TensorProto.FLOAT)))

    def test_refuses_outputs_that_are_only_relabelled(self) -> None:
        shape = {"shape": np.array([1, 4])}
        reshape = [node("Relu", ["x"], ["a"]), node("Reshape", ["a", "shape"], ["y"])]
        with self.assertRaisesRegex(OperatorError, "Reshape"):
            check_outputs(graph(*reshape, weights=shape))
        reshape = [node("Reshape", ["x", "shape"], ["a"]), node("Relu", ["a"], ["y"])]
        check_outputs(graph(*reshape, weights=shape))


class Float16(unittest.TestCase):
    def test_keeps_softmax_and_the_interface_in_float32(self) -> None:
        weights = {"w": np.ones((4, 4), np.float32)}
        model = graph(
            node("MatMul", ["x", "w"], ["a"]), node("Softmax", ["a"], ["y"]), weights=weights
        )
        half = to_float16(model)
        types = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
        self.assertEqual(types, {"w_half": TensorProto.FLOAT16})
        # x down for the product, a up for the Softmax; y is float32 already.
        self.assertEqual(histogram(half), {"Cast": 2, "MatMul": 1, "Softmax": 1})
        self.assertEqual(half.graph.output[0].type.tensor_type.elem_type, TensorProto.FLOAT)

    def test_refuses_weights_beyond_its_range(self) -> None:
        weights = {"w": np.full((4, 4), 1e5, np.float32)}
        with self.assertRaisesRegex(ValueError, "65504"):
            to_float16(graph(node("MatMul", ["x", "w"], ["y"]), weights=weights))


class RandomWeights(unittest.TestCase):
    def test_moves_large_weights_out_and_refills_them_alike(self) -> None:
        values = np.random.default_rng(0).normal(1, 0.1, (4, 400)).astype(np.float32)
        weights = {"w": values, "small": np.ones(4, np.float32)}
        matmul = node("MatMul", ["x", "w"], ["a"])
        model = graph(matmul, node("Add", ["x", "small"], ["y"]), weights=weights)
        (run,) = extract(model, "file")
        self.assertEqual((run["offset"], run["bytes"], run["mean"]), (0, 6400, 1))
        self.assertEqual(distribution(fill(run)), distribution(values))
        self.assertLess(len(model.SerializeToString()), 600)


class Official(unittest.TestCase):
    def test_target_sizes(self) -> None:
        self.assertEqual(target_size(640, 480, 518), (686, 518))
        self.assertEqual(target_size(640, 424, 518), (784, 518))
        # 77 / 14 and 91 / 14 lie half-way: both go to the even 6.
        self.assertEqual(target_size(77, 70, 70), (84, 70))
        self.assertEqual(target_size(91, 70, 70), (84, 70))


if __name__ == "__main__":
    unittest.main()
