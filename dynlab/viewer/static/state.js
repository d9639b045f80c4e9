// What the page shows: the recording as it came, and where the reader is.
// The files of this folder are one module, in the order of `samples_page.SCRIPTS`.

const data = JSON.parse(document.getElementById("data").textContent);
const root = document.getElementById("viewer");

const state = {
  strategy: 0,
  standing: "", // '' = all
  unanswered: false, // only questions with samples that have no answer
  sort: "",
  turned: false,
  needle: "",
  page: 0,
  question: null, // of the strategy
};
const ui = {};
let shown = []; // questions that pass the filters, in order
