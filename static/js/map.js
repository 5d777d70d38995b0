/*
  data-map="address of the shapes" data-map-table="id of a <tbody>": draws the rows of the table beside it as a map.
  Each row names its shape (data-code) and its figure (data-value), its first cell (or data-name) the words and, where there is one, the
  page to open. The table is the truth; the map is a second way to read it. With data-map-mark the rows' shapes are marked.
*/
"use strict";

for (const place of document.querySelectorAll("[data-map]")) draw(place);

async function draw(place) {
  const figures = rowsOf(document.getElementById(place.dataset.mapTable));
  const answer = await fetch(place.dataset.map);
  if (!answer.ok) return;
  const shapes = await answer.json();
  for (const shape of shapes.features) shape.properties.name = shape.properties.adcode;
  echarts.registerMap("counties", shapes);
  const chart = echarts.init(place, null, { renderer: "svg" });
  const show = () => chart.setOption(option(place, figures), true);
  show();
  chart.on("click", (event) => {
    const url = figures.get(event.name)?.url;
    if (url) window.location.assign(url);
  });
  new ResizeObserver(() => chart.resize()).observe(place);
  for (const media of ["(prefers-color-scheme: dark)", "print"]) window.matchMedia(media).addEventListener("change", () => { chart.resize(); show(); });
}

/* Two rows may share a shape: it then shows both together, under the first one's name. */
function rowsOf(table) {
  const found = new Map();
  for (const row of table.rows) {
    if (!row.dataset.code) continue;
    const words = row.dataset.name ?? row.cells[0].textContent.trim();
    const one = { words, told: words, value: Number(row.dataset.value), url: row.querySelector("a")?.href };
    const known = found.get(row.dataset.code);
    found.set(row.dataset.code, known ? { ...known, told: `${known.told}, ${words}`, value: known.value + one.value, url: known.url ?? one.url } : one);
  }
  return found;
}

function option(place, figures) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const data = [...figures].map(([name, { value }]) => ({ name, value, cursor: value ? "pointer" : "default" }));
  const most = Math.max(1, ...data.map(({ value }) => value));
  const words = (name) => figures.get(name)?.words ?? "";
  const told = (name) => figures.get(name)?.told ?? "";
  if ("mapMark" in place.dataset) return marked(place, data, colour, words);
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(place).fontFamily },
    /* richText: an HTML tooltip would need inline styles, which this site does not allow. */
    tooltip: {
      renderMode: "richText", backgroundColor: colour("--surface"), borderColor: colour("--line-strong"),
      textStyle: { color: colour("--ink") },
      formatter: ({ name, value }) => `${told(name)}\n${(value || 0).toLocaleString()} ${place.dataset.mapUnit}`,
    },
    visualMap: {
      min: 0, max: most, orient: "horizontal", left: 0, bottom: 0, itemWidth: 12, itemHeight: 90, calculable: false,
      text: [most.toLocaleString(), "0"], textStyle: { color: colour("--ink-soft") },
      inRange: { color: [colour("--tea-tint"), colour("--tea")] },
    },
    series: [{
      type: "map", map: "counties", data, selectedMode: false,
      layoutCenter: ["50%", "50%"], layoutSize: "98%", aspectScale: 0.9,
      itemStyle: { borderColor: colour(window.matchMedia("print").matches ? "--line-strong" : "--surface"), borderWidth: 1.5, areaColor: colour("--sunken") },
      label: {
        show: true, color: colour("--ink"), fontSize: 12, formatter: ({ name }) => words(name),
        textBorderColor: colour("--surface"), textBorderWidth: 3,
      },
      emphasis: { itemStyle: { areaColor: colour("--grain-line") }, label: { color: colour("--ink"), fontWeight: 600 } },
    }],
  };
}

function marked(place, data, colour, words) {
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(place).fontFamily },
    series: [{
      type: "map", map: "counties", selectedMode: false, silent: true,
      data: data.map((row) => ({ ...row, itemStyle: { areaColor: colour("--tea") } })),
      layoutCenter: ["50%", "50%"], layoutSize: "98%", aspectScale: 0.9,
      itemStyle: { borderColor: colour("--surface"), borderWidth: 1.5, areaColor: colour("--sunken") },
      label: {
        show: true, color: colour("--ink"), fontSize: 12, formatter: ({ name }) => words(name),
        textBorderColor: colour("--surface"), textBorderWidth: 3,
      },
    }],
  };
}
