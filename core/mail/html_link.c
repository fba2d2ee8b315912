/*
 * Links of tags.  A target is what a browser would ask for: references undone, blanks at the
 * ends and tabs, line ends and NULs anywhere taken out, relative ones made absolute when
 * a <base> says to what.  The first <base> with an absolute address counts.  Of data:
 * links only the beginning is kept: the rest is no address.  A target that does not
 * fit whole into the targets line is no link.
 */
#include "core/mail/html_impl.h"

#include <string.h>

enum { DATA_KEPT = 128, ANCHOR_LOOKED_AT = 256 };

/* A scheme with its colon at the beginning: its octets, or 0. */
static size_t scheme_len(struct weir_slice target)
{
    size_t i = 0;
    if (target.len == 0 || !weir_html_is_letter(target.at[0]))
        return 0;
    while (i < target.len && (weir_html_is_letter(target.at[i]) ||
                              weir_is_digit(target.at[i]) || target.at[i] == '+' ||
                              target.at[i] == '-' || target.at[i] == '.'))
        i++;
    return i < target.len && target.at[i] == ':' ? i + 1 : 0;
}

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* How much of an absolute address is scheme and host. */
static size_t origin_len(struct weir_slice base)
{
    size_t i = scheme_len(base);
    while (i < base.len && is_slash(base.at[i]))
        i++;
    while (i < base.len && !is_slash(base.at[i]) && base.at[i] != '?' && base.at[i] != '#')
        i++;
    return i;
}

/* The part of the base that stands before a relative target. */
static struct weir_slice before(struct weir_slice base, struct weir_slice target)
{
    size_t origin = origin_len(base), len = base.len;
    if (target.len >= 2 && is_slash(target.at[0]) && is_slash(target.at[1])) {
        len = scheme_len(base);
    } else if (is_slash(target.at[0])) {
        len = origin;
    } else {
        for (size_t i = origin; i < len; i++)
            if (base.at[i] == '#' || (base.at[i] == '?' && target.at[0] != '#'))
                len = i;
        while (target.at[0] != '?' && target.at[0] != '#' && len > origin &&
               !is_slash(base.at[len - 1]))
            len--;
    }
    return (struct weir_slice){base.at, len};
}

static bool is_left_out(char c)
{
    return c == '\0' || c == '\t' || c == '\n' || c == '\r';
}

/* A byte order mark or typographic double quote at an end: its octets, or 0. */
static size_t mark_len(const char *at, size_t len)
{
    return len >= 3 && (memcmp(at, "\xe2\x80\x9c", 3) == 0 || memcmp(at, "\xe2\x80\x9d", 3) == 0 ||
                        memcmp(at, "\xef\xbb\xbf", 3) == 0) ? 3 : 0;
}

/* Takes out what browsers take out, and makes blanks of no-break spaces, in place. */
static struct weir_slice cleaned(char *octets, size_t len)
{
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        if (is_left_out(octets[i]))
            continue;
        octets[kept++] = octets[i];
        if (kept >= 2 && octets[kept - 2] == '\xc2' && octets[kept - 1] == '\xa0')
            octets[--kept - 1] = ' ';
    }
    struct weir_slice text = weir_html_trim((struct weir_slice){octets, kept});
    for (size_t mark; (mark = mark_len(text.at, text.len)) > 0; text.len -= mark)
        text.at += mark;
    while (text.len >= 3 && mark_len(text.at + text.len - 3, 3))
        text.len -= 3;
    return weir_html_trim(text);
}

static bool write_target(struct weir_html_links *links, struct weir_slice target,
                         struct weir_slice *target_r)
{
    struct weir_line *out = links->html->targets;
    struct weir_line start = *out;
    if (links->base.len > 0 && scheme_len(target) == 0) {
        struct weir_slice base = before(links->base, target);
        weir_line_octets(out, base.at, base.len);
        if (base.len == origin_len(links->base) && !strchr("/\\?#", target.at[0]))
            weir_line_text(out, "/");
    }
    weir_line_octets(out, target.at, target.len);
    if (out->cut) {
        out->at = start.at;
        return false;
    }
    size_t len = (size_t)(out->at - start.at);
    if (len > WEIR_LINK_MAX) {
        len = WEIR_LINK_MAX;
        out->at = start.at + len;
    }
    *target_r = (struct weir_slice){start.at, len};
    return true;
}

/* Adds a link; NULL when it leads nowhere or there is no room. */
static struct weir_link *add(struct weir_html_links *links, enum weir_link_kind kind,
                             struct weir_slice value)
{
    char room[WEIR_LINK_MAX + 1];
    struct weir_html *html = links->html;
    struct weir_line line = weir_line(room, sizeof(room));
    weir_html_undo(weir_html_trim(value), true, &line);
    struct weir_slice target = cleaned(room, (size_t)(line.at - line.start));
    if (target.len == 0)
        return NULL;
    if (weir_html_begins(target, "javascript:") || weir_html_begins(target, "vbscript:"))
        weir_html_note(html, WEIR_HTML_SCRIPT);
    if (weir_html_begins(target, "data:") && target.len > DATA_KEPT)
        target.len = DATA_KEPT;
    if (html->links >= html->links_most)
        return NULL;
    struct weir_link *link = &html->link[html->links];
    *link = (struct weir_link){.kind = kind, .text = {"", 0}};
    if (!write_target(links, target, &link->target))
        return NULL;
    html->links++;
    return link;
}

static void add_if(struct weir_html_links *links, enum weir_link_kind kind,
                   const struct weir_html_tag *tag, enum weir_html_attribute attribute)
{
    if (weir_html_has(tag, attribute))
        add(links, kind, tag->value[attribute]);
}

static void anchor(struct weir_html_links *links, const struct weir_html_tag *tag)
{
    weir_html_anchor_end(links);
    if (weir_html_has(tag, WEIR_ATTR_HREF) &&
        add(links, WEIR_LINK_ANCHOR, tag->value[WEIR_ATTR_HREF]) && tag->name.len == 1) {
        links->anchor = links->html->links;
        links->anchor_text = links->html->visible->at;
    }
    add_if(links, WEIR_LINK_ANCHOR, tag, WEIR_ATTR_REDIRECT);
}

static void base(struct weir_html_links *links, const struct weir_html_tag *tag)
{
    weir_html_note(links->html, WEIR_HTML_BASE);
    if (!weir_html_has(tag, WEIR_ATTR_HREF))
        return;
    const struct weir_link *link = add(links, WEIR_LINK_OTHER, tag->value[WEIR_ATTR_HREF]);
    if (link && links->base.len == 0 &&
        (weir_html_begins(link->target, "http") || weir_html_begins(link->target, "ftp:")))
        links->base = link->target;
}

static void meta(struct weir_html_links *links, const struct weir_html_tag *tag)
{
    if (!weir_html_has(tag, WEIR_ATTR_HTTP_EQUIV) || !weir_html_has(tag, WEIR_ATTR_CONTENT) ||
        !weir_html_equals(weir_html_trim(tag->value[WEIR_ATTR_HTTP_EQUIV]), "refresh"))
        return;
    weir_html_note(links->html, WEIR_HTML_REFRESH);
    struct weir_slice rest = weir_html_trim(tag->value[WEIR_ATTR_CONTENT]);
    for (; rest.len > 0; rest.at++, rest.len--) {
        if (!weir_html_begins(rest, "url"))
            continue;
        struct weir_slice sign = weir_html_trim((struct weir_slice){rest.at + 3, rest.len - 3});
        if (sign.len == 0 || sign.at[0] != '=')
            continue;
        struct weir_slice target = weir_html_trim((struct weir_slice){sign.at + 1, sign.len - 1});
        if (target.len > 0 && (target.at[0] == '\'' || target.at[0] == '"')) {
            const char *close = memchr(target.at + 1, target.at[0], target.len - 1);
            target.len = (close ? (size_t)(close - target.at) : target.len) - 1;
            target.at++;
        }
        add(links, WEIR_LINK_OTHER, target);
        return;
    }
}

void weir_html_links_of(struct weir_html_links *links, const struct weir_html_tag *tag)
{
    switch (weir_html_elements[tag->element].role) {
    case WEIR_ROLE_ANCHOR:
        anchor(links, tag);
        break;
    case WEIR_ROLE_IMAGE:
        add_if(links, WEIR_LINK_IMAGE, tag, WEIR_ATTR_SRC);
        break;
    case WEIR_ROLE_FORM:
        add_if(links, WEIR_LINK_FORM, tag, WEIR_ATTR_ACTION);
        break;
    case WEIR_ROLE_LINK:
        add_if(links, WEIR_LINK_OTHER, tag, WEIR_ATTR_HREF);
        break;
    case WEIR_ROLE_SCRIPT:
    case WEIR_ROLE_FRAME:
    case WEIR_ROLE_EMBED:
        add_if(links, WEIR_LINK_OTHER, tag, WEIR_ATTR_SRC);
        add_if(links, WEIR_LINK_OTHER, tag, WEIR_ATTR_DATA);
        break;
    case WEIR_ROLE_BASE:
        base(links, tag);
        break;
    case WEIR_ROLE_META:
        meta(links, tag);
        break;
    default:
        break;
    }
    add_if(links, WEIR_LINK_IMAGE, tag, WEIR_ATTR_BACKGROUND);
    add_if(links, WEIR_LINK_FORM, tag, WEIR_ATTR_FORMACTION);
}

static void host_of(struct weir_slice target, char host[static WEIR_DOMAIN_MAX + 1])
{
    struct weir_line line = weir_line(host, WEIR_DOMAIN_MAX + 1);
    weir_link_host(target, &line);
    weir_line_end(&line);
}

/* The end of a host that probably belongs to one owner: two labels, three when they are as
 * short as "co.uk".  No suffix list: what hangs on it is one fact among many. */
static const char *owner(const char *host)
{
    const char *end = host + strlen(host), *at = end;
    for (unsigned labels = 0; at > host; at--) {
        if (at[-1] != '.')
            continue;
        if (++labels >= 2 && (end - at > 6 || labels == 3))
            return at;
    }
    return host;
}

static bool mismatch(struct weir_slice text, struct weir_slice target)
{
    char named[WEIR_DOMAIN_MAX + 1], actual[WEIR_DOMAIN_MAX + 1];
    struct weir_slice link;
    size_t from = 0;
    if (text.len > ANCHOR_LOOKED_AT)
        text.len = ANCHOR_LOOKED_AT;
    if (!weir_link_next(text, &from, &link))
        return false;
    host_of(link, named);
    host_of(target, actual);
    return *named && *actual && strcmp(owner(named), owner(actual)) != 0;
}

void weir_html_anchor_end(struct weir_html_links *links)
{
    if (links->anchor == 0)
        return;
    struct weir_html *html = links->html;
    struct weir_link *link = &html->link[links->anchor - 1];
    links->anchor = 0;
    link->text.at = links->anchor_text;
    link->text.len = (size_t)(html->visible->at - links->anchor_text);
    link->text = weir_html_trim(link->text);
    if (mismatch(link->text, link->target))
        weir_html_note(html, WEIR_HTML_MISMATCH);
}
