// Words, numbers and nodes. Whatever a recording holds goes into the page as text: nodes are made
// by `make`, and markup is parsed nowhere.

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

const soft = (...children) => make("span", { class: "soft" }, ...children);

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
