"""Every field of a challenge or task spec that can be wrong: the message names the file, the field and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.specs import edited_challenge, refusal_of

FLAIR = "  - {name: flair, flag: --flair}\n"

UNKNOWN_KEYS = [
    ("challenge.yaml", "tracks:", "trakcs:", "the file", "trakcs", "tracks"),
    ("challenge.yaml", "  ties: best", "  tis: best", "the field 'ranking'", "tis", "ties"),
    ("infarct.yaml", "title: Inf", "titel: Inf", "the file", "titel", "title"),
    ("infarct.yaml", "seconds: 120", "secnds: 120", "the field 'limits'", "secnds", "seconds"),
    ("infarct.yaml", "name: flair, flag:", "name: flair, flg:", "the field 'inputs[0]'", "flg", "flag"),
    ("infarct.yaml", "name: t2s, flag:", "name: t2s, flagg:", "the field 'inputs[3].one_of[0]'", "flagg", "flag"),
    ("infarct.yaml", "  folder: f", "  foldr: f", "the field 'files'", "foldr", "folder"),
    ("infarct.yaml", "meaning: prob", "meening: prob", "the field 'output'", "meening", "meaning"),
    ("infarct.yaml", "scalar, values:", "scalar, value:", "the field 'reference'", "value", "values"),
    ("infarct.yaml", "    decimals: 3", "    decimls: 3", "the field 'metrics[0]'", "decimls", "decimals"),
    ("meningioma.yaml", "both: 1", "bth: 1", "the field 'metrics[0].empty'", "bth", "both"),
    (
        "meningioma.yaml",
        "{tolerance_mm:",
        "{tolerance:",
        "the field 'metrics[1].parameters'",
        "tolerance",
        "tolerance_mm",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "where", "key", "meant"), UNKNOWN_KEYS)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(
    tmp_path: Path, file: str, old: str, new: str, where: str, key: str, meant: str
) -> None:
    challenge = edited_challenge(tmp_path, file, old, new)
    text = refusal_of(challenge)
    assert text.startswith(f"{challenge / file}: {where} has the unknown key '{key}'. Did you mean '{meant}'?")


WRONG_VALUES = [
    ("seconds: 120", "seconds: -5", "limits.seconds", "is -5; it must be greater than 0"),
    ("seconds: 120", "seconds: 0", "limits.seconds", "is 0; it must be greater than 0"),
    ("seconds: 120", "seconds: .nan", "limits.seconds", "is nan; it must be a finite number"),
    ("seconds: 120", "seconds: .inf", "limits.seconds", "is inf; it must be a finite number"),
    ("seconds: 120", "seconds: 1.0e+400", "limits.seconds", "is inf; it must be a finite number"),
    ("seconds: 120", "seconds: soon", "limits.seconds", "is 'soon'; it must be a number"),
    ("seconds: 120", "seconds: yes", "limits.seconds", "is true; it must be a number"),
    ("seconds: 120", "seconds: '120'", "limits.seconds", "is '120'; it must be a number"),
    ("seconds: 120", "seconds:", "limits.seconds", "is empty; it must be a number"),
    ("seconds: 120", "seconds: [1]", "limits.seconds", "is [1]; it must be a number"),
    ("memory_gib: 64", "memory_gib: -1", "limits.memory_gib", "is -1; it must be greater than 0"),
    ("cpus: 32", "cpus: .nan", "limits.cpus", "is nan; it must be a finite number"),
    ("processes: 512", "processes: 0", "limits.processes", "is 0; it must be at least 1"),
    ("processes: 512", "processes: 1.5", "limits.processes", "is 1.5; it must be a whole number"),
    ("processes: 512", "processes: yes", "limits.processes", "is true; it must be a whole number"),
    ("gpu: true", "gpu: 1", "limits.gpu", "is 1; it must be true or false"),
    ("gpu: true", "gpu: maybe", "limits.gpu", "is 'maybe'; it must be true or false"),
    ("title: Infarct classification", "title: no", "title", "is false; it must be text: put it in quotes"),
    ("title: Infarct classification", 'title: "a\\x1b[2Jb"', "title", "it must be one line of text"),
    ("title: Infarct classification", 'title: "a\\nb"', "title", "it must be one line of text"),
    (FLAIR, "  - {name: flair, flag: flair}\n", "inputs[0].flag", "is 'flair'; it must be a flag, as in '--flair'"),
    (FLAIR, "  - {name: ../up, flag: --flair}\n", "inputs[0].name", "is '../up'; it must be at most 64 letters"),
    (FLAIR, "  - {name: .hid, flag: --flair}\n", "inputs[0].name", "beginning with a letter or digit"),
    (FLAIR, "  - {name: flair}\n", "inputs[0].flag", "is missing; add it"),
    (FLAIR, "  - flair\n", "inputs[0]", "is 'flair'; it must be keys and values"),
    ("      - {name: swi, flag: --swi}\n", "", "inputs[3].one_of", "it must hold at least 2 entries"),
    ("format: scalar, file", "format: skalar, file", "output.format", "is 'skalar'. Did you mean 'scalar'?"),
    ("format: scalar, file", "file", "output.format", "is missing; add it"),
    ("file: prediction.txt", "file: /etc/x", "output.file", "is '/etc/x'; it must be at most 64 letters"),
    ("minimum: 0, maximum: 1}", "minimum: 1, maximum: 0}", "output", "the minimum must be smaller"),
    ("minimum: 0, maximum: 1}", "minimum: .nan}", "output.minimum", "is nan; it must be a finite number"),
    ("values: [0, 1]", "values: []", "reference", "must hold either 'values', at least one, or both"),
    ("values: [0, 1]", "values: [0, 1], minimum: 0", "reference", "must hold either 'values', at least one, or both"),
    ("values: [0, 1]", "minimum: 0", "reference", "must hold either 'values', at least one, or both"),
    ("values: [0, 1]", "values: [0, 1, 1]", "reference", "must not hold the same of its 'values' twice"),
    ("values: [0, 1]", "values: 1", "reference.values", "is 1; it must be a list"),
    ("values: [0, 1]", "values: [0, .inf]", "reference.values[1]", "is inf; it must be a finite number"),
    (
        "direction: higher",
        "direction: up",
        "metrics[0].direction",
        "is 'up'; it must be 'higher', 'lower', 'zero' or 'none'",
    ),
    ("decimals: 3", "decimals: -1", "metrics[0].decimals", "is -1; it must be at least 0"),
    ("decimals: 3", "decimals: 13", "metrics[0].decimals", "is 13; it must be at most 12"),
    ("missing: worst", "missing: wurst", "metrics[0].missing", "is 'wurst'; it must be 'worst', 'omit' or a finite"),
    ("missing: worst", "missing: .nan", "metrics[0].missing", "is nan; it must be 'worst', 'omit' or a finite"),
    ("missing: worst", "missing: true", "metrics[0].missing", "is True; it must be 'worst', 'omit' or a finite"),
    ("missing: worst", "missing: omit", "metrics[0]", "ranks 'auroc' and leaves out cases without a prediction"),
    ("direction: higher", "direction: none", "metrics[0]", "ranks 'auroc', of which no value is better than another"),
    ("folder: fomo-task1-val", "folder: ../other", "files.folder", "is '../other'; it must be a path below the data"),
    ("folder: fomo-task1-val", "folder: /data", "files.folder", "is '/data'; it must be a path below the data"),
    ("labels/{case}/label.txt", "../{case}/label.txt", "files.reference", "without '..'"),
    ("labels/{case}/label.txt", "/x/{case}/label.txt", "files.reference", "below the data folder"),
    ("labels/{case}/label.txt", "labels/label.txt", "files.reference", "it must contain {case} exactly once"),
    ("labels/{case}/label.txt", "'{case}/{case}.txt'", "files.reference", "it must contain {case} exactly once"),
    (
        "labels/{case}/label.txt",
        "l*/{case}/label.txt",
        "files.reference",
        "no placeholder or wildcard other than {case}",
    ),
    ("preprocessed/{case}", "preprocessed", "files.volume", "it must contain {case} exactly once"),
    ("ses_1/{input}.nii.gz", "ses_1/t1.nii.gz", "files.volume", "it must contain {input} exactly once"),
    ("ses_1/{input}.nii.gz", "{ses}/{input}.nii.gz", "files.volume", "other than {case} and {input}"),
    ("ses_1/{input}.nii.gz", "ses_1/{input}.mha", "files.volume", "it must end in .nii or .nii.gz"),
]


@pytest.mark.parametrize(("old", "new", "field", "what"), WRONG_VALUES)
def test_a_wrong_value_is_told_with_what_it_must_be(tmp_path: Path, old: str, new: str, field: str, what: str) -> None:
    challenge = edited_challenge(tmp_path, "infarct.yaml", old, new)
    text = refusal_of(challenge)
    assert text.startswith(f"{challenge / 'infarct.yaml'}: the field '{field}' ")
    assert what in text


WRONG_CHALLENGES = [
    ("contract: 1", "contract: 2", "the field 'contract' is 2; it must be 1"),
    (
        "scheme: aggregate_then_rank",
        "scheme: best",
        "the field 'ranking.scheme' is 'best'; it must be 'aggregate_then_rank', 'rank_then_aggregate' or",
    ),
    ("confidence: 0.95", "confidence: 95", "the field 'ranking.resampling.confidence' is 95; it must be less than 1"),
    ("  method: ", "  the method: ", "the field 'tracks' has the key 'the method'; a key must be at most 64 letters"),
    ("tasks: [infarct, meningioma, brain_age]", "tasks: [infarct, infarct]", "has 'infarct' twice in 'tasks'"),
    ("tasks: [infarct, meningioma, brain_age]", "tasks: []", "the field 'tasks' is []; it must hold at least 1 entry"),
    ("tasks: [infarct, meningioma, brain_age]", "tasks: infarct", "the field 'tasks' is 'infarct'; it must be a list"),
    ("brain_age: 1}", "brain_age: -1}", "'ranking.task_weights.brain_age' is -1; it must be greater than 0"),
    (
        "brain_age: 1}",
        "brain_aeg: 1}",
        "has 'brain_aeg' in 'ranking.task_weights', which is not among its 'tasks'. Did",
    ),
    (
        "meningioma, brain_age]",
        "meningioma, brain_age, brain_aeg]",
        "'tasks' names 'brain_aeg', and there is no brain_",
    ),
]


@pytest.mark.parametrize(("old", "new", "what"), WRONG_CHALLENGES)
def test_a_wrong_challenge_is_told_with_what_it_must_be(tmp_path: Path, old: str, new: str, what: str) -> None:
    challenge = edited_challenge(tmp_path, "challenge.yaml", old, new)
    text = refusal_of(challenge)
    assert text.startswith(f"{challenge / 'challenge.yaml'}: ")
    assert what in text
