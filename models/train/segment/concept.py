"""The text encoder and the concept decoder (a dense head in the manner of SOLO and CondInst)."""

import torch
import torch.nn.functional as F
from torch import nn

from encoder import GRID, MASK, WIDTHS
from layers import Block, Down, Perceptron, at_least, at_most, centres, conv_bn, double, is_label

LENGTH = 32
TEXT = 64
SIDE = GRID // 2      # cells along a side
QUERIES = SIDE * SIDE
KERNEL = 16
ATTRIBUTES = 96
LIKE = 48
BINS, PARTS = 10, 24
LIMIT = 12.0


class TextEncoder(nn.Module):
    """`input_ids` [prompts, 32] → `text_features` [prompts, 32, TEXT], `text_mask`."""

    def __init__(self, vocabulary):
        super().__init__()
        self.table = nn.Embedding(vocabulary, TEXT)
        nn.init.normal_(self.table.weight, 0, 0.5)
        self.own = nn.Linear(TEXT, 2 * TEXT)
        self.all = nn.Linear(TEXT, 2 * TEXT, bias=False)
        self.out = nn.Linear(2 * TEXT, TEXT)

    def forward(self, input_ids, attention_mask):
        words = self.table(input_ids) * attention_mask[..., None]
        whole = words.sum(1, keepdim=True) * 0.35
        hidden = F.relu(self.own(words) + self.all(whole))
        mask = 1 - F.relu(1 - attention_mask)
        return self.out(hidden) + words, mask


class Closer(nn.Module):
    """Looks at objects in a frame of their own: the middle and spread of a mask along each axis.

    Being separable, sampling BINS × BINS places is a product with two small matrices; a few
    convolutions follow. Masks [B, K, g, g] → features [B, K, A].
    """

    def __init__(self):
        super().__init__()
        _, c2, c3 = WIDTHS
        self.part8, self.part4 = nn.Conv2d(c3, PARTS, 1), nn.Conv2d(c2, PARTS, 1)
        self.enter = conv_bn(PARTS + 1, 48)
        self.block1 = Block(48, 3, 2)
        self.down = Down(48, 64)
        self.block2 = Block(64, 3, 2)
        self.block3 = Block(64, 3, 2)
        self.narrow = nn.Conv2d(64, 24, 1)
        self.out = nn.Linear(24 * (BINS // 2) ** 2, ATTRIBUTES)
        self.register_buffer('across', centres(GRID), persistent=False)
        self.register_buffer('between', centres(2 * GRID), persistent=False)
        self.register_buffer('bins', torch.linspace(-1.9, 1.9, BINS)[:, None], persistent=False)

    def sampling(self, profile):
        """Weights [B, K, BINS, g] and [… 2g] of the bins along one axis from mask sums [B, K, g]."""
        total = profile.sum(2, keepdim=True) + 1e-3
        middle = (profile * self.across).sum(2, keepdim=True) / total
        spread = (profile * (self.across - middle) ** 2).sum(2, keepdim=True) / total
        scale = 1 / torch.sqrt(spread + 1e-4)
        out = []
        for at in (self.across, self.between):
            gap = ((at - middle) * scale)[:, :, None] - self.bins
            weight = torch.exp(gap * gap * -8.0) + 1e-5
            out.append(weight / weight.sum(3, keepdim=True))
        return out

    def forward(self, soft, near, fpn_1):
        look = F.relu(self.part4(fpn_1) + double(self.part8(near)))
        across, down = self.sampling(soft.sum(2)), self.sampling(soft.sum(3))
        b, k = soft.shape[:2]
        side = 2 * GRID
        flat = across[1].reshape(b, k * BINS, side).transpose(1, 2)
        rows = torch.matmul(look.reshape(b, PARTS * side, side), flat)
        rows = rows.reshape(b, PARTS, side, k, BINS).permute(0, 3, 2, 1, 4)
        cells = torch.matmul(down[1], rows.reshape(b, k, side, PARTS * BINS))
        cells = cells.reshape(b * k, BINS, PARTS, BINS).transpose(1, 2)
        outline = torch.matmul(torch.matmul(down[0], soft), across[0].transpose(2, 3))
        outline = outline.reshape(b * k, 1, BINS, BINS)
        x = F.relu(self.enter(torch.cat([cells, outline], 1)))
        x = F.relu(self.down(self.block1(x)))
        x = F.relu(self.narrow(self.block3(self.block2(x))))
        return self.out(x.flatten(1)).reshape(b, k, ATTRIBUTES)


class Dense(nn.Module):
    """Cells of a SIDE × SIDE grid: objectness, mask kernel, window and attributes."""

    def __init__(self):
        super().__init__()
        c1, c2, c3 = WIDTHS
        wide = 96
        self.before = Block(c3, 5, 3)
        self.down = Down(c3, wide)
        self.place = nn.Conv2d(2, wide, 1, bias=False)
        self.blocks = nn.ModuleList([Block(wide, 5, 3) for _ in range(3)])
        self.objectness = nn.Conv2d(wide, 1, 1)
        self.kernel = nn.Conv2d(wide, KERNEL + 1, 1)
        self.window = nn.Conv2d(wide, 4, 1)
        self.own = nn.Conv2d(wide, ATTRIBUTES, 1)
        self.look8, self.look4 = nn.Conv2d(c3, ATTRIBUTES, 1), nn.Conv2d(c2, ATTRIBUTES, 1)
        self.seen = nn.Linear(ATTRIBUTES, ATTRIBUTES)
        self.closer = Closer()
        self.attributes = nn.Linear(ATTRIBUTES, ATTRIBUTES)
        self.fine, self.middle = nn.Conv2d(c1, c1, 1), conv_bn(c2, c1)
        self.mask = Block(c1, 5, 2)
        self.basis = nn.Conv2d(c1, KERNEL, 1)
        nn.init.constant_(self.objectness.bias, -3)
        nn.init.normal_(self.kernel.weight, 0, 0.03)
        nn.init.normal_(self.window.weight, 0, 0.02)
        with torch.no_grad():
            self.window.bias.copy_(torch.tensor([0, 0, 2.2, 2.2]))
        y, x = torch.meshgrid(centres(SIDE), centres(SIDE), indexing='ij')
        self.register_buffer('cells', torch.stack([x, y]).flatten(1).T, persistent=False)
        self.register_buffer('ramp', torch.stack([x, y])[None] * 2 - 1, persistent=False)
        self.register_buffer('along', centres(MASK), persistent=False)
        self.register_buffer('across', centres(GRID), persistent=False)

    def forward(self, fpn_0, fpn_1, fpn_2):
        """Objectness [B, Q], kernels [B, Q, KERNEL + 5], basis, and what `describe` needs."""
        near = self.before(fpn_2)
        x = self.down(near) + self.place(self.ramp)
        x = F.relu(x)
        for block in self.blocks:
            x = block(x)
        objectness = self.objectness(x).flatten(1)
        kernel = self.kernel(x).flatten(2).transpose(1, 2)
        window = self.window(x).flatten(2).transpose(1, 2)
        # −a(x − x0)² − b(y − y0)² as weights of x, y, x², y² and 1.
        middle = self.cells + 0.2 * torch.tanh(window[..., :2])
        sharp = torch.exp(window[..., 2:].clamp(-2.0, 6.5))
        shift = -(sharp * middle * middle).sum(2, keepdim=True)
        spread = torch.cat([2 * sharp * middle, -sharp, shift + kernel[..., KERNEL:]], 2)
        kernels = torch.cat([kernel[..., :KERNEL], spread], 2)
        basis = self.basis(self.mask(F.relu(self.fine(fpn_0) + double(self.middle(fpn_1)))))
        own = self.own(x).flatten(2).transpose(1, 2)
        return objectness, kernels, basis.flatten(2), own, near

    def describe(self, kernels, own, basis, near, fpn_1):
        """Attributes [B, K, A] of K cells by their kernels and own features [B, K, …].

        Besides the cell's features they come from what lies under its mask, wherever that is.
        """
        b = basis.shape[0]
        small = basis.detach().reshape(b, KERNEL, MASK, MASK)
        small = F.avg_pool2d(small, MASK // GRID).flatten(2)
        under = torch.sigmoid(self.logits(kernels.detach(), small, self.across))
        seen = self.seen(self.under(under, near, fpn_1)) + self.closer(under, near, fpn_1)
        return F.relu(self.attributes(F.relu(own + seen)))

    def under(self, soft, near, fpn_1):
        """Mean look [B, K, A] of what lies under soft masks [B, K, g, g]."""
        look = F.relu(self.look8(near) + self.look4(F.avg_pool2d(fpn_1, 2))).flatten(2)
        flat = soft.flatten(2)
        return torch.matmul(flat, look.transpose(1, 2)) / (flat.sum(2, keepdim=True) + 0.1)

    def masks(self, kernels, basis):
        """Mask logits [..., Q, MASK, MASK] of kernels [..., Q, KERNEL + 5]."""
        return self.logits(kernels, basis, self.along)

    def logits(self, kernels, basis, along):
        """Mask logits on any square of cells whose centres are given."""
        own = torch.matmul(kernels[..., :KERNEL].to(basis.dtype), basis)
        own = own.reshape(*kernels.shape[:-1], along.shape[0], along.shape[0])
        x = kernels[..., KERNEL:KERNEL + 1] * along
        x = x + kernels[..., KERNEL + 2:KERNEL + 3] * (along * along)
        y = kernels[..., KERNEL + 1:KERNEL + 2] * along
        y = y + kernels[..., KERNEL + 3:KERNEL + 4] * (along * along)
        y = y + kernels[..., KERNEL + 4:]
        return own + (x[..., None, :] + y[..., :, None])


def boxes_of(masks):
    """x0, y0, x1, y1 in 0 … 1 of logits [Q, MASK, MASK] above 0; all 0 where none is."""
    side = masks.shape[-1]
    low = centres(side) - 0.5 / side
    high = low + 1.0 / side
    edges = []
    for axis in (1, 2):  # columns that hold something, then rows
        there = (masks.amax(axis) > 0).to(masks.dtype)
        first = 1 - (there * (1 - low)).amax(1)
        last = (there * high).amax(1)
        edges.append((first * there.amax(1), last))
    (x0, x1), (y0, y1) = edges
    return torch.stack([x0, y0, x1, y1], 1)


def overlap(a, b):
    """IoU of boxes a [..., m, 4] and b [n, 4] (x0, y0, x1, y1) → [..., m, n]."""
    a = a[..., :, None, :]
    wide = F.relu(at_most(a[..., 2], b[:, 2]) - at_least(a[..., 0], b[:, 0]))
    tall = F.relu(at_most(a[..., 3], b[:, 3]) - at_least(a[..., 1], b[:, 1]))
    both = wide * tall
    own = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    other = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    return both / (own + other - both + 1e-6)


class ConceptDecoder(nn.Module):
    """See SAM3.md, concept-decoder."""

    def __init__(self):
        super().__init__()
        self.dense = Dense()
        self.weights = Perceptron(TEXT, 2 * TEXT, ATTRIBUTES + 2)
        self.like = nn.Linear(ATTRIBUTES, LIKE)
        self.like_bias = nn.Parameter(torch.tensor([3.0, 0.0]))
        self.evidence = nn.Parameter(torch.tensor([1.0, 2.0]))

    def text_logits(self, features, mask, attributes):
        """How well text fits each cell [prompts, Q], and a bias for presence [prompts, 1].

        attributes [Q, A], or [prompts, Q, A] with one picture a prompt.
        """
        mean = (features * mask[..., None]).sum(1) / (mask.sum(1, keepdim=True) + 1e-6)
        w = self.weights(mean)
        fit = torch.matmul(attributes, w[:, :ATTRIBUTES, None])[..., 0]
        return fit * 0.3 + w[:, ATTRIBUTES:ATTRIBUTES + 1], w[:, ATTRIBUTES + 1:]

    def likeness(self, a, b):
        """Logit that two attribute vectors belong to things of one kind; broadcasts."""
        distance = ((self.like(a) - self.like(b)) ** 2).mean(-1)
        return self.like_bias[0] - distance * torch.exp(self.like_bias[1])

    def present(self, scores, known):
        """Presence logit [prompts, 1] from cell logits [prompts, Q] and the text's bias."""
        top = scores.amax(1, keepdim=True)
        return top * self.evidence[0] + known + self.evidence[1]

    def unique(self, objectness, masks, boxes):
        """Objectness [Q] with all but the best of cells whose masks agree set to −LIMIT."""
        small = torch.sigmoid(F.avg_pool2d(masks[None], 4)[0]).flatten(1)
        both = torch.matmul(small, small.T)
        area = small.sum(1)
        iou = both / (area[:, None] + area[None, :] - both + 1e-3)
        better = (objectness[:, None] > objectness[None, :]).to(iou.dtype)
        rival = (iou * better).amax(0)
        empty = (boxes[:, 2] <= boxes[:, 0])
        bad = torch.where(empty, torch.ones_like(rival), rival)
        return torch.where(bad > 0.5, torch.full_like(objectness, -LIMIT), objectness)

    def forward(self, fpn_0, fpn_1, fpn_2, text_features, text_mask, input_boxes,
                input_boxes_labels):
        objectness, kernels, basis, own, near = self.dense(fpn_0, fpn_1, fpn_2)
        attributes = self.dense.describe(kernels, own, basis, near, fpn_1)
        masks = self.dense.masks(kernels, basis)[0]
        boxes = boxes_of(masks)
        objectness = self.unique(objectness[0], masks, boxes)
        attributes = attributes[0]
        fit, known = self.text_logits(text_features, text_mask, attributes)
        half = input_boxes[..., 2:] * 0.5
        corners = torch.cat([input_boxes[..., :2] - half, input_boxes[..., :2] + half], 2)
        choice = torch.softmax(20 * overlap(corners, boxes) + 0.3 * objectness, 2)
        example = torch.matmul(choice, attributes)
        alike = self.likeness(example[:, :, None, :], attributes)
        wanted = is_label(input_boxes_labels, 1)[..., None]
        refused = is_label(input_boxes_labels, 0)[..., None]
        pull = (alike * wanted - LIMIT * (1 - wanted)).amax(1)
        push = (alike * refused - LIMIT * (1 - refused)).amax(1)
        fit = at_most(at_least(fit, pull), -push)
        scores = at_most(fit, objectness).clamp(-LIMIT, LIMIT)
        # A box wanted counts as knowing what is asked for.
        boxed = 1 - F.relu(1 - wanted.sum(1))
        known = known * (1 - boxed)
        presence = self.present(scores, known).clamp(-10.0, 10.0)
        zero = 0 * known[:, :, None]
        return (masks[None] + zero[..., None], boxes[None] + zero, scores, presence)
