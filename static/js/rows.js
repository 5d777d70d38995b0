/* Rows that one adds and weights that are added up while one types. Sums are whole thousandths: no fractions are rounded. */
"use strict";

for (const form of document.querySelectorAll("form")) {
  const output = form.querySelector("[data-sum]");
  if (!output) continue;
  const add = () => {
    let sum = 0;
    for (const input of form.querySelectorAll("[data-adds]")) {
      const typed = /^(\d{1,10})(?:\.(\d{1,3}))?$/.exec(input.value.trim());
      if (typed) sum += Number(typed[1]) * 1000 + Number((typed[2] ?? "").padEnd(3, "0"));
    }
    const rest = String(sum % 1000).padStart(3, "0").replace(/0+$/, "");
    output.textContent = Math.floor(sum / 1000) + (rest ? "." + rest : "");
  };
  form.addEventListener("input", add);
  add();
}

/* "More rows" needs no way to the server here: copies of the last row, empty and with numbers of their own. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-more-rows]");
  if (!button) return;
  event.preventDefault();
  const list = button.form.querySelector("[data-rows]");
  const rows = list.querySelectorAll("[data-row]");
  const last = rows[rows.length - 1];
  const number = Number(/-(\d+)-/.exec(last.querySelector("input").name)[1]);
  let first = null;
  for (let more = 1; more <= 3 && number + more < Number(list.dataset.most); more++) {
    const copy = last.cloneNode(true);
    copy.querySelectorAll(".field-error").forEach((message) => message.remove());
    for (const input of copy.querySelectorAll("input")) {
      input.name = input.id = input.name.replace(/-\d+-/, `-${number + more}-`);
      input.value = "";
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
    list.append(copy);
    first ??= copy.querySelector("input");
  }
  first?.focus();
});
