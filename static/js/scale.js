/* The scale screen says at once what a weight means; the server says it again and alone decides. Whole numbers only. */
"use strict";

const form = document.querySelector("[data-scale]");
const lines = form ? [...form.querySelectorAll("[data-line]")] : [];

/* "9.5" as thousandths, null for what the server would not read as a number. */
function thousandths(text) {
  const match = /^(0|[1-9]\d{0,9})(?:\.(\d{1,3}))?$/.exec(text.trim());
  return match && Number(match[1]) * 1000 + Number((match[2] ?? "").padEnd(3, "0"));
}

function outcomeOf(line) {
  if (line.querySelector("[data-refused]")?.checked) return "rejected";
  const typed = thousandths(line.querySelector("[data-amount]")?.value ?? "");
  if (typed === null) return null;
  const perUnit = Number(line.dataset.gramsPerUnit);
  const ordered = Number(line.dataset.ordered);
  const milli = Math.floor((typed * 1000 + Math.floor(perUnit / 2)) / perUnit);
  if (milli === 0) return "rejected";
  if (milli === ordered) return "accepted";
  if (milli < ordered) return "short";
  return milli > Math.floor((Math.min(ordered, Number(line.dataset.packed)) * (10000 + Number(form.dataset.tolerance))) / 10000) ? "too_much" : "over";
}

function show(line) {
  const outcome = outcomeOf(line);
  for (const chip of line.querySelectorAll("[data-outcome]")) chip.hidden = chip.dataset.outcome !== outcome;
  const more = line.querySelector("[data-more]");
  if (more && outcome === "rejected") more.open = true;
  line.toggleAttribute("data-said", outcome !== null);
  const progress = form.querySelector("[data-progress]");
  const asked = lines.filter((one) => one.querySelector("[data-amount]"));
  progress.textContent = progress.dataset.words.replace("##", asked.length).replace("#", asked.filter((one) => one.hasAttribute("data-said")).length);
}

for (const line of lines.filter((one) => one.querySelector("[data-amount]"))) {
  line.addEventListener("input", () => show(line));
  line.querySelector("[data-fill]").addEventListener("click", (event) => {
    line.querySelector("[data-amount]").value = event.currentTarget.dataset.fill;
    show(line);
  });
  show(line);
}

/* Enter on the keypad goes on to the next field instead of sending a half-filled sheet. */
form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-amount]")) return;
  event.preventDefault();
  const fields = [...form.querySelectorAll("[data-amount]")];
  (fields[fields.indexOf(event.target) + 1] ?? form.querySelector("#second_id")).focus();
});
