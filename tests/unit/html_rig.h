/*
 * html_rig - reads a piece of HTML and keeps what came of it.
 */
#ifndef WEIR_TESTS_HTML_RIG_H
#define WEIR_TESTS_HTML_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/mail/html.h"

struct html_rig {
    char visible[8192], all[8192], targets[65536], again[8192];
    struct weir_line lines[4];
    struct weir_link link[WEIR_LINKS_MAX];
    struct weir_html html;
};

static inline struct html_rig *html_read(const char *octets, size_t len)
{
    struct html_rig *rig = calloc(1, sizeof(*rig));
    if (!rig)
        abort();
    rig->lines[0] = weir_line(rig->visible, sizeof(rig->visible));
    rig->lines[1] = weir_line(rig->all, sizeof(rig->all));
    rig->lines[2] = weir_line(rig->targets, sizeof(rig->targets));
    rig->lines[3] = weir_line(rig->again, sizeof(rig->again));
    rig->html = (struct weir_html){.visible = &rig->lines[0], .all = &rig->lines[1],
                                   .again = &rig->lines[3],
                                   .targets = &rig->lines[2], .link = rig->link,
                                   .links_most = WEIR_LINKS_MAX};
    weir_html_read((struct weir_slice){octets, len}, &rig->html);
    for (unsigned i = 0; i < 4; i++)
        weir_line_end(&rig->lines[i]);
    return rig;
}

static inline bool html_fact(const struct html_rig *rig, enum weir_html_fact fact)
{
    return rig->html.facts >> fact & 1;
}

#endif
