// The editor while somebody types: the preview, the five crontab fields, the fields of the chosen job.
// Nothing depends on it: without a script the same form has buttons for each of these.
(() => {
  "use strict";
  const form = document.getElementById("editor");
  if (!form) return;
  const token = form.elements.csrf_token.value;
  const RULE = form.dataset.rule.split(" ");
  const LIMITS = form.dataset.limits.split(" ");
  const MEANING = [...RULE, ...LIMITS, "enabled", "job", "queue"];

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // The five fields of the crontab line, and the one that the caret is in.
  const line = form.elements.crontab;
  const parts = [...form.querySelectorAll("[data-cron-parts] li")];
  const caretField = () => {
    if (document.activeElement !== line) return -1;
    const before = line.value.slice(0, line.selectionStart).replace(/^\s+/, "");
    return before ? before.split(/\s+/).length - 1 : 0;
  };
  const showParts = () => {
    const written = line.value.trim() ? line.value.trim().split(/\s+/) : [];
    const at = caretField();
    parts.forEach((part, place) => {
      part.querySelector("[data-cron-value]").textContent = written[place] ?? "·";
      part.classList.toggle("is-at", place === at);
      part.classList.toggle("is-missing", written.length > 0 && written[place] === undefined);
    });
  };

  // The preview.
  const body = form.querySelector("[data-preview-body]");
  const warningIcon = document.querySelector("[data-warning-icon]");
  const inZone = (date, zone) => {
    const options = { timeZone: zone, weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
    const got = Object.fromEntries(new Intl.DateTimeFormat("en", options).formatToParts(date).map((p) => [p.type, p.value]));
    return `${got.weekday} ${got.year}-${got.month}-${got.day} ${got.hour}:${got.minute}:${got.second}`;
  };
  const away = (date) => {
    const seconds = Math.max((date.getTime() - Date.now()) / 1000, 0);
    if (seconds >= 172800) return `in ${Math.floor(seconds / 86400)} d`;
    if (seconds >= 3600) return `in ${Math.floor(seconds / 3600)} h`;
    return seconds >= 60 ? `in ${Math.floor(seconds / 60)} min` : `in ${Math.floor(seconds)} s`;
  };
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const tickLine = (text, zone) => {
    const date = new Date(text);
    const item = element("li");
    const there = element("span", "tick-there num", inZone(date, zone));
    const here = element("span", "tick-here num", zone === mine ? away(date) : inZone(date, mine));
    here.title = zone === mine ? text : `${mine}, ${away(date)}`;
    item.append(there, here);
    return item;
  };
  const show = (coming) => {
    const warnings = element("ul", "preview-warnings");
    for (const text of coming.warnings) {
      const item = element("li");
      item.append(warningIcon.content.cloneNode(true), element("span", "", text));
      warnings.append(item);
    }
    const parts = [element("p", "preview-words", coming.words), warnings];
    if (coming.changes) {
      const changes = element("ul", "preview-changes");
      changes.append(...coming.changes.map((text) => element("li", "", text)));
      const before = element("h3", "preview-head", "What changes in 30 days ");
      before.append(element("span", "", `against revision ${form.elements.revision?.value ?? ""}`));
      parts.push(before, changes);
    }
    const count = coming.ticks.length;
    const head = element("h3", "preview-head", count === 1 ? "Next tick " : `Next ${count} ticks `);
    const zones = element("span", "", coming.timezone);
    if (coming.timezone !== mine) zones.append(element("span", "mine", `${mine} (you)`));
    head.append(zones);
    const ticks = element("ol", coming.timezone === mine ? "ticks" : "ticks ticks-two");
    ticks.append(...coming.ticks.map((tick) => tickLine(tick, coming.timezone)));
    if (count) parts.push(head, ticks);
    body.replaceChildren(...parts);
  };
  const mark = (field, text) => {
    for (const name of [...RULE, ...LIMITS]) {
      const input = form.elements[name];
      if (!(input instanceof HTMLElement) || !input.closest(".field")) continue;
      const wrong = name === field;
      input.classList.toggle("is-wrong", wrong);
      if (wrong) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      const box = input.closest(".field");
      const stale = box.querySelector(".fault");
      if (stale && !wrong) stale.remove();
      if (stale && wrong) stale.querySelector("span").textContent = text;
      box.classList.toggle("has-error", wrong && Boolean(stale));
    }
  };
  let asking;
  const preview = async () => {
    asking?.abort();
    asking = new AbortController();
    const rule = new URLSearchParams(new FormData(form));
    rule.delete("csrf_token");
    rule.set("editing", form.dataset.editing);
    if (!rule.get("kind")) return;
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" }, body: rule, signal: asking.signal, redirect: "error" });
      const got = await answer.json();
      if (answer.ok) show(got);
      else body.replaceChildren(element("p", "preview-error", got.error));
      mark(answer.ok ? "" : got.field, got.error);
    } catch (error) {
      if (error.name !== "AbortError") body.replaceChildren(element("p", "preview-error", "The preview cannot be had now. Saving says what is wrong."));
    }
  };
  let waiting;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(preview, 200);
  };

  // The fields of the chosen job.
  const box = document.getElementById("arguments");
  const typed = () => new Map([...box.querySelectorAll("[name]")].filter((input) => input.type !== "radio").map((input) => [input.name, input.value]));
  const showJob = async () => {
    const job = form.elements.job.value;
    const before = typed();
    try {
      const answer = await fetch(`${form.dataset.arguments}?${new URLSearchParams({ job })}`, { headers: { "X-Fragment": "1" }, redirect: "error" });
      if (!answer.ok || job !== form.elements.job.value) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      box.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
      for (const input of box.querySelectorAll("[name]")) {
        const kept = before.get(input.name);
        if (kept === undefined || input.type === "radio") continue;
        if (input.tagName !== "SELECT" || [...input.options].some((option) => option.value === kept)) input.value = kept;
      }
    } catch {
      box.dataset.stale = "";
    }
  };

  // Fields and JSON say the same: what was typed in one stands in the other when it is turned over.
  const fieldsOf = () => [...box.querySelectorAll("[data-parameter]")].map((field) => ({ name: field.dataset.parameter, widget: field.dataset.widget, input: field.querySelector("[name]") }));
  const toJson = () => {
    const said = {};
    for (const { name, widget, input } of fieldsOf()) {
      const text = input.value.trim();
      if (!text) continue;
      try {
        said[name] = widget === "text" ? text : JSON.parse(text);
      } catch {
        said[name] = text;
      }
    }
    const flat = JSON.stringify(said);
    form.elements.kwargs.value = flat.length <= 60 ? flat : JSON.stringify(said, null, 2);
  };
  const toFields = () => {
    let said;
    try {
      said = JSON.parse(form.elements.kwargs.value || "{}");
    } catch {
      return;
    }
    for (const { name, widget, input } of fieldsOf()) {
      const value = said[name];
      input.value = value === undefined ? "" : widget === "text" && typeof value === "string" ? value : JSON.stringify(value);
    }
  };

  let changed = false;
  form.addEventListener("input", (event) => {
    changed = true;
    if (event.target === line) showParts();
    if (MEANING.includes(event.target.name)) soon();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "job") showJob();
    if (event.target.name === "arguments") (event.target.value === "json" ? toJson : toFields)();
  });
  for (const kind of ["keyup", "click", "focus", "blur"]) line.addEventListener(kind, showParts);
  form.addEventListener("submit", () => {
    changed = false;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector(".editor-save [value=save]"));
  });
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  form.querySelector(".fault")?.closest(".field")?.querySelector("[name]")?.focus();
  showParts();
  if (body.querySelector(".preview-words")) preview();
})();
