"""The vision encoder: one trunk, a neck for concepts and one for clicks."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import Block, Down, Merge, conv_bn, double

SIZE = 192            # image side S
GRID = SIZE // 8      # g
MASK = 4 * GRID       # side of masks and of the finest feature map
WIDTHS = (16, 32, 64)  # channels of the maps at 4g, 2g and g


class Context(nn.Module):
    """Whole-image context at 1/32: 7×7 depthwise blocks and a gate and shift from the mean."""

    def __init__(self, c):
        super().__init__()
        self.down = Down(c, c)
        self.blocks = nn.ModuleList([Block(c, 7, expand=3) for _ in range(2)])
        self.squeeze = nn.Conv2d(c, c // 2, 1)
        self.excite = nn.Conv2d(c // 2, 2 * c, 1)

    def forward(self, x):
        y = F.relu(self.down(x))
        for block in self.blocks:
            y = block(y)
        pooled = F.relu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))
        gate, shift = self.excite(pooled).chunk(2, 1)
        return y * torch.sigmoid(gate) + shift


class VisionEncoder(nn.Module):
    """`pixel_values` [B, 3, S, S] → the seven maps of SAM3.md, in its order."""

    def __init__(self):
        super().__init__()
        c1, c2, c3 = WIDTHS
        c4 = 96
        self.stem = conv_bn(3, c1, 3, 2)
        self.stem2 = conv_bn(c1, c2, 3, 2)
        self.stage1 = nn.Sequential(*[Block(c2, 3, 3) for _ in range(2)])
        self.down1 = Down(c2, c3)
        self.stage2 = nn.Sequential(*[Block(c3, 5, 4) for _ in range(3)])
        self.down2 = Down(c3, c4)
        self.stage3 = nn.Sequential(*[Block(c4, 5, 4) for _ in range(3)])
        self.context = Context(c4)
        self.merge4 = Merge(c4, c4, c4, 5)
        self.merge3 = Merge(c4, c3, c3)
        self.merge2 = Merge(c3, c2, c2)
        self.last = conv_bn(c2, c1)
        self.fuse = conv_bn(c1, c1, 3)
        self.concept = nn.ModuleList([nn.Conv2d(c, c, 1) for c in WIDTHS])
        self.click = nn.ModuleList([nn.Conv2d(c, c, 1) for c in WIDTHS])
        self.no_memory = nn.Parameter(torch.randn(c3) * 0.1)

    def forward(self, pixel_values):
        fine = F.relu(self.stem(pixel_values))
        quarter = self.stage1(F.relu(self.stem2(fine)))
        eighth = self.stage2(self.down1(quarter))
        y = self.stage3(self.down2(eighth))
        y = self.merge4(self.context(y), y)
        coarse = self.merge3(y, eighth)
        middle = self.merge2(coarse, quarter)
        fine = F.relu(self.fuse(F.relu(double(self.last(middle)) + fine)))
        maps = (fine, middle, coarse)
        concept = [neck(m) for neck, m in zip(self.concept, maps)]
        click = [neck(m) for neck, m in zip(self.click, maps)]
        tracker = click[2]
        return (*concept, click[0], click[1], tracker + self.no_memory[None, :, None, None],
                tracker)
