/* Any bytes as text: links lie in it one behind the other, and have hosts in lower case. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/limits.h"
#include "core/mail/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_link link[16];
    char host[1024];
    struct weir_html html = {.link = link, .links_most = 16};
    struct weir_slice text = {(const char *)data, size};
    const char *at = text.at;
    weir_links_find(text, &html);
    for (size_t i = 0; i < html.links; i++) {
        struct weir_slice target = link[i].target;
        struct weir_line line = weir_line(host, sizeof(host));
        if (target.at < at || target.len == 0 || target.len > WEIR_LINK_MAX ||
            target.at + target.len > text.at + size)
            abort();
        at = target.at + target.len;
        weir_link_host(target, &line);
        for (const char *c = host; c < line.at; c++)
            if (*c >= 'A' && *c <= 'Z')
                abort();
    }
    struct weir_line line = weir_line(host, sizeof(host));
    weir_link_host(text, &line);
    return 0;
}
