/*
 * One message: what was decided about it, point by point.
 */
import {at, h} from "./dom.js";
import {may} from "./api.js";
import {decimal, points, when} from "./format.js";
import {address, badge, card, domain, empty, facts, link, rule} from "./words.js";

export const title = (words) => `Message ${words[1]}`;

/* Points as a table whose sum is the score. */
function explanation(lines, score, rules = []) {
    const known = new Set(rules.filter((one) => one.now).map((one) => one.name));

    if (!lines || lines.length === 0)
        return empty("Nothing gave it points.", "It was judged by lists, or by nothing at all.");
    return h("table", {class: "points"}, h("caption", {class: "hidden"}, "Points"),
        h("thead", {}, h("tr", {}, h("th", {scope: "col", class: "num"}, "points"),
            h("th", {scope: "col"}, "for"), h("th", {scope: "col"}, "why"))),
        h("tbody", {}, lines.map(({what, points: number, why}) => h("tr", {},
            h("td", {class: `num ${number > 0 ? "plus" : number < 0 ? "minus" : ""}`},
                points(number)),
            h("td", {}, known.has(what) ? rule(what) : h("span", {class: "mono"}, what)),
            h("td", {class: "wide"}, why || ""))),
        h("tr", {}, h("td", {class: "num"}, h("b", {}, points(score))),
            h("td", {}, h("b", {}, "score")), h("td"))));
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

function reputation(found) {
    if (!found || Object.keys(found).length === 0)
        return null;
    return card("Reputation then", facts(Object.entries(found).map(([name, value]) => [
        name.replaceAll("_", " "), typeof value === "number" ? decimal(value, 3)
            : typeof value === "object" ? JSON.stringify(value) : String(value)])));
}

function says(data) {
    const words = {spam: "spam", unsure: "unsure", ham: "good mail"}[data.verdict] || data.verdict;

    return h("p", {class: "says"}, badge(data.verdict), ` judged ${words} with ${
        points(data.score)} points by `, data.server || "a server", " ", when(data.time),
    data.reported ? [". People say: ", badge(data.reported,
        data.reported === "ham" ? "good" : data.reported)] : "");
}

export async function show(page) {
    const uid = page.words[1];
    const data = await page.get(`/messages/${encodeURIComponent(uid)}`);
    const shown = may("analyst") && (data.report || data.text);

    page.heading(h("span", {}, "Message ", h("span", {class: "mono"}, uid)),
        shown && link(at("reports", uid), "Its report and text", {class: "button"}),
        may("analyst") && data.address && link(at("addresses", data.address), "Its address",
            {class: "button"}));
    page.fill(card(null, says(data)),
        card("In short", facts([["address", address(data.address)],
            ["domain", domain(data.domain)], ["server", data.server],
            ["rule set", data.serial ? link(at("sets"), `serial ${data.serial}`) : "–"],
            ["time", when(data.time)]])),
        card("Why, point by point", explanation(data.explanation, data.score,
            data.rules)),
        h("div", {class: "two"}, card("Rules then and now", rulesNow(data.rules)),
            reputation(data.reputation)));
}
