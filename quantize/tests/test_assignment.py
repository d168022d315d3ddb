"""Cells that answer for boxes, by hand."""

import pytest
import torch
from quantize import losses
from quantize.model.assignment import assign
from quantize.model.prediction import Prediction, PredictionHead, decode


def test_cells_near_the_centre_answer_and_the_smallest_box_wins() -> None:
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.75, 0.75], [0.26, 0.26, 0.30, 0.30]])
    found = assign(boxes, torch.tensor([0, 0, 1]), 2, 4, 4)
    answers = {(o, c): r for o, c, r in zip(found.owner.tolist(), found.cell.tolist(), found.row.tolist(), strict=True)}
    # the whole picture's centre is the corner of four cells, of which the small box takes one; twelve are too far away
    assert answers == {(0, 5): 0, (0, 6): 0, (0, 9): 0, (0, 10): 1, (1, 5): 2}
    at = found.cell.tolist().index(6)
    assert found.distance[at].tolist() == [2.5, 1.5, 1.5, 2.5]
    assert found.distance[found.cell.tolist().index(10)].tolist() == [0.5] * 4
    assert found.distance.min() >= 0  # the third box lies beside its cell's centre


def test_centres_on_the_border_stay_on_the_map() -> None:
    found = assign(torch.tensor([[0.99, 0.99, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0]]), torch.tensor([0, 0]), 1, 2, 3)
    assert sorted(zip(found.cell.tolist(), found.row.tolist(), strict=True)) == [(2, 1), (5, 0)]


def test_no_boxes() -> None:
    found = assign(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), 2, 3, 3)
    assert len(found.owner) == len(found.row) == 0
    assert found.distance.shape == (0, 4)


def test_objectness_is_the_overlap_of_the_answer() -> None:
    boxes = torch.tensor([[0.0, 0.0, 0.5, 1.0]])
    found = assign(boxes, torch.tensor([1]), 2, 2, 2)
    corners = torch.zeros(2, 4, 4)
    corners[1, 0] = torch.tensor([0.0, 0.0, 0.5, 0.5])
    corners[1, 2] = boxes[0]
    prediction = Prediction(torch.zeros(2, 4), torch.zeros(2, 4, 8), corners, torch.zeros(2, 4, 1), torch.zeros(2, 1, 4, 4))
    assert found.objectness(prediction, boxes).tolist() == [[0.0] * 4, [0.5, 0.0, 1.0, 0.0]]


def test_a_head_learns_one_box() -> None:
    torch.manual_seed(0)
    head, features = PredictionHead(8, 16, 8, 2), torch.randn(1, 8, 6, 6)
    boxes, owner = torch.tensor([[0.1, 0.3, 0.7, 0.6]]), torch.tensor([0])
    wanted = assign(boxes, owner, 1, 6, 6)
    optimiser = torch.optim.Adam(head.parameters(), 1e-2)
    for _ in range(60):
        found = head(features)
        loss = losses.objectness(found.objectness, wanted.objectness(found, boxes))
        loss = loss + losses.distance_bins(found.bins[wanted.owner, wanted.cell], wanted.distance)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    best = int(found.objectness[0].argmax())
    assert best in wanted.cell.tolist()
    assert decode(found.bins, 6, 6)[0, best].tolist() == pytest.approx(boxes[0].tolist(), abs=0.05)
