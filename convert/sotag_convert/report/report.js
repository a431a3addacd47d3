"use strict";
// Draws the charts in the colours of the page, again when these change, and makes tables sortable.
(() => {
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();

  // The one place of the colours is the style sheet.
  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function config() {
    const [ink, muted, line, first, second] = ["--ink", "--quiet", "--line", "--accent", "--second"].map(colour);
    const [low, high] = [colour("--low"), colour("--high")];
    return {
      background: null,
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      axis: {
        labelColor: muted, titleColor: muted, domainColor: line, tickColor: line, gridColor: line,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 8, labelLimit: 160,
      },
      axisQuantitative: { tickCount: 5 },
      axisX: { grid: false },
      axisYQuantitative: { titleAngle: 0, titleAlign: "left", titleAnchor: "end", titleY: -12, titleX: 0, domain: false, ticks: false, minExtent: 36 },
      legend: { labelColor: ink, labelFontSize: 12, symbolStrokeWidth: 2.5 },
      range: { category: [first, second, muted], ramp: [low, high], heatmap: [low, high] },
      style: {
        first: { color: first, strokeWidth: 2 },
        thin: { color: first, strokeWidth: 1, opacity: 0.5 },
        "first-area": { color: first, opacity: 0.7 },
        series: { strokeWidth: 2 },
        dot: { color: first, filled: true, size: 70, opacity: 1 },
        "dot-second": { color: second, filled: true, size: 110, opacity: 1 },
        figure: { color: first, thickness: 3, size: 18, opacity: 1 },
        band: { color: first, strokeWidth: 10, opacity: 0.4 },
        interval: { color: first, strokeWidth: 4, opacity: 0.4 },
        guide: { color: muted, strokeDash: [4, 4], strokeWidth: 1 },
        note: { color: ink, fontSize: 12 },
        cell: { stroke: colour("--paper"), strokeWidth: 1 },
        "on-dark": { color: colour("--on-high"), fontSize: 12 },
        "on-light": { color: ink, fontSize: 12 },
      },
      mark: { color: first },
    };
  }

  async function draw() {
    const theme = config();
    for (const place of document.querySelectorAll("[data-chart]")) {
      const name = place.dataset.chart;
      drawn.get(name)?.finalize();
      drawn.set(name, await vegaEmbed(place, specs[name], {
        mode: "vega-lite",
        renderer: "svg",
        actions: false,
        ast: true, // expressions are interpreted: the page allows no eval
        config: theme,
        defaultStyle: false,
        tooltip: { disableDefaultStyle: true, theme: "page" },
      }));
    }
    document.documentElement.dataset.drawn = dark.matches ? "dark" : "light";
  }

  let drawing = draw();
  dark.addEventListener("change", () => { drawing = drawing.then(draw); });

  // As numbers only if every value is one: "9" < "10" < "1x" < "9" would be no order.
  function order(values) {
    const isNumeric = values.every((value) => value.trim() !== "" && !Number.isNaN(Number(value)));
    return isNumeric ? (a, b) => a - b : (a, b) => a.localeCompare(b);
  }

  function sort(table, column) {
    const heads = table.tHead.rows[0].cells;
    const direction = heads[column].ariaSort === "ascending" ? "descending" : "ascending";
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows];
    const value = (row) => row.cells[column].dataset.value;
    const compare = order(rows.map(value));
    rows.sort((a, b) => sign * compare(value(a), value(b)));
    table.tBodies[0].append(...rows);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, column));
      head.append(button);
    });
  }
})();
