"use strict";

// The panel beside a tree: what bears on one proposition, the heaviest first, or all that was weighed.

const treePanel = (() => {
  const { button, count, make, number, picture, prose, word } = treeElements;
  const { bearing, nameOf, phrase, sum, textOf } = treeData;
  const LISTED = 8; // as many as the terminal shows

  function chip(form, state) {
    const element = button("chip", nameOf(form), () => state.pick(form.node));
    element.title = textOf(form);
    element.addEventListener("pointerenter", () => state.point(form.node));
    element.addEventListener("pointerleave", () => state.point(null));
    return element;
  }

  function row(c, heaviest, state) {
    const share = heaviest > 0 ? c.weight / heaviest : 0;
    const said = make("span", "phrase", ...phrase(c, (form) => chip(form, state)));
    const p = make("span", "p", c.p === undefined ? "" : `P ${number(c.p)}`);
    if (c.p !== undefined) p.title = "the verifier's probability";
    if (c.broken && state.all) said.append(make("em", "", " overruled"));
    const bar = picture("span", "bar", { "--share": share });
    return make("li", c.broken ? "broken" : "", make("span", "weight", number(c.weight)), bar, said, p);
  }

  function list(title, constraints, heaviest, state, listed = LISTED) {
    if (!constraints.length) return null;
    const rows = make("ul", "reasons", ...constraints.slice(0, listed).map((c) => row(c, heaviest, state)));
    const section = make("section", "", title && make("p", "title", title), rows);
    const rest = constraints.slice(listed);
    if (rest.length) {
      const more = button("more", `… and ${count(rest.length, "weaker one")}`, () => {
        rows.append(...rest.map((c) => row(c, heaviest, state)));
        more.remove();
      });
      section.append(more);
    }
    return section;
  }

  function balance(found) {
    const [speaking, against] = [sum(found.for), sum(found.overruled)];
    if (speaking + against === 0) return null;
    const sizes = { "--for": speaking / (speaking + against) };
    const bar = picture("div", "balance", sizes, make("span", "for"), make("span", "against"));
    return make("div", "", bar, make("p", "weighed", `${number(speaking)} for it, ${number(against)} overruled`));
  }

  function ballots(data, state) {
    if (!data.votes.length) return null;
    const rows = data.votes.map(([form, vote]) => {
      const sign = vote > 0 ? "+" : vote < 0 ? "−" : "±";
      return make("li", "ballot", make("span", "weight", `${sign}${Math.abs(vote)}`), chip(form, state));
    });
    return make("section", "", make("p", "title", "Votes on Q by what was held true"), make("ul", "reasons", ...rows));
  }

  /** Why a label is not what the model believes: that belief against what outweighs it. */
  function flippedNote(node) {
    const speaking = bearing(node).for;
    const plain = (c) => `${phrase(c, nameOf).join("")} (${number(c.weight)})`;
    const against =
      speaking.length > 1
        ? `${speaking.length} constraints weigh ${number(sum(speaking))} against that, first ${plain(speaking[0])}`
        : speaking.map(plain)[0] ?? "no single constraint decides it";
    return make("p", "flipped", make("strong", "", "flipped"), ` ${plain(node.overruled)}, but ${against}`);
  }

  function one(data, state) {
    const node = state.picked ?? data.root;
    const found = bearing(node);
    const heaviest = Math.max(0, ...node.touching.map((c) => c.weight));
    const part = (title, constraints) => list(title, constraints, heaviest, state);
    const parts = [prose("p", "statement", node.text)];
    if (node.not) parts.push(prose("p", "negation", `¬${node.id}: ${node.not}`));
    parts.push(balance(found), node.overruled && flippedNote(node));
    parts.push(part("What speaks for it", found.for), part("What was overruled", found.overruled));
    if (found.either.length) {
      const title = make("summary", "", `Holds either way (${found.either.length})`);
      parts.push(make("details", "either", title, part("", found.either)));
    }
    if (node === data.root) parts.push(ballots(data, state));
    if (!node.touching.length && !data.votes.length) parts.push(make("p", "none", "No constraint touches it."));
    return parts;
  }

  function all(data, state) {
    const broken = data.constraints.filter((c) => c.broken);
    const choose = (label, onlyBroken) => {
      const element = button("choice", label, () => {
        state.onlyBroken = onlyBroken;
        state.draw();
      });
      element.setAttribute("aria-pressed", String(state.onlyBroken === onlyBroken));
      return element;
    };
    const chosen = state.onlyBroken ? broken : data.constraints;
    const choices = [choose(`all ${data.constraints.length}`, false), choose(`overruled ${broken.length}`, true)];
    return [
      make("p", "choices", ...choices),
      list("", chosen, chosen[0]?.weight, state, 3 * LISTED),
      make("p", "none", `${count(data.view.neutral, "pair was", "pairs were")} judged neutral and weigh nothing.`),
    ];
  }

  /** The panel; `state.draw()` brings it up to date. */
  function panel(data, state) {
    const whyOne = button("tab", "", () => state.show(false));
    const whyAll = button("tab", `all ${count(data.constraints.length, "constraint")}`, () => state.show(true));
    const close = button("close", "×", () => state.pick(null));
    close.setAttribute("aria-label", "let go of the proposition");
    const body = make("div", "body");
    const element = make("aside", "panel", make("p", "tabs", whyOne, whyAll, close), body);
    element.setAttribute("aria-label", "reasons and their weights");
    state.draw = () => {
      const { id, label } = state.picked ?? data.root;
      whyOne.textContent = `why ${id} is ${word(label)}`;
      whyOne.setAttribute("aria-pressed", String(!state.all));
      whyAll.setAttribute("aria-pressed", String(state.all));
      close.hidden = !state.picked;
      element.classList.toggle("opened", Boolean(state.picked));
      body.replaceChildren(...(state.all ? all(data, state) : one(data, state)).filter(Boolean));
      element.scrollTop = 0;
    };
    state.draw();
    return element;
  }

  return { flippedNote, panel };
})();
