/* Comforts on top of pages that work without them. Everything is asked for by data attributes, so it also holds for parts that htmx brings. */
"use strict";

document.documentElement.dataset.js = "";

/* data-print: prints the page. */
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

/* data-closes: an open <details> closes when one clicks elsewhere or presses Escape. */
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details[data-closes][open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details[data-closes][open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

/* data-confirm on a form or its button asks first; then a form that is on its way cannot be sent a second time. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if (form.method !== "post" || event.defaultPrevented) return;
  /* After the browser has read the values: a disabled button would not send its own. */
  setTimeout(() => setBusy(form, true));
});
window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => setBusy(form, false)));

function setBusy(form, busy) {
  for (const button of form.querySelectorAll("button[type=submit]")) {
    if (busy) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
  }
  form.toggleAttribute("data-sent", busy);
}
document.addEventListener("submit", (event) => {
  if (event.target.hasAttribute("data-sent")) event.preventDefault();
}, true);

/* data-autosubmit: a filter bar shows its result as soon as a choice is made. */
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && event.target.matches("select, input[type=radio], input[type=checkbox], input[type=date], input[type=month]")) form.requestSubmit();
});

/* data-copy="id of a text field": puts its text on the clipboard, or selects it where the browser allows no more. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return;
  }
  button.querySelector("span").textContent = button.dataset.done;
});

/* data-focus: what went wrong is read out first. */
document.querySelector("[data-focus]")?.focus();
