-- SPDX-License-Identifier: MIT
-- The script of the index: it finds cases by words. All else works without it. (Neither & nor < may
-- stand in it: pages are XML, too.)
return [[
"use strict";
{
  const input = document.getElementById("words");
  const told = document.getElementById("told");
  const files = Array.from(document.querySelectorAll(".file"));
  const rows = Array.from(document.querySelectorAll(".file li"));
  const number = count => count.toLocaleString("en");
  let texts;
  const text = row => (row.closest(".file").firstChild.textContent + " " + row.textContent)
    .toLowerCase();
  const find = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(word => word);
    const show = document.querySelector("fieldset input:checked").value;
    const shown = new Set();
    let count = 0;
    texts = texts ?? (words.length ? rows.map(text) : undefined);
    rows.forEach((row, at) => {
      row.hidden = !words.every(word => texts[at].includes(word));
      if (row.hidden ? false : show === "all" || row.classList.contains(show)) {
        count += 1;
        shown.add(row.closest(".file"));
      }
    });
    files.forEach(file => { file.hidden = !shown.has(file); });
    told.textContent = words.length || show !== "all"
      ? number(count) + " of " + number(rows.length) + " are shown" : "";
  };
  document.getElementById("search").hidden = false;
  input.addEventListener("input", find);
  document.querySelector("fieldset").addEventListener("change", find);
  addEventListener("pageshow", find);
}
]]
