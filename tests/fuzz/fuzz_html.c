/* Any bytes as HTML: links lie in their lines, the title in the HTML, the host is short. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/limits.h"
#include "core/mail/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct weir_slice text, const char *start, const char *end)
{
    if (text.len > 0 && (text.at < start || text.at + text.len > end))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char visible[512], all[1024], again[512], targets[768], host[1024];
    struct weir_link link[8];
    struct weir_line shown = weir_line(visible, sizeof(visible));
    struct weir_line every = weir_line(all, sizeof(all));
    struct weir_line octets = weir_line(targets, sizeof(targets));
    struct weir_line more = weir_line(again, sizeof(again));
    struct weir_html html = {.visible = &shown, .all = size % 3 ? &every : NULL,
                             .again = size % 5 ? &more : NULL, .targets = &octets, .link = link,
                             .links_most = 8, .title = {"", 0}};
    const char *start = (const char *)data;
    weir_html_read((struct weir_slice){start, size}, &html);
    inside(html.title, start, start + size);
    for (size_t i = 0; i < html.links; i++) {
        struct weir_line line = weir_line(host, sizeof(host));
        inside(html.link[i].target, targets, octets.at);
        inside(html.link[i].text, visible, shown.at);
        weir_link_host(html.link[i].target, &line);
    }
    if (html.links > html.links_most || html.facts >> WEIR_HTML_FACTS)
        abort();
    return 0;
}
