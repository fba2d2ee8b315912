/*
 * Templates: read or refused with a line, and filled so that no value leaves its place
 * (template.c, template_fill.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/threshold/template.h"

#define START (1790000000 * WEIR_SECOND)

static const struct weir_alert_letter letter = {
    .host = "monitor.example", .to = "root", .console = "https://weir.example", .now = START};

static struct weir_template *template_of(const char *text, enum weir_template_use use)
{
    struct weir_template_error error;
    struct weir_template *template = NULL;

    if (weir_template_parse(weir_slice_of(text), use, &template, &error) < 0)
        fail_msg("%s: line %u: %s", text, error.line, error.why);
    return template;
}

static struct weir_alert_group group_of(unsigned count)
{
    struct weir_alert alert = {
        .time = START, .rate = 12.3, .limit = {.rate = 1, .maximum = 50}, .class_name = "default",
        .names = "mx1, mx2", .response = WEIR_RESPONSE_REJECT, .ends = START + WEIR_HOUR};
    struct weir_alert_group group = {.count = 0};
    char prefix[32];
    const char *why;

    for (unsigned i = 0; i < count; i++) {
        sprintf(prefix, "198.51.%u.9", i);
        assert_int_equal(weir_prefix_parse(prefix, strlen(prefix), &alert.prefix, &why), 0);
        alert.event = 17 + i;
        weir_alert_group_add(&group, &alert);
    }
    return group;
}

static char *filled(const char *text, enum weir_template_use use, unsigned count)
{
    struct weir_template *template = template_of(text, use);
    struct weir_alert_group group = group_of(count);
    char *done = weir_template_fill(template, &group, &letter);

    assert_non_null(done);
    weir_template_free(&template);
    return done;
}

static void fields_are_filled_in(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"${address} ${threshold} ${level} ${servers} ${time}", "198.51.0.9 default reject mx1, "
         "mx2 2026-09-21T14:13:20Z"},
        {"${rate} ${limit_rate} ${limit_most} ${quantity}", "12.300 1 50 connections"},
        {"${link} ${alerts}", "https://weir.example/#/alerts/17 https://weir.example/#/alerts"},
        {"${number} ${again} ${count} ${more} ${host}", "17 0 2 0 monitor.example"},
        {"${ends} ${undo}", "2026-09-21T15:13:20Z weirctl unblock 198.51.0.9"},
        {"$ $$ $x $${count} {}", "$ $$ $x ${count} {}"},
        {"[${each}${address}${between}, ${end}]", "[198.51.0.9, 198.51.1.9]"},
        {"${each}${number};${end}", "17;18;"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256], wanted[256], *done;

        sprintf(text, "Subject: x\n\n%s", cases[i].text);
        sprintf(wanted, "%s\n", cases[i].wanted);
        done = filled(text, WEIR_TEMPLATE_MAIL, 2);
        assert_string_equal(done, wanted);
        free(done);
    }
}

static const struct {
    enum weir_template_use use;
    const char *text, *why;
    unsigned line;
} wrong[] = {
    {WEIR_TEMPLATE_MAIL, "", "no Subject", 1},
    {WEIR_TEMPLATE_MAIL, "Hello\n\nx", "no Subject", 1},
    {WEIR_TEMPLATE_MAIL, "Subject: x", "no empty line", 1},
    {WEIR_TEMPLATE_MAIL, "Subject: x\nBcc: y\n\nx", "no empty line", 1},
    {WEIR_TEMPLATE_MAIL, "Subject: \xc3\xbc\n\nx", "ASCII", 1},
    {WEIR_TEMPLATE_MAIL, "Subject: ${lines}\n\nx", "more than a line for a subject: lines", 1},
    {WEIR_TEMPLATE_MAIL, "Subject: ${each}\n\nx${end}", "${each} cannot stand here", 1},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\na\n${adress}", "no field of this name: adress", 4},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\na\n\n${", "${ without }", 5},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\n${}", "no field of this name", 3},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\n${each}", "${each} without ${end}", 3},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\n${each}${each}", "${each} cannot stand here", 3},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\n${end}", "${end} without ${each}", 3},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\n${between}", "${between} without", 3},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\n${each}${between}${between}${end}", "${between} w", 3},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\na\rb", "cannot be shown", 3},
    {WEIR_TEMPLATE_MAIL, "Subject: x\n\n\xff", "cannot be shown", 3},
    {WEIR_TEMPLATE_WEBHOOK, "", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "{\n\"a\": ${addres}}", "no field of this name: addres", 2},
    {WEIR_TEMPLATE_WEBHOOK, "{\n\"a\" ${address}}", "no JSON", 2},
    {WEIR_TEMPLATE_WEBHOOK, "{\"a\": \"\\${address}\"}", "a backslash stands before", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[${each}\"${end}\"]", "a string begins or ends", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[${each}1,${end}]", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[${each}1 ${end}]", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "\"${address}\"", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "{${count}: 1}", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[${rate}.5]", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[0.${rate}]", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[1${limit_rate}.0]", "no JSON", 1},
    {WEIR_TEMPLATE_WEBHOOK, "{\n\"a\":\n${each}${count}\n${end}}", "no JSON", 3},
    {WEIR_TEMPLATE_WEBHOOK, "{\"a\": 1,\n\"b\": ${each}${count}${end}}", "a number runs", 2},
    {WEIR_TEMPLATE_WEBHOOK, "[\n${count}${number}]", "a number runs into", 2},
    {WEIR_TEMPLATE_WEBHOOK, "[1${count}]", "a number runs into", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[${count}0]", "a number runs into", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[-${count}]", "a number runs into", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[${count}e1]", "a number runs into", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[1${each}, 1${between} ${end}\n${each},2\n${between} ${end}\n}",
     "no JSON", 4},
    {WEIR_TEMPLATE_WEBHOOK, "{${each}${address}: 1${between}\n${end}}", "two alerts", 1},
    {WEIR_TEMPLATE_WEBHOOK, "[1${each},${count}${end},\n${each}${count}${between},${end}]",
     "no alert", 2},
    {WEIR_TEMPLATE_WEBHOOK, "[\"${each}${lines}${end}\"]", "all alerts for each", 1},
};

static void what_is_no_template_is_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct weir_template_error error = {.line = 0};
        struct weir_template *template = NULL;
        int done = weir_template_parse(weir_slice_of(wrong[i].text), wrong[i].use, &template,
                                       &error);

        if (done != WEIR_EINVAL || error.line != wrong[i].line ||
            !strstr(error.why, wrong[i].why))
            fail_msg("%s: %d, line %u: %s", wrong[i].text, done, error.line, error.why);
        assert_null(template);
    }
}

static void limits_hold_at_them_and_one_past(void **state)
{
    struct weir_template_error error;
    struct weir_template *template = NULL;
    char *text = malloc(WEIR_TEMPLATE_MAX + 2), *at;

    (void)state;
    memset(text, 'x', WEIR_TEMPLATE_MAX + 2);
    memcpy(text, "Subject: x\n\n", 12);
    assert_int_equal(weir_template_parse((struct weir_slice){text, WEIR_TEMPLATE_MAX},
                                         WEIR_TEMPLATE_MAIL, &template, &error), 0);
    weir_template_free(&template);
    assert_int_equal(weir_template_parse((struct weir_slice){text, WEIR_TEMPLATE_MAX + 1},
                                         WEIR_TEMPLATE_MAIL, &template, &error), WEIR_ELIMIT);
    at = text + 12; /* the subject is a part, too */
    for (unsigned i = 1; i < WEIR_TEMPLATE_PARTS_MAX; i++)
        at += sprintf(at, "${count}");
    template = template_of(text, WEIR_TEMPLATE_MAIL);
    weir_template_free(&template);
    sprintf(at, "${count}");
    assert_int_equal(weir_template_parse(weir_slice_of(text), WEIR_TEMPLATE_MAIL, &template,
                                         &error), WEIR_ELIMIT);
    assert_string_equal(error.why, "too many fields");
    assert_int_equal(error.line, 3);
    free(text);
}

static void hostile(struct weir_alert_group *group)
{
    strcpy(group->alert[0].class_name, "a\r\n\r\nBcc: x@y\n.\n");
    strcpy(group->alert[0].withheld, "\"}], \\\", ${count} \x1b[2J\xff</script>");
    memset(group->alert[0].names, '\n', WEIR_ALERT_NAMES_MAX);
}

static void no_value_leaves_its_place_in_a_mail(void **state)
{
    static const char text[] = "Subject: ${threshold} ${servers} ${withheld}${servers}${servers}"
                               "${servers}${servers}\n\n${threshold}${servers}${withheld}"
                               "${servers}${servers}${servers}${servers}${lines}";
    struct weir_template *template = template_of(text, WEIR_TEMPLATE_MAIL);
    struct weir_alert_group group = group_of(1);
    struct weir_alert_letter own = letter;
    char *mail, *body;

    (void)state;
    hostile(&group);
    own.template = template;
    mail = weir_alert_mail(&group, &own);
    assert_non_null(mail);
    assert_null(strstr(mail, "\nBcc"));
    assert_null(strchr(mail, '\r'));
    body = strstr(mail, "\n\n");
    assert_non_null(strstr(mail, "\nSubject: a????Bcc: x@y?.?"));
    assert_true(strstr(mail, "\nSubject: ") < body);
    assert_non_null(strstr(mail, "charset=us-ascii"));
    for (const char *line = mail; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 998);
    free(mail);
    weir_template_free(&template);
    own.template = template = template_of("Subject: x\n\n\xc3\xbc", WEIR_TEMPLATE_MAIL);
    mail = weir_alert_mail(&group, &own);
    assert_non_null(strstr(mail, "charset=utf-8\nContent-Transfer-Encoding: 8bit\n"));
    free(mail);
    weir_template_free(&template);
}

static void no_value_leaves_its_place_in_JSON(void **state)
{
    static const char text[] =
        "{\"t\": \"<${threshold}>\", \"n\": ${servers}, ${withheld}: ${withheld}, "
        "\"l\": \"${lines}\", \"r\": ${rate}, \"each\": [${each}\"${withheld}\"${between},${end}]}";
    struct weir_template *template = template_of(text, WEIR_TEMPLATE_WEBHOOK);
    struct weir_alert_group group = group_of(20);
    const char *withheld = "\"}], \\\", ${count} ?[2J?</script>";
    json_t *json;
    char *done;

    (void)state;
    hostile(&group);
    group.alert[0].rate = 1.0 / 0.0;
    done = weir_template_fill(template, &group, &letter);
    json = json_loads(done, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_object_size(json), 6);
    assert_string_equal(json_string_value(json_object_get(json, withheld)), withheld);
    assert_string_equal(json_string_value(json_object_get(json, "t")), "<a????Bcc: x@y?.?>");
    assert_int_equal(json_array_size(json_object_get(json, "each")), 20);
    assert_int_equal(json_integer_value(json_object_get(json, "r")), 0);
    json_decref(json);
    free(done);
    weir_template_free(&template);
}

static void a_copy_is_the_same(void **state)
{
    struct weir_template *one = template_of("[${address}]", WEIR_TEMPLATE_WEBHOOK);
    struct weir_template *other = template_of("[${host}]", WEIR_TEMPLATE_WEBHOOK);
    struct weir_template *copy = weir_template_copy(one);

    (void)state;
    assert_true(weir_template_same(one, copy));
    assert_true(weir_template_same(NULL, NULL));
    assert_false(weir_template_same(one, other));
    assert_false(weir_template_same(one, NULL));
    assert_null(weir_template_copy(NULL));
    weir_template_free(&one);
    weir_template_free(&other);
    weir_template_free(&copy);
    weir_template_free(&copy);
}

static void the_manual_names_every_field(void **state)
{
    FILE *manual = fopen("monitor/weir-monitor.8", "r");
    char *text = calloc(1, 1 << 20), name[64];

    (void)state;
    assert_non_null(manual);
    assert_true(fread(text, 1, (1 << 20) - 1, manual) > 0);
    fclose(manual);
    for (size_t i = 0; weir_template_field_name(i); i++) {
        snprintf(name, sizeof name, "${%s}", weir_template_field_name(i));
        if (!strstr(text, name))
            fail_msg("%s", name);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_filled_in),
        cmocka_unit_test(what_is_no_template_is_refused_with_its_line),
        cmocka_unit_test(limits_hold_at_them_and_one_past),
        cmocka_unit_test(no_value_leaves_its_place_in_a_mail),
        cmocka_unit_test(no_value_leaves_its_place_in_JSON),
        cmocka_unit_test(a_copy_is_the_same),
        cmocka_unit_test(the_manual_names_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
