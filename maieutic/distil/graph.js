"use strict";

// The page of `maieutic distill criticise --html`: heads that match a search, each with its triples.

(() => {
  const { triples, heads, levels } = JSON.parse(document.getElementById("graph").textContent);
  const SHOWN = 200; // heads at once
  const main = document.querySelector("main");
  const count = (number) => number.toLocaleString("en");

  function make(tag, name, ...parts) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...parts);
    return element;
  }

  const search = make("input");
  search.type = "search";
  search.id = "search";
  const level = make("select");
  level.id = "level";
  for (const [name, threshold] of [...levels, ["all", 0]]) {
    const option = make("option", "", name === "all" ? "all triples" : `${name} recall: P(true) ≥ ${threshold.toFixed(3)}`);
    option.value = threshold;
    level.append(option);
  }
  level.selectedIndex = levels.length;
  const note = make("p", "note");
  const list = make("section", "heads");

  function row(number) {
    const [relation, tail, statement, p, conflicts] = triples[number];
    const said = make("td", "statement", statement);
    for (const other of conflicts) {
      said.append(make("div", "conflict", `conflicts with: ${triples[other][2]} (${triples[other][3].toFixed(2)})`));
    }
    const cells = [make("td", "", relation), make("td", "", tail), said, make("td", "p", p.toFixed(2))];
    return make("tr", p < 0.5 ? "rejected" : "", ...cells);
  }

  function table(numbers) {
    const names = ["relation", "tail", "statement", "P(true)"].map((name) => make("th", "", name));
    return make("table", "", make("thead", "", make("tr", "", ...names)), make("tbody", "", ...numbers.map(row)));
  }

  function folded([head, numbers], open) {
    const details = make("details", "", make("summary", "", `${head} (${count(numbers.length)})`));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(table(numbers));
    });
    details.open = open;
    return details;
  }

  function show() {
    const wanted = search.value.trim().toLowerCase();
    const least = Number(level.value);
    const found = heads
      .filter(([head]) => head.toLowerCase().includes(wanted))
      .map(([head, numbers]) => [head, numbers.filter((number) => triples[number][3] >= least)])
      .filter(([, numbers]) => numbers.length > 0);
    const size = found.reduce((sum, [, numbers]) => sum + numbers.length, 0);
    const more = found.length > SHOWN ? `; the first ${SHOWN} heads are listed, search for others` : "";
    note.textContent = `${count(size)} triples about ${count(found.length)} heads${more}`;
    list.replaceChildren(...found.slice(0, SHOWN).map((each) => folded(each, found.length === 1)));
  }

  search.addEventListener("input", show);
  level.addEventListener("change", show);
  main.append(
    make("h1", "", document.title),
    make("label", "", "Head ", search),
    make("label", "", "Kept ", level),
    note,
    list,
  );
  show();
})();
