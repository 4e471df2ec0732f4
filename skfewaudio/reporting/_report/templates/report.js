"use strict";
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  root.classList.add("js");

  // Theme: follow the system until the button is used.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = $("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  dark.addEventListener("change", showTheme);
  showTheme();

  // Tables: add a button to every header that sorts by its column, numbers in descending order first.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
  };
  const compare = (a, b) => {
    const numbers = [a, b].map((key) => typeof key === "number");
    if (numbers[0] && numbers[1]) return a - b;
    if (numbers[0] !== numbers[1]) return numbers[0] ? 1 : -1; // unknown values are smallest
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
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const first = head.getAttribute("aria-sort") === "none";
        const ascending = first ? !head.classList.contains("num") : head.getAttribute("aria-sort") !== "ascending";
        sort(table, column, ascending);
      });
    });
  }

  // Tables are focusable only if they overflow.
  const checkScroll = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", checkScroll);
  document.addEventListener("toggle", checkScroll, true);
  checkScroll();

  // Play one clip at a time.
  document.addEventListener("play", (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  }, true);

  // Open all details for printing.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));

  if (!$("counts")) return;
  // Classes: the page contains the tables for one method and number of clips; only their cells are updated.
  const data = JSON.parse($("counts").textContent);
  const names = [...$("confusion").tBodies[0].rows].map((row) => row.cells[0].textContent);
  const sum = (numbers) => numbers.reduce((total, n) => total + n, 0);
  const percent = (share) => {
    if (share > 0 && share < 0.005) return "<1";
    if (share >= 0.995 && share < 1) return ">99";
    return String(Math.round(100 * share));
  };
  const show = (cell, count, total) => {
    const share = count / total;
    cell.textContent = total ? percent(share) : "-";
    cell.dataset.value = total ? share : -1;
    cell.style.setProperty("--p", total ? share.toFixed(3) : 0);
  };
  const showPairs = (counts, caption) => {
    const pairs = counts.flatMap((row, i) => row.map((count, j) => ({ i, j, count, total: sum(row) })));
    const worst = pairs.filter(({ i, j, count }) => i !== j && count);
    worst.sort((a, b) => b.count / b.total - a.count / a.total);
    const rows = worst.slice(0, 10).map(({ i, j, count, total }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = names[i];
      const [predicted, share, nPredictions] = [0, 1, 2].map(() => document.createElement("td"));
      predicted.textContent = names[j];
      share.className = nPredictions.className = "num";
      show(share, count, total);
      nPredictions.textContent = total.toLocaleString("en");
      nPredictions.dataset.value = total;
      row.append(head, predicted, share, nPredictions);
      return row;
    });
    $("pairs").tBodies[0].replaceChildren(...rows);
    $("pairs-caption").textContent = `${caption}: most frequent confusions`;
    for (const head of $("pairs").tHead.rows[0].cells) head.setAttribute("aria-sort", "none");
  };
  const update = () => {
    const [p, s] = [$("pipeline").value, $("shots").value].map(Number);
    const counts = data.counts[p][s];
    const title = `${data.pipelines[p]}, ${data.shots[s]} per class`;
    const total = sum(counts.map(sum));
    const right = sum(counts.map((row, k) => row[k]));
    const score = total
      ? `${((100 * right) / total).toFixed(1)} % of ${total.toLocaleString("en")} predictions correct`
      : "no predictions";
    [...$("confusion").tBodies[0].rows].forEach((row, i) =>
      counts[i].forEach((count, j) => show(row.cells[j + 1], count, sum(counts[i]))));
    $("confusion-caption").textContent = `${title}: ${score}`;
    for (const row of $("by-class").tBodies[0].rows) {
      const k = names.indexOf(row.cells[0].textContent);
      data.counts[p].forEach((matrix, n) => show(row.cells[n + 1], matrix[k][k], sum(matrix[k])));
    }
    $("by-class-caption").textContent = `${data.pipelines[p]}: accuracy in per cent by labelled clips per class`;
    showPairs(counts, title);
    $("status").textContent = `${title}: ${score}`;
  };
  $("controls").addEventListener("change", update);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("controls").reset(); // on reload, some browsers keep the selection, which would not match the tables
})();
