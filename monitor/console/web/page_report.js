/*
 * One reported message: shown as text, its string decoded, what its rules are worth now, and what
 * can be done about it.  Keys: c, r, f as in the list, n and p for the next and the one before.
 */
import {change, get, may, send, word} from "./api.js";
import {accept} from "./decide.js";
import {ask, note} from "./dialog.js";
import {at, h} from "./dom.js";
import {octets, points, when} from "./format.js";
import {key} from "./keys.js";
import {rulesNow} from "./page_message.js";
import {about, buttons, doable, DOES, kindOf, shortcuts} from "./page_reports.js";
import {go} from "./router.js";
import {address, badge, card, domain, empty, facts, link, message as toMessage, rule}
    from "./words.js";

export const title = (words) => `Report about ${words[1]}`;

const STATES = {
    valid: "ours, and of this message",
    unbound: "ours, but of another message, or this one was changed on the way",
    "unknown-key": "under a key that is not known here",
    bad: "not ours, or changed: its signature does not fit",
    malformed: "no such string at all",
    none: "there is none: nothing proves what was decided",
};

/* Ends of lines as they are shown. */
const lines = (text) => text.replace(/\r\n?/g, "\n");

/* Files that came with it, as facts alone. */
function attachments(list) {
    if (!list || list.length === 0)
        return null;
    return h("ul", {class: "list", "aria-label": "Attachments"}, list.map((one) => h("li", {},
        badge("dull", "file"), h("div", {}, h("b", {}, one.name || "without a name"),
            h("span", {class: "quiet"}, ` ${one.type}, ${octets(one.size)}`),
            h("div", {class: "mono quiet"}, one.hash || "")))));
}

/* Text nodes alone: nothing of it is run, loaded or followed. */
function mail(found) {
    if (!found)
        return empty("Its text is not here.", "It was forgotten, or the server sends none: see "
            + "[reports] text in weir.conf(5).");
    return h("div", {class: "mail"}, h("table", {}, h("caption", {class: "hidden"}, "Header"),
        h("tbody", {}, (found.headers || []).map(([name, value, read]) => h("tr", {},
            h("th", {scope: "row"}, name), h("td", {}, read === undefined ? lines(value)
                : [lines(read), h("details", {class: "quiet"}, h("summary", {}, "as it stands"),
                    h("span", {class: "mono"}, lines(value)))]))))),
    attachments(found.attachments),
    h("pre", {tabindex: "0", role: "region", "aria-label": "Text of the message"},
        lines(found.text || "(no text)")),
    found.cut && h("p", {class: "warn"}, "Cut: the server sends only so much of a message."));
}

function info({info: found, state}) {
    return [h("p", {class: "says"}, badge(state), " ", STATES[state] || ""),
        found && facts([
            ["verdict then", badge(found.verdict)],
            ["score then", points(found.score)],
            ["decided", when(found.at)],
            ["by server number", String(found.server)],
            found.boundary_address && ["boundary address", address(found.boundary_address)],
            found.domain && ["domain", domain(found.domain)],
            ["rule set", String(found.serial)],
        ])];
}

function people({votes = {}}, list) {
    const {spam = 0, ham = 0} = votes;
    const sums = h("p", {class: "says"}, `${spam} for spam, ${ham} for good mail.`);

    return [sums, list.length > 0 && h("ul", {class: "list"}, list.map((one) => h("li", {},
        badge(kindOf(one), kindOf(one) === "ham" ? "good" : kindOf(one)),
        h("span", {}, one.user || "somebody", one.server === "the desk" ? " at " : " on ",
            one.server || "a server", " ",
            when(one.time), one.weighs === false ? ", does not weigh" : "",
            one.taken_back ? ["; taken back ", when(one.taken_back)] : ""))))];
}

/* The ones around it in the list it was opened from. */
async function around(page, uid) {
    const {kind = "", waiting = "1"} = page.query;
    const list = await get("/reports", {kind, waiting: waiting === "1" ? "1" : "", most: 200})
        .catch(() => ({rows: []}));
    const uids = [...new Set(list.rows.map((row) => row.uid).filter(Boolean))];
    const here = uids.indexOf(uid);
    const to = (next) => () => {
        if (next)
            go(at("reports", next, {kind, waiting}));
        else
            go(at("reports", {kind, waiting}));
    };

    return {mine: list.rows.filter((row) => row.uid === uid),
            next: to(uids[here + 1]),
            before: to(here > 0 ? uids[here - 1] : null),
            last: here >= 0 && here + 1 === uids.length};
}

/* desk: what those at the desk said of it when the page was read. */
async function judge(page, uid, desk, what, then) {
    const base = {was: {desk}};
    const {name, done, words} = DOES[what];
    const answer = await ask({title: `${name} this report`, button: name, text: `${words[0]
        .toUpperCase()}${words.slice(1)}.`, harm: what === "forget",
        run: () => change("POST", `/reports/${word(uid)}`, {do: what}, base)});

    if (answer) {
        note(`The report is ${done}`, what === "forget" ? {} : {undo: async () => {
            await send("POST", `/reports/${word(uid)}`, {do: "undo"});
            page.again();
        }});
        then();
    }
}

/* The beginning of a text as an expression that hits it.  Rules match octets: what is a blank to
 * them is one of ASCII, and where there are no characters there can be any octets; '#' would begin
 * a comment. */
function phrase(text) {
    return [...text].slice(0, 60).join("")
        .replace(/^[\0- \x7f\ufffd]+|[\0- \x7f\ufffd]+$/g, "")
        .replace(/[\\^$.|?*+()[\]{}/#]/g, "\\$&")
        .replace(/[\t-\r ]+/g, "\\s+").replace(/[\0-\x1f\x7f\ufffd]+/g, ".+");
}

/* What a rule about it would begin with: its subject as rules read it, to be looked over. */
function drafted(data) {
    const text = phrase(data.message?.subject ?? "");
    const name = `REPORTED_${new Date().toISOString().slice(0, 10).replaceAll("-", "")}_${
        data.uid ? data.uid.slice(0, 4).toUpperCase() : "X"}`;

    return text ? `header   ${name}  Subject =~ /${text}/i\ndescribe ${name}  reported as spam`
                : `body     ${name}  /phrase/i\ndescribe ${name}  reported as spam`;
}

function actions(page, data, does, run) {
    const domainOf = data.info?.domain, addressOf = data.info?.boundary_address;

    return [buttons(does, run),
            link(at("rules", "new", {text: drafted(data)}), "Draft a rule", {class: "button"}),
            addressOf && h("button", {type: "button", onclick: () => accept(addressOf,
                () => page.again(), `reported as good mail${domainOf ? ` of ${domainOf}` : ""}`)},
            "Accept sender…")];
}

export async function show(page) {
    const uid = page.words[1];
    const [data, steps] = await Promise.all([
        page.get(`/reports/${encodeURIComponent(uid)}`), around(page, uid)]);
    const does = doable();
    const run = (what) => judge(page, uid, data.desk ?? null, what,
        what === "forget" || !steps.last ? steps.next : () => page.again());
    const report = data.report && {kind: data.report, verdict: data.info?.verdict};

    page.heading(h("span", {}, "Report about ", h("span", {class: "mono"}, uid)),
        may("analyst") ? actions(page, {...data, uid}, does, run) : null,
        h("button", {type: "button", onclick: steps.before}, "Before ", key("p")),
        h("button", {type: "button", onclick: steps.next}, "Next ", key("n")));
    page.fill(
        data.draft ? h("p", {class: "warn"}, "A rule was drafted of it and others: ",
            rule(data.draft.name), data.draft.state === "draft"
                ? ". Look at it, and approve or reject it." : [", which is ",
                    badge(data.draft.state), " by now."]) : null,
        h("div", {class: "two lop"},
            h("div", {class: "body"}, card("The message, as text", mail(data.message))),
            h("div", {class: "body"},
                card("What was decided", report ? h("p", {class: "says"}, about(report)) : null,
                    info(data), h("p", {}, toMessage(uid), h("span", {class: "quiet"},
                        " has each point"))),
                card("Its rules, then and now", rulesNow(data.rules, "then")),
                card("Who says what", people(data, steps.mine)))));
    page.keys({...(may("analyst") ? shortcuts(does, run) : {}), n: ["the next one", steps.next],
               p: ["the one before", steps.before],
               u: ["back to the list", () => go(at("reports", page.query))]});
}
