/*
 * template_impl - a template taken apart: template.c reads it, template_fill.c knows the fields and
 * writes them.
 */
#ifndef WEIR_THRESHOLD_TEMPLATE_IMPL_H
#define WEIR_THRESHOLD_TEMPLATE_IMPL_H

#include "monitor/threshold/template.h"

enum template_kind { TEMPLATE_TEXT, TEMPLATE_FIELD, TEMPLATE_EACH, TEMPLATE_BETWEEN, TEMPLATE_END };

struct template_part {
    enum template_kind kind;
    const char *at;              /* where it stands in the template's text */
    struct weir_slice text;      /* of a text */
    size_t field;                /* of a field: its number */
    bool quoted;                 /* it stands within a string of JSON */
};

struct weir_template {
    enum weir_template_use use;
    char *text;
    size_t len;
    struct template_part part[WEIR_TEMPLATE_PARTS_MAX];
    size_t parts;
    size_t body;                 /* of a mail: its first part behind the subject's */
};

/* A template that is filled to be tried: what comes of it, and of which part its octet at
 * `sought` is.  empty: numbers that stand outside of strings are "[]", which is a value of its own
 * only where nothing that is a part of one, such as a digit, stands beside it. */
struct template_trial {
    bool empty;
    size_t sought;
    const char *at;              /* in the template's text; NULL: there is no such octet */
};
char *weir_template_try(const struct weir_template *template, const struct weir_alert_group *group,
                        const struct weir_alert_letter *letter, struct template_trial *trial);

/* The number of a field, or one beyond all of them. */
#define WEIR_TEMPLATE_NONE SIZE_MAX
size_t weir_template_field(struct weir_slice name);

/* Whether its value has several lines. */
bool weir_template_has_lines(size_t field);

#endif
