"""What every metric asks of its arguments, checked before it computes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from harness.errors import MetricError

SPACING_DECIMALS = 5
"""Voxel sizes are rounded to 10 nm. An oblique affine stored in a file comes back as 1.0000001 mm, and neighbours at
1.0000001 mm are outside a tolerance of 1 mm."""


def check_masks(metric: str, reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> None:
    """Require two boolean volumes of one shape.

    Parameters
    ----------
    metric
        Name for the message.
    reference, prediction
        What should be boolean, shape (x, y, z), with at least one voxel.

    Raises
    ------
    MetricError
        They are not.
    """
    for name, mask in (("reference", reference), ("prediction", prediction)):
        if mask.dtype != np.bool_ or mask.ndim != 3 or mask.size == 0:
            raise MetricError(
                f"{metric}: the {name} has type {mask.dtype} and shape {mask.shape}.",
                remedy="Pass a boolean volume with three axes and at least one voxel.",
            )
    _check_same_shape(metric, reference.shape, prediction.shape)


def rounded_spacing(metric: str, spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    """Round a voxel's size to ``SPACING_DECIMALS`` decimals.

    Parameters
    ----------
    metric
        Name for the message.
    spacing_mm
        Voxel size in mm along x, y and z.

    Returns
    -------
    tuple of float
        The rounded size in mm.

    Raises
    ------
    MetricError
        A size is not finite, or rounds to zero or less.

    Examples
    --------
    >>> rounded_spacing("nsd", (1.0000001, 0.3333333, 5.0))
    (1.0, 0.33333, 5.0)
    """
    x, y, z = (round(float(size), SPACING_DECIMALS) for size in spacing_mm)
    if not all(math.isfinite(size) and size > 0 for size in (x, y, z)):
        raise MetricError(
            f"{metric}: a voxel cannot have the size {spacing_mm} mm.",
            remedy="Pass three sizes in mm, each finite and above zero.",
        )
    return x, y, z


def check_scalars(
    metric: str, reference: NDArray[np.float64], prediction: NDArray[np.float64], *, infinite_predictions: bool = False
) -> None:
    """Require two lists of numbers of one length.

    Parameters
    ----------
    metric
        Name for the message.
    reference, prediction
        What should be of type float64 and shape (cases,), with at least one case and no NaN.
    infinite_predictions
        Whether a prediction may be infinite, as it may where its place in the order is all that counts.

    Raises
    ------
    MetricError
        They are not, or a number is one that the metric cannot use.
    """
    for name, numbers in (("reference", reference), ("prediction", prediction)):
        if numbers.ndim != 1 or numbers.size == 0 or numbers.dtype != np.float64:
            raise MetricError(
                f"{metric}: the {name} has type {numbers.dtype} and shape {numbers.shape}.",
                remedy="Pass one number of type float64 for each case, and at least one case.",
            )
    _check_same_shape(metric, reference.shape, prediction.shape)
    usable = ~np.isnan(prediction) if infinite_predictions else np.isfinite(prediction)
    if not (usable.all() and np.isfinite(reference).all()):
        raise MetricError(
            f"{metric}: {np.count_nonzero(~usable)} prediction(s) and "
            f"{np.count_nonzero(~np.isfinite(reference))} reference(s) are NaN or infinite.",
            remedy="Decide what such a case is worth before the metric is computed.",
        )


def check_classes(metric: str, reference: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Require references of two classes.

    Parameters
    ----------
    metric
        Name for the message.
    reference
        What should be 0 or 1, shape (cases,).

    Returns
    -------
    array of bool
        Which cases are positive, shape (cases,).

    Raises
    ------
    MetricError
        A reference is neither 0 nor 1.

    Examples
    --------
    >>> check_classes("auroc", np.array([0.0, 1.0])).tolist()
    [False, True]
    """
    if not np.isin(reference, (0.0, 1.0)).all():
        raise MetricError(f"{metric}: a reference is neither 0 nor 1.", remedy="Give each case one of the two classes.")
    return np.asarray(reference == 1.0)


def _check_same_shape(metric: str, reference: tuple[int, ...], prediction: tuple[int, ...]) -> None:
    if reference != prediction:
        raise MetricError(
            f"{metric}: the reference has shape {reference}, the prediction {prediction}.",
            remedy="Bring both to the same grid, or the same cases in the same order.",
        )
