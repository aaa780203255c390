// What makes pages nicer and nothing depends on: local times, fragments that stay fresh, switches without a reload.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("with-script");

  // Times. The server writes UTC; here they become the visitor's, and relative ones keep moving.
  const pad = (n) => String(n).padStart(2, "0");
  // The zone of the account, or else the browser's.
  const localFormat = new Intl.DateTimeFormat("en-GB", {
    timeZone: root.dataset.zoneName || undefined, hourCycle: "h23", timeZoneName: "short",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const absolute = (date, local) => {
    if (!local) return date.toISOString().slice(0, 19).replace("T", " ") + " UTC";
    const at = Object.fromEntries(localFormat.formatToParts(date).map((part) => [part.type, part.value]));
    return `${at.year}-${at.month}-${at.day} ${at.hour}:${at.minute}:${at.second} ${at.timeZoneName || ""}`;
  };
  const rough = (s) => {
    if (s >= 172800) return `${Math.floor(s / 86400)} d`;
    if (s >= 3600) return `${Math.floor(s / 3600)} h`;
    return s >= 60 ? `${Math.floor(s / 60)} min` : `${Math.floor(s)} s`;
  };
  const relative = (date) => {
    const away = (date.getTime() - Date.now()) / 1000;
    if (Math.abs(away) < 1) return "now";
    return away > 0 ? `in ${rough(away)}` : `${rough(-away)} ago`;
  };
  const due = (date) => relative(date).replace(/^(.* ago)$/, "due $1");
  const clock = (date, local) => absolute(date, local).slice(11);
  const shown = { absolute, relative, due, clock };
  const length = (s) => {
    if (s < 3600) return s < 60 ? `${Math.floor(s)} s` : `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
    return s < 86400 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min` : `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  };
  const showTimes = (within) => {
    for (const element of within.querySelectorAll("[data-since]")) {
      element.textContent = length(Math.max(0, (Date.now() - new Date(element.dataset.since).getTime()) / 1000));
    }
    const local = root.dataset.zone !== "utc";
    for (const element of within.querySelectorAll("time[data-time]")) {
      const date = new Date(element.dateTime);
      if (Number.isNaN(date.getTime())) continue;
      const text = shown[element.dataset.time](date, local);
      if (element.textContent !== text) element.textContent = text;
      if (element.dataset.time === "relative" || element.dataset.time === "due") element.title = absolute(date, local);
    }
  };

  // Fragments: <section id="x" data-refresh="/address" data-every="5"> is replaced by what the address answers,
  // and with it those whose ids data-also names.
  // Nothing is asked while the page is hidden, nor while somebody has the focus or a selection inside.
  const parser = new DOMParser();
  const busy = (element) => {
    const selection = getSelection();
    return element.contains(document.activeElement) || (selection && !selection.isCollapsed && element.contains(selection.anchorNode)) || element.querySelector("details[open]");
  };
  const renew = (id, page) => {
    const fresh = page.getElementById(id);
    const present = document.getElementById(id);
    if (!fresh || !present || busy(present)) return;
    const adopted = document.importNode(fresh, true);
    showTimes(adopted);
    if (adopted.outerHTML !== present.outerHTML) present.replaceWith(adopted);
  };
  const refresh = async (element) => {
    if (document.hidden || busy(element)) return;
    try {
      const answer = await fetch(element.dataset.refresh, { headers: { "X-Fragment": "1" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = parser.parseFromString(await answer.text(), "text/html");
      for (const id of [element.id, ...(element.dataset.also || "").split(" ").filter(Boolean)]) renew(id, page);
      root.classList.remove("stale");
    } catch {
      root.classList.add("stale");
    }
  };
  const asked = new Map();
  const tick = () => {
    if (document.hidden) return;
    showTimes(document);
    for (const element of document.querySelectorAll("[data-refresh]")) {
      const every = Number(element.dataset.every || 5) * 1000;
      const last = asked.get(element.id) ?? 0;
      if (performance.now() - last >= every) {
        asked.set(element.id, performance.now());
        refresh(element);
      }
    }
  };

  // Switches: change at once and keep the choice in the cookies that the form would set.
  const keep = (name, value) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `beatdesk_${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  };
  const switchZone = (button) => {
    const zone = button.value;
    const other = zone === "utc" ? "local" : "utc";
    root.dataset.zone = zone;
    keep("zone", zone);
    button.value = other;
    button.querySelector("[data-zone-words]").textContent = zone === "utc" ? "UTC" : "Local time";
    button.title = `Show times in ${other === "utc" ? "UTC" : "your zone"}`;
    showTimes(document);
  };
  const switchTheme = (button) => {
    const following = { auto: "light", light: "dark", dark: "auto" };
    const symbols = { auto: "brightness-half", light: "sun", dark: "moon" };
    const theme = button.value;
    root.dataset.theme = theme;
    keep("theme", theme);
    button.value = following[theme];
    button.title = `Colours: ${theme}. Change to ${following[theme]}.`;
    button.setAttribute("aria-label", button.title);
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${symbols[theme]}`));
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-preferences]") || !event.submitter) return;
    event.preventDefault();
    (event.submitter.name === "zone" ? switchZone : switchTheme)(event.submitter);
  });

  // Menus made of <details class="menu-box"> close like menus.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu-box[open]")) if (!menu.contains(except)) menu.open = false;
  };
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu-box[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });

  // Copy buttons: <button data-copy="id of the text">.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  });

  for (const element of document.querySelectorAll("[data-refresh]")) asked.set(element.id, performance.now());
  showTimes(document);
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
})();
