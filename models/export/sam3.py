#!/usr/bin/env python3
"""Export SAM 3 to ONNX: one backbone for text, boxes, clicks and video. The contracts: SAM3.md.

The checkpoint is a transformers folder of facebook/sam3 (config.json with its weights), which holds
the detector, the tracker and both necks. Seven files are written: vision-encoder, text-encoder,
concept-decoder, click-decoder, memory-attention, memory-encoder, mask-prompt.

A graph is refused if any node would leave the GPU under onnxruntime-web's WebGPU provider, and its
outputs are compared with transformers' in PyTorch, for one prompt or object and for several, before
the file is written. The checkpoint's tokenizer.json, if there, is copied beside the graphs: texts
need it. The weights' license travels with the files: ship it beside them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from transformers import Sam3VideoModel

from float16 import to_float16
from onnx_graph import OperatorError, check_operators, histogram, save, set_metadata
from sam3_graph import export_part
from sam3_model import ARCHITECTURES, load_checkpoint, random_model
from sam3_parts import Sizes, parts
from sam3_reference import MANY, ONE, reference

# Largest |onnx - torch| / (|torch| + 5 % of the largest |torch|), as for the depth models. One
# logit alone has no scale of its own and may be 0: its largest counts as at least 1.
LONE_LOGITS = {"object_score_logits", "presence_logits"}
TOLERANCES = {"fp32": 1e-3, "fp16": 3e-2}
MEAN = STD = (0.5, 0.5, 0.5)
LICENSE_NOTE = (
    "Derived from facebook/sam3. The SAM License travels with derivatives: "
    "distribute it together with this file."
)


def relative_error(actual: np.ndarray, expected: np.ndarray, least: float = 1e-30) -> float:
    """Largest |actual - expected| / (|expected| + 5 % of the largest |expected| or `least`)."""
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return float("inf")
    scale = np.abs(expected) + 0.05 * np.abs(expected).max(initial=least)
    return float((np.abs(actual - expected) / scale).max())


def errors(
    path: Path, pairs: list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]
) -> list[dict[str, float]]:
    """Run the saved graph on onnxruntime's CPU provider: the error of each output of each pair."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = []
    for inputs, expected in pairs:
        actual = session.run(list(expected), inputs)
        found.append(
            {
                name: relative_error(value, expected[name], 1.0 if name in LONE_LOGITS else 1e-30)
                for name, value in zip(expected, actual, strict=True)
            }
        )
    return found


def metadata(model: Sam3VideoModel, part: str, source: str, dtype: str) -> dict[str, str]:
    """Describe a graph for its metadata_props."""
    size, tracker = Sizes.of(model), model.config.tracker_config
    text = model.config.detector_config.text_config
    return {
        "family": "sam3-single-backbone",
        "part": part,
        "image_size": str(size.image),
        "mask_size": str(4 * size.grid),
        "mean": ",".join(map(str, MEAN)),
        "std": ",".join(map(str, STD)),
        "num_maskmem": str(tracker.num_maskmem),
        "max_cond_frame_num": str(tracker.max_cond_frame_num),
        "max_object_pointers": str(tracker.max_object_pointers_in_encoder),
        "bos_token_id": str(text.bos_token_id),
        "eos_token_id": str(text.eos_token_id),
        "dtype": dtype,
        "source": source,
        "license": "random weights, none" if source.startswith("random") else LICENSE_NOTE,
    }


def export_checked(
    model: Sam3VideoModel, name: str, dtype: str, target: Path, source: str, external: bool
) -> list[dict[str, float]]:
    """Export one part to `target`; raises OperatorError or ValueError instead of writing it."""
    pairs = [reference(model, name, free, 100 + seed) for seed, free in enumerate((ONE, MANY))]
    graph, float32 = export_part(model, parts(model)[name])
    if dtype == "fp16":
        graph = to_float16(graph, frozenset(float32))
        check_operators(graph)
    set_metadata(graph, metadata(model, name, source, dtype))
    print(f"{name}: {sum(histogram(graph).values())} nodes")
    with TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / target.name
        save(graph, draft, external=external)
        found = errors(draft, pairs)
        for inputs, result in zip(("one", "several"), found, strict=True):
            figures = ", ".join(f"{key} {value:.1e}" for key, value in result.items())
            print(f"  {inputs}: {figures}")
        worst = max(max(result.values()) for result in found)
        if worst > TOLERANCES[dtype]:
            limit = TOLERANCES[dtype]
            raise ValueError(f"{name}: the error {worst:.1e} is above {limit:g} ({dtype})")
        for file in sorted(Path(folder).iterdir(), reverse=True):
            file.chmod(0o644)  # onnx makes data files for their owner alone
            file.replace(target.with_name(file.name))
    return found


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", help="transformers folder of facebook/sam3")
    parser.add_argument("--random", choices=[*sorted(ARCHITECTURES), "sam3"], help="random weights")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights")
    parser.add_argument("--output", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--dtype", choices=sorted(TOLERANCES), default="fp32")
    parser.add_argument("--part", action="append", help="only this graph; may be repeated")
    parser.add_argument(
        "--external-data", action="store_true", help="weights in <graph>_data, beside the graph"
    )
    options = parser.parse_args(arguments)
    if (options.checkpoint is None) == (options.random is None):
        parser.error("give either a checkpoint folder or --random, not both")
    if options.checkpoint and not Path(options.checkpoint, "config.json").is_file():
        parser.error(f"{options.checkpoint} is no transformers folder: it has no config.json")
    return options


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.random:
        model = random_model(options.random, options.seed)
        source = f"random weights, {options.random}, seed {options.seed}"
    else:
        model = load_checkpoint(options.checkpoint)
        source = Path(options.checkpoint).resolve().name
    names = options.part or list(parts(model))
    unknown = sorted(set(names) - set(parts(model)))
    if unknown:
        print(f"no part {', '.join(unknown)}; there are {', '.join(parts(model))}", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    suffix = "-fp16" if options.dtype == "fp16" else ""
    for name in names:
        target = options.output / f"{name}{suffix}.onnx"
        try:
            export_checked(model, name, options.dtype, target, source, options.external_data)
        except (OperatorError, ValueError) as error:
            print(f"refused: {error}", file=sys.stderr)
            return 1
        print(f"  {target}: {target.stat().st_size} bytes")
    if options.checkpoint:
        copy_tokenizer(Path(options.checkpoint), options.output)
    return 0


def copy_tokenizer(checkpoint: Path, folder: Path) -> None:
    """Put the checkpoint's tokenizer.json beside the graphs, or say that texts lack it."""
    tokenizer = checkpoint / "tokenizer.json"
    if tokenizer.is_file():
        shutil.copyfile(tokenizer, folder / tokenizer.name)
        return
    print(f"{checkpoint} has no tokenizer.json: put CLIP's beside the graphs for text prompts")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
