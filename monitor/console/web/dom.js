/*
 * dom - elements made of data.  Text becomes text nodes and nothing else, so that what a mail
 * holds is shown and never run; no other file makes elements in another way.
 *
 *     h("a", {href: "#/servers", class: "quiet"}, "Servers")
 *
 * Characters that show nothing, or turn the direction of what follows (a mail has "gnp.exe" read as
 * "exe.png" with them), are shown by their numbers; what is in a field to be edited, or an address,
 * stays as it is.
 *
 * Properties beginning with "on" are listeners; true sets an attribute without a value; null, false
 * and undefined set none.  Children are nodes, texts, numbers, arrays of them, or nothing.
 */

const SVG = "http://www.w3.org/2000/svg";

/* Controls but line ends and tabs; marks of direction, joiners and other ones without a width;
 * tags.  Those that a right-to-left text needs show its letters all the same. */
const HIDDEN = new RegExp("[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad"
    + "\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e"
    + "\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}]", "gu");

export function visible(text) {
    return String(text).replace(HIDDEN, (one) => "⟦U+" + one.codePointAt(0).toString(16)
        .toUpperCase().padStart(4, "0") + "⟧");
}

function fill(element, props, children) {
    for (const [name, value] of Object.entries(props || {})) {
        if (value === null || value === undefined || value === false)
            continue;
        if (name.startsWith("on"))
            element.addEventListener(name.slice(2), value);
        else if (name === "value" || name === "checked" || name === "selected")
            element[name] = value;
        else
            element.setAttribute(name, value === true ? ""
                : name === "title" || name === "aria-label" ? visible(value) : String(value));
    }
    element.append(...nodes(children));
    return element;
}

/* A flat list of nodes and texts. */
export function nodes(children) {
    return [children].flat(Infinity)
        .filter((child) => child !== null && child !== undefined && child !== false)
        .map((child) => (child instanceof Node ? child : visible(child)));
}

export function h(tag, props, ...children) {
    const element = document.createElement(tag);

    fill(element, props, tag === "select" ? [] : children);
    if (tag === "select") {
        element.append(...nodes(children));
        if (props && props.value !== undefined && props.value !== null)
            element.value = props.value;
    }
    return element;
}

export function s(tag, props, ...children) {
    return fill(document.createElementNS(SVG, tag), props, children);
}

export function put(element, ...children) {
    element.replaceChildren(...nodes(children));
    return element;
}

/* Hash of a place in the console: at("addresses", "192.0.2.0/24") is "#/addresses/192.0.2.0%2F24";
 * an object at the end is its query. */
export function at(...words) {
    const query = typeof words.at(-1) === "object" ? words.pop() : {};
    const found = new URLSearchParams();

    for (const [name, value] of Object.entries(query))
        if (value !== null && value !== undefined && value !== "")
            found.set(name, value);
    return "#/" + words.map(encodeURIComponent).join("/") + (found.size ? "?" + found : "");
}

/* When nothing else is to be done: what is put into the page is seen by then. */
export const idle = (run) => (window.requestIdleCallback ? requestIdleCallback(run, {timeout: 2000})
    : setTimeout(run, 100));         // Safari

let pressed = false;

for (const [name, down] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]])
    addEventListener(name, () => { pressed = down; }, true);

/* Somebody presses a button of the mouse, or has marked text in an element: what is replaced now
 * would be taken away below his hands. */
export function held(element) {
    const marked = document.getSelection();

    return pressed || (!marked.isCollapsed && element.contains(marked.anchorNode));
}

let made = 0;

/* A number for ids that tie labels to what they name. */
export function fresh(name) {
    made += 1;
    return `${name}-${made}`;
}
