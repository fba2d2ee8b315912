/*
 * router - which page the address bar asks for, and what a page may use while it is shown.
 *
 *     #/traffic?minutes=10     words ["traffic"], query {minutes: "10"}
 *
 * A page is a module with title(words) and show(page).  It gets a `page`:
 *
 *     page.words, page.query           of the address
 *     page.get(path, query)            asks the monitor; given up when the page is left
 *     page.fill(...nodes)              what is below the heading
 *     page.heading(text, ...actions)   another heading, buttons beside it
 *     page.live(name, told)            events, until the page is left
 *     page.refresh(seconds, names)     anew with these events, at most so often: all of it, or
 *                                      what a third argument does
 *     page.again()                     the whole page anew, where one was reading
 *     page.ask({minutes: 60})          the same page with another query
 *     page.keys(keys)                  shortcuts of its own (keys.js)
 *     page.leave(done)                 done() when it is left
 *
 * What show() throws is told in words, in the place of the page.
 */
import {get, Trouble} from "./api.js";
import {at, h, held, put} from "./dom.js";
import {own} from "./keys.js";
import {hear} from "./live.js";

export function place(hash = location.hash) {
    const [path, query] = hash.replace(/^#\/?/, "").split("?");
    let words;

    try {
        words = path.split("/").filter(Boolean).map(decodeURIComponent);
    } catch {
        words = ["nowhere"];
    }
    return {words, query: Object.fromEntries(new URLSearchParams(query || ""))};
}

export function go(hash) {
    if (location.hash === hash)
        dispatchEvent(new HashChangeEvent("hashchange"));
    else
        location.hash = hash;
}

/* What went wrong, in the place of what was asked for. */
export function excuse(trouble, again) {
    if (!(trouble instanceof Trouble))
        console.error(trouble);
    return h("div", {class: "empty", role: "alert"},
        h("p", {class: "lead"}, !(trouble instanceof Trouble)
            ? "This page could not be shown; the browser's console says more."
            : trouble.message),
        again && h("p", {}, h("button", {type: "button", onclick: again}, "Try again")));
}

let waiting = 0, name = "";

/* The title of the window: how many alerts are open is seen in another tab, too. */
function named(page) {
    name = page;
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${name} · Weir`;
}

export function alerts(number) {
    waiting = number;
    named(name);
}

export class Page {
    constructor(module, found, main) {
        this.module = module;
        this.words = found.words;
        this.query = found.query;
        this.main = main;
        this.control = new AbortController();
        this.ends = [];
        this.memory = {};            // of its table: how it is sorted, whether more was asked for
        this.title = h("h1", {tabindex: "-1"}, module.title(this.words));
        this.tools = h("div", {class: "tools"});
        this.body = h("div", {class: "body"}, h("p", {class: "wait"}, "Loading…"));
    }

    async show() {
        named(this.module.title(this.words));
        put(this.main, h("header", {class: "head"}, this.title, this.tools), this.body);
        await this.run();
    }

    async run() {
        try {
            await this.module.show(this);
        } catch (trouble) {
            if (!this.left() && trouble.name !== "AbortError")
                this.fill(this.form && h("section", {class: "card"}, this.form),
                          excuse(trouble, () => this.again()));
        }
    }

    left() {
        return this.control.signal.aborted;
    }

    get(path, query) {
        return get(path, query, this.control.signal);
    }

    fill(...nodes) {
        if (!this.left())
            put(this.body, ...nodes);
    }

    heading(text, ...actions) {
        put(this.title, text);
        put(this.tools, ...actions);
        named(this.title.textContent);
    }

    live(name, told) {
        this.leave(hear(name, told));
    }

    leave(done) {
        this.ends.push(done);
    }

    end() {
        this.control.abort();
        this.forget();
    }

    forget() {
        own({});
        this.ends.splice(0).forEach((done) => done());
    }

    /* Where one was reading stays: the scroll position, and what has the focus. */
    async again() {
        if (this.left())
            return;
        const {scrollX, scrollY} = window;
        const focus = document.activeElement && document.activeElement.dataset.row;

        this.forget();
        this.memory.paged = false;
        await this.run();
        window.scrollTo(scrollX, scrollY);
        if (focus)
            this.body.querySelector(`[data-row="${CSS.escape(focus)}"]`)?.focus();
    }

    refresh(seconds, names, anew = () => this.again()) {
        let waiting = null, begun = Date.now();
        const run = () => {
            waiting = null;
            begun = Date.now();
            if (this.busy())
                waiting = setTimeout(run, 1000 * seconds);
            else
                Promise.resolve(anew()).catch(() => {});   // the next event tries again
        };

        for (const name of names)
            this.live(name, () => {
                waiting ??= setTimeout(run, Math.max(0, begun + 1000 * seconds - Date.now()));
            });
        this.leave(() => clearTimeout(waiting));
    }

    /* Somebody types here, has marked rows or text, or asked for more rows: nothing is taken away
     * below his hands. */
    busy() {
        const active = document.activeElement;

        return this.memory.paged || held(this.body) ||
            document.querySelector("dialog[open]") !== null ||
            this.body.querySelector("input[type=checkbox][data-mark]:checked") !== null ||
            (this.body.contains(active) && active.matches("input, select, textarea"));
    }

    ask(query) {
        go(at(...this.words, {...this.query, ...query}));
    }

    keys(keys) {
        own(keys);
    }
}
