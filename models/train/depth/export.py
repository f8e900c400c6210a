"""Write the ONNX file from a checkpoint: python export.py --checkpoint FILE --out depth-mini.onnx

The graph is built node by node: batch normalisation is folded into the convolutions. Large weights
are stored as int8 with a step an output channel, small ones and biases as float16; both become
float32 when the file is opened, so that all arithmetic is float32.
"""

import argparse
import collections
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import net as nets

OPSET = 17
VERSION = '1.1.0'
BYTES_FROM = 1024  # elements: smaller weights stay float16


class Builder:
    """Collects nodes and initialisers; tensors are referred to by name."""

    def __init__(self):
        self.nodes, self.weights, self.casts, self.count = [], [], [], 0

    def op(self, kind, inputs, **attributes):
        self.count += 1
        name = f'{kind.lower()}_{self.count}'
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f'/{name}', **attributes))
        return name

    def constant(self, value, dtype):
        self.count += 1
        name = f'const_{self.count}'
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def half(self, value):
        """A float16 initialiser, cast to float32."""
        stored = self.constant(value, np.float16)
        out = f'{stored}_f32'
        self.casts.append(helper.make_node('Cast', [stored], [out], name=f'/{out}',
                                           to=TensorProto.FLOAT))
        return out

    def bytes(self, weight):
        """int8 and a float32 step a channel, multiplied; onnxruntime folds both on load."""
        values, step = to_bytes(weight)
        stored, factor = self.constant(values, np.int8), self.constant(step, np.float32)
        cast, out = f'{stored}_cast', f'{stored}_f32'
        self.casts.append(helper.make_node('Cast', [stored], [cast], name=f'/{cast}',
                                           to=TensorProto.FLOAT))
        self.casts.append(helper.make_node('Mul', [cast, factor], [out], name=f'/{out}'))
        return out

    def conv(self, x, weight, bias, stride=1, groups=1):
        k = weight.shape[-1]
        stored = self.bytes(weight) if weight.size >= BYTES_FROM else self.half(weight)
        inputs = [x, stored] + ([] if bias is None else [self.half(bias)])
        return self.op('Conv', inputs, kernel_shape=[k, k], strides=[stride, stride],
                       pads=[k // 2] * 4, group=groups, dilations=[1, 1])

    def conv_bn(self, x, pair):
        weight, bias = folded(pair)
        return self.conv(x, weight, bias, pair[0].stride[0], pair[0].groups)

    def relu(self, x):
        return self.op('Relu', [x])

    def span(self, shape, start, end):
        """shape[start:end] of a 1-d int64 tensor."""
        return self.op('Slice', [shape, self.constant([start], np.int64),
                                 self.constant([end], np.int64)])

    def resize(self, x, spatial, mode='half_pixel'):
        sizes = self.op('Concat', [self.span(self.op('Shape', [x]), 0, 2), spatial], axis=0)
        return self.op('Resize', [x, '', '', sizes], mode='linear',
                       coordinate_transformation_mode=mode)

    def mirror(self, x):
        """The last axis of a [B, C, H, W] tensor the other way round."""
        first, last = np.iinfo(np.int64).min, -1
        bounds = [self.constant([v], np.int64) for v in (last, first, 3, -1)]
        return self.op('Slice', [x, *bounds])

    def halve(self, x):
        """The two halves of the batch axis."""
        self.count += 1
        names = [f'split_{self.count}_{i}' for i in range(2)]
        self.nodes.append(helper.make_node('Split', [x], names, name=f'/split_{self.count}', axis=0))
        return names

    def spatial(self, x):
        return self.span(self.op('Shape', [x]), 2, 4)


def to_bytes(weight):
    """Steps in −127 … 127 as int8, and the step of each output channel [O, 1, 1, 1]."""
    step = np.abs(weight).max(axis=(1, 2, 3), keepdims=True).astype(np.float32) / 127
    step = np.maximum(step, np.float32(1e-12))
    return np.rint(weight / step).astype(np.int8), step


def stored(weight):
    """A weight as the file gives it back, float32."""
    if weight.size < BYTES_FROM:
        return weight.astype(np.float16).astype(np.float32)
    values, step = to_bytes(weight)
    return values.astype(np.float32) * step


def folded(pair):
    """Weight and bias of a convolution with its batch normalisation folded in."""
    conv, bn = pair
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    weight = conv.weight * scale[:, None, None, None]
    return weight.detach().numpy(), (bn.bias - bn.running_mean * scale).detach().numpy()


def emit_plain(b, x, layer):
    return b.conv(x, layer.weight.detach().numpy(), layer.bias.detach().numpy())


def emit_block(b, x, block):
    y = b.relu(emit_plain(b, b.conv_bn(x, block.depthwise), block.expand))
    return b.op('Add', [x, emit_plain(b, y, block.project)])


def emit_stage(b, x, blocks):
    for block in blocks:
        x = emit_block(b, x, block)
    return x


def emit_down(b, x, down):
    return b.conv_bn(b.conv_bn(x, down.depthwise), down.project)


def emit_context(b, x, context):
    y = emit_down(b, x, context.down)
    ramp = b.constant(context.ramp.numpy(), np.float32)
    where = b.resize(ramp, b.spatial(y), 'align_corners')
    where = b.conv(where, context.place.weight.detach().numpy(), None)
    y = b.relu(b.op('Add', [y, where]))
    y = emit_stage(b, y, context.blocks)
    pooled = b.op('GlobalAveragePool', [y])
    pooled = b.relu(emit_plain(b, pooled, context.squeeze))
    pooled = emit_plain(b, pooled, context.excite)
    c = context.excite.out_channels // 2
    axis = b.constant([1], np.int64)
    low, mid = b.constant([0], np.int64), b.constant([c], np.int64)
    gate = b.op('Slice', [pooled, low, mid, axis])
    shift = b.op('Slice', [pooled, mid, b.constant([2 * c], np.int64), axis])
    return b.op('Add', [b.op('Mul', [y, b.op('Sigmoid', [gate])]), shift])


def emit_merge(b, deep, lateral, merge):
    up = b.resize(b.conv_bn(deep, merge.deep), b.spatial(lateral))
    y = b.relu(b.op('Add', [up, b.conv_bn(lateral, merge.lateral)]))
    return emit_block(b, y, merge.refine)


def build(net):
    """The ONNX model of a trained `DepthMini`."""
    b = Builder()
    size = b.spatial('image')
    small = b.op('Div', [size, b.constant([nets.PATCH], np.int64)])
    twice = b.op('Mul', [small, b.constant([2 * nets.WORKING], np.int64)])
    halves = dict(kernel_shape=[2, 2], strides=[2, 2])
    pooled = b.resize(b.op('AveragePool', ['image'], **halves), twice)
    image = b.op('AveragePool', [pooled], **halves)
    both = b.op('Concat', [image, b.mirror(image)], axis=0)
    fine = b.relu(b.conv_bn(both, net.stem))
    quarter = emit_stage(b, b.relu(b.conv_bn(fine, net.stem2)), net.stages[0])
    eighth = emit_stage(b, emit_down(b, quarter, net.downs[0]), net.stages[1])
    sixteenth = emit_stage(b, emit_down(b, eighth, net.downs[1]), net.stages[2])
    y = emit_merge(b, emit_context(b, sixteenth, net.context), sixteenth, net.merge4)
    y = emit_merge(b, y, eighth, net.merge3)
    y = emit_merge(b, y, quarter, net.merge2)
    y = b.resize(b.conv_bn(y, net.last), b.spatial(fine))
    y = b.relu(b.conv_bn(b.relu(b.op('Add', [y, fine])), net.fuse))
    straight, mirrored = b.halve(emit_plain(b, y, net.head))
    y = b.op('Add', [straight, b.mirror(mirrored)])
    y = b.op('Mul', [y, b.constant(0.5, np.float32)])
    y = b.op('Squeeze', [b.resize(y, size), b.constant([1], np.int64)])
    limit = nets.LOGIT_LIMIT
    y = b.op('Clip', [y, b.constant(-limit, np.float32), b.constant(limit, np.float32)])
    y = b.op('Sigmoid', [y])
    b.nodes.append(helper.make_node(
        'Mul', [y, b.constant(nets.MAX_DEPTH, np.float32)], ['depth'], name='/depth'))
    inverse = b.op('Sub', [b.op('Reciprocal', ['depth']),
                           b.constant(1.0 / nets.MAX_DEPTH, np.float32)])
    b.nodes.append(helper.make_node('Relu', [inverse], ['disparity'], name='/disparity'))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        b.casts + b.nodes, 'depth-mini',
        [value('image', TensorProto.FLOAT, ['batch', 3, 'height', 'width'])],
        [value('depth', TensorProto.FLOAT, ['batch', 'height', 'width']),
         value('disparity', TensorProto.FLOAT, ['batch', 'height', 'width'])],
        b.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)],
                              producer_name='triptych', ir_version=9)
    helper.set_model_props(model, {
        'name': 'depth-mini', 'version': VERSION, 'licence': 'Apache-2.0', 'kind': 'metric',
        'max_depth': '20', 'units': 'metres', 'patch': str(nets.PATCH),
        'disparity': '1/depth - 1/20, larger is nearer'})
    onnx.checker.check_model(model, full_check=True)
    return model


def verify(path, net):
    """Largest relative difference between PyTorch (with the file's weights) and onnxruntime."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    reference = nets.Exported(rounded(net)).eval()
    worst = 0.0
    torch.manual_seed(0)
    for batch, h, w in ((1, 518, 686), (3, 518, 518), (1, 14, 14), (2, 266, 518), (1, 700, 518),
                        (1, 28, 1400), (1, 518, 784), (1, 14, 28)):
        image = torch.randn(batch, 3, h, w)
        with torch.no_grad():
            want = reference(image)
        got = session.run(['depth', 'disparity'], {'image': image.numpy()})
        assert got[0].shape == (batch, h, w) == got[1].shape
        for a, e in zip(got, want):
            e = e.numpy()
            worst = max(worst, float(np.max(np.abs(a - e) / (np.abs(e) + 1e-3))))
    return worst


def rounded(net):
    """A copy of the network with folded weights rounded as the file stores them."""
    copy = nets.DepthMini()
    copy.load_state_dict(net.state_dict())
    copy.eval()
    for module in copy.modules():
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(
                module[1], nn.BatchNorm2d):
            weight, bias = folded(module)
            module[0].weight.data = torch.from_numpy(stored(weight))
            module[0].bias = nn.Parameter(torch.from_numpy(bias).half().float())
            module[1] = nn.Identity()
        elif isinstance(module, nn.Conv2d) and module.weight.requires_grad:
            module.weight.data = torch.from_numpy(stored(module.weight.data.numpy()))
            if module.bias is not None:
                module.bias.data = module.bias.data.half().float()
    return copy


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument('--out', default=str(
        Path(__file__).resolve().parents[2] / 'embedded' / 'depth-mini.onnx'))
    args = parser.parse_args()
    state = torch.load(args.checkpoint, map_location='cpu', weights_only=True)
    net = nets.DepthMini()
    net.load_state_dict(state['ema'])
    net.eval()
    model = build(net)
    onnx.save(model, args.out)
    data = Path(args.out).read_bytes()
    print('parameters', nets.parameter_count(net), 'bytes', len(data), 'step', state['step'])
    print('sha256', hashlib.sha256(data).hexdigest())
    print('operators', dict(collections.Counter(n.op_type for n in model.graph.node)))
    print('largest relative difference PyTorch/onnxruntime', verify(args.out, net))


if __name__ == '__main__':
    main()
