/*
 * bench_console - how long Debian's Chromium takes until the console's first page is usable, for
 * bench_console.py: from the navigation's beginning until numbers stand on it.
 *
 *     node bench_console.js '{"url": ..., "name": ..., "password": ..., "times": 20, ...}'
 *
 * Prints one line of JSON: {"first": [ms], "again": [ms]}; first: nothing is in the
 * browser's cache; again: what it keeps is.
 */
"use strict";

const path = require("node:path");

const how = JSON.parse(process.argv[2]);
const {chromium} = require(path.join(how.driver, "playwright-core"));

/* Notes when the page has its numbers and they were drawn. */
function watch() {
    const look = () => {
        if (document.querySelector("main .tile") && !document.querySelector("main .wait"))
            requestAnimationFrame(() => { window.usable = performance.now(); });
        else
            requestAnimationFrame(look);
    };

    localStorage.setItem("weir-session", "1"); // as it is after a login by hand
    requestAnimationFrame(look);
}

async function time(page) {
    await page.goto(how.url, {waitUntil: "commit"});
    await page.waitForFunction(() => window.usable > 0, null, {polling: 20});
    return page.evaluate(() => window.usable);
}

/* A page of its own, of somebody who has logged in and has seen nothing yet. */
async function open(browser) {
    const context = await browser.newContext({viewport: {width: 1280, height: 800}});
    const {name, password} = how;
    const login = await context.request.post(`${how.url}api/v1/login`, {data: {name, password}});

    if (!login.ok())
        throw new Error(`login: ${login.status()}`);
    const page = await context.newPage();
    await page.addInitScript(watch);
    return page;
}

async function main() {
    const browser = await chromium.launch({executablePath: how.browser, args: ["--no-sandbox"]});

    try {
        const seen = {first: [], again: []};

        for (let i = 0; i < how.times; i++) {
            const fresh = await open(browser);

            seen.first.push(await time(fresh));
            seen.again.push(await time(fresh));
            await fresh.context().close();
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
