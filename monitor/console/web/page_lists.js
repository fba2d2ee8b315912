/*
 * Lists: what stands on all servers' lists by decision of the monitor or of somebody here.
 */
import {at, h} from "./dom.js";
import {change, limits, may, word} from "./api.js";
import {ask, note, sheet} from "./dialog.js";
import {backOf, decide, takeBack} from "./decide.js";
import {when} from "./format.js";
import {choice, downloads, listed} from "./table.js";
import {card, doing, empty, isPrefix} from "./words.js";

export const title = () => "Lists";

const LISTS = [["", "all"], ["blacklist", "refused"], ["score", "points"], ["accept", "accepted"]];

function columns(page) {
    return [
        {key: "prefix", label: "address"},
        {key: "list", label: "what", sort: true, cell: doing},
        {key: "made", label: "since", sort: true, cell: (row) => when(row.made)},
        {key: "ends", label: "until", sort: true, cell: (row) => (row.ends ? when(row.ends)
                                                                          : "for ever")},
        {key: "reason", label: "reason", wide: true},
        {key: "by", label: "by", sort: true},
        may("analyst") && {key: "do", label: "", cell: (row) => takeBack(row,
            () => page.again())},
    ].filter(Boolean);
}

/* The address first, then what is to be done about it. */
async function add(page) {
    const answer = await ask({title: "Put on a list", button: "Go on", fields: [
        {name: "prefix", label: "Address or network", needed: true,
         hint: "192.0.2.7, 192.0.2.0/24, 2001:db8::/64"}],
        run: ({prefix}) => {
            if (!isPrefix(prefix.trim()))
                throw new Error("That is no address or network.");
            return {prefix: prefix.trim()};
        }});

    if (!answer)
        return;
    sheet(answer.prefix, h("div", {class: "buttons"}, decide(answer.prefix, () => page.again())));
}

export async function show(page) {
    const {list = ""} = page.query;
    const rows = await listed(page, "/lists", {list, most: 100}, {
        caption: "Lists", columns: columns(page), key: (row) => row.number ?? row.prefix,
        href: (row) => at("addresses", row.prefix), mark: may("analyst") ? (marked) => {
            bulk.disabled = marked.length === 0;
        } : null, name: (row) => row.prefix,
        empty: empty("Nothing stands.", "The monitor puts here who exceeds a limit that is "
            + "enforced, and whatever you decide on an address's page.")});
    const bulk = h("button", {type: "button", disabled: true, onclick: () =>
        many(page, rows.marked())}, "Take back what is marked…");

    page.heading("Lists", may("analyst") && h("button", {type: "button",
        onclick: () => add(page)}, "Add…"), may("analyst") && bulk, downloads("/lists", {list}));
    page.fill(h("section", {class: "card"}, h("div", {class: "cardhead"},
        choice(page, "list", "Which list", LISTS, list),
        h("span", {class: "quiet"}, "a server's own lists and its never-list come first")),
    rows.node));
    page.refresh(2, ["lists"]);
}

async function many(page, marked) {
    const left = marked.map((row) => ({...row, base: {was: {[row.list]: row}}}));
    const answer = await ask({title: `Take back ${marked.length} entries`, harm: true,
        button: "Take back", text: marked.slice(0, 12).map((row) => row.prefix).join(", ")
            + (marked.length > 12 ? `, and ${marked.length - 12} more` : ""),
        fields: [{name: "reason", label: "Reason", most: limits().reason}],
        run: async ({reason}) => {
            for (; left.length > 0; left.shift()) {
                const {prefix, list, base} = left[0];

                await change("POST", `/addresses/${word(prefix)}/${backOf(list)}`, {reason}, base);
            }
            return {};
        }});

    if (answer) {
        note(`${marked.length} entries are taken back`);
        page.again();
    }
}
