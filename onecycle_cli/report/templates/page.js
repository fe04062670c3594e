"use strict";
(() => {
  // Charts: drawn as wide as the page is, and drawn again when that changes.
  const options = { renderer: "svg", actions: false, ast: true, tooltip: { disableDefaultStyle: true } };

  const fitted = (value, width) => {
    if (Array.isArray(value)) return value.map((part) => fitted(part, width));
    if (value === null || typeof value !== "object") return value;
    const copy = {};
    for (const [key, part] of Object.entries(value)) {
      copy[key] = key === "width" && part === "container" ? width : fitted(part, width);
    }
    return copy;
  };

  const draw = async (figure) => {
    const chart = figure.querySelector(".chart");
    const width = Math.floor(chart.clientWidth);
    if (!width || figure.drawnAt === width) return;
    figure.drawnAt = width;
    const spec = JSON.parse(figure.querySelector("script").textContent);
    for (const [name, columns] of Object.entries(spec.datasets ?? {})) {
      const names = Object.keys(columns);
      spec.datasets[name] = columns[names[0]].map((_, row) =>
        Object.fromEntries(names.map((column) => [column, columns[column][row]])));
    }
    const margin = Number(chart.dataset.margin);
    const whole = margin
      ? fitted(spec, Math.max(120, width - margin))
      : { ...spec, width, autosize: { type: "fit-x", contains: "padding" } };
    if (figure.view) figure.view.finalize();
    figure.view = (await window.onecycleEmbed(chart, whole, options)).view;
    chart.querySelector("svg").setAttribute("aria-hidden", "true");  // it has a description
    chart.dataset.drawn = "yes";
  };

  // Zooming by buttons, for those who don't use a wheel.
  const zoom = (figure, what) => {
    const { column, limits, log } = figure.querySelector(".chart").dataset;
    const signal = `zoom_${column}`;
    const to = log === "1" ? Math.log : (value) => value;
    const back = log === "1" ? Math.exp : (value) => value;
    const shown = figure.view.signal(signal) || JSON.parse(limits);
    const [low, high] = shown.map(Number).map(to);
    const middle = (low + high) / 2;
    const reach = (high - low) / 2;
    const next = {
      in: [middle - reach / 2, middle + reach / 2],
      out: [middle - reach * 2, middle + reach * 2],
      left: [low - reach / 2, high - reach / 2],
      right: [low + reach / 2, high + reach / 2],
    }[what];
    figure.view.signal(signal, next ? next.map(back) : null).runAsync();
  };

  const figures = [...document.querySelectorAll("figure")];
  for (const figure of figures) {
    for (const button of figure.querySelectorAll(".zoom button")) {
      button.addEventListener("click", () => zoom(figure, button.dataset.do));
    }
  }
  const drawAll = () => Promise.all(figures.map(draw));
  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
  drawAll().then(() => { document.documentElement.dataset.ready = "yes"; });

  // Tables: sorted by a click on a heading, filtered by what is typed.
  const value = (row, index) => {
    const cell = row.children[index];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const compare = (a, b, sign) => {
    if (a === "" || b === "") return (a === "") - (b === "");  // what is empty comes last
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  };
  const sort = (table, heading, index) => {
    const falling = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const body = table.tBodies[0];
    const sign = falling ? -1 : 1;
    body.append(...[...body.rows].sort((a, b) => compare(value(a, index), value(b, index), sign)));
  };
  let count = 0;
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.querySelectorAll("thead th")].forEach((heading, index) => {
      heading.querySelector("button").addEventListener("click", () => sort(table, heading, index));
    });
    const box = document.createElement("p");
    box.className = "filter";
    const label = document.createElement("label");
    const input = document.createElement("input");
    const said = document.createElement("span");
    input.type = "search";
    input.id = `filter-${(count += 1)}`;
    label.htmlFor = input.id;
    label.textContent = "Filter the rows:";
    said.setAttribute("role", "status");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of table.tBodies[0].rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        left += row.hidden ? 0 : 1;
      }
      said.textContent = words.length ? `${left} of ${table.tBodies[0].rows.length}` : "";
    });
    box.append(label, input, said);
    table.closest(".scroll").before(box);
  }

  // Code: copied by a click.
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.closest(".code").querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
})();
