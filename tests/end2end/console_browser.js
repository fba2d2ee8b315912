/*
 * console_browser - looks at all pages of the console, and does what people do there, for
 * test_console_browser.py, which starts the monitor and feeds it (console_driver.js).
 */
"use strict";

const {PATIENCE, SIZES, accessible, claim, fits, go, how, open, picture, press, quiet, run, say,
       want} = require("./console_driver.js");

/* Who may only look finds no button that changes anything. */
async function viewer(browser, name, password) {
    Object.assign(how, {name, password});
    const page = await open(browser, "phone", "light");

    await go(page, `#/addresses/${how.address}`);
    await page.getByRole("heading", {name: how.address, level: 1}).waitFor();
    claim(await page.getByRole("button", {name: "Refuse…"}).count() === 0,
        "a viewer finds a button to refuse");
    await go(page, "#/users");
    claim(await page.getByRole("button", {name: "Add a user…"}).count() === 0,
        "a viewer finds a button to add users");
    await page.getByRole("button", {name: "Menu"}).click();
    await page.getByRole("link", {name: "Servers"}).click();
    await page.getByRole("heading", {name: "Servers", level: 1}).waitFor();
    quiet(page, "a viewer");
    say("who may only look");
}

const looks = {
    /* Who has no password stays outside. */
    async door(browser) {
        const context = await browser.newContext({viewport: SIZES.desktop});
        const page = await context.newPage();

        await page.goto(how.url);
        await page.fill("#name", how.name);
        await page.fill("#password", "not the password");
        await page.click("button.main");
        await page.getByText("do not go together").waitFor({timeout: PATIENCE});
        await accessible(page, "login");
        await picture(page, "login-desktop");
        await page.fill("#password", how.password);
        await page.click("button.main");
        await page.waitForSelector("#main h1");
        await page.getByRole("button", {name: "Log out"}).click();
        await page.waitForSelector("#password");
        say("the door works");
    },

    /* An address floods all servers: it appears by itself, is refused, and is let in again. */
    async attack(browser) {
        const page = await open(browser, "desktop", "light");
        const row = page.locator("tr", {hasText: how.address});

        await go(page, "#/traffic");
        await page.locator(".age.live").waitFor();
        await want("attack");
        await row.waitFor();
        say("it appears in the traffic without a reload");
        await row.getByText("over its limit").waitFor();
        await row.getByText("refused").waitFor();
        await picture(page, "attack-traffic");
        await row.getByRole("link", {name: how.address}).click();
        await page.getByText(`Mail from ${how.address} is refused`).waitFor();
        await picture(page, "attack-address");
        await want("refused");
        await page.getByRole("button", {name: "Unblock…"}).click();
        await page.getByRole("button", {name: "Unblock", exact: true}).click();
        await page.getByText(`Nothing stands about ${how.address}`).waitFor();
        await want("unblocked");
        await page.getByText(/taken back .* by user admin/).first().waitFor();
        await page.getByRole("button", {name: "Undo", exact: true}).click();
        await page.getByText(`Mail from ${how.address} is refused`).waitFor();
        await want("refused");
        await page.getByRole("button", {name: "Unblock…"}).click();
        await page.getByRole("button", {name: "Unblock", exact: true}).click();
        await page.getByText(`Nothing stands about ${how.address}`).waitFor();
        await want("unblocked");
        quiet(page, "the attack");
    },

    /* What an administrator does: each thing asks back, says what it does, and is done. */
    async acts(browser) {
        const page = await open(browser, "desktop", "light");
        await go(page, `#/addresses/${how.address}`);
        await page.getByRole("button", {name: "Refuse…"}).click();
        await page.getByLabel("Reason").fill(how.reason);
        await page.getByText("is refused (5xx) on all servers").waitFor();
        await accessible(page, "a window that asks back");
        await picture(page, "refuse-desktop");
        await press(page, "Refuse");
        await page.locator("main").getByText(how.reason).first().waitFor();
        await want("refused");
        await page.getByRole("button", {name: "Undo", exact: true}).click();
        await page.getByText(`Nothing stands about ${how.address}`).waitFor();
        await want("unblocked");
        await page.getByRole("button", {name: "Accept…"}).click();
        await page.getByLabel("Reason").fill("our newsletter");
        await press(page, "Accept");
        await page.getByText(`Mail from ${how.address} is accepted`).waitFor();
        await go(page, "#/lists");
        await page.locator("tr", {hasText: how.address}).waitFor();
        await page.getByText("our newsletter").waitFor();
        say("an address: refused, taken back, accepted");
        await go(page, "#/thresholds");
        await page.getByRole("button", {name: "New…"}).click();
        await page.getByLabel("Name", {exact: true}).fill("partners");
        await page.getByLabel("For addresses and networks").fill("198.51.100.0/24 192.0.2.0/25");
        await page.getByLabel("connections: at once").fill("1000");
        await page.getByLabel("connections: a second").fill("2.5");
        await page.getByRole("button", {name: "Try it on recorded traffic"}).click();
        await page.getByText(/Caught for certain: 0; perhaps: 0;/).waitFor();
        await page.getByRole("button", {name: "Add", exact: true}).click();
        await page.getByRole("heading", {name: "partners"}).waitFor();
        await page.getByText("1,000 at once, 2.5 a second").waitFor();
        say("a threshold");
        await go(page, "#/servers");
        await page.getByRole("button", {name: "Add…"}).click();
        await page.getByLabel("Name", {exact: true}).fill("mx3");
        await press(page, "Add");
        await page.getByRole("heading", {name: "Identity of mx3"}).waitFor();
        await press(page, "Close");
        await page.locator("main tr", {hasText: "mx3"}).waitFor();
        say("a server");
        await go(page, "#/users");
        await page.getByRole("button", {name: "Add a user…"}).click();
        await page.getByLabel("Name", {exact: true}).fill("ann");
        await page.getByLabel("Role", {exact: true}).selectOption("viewer");
        await press(page, "Add");
        const password = await page.locator("dialog pre").textContent();
        await press(page, "Close");
        await page.locator("main tr", {hasText: "ann"}).waitFor();
        quiet(page, "what is done");
        await page.context().close();
        await viewer(browser, "ann", password);
    },

    /* A report: its mail as text, its string read, and judged. */
    async report(browser) {
        const page = await open(browser, "desktop", "light");

        await go(page, "#/reports?waiting=0");
        await page.getByText("false positive").first().waitFor();
        await page.keyboard.press("j");
        await page.keyboard.press("Enter");
        await page.getByText(how.markup).first().waitFor();
        await page.getByText("ours, and of this message").waitFor();
        claim(await page.locator("main img").count() === 0, "markup of a mail was made an image");
        await picture(page, "report-read-desktop");
        await page.getByRole("link", {name: how.uid}).click();
        await page.getByRole("link", {name: "CHEAP_LOAN"}).first().waitFor();
        await page.goBack();
        await page.getByText("ours, and of this message").waitFor();
        const here = await page.evaluate(() => location.hash);

        await page.keyboard.press("r");
        await press(page, "Reject");
        await page.getByText("The report is rejected").waitFor();
        await go(page, "#/reports");
        await go(page, here);
        await page.getByText("1 for spam, 1 for good mail.").waitFor();
        await page.getByRole("button", {name: "Undo", exact: true}).click();
        await page.getByText("Taken back").waitFor();
        await go(page, "#/reports");
        await go(page, here);
        await page.getByText("0 for spam, 1 for good mail.").waitFor();
        await page.keyboard.press("f");
        await press(page, "Forget");
        await page.getByText("The report is forgotten").waitFor();
        quiet(page, "a report");
    },

    /* What shows nothing, or turns what follows round, is seen. */
    async hidden(browser) {
        const page = await open(browser, "desktop", "light");
        const made = await page.evaluate(async () => {
            const {h} = await import(document.querySelector("script").src);

            return h("p", {title: "a\u200bb"}, "inv\u202egnp.exe\u0007\u001b[1m\u{e0041}", "\u00e9\u05d0\n\t")
                .outerHTML;
        });
        claim(made === '<p title="a⟦U+200B⟧b">inv⟦U+202E⟧gnp.exe⟦U+0007⟧⟦U+001B⟧[1m⟦U+E0041⟧é\u05d0\n\t</p>',
            `made of it: ${made}`);
        await go(page, "#/rules/HIDDEN");
        await page.locator("main td", {hasText: "gnp⟦U+202E⟧exe"}).first().waitFor();
        claim((await page.getByLabel("Rule", {exact: true}).inputValue()).includes("gnp\u202eexe"),
            "what is edited is not what is there");
        await go(page, "#/sets?from=1&to=2");
        await page.getByRole("heading", {name: "Different between 1 and 2"}).waitFor();
    },

    /* Somebody else changes what is open here: it is told, and what was typed stays. */
    async together(browser) {
        const page = await open(browser, "desktop", "light");
        const typed = page.getByLabel("Rule", {exact: true});
        await go(page, "#/rules/TOGETHER");
        await typed.fill("body TOGETHER /mine, all mine/");
        await page.getByLabel("Reason").fill("mine");
        await want("rule");
        await page.getByRole("button", {name: "Save"}).click();
        await page.getByText("It was changed meanwhile: score is now 1.25, and was ").waitFor();
        claim((await typed.inputValue()).includes("all mine"), "what was typed is lost");
        await page.getByRole("button", {name: "Save"}).click();
        await page.locator("main td", {hasText: "all mine"}).first().waitFor();
        await go(page, `#/addresses/${how.address}`);
        await page.getByRole("button", {name: "Defer…"}).click();
        await page.getByLabel("Reason").fill("typed");
        await want("block");
        await press(page, "Defer");
        await page.getByText("blacklist is now “refused until ").waitFor();
        claim(await page.getByLabel("Reason").inputValue() === "typed", "the reason is lost");
        await page.getByRole("button", {name: "Cancel"}).click();
        await page.getByRole("button", {name: "Defer…"}).click();
        await page.locator("dialog", {hasText: "Now: refused (5xx) until "}).waitFor();
    },

    /* A rule is changed, one is added, the book is published, and that taken back. */
    async rules(browser) {
        const page = await open(browser, "desktop", "light");

        await go(page, "#/rules/CHEAP_LOAN");
        await page.getByLabel("Points").fill("2.5");
        await page.getByLabel("Reason").fill("too harsh");
        await page.getByRole("button", {name: "Save"}).click();
        await page.locator("main").getByText("too harsh").first().waitFor();
        await picture(page, "rule-changed-desktop");
        say("a rule changed");
        await go(page, "#/rules/new");
        await page.getByLabel("Rule", {exact: true}).fill("body NO_RULE");
        await page.getByLabel("Reason").fill("nonsense");
        await page.getByRole("button", {name: "Add", exact: true}).click();
        await page.getByText(/Line 1: /).first().waitFor();
        await page.getByLabel("Rule", {exact: true}).fill("body WEIR_TEA /weir and tea/\n" +
            "score WEIR_TEA 1.5\ndescribe WEIR_TEA tea at the weir");
        await page.getByText("Tried on ").waitFor();
        await page.getByLabel("State").selectOption("active");
        await page.getByLabel("Reason").fill("for tea");
        await page.getByRole("button", {name: "Add", exact: true}).click();
        await page.getByRole("heading", {name: "Rule WEIR_TEA", level: 1}).waitFor();
        say("a rule added");
        await go(page, "#/rules/new");
        await page.getByLabel("Rule", {exact: true}).fill("body WEIR_MILK /weir and milk/");
        await page.getByLabel("State").selectOption("draft");
        await page.getByLabel("Reason").fill("perhaps");
        await page.getByRole("button", {name: "Add", exact: true}).click();
        await page.getByRole("heading", {name: "Rule WEIR_MILK", level: 1}).waitFor();
        await go(page, "#/rules?state=draft");
        await picture(page, "drafts-desktop");
        await page.getByRole("button", {name: "Approve…"}).click();
        await press(page, "Approve");
        await page.getByText("No draft waits").waitFor();
        await go(page, "#/rules?state=test");
        await page.locator("main tr", {hasText: "WEIR_MILK"}).waitFor();
        say("a draft approved");
        await go(page, "#/sets");
        await page.getByRole("button", {name: "Publish…"}).click();
        await page.locator("dialog").getByText("score 1").waitFor();
        await page.getByLabel("Reason").fill("milder");
        await press(page, "Publish");
        await page.locator("main tr", {hasText: "milder"}).waitFor();
        await want("published");
        await page.locator("main tr", {hasText: "milder"})
            .getByText("newest").waitFor();
        await page.getByRole("link", {name: "what is different since"}).first().click();
        await page.locator("main tr", {hasText: "CHEAP_LOAN"}).waitFor();
        await picture(page, "diff-desktop");
        await go(page, "#/sets");
        await page.getByRole("button", {name: "back to this: 1", exact: true}).click();
        await press(page, "Take it back to this");
        await page.locator("main tr", {hasText: "rollback"}).waitFor();
        await want("back");
        // what was refused is a line of the browser's console, too
        page.errors = page.errors.filter((line) => !/status of 400 .*\/rules(\/test)?$/.test(line));
        quiet(page, "rules");
    },

    /* What users reported is read, a rule drafted of it approved, tried, raised and rolled back. */
    async drafted(browser) {
        const page = await open(browser, "desktop", "light");
        const publish = async (reason) => {
            await go(page, "#/sets");
            await page.getByRole("button", {name: "Publish…"}).click();
            await page.getByLabel("Reason").fill(reason);
            await press(page, "Publish");
            await page.locator("main tr", {hasText: reason}).getByText("newest").waitFor();
        };

        await go(page, "#/reports");
        await page.getByText("missed spam").first().waitFor();
        await go(page, `#/reports/${how.uid}`);
        await page.getByText("<img src=x onerror=alert(1)>").first().waitFor();
        await page.getByText("ours, and of this message").waitFor();
        claim(await page.locator("main img").count() === 0, "markup of a mail was made an image");
        await page.getByRole("link", {name: how.uid}).click();
        await page.getByRole("link", {name: how.queueId}).click();
        await page.locator("main tr", {hasText: how.queueId}).waitFor();
        for (const id of [how.queueId, "ABCDEF12345"]) {
            await page.fill("#search", `${id}:`);
            await page.keyboard.press("Enter");
            await page.waitForFunction((word) => location.hash === `#/messages?queue=${word}`, id);
        }
        await page.goBack();
        await page.locator("main tr", {hasText: how.queueId}).waitFor();
        say("a reported mail is read, its decision found by its queue id");
        await go(page, "#/rules");
        await page.getByRole("button", {name: "What would change?"}).click();
        await press(page, "Run it now");
        await page.locator("dialog[open]").waitFor({state: "detached"});
        await go(page, "#/rules?state=draft");
        const name = await page.locator("main .card h2 a").first().textContent();
        await picture(page, "drafted-desktop");
        await page.getByRole("button", {name: "Approve…"}).click();
        await press(page, "Approve");
        await page.getByText("No draft waits").waitFor();
        await go(page, `#/reports/${how.uid}`);
        await page.locator("p.warn", {hasText: name}).getByText("test").waitFor();
        await go(page, "#/rules");
        await page.locator("main tr", {hasText: name}).getByText("+2.00").first().waitFor();
        await want("changed");
        await page.locator("main tr", {hasText: name}).getByText("+3.00").first().waitFor();
        say("what somebody else changed is seen without a reload");
        await publish("to be tried");
        await want("tested");
        say(`${name} is tried`);
        await go(page, `#/rules/${name}`);
        await page.getByLabel("Points").fill("6");
        await page.getByLabel("State").selectOption("active");
        await page.getByLabel("Reason").fill("plain fraud");
        await page.getByRole("button", {name: "Save"}).click();
        await page.locator("main").getByText("plain fraud").first().waitFor();
        await publish("it works");
        await want("raised");
        await go(page, `#/messages?rule=${name}&verdict=spam`);
        await page.locator("main tr a.row").first().click();
        await page.getByText("the sum of all points decided").waitFor();
        await page.locator("main tr", {hasText: name}).getByText("+6.00").first().waitFor();
        await page.getByText("its 6.00 points are at or above that for spam").waitFor();
        await picture(page, "judged-desktop");
        say(`${name} judges`);
        await go(page, "#/sets");
        await page.getByRole("button", {name: "back to this: 1", exact: true}).click();
        await press(page, "Take it back to this");
        await page.locator("main tr", {hasText: "rollback"}).waitFor();
        await want("back");
        quiet(page, "from a mail to a rule");
    },

    /* The monitor goes, and comes back: the page says so, and has what was missed. */
    async restart(browser) {
        const page = await open(browser, "desktop", "dark");

        await go(page, "#/traffic");
        await page.locator(".age.live").waitFor();
        await want("stop");
        await page.getByText(/data is \d+ s old/).waitFor();
        await picture(page, "old");
        await page.getByRole("button", {name: "Log out"}).click();
        await page.getByText("You are still logged in.").waitFor();
        await want("start");
        await page.locator(".age.live").waitFor({timeout: 2 * PATIENCE});
        await want("traffic");
        await page.locator("tr", {hasText: how.address}).waitFor();
        say("it is live again, without a login and without a reload");
    },

    /* Every page at both sizes, once light and once dark. */
    async pages(browser) {
        await Promise.all([["desktop", "light"], ["phone", "dark"]].map(async ([size, scheme]) => {
            const page = await open(browser, size, scheme);

            for (const [name, hash] of how.pages) {
                await go(page, hash);
                await picture(page, `${name}-${size}`);
                await fits(page, `${name}, ${size}`);
                await accessible(page, `${name}, ${size}`);
                quiet(page, `${name}, ${size}`);
            }
            say(`${how.pages.length} pages, ${size}, ${scheme}`);
            await page.context().close();
        }));
    },

    /* From the link of an alert through the login to its page, and what is said of it there. */
    async alert(browser) {
        const page = await open(browser, "desktop", "light", `#/alerts/${how.number}`);
        const button = (name) => page.getByRole("button", {name, exact: true});

        await page.getByRole("heading", {name: `Alert ${how.number}`, level: 1}).waitFor();
        await button("Acknowledge…").click();
        await page.getByLabel("Note").fill(how.reason);
        await press(page, "Acknowledge");
        await page.getByText(how.reason).first().waitFor();
        await button("Take back…").click();
        await press(page, "Take back");
        await button("Acknowledge…").waitFor();
        await button("Silence…").click();
        await page.getByLabel("Reason").fill(how.reason);
        await page.getByText(`alerts about ${how.address}, until`).waitFor();
        claim(await page.getByLabel("Kind").count() === 0, "the one kind there is, is a choice");
        await page.getByLabel("Threshold").selectOption("default");
        await page.getByText(`alerts about ${how.address}, threshold default, until`).waitFor();
        await accessible(page, "a silence that is asked for");
        await press(page, "Silence");
        await page.locator(".badge", {hasText: "silenced"}).waitFor();
        await go(page, "#/");
        await page.getByRole("link", {name: /^1 silence stands/}).waitFor();
        await go(page, "#/alerts");
        await page.locator("main tr", {hasText: how.reason}).waitFor();
        await accessible(page, "alerts with a silence");
        await picture(page, "alerts-silenced");
        await page.getByRole("button", {name: /^end silence/}).click();
        await press(page, "End it");
        await page.getByRole("button", {name: /^end silence/}).waitFor({state: "detached"});
        quiet(page, "alerts");
        say("an alert is acknowledged, taken back, silenced, and told again");
    },

    /* The page that is first, with traffic and servers in it. */
    async overview(browser) {
        const page = await open(browser, "desktop", "light");

        for (const server of how.servers)
            await page.locator("main tr", {hasText: server}).first().waitFor();
        await page.keyboard.press("?");
        await page.getByRole("heading", {name: "Keyboard"}).waitFor();
        await page.keyboard.press("Escape");
        await page.keyboard.press("g");
        await page.keyboard.press("t");
        await page.getByRole("heading", {name: "Traffic", level: 1}).waitFor();
        await page.locator("main tr a.row").first().waitFor();
        await page.keyboard.press("j");
        const address = await page.evaluate(() => document.activeElement.textContent);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", {name: address, level: 1, exact: true}).waitFor();
        say("overview, and by keyboard to an address");
        quiet(page, "the overview");
    },
};

run(looks);
