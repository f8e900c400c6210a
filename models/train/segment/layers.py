"""Building blocks shared by the four networks."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.append(str(Path(__file__).resolve().parents[1]))
from blocks import Block, Down, conv_bn  # noqa: E402


class Merge(nn.Module):
    """Double the deeper map's size, add the lateral one, and refine."""

    def __init__(self, deep, lateral, cout, k=3):
        super().__init__()
        self.deep = conv_bn(deep, cout)
        self.lateral = conv_bn(lateral, cout)
        self.refine = Block(cout, k, expand=2)

    def forward(self, deep, lateral):
        return self.refine(F.relu(double(self.deep(deep)) + self.lateral(lateral)))


class Perceptron(nn.Sequential):
    """Two linear layers."""

    def __init__(self, cin, hidden, cout):
        super().__init__(nn.Linear(cin, hidden), nn.ReLU(), nn.Linear(hidden, cout))


def double(x):
    """Twice the size, bilinear, half-pixel centres."""
    return F.interpolate(x, scale_factor=2.0, mode='bilinear', align_corners=False)


def centres(count):
    """Cell centres 0 … 1."""
    return (torch.arange(count) + 0.5) / count


def is_label(labels, value):
    """1 where a whole-number tensor holds `value`, else 0; compares nothing."""
    return F.relu(1 - (labels - value).abs())


def at_most(a, b):
    """Elementwise minimum, from operators that every backend has."""
    return a - F.relu(a - b)


def at_least(a, b):
    """Elementwise maximum."""
    return a + F.relu(b - a)
