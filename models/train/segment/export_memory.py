"""Write the memory graphs: python export_memory.py --checkpoint FILE [--out FOLDER]

As export.py does with the others: weights in bytes, checked against PyTorch at three sets of free
dimensions and against what WebGPU runs.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch

import encoder
import export
import tokens
from memory import KEYS, ROWS, VALUES, MaskPrompt
from train_memory import Memory

export.TRACED.update(slots=4, pointers=5)
export.ONE.update(slots=1, pointers=1)
export.MANY.update(slots=7, pointers=16)


def contracts():
    """As export.contracts."""
    c, g, s, m = encoder.WIDTHS[2], encoder.GRID, encoder.SIZE, encoder.MASK
    feat = {'tracker_feat': (1, c, g, g)}
    return {
        'memory-attention': ('attention', {
            **feat, 'memory_features': ('objects', 'slots', KEYS + VALUES, g, g),
            'memory_rows': ('objects', 'slots'), 'object_pointers': ('objects', 'pointers', c),
            'pointer_offsets': ('objects', 'pointers')}, {'fused_feat': ('objects', c, g, g)}),
        'memory-encoder': ('encoder', {
            **feat, 'mask_logits': ('objects', 1, m, m), 'object_score_logits': ('objects', 1),
            'is_mask_from_points': ('objects',)},
            {'memory_features': ('objects', KEYS + VALUES, g, g)}),
        'mask-prompt': ('prompt', {'mask': ('objects', 1, s, s)},
                        {'input_masks': ('objects', 1, m, m)}),
    }


def example(name, shape, free, rng, entries, several=False):
    """A tensor to trace or compare with."""
    sizes = [free[side] if isinstance(side, str) else side for side in shape]
    if name == 'memory_rows':
        rows = rng.integers(-1, ROWS, sizes)
        rows[:, 0] = ROWS - 1
        return torch.from_numpy(rows.astype(np.float32))
    if name == 'memory_features':  # the shares of the mask lie between 0 and 1
        values = rng.normal(0, 1, sizes).astype(np.float32)
        values[:, :, KEYS] = rng.random(values[:, :, KEYS].shape)
        return torch.from_numpy(values)
    if name == 'pointer_offsets':
        return torch.from_numpy(rng.choice([-1, 0, 1, 4], sizes).astype(np.float32) / 15)
    if name in ('is_mask_from_points', 'mask'):
        return torch.from_numpy(rng.integers(0, 2, sizes).astype(np.float32))
    return torch.from_numpy(rng.normal(0, 1, sizes).astype(np.float32))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--out', type=Path,
                        default=export.REPOSITORY / 'models' / 'embedded' / 'segment-mini')
    args = parser.parse_args()
    torch.set_num_threads(1)
    state = torch.load(args.checkpoint, map_location='cpu', weights_only=True)
    memory = Memory()
    memory.load_state_dict(state['ema'])
    memory.prompt = MaskPrompt()
    memory = export.folded(memory)
    export.example = example
    tool, total = tokens.tokenizer(), 0
    for part, (name, inputs, outputs) in contracts().items():
        module = getattr(memory, name)
        model = export.narrow(export.trace(module, inputs, outputs))
        export.check_operators(model)
        export.check_outputs(model)
        export.set_metadata(model, export.metadata(part, tool))
        onnx.checker.check_model(model, full_check=True)
        path = args.out / f'{part}.onnx'
        onnx.save(model, path)
        worst = export.verify(path, lambda *v, m=module: (m(*v),), inputs, outputs, len(tool))
        size = path.stat().st_size
        total += size
        print(f'{path.name} {size} bytes, {len(model.graph.node)} nodes, against PyTorch '
              f'{worst:.1e}, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}')
        print('  ', ' '.join(sorted({node.op_type for node in model.graph.node})))
    print(f'total {total} bytes, step {state["step"]}, '
          f'{sum(p.numel() for p in memory.parameters())} parameters')


if __name__ == '__main__':
    main()
