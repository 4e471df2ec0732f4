  // Tables: add a button to every header that sorts by its column, numbers in descending order first.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
  };
  const compare = (a, b) => {
    const areNumbers = [a, b].map((key) => typeof key === "number");
    if (areNumbers[0] && areNumbers[1]) return a - b;
    if (areNumbers[0] !== areNumbers[1]) return areNumbers[0] ? 1 : -1; // unknown values are smallest
    return a.localeCompare(b, undefined, { numeric: true });
  };
  const sort = (table, column, ascending) => {
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => (ascending ? 1 : -1) * compare(keyOf(a, column), keyOf(b, column)));
    table.tBodies[0].append(...rows);
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      head.setAttribute("aria-sort", k !== column ? "none" : ascending ? "ascending" : "descending");
    });
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const first = head.getAttribute("aria-sort") === "none";
        const ascending = first ? !head.classList.contains("num") : head.getAttribute("aria-sort") !== "ascending";
        sort(table, column, ascending);
      });
    });
  }
