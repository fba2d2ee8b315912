/*
 * console_pages - looks at pages of the console that once told something wrong, for
 * test_console_pages.py (console_driver.js).
 */
"use strict";

const {accessible, claim, go, how, open, picture, press, quiet, run, say, want} =
    require("./console_driver.js");

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
        await want("traffic");
        await page.locator("main tr", {hasText: how.newest}).waitFor();
        claim(await rows.count() > how.many, `only ${await rows.count()} rows are left`);
        await picture(page, "traffic-many-desktop");
        say("all rows of the traffic stay");
        await go(page, "#/lists");
        await page.getByText("Nothing stands.").waitFor();
        await want("block");
        await page.locator("main tr", {hasText: how.blocked}).waitFor();
        await go(page, `#/addresses/${how.blocked}`);
        await page.getByText(`Mail from ${how.blocked} is refused`).waitFor();
        await want("undo");
        await page.getByText(`Nothing stands about ${how.blocked}`).waitFor();
        quiet(page, "live pages");
    },
};

run(looks);
