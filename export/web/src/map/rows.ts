// A table that keeps its rows while their values change, so that the row somebody reads or points at stays. Many rows are added in
// batches; finish adds the missing ones at once.
import { update, h } from "../dom";

// Row is one row. Its cells are made when it is new and when its state changes.
export interface Row {
  key: string; // of the button in front
  name: string; // on it
  state: string;
  cells(): string[];
}

export interface Rows {
  readonly element: HTMLElement;
  show(caption: string, columns: readonly string[], rows: readonly Row[], none: string): void;
  finish(): void;
}

const batchSize = 400; // rows; they take a busy phone about 50 ms
const batchDelay = 50; // milliseconds between batches

export function rows(): Rows {
  const shown = new Map<string, { row: HTMLTableRowElement; state: string }>();
  const caption = h("caption", {});
  const columns = h("tr", {});
  const body = h("tbody", {});
  const table = h("div", { class: "scroll", tabindex: "0", role: "region" }, h("table", {}, caption, h("thead", {}, columns), body));
  const element = h("div", {});
  let all: readonly Row[] = [];
  let later = 0;

  // insert puts the rows into order and adds at most so many new ones.
  function insert(most: number): void {
    clearTimeout(later);
    let next = body.firstElementChild;
    for (const r of all) {
      let had = shown.get(r.key);
      if (!had && most-- <= 0) return void (later = window.setTimeout(() => insert(batchSize), batchDelay));
      if (!had) shown.set(r.key, (had = { row: newRow(r), state: "" }));
      if (had.state !== r.state) updateRow(had.row, r.cells());
      had.state = r.state;
      if (had.row === next) next = next.nextElementSibling;
      else body.insertBefore(had.row, next);
    }
  }

  function removeOthers(): void {
    const here = new Set(all.map((r) => r.key));
    for (const [key, { row }] of shown) {
      if (here.has(key)) continue;
      row.remove();
      shown.delete(key);
    }
  }

  return {
    element,
    show(title, names, list, none) {
      all = list;
      removeOthers();
      if (list.length === 0) return element.replaceChildren(h("p", {}, h("strong", {}, title), `: ${none}`));
      caption.textContent = title;
      table.setAttribute("aria-label", title);
      update(columns, ...names.map((n) => h("th", { scope: "col" }, n)));
      if (!element.contains(table)) element.replaceChildren(table);
      insert(batchSize);
    },
    finish: () => insert(Infinity),
  };
}

const newRow = (r: Row): HTMLTableRowElement =>
  h("tr", {}, h("th", { scope: "row" }, h("button", { type: "button", class: "link", "data-key": r.key }, r.name)));

// updateRow changes the cells of a row that differ.
function updateRow(row: HTMLTableRowElement, cells: readonly string[]): void {
  cells.forEach((text, i) => {
    const cell = row.cells[i + 1] ?? row.appendChild(h("td", {}));
    if (cell.textContent !== text) cell.textContent = text;
  });
  while (row.cells.length > cells.length + 1) row.deleteCell(-1);
}
