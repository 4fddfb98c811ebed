"""The metrics a spec can name.

To add one: write its function in a module beside this one, and add an entry here. No metric's module is imported
before it is asked for, so that reading a spec does not pay for NumPy and SciPy.
"""

from __future__ import annotations

from harness.errors import MetricError, nearest
from harness.metrics.metric import Metric
from harness.metrics.parameters import CalibrationParameters, NsdParameters, ThresholdParameters

METRICS: dict[str, Metric] = {
    "auroc": Metric(
        name="auroc",
        title="AUROC",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="classification",
        worst=0.0,
        classes=True,
        order_only=True,
        undefined="the references are of one class only",
    ),
    "average_precision": Metric(
        name="average_precision",
        title="Average precision",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="classification",
        worst=0.0,
        classes=True,
        order_only=True,
        undefined="the references are of one class only",
    ),
    "brier_score": Metric(
        name="brier_score",
        title="Brier score",
        direction="lower",
        scope="cohort",
        reads="scalar",
        module="probability",
        worst=1.0,
        classes=True,
        probability=True,
    ),
    "calibration_error": Metric(
        name="calibration_error",
        title="Calibration error",
        direction="lower",
        scope="cohort",
        reads="scalar",
        module="probability",
        worst=1.0,
        parameters=CalibrationParameters,
        classes=True,
        probability=True,
    ),
    "sensitivity": Metric(
        name="sensitivity",
        title="Sensitivity",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="probability",
        worst=0.0,
        parameters=ThresholdParameters,
        classes=True,
        probability=True,
        undefined="no reference is positive",
    ),
    "specificity": Metric(
        name="specificity",
        title="Specificity",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="probability",
        worst=0.0,
        parameters=ThresholdParameters,
        classes=True,
        probability=True,
        undefined="no reference is negative",
    ),
    "dice": Metric(
        name="dice",
        title="Dice",
        direction="higher",
        scope="case",
        reads="mask",
        module="overlap",
        worst=0.0,
    ),
    "nsd": Metric(
        name="nsd",
        title="NSD",
        direction="higher",
        scope="case",
        reads="mask",
        module="surface",
        worst=0.0,
        parameters=NsdParameters,
    ),
    "hd95": Metric(
        name="hd95",
        title="HD95",
        direction="lower",
        scope="case",
        reads="mask",
        module="surface_distance",
        unit="mm",
        worst="diagonal",
    ),
    "assd": Metric(
        name="assd",
        title="ASSD",
        direction="lower",
        scope="case",
        reads="mask",
        module="surface_distance",
        unit="mm",
        worst="diagonal",
    ),
    "hd95_medpy": Metric(
        name="hd95_medpy",
        title="HD95 (MedPy)",
        direction="lower",
        scope="case",
        reads="mask",
        module="voxel_distance",
        unit="mm",
        worst="diagonal",
    ),
    "assd_medpy": Metric(
        name="assd_medpy",
        title="ASSD (MedPy)",
        direction="lower",
        scope="case",
        reads="mask",
        module="voxel_distance",
        unit="mm",
        worst="diagonal",
    ),
    "reference_volume": Metric(
        name="reference_volume",
        title="Reference volume",
        direction="none",
        scope="case",
        reads="mask",
        module="volumes",
        unit="mL",
    ),
    "predicted_volume": Metric(
        name="predicted_volume",
        title="Predicted volume",
        direction="none",
        scope="case",
        reads="mask",
        module="volumes",
        unit="mL",
    ),
    "volume_error": Metric(
        name="volume_error",
        title="Volume error",
        direction="lower",
        scope="case",
        reads="mask",
        module="volumes",
        unit="mL",
    ),
    "lesions_detected": Metric(
        name="lesions_detected",
        title="Lesions detected",
        direction="higher",
        scope="case",
        reads="mask",
        module="lesions",
    ),
    "lesions_missed": Metric(
        name="lesions_missed",
        title="Lesions missed",
        direction="lower",
        scope="case",
        reads="mask",
        module="lesions",
    ),
    "lesions_false": Metric(
        name="lesions_false",
        title="False lesions",
        direction="lower",
        scope="case",
        reads="mask",
        module="lesions",
    ),
    "lesion_f1": Metric(
        name="lesion_f1",
        title="Lesion F1",
        direction="higher",
        scope="case",
        reads="mask",
        module="lesions",
        worst=0.0,
    ),
    "mae": Metric(
        name="mae",
        title="MAE",
        direction="lower",
        scope="cohort",
        reads="scalar",
        module="regression",
        unit="years",
    ),
    "root_mean_squared_error": Metric(
        name="root_mean_squared_error",
        title="RMSE",
        direction="lower",
        scope="cohort",
        reads="scalar",
        module="regression",
        unit="years",
    ),
    "pearson_r": Metric(
        name="pearson_r",
        title="Pearson r",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="regression",
        worst=-1.0,
        undefined="there are fewer than two cases, or the references or the predictions are constant",
    ),
    "spearman_r": Metric(
        name="spearman_r",
        title="Spearman r",
        direction="higher",
        scope="cohort",
        reads="scalar",
        module="regression",
        worst=-1.0,
        undefined="there are fewer than two cases, or the references or the predictions are constant",
    ),
    "bias": Metric(
        name="bias",
        title="Bias",
        direction="zero",
        scope="cohort",
        reads="scalar",
        module="age_gap",
        unit="years",
    ),
    "age_gap_slope": Metric(
        name="age_gap_slope",
        title="Age-gap slope",
        direction="zero",
        scope="cohort",
        reads="scalar",
        module="age_gap",
        undefined="there are fewer than two cases, or the references are constant",
    ),
}


def metric_named(name: str) -> Metric:
    """Look up a metric.

    Parameters
    ----------
    name
        What a spec calls it.

    Returns
    -------
    Metric
        Its entry.

    Raises
    ------
    MetricError
        There is no metric of that name.

    Examples
    --------
    >>> metric_named("nsd").title
    'NSD'
    >>> metric_named("nds")
    Traceback (most recent call last):
    harness.errors.MetricError: There is no metric 'nds'. Did you mean 'nsd'?
    """
    try:
        return METRICS[name]
    except KeyError:
        raise MetricError(f"There is no metric '{name}'.", remedy=nearest(name, METRICS)) from None
