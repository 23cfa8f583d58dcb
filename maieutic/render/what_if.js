"use strict";

// What if: the reader holds propositions true or false, and the page infers anew, with the constraints and
// weights of the answer.

const whatIf = (() => {
  const { button, make, number, term } = treeElements;
  const { relabel } = treeData;
  const { energy, infer } = labellings;

  const wordOf = (value) => (value ? "true" : "false");
  const sayHeld = ([node, value]) => `${node.id} held ${wordOf(value)}`;

  /** The state: `held` maps nodes to labels; `shown` is the view with what follows; `conflict` says why nothing does. */
  function start(data) {
    const kept = data.nodes.filter((node) => node.kept);
    const asked = { labels: kept.map((node) => node.label), weighed: kept.map((node) => node.weighed) };
    return { held: new Map(), shown: data.view, conflict: "", asked };
  }

  /** Hold nodes: pairs of a node and true, false, or undefined for free. */
  function hold(pairs, data) {
    const { held } = data.whatIf;
    for (const [node, label] of pairs) {
      if (label === undefined) held.delete(node);
      else held.set(node, label);
      node.held = label;
    }
    conclude(data);
  }

  /** What a click makes of held: free becomes true, true false, false free. */
  const next = (label) => (label === undefined ? true : label ? false : undefined);

  function conclude(data) {
    const { view, whatIf: now } = data;
    const { fixed, conflict } = fixing(view.whatif, now.held);
    now.conflict = conflict;
    if (!now.held.size || conflict) {
      now.shown = view;
      relabel(data, now.asked.labels, now.asked.weighed);
      return;
    }
    const { variables } = view.whatif;
    const value = (values, literal, negated) => (literal > 0 ? values[literal - 1] : negated(values[-literal - 1]));
    now.form ??= energyOf(data);
    const present = askedLabels(variables, now);
    const found = infer(now.form, fixed, variables[0] - 1, present); // Q is never negated
    const labels = variables.map((literal) => value(found.labels, literal, (label) => !label));
    const p = variables.map((literal) => value(found.p, literal, (one) => 1 - one));
    const weighed = p.map((one, place) => (now.asked.weighed[place] === undefined ? undefined : one));
    relabel(data, labels, weighed);
    const margin = found.margin ?? undefined;
    const { flip, unsure, gold, ...rest } = view; // these are about the answer as asked
    now.shown = { ...rest, answer: found.answer, p: p[0], margin, cost: found.cost, bound: found.cost, optimal: true };
  }

  /** The labels of the variables in the answer as asked. */
  function askedLabels(variables, { asked }) {
    const labels = [];
    variables.forEach((literal, place) => (labels[Math.abs(literal) - 1] = asked.labels[place] === literal > 0));
    return labels;
  }

  function energyOf({ constraints, view: { whatif: { variables } } }) {
    const literal = ({ node, positive }) => (positive ? variables[node.place] : -variables[node.place]);
    const clauses = constraints.map((c) => [clause(c, literal), c.weight]);
    return energy(clauses, Math.max(...variables.map(Math.abs)));
  }

  function clause({ kind, source, target }, literal) {
    if (!target) return [literal(source)];
    return [-literal(source), kind === "contradiction" ? -literal(target) : literal(target)];
  }

  /** Variable → 0 or 1 for all that is held, or in words what contradicts what. */
  function fixing({ variables, held: certain }, held) {
    const fixed = new Map(certain.map((literal) => [Math.abs(literal) - 1, literal > 0 ? 1 : 0]));
    const holder = new Map();
    for (const [node, label] of held) {
      const literal = variables[node.place];
      const [variable, value] = [Math.abs(literal) - 1, label === literal > 0 ? 1 : 0];
      if (fixed.has(variable) && fixed.get(variable) !== value) {
        const other = holder.get(variable);
        return { conflict: other ? mergedConflict(other, node, held, variables) : certainConflict(node, label) };
      }
      fixed.set(variable, value);
      if (!holder.has(variable)) holder.set(variable, node);
    }
    return { fixed, conflict: "" };
  }

  function mergedConflict(one, other, held, variables) {
    const both = [one, other].map((node) => sayHeld([node, held.get(node)])).join(" and ");
    const equal = variables[one.place] === variables[other.place];
    return `${both} contradict each other: ${other.id} is the same as ${equal ? "" : "¬"}${one.id}`;
  }

  function certainConflict(node, label) {
    return `${sayHeld([node, label])} contradicts what this answer takes for certain: ${node.id} is ${wordOf(!label)}`;
  }

  /** The line that says what is held and what follows; `draw` brings it up to date. */
  function bar(data, state) {
    const { view, whatIf: now } = data;
    if (view.whatif.reason) return { element: make("p", "whatif none", view.whatif.reason), draw: () => {} };
    const line = make("p", "");
    line.setAttribute("role", "status");
    const reset = button("reset", "reset", () => {
      hold([...now.held.keys()].map((node) => [node, undefined]), data);
      state.redraw();
      state.cards.get(data.root)?.id.focus({ preventScroll: true }); // the button is gone
    });
    const element = make("div", "whatif", line, reset);
    const draw = () => {
      reset.hidden = !now.held.size;
      line.replaceChildren(...words(data));
    };
    draw();
    return { element, draw };
  }

  function words({ view, whatIf: now }) {
    if (!now.held.size) {
      return [term("what if", "What if?"), " Hold a proposition true or false: all others are inferred anew."];
    }
    const held = [...now.held].map(sayHeld).join(", ");
    const start = [make("strong", "", term("what if", "what if:")), ` ${held}`];
    if (now.conflict) return [...start, make("span", "warning", ` — ${now.conflict}. Shown is the answer as asked.`)];
    const { answer, p } = now.shown;
    const result = `${view.answer === answer ? "still " : ""}${wordOf(answer)}, P(true) ${number(view.p)} → ${number(p)}`;
    return [...start, " — ", make("strong", "", result)];
  }

  /** The button that holds a node: true, then false, then free again; null where that is not offered. */
  function holder(node, data, state) {
    if (!node.kept || data.view.whatif.reason) return null;
    const element = button("hold", "", () => {
      hold([[node, next(node.held)]], data);
      state.redraw();
    });
    element.title = "What if? Click to hold it true, again to hold it false, again to set it free";
    const draw = () => {
      const label = node.held;
      element.textContent = label === undefined ? "hold" : `held ${wordOf(label)}`;
      element.setAttribute("aria-pressed", String(label !== undefined));
      element.setAttribute("aria-label", label === undefined ? `hold ${node.id}` : sayHeld([node, label]));
    };
    return { element, draw };
  }

  return { bar, hold, holder, start };
})();
