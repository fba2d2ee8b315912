/*
 * words - what states, verdicts, lists and kinds are called and how they look, the same everywhere;
 * and links to what they are about.  A colour never stands alone: there is always the word.
 */
import {at, h} from "./dom.js";
import {points} from "./format.js";

const LOOK = {
    ham: "good", spam: "bad", unsure: "odd", refused: "bad", blocked: "bad",
    accepted: "good",
    seen: "good", blind: "bad", revoked: "dull", new: "dull",
    active: "good", test: "odd", draft: "odd", retired: "dull",
    open: "bad", problem: "bad", notice: "odd", over: "dull",
    blacklist: "bad", accept: "good", score: "odd", defer: "odd", reject: "bad",
    valid: "good", none: "dull", confirmed: "good", rejected: "dull", waiting: "odd",
    yes: "good", no: "dull", observed: "dull", good: "good", odd: "odd", bad: "bad",
};
const WORD = {
    seen: "seen", new: "never seen", blacklist: "refused", accept: "accepted",
    score: "points", ham: "good", blocked: "refused",
};

export function badge(state, word) {
    if (!state)
        return h("span", {class: "none"}, "–");
    return h("span", {class: `badge ${LOOK[state] || "dull"}`}, word || WORD[state] || state);
}

let bounds = [];   // of unsure, of spam: as the monitor is configured, or a message was judged by

export function limit(next) {
    bounds = next || bounds;
}

/* Points of a message, in the colour of what that many make of it. */
export function score(number, [unsure, spam] = bounds) {
    if (number === null || number === undefined || spam === undefined || spam === null)
        return points(number);
    return h("span", {class: number >= spam ? "bad" : number >= unsure ? "odd" : "good"},
        points(number));
}

export function link(hash, text, props) {
    return h("a", {href: hash, ...props}, text);
}

export function address(text, props) {
    return text ? link(at("addresses", text), text, {class: "mono", ...props}) : "–";
}

/* Whether it may be an address or network; the monitor knows for certain. */
export function isPrefix(text) {
    return /^[0-9a-f:.]+(\/\d+)?$/i.test(text) &&
        (text.includes(":") || text.split(".").length === 4);
}

export function message(uid, props) {
    return uid ? link(at("messages", uid), uid, {class: "mono", ...props}) : "–";
}

export function rule(name, props) {
    return name ? link(at("rules", name), name, {class: "mono", ...props}) : "–";
}

export function domain(name) {
    return name ? link(at("messages", {domain: name}), name) : "–";
}

/* What a standing decision does, in words: "refused for good (5xx)". */
export function doing(decision) {
    if (decision.list === "accept")
        return "accepted";
    if (decision.list === "score")
        return `${decision.points > 0 ? "+" : ""}${Number(decision.points).toFixed(2)} points`;
    return decision.defer ? "deferred (4xx)" : "refused (5xx)";
}

/* Nothing is there: what that means and what to do next. */
export function empty(lead, ...next) {
    return h("div", {class: "empty"}, h("p", {class: "lead"}, lead),
        next.length > 0 && h("p", {}, next));
}

export function card(title, ...content) {
    return h("section", {class: "card"}, title && h("h2", {}, title), content);
}

/* Names and values. */
export function facts(pairs) {
    return h("dl", {class: "facts"}, pairs.filter(Boolean).map(([name, value]) =>
        h("div", {}, h("dt", {}, name), h("dd", {}, value ?? "–"))));
}
