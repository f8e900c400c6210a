"""The losses of the click decoder and of the concept decoder."""

import numpy as np
import torch
import torch.nn.functional as F

import phrases
import vocabulary
from data import low
from layers import at_most
from prompts import CLICK, NOTHING

WEIGHTS = (0.5, 1.5, 1.5)  # of colour, shape and material


def mask_loss(logits, target):
    """Dice and cross-entropy of logits and soft targets [..., h, w] → [...]."""
    p, t = torch.sigmoid(logits).flatten(-2), target.flatten(-2)
    dice = 1 - (2 * (p * t).sum(-1) + 1) / ((p * p).sum(-1) + (t * t).sum(-1) + 1)
    cross = F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction='none')
    cross = cross.flatten(-2).sum(-1) / (t.sum(-1) + 60)
    return dice + 0.5 * cross


def iou_of(masks, target):
    """IoU of logits > 0 and soft targets > 0.5."""
    a, t = (masks > 0).flatten(-2), (target > 0.5).flatten(-2)
    return (a & t).sum(-1) / (a | t).sum(-1).clamp(min=1)


def click_losses(answer, prompts):
    """Mask, IoU, presence and pointer losses, and the mean IoU of the single mask per kind."""
    masks, iou, present, pointer = (v.float() for v in answer)
    target = low(prompts.target[:, None].float())
    there = prompts.there
    each = mask_loss(masks, target)
    lone = (prompts.kind == CLICK).float()
    best = each[:, 1:].min(1).values
    total = each[:, 0] * (1 - 0.4 * lone) + best * (0.3 + 0.7 * lone) + 0.1 * each[:, 1:].mean(1)
    total = (total * there).sum() / there.sum().clamp(min=1)
    with torch.no_grad():
        truth = iou_of(masks, target)
    quality = (((iou - truth) ** 2).mean(1) * there).sum() / there.sum().clamp(min=1)
    presence = F.binary_cross_entropy_with_logits(present[:, 0], there)
    key = F.normalize(pointer, dim=1)
    name = prompts.image * 100 + prompts.object
    usable = there > 0
    same = (name[:, None] == name[None]) & usable[:, None] & usable[None]
    itself = torch.eye(len(name), dtype=torch.bool)
    close = (key @ key.T) * 8.0
    close = close.masked_fill(itself | ~usable[None], -30)
    log = F.log_softmax(close, 1)
    pairs = same & ~itself
    alike = -(log * pairs).sum() / pairs.sum().clamp(min=1)
    chosen = truth[:, 1:].gather(1, iou[:, 1:].argmax(1, keepdim=True))[:, 0]
    shown = torch.where(prompts.kind == CLICK, chosen, truth[:, 0])
    shown = torch.where(prompts.kind == NOTHING, torch.nan, shown)
    return {'click mask': total, 'click iou': quality, 'presence': 0.4 * presence,
            'pointer': 0.1 * alike}, shown


def word_targets(words):
    """Class numbers int64 [..., 3] of words, −100 where unknown; the unnamed shape is class 6."""
    targets = torch.where(words < 0, -100, words.long())
    targets[..., 1] = torch.where(words[..., 1] == vocabulary.UNNAMED, 6, targets[..., 1])
    return targets


def pixel_losses(maps, heads, labels, words):
    """Colour, shape and material of every object's pixel, told from feature maps directly.

    It costs little and teaches the encoder the words much sooner than the objects alone do.
    """
    none = torch.full_like(words[:, :1], -1)
    table = word_targets(torch.cat([none, words], 1))
    total = 0.0
    for head, features in zip(heads, maps):
        step = labels.shape[-1] // features.shape[-1]
        small = labels[:, step // 2::step, step // 2::step].flatten(1)
        wanted = table.gather(1, small[..., None].expand(-1, -1, 3))
        guess = head(features.float()).flatten(2)
        for slot, part in enumerate(guess.split((12, 7, 4), 1)):
            if (wanted[..., slot] >= 0).any():
                total = total + 0.4 * WEIGHTS[slot] * F.cross_entropy(
                    part, wanted[..., slot], ignore_index=-100)
    return {'pixels': total}


class Queries:
    """Texts for a batch: meanings, wordings, and which objects fit."""

    def __init__(self, words, valid, rng, each, encode):
        texts, self.fits = [], []
        for b in range(len(words)):
            rows = words[b].numpy()
            present = np.flatnonzero(valid[b].numpy())
            for _ in range(each):
                u = rng.random()
                if u < 0.22:
                    texts.append(phrases.strange(rng) if u > 0.02 else vocabulary.VISUAL)
                    self.fits.append(np.where(rows[:, 0] == -2, -2, 0))
                    continue
                meaning = phrases.meaning_pool(rng, 1)[0]
                if len(present) and u < 0.8:
                    source = rows[int(rng.choice(present))]
                    for slot, most in ((0, 11), (1, 5), (2, 3)):
                        if meaning[slot] != phrases.ANY and 0 <= source[slot] <= most:
                            meaning[slot] = int(source[slot])
                    if u < 0.25 + 0.22:  # nearly: one word of a present thing changed
                        slot = int(rng.integers(3))
                        if meaning[slot] != phrases.ANY:
                            meaning[slot] = int(rng.integers((12, 6, 4)[slot]))
                texts.append(phrases.phrase(rng, *meaning))
                state = np.array(phrases.fits(meaning, rows))
                self.fits.append(np.where(rows[:, 0] == -2, -2, state))
        self.ids, self.mask = encode(texts)
        self.fits = torch.from_numpy(np.stack(self.fits)).view(len(words), each, -1)


def choose_cells(owner, objectness, rng, count):
    """Cells [B, count] to describe: random ones of objects first, then the likeliest others."""
    order = torch.from_numpy(rng.random(tuple(owner.shape), dtype=np.float32)) + 100
    order = torch.where(owner >= 0, order, objectness.detach().float())
    return order.topk(count, 1).indices


def shape_losses(dense, net, labels, owner, ignored, rng, most=96):
    """Losses of objectness and masks; also the masks' mean IoU."""
    objectness, kernels, basis = (v.float() for v in dense[:3])
    positive = owner >= 0
    p = torch.sigmoid(objectness)
    focal = torch.where(positive, (1 - p) ** 2, p**2) * F.binary_cross_entropy_with_logits(
        objectness, positive.float(), reduction='none')
    focal = (focal * ~ignored).sum() / positive.sum().clamp(min=1)
    image, cell = torch.nonzero(positive, as_tuple=True)
    chosen = torch.from_numpy(rng.permutation(len(image))[:most])
    b, q = image[chosen], cell[chosen]
    k = owner[b, q]
    target = low((labels[b] == (k + 1)[:, None, None]).float()[:, None])[:, 0]
    masks = net.dense.masks(kernels[b, q][:, None], basis[b])[:, 0]
    with torch.no_grad():
        quality = iou_of(masks, target).mean()
    return {'object': focal, 'mask': mask_loss(masks, target).mean()}, quality


def word_losses(attributes, objectness, owner, net, text, heads, objects, queries, rng):
    """Losses of what described cells [B, K] are, and of how texts and examples fit them."""
    attributes, objectness = attributes.float(), objectness.float()
    losses = {}
    positive = owner >= 0
    image, cell = torch.nonzero(positive, as_tuple=True)
    found = attributes[image, cell]
    words = objects.words[image, owner[image, cell]].long()
    names = word_targets(words)
    for slot, head in enumerate(heads):
        if (names[:, slot] >= 0).any():
            losses[('colour', 'shape', 'material')[slot]] = WEIGHTS[slot] * F.cross_entropy(
                head(found), names[:, slot], ignore_index=-100)

    count, each = queries.fits.shape[:2]
    features, mask = text(queries.ids, queries.mask)
    fit, known = net.text_logits(features, mask, attributes.repeat_interleave(each, 0))
    fit, known = fit.view(count, each, -1), known.view(count, each)
    fits = queries.fits.gather(2, owner.clamp(min=0)[:, None].expand(-1, each, -1))
    counts = positive[:, None] & (fits >= 0)
    cross = F.binary_cross_entropy_with_logits(fit, (fits == 1).float(), reduction='none')
    yes, no = counts & (fits == 1), counts & (fits == 0)
    # Not balanced: a score is to be what the shares of fitting and other things make it.
    losses['fit'] = 4 * (1.2 * cross * yes + cross * no).sum() / counts.sum().clamp(min=1)

    scores = at_most(fit, objectness[:, None])
    presence = net.present(scores.flatten(0, 1), known.flatten()[:, None])[:, 0]
    usable = objects.valid[:, None] & (queries.fits == 1)
    maybe = objects.there[:, None] & (queries.fits != 0)
    exists = usable.any(2).flatten()
    sure = exists | ~maybe.any(2).flatten()
    cross = F.binary_cross_entropy_with_logits(presence, exists.float(), reduction='none')
    losses['present'] = (cross * sure).sum() / sure.sum().clamp(min=1)

    some = torch.from_numpy(rng.permutation(len(found))[:150])
    alike = net.likeness(found[some][:, None], found[some][None])
    w = words[some]
    equal = (w[:, None, :2] == w[None, :, :2]).all(2)
    told = ((w[:, :2] >= 0) & (w[:, :2] < 12)).all(1) & (w[:, 1] != vocabulary.UNNAMED)
    sure = told[:, None] & told[None]
    cross = F.binary_cross_entropy_with_logits(alike, equal.float(), reduction='none')
    a, c = sure & equal, sure & ~equal
    losses['like'] = 0.2 * ((cross * a).sum() / a.sum().clamp(min=1)
                            + (cross * c).sum() / c.sum().clamp(min=1))
    return losses
