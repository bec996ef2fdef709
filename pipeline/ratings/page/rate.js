// One pair after another: texts go in as text, never as markup, and the focus goes to each new pair.
"use strict";

const KEYS = { 1: "left", 2: "right", 0: "tie", s: "skip" };
const at = (id) => document.getElementById(id);
const buttons = () => document.querySelectorAll("button");
let number = null;
let waits = false;

async function ask(what, body) {
  if (waits) return;
  waits = true;
  buttons().forEach((button) => { button.disabled = true; });
  try {
    const post = { method: "POST", headers: { "Content-Type": "application/json" } };
    const answer = await fetch(what, body ? { ...post, body: JSON.stringify(body) } : {});
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    at("trouble").textContent = "";
    return said;
  } catch (error) {
    const gone = error instanceof TypeError;
    at("trouble").textContent = gone
      ? "Not saved: the command in the terminal does not answer. Start it again; what was voted before is kept."
      : `Not saved: ${error.message}`;
  } finally {
    waits = false;
    buttons().forEach((button) => { button.disabled = false; });
  }
}

async function show(said) {
  if (!said) return;
  if (said.over) return tell();
  number = said.number;
  at("progress").textContent = `Pair ${said.done + 1} of ${said.total}`;
  at("genre").textContent = said.genre;
  at("prompt").textContent = said.prompt;
  at("about").hidden = !said.genre && !said.prompt;
  for (const side of ["left", "right"]) at(side).textContent = said[side] || "(nothing)";
  at("pair").hidden = false;
  scrollTo(0, 0);
  at("question").focus({ preventScroll: true });
}

async function vote(choice) {
  if (number !== null && !at("pair").hidden) show(await ask("vote", { number, choice }));
}

async function tell() {
  const said = await ask("tally", {});
  if (!said) return;
  number = null;
  at("pair").hidden = true;
  at("progress").textContent = "The blind part is over.";
  at("sentence").textContent = said.sentence;
  at("notes").replaceChildren(...said.notes.map((note) => element("p", note)));
  const [head, body] = document.querySelectorAll("#tally thead, #tally tbody");
  head.replaceChildren(row(said.columns, "th"));
  body.replaceChildren(...said.rows.map((cells) => row(cells, "td")));
  at("tally").hidden = false;
  at("tally-title").focus();
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function row(cells, name) {
  const made = document.createElement("tr");
  made.append(...cells.map((cell, place) => {
    const shown = element(place ? name : "th", cell);
    if (place) shown.className = "n";
    shown.scope = name === "th" ? "col" : place ? "" : "row";
    return shown;
  }));
  return made;
}

document.querySelectorAll("[data-choice]").forEach((button) => {
  button.addEventListener("click", () => vote(button.dataset.choice));
});
at("end").addEventListener("click", tell);
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const choice = KEYS[event.key.toLowerCase()];
  if (choice) vote(choice);
});
ask("next").then(show);
