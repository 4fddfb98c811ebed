"""Specs whose parts contradict each other or the metrics that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.commands.tasks import SCHEMAS, schema
from harness.errors import SpecError
from harness.specs.loading import builtin_challenges, load_challenge
from harness.specs.part import PATTERNS
from tests.support.specs import edited_challenge, one_line, refusal_of

FLAIR = "  - {name: flair, flag: --flair}\n"
AUROC = "name: auroc"

CONTRADICTIONS = [
    ("infarct.yaml", FLAIR, FLAIR * 2, "has two 'inputs' with the name 'flair'; each must have its own"),
    (
        "infarct.yaml",
        FLAIR,
        FLAIR + "  - {name: copy, flag: --flair}\n",
        "has two 'inputs' with the flag '--flair'; each must have its own",
    ),
    ("infarct.yaml", "--flair}", "--output}", "has the flag '--output' among its 'inputs'; it is the prediction's"),
    ("infarct.yaml", "flag: --swi", "flag: --adc", "has two 'inputs' with the flag '--adc'"),
    ("infarct.yaml", AUROC, "name: average_precision", "has two 'metrics' with the name 'average_precision'"),
    ("infarct.yaml", "    missing: worst", "    ranked: false", "at least one must be ranked"),
    (
        "infarct.yaml",
        "reference: {format: scalar, values: [0, 1]}",
        "reference: {format: mask}",
        "has the output.format 'scalar' and the reference.format 'mask'; they must be the same",
    ),
    ("infarct.yaml", "name: infarct", "name: stroke", "the field 'name' is 'stroke'. Name it 'infarct', or rename"),
    ("infarct.yaml", AUROC, "name: aurok", "'metrics[0].name' is 'aurok', which is no metric. Did you mean 'auroc'?"),
    ("infarct.yaml", AUROC, "name: dice", "'metrics[0].name' is 'dice', which reads a mask, not a scalar. Choose"),
    ("meningioma.yaml", "name: dice", AUROC, "'metrics[0].name' is 'auroc', which reads a scalar, not a mask. Choose"),
    ("infarct.yaml", "direction: higher", "direction: lower", "is 'lower'. For AUROC, higher is better"),
    ("brain_age.yaml", "direction: lower", "direction: higher", "is 'higher'. For MAE, lower is better"),
    ("brain_age.yaml", "name: pearson_r", AUROC, "which needs references of two classes. Set reference.values to"),
    ("infarct.yaml", "    decimals: 3", "    empty: {both: 1}", "'metrics[0].empty' is set, but AUROC reads no masks"),
    (
        "infarct.yaml",
        "    decimals: 3",
        "    parameters: {power: 2}",
        "'metrics[0].parameters' has the unknown key 'power'. AUROC has no parameters",
    ),
    (
        "meningioma.yaml",
        "name: dice\n    direction: higher\n    decimals: 3\n    missing: 0",
        "name: lesions_missed\n    direction: lower\n    decimals: 3",
        "'metrics[0].missing' is 'worst', and Lesions missed has no worst value. Set missing to",
    ),
    (
        "infarct.yaml",
        "name: brier_score, direction: lower, decimals: 3, ranked: false, missing: worst",
        "name: brier_score, direction: lower, decimals: 3, ranked: false, missing: 1.5",
        "'metrics[2].missing' is 1.5, which Brier score cannot take for a prediction. Set it to a number from 0 to 1",
    ),
    ("meningioma.yaml", "mm: 1.0", "mm: .nan", "'metrics[1].parameters.tolerance_mm' is nan; it must be a finite"),
    ("meningioma.yaml", "mm: 1.0", "mm: -1", "'metrics[1].parameters.tolerance_mm' is -1; it must be greater than 0"),
    ("meningioma.yaml", "mm: 1.0", "mm: wide", "'metrics[1].parameters.tolerance_mm' is 'wide'; it must be a number"),
    ("meningioma.yaml", "both: 1", "both: .inf", "'metrics[0].empty.both' is inf; it must be a finite number"),
    ("meningioma.yaml", "prediction.nii.gz", "prediction.txt", "'output.file' is 'prediction.txt'; it must be a name"),
]


@pytest.mark.parametrize(("file", "old", "new", "what"), CONTRADICTIONS)
def test_a_contradiction_is_told_with_the_file_and_the_way_out(
    tmp_path: Path, file: str, old: str, new: str, what: str
) -> None:
    challenge = edited_challenge(tmp_path, file, old, new)
    text = refusal_of(challenge)
    assert text.startswith(f"{challenge / file}: ")
    assert what in text


def test_further_faults_of_a_file_are_counted(tmp_path: Path) -> None:
    challenge = edited_challenge(tmp_path, "infarct.yaml", "seconds: 120, cpus: 32", "seconds: -1, cpus: -1")
    assert refusal_of(challenge).endswith("(1 more fault in this file.)")


def test_a_misspelt_challenge_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(SpecError) as caught:
        load_challenge("fomo255")
    assert "'fomo255'" in one_line(caught.value)
    assert "Did you mean 'fomo25'?" in str(caught.value)


@pytest.mark.parametrize("name", builtin_challenges())
def test_every_built_in_challenge_loads_from_its_name_its_folder_and_its_file(name: str) -> None:
    by_name = load_challenge(name)
    assert load_challenge(str(by_name.folder)) == by_name
    assert load_challenge(str(by_name.folder / "challenge.yaml")) == by_name
    assert [task.name for task in by_name.tasks] == list(by_name.spec.tasks)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_pattern_of_a_spec_is_told_in_words(kind: str) -> None:
    def patterns(node: object) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(patterns, node))
        if not isinstance(node, dict):
            return set()
        own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
        return own | set(node.get("patternProperties", {})) | patterns(list(node.values()))

    found = patterns(schema(kind))
    assert found
    assert found <= PATTERNS.keys()
