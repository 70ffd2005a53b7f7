// Marks in the table of contents the section that is read, and opens what a link leads into.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const links = [...document.querySelectorAll(".toc a")];
  const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));

  const mark = () => {
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top < 120).length;
    links.forEach((link, place) => {
      if (place === passed - 1) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };

  const open = () => {
    const target = document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };

  if (links.length > 0) {
    document.addEventListener("scroll", mark, { passive: true });
    mark();
  }
  window.addEventListener("hashchange", open);
  open();
});
