"""The optimiser of the 1×1 weights of the embedded models."""

import torch


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised (Newton–Schulz, Jordan et al. 2024): 1×1 weights."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group['params']:
                state = self.state[p]
                if 'momentum' not in state:
                    state['momentum'] = torch.zeros_like(p)
                m = state['momentum'].mul_(group['momentum']).add_(p.grad)
                g = (p.grad + group['momentum'] * m).flatten(1)
                x = g.T if g.shape[0] > g.shape[1] else g
                x = x / (x.norm() + 1e-7)
                for _ in range(5):
                    a = x @ x.T
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                x = x.T if g.shape[0] > g.shape[1] else x
                scale = max(1.0, g.shape[0] / g.shape[1]) ** 0.5
                p.mul_(1 - group['lr'] * group['weight_decay'])
                p.add_(x.view_as(p), alpha=-group['lr'] * scale)
