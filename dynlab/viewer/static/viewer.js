// The samples of a recording, question by question. All that the recording holds comes as JSON and
// goes into the page as text: nodes are made by `make`, and markup is parsed nowhere.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.getElementById("viewer");
  const ROWS = 50; // questions on a page of the list
  const CARDS = 8; // samples that are unfolded at once
  const DOTS = 400; // samples of a stream that are drawn
  const STEPS = 24; // samples of a path that are named
  const ANSWERS = 15; // answers of a question that are listed at once

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

  const state = {
    strategy: 0,
    standing: "", // '' = all
    unanswered: false, // only questions with samples that have no answer
    sort: "",
    turned: false,
    needle: "",
    page: 0,
    question: null, // of the strategy
    sample: null, // of the strategy
  };
  const ui = {};
  let shown = []; // questions that pass the filters, in order

  // ---------------------------------------------------------------- words, numbers, nodes

  function make(tag, given = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (value === null || value === undefined || value === false) continue;
      if (typeof value === "function") node.addEventListener(name, value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }

  // What a terminal would obey and what turns the order of letters round is spelled out.
  function visible(text) {
    return text.replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
      (each) => {
        const code = each.charCodeAt(0);
        if (code < 32) return String.fromCharCode(0x2400 + code);
        return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
      },
    );
  }

  // Text as nodes, what is searched for marked.
  function words(text) {
    const plain = visible(text);
    if (!state.needle) return [plain];
    const pattern = new RegExp(state.needle.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
    const nodes = [];
    let end = 0;
    for (const found of plain.matchAll(pattern)) {
      if (nodes.length > 400) break;
      nodes.push(plain.slice(end, found.index), make("mark", {}, found[0]));
      end = found.index + found[0].length;
    }
    return [...nodes, plain.slice(end)];
  }

  function percent(share) {
    const value = 100 * share;
    return `${value > 0 && value < 1 ? value.toPrecision(1) : Math.round(value)} %`;
  }

  function amount(value, digits = 3) {
    if (Math.abs(value) >= 10 ** digits) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(digits))).replace("-", "−");
  }

  const usd = (value) => `$${value.toLocaleString("en-US", { maximumSignificantDigits: 3 })}`;
  const seconds = (value) => `${amount(value)} s`;
  const plural = (count, word) => `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;

  // ---------------------------------------------------------------- one strategy's samples

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

  // ---------------------------------------------------------------- filters and order

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
  const sorts = () => SORTS.filter(([name]) => name === "id" || (now()[name] && !(name === "share" && !now().hasTarget)));

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

  // ---------------------------------------------------------------- head and tools

  function drawFrame() {
    ui.tabs = make("div", { class: "tabs", role: "tablist", "aria-label": "strategy" });
    ui.search = make("input", {
      type: "search",
      placeholder: "Search questions, answers and texts",
      "aria-label": "search questions, answers and texts",
      input: searchSoon,
      keydown: (event) => {
        if (event.key === "ArrowDown" || event.key === "Enter") ui.rows.focus();
        else if (event.key === "Escape") {
          ui.search.value = "";
          search();
          ui.rows.focus();
        } else return;
        event.preventDefault();
        event.stopPropagation();
      },
    });
    ui.sort = make("select", {
      "aria-label": "order",
      change: () => {
        state.sort = ui.sort.value;
        refresh({ keep: false });
      },
    });
    ui.turn = make(
      "button",
      {
        class: "chip",
        type: "button",
        title: "turn the order round",
        "aria-label": "turn the order round",
        click: () => {
          state.turned = !state.turned;
          refresh({ keep: false });
        },
      },
      "⇅",
    );
    ui.chips = make("div", { class: "chips", role: "group", "aria-label": "filter" });
    const hint = make("span", { class: "soft hint" });
    for (const [key, does] of [["↑ ↓", "questions"], ["Enter", "open"], ["Esc", "back"], ["/", "search"]]) {
      hint.append(make("kbd", {}, key), ` ${does}  `);
    }
    ui.rows = make("ol", {
      class: "rows",
      role: "listbox",
      tabindex: "0",
      "aria-label": "questions",
      keydown: moveInList,
    });
    ui.pager = make("nav", { class: "pager", "aria-label": "pages of questions" });
    ui.detail = make("article", { class: "detail", tabindex: "-1", "aria-label": "question" });
    const facts = data.facts.map(([name, text]) => `${name.replaceAll("_", " ")} ${visible(text)}`);
    if (!data.hasTexts) facts.push("texts are not recorded");
    if (data.cut) facts.push(`texts are cut to ${data.cut.toLocaleString("en-US")} characters`);
    root.replaceChildren(
      make(
        "header",
        {},
        make("h1", {}, visible(data.name)),
        make("p", { class: "facts" }, facts.join(" · ")),
        ui.tabs,
        make("div", { class: "tools" }, ui.search, ui.sort, ui.turn, ui.chips, hint),
      ),
      make("main", {}, make("section", { class: "list" }, ui.rows, ui.pager), ui.detail),
    );
    data.strategies.forEach((one, number) => {
      const each = amount(one.starts.at(-1) / one.questions.length);
      const told = [`${one.questions.length} × ${each} sample${each === "1" ? "" : "s"}`];
      if (one.right !== null) told.push(`${percent(one.right)} right`);
      if (one.noAnswer) told.push(`${percent(one.noAnswer)} no answer`);
      const tab = make(
        "button",
        {
          class: "tab",
          type: "button",
          role: "tab",
          title: "questions × samples, share of right samples",
          click: () => takeStrategy(number),
          keydown: (event) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (!step) return;
            const count = data.strategies.length;
            takeStrategy((state.strategy + step + count) % count);
            ui.tabs.children[state.strategy].focus();
          },
        },
        make("b", {}, visible(one.name)),
        make("span", {}, told.join(" · ")),
      );
      ui.tabs.append(tab);
    });
  }

  function takeStrategy(number, id = state.question === null ? null : idOf(state.question)) {
    state.strategy = number;
    state.sample = null;
    if (!now().standings.some(([name]) => name === state.standing)) state.standing = "";
    const place = now().questions.findIndex((each) => data.questions.id[each] === id);
    state.question = place < 0 ? null : place;
    refresh();
  }

  let waiting = null;
  function searchSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(search, 120);
  }
  function search() {
    clearTimeout(waiting);
    state.needle = ui.search.value.trim();
    refresh();
  }

  function drawTools() {
    [...ui.tabs.children].forEach((tab, number) => {
      tab.setAttribute("aria-selected", String(number === state.strategy));
      tab.tabIndex = number === state.strategy ? 0 : -1;
    });
    ui.sort.replaceChildren(
      ...sorts().map(([name, label]) => make("option", { value: name, selected: name === state.sort }, label)),
    );
    ui.sort.value = state.sort;
    ui.turn.setAttribute("aria-pressed", String(state.turned));
    const chip = (label, count, pressed, title, click) =>
      make(
        "button",
        { class: "chip", type: "button", "aria-pressed": String(pressed), title, click },
        label,
        " ",
        make("b", {}, String(count)),
      );
    const filters = [["", "every question"], ...now().standings].filter(
      ([name]) => ui.counts.get(name) || name === state.standing || name === "",
    );
    ui.chips.replaceChildren(
      ...filters.map(([name, meaning]) =>
        chip(name ? STANDINGS[name][0] : "all", ui.counts.get(name) ?? 0, state.standing === name, meaning, () => {
          state.standing = name;
          refresh();
        }),
      ),
    );
    if (ui.unanswered || state.unanswered) {
      ui.chips.append(
        chip("with samples without an answer", ui.unanswered, state.unanswered, "a further filter", () => {
          state.unanswered = !state.unanswered;
          refresh();
        }),
      );
    }
  }

  // ---------------------------------------------------------------- the list

  function bar(q) {
    const [one, many] = [now(), samplesOf(q).length];
    const strip = make("span", { class: "bar", "aria-hidden": "true" });
    const add = (share, name) => {
      const part = make("i", { class: name });
      part.style.flexGrow = share;
      strip.append(part);
    };
    const shares = one.answers[q];
    shares.slice(0, 6).forEach(([, votes], code) => add(votes / many, paint(q, code)));
    const rest = shares.slice(6).reduce((sum, [, votes]) => sum + votes, 0);
    if (rest) add(rest / many, "a-other");
    const missing = many - votesOf(q);
    if (missing) add(missing / many, "a-none");
    return strip;
  }

  // The number by which the list is ordered, or else how many samples are right, or agree.
  function figure(q) {
    const one = now();
    if (state.sort === "tokens") return `${amount(one.tokens[q])} tokens`;
    if (state.sort === "cost") return one.cost[q] === null ? "" : usd(one.cost[q]);
    if (state.sort === "entropy" || state.sort === "disagreement") return one[state.sort][q].toFixed(2);
    if (state.sort === "wrong") return `${percent(one.wrong[q])} wrong`;
    return one.hasTarget ? `${percent(one.share[q])} right` : `${percent(one.top[q])} agree`;
  }

  function drawList() {
    const from = state.page * ROWS;
    const here = shown.slice(from, from + ROWS);
    ui.rows.replaceChildren(
      ...here.map((q) => {
        const asked = textOf(q);
        return make(
          "li",
          {
            class: "row",
            role: "option",
            id: `question-${q}`,
            title: STANDINGS[standingOf(q)][0],
            click: () => choose(q, true),
          },
          make(
            "span",
            { class: "what" },
            make("b", {}, ...words(idOf(q))),
            make("span", {}, ...words((asked ?? "").slice(0, 200))),
          ),
          make("span", { class: "share" }, figure(q)),
          bar(q),
        );
      }),
    );
    if (!here.length) ui.rows.append(make("li", { class: "nothing" }, "No question passes these filters."));
    const last = Math.max(Math.ceil(shown.length / ROWS) - 1, 0);
    const turn = (step, label, at) =>
      make("button", { type: "button", disabled: at, "aria-label": label, click: () => turnTo(state.page + step) }, step < 0 ? "‹" : "›");
    const range = shown.length ? `${from + 1}–${from + here.length} of ${shown.length}` : "0";
    ui.pager.replaceChildren(
      turn(-1, "questions before", state.page === 0),
      make("span", {}, range),
      turn(1, "more questions", state.page >= last),
    );
    markChosen();
  }

  function turnTo(page) {
    state.page = page;
    drawList();
    ui.rows.scrollTop = 0;
  }

  function markChosen() {
    for (const row of ui.rows.children) {
      row.setAttribute("aria-selected", String(row.id === `question-${state.question}`));
    }
    const row = document.getElementById(`question-${state.question}`);
    if (row) {
      ui.rows.setAttribute("aria-activedescendant", row.id);
      const [box, frame] = [row.getBoundingClientRect(), ui.rows.getBoundingClientRect()];
      if (box.top < frame.top || box.bottom > frame.bottom) row.scrollIntoView({ block: "nearest" });
    } else ui.rows.removeAttribute("aria-activedescendant");
  }

  function choose(q, open = false) {
    state.question = q;
    state.sample = null;
    const page = Math.floor(shown.indexOf(q) / ROWS);
    if (page !== state.page) {
      state.page = page;
      drawList();
    } else markChosen();
    drawDetail();
    if (open) show();
  }

  function show() {
    if (state.question === null) return;
    root.classList.add("opened"); // on a narrow page the question takes the place of the list
    ui.detail.focus({ preventScroll: true });
  }

  function close() {
    root.classList.remove("opened");
    ui.rows.focus();
    markChosen();
  }

  function moveInList(event) {
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    if (event.key === "Enter" || event.key === "ArrowRight") show();
    else if (event.key in steps && shown.length) {
      const place = shown.indexOf(state.question) + steps[event.key];
      choose(shown[Math.min(Math.max(place, 0), shown.length - 1)]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  addEventListener("keydown", (event) => {
    const writing = event.target.closest?.("input, select");
    if (event.ctrlKey || event.metaKey || event.altKey || writing) return;
    if (event.key === "/") ui.search.focus();
    else if (event.key === "Escape") close();
    else if (event.key === "j" || event.key === "k") moveInList(event);
    else return;
    event.preventDefault();
  });

  // ---------------------------------------------------------------- one question

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
    ui.detail.replaceChildren(
      make("button", { class: "back", type: "button", click: close }, "‹ questions"),
      make("h2", {}, ...words(idOf(q))),
      asked ? make("div", { class: "asked" }, ...words(asked)) : null,
      make("p", { class: `standing ${colour}` }, make("b", {}, label), make("span", { class: "soft" }, ` · ${meaning}`)),
      figures(q),
      elsewhere(q),
      make("h3", {}, `Answers of ${plural(samplesOf(q).length, "sample")}`),
      answers(q),
      ...chains(q),
    );
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
    if (standingOf(q) === "tied") add("vote is right", percent(one.winner[q]), "by expectation over the tied answers");
    add("leading answer", percent(one.top[q]), "its share of all samples");
    add("entropy", one.entropy[q].toFixed(2), "of the answers: 0 where all agree, 1 where all differ");
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
      const told = alone || !one.hasTarget ? `${visible(answer) || "no answer"}` : `${percent(one.share[other])} right`;
      const mark = alone && one.answers[other][0]?.[2] === 1 ? " ✓" : "";
      return make("button", { type: "button", click: () => takeStrategy(number, id) }, `${visible(one.name)}: ${told}${mark}`);
    });
    return links.length ? make("div", { class: "elsewhere" }, make("span", { class: "soft" }, "elsewhere"), ...links) : null;
  }

  function answers(q) {
    const [one, all] = [now(), samplesOf(q)];
    const list = make("ol", { class: "answers" });
    const most = Math.max(...one.answers[q].map(([, votes]) => votes), 1);
    const add = (own, text, colour, right, note = "") => {
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
        make("span", { class: "said" }, ...text, right === 1 ? " ✓" : "", note ? make("span", { class: "soft" }, note) : null),
        make("span", { class: "length" }, filled),
        make("span", { class: "number" }, make("b", {}, String(own.length)), ` · ${percent(own.length / all.length)}`),
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
    const more = make("button", { class: "more", type: "button" }, `${plural(rest.length, "more sample")} …`);
    more.addEventListener("click", () => {
      more.remove();
      unfold(place, q, rest);
    });
    place.append(more);
  }

  // An answer with its colour, which leads to its sample.
  function tag(q, s, index) {
    if (s === null) return make("span", { class: "soft" }, `#${index}: not recorded`);
    const [answer, , right] = answerOf(q, s);
    return make(
      "button",
      { class: "tag", type: "button", click: () => take(q, s) },
      make("span", { class: `swatch ${paintOf(q, s)}` }),
      make("span", { class: "soft" }, `#${index}`),
      make("span", { class: "said" }, visible(answer) || "no answer", right === 1 ? " ✓" : ""),
    );
  }

  function card(q, s) {
    const [answer, , right] = answerOf(q, s);
    const streams = streamsOf(q);
    const head = make("div", { class: "head" }, make("b", {}, `#${value("index", s)}`));
    const add = (text, title = null, name = null) => head.append(make("span", { title, class: name }, text));
    if (streams.size > 1) add(`stream ${value("stream", s)}`);
    add(parentsOf(s).length ? "chained" : (stringOf("role", s) ?? "independent"));
    head.append(make("b", { class: "whole" }, visible(answer) || "no answer", right === 1 ? " ✓" : ""));
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
      const sum = prompt === null ? amount(completion, 6) : `${amount(prompt, 6)} + ${amount(completion, 6)}`;
      add(`${sum} tokens`, `prompt + completion${also.join("")}`);
    }
    const cost = value("cost_usd", s);
    const billed = value("billed_usd", s);
    if (cost !== null) add(usd(cost), billed === null ? "list price" : `list price; billed ${usd(billed)}`);
    if (value("latency_s", s) !== null) add(seconds(value("latency_s", s)), "latency");
    if (value("mean_logprob", s) !== null) add(`log-prob. ${amount(value("mean_logprob", s))}`, "mean log-probability of its tokens");
    if (value("picked", s) !== null) add(`pick ${value("picked", s)}`, "when the live run chose it");
    const finish = stringOf("finish", s);
    if (finish) add(visible(finish), "finish reason", finish === "stop" ? null : "wrong-end");
  }

  // What a chained sample was shown: answers, texts on demand, and the path that led to them.
  function shownBefore(q, s, streams) {
    const indices = parentsOf(s);
    if (!indices.length) return [];
    const parents = shownTo(q, s, streams);
    const texts = make("details", {}, make("summary", {}, `shown ${plural(indices.length, "attempt")}: their texts`));
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
              text === null ? make("p", { class: "soft" }, "its text was not kept") : make("pre", { tabindex: "0" }, ...words(text)),
            );
          }),
        ),
      { once: true },
    );
    const own = streams.get(value("stream", s));
    const depth = generations(own);
    const line = [...ancestorsOf(own, s)].sort((a, b) => depth.get(a) - depth.get(b) || a - b);
    const path = make("div", { class: "path" }, make("span", { class: "soft" }, "path"));
    const left = Math.max(line.length - STEPS, 0);
    if (left) path.append(make("span", { class: "soft" }, `${plural(left, "earlier sample")} …`));
    let before = null;
    for (const each of line.slice(left)) {
      if (before !== null && depth.get(each) !== before) path.append(make("span", { class: "then" }, "›"));
      before = depth.get(each);
      path.append(tag(q, each, value("index", each)));
    }
    path.append(make("span", { class: "then" }, "›"), make("b", {}, `#${value("index", s)}`));
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
      const dots = make("div", { class: "dots", role: "group", "aria-label": `samples of stream ${stream}`, keydown: moveInDots });
      let before = 0;
      for (const [index, s] of [...own].slice(0, DOTS)) {
        if (depth.get(s) !== before) dots.append(make("span", { class: "then", "aria-hidden": "true" }, "›"));
        before = depth.get(s);
        const [answer, , right] = answerOf(q, s);
        const label = `#${index}: ${visible(answer) || "no answer"}${right === 1 ? ", right" : ""}`;
        const dot = make("button", {
          class: `dot ${paintOf(q, s)}${parentsOf(s).length ? " chained" : ""}${ui.found(s) ? " found" : ""}`,
          type: "button",
          title: label,
          "aria-label": label,
          tabindex: ui.dots.size ? "-1" : "0",
          click: () => take(q, s),
        });
        ui.dots.set(s, dot);
        dots.append(dot);
      }
      if (own.size > DOTS) dots.append(make("span", { class: "soft" }, `and ${own.size - DOTS} more`));
      return make("div", { class: "stream" }, streams.size > 1 ? make("span", {}, `stream ${stream}`) : null, dots);
    });
    const told = chained
      ? "Round: drawn alone. Square: shown earlier samples; choose one to see which."
      : "Choose one to read it.";
    const found = samplesOf(q).filter(ui.found).length;
    const hits = found ? ` ${plural(found, "sample")} with what is searched for ${found === 1 ? "is" : "are"} underlined.` : "";
    return [make("h3", {}, "Samples in the order drawn"), make("p", { class: "soft" }, told + hits), ...rows, place];
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
    state.sample = s;
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

  // ---------------------------------------------------------------- address and theme

  // A page of its own keeps the question in its address, so that it can be sent to somebody.
  function remember() {
    if (window !== window.top) return;
    const chosen = new URLSearchParams({ strategy: now().name });
    if (state.question !== null) chosen.set("question", idOf(state.question));
    history.replaceState(null, "", `#${chosen}`);
  }

  function recall() {
    const asked = new URLSearchParams(window === window.top ? location.hash.slice(1) : "");
    const number = data.strategies.findIndex((one) => one.name === asked.get("strategy"));
    takeStrategy(Math.max(number, 0), asked.get("question"));
  }

  // In a notebook's frame the page takes the ground on which the notebook stands.
  function followTheme() {
    const frame = window.frameElement;
    if (!frame) return;
    const look = () => {
      let ground = "";
      for (let node = frame.parentElement; node && !ground; node = node.parentElement) {
        const colour = getComputedStyle(node).backgroundColor;
        if (/^rgb\(/.test(colour)) ground = colour;
      }
      const [red, green, blue] = (ground || "rgb(255, 255, 255)").match(/[\d.]+/g).map(Number);
      const isDark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
      document.documentElement.dataset.theme = isDark ? "dark" : "light";
      if (ground) document.documentElement.style.setProperty("--ground", ground);
    };
    const watch = new MutationObserver(() => {
      look();
      setTimeout(look, 500); // a theme's style sheet may come after its name
    });
    const outer = frame.ownerDocument;
    for (const node of [outer.documentElement, outer.body]) watch.observe(node, { attributes: true });
    look();
  }

  try {
    followTheme();
  } catch {
    // a frame of another origin: the reader's own setting decides
  }
  drawFrame();
  recall();
})();
