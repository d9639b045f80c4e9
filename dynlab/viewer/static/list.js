// The list of questions, a page at a time, and the keys that go through it.

const ROWS = 50; // questions on a page of the list

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
  if (["entropy", "disagreement"].includes(state.sort)) return one[state.sort][q].toFixed(2);
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
  if (!here.length) {
    ui.rows.append(make("li", { class: "nothing" }, "No question passes these filters."));
  }
  const last = Math.max(Math.ceil(shown.length / ROWS) - 1, 0);
  const turn = (step, label, at) =>
    make(
      "button",
      {
        type: "button",
        disabled: at,
        "aria-label": label,
        click: () => turnTo(state.page + step),
      },
      step < 0 ? "‹" : "›",
    );
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
  const steps = {
    ArrowDown: 1,
    j: 1,
    ArrowUp: -1,
    k: -1,
    PageDown: 10,
    PageUp: -10,
    Home: -Infinity,
    End: Infinity,
  };
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
