/* Looks up by itself what became of a payment: sends the page's form once, after the time that it says. */
"use strict";

const form = document.querySelector("form[data-check-after]");
if (form) setTimeout(() => form.submit(), Number(form.dataset.checkAfter));
