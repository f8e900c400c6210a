"""Traces a part of SAM 3 into a checked ONNX graph."""

from __future__ import annotations

import logging
import warnings

import onnx
import torch
from transformers import Sam3VideoModel

from onnx_graph import check_operators, check_outputs, name_dimensions, tidy
from sam3_layers import Float32
from sam3_parts import Part, example

OPSET = 18
FLOAT32_CLASSES = tuple(
    f"{kind.__module__}.{kind.__qualname__}" for kind in Float32.__subclasses__()
)
CLASSES = "pkg.torch.onnx.class_hierarchy"
# Free dimensions while tracing: all different, none 1, so that nothing is specialised.
TRACED = {
    "images": 2,
    "prompts": 3,
    "boxes": 4,
    "objects": 3,
    "points": 5,
    "slots": 4,
    "pointers": 6,
}


def kept_float32(graph: onnx.GraphProto) -> set[int]:
    """Find the nodes that stem from a module of type Float32, by position."""
    kept = set()
    for index, node in enumerate(graph.node):
        entries = {entry.key: entry.value for entry in node.metadata_props}
        if any(name in entries.get(CLASSES, "") for name in FLOAT32_CLASSES):
            kept.add(index)
    return kept


def export_part(model: Sam3VideoModel, part: Part) -> tuple[onnx.ModelProto, set[str]]:
    """Trace one part into a tidy float32 graph; also names the nodes that must stay float32."""
    module = part.build(model).eval()
    names = list(part.inputs)
    inputs = tuple(example(entry, TRACED) for entry in part.inputs.values())
    sides = {
        side for entry in part.inputs.values() for side in entry.shape if isinstance(side, str)
    }
    free = {side: torch.export.Dim(side, min=1, max=4096) for side in sides}
    dynamic = tuple(
        {axis: free[side] for axis, side in enumerate(entry.shape) if isinstance(side, str)}
        for entry in part.inputs.values()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            inputs,
            input_names=names,
            output_names=list(part.outputs),
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            dynamo=True,
            verbose=False,
        )
    graph = program.model_proto
    kept = kept_float32(graph.graph)
    graph = tidy(graph)
    graph.graph.name = "sam3"
    float32 = {node.name for index, node in enumerate(graph.graph.node) if index in kept}
    for value in graph.graph.input:
        shape = part.inputs[value.name].shape
        if value.name in part.broadcast:
            shape = ("images", *shape[1:])
        name_dimensions(value, shape)
    for value in graph.graph.output:
        name_dimensions(value, part.outputs[value.name])
    domains = {entry.domain for entry in graph.opset_import}
    used = {node.domain for node in graph.graph.node}
    for missing in sorted(used - domains):
        graph.opset_import.append(onnx.helper.make_opsetid(missing, 1))
    check_operators(graph)
    check_outputs(graph)
    return graph, float32

