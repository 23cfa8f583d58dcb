"use strict";

// The panel beside a tree: the constraints on one proposition, the heaviest first, or all constraints.

const treePanel = (() => {
  const { button, count, make, number, picture, prose, term, word } = treeElements;
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
    const words = make("span", "phrase", ...phrase(c, (form) => chip(form, state)));
    words.title = termTexts[c.kind] ?? termTexts.constraint ?? "";
    const p = make("span", "p", c.p === undefined ? "" : `P ${number(c.p)}`);
    if (c.p !== undefined) p.title = "the verifier's probability";
    if (c.broken && state.all) words.append(" ", make("em", "", term("overruled")));
    const bar = picture("span", "bar", { "--share": share });
    return make("li", c.broken ? "broken" : "", make("span", "weight", number(c.weight)), bar, words, p);
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

  function balance(groups) {
    const [support, against] = [sum(groups.for), sum(groups.overruled)];
    if (support + against === 0) return null;
    const sizes = { "--for": support / (support + against) };
    const bar = picture("div", "balance", sizes, make("span", "for"), make("span", "against"));
    return make("div", "", bar, make("p", "weighed", `${number(support)} for it, ${number(against)} overruled`));
  }

  function ballots(data, state) {
    if (!data.votes.length) return null;
    const rows = data.votes.map(([form, vote]) => {
      const sign = vote > 0 ? "+" : vote < 0 ? "−" : "±";
      return make("li", "ballot", make("span", "weight", `${sign}${Math.abs(vote)}`), chip(form, state));
    });
    return make("section", "", make("p", "title", "Votes on Q by the explanations labelled true"), make("ul", "reasons", ...rows));
  }

  /** The explanations of a proposition as arguments, the strongest first; null where inference gives no strengths. */
  function debate(node, state) {
    if (node.strength === undefined) return null;
    if (!node.children.length) return make("p", "none", "No arguments: its strength is the model's belief.");
    const children = [...node.children].sort((one, other) => other.strength - one.strength);
    const rows = children.map((child) => {
      const words = [chip({ node: child, positive: true }, state), ` ${child.side ? "supports" : "attacks"} ${node.id}`];
      return make("li", "ballot", make("span", "weight", number(child.strength)), make("span", "phrase", ...words));
    });
    const title = make("p", "title", `Arguments about ${node.id}, by strength`);
    return make("section", "", title, make("ul", "reasons", ...rows));
  }

  /** Why a label is not what the model believes: that belief, and the constraints that outweigh it. */
  function flippedNote(node) {
    const opposing = bearing(node).for;
    const plain = (c) => `${phrase(c, nameOf).join("")} (${number(c.weight)})`;
    if (node.held === node.label) return make("p", "flipped", `held ${word(node.label)}, though ${plain(node.overruled)}`);
    const against =
      opposing.length > 1
        ? `${opposing.length} constraints weigh ${number(sum(opposing))} against that, first ${plain(opposing[0])}`
        : opposing.map(plain)[0] ?? "no single constraint decides it";
    return make("p", "flipped", make("strong", "", term("flipped")), ` ${plain(node.overruled)}, but ${against}`);
  }

  function one(data, state) {
    const node = state.picked ?? data.root;
    const groups = bearing(node);
    const heaviest = Math.max(0, ...node.touching.map((c) => c.weight));
    const part = (title, constraints) => list(title, constraints, heaviest, state);
    const parts = [prose("p", "statement", node.text)];
    if (node.not) parts.push(prose("p", "negation", `¬${node.id}: ${node.not}`));
    parts.push(balance(groups), node.overruled && flippedNote(node));
    parts.push(part("What speaks for it", groups.for), part(term("overruled", "What was overruled"), groups.overruled));
    if (groups.either.length) {
      const title = make("summary", "", `Holds either way (${groups.either.length})`);
      parts.push(make("details", "either", title, part("", groups.either)));
    }
    if (node === data.root) parts.push(ballots(data, state));
    const none = node.touching.length || data.votes.length ? null : make("p", "none", "It has no constraints.");
    parts.push(debate(node, state) ?? none);
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
      make("p", "none", `${count(data.view.neutral, "pair is", "pairs are")} `, term("neutral"), " and without weight."),
    ];
  }

  /** The panel; `state.draw()` brings it up to date. */
  function panel(data, state) {
    const whyOne = button("tab", "", () => state.show(false));
    const whyAll = button("tab", `all ${count(data.constraints.length, "constraint")}`, () => state.show(true));
    const close = button("close", "×", () => state.pick(null));
    close.setAttribute("aria-label", "deselect the proposition");
    whyAll.hidden = !data.constraints.length;
    const body = make("div", "body");
    const element = make("aside", "panel", make("p", "tabs", whyOne, whyAll, close), body);
    element.setAttribute("aria-label", "reasons and their weights");
    state.draw = () => {
      const { id, label, held } = state.picked ?? data.root;
      whyOne.textContent = held === label ? `${id} is held ${word(label)}` : `why ${id} is ${word(label)}`;
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
