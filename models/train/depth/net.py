"""The network: an inverted-residual encoder, a global-context branch and a light decoder.

`DepthMini` maps an ImageNet-normalised image [B, 3, h, w] at its own working scale (3/14 of the
graph's input: 518 → 111) to depth logits [B, 1, ceil(h/2), ceil(w/2)]; depth in metres is
20·sigmoid(logit). `working_size` and `to_working` are the scale change that the exported graph
does first.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.append(str(Path(__file__).resolve().parents[1]))
from blocks import Block, Down, conv_bn  # noqa: E402

MAX_DEPTH = 20.0
LOGIT_LIMIT = 8.0
PATCH, WORKING = 14, 3
WIDTHS = (16, 32, 64, 112)
BLOCKS = (2, 3, 3)
KERNELS = (3, 5, 5)


class Context(nn.Module):
    """Position and whole-image context at 1/32: coordinates, 7×7 depthwise blocks, pooled gate."""

    def __init__(self, c):
        super().__init__()
        self.down = Down(c, c)
        self.place = nn.Conv2d(2, c, 1, bias=False)
        self.blocks = nn.ModuleList([Block(c, 7, expand=3) for _ in range(2)])
        self.squeeze = nn.Conv2d(c, c // 2, 1)
        self.excite = nn.Conv2d(c // 2, 2 * c, 1)
        # Corners of a (y, x) ramp; stretching it with aligned corners gives coordinates in −1…1.
        ramp = torch.tensor([[[[-1.0, -1.0], [1.0, 1.0]], [[-1.0, 1.0], [-1.0, 1.0]]]])
        self.register_buffer('ramp', ramp)

    def forward(self, x):
        y = self.down(x)
        where = F.interpolate(self.ramp, size=y.shape[-2:], mode='bilinear', align_corners=True)
        y = F.relu(y + self.place(where))
        for block in self.blocks:
            y = block(y)
        pooled = F.relu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))
        gate, shift = self.excite(pooled).chunk(2, 1)
        return y * torch.sigmoid(gate) + shift


class Merge(nn.Module):
    """Upsample the deeper map to the lateral one's size, add, and refine."""

    def __init__(self, deep, lateral, cout):
        super().__init__()
        self.deep = conv_bn(deep, cout)
        self.lateral = conv_bn(lateral, cout)
        self.refine = Block(cout, 3, expand=2)

    def forward(self, deep, lateral):
        up = F.interpolate(self.deep(deep), size=lateral.shape[-2:], mode='bilinear',
                           align_corners=False)
        return self.refine(F.relu(up + self.lateral(lateral)))


class DepthMini(nn.Module):
    def __init__(self):
        super().__init__()
        c1, c2, c3, c4 = WIDTHS
        self.stem = conv_bn(3, c1, 3, 2)
        self.stem2 = conv_bn(c1, c2, 3, 2)
        self.downs = nn.ModuleList([Down(c2, c3), Down(c3, c4)])
        self.stages = nn.ModuleList([
            nn.Sequential(*[Block(c, k) for _ in range(n)])
            for c, n, k in zip((c2, c3, c4), BLOCKS, KERNELS)])
        self.context = Context(c4)
        self.merge4 = Merge(c4, c4, 80)
        self.merge3 = Merge(80, c3, 64)
        self.merge2 = Merge(64, c2, 40)
        self.last = conv_bn(40, c1)
        self.fuse = conv_bn(c1, c1, 3)
        self.head = nn.Conv2d(c1, 1, 3, padding=1)
        nn.init.constant_(self.head.bias, -1.8)  # 20·sigmoid(−1.8) ≈ 2.8 m, a middling depth
        nn.init.normal_(self.head.weight, 0, 0.02)

    def forward(self, image):
        fine = F.relu(self.stem(image))
        quarter = self.stages[0](F.relu(self.stem2(fine)))
        eighth = self.stages[1](self.downs[0](quarter))
        sixteenth = self.stages[2](self.downs[1](eighth))
        y = self.merge4(self.context(sixteenth), sixteenth)
        y = self.merge3(y, eighth)
        y = self.merge2(y, quarter)
        y = F.interpolate(self.last(y), size=fine.shape[-2:], mode='bilinear', align_corners=False)
        return self.head(F.relu(self.fuse(F.relu(y + fine))))


def working_size(height, width):
    """Size at which the network works for a graph input whose sides are multiples of 14."""
    return height // PATCH * WORKING, width // PATCH * WORKING


def to_working(image):
    """[B, 3, H, W] → [B, 3, 3H/14, 3W/14]: 2×2 means, bilinear to twice that, 2×2 means."""
    h, w = working_size(*image.shape[-2:])
    image = F.interpolate(F.avg_pool2d(image, 2), size=(2 * h, 2 * w), mode='bilinear',
                          align_corners=False)
    return F.avg_pool2d(image, 2)


def to_depth(logits, size):
    """Logits → depth in metres [B, H, W] and disparity 1/depth − 1/20 [B, H, W]."""
    full = F.interpolate(logits, size=size, mode='bilinear', align_corners=False)
    depth = torch.sigmoid(full[:, 0].clamp(-LOGIT_LIMIT, LOGIT_LIMIT)) * MAX_DEPTH
    return depth, F.relu(1.0 / depth - 1.0 / MAX_DEPTH)


class Exported(nn.Module):
    """The contract of the exported graph, in PyTorch: image → (depth, disparity).

    The logits are the mean over the image and its mirror image, which costs twice the time and
    takes away some 6 % of the error.
    """

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image):
        small = to_working(image)
        straight, mirrored = self.net(torch.cat([small, small.flip(-1)])).chunk(2)
        return to_depth((straight + mirrored.flip(-1)) / 2, image.shape[-2:])


def parameter_count(net):
    return sum(p.numel() for p in net.parameters())
