/*
  data-chart="id of a <tbody>": draws the table's figures. Each row's first cell (or data-name) is its name, the cells with
  data-value hold the figures, the heads above them name the series; a row with data-rest stands for many others.
  data-chart-kind: columns beside each other (without a word), stacked, bars (lying, one series), progress (bars in percent
  with a line at data-chart-mark), months (a line in percent). The table is the truth; the drawing only shows it.
*/
"use strict";

const chartPrint = window.matchMedia("print");
const chartDark = window.matchMedia("(prefers-color-scheme: dark)");
/* Patterns over the colours, so that a print in grey tells the series apart; the first series has none. */
const lines = (dashArrayY, rotation) => ({ symbol: "rect", dashArrayX: [1, 0], dashArrayY, rotation });
const PATTERNS = [{ symbol: "none" }, lines([1.5, 8], -Math.PI / 4), { symbol: "circle", dashArrayX: [[8, 8], [0, 8, 8, 0]], dashArrayY: [6, 0], symbolSize: 0.6 },
  lines([1.5, 6], 0), lines([1.5, 8], Math.PI / 4), lines([1.5, 6], Math.PI / 2)];

function drawChart(place, body) {
  const table = read(body);
  const kind = place.dataset.chartKind ?? "columns";
  if (kind === "bars" || kind === "progress") place.style.height = `${table.names.length * 34 + 72}px`;
  const chart = echarts.init(place, null, { renderer: "svg" });
  const show = () => chart.setOption({ ...ground(place), ...OPTIONS[kind](table, place) }, true);
  const fit = () => { chart.resize(); show(); };
  show();
  new ResizeObserver(fit).observe(place);
  for (const media of [chartPrint, chartDark]) media.addEventListener("change", fit);
}

function read(body) {
  const rows = [...body.rows];
  const heads = [...body.closest("table").tHead.rows[0].cells].map((cell) => cell.childNodes[0].textContent.trim());
  const value = (cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value));
  return {
    names: rows.map((row) => row.dataset.name ?? row.cells[0].textContent.trim()),
    rest: rows.map((row) => "rest" in row.dataset),
    series: heads.map((name, at) => ({ name, data: rows.map((row) => value(row.cells[at])) }))
      .filter(({ data }) => data.some((one) => one !== null)),
  };
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (value) => {
  if (Math.abs(value) < 1e4) return Math.round(value).toLocaleString();
  return document.documentElement.lang === "en" ? `${Number((value / 1e3).toFixed(1)).toLocaleString()}k` : `${Number((value / 1e4).toFixed(1)).toLocaleString()} 万`;
};
const yuan = (value) => (value === null || value === undefined ? "–" : `¥${Number(value).toLocaleString(undefined, { minimumFractionDigits: 2 })}`);
const percent = (value) => (value === null || value === undefined ? "–" : `${(Math.round(Math.round(value * 100) / 10) / 10).toFixed(1)}%`);

const whole = (value) => `${Math.round(value)}%`;

function ground(place) {
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(place).fontFamily },
    color: [1, 2, 3, 4, 5, 6].map((number) => colour(`--chart-${number}`)),
    aria: { enabled: true, label: { enabled: false }, decal: { show: true, decals: PATTERNS.map((one) => ({ ...one, color: colour("--surface") })) } },
  };
}

/* richText: an HTML tooltip would need inline styles, which this site does not allow. */
const tooltip = (valueFormatter, pointer = "shadow") => ({
  trigger: "axis", renderMode: "richText", axisPointer: { type: pointer }, backgroundColor: colour("--surface"),
  borderColor: colour("--line-strong"), textStyle: { color: colour("--ink") }, valueFormatter,
});
const legend = () => ({ top: 0, itemWidth: 22, itemHeight: 14, textStyle: { color: colour("--ink") } });
const lining = () => ({ axisLine: { lineStyle: { color: colour("--line-strong") } }, axisTick: { show: false } });
const label = (more) => ({ color: colour("--ink-soft"), ...more });
const values = (formatter, more) => ({ type: "value", splitLine: { lineStyle: { color: colour("--line") } }, axisLabel: label({ formatter, hideOverlap: true }), ...more });
const grid = (top, right = 12) => ({ left: 8, right, top, bottom: 8, containLabel: true });

function upright(table, place, stack) {
  const told = stack ? table.series.filter(({ data }) => data.some(Boolean)) : table.series;
  const narrow = place.clientWidth < 480 && told.length > 2; // the legend then takes two lines
  return {
    tooltip: tooltip(yuan), legend: legend(), grid: grid(narrow ? 64 : 36),
    xAxis: {
      type: "category", data: table.names, ...lining(),
      axisLabel: label(stack ? { interval: 0, width: (place.clientWidth - 64) / table.names.length - 2, overflow: "break", fontSize: place.clientWidth < 480 ? 10.5 : 12 } : {}),
    },
    yAxis: values(short),
    series: told.map((one) => ({
      type: "bar", name: one.name, data: stack ? one.data.map((value) => value || null) : one.data, stack, barMaxWidth: stack ? 72 : 28,
      itemStyle: stack ? { borderColor: colour("--surface"), borderWidth: 1 } : {},
    })),
  };
}

function lying(table, format, short_, extra, most) {
  const [one] = table.series;
  return {
    aria: { enabled: false },
    tooltip: tooltip(format), grid: { ...grid(8, 64), left: 20 },
    yAxis: { type: "category", inverse: true, data: table.names, ...lining(), axisLabel: label({ color: colour("--ink"), width: 110, overflow: "truncate" }) },
    xAxis: values(format === percent ? whole : short_, { max: most, splitNumber: 4 }),
    series: [{
      type: "bar", name: one.name, barMaxWidth: 20, ...extra,
      data: one.data.map((value, at) => ({ value, itemStyle: { color: colour(table.rest[at] ? "--line-strong" : "--chart-1") } })),
      label: { show: true, position: "right", color: colour("--ink"), formatter: ({ value }) => (value === undefined || value === null ? "–" : short_(value)) },
    }],
  };
}

function progress(table, place) {
  const mark = Number(place.dataset.chartMark);
  const most = Math.max(100, mark, ...table.series[0].data.map((value) => value ?? 0));
  const line = {
    markLine: {
      silent: true, symbol: "none", data: [{ xAxis: mark }], lineStyle: { color: colour("--chart-3"), width: 2, type: "dashed" },
      label: { color: colour("--ink"), position: "start", formatter: "" },
    },
  };
  return lying(table, percent, percent, Number.isNaN(mark) ? {} : line, Math.ceil(most / 20) * 20);
}

function months(table) {
  const [one] = table.series;
  return {
    aria: { enabled: false },
    tooltip: tooltip(percent, "line"), grid: grid(16),
    xAxis: { type: "category", data: table.names, ...lining(), axisLabel: label() },
    yAxis: values(whole, { min: 0, max: ({ max }) => Math.max(20, Math.ceil(max / 20) * 20) }),
    series: [{ type: "line", name: one.name, data: one.data, symbol: "circle", symbolSize: 7, lineStyle: { width: 2.5 } }],
  };
}

const OPTIONS = {
  columns: (table, place) => upright(table, place),
  stacked: (table, place) => upright(table, place, "all"),
  bars: (table) => lying(table, yuan, short, {}, null),
  progress, months,
};

for (const place of document.querySelectorAll("[data-chart]")) {
  const body = document.getElementById(place.dataset.chart);
  if (body) drawChart(place, body);
  else place.remove();
}
