"use strict";

// Reads the plain data of maieutic/render/view.py: nodes with their children and their constraints. A form is a
// node and whether its statement ("QT0") or its negation ("¬QT0") is meant.

const treeData = (() => {
  const KINDS = ["belief", "entailment", "contradiction", "tree", "chain", "bias", "claim", "names", "memory"];
  const VERBS = { entailment: "entails", contradiction: "contradicts", tree: "was given as a reason for", names: "names" };

  /** Constraints are sorted, the heaviest first; `node.overruled` is a belief that the label violates. */
  function read(view) {
    const recalledEnd = view.nodes.length - (view.assumed ?? 0);
    const nodes = [...view.nodes, ...view.pruned].map((node, place) => ({
      ...node,
      place,
      kept: place < view.nodes.length,
      assumed: place < view.nodes.length && place >= view.nodes.length - (view.assumed ?? 0),
      recalled: place < recalledEnd && place >= recalledEnd - (view.recalled ?? 0),
      children: [],
      touching: [],
    }));
    for (const node of nodes) {
      if (node.parent !== undefined && node.kept) nodes[node.parent].children.push(node);
    }
    const constraints = view.constraints.map((row, index) => constraint(nodes, row, view.broken.includes(index)));
    const flip = (view.flip ?? []).map((index) => constraints[index]);
    const clashes = (view.clashes ?? []).map((index) => constraints[index]);
    constraints.sort((one, other) => other.weight - one.weight);
    for (const c of constraints) {
      c.source.node.touching.push(c);
      if (c.target && c.target.node !== c.source.node) c.target.node.touching.push(c);
      if (c.kind === "belief" && c.broken) c.source.node.overruled = c;
    }
    const votes = (view.votes ?? []).map(([literal, vote]) => [form(nodes, literal), vote]);
    return { view, nodes, constraints, flip, clashes, votes, root: nodes[0] };
  }

  /** Give every node its label of `labels` and its P of `weighed`, by place; what is overruled follows. */
  function relabel(data, labels, weighed) {
    for (const node of data.nodes.filter((node) => node.kept)) {
      node.label = labels[node.place];
      node.weighed = weighed[node.place];
      node.overruled = undefined;
    }
    for (const c of data.constraints) {
      c.broken = !holds(c, (node) => node.label);
      if (c.kind === "belief" && c.broken) c.source.node.overruled = c;
    }
  }

  function constraint(nodes, [kind, source, target, weight, p, other], broken) {
    return {
      kind: KINDS[kind],
      source: form(nodes, source),
      target: target ? form(nodes, target) : null,
      other: other ? form(nodes, other) : null,
      weight: weight ?? 0,
      p,
      broken,
    };
  }

  const form = (nodes, literal) => ({ node: nodes[Math.abs(literal) - 1], positive: literal > 0 });
  const nameOf = ({ node, positive }) => (positive ? node.id : `¬${node.id}`);
  const textOf = ({ node, positive }) => (positive ? node.text : node.not);
  const sum = (constraints) => constraints.reduce((total, c) => total + c.weight, 0);

  function holds(c, labelOf) {
    const isTrue = ({ node, positive }) => labelOf(node) === positive;
    if (!c.target) return isTrue(c.source);
    if (c.other && !isTrue(c.other)) return true;
    return !isTrue(c.source) || isTrue(c.target) !== (c.kind === "contradiction");
  }

  /** The node's constraints: violated ones, those that the opposite label alone would violate, and the others. */
  function bearing(node) {
    const groups = { for: [], overruled: [], either: [] };
    for (const c of node.touching) {
      const otherwise = holds(c, (other) => (other === node ? !node.label : other.label));
      if (c.broken) groups.overruled.push(c);
      else groups[otherwise ? "either" : "for"].push(c);
    }
    return groups;
  }

  /** Other node → the weight that asks for the same label as this node's, and for a different one. */
  function partners(node) {
    const weightsOf = new Map();
    for (const c of node.touching) {
      if (!c.target || c.other || c.source.node === c.target.node) continue;
      const other = c.source.node === node ? c.target.node : c.source.node;
      const same = (c.source.positive === c.target.positive) === (c.kind !== "contradiction");
      const weights = weightsOf.get(other) ?? { agrees: 0, disagrees: 0 };
      weights[same ? "agrees" : "disagrees"] += c.weight;
      weightsOf.set(other, weights);
    }
    return weightsOf;
  }

  /** A constraint in words, as parts: strings, and what `say` makes of a form. */
  function phrase(c, say) {
    if (c.kind === "chain") return ["a chain of thought concludes ", say(c.source)];
    if (c.kind === "bias") return [say(c.source), " is commoner among such statements"];
    if (c.kind === "memory") return ["what is remembered speaks for ", say(c.source)];
    if (!c.target) return ["the model believes ", say(c.source)];
    if (c.other) return [say(c.source), " and ", say(c.other), ` together: it ${VERBS[c.kind]} `, say(c.target)];
    return [say(c.source), ` ${VERBS[c.kind]} `, say(c.target)];
  }

  return { bearing, nameOf, partners, phrase, read, relabel, sum, textOf };
})();
