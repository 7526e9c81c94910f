"""What training minimises: a student's distance to its teacher, or the additive angular margin loss on identities."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Weight of the likenesses within a batch, beside each template's own distance.
LIKENESS = 4.0


def distillation_loss(templates: Tensor, labels: Tensor) -> Tensor:
    """1 - cosine to the teacher's templates, and the squared difference of the cosines between samples of the batch.

    templates: N x D; labels: N x D of norm 1. The second part (Park et al., "Relational Knowledge Distillation", CVPR
    2019, on cosines) is what verification uses: who is like whom.

    >>> labels = functional.normalize(torch.randn(4, 8))
    >>> bool(distillation_loss(3 * labels, labels) < 1e-6)
    True
    """
    unit = functional.normalize(templates)
    own = 1 - (unit * labels).sum(1).mean()
    among = (unit @ unit.T - labels @ labels.T).square().mean()
    return own + LIKENESS * among


class ArcFace(nn.Module):
    """Softmax over identities with an additive angular margin (Deng et al., CVPR 2019): scale 64, margin 0.5 rad.

    templates N x D and identities (int64, N) give the mean cross entropy.
    """

    def __init__(self, dimension: int, identities: int, *, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.randn(identities, dimension))
        self.scale, self.margin = scale, margin

    def forward(self, templates: Tensor, identities: Tensor) -> Tensor:
        cosines = functional.normalize(templates) @ functional.normalize(self.centres).T
        own = cosines.gather(1, identities[:, None]).clamp(-1 + 1e-7, 1 - 1e-7)
        moved = torch.cos(torch.acos(own) + self.margin)
        # Beyond pi - margin the cosine would grow again: a linear penalty goes on falling.
        beyond = own - math.sin(math.pi - self.margin) * self.margin
        moved = torch.where(own > math.cos(math.pi - self.margin), moved, beyond)
        logits = self.scale * cosines.scatter(1, identities[:, None], moved)
        return functional.cross_entropy(logits, identities)
