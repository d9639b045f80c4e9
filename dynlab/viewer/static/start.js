// The address, the theme of a notebook around the page, and the first drawing.

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
