/*
 * Tokens of links: the host, the domains above it, whether it is an address or has a port, the
 * words of the path.  Link targets are as they stand in the message; their hosts are those a
 * browser would go to (weir_link_host).
 */
#include <string.h>

#include "core/base/slice.h"
#include "core/evidence/bayes_tokens_impl.h"

enum { HOST_ROOM = 300, PATH_OCTETS = 200 };

static bool is_number(struct weir_slice host)
{
    for (size_t i = 0; i < host.len; i++)
        if (!weir_is_digit(host.at[i]) && host.at[i] != '.')
            return false;
    return host.len > 0;
}

/* What is behind the scheme and "//". */
static struct weir_slice behind_scheme(struct weir_slice target)
{
    const char *slashes = memmem(target.at, target.len, "//", 2);

    return slashes ? weir_slice_between(slashes + 2, target.at + target.len) : target;
}

static void path(struct weir_bayes_collector *collector, struct weir_slice target)
{
    struct weir_slice rest = behind_scheme(target);
    const char *slash = rest.len > 0 ? memchr(rest.at, '/', rest.len) : NULL;
    struct weir_slice authority = slash ? weir_slice_between(rest.at, slash) : rest;

    if (authority.len > 0 && memchr(authority.at, '@', authority.len))
        weir_bayes_put(collector, "link:", weir_slice_of("user"));
    if (authority.len > 0 && memchr(authority.at, ':', authority.len))
        weir_bayes_put(collector, "link:", weir_slice_of("port"));
    if (!slash)
        return;
    rest = weir_slice_between(slash + 1, rest.at + rest.len);
    if (rest.len > PATH_OCTETS)
        rest.len = PATH_OCTETS;
    weir_bayes_words(collector, weir_slice_of("path:"), rest, WEIR_BAYES_SINGLE);
}

static void link_tokens(struct weir_bayes_collector *collector, const struct weir_link *link)
{
    static const char *const kind[] = {[WEIR_LINK_TEXT] = "text", [WEIR_LINK_ANCHOR] = "anchor",
                                       [WEIR_LINK_IMAGE] = "image", [WEIR_LINK_FORM] = "form",
                                       [WEIR_LINK_OTHER] = "other"};
    char room[HOST_ROOM];
    struct weir_line line = weir_line(room, sizeof(room));
    struct weir_slice target = link->target;

    weir_bayes_put(collector, "link:", weir_slice_of(kind[link->kind]));
    weir_link_host(target, &line);
    struct weir_slice host = weir_slice_between(line.start, line.at);
    if (host.len == 0) {
        target.len = target.len < PATH_OCTETS ? target.len : PATH_OCTETS;
        weir_bayes_words(collector, weir_slice_of("link:"), target, WEIR_BAYES_SINGLE);
        return;
    }
    if (is_number(host))
        weir_bayes_put(collector, "link:", weir_slice_of("number"));
    weir_bayes_domain(collector, link->kind == WEIR_LINK_IMAGE ? "img:" : "url:", host);
    path(collector, target);
}

void weir_bayes_links(struct weir_bayes_collector *collector, const struct weir_content *content)
{
    size_t most = content->links < WEIR_BAYES_LINKS_MAX ? content->links : WEIR_BAYES_LINKS_MAX;

    collector->cut |= most < content->links;
    for (size_t i = 0; i < most; i++)
        link_tokens(collector, &content->link[i]);
}
