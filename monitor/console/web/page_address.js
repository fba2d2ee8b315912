/*
 * One address or network: what it does, what stands about it and why, and what can be done.
 */
import {at, h, put} from "./dom.js";
import {chart, meter, steps} from "./chart.js";
import {decide} from "./decide.js";
import {count, decimal, rate, share, when} from "./format.js";
import {table} from "./table.js";
import {badge, card, doing, domain, empty, facts, link} from "./words.js";

export const title = (words) => words[1];

const SOURCE = {
    clear: "read in plain text, or told by the mail server: exact",
    estimate: "estimated from the lengths of encrypted records",
    both: "partly read, partly estimated from the lengths of encrypted records",
};

/* What stands, in sentences. */
function standing({standing: found = {}, address: name}) {
    const lines = [];
    const say = (words, one) => lines.push(h("p", {class: "says"}, words,
        one.ends ? [" until ", when(one.ends)] : one.ends === null ? ", without an end" : "",
        one.reason ? ["; because: ", h("q", {}, one.reason)] : "",
        one.by ? h("span", {class: "quiet"}, ` (${one.by})`) : ""));
    const {blacklist, score, accept} = found || {};

    if (blacklist)
        say([badge(blacklist.defer ? "defer" : "blacklist", blacklist.defer ? "deferred"
            : "refused"), ` Mail from ${name} is ${doing({list: "blacklist", ...blacklist})}`],
            blacklist);
    if (score)
        say([badge("score"), ` Mail from ${name} gets ${doing({list: "score", ...score})}`],
            score);
    if (accept)
        say([badge("accept"), ` Mail from ${name} is accepted`], accept);
    if (lines.length === 0)
        lines.push(h("p", {class: "says"}, `Nothing stands about ${name}: its mail is judged like `
            + "any other."));
    return lines;
}

function bucket({bucket: found}) {
    if (!found)
        return h("p", {class: "quiet"}, "No bucket: it is accepted, or did nothing lately.");
    return [h("table", {class: "plain"}, h("caption", {class: "hidden"}, "Buckets"),
        h("thead", {}, h("tr", {}, ["of", "left", "level", "most", "refilled"].map((name, i) =>
            h("th", {scope: "col", class: i === 1 || i === 3 ? "num" : null}, name)))),
        h("tbody", {}, found.quantities.map((one) => h("tr", {},
            h("th", {scope: "row"}, one.name),
            h("td", {class: "num"}, decimal(one.tokens, 0)),
            h("td", {}, meter(one.tokens, one.maximum, `${one.name} left`)),
            h("td", {class: "num"}, count(one.maximum)),
            h("td", {}, rate(one.rate)))))),
    h("p", {class: "quiet"}, "Limits of ", link(at("thresholds"), found.class || "default"),
        found.full_at ? [". Full again ", when(found.full_at, "ago")] : "")];
}

const EVENTS = [
    {key: "raised", label: "raised", cell: (row) => when(row.raised)},
    {key: "cleared", label: "ended", cell: (row) => (row.cleared ? when(row.cleared)
                                                                  : badge("open", "still open"))},
    {key: "prefix", label: "about", cell: (row) => row.prefix || ""},
    {key: "quantity", label: "what", cell: (row) => row.quantity || row.kind},
    {key: "text", label: "", wide: true},
];

/* What became of a decision. */
function became({undone, undone_by: who, ends}) {
    if (undone)
        return ["taken back ", when(undone), h("span", {class: "quiet"}, ` by ${who}`)];
    return ends && Date.parse(ends) <= Date.now() ? badge("over", "ended")
        : badge("open", "stands");
}

const DECISIONS = [
    {key: "made", label: "made", cell: (row) => when(row.made)},
    {key: "prefix", label: "about"},
    {key: "list", label: "what", cell: (row) => doing(row)},
    {key: "ends", label: "ends", cell: (row) => (row.ends ? when(row.ends) : "never")},
    {key: "undone", label: "what became of it", cell: became},
    {key: "reason", label: "reason", wide: true},
    {key: "by", label: "by"},
];

const DOMAINS = [
    {key: "domain", label: "domain", cell: (row) => domain(row.domain)},
    {key: "messages", label: "messages", num: true, sort: true},
    {key: "spam", label: "spam", num: true, sort: true,
     cell: (row) => `${count(row.spam)} (${share(row.spam, row.messages)})`},
    {key: "ham", label: "good", num: true, sort: true},
];

const SERVERS = [
    {key: "name", label: "server"},
    {key: "connections", label: "connections", num: true, sort: true},
    {key: "messages", label: "messages", num: true, sort: true},
];

function part(caption, columns, rows, key, none) {
    return table({caption, columns, rows: rows || [], key, empty: empty(none)}).node;
}

function sums({sum = {}, source, first_seen: first, last_seen: last}) {
    return facts([
        ["connections", count(sum.connections)], ["messages", count(sum.messages)],
        ["accepted", count(sum.accepted)], ["recipients", count(sum.recipients)],
        ["first seen", when(first)], ["last seen", when(last)],
        ["counted", source ? h("span", {title: SOURCE[source]}, SOURCE[source] || source) : "–"],
    ]);
}

export async function show(page) {
    const name = page.words[1];
    const read = () => page.get(`/addresses/${encodeURIComponent(name)}`);
    const data = await read();
    const again = () => page.again();
    const top = h("section", {class: "card"}), rest = h("div", {class: "body"});
    const lines = chart(page, {label: `Traffic of ${name}`, height: 160, bars: true,
        none: name.includes("/") ? "A network has no history of its own; its addresses have."
            : "It did nothing in the last three hours.",
        series: [{name: "connections", look: "plain"}, {name: "messages", look: "odd"},
                 {name: "accepted", look: "good"}]});
    const level = h("div");

    page.heading(h("span", {class: "mono"}, data.address || name), ...decide(name, again));
    page.fill(top, h("div", {class: "two lop"}, card("Traffic", lines.node),
        card("Level of its buckets", level)), rest);
    draw(data);
    page.refresh(3, ["traffic", "events", "lists"], async () => draw(await read()));

    /* What is new goes into the places that are there: the chart stays the one it is. */
    function draw(found) {
        put(top, standing({...found, address: found.address || name}));
        put(level, bucket(found));
        put(rest, below(found, name));
        lines.update(steps(found.minutes || [], ["connections", "messages", "accepted"], 60,
            180 * 60, found.now));
    }
}

function below(data, name) {
    return [
        name.includes("/") && !data.first_seen ? null : card("In all", sums(data)),
        card("Alerts", part("Alerts", EVENTS, data.events, (row) => row.number,
            "It was never over a limit.")),
        card("Decisions", part("Decisions", DECISIONS, data.decisions, (row) => row.number,
            "Nobody decided anything about it, as far back as is kept.")),
        h("div", {class: "two"},
            card("Domains it sent for", part("Domains", DOMAINS, data.domains,
                (row) => row.domain, "No message of it is kept."), data.domains_partly
                && h("p", {class: "quiet"}, "Only a part of its messages is counted: there are "
                    + "more than are looked at.")),
            card("Servers that saw it", part("Servers", SERVERS, data.servers,
                (row) => row.name, "None, lately."))),
        h("p", {}, link(at("messages", {address: name}), `All kept messages from ${name}`)),
    ];
}
