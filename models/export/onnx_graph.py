"""What every exported graph goes through: tidying, the operator check, metadata, saving."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
from onnx import TensorProto

OPERATOR_FILE = Path(__file__).with_name("webgpu_operators.txt")
RELABELLING = {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"}
BOOLEAN_RESULTS = {
    "And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or",
}  # fmt: skip
FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16}


class OperatorError(ValueError):
    """The graph holds nodes that WebGPU would not run."""


def operator(node: onnx.NodeProto) -> str:
    """Name a node's operator; the domain goes in front unless it is ONNX's own."""
    return f"{node.domain}:{node.op_type}" if node.domain else node.op_type


def histogram(model: onnx.ModelProto) -> Counter[str]:
    """Count the graph's nodes by operator."""
    return Counter(operator(node) for node in model.graph.node)


def read_operators(path: Path = OPERATOR_FILE) -> tuple[set[str], dict[str, str]]:
    """Read the allow-list: the allowed operators, and the refused ones with their remedies."""
    allowed: set[str] = set()
    refused: dict[str, str] = {}
    section = ""
    for line in path.read_text().splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("["):
            section = text.strip("[]")
        elif section == "refused":
            name, remedy = text.rsplit(": ", 1)
            refused[name] = remedy
        else:
            allowed.add(text)
    return allowed, refused


def element_types(model: onnx.ModelProto) -> dict[str, int]:
    """Infer the element type of every tensor in the graph."""
    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.graph.node.extend(model.graph.node)
    light.graph.input.extend(model.graph.input)
    light.graph.output.extend(model.graph.output)
    types = {}
    for tensor in model.graph.initializer:
        types[tensor.name] = tensor.data_type
        if len(tensor.raw_data) < 1024:
            light.graph.initializer.append(tensor)
            continue
        # Inference serialises the model, which may weigh more than protobuf's 2 GB.
        shape = list(tensor.dims)
        light.graph.input.append(
            onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, shape)
        )
    graph = onnx.shape_inference.infer_shapes(light).graph
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    for node in model.graph.node:
        # onnx knows nothing of com.microsoft, nor of what follows such a node.
        for name in node.output:
            if not types.get(name):
                types[name] = _output_type(node, types)
    return types


def _output_type(node: onnx.NodeProto, types: dict[str, int]) -> int:
    """Guess a node's output type from its inputs'."""
    if node.op_type == "Cast":
        return next(entry.i for entry in node.attribute if entry.name == "to")
    if node.op_type in BOOLEAN_RESULTS:
        return TensorProto.BOOL
    if node.op_type in ("Shape", "Size", "ArgMax"):
        return TensorProto.INT64
    first = 1 if node.op_type == "Where" else 0
    return types.get(node.input[first], TensorProto.UNDEFINED)


def check_operators(model: onnx.ModelProto) -> None:
    """Raise OperatorError, naming node and remedy, unless WebGPU runs the whole graph."""
    allowed, refused = read_operators()
    types = element_types(model)
    problems = []
    for node in model.graph.node:
        name = operator(node)
        if name not in allowed:
            problems.append(f"{name} ({node.name}): {refused.get(name, 'not known to run')}")
        elif name == "Cast" and types.get(node.input[0]) == TensorProto.INT64:
            if types.get(node.output[0]) in FLOATS:
                problems.append(f"Cast int64 to float ({node.name}): keep the number an integer")
    if problems:
        raise OperatorError(
            f"{len(problems)} nodes would leave the GPU; {OPERATOR_FILE.name} lists what may be "
            "used:\n  " + "\n  ".join(problems)
        )


def check_outputs(model: onnx.ModelProto) -> None:
    """Raise OperatorError if a graph output is made by an operator that only relabels a tensor.

    Such a node becomes a copy into the output's buffer, and WebGPU graph capture records kernels
    only: with onnxruntime-web 1.30.0 the output lacks the last kernel, or stays as the first run
    left it where the caller gave the buffer.
    """
    outputs = {value.name for value in model.graph.output}
    for node in model.graph.node:
        if node.op_type in RELABELLING and outputs.intersection(node.output):
            raise OperatorError(
                f"the output {node.output[0]} comes from {node.op_type}, which graph capture gets "
                "wrong; move it before the last computing operator"
            )


def tidy(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what inference has no use for (traces, inferred shapes) and shorten the names.

    Graph inputs and outputs keep their names.
    """
    graph = model.graph
    del graph.value_info[:]
    del graph.metadata_props[:]
    del model.functions[:]
    model.doc_string = graph.doc_string = ""
    kept = {value.name for value in (*graph.input, *graph.output)}
    short: dict[str, str] = {"": ""}

    def rename(name: str, prefix: str) -> str:
        if name in kept:
            return name
        return short.setdefault(name, f"{prefix}{len(short)}")

    for tensor in graph.initializer:
        tensor.name = rename(tensor.name, "w")
        tensor.doc_string = ""
        del tensor.metadata_props[:]
    for index, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{index}"
        node.doc_string = ""
        del node.metadata_props[:]
        node.input[:] = [rename(name, "t") for name in node.input]
        node.output[:] = [rename(name, "t") for name in node.output]
    graph.name = "depth"
    return model


def name_dimensions(value: onnx.ValueInfoProto, names: tuple[str | int, ...]) -> None:
    """Give a tensor's dimensions these names or sizes."""
    for dimension, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
        dimension.Clear()
        if isinstance(name, int):
            dimension.dim_value = name
        else:
            dimension.dim_param = name


def set_metadata(model: onnx.ModelProto, entries: dict[str, str]) -> None:
    """Replace the model's metadata_props."""
    del model.metadata_props[:]
    for key, value in entries.items():
        model.metadata_props.add(key=key, value=value)


def save(model: onnx.ModelProto, path: Path, external: bool) -> None:
    """Write the model; with `external`, its weights move to `<path>_data`, a new file beside it."""
    if not external:
        path.write_bytes(model.SerializeToString())
        return
    data = f"{path.name}_data"
    onnx.save(model, path, save_as_external_data=True, location=data, size_threshold=1024)
