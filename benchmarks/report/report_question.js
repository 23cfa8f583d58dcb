"use strict";

// The details of one question: a table of the runs' answers and costs, and their trees.

const reportQuestion = (() => {
  const { button, make, picture, prose } = treeElements;
  const WORDS = { T: "true", F: "false", "-": "no answer" };

  /** A number, or the text of a number that JSON cannot represent. */
  const decimal = (value, digits) => (typeof value === "number" ? value.toFixed(digits) : value);
  const whole = (value) => value.toLocaleString("en");

  /** An answer in words; a wrong one is marked by a sign, by weight and for screen readers. */
  function answered(answer, gold) {
    if (answer === "-") return make("span", "silent", WORDS["-"]);
    if (answer === gold) return make("span", "", WORDS[answer], make("span", "unseen", ", right"));
    return make("span", "wrong", picture("span", "", {}, "≠ "), WORDS[answer], make("span", "unseen", ", wrong"));
  }

  const COLUMNS = {
    "P(true)": ({ p }) => p !== undefined && decimal(p, 3),
    margin: ({ margin, unit }) => margin !== undefined && `${decimal(margin, 2)} ${unit}`,
    "prompt tokens": ({ usage }) => whole(usage[0]),
    "generated tokens": ({ usage }) => whole(usage[1]),
    calls: ({ usage }) => whole(usage[2]),
    "NLI pairs": ({ usage }) => whole(usage[3]),
    seconds: ({ seconds }) => decimal(seconds, 2),
  };

  function notes({ problem, details = [] }) {
    const numbers = details.map(([name, value]) => `${name} ${value}`).join(", ");
    return make("td", "own", problem && prose("p", "problem", problem), numbers && prose("p", "", numbers));
  }

  function table(question, runs, said) {
    const shown = Object.entries(COLUMNS).filter(([, cell]) => said.some(cell));
    const head = ["run", "answer", ...shown.map(([name]) => name), "details"].map((name) => {
      const cell = make("th", name in COLUMNS ? "number" : "words", name);
      cell.scope = "col";
      return cell;
    });
    const rows = runs.map((run, place) => {
      const label = prose("th", "words", run.label);
      label.scope = "row";
      const cells = shown.map(([, cell]) => make("td", "number", cell(said[place]) || "–"));
      const answer = make("td", "words", answered(run.answers[question.place], question.gold));
      return make("tr", "", label, answer, ...cells, notes(said[place]));
    });
    const element = make("div", "wide", make("table", "", make("thead", "", make("tr", "", ...head)), make("tbody", "", ...rows)));
    element.tabIndex = 0;
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", "what each run said");
    return element;
  }

  /** What the model said in the runs that grow no trees: each text with the verdict after it. */
  function texts(runs, said) {
    const talked = runs.map((run, place) => ({ run, said: said[place].said })).filter((one) => one.said);
    if (!talked.length) return null;
    return make("div", "texts", ...talked.map((one) => {
      const name = make("summary", "", "What the model said: ", prose("span", "", one.run.label));
      const items = one.said.map(({ text, vote, p }) => {
        const after = p === undefined ? WORDS[vote] : `${WORDS[vote]}, P(true) ${decimal(p, 3)}`;
        return make("li", "", text ? prose("span", "", text) : make("span", "silent", "nothing"), make("span", "after", ` → ${after}`));
      });
      return make("details", "", name, make("ol", "", ...items));
    }));
  }

  /** The tree of one run at a time; each is drawn on first use. */
  function trees(runs, said) {
    const grown = runs.map((run, place) => ({ run, view: said[place].view })).filter(({ view }) => view);
    if (!grown.length) return null;
    const place = make("div", "");
    const show = (chosen) => {
      chosen.drawn ??= treeView.answerView(chosen.view, 0);
      place.replaceChildren(chosen.drawn);
      for (const one of grown) one.choice.setAttribute("aria-pressed", String(one === chosen));
    };
    for (const one of grown) {
      one.choice = button("choice", one.run.label, () => show(one));
      one.choice.dir = "auto";
    }
    const choices = make("p", "choices", make("span", "", "Tree of"), ...grown.map(({ choice }) => choice));
    show(grown[0]);
    return make("div", "trees", choices, place);
  }

  /** The details of a question {place, id, pair, gold}; `said` has the details per run from a parcel. */
  function opened(question, runs, said) {
    const name = make("p", "identity", "gold answer ", make("strong", "", WORDS[question.gold]), " · question ");
    name.append(prose("code", "", question.id));
    if (question.pair) name.append(" · twin in ", prose("code", "", question.pair));
    return make("div", "opened", name, table(question, runs, said), texts(runs, said), trees(runs, said));
  }

  return { answered, opened, whole, WORDS };
})();
