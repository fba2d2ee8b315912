/*
 * Messages: what was decided about each that is kept, found by any of its sides.
 */
import {at, h} from "./dom.js";
import {fromInput, toInput, when} from "./format.js";
import {downloads, filters, listed} from "./table.js";
import {address, badge, card, domain, empty, score} from "./words.js";

export const title = () => "Messages";

const FIELDS = [
    {name: "address", label: "Address or network", hint: "192.0.2.0/24"},
    {name: "domain", label: "Domain", hint: "example.com"},
    {name: "queue", label: "Queue id", hint: "4bXYZ12"},
    {name: "verdict", label: "Verdict", choices: [["", "any"], ["spam", "spam"],
                                                 ["unsure", "unsure"], ["ham", "good"],
                                                 ["blocked", "refused by a list"]]},
    {name: "reported", label: "Reported", choices: [["", "whether or not"], ["spam", "as spam"],
                                                    ["ham", "as good"]]},
    {name: "rule", label: "Rule", hint: "CHEAP_LOAN"},
    {name: "server", label: "Server", hint: "mx1,mx2"},
    {name: "from", label: "From", type: "datetime-local"},
    {name: "to", label: "To", type: "datetime-local"},
];

export const COLUMNS = [
    {key: "time", label: "time", cell: (row) => when(row.time, "at")},
    {key: "verdict", label: "verdict", cell: (row) => badge(row.verdict)},
    {key: "score", label: "score", num: true, sort: true, cell: (row) => score(row.score)},
    {key: "address", label: "address", cell: (row) => address(row.address)},
    {key: "domain", label: "domain", wide: true, cell: (row) => domain(row.domain)},
    {key: "server", label: "server"},
    {key: "reported", label: "people say", cell: (row) => (row.reported
        ? badge(row.reported, row.reported === "ham" ? "good" : row.reported) : "")},
    {key: "queue", label: "queue id", cell: (row) => (row.queue
        ? h("span", {class: "mono"}, row.queue) : "–")},
];

export async function show(page) {
    const query = {...page.query};

    for (const name of ["from", "to"])
        query[name] &&= fromInput(query[name]);
    page.query = {...page.query, from: toInput(query.from), to: toInput(query.to)};
    page.heading("Messages", downloads("/messages", query));
    const search = card(null, filters(page, FIELDS));

    page.fill(search, h("p", {class: "wait"}, "Searching…"));
    const rows = await listed(page, "/messages", {...query, most: 50}, {
        caption: "Messages", columns: COLUMNS, key: (row) => row.uid,
        href: (row) => at("messages", row.uid),
        empty: empty("No message fits.", Object.values(page.query).some(Boolean)
            ? "Fewer conditions find more; only recent messages are kept."
            : "They come with the decisions of your servers, which need the info key: see "
              + "weir-monitor(8).")});

    page.fill(search, card(null, rows.node));
}
