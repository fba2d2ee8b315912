/*
 * One rule: what it says and does, changing it with a test against recent mail, and its history.
 * "#/rules/new" is a rule that is not there yet.
 */
import {change, get, limits, may, me, pick, send, word} from "./api.js";
import {sparkline} from "./chart.js";
import {ask, labelled, note, values} from "./dialog.js";
import {at, h, put} from "./dom.js";
import {count, decimal, points, share, when} from "./format.js";
import {approve, reject} from "./page_rules.js";
import {COLUMNS} from "./page_messages.js";
import {go} from "./router.js";
import {table} from "./table.js";
import {badge, card, empty, facts, link, message} from "./words.js";

export const title = (words) => (words[1] === "new" ? "New rule" : `Rule ${words[1]}`);

const STATES = [["active", "at work"], ["test", "in the test: counted, no points"],
                ["locked", "locked: at work, and changed by people alone"],
                ["draft", "draft: waits for a person"],
                ["retired", "retired: kept, and published no more"]];

/* What a rule's lines hit of recent mail. */
function result(found) {
    const {messages, rules, hits} = found;

    if (messages.spam + messages.ham === 0)
        return h("p", {class: "quiet"}, "There is no recent text to try it on: it comes with "
            + "reports of people.");
    return [h("p", {}, `Tried on ${count(messages.spam)} spam and ${
        count(messages.ham)} good messages.`),
    rules.map((one) => h("p", {class: "says"}, h("b", {}, one.name), `: ${count(one.spam)} spam (${
        share(one.spam, messages.spam)}), ${count(one.ham)} good (${
        share(one.ham, messages.ham)})`)),
    rules.some((one) => one.ham > 0) && h("p", {class: "warn"}, "It hits good mail."),
    hits.length > 0 && h("ul", {class: "list"}, hits.slice(0, 20).map((hit) => h("li", {},
        badge(hit.said, hit.said === "ham" ? "good" : hit.said), message(hit.message))))];
}

/* Lines are tried half a second after the last key. */
function tester(text, place) {
    let timer = null, number = 0;

    async function run() {
        const mine = ++number;

        if (!text.value.trim()) {
            put(place);
            return;
        }
        try {
            const found = await send("POST", "/rules/test", {text: text.value, most: 20});

            if (mine === number)
                put(place, result(found));
        } catch (trouble) {
            if (mine === number)
                put(place, h("p", {class: "wrong"}, trouble.message));
        }
    }
    text.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(run, 500);
    });
    return run;
}

function fieldsOf(data, fresh) {
    return [
        {name: "text", label: "Rule", kind: "area", rows: Math.max(4, (data.text || "").split("\n")
            .length + 1), code: true, value: data.text || "", needed: true,
         hint: "body, header, uri, … as in rule files: see weirctl(1)"},
        {name: "state", label: "State", kind: "choice", choices: STATES,
         value: data.state || "test"},
        !fresh && {name: "score", label: "Points", kind: "number", step: 0.01, value: data.score},
        !fresh && {name: "low", label: "At least", kind: "number", step: 0.01, value: data.low,
                   hint: "both 0: as the threshold allows"},
        !fresh && {name: "high", label: "At most", kind: "number", step: 0.01, value: data.high},
        !fresh && {name: "approved", label: "may go from the test to work", kind: "check",
                   value: data.approved},
        {name: "reason", label: "Reason", needed: true, most: limits().reason,
         hint: "for its history and the audit"},
    ].filter(Boolean);
}

/* The second word of the first line that says something: "body NAME /.../". */
function nameOf(text) {
    const line = text.split("\n").map((each) => each.trim())
        .find((each) => each && !each.startsWith("#"));

    return line?.split(/\s+/)[1];
}

/* What is different from what was; null when nothing is. */
function differences(data, now) {
    const found = {};

    for (const name of EDITED)
        if (now[name] !== undefined && now[name] !== null && now[name] !== (data[name] ?? null))
            found[name] = now[name];
    return Object.keys(found).length > 0 ? found : null;
}

const EDITED = ["text", "state", "score", "low", "high", "approved"];

/* Makes something of a rule as it was again, unless it was changed once more since. */
async function again(name, before) {
    const path = `/rules/${word(name)}`;
    const base = {was: pick(await get(path), Object.keys(before))};

    return () => change("PUT", path, {...before, reason: "taken back at once"}, base);
}

async function save(page, data, form, fresh, base) {
    const now = values(form);
    const changed = fresh ? null : differences(data, now);

    if (fresh) {
        const name = nameOf(now.text);

        await change("POST", "/rules", {text: now.text, state: now.state, reason: now.reason},
            {was: null});
        note("The rule is in the book; it reaches the servers with the next set");
        go(name ? at("rules", name) : at("rules"));
        return;
    }
    if (!changed)
        throw new Error("Nothing is different.");
    const before = {};

    for (const name of Object.keys(changed))
        before[name] = data[name];
    await change("PUT", `/rules/${word(data.name)}`, {...changed, reason: now.reason}, base);
    const back = await again(data.name, before);

    note(`${data.name} is changed; it reaches the servers with the next set`, {undo: async () => {
        await back();
        page.again();
    }});
    page.again();
}

/* What was typed and not saved, by person and rule, with what it changes: it is there again when
 * one comes back, and the window does not close over it without asking. */
const unsaved = new Map();

addEventListener("beforeunload", (event) => {
    if (unsaved.size > 0)
        event.preventDefault();
});

function reminder(page, key) {
    return h("p", {class: "warn", role: "status"}, "This was typed before, and is not saved. ",
        h("button", {type: "button", onclick: () => {
            unsaved.delete(key);
            page.again();
        }}, "Forget it"));
}

function editor(page, found, fresh) {
    const key = `${me().name} ${fresh ? "new" : found.name}`;
    const mine = found.text && fresh ? null : unsaved.get(key);
    const data = mine?.data ?? found;
    const tried = h("div", {class: "body", role: "status", "aria-label": "What it hits"});
    const wrong = h("p", {class: "wrong", role: "alert"});
    const [text, state, ...rest] = fieldsOf({...data, ...mine?.now}, fresh);
    const reason = rest.pop();
    const area = labelled(text), form = h("form", {class: "form"});
    const base = {was: pick(data, EDITED)};
    const run = tester(area.querySelector("textarea"), tried);

    reason.value = mine?.now.reason;
    put(form, mine && reminder(page, key), area, h("div", {class: "buttons"}, h("button", {
        type: "button", onclick: run}, "Try it on recent mail")), tried,
    h("div", {class: "line"}, labelled(state),
        rest.map((field) => labelled(field))), labelled(reason), wrong,
    h("div", {class: "buttons"}, h("button", {class: "main"}, fresh ? "Add" : "Save")));
    form.addEventListener("submit", async (event) => {
        const typed = unsaved.get(key);

        event.preventDefault();
        put(wrong);
        unsaved.delete(key);
        await save(page, data, form, fresh, base).catch((trouble) => {
            put(wrong, trouble.message);
            if (typed)
                unsaved.set(key, typed);
        });
    });
    form.addEventListener("input", () => unsaved.set(key, {data, now: values(form)}));
    if (fresh && data.text)
        run();
    return form;
}

function evidence(data) {
    const e = data.evidence || {}, next = data.next_run;

    return [facts([
        ["state", [badge(data.state), data.approved ? " approved" : ""]],
        ["since", when(data.since)],
        ["points", points(data.score)], ["its author gave it", points(data.base)],
        ["deserves", points(data.deserved)],
        ["may have", e.allowed_low === undefined ? "–"
            : `${points(e.allowed_low)} to ${points(e.allowed_high)}`],
        ["hits", count(data.hits)], ["spam", `${count(data.spam)}, lately ${
            decimal(data.recent_spam)}`],
        ["good", `${count(data.ham)}, lately ${decimal(data.recent_ham)}`],
        ["blamed", count(data.false_positives)],
        ["last hit", when(data.last_hit)], ["first hit", when(data.first_hit)],
        ["by", data.author], ["changed", when(data.last_updated)],
    ]), next && h("p", {class: "quiet"}, next.changes ? `The next run would make it ${
        next.state} with ${points(next.score)}: ${next.why}` : "The next run would leave it as "
        + "it is.")];
}

function history(rows) {
    return table({caption: "History", rows, key: (row) => row.number, columns: [
        {key: "time", label: "time", cell: (row) => when(row.time)},
        {key: "who", label: "who"},
        {key: "what", label: "what"},
        {key: "from", label: "from → to", wide: true, cell: (row) => h("span", {
            class: "mono diff"}, h("span", {class: "was"}, row.from), " → ",
            h("span", {class: "is"}, row.to))},
        {key: "why", label: "why", wide: true},
    ], empty: empty("It was never changed.")}).node;
}

export async function show(page) {
    const name = page.words[1];

    if (name === "new") {
        page.fill(card(null, may("analyst") ? editor(page, {text: page.query.text || ""}, true)
            : empty("An analyst can write rules.")));
        return;
    }
    const data = await page.get(`/rules/${encodeURIComponent(name)}`);
    const again = () => page.again();

    page.heading(h("span", {}, "Rule ", h("span", {class: "mono"}, data.name)),
        data.state === "draft" && may("analyst") && [
            h("button", {type: "button", class: "main", onclick: () => approve(name, again)},
                "Approve…"),
            h("button", {type: "button", onclick: () => reject(name, again)}, "Reject…")],
        data.state !== "retired" && data.state !== "draft" && may("analyst") &&
            h("button", {type: "button", onclick: () => retire(name, data.state, again)},
                "Retire…"), link(at("messages", {rule: name}), "Messages it hit",
            {class: "button"}));
    const large = sparkline(data.days, `Hits of ${name}`);

    large.classList?.add("large");
    page.fill(h("div", {class: "two lop"}, card("What it does", evidence(data)),
        card("Hits, 30 days", large)),
    card(may("analyst") ? "Change it" : "Its lines", may("analyst") ? editor(page, data, false)
        : h("pre", {}, data.text)),
    card("Messages it hit last", table({caption: "Messages", rows: data.messages || [],
        columns: [COLUMNS[0], COLUMNS[1], COLUMNS[2], {key: "points", label: "by it", num: true,
            cell: (row) => points(row.points)}, COLUMNS[3], COLUMNS[4], COLUMNS[6]],
        key: (row) => row.uid, href: (row) => at("messages", row.uid),
        empty: empty("None of those that are kept.")}).node),
    card("History", history(data.history)));
    fresh(page);
}

/* Others may change it meanwhile; what somebody has typed here stays. */
function fresh(page) {
    let typed = false;
    const types = () => { typed = true; };

    page.body.addEventListener("input", types);
    page.leave(() => page.body.removeEventListener("input", types));
    page.refresh(3, ["rules"], async () => (typed ? null : page.again()));
}

async function retire(name, state, then) {
    const base = {was: {state}};
    const answer = await ask({title: `Retire ${name}`, button: "Retire", harm: true,
        text: "It is kept with its history, and the next set goes out without it.",
        fields: [{name: "reason", label: "Reason", needed: true, most: limits().reason}],
        run: ({reason}) => change("PUT", `/rules/${word(name)}`, {state: "retired", reason},
            base)});

    if (answer) {
        const back = await again(name, {state});

        note(`${name} is retired`, {undo: async () => {
            await back();
            then();
        }});
        then();
    }
}
