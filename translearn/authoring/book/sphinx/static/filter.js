// The page "What we measured": shows only what contains the words of the field.
(() => {
  const field = document.getElementById("filter");
  const said = document.getElementById("filtered");
  if (!field) return;
  const rows = [...document.querySelectorAll(".experiment tbody tr, .experiment li")];
  const holds = (part, words) => {
    const text = part.textContent.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      // What is said of an experiment is said of all its claims.
      const head = row.matches("tr") && row.closest(".experiment").querySelector("p");
      row.hidden = !(holds(row, words) || (head && words.length && holds(head, words)));
      shown += !row.hidden;
    }
    for (const group of document.querySelectorAll(".experiment"))
      group.hidden = !group.querySelector("tbody tr:not([hidden]), li:not([hidden])");
    for (const section of document.querySelectorAll("article section section"))
      section.hidden = !section.querySelector("tbody tr:not([hidden]), li:not([hidden])");
    said.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  field.addEventListener("input", show);
  show();
})();
