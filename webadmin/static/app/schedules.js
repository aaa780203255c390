// The list with a script: select all, how many are selected, `/` goes to the search box.
(() => {
  "use strict";
  const all = document.querySelector("[data-pick-all]");
  const picks = [...document.querySelectorAll("input[form=bulk][name=name]")];
  const words = document.querySelector("[data-picked]");
  const bar = document.querySelector(".bulk");
  const count = () => {
    const picked = picks.filter((pick) => pick.checked).length;
    words.textContent = picked ? `${picked} selected` : "Select all on this page";
    all.checked = picked > 0 && picked === picks.length;
    all.indeterminate = picked > 0 && picked < picks.length;
    bar.classList.toggle("is-idle", picked === 0);
    for (const button of bar.querySelectorAll("button")) button.disabled = picked === 0;
  };
  if (all) {
    let last;
    all.addEventListener("change", () => {
      for (const pick of picks) pick.checked = all.checked;
      count();
    });
    picks.forEach((pick, place) =>
      pick.addEventListener("click", (event) => {
        if (event.shiftKey && last !== undefined)
          for (let at = Math.min(last, place); at <= Math.max(last, place); at++) picks[at].checked = pick.checked;
        last = place;
        count();
      }),
    );
    count();
    addEventListener("pageshow", count);
  }

  // Menus: each line gets its own from the page's template, filled when it is first opened.
  const frame = document.getElementById("row-menu")?.content.firstElementChild;
  const fill = (box, may, line) => {
    const items = document.importNode(frame.querySelector(".menu-items"), true);
    for (const item of [...items.children]) {
      const place = item.hasAttribute("href") ? "href" : "formaction";
      const said = item.getAttribute(place);
      const address = said.endsWith("=") ? said + encodeURIComponent(line.textContent) : line.getAttribute("href") + said;
      item.setAttribute(place, address);
      if (!may.includes(item.dataset.action)) item.remove();
    }
    box.append(items);
  };
  for (const cell of document.querySelectorAll("td[data-menu]")) {
    const line = cell.closest("tr").querySelector(".row-name");
    const box = document.importNode(frame, false);
    const summary = document.importNode(frame.querySelector("summary"), true);
    summary.setAttribute("aria-label", `Actions for ${line.textContent}`);
    box.append(summary);
    box.addEventListener("toggle", () => fill(box, cell.dataset.menu.split(" "), line), { once: true });
    cell.append(box);
  }

  const search = document.querySelector("[data-slash]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    search?.focus();
  });
  for (const select of document.querySelectorAll(".finder select")) select.addEventListener("change", () => select.form.requestSubmit());
})();
