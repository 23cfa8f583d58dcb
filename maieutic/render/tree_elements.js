"use strict";

// Elements that all parts of the tree view are made of. Texts enter the page as text nodes only, so that
// what a model wrote stays text.

const treeElements = (() => {
  const MARK = { true: ["✓", "true"], false: ["✗", "false"], undefined: ["?", "open"] };

  /** An element with text or elements in it; null, undefined and "" are left out. */
  function make(tag, className, ...content) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content.filter((part) => part || part === 0));
    return element;
  }

  function button(className, label, onClick) {
    const element = make("button", className, label);
    element.type = "button";
    element.addEventListener("click", onClick);
    return element;
  }

  /** A text of the user or of a model, in its own direction of writing. */
  function prose(tag, className, text) {
    const element = make(tag, className, text);
    element.dir = "auto";
    return element;
  }

  /** A picture of what the text beside it says, hidden from screen readers; `sizes` are style properties. */
  function picture(tag, className, sizes = {}, ...content) {
    const element = make(tag, className, ...content);
    for (const [name, value] of Object.entries(sizes)) element.style.setProperty(name, value);
    element.setAttribute("aria-hidden", "true");
    return element;
  }

  /** The word or phrase with the meaning of a term as its tooltip; the list below a tree has it too. */
  function term(name, phrase = name, className = "") {
    const element = make("span", `term ${className}`.trim(), phrase);
    if (Object.hasOwn(termTexts, name)) element.title = termTexts[name];
    return element;
  }

  /** The label: a filled or a hollow sign, and the word. */
  function mark(label) {
    const [sign, word] = MARK[label];
    return make("span", `mark ${word}`, picture("span", "sign", {}, sign), ` ${word}`);
  }

  const word = (label) => MARK[label][1];
  const number = (value) => (value === null || value === undefined ? "unknown" : value.toFixed(2));
  const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

  return { button, count, make, mark, number, picture, prose, term, word };
})();
