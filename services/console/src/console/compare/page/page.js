"use strict";
const findings = JSON.parse(document.getElementById("data").textContent);
const body = document.querySelector("#findings tbody");
const kind = document.getElementById("kind");
const search = document.getElementById("search");
let sorted = { key: "worth", down: true };

function cell(row, text) {
  const made = document.createElement("td");
  made.textContent = text ?? "";
  row.append(made);
}

function list(title, pairs) {
  const box = document.createElement("div");
  const heading = document.createElement("strong");
  heading.textContent = title;
  const terms = document.createElement("dl");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    const term = document.createElement("dt");
    term.textContent = name;
    const shown = document.createElement("dd");
    shown.textContent = value;
    terms.append(term, shown);
  }
  box.append(heading, terms);
  return box;
}

function detail(finding) {
  const row = document.createElement("tr");
  row.className = "detail";
  const one = document.createElement("td");
  one.colSpan = 8;
  const text = document.createElement("p");
  text.textContent = finding.text;
  const sides = document.createElement("div");
  sides.className = "sides";
  const book = Object.entries(finding.book).filter(([name]) => name !== "rows");
  for (const [place, values] of finding.book.rows) {
    book.push(["row", place], ...Object.entries(values));
  }
  const ledger = [["transaction", finding.transaction], ["placed by", finding.placed_tx], ...Object.entries(finding.ledger)];
  sides.append(list("The book", book), list("The ledger", ledger));
  one.append(text, sides);
  if (finding.explain) {
    const command = document.createElement("code");
    command.textContent = finding.explain;
    one.append(command);
  }
  row.append(one);
  return row;
}

function toggle(row, finding) {
  const next = row.nextElementSibling;
  const open = next !== null && next.classList.contains("detail");
  row.setAttribute("aria-expanded", String(!open));
  if (open) next.remove();
  else row.after(detail(finding));
}

function compare(first, second) {
  let [a, b] = [first[sorted.key], second[sorted.key]];
  if (a === null || b === null) return (a === null) - (b === null);
  const numbers = [Number(a), Number(b)];
  if (numbers.every((number) => !Number.isNaN(number))) [a, b] = numbers;
  const order = a < b ? -1 : a > b ? 1 : 0;
  return sorted.down ? -order : order;
}

function show() {
  const wanted = search.value.trim().toLowerCase();
  const shown = findings
    .filter((one) => !kind.value || one.kind === kind.value)
    .filter((one) => !wanted || JSON.stringify(one).toLowerCase().includes(wanted))
    .sort(compare);
  body.replaceChildren();
  for (const one of shown) {
    const row = document.createElement("tr");
    row.className = "row";
    row.id = one.id;
    row.tabIndex = 0;
    row.setAttribute("aria-expanded", "false");
    const worth = one.position.length ? `${Number(one.worth).toFixed(6)} ${one.quote_code}` : "";
    const time = (one.time ?? "").replace("T", " ").replace("Z", "");
    const cells = [one.kind.replaceAll("_", " "), one.sequence ?? one.book.order_id, time, one.moved, worth,
      one.distance_bps, one.age_seconds, one.cause ?? one.ledger.status ?? "no such order"];
    for (const text of cells) cell(row, text);
    row.addEventListener("click", () => toggle(row, one));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") toggle(row, one); });
    body.append(row);
  }
  document.getElementById("count").textContent = `${shown.length} of ${findings.length}`;
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    sorted = { key: button.dataset.key, down: sorted.key === button.dataset.key ? !sorted.down : true };
    for (const other of document.querySelectorAll("th button")) other.removeAttribute("aria-sort");
    button.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    show();
  });
}
kind.addEventListener("change", show);
search.addEventListener("input", show);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (!link) return;
  kind.value = search.value = "";
  show();
  const row = document.getElementById(link.getAttribute("href").slice(1));
  if (row) toggle(row, findings.find((one) => one.id === row.id));
});
show();
