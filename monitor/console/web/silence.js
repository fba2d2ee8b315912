/*
 * silence - for a time nobody is told of alerts about something: asked for, listed, ended early.
 */
import {alertKinds, get, limits, may, send} from "./api.js";
import {ask, note} from "./dialog.js";
import {ENDS, ending, untilWhen} from "./decide.js";
import {h} from "./dom.js";
import {when} from "./format.js";
import {table} from "./table.js";
import {address, badge, card} from "./words.js";

const PARTS = ["prefix", "threshold", "server", "kind"];

/* Of names there are: one of them, or any. */
const choices = (names) => [["", "any"], ...names.map((name) => [name, name])];

/* What is asked for; null when it cannot be read what there is, which is told. */
async function fields(row) {
    const lists = await Promise.all([get("/thresholds"), get("/servers")]).catch((trouble) => {
        note(trouble.message, {bad: true});
    });

    return lists ? named(row, ...lists) : null;
}

function named(row, thresholds, servers) {
    const choice = (name, label, names, hint) => ({name, label, hint, kind: "choice", value: "",
                                                   choices: choices(names)});

    return [
        {name: "prefix", label: "Address or network", hint: "and what lies in it",
         value: row?.prefix, needed: !may("administrator"), most: 49},
        choice("threshold", "Threshold", thresholds.rows.map((one) => one.name)),
        choice("server", "Server", servers.rows.filter((one) => !one.revoked)
            .map((one) => one.name), "what it alone saw"),
        ...(alertKinds().length > 1 ? [choice("kind", "Kind", alertKinds())] : []),
        ...ending(ENDS, "14400"),
        {name: "reason", label: "Reason", needed: true, most: limits().reason},
    ];
}

/* What a silence is about, in words. */
function about(of) {
    return PARTS.filter((name) => of[name]).map((name) =>
        (name === "prefix" ? of.prefix : `${name} ${of[name]}`)).join(", ");
}

/* Asks for one; row: an alert it is to be about, or nothing. */
export async function silence(row, done) {
    const asked = await fields(row), answer = asked && await ask({
        title: "Silence alerts", button: "Silence", fields: asked,
        text: may("administrator") ? null : "A silence of an analyst's names a network of a /16 "
            + "(IPv6: a /32) at most, and lasts 30 days at most.",
        preview: (values) => `Nobody is told by mail or webhook of alerts about ${about(values)
            || "… (name one at least)"}, ${untilWhen(values)}. They are still recorded, and what `
            + "is done about addresses stays as it is.",
        run: (values) => send("POST", "/silences", {
            ...Object.fromEntries(PARTS.filter((name) => values[name])
                .map((name) => [name, values[name]])),
            reason: values.reason, ends: ending.checked(values)}),
    });

    if (answer) {
        note(`Silence ${answer.number} stands`, {undo: async () => {
            await send("POST", `/silences/${answer.number}/end`);
            done();
        }});
        done();
    }
}

async function end(row, done) {
    const answer = await ask({title: `End silence ${row.number}`, button: "End it",
        text: `Alerts about ${about(row)} are told again from now on.`,
        run: async () => await send("POST", `/silences/${row.number}/end`)});

    if (answer) {
        note(`Silence ${row.number} is over`);
        done();
    }
}

/* Those that stand; nothing where there is none. */
export function silences(rows, done) {
    if (rows.length === 0)
        return null;
    return card("Silences", table({caption: "Silences", rows, key: (row) => row.number, columns: [
        {key: "about", label: "about", cell: (row) => [row.prefix && address(row.prefix),
            row.prefix && about({...row, prefix: null}) && ", ", about({...row, prefix: null})]},
        {key: "wide", label: "", cell: (row) => row.wide && badge("notice", "wide")},
        {key: "ends", label: "ends", sort: true, cell: (row) => when(row.ends)},
        {key: "reason", label: "reason", wide: true, cell: (row) => [row.reason,
            h("span", {class: "quiet"}, ` ${row.by}`)]},
        {key: "do", label: "", cell: (row) => may("analyst") && h("button", {type: "button",
            class: "bare", "aria-label": `end silence ${row.number}`,
            onclick: () => end(row, done)}, "end")},
    ]}).node);
}
