"use strict";

// Exact joint inference by trying every labelling, as maieutic/inference/joint.py defines it. A labelling x of n
// free variables is a number below 2ⁿ; bit i is the label of the i-th. All arrays of costs are indexed by x.

const labellings = (() => {
  const ROUNDING = 1e-9; // nats, and of P(Q): what is closer is a tie

  /**
   * The cost as constant + Σ linear[i]·sᵢ + Σ_{i<j} pairs[i·size + j]·sᵢ·sⱼ, as in solvers/energy.py.
   * `clauses` are [literals, weight] with at most two literals, ± (1 + the index of a variable).
   */
  function energy(clauses, size) {
    const form = { constant: 0, linear: new Float64Array(size), pairs: new Float64Array(size * size), size };
    for (const [literals, weight] of clauses) {
      const [one, other] = [...new Set(literals)];
      if (other === -one) continue; // a tautology is never violated
      // Each literal is false with base + slope·s.
      const [i, base, slope] = [Math.abs(one) - 1, one > 0 ? 1 : 0, one > 0 ? -1 : 1];
      if (other === undefined) {
        form.constant += weight * base;
        form.linear[i] += weight * slope;
        continue;
      }
      const [j, baseOther, slopeOther] = [Math.abs(other) - 1, other > 0 ? 1 : 0, other > 0 ? -1 : 1];
      form.constant += weight * base * baseOther;
      form.linear[i] += weight * slope * baseOther;
      form.linear[j] += weight * base * slopeOther;
      form.pairs[i * size + j] += weight * slope * slopeOther;
      form.pairs[j * size + i] += weight * slope * slopeOther;
    }
    return form;
  }

  /** The form in the `free` variables alone; `fixed` maps each other one to 0 or 1. */
  function given({ constant, linear, pairs, size }, free, fixed) {
    const rest = { constant, linear: new Float64Array(free.length), pairs: new Float64Array(free.length ** 2), size: free.length };
    const ones = [...fixed].filter(([, value]) => value).map(([variable]) => variable);
    ones.forEach((one, place) => {
      rest.constant += linear[one];
      for (const other of ones.slice(0, place)) rest.constant += pairs[one * size + other];
    });
    free.forEach((variable, i) => {
      rest.linear[i] = ones.reduce((total, one) => total + pairs[variable * size + one], linear[variable]);
      free.forEach((other, j) => {
        rest.pairs[i * free.length + j] = pairs[variable * size + other];
      });
    });
    return rest;
  }

  /** The cost of every labelling. Those with a further variable true cost what it adds to those without. */
  function costs({ constant, linear, pairs, size }) {
    const all = new Float64Array(2 ** size);
    const added = new Float64Array(2 ** Math.max(0, size - 1));
    all[0] = constant;
    for (let k = 0; k < size; k++) {
      added[0] = linear[k];
      for (let j = 0; j < k; j++) {
        const [half, weight] = [2 ** j, pairs[j * size + k]];
        for (let x = 0; x < half; x++) added[half + x] = added[x] + weight;
      }
      const half = 2 ** k;
      for (let x = 0; x < half; x++) all[half + x] = all[x] + added[x];
    }
    return all;
  }

  /** P(variable is true) for each, with P(labelling) ∝ exp(−cost): sums over halves, the last variable first. */
  function marginals(all, size, least) {
    const mass = new Float64Array(all.length);
    for (let x = 0; x < all.length; x++) mass[x] = Math.exp(least - all[x]);
    const sums = new Float64Array(size);
    for (let k = size - 1; k >= 0; k--) {
      const half = 2 ** k;
      let sum = 0;
      for (let x = 0; x < half; x++) {
        sum += mass[half + x];
        mass[x] += mass[half + x];
      }
      sums[k] = sum;
    }
    return Array.from(sums, (sum) => Math.min(1, sum / mass[0]));
  }

  function least(costs) {
    let least = Infinity;
    for (let x = 0; x < costs.length; x++) if (costs[x] < least) least = costs[x];
    return least;
  }

  /** The labelling that costs no more than this; of several the one most like `present`. */
  function labellingOf(costs, cost, present) {
    let [best, distance] = [0, Infinity];
    for (let x = 0; x < costs.length; x++) {
      if (costs[x] > cost + ROUNDING) continue;
      const different = bits(x ^ present);
      if (different < distance) [best, distance] = [x, different];
    }
    return best;
  }

  function bits(x) {
    let total = 0;
    for (let rest = x; rest; rest &= rest - 1) total += 1;
    return total;
  }

  /**
   * The answer, P and label of every variable, and the margin (null where Q is fixed) under `fixed`, a map from
   * variables to 0 or 1. `present`: labels that decide between labellings of equal cost; `root`: the variable Q.
   */
  function infer(form, fixed, root, present) {
    const open = [...Array(form.size).keys()].filter((variable) => !fixed.has(variable));
    const others = open.filter((variable) => variable !== root);
    const free = others.length < open.length ? [...others, root] : others; // Q last: its labels are the two halves
    const all = costs(given(form, free, fixed));
    const half = free.length > others.length ? all.length / 2 : 0;
    const sides = half ? [all.subarray(0, half), all.subarray(half)] : [all, all];
    const leasts = sides.map(least);
    const p = Array.from(present, (_, variable) => fixed.get(variable) ?? 0);
    marginals(all, free.length, Math.min(...leasts)).forEach((value, i) => (p[free[i]] = value));
    const answer = p[root] >= 0.5 - ROUNDING ? 1 : 0;
    const start = others.reduce((x, variable, i) => x | (present[variable] ? 2 ** i : 0), 0);
    const best = labellingOf(sides[answer], leasts[answer], start);
    const labels = p.map((_, variable) => fixed.get(variable) === 1);
    others.forEach((variable, i) => (labels[variable] = Boolean(best & (2 ** i))));
    labels[root] = Boolean(answer);
    const margin = half ? Math.max(0, leasts[1 - answer] - leasts[answer]) : null;
    return { answer: Boolean(answer), p, labels, cost: leasts[answer], margin };
  }

  return { energy, infer };
})();
