/*
 * Sets: what was published to all servers, by whom and why; publishing the rulebook, taking an
 * earlier set back, and what is different between two.
 */
import {change, get, limits, may, pick, send} from "./api.js";
import {ask, note} from "./dialog.js";
import {at, h} from "./dom.js";
import {count, octets, when} from "./format.js";
import {filters, table} from "./table.js";
import {badge, card, empty, link, rule} from "./words.js";

export const title = (words) => (words[1] === "diff" ? "What is different" : "Rule sets");

const COLUMNS = [
    {key: "serial", label: "serial", num: true},
    {key: "made", label: "made", cell: (row) => when(row.made)},
    {key: "who", label: "by"},
    {key: "what", label: "what"},
    {key: "why", label: "why", wide: true},
    {key: "rules", label: "rules", num: true, cell: (row) => count(row.rules)},
    {key: "octets", label: "size", num: true, cell: (row) => octets(row.octets)},
];

function told({differences = {}, rules, serial}) {
    const parts = Object.entries(differences).map(([what, number]) => `${what} ${count(number)}`);

    return [h("p", {class: "says"}, parts.length > 0 ? `Different from the set before: ${
        parts.join(", ")}.` : "Nothing is different from the newest set."),
    h("p", {class: "quiet"}, `${count(rules)} rules; it would be serial ${serial}.`)];
}

/* What publishing is based on: the newest set, and the last change of a rule. */
async function newest(names) {
    return {was: pick(await get("/sets/newest"), names)};
}

/* First what it would do, then whether to. */
async function publish(page) {
    let dry, base = null;

    try {
        base = await newest(["serial", "change"]);
        dry = await send("POST", "/publish", {dry: true});
    } catch (trouble) {
        note(trouble.message, {bad: true});
        dry = null;
    }
    if (!base)
        return;
    if (dry && dry.different === false) {
        note("Nothing is different from the set that servers have");
        return;
    }
    const answer = await ask({title: "Publish the rulebook", button: "Publish", wide: true,
        text: dry ? told(dry) : "The monitor would refuse it, as was told; it can be published "
            + "nevertheless.",
        fields: [{name: "reason", label: "Reason", needed: true, most: limits().reason},
                 {name: "force", label: "also where a recent good message would become spam",
                  kind: "check"}],
        run: ({reason, force}) => change("POST", "/publish", {reason, force}, base)});

    if (answer) {
        note(`Set ${answer.serial} is published; “Servers” shows who has it`);
        page.again();
    }
}

async function rollback(page, row) {
    let dry = null, base = null;

    try {
        base = await newest(["serial"]);
        dry = await send("POST", "/rollback", {serial: row.serial, dry: true});
    } catch (trouble) {
        note(trouble.message, {bad: true});
        return;
    }
    const answer = await ask({title: `Back to set ${row.serial}`, button: "Take it back to this",
        harm: true, wide: true, text: [told(dry), h("p", {}, "Servers get what it had under a new "
            + "serial. The rulebook stays as it is, and the analyzer publishes nothing by itself "
            + "until a person does.")],
        run: () => change("POST", "/rollback", {serial: row.serial}, base)});

    if (answer) {
        note(`Set ${answer.serial} has what ${row.serial} had`);
        page.again();
    }
}

function columns(page, rows) {
    const newest = Math.max(0, ...rows.map((row) => row.serial));

    return [...COLUMNS, {key: "do", label: "", cell: (row) => h("span", {class: "row-tools"},
        row.serial === newest ? badge("active", "newest") : link(at("sets", "diff",
            {from: row.serial, to: newest}), "what is different since"),
        row.serial !== newest && may("analyst") && h("button", {type: "button", class: "bare",
            "aria-label": `back to this: ${row.serial}`, onclick: () => rollback(page, row)},
        "back to this"))}];
}

async function differ(page) {
    const {from, to} = page.query;
    const fields = card(null, filters(page, [{name: "from", label: "From serial", size: 6},
                                             {name: "to", label: "To serial", size: 6}],
        "Compare"));

    page.heading(from && to ? `Different between ${from} and ${to}` : "What is different",
        link(at("sets"), "All sets", {class: "button"}));
    if (!from || !to) {
        page.fill(fields);
        return;
    }
    const {rows} = await page.get("/sets/diff", {from, to});

    page.fill(fields, card(null, table({caption: "Differences", rows, key: (row) => row.id,
        columns: [
            {key: "name", label: "rule", cell: (row) => rule(row.name)},
            {key: "difference", label: "what", cell: (row) => badge("dull", row.difference)},
            {key: "old", label: "was", wide: true, cell: (row) => h("pre", {class: "diff"},
                h("span", {class: "was"}, row.old ?? ""))},
            {key: "new", label: "is", wide: true, cell: (row) => h("pre", {class: "diff"},
                h("span", {class: "is"}, row.new ?? ""))},
        ], empty: empty("Nothing is different.")}).node));
}

export async function show(page) {
    if (page.words[1] === "diff" || (page.query.from && page.query.to))
        return differ(page);
    if (page.words.length > 1)
        return page.fill(empty("There is no such page.", link(at("sets"), "All sets")));
    const {rows} = await page.get("/sets");

    page.heading("Rule sets", may("analyst") && h("button", {type: "button", class: "main",
        onclick: () => publish(page)}, "Publish…"));
    page.fill(card(null, table({caption: "Sets", rows, columns: columns(page, rows),
        key: (row) => row.serial, empty: empty("Nothing was published yet.",
            "Publishing makes the rulebook the rules of all servers.")}).node));
    page.refresh(3, ["rules"]);
    return undefined;
}
