"""Fitting the curves: weighted logistic regression with a ridge, by Newton's steps. Small, convex, the same answer each time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gyrus.classifier.calibration.examples import FOLDS, WEIGHT, Example, folds
from gyrus.classifier.core.features import Features
from gyrus.classifier.core.probability import ALL, FITTED, Calibration, Curve, of_all, together

RIDGE = 1.0
STEPS = 30
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """An example with the probabilities that a fit without its family gives it."""

    example: Example
    sure: Mapping[str, float]


def fit(examples: Sequence[Example]) -> Calibration:
    """One curve an axis, then the curve of all of them on what these say."""
    curves = {
        axis: _curve([(one.features[axis], one.right[axis], WEIGHT[one.kind]) for one in examples if axis in one.right]) for axis in FITTED
    }
    axes = Calibration(curves)
    told = ((one, of_all(one.verdict.axes, sure_of(one, axes), one.header)) for one in examples if one.is_whole)
    return Calibration({**curves, ALL: _curve([(features, one.is_all_right, WEIGHT[one.kind]) for one, features in told])})


def sure_of(example: Example, fitted: Calibration) -> dict[str, float | None]:
    """The probability of each axis of an example."""
    return {axis: fitted.curves[axis].of(features) for axis, features in example.features.items()}


def judged(example: Example, fitted: Calibration) -> Judged:
    sure = sure_of(example, fitted)
    every = {**sure, ALL: together(fitted.curves[ALL], example.verdict.axes, sure, example.header)}
    return Judged(example, {axis: one for axis, one in every.items() if one is not None})


def cross_validated(examples: Sequence[Example], count: int = FOLDS) -> Iterator[Judged]:
    """Every example, judged by a fit that saw no header of its family."""
    for held_out in folds((one.family for one in examples), count):
        fitted = fit([one for one in examples if one.family not in held_out])
        yield from (judged(one, fitted) for one in examples if one.family in held_out)


def _curve(rows: Sequence[tuple[Features, bool, float]]) -> Curve:
    """rows: what an answer rests on, whether it is right, how much it counts."""
    names = sorted({name for features, _, _ in rows for name, value in features.items() if value})
    inputs = np.array([[1.0, *(features.get(name, 0.0) for name in names)] for features, _, _ in rows])
    answers, weights = np.array([float(right) for _, right, _ in rows]), np.array([weight for _, _, weight in rows])
    found = _newton(inputs, answers, weights)
    return Curve(round(float(found[0]), 4), {name: round(float(value), 4) for name, value in zip(names, found[1:], strict=True)})


def _newton(inputs: Matrix, answers: Matrix, weights: Matrix) -> Matrix:
    """The coefficients; the ridge spares the intercept."""
    ridge = RIDGE * np.eye(inputs.shape[1])
    ridge[0, 0] = 1e-6
    found = np.zeros(inputs.shape[1])
    for _ in range(STEPS):
        sure = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        slope = inputs.T @ (weights * (answers - sure)) - ridge @ found
        bend = (inputs * (weights * sure * (1 - sure))[:, None]).T @ inputs + ridge
        step = np.linalg.solve(bend, slope)
        found = found + step
        if float(np.abs(step).max()) < 1e-8:
            break
    return np.asarray(found, dtype=np.float64)
