/*
 * decide - what an analyst can do about an address or network: defer, refuse, add points, unblock,
 * accept.  Each asks back with a sentence that says what will happen where and until when, and can
 * be undone from the note that follows.
 */
import {change, get, limits, may, send, word} from "./api.js";
import {ask, note} from "./dialog.js";
import {h} from "./dom.js";
import {absolute, later} from "./format.js";
import {doing} from "./words.js";

export const ENDS = [["3600", "1 hour"], ["14400", "4 hours"], ["86400", "1 day"],
                     ["604800", "7 days"], ["2592000", "30 days"], ["own", "until …"]];
const NEVER = ["0", "for ever"];

const place = (prefix, what) => `/addresses/${word(prefix)}/${what}`;

/* In seconds since 1970; 0: never, or not chosen yet. */
function endOf({ends, until}) {
    return ends === "own" ? Math.floor((Date.parse(until) || 0) / 1000) : later(Number(ends));
}

export function untilWhen(values) {
    const end = endOf(values);

    if (values.ends === "own" && !end)
        return "until … (choose when)";
    return end ? `until ${absolute(new Date(1000 * end))}` : "until somebody takes it back";
}

/* Fields of when it ends; only(values): whether they are asked for.  ending.checked(values) is
 * that time. */
export function ending(ends, least, only = () => true) {
    return [
        {name: "ends", label: "For how long", kind: "choice", value: least, choices: ends,
         shows: only},
        {name: "until", label: "Until", kind: "time", needed: true,
         shows: (values) => only(values) && values.ends === "own"},
    ];
}

function fields(ends, reason, least, only = () => true) {
    return [
        ...ending(ends, least, only),
        {name: "reason", label: "Reason", value: reason, needed: true, most: limits().reason,
         shows: only,
         hint: "for the reply to the sender, the list and the audit"},
    ];
}

function checked(values) {
    const ends = endOf(values);

    if (values.ends === "own" && !ends)
        throw new Error("Choose until when.");
    return ends;
}

ending.checked = checked;

/* What stands about it as the window opens, which is what somebody's decision is based on; null
 * when it cannot be read, which is told. */
async function standing(prefix) {
    try {
        return {was: (await get(`/addresses/${word(prefix)}`, {minutes: 1})).standing};
    } catch (trouble) {
        note(trouble.message, {bad: true});
        return null;
    }
}

function told({was}) {
    const all = Object.values(was).filter(Boolean).map((one) => `${doing(one)} ${one.ends
        ? `until ${absolute(new Date(one.ends))}` : "for ever"}, by ${one.by}${one.reason
        ? `: ${one.reason}` : ""}`);

    return all.length > 0 ? `Now: ${all.join("; ")}.` : null;
}

const WAYS = {
    defer: {title: "Defer", words: "is asked to come again later (4xx)", least: "14400",
            done: "deferred"},
    reject: {title: "Refuse", words: "is refused (5xx)", least: "86400", harm: true,
             done: "refused"},
    score: {title: "Add points to", words: "gets points, and is still judged", least: "86400",
            done: "points added"},
};

async function block(prefix, way, done, reason) {
    const {title, words, least, harm, done: deed} = WAYS[way];
    const more = way === "score" ? [{name: "points", label: "Points", kind: "number", value: 3,
                                     min: -100, max: 100, step: 0.1, needed: true}] : [];
    const base = await standing(prefix), answer = base && await ask({
        title: `${title} ${prefix}`, harm, text: told(base), button: title.split(" ")[0],
        fields: [...more, ...fields(ENDS, reason, least)],
        preview: (values) => `Mail from ${prefix} ${words} on all servers, ${untilWhen(values)}. `
            + "Servers' own lists and what is never to be blocked come first.",
        run: (values) => change("POST", place(prefix, "block"), {
            list: way === "score" ? "score" : "blacklist", defer: way === "defer",
            points: values.points ?? 0, ends: checked(values), reason: values.reason}, base),
    });

    if (answer) {
        note(`${prefix}: ${deed}. Undo takes back all that stands against it.`, {undo: async () => {
            await send("POST", place(prefix, "undo"), {reason: "taken back at once"});
            done();
        }});
        done();
    }
}

async function unblock(prefix, done) {
    const base = await standing(prefix), answer = base && await ask({
        title: `Unblock ${prefix}`, button: "Unblock",
        text: `${told(base) || ""} All that stands against it goes, on all servers; its buckets `
            + "are filled again and the ladder forgets it.",
        fields: [{name: "accept", label: "and accept it for a time", kind: "check"},
                 ...fields([...ENDS.slice(0, 5), NEVER, ENDS[5]], "", "604800",
                     (values) => values.accept)],
        preview: (values) => (values.accept
            ? `Mail from ${prefix} is accepted again, and passes all limits ${untilWhen(values)}.`
            : `Mail from ${prefix} is judged like any other, and blocked again when it is over a `
              + "limit again."),
        run: (values) => change("POST", place(prefix, "undo"), {
            accept: values.accept, ends: values.accept ? checked(values) : 0,
            reason: values.reason}, base),
    });

    if (answer) {
        note(`${prefix} is unblocked; servers follow within seconds`, {undo: async () => {
            const reason = "taken back at once";

            if (answer.accepted)                /* what stood before stands again with it */
                await send("POST", place(prefix, "unaccept"), {reason});
            else
                await send("POST", place(prefix, "restore"), {at: answer.at, reason});
            done();
        }});
        done();
    }
}

export async function accept(prefix, done = () => {}, reason = "") {
    const base = await standing(prefix), answer = base && await ask({
        title: `Accept ${prefix}`, button: "Accept", text: told(base),
        fields: fields([...ENDS.slice(0, 5), NEVER, ENDS[5]], reason, "2592000"),
        preview: (values) => `Mail from ${prefix} passes reputation and limits on all servers, `
            + `${untilWhen(values)}. Whole messages are still judged by rules.`,
        run: (values) => change("POST", place(prefix, "accept"), {
            ends: checked(values), reason: values.reason}, base),
    });

    if (answer) {
        note(`${prefix} is accepted`, {undo: async () => {
            await send("POST", place(prefix, "unaccept"), {reason: "taken back at once"});
            done();
        }});
        done();
    }
}

/* Buttons about an address; none for who may not press them. */
export function decide(prefix, done, reason = "") {
    if (!may("analyst"))
        return [];
    const button = (name, run, harm) => h("button", {type: "button", onclick: run,
        class: harm ? "harm" : null}, name);

    return [
        button("Defer…", () => block(prefix, "defer", done, reason)),
        button("Refuse…", () => block(prefix, "reject", done, reason), true),
        button("Points…", () => block(prefix, "score", done, reason)),
        button("Unblock…", () => unblock(prefix, done)),
        button("Accept…", () => accept(prefix, done, reason)),
    ];
}

/* How what stands on a list is taken back. */
export const backOf = (list) => (list === "accept" ? "unaccept" : "undo");

/* Takes back one decision of the lists. */
export function takeBack(row, done) {
    const {prefix, list} = row, base = {was: {[list]: row}};

    return h("button", {type: "button", class: "bare", "aria-label": `take back ${prefix}`,
                        onclick: async () => {
        const answer = await ask({
            title: `Take back ${prefix}`, button: "Take back",
            text: list === "accept" ? `${prefix} is judged like any other again.`
                : `All that stands against ${prefix} goes from the lists of all servers, and its `
                  + "buckets are filled again.",
            fields: [{name: "reason", label: "Reason", most: limits().reason}],
            run: ({reason}) => change("POST", place(prefix, backOf(list)), {reason}, base)});

        if (answer) {
            note(`${prefix}: taken back`);
            done();
        }
    }}, "take back");
}
