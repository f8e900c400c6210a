"""What the encoders of the embedded models are built from."""

import torch.nn.functional as F
from torch import nn


def conv_bn(cin, cout, k=1, stride=1, groups=1):
    """A convolution without bias and its batch normalisation."""
    conv = nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(cout, momentum=0.02))


class Block(nn.Module):
    """Inverted residual: depthwise k×k, 1×1 expand, 1×1 project, added to the input.

    Only the narrow depthwise output is normalised, which keeps training cheap on a CPU.
    """

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
