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
};

run(looks);
