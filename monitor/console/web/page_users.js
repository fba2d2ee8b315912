/*
 * Users & tokens: who may use the console and what for; tokens for programs; one's own password.
 */
import {change as put, limits, may, me, pick, roles, send, word} from "./api.js";
import {ask, note, sheet} from "./dialog.js";
import {h} from "./dom.js";
import {later, when} from "./format.js";
import {table} from "./table.js";
import {badge, card, empty} from "./words.js";

export const title = () => "Users & tokens";

const MAY = {viewer: "sees everything but reported mail",
             analyst: "and decides, reports, changes rules",
             administrator: "and servers, thresholds, users"};
const choices = () => roles().map((name) => [name, `${name}: ${MAY[name]}`]);

/* What is told once. */
function once(heading, words, secret) {
    return sheet(heading, [h("p", {}, words), h("pre", {class: "secret", tabindex: "0"}, secret)]);
}

async function password() {
    const {password_least, password_most} = limits();
    const answer = await ask({title: "Change your password", button: "Change", fields: [
        {name: "old", label: "The old one", kind: "password", needed: true,
         autocomplete: "current-password"},
        {name: "new", label: "A new one", kind: "password", needed: true, least: password_least,
         most: password_most, autocomplete: "new-password",
         hint: `${password_least} characters at least`},
        {name: "again", label: "The new one again", kind: "password", needed: true,
         autocomplete: "new-password"}],
        run: (values) => {
            if (values.new !== values.again)
                throw new Error("The new ones are not the same.");
            return send("POST", "/me/password", {old: values.old, new: values.new});
        }});

    if (answer)
        note("Your password is changed; your other sessions have ended");
}

async function addUser(page) {
    const answer = await ask({title: "Add a user", button: "Add", fields: [
        {name: "name", label: "Name", needed: true, most: limits().account_name},
        {name: "role", label: "Role", kind: "choice", choices: choices(), value: "viewer"}],
        run: async ({name, role}) => ({name, ...await send("POST", "/users", {name, role})})});

    if (answer) {
        await once(`Password of ${answer.name}`, "It is told once. Whoever gets it should change "
            + "it after the first login.", answer.password);
        page.again();
    }
}

const based = (user) => ({was: pick(user, ["role", "disabled"])});

async function change(page, user, body, words) {
    const base = based(user);
    const answer = await ask({title: `Change ${user.name}`, text: words, button: "Change",
        run: () => put("PUT", `/users/${word(user.name)}`, body, base)});

    if (answer && answer.password)
        await once(`New password of ${user.name}`, "It is told once.", answer.password);
    if (answer) {
        note(`${user.name} is changed`);
        page.again();
    }
}

async function role(page, user) {
    const base = based(user);
    const answer = await ask({title: `Role of ${user.name}`, button: "Change", fields: [
        {name: "role", label: "Role", kind: "choice", choices: choices(), value: user.role}],
        run: (values) => put("PUT", `/users/${word(user.name)}`, values, base)});

    if (answer) {
        note(`${user.name} is ${answer.role || "changed"}`, {undo: async () => {
            await put("PUT", `/users/${word(user.name)}`, {role: user.role},
                {was: {role: answer.role}});
            page.again();
        }});
        page.again();
    }
}

/* Names of tokens that were made with one, and with those. */
const madeWith = (tokens, name) => ended(tokens, (row) => row.by.endsWith(` by token ${name}`));
const ended = (tokens, is) => tokens.filter(is).flatMap((row) => [row.name,
    ...madeWith(tokens, row.name)]);

/* Of somebody at the console: all that began with him. */
const tokensOf = (tokens, user) => tokens.filter((row) => row.by === `user ${user}`
    || row.by.startsWith(`user ${user} by token `)).map((row) => row.name);

const withIt = (names) => (names.length === 0 ? ""
    : names.length === 1 ? `token ${names[0]} ends with it`
        : `tokens ${names.join(", ")} end with it`);

async function remove(page, path, name, {words, tokens, base}) {
    const more = withIt(tokens);
    const answer = await ask({title: `Remove ${name}`, button: "Remove", harm: true,
        text: more ? `${words} ${more[0].toUpperCase()}${more.slice(1)}.` : words,
        run: () => (base ? put("DELETE", path, {}, base) : send("DELETE", path))});

    if (answer) {
        const over = withIt(answer.tokens);

        note(`${name} is removed${over ? `; ${over}` : ""}`);
        page.again();
    }
}

function userTools(page, user, tokens) {
    const own = user.name === me().name;
    const button = (name, run) => h("button", {type: "button", class: "bare", onclick: run,
        "aria-label": `${name}: ${user.name}`}, name);

    return h("span", {class: "row-tools"},
        button("role", () => role(page, user)),
        button("new password", () => change(page, user, {password: true}, "A new password is made "
            + "and told once; the sessions of this user end.")),
        !own && button(user.disabled ? "enable" : "disable", () => change(page, user,
            {disabled: !user.disabled}, user.disabled ? "This user may log in again."
                : "This user may log in no more, and the sessions end.")),
        !own && button("remove", () => remove(page, `/users/${word(user.name)}`, user.name,
            {words: "What this user did stays in the audit.", base: based(user),
             tokens: tokensOf(tokens, user.name)})));
}

const USERS = [
    {key: "name", label: "name", sort: true},
    {key: "role", label: "role", sort: true, cell: (row) => badge("dull", row.role)},
    {key: "disabled", label: "state", cell: (row) => (row.disabled
        ? badge("bad", "disabled") : badge("active", "may log in"))},
    {key: "last_login", label: "last login", sort: true, cell: (row) => when(row.last_login)},
    {key: "added", label: "added", sort: true, cell: (row) => when(row.added, "at")},
];

const TOKENS = [
    {key: "name", label: "name", sort: true},
    {key: "role", label: "role", sort: true, cell: (row) => badge("dull", row.role)},
    {key: "added", label: "made", cell: (row) => when(row.added, "at")},
    {key: "last_used", label: "last used", cell: (row) => when(row.used)},
    {key: "ends", label: "ends", cell: (row) => (row.ends ? when(row.ends) : "never")},
    {key: "by", label: "made by"},
];

async function addToken(page) {
    const answer = await ask({title: "Make a token", button: "Make", fields: [
        {name: "name", label: "Name", needed: true, most: limits().account_name,
         hint: "of the program"},
        {name: "role", label: "Role", kind: "choice", choices: choices(), value: "viewer"},
        {name: "ends", label: "For how long", kind: "choice", value: "31536000", choices: [
            ["2592000", "30 days"], ["31536000", "a year"], ["0", "for ever"]]}],
        run: async ({name, role: of, ends}) => ({name, ...await send("POST", "/tokens", {
            name, role: of, ends: later(Number(ends))})})});

    if (answer) {
        await once(`Token ${answer.name}`, ["It is told once. A program sends it as ",
            h("code", {}, "Authorization: Bearer …"), "."], answer.token);
        page.again();
    }
}

export async function show(page) {
    const mine = card("You", h("p", {class: "says"}, `${me().name}, ${me().role}`),
        h("p", {}, h("button", {type: "button", onclick: password},
            "Change your password…")));

    if (!may("administrator")) {
        page.heading("You");
        page.fill(mine);
        return;
    }
    const [users, tokens] = await Promise.all([page.get("/users"), page.get("/tokens")]);

    page.heading("Users & tokens", h("button", {type: "button", onclick: () => addUser(page)},
        "Add a user…"), h("button", {type: "button", onclick: () => addToken(page)},
        "Make a token…"));
    page.fill(mine, card("Users", table({caption: "Users", rows: users.rows,
        key: (row) => row.name, columns: [...USERS, {key: "do", label: "",
            cell: (row) => userTools(page, row, tokens.rows)}]}).node),
    card("Tokens of programs", table({caption: "Tokens", rows: tokens.rows,
        key: (row) => row.name, columns: [...TOKENS, {key: "do", label: "", cell: (row) =>
            h("button", {type: "button", class: "bare", "aria-label": `remove ${row.name}`,
                         onclick: () => remove(page, `/tokens/${word(row.name)}`, row.name,
                             {words: "Programs that have it are let in no more.",
                              tokens: madeWith(tokens.rows, row.name)})}, "remove")}],
        empty: empty("No token.", "Programs use the same API as this console: ", h("a", {
            href: "api/v1/openapi.json"}, "its description"), ".")}).node));
}
