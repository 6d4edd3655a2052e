// Filters and sorts the table of units, and shows only the cards of those that are left.
(() => {
  "use strict";
  const body = document.querySelector("#units tbody");
  const rows = [...body.rows];
  const values = new Map(rows.map((row) => [row, JSON.parse(row.dataset.values)]));
  const cards = new Map(rows.map((row) => [row, document.getElementById(row.dataset.unit)]));
  const texts = new Map(rows.map((row) => [row, (row.textContent + " " + row.dataset.words).toLowerCase()]));
  const search = document.getElementById("search");
  const selects = [...document.querySelectorAll("select[data-filter]")];
  const chips = [...document.querySelectorAll("button.chip")];
  const ranges = document.getElementById("ranges");
  const shown = document.getElementById("shown");

  const limits = () =>
    [...ranges.querySelectorAll(".range")].map((range) => {
      const [low, high] = [...range.querySelectorAll("input")].map((input) => input.valueAsNumber);
      return { name: range.dataset.name, low: Number.isNaN(low) ? -Infinity : low, high: Number.isNaN(high) ? Infinity : high };
    });

  function apply() {
    const on = new Set(chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.verdict));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const bounds = limits();
    let count = 0;
    for (const row of rows) {
      const fits =
        on.has(row.dataset.verdict) &&
        selects.every((select) => !select.value || row.dataset[select.dataset.filter] === select.value) &&
        words.every((word) => texts.get(row).includes(word)) &&
        bounds.every(({ name, low, high }) => {
          const value = values.get(row)[name];
          return value !== undefined && value >= low && value <= high;
        });
      row.hidden = !fits;
      cards.get(row).hidden = !fits;
      count += fits;
    }
    shown.textContent = count === rows.length ? `all ${count}` : `${count} of ${rows.length}`;
    document.getElementById("nothing").hidden = count > 0;
  }

  function addRange(name) {
    const option = [...document.querySelectorAll("#add option")].find((o) => o.value === name);
    const range = document.createElement("span");
    range.className = "range";
    range.dataset.name = name;
    const label = document.createElement("b");
    label.textContent = name.replace(/^p\./, "");
    range.append(label);
    for (const side of ["low", "high"]) {
      const input = document.createElement("input");
      input.type = "number";
      input.step = "any";
      input.placeholder = option.dataset[side];
      input.title = side === "low" ? "at least" : "at most";
      input.setAttribute("aria-label", `${label.textContent}, ${input.title}`);
      input.addEventListener("input", apply);
      range.append(side === "low" ? "from " : " to ", input);
    }
    const close = document.createElement("button");
    close.textContent = "×";
    close.title = "remove this range";
    close.addEventListener("click", () => { range.remove(); apply(); });
    range.append(close);
    ranges.append(range);
    range.querySelector("input").focus();
    apply();
  }

  function sortBy(header) {
    const index = header.cellIndex;
    const up = header.getAttribute("aria-sort") !== "ascending";
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => {
      const cell = row.cells[index];
      const text = cell.dataset.sort ?? cell.textContent.trim();
      return text === "" ? null : Number.isNaN(Number(text)) ? text.toLowerCase() : Number(text);
    };
    // What does not exist comes last either way.
    const sorted = [...rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
    });
    body.append(...sorted);
    document.getElementById("cards").append(...sorted.map((row) => cards.get(row)));
  }

  function open(id) {
    const card = document.getElementById(id);
    if (card && card.tagName === "DETAILS") { card.open = true; card.scrollIntoView(); }
  }

  for (const chip of chips)
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  for (const select of selects) select.addEventListener("change", apply);
  search.addEventListener("input", apply);
  const add = document.getElementById("add");
  if (add) add.addEventListener("change", () => { if (add.value) addRange(add.value); add.value = ""; });
  document.getElementById("reset").addEventListener("click", () => {
    search.value = "";
    ranges.replaceChildren();
    for (const select of selects) select.value = "";
    for (const chip of chips) chip.setAttribute("aria-pressed", "true");
    apply();
  });
  for (const header of document.querySelectorAll("#units th button")) header.addEventListener("click", () => sortBy(header.parentNode));
  for (const row of rows)
    row.addEventListener("click", (event) => {
      if (!event.target.closest("a")) { location.hash = row.dataset.unit; open(row.dataset.unit); }
    });
  addEventListener("hashchange", () => open(decodeURIComponent(location.hash.slice(1))));
  document.body.classList.add("scripted");
  apply();
  open(decodeURIComponent(location.hash.slice(1)));
})();
