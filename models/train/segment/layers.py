"""Building blocks shared by the four networks."""

import torch
import torch.nn.functional as F
from torch import nn


def conv_bn(cin, cout, k=1, stride=1, groups=1):
    """Convolution without bias, then batch normalisation."""
    conv = nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(cout, momentum=0.02))


class Block(nn.Module):
    """Inverted residual: depthwise k×k, 1×1 expand, 1×1 project, added to the input."""

    def __init__(self, c, k=3, expand=4):
        super().__init__()
        self.depthwise = conv_bn(c, c, k, 1, c)
        self.expand = nn.Conv2d(c, c * expand, 1)
        self.project = nn.Conv2d(c * expand, c, 1)
        nn.init.kaiming_normal_(self.expand.weight, nonlinearity='relu')
        nn.init.normal_(self.project.weight, 0, 0.3 / (c * expand) ** 0.5)
        nn.init.zeros_(self.expand.bias)
        nn.init.zeros_(self.project.bias)

    def forward(self, x):
        return x + self.project(F.relu(self.expand(self.depthwise(x))))


class Down(nn.Module):
    """Half the size: depthwise 3×3 with stride 2, then 1×1 to the new width."""

    def __init__(self, cin, cout):
        super().__init__()
        self.depthwise = conv_bn(cin, cin, 3, 2, cin)
        self.project = conv_bn(cin, cout)

    def forward(self, x):
        return self.project(self.depthwise(x))


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
