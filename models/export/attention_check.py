"""Writes the graph of src/compute/webgpu/self_check.ts: one com.microsoft MultiHeadAttention.

Inputs query, key, value [1, S, heads * dim] float32 with S free; output `attention` of that shape.
No weights: the check makes its own inputs and computes the reference itself.

    python models/export/attention_check.py src/compute/webgpu/attention.onnx
"""

import sys

from onnx import TensorProto, checker, helper, save

HEADS = 2
WIDTH = 64  # heads * dim


def main(path: str) -> None:
    shape = [1, "sequence", WIDTH]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name in ("query", "key", "value")
    ]
    output = helper.make_tensor_value_info("attention", TensorProto.FLOAT, shape)
    node = helper.make_node(
        "MultiHeadAttention",
        ["query", "key", "value"],
        ["attention"],
        domain="com.microsoft",
        num_heads=HEADS,
    )
    graph = helper.make_graph([node], "attention-check", inputs, [output])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    checker.check_model(model)
    save(model, path)


if __name__ == "__main__":
    main(sys.argv[1])
