"use strict";
(() => {
  const number = (row, column) => parseFloat(row.cells[column].textContent.replace("−", "-"));
  const words = (row, column) => row.cells[column].textContent.trim().toLowerCase();

  // What has no number stays last, whichever way the column is sorted.
  const compare = (column, numeric, sign) => (one, other) => {
    if (!numeric) return sign * words(one, column).localeCompare(words(other, column));
    const [a, b] = [number(one, column), number(other, column)];
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a - b);
  };

  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const each of head.parentNode.cells) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      for (const body of head.closest("table").tBodies) {
        body.append(...[...body.rows].sort(compare(head.cellIndex, head.classList.contains("number"), up ? 1 : -1)));
      }
    });
  }

  // What can be scrolled must be reachable by keyboard, and nothing else need be.
  const reach = () => {
    for (const each of document.querySelectorAll(".scroll")) {
      if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
      else each.removeAttribute("tabindex");
    }
  };
  reach();
  addEventListener("resize", reach);

  const filter = document.getElementById("filter");
  if (!filter) return;
  const said = document.getElementById("filtered");
  const rows = [...document.querySelectorAll("[data-team]")];
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.dataset.team.toLowerCase().includes(wanted);
    const teams = new Set(rows.filter((row) => !row.hidden).map((row) => row.dataset.team));
    said.textContent = wanted ? `${teams.size} of ${new Set(rows.map((row) => row.dataset.team)).size} teams shown` : "";
  });
})();
