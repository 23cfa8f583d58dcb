"use strict";

// The card of one proposition: its label, its text, the model's beliefs, and the button that holds it.

const treeCard = (() => {
  const { button, make, mark, number, picture, prose, term, word } = treeElements;
  const { flippedNote } = treePanel;

  function scale([p, pNegation]) {
    const element = picture("span", "scale");
    element.title = "P(true) of the statement (filled) and of its negation (hollow), from 0 to 1";
    if (p !== null && pNegation !== null) {
      const ends = { "--from": Math.min(p, pNegation), "--to": Math.max(p, pNegation) };
      element.append(picture("span", "between", ends));
    }
    if (p !== null) element.append(picture("span", "dot", { "--at": p }));
    if (pNegation !== null) element.append(picture("span", "dot hollow", { "--at": pNegation }));
    return element;
  }

  function beliefs(node) {
    if (node.assumed) return make("p", "beliefs", "assumed");
    if (node.recalled) return make("p", "beliefs", `remembered; after reasoning ${number(node.weighed ?? null)}`);
    const [p, pNegation] = node.p.map(number);
    const kind = node.integral ? "integral" : "wavers";
    const inTree = node.weighed === undefined ? "" : `; after reasoning ${number(node.weighed)}`;
    const inferred = node.strength === undefined ? inTree : `; strength ${number(node.strength)}`;
    const more = `${node.pruned ? ", pruned" : ""}${node.same ? `, the same as ${node.same}` : ""}`;
    const numbers = [term("the model believes"), ` ${p}, its negation ${pNegation}, `, term(kind, kind, kind), more, inferred];
    return make("p", "beliefs", scale(node.p), make("span", "", ...numbers));
  }

  /** The card; that of a node that takes part is drawn again by `draw` in `state.cards`. */
  function card(node, data, state) {
    const id = node.kept ? button("id", node.id, () => state.pick(node)) : make("span", "id", node.id);
    const side = node.side === undefined ? "" : `${node.side ? "True" : "False"}, because`;
    const tag = make("span", "tag");
    const hold = whatIf.holder(node, data, state);
    const sign = make("span", "label");
    const head = make("p", "head", sign, id, side && make("span", "side", side), hold?.element, tag);
    const drawn = make("div", "drawn");
    const element = make("div", "card", head, prose("p", "statement", node.text), drawn);
    const draw = () => {
      for (const name of ["true", "false", "open"]) element.classList.remove(name);
      element.classList.add(node.kept ? word(node.label) : "open");
      if (node.kept) sign.replaceChildren(mark(node.label));
      drawn.replaceChildren(...[beliefs(node), node.overruled && flippedNote(node)].filter(Boolean));
      hold?.draw();
    };
    draw();
    if (!node.kept) return element;
    state.cards.set(node, { element, id, tag, draw });
    element.addEventListener("click", (event) => {
      if (!event.target.closest("button") && getSelection().isCollapsed) state.pick(node);
    });
    element.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && state.point(node));
    element.addEventListener("pointerleave", () => state.point(null));
    return element;
  }

  return { card };
})();
