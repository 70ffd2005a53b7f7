// Draws every `figure.chart` from the JSON it holds, and redraws it when light and dark change places.
"use strict";

(() => {
  const darkness = window.matchMedia("(prefers-color-scheme: dark)");

  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : darkness.matches;
  };

  const changed = (drawing, changes) => {
    for (const [path, value] of changes) {
      let at = drawing;
      for (const key of path.slice(0, -1)) at = at[key];
      at[path.at(-1)] = value;
    }
    return drawing;
  };

  const draw = async (figure, dark) => {
    const { data, layout, config, dark: changes } = JSON.parse(figure.querySelector("script").textContent);
    if (dark) {
      changed(data, changes.data);
      changed(layout, changes.layout);
    }
    // Plotly writes plain colours; the page's own background shows through.
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    await window.Plotly.react(figure.querySelector(".drawing"), data, layout, config);
    // The figure's caption says what it shows; its hundred marks and ticks are not read one by one.
    for (const svg of figure.querySelectorAll(".main-svg")) svg.setAttribute("aria-hidden", "true");
  };

  const drawAll = (dark) => Promise.all([...document.querySelectorAll("figure.chart")].map((figure) => draw(figure, dark)));
  const drawAsChosen = () => drawAll(isDark());

  document.addEventListener("DOMContentLoaded", drawAsChosen);
  document.addEventListener("themechange", drawAsChosen);
  darkness.addEventListener("change", drawAsChosen);
  window.addEventListener("beforeprint", () => drawAll(false));
  window.addEventListener("afterprint", drawAsChosen);
})();
