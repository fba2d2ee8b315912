/*
 * One message: what was decided about it, point by point.
 */
import {at, h} from "./dom.js";
import {may} from "./api.js";
import {points, when} from "./format.js";
import {address, badge, card, domain, empty, facts, link, rule, score as coloured}
    from "./words.js";

export const title = (words) => `Message ${words[1]}`;

const SOURCES = {rule: "rule", reputation: "reputation", bayes: "Bayes", address: "address",
                 string: "spam-info string", rules: "rules", rest: "rules"};

/* Points as a table whose sum is the score. */
function explanation(lines, score, limits, rules = []) {
    const known = new Set(rules.filter((one) => one.now).map((one) => one.name));

    if (!lines || lines.length === 0)
        return empty("Nothing gave it points.", "It was judged by lists, or by nothing at all.");
    return h("table", {class: "points"}, h("caption", {class: "hidden"}, "Points"),
        h("thead", {}, h("tr", {}, h("th", {scope: "col", class: "num"}, "points"),
            h("th", {scope: "col"}, "for, by, why"))),
        h("tbody", {}, lines.map(({what, source, points: number, why}) => h("tr", {},
            h("td", {class: `num ${number > 0 ? "plus" : number < 0 ? "minus" : ""}`},
                points(number)),
            h("td", {class: "wide"}, known.has(what) ? rule(what)
                : h("span", {class: "mono"}, what), h("span", {class: "quiet"}, " · ",
                SOURCES[source] || source), h("div", {}, why)))),
        h("tr", {}, h("td", {class: "num"}, h("b", {}, coloured(score, [limits.unsure,
            limits.spam]))), h("td", {class: "wide"}, h("b", {}, "score"),
        h("div", {}, limits.words)))));
}

/* What the rules are now: points then and now, state. */
export function rulesNow(rules, then = "points") {
    if (!rules || rules.length === 0)
        return empty("No rule hit it.");
    return h("table", {}, h("caption", {class: "hidden"}, "Rules"),
        h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "rule"),
            h("th", {scope: "col", class: "num"}, "then"),
            h("th", {scope: "col", class: "num"}, "now"), h("th", {scope: "col"}, "state now"))),
        h("tbody", {}, rules.map((one) => {
            const {score, state} = typeof one.now === "object" && one.now ? one.now
                : {score: one.now, state: one.state};

            return h("tr", {}, h("td", {}, state ? rule(one.name)
                : h("span", {class: "mono"}, one.name)),
                h("td", {class: "num"}, points(one[then])),
                h("td", {class: "num"}, points(score)),
                h("td", {}, state ? badge(state) : h("span", {class: "none"},
                    "not in the rulebook")));
        })));
}

function says(data) {
    const words = {spam: "spam", unsure: "unsure", ham: "good mail"}[data.verdict] || data.verdict;

    return h("p", {class: "says"}, badge(data.verdict), ` judged ${words} with ${
        points(data.score)} points by `, data.server || "a server", " ", when(data.time), ": ",
    data.decided.words, data.reported ? [". People say: ", badge(data.reported,
        data.reported === "ham" ? "good" : data.reported)] : ".");
}

export async function show(page) {
    const uid = page.words[1];
    const data = await page.get(`/messages/${encodeURIComponent(uid)}`);
    const shown = may("analyst") && data.text.kept;

    page.heading(h("span", {}, "Message ", h("span", {class: "mono"}, uid)),
        shown && link(at("reports", uid), "Its report and text", {class: "button"}),
        may("analyst") && data.address && link(at("addresses", data.address), "Its address",
            {class: "button"}));
    page.fill(card(null, says(data)),
        card("In short", facts([["address", address(data.address)],
            ["domain", domain(data.domain)], ["server", data.server || "–"],
            ["queue id", data.queue ? link(at("messages", {queue: data.queue}), data.queue,
                {class: "mono"}) : "not told by its server"],
            ["rule set", data.serial ? link(at("sets"), `serial ${data.serial}`) : "–"],
            ["time", when(data.time)], ["reputation", data.reputation.words],
            ["it lacked", !data.lacking ? "not kept" : data.lacking.join("; ") || "nothing"],
            ["its text", data.text.words]])),
        card("Why, point by point", explanation(data.explanation, data.score, data.limits,
            data.rules)),
        card("Rules then and now", rulesNow(data.rules)));
    page.refresh(3, ["rules"]);
}
