// Which questions are listed, and in which order.

const SORTS = [
  // column, label, whether large values come first
  ["share", "hardest first: least right", false],
  ["wrong", "most agreed on a wrong answer", true],
  ["disagreement", "most disagreement: 1 − top share", true],
  ["entropy", "most disagreement: entropy", true],
  ["tokens", "most tokens a sample", true],
  ["cost", "highest cost", true],
  ["id", "by name", false],
];
const STANDINGS = {
  leads: ["right answer leads", "a-right"],
  tied: ["right answer tied for the lead", "a-3"],
  behind: ["right answer present, behind", "a-1"],
  absent: ["right answer absent", "a-1"],
  settled: ["settled", "a-lead"],
  open: ["open", "a-other"],
  none: ["no answer", "a-none"],
};

let lowered = null; // the pool of texts, once it is searched
function textsWith(needle) {
  lowered ??= data.strings.map((text) => text.toLowerCase());
  const found = new Set();
  lowered.forEach((text, number) => {
    if (text.includes(needle)) found.add(number);
  });
  return found;
}

// Whether a question passes the search; `ui.found` says the same of a sample's text.
function matching() {
  const needle = state.needle.toLowerCase();
  ui.found = () => false;
  if (!needle) return () => true;
  const texts = textsWith(needle);
  const { text = [], finish = [], silent = [] } = now().samples;
  const holds = (each) => each?.toLowerCase().includes(needle) ?? false;
  ui.found = (s) => texts.has(text[s]) || texts.has(finish[s]) || holds(silent[s]?.[0]);
  return (q) =>
    holds(idOf(q)) ||
    holds(textOf(q)) ||
    holds(targetOf(q)) ||
    now().answers[q].some(([answer]) => holds(answer)) ||
    samplesOf(q).some(ui.found);
}

const standingOf = (q) => now().standings[now().standing[q]][0];
const votesOf = (q) => now().answers[q].reduce((sum, [, votes]) => sum + votes, 0);
const isUnanswered = (q) =>
  samplesOf(q).some((s) => value("code", s) < 0 && value("silent", s) === null);
const isKnown = (name) => name === "id" || (name in now() && (name !== "share" || now().hasTarget));
const sorts = () => SORTS.filter(([name]) => isKnown(name));

function filter() {
  const one = now();
  const matches = matching();
  const found = one.questions.map((_, q) => q).filter(matches);
  ui.counts = new Map([["", found.length]]);
  for (const q of found) {
    const name = standingOf(q);
    ui.counts.set(name, (ui.counts.get(name) ?? 0) + 1);
  }
  ui.unanswered = found.filter(isUnanswered).length;
  shown = found.filter(
    (q) =>
      (!state.standing || standingOf(q) === state.standing) &&
      (!state.unanswered || isUnanswered(q)),
  );
  const [name, , descending] = sorts().find(([each]) => each === state.sort) ?? sorts()[0];
  state.sort = name;
  const sign = descending === state.turned ? 1 : -1;
  const key = name === "id" ? (q) => q : (q) => one[name][q] ?? -Infinity;
  shown.sort((a, b) => sign * (key(a) - key(b)) || a - b);
  state.page = 0;
}

function refresh({ keep = true } = {}) {
  filter();
  if (!keep || !shown.includes(state.question)) state.question = shown[0] ?? null;
  const place = shown.indexOf(state.question);
  state.page = Math.max(Math.floor(place / ROWS), 0);
  drawTools();
  drawList();
  drawDetail();
}
