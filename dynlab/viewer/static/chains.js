// The samples of a question in the order drawn, and what each chained one was shown.

const DOTS = 400; // samples of a stream that are drawn
const STEPS = 24; // samples of a path that are named
const wedge = () => make("span", { class: "then", "aria-hidden": "true" }, "›");

// What a chained sample was shown: answers, texts on demand, and the path that led to them.
function shownBefore(q, s, streams) {
  const indices = parentsOf(s);
  if (!indices.length) return [];
  const parents = shownTo(q, s, streams);
  const told = `shown ${plural(indices.length, "attempt")}: their texts`;
  const texts = make("details", {}, make("summary", {}, told));
  texts.addEventListener(
    "toggle",
    () =>
      texts.append(
        ...parents.map((parent, n) => {
          const text = parent === null ? null : stringOf("text", parent);
          return make(
            "div",
            { class: "attempt" },
            tag(q, parent, indices[n]),
            text === null
              ? make("p", {}, soft("its text was not kept"))
              : make("pre", { tabindex: "0" }, ...words(text)),
          );
        }),
      ),
    { once: true },
  );
  const own = streams.get(value("stream", s));
  const depth = generations(own);
  const line = [...ancestorsOf(own, s)].sort((a, b) => depth.get(a) - depth.get(b) || a - b);
  const path = make("div", { class: "path" }, soft("path"));
  const left = Math.max(line.length - STEPS, 0);
  if (left) path.append(soft(`${plural(left, "earlier sample")} …`));
  let before = null;
  for (const each of line.slice(left)) {
    if (before !== null && depth.get(each) !== before) path.append(wedge());
    before = depth.get(each);
    path.append(tag(q, each, value("index", each)));
  }
  path.append(wedge(), make("b", {}, `#${value("index", s)}`));
  return [path, texts];
}

// The samples of each stream in the order drawn; a wedge stands where a generation begins.
function chains(q) {
  const streams = streamsOf(q);
  const chained = samplesOf(q).some((s) => parentsOf(s).length);
  const place = make("div", { class: "chosen-sample", hidden: true });
  ui.dots = new Map();
  ui.chosen = place;
  const rows = [...streams].map(([stream, own]) => {
    const depth = generations(own);
    const dots = make("div", {
      class: "dots",
      role: "group",
      "aria-label": `samples of stream ${stream}`,
      keydown: moveInDots,
    });
    let before = 0;
    for (const [index, s] of [...own].slice(0, DOTS)) {
      if (depth.get(s) !== before) dots.append(wedge());
      before = depth.get(s);
      const [answer, , right] = answerOf(q, s);
      const label = `#${index}: ${visible(answer) || "no answer"}${right === 1 ? ", right" : ""}`;
      const dot = make("button", {
        class: `dot ${paintOf(q, s)}`,
        type: "button",
        title: label,
        "aria-label": label,
        tabindex: ui.dots.size ? "-1" : "0",
        click: () => take(q, s),
      });
      dot.classList.toggle("chained", parentsOf(s).length > 0);
      dot.classList.toggle("found", ui.found(s));
      ui.dots.set(s, dot);
      dots.append(dot);
    }
    if (own.size > DOTS) dots.append(soft(`and ${own.size - DOTS} more`));
    const name = streams.size > 1 ? make("span", {}, `stream ${stream}`) : null;
    return make("div", { class: "stream" }, name, dots);
  });
  const told = chained
    ? "Round: drawn alone. Square: shown earlier samples; choose one to see which."
    : "Choose one to read it.";
  const found = samplesOf(q).filter(ui.found).length;
  const hits = found ? ` Underlined: what is searched for (${plural(found, "sample")}).` : "";
  return [
    make("h3", {}, "Samples in the order drawn"),
    make("p", {}, soft(told + hits)),
    ...rows,
    place,
  ];
}

function moveInDots(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const all = [...ui.dots.values()];
  all[all.indexOf(event.target) + step]?.focus();
  event.preventDefault();
}

// Shows a sample below the streams, with a ring around each that it was shown.
function take(q, s) {
  const own = streamsOf(q).get(value("stream", s));
  const parents = new Set(parentsOf(s).map((index) => own.get(index)));
  const ancestors = ancestorsOf(own, s);
  for (const [each, dot] of ui.dots) {
    dot.classList.toggle("chosen", each === s);
    dot.classList.toggle("parent", parents.has(each));
    dot.classList.toggle("ancestor", ancestors.has(each) && !parents.has(each));
    dot.tabIndex = each === s ? 0 : -1;
  }
  ui.chosen.hidden = false;
  ui.chosen.replaceChildren(card(q, s));
  ui.chosen.scrollIntoView({ block: "nearest" });
}
