/*
 * Traffic: who does most now, address by address or network by network, live.
 */
import {at, h, held, put} from "./dom.js";
import {chart, steps} from "./chart.js";
import {absolute, brief, when} from "./format.js";
import {choice, downloads, table} from "./table.js";
import {badge, card, empty} from "./words.js";

export const title = () => "Traffic";

const MINUTES = [["10", "10 min"], ["60", "1 h"], ["360", "6 h"], ["1440", "24 h"]];
const BY = ["connections", "messages", "accepted", "recipients"];

const COLUMNS = [
    {key: "address", label: "address"},
    ...BY.map((name) => ({key: name, label: name, num: true, sort: true,
                          cell: (row) => brief(row[name])})),
    {key: "last_seen", label: "seen", cell: (row) => when(row.last_seen, "ago")},
    {key: "event", label: "alert", cell: (row) => (row.event ? badge("open", "over its limit")
                                                             : "")},
    {key: "decision", label: "stands", cell: (row) => standing(row.decision)},
];

/* A decision as a word, or as a whole. */
export function standing(decision) {
    if (!decision)
        return "";
    const list = typeof decision === "string" ? decision : decision.list;

    if (list === "blacklist" && decision.defer)
        return badge("defer", "deferred");
    return badge(list);
}

export async function show(page) {
    const {minutes = "10", by = "connections", level = "address"} = page.query;
    const query = {minutes, by, level, most: 50};
    const lines = chart(page, {label: "Traffic of all addresses", height: 170,
        none: "No traffic in this time.",
        series: [{name: "connections", look: "plain"}, {name: "messages", look: "odd"},
                 {name: "accepted", look: "good"}]});
    const rows = table({caption: "Addresses that do most", columns: COLUMNS,
        key: (row) => row.address, href: (row) => at("addresses", row.address),
        sort: {key: by, down: true}, sorted: ({key}) => BY.includes(key) && page.ask({by: key}),
        look: (row) => (row.event ? "chosen" : null),
        empty: empty("No traffic in this time.", "It comes from weir-sniffer and the policy "
            + "daemon of each mail server, by way of weir-agent.")});
    const looked = h("p", {class: "quiet", role: "status"});
    const read = async () => {
        const [top, all] = await Promise.all([page.get("/traffic", query),
            page.get("/traffic/minutes", {minutes: Math.max(180, minutes)})]);

        rows.update(top.rows, null);
        put(looked, top.looked_to ? `So much came that this is since ${
            absolute(new Date(top.looked_to))} only.` : "");
        lines.update(steps(all.rows, ["connections", "messages", "accepted"], 60,
            60 * Math.max(180, minutes), all.now));
    };

    page.fill(card("All addresses, by the minute", lines.node),
        h("section", {class: "card"}, h("div", {class: "cardhead"}, h("h2", {}, "Who does most"),
            h("div", {class: "tools"}, choice(page, "minutes", "How long", MINUTES, minutes),
                choice(page, "level", "Of what", [["address", "addresses"],
                                                  ["network", "networks"]], level),
                downloads("/traffic", query))), looked, rows.node));
    await read();
    listen(page, query, rows, read);
}

/* The monitor tells the first rows alone: those behind them stay as they were read. */
function merged(rows, told, most) {
    const first = new Set(told.map((row) => row.address));

    return [...told, ...rows.filter((row) => !first.has(row.address))].slice(0, most);
}

/* What the monitor tells is of ten minutes, by connections; what else is looked at is read again
 * when there is something new. */
function listen(page, query, rows, read) {
    const plain = query.minutes === "10" && query.by === "connections" &&
        query.level === "address";
    let reading = 0;

    page.live("traffic", async (news) => {
        if (held(rows.node))
            return;                  // the next one comes in a second
        if (plain && news && Array.isArray(news.rows))
            rows.update(merged(rows.rows, news.rows, query.most));
        if (Date.now() - reading < (plain ? 60e3 : 10e3))
            return;
        reading = Date.now();
        await read().catch(() => {});
    });
}
