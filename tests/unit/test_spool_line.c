/*
 * spool_line - what a line of the spool tells, whatever senders wrote into it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/spool_line.h"
#include "tests/unit/judge_rig.h"
#include "tests/unit/seeded.h"

#define FRONT "at=2026-11-20T10:00:00Z program=weir-milter queue_id=4XYZ listener=25 "
#define HOPS "hops=198.51.100.3,-,203.0.113.9,192.0.2.77 "
#define MIDDLE "name=mail.big.example dkim=big.example recipients=1 verdict=ham score=0.00 " \
    "action=pass "
#define BACK " domain=d.example rules=- id=1 sender=<a@d.example> recipient=<u@test.example> info=x"
#define LINE FRONT HOPS MIDDLE "boundary=203.0.113.9 hop=2:no-gateway" BACK

static int read_line(const char *text, struct weir_spool_line *line_r)
{
    return weir_spool_line_read((struct weir_slice){text, strlen(text)}, line_r);
}

static struct weir_spool_line good(const char *text)
{
    struct weir_spool_line line;

    if (read_line(text, &line) != 1)
        fail_msg("not read: %s", text);
    return line;
}

static void assert_slice(struct weir_slice got, const char *want)
{
    if (got.len != strlen(want) || memcmp(got.at, want, got.len) != 0)
        fail_msg("%.*s instead of %s", (int)got.len, got.at, want);
}

static void a_line_tells_what_a_judgement_wrote(void **state)
{
    struct weir_spool_line line = good(LINE);
    char text[WEIR_ADDRESS_TEXT];

    (void)state;
    assert_slice(line.at, "2026-11-20T10:00:00Z");
    assert_slice(line.listener, "25");
    assert_slice(line.domain, "d.example");
    assert_slice(line.recipient, "u@test.example");
    assert_slice(line.name, "mail.big.example");
    assert_slice(line.dkim, "big.example");
    assert_slice(line.action, "pass");
    assert_slice(line.info, "x");
    assert_slice(line.queue_id, "4XYZ");
    assert_slice(line.ground, ""); /* older plug-ins */
    assert_slice(line.limits, "");
    assert_int_equal(line.hops, 4);
    assert_true(line.found);
    assert_int_equal(line.index, 2);
    assert_string_equal(weir_address_format(&line.hop[0].address, text), "198.51.100.3");
    assert_string_equal(weir_address_format(&line.hop[2].address, text), "203.0.113.9");
    assert_false(line.hop[1].has_address || line.hop[1].believed || line.hop[3].believed);
    assert_true(line.hop[0].believed && line.hop[2].believed && line.hop[3].has_address);
    assert_slice(line.hop[2].name, "mail.big.example");
    assert_int_equal(line.hop[0].name.len, 0);
}

static void what_is_not_told_is_empty(void **state)
{
    static const char *const texts[] = {
        "at=x hops=192.0.2.1",
        "at=x hops=192.0.2.1 listener= domain=- name=- dkim=- recipient=<> boundary=- hop=0:local",
        "at=x hops=192.0.2.1 recipient=<u@test.exam", /* cut */
        "at=x hops=192.0.2.1 recipient=u@test.example",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct weir_spool_line line = good(texts[i]);

        assert_int_equal(line.listener.len + line.domain.len + line.recipient.len + line.name.len +
                             line.dkim.len, 0);
        assert_false(line.found || line.hop[0].believed);
    }
}

/* A line that says this as its queue id. */
static void assert_queue(const char *said, const char *want)
{
    char text[WEIR_SPOOL_LINE_MAX];

    snprintf(text, sizeof text, "at=x %s hops=192.0.2.1 limits=3.00,5.00,15.00", said);
    assert_slice(good(text).queue_id, want);
    assert_slice(good(text).limits, "3.00,5.00,15.00");
}

static void a_queue_id_of_WEIR_QUEUE_ID_MAX_octets_is_told_and_no_other(void **state)
{
    char said[WEIR_QUEUE_ID_MAX + 16] = "queue_id=";

    (void)state;
    assert_queue("queue_id=1rTQ5x-000Kz1-2a", "1rTQ5x-000Kz1-2a");
    assert_queue("", "");
    assert_queue("queue_id=-", "");
    assert_queue("queue_id=", "");
    assert_queue("queue_id=<script>", "");
    assert_queue("queue_id=a queue_id=b", "a");
    memset(said + 9, 'A', WEIR_QUEUE_ID_MAX);
    assert_queue(said, said + 9);
    said[9 + WEIR_QUEUE_ID_MAX] = 'A';
    assert_queue(said, "");
}

static void other_lines_are_none(void **state)
{
    static const char *const texts[] = {
        "", " ", "=", "==", "dropped=7", "at=", "at=x", "at=- hops=192.0.2.1", "hops=192.0.2.1",
        "at=x hops=", "at=x hops=-x", "at=x hops=192.0.2.1,", "at=x hops=192.0.2.1,,192.0.2.2",
        "at=x hops=192.0.2.1,example.org", "at=x xhops=192.0.2.1", "at=x hops 192.0.2.1",
        "AT=x HOPS=192.0.2.1",
    };
    struct weir_spool_line line;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (read_line(texts[i], &line) != (strcmp(texts[i], "at=x hops=192.0.2.1,") == 0))
            fail_msg("%s", texts[i]);
}

/* Senders choose HELO, addresses and domains: none of them has a blank, so none begins a word. */
static void of_words_with_one_name_the_first_counts(void **state)
{
    struct weir_spool_line line =
        good(FRONT "hops=192.0.2.1 name=a.example dkim=- recipients=1 boundary=192.0.2.1 "
             "hop=0:no-gateway domain=hops=192.0.2.9 sender=<name=b.example> "
             "recipient=<u_dkim=c.example@test.example> name=e.example dkim=d.example hops=- "
             "hop=7:mode");

    (void)state;
    assert_int_equal(line.hops, 1);
    assert_slice(line.name, "a.example");
    assert_int_equal(line.dkim.len, 0);
    assert_slice(line.domain, "hops=192.0.2.9");
    assert_slice(line.recipient, "u_dkim=c.example@test.example");
    assert_int_equal(line.index, 0);
}

static void C10_a_boundary_that_does_not_fit_its_hop_is_none(void **state)
{
    static const struct {
        const char *boundary;
        bool found;
    } cases[] = {
        {"boundary=203.0.113.9 hop=2:no-gateway", true},
        {"boundary=198.51.100.3 hop=0:other-writer", true},
        {"boundary=198.51.100.3 hop=0", true},
        {"boundary=203.0.113.9 hop=0:no-gateway", false},
        {"boundary=203.0.113.9 hop=1:no-gateway", false},
        {"boundary=198.51.100.3 hop=-1:x", false},
        {"boundary=198.51.100.3 hop=:x", false},
        {"boundary=198.51.100.3 hop=0x:x", false},
        {"boundary=198.51.100.3 hop=99999999999999999999999999:x", false},
        {"boundary=198.51.100.3 hop=18446744073709551616:x", false},
        {"boundary=198.51.100.3", false},
        {"boundary=- hop=0:local", false},
        {"hop=0:no-gateway", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1000];
        struct weir_spool_line line;
        size_t believed = 0;

        snprintf(text, sizeof text, "%s%s", FRONT HOPS MIDDLE, cases[i].boundary);
        line = good(text);
        for (size_t hop = 0; hop < line.hops; hop++)
            believed += line.hop[hop].believed;
        if (line.found != cases[i].found || (believed > 0) != cases[i].found)
            fail_msg("%s", cases[i].boundary);
    }
}

static struct weir_spool_line with_hops(size_t hops, size_t index)
{
    static char text[WEIR_SPOOL_LINE_MAX];
    char *at = text + sprintf(text, "at=x name=n.example hops=192.0.2.0");

    for (size_t i = 1; i < hops; i++)
        at += sprintf(at, ",192.0.2.%zu", i);
    sprintf(at, " boundary=192.0.2.%zu hop=%zu:no-gateway", index, index);
    return good(text);
}

/* What is below the last hop that is told is not known, and the name is of that. */
static void WEIR_SPOOL_HOPS_MAX_hops_are_read_and_no_more(void **state)
{
    struct weir_spool_line at = with_hops(WEIR_SPOOL_HOPS_MAX, WEIR_SPOOL_HOPS_MAX - 1);
    struct weir_spool_line past = with_hops(WEIR_SPOOL_HOPS_MAX + 1, WEIR_SPOOL_HOPS_MAX);

    (void)state;
    assert_int_equal(at.hops, WEIR_SPOOL_HOPS_MAX);
    assert_true(at.found && at.hop[at.index].believed);
    assert_slice(at.hop[at.index].name, "n.example");
    assert_int_equal(past.hops, WEIR_SPOOL_HOPS_MAX);
    assert_true(past.found && past.hop[past.index].believed);
    assert_int_equal(past.index, WEIR_SPOOL_HOPS_MAX - 1);
    assert_int_equal(past.hop[past.index].name.len, 0);
    assert_false(with_hops(1, WEIR_HOPS_MAX + 1).found);
    assert_true(with_hops(1, WEIR_HOPS_MAX).found);
}

static void WEIR_SPOOL_LINE_MAX_octets_are_read_and_no_more(void **state)
{
    static char text[WEIR_SPOOL_LINE_MAX + 2];
    struct weir_spool_line line;
    size_t len = (size_t)sprintf(text, "%s", LINE);

    (void)state;
    memset(text + len, 'x', sizeof text - len - 1);
    for (size_t size = len; size <= WEIR_SPOOL_LINE_MAX + 1; size++)
        assert_int_equal(weir_spool_line_read((struct weir_slice){text, size}, &line),
                         size <= WEIR_SPOOL_LINE_MAX);
}

/* The one line that a judge has written, without its end. */
static struct weir_slice judged_line(const struct judge_rig *rig,
                                     char room[static WEIR_SPOOL_LINE_MAX + 2])
{
    char pattern[128];
    glob_t found;
    FILE *file;

    snprintf(pattern, sizeof pattern, "%s/spool/*.log*", rig->folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    file = fopen(found.gl_pathv[0], "r");
    assert_non_null(file);
    assert_non_null(fgets(room, WEIR_SPOOL_LINE_MAX + 2, file));
    fclose(file);
    globfree(&found);
    return (struct weir_slice){room, strcspn(room, "\n")};
}

static void what_a_judge_writes_is_read(void **state)
{
    static const char *gateway = "198.51.100.3";
    static const char *server = "mx.test.example";
    static const struct weir_slice recipient = {"u hops=1@test.example", 21};
    struct judge_rig *rig = *state;
    char room[WEIR_SPOOL_LINE_MAX + 2], text[WEIR_ADDRESS_TEXT];
    struct weir_spool_line line;

    rig->config.spool_folder = "spool";
    rig->config.boundary_mode = WEIR_BOUNDARY_PRECONFIGURED;
    rig->config.gateways = (struct weir_strings){.item = &gateway, .count = 1};
    rig->config.trusted_authserv = (struct weir_strings){.item = &server, .count = 1};
    rig_open(rig);
    rig->mail.listener = (struct weir_slice){"192.0.2.1:25", 12};
    rig->mail.recipient = &recipient;
    rig->mail.recipients = 1;
    rig->mail.envelope.recipient = recipient;
    rig->mail.envelope.queue_id = (struct weir_slice){"4XYZ12", 6};
    rig_judge(rig, gateway, "a name=x@d.example",
              "Authentication-Results: mx.test.example; dkim=pass header.d=out.example\n"
              "Received: from out.example (mail.out.example [203.0.113.9])\n"
              " by 198.51.100.3 with ESMTP id 1; Fri, 20 Nov 2026 10:00:00 +0000\n"
              "Received: from far.example ([192.0.2.77]) by out.example with ESMTP id 2;\n"
              " Fri, 20 Nov 2026 09:59:00 +0000\n"
              "From: <ann@d.example>\nSubject: x\n\nHello.\n");
    assert_int_equal(weir_spool_line_read(judged_line(rig, room), &line), 1);
    assert_slice(line.listener, "192.0.2.1:25");
    assert_slice(line.domain, "d.example");
    assert_slice(line.recipient, "u_hops=1@test.example");
    assert_int_equal(line.hops, 3);
    assert_true(line.found && line.hop[1].believed && !line.hop[2].believed);
    assert_int_equal(line.index, 1);
    assert_string_equal(weir_address_format(&line.hop[1].address, text), "203.0.113.9");
    assert_slice(line.hop[1].name, "mail.out.example");
    assert_slice(line.dkim, "out.example");
    assert_slice(line.queue_id, "4XYZ12");
    assert_slice(line.limits, "3.00,5.00,15.00");
    assert_slice(line.ground, "score");
}

/* In a block of its own size, so that a sanitizer sees a step outside. */
static void read_piece(const char *from, size_t len)
{
    char *piece = malloc(len + 1);
    struct weir_spool_line line;

    assert_non_null(piece);
    memcpy(piece + 1, from, len);
    if (weir_spool_line_read((struct weir_slice){piece + 1, len}, &line) == 1)
        assert_true(line.at.len > 0 && line.hops > 0 && line.index < line.hops);
    free(piece);
}

static void a_line_cut_or_damaged_anywhere_does_no_harm(void **state)
{
    struct seeded random = seeded_new("spool_line");
    char text[] = LINE;

    (void)state;
    for (size_t len = 0; len <= strlen(LINE); len++)
        read_piece(LINE, len);
    for (int i = 0; i < 20000; i++) {
        size_t at = seeded_below(&random, sizeof LINE - 1);

        text[at] = " =,-:<>0\n\xff\0a"[seeded_below(&random, 12)];
        read_piece(text, sizeof text - 1);
        if (i % 8 == 0)
            memcpy(text, LINE, sizeof text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_what_a_judgement_wrote),
        cmocka_unit_test(what_is_not_told_is_empty),
        cmocka_unit_test(a_queue_id_of_WEIR_QUEUE_ID_MAX_octets_is_told_and_no_other),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(of_words_with_one_name_the_first_counts),
        cmocka_unit_test(C10_a_boundary_that_does_not_fit_its_hop_is_none),
        cmocka_unit_test(WEIR_SPOOL_HOPS_MAX_hops_are_read_and_no_more),
        cmocka_unit_test(WEIR_SPOOL_LINE_MAX_octets_are_read_and_no_more),
        cmocka_unit_test_setup_teardown(what_a_judge_writes_is_read, rig_set_up, rig_tear_down),
        cmocka_unit_test(a_line_cut_or_damaged_anywhere_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
