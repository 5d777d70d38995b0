/* The scale screen says at once what a weight means; the server says it again and alone decides. Whole numbers only. */
"use strict";

const form = document.querySelector("[data-scale]");
const lines = form ? [...form.querySelectorAll("[data-line]")] : [];
const LONGEST_SIDE = 1600;

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

/* Whether a line says what the delivery note says, and nothing more. */
function isAsNoted(line) {
  const said = [...line.querySelectorAll("select, input:not([type=hidden], [type=checkbox], [data-amount])")];
  return thousandths(line.querySelector("[data-amount]").value) === thousandths(line.dataset.noted)
    && !line.querySelector("[data-refused]").checked && said.every((field) => field.value === "");
}

function show(line) {
  const outcome = outcomeOf(line);
  for (const chip of line.querySelectorAll("[data-outcome]")) chip.hidden = chip.dataset.outcome !== outcome;
  const isPlain = isAsNoted(line);
  line.querySelector("[data-as-noted]").hidden = !isPlain;
  line.querySelector("[data-shown]").textContent = line.querySelector("[data-refused]").checked ? "0" : line.querySelector("[data-amount]").value;
  line.toggleAttribute("data-different", !isPlain);
  const progress = form.querySelector("[data-progress]");
  progress.textContent = progress.dataset.words.replace("##", lines.length).replace("#", lines.filter((one) => one.hasAttribute("data-different")).length);
}

for (const line of lines.filter((one) => one.querySelector("[data-amount]"))) {
  line.addEventListener("input", () => show(line));
  line.addEventListener("change", () => show(line));
  line.querySelector("[data-fill]").addEventListener("click", (event) => {
    line.querySelector("[data-amount]").value = event.currentTarget.dataset.fill;
    show(line);
  });
  show(line);
}

/* A phone's photos are made small before they are sent, so that several go through at once; one that cannot be read goes as it is. */
async function shrink(input) {
  const kept = new DataTransfer();
  for (const file of input.files) {
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
      const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const small = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
      kept.items.add(small.size < file.size ? new File([small], "photo.jpg", { type: "image/jpeg" }) : file);
    } catch {
      kept.items.add(file);
    }
  }
  input.files = kept.files;
}

for (const input of form?.querySelectorAll("[data-photo]") ?? []) input.addEventListener("change", () => shrink(input));

/* Enter on the keypad closes the field instead of sending a half-filled sheet. */
form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-amount]")) return;
  event.preventDefault();
  event.target.blur();
});
