/*
 * template - what is told of alerts in an operator's own words: a mail, or the JSON of a webhook.
 *
 *     Subject: [weir] ${address}: ${level}          {"text": "${address}: ${level}",
 *                                                    "alerts": [${each}{"page": "${link}"}
 *     ${count} alerts                                           ${between},${end}]}
 *     ${each}${time} ${text}
 *     ${end}
 *
 * Fields (weir_template_field_name()) are of the first alert of a message; between ${each} and
 * ${end} of one after the other, with what stands behind ${between} between two of them.
 * "$${" is "${".  A mail's first line is its subject, the second one is empty.
 *
 * Whatever a field holds becomes visible ASCII: it adds no line to a mail.  Of JSON it is escaped
 * within a string, and quoted, or a number, outside of one; that the whole is JSON is tried when
 * the template is read.
 *
 * Owner:    the caller; the text is copied.  Threads: one fills, or several, while nobody frees.
 * Errors:   WEIR_EINVAL or WEIR_ELIMIT with a line and a reason; WEIR_ENOMEM.  Filling: NULL when
 *           memory is short.
 * Limits:   WEIR_TEMPLATE_MAX octets of UTF-8, WEIR_TEMPLATE_PARTS_MAX fields and pieces of text
 *           between them; ${lines} not within ${each}; a subject is ASCII, and
 *           WEIR_TEMPLATE_SUBJECT_MAX octets of it are kept;
 *           longer lines of a mail than RFC 5322 allows are broken.
 */
#ifndef WEIR_THRESHOLD_TEMPLATE_H
#define WEIR_THRESHOLD_TEMPLATE_H

#include "core/base/cursor.h"
#include "monitor/threshold/alert_text.h"

enum weir_template_use { WEIR_TEMPLATE_MAIL, WEIR_TEMPLATE_WEBHOOK };

#define WEIR_TEMPLATE_WHY 128

struct weir_template_error {
    unsigned line;               /* from 1 on */
    char why[WEIR_TEMPLATE_WHY];
};

struct weir_template;

/* Reads one; 0, or an error and what is wrong where. */
int weir_template_parse(struct weir_slice text, enum weir_template_use use,
                        struct weir_template **template_r, struct weir_template_error *error_r);
void weir_template_free(struct weir_template **template);

/* Another one of the same text; NULL of NULL, or when memory is short. */
struct weir_template *weir_template_copy(const struct weir_template *template);

/* Whether two are alike; NULL is like NULL only. */
bool weir_template_same(const struct weir_template *a, const struct weir_template *b);

/* The text that is sent: JSON, or a mail's body without its fields; to be freed with free(). */
char *weir_template_fill(const struct weir_template *template,
                         const struct weir_alert_group *group,
                         const struct weir_alert_letter *letter);

/* A mail's subject; returns buffer. */
const char *weir_template_subject(const struct weir_template *template,
                                  const struct weir_alert_group *group,
                                  const struct weir_alert_letter *letter,
                                  char buffer[static WEIR_TEMPLATE_SUBJECT_MAX + 1]);

/* The name of a field, from 0 on; NULL: there are no more. */
const char *weir_template_field_name(size_t number);

#endif
