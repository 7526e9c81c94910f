"""The losses against closed forms."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.nn import functional

from benchmark.training.losses import LIKENESS, ArcFace, distillation_loss


def test_distillation_is_nothing_for_the_teachers_templates_at_any_length() -> None:
    labels = functional.normalize(torch.randn(8, 16, generator=torch.Generator().manual_seed(1)))
    assert float(distillation_loss(7 * labels, labels)) == pytest.approx(0, abs=1e-5)


def test_distillation_of_turned_templates_costs_their_own_distance_alone() -> None:
    labels = torch.eye(4)
    turned = torch.roll(labels, 1, dims=1)  # orthogonal to the teacher's, and to each other as the teacher's are
    assert float(distillation_loss(turned, labels)) == pytest.approx(1)


def test_distillation_counts_likenesses_within_the_batch() -> None:
    labels = torch.eye(2)
    same = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert float(distillation_loss(same, labels)) == pytest.approx(0.5 + LIKENESS * 0.5)


def test_arcface_is_cross_entropy_of_moved_angles() -> None:
    head = ArcFace(2, 3, scale=4.0, margin=0.5)
    angles = torch.tensor([0.0, 2.0, 4.0])
    with torch.no_grad():
        head.centres.copy_(3 * torch.stack([angles.cos(), angles.sin()], 1))
    template = torch.tensor([[math.cos(0.3), math.sin(0.3)]])
    logits = 4 * torch.tensor([[math.cos(0.3 + 0.5), math.cos(1.7), math.cos(3.7)]])
    expected = functional.cross_entropy(logits, torch.tensor([0]))
    assert float(head(template, torch.tensor([0]))) == pytest.approx(float(expected), abs=1e-6)


def test_arcface_falls_all_the_way_to_the_centre() -> None:
    head = ArcFace(2, 2)
    with torch.no_grad():
        head.centres.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    angles = torch.linspace(0.01, math.pi - 0.01, 50)
    templates = torch.stack([angles.cos(), angles.sin()], 1)
    losses = [float(head(one[None], torch.tensor([0]))) for one in templates]
    assert all(a <= b + 1e-4 for a, b in itertools.pairwise(losses))
