#!/usr/bin/env python3
"""Export a Depth Anything model to ONNX, in the contract of the published graphs.

The checkpoint is a transformers folder (config.json with model.safetensors), such as a download of
depth-anything/Depth-Anything-V2-Small-hf or -Metric-Indoor-Small-hf; original .pth files must be
converted to that form first. Its config says whether the model is relative or metric.

  relative: pixel_values float32 [batch, 3, height, width] -> predicted_depth [batch, height, width]
            disparity-like, larger is nearer, no unit
  metric:   image float32 [batch, 3, height, width] -> depth [batch, height, width]
            metres up to max_depth, larger is farther

Height and width are multiples of 14; the input is normalised by ImageNet's mean and deviation.
The graph is refused if any node would leave the GPU under onnxruntime-web's WebGPU provider, and
its outputs are compared with PyTorch's at several sizes before the file is written.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
import torch
from transformers import DepthAnythingForDepthEstimation

from depth_model import (
    ARCHITECTURES,
    CONTRACTS,
    ExportedDepth,
    encoder_name,
    load_checkpoint,
    random_model,
    smooth_noise,
)
from float16 import to_float16
from onnx_graph import (
    OperatorError,
    check_operators,
    check_outputs,
    histogram,
    name_dimensions,
    save,
    set_metadata,
    tidy,
)

# Largest |onnx - torch| / (|torch| + 5 % of the largest |torch|). Float32 differs by the order of
# sums alone; half floats carry 11 bits through every layer.
TOLERANCES = {"fp32": 1e-3, "fp16": 3e-2}
PATCH = 14
OPSET = 18

Size = tuple[int, int, int]


def export_graph(
    model: DepthAnythingForDepthEstimation, size: tuple[int, int] | None
) -> onnx.ModelProto:
    """Trace the model (which is altered) into a tidy float32 ONNX graph, checked for WebGPU.

    With `size` (height, width) every dimension is fixed and the batch is 1.
    """
    kind = model.config.depth_estimation_type
    input_name, output_name = CONTRACTS[kind]
    height, width = size or (8 * PATCH, 11 * PATCH)
    example = torch.zeros(1 if size else 2, 3, height, width)
    dynamic = None
    if size is None:
        batch, rows, columns = (torch.export.Dim(name, min=1, max=4096) for name in "bhw")
        dynamic = ({0: batch, 2: PATCH * rows, 3: PATCH * columns},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            ExportedDepth(model, size).eval(),
            (example,),
            input_names=[input_name],
            output_names=[output_name],
            opset_version=OPSET,
            dynamic_shapes=dynamic,
            dynamo=True,
            verbose=False,
        )
    graph = tidy(program.model_proto)
    axes = (1, height, width) if size else ("batch", "height", "width")
    name_dimensions(graph.graph.input[0], (axes[0], 3, *axes[1:]))
    name_dimensions(graph.graph.output[0], axes)
    check_operators(graph)
    check_outputs(graph)
    return graph


def check_sizes(encoder: str, size: tuple[int, int] | None) -> list[Size]:
    """Choose the inputs (batch, height, width) to compare at."""
    if size is not None:
        return [(1, *size)]
    if encoder == "tiny":
        return [(1, 70, 98), (1, 126, 84), (2, 56, 70)]
    return [(1, 518, 518), (1, 518, 686), (2, 98, 140)]


@torch.no_grad()
def reference_outputs(
    model: DepthAnythingForDepthEstimation, sizes: list[Size]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Run the unaltered model on smooth noise of every size; returns (input, output) pairs."""
    pairs = []
    for seed, (batch, height, width) in enumerate(sizes):
        image = smooth_noise(batch, height, width, 100 + seed)
        pairs.append((image.numpy(), model(image).predicted_depth.numpy()))
    return pairs


def relative_error(actual: np.ndarray, expected: np.ndarray) -> float:
    """Largest |actual - expected| / (|expected| + 5 % of the largest |expected|)."""
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return float("inf")
    scale = np.abs(expected) + 0.05 * np.abs(expected).max()
    return float((np.abs(actual - expected) / scale).max())


def compare(path: Path, pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[float]:
    """Run the saved graph on onnxruntime's CPU provider; returns the error of every pair."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return [relative_error(session.run(None, {name: image})[0], out) for image, out in pairs]


def metadata(model: DepthAnythingForDepthEstimation, source: str, dtype: str) -> dict[str, str]:
    """Describe the model for its metadata_props."""
    config = model.config
    entries = {
        "kind": config.depth_estimation_type,
        "encoder": encoder_name(config),
        "source": source,
        "dtype": dtype,
        "patch_size": str(PATCH),
    }
    if config.depth_estimation_type == "metric":
        entries["max_depth"] = str(config.max_depth)
    return entries


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", help="transformers folder")
    parser.add_argument("--random", choices=sorted(ARCHITECTURES), help="random weights instead")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    parser.add_argument("--kind", choices=sorted(CONTRACTS), default="metric", help="with --random")
    parser.add_argument("--max-depth", type=float, default=20, help="with --random, in metres")
    parser.add_argument("--output", type=Path, required=True, help="the .onnx file to write")
    parser.add_argument(
        "--size", type=int, nargs=2, metavar=("H", "W"), help="fix batch 1 and this size"
    )
    parser.add_argument("--dtype", choices=sorted(TOLERANCES), default="fp32")
    parser.add_argument(
        "--external-data", action="store_true", help="weights in <output>_data, beside the graph"
    )
    options = parser.parse_args(arguments)
    if (options.checkpoint is None) == (options.random is None):
        parser.error("give either a checkpoint folder or --random, not both")
    if options.checkpoint and not Path(options.checkpoint, "config.json").is_file():
        parser.error(f"{options.checkpoint} is no transformers folder: it has no config.json")
    if options.size and any(side <= 0 or side % PATCH for side in options.size):
        parser.error(f"--size takes two positive multiples of {PATCH}, not {options.size}")
    return options


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.random:
        model = random_model(options.random, options.kind, options.max_depth, options.seed)
        source = f"random weights, seed {options.seed}"
    else:
        model = load_checkpoint(options.checkpoint)
        source = Path(options.checkpoint).resolve().name
    size = tuple(options.size) if options.size else None
    sizes = check_sizes(options.random or encoder_name(model.config), size)
    pairs = reference_outputs(model, sizes)
    try:
        graph = export_graph(model, size)
    except OperatorError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    if options.dtype == "fp16":
        graph = to_float16(graph)
        check_operators(graph)
    set_metadata(graph, metadata(model, source, options.dtype))
    for name, count in histogram(graph).most_common():
        print(f"{count:5d} {name}")

    with TemporaryDirectory(dir=make_folder(options.output)) as folder:
        draft = Path(folder) / options.output.name
        save(graph, draft, external=options.external_data)
        errors = compare(draft, pairs)
        for (batch, height, width), error in zip(sizes, errors, strict=True):
            print(f"{batch}x3x{height}x{width}: largest relative error {error:.2e}")
        tolerance = TOLERANCES[options.dtype]
        if max(errors) > tolerance:
            print(f"refused: the error is above {tolerance:g} ({options.dtype})", file=sys.stderr)
            return 1
        for file in sorted(Path(folder).iterdir(), reverse=True):
            file.chmod(0o644)  # onnx makes data files for their owner alone
            file.replace(options.output.with_name(file.name))
    digest = hashlib.sha256(options.output.read_bytes()).hexdigest()
    print(f"{options.output}: {options.output.stat().st_size} bytes, SHA-256 {digest}")
    return 0


def make_folder(file: Path) -> Path:
    """Make the folder that `file` goes into."""
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.parent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
