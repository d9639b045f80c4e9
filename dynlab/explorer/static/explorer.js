// The explorer's panels: the kernel sends their HTML, this puts it in place and keeps what the
// reader did: which texts are unfolded, which policies are picked out.

const AREAS = ["status", "savings", "curves", "spending", "vote", "words", "code"];
const IN_GRID = new Set(["curves", "spending", "vote", "words"]);

function render({ model, el }) {
  el.classList.add("dl-views");
  const grid = document.createElement("div");
  grid.className = "dl-panels";
  const areas = {};
  for (const name of AREAS) {
    areas[name] = document.createElement("div");
    areas[name].className = `dl-area dl-area-${name}`;
    if (name === "curves") el.append(grid);
    (IN_GRID.has(name) ? grid : el).append(areas[name]);
  }
  const unfolded = new Set();
  let picked = null; // null: those that the kernel picked out

  function show(name) {
    areas[name].innerHTML = model.get(name);
    for (const fold of areas[name].querySelectorAll("details[data-fold]")) {
      fold.open = unfolded.has(fold.dataset.fold);
    }
    pickOut();
  }

  function pickOut() {
    if (picked === null) return;
    for (const each of el.querySelectorAll("[data-policy]")) {
      const strong = picked.has(each.dataset.policy);
      each.classList.toggle("dl-strong", strong);
      if (each.hasAttribute("aria-pressed")) each.setAttribute("aria-pressed", strong);
    }
  }

  function pick(card) {
    if (picked === null) {
      const strong = el.querySelectorAll("[data-policy].dl-strong");
      picked = new Set([...strong].map((each) => each.dataset.policy));
    }
    const policy = card.dataset.policy;
    if (!picked.delete(policy)) picked.add(policy);
    pickOut();
  }

  async function copy(button) {
    const code = button.parentNode.querySelector("code");
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // a page that is neither local nor served by https has no clipboard
      button.textContent = "Selected: copy it by Ctrl+C";
    }
  }

  el.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy], button[data-policy]");
    if (button?.hasAttribute("data-copy")) copy(button);
    else if (button) pick(button);
  });
  // toggle does not bubble, so it is listened to on its way down
  el.addEventListener(
    "toggle",
    ({ target }) => {
      if (target.open) unfolded.add(target.dataset.fold);
      else unfolded.delete(target.dataset.fold);
    },
    true,
  );
  for (const name of AREAS) {
    show(name);
    model.on(`change:${name}`, () => show(name));
  }

  const watch = new MutationObserver(finishControls);
  let root = null;

  // Sliders have labels, but nothing tells a screen reader whose they are; the boxes of policies
  // are marked with the colours of their curves.
  function finishControls() {
    for (const row of root.querySelectorAll(".widget-inline-hbox")) {
      const label = row.querySelector(":scope > label");
      const handle = row.querySelector("[role=slider]");
      if (label && handle) handle.setAttribute("aria-label", label.textContent);
    }
    const colours = model.get("colours");
    root.querySelectorAll(".dl-ticks > *").forEach((box, number) => {
      box.style.setProperty("--dl-of", colours[number] ?? "transparent");
    });
  }

  // the panels are drawn before they are put beside the controls
  let frame = requestAnimationFrame(function join() {
    root = el.closest(".dynlab");
    if (!root) {
      frame = requestAnimationFrame(join);
      return;
    }
    finishControls();
    model.on("change:colours", finishControls);
    const controls = root.querySelector(".dl-controls");
    watch.observe(controls, { childList: true, characterData: true, subtree: true });
  });
  return () => {
    cancelAnimationFrame(frame);
    watch.disconnect();
  };
}

export default { render };
