// Runs before anything is drawn, so that a dark room never sees a white page first. Not a module: those wait.
(() => {
  try {
    const { theme } = JSON.parse(localStorage.getItem("outwatch")) ?? {};
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // No storage: as the system is.
  }
})();
