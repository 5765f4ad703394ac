// A place to drop a picture on, or to choose one. The file goes to the kernel in pieces: a Jupyter
// server closes the connection on a message of more than ten million bytes.
const PIECE = 1000000;

function render({ model, el }) {
  const place = document.createElement("div");
  place.className = "translearn-drop";
  // In command mode JupyterLab takes Enter for itself, which opens the choice of a file here.
  place.dataset.lmSuppressShortcuts = "true";
  const label = document.createElement("label");
  label.append("Drop a picture here, or choose one: ");
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  label.append(input);
  place.append(label);
  el.append(place);

  const send = async (file) => {
    const size = file.size;
    if (size > model.get("largest")) {
      model.send({ name: file.name, size, at: 0, too_large: true });
      return;
    }
    const bytes = await file.arrayBuffer();
    for (let at = 0; at === 0 || at < size; at += PIECE) {
      const piece = bytes.slice(at, at + PIECE);
      model.send({ name: file.name, size, at }, undefined, [piece]);
    }
  };
  const over = (event) => {
    event.preventDefault();
    event.stopPropagation();
    place.classList.toggle("over", event.type === "dragenter" || event.type === "dragover");
  };
  for (const kind of ["dragenter", "dragover", "dragleave"]) place.addEventListener(kind, over);
  place.addEventListener("drop", (event) => {
    over(event);
    const [file] = event.dataTransfer.files;
    if (file) send(file);
    else model.send({ name: "", size: 0, at: 0 });
  });
  input.addEventListener("change", () => {
    if (input.files.length) send(input.files[0]);
    input.value = ""; // the same file can be chosen again
  });
}

export default { render };
