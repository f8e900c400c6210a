"""Batch augmentation: flips, crops, scale, light, colour, blur and noise."""

import torch
import torch.nn.functional as F

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def normalise(image):
    """uint8 [B, H, W, 3] RGB → ImageNet-normalised float32 [B, 3, H, W]."""
    return (image.permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD


def _crop(image, depth, rng):
    """One crop rectangle for the batch: mostly almost the whole frame."""
    h, w = depth.shape[-2:]
    k = 1.0 if rng.random() < 0.5 else rng.uniform(0.8, 1.0)
    ch, cw = int(h * k), int(w * k)
    y, x = int(rng.integers(h - ch + 1)), int(rng.integers(w - cw + 1))
    return image[..., y:y + ch, x:x + cw], depth[..., y:y + ch, x:x + cw]


def working_size(h, w, short):
    """The size with this short side and the same shape, in the network's steps of 3 pixels."""
    k = short / min(h, w)
    return max(3, 3 * round(h * k / 3)), max(3, 3 * round(w * k / 3))


def _draw_size(h, w, rng, base):
    """Mostly the base size (111 is what a 518 input gives), else a spread like 252 … 770 gives."""
    k = 1.0 if rng.random() < 0.5 else rng.uniform(0.68, 1.22)
    if rng.random() < 0.05:
        k = rng.uniform(0.49, 1.49)
    return working_size(h, w, base * k)


def _per_image(rng, n, low, high):
    return torch.from_numpy(rng.uniform(low, high, n).astype('float32'))[:, None, None, None]


def _colour(x, rng):
    n = x.shape[0]
    gain = torch.from_numpy(rng.normal(0, 0.08, (n, 3, 1, 1)).astype('float32')).exp()
    x = x * gain * _per_image(rng, n, 0.7, 1.35)
    x = x.clamp(0.002, 1) ** _per_image(rng, n, 0.7, 1.4)
    middle = x.mean((1, 2, 3), keepdim=True)
    x = middle + (x - middle) * _per_image(rng, n, 0.7, 1.3)
    grey = x.mean(1, keepdim=True)
    amount = _per_image(rng, n, 0.4, 1.4)
    amount[torch.from_numpy(rng.random(n) < 0.08)] = 0.0
    return grey + (x - grey) * amount


def _light(x, rng):
    """A smooth random gain field, as uneven light gives, on a third of the images."""
    n, _, h, w = x.shape
    field = torch.from_numpy(rng.normal(0, 0.25, (n, 1, 4, 5)).astype('float32'))
    field *= torch.from_numpy((rng.random((n, 1, 1, 1)) < 0.33).astype('float32'))
    return x * F.interpolate(field, size=(h, w), mode='bicubic', align_corners=True).exp()


def augment(image, depth, rng, base=111):
    """uint8 [B, H, W, 3] and metres [B, H, W] → normalised [B, 3, h, w] and metres [B, h, w]."""
    x = image.permute(0, 3, 1, 2).float() / 255.0
    x, depth = _crop(x, depth, rng)
    flip = torch.from_numpy(rng.random(x.shape[0]) < 0.5)
    x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    depth = torch.where(flip[:, None, None], depth.flip(-1), depth)
    size = _draw_size(*depth.shape[-2:], rng, base)
    if rng.random() < 0.15:
        k = rng.uniform(0.45, 0.8)
        x = F.interpolate(x, scale_factor=k, mode='bilinear', antialias=True)
    x = F.interpolate(x, size=size, mode='bilinear', align_corners=False, antialias=True)
    depth = F.interpolate(depth[:, None], size=size, mode='nearest-exact')[:, 0]
    x = _light(_colour(x, rng), rng)
    sigma = _per_image(rng, x.shape[0], 0.0, 0.02)
    noise = torch.from_numpy(rng.standard_normal(tuple(x.shape), dtype='float32'))
    x = (x + sigma * noise).clamp(0, 1)
    return (x - MEAN) / STD, depth
