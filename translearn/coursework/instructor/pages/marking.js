// Keys for the marking page. Nothing here is needed: the page works without it.
"use strict";
(() => {
  const form = document.getElementById("rubric"), id = (name) => document.getElementById(name);
  const undo = id("undo"), keep = (store, name, value) => {
    try {
      if (value === undefined) return store.getItem(name);
      store.setItem(name, value);
    } catch { /* a browser that keeps nothing */ }
  };
  if (!form) {
    addEventListener("keydown", (event) => {
      if (event.key === "u" && undo && !event.ctrlKey && !event.metaKey && !event.altKey) undo.click();
    });
    return;
  }
  const sets = [...form.querySelectorAll("fieldset")], comment = id("comment"), keys = id("keys");
  const radios = (set) => [...set.querySelectorAll("input")];
  const open = () => sets.filter((set) => !radios(set).some((radio) => radio.checked));
  const state = () => [...new FormData(form)].join("\n");
  const before = state();
  let leaving = null;
  const say = (text) => { id("said").textContent = text; };

  id("help").hidden = false;
  document.body.classList.add("scripted");
  keys.checked = keep(localStorage, "marking-keys") !== "off";
  const shown = () => document.body.classList.toggle("keys", keys.checked);
  keys.addEventListener("change", () => { keep(localStorage, "marking-keys", keys.checked ? "on" : "off"); shown(); });
  shown();
  for (const name of ["spread", "bank"]) { // as they were left at the last answer
    const kept = keep(sessionStorage, name);
    if (kept) id(name).open = kept === "open";
    id(name).addEventListener("toggle", () => keep(sessionStorage, name, id(name).open ? "open" : "shut"));
  }

  const save = () => form.requestSubmit(form.querySelector("button:not([name])"));
  const leave = (link) => {
    if (state() !== before && leaving !== link) {
      leaving = link;
      say("What you chose or wrote here is not saved. Press the key again to leave it.");
    } else link.click();
  };
  const next = () => {
    if (!open().length) save();
    else if (state() === before) id("skip").click();
    else {
      say("Not saved yet: " + open()[0].querySelector("legend").textContent + " has no level.");
      radios(open()[0])[0].focus();
    }
  };
  const choose = (digit) => {
    const set = document.activeElement.closest("fieldset") || open()[0];
    if (!set) return say("Every criterion has a level. Go to one with Shift+Tab to change it.");
    const radio = radios(set)[digit - 1];
    if (!radio) return say("There is no level " + digit + " here.");
    radio.checked = true;
    say("");
    const later = sets[sets.indexOf(set) + 1];
    if (later) (radios(later).find((each) => each.checked) || radios(later)[0]).focus();
    else form.querySelector("button:not([name])").focus();
  };
  const acts = {
    n: next,
    p: () => leave(id("back")),
    l: () => leave(id("list")),
    c: () => comment.focus(),
    u: () => undo && leave(undo),
    "?": () => { id("help").open = !id("help").open; },
  };
  addEventListener("keydown", (event) => {
    const at = document.activeElement;
    const writes = at.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
    if (event.key === "Escape" && writes) return at.blur();
    if (writes || !keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (/^[1-9]$/.test(event.key)) choose(+event.key);
    else if (event.key === "Enter" && at === document.body) next();
    else if (Object.hasOwn(acts, event.key)) acts[event.key]();
    else return;
    event.preventDefault();
  });

  addEventListener("click", (event) => {
    const use = event.target.closest(".bank button"), line = event.target.closest(".code .no");
    if (use) { // here at once, where without a script the page is sent for
      event.preventDefault();
      comment.value = [comment.value.trim(), use.textContent].filter(Boolean).join("\n");
      comment.focus();
    } else if (line) {
      const on = id("on-" + line.closest(".code").dataset.cell);
      on.open = true;
      on.querySelector("input").value = line.textContent;
      on.querySelector("textarea").focus();
    }
  });
})();
