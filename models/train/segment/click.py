"""The click decoder: a small U-Net over the image features and maps drawn from the prompt."""

import torch
import torch.nn.functional as F
from torch import nn

from encoder import GRID, MASK, SIZE, WIDTHS
from layers import Block, Perceptron, centres, conv_bn, double, is_label

KEYS = (32, 16)   # widths of the features compared with those under the clicks, at g and 2g
SPREADS = ((0.03, 0.12), (0.016, 0.06), (0.008, 0.03))  # of the clicks' marks, at g, 2g and 4g
DRAWN = 7


class Prompt(nn.Module):
    """Maps [N, 7, side, side] of points and box: marks inside (2), outside (2), box, its middle,
    and whether there is a box. `input_points` [N, P, 2] in 0 … 1, labels [N, P] as in SAM3.md."""

    def __init__(self, side, spreads):
        super().__init__()
        self.spreads = spreads
        self.side = side
        self.register_buffer('at', centres(side), persistent=False)

    def marks(self, points, weights, spread):
        """Sum of round marks at the points of weight 1, at most 1."""
        x = torch.exp((self.at - points[..., 0:1]) ** 2 * (-0.5 / spread**2))
        y = torch.exp((self.at - points[..., 1:2]) ** 2 * (-0.5 / spread**2))
        total = torch.matmul((y * weights[..., None]).transpose(1, 2), x)
        return 1 - F.relu(1 - total)

    def interval(self, low, high):
        """Indicator of low … high along one axis, and a bump that is 1 in its middle. [N, side]"""
        middle, half = (low + high) * 0.5, F.relu(high - low) * 0.5
        gap = (self.at - middle).abs()
        inside = (0.5 + (half - gap) * self.side).clamp(0.0, 1.0)
        return inside, torch.exp(-2.0 * (gap / (half + 0.004)) ** 2)

    def forward(self, points, labels):
        positive, negative = is_label(labels, 1), is_label(labels, 0)
        first, second = is_label(labels, 2), is_label(labels, 3)
        drawn = [self.marks(points, w, s) for w in (positive, negative) for s in self.spreads]
        low = (points * first[..., None]).sum(1)
        high = (points * second[..., None]).sum(1)
        x, bump_x = self.interval(low[:, 0:1], high[:, 0:1])
        y, bump_y = self.interval(low[:, 1:2], high[:, 1:2])
        boxed = 1 - F.relu(1 - first.sum(1, keepdim=True))[..., None]
        drawn += [boxed * y[:, :, None] * x[:, None, :],
                  boxed * bump_y[:, :, None] * bump_x[:, None, :],
                  boxed + 0 * y[:, :, None] * x[:, None, :]]
        return torch.stack(drawn, 1)


def pooled(features, weights):
    """Mean feature under a map: features [1 or N, C, h, w], weights [N, h, w] → [N, C]."""
    total = (features * weights[:, None]).sum((2, 3))
    return total / (weights.sum((1, 2))[:, None] + 1e-4)


class Likeness(nn.Module):
    """Maps [N, 4, h, w] of how alike every place is to what lies under the prompt."""

    def __init__(self, channels, width):
        super().__init__()
        self.key = nn.Conv2d(channels, width, 1)
        self.scale = width**-0.5

    def forward(self, features, drawn):
        key = self.key(features)
        wanted = drawn[:, 0] + 0.3 * drawn[:, 5]
        maps = []
        for weights in (wanted, drawn[:, 2]):
            there = 1 - F.relu(1 - weights.sum((1, 2), keepdim=True)[:, None])
            mean = pooled(key, weights)[:, :, None, None]
            product = (key * mean).sum(1, keepdim=True) * self.scale
            distance = ((key - mean) ** 2).mean(1, keepdim=True)
            maps += [product * there, torch.exp(-distance) * there]
        return torch.cat(maps, 1), key, wanted


class ClickDecoder(nn.Module):
    """See SAM3.md, click-decoder."""

    def __init__(self):
        super().__init__()
        c1, c2, c3 = WIDTHS
        self.prompts = nn.ModuleList([
            Prompt(side, s) for side, s in zip((GRID, 2 * GRID, 4 * GRID), SPREADS)])
        self.like8 = Likeness(c3, KEYS[0])
        self.like4 = Likeness(c2, KEYS[1])
        self.image8, self.drawn8 = nn.Conv2d(c3, c3, 1), nn.Conv2d(DRAWN + 6, c3, 3, padding=1)
        self.blocks8 = nn.ModuleList([Block(c3, 7, 3) for _ in range(3)])
        self.summary = Perceptron(c3 + 2 * KEYS[0], c3, c3)
        self.image4, self.drawn4 = nn.Conv2d(c2, c2, 1), nn.Conv2d(DRAWN + 6, c2, 1)
        self.deep4 = conv_bn(c3, c2)
        self.block4 = Block(c2, 5, 2)
        self.image2, self.drawn2 = nn.Conv2d(c1, c1, 1), nn.Conv2d(DRAWN + 1, c1, 1)
        self.deep2 = conv_bn(c2, c1)
        self.block2 = Block(c1, 5, 2)
        self.masks = nn.Conv2d(c1, 4, 3, padding=1)
        nn.init.constant_(self.masks.bias, -2)
        self.quality = Perceptron(c2 + 2 * c3 + 3, 64, 1)
        self.presence = Perceptron(3 * c3, 64, 1)
        self.pointer = Perceptron(c3 + KEYS[0], c3, c3)
        self.no_pointer = nn.Parameter(torch.randn(c3) * 0.1)

    def features(self, fine, middle, coarse, points, labels, mask, has_mask):
        """Decoder features at g, 2g and the four mask logits [N, 4, 4g, 4g]."""
        drawn8, drawn4, drawn2 = (p(points, labels) for p in self.prompts)
        given = has_mask[:, None, None, None]
        mask = torch.where(given > 0.5, (mask * 0.25).clamp(-1.0, 1.0), torch.zeros_like(mask))
        mask4 = F.avg_pool2d(mask, 2)
        mask8 = F.avg_pool2d(mask4, 2)
        like8, key8, wanted8 = self.like8(coarse, drawn8)
        like4, _, _ = self.like4(middle, drawn4)
        flag8, flag4 = given + 0 * mask8, given + 0 * mask4
        x8 = self.image8(coarse) + self.drawn8(torch.cat([drawn8, like8, mask8, flag8], 1))
        x8 = F.relu(x8)
        for k, block in enumerate(self.blocks8):
            x8 = block(x8)
            if k == 0:
                known = torch.cat([x8.mean((2, 3)), pooled(key8, wanted8),
                                   pooled(key8, drawn8[:, 2])], 1)
                x8 = x8 + self.summary(known)[:, :, None, None]
        x4 = double(self.deep4(x8)) + self.image4(middle) + self.drawn4(
            torch.cat([drawn4, like4, mask4, flag4], 1))
        x4 = self.block4(F.relu(x4))
        x2 = double(self.deep2(x4)) + self.image2(fine) + self.drawn2(
            torch.cat([drawn2, mask], 1))
        masks = self.masks(self.block2(F.relu(x2)))
        return x8, x4, key8, masks

    def heads(self, x8, x4, key8, masks):
        """IoU [N, 4], object logit [N, 1] and pointer [N, C]."""
        soft = torch.sigmoid(masks)
        soft4 = F.avg_pool2d(soft, 2)
        soft8 = F.avg_pool2d(soft4, 2)
        flat4, flat8 = soft4.flatten(2), soft8.flatten(2)
        under4 = torch.matmul(flat4, x4.flatten(2).transpose(1, 2)) / (
            flat4.sum(2, keepdim=True) + 0.5)
        under8 = torch.matmul(flat8, x8.flatten(2).transpose(1, 2)) / (
            flat8.sum(2, keepdim=True) + 0.2)
        mean8 = x8.mean((2, 3))
        most8 = x8.amax((2, 3))
        area = soft.mean((2, 3))[..., None]
        doubt = (soft * (1 - soft)).mean((2, 3))[..., None]
        stats = torch.cat([torch.sqrt(area + 1e-4), torch.sqrt(doubt + 1e-6),
                           doubt / (area + 1e-3)], 2)
        around = mean8[:, None, :] + 0 * under8
        iou = torch.sigmoid(self.quality(torch.cat([under4, under8, around, stats], 2)))[..., 0]
        key = pooled(key8, soft8[:, 0])
        present = self.presence(torch.cat([mean8, most8, under8[:, 0]], 1))
        pointer = self.pointer(torch.cat([under8[:, 0], key], 1))
        return iou, present, pointer

    def raw(self, fine, middle, coarse, points, labels, mask, has_mask):
        """Four masks, four IoUs, object logit, pointer; points [N, P, 2] in 0 … 1."""
        x8, x4, key8, masks = self.features(fine, middle, coarse, points, labels, mask, has_mask)
        return masks, *self.heads(x8, x4, key8, masks)

    def forward(self, fine, middle, coarse, input_points, input_labels, input_masks,
                has_input_masks, multimask):
        points, labels = input_points[0] * (1.0 / SIZE), input_labels[0]
        masks, iou, present, pointer = self.raw(fine, middle, coarse, points, labels, input_masks,
                                                has_input_masks)
        several = multimask[:, None]
        three = iou[:, 1:]
        top = three.amax(1, keepdim=True)
        # One of equals: the first.
        first = (three >= top).to(three.dtype)
        a, b, c = first[:, 0:1], first[:, 1:2], first[:, 2:3]
        b = b * (1 - a)
        c = c * (1 - a) * (1 - b)
        weights = torch.cat([1 - several, several * a, several * b, several * c], 1)
        best_mask = (masks * weights[:, :, None, None]).sum(1, keepdim=True)
        best_iou = (iou * weights).sum(1, keepdim=True)
        pointer = torch.where(present > 0, pointer, self.no_pointer[None, :])
        zero = 0 * several[None]
        return (three[None] + zero, masks[None, :, 1:] + zero[..., None, None],
                present[None] + zero, best_iou, best_mask, pointer)


assert MASK == 4 * GRID
