// The head of the page: strategies, search, order, filters.

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
  const keys = { "↑ ↓": "questions", Enter: "open", Esc: "back", "/": "search" };
  for (const [key, does] of Object.entries(keys)) hint.append(make("kbd", {}, key), ` ${does}  `);
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
    ...sorts().map(([name, label]) => make("option", { value: name }, label)),
  );
  ui.sort.value = state.sort;
  ui.turn.setAttribute("aria-pressed", String(state.turned));
  const add = (label, count, pressed, title, change) => {
    const click = () => {
      change();
      refresh();
    };
    const given = { class: "chip", type: "button", "aria-pressed": String(pressed), title, click };
    ui.chips.append(make("button", given, label, " ", make("b", {}, String(count))));
  };
  ui.chips.replaceChildren();
  for (const [name, meaning] of [["", "every question"], ...now().standings]) {
    const [count, chosen] = [ui.counts.get(name) ?? 0, state.standing === name];
    const label = name ? STANDINGS[name][0] : "all";
    if (count || chosen || !name) add(label, count, chosen, meaning, () => (state.standing = name));
  }
  if (ui.unanswered || state.unanswered) {
    const turn = () => (state.unanswered = !state.unanswered);
    const label = "with samples without an answer";
    add(label, ui.unanswered, state.unanswered, "a further filter", turn);
  }
}
