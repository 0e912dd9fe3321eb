
"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const byId = id => document.getElementById(id);

  const startTheme = () => {
    const root = document.documentElement;
    const button = byId("theme");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const show = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      show();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    button.setAttribute("aria-description", "Changes the colours of the page");
    button.hidden = false;
    show();
  };

  /** What the page shows, each item after the one that it is in. */
  const readItems = () => {
    const items = new Map();
    for (const element of all("li.node")) {
      const details = element.querySelector(":scope > details");
      items.set(element, {
        element,
        details,
        head: element.querySelector(":scope > .head, :scope > details > .head"),
        own: details?.querySelector(":scope > .own"),
        rows: details ? all(":scope > .own tr[data-cause]", element.querySelector(":scope > details")) : [],
        parent: items.get(element.parentElement.closest("li.node")),
        causes: element.dataset.causes.split(" "),
      });
    }
    return [...items.values()];
  };

  const startTree = () => {
    const items = readItems();
    const pressed = { cause: new Set(), change: new Set(), kind: new Set() };
    const search = byId("search");
    let openBefore = null;
    let timer = 0;

    /** What is searched in: the names on the way to it, and all that it says itself. */
    const textOf = item => {
      if (item.text === undefined) {
        item.path = (item.parent ? textOf(item.parent) && item.parent.path : "") + " " + item.head.querySelector(".name").textContent.toLowerCase();
        item.text = `${item.path} ${item.head.textContent} ${item.own?.textContent ?? ""}`.toLowerCase();
      }
      return item.text;
    };

    const matches = (item, words) =>
      (pressed.cause.size === 0 || item.causes.some(cause => pressed.cause.has(cause)))
      && (pressed.change.size === 0 || pressed.change.has(item.element.dataset.change))
      && (pressed.kind.size === 0 || pressed.kind.has(item.element.dataset.kind))
      && words.every(word => textOf(item).includes(word));

    /** Marks what was searched for, where it is in sight; a limit keeps large pages quick. */
    const mark = words => {
      if (!CSS.highlights) {
        return;
      }
      const ranges = [];
      for (const item of items) {
        if (words.length === 0 || ranges.length > 2000) {
          break;
        }
        if (item.element.hidden || item.element.classList.contains("context")) {
          continue;
        }
        for (const part of [item.head, item.own].filter(part => part)) {
          const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const node = walker.currentNode;
            const text = node.data.toLowerCase();
            for (const word of text.length === node.data.length ? words : []) {
              for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
                ranges.push(new StaticRange({ startContainer: node, startOffset: at, endContainer: node, endOffset: at + word.length }));
              }
            }
          }
        }
      }
      CSS.highlights.set("found", new Highlight(...ranges));
    };

    const groupsAround = (element, open) => {
      for (let group = element.closest("details.group"); group; group = group.parentElement.closest("details.group")) {
        group.open = open || group.open;
      }
    };

    const keepOpen = isActive => {
      if (isActive && !openBefore) {
        openBefore = new Map(all("#tree details").map(details => [details, details.open]));
      } else if (!isActive && openBefore) {
        openBefore.forEach((open, details) => { details.open = open; });
        openBefore = null;
      }
    };

    const apply = () => {
      const words = (search.value.toLowerCase().match(/"[^"]+"?|[^\s"]+/g) ?? []).map(word => word.replaceAll('"', "")).filter(word => word);
      const isActive = words.length > 0 || pressed.cause.size + pressed.change.size + pressed.kind.size > 0;
      keepOpen(isActive);
      const withMatch = new Set();
      let count = 0;
      for (let i = items.length - 1; i >= 0; i--) {
        const item = items[i];
        const isMatch = !isActive || matches(item, words);
        const isShown = isMatch || withMatch.has(item);
        count += isMatch ? 1 : 0;
        item.element.hidden = !isShown;
        item.element.classList.toggle("context", isShown && !isMatch);
        for (const row of item.rows) {
          row.hidden = pressed.cause.size > 0 && !pressed.cause.has(row.dataset.cause);
        }
        if (isShown && isActive) {
          withMatch.add(item.parent);
          if (item.details && (withMatch.has(item) || words.length > 0 || pressed.cause.size > 0)) {
            item.details.open = true;
          }
          groupsAround(item.element, true);
        }
      }
      for (const table of all("#tree table.fields")) {
        table.hidden = !table.querySelector("tbody tr:not([hidden])");
      }
      for (const group of all("#tree details.group")) {
        group.hidden = !group.querySelector("li.node:not([hidden]), tbody tr:not([hidden]), p.more");
        group.open = group.open || (pressed.cause.size > 0 && group.querySelector(":scope > table:not([hidden])") !== null);
      }
      mark(words);
      byId("clear").disabled = !isActive;
      byId("status").textContent = isActive
        ? `${count.toLocaleString("en")} of ${items.length.toLocaleString("en")} items match`
        : `${items.length.toLocaleString("en")} items`;
    };

    const clear = () => {
      search.value = "";
      Object.values(pressed).forEach(set => set.clear());
      all("[data-filter]").forEach(button => button.setAttribute("aria-pressed", "false"));
      apply();
    };

    const setOpen = open => {
      for (const item of items) {
        if (item.details && (open || item.parent)) {
          item.details.open = open;
        }
      }
    };

    /** Shows what the address names: opens what it is in, and drops the filters if they hide it. */
    const goToTarget = () => {
      const target = byId(location.hash.slice(1));
      if (!target?.matches("li.node")) {
        return;
      }
      if (target.hidden) {
        clear();
      }
      for (let details = target.closest("details"); details; details = details.parentElement.closest("details")) {
        details.open = true;
      }
      const details = target.querySelector(":scope > details");
      if (details) {
        details.open = true;
      }
      target.scrollIntoView();
    };

    const moveFocus = event => {
      const head = event.target.closest(".head");
      if (!head || event.altKey || event.ctrlKey || event.metaKey) {
        return;
      }
      const details = head.matches("summary") ? head.parentElement : null;
      const visible = () => all("#tree .head").filter(other => other.checkVisibility());
      let next = null;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const heads = visible();
        next = heads[heads.indexOf(head) + (event.key === "ArrowDown" ? 1 : -1)];
      } else if (event.key === "Home" || event.key === "End") {
        next = visible().at(event.key === "Home" ? 0 : -1);
      } else if (event.key === "ArrowRight" && details) {
        details.open = true;
      } else if (event.key === "ArrowLeft") {
        if (details?.open) {
          details.open = false;
        } else {
          next = head.closest("li.node").parentElement.closest("li.node")?.querySelector(".head");
        }
      } else {
        return;
      }
      event.preventDefault();
      next?.focus();
    };

    for (const button of all("[data-filter]")) {
      button.disabled = false;
      button.addEventListener("click", () => {
        const { filter, value } = button.dataset;
        const isPressed = !pressed[filter].delete(value);
        if (isPressed) {
          pressed[filter].add(value);
        }
        button.setAttribute("aria-pressed", String(isPressed));
        apply();
      });
    }
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(apply, 120);
    });
    byId("expand").addEventListener("click", () => setOpen(true));
    byId("collapse").addEventListener("click", () => setOpen(false));
    byId("clear").addEventListener("click", () => { clear(); search.focus(); });
    byId("tree").addEventListener("keydown", moveFocus);
    addEventListener("keydown", event => {
      if (event.key === "/" && !event.target.closest("input")) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && event.target === search) {
        clear();
      }
    });
    addEventListener("hashchange", goToTarget);
    byId("controls").hidden = false;
    all(".keys").forEach(keys => { keys.hidden = false; });
    apply();
    goToTarget();
  };

  startTheme();
  if (byId("tree")) {
    startTree();
  }
})();
