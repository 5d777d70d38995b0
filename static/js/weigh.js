/* Weighing in as quick as a notebook. The page works without this file; here members are found while one types, Enter goes
   on to the next line, weights are added up, and what was begun survives a reload. Sums are whole grams and fen. */
"use strict";

const form = document.querySelector("form[data-weigh]");
const KEY = "sijin-weigh-";
const SENT = "*sent";

/* A booking that is done needs its draft no longer; one begun since then stays. */
for (const done of document.querySelectorAll("[data-draft-done]")) {
  if (kept(KEY + done.dataset.draftDone)?.[SENT]) forget(KEY + done.dataset.draftDone);
}

function kept(key) {
  try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
}

function forget(key) {
  try { localStorage.removeItem(key); } catch { /* a phone that keeps nothing */ }
}

/* "12.5" as hundredths, null for what the server would not read. */
function hundredths(text) {
  const match = /^(0|[1-9]\d{0,9})(?:\.(\d{1,2}))?$/.exec(text.trim());
  return match && Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
}

function words(hundred) {
  return String(Math.floor(hundred / 100)) + (hundred % 100 ? "." + String(hundred % 100).padStart(2, "0").replace(/0$/, "") : "");
}

function net(within) {
  const gross = hundredths(within.querySelector("[data-gross]").value);
  const tare = hundredths(within.querySelector("[data-tare]").value || "0");
  return gross === null || tare === null || tare >= gross ? 0 : gross - tare;
}

function rows() {
  return [...form.querySelectorAll("[data-row]")];
}

function add() {
  let total = 0;
  for (const row of rows()) {
    const weight = net(row);
    row.querySelector("[data-net]").textContent = words(weight);
    row.classList.toggle("is-filled", weight > 0);
    total += weight;
  }
  if (!form.querySelector("[data-row]")) total = net(form);
  form.querySelector("[data-total]").textContent = words(total);
  /* thousandths of a yuan per jin, times hundredths of a jin */
  const price = /^(0|[1-9]\d{0,6})(?:\.(\d{1,3}))?$/.exec(form.querySelector("[data-price]").value.trim());
  const fen = price ? Math.floor(((Number(price[1]) * 1000 + Number((price[2] ?? "").padEnd(3, "0"))) * total + 500) / 1000) : 0;
  form.querySelector("[data-pay]").textContent = `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, "0")}`;
}

/* ---- rows ---- */

function moreRows(count) {
  const list = form.querySelector("[data-rows]");
  const last = rows().at(-1);
  let first = null;
  for (let more = 0; more < count && rows().length < Number(list.dataset.most); more++) {
    const copy = last.cloneNode(true);
    const number = rows().length;
    copy.querySelectorAll(".field-error, .weigh-found").forEach((one) => one.remove());
    copy.querySelector(".weigh-number").textContent = number + 1;
    for (const input of copy.querySelectorAll("input")) {
      input.name = input.id = input.name.replace(/-\d+-/, `-${number}-`);
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+/, number + 1));
      input.value = "";
      for (const name of ["aria-invalid", "aria-describedby", "aria-expanded", "aria-activedescendant", "aria-controls"]) input.removeAttribute(name);
    }
    copy.querySelector("[data-net]").textContent = "0";
    copy.classList.remove("is-filled");
    list.append(copy);
    first ??= copy;
  }
  return first;
}

/* To the next line: to its weight where the name stands already. */
function goOn(row) {
  const all = rows();
  const next = all[all.indexOf(row) + 1] ?? moreRows(1);
  if (!next) return;
  const who = next.querySelector("[data-member]");
  (who.value ? next.querySelector("[data-gross]") : who).focus();
}

/* The same basket again: the tare of the line above, visible and to be changed. */
function sameBasket(row) {
  const tare = row.querySelector("[data-tare]");
  const before = rows()[rows().indexOf(row) - 1]?.querySelector("[data-tare]").value;
  if (!tare.value && before) tare.value = before;
}

/* ---- who ---- */

const people = [...document.querySelectorAll("#members option")].map((option) => ({
  label: option.value, village: option.textContent, sounds: option.dataset.sounds.split(" "),
  text: option.value.toLowerCase(),
}));

function fitting(typed) {
  const text = typed.trim().toLowerCase();
  const letters = text.replace(/[\s']/g, "");
  if (!letters) return [];
  const surest = people.filter((one) => one.text.split(" ").includes(text) || one.sounds.includes(letters));
  const likely = people.filter((one) => one.text.includes(text) || one.sounds.some((sound) => sound.startsWith(letters)));
  return [...new Set([...surest, ...likely])].slice(0, 6);
}

function suggest(input) {
  close(input);
  const found = fitting(input.value);
  if (!found.length || (found.length === 1 && found[0].label === input.value)) return;
  const list = document.createElement("ul");
  list.className = "weigh-found";
  list.id = input.id + "-found";
  list.setAttribute("role", "listbox");
  found.forEach((one, at) => {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    item.id = `${list.id}-${at}`;
    item.dataset.label = one.label;
    item.append(one.label, Object.assign(document.createElement("small"), { textContent: one.village }));
    item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(input, one.label); });
    list.append(item);
  });
  input.parentElement.append(list);
  input.setAttribute("aria-expanded", "true");
  input.setAttribute("aria-controls", list.id);
  select(input, 0);
}

function items(input) {
  return [...input.parentElement.querySelectorAll(".weigh-found li")];
}

function select(input, at) {
  items(input).forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
  input.setAttribute("aria-activedescendant", items(input)[at].id);
}

function close(input) {
  input.parentElement.querySelector(".weigh-found")?.remove();
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
  input.removeAttribute("aria-controls");
}

function take(input, label) {
  input.value = label;
  close(input);
  keep(false);
  input.closest("[data-row]").querySelector("[data-gross]").focus();
}

/* ---- the draft: on this phone, under this person and these goods ---- */

const key = form && KEY + form.dataset.draft;

function fields() {
  return [...form.elements].filter((one) => one.name && one.type !== "file" && one.type !== "submit" && one.name !== "csrf_token");
}

/* The token goes along: what was sent before the line broke is not booked a second time. */
function keep(sent) {
  try {
    localStorage.setItem(key, JSON.stringify({ ...Object.fromEntries(fields().map((one) => [one.name, one.value])), ...(sent && { [SENT]: true }) }));
    say(form.querySelector("[data-draft-line]").dataset.kept);
  } catch { /* a phone that keeps nothing */ }
}

function say(sentence) {
  form.querySelector("[data-draft-line]").textContent = sentence;
}

function restore() {
  const before = kept(key);
  if (form.hasAttribute("data-sent-back")) keep(false);
  if (!before || form.hasAttribute("data-sent-back")) return;
  const numbers = Object.keys(before).map((name) => Number(/^contributions-(\d+)-/.exec(name)?.[1] ?? -1));
  const missing = Math.max(-1, ...numbers) + 1 - rows().length;
  if (rows().length && missing > 0) moreRows(missing);
  for (const one of fields()) if (one.name in before && one.name !== "product_id" && one.name !== "next") one.value = before[one.name];
  say(form.querySelector("[data-draft-line]").dataset.restored);
  const drop = form.querySelector("[data-draft-drop]");
  drop.hidden = false;
  drop.querySelector("button").addEventListener("click", () => { forget(key); location.reload(); });
}

if (form) {
  for (const input of form.querySelectorAll("[data-member]")) {
    input.removeAttribute("list");  /* the phone's own list knows no pinyin */
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
  }
  restore();
  add();
  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-member]")) suggest(event.target);
    if (event.target.matches("[data-gross]") && event.target.closest("[data-row]")) sameBasket(event.target.closest("[data-row]"));
    add();
    keep(false);
  });
  form.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-member]")) close(event.target);
  });
  form.addEventListener("keydown", (event) => {
    const input = event.target;
    const row = input.closest("[data-row]");
    if (event.isComposing || !row) return;
    const list = items(input);
    const at = list.findIndex((item) => item.getAttribute("aria-selected") === "true");
    if (event.key === "Enter") {
      event.preventDefault();
      if (list.length) take(input, list[at].dataset.label);
      else if (input.matches("[data-member]")) row.querySelector("[data-gross]").focus();
      else goOn(row);
    } else if (list.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      select(input, (at + (event.key === "ArrowDown" ? 1 : list.length - 1)) % list.length);
    } else if (event.key === "Escape" && list.length) close(input);
  });
  form.addEventListener("submit", () => keep(true));
  form.querySelector("[data-more]")?.addEventListener("click", (event) => {
    event.preventDefault();
    moreRows(5)?.querySelector("[data-member]").focus();
  });
}
