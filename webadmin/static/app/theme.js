// Before the first paint: dark or light, where the visitor follows the system. Nothing else may be here, it blocks.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (root.dataset.theme === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light";
  };
  root.classList.add("with-script");
  follow();
  dark.addEventListener("change", follow);
})();
