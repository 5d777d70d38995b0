/*
  data-chart="id of a <tbody>": draws the table's figures as columns. Each row's first cell is the month, the cells with
  data-value hold the figures, the heads above them name the series. The table is the truth; the drawing only shows it.
*/
"use strict";

for (const place of document.querySelectorAll("[data-chart]")) {
  const body = document.getElementById(place.dataset.chart);
  if (body) drawColumns(place, body);
  else place.remove();
}

function drawColumns(place, body) {
  const chart = echarts.init(place, null, { renderer: "svg" });
  const show = () => chart.setOption(columnsOf(place, body), true);
  show();
  new ResizeObserver(() => chart.resize()).observe(place);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
}

function columnsOf(place, body) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const heads = [...body.closest("table").tHead.rows[0].cells].slice(1).map((cell) => cell.childNodes[0].textContent.trim());
  const rows = [...body.rows];
  const axis = { axisLine: { lineStyle: { color: colour("--line-strong") } }, axisLabel: { color: colour("--ink-soft") } };
  const short = (value) => (Math.abs(value) >= 1e4 && document.documentElement.lang !== "en" ? `${value / 1e4} 万` : value.toLocaleString());
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(place).fontFamily },
    color: [colour("--chart-1"), colour("--chart-2")],
    /* richText: an HTML tooltip would need inline styles, which this site does not allow. */
    tooltip: {
      trigger: "axis", renderMode: "richText", backgroundColor: colour("--surface"), borderColor: colour("--line-strong"),
      textStyle: { color: colour("--ink") }, valueFormatter: (value) => `¥${Number(value).toLocaleString(undefined, { minimumFractionDigits: 2 })}`,
    },
    legend: { top: 0, textStyle: { color: colour("--ink") } },
    grid: { left: 8, right: 8, top: 36, bottom: 8, containLabel: true },
    xAxis: { type: "category", data: rows.map((row) => row.cells[0].textContent.trim()), ...axis },
    yAxis: { type: "value", splitLine: { lineStyle: { color: colour("--line") } }, ...axis, axisLabel: { color: colour("--ink-soft"), formatter: short } },
    series: heads.map((name, at) => ({
      type: "bar", name, barMaxWidth: 28, data: rows.map((row) => Number(row.cells[at + 1].dataset.value)),
    })),
  };
}
