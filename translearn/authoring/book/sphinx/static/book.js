// Moves the explorers of a page, keeps bets in this browser, and counts guesses. What is said comes
// with the page, so that a translation reaches it. No library, no request but for pictures.
"use strict";

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const dataOf = (box) => JSON.parse(box.querySelector('script[type="application/json"]').textContent);

function explorer(figure) {
  const data = dataOf(figure);
  const controls = [...figure.querySelectorAll("input, select")];
  const image = figure.querySelector("img");
  const frame = figure.querySelector(".tl-picture");
  const caption = figure.querySelector("figcaption");
  const place = (control) =>
    control.tagName === "SELECT" ? control.selectedIndex : Number(control.value);
  const put = (control, at) => {
    if (control.tagName === "SELECT") control.selectedIndex = at;
    else control.value = at;
  };

  const show = () => {
    const at = controls.map(place);
    const [picture, alt] = data.points[at.join(",")];
    const told = at.map((one, n) => `${data.labels[n]}: ${data.values[n][one]}`).join(", ");
    controls.forEach((control, n) => {
      if (control.tagName === "SELECT") return;
      const value = data.values[n][at[n]];
      control.setAttribute("aria-valuetext", value);
      control.parentElement.querySelector("output").textContent = value;
    });
    image.src = data.folder + picture;
    image.alt = alt;
    frame.setAttribute("aria-label", told);
    caption.textContent = fill(data.drawn, { values: told });
  };
  controls.forEach((control, moved) =>
    control.addEventListener("input", () => {
      // Where not every combination was drawn, the other controls go back to their start.
      if (!data.whole)
        controls.forEach((other, n) => n === moved || put(other, data.start[n]));
      show();
    }),
  );

  // The other pictures are fetched when the explorer is first seen, so that moving it is smooth.
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    for (const name of new Set(Object.values(data.points).map((point) => point[0])))
      new Image().src = data.folder + name;
  });
  seen.observe(figure);
}

// A book opened from disk may have no storage: then a bet lives as long as the page.
const kept = new Map();
const remember = (key, value) => {
  kept.set(key, value);
  try {
    localStorage.setItem(key, value);
  } catch {}
};
const remembered = (key) => {
  try {
    return localStorage.getItem(key) ?? kept.get(key) ?? null;
  } catch {
    return kept.get(key) ?? null;
  }
};
const amount = (value, bet) => `${Number(value).toFixed(bet.digits)} ${bet.unit}`;

function bet(box) {
  const data = dataOf(box);
  const [slider, said] = [box.querySelector("input"), box.querySelector("[role=status]")];
  const key = `translearn-bet-${data.key}`;
  const show = () => {
    box.querySelector("output").textContent = amount(slider.value, data);
    slider.setAttribute("aria-valuetext", amount(slider.value, data));
    const placed = remembered(key);
    said.textContent =
      placed === null
        ? data.words.none
        : fill(data.words.placed, { bet: amount(placed, data) });
  };
  if (remembered(key) !== null) slider.value = remembered(key);
  slider.addEventListener("input", show);
  box.querySelector("button").addEventListener("click", () => {
    remember(key, slider.value);
    show();
    document.dispatchEvent(new CustomEvent("translearn-bet"));
  });
  show();
}

function settled(box) {
  const data = dataOf(box);
  const summary = box.querySelector("summary");
  const show = () => {
    const placed = remembered(`translearn-bet-${data.key}`);
    if (placed === null) return;
    const unit = data.unit === "%" ? data.words.points : data.unit;
    const off = `${Math.abs(placed - data.measured).toFixed(data.digits)} ${unit}`;
    box.querySelector("[role=status]").textContent = fill(data.words.off, {
      bet: amount(placed, data),
      off,
    });
    summary.textContent = fill(data.words.placed, { bet: amount(placed, data) }).split(".")[0];
    box.open = true;
  };
  document.addEventListener("translearn-bet", show);
  show();
}

function guesses(box) {
  const data = dataOf(box);
  const bytes = Uint8Array.from(atob(data.veiled), (one) => one.charCodeAt(0));
  const truth = JSON.parse(new TextDecoder().decode(bytes));
  const menus = [...box.querySelectorAll("select")];
  const said = box.querySelector("[role=status]");
  box.querySelector("button").addEventListener("click", () => {
    const rows = menus.map((menu, n) => [data.names[n], menu.value, truth[data.names[n]]]);
    const right = rows.filter(([, guess, answer]) => guess === answer).length;
    const head = document.createElement("b");
    head.textContent = fill(data.words.right, { right, all: rows.length });
    const list = document.createElement("ul");
    for (const [name, guess, answer] of rows) {
      const line = document.createElement("li");
      const mark = guess === answer ? "✓" : "✗";
      line.textContent = `${mark} ${fill(data.words.said, { name, said: guess, truth: answer })}`;
      list.append(line);
    }
    said.replaceChildren(head, list);
  });
}

function begin() {
  document.querySelectorAll("figure.tl-explorer").forEach(explorer);
  document.querySelectorAll(".tl-bet").forEach(bet);
  document.querySelectorAll(".tl-settled").forEach(settled);
  document.querySelectorAll(".tl-guesses").forEach(guesses);
}
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
