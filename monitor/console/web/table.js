/*
 * table - rows of data: sorted by a click, marked by boxes, paged by "more", a card each on a
 * phone, and as CSV or JSON for download.
 *
 *     const rows = table({caption: "Servers", columns, rows, key: (row) => row.name});
 *     page.fill(rows.node);   rows.update(other);   rows.marked()
 *
 * A column is {key, label, cell(row), num, sort, wide, sortBy(row)}: `cell` gives a node or text,
 * `num` aligns right, `sort` lets it be sorted; the first one names the row and is the title of its
 * card.  href(row) makes that name a link, which is what j and k go to.
 *
 * Sorting is of what was loaded, unless sorted({key, down}) asks the monitor.  `memory` keeps how
 * it was sorted when the page is read anew.
 */
import {at, fresh, h, put} from "./dom.js";
import {get, url} from "./api.js";
import {absolute} from "./format.js";
import {empty} from "./words.js";

function text(row, column) {
    if (column.sortBy)
        return column.sortBy(row);
    return row[column.key];
}

function compare(a, b, column, down) {
    const x = text(a, column), y = text(b, column);

    if (x === y)
        return 0;
    if (x === null || x === undefined)   // what is not there comes last, either way
        return 1;
    if (y === null || y === undefined)
        return -1;
    return (x < y ? -1 : 1) * (down ? -1 : 1);
}

class Table {
    constructor(how) {
        Object.assign(this, {rows: [], marks: new Set(), more: null, memory: {}}, how);
        this.sort = (!this.sorted && this.memory.sort) || how.sort || null;
        this.id = fresh("table");
        this.body = h("tbody", {role: "rowgroup"});
        this.foot = h("div", {class: "foot"});
        this.heads = h("tr", {role: "row"});
        this.node = h("div", {class: "table"});
        this.draw();
    }

    update(rows, more, looked_to = null) {
        this.rows = rows;
        this.looked_to = looked_to;
        if (more !== undefined)
            this.more = more;
        this.draw();
    }

    marked() {
        return this.rows.filter((row) => this.marks.has(this.key(row)));
    }

    draw() {
        const focus = this.body.contains(document.activeElement)
            ? document.activeElement.dataset.row : null;

        if (this.rows.length === 0 && !this.more) {
            put(this.node, this.empty || empty("Nothing here."));
            this.whole = null;
            return;
        }
        this.drawHeads();
        put(this.body, this.sortedRows().map((row) => this.line(row)));
        put(this.foot, this.counted(), this.next());
        if (!this.whole) {
            this.whole = h("table", {role: "table", class: this.fit ? "fit" : null},
                h("caption", {class: "hidden"}, this.caption),
                h("thead", {role: "rowgroup"}, this.heads), this.body);
            put(this.node, this.whole, this.foot);
        }
        if (focus)
            this.body.querySelector(`[data-row="${CSS.escape(focus)}"]`)?.focus();
    }

    sortedRows() {
        const column = this.sort && this.columns.find(({key}) => key === this.sort.key);

        if (!column || this.sorted)
            return this.rows;
        return [...this.rows].sort((a, b) => compare(a, b, column, this.sort.down));
    }

    drawHeads() {
        put(this.heads, this.mark && h("th", {role: "columnheader", scope: "col", class: "box"},
            h("input", {type: "checkbox", "aria-label": "Mark all rows",
                        checked: this.rows.every((row) => this.marks.has(this.key(row))),
                        onchange: (event) => this.markAll(event.target.checked)})),
        this.columns.map((column) => this.head(column)));
    }

    head(column) {
        const by = this.sort && this.sort.key === column.key;
        const press = () => {
            this.sort = {key: column.key, down: by ? !this.sort.down : Boolean(column.num)};
            this.memory.sort = this.sort;
            if (this.sorted)
                this.sorted(this.sort);
            else
                this.draw();
            this.heads.querySelector(`[data-sort="${column.key}"]`)?.focus();
        };

        return h("th", {role: "columnheader", scope: "col", class: column.num ? "num" : null,
                        title: column.hint,
                        "aria-sort": by ? (this.sort.down ? "descending" : "ascending") : null},
        column.sort ? h("button", {type: "button", "data-sort": column.key, onclick: press},
            column.label, h("span", {"aria-hidden": "true", class: "arrow"},
                by ? (this.sort.down ? "▾" : "▴") : ""))
            : column.label || h("span", {class: "hidden"}, "more"));
    }

    line(row) {
        const key = this.key(row);

        return h("tr", {role: "row", class: this.look ? this.look(row) : null},
            this.mark && h("td", {role: "cell", class: "box"}, this.box(row, key)),
            this.columns.map((column, i) => this.cell(row, column, i, key)));
    }

    box(row, key) {
        return h("input", {type: "checkbox", "data-mark": key, checked: this.marks.has(key),
                           "aria-label": `Mark ${this.name ? this.name(row) : key}`,
                           onchange: (event) => this.markOne(key, event.target.checked)});
    }

    cell(row, column, i, key) {
        const shown = column.cell ? column.cell(row) : row[column.key] ?? "–";
        const link = i === 0 && this.href && h("a", {
            href: this.href(row), "data-row": key, class: "row"}, shown);

        return h("td", {role: "cell", "data-label": column.label,
                        class: [column.num && "num", column.wide && "wide", i === 0 && "first",
                                shown === "" && "void"]
                            .filter(Boolean).join(" ") || null}, link || shown);
    }

    markOne(key, on) {
        if (on)
            this.marks.add(key);
        else
            this.marks.delete(key);
        this.mark(this.marked());
    }

    markAll(on) {
        this.marks = new Set(on ? this.rows.map(this.key) : []);
        this.draw();
        this.mark(this.marked());
    }

    counted() {
        const rows = `${this.rows.length} rows`;

        return this.rows.length < 10 && !this.more ? null
            : h("span", {class: "quiet"}, !this.more ? rows : this.looked_to
                ? `${rows}; looked back to ${absolute(new Date(this.looked_to))}, and there may be `
                    + "more"
                : `${rows}, and there are more`);
    }

    next() {
        if (!this.more || !this.load)
            return null;
        const button = h("button", {type: "button", onclick: async () => {
            button.disabled = true;
            const {rows, more, looked_to} = await this.load(this.more).catch(() => {
                button.disabled = false;
                put(button, "That did not work; try again");
                return {rows: null};
            });

            if (rows) {
                this.memory.paged = true;
                this.update([...this.rows, ...rows], more, looked_to);
            }
        }}, "Show more");

        return button;
    }
}

export function table(how) {
    return new Table(how);
}

/* A table of what a path of the API lists, with its paging. */
export async function listed(page, path, query, how) {
    const {rows, more, looked_to} = await page.get(path, query);

    return table({...how, rows, more, looked_to, memory: page.memory, load: (after) =>
        get(path, {...query, after}, page.control.signal)});
}

/* Links that give what is shown as a file, and all of it, however much is shown. */
export function downloads(path, {most, ...query} = {}) {
    return h("span", {class: "downloads"},
        ["csv", "json"].map((format) => h("a", {
            href: url(path, {...query, format}), download: true,
            "aria-label": `Download as ${format.toUpperCase()}`}, format.toUpperCase())));
}

/* A form of filters above a table; what it says becomes the page's query.  It is the page's form,
 * which stays when what it asks for is refused. */
export function filters(page, fields, button = "Search") {
    const form = h("form", {class: "filters", role: "search", "aria-label": "Filter"});
    const use = (event) => {
        event?.preventDefault();
        const query = {...page.query};

        for (const element of form.elements)
            if (element.name)
                query[element.name] = element.value.trim();
        location.hash = at(...page.words, query);
    };
    const rest = {...page.query};                   // a tab, an order: no field of it

    for (const {name} of fields)
        delete rest[name];
    const empty_ = fields.every(({name}) => !page.query[name]);

    put(form, fields.map((field) => filter(page, field, use)),
        h("div", {class: "buttons"}, h("button", {type: "submit"}, button),
            !empty_ && h("a", {href: at(...page.words, rest), class: "button bare"}, "Clear")));
    form.addEventListener("submit", use);
    page.form = form;
    return form;
}

function filter(page, {name, label, choices, type, hint, size}, use) {
    const id = fresh(name), value = page.query[name] || "";

    return h("div", {class: "field"}, h("label", {for: id}, label),
        choices ? h("select", {id, name, value, onchange: use},
            choices.map(([of, text_]) => h("option", {value: of}, text_)))
                : h("input", {id, name, value, type: type || "text", placeholder: hint, size,
                              autocomplete: "off", spellcheck: "false"}));
}

/* Buttons of which one is chosen: hours, levels, what a list is of. */
export function choice(page, name, label, choices, now) {
    return h("div", {class: "choice", role: "group", "aria-label": label},
        choices.map(([of, text_]) => h("button", {
            type: "button", "aria-pressed": String(String(of) === String(now)),
            onclick: () => page.ask({[name]: of})}, text_)));
}
