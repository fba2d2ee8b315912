/*
 * Rules: the rulebook with what each rule does, drafts that wait for a person, and what the next
 * run of the analyzer would change.
 */
import {change, limits, may, send, word} from "./api.js";
import {ask, note, sheet} from "./dialog.js";
import {at, h} from "./dom.js";
import {sparkline} from "./chart.js";
import {count, points, when} from "./format.js";
import {choice, downloads, filters, listed, table} from "./table.js";
import {badge, card, empty, link, rule} from "./words.js";

export const title = () => "Rules";

const STATES = [["", "all"], ["active", "at work"], ["test", "in the test"], ["draft", "drafts"],
                ["retired", "retired"], ["locked", "locked"]];

const COLUMNS = [
    {key: "name", label: "rule", cell: (row) => h("span", {class: "mono"}, row.name)},
    {key: "state", label: "state", sort: true, cell: (row) => badge(row.state)},
    {key: "score", label: "points", num: true, sort: true, cell: (row) => points(row.score)},
    {key: "deserved", label: "deserves", num: true, sort: true, hint: "by what it hit lately",
     cell: (row) => points(row.deserved)},
    {key: "hits", label: "hits", num: true, sort: true, cell: (row) => count(row.hits)},
    {key: "spam", label: "spam", num: true, sort: true, cell: (row) => count(row.spam)},
    {key: "ham", label: "good", num: true, sort: true, cell: (row) => count(row.ham)},
    {key: "false_positives", label: "blamed", num: true, sort: true,
     hint: "good mail that people reported, and that it gave points",
     cell: (row) => (row.false_positives > 0 ? h("b", {class: "plus"}, count(row.false_positives))
                                             : "0")},
    {key: "days", label: "30 days", cell: (row) => sparkline(row.days, `Hits of ${row.name}`)},
    {key: "last_hit", label: "last hit", sort: true, cell: (row) => when(row.last_hit, "ago")},
    {key: "author", label: "by", sort: true},
];

/* A draft is approved or rejected with a reason; then() when it was. */
export async function approve(name, then) {
    const base = {was: {state: "draft"}};
    const answer = await ask({title: `Approve ${name}`, button: "Approve", text:
        "It goes to the test for a day, at no points, and then to work if nobody reports good mail "
        + "that it hit. It reaches the servers with the next set that is published.",
        fields: [{name: "reason", label: "Reason", most: limits().reason}],
        run: ({reason}) => change("PUT", `/rules/${word(name)}`, {state: "test", approved: true,
                                                                 reason}, base)});

    if (answer) {
        note(`${name} is in the test`, {undo: async () => {
            await change("PUT", `/rules/${word(name)}`, {
                state: "draft", approved: false, reason: "taken back at once"},
            {was: {state: "test"}});
            then();
        }});
        then();
    }
}

export async function reject(name, then) {
    const base = {was: {state: "draft"}};
    const answer = await ask({title: `Reject ${name}`, button: "Reject", harm: true, text:
        "It is retired, and nothing like it is drafted of the same messages again.",
        fields: [{name: "reason", label: "Reason", most: limits().reason}],
        run: ({reason}) => change("POST", `/rules/${word(name)}/reject`, {reason}, base)});

    if (answer) {
        note(`${name} is rejected`);
        then();
    }
}

function changes(list) {
    return table({caption: "Changes", rows: list, key: (row) => row.name, columns: [
        {key: "name", label: "rule", cell: (row) => rule(row.name)},
        {key: "what", label: "", cell: (row) => badge(row.what === "changed" ? "active"
            : row.what === "refused" ? "problem" : "dull", row.what)},
        {key: "from", label: "from", cell: ({from}) => `${from.state} ${points(from.score)}`},
        {key: "to", label: "to", cell: ({to}) => `${to.state} ${points(to.score)}`},
        {key: "why", label: "why", wide: true},
    ], empty: empty("Nothing would change.", "Scores are where hits want them.")}).node;
}

/* Rules that a run would draft, of what was reported and missed. */
function drafted(made) {
    return made.length > 0 && [h("h3", {}, made.length === 1 ? "It would draft a rule"
        : `It would draft ${made.length} rules`), made.map((one) => [h("pre", {}, one.rule),
        h("p", {class: "quiet"}, one.why)])];
}

/* What the analyzer would do, and on a second click does. */
async function analyze(page) {
    let found;

    try {
        found = await send("POST", "/analyze", {dry: true});
    } catch (trouble) {
        note(trouble.message, {bad: true});
        return;
    }
    const {changed = 0, refused = 0, rules = 0} = found;

    if (changed === 0 && (found.drafts?.made || []).length === 0) {
        await sheet("The analyzer's next run", changes(found.changes || []), true);
        return;
    }
    const answer = await ask({title: "The analyzer's next run", wide: true, button: "Run it now",
        text: [h("p", {}, `Of ${count(rules)} rules ${count(changed)} would change; ${
            count(refused)} may not, since a good message would become spam.`),
        changes(found.changes || []), drafted(found.drafts?.made || [])],
        run: () => send("POST", "/analyze", {dry: false})});

    if (answer) {
        const made = (answer.drafts?.made || []).length;

        if (answer.changed > 0)
            note(`${count(answer.changed)} rules were changed; publish them on “Sets”`);
        if (made > 0)
            note(made === 1 ? "One rule was drafted: look at it among drafts"
                : `${count(made)} rules were drafted: look at them among drafts`);
        page.again();
    }
}

function drafts(page, rows) {
    if (rows.length === 0)
        return empty("No draft waits.", "The analyzer drafts rules of missed spam that several ",
            "people report.");
    return rows.map((row) => h("section", {class: "card"},
        h("div", {class: "cardhead"}, h("h2", {}, rule(row.name, {"data-row": row.name})),
            may("analyst") && h("div", {class: "row-tools"},
                h("button", {type: "button", class: "main", onclick: () => approve(row.name,
                    () => page.again())}, "Approve…"),
                h("button", {type: "button", onclick: () => reject(row.name,
                    () => page.again())}, "Reject…"))),
        h("pre", {}, row.text || ""),
        h("p", {class: "quiet"}, "Drafted ", when(row.created), " by ",
            row.author || "the analyzer", "; it would have ", points(row.score), " points")));
}

export async function show(page) {
    const {state = "", q = "", where = "", sort = "-hits"} = page.query;
    const query = {state, q, where, sort, most: 100};
    const [by, down] = [sort.replace(/^-/, ""), sort.startsWith("-")];
    const rows = await listed(page, "/rules", query, {
        caption: "Rules", columns: COLUMNS, key: (row) => row.name,
        href: (row) => at("rules", row.name), sort: {key: by, down},
        sorted: (next) => page.ask({sort: `${next.down ? "-" : ""}${next.key}`}),
        look: (row) => (row.state === "retired" ? "dim" : null),
        empty: q || where || state ? empty("No rule fits.") : empty("The rulebook is empty.",
            h("code", {}, "weirctl rules add /etc/weir/rules"), " puts your rules into it, or ",
            link(at("rules", "new"), "write one here"), ".")});

    page.heading("Rules", may("analyst") && [
        link(at("rules", "new"), "New rule", {class: "button main"}),
        h("button", {type: "button", onclick: () => analyze(page)}, "What would change?"),
        link(at("sets"), "Publish…", {class: "button"})], downloads("/rules", query));
    const tabs = choice(page, "state", "State", STATES, state);
    const fields = filters(page, [{name: "q", label: "Name or text", hint: "LOAN"},
        {name: "where", label: "Where", hint: "spam>100,ham=0"}]);

    page.fill(h("section", {class: "card"}, h("div", {class: "cardhead"}, tabs, fields),
        state === "draft" ? null : rows.node), state === "draft" ? drafts(page, rows.rows) : null);
    page.refresh(3, ["rules"]);
}
