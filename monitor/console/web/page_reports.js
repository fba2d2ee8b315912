/*
 * Submitted: what people reported as spam or as good mail, one line a report; marked ones are
 * confirmed, rejected or forgotten together.
 */
import {change, may, pick, send} from "./api.js";
import {ask, note} from "./dialog.js";
import {at, h} from "./dom.js";
import {key} from "./keys.js";
import {when} from "./format.js";
import {choice, downloads, listed} from "./table.js";
import {address, badge, card, domain, empty, score} from "./words.js";

export const title = () => "Submitted";

export const kindOf = (row) => row.kind || row.report;

/* What a report says against what was decided: that is what makes it worth a look. */
export function about(row) {
    const kind = kindOf(row);

    if (kind === "ham")
        return row.verdict === "spam" ? badge("problem", "false positive")
            : badge("ham", "good mail");
    return row.verdict === "spam" ? badge("dull", "spam, as judged")
        : badge("notice", "missed spam");
}

function votes(row) {
    const {spam = 0, ham = 0} = row.votes || {};

    return spam + ham > 0 ? `${spam} : ${ham}` : "–";
}

/* What came of it: of the report, and of all about its message. */
function cameOf({came, effect}) {
    const counts = {spam: "counts as spam", ham: "counts as good"}[effect];

    return [came, counts].filter(Boolean).join("; ");
}

const COLUMNS = [
    {key: "time", label: "reported", sort: true, cell: (row) => when(row.time, "ago")},
    {key: "kind", label: "says", sort: true, sortBy: kindOf, cell: about},
    {key: "score", label: "score", num: true, sort: true, cell: (row) => score(row.score)},
    {key: "address", label: "address", cell: (row) => address(row.address)},
    {key: "domain", label: "domain", sort: true, wide: true, cell: (row) => domain(row.domain)},
    {key: "user", label: "by", sort: true, wide: true, cell: (row) => row.user || "–"},
    {key: "votes", label: "votes", hint: "for spam : for good mail", cell: votes},
    {key: "state", label: "its string", cell: (row) => badge(row.state)},
    {key: "came", label: "came of it", wide: true, cell: cameOf},
];

export const DOES = {
    confirm: {name: "Confirm", key: "c", done: "confirmed",
              words: "what people say of it is right: you say so, too, and that decides"},
    reject: {name: "Reject", key: "r", done: "rejected",
             words: "what people say of it is wrong: you say the opposite, and that decides"},
    forget: {name: "Forget", key: "f", done: "forgotten",
             words: "its text is deleted; votes stay as they are"},
};

/* Marked ones, or the one that has the focus. */
function meant(rows) {
    const marked = rows.marked();

    if (marked.length > 0)
        return marked;
    const here = document.activeElement.closest?.("tr")?.querySelector("[data-row]");

    return here ? rows.rows.filter((row) => String(rows.key(row)) === here.dataset.row) : [];
}

const AT_ONCE = 100;   // the monitor takes no more of them in one request

function pieces(uids) {
    return Array.from({length: Math.ceil(uids.length / AT_ONCE)},
        (none, i) => uids.slice(i * AT_ONCE, (i + 1) * AT_ONCE));
}

/* What one said oneself is taken back, and nothing of anybody else's. */
async function takeBack(uids) {
    for (const some of pieces(uids))
        await send("POST", "/reports", {uids: some, do: "undo"});
}

/* What is to be done with marked ones, each as the desk spoke of it when it was read: once more, it
 * goes on where it was stopped. */
class Deciding {
    constructor(rows, what) {
        const desk = Object.fromEntries(rows.filter((row) => row.uid)
            .map((row) => [row.uid, row.desk]));

        this.what = what;
        this.uids = Object.keys(desk);
        this.done = [];
        this.left = pieces(this.uids).map((some) => ({was: pick(desk, some)}));
    }

    /* "One report", "180 reports", "100 of 180 reports". */
    words() {
        const all = this.uids.length, {length} = this.done;

        return all === 1 ? "One report" : length > 0 && length < all
            ? `${length} of ${all} reports` : `${all} reports`;
    }

    came() {
        return `${this.words()} ${this.uids.length === 1 ? "is" : "are"} ${DOES[this.what].done}`;
    }

    async run() {
        try {
            for (; this.left.length > 0; this.left.shift()) {
                const uids = Object.keys(this.left[0].was);

                await change("POST", "/reports", {uids, do: this.what}, this.left[0]);
                this.done.push(...uids);
            }
        } catch (trouble) {
            if (this.done.length > 0)
                trouble.message += ` ${this.came()}.`;
            throw trouble;
        }
        return {};
    }
}

async function all(page, rows, what) {
    const of = meant(rows), {name, words} = DOES[what];

    if (of.length === 0) {
        note("Mark reports first: with x, or with the boxes at the left.");
        return;
    }
    const deciding = new Deciding(of, what), {done} = deciding;
    const answer = await ask({
        title: `${name} ${deciding.words().toLowerCase()}`, button: name,
        harm: what === "forget", text: `For each: ${words}.`, run: () => deciding.run()});

    if (done.length > 0)
        note(deciding.came(), what === "forget" ? {} : {undo: async () => {
            await takeBack(done);
            page.again();
        }});
    if (answer) {
        rows.marks.clear();
        page.again();
    } else if (done.length > 0) {                // the rest stays marked
        of.filter((row) => done.includes(row.uid)).forEach((row) =>
            rows.marks.delete(rows.key(row)));
        rows.draw();
    }
}

/* What who is logged in can do about reports. */
export const doable = () => (may("analyst") ? Object.keys(DOES) : []);

/* Buttons, and the keys that press them. */
export function buttons(does, run) {
    return does.map((what) => h("button", {type: "button", class: what === "forget" ? "harm"
        : null, onclick: () => run(what)}, `${DOES[what].name} `, key(DOES[what].key)));
}

export function shortcuts(does, run) {
    return Object.fromEntries(does.map((what) => [DOES[what].key, [DOES[what].name.toLowerCase(),
        () => run(what)]]));
}

export async function show(page) {
    const {waiting = "1", kind = ""} = page.query;
    const query = {waiting: waiting === "1" ? "1" : "", kind, most: 100};
    const does = doable(), run = (what) => all(page, rows, what);
    const rows = await listed(page, "/reports", query, {
        caption: "Reports", columns: COLUMNS, key: (row) => row.number ?? row.uid,
        href: may("analyst") ? (row) => (row.uid ? at("reports", row.uid, {kind, waiting})
            : at("reports")) : null,
        mark: does.length > 0 ? () => {} : null, name: (row) => row.uid,
        empty: waiting === "1" ? empty("Nothing waits to be looked at.", "What people report as ",
            "spam or as good mail comes here, from all servers.")
            : empty("Nobody reported anything.", "Reports come by “weirctl report”, from a ",
                "mail reader, an alias or a folder: see weirctl(1).")});

    page.heading("Submitted", buttons(does, run), downloads("/reports", query));
    page.fill(h("section", {class: "card"}, h("div", {class: "cardhead"},
        choice(page, "waiting", "Which", [["1", "to be looked at"], ["0", "all"]], waiting),
        choice(page, "kind", "Kind", [["", "all"], ["ham", "reported as good"],
                                      ["spam", "reported as spam"]], kind)), rows.node));
    page.keys(shortcuts(does, run));
    page.refresh(5, ["reports"]);
}
