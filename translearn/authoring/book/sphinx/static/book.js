// Explorers, bets and guesses: see translearn/authoring/book/explorers.py, which writes their HTML.

"use strict";

(() => {
  const told = (box) => JSON.parse(box.querySelector("script[type='application/json']").textContent);
  const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function explorer(box) {
    const { whole, controls, points, url, words } = told(box);
    const fields = [...box.querySelectorAll("input, select")];
    const picture = box.querySelector("img");
    const caption = box.querySelector("figcaption");
    const asked = new Map();

    const ask = ({ picture: file }) => {
      if (asked.has(file)) return;
      asked.set(file, new Image());
      asked.get(file).src = url + file;
    };
    // Where all controls stand once the one at `moved` stands at `value`.
    const after = (moved, value) =>
      fields.map((field, at) => {
        if (at === moved) return Number(value);
        return whole ? Number(field.value) : controls[at].start;
      });
    const askNeighbours = () => {
      fields.forEach((field, at) => {
        for (const step of [-1, 1]) {
          const next = points[after(at, Number(field.value) + step).join(",")];
          if (next) ask(next);
        }
      });
    };

    function draw(places) {
      const point = points[places.join(",")];
      const said = fields.map((field, at) => {
        const value = controls[at].values[places[at]];
        if (field.type === "range") {
          field.setAttribute("aria-valuetext", value);
          field.nextElementSibling.textContent = value;
        }
        return fill(words.value, { label: controls[at].label, value });
      });
      picture.src = url + point.picture;
      picture.alt = point.alt;
      // Seen: the values. Read out: what the figure shows now, too.
      const heard = document.createElement("span");
      heard.className = "only-heard";
      heard.textContent = ` ${point.alt}`;
      caption.replaceChildren(fill(words.drawn, { values: said.join(words.and) }), heard);
    }

    function show(moved) {
      const places = after(moved, fields[moved].value);
      fields.forEach((field, at) => {
        if (at !== moved) field.value = places[at];
      });
      draw(places);
      askNeighbours();
    }

    fields.forEach((field, at) => field.addEventListener("input", () => show(at)));
    // Paper shows where it starts, which is what the text around it speaks of.
    addEventListener("beforeprint", () => draw(controls.map((control) => control.start)));
    addEventListener("afterprint", () => draw(fields.map((field) => field.value)));

    // Seen: the pictures one step away. Taken in hand: all.
    new IntersectionObserver((seen, observer) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      observer.disconnect();
      askNeighbours();
    }).observe(box);
    for (const use of ["pointerdown", "keydown"]) {
      const askAll = () => Object.values(points).forEach(ask);
      box.addEventListener(use, askAll, { once: true });
    }
  }

  // ---- Bets: kept in this browser, under one name for all pages ----

  const KEPT = "translearn-bets";
  const bets = {};
  try {
    for (const [key, value] of Object.entries(JSON.parse(localStorage.getItem(KEPT)) || {})) {
      if (Number.isFinite(value)) bets[key] = value;
    }
  } catch (blocked) {} // then they last as long as the page

  const amount = (value, digits, unit) => `${Number(value).toFixed(digits)} ${unit}`;

  function bet(box) {
    const { key, unit, digits, yours } = told(box);
    const slider = box.querySelector("input");
    const status = box.querySelector("[role=status]");
    const show = () => {
      const text = amount(slider.value, digits, unit);
      slider.setAttribute("aria-valuetext", text);
      slider.nextElementSibling.textContent = text;
    };
    const placed = () => {
      status.textContent = fill(yours, { bet: amount(bets[key], digits, unit) });
    };
    slider.addEventListener("input", show);
    box.querySelector("button").addEventListener("click", () => {
      bets[key] = Number(slider.value);
      try {
        localStorage.setItem(KEPT, JSON.stringify(bets));
      } catch (blocked) {}
      placed();
      document.dispatchEvent(new Event("translearn-bet"));
    });
    if (key in bets) {
      slider.value = bets[key];
      placed();
    }
    show();
  }

  function settled(box) {
    const { key, unit, digits, measured, off, points } = told(box);
    const folded = box.querySelector("details");
    const show = () => {
      if (!(key in bets)) return;
      if (folded.isConnected) folded.replaceWith(folded.querySelector("p"));
      box.querySelector("[role=status]").textContent = fill(off, {
        bet: amount(bets[key], digits, unit),
        off: amount(Math.abs(bets[key] - measured), digits, points),
      });
    };
    document.addEventListener("translearn-bet", show);
    show();
  }

  function guesses(box) {
    const { hidden, right, said, "no guess": none } = told(box);
    const bytes = Uint8Array.from(atob(hidden), (one) => one.charCodeAt(0));
    const truth = JSON.parse(new TextDecoder().decode(bytes));
    const fields = [...box.querySelectorAll("select")];
    const status = box.querySelector("[role=status]");
    box.querySelector("button").addEventListener("click", () => {
      if (fields.every((field) => field.selectedIndex === 0)) {
        status.textContent = none;
        return;
      }
      const names = Object.keys(truth);
      const hits = names.filter((name, at) => fields[at].value === truth[name]).length;
      const head = document.createElement("b");
      head.textContent = fill(right, { right: hits, all: names.length });
      const list = document.createElement("ul");
      names.forEach((name, at) => {
        const line = document.createElement("li");
        const mark = fields[at].value === truth[name] ? "✓" : "✗";
        const values = { name, mark, said: fields[at].value, answer: truth[name] };
        line.textContent = fill(said, values);
        list.append(line);
      });
      status.replaceChildren(head, list);
    });
  }

  // What is wider than its place scrolls sideways: by keyboard too, where it is so.
  function reach() {
    const wide = ".cell_output, .cell_output div[style*='overflow-x'], .formula, .pst-scrollable-table-container";
    for (const box of document.querySelectorAll(wide)) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // Paper unfolds nothing: hints, solutions and code stand open on it.
  function unfoldOnPaper() {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      for (const fold of opened) fold.open = true;
    });
    addEventListener("afterprint", () => {
      for (const fold of opened) fold.open = false;
    });
  }

  function start() {
    unfoldOnPaper();
    const kinds = { explorer, bet, settled, guesses };
    for (const [name, begin] of Object.entries(kinds)) {
      document.querySelectorAll(`.${name}`).forEach(begin);
    }
    new ResizeObserver(reach).observe(document.body);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
