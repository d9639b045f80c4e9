// One question: what was asked, where its vote stands, its answers and the samples behind them.

const ANSWERS = 15; // answers of a question that are listed at once
const CARDS = 8; // samples that are unfolded at once

function drawDetail() {
  const q = state.question;
  remember();
  if (q === null) {
    ui.detail.replaceChildren();
    return;
  }
  const one = now();
  const name = standingOf(q);
  const [label, colour] = STANDINGS[name];
  const meaning = one.standings.find(([each]) => each === name)[1];
  const asked = textOf(q);
  const parts = [
    make("button", { class: "back", type: "button", click: close }, "‹ questions"),
    make("h2", {}, ...words(idOf(q))),
    asked ? make("div", { class: "asked" }, ...words(asked)) : null,
    make("p", { class: `standing ${colour}` }, make("b", {}, label), soft(` · ${meaning}`)),
    figures(q),
    elsewhere(q),
    make("h3", {}, `Answers of ${plural(samplesOf(q).length, "sample")}`),
    answers(q),
    ...chains(q),
  ];
  ui.detail.replaceChildren(...parts.filter((part) => part !== null));
  ui.detail.scrollTop = 0;
}

function figures(q) {
  const one = now();
  const list = make("dl", { class: "figures" });
  const add = (name, text, title = null) =>
    list.append(make("div", { title }, make("dt", {}, name), make("dd", {}, ...[text].flat())));
  const target = targetOf(q);
  if (target !== null) add("right answer", words(target));
  if (one.hasTarget) add("right samples", percent(one.share[q]));
  if (standingOf(q) === "tied") {
    add("vote is right", percent(one.winner[q]), "by expectation over the tied answers");
  }
  add("leading answer", percent(one.top[q]), "its share of all samples");
  add("entropy", one.entropy[q].toFixed(2), "of the answers: 0 all agree, 1 all differ");
  if (one.tokens && one.tokens[q] !== null) {
    const kind = one.tokensKind === "completion" ? "completion tokens a sample" : "tokens a sample";
    add(kind, amount(one.tokens[q]), "the mean; prompt and completion, where both are known");
  }
  if (one.cost && one.cost[q] !== null) add("cost of all", usd(one.cost[q]));
  if (one.latency && one.latency[q] !== null) add("latency", seconds(one.latency[q]), "the mean");
  return list;
}

// The same question under the other strategies.
function elsewhere(q) {
  const [id, place] = [idOf(q), now().questions[q]];
  const links = data.strategies.flatMap((one, number) => {
    const other = one.questions.indexOf(place);
    if (number === state.strategy || other < 0) return [];
    const alone = one.starts[other + 1] - one.starts[other] === 1;
    const [answer] = one.answers[other][0] ?? [""];
    const said = visible(answer) || "no answer";
    const told = alone || !one.hasTarget ? said : `${percent(one.share[other])} right`;
    const mark = alone && one.answers[other][0]?.[2] === 1 ? " ✓" : "";
    return make(
      "button",
      { type: "button", click: () => takeStrategy(number, id) },
      `${visible(one.name)}: ${told}${mark}`,
    );
  });
  return links.length ? make("div", { class: "elsewhere" }, soft("elsewhere"), ...links) : null;
}

function answers(q) {
  const [one, all] = [now(), samplesOf(q)];
  const list = make("ol", { class: "answers" });
  const most = Math.max(...one.answers[q].map(([, votes]) => votes), 1);
  const add = (own, text, colour, right) => {
    if (!own.length) return;
    const filled = make("i");
    filled.style.width = `${Math.min((100 * own.length) / Math.max(most, own.length), 100)}%`;
    const behind = make("div", { class: `behind ${colour}`, hidden: true });
    const item = make("li", { class: `answer ${colour}${right === 1 ? " is-right" : ""}` });
    const button = make(
      "button",
      {
        type: "button",
        "aria-expanded": "false",
        title: "the samples behind it",
        click: () => {
          if (behind.hidden && !behind.childElementCount) unfold(behind, q, own);
          behind.hidden = !behind.hidden;
          button.setAttribute("aria-expanded", String(!behind.hidden));
        },
      },
      make("span", { class: `swatch ${colour}` }),
      make("span", { class: "said" }, ...text, right === 1 ? " ✓" : ""),
      make("span", { class: "length" }, filled),
      make(
        "span",
        { class: "number" },
        make("b", {}, String(own.length)),
        ` · ${percent(own.length / all.length)}`,
      ),
    );
    item.append(button, behind);
    list.append(item);
  };
  const byCode = new Map();
  for (const s of all) {
    const code = value("code", s);
    const key = code >= 0 ? code : value("silent", s) ? "silent" : "none";
    byCode.set(key, [...(byCode.get(key) ?? []), s]);
  }
  const other = make("button", { class: "more", type: "button" });
  one.answers[q].forEach(([answer, , right], code) => {
    add(byCode.get(code) ?? [], words(answer), paint(q, code), right);
    list.lastChild.hidden = code >= ANSWERS && right !== 1;
  });
  add(byCode.get("none") ?? [], ["no answer"], "a-none", null);
  add(byCode.get("silent") ?? [], ["answers that do not vote"], "a-silent", null);
  const folded = [...list.children].filter((item) => item.hidden);
  if (folded.length) {
    other.textContent = `${plural(folded.length, "more answer")} …`;
    other.addEventListener("click", () => {
      other.parentNode.remove();
      for (const item of folded) item.hidden = false;
    });
    list.append(make("li", {}, other));
  }
  return list;
}

// Cards of samples, a few at a time.
function unfold(place, q, samples) {
  const rest = samples.slice(CARDS);
  place.append(...samples.slice(0, CARDS).map((s) => card(q, s)));
  if (!rest.length) return;
  const left = `${plural(rest.length, "more sample")} …`;
  const more = make("button", { class: "more", type: "button" }, left);
  more.addEventListener("click", () => {
    more.remove();
    unfold(place, q, rest);
  });
  place.append(more);
}

// An answer with its colour, which leads to its sample.
function tag(q, s, index) {
  if (s === null) return soft(`#${index}: not recorded`);
  const [answer, , right] = answerOf(q, s);
  return make(
    "button",
    { class: "tag", type: "button", click: () => take(q, s) },
    make("span", { class: `swatch ${paintOf(q, s)}` }),
    soft(`#${index}`),
    make("span", { class: "said" }, visible(answer) || "no answer", right === 1 ? " ✓" : ""),
  );
}

function card(q, s) {
  const [answer, , right] = answerOf(q, s);
  const streams = streamsOf(q);
  const head = make("div", { class: "head" }, make("b", {}, `#${value("index", s)}`));
  const add = (text, title = null, name = null) =>
    head.append(make("span", { title, class: name }, text));
  if (streams.size > 1) add(`stream ${value("stream", s)}`);
  add(parentsOf(s).length ? "chained" : (stringOf("role", s) ?? "independent"));
  const said = visible(answer) || "no answer";
  head.append(make("b", { class: "whole" }, said, right === 1 ? " ✓" : ""));
  if (value("silent", s)) add("does not vote");
  facts(s, add);
  const text = stringOf("text", s);
  const parts = [head];
  if (text !== null) parts.push(make("pre", { tabindex: "0" }, ...words(text)));
  else if (data.hasTexts) parts.push(make("p", { class: "soft" }, "its text was not kept"));
  return make("div", { class: "sample" }, ...parts, ...shownBefore(q, s, streams));
}

function facts(s, add) {
  const [prompt, completion] = [value("prompt_tokens", s), value("completion_tokens", s)];
  const also = ["reasoning", "cached"]
    .map((kind) => [kind, value(`${kind}_tokens`, s)])
    .filter(([, count]) => count)
    .map(([kind, count]) => `, ${amount(count, 6)} ${kind}`);
  if (completion !== null) {
    const counts = [prompt, completion].filter((count) => count !== null);
    const sum = counts.map((count) => amount(count, 6)).join(" + ");
    add(`${sum} tokens`, `prompt + completion${also.join("")}`);
  }
  const cost = value("cost_usd", s);
  const billed = value("billed_usd", s);
  const paid = billed === null ? "" : `; billed ${usd(billed)}`;
  if (cost !== null) add(usd(cost), `list price${paid}`);
  if (value("latency_s", s) !== null) add(seconds(value("latency_s", s)), "latency");
  const logprob = value("mean_logprob", s);
  if (logprob !== null) add(`log-prob. ${amount(logprob)}`, "mean log-probability of its tokens");
  if (value("picked", s) !== null) add(`pick ${value("picked", s)}`, "when the live run chose it");
  const finish = stringOf("finish", s);
  if (finish) add(visible(finish), "finish reason", finish === "stop" ? null : "wrong-end");
}
