/*
 * matcher_metas - formulas that ask for what they need give what formulas over everything give.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rules_rig.h"
#include "tests/unit/seeded.h"

#define TEXT 65536

struct text {
    char at[TEXT];
    size_t len;
};

static void put(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text->len += (size_t)vsnprintf(text->at + text->len, TEXT - text->len, format, arguments);
    va_end(arguments);
    assert_true(text->len < TEXT);
}

/* The names of hits that count, whatever was asked for. */
static void counted(const char *hits, char out[static 8192])
{
    char all[8192], *rest = all;

    snprintf(all, sizeof all, "%s", hits);
    out[0] = '\0';
    for (char *name; (name = strsep(&rest, " ")) != NULL;)
        if (name[0] && strncmp(name, "__", 2) != 0)
            strcat(strcat(out, name), " ");
}

/* Hits with hidden rules put off, and with all of them confirmed. */
static void assert_same(struct rules_rig *rig, const char *mail)
{
    char lazy[8192], eager[8192];

    counted(rules_rig_match_octets(rig, mail, strlen(mail), 0), lazy);
    counted(rules_rig_match_octets(rig, mail, strlen(mail), WEIR_MATCH_HIDDEN), eager);
    if (strcmp(lazy, eager) != 0)
        fail_msg("asked for: \"%s\"; all: \"%s\" of \"%s\"", lazy, eager, mail);
}

static void put_term(struct seeded *s, struct text *text, unsigned metas)
{
    if (metas > 0 && seeded_below(s, 3) == 0)
        put(text, "%s%s%u", seeded_below(s, 4) ? "" : "!", seeded_below(s, 3) ? "__M" : "N",
            seeded_below(s, metas));
    else
        put(text, "%s__W%u", seeded_below(s, 4) ? "" : "!", seeded_below(s, 12));
}

static void put_formula(struct seeded *s, struct text *text, unsigned metas)
{
    static const char *const between[] = {" && ", " || ", " + ", " > "};
    unsigned terms = 1 + seeded_below(s, 4);

    for (unsigned i = 0; i < terms; i++) {
        if (i > 0)
            put(text, "%s", between[seeded_below(s, 4)]);
        put_term(s, text, metas);
    }
    put(text, "\n");
}

/* Words as hidden rules of all areas, hidden and counting formulas over them and one another. */
static void make_rules(struct seeded *s, struct text *text)
{
    static const char *const kind[] = {"body", "rawbody", "full"};

    text->len = 0;
    for (unsigned i = 0; i < 12; i++)
        put(text, "%s __W%u /w%c+ord%s/\n", kind[i % 3], i, (char)('a' + i), i % 4 ? "" : "s?");
    for (unsigned i = 0; i < 12; i += 5)
        put(text, "tflags __W%u multiple\n", i);
    for (unsigned i = 0; i < 20; i++) {
        put(text, "meta __M%u ", i);
        put_formula(s, text, i);
        put(text, "meta N%u ", i);
        put_formula(s, text, i);
    }
}

static void make_mail(struct seeded *s, struct text *text)
{
    text->len = 0;
    put(text, "Subject: x\n\n");
    for (unsigned i = seeded_below(s, 9); i > 0; i--)
        put(text, "w%cord here\n\n", (char)('a' + seeded_below(s, 12)));
}

static void what_formulas_do_not_ask_for_makes_no_difference(void **state)
{
    struct seeded s = seeded_new("metas");
    struct text *text = calloc(1, sizeof *text);

    (void)state;
    for (int set = 0; set < 40; set++) {
        struct rules_rig *rig;

        make_rules(&s, text);
        rig = rules_rig_new(text->at);
        if (rig->built < 0)
            fail_msg("%s", rig->told);
        for (int mail = 0; mail < 25; mail++) {
            make_mail(&s, text);
            assert_same(rig, text->at);
        }
        rules_rig_free(rig);
    }
    free(text);
}

static void formulas_that_ask_for_hundreds_of_others_are_run(void **state)
{
    struct text *text = calloc(1, sizeof *text);
    struct rules_rig *rig;

    (void)state;
    put(text, "body __M0 /wo+rd/\n");
    for (unsigned i = 1; i < 600; i++)
        put(text, "meta __M%u __M%u\n", i, i - 1);
    put(text, "meta LAST __M599\n");
    rig = rules_rig_new(text->at);
    assert_int_equal(rig->built, 0);
    assert_string_equal(rules_rig_match(rig, "Subject: x\n\na word\n"), "LAST");
    assert_string_equal(rules_rig_match(rig, "Subject: x\n\nnothing\n"), "");
    rules_rig_free(rig);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_formulas_do_not_ask_for_makes_no_difference),
        cmocka_unit_test(formulas_that_ask_for_hundreds_of_others_are_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
