  // The page: theme, scrolling, sound and print.
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  root.classList.add("js");
  const numbers = $("numbers") ? JSON.parse($("numbers").textContent) : { choices: {}, points: [], media: {} };

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // Theme: follow the system until the button is used.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = $("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  dark.addEventListener("change", showTheme);
  showTheme();

  // Tables are focusable only if they overflow, and fade at the side on which there is more.
  const checkEnd = (box) => box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  const checkScroll = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
      checkEnd(box);
    }
  };
  for (const box of document.querySelectorAll(".scroll")) box.addEventListener("scroll", () => checkEnd(box));
  addEventListener("resize", checkScroll);
  document.addEventListener("toggle", checkScroll, true);
  checkScroll();

  // Play one clip at a time.
  document.addEventListener("play", (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  }, true);

  // Open all details for printing.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
