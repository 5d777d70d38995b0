/* What is ticked in a list is counted and summed beside the one button; sums are whole fen. Without this the server
   counts what was sent and asks to press once more. */
"use strict";

for (const form of document.querySelectorAll("form[data-ticks]")) {
  const boxes = [...form.querySelectorAll("input[data-fen]")];
  const add = () => {
    const ticked = boxes.filter((box) => box.checked);
    const fen = ticked.reduce((sum, box) => sum + Number(box.dataset.fen), 0);
    const yuan = Math.floor(fen / 100).toString().replace(/\B(?=(\d{3})+$)/g, ",");
    form.elements.seen_claims.value = ticked.length;
    form.elements.seen_fen.value = fen;
    for (const place of form.querySelectorAll("[data-ticked-count]")) place.textContent = ticked.length;
    for (const place of form.querySelectorAll("[data-ticked-sum]")) place.textContent = `¥${yuan}.${String(fen % 100).padStart(2, "0")}`;
    form.querySelector("button[data-takes-ticks]").disabled = ticked.length === 0;
  };
  form.addEventListener("change", add);
  window.addEventListener("pageshow", add);  // a page that comes back from the browser's memory keeps its ticks
  add();
}
