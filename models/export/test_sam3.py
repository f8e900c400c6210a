"""The SAM 3 exporter's own parts against independent ones."""

from __future__ import annotations

import unittest

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional as F

from byte_weights import coarse, coarser, pack, to_bytes
from float16 import to_float16
from sam3_layers import HIDDEN, RoiWeights, attend, query_pieces, score_bias


def roi_align(features: np.ndarray, corners: np.ndarray, size: int) -> np.ndarray:
    """Run ONNX RoiAlign: [C, H, W] and boxes [n, 4] in cells to [n, C, size, size]."""
    node = helper.make_node(
        "RoiAlign", ["x", "boxes", "rows"], ["y"], mode="avg", output_height=size,
        output_width=size, sampling_ratio=0, spatial_scale=1.0,
        coordinate_transformation_mode="output_half_pixel",
    )  # fmt: skip
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *features.shape]),
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, corners.shape),
        helper.make_tensor_value_info("rows", TensorProto.INT64, [len(corners)]),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "roi", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rows = np.zeros(len(corners), np.int64)
    return session.run(None, {"x": features[None], "boxes": corners, "rows": rows})[0]


class Roi(unittest.TestCase):
    def test_equals_roi_align(self) -> None:
        random = np.random.default_rng(5)
        for size, height, width in ((7, 72, 72), (3, 9, 13)):
            features = random.normal(size=(4, height, width)).astype(np.float32)
            low = random.uniform(0, 0.7, (40, 2))
            high = low + random.uniform(0.005, 1, (40, 2)) * (1 - low)
            corners = np.concatenate((low, high), axis=1)
            corners[0] = (0, 0, 1, 1)
            corners[1] = (0.999, 0.999, 1, 1)
            boxes = np.concatenate(
                ((corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]), axis=1
            ).astype(np.float32)
            half = boxes[:, 2:] * np.float32(0.5)
            cells = np.concatenate((boxes[:, :2] - half, boxes[:, :2] + half), axis=1)
            cells *= np.array([width, height, width, height], np.float32)
            expected = roi_align(features, cells, size)
            weights = RoiWeights(size, height, width)(torch.from_numpy(boxes)[None])[0]
            flat = torch.from_numpy(features).flatten(1)
            actual = (weights @ flat.T).transpose(1, 2).reshape(expected.shape).numpy()
            np.testing.assert_allclose(actual, expected, atol=2e-4)
            shifted = RoiWeights(size, height, width)(torch.from_numpy(boxes + 0.02)[None])[0]
            self.assertGreater(float((shifted - weights).abs().max()), 1e-2)


class Attention(unittest.TestCase):
    def test_pieces_and_hidden_keys(self) -> None:
        generator = torch.Generator().manual_seed(1)
        query, key, value = (torch.randn(2, 3, 12, 8, generator=generator) for _ in range(3))
        visible = torch.arange(12)[None] < torch.tensor([[12], [7]])
        mask = visible[:, None, None]
        expected = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        for pieces in (1, 4):
            actual = attend(query, key, value, score_bias(visible), pieces)
            torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)
        self.assertEqual(float(torch.softmax(torch.tensor([0.0, HIDDEN]), 0)[1]), 0)

    def test_scores_fit_a_storage_buffer(self) -> None:
        pieces = query_pieces(16, 5184, 5184)
        self.assertEqual(5184 % pieces, 0)
        self.assertLessEqual(16 * (5184 // pieces) * 5184 * 4, 128 * 1024 * 1024)
        self.assertEqual(query_pieces(2, 81, 81), 1)


class Bytes(unittest.TestCase):
    def test_packs_only_what_stays_exact(self) -> None:
        values = coarse(torch.randn(20, 10, generator=torch.Generator().manual_seed(2))).numpy()
        steps, step = to_bytes(values)
        np.testing.assert_array_equal(steps.astype(np.float32) * step, values)
        self.assertIsNone(to_bytes(np.random.default_rng(3).normal(size=100).astype(np.float32)))

    def test_packed_graph_gives_the_same_bits(self) -> None:
        random = np.random.default_rng(4)
        weight = coarse(torch.from_numpy(random.normal(size=(16, 16)).astype(np.float32))).numpy()
        x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 16]) for name in "xy")
        stored = [numpy_helper.from_array(weight, "w")]
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
        graph = helper.make_graph([node], "t", [x], [y], stored)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        packed = pack(model)
        self.assertEqual([node.op_type for node in packed.graph.node], ["Cast", "Mul", "MatMul"])
        value = random.normal(size=(2, 16)).astype(np.float32)
        first, second = (
            onnxruntime.InferenceSession(one.SerializeToString()).run(None, {"x": value})[0]
            for one in (model, packed)
        )
        np.testing.assert_array_equal(first, second)


class Coarser(unittest.TestCase):
    def test_has_few_levels_and_about_the_variance_it_had(self) -> None:
        generator = torch.Generator().manual_seed(6)
        for deviation in np.geomspace(0.02, 0.04, 7):
            values = deviation * torch.randn(64, 64, generator=generator)
            few = coarser(values)
            self.assertLessEqual(len(few.unique()), 9)
            self.assertLess(abs(few.std().item() / deviation - 1), 0.25)
            steps, step = to_bytes(few.numpy())
            np.testing.assert_array_equal(steps * step, few.numpy())


class Half(unittest.TestCase):
    def test_keeps_named_nodes_and_several_outputs(self) -> None:
        x, y, z = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xyz")
        nodes = [
            helper.make_node("Sin", ["x"], ["a"], name="kept"),
            helper.make_node("Mul", ["a", "a"], ["y"], name="m"),
            helper.make_node("Add", ["y", "a"], ["z"], name="n"),
        ]
        graph = helper.make_graph(nodes, "t", [x], [y, z])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        half = to_float16(model, frozenset({"kept"}))
        (sine,) = (node for node in half.graph.node if node.op_type == "Sin")
        self.assertEqual(list(sine.input), ["x"])
        onnx.checker.check_model(half)
        value = np.array([0.3, 1.2], np.float32)
        found = onnxruntime.InferenceSession(half.SerializeToString()).run(None, {"x": value})
        expected = [np.sin(value) ** 2, np.sin(value) ** 2 + np.sin(value)]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-3)


if __name__ == "__main__":
    unittest.main()
