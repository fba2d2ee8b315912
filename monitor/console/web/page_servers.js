/*
 * Servers: mail servers with their agents' health; adding one tells its identity once.
 */
import {may, send, word} from "./api.js";
import {ask, note, sheet} from "./dialog.js";
import {h} from "./dom.js";
import {count, when} from "./format.js";
import {downloads, table} from "./table.js";
import {badge, card, empty} from "./words.js";

export const title = () => "Servers";

const serial = (row) => row.health?.rules?.serial;

/* What is not as it should be, and what that may come from. */
function troubles(row) {
    return row.troubles.length > 0 && h("ul", {class: "list"}, row.troubles.map(({text, why}) =>
        h("li", {}, h("div", {}, h("div", {}, text), h("div", {class: "quiet"}, why)))));
}

const COLUMNS = [
    {key: "name", label: "server", sort: true},
    {key: "state", label: "state", sort: true, cell: (row) => badge(row.state)},
    {key: "last_seen", label: "seen", sort: true, cell: (row) => when(row.last_seen)},
    {key: "serial", label: "rule set", num: true, sort: true,
     sortBy: serial, cell: (row) => serial(row) || "–"},
    {key: "generation", label: "lists", num: true, sort: true, hint: "generation it acknowledged"},
    {key: "added", label: "added", sort: true, cell: (row) => when(row.added, "at")},
    {key: "troubles", label: "", wide: true, cell: (row) => troubles(row) || ""},
];

/* What its agent says of itself: any names and numbers. */
function health(found) {
    const lines = [];
    const walk = (value, name) => {
        if (value !== null && typeof value === "object")
            for (const [key, inner] of Object.entries(value))
                walk(inner, name ? `${name} ${key}` : key);
        else
            lines.push([name.replaceAll("_", " "), typeof value === "number" ? count(value)
                : String(value)]);
    };

    walk(found, "");
    return h("table", {class: "fit"}, h("caption", {class: "hidden"}, "Health"),
        h("tbody", {}, lines.map(([name, value]) => h("tr", {}, h("th", {scope: "row"}, name),
            h("td", {class: "num"}, value)))));
}

async function add(page) {
    const answer = await ask({title: "Add a mail server", button: "Add",
        fields: [{name: "name", label: "Name", needed: true, hint: "letters, digits, -, _ and ."}],
        run: async ({name}) => ({name, ...await send("POST", "/servers", {name})})});

    if (!answer)
        return;
    const copy = h("button", {type: "button", onclick: () => navigator.clipboard
        .writeText(answer.identity).then(() => note("Copied"), () => note(
            "The browser does not allow that; mark the text and copy it.", {bad: true}))}, "Copy");

    await sheet(`Identity of ${answer.name}`, [
        h("p", {}, "This is told once. Put it into ", h("code", {}, "/etc/weir/agent.identity"),
            " on the mail server, readable by the user weir alone, and start weir-agent there."),
        h("pre", {class: "secret", tabindex: "0"}, answer.identity),
        h("div", {class: "buttons"}, copy)], true);
    page.again();
}

async function revoke(page, {name}) {
    const answer = await ask({title: `Revoke ${name}`, button: "Revoke", harm: true,
        text: "Its agent is let in no more, at once. To let it in again, add it again: it gets a "
            + "new identity and keeps its number.",
        run: () => send("POST", `/servers/${word(name)}/revoke`)});

    if (answer) {
        note(`${name} is revoked`);
        page.again();
    }
}

export async function show(page) {
    const {rows} = await page.get("/servers");
    const mine = may("administrator");
    const columns = [...COLUMNS.filter(({key}) => key !== "added" || rows.some((row) =>
        row.added)), {key: "do", label: "", cell: (row) => h("span", {class: "row-tools"},
        row.health && h("button", {type: "button", class: "bare", "aria-label":
            `health of ${row.name}`, onclick: () => sheet(`Health of ${row.name}`,
            health(row.health), true)}, "health"),
        mine && row.state !== "revoked" && h("button", {type: "button", class: "bare",
            "aria-label": `revoke ${row.name}`, onclick: () => revoke(page, row)}, "revoke"))}];

    page.heading("Servers", mine && h("button", {type: "button", class: "main",
        onclick: () => add(page)}, "Add…"), downloads("/servers"));
    page.fill(card(null, table({caption: "Servers", rows, columns, key: (row) => row.name,
        look: (row) => (row.state === "revoked" ? "dim" : null),
        empty: empty("No mail server yet.", "Add one, carry its identity there, and start "
            + "weir-agent and weir-sniffer.")}).node));
    page.refresh(5, ["servers"]);
}
