  // Embedding: zoom, drag, names on hover, and a player for the chosen clip.
  const drawPlane = (figure) => {
    const MOST = 16; // largest zoom
    const select = $("plane-clip");
    const charts = [...figure.querySelectorAll(":scope > svg")].map((svg) => {
      const marks = [...svg.querySelectorAll(".dot, .star, .halo")];
      return {
        svg,
        marks,
        places: marks.map((mark) => mark.getAttribute("transform").match(/-?[\d.]+/g).map(Number)),
        dots: [...svg.querySelectorAll(".dot")],
        size: [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height],
      };
    });
    let zoom = 1;
    let middle = [0.5, 0.5]; // of the shown part, as shares of the chart
    let chosen = -1;

    const place = (chart, [x, y]) => chart.size.map((side, k) => ([x, y][k] - side * middle[k]) * zoom + side / 2);
    const draw = () => {
      const edge = 0.5 / zoom;
      middle = middle.map((value) => Math.min(1 - edge, Math.max(edge, value)));
      for (const chart of charts) {
        chart.marks.forEach((mark, k) => {
          mark.setAttribute("transform", `translate(${place(chart, chart.places[k]).map((v) => v.toFixed(1)).join()})`);
        });
        const ring = chart.svg.querySelector(".ring");
        ring.classList.toggle("shown", chosen >= 0);
        if (chosen >= 0) {
          const [x, y] = place(chart, chart.places[chart.marks.indexOf(chart.dots[chosen])]);
          ring.setAttribute("cx", x);
          ring.setAttribute("cy", y);
        }
      }
      figure.classList.toggle("zoomed", zoom > 1);
      $("zoom-out").disabled = $("zoom-reset").disabled = zoom <= 1;
      $("zoom-in").disabled = zoom >= MOST;
    };
    const zoomTo = (factor, [x, y] = [0.5, 0.5]) => {
      // The part of the chart at (x, y), shares of the picture, stays where it is.
      const next = Math.min(MOST, Math.max(1, factor));
      const at = [middle[0] + (x - 0.5) / zoom, middle[1] + (y - 0.5) / zoom];
      zoom = next;
      middle = [at[0] - (x - 0.5) / zoom, at[1] - (y - 0.5) / zoom];
      draw();
    };
    const zoomBy = (factor) => {
      if (chosen >= 0) {
        const chart = charts[0];
        const [x, y] = chart.places[chart.marks.indexOf(chart.dots[chosen])];
        middle = [x / chart.size[0], y / chart.size[1]];
      }
      zoomTo(zoom * factor);
    };

    const describe = ({ label, name, predicted }) =>
      [label, name, predicted !== null && predicted !== label ? `predicted as ${predicted}` : ""].filter(Boolean).join(", ");
    const choose = (index, play) => {
      chosen = index;
      select.value = index < 0 ? "" : String(index);
      draw();
      const point = numbers.points[index];
      if (!point) return $("plane-card").replaceChildren();
      const guess = point.predicted === null ? "" : `, predicted as ${point.predicted}`;
      const card = makeCard(point.clip, point.name || `point ${index + 1}`,
        make("p", {}, bold(point.label), guess));
      $("plane-card").replaceChildren(card);
      if (play) card.querySelector("audio")?.play().catch(() => {});
    };
    select.append(...numbers.points.map((point, k) => make("option", { value: k, textContent: describe(point) })));
    select.addEventListener("change", () => choose(select.value === "" ? -1 : Number(select.value), true));
    $("zoom-in").addEventListener("click", () => zoomBy(2));
    $("zoom-out").addEventListener("click", () => zoomBy(0.5));
    $("zoom-reset").addEventListener("click", () => { middle = [0.5, 0.5]; zoomTo(1); });

    const tip = $("plane-tip");
    const shareOf = (svg, event) => {
      const box = svg.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    for (const { svg, dots } of charts) {
      let drag = null;
      svg.addEventListener("pointermove", (event) => {
        if (drag) {
          const at = shareOf(svg, event);
          middle = middle.map((value, k) => value - (at[k] - drag[k]) / zoom);
          drag = at;
          draw();
        }
        const index = dots.indexOf(event.target);
        tip.hidden = index < 0;
        if (index < 0) return;
        tip.textContent = describe(numbers.points[index]);
        const box = figure.getBoundingClientRect();
        const x = event.clientX - box.left;
        tip.style.left = `${Math.max(0, Math.min(x + 12, box.width - tip.offsetWidth))}px`;
        tip.style.top = `${event.clientY - box.top + 16}px`;
      });
      svg.addEventListener("pointerleave", () => { tip.hidden = true; });
      svg.addEventListener("pointerdown", (event) => {
        if (zoom > 1 && !dots.includes(event.target)) {
          drag = shareOf(svg, event);
          svg.setPointerCapture(event.pointerId);
        }
      });
      for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => { drag = null; });
      svg.addEventListener("click", (event) => {
        const index = dots.indexOf(event.target);
        if (index >= 0) choose(index, true);
      });
      svg.addEventListener("dblclick", (event) => zoomTo(zoom * 2, shareOf(svg, event)));
      svg.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
        event.preventDefault();
        zoomTo(zoom * 2 ** (-event.deltaY / 300), shareOf(svg, event));
      }, { passive: false });
    }
    draw();
  };
  if ($("plane")) drawPlane($("plane"));
