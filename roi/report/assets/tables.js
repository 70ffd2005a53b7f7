// Every table sorts by a click on a column's head: up, down, and back to the order it came in.
"use strict";

(() => {
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const BLANK = /^[-–—]?$/;
  const DATE = /^\d{4}-\d{2}-\d{2}/;
  // A figure with what may follow it: the end, a space, a sign, or a short unit. "0000-node" is a name.
  const FIGURE = /^[~≈<>≤≥±$€£¥\s]*([+-]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?)(?=$|[\s%‰×[(/;,]|[a-zµ]{1,4}(?:$|\s))/i;
  const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

  // Notes stand below what a cell says, in <small>, and do not count.
  const textOf = (cell) => {
    if (!cell) return "";
    const copy = cell.cloneNode(true);
    for (const note of copy.querySelectorAll("small")) note.remove();
    return copy.textContent.trim().replaceAll("−", "-");
  };

  const figureOf = (text) => {
    const found = DATE.test(text) ? null : FIGURE.exec(text);
    return found ? Number(found[1].replaceAll(",", "")) : null;
  };

  const compare = (one, other, numeric) => (numeric ? one - other : collator.compare(one, other));

  // What has no value stands last, whichever way the rest is sorted.
  const sorted = (rows, column, direction) => {
    const texts = rows.map((row) => textOf(row.cells[column]));
    const told = texts.filter((text) => !BLANK.test(text));
    const numeric = told.filter((text) => figureOf(text) !== null).length * 2 > told.length;
    const keys = texts.map((text) => (BLANK.test(text) ? null : numeric ? figureOf(text) : text));
    const sign = direction === "ascending" ? 1 : -1;
    return rows
      .map((row, place) => ({ row, place, key: keys[place] }))
      .sort((one, other) => {
        if (one.key === null || other.key === null) return (one.key === null) - (other.key === null) || one.place - other.place;
        return sign * compare(one.key, other.key, numeric) || one.place - other.place;
      })
      .map(({ row }) => row);
  };

  // A table may have several bodies, each under a row that is its heading; every body is sorted by itself.
  const makeSortable = (table) => {
    const heads = [...(table.tHead?.rows[0].cells ?? [])];
    const bodies = [...table.tBodies].map((body) => ({
      body,
      rows: [...body.rows].filter((row) => row.cells.length === heads.length),
    }));
    if (bodies.every(({ rows }) => rows.length < 2)) return;

    heads.forEach((head, column) => {
      if (!head.textContent.trim() || "unsorted" in head.dataset) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const direction = NEXT[head.getAttribute("aria-sort") ?? "none"];
        for (const other of heads) other.removeAttribute("aria-sort");
        if (direction !== "none") head.setAttribute("aria-sort", direction);
        for (const { body, rows } of bodies) body.append(...(direction === "none" ? rows : sorted(rows, column, direction)));
      });
    });
  };

  // A region takes part in the order of the keyboard only while there is something to scroll.
  const watch = (region) => {
    const measure = () => {
      const scrolls = region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight;
      if (scrolls) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    };
    new ResizeObserver(measure).observe(region);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("main table").forEach(makeSortable);
    document.querySelectorAll(".scroll").forEach(watch);
  });
})();
