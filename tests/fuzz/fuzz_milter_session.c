/* Any order of calls with any texts: what is kept is bounded, our names are counted as a
 * stupid model counts them, and nothing stays booked. */
#include <stdlib.h>
#include <strings.h>

#include "postfix-policy/milter_session.h"

#define MOST 70000
#define MEMORY 300000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
    if (!true_)
        abort();
}

/* Up to the next NUL, as a text of its own. */
static char *text(const uint8_t **at, const uint8_t *end)
{
    size_t len = strnlen((const char *)*at, (size_t)(end - *at));
    char *copy = strndup((const char *)*at, len);
    must(copy != NULL);
    *at += len + (*at + len < end);
    return copy;
}

static int is_ours(const char *name)
{
    return strncasecmp(name, "x-spam-flag", 11) == 0 && name[11 + strspn(name + 11, " \t")] == 0;
}

static void body(struct weir_milter_session *session, const char *one, size_t times)
{
    for (size_t i = 0; i < times * 40; i++)
        weir_milter_session_body(session, one, strlen(one));
}

static void call(struct weir_milter_session *session, unsigned which, const char *one,
                 const char *two, unsigned *flags)
{
    if (which % 8 < 2)
        *flags = 0;
    if (which % 8 == 0)
        weir_milter_session_connect(session, one, NULL);
    else if (which % 8 == 1)
        weir_milter_session_mail(session, one, false, two);
    else if (which % 8 == 2)
        weir_milter_session_recipient(session, one);
    else if (which % 8 == 3)
        weir_milter_session_head_ends(session);
    else if (which % 8 == 4)
        body(session, one, which / 8);
    else
        weir_milter_session_field(session, one, two);
    *flags += which % 8 > 4 && is_ours(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_milter_memory memory = {.most = MEMORY};
    struct weir_milter_session *session[2] = {0};
    unsigned flags[2] = {0};
    struct weir_mail mail;
    for (size_t i = 0; i < 2; i++)
        must(weir_milter_session_new(MOST, &memory, &session[i]) == 0);
    for (const uint8_t *at = data, *end = data + size; at < end;) {
        unsigned which = *at++;
        char *one = text(&at, end), *two = text(&at, end);
        call(session[which & 1], which / 2, one, two, &flags[which & 1]);
        must(memory.held <= MEMORY);
        free(one);
        free(two);
    }
    for (size_t i = 0; i < 2; i++) {
        must(weir_milter_session_count(session[i], "X-Spam-Flag") == flags[i]);
        must(weir_milter_session_end(session[i], "id", &mail) && mail.message.len <= MOST);
        weir_milter_session_free(&session[i]);
    }
    must(memory.held == 0);
    return 0;
}
