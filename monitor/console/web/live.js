/*
 * live - what is new, as the monitor tells it: server-sent events, read with fetch(), so that the
 * comment lines which say "still there" are heard, too, and the age of the data is known.
 *
 *     const stop = hear("traffic", (data) => ...);
 *     onAge((state) => ...)         "live", "waiting", "old"; age() in seconds
 *
 * Where the connection breaks it is made again after 1 s, 2 s, ... 30 s, with the last event's id,
 * so that what was missed comes first.  "again" says that too much was: pages are read anew.
 */
import {get, url} from "./api.js";

const SILENT = 25e3;          // the monitor says something every 15 s
const hearers = new Map();
const watchers = new Set();
let last = "", heard = 0, running = null, state = "waiting", pause = 1e3, lost = false;

export function hear(name, told) {
    if (!hearers.has(name))
        hearers.set(name, new Set());
    hearers.get(name).add(told);
    return () => hearers.get(name).delete(told);
}

export function onAge(told) {
    watchers.add(told);
    told(state);
    return () => watchers.delete(told);
}

export const age = () => (heard ? (Date.now() - heard) / 1000 : 0);

function become(next) {
    state = next;
    for (const told of watchers)
        told(state);
}

function tell(name, data) {
    let json = null;

    try {
        json = data ? JSON.parse(data) : null;
    } catch {
        return;                      // half an event: the next one is whole
    }
    for (const told of hearers.get(name) || [])
        told(json);
}

/* Lines of one block of the stream, up to an empty line. */
function take(block) {
    let name = "message", data = "";

    for (const line of block.split("\n")) {
        if (line.startsWith("event:"))
            name = line.slice(6).trim();
        else if (line.startsWith("data:"))
            data += line.slice(5).trimStart();
        else if (line.startsWith("id:"))
            last = line.slice(3).trim();
    }
    if (data || name !== "message")
        tell(name, data);
}

async function read(signal) {
    const headers = {Accept: "text/event-stream", ...(last ? {"Last-Event-ID": last} : {})};
    const answer = await fetch(url("/live"), {headers, signal, cache: "no-store"});

    if (answer.status === 401)
        await get("/me").catch(() => {});   // which leads to the door
    if (!answer.ok || !answer.body)
        throw new Error(String(answer.status));
    if (lost && !last)
        tell("again");               // no event was heard by which the monitor could know more
    lost = false;
    const stream = answer.body.getReader(), text = new TextDecoder();
    let rest = "";

    for (;;) {
        const {value, done} = await stream.read();

        if (done)
            return;
        heard = Date.now();
        pause = 1e3;
        if (state !== "live")
            become("live");
        rest = (rest + text.decode(value, {stream: true})).replaceAll("\r", "");
        const blocks = rest.split("\n\n");

        rest = blocks.pop();
        blocks.forEach(take);
    }
}

const wait = (time) => new Promise((done) => { setTimeout(done, time); });

async function keep(control) {
    while (!control.signal.aborted) {
        const watch = new AbortController();
        const stop = () => watch.abort();
        const silence = setInterval(() => {
            if (Date.now() - Math.max(heard, began) > SILENT)
                stop();
        }, 5e3);
        const began = Date.now();

        control.signal.addEventListener("abort", stop);
        const whole = await read(watch.signal).then(() => true, () => false);

        clearInterval(silence);
        control.signal.removeEventListener("abort", stop);
        if (control.signal.aborted)
            return;
        if (whole && Date.now() - began > 10e3)
            continue;                // the monitor ends streams now and then: on with the next
        lost = true;
        become("old");
        await wait(pause * (0.5 + Math.random()));  // many consoles do not come back at once
        pause = Math.min(2 * pause, 30e3);
    }
}

export function startLive() {
    if (running)
        return;
    running = new AbortController();
    heard = Date.now();
    lost = false;
    become("waiting");
    keep(running);
}

export function stopLive() {
    if (running)
        running.abort();
    running = null;
    last = "";
}
