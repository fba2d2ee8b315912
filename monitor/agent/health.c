/*
 * Lists of a report as JSON.  One octet of a name may take six.
 */
#include "monitor/agent/health.h"

#include <string.h>

json_t *weir_health_gone(struct weir_tail *tail, size_t len, size_t *telling_r)
{
    json_t *names = json_array();
    const char *name;

    *telling_r = 0;
    while ((name = weir_tail_gone(tail, *telling_r)) != NULL &&
           (len += 6 * strlen(name) + 4) <= WEIR_SERVER_HEALTH_MAX) {
        json_array_append_new(names, json_string(name));
        ++*telling_r;
    }
    return names;
}

json_t *weir_health_overruled(const struct weir_applied *applied, size_t *len)
{
    json_t *lines = json_array();
    char prefix[WEIR_PREFIX_TEXT];

    for (size_t i = 0; i < applied->overruleds; i++) {
        const struct weir_overruled *one = &applied->overruled[i];
        json_t *line = json_sprintf("%s %s %s", weir_list_name(one->list),
                                    weir_prefix_format(&one->prefix, prefix), one->by);

        *len += json_string_length(line) + 4;
        json_array_append_new(lines, line);
    }
    return lines;
}
