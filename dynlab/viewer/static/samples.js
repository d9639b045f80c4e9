// The samples of one strategy: answers and their colours, streams, who was shown what.

const now = () => data.strategies[state.strategy];
const idOf = (q) => data.questions.id[now().questions[q]];
const textOf = (q) => data.questions.text[now().questions[q]];
const targetOf = (q) => data.questions.target[now().questions[q]];
const samplesOf = (q) => {
  const { starts } = now();
  return Array.from({ length: starts[q + 1] - starts[q] }, (_, n) => starts[q] + n);
};
const value = (column, s) => now().samples[column]?.[s] ?? null;
const stringOf = (column, s) => {
  const number = value(column, s);
  return number === null ? null : data.strings[number];
};

// [answer, votes, right] of a sample: '' = none
function answerOf(q, s) {
  const code = value("code", s);
  if (code >= 0) return now().answers[q][code];
  const silent = value("silent", s);
  return silent ? [silent[0], 0, silent[1]] : ["", 0, null];
}

// The class that paints an answer: the right one, the first three wrong ones, others, none.
function paint(q, code, silent = false) {
  if (code < 0) return silent ? "a-silent" : "a-none";
  const answers = now().answers[q];
  if (answers[code][2] === 1) return "a-right";
  if (!now().hasTarget && code === 0) return "a-lead";
  let rank = 1;
  for (let other = 0; other < code; other++) if (answers[other][2] !== 1) rank++;
  return rank <= 3 ? `a-${rank}` : "a-other";
}

const paintOf = (q, s) => paint(q, value("code", s), value("silent", s) !== null);
const parentsOf = (s) => {
  const number = value("parents", s);
  return number === null ? [] : data.lists[number];
};

// The samples of a question by stream, and what each was shown, as samples.
function streamsOf(q) {
  const streams = new Map();
  for (const s of samplesOf(q)) {
    const own = streams.get(value("stream", s)) ?? new Map();
    streams.set(value("stream", s), own.set(value("index", s), s));
  }
  return streams;
}

function shownTo(q, s, streams = streamsOf(q)) {
  const own = streams.get(value("stream", s));
  return parentsOf(s).map((index) => own.get(index) ?? null);
}

// Generation of every sample of a stream: 0 was shown nothing; else one more than what it saw.
function generations(own) {
  const depth = new Map();
  for (const s of own.values()) {
    const seen = parentsOf(s).map((index) => depth.get(own.get(index)) ?? 0);
    depth.set(s, seen.length ? 1 + Math.max(...seen) : 0);
  }
  return depth;
}

function ancestorsOf(own, s) {
  const found = new Set();
  const left = [s];
  while (left.length) {
    for (const index of parentsOf(left.pop())) {
      const parent = own.get(index);
      if (parent !== undefined && !found.has(parent)) {
        found.add(parent);
        left.push(parent);
      }
    }
  }
  return found;
}
