/*
 * console_pages - looks at pages of the console that once told something wrong, for
 * test_console_pages.py (console_driver.js).
 */
"use strict";

const fs = require("node:fs");

const {PATIENCE, SIZES, accessible, claim, fits, go, how, open, picture, press, quiet, run, say,
       want} =
    require("./console_driver.js");

/* Until something is so; each time one question more is answered, or the monitor is not there. */
async function until(page, holds, words) {
    const end = Date.now() + PATIENCE;

    do {
        claim(Date.now() < end, `${words} did not come`);
        await page.evaluate(() => fetch("api/v1/me").catch(() => null));
    } while (!holds());
}

/* What was typed is there again when one comes back, until it is forgotten. */
async function unsaved(page) {
    const text = page.getByLabel("Rule", {exact: true});

    await go(page, "#/rules/new");
    await text.fill("body HALF_WRITTEN /half/");
    await page.getByLabel("Reason").fill("half a reason");
    await go(page, "#/rules");
    await go(page, "#/rules/new");
    await page.getByText("This was typed before, and is not saved.").waitFor();
    claim(await text.inputValue() === "body HALF_WRITTEN /half/", "what was typed is gone");
    claim(await page.getByLabel("Reason").inputValue() === "half a reason", "the reason is gone");
    await page.getByRole("button", {name: "Forget it"}).click();
    await page.getByText("This was typed before").waitFor({state: "detached"});
    claim(await text.inputValue() === "", "what was to be forgotten is there");
}

const looks = {
    /* Nothing is there yet: where it comes from; with a filter: that fewer would find more. */
    async fresh(browser) {
        const page = await open(browser, "desktop", "light");

        await go(page, "#/messages");
        await page.getByText("They come with the decisions of your servers").waitFor();
        await picture(page, "messages-none-desktop");
        await go(page, "#/messages?verdict=spam");
        await page.getByText("Fewer conditions find more").waitFor();
        quiet(page, "messages");
        await go(page, "#/messages?rule=NOSUCH_RULE");
        await page.getByText("There is no such rule in the rulebook").waitFor();
        claim(await page.getByLabel("Rule", {exact: true}).inputValue() === "NOSUCH_RULE",
            "what was asked for in vain cannot be changed");
        await page.setViewportSize({width: 320, height: 640});
        await go(page, "#/addresses/2001:db8:1234:5678:9abc:def0:1234:5678");
        await fits(page, "a long address on a narrow phone");
    },

    /* What the monitor tells while a page is open changes nothing else of it. */
    async live(browser) {
        const page = await open(browser, "desktop", "light");
        const bar = "17 to 18: 3", rows = page.locator("main tr a.row");

        await page.route("**/api/v1/overview?hours=720", async (route) => {
            const answer = await route.fetch(), data = await answer.json();

            data.scores.push({from: 17, to: 18, count: 3});   // of three weeks ago
            await route.fulfill({response: answer, json: data});
        });
        await go(page, "#/?hours=720");
        await page.locator(`svg[aria-label*="${bar}"]`).waitFor();
        await want("server");
        await page.locator("main tr", {hasText: how.server}).waitFor();
        claim(await page.locator(`svg[aria-label*="${bar}"]`).count() === 1,
            "the scores of 30 days became those of a day");
        say("the overview of 30 days stays one of 30 days");
        await go(page, "#/traffic");
        await rows.nth(how.many - 1).waitFor();
        claim(await page.getByRole("button", {name: "seen", exact: true}).count() === 0,
            "the head of what the monitor cannot sort by can be pressed");
        for (const newest of how.newest) {   // with the first, all is read again
            await want(`traffic-${newest}`);
            await page.locator("main tr", {hasText: newest}).waitFor();
        }
        claim(await rows.count() > how.many, `only ${await rows.count()} rows are left`);
        await picture(page, "traffic-many-desktop");
        say("all rows of the traffic stay");
        await go(page, "#/lists");
        await want("block");
        await page.locator("main tr", {hasText: how.blocked}).waitFor();
        await go(page, `#/addresses/${how.blocked}`);
        await page.getByText(`Mail from ${how.blocked} is refused`).waitFor();
        await want("undo");
        await page.getByText(`Nothing stands about ${how.blocked}`).waitFor();
        quiet(page, "live pages");
    },

    /* A window is closed while its question is under way: what came of it is told, and no more. */
    async asks(browser) {
        const page = await open(browser, "desktop", "light"), notes = page.locator("#notes");
        let answer = null;

        await page.route("**/api/v1/addresses/*/block", async (route) => {
            await new Promise((done) => { answer = done; });
            await route.fulfill({status: 400, json: {error: "not now"}});
        }, {times: 2});
        await go(page, `#/addresses/${how.address}`);
        for (const close of [true, false]) {
            answer = null;
            await page.getByRole("button", {name: "Defer…"}).click();
            await page.getByLabel("Reason").fill("too much");
            await press(page, "Defer");
            await page.locator("dialog button.main:disabled").waitFor();
            claim(await page.getByRole("button", {name: "Cancel"}).isDisabled(),
                "what is under way can be cancelled");
            if (close)
                await page.keyboard.press("Escape");
            await until(page, () => answer, "the question");
            answer();
            await (close ? notes : page.locator("dialog")).getByText("Not now.").waitFor();
            claim(await notes.getByText(`${how.address}: `).count() === 0,
                "what was refused is told as done");
        }
        say("a window that was closed tells what came of it");
        await press(page, "Defer");
        await notes.getByText(`${how.address}: deferred. Undo takes back all that stands against `
            + "it.").waitFor();
        await picture(page, "deferred-desktop");
        await notes.getByRole("button", {name: "Undo"}).click();
        await page.getByText(`Nothing stands about ${how.address}`).waitFor();
        page.errors = page.errors.filter((line) => !/status of 400 .*\/block$/.test(line));
        quiet(page, "a window");
    },

    /* A rule is drafted of a report: it hits what was reported. */
    async draft(browser) {
        const page = await open(browser, "desktop", "light");

        await go(page, `#/reports/${how.uids[0]}`);
        await page.locator("main tr", {hasText: "Subject"}).getByText(how.subject).waitFor();
        await picture(page, "report-encoded-desktop");
        for (const uid of how.uids) {
            const rule = page.getByLabel("Rule", {exact: true});

            await go(page, "#/reports");
            await go(page, `#/reports/${uid}`);
            await page.getByRole("link", {name: "Draft a rule"}).click();
            await rule.waitFor();
            fs.writeFileSync(`${how.drafts}/${uid}.rules`, await rule.inputValue());
            say(await rule.inputValue());
            await page.getByText(/: 1 spam \(/).waitFor();
        }
        await picture(page, "rule-drafted-desktop");
        quiet(page, "a draft");
    },

    /* Many reports are decided in pieces: where the second one cannot be sent, the first is done. */
    async many(browser) {
        const page = await open(browser, "desktop", "light"), asked = [];
        const marked = page.locator("main tbody input:checked");

        await page.route("**/api/v1/reports", async (route) => {
            asked.push(route.request().postDataJSON());
            await (asked.length === 2 ? route.abort() : route.continue());
        });
        await go(page, "#/reports?waiting=0&kind=ham");
        await page.getByRole("button", {name: "Show more"}).click();
        await page.getByText(`${how.many} rows`).waitFor();
        await page.getByLabel("Mark all rows").check();
        await page.keyboard.press("c");
        await press(page, "Confirm");
        await page.locator("dialog").getByText(`100 of ${how.many} reports are confirmed`).waitFor();
        await press(page, "Cancel");
        await page.locator("#notes").getByText(`100 of ${how.many} reports are confirmed`).waitFor();
        claim(await marked.count() === how.many - 100, "what is not done is marked no more");
        await page.locator("main h1").click();
        await page.keyboard.press("c");
        await press(page, "Confirm");
        await page.getByText(`${how.many - 100} reports are confirmed`, {exact: true})
            .waitFor();
        const [first, stopped, rest] = asked;

        claim(first.uids.length === 100 && asked.length === 3, `asked ${asked.length} times`);
        claim(first.uids.every((uid) => first.was[uid] === null), "what it is based on is not said");
        claim(JSON.stringify(rest) === JSON.stringify(stopped), "the rest is another one");
    },

    /* A server with troubles, and what they may come from. */
    async servers(browser) {
        const page = await open(browser, "phone", "dark");
        const card = page.locator("main tr", {hasText: how.server});

        await go(page, "#/servers");
        for (const words of [...how.texts, ...how.why])
            await card.getByText(words, {exact: true}).first().waitFor();
        await accessible(page, "servers");
        await fits(page, "servers");
        await picture(page, "servers-troubles-phone");
        await page.setViewportSize(SIZES.desktop);
        await picture(page, "servers-troubles-desktop");
        quiet(page, "servers");
    },

    /* Forms and tables: what is asked for stays, and what may be said is the monitor's word. */
    async forms(browser) {
        const page = await open(browser, "desktop", "light");
        const place = () => page.evaluate(() => location.hash);

        page.on("request", (request) => {
            if (request.url().endsWith("/openapi.json"))
                page.errors.push("a page asks what the monitor can do");
        });
        await go(page, "#/rules?state=active&sort=-ham");
        await page.getByLabel("Name or text").fill("LOAN");
        await page.getByRole("button", {name: "Search"}).click();
        await page.waitForFunction(() => location.hash.includes("q=LOAN"));
        claim(/state=active/.test(await place()) && /sort=-ham/.test(await place()),
            `a search forgets tab or order: ${await place()}`);
        await page.getByRole("link", {name: "Clear"}).click();
        await page.waitForFunction(() => !location.hash.includes("q=LOAN"));
        claim(/state=active/.test(await place()), "Clear forgets the tab");
        claim(!/most=/.test(await page.getByRole("link", {name: "Download as CSV"})
            .getAttribute("href")), "a file has no more rows than the page");
        await picture(page, "rules-searched-desktop");
        say("a search keeps tab and order");
        await unsaved(page);
        await go(page, "#/thresholds");
        await page.getByRole("button", {name: "New…"}).click();
        claim(await page.getByLabel("What is done").inputValue() === how.ladder,
            "a new threshold does not begin with what is done about everybody else");
        claim(await page.getByLabel("Name", {exact: true}).getAttribute("maxlength") ===
            String(how.limits.threshold_name), "a name may be of another length");
        await go(page, "#/users");
        await page.getByRole("button", {name: "Change your password…"}).click();
        await page.getByText(`${how.limits.password_least} characters at least`).waitFor();
        await press(page, "Cancel");
        await go(page, "#/lists");
        await page.getByRole("button", {name: "Add…"}).click();
        await page.getByLabel("Address or network").fill("192.0.2");
        await press(page, "Go on");
        await page.getByText("That is no address or network.").waitFor();
        await press(page, "Cancel");
        await go(page, "#/");
        for (const words of ["messages today (UTC)", "reports in 24 hours",
                             "good mail taken for spam", "addresses seen in 24 hours"])
            await page.getByText(words, {exact: true}).waitFor();
        await picture(page, "overview-tiles-desktop");
        quiet(page, "forms");
    },

    /* Loaded again each thing is asked for once; what was asked for ahead, by who is nobody any
     * more, is not shown to who comes next. */
    async loading(browser) {
        const page = await open(browser, "desktop", "light");
        const tile = page.locator("main .tile").first();
        const asked = [], first = "/api/v1/overview?hours=24";
        const times = (where) => asked.filter((one) => one === where).length;

        await tile.waitFor();
        page.on("request", (request) => {
            const {pathname, search} = new URL(request.url());

            if (pathname.startsWith("/api/"))
                asked.push(pathname + search);
        });
        await page.reload();
        await tile.waitFor();
        await page.locator(".age.live").waitFor();
        await page.locator("figure canvas").first().waitFor();
        claim(asked.sort().join() === ["/api/v1/live", "/api/v1/me", first].join(),
            `it asked for ${asked.join(" ")}`);
        quiet(page, "loaded again");
        await page.evaluate(() => { location.hash = "#/rules"; });
        await page.reload();
        await page.getByRole("heading", {name: "Rules", level: 1}).waitFor();
        await page.getByRole("link", {name: "Overview"}).click();
        await tile.waitFor();
        claim(times(first) === 2, `the overview was asked for ${times(first)} times`);
        await page.context().clearCookies();
        await page.reload();
        await page.locator("#password").waitFor();
        claim(await tile.count() === 0, "who is nobody sees numbers");
        await page.fill("#name", how.name);
        await page.fill("#password", how.password);
        await page.click("button.main");
        await tile.waitFor();
        claim(times(first) === 4, `then it was asked for ${times(first)} times`);
    },

    /* A session that has ended ends the page; who logs in again hears everything once. */
    async session(browser) {
        const page = await open(browser, "desktop", "light");
        let asked = 0;
        const login = async () => {
            await page.fill("#name", how.name);
            await page.fill("#password", how.password);
            await page.click("button.main");
            await page.locator(".age.live").waitFor();
        };

        page.on("request", (request) => {
            asked += new URL(request.url()).pathname === "/api/v1/thresholds";
        });
        await go(page, "#/thresholds");
        await page.locator(".age.live").waitFor();
        await want("ended");
        await page.locator("#password").waitFor();
        say("a session that has ended is at the door");
        await login();
        await page.getByRole("button", {name: "Log out"}).click();
        await login();
        await page.getByRole("heading", {name: "default"}).waitFor();
        asked = 0;
        await want("again");
        await until(page, () => asked > 0, "reading anew");
        await page.evaluate(() => fetch("api/v1/me"));
        claim(asked === 1, `it was read anew ${asked} times`);
    },
};

run(looks);
