"""Estimates: that times come from the nearest record, and that they add up."""

from __future__ import annotations

import pytest
from records import record

from benchmark.estimate import Estimate, Times, cores, measure


def timed(setting: str, attack: str, milliseconds: float, protocol: str = "demo"):
    made = record(setting, attack, protocol=protocol)
    quartiles = {"median": milliseconds, "q1": milliseconds, "q3": milliseconds, "n": 9}
    cost = type(made.cost).model_validate({**made.cost.model_dump(), "attack_ms": quartiles})
    return made.model_copy(update={"cost": cost})


def test_a_time_is_that_of_the_very_record_or_the_median_over_its_likes():
    times = Times([timed("a", "erase", 10), timed("b", "erase", 20), timed("a", "erase", 90, protocol="other")])
    assert times.of(("attack", "demo", "b", "erase"), ("attack", "erase")) == 0.02
    assert times.of(("attack", "demo", "c", "erase"), ("attack", "erase")) == 0.02
    assert times.of(("attack", "other", "a", "erase")) == 0.09
    assert times.of(("attack", "demo", "a", "guess"), ("attack", "guess")) is None
    assert times.of(("protect", "demo", "b")) == pytest.approx(0.12e-3)
    assert times.protected_bytes("a") == 22_000.0
    assert times.protected_bytes("unknown") == 0.0


def test_estimates_add_up():
    assert Estimate(1, 2, 3) + Estimate(10, 20, 30) == Estimate(11, 22, 33)


def test_recognisers_are_timed_and_their_templates_weighed():
    speeds = measure(["lbp"])
    assert 0 < speeds.embed["lbp"] < 1
    assert 0 < speeds.visual < 1
    assert speeds.template_bytes == {"lbp": 3776}  # counts up to 255 lie in the store as bytes


def test_no_run_has_more_cores_than_the_machine():
    assert cores(1) == 1
    assert 1 <= cores(10_000) < 10_000
