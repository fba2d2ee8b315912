/*
 * dialog - windows that ask back, and notes that tell what was done, with Undo where there is one.
 *
 *     const answer = await ask({title, fields, preview, button});   null: not after all
 *     await act("Blocked 192.0.2.7", () => send(...), undo)     a note, or the trouble in words
 *
 * A field is {name, label, kind: "text" | "area" | "number" | "choice" | "check" | "time", value,
 * choices, hint, needed, shows(values)}: where shows() says no, it is hidden.  preview(values) says
 * in words what will be done, anew with each change.
 */
import {fresh, h, nodes, put} from "./dom.js";
import {fromInput, toInput} from "./format.js";

function opened(dialog) {
    const before = document.activeElement;

    document.body.append(dialog);
    dialog.showModal();
    return new Promise((done) => {
        dialog.addEventListener("close", () => {
            dialog.remove();
            if (before && before.isConnected)
                before.focus();
            done(dialog.returnValue);
        });
    });
}

function frame(title, wide) {
    const id = fresh("title");

    return h("dialog", {"aria-labelledby": id, class: wide ? "wide" : null},
        h("h2", {id}, title));
}

/* A window with something to read. */
export function sheet(title, content, wide) {
    const dialog = frame(title, wide);

    dialog.append(h("form", {method: "dialog"}, nodes(content),
        h("div", {class: "buttons"}, h("button", {class: "main"}, "Close"))));
    return opened(dialog);
}

function input(field, changed) {
    const {name, kind = "text", value} = field;
    const common = {id: fresh(name), name, oninput: changed, required: field.needed,
                    "aria-describedby": field.hint ? `${name}-hint` : null};

    if (kind === "area")
        return h("textarea", {...common, rows: field.rows || 4, spellcheck: "false", value,
                              class: field.code ? "code" : null});
    if (kind === "choice")
        return h("select", {...common, value}, field.choices.map(([of, label]) =>
            h("option", {value: of}, label)));
    if (kind === "check")
        return h("input", {...common, type: "checkbox", checked: Boolean(value)});
    if (kind === "time")
        return h("input", {...common, type: "datetime-local", value: toInput(value)});
    return h("input", {...common, value: value ?? "", autocomplete: field.autocomplete || "off",
                       type: kind, step: kind === "number" ? field.step || "any" : null,
                       min: field.min, max: field.max, maxlength: field.most,
                       minlength: field.least, spellcheck: "false"});
}

export function labelled(field, changed) {
    const element = input(field, changed);
    const hint = field.hint && h("small", {id: `${field.name}-hint`}, field.hint);

    if (field.kind === "check")
        return h("div", {class: "field check"}, element,
            h("label", {for: element.id}, field.label), hint);
    return h("div", {class: "field"}, h("label", {for: element.id}, field.label), element, hint);
}

/* What the fields of a form say, by name. */
export function values(form) {
    const found = {};

    for (const element of form.elements) {
        if (!element.name)
            continue;
        if (element.type === "checkbox")
            found[element.name] = element.checked;
        else if (element.type === "number")
            found[element.name] = element.value === "" ? null : Number(element.value);
        else if (element.type === "datetime-local")
            found[element.name] = fromInput(element.value);
        else
            found[element.name] = element.value;
    }
    return found;
}

/* Asks back; `run`, when given, is awaited before the window closes, and its trouble told in it.
 * Where the window is closed meanwhile, what comes of it is told nevertheless: it was asked for. */
export async function ask({title, text, fields = [], preview, button = "Do it", harm, wide, run}) {
    const dialog = frame(title, wide);
    const says = h("p", {class: "preview", "aria-live": "polite"});
    const wrong = h("p", {class: "wrong", role: "alert"});
    const go = h("button", {class: harm ? "main harm" : "main", type: "submit"}, button);
    const form = h("form", {novalidate: false});
    const places = fields.map((field) => [field, labelled(field, tell)]);
    const cancel = h("button", {type: "button", onclick: () => dialog.close()}, "Cancel");
    let answer = null, running = null;

    function busy(on) {
        go.disabled = on;
        cancel.disabled = on;
    }

    function tell() {
        const now = values(form);

        for (const [{shows, needed}, place] of places)
            if (shows) {
                place.hidden = !shows(now);
                place.querySelector("input, select").required = needed && !place.hidden;
            }
        if (preview)
            put(says, preview(now));
    }
    put(form, text && h("p", {}, text), places.map(([, place]) => place),
        preview && says, wrong, h("div", {class: "buttons"},
            cancel, go));

    async function submit() {
        const said = values(form);

        busy(true);
        put(wrong);
        try {
            answer = run ? await run(said) ?? said : said;
            dialog.close();
        } catch (trouble) {
            put(wrong, trouble.message);
            busy(false);
            if (!dialog.isConnected)
                note(trouble.message, {bad: true});
        }
    }
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        running = submit();
    });
    dialog.append(form);
    tell();
    await opened(dialog);
    await running;
    return answer;
}

/* A note at the bottom, read out by screen readers; goes by itself, but not while it can be undone
 * by somebody who is on it. */
export function note(text, {undo, bad} = {}) {
    const gone = () => element.remove();
    const element = h("div", {class: bad ? "note bad" : "note"}, h("span", {}, text),
        undo && h("button", {type: "button", onclick: async () => {
            gone();
            await act("Taken back", undo);
        }}, "Undo"),
        h("button", {type: "button", class: "bare", "aria-label": "Close this note",
                     onclick: gone}, "×"));

    document.querySelector("#notes").append(element);
    const leave = () => setTimeout(() => {
        if (element.matches(":hover, :focus-within"))
            leave();
        else
            gone();
    }, undo || bad ? 12000 : 5000);

    leave();
    return element;
}

/* Does something and tells: what was done, with Undo, or what went wrong.  Gives what came of it,
 * or null. */
export async function act(done, run, undo) {
    try {
        const answer = await run();

        note(typeof done === "function" ? done(answer) : done, {undo});
        return answer ?? {};
    } catch (trouble) {
        note(trouble.message, {bad: true});
        return null;
    }
}
