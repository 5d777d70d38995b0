/* The review desk by keys: a form with data-key "a" is sent by A, the reasons are reached by R, the next one by N. */
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "a") document.querySelector('form[data-key="a"]')?.requestSubmit();
  if (event.key === "r") document.querySelector('form[data-key="r"] input[type=checkbox]')?.focus();
  if (event.key === "n") document.querySelector('a[rel="next"][accesskey]')?.click();
});
