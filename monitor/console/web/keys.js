/*
 * keys - shortcuts, and the window that lists them.
 *
 *     j, k       the next and the previous row of the page's table; enter opens it, x marks it
 *     g then t   another page      /  the search      ?  this list
 *
 * A page adds its own with own({c: ["confirm", () => ...]}).  Keys typed into fields, or with
 * Control, Alt or Meta, are left alone, and all of them can be switched off.
 */
import {h, put} from "./dom.js";
import {sheet} from "./dialog.js";

const pages = {
    o: ["Overview", "#/"], t: ["Traffic", "#/traffic"], m: ["Messages", "#/messages"],
    s: ["Submitted", "#/reports"], r: ["Rules", "#/rules"], p: ["Sets", "#/sets"],
    l: ["Lists", "#/lists"], a: ["Alerts", "#/alerts"], h: ["Thresholds", "#/thresholds"],
    v: ["Servers", "#/servers"], u: ["Users", "#/users"], i: ["Audit", "#/audit"],
};
let mine = {}, prefix = 0;

export function own(keys) {
    mine = keys;
}

export const off = () => localStorage.getItem("weir-keys") === "off";

function rows() {
    return [...document.querySelectorAll("main [data-row]")]
        .filter((row) => row.offsetParent !== null);
}

function step(by) {
    const all = rows();
    const here = all.indexOf(document.activeElement.closest("tr, li")
        ?.querySelector("[data-row]"));

    all.at(here < 0 ? (by > 0 ? 0 : -1) : Math.min(Math.max(here + by, 0), all.length - 1))
        ?.focus();
}

function mark() {
    document.activeElement.closest("tr")?.querySelector("input[data-mark]")?.click();
}

const always = {
    j: ["next row", () => step(1)],
    k: ["previous row", () => step(-1)],
    x: ["mark the row", mark],
    "/": ["search", () => document.querySelector("#search")?.focus()],
    "?": ["this list", help],
};

function line(key, what) {
    return [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)];
}

export function help() {
    const silent = h("input", {type: "checkbox", checked: off(), onchange: (event) =>
        localStorage.setItem("weir-keys", event.target.checked ? "off" : "on")});

    sheet("Keyboard", [
        Object.keys(mine).length > 0 && h("section", {}, h("h3", {}, "On this page"),
            h("dl", {class: "keys"}, Object.entries(mine).map(([key, [what]]) =>
                line(key, what)))),
        h("section", {}, h("h3", {}, "Everywhere"), h("dl", {class: "keys"},
            Object.entries(always).map(([key, [what]]) => line(key, what)),
            line("enter", "open the row"))),
        h("section", {}, h("h3", {}, "Go to"), h("dl", {class: "keys"},
            Object.entries(pages).map(([key, [what]]) => line(`g ${key}`, what)))),
        h("p", {}, h("label", {}, silent, " no shortcuts (but ?)")),
    ]);
}

function typed(event) {
    const field = event.target.closest?.("input, select, textarea, dialog");
    const box = event.target.matches?.("input[type=checkbox]") && !event.target.closest("dialog");

    if (event.ctrlKey || event.altKey || event.metaKey || (field && !box))
        return;
    if (off() && event.key !== "?")
        return;
    if (Date.now() - prefix < 1500 && pages[event.key]) {
        prefix = 0;
        event.preventDefault();
        location.hash = pages[event.key][1];
        return;
    }
    prefix = event.key === "g" ? Date.now() : 0;
    const found = mine[event.key] || always[event.key];

    if (found) {
        event.preventDefault();
        found[1]();
    }
}

export function startKeys() {
    document.addEventListener("keydown", typed);
    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && event.target.matches?.("#search"))
            event.target.blur();
    });
}

/* A key's name beside what it does, for buttons. */
export function key(name) {
    return put(h("kbd", {"aria-hidden": "true"}), name);
}
