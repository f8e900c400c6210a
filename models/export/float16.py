"""Half-precision weights and compute, with float32 where half precision is known to fail."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_graph import element_types

# Norms and Softmax accumulate (DINOv2 is reported to turn black in half floats), and Resize
# computes sampling positions, among them those of the position embedding.
KEPT_FLOAT32 = {"InstanceNormalization", "LayerNormalization", "Softmax", "Resize"}
HALF_MAX = float(np.finfo(np.float16).max)


class _Converter:
    def __init__(
        self, graph: onnx.GraphProto, types: dict[str, int], float32: frozenset[str]
    ) -> None:
        self.types = types
        self.float32 = float32
        self.weights = {tensor.name: tensor for tensor in graph.initializer}
        self.kept_weights: dict[str, onnx.TensorProto] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.casts: dict[tuple[str, int], str] = {}

    def is_float(self, name: str) -> bool:
        return self.types.get(name) in (TensorProto.FLOAT, TensorProto.FLOAT16)

    def weight(self, name: str, target: int) -> str:
        """Store the initialiser in the target type, once for each type it is used in."""
        stored = name if target == TensorProto.FLOAT else f"{name}_half"
        if stored not in self.kept_weights:
            tensor = self.weights[name]
            if target == TensorProto.FLOAT16:
                values = numpy_helper.to_array(tensor)
                if np.abs(values).max(initial=0) > HALF_MAX:
                    raise ValueError(f"weight {name} holds values above {HALF_MAX}, half's largest")
                tensor = numpy_helper.from_array(values.astype(np.float16), stored)
            self.kept_weights[stored] = tensor
        return stored

    def as_type(self, name: str, target: int) -> str:
        """Name a tensor that holds `name` in the target type, adding at most one Cast."""
        if name in self.weights:
            return self.weight(name, target)
        if self.types[name] == target:
            return name
        key = (name, target)
        if key not in self.casts:
            cast = f"{name}_{'half' if target == TensorProto.FLOAT16 else 'float'}"
            self.nodes.append(helper.make_node("Cast", [name], [cast], name=cast, to=target))
            self.casts[key] = cast
        return self.casts[key]

    def add(self, node: onnx.NodeProto) -> None:
        if any(attribute.HasField("t") for attribute in node.attribute):
            raise ValueError(f"{node.op_type} {node.name} holds a tensor; fold constants first")
        kept = node.op_type in KEPT_FLOAT32 or node.name in self.float32 or node.op_type == "Cast"
        target = TensorProto.FLOAT if kept else TensorProto.FLOAT16
        for index, name in enumerate(node.input):
            if name and self.is_float(name):
                # Resize's scales are float32 by its schema, as is its region of interest.
                node.input[index] = self.as_type(name, target)
            elif name in self.weights:
                self.kept_weights[name] = self.weights[name]
        for name in node.output:
            if self.is_float(name):
                self.types[name] = target
        self.nodes.append(node)

    def give_output(self, inner: str, name: str) -> None:
        """Make the float32 graph output `name` of the tensor `inner`."""
        if self.types[inner] == TensorProto.FLOAT16:
            cast = helper.make_node("Cast", [inner], [name], name=name, to=TensorProto.FLOAT)
            self.nodes.append(cast)
            return
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [name if other == inner else other for other in names]


def to_float16(
    model: onnx.ModelProto, float32: frozenset[str] = frozenset()
) -> onnx.ModelProto:
    """Return the float32 model in float16; its inputs and outputs stay float32.

    Nodes of KEPT_FLOAT32, those named in `float32`, and the weights that only they use stay float32
    as well. Raises ValueError for a weight beyond half's range.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    converter = _Converter(graph, element_types(model), float32)
    outputs = {value.name: f"{value.name}_inner" for value in graph.output}
    for name, inner in outputs.items():
        converter.types[inner] = TensorProto.FLOAT
    for node in list(graph.node):
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name in outputs:
                    names[index] = outputs[name]
        converter.add(node)
    for name, inner in outputs.items():
        converter.give_output(inner, name)
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(converter.nodes)
    graph.initializer.extend(converter.kept_weights.values())
    return result
