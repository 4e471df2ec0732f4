  // Classes: the page contains the tables for one method and number of clips; only their cells are updated.
  const choices = numbers.choices;
  const sum = (values) => values.reduce((total, n) => total + n, 0);
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
  const many = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
  // A long name may be broken after an underscore or a slash.
  const breakable = (text) => text.split(/(?<=[_/])/).flatMap((part, k) => (k ? [make("wbr"), part] : [part]));
  const bold = (text) => make("b", { textContent: text });

  // The list of clips behind a confusion.
  const showPair = (p, s, i, j) => {
    const [trueClass, predicted] = [choices.classes[i], choices.classes[j]];
    const errors = choices.errors[p][s].filter(([clip, guess]) => choices.clips[clip][1] === i && guess === j);
    errors.sort((a, b) => b[2] / b[3] - a[2] / a[3]);
    const cards = errors.map(([clip, , count, total]) => makeCard(clip, choices.clips[clip][0],
      make("p", { className: "note", textContent: `in ${count} of ${total.toLocaleString("en")} predictions` })));
    $("pair-title").textContent = `${trueClass} predicted as ${predicted}`;
    $("pair-note").textContent = `${choices.pipelines[p]}, ${choices.shots[s]} per class: ${many(cards.length, "clip")}`;
    $("pair-clips").replaceChildren(...cards);
    $("pair").showModal();
    $("pair").scrollTop = 0;
  };
  const link = (cell, p, s, i, j) => {
    const button = make("button", { type: "button", className: "link", textContent: cell.textContent });
    button.setAttribute("aria-label",
      `${cell.textContent} % of ${choices.classes[i]} predicted as ${choices.classes[j]}: show the clips`);
    button.addEventListener("click", () => showPair(p, s, i, j));
    cell.replaceChildren(button);
  };

  const showConfusion = (p, s, counts, caption) => {
    [...$("confusion").tBodies[0].rows].forEach((row, i) => counts[i].forEach((count, j) => {
      const cell = row.cells[j + 1];
      show(cell, count, sum(counts[i]));
      if (i !== j && count && choices.errors[p][s].length) link(cell, p, s, i, j);
    }));
    [...$("confusion").querySelectorAll("button")].forEach((button, k) => { button.tabIndex = k ? -1 : 0; });
    $("confusion-caption").textContent = caption;
  };
  const showPairs = (p, s, counts, title) => {
    const pairs = counts.flatMap((row, i) => row.map((count, j) => ({ i, j, count, total: sum(row) })));
    const worst = pairs.filter(({ i, j, count }) => i !== j && count);
    worst.sort((a, b) => b.count / b.total - a.count / a.total);
    const rows = worst.slice(0, 10).map(({ i, j, count, total }) => {
      const head = make("th", { scope: "row" }, ...breakable(choices.classes[i]));
      const share = make("td", { className: "num" });
      show(share, count, total);
      if (choices.errors[p][s].length) link(share, p, s, i, j);
      const n = make("td", { className: "num", textContent: total.toLocaleString("en") });
      n.dataset.value = total;
      return make("tr", {}, head, make("td", {}, ...breakable(choices.classes[j])), share, n);
    });
    $("pairs").tBodies[0].replaceChildren(...rows);
    $("pairs-caption").textContent = `${title}: most frequent confusions`;
    for (const head of $("pairs").tHead.rows[0].cells) head.setAttribute("aria-sort", "none");
  };
  const showByClass = (p, s, counts, title) => {
    for (const row of $("by-class").tBodies[0].rows) {
      const k = choices.classes.indexOf(row.cells[0].textContent);
      choices.counts[p].forEach((matrix, n) => show(row.cells[n + 1], matrix[k][k], sum(matrix[k])));
    }
    $("by-class-caption").textContent = `${choices.pipelines[p]}: accuracy in per cent by labelled clips per class`;
    for (const row of $("precision-recall").tBodies[0].rows) {
      const k = choices.classes.indexOf(row.cells[0].textContent);
      const [right, truth, found] = [counts[k][k], sum(counts[k]), sum(counts.map((line) => line[k]))];
      show(row.cells[1], right, found);
      show(row.cells[2], right, truth);
      show(row.cells[3], 2 * right, truth + found);
      row.cells[4].textContent = truth.toLocaleString("en");
      row.cells[4].dataset.value = truth;
    }
    $("precision-recall-caption").textContent = `${title}: per cent by class`;
  };

  const RADII = [3, 15]; // of the marks of the reliability diagram
  const showCalibration = (p, s, title) => {
    if (!$("bins")) return;
    const bins = choices.calibration[p][s];
    const { left, top, side } = Object.fromEntries(Object.entries($("bins").dataset).map(([k, v]) => [k, Number(v)]));
    const largest = bins ? Math.max(...bins.counts) : 1;
    [...$("bins").children].forEach((group, k) => {
      const count = bins ? bins.counts[k] : 0;
      const [x, y] = count ? [bins.confidence[k], bins.accuracy[k]] : [0, 0];
      const [gap, mark] = group.children;
      gap.setAttribute("d", `M${left + side * x},${top + side * (1 - x)}V${top + side * (1 - y)}`);
      mark.setAttribute("cx", left + side * x);
      mark.setAttribute("cy", top + side * (1 - y));
      mark.setAttribute("r", count ? RADII[0] + (RADII[1] - RADII[0]) * Math.sqrt(count / largest) : 0);
      const cells = $("calibration").tBodies[0].rows[k].cells;
      cells[1].textContent = count ? String(Math.round(100 * y)) : "-";
      cells[2].textContent = count ? String(Math.round(100 * x)) : "-";
      cells[3].textContent = count.toLocaleString("en");
    });
    $("calibration-caption").textContent = bins
      ? `${title}: expected calibration error ${(100 * bins.error).toFixed(1)} %`
      : `${title}: no probabilities`;
  };

  const showWorst = (p, s) => {
    const clips = new Map();
    for (const [clip, guess, count, total] of choices.errors[p][s]) {
      if (!clips.has(clip)) clips.set(clip, { guess, count, wrong: 0, total });
      clips.get(clip).wrong += count;
    }
    const cards = [...clips].slice(0, choices.cards).map(([clip, { guess, count, wrong, total }]) => {
      const predicted = choices.classes[guess];
      const more = count < wrong ? `, ${count} as ${predicted}` : "";
      return makeCard(clip, choices.clips[clip][0],
        make("p", {}, bold(choices.classes[choices.clips[clip][1]]), ", mostly predicted as ", bold(predicted)),
        make("p", { className: "note", textContent: `misclassified in ${wrong} of ${total.toLocaleString("en")} predictions${more}` }));
    });
    $("worst").replaceChildren(...cards);
    const labelled = `labelled clip${choices.shots[s] === 1 ? "" : "s"}`;
    $("clips-title").textContent = cards.length
      ? `The clips that are misclassified most often by ${choices.pipelines[p]} with ${choices.shots[s]} ${labelled} per class.`
      : `${choices.pipelines[p]} misclassifies no clip with ${choices.shots[s]} ${labelled} per class.`;
  };

  const update = (p, s) => {
    const counts = choices.counts[p][s];
    const title = `${choices.pipelines[p]}, ${choices.shots[s]} per class`;
    const total = sum(counts.map(sum));
    const right = sum(counts.map((row, k) => row[k]));
    const score = total
      ? `${((100 * right) / total).toFixed(1)} % of ${total.toLocaleString("en")} predictions correct`
      : "no predictions";
    showConfusion(p, s, counts, `${title}: ${score}`);
    showPairs(p, s, counts, title);
    showByClass(p, s, counts, title);
    showCalibration(p, s, title);
    return `${title}: ${score}`;
  };

  if (choices.counts) {
    const forms = [...document.querySelectorAll("form.choice")];
    const chosen = (form) => [".pipeline", ".shots"].map((name) => Number(form.querySelector(name).value));
    for (const form of forms) {
      form.reset(); // on reload, some browsers keep the selection, which would not match the tables
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("change", () => {
        const [p, s] = chosen(form);
        for (const other of forms) {
          other.querySelector(".pipeline").value = p;
          other.querySelector(".shots").value = s;
          other.querySelector(".status").textContent = "";
        }
        form.querySelector(".status").textContent = update(p, s);
        if ($("worst")) showWorst(p, s);
      });
    }
    update(...chosen(forms[0]));

    // The cells of the matrix are one stop of the Tab key; arrow keys move between them.
    const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    $("confusion").addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      const cell = event.target.closest("td");
      if (!step || !cell) return;
      event.preventDefault();
      const rows = $("confusion").tBodies[0].rows;
      let [row, column] = [cell.parentElement.sectionRowIndex, cell.cellIndex];
      let button = null;
      do {
        row += step[0];
        column += step[1];
        button = rows[row]?.cells[column]?.querySelector("button");
      } while (!button && rows[row]?.cells[column]);
      if (!button) return;
      event.target.tabIndex = -1;
      button.tabIndex = 0;
      button.focus();
    });
  }
  $("pair-close")?.addEventListener("click", () => $("pair").close());
  $("pair")?.addEventListener("click", (event) => { if (event.target === $("pair")) $("pair").close(); });
  $("pair")?.addEventListener("close", () => $("pair-clips").replaceChildren());
