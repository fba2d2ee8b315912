/*
 * main - the shell around all pages: navigation, search, how old the data is, theme, who is logged
 * in; and which page belongs to which address.
 */
import {expect, forget, get, login, logout, me, onLogout, resume, Trouble, wasHere}
    from "./api.js";
import {note} from "./dialog.js";
import {at, h, idle, put} from "./dom.js";
import {span, tick} from "./format.js";
import {help, startKeys} from "./keys.js";
import {age, hear, onAge, startLive, stopLive} from "./live.js";
import {alerts, excuse, go, Page, place} from "./router.js";
import {chosen, startTheme, use} from "./theme.js";
import {isPrefix, limit} from "./words.js";

/* Word of the address: the page of all, and that of one.  Each is loaded when it is first asked
 * for. */
const PAGES = {
    "": ["overview"], overview: ["overview"], traffic: ["traffic"],
    addresses: ["traffic", "address"], messages: ["messages", "message"],
    reports: ["reports", "report"], submitted: ["reports", "report"], rules: ["rules", "rule"],
    sets: ["sets", "sets"], lists: ["lists"], alerts: ["alerts", "alerts"],
    events: ["alerts", "alerts"], thresholds: ["thresholds"], servers: ["servers"],
    audit: ["audit"], users: ["users"],
};

const SIDE = [
    [null, [["", "Overview"], ["alerts", "Alerts"]]],
    ["Mail", [["traffic", "Traffic"], ["messages", "Messages"], ["reports", "Submitted"]]],
    ["Rules", [["rules", "Rules"], ["sets", "Sets"]]],
    ["Limits", [["lists", "Lists"], ["thresholds", "Thresholds"]]],
    ["House", [["servers", "Servers"], ["audit", "Audit"], ["users", "Users & tokens"]]],
];

const app = document.querySelector("#app");
const nowhere = {title: () => "Nothing here", show: (page) => page.fill(excuse(
    new Trouble(404, "There is no page of this address.")))};
const ends = [];                    // of the shell, at the next door
let main = null, shown = null, counts = {};

/* What stands where, and what waits there. */
function side() {
    const [here = ""] = place().words;
    const now = {addresses: "traffic", events: "alerts", submitted: "reports",
                 overview: ""}[here] ?? here;
    const badge = (word) => {
        const number = counts[word];

        return number > 0 && h("span", {class: word === "alerts" ? "count bad" : "count"},
            number > 999 ? "999+" : number, h("span", {class: "hidden"}, " waiting"));
    };

    return SIDE.map(([group, pages]) => [group && h("p", {class: "group"}, group),
        h("ul", {}, pages.map(([word, name]) => h("li", {}, h("a", {
            href: at(word), "aria-current": word === now ? "page" : null}, name,
        badge(word)))))]);
}

function drawSide(stay) {
    const nav = document.querySelector("#pages");
    const focus = stay && nav?.contains(document.activeElement) && document.activeElement.hash;

    if (!nav)
        return;
    put(nav, side());
    if (focus)
        nav.querySelector(`a[href="${focus}"]`)?.focus();
}

function counted(data) {
    const next = {alerts: data.open_events ?? counts.alerts,
                  reports: data.blamed ?? counts.reports,
                  rules: data.drafts ?? counts.rules};

    limit(data.limits);

    if (JSON.stringify(next) === JSON.stringify(counts))
        return;
    counts = next;
    alerts(counts.alerts || 0);
    drawSide(true);
}

/* What was asked for, where nothing newer was heard meanwhile. */
function countedFirst(data) {
    if (!("alerts" in counts))
        counted(data);
}

/* As Postfix (its short ones are of hexadecimal digits) and Exim make them; other capitals are a
 * rule's name. */
const isQueueId = (word) => /^\d[0-9A-Za-z-]{5,}$/.test(word) ||
    (/^[0-9A-F]{6,}$/.test(word) && /\d/.test(word)) ||
    (/^[0-9A-Za-z-]{10,}$/.test(word) && /\d/.test(word) && /[a-z]/.test(word) &&
     /[A-Z]/.test(word));

/* An address, a message, a queue id, a rule or a domain: whatever is typed. */
function find(text) {
    const word = text.trim().replace(/^([0-9A-Za-z-]{6,}):$/, "$1");  // as a log has queue ids

    if (!word)
        return;
    if (isPrefix(word))
        go(at("addresses", word));
    else if (/^[0-9a-f]{16}$/i.test(word))
        go(at("messages", word.toLowerCase()));
    else if (isQueueId(word))
        go(at("messages", {queue: word}));
    else if (/^[A-Z_][A-Z0-9_]{2,}$/.test(word))
        go(at("rules", word));
    else if (word.includes("."))
        go(at("messages", {domain: word.replace(/^.*@/, "")}));
    else
        go(at("rules", {q: word}));
}

function search() {
    const field = h("input", {id: "search", type: "search", autocomplete: "off",
                              spellcheck: "false", "aria-label": "Go to an address, a message, " +
                              "a queue id, a rule or a domain",
                              placeholder: "address, message, queue id, rule, domain"});

    return h("form", {role: "search", onsubmit: (event) => {
        event.preventDefault();
        find(field.value);
        field.value = "";
    }}, field);
}

function ageSign() {
    const text = h("span", {}, ""), sign = h("span", {class: "age"}, h("i"), text);
    const told = h("span", {class: "hidden", role: "status"});
    let state = "waiting";

    function draw() {
        sign.className = `age ${state}`;
        put(text, state === "live" ? "live" : state === "waiting" ? "connecting…"
            : `data is ${span(age())} old`);
    }
    ends.push(onAge((next) => {
        if (next !== state && next !== "waiting")
            put(told, next === "live" ? "" : "Live updates have stopped; trying again.");
        state = next;
        draw();
    }));
    const timer = setInterval(draw, 1000);

    ends.push(() => clearInterval(timer));
    return [sign, told];
}

function themeButton() {
    const order = ["system", "light", "dark"], sign = {system: "◐", light: "☀", dark: "☾"};
    const button = h("button", {type: "button", class: "bare", onclick: () => {
        use(order[(order.indexOf(chosen()) + 1) % 3]);
        draw();
    }});
    const draw = () => {
        put(button, sign[chosen()]);
        button.setAttribute("aria-label", `Colours: ${chosen()}`);
        button.title = `Colours: ${chosen()}`;
    };

    draw();
    return button;
}

/* A picture is a document of its own to the browser: the page's text first. */
function logo() {
    const image = h("img", {alt: ""});

    idle(() => { image.src = new URL("icon.svg", import.meta.url); });
    return image;
}

function shell() {
    const nav = h("nav", {id: "pages", "aria-label": "Pages"});
    const bar = h("aside", {class: "side", id: "side", "aria-label": "Console"},
        h("a", {class: "brand", href: "#/"}, logo(), "Weir"), nav,
        h("div", {class: "who"}, h("a", {href: "#/users"}, me().name),
            h("div", {class: "quiet"}, me().role),
            h("button", {type: "button", onclick: leave}, "Log out")));
    const open = (on) => {
        bar.classList.toggle("open", on);
        menu.setAttribute("aria-expanded", String(on));
        if (on)
            bar.querySelector("a").focus();
    };
    const menu = h("button", {type: "button", class: "menu", "aria-controls": "side",
                              "aria-expanded": "false", "aria-label": "Menu",
                              onclick: () => open(true)}, "☰");

    app.onclick = (event) => {
        if (bar.classList.contains("open") && !menu.contains(event.target)
            && (event.target.closest("a") || !bar.contains(event.target)))
            open(false);
    };
    bar.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && bar.classList.contains("open")) {
            open(false);
            menu.focus();
        }
    });
    main = h("main", {id: "main", tabindex: "-1"});
    put(app, h("a", {class: "skip", href: "#main", onclick: (event) => {
        event.preventDefault();
        main.focus();
    }}, "Skip to the page"), h("div", {class: "shell"}, bar, h("div", {},
        h("header", {class: "top"}, menu, search(), h("span", {class: "space"}), ageSign(),
            themeButton(), h("button", {type: "button", class: "bare", title: "Keyboard (?)",
                                        "aria-label": "Keyboard shortcuts", onclick: help},
                             "?")), main)));
}

/* The page's module; the one that has nothing to show, where there is no such page. */
function moduleOf({words}) {
    const [first = "", second] = words, [all, one] = PAGES[first] || [];
    const name = words.length > 2 || (second !== undefined && !one) ? null
        : second !== undefined ? one : all;

    return name ? import(`./page_${name}.js`) : nowhere;
}

async function show() {
    const found = place(), mine = {}, first = !shown;

    shown?.end?.();
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
    shown = mine;
    drawSide();
    const module = await Promise.resolve(moduleOf(found)).catch(() => ({
        title: () => "Nothing here", show: () => { throw new Trouble(0); }}));

    if (shown !== mine)
        return;                      // somebody went on meanwhile
    const page = shown = new Page(module, found, main);

    if (!first)
        scrollTo(0, 0);              // has all laid out at once
    await page.show();
    if (page === shown && document.activeElement === document.body)
        page.title.focus({preventScroll: true});
}

async function enter() {
    shell();
    startLive();
    ends.push(hear("overview", counted), hear("again", () => shown?.again?.()));
    await show();
    forget();
    if (!("alerts" in counts))
        get("/overview", {hours: 1}).then(countedFirst, () => {});
    idle(() => Object.values(PAGES).flat().forEach((name) => {
        import(`./page_${name}.js`).catch(() => {});   // once more, when it is asked for
    }));
}

async function leave() {
    try {
        await logout();
    } catch (trouble) {
        if (me())                    // else the session was over, and the door stands
            note(`You are still logged in. ${trouble.message}`, {bad: true});
        return;
    }
    stopLive();
    door();
}

/* Login. */
function door(why) {
    const name = h("input", {id: "name", name: "name", autocomplete: "username", required: true,
                             autocapitalize: "none", spellcheck: "false"});
    const word = h("input", {id: "password", name: "password", type: "password", required: true,
                             autocomplete: "current-password"});
    const wrong = h("p", {class: "wrong", role: "alert"}, why || "");
    const button = h("button", {class: "main"}, "Log in");

    shown?.end?.();
    shown = null;
    main = null;
    counts = {};
    forget();
    stopLive();
    ends.splice(0).forEach((end) => end());
    document.title = "Log in · Weir";
    put(app, h("main", {class: "door"}, h("div", {class: "card"},
        h("h1", {class: "brand"}, logo(), "Weir"),
        h("form", {onsubmit: async (event) => {
            event.preventDefault();
            button.disabled = true;
            put(wrong);
            try {
                await login(name.value, word.value);
                await enter();
            } catch (trouble) {
                put(wrong, trouble.message, trouble.wait > 0
                    && ` Try again in ${span(trouble.wait)}.`);
                button.disabled = false;
                word.select();
            }
        }}, h("div", {class: "field"}, h("label", {for: "name"}, "Name"), name),
        h("div", {class: "field"}, h("label", {for: "password"}, "Password"), word),
        wrong, button),
        h("p", {}, h("small", {}, "The first time: user admin, with the password that ",
            "weir-monitor printed when it was started, or wrote into first-password in its ",
            "state directory.")))));
    name.focus();
}

/* While it is asked who is here: what the first page will show.  That news are heard from before
 * it is asked for, nothing is missed in between. */
async function askAhead() {
    const found = place();

    startLive();
    try {
        const {ahead} = await moduleOf(found);

        if (ahead)
            countedFirst(await expect(...ahead(found)));
    } catch {
        // the page asks itself, and tells
    }
}

async function begin() {
    startTheme();
    startKeys();
    addEventListener("hashchange", () => main && show());
    setInterval(tick, 10e3);
    onLogout((trouble) => door(trouble.message));
    addEventListener("unhandledrejection", (event) => {
        if (event.reason instanceof Trouble)
            note(event.reason.message, {bad: true});
    });
    const ahead = wasHere() && askAhead();

    try {
        if (await resume()) {
            await Promise.race([ahead, new Promise(requestAnimationFrame)]);
            await enter();           // with its figures, where they are there for this frame
        } else
            door();
    } catch (trouble) {
        stopLive();
        put(app, h("main", {class: "door"}, excuse(trouble, () => location.reload())));
    }
}

begin();
