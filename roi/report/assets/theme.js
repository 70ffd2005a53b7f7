// Light or dark as the system has it, or as the reader chose; loaded before anything is drawn, so that no page flashes.
"use strict";

(() => {
  const CHOICES = ["system", "light", "dark"];
  const KEY = "theme";

  // A browser may forbid storage to pages from the file system: the choice then holds for the page.
  const stored = () => {
    try {
      return window.localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };
  const store = (choice) => {
    try {
      window.localStorage.setItem(KEY, choice);
    } catch {
      // Nothing to do: the page itself has changed.
    }
  };

  const root = document.documentElement;
  let choice = CHOICES.includes(stored()) ? stored() : "system";

  const apply = () => {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    document.dispatchEvent(new Event("themechange"));
  };

  apply();

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("button.theme");
    const words = [...button.querySelectorAll("[data-choice]")];
    const name = () => words.forEach((word) => (word.hidden = word.dataset.choice !== choice));
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
      store(choice);
      apply();
      name();
    });
  });
})();
