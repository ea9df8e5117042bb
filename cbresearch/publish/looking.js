/* What axe does not look for, as [rule, where, what]. Runs in the page, changes nothing in it. */
(placeholders) => {
  "use strict";
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (node) => node.checkVisibility();
  const short = (text) => text.trim().replace(/\s+/g, " ").slice(0, 60);
  const where = (node) => node.tagName.toLowerCase() + (node.id ? "#" + node.id : "") + " “" + short(node.textContent) + "”";
  const say = (rule, node, what) => found.push([rule, node ? where(node) : "the page", what]);
  const words = (id) => (document.getElementById(id) || { textContent: "" }).textContent;
  const named = (node) => (node.getAttribute("aria-label")
    || (node.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean).map(words).join(" ")
    || node.getAttribute("alt") || (node.querySelector(":scope > title") || { textContent: "" }).textContent || "").trim();

  if (!document.documentElement.lang) say("language", null, "does not say its language");
  const heads = all("h1,h2,h3,h4,h5,h6").filter(seen);
  const levels = heads.map((node) => Number(node.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1 || levels[0] !== 1) say("headings", null, "needs one first-level heading, which stands first");
  levels.forEach((level, i) => { if (i && level > levels[i - 1] + 1) say("headings", heads[i], "skips a level"); });

  for (const node of all("img, svg[role=img], [role=img]")) {
    const name = named(node);
    const length = [...name].reduce((sum, one) => sum + (one > "\u2e80" ? 2 : 1), 0);
    if (length < 12 || placeholders.includes(name) || /^\S+\.(png|svg|jpe?g|gif|webp)$/i.test(name)) say("alternative text", node, "says “" + name + "”, which tells nobody what the picture shows");
  }
  for (const node of all("svg")) {
    if (node.getAttribute("role") !== "img" && node.getAttribute("aria-hidden") !== "true" && !node.closest("[role=img], [aria-hidden=true]")) say("alternative text", node, "is a drawing without a role");
  }
  for (const node of all("th")) {
    if (!["col", "row", "colgroup", "rowgroup"].includes(node.scope)) say("tables", node, "is a header cell without a scope");
  }
  for (const node of all("table")) {
    if (!node.querySelector("caption") && !named(node)) say("tables", node, "has no caption");
    if (!node.querySelector("th")) say("tables", node, "has no header cells");
  }
  const ids = all("[id]").map((node) => node.id);
  for (const id of new Set(ids.filter((one, place) => ids.indexOf(one) !== place))) say("names of places", document.getElementById(id), "shares its id with another");
  const moving = document.getAnimations().filter((one) => one.playState === "running");
  if (moving.length && matchMedia("(prefers-reduced-motion: reduce)").matches) say("motion", null, "moves though the reader asked for less motion");

  const page = document.documentElement, width = page.clientWidth;
  if (page.scrollWidth > width + 1) {
    const wide = all("body *").filter((node) => node.getBoundingClientRect().right > width + 1);
    say("width", wide[wide.length - 1] || null, "makes the page scroll sideways at " + width + " px");
  }

  const light = (colour) => {
    const parts = (colour.match(/[\d.]+/g) || []).map(Number);
    const [r, g, b] = parts.slice(0, 3).map((v) => { const c = v / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return { value: 0.2126 * r + 0.7152 * g + 0.0722 * b, opaque: parts.length < 4 || parts[3] > 0.5 };
  };
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const colour = light(getComputedStyle(one).backgroundColor);
      if (colour.opaque) return colour.value;
    }
    return 1;
  };
  for (const drawing of all("svg")) {
    const under = drawing.querySelector("rect, path");
    const card = under && getComputedStyle(under).fill;
    const base = card && card.startsWith("rgb") && light(card).opaque && under.getBoundingClientRect().width > 0.9 * drawing.getBoundingClientRect().width
      ? light(card).value : behind(drawing);
    for (const text of drawing.querySelectorAll("text")) {
      if (!text.textContent.trim() || !seen(text) || text.dataset.on) continue;
      const fill = light(getComputedStyle(text).fill).value;
      const ratio = (Math.max(fill, base) + 0.05) / (Math.min(fill, base) + 0.05);
      const box = text.getBoundingClientRect(), large = Math.min(box.width, box.height) >= 24;
      if (ratio < (large ? 3 : 4.5) && !covered(text)) say("contrast of figures", text, "has a contrast of " + ratio.toFixed(1) + " to 1");
    }
  }
  function covered(text) { /* words on a bar or a tile have that as their ground */
    const box = text.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
    return [...text.ownerSVGElement.querySelectorAll("rect, path")].some((mark) => {
      const fill = getComputedStyle(mark).fill, place = mark.getBoundingClientRect();
      return fill.startsWith("rgb") && light(fill).opaque && place.width < 0.9 * text.ownerSVGElement.getBoundingClientRect().width
        && place.left <= x && x <= place.right && place.top <= y && y <= place.bottom;
    });
  }
  return found;
}
