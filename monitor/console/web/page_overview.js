/*
 * Overview: what needs attention, mail by verdict, the day in numbers, servers.
 */
import {at, h, put} from "./dom.js";
import {chart, distribution, steps} from "./chart.js";
import {brief, count, share, when} from "./format.js";
import {choice, table} from "./table.js";
import {badge, card, empty, link} from "./words.js";

export const title = () => "Overview";

const HOURS = [["6", "6 h"], ["24", "24 h"], ["168", "7 days"], ["720", "30 days"]];

const STEP = {6: 300, 24: 900, 168: 3600, 720: 14400};   // seconds of a bar

export function hash(page) {
    return page ? `#/${page.replace(/^#?\/?/, "")}` : null;
}

function attention(list) {
    if (!list || list.length === 0)
        return h("p", {class: "quiet"}, "Nothing needs attention.");
    return h("ul", {class: "list"}, list.map(({level, text, page}) => h("li", {}, badge(level),
        page ? link(hash(page), text) : h("span", {}, text))));
}

function tile(number, words, {to, look, title: hint} = {}) {
    return h(to ? "a" : "div", {class: `tile ${look || ""}`, href: to, title: hint},
        h("b", {}, number), h("span", {}, words));
}

const MOST_ADDRESSES = 1e5;   // no more are counted: WEIR_DESK_ADDRESSES

/* "reports", "blamed" and "addresses_seen" are of the last 24 hours, "today" of the day in UTC. */
function tiles({today, open_events: open, drafts, reports, blamed, addresses_seen: addresses}) {
    return h("div", {class: "tiles"},
        tile(brief(today.messages), "messages today (UTC)", {to: at("messages")}),
        tile(brief(today.spam), ["spam", today.messages > 0 && `, ${share(today.spam,
            today.messages)}`], {to: at("messages", {verdict: "spam"}), look: "bad"}),
        tile(brief(today.unsure), "unsure", {to: at("messages", {verdict: "unsure"}),
                                             look: "odd"}),
        tile(brief(today.ham), "good", {to: at("messages", {verdict: "ham"}), look: "good"}),
        tile(brief(today.refused), "refused by lists"),
        tile(brief(reports), "reports in 24 hours", {to: at("reports", {waiting: "0"})}),
        tile(count(blamed), "good mail taken for spam", {to: at("reports", {kind: "ham"}),
                                                         look: blamed > 0 ? "odd" : ""}),
        tile(count(open), "open alerts", {to: at("alerts"), look: open > 0 ? "bad" : ""}),
        tile(count(drafts), "drafts of rules", {to: at("rules", {state: "draft"}),
                                                look: drafts > 0 ? "odd" : ""}),
        tile(addresses < MOST_ADDRESSES ? brief(addresses) : `${brief(addresses)} or more`,
            "addresses seen in 24 hours", {to: at("traffic")}));
}

const COLUMNS = [
    {key: "name", label: "server", sort: true},
    {key: "state", label: "state", sort: true, cell: (row) => badge(row.state)},
    {key: "last_seen", label: "seen", cell: (row) => when(row.last_seen, "ago")},
    {key: "serial", label: "rules", num: true, hint: "serial of the rule set at work there",
     cell: (row) => row.serial || "–"},
    {key: "generation", label: "lists", num: true, hint: "generation of the lists it has"},
    {key: "why", label: "", wide: true, cell: (row) => row.why || ""},
];

/* What show() will ask for. */
export const ahead = ({query}) => ["/overview", {hours: query.hours || "24"}];

export async function show(page) {
    const hours = page.query.hours || "24";
    const top = h("div"), numbers = h("div"), scores = h("div");
    const mail = chart(page, {label: "Mail by verdict", stacked: true, bars: true, height: 200,
        none: "No message yet. They come from servers whose spool has decisions.",
        series: [{name: "good", look: "good"}, {name: "unsure", look: "odd"},
                 {name: "spam", look: "bad"}]});
    const servers = table({caption: "Servers", columns: COLUMNS, key: (row) => row.name,
        href: () => at("servers"), empty: empty("No mail server yet.",
            link(at("servers"), "Add the first one"), ", then carry its identity there.")});

    function draw(data) {
        put(top, card("Needs attention", attention(data.attention)));
        put(numbers, tiles(data));
        put(scores, distribution("Messages by score", data.scores || [], data.limits));
        servers.update(data.servers || []);
        if (data.verdicts)
            mail.update(steps(data.verdicts, ["ham", "unsure", "spam"], STEP[hours] || 3600,
                3600 * hours, data.now));
    }

    let data = await page.get(...ahead(page));

    page.fill(top, numbers, h("section", {class: "card"}, h("div", {class: "cardhead"},
        h("h2", {}, "Mail by verdict"), choice(page, "hours", "How long", HOURS, hours)),
    mail.node), h("div", {class: "two lop"}, card("Servers", servers.node),
        card("Messages by score", scores)));
    draw(data);
    let whole = true;               // "{}": too long to be told each second, so it is read

    page.live("overview", (news) => {
        whole = Boolean(news.today);
        if (!whole)
            return;
        const {verdicts, scores, ...rest} = news;   // these are of 24 hours

        data = {...data, ...rest, ...(hours === "24" ? {verdicts, scores} : {})};
        draw(data);
    });
    page.refresh(15, ["overview"], async () => {
        const read = whole ? null : await page.get("/overview", {hours});

        if (whole || page.left())       // what was told meanwhile is newer
            return;
        data = read;
        draw(data);
    });
}
