/*
 * api - asks the monitor: /api/v1, JSON, one error class whose message is a sentence for people.
 *
 *     const overview = await get("/overview", {hours: 24}, signal);
 *     await send("POST", "/reports/4f1c9a0b2d3e5f60", {do: "confirm"});
 *
 * Who is logged in is kept here: me() is null when nobody is, and whoever set onLogout() is told
 * when a session has ended.
 */
const ROOT = "/api/v1";
const TROUBLE = {
    0: "The monitor does not answer. Is weir-monitor running, and the tunnel to it open?",
    401: "The session has ended: log in again.",
    403: "Your role does not allow that.",
    404: "The monitor has nothing of this name.",
    413: "That is too much for one request.",
    429: "Too many tries; wait a little.",
    503: "The monitor is busy; try again in a moment.",
};

export class Trouble extends Error {
    constructor(code, sentence, wait, present) {
        super(sentence || TROUBLE[code] || `The monitor answered with status ${code}.`);
        this.code = code;
        this.wait = wait || 0;
        this.present = present;      // with 409: what is there by now
    }
}

let account = null;
let ended = () => {};

/* Answers that were asked for before the page which wants them is there. */
const early = new Map();

export const me = () => account;
export const onLogout = (told) => { ended = told; };

/* Whether who is logged in may do what needs a role. */
export function may(role) {
    return Boolean(account) &&
        account.roles.indexOf(account.role) >= account.roles.indexOf(role);
}

/* Roles, kinds of alerts, and how much may be sent and is given: as the monitor says with the
 * login. */
export const roles = () => account.roles;
export const alertKinds = () => account.alert_kinds;
export const limits = () => account.limits;

/* Path and arguments; those that say nothing are left out. */
export function url(path, query = {}) {
    const words = new URLSearchParams();

    for (const [name, value] of Object.entries(query))
        if (value !== null && value !== undefined && value !== "")
            words.set(name, value);
    return ROOT + path + (words.size ? "?" + words : "");
}

export function word(text) {
    return encodeURIComponent(text);
}

function sentence(error) {
    return error ? error[0].toUpperCase() + error.slice(1) + (/[.!?]$/.test(error) ? "" : ".")
                 : "";
}

async function answered(place, how) {
    let answer;

    try {
        answer = await fetch(place, {credentials: "same-origin", cache: "no-store", ...how});
    } catch (error) {
        if (error.name === "AbortError")
            throw error;
        throw new Trouble(0);
    }
    if (answer.ok)
        return answer.status === 204 ? {} : answer.json();
    const {error, present} = await answer.json().catch(() => ({}));
    const trouble = new Trouble(answer.status, sentence(error),
                                Number(answer.headers.get("Retry-After")), present);

    if (answer.status === 401 && account) {
        account = null;
        localStorage.removeItem("weir-session");
        ended(trouble);
    }
    throw trouble;
}

export function get(path, query, signal) {
    const place = url(path, query), answer = early.get(place);

    early.delete(place);
    return answer ?? answered(place, {signal});
}

/* Asks now what will be wanted in a moment: the first get() of the same has this answer.  What
 * nobody took is given up with forget(), so that nothing old is shown later. */
export function expect(path, query) {
    const place = url(path, query), answer = answered(place, {});

    early.set(place, answer);
    return answer;
}

export function forget() {
    early.clear();
}

export function send(method, path, body) {
    const headers = {"Content-Type": "application/json"};

    if (account && account.csrf)
        headers["Weir-Csrf"] = account.csrf;
    return answered(ROOT + path, {method, headers, body: body ? JSON.stringify(body) : "{}"});
}

/* The members of an object that have these names. */
export function pick(object, names) {
    return Object.fromEntries(names.map((name) => [name, object[name] ?? null]));
}

/* Sends a change of what was read before: base.was says what it was, as far as it matters (null:
 * there was none).  When it is something else by now nothing is done; the trouble tells, and doing
 * it once more is based on what is there by then. */
export async function change(method, path, body, base) {
    try {
        return await send(method, path, {...body, was: base.was});
    } catch (trouble) {
        if (trouble.code === 409 && trouble.present !== undefined) {
            base.was = trouble.present && base.was ? pick(trouble.present, Object.keys(base.was))
                : trouble.present;
            trouble.message += " Nothing is done; do it again, and yours takes its place.";
        }
        throw trouble;
    }
}

export async function login(name, password) {
    forget();
    account = await send("POST", "/login", {name, password});
    localStorage.setItem("weir-session", "1");
    return account;
}

/* Somebody was logged in here when the browser was last looked at. */
export const wasHere = () => Boolean(localStorage.getItem("weir-session"));

/* Who is logged in by the cookie, or null; who never was here is not asked for. */
export async function resume() {
    if (!wasHere())
        return null;
    try {
        account = await get("/me");
    } catch (trouble) {
        if (trouble.code !== 401)
            throw trouble;
        localStorage.removeItem("weir-session");
        account = null;
    }
    return account;
}

/* Throws while the session stands: whoever goes away must know. */
export async function logout() {
    await send("POST", "/logout");
    localStorage.removeItem("weir-session");
    account = null;
}
