/*
 * console_driver - what scripts share that look at the console with Debian's Chromium as a person
 * would; what starts them is browsing.py.
 *
 *     node console_browser.js '{"do": "pages", "url": ..., "name": ..., "password": ..., ...}'
 *
 * One line a step goes out; "want: WORD" asks the test for something to happen, and waits for a
 * line that says it did.  Ends with 1, and why as the last line, when what it sees is wrong.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const how = JSON.parse(process.argv[2]);
const {chromium} = require(path.join(how.driver, "playwright-core"));
const axe = fs.readFileSync(path.join(how.driver, "axe-core/axe.min.js"), "utf8");
const SIZES = {desktop: {width: 1280, height: 800}, phone: {width: 390, height: 844}};
const PATIENCE = 20000;

const say = (line) => process.stdout.write(`${line}\n`);

/* Done by the test meanwhile. */
async function want(word) {
    const answer = new Promise((done) => { process.stdin.once("data", done); });

    say(`want: ${word}`);
    await answer;
}

function claim(holds, words) {
    if (!holds)
        throw new Error(words);
}

/* A page whose errors are noted: of scripts, of the policy, of what could not be loaded. */
async function open(browser, size, colorScheme, hash = "") {
    const context = await browser.newContext({viewport: SIZES[size], colorScheme});
    const page = await context.newPage();

    page.setDefaultTimeout(PATIENCE);
    page.errors = [];
    page.on("pageerror", (error) => page.errors.push(error.message));
    page.on("console", (line) => {
        if (line.type() === "error")
            page.errors.push(`${line.text()} ${line.location().url}`);
    });
    page.on("request", (request) => {
        if (new URL(request.url()).origin !== new URL(how.url).origin)
            page.errors.push(`it asked another place: ${request.url()}`);
    });
    await page.goto(how.url + hash);
    await page.fill("#name", how.name);
    await page.fill("#password", how.password);
    await page.click("button.main");
    await page.waitForSelector("#main h1");
    return page;
}

/* Another page by its address, shown as a whole. */
async function go(page, hash) {
    await page.evaluate((to) => {
        document.querySelector("main > .body")?.setAttribute("data-left", "");
        location.hash = to;
    }, hash);
    await page.waitForFunction(() => {
        const body = document.querySelector("main > .body:not([data-left])");

        return body && !body.querySelector(".wait");
    });
    await page.evaluate(() => new Promise((done) => {
        requestAnimationFrame(() => requestAnimationFrame(done));
    }));
}

/* A picture of all of it, whatever the test says of it afterwards. */
async function picture(page, name) {
    await page.evaluate(() => document.activeElement?.blur());
    await page.screenshot({path: path.join(how.screenshots, `${name}.png`), fullPage: true});
}

/* What keeps people out: of impact serious or critical. */
async function accessible(page, name) {
    await page.evaluate(`${axe}; 0`);
    const {violations} = await page.evaluate(() => window.axe.run({resultTypes: ["violations"]}));
    const bad = violations.filter(({impact}) => impact === "serious" || impact === "critical");

    claim(bad.length === 0, `${name}: ${bad.map(({id, help, nodes}) =>
        `${id} (${help}): ${nodes.slice(0, 3).map(({html}) => html.slice(0, 120))}`).join("; ")}`);
}

async function fits(page, name) {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

    claim(over <= 0, `${name} is ${over} wider than the window`);
}

function quiet(page, name) {
    claim(page.errors.length === 0, `${name}: ${page.errors.join("; ")}`);
}

/* A button of the window that asks back. */
async function press(page, name) {
    await page.locator("dialog").getByRole("button", {name, exact: true}).click();
}

async function main(looks) {
    fs.mkdirSync(how.screenshots, {recursive: true});
    const browser = await chromium.launch({executablePath: how.browser, args: ["--no-sandbox"]});

    try {
        await looks[how.do](browser);
    } finally {
        await browser.close();
        process.stdin.destroy();
    }
}

/* Runs the one of the script's functions that was asked for. */
function run(looks) {
    main(looks).catch((error) => {
        say(String(error.message).split("\n").slice(0, 12).join(" | "));
        process.exitCode = 1;
    });
}

module.exports = {PATIENCE, SIZES, accessible, claim, fits, go, how, open, picture, press, quiet,
                  run, say, want};
