/*
 * The uri text: every link once, each in the forms in which rules look for it:
 *
 *     as written        HTTP:\\user@Shop%2Eexample:80?x
 *     as a browser      HTTP://user@Shop.example:80/?x
 *     without cruft     HTTP://Shop.example/?x       no user, no usual port
 *     what is inside    of a redirector: .../?to=http://other.example/ gives that too
 *
 * Mail addresses in the text count as "mailto:" links, as mail readers have it.
 *
 * Forms that do not differ are written once, and so is a link that comes again: a table of
 * hashes, keyed, finds it.  Time is linear in the octets of the links, for a link
 * within a link is looked at INSIDE_MAX times at most.
 */
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/keyed_hash.h"
#include "core/base/slice.h"
#include "core/mail/content_impl.h"

enum { FORMS = 4, INSIDE_MAX = 3, FORM_ROOM = WEIR_LINK_MAX + 16 };
enum { LOCAL_MAX = 64, MAIL_ROOM = 7 + LOCAL_MAX + 1 + WEIR_DOMAIN_MAX + 1 }; /* RFC 5321 4.5.3.1 */

struct uris {
    struct weir_line text;
    struct weir_cuts cuts;
    struct weir_hash_key key;
    uint64_t *seen; /* of hashes; 0: free */
    size_t mask;    /* the table's size less one */
    bool cut;
};

/* Whether it was there before; if not it is now.  At least half of the table is free. */
static bool seen_before(struct uris *uris, struct weir_slice uri)
{
    uint64_t hash = weir_hash64(&uris->key, uri.at, uri.len) | 1;
    size_t at = (size_t)(hash >> 1) & uris->mask;
    for (; uris->seen[at] != 0; at = (at + 1) & uris->mask) {
        if (uris->seen[at] == hash)
            return true;
    }
    uris->seen[at] = hash;
    return false;
}

static void uri_add(struct uris *uris, struct weir_slice uri)
{
    size_t room = (size_t)(uris->text.end - uris->text.at);
    if (uri.len == 0)
        return;
    if (uris->cuts.lines == uris->cuts.room || uri.len >= room) {
        uris->cut = true;
        return;
    }
    if (seen_before(uris, uri))
        return;
    weir_line_octets(&uris->text, uri.at, uri.len);
    weir_line_octets(&uris->text, "\n", 1);
    uris->cuts.start[++uris->cuts.lines] = (uint32_t)(uris->text.at - uris->text.start);
}

/* Octets up to one of stops. */
static size_t span_to(struct weir_slice text, const char *stops)
{
    size_t len = 0;
    while (len < text.len && (text.at[len] == '\0' || !strchr(stops, text.at[len])))
        len++;
    return len;
}

/* "mailto:", "cid:", ...: letters, digits and "+-." behind a letter, then a colon. */
static bool has_scheme(struct weir_slice uri)
{
    size_t len = span_to(uri, ":/?#@ ");
    return len > 0 && len < uri.len && uri.at[len] == ':';
}

/* The visible ASCII character a percent sign at uri[i] stands for, or 0. */
static char percent(struct weir_slice uri, size_t i)
{
    if (i + 2 >= uri.len || uri.at[i] != '%')
        return 0;
    int high = weir_hex_value(uri.at[i + 1]), low = weir_hex_value(uri.at[i + 2]);
    int value = high < 0 || low < 0 ? 0 : 16 * high + low;
    return (char)(value > ' ' && value < 127 ? value : 0);
}

/* Writes what a browser makes of it: slashes, and percent signs undone. */
static void browser_write(struct weir_slice uri, struct weir_line *out)
{
    for (size_t i = 0; i < uri.len; i++) {
        char c = percent(uri, i);
        if (c != 0)
            i += 2;
        else
            c = uri.at[i] == '\\' ? '/' : uri.at[i];
        weir_line_octets(out, &c, 1);
    }
}

/* "http://" and what is behind it, however many slashes were there. */
static bool web_split(struct weir_slice uri, struct weir_slice *scheme_r,
                      struct weir_slice *rest_r)
{
    size_t len = weir_slice_begins(uri, "http:") ? 5 : weir_slice_begins(uri, "https:") ? 6 : 0;
    *scheme_r = (struct weir_slice){uri.at, len};
    *rest_r = weir_slice_behind(uri, len);
    for (int i = 0; len > 0 && i < 2 && rest_r->len > 0 && rest_r->at[0] == '/'; i++)
        *rest_r = weir_slice_behind(*rest_r, 1);
    return len > 0;
}

static void web_write(struct weir_slice scheme, struct weir_slice authority,
                      struct weir_slice path, struct weir_line *out)
{
    weir_line_octets(out, scheme.at, scheme.len);
    weir_line_text(out, "//");
    weir_line_octets(out, authority.at, authority.len);
    if (path.len > 0 && path.at[0] != '/')
        weir_line_text(out, "/");
    weir_line_octets(out, path.at, path.len);
}

/* The host of an authority: without user, without the port that goes without saying, without
 * what a sentence left at its end. */
static struct weir_slice host_of(struct weir_slice authority, struct weir_slice scheme)
{
    const char *at = authority.len > 0 ? memrchr(authority.at, '@', authority.len) : NULL;
    const char *port = scheme.len == 5 ? ":80" : ":443";
    size_t port_len = strlen(port);
    if (at)
        authority = weir_slice_behind(authority, (size_t)(at + 1 - authority.at));
    if (authority.len > port_len &&
        memcmp(authority.at + authority.len - port_len, port, port_len) == 0)
        authority.len -= port_len;
    while (authority.len > 0 && strchr(".,;:!-_*'", authority.at[authority.len - 1]))
        authority.len--;
    return authority;
}

/* A link in what is behind a host, up to '&' or '#'. */
static struct weir_slice inside(struct weir_slice path)
{
    for (size_t i = 0; i + 5 <= path.len; i++) {
        struct weir_slice rest = weir_slice_behind(path, i);
        if ((rest.at[0] | 32) == 'h' && (weir_slice_begins(rest, "http:") ||
                                         weir_slice_begins(rest, "https:"))) {
            rest.len = span_to(rest, "&#");
            return memchr(rest.at, '.', rest.len) ? rest : (struct weir_slice){0};
        }
    }
    return (struct weir_slice){0};
}

/* Adds a web address in its forms; returns the link inside it. */
static struct weir_slice web_add(struct uris *uris, struct weir_slice uri)
{
    char room[2][FORM_ROOM + 1];
    struct weir_line whole = weir_line(room[0], sizeof(room[0]));
    struct weir_line clean = weir_line(room[1], sizeof(room[1]));
    struct weir_slice scheme, rest;
    if (!web_split(uri, &scheme, &rest))
        return (struct weir_slice){0};
    struct weir_slice authority = {rest.at, span_to(rest, "/?#")};
    struct weir_slice path = weir_slice_behind(rest, authority.len);
    web_write(scheme, authority, path, &whole);
    uri_add(uris, weir_line_from(&whole, 0));
    web_write(scheme, host_of(authority, scheme), path, &clean);
    uri_add(uris, weir_line_from(&clean, 0));
    return inside(path);
}

/* "mailto:ann@shop.example?subject=x" without what is behind the address. */
static void mail_add(struct uris *uris, struct weir_slice uri)
{
    const char *at = memchr(uri.at, '@', uri.len);
    if (!at)
        return;
    struct weir_slice host = weir_slice_behind(uri, (size_t)(at - uri.at));
    uri_add(uris, (struct weir_slice){uri.at, uri.len - host.len + span_to(host, "?&")});
}

/* Adds what a browser makes of a link, and what is inside that. */
static void browser_add(struct uris *uris, struct weir_slice uri)
{
    char room[FORM_ROOM + 1];
    struct weir_line form = weir_line(room, sizeof(room));
    if (weir_slice_begins(uri, "//"))
        weir_line_text(&form, "http:");
    else if (!has_scheme(uri))
        weir_line_text(&form, weir_slice_begins(uri, "ftp.") ? "ftp://" : "http://");
    browser_write(uri, &form);
    uri = weir_line_from(&form, 0);
    uri_add(uris, uri);
    for (int i = 0; i < INSIDE_MAX && uri.len > 0; i++)
        uri = web_add(uris, uri);
}

/* Text that only looks like a link is written with a scheme alone. */
static void link_add(struct uris *uris, const struct weir_link *link)
{
    struct weir_slice uri = weir_slice_trim(link->target);
    if (uri.len > WEIR_LINK_MAX)
        uri.len = WEIR_LINK_MAX;
    if (link->kind != WEIR_LINK_TEXT || has_scheme(uri))
        uri_add(uris, uri);
    if (uri.len < 2 || strchr("#?&", uri.at[0]) || (uri.at[0] == '/' && uri.at[1] != '/'))
        return;
    if (weir_slice_begins(uri, "mailto:"))
        mail_add(uris, uri);
    else
        browser_add(uris, uri);
}

static bool is_host_octet(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '.';
}

static bool is_local_octet(char c)
{
    return is_host_octet(c) || (c != '\0' && strchr("_+=%!#$&*/?^~", c));
}

/* A name with a dot whose last label is letters. */
static bool is_host(struct weir_slice host)
{
    const char *dot = host.len > 0 ? memrchr(host.at, '.', host.len) : NULL;
    if (!dot || dot == host.at || host.at + host.len - dot < 3)
        return false;
    for (const char *at = dot + 1; at < host.at + host.len; at++) {
        if ((*at | 32) < 'a' || (*at | 32) > 'z')
            return false;
    }
    return true;
}

/* The mail address around an '@'; neither side goes past the next '@', so all of
 * them together are one pass over the text. */
static struct weir_slice mail_around(struct weir_slice text, size_t at)
{
    size_t from = at, to = at + 1;
    while (from > 0 && at - from < LOCAL_MAX && is_local_octet(text.at[from - 1]))
        from--;
    while (to < text.len && to - at <= WEIR_DOMAIN_MAX && is_host_octet(text.at[to]))
        to++;
    while (to > at + 1 && (text.at[to - 1] == '.' || text.at[to - 1] == '-'))
        to--;
    struct weir_slice host = {text.at + at + 1, to - at - 1};
    if (from == at || !is_host(host))
        return (struct weir_slice){0};
    return (struct weir_slice){text.at + from, to - from};
}

/* Addresses of people; without those that are part of a link. */
static void mails_add(struct uris *uris, struct weir_slice text)
{
    const char *end = text.at + text.len;
    size_t most = WEIR_LINKS_MAX;
    for (const char *at = text.at; most > 0 && at < end; at++) {
        at = memchr(at, '@', (size_t)(end - at));
        if (!at)
            break;
        struct weir_slice found = mail_around(text, (size_t)(at - text.at));
        char room[MAIL_ROOM + 1];
        struct weir_line mail = weir_line(room, sizeof(room));
        if (found.len == 0 || memchr(found.at, '/', found.len))
            continue;
        weir_line_text(&mail, "mailto:");
        weir_line_octets(&mail, found.at, found.len);
        uri_add(uris, weir_line_from(&mail, 0));
        most--;
    }
}

/* The '@'s of a text, as many as are looked at. */
static size_t mails_most(struct weir_slice text)
{
    size_t most = 0;
    const char *end = text.at + text.len;
    for (const char *at = text.at; most < WEIR_LINKS_MAX && at < end; at++, most++) {
        at = memchr(at, '@', (size_t)(end - at));
        if (!at)
            break;
    }
    return most;
}

static int uris_begin(struct weir_reading *reading, struct uris *uris)
{
    const struct weir_content *content = reading->content;
    size_t mails = mails_most(weir_line_from(&reading->body, 0));
    size_t octets = mails * MAIL_ROOM, lines = content->links * FORMS + mails, table = 16;
    for (size_t i = 0; i < content->links; i++)
        octets += FORMS * (content->link[i].target.len + 16);
    while (table < 2 * lines)
        table *= 2;
    *uris = (struct uris){.mask = table - 1, .cuts.room = lines, .key = weir_hash_key_random()};
    uris->seen = weir_arena_zero(reading->arena, table, sizeof(*uris->seen));
    uris->cuts.start = weir_arena_take(reading->arena, (lines + 1) * sizeof(*uris->cuts.start));
    if (!uris->seen || !uris->cuts.start)
        return WEIR_ENOMEM;
    uris->cuts.start[0] = 0;
    return weir_reading_line(reading->arena, octets, &uris->text);
}

int weir_uris_read(struct weir_reading *reading)
{
    struct weir_content *content = reading->content;
    struct uris uris;
    int rc = uris_begin(reading, &uris);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < content->links; i++)
        link_add(&uris, &content->link[i]);
    mails_add(&uris, weir_line_from(&reading->body, 0));
    if (uris.cut)
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
    content->area[WEIR_AREA_URI] =
        (struct weir_area){uris.text.start, uris.cuts.start, uris.cuts.lines};
    return 0;
}
