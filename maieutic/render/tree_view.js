"use strict";

// Draws an answer: treeView.answerView(view) makes an element to append anywhere, from the plain data of
// maieutic/render/view.py.

const treeView = (() => {
  const { button, count, make, mark, number, prose, term } = treeElements;
  const { nameOf, partners, phrase, read } = treeData;
  const { panel } = treePanel;
  const { card } = treeCard;
  const SEEN = 0.005; // what two decimals show

  function marginMeaning(view) {
    const opposite = view.answer ? "false" : "true";
    if (view.margin === 0) return `${view.unit}: a coin toss; a tie is answered true`;
    if (view.unit === "nats") return `nats: extra cost of the best labelling in which Q is ${opposite}`;
    if (view.unit === "votes") return "votes: majority among the explanations labelled true";
    if (view.unit === "strength") return "strength: distance of Q's strength from 0.5";
    return "probability: difference between the beliefs in Q and in its negation";
  }

  function branch(node, data, state) {
    const item = make("li", "node", card(node, data, state));
    if (!node.children.length) return item;
    const children = make("ul", "", ...node.children.map((child) => branch(child, data, state)));
    const fold = button("fold", "", () => folding(children.hidden));
    const folding = (open) => {
      children.hidden = !open;
      fold.setAttribute("aria-expanded", String(open));
      fold.textContent = `${open ? "▾" : "▸"} ${count(node.children.length, "reason")}`;
    };
    folding(true);
    const drawn = state.cards.get(node);
    drawn.folding = folding;
    drawn.tag.before(fold);
    item.append(children);
    return item;
  }

  // Arrow keys move between nodes and fold and unfold, as in a file manager; Escape deselects a node.
  function keys(event, tree, state) {
    if (event.key === "Escape" && state.picked) state.pick(null);
    const ids = [...tree.querySelectorAll("button.id")].filter((id) => !id.closest("[hidden]"));
    const here = ids.indexOf(event.target);
    if (here < 0) return;
    const { folding } = [...state.cards.values()].find(({ id }) => id === event.target);
    if (event.key === "ArrowDown") ids[here + 1]?.focus();
    else if (event.key === "ArrowUp") ids[here - 1]?.focus();
    else if (event.key === "ArrowLeft") folding?.(false);
    else if (event.key === "ArrowRight") folding?.(true);
    else return;
    event.preventDefault();
  }

  // Marks the node under the pointer, else the picked one, and shows which nodes agree or disagree with it.
  function paint(state) {
    const node = state.pointed ?? state.picked;
    const weightsOf = node ? partners(node) : new Map();
    for (const [other, { element, id, tag }] of state.cards) {
      const { agrees = 0, disagrees = 0 } = weightsOf.get(other) ?? {};
      const shown = Object.entries({ agrees, disagrees }).filter(([, weight]) => weight >= SEEN);
      tag.textContent = shown.map(([name, weight]) => `${name} ${number(weight)}`).join(", ");
      element.classList.toggle("apart", Boolean(node) && other !== node && !weightsOf.has(other));
      element.classList.toggle("picked", other === state.picked);
      id.setAttribute("aria-pressed", String(other === state.picked));
    }
  }

  /** The state of the page: the node that is picked, the node under the pointer; `cards` are the nodes' elements. */
  function interaction() {
    const state = { cards: new Map(), picked: null, pointed: null, all: false, onlyBroken: false };
    state.point = (node) => {
      state.pointed = state.cards.has(node) ? node : null;
      paint(state);
    };
    state.pick = (node) => {
      state.picked = node === state.picked ? null : node;
      state.show(false);
      state.cards.get(state.picked)?.element.scrollIntoView({ block: "nearest" });
    };
    state.show = (all) => {
      state.all = all;
      state.pointed = null; // the panel is redrawn, so that no pointerleave will come
      state.draw();
      paint(state);
    };
    return state;
  }

  function decision(view) {
    const parts = [];
    if (view.p !== undefined) {
      const p = make("strong", "", term("P(true)"), ` ${number(view.p)}`);
      const unsure = view.unsure && !view.warnings ? ": unsure, below the threshold" : "";
      parts.push(make("p", "margin", p, `, marginalised over all labellings${unsure}`));
    }
    if (view.margin === undefined) return parts;
    const margin = make("strong", "", term("margin"), ` ${number(view.margin)}`);
    const [unit, ...meaning] = marginMeaning(view).split(/(?=[:])/);
    parts.push(make("p", "margin", margin, " ", term(unit), meaning.join("")));
    return parts;
  }

  function flip(data) {
    const removed = data.flip.map((c) => `${phrase(c, nameOf).join("")} (${number(c.weight)})`);
    const other = data.view.answer ? "false" : "true";
    const without = removed.length ? ` without: ${removed.join("; ")}` : " already";
    return prose("p", "flip", `What would change its mind: ${other} is at least as good${without}`);
  }

  function top(data, level) {
    const view = data.whatIf.shown;
    const parts = [];
    if (view.question) parts.push(prose("p", "question", view.question));
    if (level) parts.push(make(`h${level}`, "verdict", mark(view.answer), prose("span", "statement", view.statement)));
    for (const warning of view.warnings ?? []) parts.push(make("p", "warning", warning));
    for (const line of view.memory ?? []) parts.push(make("p", "", line));
    parts.push(...decision(view));
    if (view.flip) parts.push(flip(data));
    const line = make("p", "counts", count(view.nodes.length, "proposition"));
    if (data.constraints.length) {
      const flipped = data.nodes.filter((node) => node.overruled).length;
      const broken = data.constraints.filter((c) => c.broken).length;
      line.append(` · ${flipped} `, term("flipped"), ` · ${data.constraints.length.toLocaleString("en")} `);
      line.append(term("constraint", data.constraints.length === 1 ? "constraint" : "constraints"));
      line.append(` · ${broken} `, term("overruled"));
    }
    if (view.gold !== undefined) {
      const right = view.gold === view.answer ? "right" : "wrong";
      line.append(" · ", make("span", right, `gold answer ${view.gold}: ${right}`));
    }
    return make("header", "", ...parts, line);
  }

  /** A chain of thought about Q, and the belief after it. */
  function thought(chain) {
    const after = make("span", "facts", ` P(true) of Q after it ${number(chain.p)}`);
    return make("p", "chain", "A chain of thought: ", prose("span", "", chain.text), after);
  }

  function assumed(data, state) {
    const nodes = data.nodes.filter((node) => node.assumed);
    if (!nodes.length) return null;
    const clashes = data.clashes.map((c) => {
      const words = phrase(c, nameOf).join("");
      return make("p", "warning", `the assumptions conflict: according to the verifier ${words}`);
    });
    const cards = nodes.map((node) => make("li", "", card(node, data, state)));
    return make("section", "assumed", make("p", "title", "Assumed"), make("ul", "flat", ...cards), ...clashes);
  }

  /** What a memory brought: propositions of earlier questions. */
  function recalled(data, state) {
    const nodes = data.nodes.filter((node) => node.recalled);
    if (!nodes.length) return null;
    const cards = nodes.map((node) => make("li", "", card(node, data, state)));
    return make("section", "assumed", make("p", "title", "Remembered"), make("ul", "flat", ...cards));
  }

  function pruned(data, state) {
    const nodes = data.nodes.filter((node) => !node.kept);
    if (!nodes.length) return null;
    const title = make("summary", "", `${count(nodes.length, "proposition")} pruned: not on a path to an integral one`);
    return make("details", "aside", title, make("ul", "flat", ...nodes.map((node) => make("li", "", card(node, data, state)))));
  }

  function discarded({ discarded: texts }) {
    if (!texts.length) return null;
    const counts = new Map();
    const rows = texts.map(([parent, kind, side, text, reason]) => {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      const where = side === null ? `${kind} of ${parent}` : `${parent}, ${side ? "True" : "False"} because`;
      return make("tr", "", make("td", "", reason), make("td", "", where), prose("td", "statement", text));
    });
    const reasons = [...counts].sort((one, other) => other[1] - one[1]).map(([reason, n]) => `${n} ${reason}`);
    const title = make("summary", "", `${count(texts.length, "text")} discarded: ${reasons.join(", ")}`);
    const head = make("tr", "", ...["reason", "for", "text"].map((name) => make("th", "", name)));
    const table = make("table", "", make("thead", "", head), make("tbody", "", ...rows));
    return make("details", "aside", title, make("div", "scroll", table));
  }

  function facts({ whatIf: { shown: view } }) {
    const [lm, verifier, solver] = view.models;
    const [elicit, relate, solve] = view.seconds.map(number);
    const bound = view.optimal ? "proved minimal" : `no labelling costs less than ${number(view.bound)}`;
    const rows = {
      "grown by": lm || "elsewhere",
      growth: view.growth,
      "related by": verifier || "no verifier",
      "solved by": `${solver || "no solver"} (${view.inference} inference)`,
      cost: solver && `${number(view.cost)}, the weight of the overruled constraints; ${bound}`,
      time: `elicit ${elicit} s, relate ${relate} s, solve ${solve} s`,
    };
    const shown = Object.entries(rows).filter(([, text]) => text);
    const parts = shown.flatMap(([name, text]) => [make("dt", "", term(name)), make("dd", "", text)]);
    return make("dl", "facts", ...parts);
  }

  /** What the terms mean, for readers without a pointer that shows tooltips. */
  function glossary() {
    const rows = Object.entries(termTexts).flatMap(([name, text]) => [make("dt", "", name), make("dd", "", text)]);
    return make("details", "glossary", make("summary", "", "What the words mean"), make("dl", "", ...rows));
  }

  /**
   * One answer: the decision, the tree, the constraints on each node, discarded texts and the models.
   * `level` is that of its heading, 1 to 6; with 0 the caller makes the heading.
   */
  function answerView(view, level = 1) {
    const data = read(view);
    const state = interaction();
    data.whatIf = whatIf.start(data);
    const bar = whatIf.bar(data, state);
    const tree = make("ul", "tree", branch(data.root, data, state));
    tree.addEventListener("keydown", (event) => keys(event, tree, state));
    const chain = view.chain && thought(view.chain);
    const empty = view.kind === "empty" && "empty tree: the model is consistent on no proposition";
    const left = make("div", "left", assumed(data, state), recalled(data, state), chain, tree, empty && make("p", "warning", empty));
    left.append(...[pruned(data, state), discarded(view)].filter(Boolean));
    const article = make("article", "answer", top(data, level), bar.element);
    article.append(make("div", "columns", left, panel(data, state)), facts(data), glossary());
    state.redraw = () => {
      article.classList.toggle("held", data.whatIf.held.size > 0);
      article.querySelector(":scope > header").replaceWith(top(data, level));
      article.querySelector(":scope > .facts").replaceWith(facts(data));
      bar.draw();
      for (const { draw } of state.cards.values()) draw();
      state.draw();
    };
    return article;
  }

  return { answerView, mark };
})();
