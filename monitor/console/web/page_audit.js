/*
 * Audit: who changed what, with old and new value; nothing here is ever changed.
 */
import {when} from "./format.js";
import {downloads, filters, listed} from "./table.js";
import {card, empty} from "./words.js";

export const title = () => "Audit";

const COLUMNS = [
    {key: "time", label: "time", cell: (row) => when(row.time)},
    {key: "who", label: "who"},
    {key: "what", label: "what"},
    {key: "detail", label: "of what", wide: true},
];

export async function show(page) {
    const {who = "", what = ""} = page.query;
    const rows = await listed(page, "/audit", {who, what, most: 100}, {
        caption: "Audit", columns: COLUMNS, key: (row) => row.number,
        empty: empty("Nothing fits.", "Everything that is changed here, by weirctl or by the "
            + "monitor itself, is noted.")});

    page.heading("Audit", downloads("/audit", {who, what}));
    page.fill(card(null, filters(page, [{name: "who", label: "Who", hint: "user ann"},
        {name: "what", label: "What", hint: "rules set"}])), card(null, rows.node));
}
