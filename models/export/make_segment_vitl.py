#!/usr/bin/env python3
"""Make bench/graphs/segment-vitl.onnx.gz: an encoder of true size for segment-mini's decoders.

It is the ViT-L of bench/graphs/depth-vitl (all 24 blocks, 518 x 518, 1,370 tokens) without the
depth head, and reads that graph's data file. Its last tokens are cut and resized to the shapes that
segment-mini's decoders take, without further weights: the encoder costs what it costs, and what the
decoders make of it means nothing.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_graph import check_operators, set_metadata

ROOT = Path(__file__).resolve().parents[2]
GRAPHS = ROOT / "bench" / "graphs"
MINI = ROOT / "models" / "embedded" / "segment-mini" / "vision-encoder.onnx"
SIDE, GRID = 518, 37


def trunk() -> tuple[onnx.ModelProto, list[onnx.NodeProto], str]:
    """Read depth-vitl without weights: the graph, its nodes up to the last norm, and its output."""
    graph = onnx.ModelProto.FromString(
        gzip.decompress((GRAPHS / "depth-vitl.onnx.gz").read_bytes())
    )
    nodes = list(graph.graph.node)
    last = max(k for k, node in enumerate(nodes) if node.op_type == "LayerNormalization")
    return graph, nodes[: last + 1], nodes[last].output[0]


def needed(nodes: list[onnx.NodeProto], tensor: str) -> list[onnx.NodeProto]:
    """List the nodes that a tensor depends on, in order."""
    wanted, kept = {tensor}, []
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    return kept[::-1]


def shapes() -> dict[str, list[int]]:
    """Read the outputs that segment-mini's own encoder has, without the batch."""
    outputs = onnx.load(MINI).graph.output
    return {o.name: [d.dim_value for d in o.type.tensor_type.shape.dim][1:] for o in outputs}


def main() -> int:
    model, nodes, tokens = trunk()
    nodes = needed(nodes, tokens)
    constants = {
        "neck_first": [1], "neck_end": [1 + GRID * GRID], "neck_tokens": [1], "neck_channels": [1],
        "neck_zero": [0], "neck_grid": [1, 1024, GRID, GRID],
    }
    nodes += [
        helper.make_node(
            "Slice", [tokens, "neck_first", "neck_end", "neck_tokens"], ["neck_patches"]
        ),
        helper.make_node("Transpose", ["neck_patches"], ["neck_maps"], perm=[0, 2, 1]),
        helper.make_node("Reshape", ["neck_maps", "neck_grid"], ["neck_square"]),
    ]
    outputs = []
    for name, (channels, height, width) in shapes().items():
        constants |= {f"{name}_count": [channels], f"{name}_sizes": [1, channels, height, width]}
        nodes += [
            helper.make_node(
                "Slice",
                ["neck_square", "neck_zero", f"{name}_count", "neck_channels"],
                [f"{name}_cut"],
            ),
            helper.make_node(
                "Resize", [f"{name}_cut", "", "", f"{name}_sizes"], [name],
                mode="linear", coordinate_transformation_mode="half_pixel",
            ),
        ]
        shape = [1, channels, height, width]
        outputs.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    used = {name for node in nodes for name in node.input}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in used]
    weights += [
        numpy_helper.from_array(np.array(values, np.int64), name)
        for name, values in constants.items()
    ]
    for node in nodes:
        node.input[:] = ["pixel_values" if name == "image" else name for name in node.input]
    image = helper.make_tensor_value_info(
        "pixel_values", onnx.TensorProto.FLOAT, [1, 3, SIDE, SIDE]
    )
    graph = helper.make_graph(nodes, "segment-vitl", [image], outputs, weights)
    made = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    check_operators(made)
    set_metadata(made, {
        "family": "sam3-single-backbone", "part": "vision-encoder", "image_size": str(SIDE),
        "mean": "0.5,0.5,0.5", "std": "0.5,0.5,0.5",
        "source": "random weights, ViT-L",
    })
    packed = gzip.compress(made.SerializeToString(), 9, mtime=0)
    (GRAPHS / "segment-vitl.onnx.gz").write_bytes(packed)
    count = sum(int(np.prod(tensor.dims)) for tensor in weights)
    print(f"{len(nodes)} nodes, {count} parameters, {len(packed)} bytes packed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
