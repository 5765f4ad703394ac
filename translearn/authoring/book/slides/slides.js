// A lesson's slides: reveal.js with what a lesson needs beside it.

"use strict";

// What moves by keys itself keeps them: sliders, menus, answers, and boxes that scroll.
const OWN = "input, select, textarea, button, summary, label";
const UP_AND_DOWN = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "];

function forSlides(event) {
  if (["Escape", "F11"].includes(event.key)) return true;
  if (event.target.closest(OWN)) return false;
  return !(event.target.closest("[tabindex]") && UP_AND_DOWN.includes(event.key));
}

function isOver(box) {
  return box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1;
}

// A box that is higher than its place can be reached with the Tab key, and then scrolled with the
// arrow keys.
function mark(slide) {
  for (const box of slide.querySelectorAll(".scrolls, .body")) {
    if (isOver(box)) {
      Object.assign(box, { tabIndex: 0, role: "region", ariaLabel: box.dataset.label || "slide" });
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}

// On paper nothing scrolls: it is drawn smaller, in steps, since boxes share the room.
function shrink() {
  for (let step = 0; step < 8; step++) {
    for (const box of [...document.querySelectorAll(".scrolls, .body")].filter(isOver)) {
      const high = box.clientHeight / box.scrollHeight;
      const share = 0.98 * Math.min(high, box.clientWidth / box.scrollWidth);
      for (const one of box.children) one.style.zoom = share * (one.style.zoom || 1);
    }
  }
}

function turn() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.mode = localStorage.theme = root.dataset.theme;
  } catch (blocked) {} // nothing is kept then
}

// A print does not wait for pictures that nobody has scrolled to.
if (location.search.includes("print-pdf")) {
  for (const picture of document.images) picture.loading = "eager";
}

Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  minScale: 0.1,
  maxScale: 6,
  center: false,
  hash: true,
  history: false,
  slideNumber: "c/t",
  transition: "none",
  backgroundTransition: "none",
  scrollActivationWidth: null,
  pdfMaxPagesPerSlide: 1,
  pdfSeparateFragments: false,
  keyboardCondition: forSlides,
  plugins: [RevealNotes],
});
Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, turn);
Reveal.on("ready", () => mark(Reveal.getCurrentSlide()));
Reveal.on("pdf-ready", shrink);
Reveal.on("slidechanged", (event) => {
  document.activeElement.blur(); // else a slider of the last slide would go on taking the keys
  mark(event.currentSlide);
});
document.getElementById("theme").addEventListener("click", turn);
document.getElementById("overview").addEventListener("click", () => Reveal.toggleOverview());
