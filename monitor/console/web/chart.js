/*
 * chart - lines, stacked areas and bars over time, bars of a distribution, and sparklines.
 *
 * What runs over time is drawn by dygraphs (the file dygraph.min.js, of Debian's package
 * libjs-dygraphs), which is loaded when the first one is needed and the page's text is seen.  Each
 * chart has a legend with the values below the pointer, a sentence for screen readers, and its
 * numbers as a table.
 *
 *     const traffic = chart(page, {label, series: [{name, look: "good"}], stacked, unit});
 *     traffic.update([[new Date(), 1, 2], ...]);    page.fill(traffic.node)
 */
import {h, idle, put, s} from "./dom.js";
import {absolute, brief, count} from "./format.js";
import {onTheme} from "./theme.js";

let library = null;

function load() {
    library ??= new Promise((done, failed) => {
        const script = h("script", {src: new URL("dygraph.min.js", import.meta.url)});

        script.onload = () => {
            const {Dygraph} = window;

            // Its legend writes style attributes, which the page's policy forbids; ours is below.
            Dygraph.PLUGINS = Dygraph.PLUGINS.filter((one) => one !== Dygraph.Plugins.Legend);
            done(Dygraph);
        };
        script.onerror = () => {
            library = null;
            failed(new Error("The chart library was not found."));
        };
        document.head.append(script);
    });
    return library;
}

/* A colour of the sheet as it is now, light or dark. */
function colour(name) {
    const probe = h("i");

    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;

    probe.remove();
    return found;
}

/* Bars side by side on top of each other: what dygraphs has stacked already. */
function bars(event) {
    const {drawingContext: context, points, dygraph} = event;
    const bottom = dygraph.toDomYCoord(0);
    let gap = Infinity;

    for (let i = 1; i < points.length; i++)
        gap = Math.min(gap, points[i].canvasx - points[i - 1].canvasx);
    if (!Number.isFinite(gap))
        gap = 24;
    const width = Math.max(1, Math.floor(gap * 0.78));

    context.fillStyle = event.color;
    for (const point of points)
        if (point.yval > 0)
            context.fillRect(Math.round(point.canvasx - width / 2), point.canvasy, width,
                             bottom - point.canvasy);
}

/* Of whole numbers: there is no half a message. */
const wholeTick = (value) => (Number.isInteger(value) || value > 10 ? brief(value) : "");

/* Rows as the API gives them, summed up by `step` seconds: where nothing happened there is none,
 * and that is 0.  names: of what is drawn; span: so many seconds up to now. */
export function steps(rows, names, step, span, now) {
    const last = Math.floor(Date.parse(now) / 1000 / step) * step;
    const slot = (row) => Math.floor(Date.parse(row.time) / 1000 / step) * step;
    const first = last - Math.floor(span / step) * step + step, found = [];

    if (rows.length === 0)
        return found;
    for (let time = first; time <= last; time += step)
        found.push([new Date(1000 * time), ...names.map(() => 0)]);
    for (const row of rows) {
        const sum = found[(slot(row) - first) / step];

        if (sum)
            names.forEach((name, i) => { sum[i + 1] += row[name] ?? 0; });
    }
    return found;
}

class Chart {
    constructor(page, how) {
        Object.assign(this, {rows: [], height: 190}, how);
        this.box = h("div", {class: "canvas", role: "img"});
        this.box.style.height = `${this.height}px`;
        this.values = this.series.map(() => h("output", {}, ""));
        this.at = h("span", {class: "quiet"}, "");
        this.table = h("div", {class: "numbers", hidden: true});
        this.node = h("figure", {class: "chart"}, this.legend(), this.box, this.table);
        page.leave(() => this.end());
        page.leave(onTheme(() => this.paint()));
    }

    legend() {
        const button = h("button", {type: "button", class: "bare", "aria-expanded": "false",
                                    onclick: () => {
            this.table.hidden = !this.table.hidden;
            button.setAttribute("aria-expanded", String(!this.table.hidden));
            this.list();
        }}, "Numbers");

        return h("figcaption", {},
            h("span", {class: "legend"}, this.series.map(({name, look}, i) =>
                h("span", {}, h("i", {class: `swatch ${look}`}), name, this.values[i]))),
            this.at, button);
    }

    end() {
        this.gone = true;
        this.drawn?.destroy();
        this.drawn = null;
    }

    update(rows) {
        this.rows = rows;
        this.list();
        this.draw();
    }

    /* "at most 1,204 spam at 14:05, 12 last". */
    told() {
        if (this.rows.length === 0)
            return "nothing yet";
        return this.series.map(({name}, i) => {
            const most = this.rows.reduce((a, b) => (b[i + 1] > a[i + 1] ? b : a));

            return `${name} ${count(this.rows.at(-1)[i + 1])} last, at most ` +
                `${count(most[i + 1])} at ${absolute(most[0])}`;
        }).join("; ");
    }

    list() {
        if (this.table.hidden)
            return;
        put(this.table, h("table", {class: "fit"}, h("caption", {class: "hidden"}, this.label),
            h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "time"),
                this.series.map(({name}) => h("th", {scope: "col", class: "num"}, name)))),
            h("tbody", {}, this.rows.toReversed().map((row) => h("tr", {},
                row.map((value, i) => h("td", {class: i ? "num" : null},
                    i ? count(value) : absolute(value))))))));
        this.table.tabIndex = 0;
        this.table.setAttribute("role", "region");
        this.table.setAttribute("aria-label", `Numbers of ${this.label}`);
    }

    point(row) {
        this.values.forEach((value, i) => put(value, row ? ` ${count(row[i + 1])}` : ""));
        put(this.at, row ? absolute(row[0]) : "");
    }

    options() {
        return {
            labels: ["time", ...this.series.map(({name}) => name)],
            colors: this.series.map(({look}) => colour(`fill-${look}`)),
            stackedGraph: Boolean(this.stacked), ...(this.bars ? {plotter: bars} : {}),
            fillGraph: !this.bars && !this.lines, fillAlpha: this.stacked ? 0.75 : 0.14,
            strokeWidth: this.stacked ? 0.5 : 1.6, highlightCircleSize: 3,
            axisLineColor: colour("line"), gridLineColor: colour("line"), gridLineWidth: 0.5,
            axisLabelFontSize: 11, includeZero: true, legend: "never", animatedZooms: false,
            axes: {y: {axisLabelFormatter: wholeTick, axisLabelWidth: 44, drawGrid: true},
                   x: {drawGrid: false, axisLabelWidth: 64}},
            highlightCallback: (event, x, points, row) => this.point(this.rows[row]),
            unhighlightCallback: () => this.point(null),
            rightGap: 8, xRangePad: this.bars ? 8 : 0,
        };
    }

    async draw() {
        this.box.style.height = `${this.rows.length > 0 ? this.height : 60}px`;
        if (!library)
            await new Promise(idle); // the page's text first
        this.box.setAttribute("aria-label", `${this.label}: ${this.told()}`);
        if (this.rows.length === 0) {
            this.drawn?.destroy();
            this.drawn = null;
            put(this.box, h("p", {class: "none"}, this.none || "Nothing to draw yet."));
            return;
        }
        const Dygraph = await load().catch((trouble) => {
            put(this.box, h("p", {class: "none"}, trouble.message));
        });

        for (let i = 0; i < 20 && !this.box.isConnected && !this.gone; i++)
            await new Promise(requestAnimationFrame);   // it is put into its page in a moment
        if (!Dygraph || this.gone || this.rows.length === 0 || !this.box.isConnected)
            return;
        if (this.drawn) {
            this.drawn.updateOptions({file: this.rows});
            return;
        }
        put(this.box);
        this.drawn = new Dygraph(this.box, this.rows, this.options());
    }

    paint() {
        this.drawn?.destroy();
        this.drawn = null;
        this.draw();
    }
}

export function chart(page, how) {
    return new Chart(page, how);
}

/* All whole numbers from the lowest to the highest, a dozen at least; what is far out is in the
 * first and in the last. */
function spread(scores) {
    const least = Math.max(-15, Math.min(-4, ...scores.map((one) => one.from)));
    const most = Math.min(25, Math.max(8, ...scores.map((one) => one.from)));
    const found = [];

    for (let from = least; from <= most; from++)
        found.push({from, to: from + 1, count: 0});
    for (const one of scores)
        found[Math.min(Math.max(one.from, least), most) - least].count += one.count;
    return found;
}

/* How many had which score: [{from, to, count}]. */
export function distribution(label, given, limits = []) {
    const scores = spread(given);
    const width = 420, height = 130, foot = 18;
    const most = Math.max(1, ...scores.map((one) => one.count));
    const step = width / Math.max(1, scores.length);
    const told = scores.filter((one) => one.count > 0)
        .map((one) => `${one.from} to ${one.to}: ${count(one.count)}`).join("; ");

    if (scores.every((one) => one.count === 0))
        return h("p", {class: "none"}, "No message was kept yet.");
    return h("figure", {class: "chart"}, s("svg", {
        viewBox: `0 0 ${width} ${height + foot}`, role: "img", class: "bars",
        "aria-label": `${label}: ${told}`}, scores.map((one, i) => {
            const size = Math.max(one.count > 0 ? 2 : 0, height * one.count / most);

            return s("rect", {x: i * step + 1, y: height - size, width: Math.max(1, step - 2),
                              height: size, class: sideOf(one, limits)},
                s("title", {}, `${one.from} to ${one.to}: ${count(one.count)} messages`));
        }), s("line", {x1: 0, x2: width, y1: height, y2: height, class: "axis"}),
        scores.map((one, i) => (i % Math.ceil(scores.length / 8) === 0 ? s("text", {
            x: i * step, y: height + 13}, String(one.from)) : null))));
}

function sideOf(one, limits) {
    if (limits.length === 0)
        return "plain";
    return one.from >= limits.at(-1) ? "bad" : one.from >= limits[0] ? "odd" : "good";
}

/* Thirty small bars: hits a day, today last. */
export function sparkline(days, label) {
    const most = Math.max(1, ...(days || []));

    if (!days || days.length === 0)
        return h("span", {class: "none"}, "–");
    return s("svg", {viewBox: `0 0 ${days.length * 4} 20`, class: "spark", role: "img",
                     "aria-label": `${label}: ${days.slice(-7).join(", ")} in the last 7 days, ` +
                         `at most ${most} a day`},
        days.map((number, i) => s("rect", {x: i * 4, width: 3, y: 20 - Math.max(
            number ? 1.5 : 0.5, 20 * number / most), height: Math.max(
            number ? 1.5 : 0.5, 20 * number / most), class: number ? "plain" : "dull"})));
}

/* How full a bucket is: what is left of what there may be. */
export function meter(left, most, label) {
    const part = most > 0 ? Math.max(0, Math.min(1, left / most)) : 0;
    const look = part <= 0 ? "bad" : part < 0.25 ? "odd" : "good";
    const bar = h("span", {class: `fill ${look}`});

    bar.style.width = `${(100 * part).toFixed(1)}%`;
    return h("span", {class: "meter", role: "meter", "aria-label": label, "aria-valuemin": "0",
                      "aria-valuemax": String(most), "aria-valuenow": String(Math.max(0, left))},
        bar);
}
