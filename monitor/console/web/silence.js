/*
 * silence - for a time nobody is told of alerts about something: asked for, listed, ended early.
 */
import {limits, may, send} from "./api.js";
import {ask, note} from "./dialog.js";
import {ENDS, ending, untilWhen} from "./decide.js";
import {h} from "./dom.js";
import {when} from "./format.js";
import {table} from "./table.js";
import {address, card} from "./words.js";

const PARTS = [["prefix", "Address or network", "and what lies in it"],
               ["threshold", "Threshold", ""], ["server", "Server", "what it alone saw"],
               ["kind", "Kind", "as threshold"]];

/* What a silence is about, in words. */
function about(of) {
    return PARTS.filter(([name]) => of[name]).map(([name]) =>
        (name === "prefix" ? of.prefix : `${name} ${of[name]}`)).join(", ");
}

/* Asks for one; row: an alert it is to be about, or nothing. */
export async function silence(row, done) {
    const answer = await ask({
        title: "Silence alerts", button: "Silence",
        fields: [...PARTS.map(([name, label, hint]) => ({name, label, hint, most: 63,
            value: name === "prefix" ? row?.prefix : ""})), ...ending(ENDS, "14400"),
        {name: "reason", label: "Reason", needed: true, most: limits().reason}],
        preview: (values) => `Nobody is told by mail or webhook of alerts about ${about(values)
            || "… (name one at least)"}, ${untilWhen(values)}. They are still recorded, and what `
            + "is done about addresses stays as it is.",
        run: ({prefix, threshold, server, kind, reason, ...values}) => send("POST", "/silences", {
            prefix, threshold, server, kind, reason, ends: ending.checked(values)}),
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
        {key: "ends", label: "ends", sort: true, cell: (row) => when(row.ends)},
        {key: "reason", label: "reason", wide: true, cell: (row) => [row.reason,
            h("span", {class: "quiet"}, ` ${row.by}`)]},
        {key: "do", label: "", cell: (row) => may("analyst") && h("button", {type: "button",
            class: "bare", "aria-label": `end silence ${row.number}`,
            onclick: () => end(row, done)}, "end")},
    ]}).node);
}
