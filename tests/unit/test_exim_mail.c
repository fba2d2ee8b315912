/*
 * exim_mail_io - what Exim holds becomes the message a milter would see.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "exim-module/exim_mail_io.h"
#include "tests/unit/scratch.h"

#define SPOOL_HEAD "1xUt40-0004TM-1R-D\n" /* the file's first line is its name */
#define OWN "Received: from x\n\tby mx with esmtp\n\tid 1xUt40-0004TM-1R; now\n"
#define OTHER "Received: from y by x id 2aaaaa; then\n"

static struct weir_arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = weir_arena_new(4096);
    return arena ? 0 : -1;
}

static int free_arena(void **state)
{
    (void)state;
    weir_arena_free(&arena);
    return 0;
}

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

/* A file as in Exim's spool; read from there on, whatever its position. */
static int body_of(const char *body)
{
    FILE *file = tmpfile();
    int fd;

    assert_non_null(file);
    fputs(SPOOL_HEAD, file);
    fputs(body, file);
    fflush(file);
    fd = dup(fileno(file));
    fclose(file);
    return fd;
}

static char *made(const struct weir_exim_field *field, size_t fields, const char *id,
                  const char *body, size_t most, struct weir_mail *mail_r)
{
    struct weir_exim_message message = {.field = field, .fields = fields, .id = id,
                                        .body = body_of(body), .body_at = strlen(SPOOL_HEAD)};
    char *octets = NULL;

    assert_int_equal(weir_exim_mail(&message, most, arena, mail_r, &octets), 0);
    close(message.body);
    return octets;
}

static void assert_message(const struct weir_mail *mail, const char *want)
{
    assert_int_equal(mail->message.len, strlen(want));
    assert_memory_equal(mail->message.at, want, strlen(want));
}

static void deleted_fields_and_the_own_received_field_are_left_out(void **state)
{
    const struct weir_exim_field field[] = {
        {slice("X-Acl: added on top\n"), false}, {slice(OWN), false},
        {slice("Bcc: secret\n"), true},          {slice(OTHER), false},
        {slice("Subject: a\n b\n"), false},
    };
    struct weir_mail mail;
    char *octets = made(field, 5, "1xUt40-0004TM-1R", "Hello.\n", 1 << 20, &mail);

    (void)state;
    assert_message(&mail, "X-Acl: added on top\n" OTHER "Subject: a\n b\n\nHello.\n");
    free(octets);
}

static void without_its_id_the_first_received_field_is_the_own_one(void **state)
{
    const struct weir_exim_field field[] = {{slice("received: customised; now\n"), false},
                                            {slice(OTHER), false}};
    struct weir_mail mail;
    char *octets = made(field, 2, "1xUt40-0004TM-1R", "", 1 << 20, &mail);

    (void)state;
    assert_message(&mail, OTHER "\n");
    free(octets);
}

/* With an empty received_header_text Exim keeps a deleted one for its own needs. */
static void a_deleted_own_received_field_saves_the_others(void **state)
{
    const struct weir_exim_field field[] = {{slice("Received: ; now\n"), true},
                                            {slice(OTHER), false}};
    struct weir_mail mail;
    char *octets = made(field, 2, "1xUt40-0004TM-1R", "", 1 << 20, &mail);

    (void)state;
    assert_message(&mail, OTHER "\n");
    free(octets);
}

static void a_message_without_header_begins_with_the_empty_line(void **state)
{
    struct weir_mail mail;
    char *octets = made(NULL, 0, NULL, "Hello.\n", 1 << 20, &mail);

    (void)state;
    assert_message(&mail, "\nHello.\n");
    free(octets);
}

static void of_a_long_message_the_beginning_is_taken(void **state)
{
    const struct weir_exim_field field[] = {{slice("Subject: x\n"), false}};
    const char *whole = "Subject: x\n\nHello.\n";

    (void)state;
    for (size_t most = 0; most <= strlen(whole) + 1; most++) {
        struct weir_mail mail;
        char *octets = made(field, 1, "", "Hello.\n", most, &mail);

        assert_int_equal(mail.message.len, most < strlen(whole) ? most : strlen(whole));
        assert_memory_equal(mail.message.at, whole, mail.message.len);
        free(octets);
    }
}

static void the_file_stays_where_it_is(void **state)
{
    struct weir_exim_message message = {.body = body_of("Hello.\n"),
                                        .body_at = strlen(SPOOL_HEAD)};
    struct weir_mail mail;
    char *octets;

    (void)state;
    assert_int_equal(lseek(message.body, 3, SEEK_SET), 3);
    assert_int_equal(weir_exim_mail(&message, 100, arena, &mail, &octets), 0);
    assert_int_equal(lseek(message.body, 0, SEEK_CUR), 3);
    close(message.body);
    free(octets);
}

static void a_body_that_cannot_be_read_is_an_error(void **state)
{
    struct weir_exim_message message = {.body = -1};
    struct weir_mail mail;
    char *octets = NULL;

    (void)state;
    assert_int_equal(weir_exim_mail(&message, 100, arena, &mail, &octets), WEIR_EIO);
    assert_null(octets);
}

static void the_envelope_is_what_exim_knows(void **state)
{
    const struct weir_slice recipient[] = {slice("u@test.example"), slice("v@test.example")};
    struct weir_exim_message message = {
        .body = body_of(""), .body_at = strlen(SPOOL_HEAD), .id = "1xUt40-0004TM-1R",
        .client = "2001:db8::7", .helo = "h", .sender = "a@b.example", .authenticated = true,
        .listener_address = "192.0.2.1", .listener_port = 25,
        .recipient = recipient, .recipients = 2};
    struct weir_mail mail;
    char *octets, text[WEIR_ADDRESS_TEXT];

    (void)state;
    assert_int_equal(weir_exim_mail(&message, 100, arena, &mail, &octets), 0);
    free(octets);
    assert_int_equal(mail.envelope.stage, WEIR_STAGE_END);
    assert_true(mail.envelope.has_client && mail.envelope.authenticated);
    assert_string_equal(weir_address_format(&mail.envelope.client, text), "2001:db8::7");
    assert_memory_equal(mail.envelope.client_name.at, "unknown", 7);
    assert_int_equal(mail.recipients, 2);
    assert_ptr_equal(mail.envelope.recipient.at, recipient[0].at);
    assert_memory_equal(mail.listener.at, "192.0.2.1:25", 12);
    message.listener_address = "2001:db8::1";
    assert_int_equal(weir_exim_mail(&message, 100, arena, &mail, &octets), 0);
    assert_memory_equal(mail.listener.at, "[2001:db8::1]:25", 16);
    free(octets);
    close(message.body);
}

static void mail_of_this_machine_has_no_client(void **state)
{
    struct weir_mail mail;
    char *octets = made(NULL, 0, "1xUt40-0004TM-1R", "", 100, &mail);

    (void)state;
    assert_false(mail.envelope.has_client);
    assert_int_equal(mail.envelope.sender.len, 0);
    assert_int_equal(mail.listener.len, 0);
    free(octets);
}

static void WEIR_RECIPIENTS_MAX_recipients_are_taken_and_no_more(void **state)
{
    static struct weir_slice recipient[WEIR_RECIPIENTS_MAX + 1];

    (void)state;
    for (size_t n = WEIR_RECIPIENTS_MAX; n <= WEIR_RECIPIENTS_MAX + 1; n++) {
        struct weir_exim_message message = {.body = body_of(""), .recipient = recipient,
                                            .recipients = n};
        struct weir_mail mail;
        char *octets;

        assert_int_equal(weir_exim_mail(&message, 100, arena, &mail, &octets), 0);
        assert_int_equal(mail.recipients, WEIR_RECIPIENTS_MAX);
        close(message.body);
        free(octets);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)
    const struct CMUnitTest tests[] = {
        TEST(deleted_fields_and_the_own_received_field_are_left_out),
        TEST(without_its_id_the_first_received_field_is_the_own_one),
        TEST(a_deleted_own_received_field_saves_the_others),
        TEST(a_message_without_header_begins_with_the_empty_line),
        TEST(of_a_long_message_the_beginning_is_taken),
        TEST(the_file_stays_where_it_is),
        TEST(a_body_that_cannot_be_read_is_an_error),
        TEST(the_envelope_is_what_exim_knows),
        TEST(mail_of_this_machine_has_no_client),
        TEST(WEIR_RECIPIENTS_MAX_recipients_are_taken_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
