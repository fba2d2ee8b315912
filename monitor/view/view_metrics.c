/*
 * view_metrics - a family at a time, over all objects, for that is the order of the format.
 */
#include "monitor/view/view_metrics.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define STEP 64 /* octets of a member's name in a path */

static const json_t *member(const json_t *object, const char *path)
{
    while (object && path[0] != '\0') {
        size_t len = strcspn(path, ".");
        char name[STEP];

        snprintf(name, sizeof name, "%.*s", (int)len, path);
        object = json_object_get(object, name);
        path += len + (path[len] == '.');
    }
    return object;
}

static bool number_of(const json_t *value, double *number_r)
{
    *number_r = json_is_boolean(value) ? json_is_true(value) : json_number_value(value);
    return json_is_boolean(value) || json_is_number(value);
}

static void add_of(struct weir_metrics *metrics, const struct weir_view_metric *row,
                   const char *own, const json_t *object)
{
    struct weir_metrics_label label[2] = {{own, ""}, {row->label, ""}};
    const struct weir_metrics_label *first = own ? label : label + 1;
    const json_t *value = member(object, row->path), *one;
    const char *name;
    double number;

    if (own)
        label[0].value = json_string_value(json_object_get(object, own));
    if (own && !label[0].value)
        return;
    if (!row->label) {
        if (number_of(value, &number))
            weir_metrics_sample(metrics, label, own ? 1 : 0, number);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, one) {
        label[1].value = name;
        if (number_of(one, &number))
            weir_metrics_sample(metrics, first, own ? 2 : 1, number);
    }
}

void weir_view_metrics(struct weir_metrics *metrics, const struct weir_view_metric *table,
                       size_t rows, const char *own, const json_t *objects)
{
    for (size_t i = 0; i < rows; i++) {
        const json_t *object;
        size_t at;

        weir_metrics_family(metrics, table[i].type, table[i].name, table[i].help);
        json_array_foreach(objects, at, object)
            add_of(metrics, &table[i], own, object);
    }
}
