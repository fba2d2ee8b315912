/*
 * format - numbers, points and times as people read them.
 *
 * Times come as RFC 3339 in UTC.  They are shown in the reader's own time, with how long ago that
 * is, and the same in UTC on hovering; relative ones are kept right by tick().
 */
import {h} from "./dom.js";

const NONE = "–";

export function count(number) {
    return number === null || number === undefined ? NONE
        : String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/* 1234567 -> "1.2 M": where there is little room. */
export function brief(number) {
    if (number === null || number === undefined)
        return NONE;
    for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e4]])
        if (Math.abs(number) >= size)
            return `${(number / (unit === "k" ? 1e3 : size)).toFixed(1)} ${unit}`;
    return count(number);
}

export function points(number) {
    if (number === null || number === undefined)
        return NONE;
    return (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);
}

export function decimal(number, places = 1) {
    return number === null || number === undefined ? NONE : number.toFixed(places);
}

export function share(part, all) {
    if (!all)
        return NONE;
    const percent = 100 * part / all;

    return percent > 0 && percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

/* So many a second, as people would say it: 0.5 is "30 a minute". */
export function rate(number) {
    if (!number)
        return "none";
    for (const [unit, size] of [["second", 1], ["minute", 60], ["hour", 3600]])
        if (number * size >= 1 || unit === "hour")
            return `${Number((number * size).toFixed(1))} a ${unit}`.replace("a hour", "an hour");
    return "";
}

export function octets(number) {
    if (number === null || number === undefined)
        return NONE;
    for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]])
        if (number >= size)
            return `${(number / size).toFixed(1)} ${unit}`;
    return `${number} B`;
}

/* Seconds as one or two words: "45 s", "3 min", "5 h", "2 d". */
export function span(seconds) {
    const size = Math.abs(seconds);

    if (size < 60)
        return `${Math.round(size)} s`;
    if (size < 3600)
        return `${Math.round(size / 60)} min`;
    if (size < 48 * 3600)
        return `${Math.round(size / 3600)} h`;
    return `${Math.round(size / 86400)} d`;
}

export function relative(date, now = Date.now()) {
    const seconds = (now - date) / 1000;

    if (Math.abs(seconds) < 2)
        return "now";
    return seconds < 0 ? `in ${span(seconds)}` : `${span(seconds)} ago`;
}

const MINUTE = {hour: "2-digit", minute: "2-digit"};
const DAY = {day: "numeric", month: "short", ...MINUTE}, YEAR = {year: "numeric", ...DAY};
const written = new Map();           // to make one takes longer than all the rest of this file

function write(date, how) {
    if (!written.has(how))
        written.set(how, new Intl.DateTimeFormat("en-GB", how));
    return written.get(how).format(date);
}

export function absolute(date, now = new Date()) {
    if (date.toDateString() === now.toDateString())
        return write(date, MINUTE);
    return write(date, Math.abs(now - date) < 300 * 86400e3 ? DAY : YEAR);
}

/* "14:05 · 3 min ago"; with brief only the second; of none a dash. */
export function when(text, how = "both") {
    const date = text ? new Date(text) : null;

    if (!date || Number.isNaN(date.getTime()))
        return h("span", {class: "none"}, text || NONE);
    return h("time", {datetime: text, title: text, "data-how": how}, told(date, how));
}

function told(date, how) {
    if (how === "ago")
        return relative(date);
    return how === "at" ? absolute(date) : `${absolute(date)} · ${relative(date)}`;
}

/* Every now and then: what is "3 min ago" now is "4 min ago" then. */
export function tick() {
    for (const time of document.querySelectorAll("time[data-how]")) {
        const text = told(new Date(time.dateTime), time.dataset.how);

        if (text !== time.textContent)
            time.textContent = text;
    }
}

/* Of <input type="datetime-local">, which is in the reader's time, to UTC and back. */
export function fromInput(text) {
    return text ? new Date(text).toISOString().replace(/\.\d+Z$/, "Z") : "";
}

export function toInput(text) {
    if (!text)
        return "";
    const date = new Date(text);

    if (Number.isNaN(date.getTime()))
        return "";
    return new Date(date - date.getTimezoneOffset() * 60e3).toISOString().slice(0, 16);
}

/* So many seconds from now, as the API wants ends: in seconds since 1970; 0: never. */
export function later(seconds) {
    return seconds ? Math.floor(Date.now() / 1000) + seconds : 0;
}
