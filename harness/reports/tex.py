"""Tables for a paper, as LaTeX with booktabs."""

from __future__ import annotations

from harness.reports.tables import Table

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\to$",
    "α": r"$\alpha$",
    "–": "--",
    "−": "$-$",
}


def table_tex(table: Table) -> str:
    """Write a table; what stands outside the ranking comes below a rule."""
    columns = "".join("r" if column.numeric else "l" for column in table.columns)
    ranked = [row for row, dimmed in zip(table.rows, table.dimmed, strict=True) if not dimmed]
    apart = [row for row, dimmed in zip(table.rows, table.dimmed, strict=True) if dimmed]
    lines = [
        r"% needs \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _line([column.title for column in table.columns]),
        r"\midrule",
        *map(_line, ranked),
        *([r"\midrule"] if ranked and apart else []),
        *map(_line, apart),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return f"% {_escaped(table.title)}\n" + "\n".join(lines) + "\n"


def _line(row: tuple[str, ...] | list[str]) -> str:
    return " & ".join(_escaped(cell) for cell in row) + r" \\"


def _escaped(text: str) -> str:
    r"""Escape what LaTeX would act on; line breaks and controls become spaces.

    Examples
    --------
    >>> print(_escaped("50 % of a_b"))
    50 \% of a\_b
    """
    return "".join(SPECIAL.get(each, each if each.isprintable() else " ") for each in text)
