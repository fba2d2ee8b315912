/*
 * Alerts: who is or was over a limit, and what else was raised; acknowledged with a note, which can
 * be taken back, and silenced for a time.
 */
import {limits, may, send} from "./api.js";
import {ask, note} from "./dialog.js";
import {at, h} from "./dom.js";
import {decide} from "./decide.js";
import {count, decimal, when} from "./format.js";
import {silence, silences} from "./silence.js";
import {choice, downloads, listed} from "./table.js";
import {address, badge, card, empty, facts, link} from "./words.js";

export const title = (words) => (words[1] ? `Alert ${words[1]}` : "Alerts");

const silenced = (row) => row.silenced_until && Date.parse(row.silenced_until) > Date.now();
const taken = (row) => row.acknowledged;

function state(row) {
    if (row.cleared)
        return badge("over", "over");
    if (taken(row))
        return badge("odd", "seen to");
    return silenced(row) ? badge("dull", "silenced") : badge("open");
}

function acknowledged(row) {
    const by = row.acknowledged_by;

    return taken(row) ? [row.note || "", by ? h("span", {class: "quiet"}, ` ${by}`) : ""] : "";
}

const COLUMNS = [
    {key: "raised", label: "raised", sort: true, cell: (row) => when(row.raised)},
    {key: "state", label: "state", cell: state},
    {key: "prefix", label: "about", sort: true, cell: (row) => (row.prefix ? address(row.prefix)
        : row.server || "")},
    {key: "quantity", label: "what", sort: true, cell: (row) => row.quantity || row.kind},
    {key: "text", label: "", wide: true, cell: (row) => [row.text, row.observed
        ? h("span", {class: "quiet"}, " (only observed)") : ""]},
    {key: "cleared", label: "ended", sort: true, cell: (row) => (row.cleared
        ? when(row.cleared, "at") : "")},
    {key: "note", label: "note", cell: acknowledged},
];

async function acknowledge(page, rows) {
    if (rows.length === 0) {
        note("Mark alerts first: with x, or with the boxes at the left.");
        return;
    }
    const answer = await ask({title: rows.length === 1 ? `Acknowledge alert ${rows[0].number}`
        : `Acknowledge ${rows.length} alerts`, button: "Acknowledge",
        text: "It stays until it is over, and asks for attention no more.",
        fields: [{name: "note", label: "Note", most: limits().reason}],
        run: async (values) => {
            for (const row of rows)
                await send("POST", `/alerts/${row.number}/acknowledge`, {note: values.note});
            return {};
        }});

    if (answer) {
        note(rows.length === 1 ? "The alert is acknowledged"
            : `${rows.length} alerts are acknowledged`);
        page.again();
    }
}

async function takeBack(page, row) {
    const answer = await ask({title: `Take back that alert ${row.number} is acknowledged`,
        button: "Take back", text: "It asks for attention again, and is told to others when nobody "
            + "acknowledges it.",
        run: async () => await send("POST", `/alerts/${row.number}/unacknowledge`)});

    if (answer) {
        note("The alert is acknowledged no more");
        page.again();
    }
}

async function one(page) {
    const number = Number(page.words[1]);
    const {rows} = await page.get("/alerts", {number});
    const row = rows[0];

    if (!row) {
        page.fill(empty("There is no such alert.", link(at("alerts"), "All")));
        return;
    }
    page.heading(`Alert ${number}`, may("analyst") && !taken(row) && h("button", {
        type: "button", onclick: () => acknowledge(page, [row])}, "Acknowledge…"),
    may("analyst") && row.acknowledged && h("button", {type: "button",
        onclick: () => takeBack(page, row)}, "Take back…"),
    may("analyst") && !row.cleared && !silenced(row) && h("button", {type: "button",
        onclick: () => silence(row, () => page.again())}, "Silence…"),
    row.prefix && decide(row.prefix, () => page.again()));
    page.fill(card(null, h("p", {class: "says"}, state(row), " ", row.text)), card("In short",
        facts([["about", row.prefix ? address(row.prefix) : row.server], ["kind", row.kind],
            ["raised", when(row.raised)], ["ended", when(row.cleared)],
            row.quantity && ["what", row.quantity],
            row.rate !== null && row.rate !== undefined && ["measured", `${decimal(row.rate)
            } a second`],
            row.limit_rate !== null && row.limit_rate !== undefined && ["allowed",
                `${count(row.limit_most)} at once, ${decimal(row.limit_rate, 2)} a second`],
            row.threshold && ["threshold", link(at("thresholds"), row.threshold)],
            row.children > 0 && ["addresses in it", count(row.children)],
            row.told && ["told", [when(row.told), row.told_again > 0
                && ` (again ${row.told_again === 1 ? "once" : `${row.told_again} times`})`]],
            row.silence && ["silence", [`number ${row.silence}`, row.silenced_until
                && [", until ", when(row.silenced_until, "at")]]],
            ["note", acknowledged(row)]])));
}

export async function show(page) {
    if (page.words[1])
        return one(page);
    const {open = "1"} = page.query;
    const takes = may("analyst");
    const quiet = await page.get("/silences", {most: 200});
    const rows = await listed(page, "/alerts", {open: open === "1" ? "1" : "", most: 100}, {
        caption: "Alerts", columns: COLUMNS, key: (row) => row.number,
        href: (row) => at("alerts", String(row.number)), mark: takes ? () => {} : null,
        name: (row) => `alert ${row.number}`, look: (row) => (row.cleared ? "dim" : null),
        empty: open === "1" ? empty("No alert is open.", "Who exceeds a limit, and servers that "
            + "are blind, come here within seconds.") : empty("There never was an alert.")});

    page.heading("Alerts", takes && h("button", {type: "button", onclick: () =>
        acknowledge(page, rows.marked())}, "Acknowledge…"), takes && h("button", {type: "button",
        onclick: () => silence(rows.marked()[0], () => page.again())}, "Silence…"),
    downloads("/alerts", {open}));
    page.fill(h("section", {class: "card"}, h("div", {class: "cardhead"},
        choice(page, "open", "Which", [["1", "open"], ["0", "all"]], open)), rows.node),
    silences(quiet.rows, () => page.again()));
    if (takes)
        page.keys({c: ["acknowledge what is marked", () => acknowledge(page, rows.marked())]});
    page.refresh(3, ["events"]);
    return undefined;
}
