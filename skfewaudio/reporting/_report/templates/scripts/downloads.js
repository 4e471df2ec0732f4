  // Downloads: tables as CSV, charts as PNG, and code to the clipboard.
  const save = (blob, name) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const textOf = (cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(".mark, .sr").forEach((mark) => mark.remove());
    return copy.textContent.trim();
  };
  // A text that spreadsheets would run as a formula begins with an apostrophe.
  const isFormula = (text) => /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(text) && Number.isNaN(Number(text));
  const quote = (text) => `"${(isFormula(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const columnsOf = (table) => {
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map(textOf));
    return [...table.tHead.rows[0].cells].map(textOf).flatMap((head, k) => {
      const cells = rows.map((row) => row[k]);
      if (!cells.some((cell) => /\s±\s/.test(cell))) return [[head, ...cells]];
      const parts = cells.map((cell) => cell.split(/\s±\s/));
      return [[head, ...parts.map((p) => p[0])], [`${head}, half-width`, ...parts.map((p) => p[1] ?? "")]];
    });
  };
  const toCsv = (table) => {
    const columns = columnsOf(table);
    const lines = columns[0].map((_, k) => columns.map((column) => quote(column[k])).join(","));
    return `\ufeff${lines.join("\r\n")}\r\n`;
  };
  const addTool = (head, text, label, action) => {
    const button = make("button", { type: "button", className: "tool", textContent: text });
    button.setAttribute("aria-label", `${text}: ${label}`);
    button.addEventListener("click", () => action(button));
    head.append(button);
  };
  for (const table of document.querySelectorAll(".scroll > table")) {
    const head = table.parentElement.previousElementSibling;
    addTool(head, "CSV", "download this table", () =>
      save(new Blob([toCsv(table)], { type: "text/csv" }), `${table.id}.csv`));
  }

  // A picture has no style sheet: every element gets the style that it has on the page.
  const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "font-family",
    "font-size", "font-weight", "text-anchor", "paint-order", "display"];
  const SCALE = 2;
  const toPicture = (svg) => {
    const copy = svg.cloneNode(true);
    const [from, to] = [svg, copy].map((top) => [top, ...top.querySelectorAll("*")]);
    from.forEach((element, k) => {
      const style = getComputedStyle(element);
      to[k].setAttribute("style", STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
    });
    const { width, height } = svg.viewBox.baseVal;
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width * SCALE);
    copy.setAttribute("height", height * SCALE);
    return { source: new XMLSerializer().serializeToString(copy), width: width * SCALE, height: height * SCALE };
  };
  const savePicture = (svg, name) => {
    const { source, width, height } = toPicture(svg);
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = make("canvas", { width, height });
      const context = canvas.getContext("2d");
      context.fillStyle = getComputedStyle(svg.closest("section")).backgroundColor;
      context.fillRect(0, 0, width, height);
      context.drawImage(image, 0, 0, width, height);
      canvas.toBlob((blob) => save(blob, `${name}.png`), "image/png");
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  };
  for (const figure of document.querySelectorAll("figure.chart")) {
    const head = make("div", { className: "head tools" });
    figure.prepend(head);
    addTool(head, "PNG", "download this chart", () => {
      const svg = [...figure.querySelectorAll(":scope > svg")].find((chart) => chart.getClientRects().length);
      savePicture(svg, figure.dataset.name);
    });
  }

  const copyText = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch { // no clipboard in a file: select the text, so that the keyboard can copy it
      getSelection().selectAllChildren(element);
      return document.execCommand("copy");
    }
  };
  for (const code of document.querySelectorAll(".code pre")) {
    addTool(code.previousElementSibling, "Copy", "copy this text", async (button) => {
      const done = await copyText(code);
      button.textContent = done ? "Copied" : "Selected";
      button.setAttribute("aria-label", button.textContent);
    });
  }
