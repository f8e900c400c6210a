#!/usr/bin/env python3
"""Make test/fixtures/pose-learned: small graphs in each published FoundationPose contract, with random
weights, a scene, and what the whole loop gives for it by pose_reference.py. Everything is seeded.

    python models/export/make_pose_learned.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import trimesh
from onnx import TensorProto, helper, numpy_helper
from scipy.spatial.transform import Rotation

import pose_reference as reference
from make_pose_kernels import filter_depth, pack, single

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "pose-learned"
SEED = 11
CHANNELS, PATCH = 6, 4
WIDTH, HEIGHT = 192, 144
CAMERA = (410.5, 408.25, 97.3, 70.9)
# Metres a unit of the depth picture: no multiple of it is near a threshold of the filters.
DEPTH_UNIT = 7e-5
# The mesh's middle in its own frame: five diameters from its origin.
OFFSET = np.array([0.7, -0.6, 0.45])
# Pixels that a crop's edge must be from where float32 could round it the other way.
MARGIN = 0.01
# The same for the few hypotheses, which are rendered by devices with coarser subpixels too.
FEW_MARGIN = 0.05
FEW, FEW_ITERATIONS = 6, 3
# The winner's lead, and what a score owes to the others of its set, by the range of scores.
LEAD = 0.1

CONTRACTS = {
    "ngc": {
        "inputs": ("input1", "input2"),
        "channels_first": False,
        "refiner": ("refine_model", ("output1", "output2")),
        "scorer": ("score_model", ("output1",)),
        "row": True,
    },
    "hugging-face": {
        "inputs": ("inputA", "inputB"),
        "channels_first": True,
        "refiner": ("refiner_net", ("trans", "rot")),
        "scorer": ("score_net", ("score",)),
        "row": False,
    },
    "cpp": {
        "inputs": ("render_input", "transf_input"),
        "channels_first": False,
        "refiner": ("refiner_hwc", ("trans", "rot")),
        "scorer": ("scorer_hwc", ("scores",)),
        "row": True,
    },
}


# Networks


def steps_of(random: np.random.Generator):
    """Random numbers in steps of 1/256, which pack well and are exact in float32."""
    return lambda shape, width: np.round(random.normal(0, width, shape) * 256) / 256


def refiner_weights(random: np.random.Generator) -> dict[str, np.ndarray]:
    draw = steps_of(random)
    trunk = (CHANNELS, 12, PATCH, PATCH)
    return {
        "refiner.trunk": draw(trunk, 0.09),
        "refiner.bias": draw((CHANNELS,), 0.3),
        "refiner.translation": draw((CHANNELS, 3), 0.08),
        "refiner.rotation": draw((CHANNELS, 3), 0.05),
    }


def scorer_trunk(random: np.random.Generator) -> dict[str, np.ndarray]:
    draw = steps_of(random)
    return {
        "scorer.trunk": draw((CHANNELS, 12, PATCH, PATCH), 0.09),
        "scorer.bias": draw((CHANNELS,), 0.3),
    }


def scorer_head(random: np.random.Generator) -> dict[str, np.ndarray]:
    draw = steps_of(random)
    return {
        "scorer.query": draw((CHANNELS, CHANNELS), 6.0),
        "scorer.value": draw((CHANNELS, CHANNELS), 4.0),
        "scorer.logit": draw((CHANNELS, 1), 4.0),
    }


def trunk(part: str, w: dict, rendered: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """[N, channels]: mean of tanh of a linear map of each patch of both pictures."""
    both = np.concatenate([rendered, observed], -1)
    cells = reference.SIDE // PATCH
    patches = both.reshape(len(both), cells, PATCH, cells, PATCH, 12)
    response = np.einsum("niajbc,ocab->nijo", patches, w[f"{part}.trunk"], optimize=True)
    return np.tanh(response + w[f"{part}.bias"]).mean((1, 2))


def refiner_of(w: dict) -> reference.Refiner:
    def run(rendered: np.ndarray, observed: np.ndarray):
        features = trunk("refiner", w, rendered, observed)
        return features @ w["refiner.translation"], features @ w["refiner.rotation"]

    return run


def scores_of(w: dict, features: np.ndarray) -> np.ndarray:
    """[N]: each depends on the features [N, channels] of the whole set, by attention."""
    likeness = features @ w["scorer.query"] @ features.T
    shares = np.exp(likeness - likeness.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    mixed = np.tanh(features + shares @ features @ w["scorer.value"])
    return (mixed @ w["scorer.logit"])[:, 0]


def model_of(nodes: list, constants: dict, contract: dict, part: str, shapes: list) -> onnx.ModelProto:
    """A graph whose inputs and outputs are called and shaped as the contract has them."""
    side, first = reference.SIDE, contract["channels_first"]
    image = [6, side, side] if first else [side, side, 6]
    graph = helper.make_graph(
        nodes,
        "pose",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *image])
            for name in contract["inputs"]
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in zip(contract[part][1], shapes)
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = helper.make_opsetid("", 18)
    model = helper.make_model(graph, opset_imports=[opset], producer_name="triptych", ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def channels_first(contract: dict) -> tuple[list, list[str]]:
    """Nodes that turn both inputs to NCHW, and what their outputs are called."""
    if contract["channels_first"]:
        return [], list(contract["inputs"])
    nodes = [
        helper.make_node("Transpose", [name], [f"{name}_nchw"], perm=[0, 3, 1, 2])
        for name in contract["inputs"]
    ]
    return nodes, [f"{name}_nchw" for name in contract["inputs"]]


def trunk_nodes(contract: dict) -> list:
    nodes, inputs = channels_first(contract)
    return nodes + [
        helper.make_node("Concat", inputs, ["both"], axis=1),
        helper.make_node(
            "Conv", ["both", "trunk", "bias"], ["response"], kernel_shape=[PATCH] * 2, strides=[PATCH] * 2
        ),
        helper.make_node("Tanh", ["response"], ["bent"]),
        helper.make_node("GlobalAveragePool", ["bent"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
    ]


def constants_of(part: str, w: dict) -> dict[str, np.ndarray]:
    prefix = f"{part}."
    return {
        name.removeprefix(prefix): value.astype(np.float32)
        for name, value in w.items()
        if name.startswith(prefix)
    }


def refiner_graph(contract: dict, w: dict) -> onnx.ModelProto:
    translation, rotation = contract["refiner"][1]
    nodes = trunk_nodes(contract) + [
        helper.make_node("MatMul", ["features", "translation"], [translation]),
        helper.make_node("MatMul", ["features", "rotation"], [rotation]),
    ]
    shapes = [["batch", 3]] * 2
    return model_of(nodes, constants_of("refiner", w), contract, "refiner", shapes)


def scorer_graph(contract: dict, w: dict) -> onnx.ModelProto:
    """Its output is [1, N] or [N, 1]; each score depends on all features."""
    output = contract["scorer"][1][0]
    row = contract["row"]
    nodes = trunk_nodes(contract) + [
        helper.make_node("MatMul", ["features", "query"], ["asked"]),
        helper.make_node("Transpose", ["features"], ["keys"], perm=[1, 0]),
        helper.make_node("MatMul", ["asked", "keys"], ["likeness"]),
        helper.make_node("Softmax", ["likeness"], ["shares"], axis=-1),
        helper.make_node("MatMul", ["shares", "features"], ["others"]),
        helper.make_node("MatMul", ["others", "value"], ["valued"]),
        helper.make_node("Add", ["features", "valued"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["mixed"]),
        helper.make_node("MatMul", ["mixed", "logit"], ["column" if row else output]),
    ]
    if row:
        nodes.append(helper.make_node("Transpose", ["column"], [output], perm=[1, 0]))
    shapes = [[1, "batch"] if row else ["batch", 1]]
    return model_of(nodes, constants_of("scorer", w), contract, "scorer", shapes)


def centroid_graph() -> onnx.ModelProto:
    """A refiner that means something: it moves the middle of what is rendered to what is observed.

    Points count whose z is not 0, so the wall behind, which is more than two radii away, does not.
    """
    contract = CONTRACTS["hugging-face"]
    nodes = []
    for name in contract["inputs"]:
        nodes += [
            helper.make_node("Slice", [name, "three", "six", "one"], [f"{name}_xyz"]),
            helper.make_node("Slice", [name, "five", "six", "one"], [f"{name}_z"]),
            helper.make_node("Abs", [f"{name}_z"], [f"{name}_distance"]),
            helper.make_node("Mul", [f"{name}_distance", "many"], [f"{name}_many"]),
            helper.make_node("Clip", [f"{name}_many", "zero", "unit"], [f"{name}_seen"]),
            helper.make_node("Mul", [f"{name}_xyz", f"{name}_seen"], [f"{name}_counted"]),
            helper.make_node("ReduceSum", [f"{name}_counted", "image"], [f"{name}_sum"], keepdims=0),
            helper.make_node("ReduceSum", [f"{name}_seen", "image"], [f"{name}_count"], keepdims=0),
            helper.make_node("Max", [f"{name}_count", "unit"], [f"{name}_some"]),
            helper.make_node("Div", [f"{name}_sum", f"{name}_some"], [f"{name}_middle"]),
        ]
    a, b = contract["inputs"]
    nodes += [
        helper.make_node("Sub", [f"{b}_middle", f"{a}_middle"], ["trans"]),
        helper.make_node("Mul", ["trans", "zero"], ["rot"]),
    ]
    integers = {"three": [3], "five": [5], "six": [6], "one": [1], "image": [2, 3]}
    constants = {name: np.array(value, np.int64) for name, value in integers.items()}
    constants |= {
        name: np.array(value, np.float32) for name, value in {"many": 1e9, "zero": 0, "unit": 1}.items()
    }
    return model_of(nodes, constants, contract, "refiner", [["batch", 3]] * 2)


# Scene


def bumpy_mesh() -> reference.Mesh:
    """A lopsided, coloured potato, far from its own origin."""
    ball = trimesh.creation.icosphere(subdivisions=2)
    x, y, z = ball.vertices.T
    radius = 1 + 0.25 * np.sin(2.1 * x + 0.7) * np.cos(1.7 * y) + 0.2 * np.sin(2.6 * z - 1.1 * x)
    positions = single(ball.vertices * radius[:, None] * [0.1, 0.07, 0.055] + OFFSET)
    colors = np.stack([0.5 + 0.4 * np.sin(3 * x + 1), 0.5 + 0.4 * np.cos(2.5 * y), 0.5 + 0.4 * z], 1)
    return reference.Mesh(positions, ball.faces, np.round(np.clip(colors, 0, 1) * 255) / 255)


def true_pose() -> np.ndarray:
    """Of the centred mesh."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", (35, -50, 20), degrees=True).as_matrix()
    pose[:3, 3] = [0.012, -0.008, 0.7]
    return pose


def observe(mesh: reference.Mesh, random: np.random.Generator):
    """rgb, raw depth in units, and the mask of the mesh before a wall, with holes in the depth."""
    window = np.array([-0.5, -0.5, WIDTH - 0.5, HEIGHT - 0.5])
    rgb, points = reference.render(mesh, true_pose(), window, (WIDTH, HEIGHT), CAMERA)
    mask = points[..., 2] > 0
    v, u = np.indices(mask.shape)
    # In steps, which pack well.
    tiles = (u // 24 + v // 18) % 4 / 8
    wall = np.stack([0.3 + tiles, 0.6 - tiles, 0.5 + tiles / 2], -1)
    rgb = np.round(np.where(mask[..., None], rgb, wall) * 51).astype(np.uint8) * 5
    depth = np.round(np.where(mask, points[..., 2], 1.25) / DEPTH_UNIT).astype(np.uint16)
    depth[random.random(mask.shape) < 0.01] = 0
    return rgb, depth, mask


def filtered(depth: np.ndarray) -> np.ndarray:
    base = {"radius": 2, "min_depth": 0.001, "max_depth": 100, "max_difference": 0.001, "stage": 0}
    base |= {"max_bad_share": 0.8, "sigma_space": 2, "sigma_depth": 1e5}
    eroded, first = filter_depth(single(depth), base)
    smooth, second = filter_depth(single(eroded), base | {"stage": 1, "max_difference": 0.01})
    assert min(first, second) > 1e-7, (first, second)
    return smooth


def placed(rotations: np.ndarray, translation: np.ndarray) -> np.ndarray:
    poses = np.tile(np.eye(4), (len(rotations), 1, 1))
    poses[:, :3, :3] = rotations
    poses[:, :3, 3] = translation
    return poses


def coarse(values: np.ndarray) -> np.ndarray:
    """In steps of 4e-6, far below what is asked for, which pack better."""
    return np.round(values * 2**18) / 2**18


def scorer_inputs(mesh: reference.Mesh, frame: reference.Frame, poses: np.ndarray):
    ratio, nearest = reference.SCORER_RATIO, reference.SCORER_NEAREST
    return reference.network_inputs(mesh, frame, poses, ratio, nearest)


def lead_of(scores: np.ndarray) -> float:
    """How far the winner is ahead, by the range of all scores."""
    best, second = np.sort(scores)[::-1][:2]
    return (best - second) / np.ptp(scores)


def find_scorer(sets: list[np.ndarray]) -> tuple[dict, list[np.ndarray]]:
    """The first random head whose scores depend on the set, and have a clear winner in each.

    sets: the features [N, channels] of each
    """
    for seed in range(10_000):
        w = scorer_head(np.random.default_rng(seed))
        scores = [scores_of(w, features) for features in sets]
        leads = [lead_of(each) for each in scores]
        alone = abs(scores_of(w, sets[-1][:1])[0] - scores[-1][0])
        if min(leads) > LEAD and alone > LEAD * np.ptp(scores[-1]):
            print(f"scorer {seed}: the winners lead by {', '.join(f'{lead:.1%}' for lead in leads)}")
            return w, scores
    raise AssertionError("no scorer has a clear winner")


def main() -> None:
    random = np.random.default_rng(SEED)
    w = refiner_weights(random) | scorer_trunk(random)
    refiner = refiner_of(w)
    mesh = bumpy_mesh()
    rgb, depth, mask = observe(mesh, random)
    frame = reference.Frame(rgb, filtered(depth * DEPTH_UNIT), CAMERA)
    rotations = single(reference.hypotheses())
    start = placed(rotations, reference.initial_translation(frame, mask))

    once, margins = reference.refine(mesh, frame, start, refiner, 1)
    assert margins.min() > MARGIN, margins.min()
    moves = np.abs(once - start).reshape(len(once), -1).max(1)
    print(f"one iteration moves elements of the poses by {moves.min():.4f} to {moves.max():.4f}")
    *crops, margins = scorer_inputs(mesh, frame, once)
    features, sure = trunk("scorer", w, *crops), margins > MARGIN

    # Only those whose crops are beyond doubt in float32: a pixel more or less is not what is tested.
    offered = np.arange(0, len(start), 5)
    often, least = reference.refine(mesh, frame, start[offered], refiner, FEW_ITERATIONS)
    *few_crops, margins = scorer_inputs(mesh, frame, often)
    chosen = np.flatnonzero(np.minimum(least, margins) > FEW_MARGIN)
    print(f"{len(chosen)} of {len(offered)} are sure for {FEW_ITERATIONS} iterations")
    chosen = chosen[:FEW]
    assert len(chosen) == FEW
    few_features = trunk("scorer", w, *(crop[chosen] for crop in few_crops))
    found, (scores, few_scores) = find_scorer([features, few_features])
    w |= found
    assert sure[scores.argmax()], "the winner's crop must be beyond doubt"

    FOLDER.mkdir(parents=True, exist_ok=True)
    for contract in CONTRACTS.values():
        for part, make in (("refiner", refiner_graph), ("scorer", scorer_graph)):
            onnx.save(make(contract, w), FOLDER / f"{contract[part][0]}.onnx")
    onnx.save(centroid_graph(), FOLDER / "centroid.onnx")

    rows = slice(0, 3)
    manifest = {
        "camera": dict(zip(("fx", "fy", "cx", "cy"), CAMERA)),
        "width": WIDTH,
        "height": HEIGHT,
        "depth_unit": DEPTH_UNIT,
        "rgb": pack(rgb, "uint8"),
        "depth": pack(depth, "uint16"),
        "mask": pack(mask, "uint8"),
        "mesh": {
            "positions": pack(mesh.positions, "float32"),
            "indices": pack(mesh.faces, "uint32"),
            "colors": pack(np.round(mesh.colors * 255), "uint8"),
            "center": mesh.center.tolist(),
            "diameter": mesh.diameter,
        },
        "true_pose": reference.uncentred(true_pose(), mesh.center).tolist(),
        "translation": start[0, :3, 3].tolist(),
        "rotations": pack(rotations, "float32"),
        "all": {
            "iterations": 1,
            "refined": pack(coarse(once[:, rows]), "float32"),
            "scores": pack(coarse(scores), "float32"),
            "sure": pack(sure, "uint8"),
        },
        "few": {
            "iterations": FEW_ITERATIONS,
            "members": offered[chosen].tolist(),
            "refined": pack(coarse(often[chosen][:, rows]), "float32"),
            "scores": pack(few_scores, "float32"),
        },
    }
    path = FOLDER / "manifest.json"
    path.write_text(json.dumps(manifest) + "\n")
    print(f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
