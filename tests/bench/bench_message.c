/*
 * bench_message - how fast messages are taken apart, and what is found in them.
 *
 *     bench_message [FILE...]             the files (or the names on standard input, one a
 *                                         line) many times: MB/s and us a mail of parse alone
 *                                         and of parse and content
 *     bench_message --structure [FILE...] one line a leaf: file, type, charset, octets and
 *                                         CRC-32 once decoded, for comparing with others
 *     bench_message --texts [FILE...]     the texts that rules see, one line of text a line:
 *                                         file, kind, text with its line ends as "\n"
 *     bench_message --hostile             5 MB each of what is meant to be slow, in CPU time
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/arena.h"
#include "core/mail/content.h"
#include "core/mail/message.h"

enum { PATH_ROOM = 4096, ARENA_FIRST = 1 << 20, HOSTILE = 5 << 20 };

struct mail {
    char *path, *octets;
    size_t len;
    double best_us[2]; /* of parse alone, of parse and content */
};

struct mails {
    struct mail *mail;
    size_t mails, room, octets;
};

struct tools {
    struct weir_arena *arena;
    struct weir_charsets *charsets;
};

static void *need(void *memory)
{
    if (!memory) {
        perror("bench_message");
        exit(1);
    }
    return memory;
}

static double now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void add(struct mails *mails, const char *path)
{
    FILE *file = need(fopen(path, "rb"));
    fseek(file, 0, SEEK_END);
    size_t len = (size_t)ftell(file);
    rewind(file);
    struct mail mail = {.path = need(strdup(path)), .octets = need(malloc(len + 1)), .len = len,
                        .best_us = {1e12, 1e12}};
    if (fread(mail.octets, 1, len, file) != len)
        need(NULL);
    fclose(file);
    if (mails->mails == mails->room) {
        mails->room = mails->room ? 2 * mails->room : 1024;
        mails->mail = need(realloc(mails->mail, mails->room * sizeof(mail)));
    }
    mails->mail[mails->mails++] = mail;
    mails->octets += len;
}

static void add_all(struct mails *mails, int argc, char **argv)
{
    char path[PATH_ROOM];
    for (int i = 0; i < argc; i++)
        add(mails, argv[i]);
    while (argc == 0 && fgets(path, sizeof(path), stdin)) {
        path[strcspn(path, "\n")] = '\0';
        add(mails, path);
    }
}

static void parse(const struct tools *tools, const struct mail *mail,
                  struct weir_message *message_r)
{
    weir_arena_reset(tools->arena, SIZE_MAX);
    if (weir_message_parse(mail->octets, mail->len, tools->arena, message_r) < 0)
        need(NULL);
}

static void content(const struct tools *tools, struct weir_message *message,
                    struct weir_content *content_r)
{
    if (weir_content_read(message, tools->charsets, tools->arena, content_r) < 0)
        need(NULL);
}

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void tell(const struct mails *mails, int kind, const char *name)
{
    double *us = need(calloc(mails->mails, sizeof(*us))), sum = 0;
    for (size_t i = 0; i < mails->mails; i++)
        sum += us[i] = mails->mail[i].best_us[kind];
    qsort(us, mails->mails, sizeof(*us), by_number);
    printf("%s: %.0f MB/s, mean %.2f us, median %.2f us, p99 %.2f us, worst %.2f us a mail\n", name,
           (double)mails->octets / sum, sum / (double)mails->mails, us[mails->mails / 2],
           us[mails->mails * 99 / 100], us[mails->mails - 1]);
    free(us);
}

/* The best of some rounds, for what disturbs it only ever makes it slower. */
static void measure(const struct tools *tools, struct mails *mails, int rounds)
{
    struct weir_message message;
    struct weir_content found;
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < mails->mails; i++) {
            struct mail *mail = &mails->mail[i];
            double start = now_us(CLOCK_MONOTONIC);
            parse(tools, mail, &message);
            double parsed = now_us(CLOCK_MONOTONIC);
            content(tools, &message, &found);
            double done = now_us(CLOCK_MONOTONIC);
            if (parsed - start < mail->best_us[0])
                mail->best_us[0] = parsed - start;
            if (done - start < mail->best_us[1])
                mail->best_us[1] = done - start;
        }
    }
    printf("%zu mails, %zu octets, best of %d rounds\n", mails->mails, mails->octets, rounds);
    tell(mails, 0, "parse");
    tell(mails, 1, "parse+content");
}

static uint32_t crc32_of(const unsigned char *octet, size_t len)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < len; i++) {
        crc ^= octet[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void leaf_show(const char *path, const struct weir_part *part)
{
    char *room = need(malloc(part->body.len + 1));
    struct weir_line line = weir_line(room, part->body.len + 1);
    unsigned defects;
    weir_transfer_decode(part->transfer, part->body, &line, &defects);
    size_t len = (size_t)(line.at - line.start);
    printf("%s\t%.*s\t%.*s\t%zu\t%08x\n", path, (int)part->type.len, part->type.at,
           (int)part->charset.len, part->charset.at, len,
           (unsigned)crc32_of((const unsigned char *)room, len));
    free(room);
}

static void structure_show(const struct tools *tools, const struct mail *mail)
{
    struct weir_message message;
    parse(tools, mail, &message);
    for (size_t i = 0; i < message.parts; i++) {
        bool parent = i + 1 < message.parts && message.part[i + 1].parent == i;
        if (!parent)
            leaf_show(mail->path, &message.part[i]);
    }
}

static void texts_show(const struct tools *tools, const struct mail *mail)
{
    struct weir_message message;
    struct weir_content found;
    parse(tools, mail, &message);
    content(tools, &message, &found);
    for (int kind = WEIR_AREA_BODY; kind < WEIR_AREA_FULL; kind++) {
        const struct weir_area *area = &found.area[kind];
        for (size_t i = 0; i < area->lines; i++) {
            struct weir_slice line = weir_area_line(area, i);
            printf("%s\t%s\t", mail->path, weir_area_name((enum weir_area_kind)kind));
            for (size_t at = 0; at < line.len; at++) {
                if (line.at[at] == '\n')
                    fputs("\\n", stdout);
                else
                    putchar(line.at[at]);
            }
            putchar('\n');
        }
    }
}

/* Fills octets behind a head with one piece again and again. */
static size_t fill(char *octets, const char *head, const char *piece)
{
    size_t len = strlen(head), piece_len = strlen(piece);
    memcpy(octets, head, len);
    for (; len + piece_len <= HOSTILE; len += piece_len)
        memcpy(octets + len, piece, piece_len);
    return len;
}

/* Multiparts within one another, their boundaries prefixes of the next; then lines that
 * are nearly a boundary of each. */
static size_t fill_nested(char *octets, int open, const char *line)
{
    size_t len = 0;
    for (int i = 1; i <= open; i++) {
        len += (size_t)sprintf(octets + len, "Content-Type: multipart/mixed; boundary=\"%0*d\"\n\n",
                               i > 150 ? 150 : i, 0);
        len += (size_t)sprintf(octets + len, "--%0*d\n", i > 150 ? 150 : i, 0);
    }
    for (size_t piece = strlen(line); len + piece <= HOSTILE; len += piece)
        memcpy(octets + len, line, piece);
    return len;
}

static void hostile_time(const struct tools *tools, struct mail *mail, const char *name)
{
    struct weir_message message;
    struct weir_content found;
    double best = 1e12, best_all = 1e12;
    for (int round = 0; round < 5; round++) {
        double start = now_us(CLOCK_PROCESS_CPUTIME_ID);
        parse(tools, mail, &message);
        double parsed = now_us(CLOCK_PROCESS_CPUTIME_ID);
        content(tools, &message, &found);
        double done = now_us(CLOCK_PROCESS_CPUTIME_ID);
        best = parsed - start < best ? parsed - start : best;
        best_all = done - start < best_all ? done - start : best_all;
    }
    printf("%-44s parse %6.2f ms  with content %7.2f ms  %zu parts, %zu fields\n", name, best / 1e3,
           best_all / 1e3, message.parts, message.fields);
}

#define MULTI "Content-Type: multipart/mixed; boundary=b\n\n"
#define HTML "Content-Type: text/html\n\n"

static const struct hostile_case {
    const char *name, *head, *piece;
} cases[] = {
    {"tiny parts", MULTI, "--b\n\n"},
    {"tiny parts with text", MULTI, "--b\n\nx\n"},
    {"opened and closed again", MULTI, "--b\n" MULTI "--b\n--b--\n"},
    {"a million fields", "", "a:b\n"},
    {"Content-Type a million times", "", "Content-Type:a/b\n"},
    {"one field of 5 MB", "Subject: ", "x"},
    {"one folded field", "Subject: a", "\n b"},
    {"one Content-Type of parameters", "Content-Type: a/b", ";a=\"b\""},
    {"one Content-Type of comments", "Content-Type: ", "("},
    {"lines that are no fields", "a:b\n", "x\n"},
    {"only \"--\"", MULTI, "--\n"},
    {"only dashes", MULTI, "-"},
    {"only line ends", MULTI, "\n"},
    {"only CRLF", MULTI, "\r\n"},
    {"only CR", MULTI, "\r"},
    {"blanks behind a boundary", MULTI "--b", " "},
    {"NULs", "", "\0"},
    {"no boundary at all", "Content-Type: multipart/mixed\n\n", "--b\n\n"},
    {"message in message", "", "Content-Type: message/rfc822\n\n"},
    {"plain text of words", "a:b\n\n", "word "},
    {"plain text of lines", "a:b\n\n", "x\n"},
    {"plain text of empty lines and x", "a:b\n\n", "x\n\n\n"},
    {"plain text of links", "a:b\n\n", "http://a.bc/%41 "},
    {"plain text of '@'", "a:b\n\n", "a@"},
    {"plain text of 'begin'", "a:b\n\n", "begin 644 a\n"},
    {"8-bit octets", "Content-Type: text/plain; charset=utf-8\n\n", "\xc3"},
    {"another charset", "Content-Type: text/plain; charset=big5\n\n", "\xa4\xa4"},
    {"base64", "Content-Transfer-Encoding: base64\n\n", "QUJD"},
    {"quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\n", "=41"},
    {"HTML of '<'", HTML, "<"},
    {"HTML of open tags", HTML, "<b>"},
    {"HTML of links", HTML, "<a href=\"http://a.bc/%41%41\">x</a>"},
    {"HTML of one link", HTML "<a href=\"", "http://a.bc/%41"},
    {"HTML of entities", HTML, "&lt;"},
    {"HTML of hidden text", HTML, "<p style=\"display:none\">hidden text</p>"},
};

static void hostile(const struct tools *tools)
{
    struct mail mail = {.octets = need(calloc(HOSTILE + 4096, 1))};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mail.len = cases[i].piece[0] ? fill(mail.octets, cases[i].head, cases[i].piece) : HOSTILE;
        if (!cases[i].piece[0])
            memset(mail.octets, 0, HOSTILE);
        hostile_time(tools, &mail, cases[i].name);
    }
    mail.len = fill_nested(mail.octets, 300, "--000000000\n");
    hostile_time(tools, &mail, "300 open multiparts");
    mail.len = fill_nested(mail.octets, 30, "--000000000000000000000000000000x\n");
    hostile_time(tools, &mail, "boundaries that are prefixes");
    free(mail.octets);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 && strncmp(argv[1], "--", 2) == 0 ? argv[1] : "";
    int skip = *mode ? 2 : 1;
    struct mails mails = {0};
    struct tools tools = {.arena = need(weir_arena_new(ARENA_FIRST))};
    if (weir_charsets_new(&tools.charsets) < 0)
        need(NULL);
    if (strcmp(mode, "--hostile") == 0) {
        hostile(&tools);
    } else {
        add_all(&mails, argc - skip, argv + skip);
        bool structure = strcmp(mode, "--structure") == 0;
        for (size_t i = 0; *mode && i < mails.mails; i++)
            (structure ? structure_show : texts_show)(&tools, &mails.mail[i]);
        if (!*mode && mails.mails > 0)
            measure(&tools, &mails, 5);
    }
    for (size_t i = 0; i < mails.mails; i++) {
        free(mails.mail[i].path);
        free(mails.mail[i].octets);
    }
    free(mails.mail);
    weir_charsets_free(&tools.charsets);
    weir_arena_free(&tools.arena);
    return 0;
}
