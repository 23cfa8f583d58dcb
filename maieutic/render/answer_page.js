"use strict";

// The page of `maieutic ask --html`. The first answer is open; the others open on demand.

(() => {
  const { make, mark, number, prose } = treeElements;
  const views = JSON.parse(document.getElementById("answers").textContent);
  const main = document.querySelector("main");

  function folded(view, open) {
    const short = make("span", "short", `margin ${number(view.margin)} ${view.unit}`);
    const title = make("summary", "", mark(view.answer), prose("h2", "statement", view.statement), short);
    const details = make("details", "folded", title);
    details.build = () => {
      if (details.childElementCount === 1) details.append(treeView.answerView(view, 0));
    };
    details.addEventListener("toggle", () => details.open && details.build());
    details.open = open;
    return details;
  }

  if (views.length === 1) {
    main.append(treeView.answerView(views[0]));
    return;
  }
  const held = views.filter((view) => view.answer).length;
  const title = make("h1", "", `${views.length} answers: ${held} true, ${views.length - held} false`);
  const all = views.map((view, index) => folded(view, index === 0));
  main.append(title, ...all);
  addEventListener("beforeprint", () => {
    for (const details of all) {
      details.build();
      details.open = true;
    }
  });
})();
