// The pages work without this. With it, answers update while you type, and names are suggested.
"use strict";
(() => {
  const WAIT = 150; // ms after the last key
  document.documentElement.classList.add("js");

  // --- parts of a page, exchanged for those of the next ---
  let shown = location.pathname + location.search;
  let asked = 0; // number of the newest request; an older answer is never shown

  const caret = () => {
    const at = document.activeElement;
    return at && at.id ? { id: at.id, start: at.selectionStart, end: at.selectionEnd } : null;
  };

  const put = (ids, page, address, push) => {
    const held = caret();
    const wasIn = held && ids.some((id) => document.getElementById(id)?.contains(document.activeElement));
    const open = [...document.querySelectorAll("details[id]")].map((item) => [item.id, item.open]);
    const before = document.querySelectorAll(".chip").length;
    for (const id of ids) {
      const now = document.getElementById(id);
      const next = page.getElementById(id);
      if (now && next) now.replaceWith(document.adoptNode(next));
    }
    if (document.querySelectorAll(".chip").length === before) {
      for (const [id, was] of open) {
        const item = document.getElementById(id);
        if (item) item.open = was;
      }
    }
    document.title = page.title;
    const spoken = document.getElementById("spoken");
    const said = page.getElementById("spoken")?.textContent ?? "";
    if (spoken && spoken.textContent !== said) spoken.textContent = said;
    if (address !== location.href) history[push ? "pushState" : "replaceState"](null, "", address);
    shown = location.pathname + location.search;
    if (wasIn) {
      const again = document.getElementById(held.id) ?? document.querySelector("[data-drugs]");
      again?.focus();
      if (again && again.id === held.id && held.start !== null && again.setSelectionRange && again.type === "text") again.setSelectionRange(held.start, held.end);
    }
    dress();
  };

  const fail = (ids) => {
    const place = document.getElementById(ids[ids.length - 1]);
    place.classList.remove("stale");
    place.innerHTML = '<div class="nothing"><p class="big">No answer</p><p>The server could not be reached. Nothing is shown, because an old answer might be taken for a new one. Try again.</p></div>';
    const spoken = document.getElementById("spoken");
    if (spoken) spoken.textContent = "No answer. The server could not be reached.";
  };

  const ask = async (ids, address, options, push) => {
    const number = ++asked;
    const place = document.getElementById(ids[ids.length - 1]);
    place?.classList.add("stale");
    try {
      const response = await fetch(address, { ...options, headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (number !== asked) return false;
      if (!page.getElementById(ids[ids.length - 1])) throw new Error("not the page that was asked");
      put(ids, page, response.url + (new URL(address, location.href).hash || ""), push);
      return true;
    } catch {
      if (number === asked) fail(ids);
      return false;
    }
  };

  const send = (form, { submitter = null, push = false, typing = false } = {}) => {
    const data = new FormData(form);
    if (submitter?.name) data.append(submitter.name, submitter.value);
    if (typing) for (const name of ["list", "paste", "add"]) data.delete(name);
    const body = new URLSearchParams([...data].filter(([, value]) => value !== ""));
    const post = form.method === "post";
    const address = post ? form.action : `${form.action}?${body}`;
    return ask(form.dataset.live.split(" "), address, post ? { method: "POST", body } : {}, push);
  };

  let timer = 0;
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form?.dataset.live || event.isComposing || event.target.matches("[data-drugs], textarea")) return;
    clearTimeout(timer);
    asked += 1; // what is under way answers an older question
    timer = setTimeout(() => send(form, { typing: true }), WAIT);
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.live) return;
    event.preventDefault();
    clearTimeout(timer);
    const typed = form.querySelector("#add-drug");
    if (await send(form, { submitter: event.submitter?.name ? event.submitter : null, push: true })) {
      if (typed) typed.value = "";
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-swap]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      ask(link.dataset.swap.split(" "), link.href, {}, true);
    }
  });
  addEventListener("popstate", () => {
    if (location.pathname + location.search !== shown) location.reload(); // not for a step within the page
  });

  // --- names while you type ---
  const CONDITIONS = /\s+(?:[<>]?\d[\d.,]*\s*(?:mg|mcg|g|units?|meq|mmol|ml|%|iu)\b.*|in\s.*)$/i;

  class Combo {
    constructor(input) {
      this.input = input;
      this.list = document.createElement("ul");
      this.list.id = `${input.id}-list`;
      this.list.setAttribute("role", "listbox");
      this.list.setAttribute("aria-label", "Drugs that fit");
      this.list.hidden = true;
      input.after(this.list);
      for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", this.list.id], ["aria-autocomplete", "list"]]) input.setAttribute(name, value);
      this.at = -1;
      input.addEventListener("input", () => this.type());
      input.addEventListener("keydown", (event) => this.key(event));
      input.addEventListener("blur", () => setTimeout(() => this.close(), 120));
      input.addEventListener("paste", (event) => {
        const text = event.clipboardData.getData("text");
        if (/[\r\n]/.test(text)) { // a field of one line would glue the lines together
          event.preventDefault();
          input.setRangeText(text.trim().replace(/[\r\n]+/g, "; "), input.selectionStart, input.selectionEnd, "end");
        }
      });
      this.list.addEventListener("mousedown", (event) => {
        event.preventDefault();
        const option = event.target.closest("[role=option]");
        if (option) this.choose(option);
      });
    }

    // The last name in the field: what stands before it, the name, and its conditions.
    parts() {
      const [, before, piece] = /^(.*(?:[;\n]|,(?!\d))\s*)?(.*)$/s.exec(this.input.value);
      const tail = CONDITIONS.exec(piece)?.[0] ?? "";
      return [before ?? "", piece.slice(0, piece.length - tail.length).trim(), tail];
    }

    type() {
      clearTimeout(this.timer);
      const [, text] = this.parts();
      if (text.length < 2) return this.close();
      this.timer = setTimeout(() => this.look(text), 90);
    }

    async look(text) {
      this.stop?.abort();
      this.stop = new AbortController();
      try {
        const response = await fetch(`/v1/drugs?${new URLSearchParams({ q: text.slice(0, 200), limit: 8 })}`, { signal: this.stop.signal });
        if (response.ok && document.activeElement === this.input) this.show((await response.json()).drugs);
      } catch { /* a newer search is under way, or none can be made: the field still works */ }
    }

    show(drugs) {
      this.at = -1;
      this.list.replaceChildren(...drugs.map((drug, number) => {
        const option = document.createElement("li");
        option.id = `${this.list.id}-${number}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.drug = drug.id;
        const name = document.createElement("b");
        name.textContent = drug.tall_man || drug.name;
        option.append(name);
        const more = [drug.matched_by !== "name" && drug.matched ? `${drug.matched}, ${drug.matched_by}` : "", drug.kind !== "drug" ? drug.kind : "", drug.infused ? "" : "not infused"].filter(Boolean);
        if (more.length) {
          const told = document.createElement("small");
          told.textContent = more.join(" · ");
          option.append(" ", told);
        }
        return option;
      }));
      this.list.hidden = !drugs.length;
      this.input.setAttribute("aria-expanded", String(drugs.length > 0));
      this.input.removeAttribute("aria-activedescendant");
    }

    close() {
      clearTimeout(this.timer);
      this.stop?.abort();
      this.show([]);
    }

    key(event) {
      const options = [...this.list.children];
      if (event.key === "Escape") return this.close();
      if (event.key === "Enter" && this.at >= 0 && options[this.at]) {
        event.preventDefault();
        return this.choose(options[this.at]);
      }
      if (event.key === "Enter") return this.close();
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || !options.length) return;
      event.preventDefault();
      this.at = (this.at + step + options.length + (this.at < 0 && step < 0 ? 1 : 0)) % options.length;
      options.forEach((option, number) => option.setAttribute("aria-selected", String(number === this.at)));
      options[this.at].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", options[this.at].id);
    }

    choose(option) {
      const [before, , tail] = this.parts();
      this.input.value = `${before}${option.dataset.drug}${tail}`;
      this.close();
      this.input.focus();
      this.input.form.requestSubmit();
    }
  }

  // --- small things ---
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { // a page that did not come over TLS has no clipboard
      const box = document.createElement("textarea");
      box.value = text;
      document.body.append(box);
      box.select();
      const done = document.execCommand("copy");
      box.remove();
      return done;
    }
  };
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("[data-copy]");
    if (link && event.button === 0 && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const told = link.textContent;
      link.textContent = (await copy(link.href)) ? "Copied" : link.href;
      setTimeout(() => (link.textContent = told), 1600);
    }
    if (event.target.closest?.("[data-print]")) print();
    const cell = event.target.closest?.("table[data-matrix] tbody td");
    const ids = cell ? [...cell.closest("tbody").rows].map((row) => row.cells[0].firstChild.getAttribute("href").slice(6)) : [];
    const [a, b] = cell ? [ids[cell.parentNode.sectionRowIndex], ids[cell.cellIndex - 1]] : [];
    if (a && b && a !== b) location.href = `/pair/${a}/${b}`;
    const target = event.target.closest?.('a[href^="#"]')?.getAttribute("href").slice(1);
    if (target) document.getElementById(target)?.closest("details:not([open])")?.setAttribute("open", "");
  });

  const narrow = matchMedia("(max-width: 40rem)");
  function dress() {
    // a small screen shows the answer first: what is in the bags folds away
    if (narrow.matches) for (const item of document.querySelectorAll(".chip > details")) if (!item.querySelector("[aria-invalid]") && !item.contains(document.activeElement)) item.open = false;
    for (const input of document.querySelectorAll("input[data-drugs]")) input.combo ??= new Combo(input);
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  }
  dress();
})();
