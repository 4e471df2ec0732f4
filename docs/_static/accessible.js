// Names and roles that the theme, Sphinx-Gallery and docutils leave out or get wrong for screen readers.
document.addEventListener("DOMContentLoaded", () => {
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change);
  each("li.has-children > details > summary", (summary) => {
    summary.setAttribute("aria-label", `Pages of ${summary.closest("li").querySelector("a").textContent.trim()}`);
  });
  each(".sphx-glr-thumbcontainer a", (link) => link.setAttribute("aria-label", link.textContent.trim()));
  each(".search-button-field", (button) => {
    button.setAttribute("aria-label", button.textContent.trim().replace(/\s+/g, " ") || "Search");
  });
  each(".citation-list, .citation", (part) => part.removeAttribute("role"));
});
