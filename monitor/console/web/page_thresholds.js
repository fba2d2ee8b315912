/*
 * Thresholds: how much which addresses may do, what is done about who exceeds it, and trying other
 * limits on recorded traffic before they are saved.
 */
import {change, get, limits, may, send, word} from "./api.js";
import {ask, note, labelled, values} from "./dialog.js";
import {h, put} from "./dom.js";
import {count, rate, when} from "./format.js";
import {downloads, table} from "./table.js";
import {address, badge, card, facts} from "./words.js";

export const title = () => "Thresholds";

const QUANTITIES = ["connections", "messages", "recipients"];

function limit(one) {
    return one && one.most > 0 ? `${count(one.most)} at once, ${rate(one.rate)}` : "no limit";
}

function fieldsOf(row, fresh) {
    return [
        fresh && {name: "name", label: "Name", needed: true, most: limits().threshold_name},
        row.name !== "default" && {name: "prefixes", label: "For addresses and networks",
            value: row.prefixes, needed: true, hint: "blanks between them"},
        ...QUANTITIES.flatMap((name) => [
            {name: `${name}-most`, label: `${name}: at once`, kind: "number", min: 0,
             value: row[name]?.most ?? 0},
            {name: `${name}-rate`, label: `${name}: a second`, kind: "number", min: 0,
             value: row[name]?.rate ?? 0, hint: rate(row[name]?.rate)}]),
        {name: "ladder", label: "What is done, step by step", value: row.ladder, needed: true,
         hint: "observe, alert, score POINTS, defer, reject; each with how long"},
        {name: "observe", label: "only observe: tell what would be done, and do nothing",
         kind: "check", value: row.observe ?? true},
    ].filter(Boolean);
}

/* As the API wants it. */
function bodyOf(found) {
    const numbers = (what) => QUANTITIES.map((name) => found[`${name}-${what}`] ?? 0);

    return {prefixes: found.prefixes ?? "", ladder: found.ladder, observe: found.observe,
            rate: numbers("rate"), maximum: numbers("most")};
}

const CAUGHT = [
    {key: "prefix", label: "address", cell: (row) => address(row.prefix)},
    {key: "certain", label: "caught", sort: true, cell: (row) => (row.acceptable ? "spared"
        : row.certain ? "certainly" : "perhaps")},
    {key: "by", label: "by", cell: (row) => row.by.replaceAll(",", ", ")},
    {key: "first", label: "first", cell: (row) => when(row.first, "at")},
    {key: "messages", label: "messages", num: true, sort: true},
    {key: "accepted", label: "accepted", num: true, sort: true},
    {key: "good", label: "", cell: (row) => (row.good ? badge("ham", row.acceptable
        ? "acceptable" : "mostly accepted") : "")},
];

function outcome(found) {
    const {caught, certain, perhaps, good, spared, from, to, cut} = found;

    return [h("p", {class: "says"}, `Caught for certain: ${count(certain)}; perhaps: ${
        count(perhaps)}; of these mostly accepted, so perhaps good: ${count(good)}. Between `,
    when(from, "at"), " and ", when(to, "at"), cut ? ": there was no time for more." : ".",
    spared > 0 && ` Acceptable ones, which are spared: ${count(spared)}.`),
    h("p", {class: "quiet"}, "Only sums of minutes are kept: caught for certain is who would have "
        + "been also if each minute's traffic came evenly."),
    caught.length > 0 && table({caption: "Who would have been caught", columns: CAUGHT,
        rows: caught.slice(0, 30), key: (row) => row.prefix}).node,
    caught.length > 30 && h("p", {class: "quiet"}, `and ${count(certain + perhaps + spared
        - 30)} more`)];
}

function editor(page, row, fresh) {
    const name = row.name, place = h("div", {role: "status"});
    const wrong = h("p", {class: "wrong", role: "alert"});
    const fields = fieldsOf(row, fresh).map((field) => labelled(field));
    const form = h("form", {class: "form"}), base = {was: fresh ? null : row};
    const trial = h("button", {type: "button", onclick: async () => {
        trial.disabled = true;
        put(wrong);
        put(place, h("p", {class: "quiet"}, "Trying it on the recorded traffic…"));
        try {
            const found = values(form);

            put(place, outcome(await send("POST", "/thresholds/try", {
                name: name || found.name || "trial", ...bodyOf(found)})));
        } catch (trouble) {
            put(place);
            put(wrong, trouble.message);
        }
        trial.disabled = false;
    }}, "Try it on recorded traffic");
    const head = fields.length - 2 * QUANTITIES.length - 2, most = fields.slice(head, -2);

    put(form, fields.slice(0, head), h("div", {class: "line"}, most),
        fields.slice(-2), h("div", {class: "buttons"}, trial), place, wrong,
        h("div", {class: "buttons"}, h("button", {class: "main"}, fresh ? "Add" : "Save"),
            h("button", {type: "button", onclick: () => page.again()}, "Cancel")));
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        put(wrong);
        const found = values(form), of = name || found.name;

        try {
            await change("PUT", `/thresholds/${word(of)}`, bodyOf(found), base);
            const is = {was: await stored(of)};

            note(`${of} is at work`, row.name && row.source === "database" ? {undo: async () => {
                await change("PUT", `/thresholds/${word(of)}`, bodyOf(wasOf(row)), is);
                page.again();
            }} : {});
            await page.again();
        } catch (trouble) {
            put(wrong, trouble.message);
        }
    });
    return form;
}

/* The one of a name as it is now, or null. */
async function stored(name) {
    const {rows} = await get("/thresholds");

    return rows.find((row) => row.name === name) ?? null;
}

/* A row as its form would have said it. */
function wasOf(row) {
    const found = {prefixes: row.prefixes, ladder: row.ladder, observe: row.observe};

    for (const name of QUANTITIES) {
        found[`${name}-rate`] = row[name]?.rate ?? 0;
        found[`${name}-most`] = row[name]?.most ?? 0;
    }
    return found;
}

async function remove(page, row) {
    const base = {was: row};
    const answer = await ask({title: `Remove ${row.name}`, button: "Remove", harm: true,
        text: row.name === "default" ? "What the configuration says is at work again."
            : "Its addresses are counted with all others.",
        run: () => change("DELETE", `/thresholds/${word(row.name)}`, {}, base)});

    if (answer) {
        const is = {was: await stored(row.name)};    // of the configuration, where that has one

        note(`${row.name} is removed`, {undo: async () => {
            await change("PUT", `/thresholds/${word(row.name)}`, bodyOf(wasOf(row)), is);
            page.again();
        }});
        page.again();
    }
}

function threshold(page, row) {
    const whole = h("section", {class: "card"}), mine = may("administrator");
    const edit = () => put(whole, h("div", {class: "cardhead"}, h("h2", {}, row.name)),
        editor(page, row, false));

    return put(whole, h("div", {class: "cardhead"}, h("h2", {}, row.name, " ", row.observe
        ? badge("observed", "only observed") : badge("active", "enforced")),
    mine && h("div", {class: "row-tools"}, h("button", {type: "button", onclick: edit},
        "Change or try…"), row.source === "database" && h("button", {
        type: "button", onclick: () => remove(page, row)}, "Remove…"))),
    facts([["for", row.prefixes || "everybody else"],
        ...QUANTITIES.map((name) => [name, limit(row[name])]),
        ["what is done", row.ladder], ["from", row.source || "–"]]));
}

export async function show(page) {
    const {rows} = await page.get("/thresholds");
    const added = h("div"), {ladder} = rows.find(({name}) => name === "default");

    page.heading("Thresholds", may("administrator") && h("button", {type: "button",
        onclick: () => put(added, card("A new threshold", editor(page, {ladder}, true)))},
        "New…"),
    downloads("/thresholds"));
    page.fill(added, rows.map((row) => threshold(page, row)));
}
