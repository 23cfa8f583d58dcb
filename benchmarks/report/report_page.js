"use strict";

// The questions of `maieutic bench report`: search, filters, a list in pages, and details on demand.
// The data come from benchmarks/report/questions.py.

(() => {
  const { button, count, make, prose } = treeElements;
  const { answered, opened, whole, WORDS } = reportQuestion;
  const PAGE = 50; // questions listed at once
  const [TEXT, GOLD, RUN] = [20, 4, 6.25]; // least width of a column, in rem
  const WIDEST = 75; // largest width of all columns, in rem

  const data = JSON.parse(document.getElementById("questions").textContent);
  const { ids, texts, gold, pairs, runs } = data;
  const searched = texts.map((text, place) => `${text}\n${ids[place]}`.toLowerCase());
  for (const run of runs) run.turned = new Set(run.flipped);
  const hasTrees = runs.some((run) => run.flipped !== null);

  // -- parcels --

  let packed = null;
  const unpacked = new Map();

  async function unpack(parcel) {
    packed ??= JSON.parse(document.getElementById("parcels").textContent);
    const bytes = Uint8Array.from(atob(packed[parcel]), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  async function detailsOf(place) {
    const parcel = Math.floor(place / data.parcel);
    if (!unpacked.has(parcel)) unpacked.set(parcel, unpack(parcel));
    return (await unpacked.get(parcel))[place % data.parcel];
  }

  /** Index → the propositions of the trees, in lower case; null until first used. */
  let treeTexts = null;

  async function readTrees() {
    const found = [];
    for (const place of texts.keys()) {
      const views = (await detailsOf(place)).flatMap(({ view }) => view ?? []);
      const nodes = views.flatMap((view) => [...view.nodes, ...view.pruned]);
      found.push([...new Set(nodes.flatMap((node) => [node.text, node.not]))].join("\n").toLowerCase());
    }
    treeTexts = found;
  }

  // -- filters --

  const wanted = { text: "", trees: false, run: null, wrong: false, flipped: false, unscored: false, apart: false };

  const TESTS = {
    wrong: (run, place) => run.answers[place] !== "-" && run.answers[place] !== gold[place],
    flipped: (run, place) => run.turned.has(place),
    unscored: (run, place) => run.answers[place] === "-",
  };

  const disagree = (place) => ["T", "F"].every((answer) => runs.some((run) => run.answers[place] === answer));

  /** The indices of matching questions; all conditions on runs must hold for the same run. */
  function found() {
    const text = wanted.text.toLowerCase();
    const tests = Object.entries(TESTS).filter(([name]) => wanted[name]);
    const asked = wanted.run === null ? runs : [runs[wanted.run]];
    return [...texts.keys()].filter((place) => {
      const inTrees = wanted.trees && treeTexts?.[place].includes(text);
      if (text && !inTrees && !searched[place].includes(text)) return false;
      if (wanted.apart && !disagree(place)) return false;
      return asked.some((run) => tests.every(([, test]) => test(run, place)));
    });
  }

  // -- rows --

  /** The text with the search term marked. */
  function marked(text) {
    const element = prose("h3", "text", "");
    const lower = text.toLowerCase();
    const sought = wanted.text.toLowerCase();
    const start = sought && lower.length === text.length ? lower.indexOf(sought) : -1;
    if (start < 0) {
      element.append(text);
    } else {
      const end = start + sought.length;
      element.append(text.slice(0, start), make("mark", "", text.slice(start, end)), text.slice(end));
    }
    return element;
  }

  function saidBy(run, place) {
    const name = prose("span", "name", `${run.label}: `);
    const parts = [name, answered(run.answers[place], gold[place])];
    if (run.turned.has(place)) parts.push(" ", make("span", "turned", "flipped"));
    return make("span", "said", ...parts);
  }

  const built = new Map(); // place → its <details>, kept so that it stays open from page to page

  function row(place) {
    if (!built.has(place)) {
      const right = make("span", "said gold", make("span", "name", "gold: "), WORDS[gold[place]]);
      const said = [right, ...runs.map((run) => saidBy(run, place))].flatMap((one) => [" ", one]);
      const title = make("summary", "", make("span", "text"), ...said);
      const details = make("details", "row", title);
      details.addEventListener("toggle", () => details.open && build(details, place));
      built.set(place, details);
    }
    const details = built.get(place);
    details.querySelector("summary > .text").replaceWith(marked(texts[place]));
    return make("li", "", details);
  }

  async function build(details, place) {
    if (details.building) return;
    details.building = true;
    const question = { place, id: ids[place], pair: pairs?.[place], gold: gold[place] };
    try {
      details.append(opened(question, runs, await detailsOf(place)));
    } catch (error) {
      details.append(make("p", "warning", `This browser cannot unpack what the runs said (${error}).`));
    }
  }

  // -- the list and its pages --

  const list = make("ul", "rows");
  list.tabIndex = -1;
  const told = make("p", "told");
  told.setAttribute("role", "status");
  const where = make("span", "");
  const back = button("turn", "‹ earlier", () => turn(-1));
  const on = button("turn", "later ›", () => turn(1));
  const pager = make("p", "pager", back, where, on);
  let places = [];
  let page = 0;

  function turn(step) {
    page += step;
    drawPage();
    list.focus({ preventScroll: true });
    list.scrollIntoView({ block: "start" });
  }

  function drawPage() {
    const shown = places.slice(page * PAGE, (page + 1) * PAGE);
    list.replaceChildren(...shown.map(row));
    where.textContent = `${whole(page * PAGE + 1)} to ${whole(page * PAGE + shown.length)} of ${whole(places.length)}`;
    back.disabled = page === 0;
    on.disabled = (page + 1) * PAGE >= places.length;
    pager.hidden = places.length <= PAGE;
  }

  function draw() {
    places = found();
    page = 0;
    const all = places.length === texts.length;
    const of = count(texts.length, "question");
    told.textContent = all ? of : `${whole(places.length)} of ${of}`;
    clear.hidden = all;
    drawPage();
  }

  // -- controls --

  const search = make("input", "search");
  Object.assign(search, { type: "search", placeholder: "Search questions and ids", spellcheck: false });
  search.setAttribute("aria-label", "search questions and ids");
  search.addEventListener("input", () => {
    wanted.text = search.value.trim();
    draw();
  });

  const choose = make("select", "", new Option("any run", ""), ...runs.map((run, place) => new Option(run.label, place)));
  choose.setAttribute("aria-label", "run");
  choose.addEventListener("change", () => {
    wanted.run = choose.value === "" ? null : Number(choose.value);
    draw();
  });

  const boxes = [];

  function box(name, label) {
    const input = make("input");
    input.type = "checkbox";
    input.name = name;
    input.addEventListener("change", () => {
      wanted[name] = input.checked;
      draw();
    });
    boxes.push(input);
    return make("label", "", input, ` ${label}`);
  }

  /** Search the trees too; they are unpacked on first use. */
  function treesToo() {
    const input = make("input");
    input.type = "checkbox";
    input.name = "trees";
    input.addEventListener("change", async () => {
      wanted.trees = input.checked;
      if (input.checked && !treeTexts) {
        told.textContent = "reading the trees …";
        await readTrees().catch((error) => {
          input.disabled = true;
          input.checked = wanted.trees = false;
          input.parentElement.append(` (this browser cannot unpack them: ${error})`);
        });
      }
      draw();
    });
    boxes.push(input);
    return make("label", "deep", input, " search their trees too");
  }

  const clear = button("choice", "show all", () => {
    search.value = choose.value = "";
    for (const input of boxes) input.checked = false;
    Object.assign(wanted, { text: "", run: null, trees: false, wrong: false, flipped: false, unscored: false, apart: false });
    draw();
    search.focus();
  });

  function filters() {
    const several = runs.length > 1;
    const parts = [make("legend", "unseen", "Only questions that")];
    parts.push(several ? make("label", "", "Run ", choose) : "", box("wrong", "answered wrongly"));
    if (hasTrees) parts.push(box("flipped", "with a flipped belief"));
    parts.push(box("unscored", "unanswered"));
    if (several) parts.push(box("apart", "runs disagree"));
    return make("fieldset", "filters", ...parts);
  }

  // -- columns, where the window is wide enough for them --

  function legend() {
    const cells = runs.map((run) => prose("span", "said", run.label));
    const element = make("p", "legend", make("span", ""), make("span", "said", "gold"), ...cells);
    element.setAttribute("aria-hidden", "true"); // every row names its runs
    return element;
  }

  function key() {
    const turned = "; flipped: in its tree a label is not what the model believes";
    return make("p", "key", `≠ not the gold answer${runs.some((run) => run.flipped) ? turned : ""}`);
  }

  const line = make("div", "line", told, clear, key());
  const browser = make("div", "questions", make("div", "tools", search, hasTrees && treesToo(), filters()), line, legend(), list, pager);
  browser.style.setProperty("--runs", runs.length);
  const needed = TEXT + GOLD + RUN * runs.length;
  const wide = matchMedia(`(min-width: ${needed + 3}rem)`);
  const arrange = () => browser.classList.toggle("columned", wide.matches && needed <= WIDEST);
  wide.addEventListener("change", arrange);
  arrange();
  document.getElementById("browser").append(browser);
  draw();

  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll(".configuration, .more-numbers")) details.open = true;
  });
})();
