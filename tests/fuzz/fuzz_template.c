/* Any bytes as a template: what is read can be filled, JSON stays JSON and a mail has no line that
 * is too long, whatever the values are. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/threshold/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static struct weir_alert_group hostile(void)
{
    struct weir_alert alert = {.time = WEIR_DAY, .prefix = {.bits = 128}, .rate = 0.5};
    struct weir_alert_group group = {.count = 0};

    strcpy(alert.class_name, "\"\\\r\n${each}");
    strcpy(alert.withheld, "\", \"x\": [\n\nBcc: x\xff\x01");
    memset(alert.names, '"', WEIR_ALERT_NAMES_MAX);
    for (unsigned i = 0; i < 3; i++)
        weir_alert_group_add(&group, &alert);
    return group;
}

static void fill(const struct weir_template *template, bool mail)
{
    const struct weir_alert_group group = hostile();
    const struct weir_alert_letter letter = {
        .host = "h", .to = "t", .console = "http://c", .template = template};
    char *text = mail ? weir_alert_mail(&group, &letter) : weir_alert_json(&group, &letter);
    json_t *json;

    must(text != NULL);
    if (mail) {
        must(strncmp(text, "From: ", 6) == 0 && !strchr(text, '\r'));
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
            must(strcspn(line, "\n") <= 998);
            if (line[strcspn(line, "\n")] == '\0')
                break;
        }
    } else {
        json = json_loads(text, 0, NULL);
        must(json != NULL);
        json_decref(json);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_template_error error;
    struct weir_template *template = NULL;

    for (unsigned use = 0; use < 2; use++) {
        if (weir_template_parse((struct weir_slice){(const char *)data, size}, use, &template,
                                &error) < 0) {
            must(!template && error.line >= 1 && error.why[0]);
            continue;
        }
        fill(template, use == WEIR_TEMPLATE_MAIL);
        weir_template_free(&template);
    }
    return 0;
}
