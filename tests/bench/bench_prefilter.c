/*
 * bench_prefilter - 100, 1,000 and 10,000 caseless phrase rules over mail.
 *
 *     bench_prefilter FILE...     files of mail, read as they are
 *
 * Phrases are two or three neighbouring words of the mail itself, so that they nearly
 * stand in it everywhere.  For each number of rules one line of JSON: seconds to build, octets
 * built, microseconds a message for the prefilter (all rules exact: nothing to confirm) and, on
 * each hundredth message, for PCRE2 asking each rule in turn; hits must be the same.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/limits.h"
#include "core/evidence/prefilter.h"

#define PHRASES 10000
#define IN_TURN_EACH 100 /* of the messages, one of so many is asked in turn */

struct mail {
    char *text;
    uint32_t *start;
    struct weir_area area;
};

struct bench {
    struct mail *mail;
    size_t mails;
    char phrase[PHRASES][64];
    pcre2_code *code[PHRASES];
    pcre2_match_data *data;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void read_mail(const char *path, struct mail *mail)
{
    FILE *file = fopen(path, "rb");
    mail->text = must(malloc(WEIR_AREA_MAX));
    mail->start = must(calloc(WEIR_AREA_LINES_MAX + 1, sizeof *mail->start));
    size_t len = file ? fread(mail->text, 1, WEIR_AREA_MAX, file) : 0, lines = 0;
    if (file)
        fclose(file);
    for (size_t i = 0; i < len && lines < WEIR_AREA_LINES_MAX; i++)
        if (mail->text[i] == '\n' || i + 1 == len)
            mail->start[++lines] = (uint32_t)i + 1;
    mail->area = (struct weir_area){mail->text, mail->start, lines};
}

/* Two or three words from somewhere in the mail, and a letter now and then changed. */
static void make_phrase(struct bench *b, size_t number, unsigned *random)
{
    char *to = b->phrase[number];
    for (unsigned tries = 0; tries < 1000; tries++) {
        *random = *random * 1664525u + 1013904223u;
        const struct mail *mail = &b->mail[(*random >> 8) % b->mails];
        size_t len = weir_area_len(&mail->area), n = 0;
        *random = *random * 1664525u + 1013904223u;
        size_t at = len ? (*random >> 4) % len : 0;
        while (at < len && isalpha((unsigned char)mail->text[at]))
            at++;
        for (at++; at < len && n < 24; at++) {
            if (!isalpha((unsigned char)mail->text[at]) && mail->text[at] != ' ')
                break;
            to[n++] = mail->text[at];
        }
        to[n] = '\0';
        if (n > 9 && to[0] != ' ' && to[n - 1] != ' ' && strchr(to, ' ') && !strstr(to, "  ")) {
            if (number % 2)
                to[n - 1] = 'q';
            return;
        }
    }
}

static void compile(struct bench *b, size_t number)
{
    char pattern[80];
    int error;
    size_t at;
    snprintf(pattern, sizeof pattern, "\\b%s\\b", b->phrase[number]);
    b->code[number] = must(pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_CASELESS,
                                         &error, &at, NULL));
    pcre2_jit_compile(b->code[number], PCRE2_JIT_COMPLETE);
}

static void build(struct bench *b, uint32_t rules, void **octets_r, size_t *len_r)
{
    struct weir_prefilter_builder *builder;
    enum weir_prefilter_means means;
    if (weir_prefilter_builder_new(&builder) < 0)
        abort();
    for (uint32_t i = 0; i < rules; i++) {
        char pattern[80];
        snprintf(pattern, sizeof pattern, "\\b%s\\b", b->phrase[i]);
        struct weir_prefilter_pattern one = {.rule = i, .area = WEIR_AREA_BODY, .caseless = true,
                                             .pattern = {pattern, strlen(pattern)}};
        if (weir_prefilter_add(builder, &one, &means) < 0 || means != WEIR_PREFILTER_EXACT)
            abort();
    }
    if (weir_prefilter_build(builder, octets_r, len_r) < 0)
        abort();
    weir_prefilter_builder_free(&builder);
}

/* Lines that rules hit in a message, each rule asked for each line. */
static size_t in_turn(struct bench *b, uint32_t rules, const struct mail *mail)
{
    size_t hits = 0;
    for (uint32_t i = 0; i < rules; i++) {
        for (size_t line = 0; line < mail->area.lines; line++) {
            struct weir_slice text = weir_area_line(&mail->area, line);
            PCRE2_SPTR at = (PCRE2_SPTR)text.at;
            hits += pcre2_match(b->code[i], at, text.len, 0, 0, b->data, NULL) >= 0;
        }
    }
    return hits;
}

static void measure(struct bench *b, uint32_t rules)
{
    void *octets;
    size_t len, hits = 0, model_hits = 0, same_hits = 0, asked = 0;
    struct weir_prefilter prefilter;
    struct weir_prefilter_scratch *scratch;
    const struct weir_candidate *candidate;
    double began = now(), built, scanned, turned = 0;
    build(b, rules, &octets, &len);
    built = now() - began;
    if (weir_prefilter_attach(octets, len, &prefilter) < 0 ||
        weir_prefilter_scratch_new(&prefilter, &scratch) < 0)
        abort();
    began = now();
    for (size_t i = 0; i < b->mails; i++)
        hits += weir_prefilter_scan(&prefilter, scratch, WEIR_AREA_BODY, &b->mail[i].area, NULL,
                                    &candidate);
    scanned = now() - began;
    for (size_t i = 0; i < b->mails; i += IN_TURN_EACH, asked++) {
        began = now();
        model_hits += in_turn(b, rules, &b->mail[i]);
        turned += now() - began;
        same_hits += weir_prefilter_scan(&prefilter, scratch, WEIR_AREA_BODY, &b->mail[i].area,
                                         NULL, &candidate);
    }
    printf("{\"rules\": %u, \"build_s\": %.3f, \"octets\": %zu, \"scan_us\": %.1f, "
           "\"in_turn_us\": %.1f, \"hits\": %zu, \"same_hits\": %s}\n", rules, built, len,
           scanned * 1e6 / (double)b->mails, turned * 1e6 / (double)asked, hits,
           same_hits == model_hits ? "true" : "false");
    weir_prefilter_scratch_free(&scratch);
    free(octets);
}

int main(int argc, char **argv)
{
    struct bench *b = must(calloc(1, sizeof *b));
    unsigned random = 1;
    if (argc < 2)
        return fprintf(stderr, "usage: bench_prefilter FILE...\n"), 1;
    b->mail = must(calloc((size_t)argc, sizeof *b->mail));
    for (; b->mails + 1 < (size_t)argc; b->mails++)
        read_mail(argv[b->mails + 1], &b->mail[b->mails]);
    b->data = must(pcre2_match_data_create(4, NULL));
    for (size_t i = 0; i < PHRASES; i++) {
        make_phrase(b, i, &random);
        compile(b, i);
    }
    measure(b, 100);
    measure(b, 1000);
    measure(b, PHRASES);
    return 0;
}
