"""Write the ONNX files: python export.py --checkpoint FILE [--out FOLDER]

Batch normalisation is folded into the convolutions. Large weights are stored in bytes with a step
per output channel, others as float16; all arithmetic is float32. Every file is checked against
PyTorch at three sets of free dimensions, and against what WebGPU runs.
"""

import argparse
import copy
import hashlib
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import encoder
import tokens
from concept import LENGTH, QUERIES, TEXT
from train import SegmentMini

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / 'models' / 'export'))
from onnx_graph import (  # noqa: E402
    check_operators, check_outputs, name_dimensions, set_metadata, tidy)

OPSET, VERSION = 18, '1.1.0'
TOLERANCE = 1e-3
BYTES_FROM = 2048  # elements from which a weight is stored in bytes
TRACED = {'images': 2, 'prompts': 3, 'boxes': 4, 'objects': 3, 'points': 5}
ONE = dict.fromkeys(TRACED, 1)
MANY = {'images': 2, 'prompts': 4, 'boxes': 3, 'objects': 2, 'points': 7}


def contracts():
    """Per part: module name, inputs and outputs with their shapes, as SAM3.md has them."""
    c1, c2, c3 = encoder.WIDTHS
    s, m, g = encoder.SIZE, encoder.MASK, encoder.GRID
    fpn = {'fpn_feat_0': (c1, m, m), 'fpn_feat_1': (c2, m // 2, m // 2), 'fpn_feat_2': (c3, g, g)}
    click = {'image_embeddings.0': (c1, m, m), 'image_embeddings.1': (c2, m // 2, m // 2),
             'image_embeddings.2': (c3, g, g)}
    text = {'text_features': ('prompts', LENGTH, TEXT), 'text_mask': ('prompts', LENGTH)}
    return {
        'vision-encoder': ('vision', {'pixel_values': ('images', 3, s, s)},
                           {k: ('images', *v) for k, v in (fpn | click | {
                               'tracker_feat': (c3, g, g)}).items()}),
        'text-encoder': ('text', {'input_ids': ('prompts', LENGTH),
                                  'attention_mask': ('prompts', LENGTH)}, text),
        'concept-decoder': ('concept', {
            **{k: (1, *v) for k, v in fpn.items()}, **text,
            'input_boxes': ('prompts', 'boxes', 4), 'input_boxes_labels': ('prompts', 'boxes')}, {
            'pred_masks': ('prompts', QUERIES, m, m), 'pred_boxes': ('prompts', QUERIES, 4),
            'pred_logits': ('prompts', QUERIES), 'presence_logits': ('prompts', 1)}),
        'click-decoder': ('click', {
            **{k: (1, *v) for k, v in click.items()},
            'input_points': (1, 'objects', 'points', 2), 'input_labels': (1, 'objects', 'points'),
            'input_masks': ('objects', 1, m, m), 'has_input_masks': ('objects',),
            'multimask': ('objects',)}, {
            'iou_scores': (1, 'objects', 3), 'pred_masks': (1, 'objects', 3, m, m),
            'object_score_logits': (1, 'objects', 1), 'best_iou': ('objects', 1),
            'best_mask': ('objects', 1, m, m), 'object_pointer': ('objects', c3)}),
    }


def example(name, shape, free, rng, entries, several=False):
    """A tensor to trace or compare with."""
    sizes = [free[side] if isinstance(side, str) else side for side in shape]
    if several and name == 'image_embeddings.2':
        sizes[0] = free['objects']
    if name == 'input_ids':
        return torch.from_numpy(rng.integers(0, entries, sizes))
    if name in ('attention_mask', 'text_mask'):
        lengths = rng.integers(2, LENGTH, sizes[0])
        return torch.from_numpy((np.arange(LENGTH) < lengths[:, None]).astype(np.float32))
    if name == 'input_points':
        return torch.from_numpy(rng.uniform(0, encoder.SIZE, sizes).astype(np.float32))
    if name == 'input_boxes':
        return torch.from_numpy(rng.uniform(0.2, 0.6, sizes).astype(np.float32))
    if name == 'input_boxes_labels':
        return torch.from_numpy(rng.choice([1, 0, -10], sizes).astype(np.float32))
    if name == 'input_labels':
        return torch.from_numpy(rng.choice([1, 0, 2, 3, -1, -10], sizes).astype(np.float32))
    if name in ('has_input_masks', 'multimask'):
        return torch.from_numpy(rng.integers(0, 2, sizes).astype(np.float32))
    return torch.from_numpy(rng.normal(0, 1, sizes).astype(np.float32))


def folded(net):
    """A copy with normalisation folded into convolutions and weights rounded as stored."""
    net = copy.deepcopy(net).eval().to(memory_format=torch.contiguous_format)

    def fold(module):
        for name, child in module.named_children():
            if isinstance(child, nn.Sequential) and len(child) == 2 and isinstance(
                    child[1], nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(child[0], child[1]))
            else:
                fold(child)
    fold(net)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(rounded(p))
    return net


def trace(module, inputs, outputs):
    """The tidy float32 graph of one part."""
    rng = np.random.default_rng(0)
    values = tuple(example(n, s, TRACED, rng, 500) for n, s in inputs.items())
    sides = {side for s in inputs.values() for side in s if isinstance(side, str)}
    free = {side: torch.export.Dim(side, min=1, max=4096) for side in sides}
    dynamic = tuple({axis: free[side] for axis, side in enumerate(s) if isinstance(side, str)}
                    for s in inputs.values())
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        logging.getLogger('torch.onnx').setLevel(logging.ERROR)
        program = torch.onnx.export(
            module, values, input_names=list(inputs), output_names=list(outputs),
            opset_version=OPSET, dynamic_shapes=dynamic, dynamo=True, verbose=False)
    model = tidy(program.model_proto)
    model.graph.name = 'segment-mini'
    for value in model.graph.input:
        shape = inputs[value.name]
        if value.name == 'image_embeddings.2':
            shape = ('images', *shape[1:])
        name_dimensions(value, shape)
    for value in model.graph.output:
        name_dimensions(value, outputs[value.name])
    return model


def narrow(model):
    """Store the weights smaller: large ones a byte each with a step per output channel, others of
    16 elements and more as float16. onnxruntime turns them to float32 when it opens the file."""
    graph, made, kept = model.graph, [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        if values.dtype != np.float32 or values.size < 16:
            kept.append(tensor)
            continue
        packed = to_bytes(values)
        if packed is not None:
            steps, whole = packed
            kept += [numpy_helper.from_array(whole, f'{name}_byte'),
                     numpy_helper.from_array(steps, f'{name}_step')]
            made += [helper.make_node('Cast', [f'{name}_byte'], [f'{name}_float'],
                                      name=f'Cast_{name}', to=TensorProto.FLOAT),
                     helper.make_node('Cast', [f'{name}_step'], [f'{name}_scale'],
                                      name=f'Scale_{name}', to=TensorProto.FLOAT),
                     helper.make_node('Mul', [f'{name}_float', f'{name}_scale'], [name],
                                      name=f'Mul_{name}')]
            continue
        half = values.astype(np.float16)
        if (half.astype(np.float32) != values).any():
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(half, f'{name}_half'))
        made.append(helper.make_node('Cast', [f'{name}_half'], [name], name=f'Cast_{name}',
                                     to=TensorProto.FLOAT))
    nodes = made + list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return model


def to_bytes(values):
    """float16 steps and int8 numbers whose product equals these values exactly, or None.

    There is one step a row; the exporter may have transposed a matrix, so columns are tried too.
    """
    if values.ndim < 2 or values.size < BYTES_FROM:
        return None
    for axis in (0, 1):
        if axis and values.ndim > 2:
            continue
        others = tuple(k for k in range(values.ndim) if k != axis)
        steps = byte_steps(np.abs(values).max(others, keepdims=True))
        whole = np.round(values / steps.astype(np.float32))
        exact = whole.astype(np.float32) * steps.astype(np.float32)
        if (exact == values).all() and np.abs(whole).max() <= 127:
            return steps, whole.astype(np.int8)
    return None


def byte_steps(largest):
    """float16 steps that reach these largest magnitudes with 127 of them."""
    steps = np.maximum(largest / 127, 1e-6).astype(np.float16)
    return np.where(steps.astype(np.float32) * 127 < largest, np.nextafter(
        steps, np.float16(np.inf)), steps)


def rounded(values):
    """Values as the file stores them: bytes times a step per row, or float16."""
    values = values.numpy()
    if values.ndim >= 2 and values.size >= BYTES_FROM:
        steps = byte_steps(np.abs(values).max(tuple(range(1, values.ndim)), keepdims=True))
        steps = steps.astype(np.float32)
        values = np.clip(np.round(values / steps), -127, 127) * steps
        # The row's largest must be 127 steps again when the steps are found from the values.
        return torch.from_numpy(values.astype(np.float32))
    return torch.from_numpy(values).half().float()


def metadata(part, tool):
    """What the file says about itself."""
    c1, c2, c3 = encoder.WIDTHS
    return {
        'family': 'sam3-single-backbone', 'part': part, 'name': 'segment-mini',
        'version': VERSION, 'image_size': str(encoder.SIZE), 'mask_size': str(encoder.MASK),
        'mean': '0.5,0.5,0.5', 'std': '0.5,0.5,0.5', 'num_queries': str(QUERIES),
        'channels': f'{c1},{c2},{c3}', 'text_channels': str(TEXT),
        'num_maskmem': '7', 'max_cond_frame_num': '4', 'max_object_pointers': '16',
        'bos_token_id': str(tool.bos_token_id), 'eos_token_id': str(tool.eos_token_id),
        'dtype': 'fp32', 'source': 'models/train/segment', 'license': 'Apache-2.0'}


def verify(path, module, inputs, outputs, entries):
    """Largest |onnx − torch| / (|torch| + 5 % of the largest |torch|) of any output."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    worst = 0.0
    for seed, (free, several) in enumerate(((ONE, False), (MANY, False), (MANY, True))):
        rng = np.random.default_rng(100 + seed)
        values = {n: example(n, s, free, rng, entries, several) for n, s in inputs.items()}
        with torch.no_grad():
            wanted = module(*values.values())
        got = session.run(list(outputs), {n: v.numpy() for n, v in values.items()})
        for g, w in zip(got, wanted):
            w = w.numpy()
            assert g.shape == w.shape, (path, g.shape, w.shape)
            scale = np.abs(w) + 0.05 * max(np.abs(w).max(), 1.0)
            worst = max(worst, float((np.abs(g - w) / scale).max()))
    if worst > TOLERANCE:
        raise ValueError(f'{path.name}: differs from PyTorch by {worst:.1e}')
    return worst


def load(checkpoint):
    """The averaged network of a checkpoint, and its step."""
    tool = tokens.tokenizer()
    net = SegmentMini(len(tool))
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    net.load_state_dict(state['ema'])
    return net.eval(), state['step'], tool


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--out', type=Path,
                        default=REPOSITORY / 'models' / 'embedded' / 'segment-mini')
    args = parser.parse_args()
    torch.set_num_threads(2)
    args.out.mkdir(parents=True, exist_ok=True)
    net, step, tool = load(args.checkpoint)
    net = folded(net)
    total = 0
    for part, (name, inputs, outputs) in contracts().items():
        module = getattr(net, name)
        model = narrow(trace(module, inputs, outputs))
        check_operators(model)
        check_outputs(model)
        set_metadata(model, metadata(part, tool))
        onnx.checker.check_model(model, full_check=True)
        path = args.out / f'{part}.onnx'
        onnx.save(model, path)
        worst = verify(path, module, inputs, outputs, len(tool))
        kinds = sorted({node.op_type for node in model.graph.node})
        size = path.stat().st_size
        total += size
        print(f'{path.name} {size} bytes, {len(model.graph.node)} nodes, against PyTorch '
              f'{worst:.1e}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}')
        print('  ', ' '.join(kinds))
    path = args.out / 'tokenizer.json'
    tokens.save(tool, path)
    total += path.stat().st_size
    print(f'tokenizer.json {path.stat().st_size} bytes, sha256 '
          f'{hashlib.sha256(path.read_bytes()).hexdigest()}')
    print(f'total {total} bytes, step {step}')


if __name__ == '__main__':
    main()
