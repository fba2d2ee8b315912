/*
 * bench_console - how long Debian's Chromium takes until the console's first page is usable, for
 * bench_console.py: from the navigation's beginning until numbers stand on it.
 *
 *     node bench_console.js '{"url": ..., "name": ..., "password": ..., "times": 20, ...}'
 *
 * Prints one line of JSON: names and milliseconds of each.  First: nothing is in the browser's cache;
 * again: what it keeps is.  "an icon alone" is what the browser itself takes, mostly to begin a
 * process for the page: a file of 355 octets of the same server, which has no script.
 *
 * The page itself tells when it is usable.  Asking it every 20 ms has playwright put a script of its
 * own of 300 kB into it, and asking for a picture 60 times a second has the browser make them: both
 * took a tenth of what was measured.
 */
"use strict";

const path = require("node:path");

const how = JSON.parse(process.argv[2]);
const {chromium} = require(path.join(how.driver, "playwright-core"));

const WORD = "usable after ms: ";
const SIZES = {"": {width: 1280, height: 800}, ", as of a phone": {width: 390, height: 844}};

/* Tells when the page has its numbers and they were drawn: the next picture begins. */
function watch(word) {
    const tell = () => requestAnimationFrame(() => requestAnimationFrame(() => {
        console.debug(word + performance.now());
    }));
    const changes = new MutationObserver(() => {
        if (document.querySelector("main .tile") && !document.querySelector("main .wait")) {
            changes.disconnect();
            tell();
        }
    });

    localStorage.setItem("weir-session", "1"); // as it is after a login by hand
    if (location.pathname === "/")
        changes.observe(document, {childList: true, subtree: true});
    else
        tell();
}

async function time(page, where = "") {
    const told = page.waitForEvent("console", (line) => line.text().startsWith(WORD));

    await page.goto(how.url + where, {waitUntil: "commit"});
    return Number((await told).text().slice(WORD.length));
}

/* A page of its own, of somebody who has logged in and has seen nothing yet. */
async function open(browser, viewport) {
    const context = await browser.newContext({viewport});
    const {name, password} = how;
    const login = await context.request.post(`${how.url}api/v1/login`, {data: {name, password}});

    if (!login.ok())
        throw new Error(`login: ${login.status()}`);
    const page = await context.newPage();
    await page.addInitScript(watch, WORD);
    return page;
}

async function main() {
    const browser = await chromium.launch({executablePath: how.browser, args: ["--no-sandbox"]});

    try {
        const seen = {};

        for (let i = 0; i < how.times; i++) {
            for (const [size, viewport] of Object.entries(SIZES)) {
                const fresh = await open(browser, viewport);

                (seen[`first${size}`] ??= []).push(await time(fresh));
                (seen[`again${size}`] ??= []).push(await time(fresh));
                await fresh.context().close();
            }
            const icon = await open(browser, SIZES[""]);

            (seen["an icon alone"] ??= []).push(await time(icon, "icon.svg"));
            await icon.context().close();
        }
        process.stdout.write(`${JSON.stringify(seen)}\n`);
    } finally {
        await browser.close();
    }
}

main().catch((error) => {
    process.stderr.write(`${String(error.message).split("\n").slice(0, 6).join(" | ")}\n`);
    process.exitCode = 1;
});
