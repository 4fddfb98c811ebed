"""Plots as SVG text: round ticks, positions that follow from numbers, and names that cannot break out."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve as sklearn_curve

from harness.reports.curves import RATES, roc_band, roc_curve
from harness.reports.figures import _limits_of_agreement
from harness.reports.plots import panels, ranks, values
from harness.reports.plots.canvas import Scale, dots, linear, logarithmic, number, shortened
from harness.reports.plots.colours import DARK, LIGHT, standing_alone

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>&\"'"
ROW = ranks.RankRow(HOSTILE, placed=1, low=1, median=1, high=2, shares={1.0: 0.75, 2.0: 0.25})
OTHER = ranks.RankRow("Other", placed=2, low=1, median=2, high=2, shares={1.0: 0.25, 2.0: 0.75})
CLOUDS = [panels.Cloud(HOSTILE, [(20.0, 25.0), (60.0, 50.0)], "note", (-2.5, -20.0, 15.0))]
DRAWINGS = {
    "intervals": ranks.rank_intervals([ROW, OTHER], 0.95),
    "blobs": ranks.rank_blobs([ROW, OTHER], 0.95),
    "heat": ranks.rank_heat([HOSTILE, "Other"], [[0.75, 0.25], [0.25, 0.75]]),
    "significance": ranks.significance([HOSTILE, "Other"], [[1, 0.01], [0.99, 1]], 0.05),
    "boxes": values.boxes([(HOSTILE, [0.1, 0.5, 0.9]), ("Other", [])], "Dice", include=[0, 1]),
    "use": values.use([(HOSTILE, [0.5, 3.0])], "Seconds", [120.0]),
    "causes": values.causes([(HOSTILE, {"crashed": 3, "<kind>": 1}), ("Other", {})], 10),
    "roc": panels.roc([panels.Roc(HOSTILE, "AUROC 0.5", [(0, 0), (1, 1)], [(0.0, 0.0, 0.5), (1.0, 1.0, 1.0)])]),
    "against": panels.against(CLOUDS, "Reference", "Prediction"),
    "differences": panels.differences(CLOUDS, "Mean", "Difference"),
    "by_size": panels.by_size(CLOUDS, "Volume", "Dice", [0.0, 1.0]),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_plot_is_one_named_picture_that_runs_nothing(name: str) -> None:
    tree = ElementTree.fromstring(DRAWINGS[name])
    assert tree.tag == f"{SVG}svg"
    assert tree.get("role") == "img"
    assert tree.get("aria-label")
    kinds = {each.tag.removeprefix(SVG) for each in tree.iter()}
    assert kinds <= {"svg", "g", "path", "rect", "circle", "text", "title"}
    for each in tree.iter():
        assert not {key for key in each.attrib if key.startswith("on") or key in ("style", "href")}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_plot_stands_alone_in_light_colours(name: str) -> None:
    svg = standing_alone(DRAWINGS[name])
    ElementTree.fromstring(svg)
    assert "var(" not in svg
    assert LIGHT["one"] in svg


@pytest.mark.parametrize("shares", [1, 0.25])
def test_the_area_of_a_blob_is_its_share(shares: float) -> None:
    row = ranks.RankRow("A", placed=1, low=1, median=1, high=1, shares={1.0: shares})
    [radius] = re.findall(r' r="([\d.]+)" class="blob"', ranks.rank_blobs([row], 0.95))
    assert float(radius) == pytest.approx(ranks.BLOB * shares**0.5, abs=0.06)


def test_positions_follow_from_numbers() -> None:
    tree = ElementTree.fromstring(DRAWINGS["intervals"])
    marks = [each for each in tree.iter(f"{SVG}circle") if each.get("class") == "mark"]
    ticks = {each.text: float(each.get("x", "")) for each in tree.iter(f"{SVG}text") if each.text in ("1", "2")}
    assert [float(mark.get("cx", "")) for mark in marks] == [ticks["1"], ticks["2"]]


def test_only_significant_cells_are_filled() -> None:
    tree = ElementTree.fromstring(DRAWINGS["significance"])
    filled = [each for each in tree.iter(f"{SVG}rect") if each.get("class") == "heat"]
    hints = [each.findtext(f"{SVG}title") for each in filled]
    assert hints == ["1 better than 2: p = 0.01", None]  # the other is the key below


@given(st.lists(st.integers(-(10**7), 10**7).map(lambda each: each / 1000), min_size=1), st.integers(2, 9))
def test_ticks_are_round_and_few_and_every_value_lies_between_the_ends(numbers: list[float], about: int) -> None:
    scale = linear(numbers, 0, 100)
    assert scale.low <= min(numbers) + 1e-9 * abs(min(numbers))
    assert scale.high >= max(numbers) - 1e-9 * abs(max(numbers))
    ticks = scale.ticks(about)
    assert 1 <= len(ticks) <= about + 1
    for one, other in itertools.pairwise(ticks):
        digits = f"{other - one:.6e}".partition("e")[0].rstrip("0").rstrip(".")
        assert digits in ("1", "2", "5")


@given(st.lists(st.floats(1e-6, 1e9), min_size=1))
def test_logarithmic_scales_run_from_power_to_power(numbers: list[float]) -> None:
    scale = logarithmic(numbers, 0, 100)
    assert scale.low <= min(numbers) * (1 + 1e-9)
    assert scale.high >= max(numbers) * (1 - 1e-9)
    assert scale.ticks()


@pytest.mark.parametrize(
    ("value", "written"), [(0.30000000000000004, "0.3"), (-20, "−20"), (12000, "12,000"), (0, "0")]
)
def test_ticks_are_written_short(value: float, written: str) -> None:
    assert number(value) == written


def test_dots_that_fall_on_one_another_are_drawn_once_where_they_are() -> None:
    path = dots([(1.2, 5), (0.8, 5.4), (10, -3), (10, 7)])
    assert path == '<path d="M1 5h0m9-8h0m0 10h0" class="dots few"/>'
    assert dots([]) == ""


def test_long_names_are_cut() -> None:
    assert shortened("a" * 200) == "a" * 25 + "…"


def test_a_value_beyond_the_axis_is_drawn_at_its_end() -> None:
    assert Scale(0, 1, 0, 10)(float("inf")) == 10


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", [name for name in LIGHT if name not in ("paper", "panel", "grid")])
def test_every_colour_of_text_can_be_read(palette: dict[str, str], name: str) -> None:
    for ground in ("paper", "panel"):
        low, high = sorted((luminance(palette[name]), luminance(palette[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_the_roc_curve_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 2, 60).astype(float)
    prediction = np.round(reference * 0.3 + rng.random(60), 1)
    false, true, _ = sklearn_curve(reference, prediction, drop_intermediate=False)
    assert np.allclose(roc_curve(reference, prediction), np.column_stack([false, true]))


def test_a_missing_prediction_comes_last_in_the_curve() -> None:
    assert roc_curve(np.array([1.0, 0.0]), np.array([-np.inf, 0.2])) == [(0, 0), (1, 0), (1, 1)]


def test_the_band_holds_the_curve_and_narrows_with_more_cases() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for cases in (40, 800):
        reference = (np.arange(cases) % 2).astype(np.float64)
        prediction = reference + rng.normal(0, 0.8, cases)
        band = roc_band(reference, prediction, np.random.default_rng(2), 0.95)
        assert [rate for rate, _, _ in band] == RATES.tolist()
        false, true = zip(*roc_curve(reference, prediction), strict=True)
        own = np.interp(RATES, false, true)
        assert all(low - 1e-9 <= value <= high + 1e-9 for (_, low, high), value in zip(band, own, strict=True))
        widths.append(np.mean([high - low for _, low, high in band]))
    assert widths[1] < widths[0] / 2


def test_limits_of_agreement_by_hand() -> None:
    # Differences -1, 0, 1, 4: mean 1; squares of deviations 4 + 1 + 0 + 9 = 14, over three.
    spread = 1.96 * (14 / 3) ** 0.5
    assert _limits_of_agreement([-1, 0, 1, 4]) == pytest.approx((1, 1 - spread, 1 + spread))
    assert _limits_of_agreement([1.0]) == ()
