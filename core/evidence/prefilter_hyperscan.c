/*
 * Hyperscan behind the prefilter: of each run its best piece, in all its spellings, as literals
 * of one block-mode database for each area.  Runs that share a spelling share the literal.
 *
 * The handle owns the databases and a first scratch that is only cloned.  Literals are all
 * without case: whether the run stands there is for the caller to see.  Refuses tables that lead
 * outside.  Without WEIR_HYPERSCAN there is only the refusal.
 */
#include "core/evidence/prefilter_hyperscan.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"

#ifdef WEIR_HYPERSCAN
#include <hs/hs.h>

#include "core/evidence/need_impl.h"
#include "core/evidence/prefilter_impl.h"

enum { LITERAL = WEIR_HYPERSCAN_LITERAL_MAX };


#define RARE 1e-3 /* a piece that begins at so few octets of mail will do: half a second for 1,700
                   * rules; with 1e-5 it is twice as long, and scanning no faster */

struct place { /* a run has the literal at an octet of its own */
    uint32_t run;
    uint32_t back; /* from the literal's end to the run's beginning */
};

struct part {
    hs_database_t *database; /* NULL: no literals */
    uint32_t *first;         /* of a literal: its places are first[id] .. first[id + 1] */
    struct place *place;
};

struct weir_hyperscan {
    struct part part[WEIR_AREAS];
    hs_scratch_t *scratch;
};

/* making literals ------------------------------------------------------------------ */

struct spelling {
    char octet[LITERAL];
    uint32_t len;
    struct place place;
};

struct making { /* of one area */
    const struct weir_prefilter *prefilter;
    const struct prefilter_part *part;
    struct spelling *spelling;
    size_t n, room;
};

struct piece { /* of a run */
    uint32_t at, len;
    size_t spellings;
};

static bool is_upper(unsigned octet)
{
    return octet >= 'A' && octet <= 'Z';
}

/* The members of a set, letters in lower case. */
static size_t members(const struct weir_octet_set *set, unsigned char octet_r[256])
{
    struct weir_octet_set folded = *set;
    size_t n = 0;
    for (unsigned c = 'A'; c <= 'Z'; c++)
        if (weir_octet_set_has(set, c))
            octet_set_add(&folded, c | 0x20);
    for (unsigned c = 0; c < 256; c++)
        if (weir_octet_set_has(&folded, c) && !is_upper(c))
            octet_r[n++] = (unsigned char)c;
    return n;
}

/* The sets of a run; false when they lie outside. */
static bool sets_of(const struct making *m, const struct prefilter_run *run,
                    struct weir_octet_set set_r[WEIR_NEED_RUN_MAX])
{
    const uint32_t *id = (const void *)(m->prefilter->octets + m->part->id.place);
    const struct weir_octet_set *set = (const void *)(m->prefilter->octets + m->part->set.place);
    if (run->len == 0 || run->len > WEIR_NEED_RUN_MAX || run->id > m->part->id.n ||
        run->len > m->part->id.n - run->id)
        return false;
    for (uint32_t i = 0; i < run->len; i++) {
        if (id[run->id + i] >= m->part->set.n)
            return false;
        set_r[i] = set[id[run->id + i]];
    }
    return true;
}

/* The longest piece from an octet on that has at most so many spellings; none when len is 0. */
static struct piece longest(const size_t *members_at, uint32_t at, uint32_t run_len, size_t most)
{
    struct piece piece = {.at = at, .spellings = 1};
    while (piece.len < LITERAL && at + piece.len < run_len &&
           piece.spellings * members_at[at + piece.len] <= most)
        piece.spellings *= members_at[at + piece.len++];
    return piece;
}

/* The piece of a run that stands in the fewest places, of few spellings if it can be; none when
 * all have too many. */
static struct piece choose_piece(const struct weir_octet_set *set, uint32_t run_len)
{
    static const size_t most[] = {1, 4, 16, 64, WEIR_HYPERSCAN_SPELLINGS_MAX};
    struct piece best = {.len = 0};
    size_t members_at[WEIR_NEED_RUN_MAX];
    unsigned char octet[256];
    double least = 2;
    for (uint32_t at = 0; at < run_len; at++)
        members_at[at] = members(&set[at], octet);
    for (size_t i = 0; i < sizeof most / sizeof *most && least > RARE; i++) {
        for (uint32_t at = 0; at < run_len; at++) {
            struct piece piece = longest(members_at, at, run_len, most[i]);
            double chance = piece.len ? need_chance(set + at, piece.len) : 2;
            if (chance < least) {
                least = chance;
                best = piece;
            }
        }
    }
    return best;
}

static struct spelling *more_spellings(struct making *m, size_t n)
{
    if (m->n + n > m->room) {
        size_t room = 2 * (m->n + n);
        struct spelling *more = realloc(m->spelling, room * sizeof *more);
        if (!more)
            return NULL;
        m->spelling = more;
        m->room = room;
    }
    m->n += n;
    return m->spelling + m->n - n;
}

static int add_run(struct making *m, uint32_t number)
{
    const struct prefilter_run *run =
        (const struct prefilter_run *)(const void *)(m->prefilter->octets + m->part->run.place) +
        number;
    struct weir_octet_set set[WEIR_NEED_RUN_MAX];
    unsigned char octet[LITERAL][256];
    size_t n[LITERAL];
    if (!sets_of(m, run, set))
        return WEIR_ECORRUPT;
    struct piece piece = choose_piece(set, run->len);
    if (piece.len == 0 || piece.spellings == 0)
        return WEIR_ECORRUPT; /* no builder makes a run that is everywhere */
    struct spelling *spelling = more_spellings(m, piece.spellings);
    if (!spelling)
        return WEIR_ENOMEM;
    for (uint32_t i = 0; i < piece.len; i++)
        n[i] = members(&set[piece.at + i], octet[i]);
    for (size_t k = 0; k < piece.spellings; k++) {
        size_t which = k;
        spelling[k] = (struct spelling){.len = piece.len, .place = {number, piece.at + piece.len}};
        for (uint32_t i = 0; i < piece.len; which /= n[i++])
            spelling[k].octet[i] = (char)octet[i][which % n[i]];
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    const struct spelling *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->octet, y->octet, x->len);
}

/* compiling ------------------------------------------------------------------------- */

struct list { /* as hs_compile_lit_multi() wants it */
    const char **text;
    unsigned *flags, *ids;
    size_t *len;
    unsigned n;
};

static int compile_list(const struct list *list, struct weir_hyperscan *h, struct part *part)
{
    hs_compile_error_t *error = NULL;
    hs_error_t result = hs_compile_lit_multi(list->text, list->flags, list->ids, list->len, list->n,
                                             HS_MODE_BLOCK, NULL, &part->database, &error);
    hs_free_compile_error(error);
    if (result != HS_SUCCESS || hs_alloc_scratch(part->database, &h->scratch) != HS_SUCCESS)
        return WEIR_ENOMEM;
    return 0;
}

/* Gives each text that differs a number, and its places. */
static void number_spellings(const struct making *m, struct part *part, struct list *list)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct spelling *spelling = &m->spelling[i];
        part->place[i] = spelling->place;
        if (i > 0 && by_text(spelling, spelling - 1) == 0)
            continue;
        part->first[list->n] = (uint32_t)i;
        list->text[list->n] = spelling->octet;
        list->len[list->n] = spelling->len;
        list->flags[list->n] = HS_FLAG_CASELESS;
        list->ids[list->n] = list->n;
        list->n++;
    }
    part->first[list->n] = (uint32_t)m->n;
}

static int compile_spellings(const struct making *m, struct weir_hyperscan *h, struct part *part)
{
    struct list list = {calloc(m->n, sizeof *list.text), calloc(m->n, sizeof *list.flags),
                        calloc(m->n, sizeof *list.ids), calloc(m->n, sizeof *list.len), 0};
    int rc = WEIR_ENOMEM;
    part->first = calloc(m->n + 1, sizeof *part->first);
    part->place = calloc(m->n, sizeof *part->place);
    if (list.text && list.flags && list.ids && list.len && part->first && part->place) {
        number_spellings(m, part, &list);
        rc = compile_list(&list, h, part);
    }
    free(list.text);
    free(list.flags);
    free(list.ids);
    free(list.len);
    return rc;
}

static int make_part(struct weir_hyperscan *h, const struct weir_prefilter *prefilter, size_t kind)
{
    struct making m = {prefilter, (const void *)(prefilter->octets + prefilter->part[kind]),
                       NULL, 0, 0};
    int rc = 0;
    for (uint32_t run = 0; run < m.part->run.n && rc == 0; run++)
        rc = add_run(&m, run);
    if (rc == 0 && m.n > 0) {
        qsort(m.spelling, m.n, sizeof *m.spelling, by_text);
        rc = compile_spellings(&m, h, &h->part[kind]);
    }
    free(m.spelling);
    return rc;
}

int weir_hyperscan_new(const struct weir_prefilter *prefilter, struct weir_hyperscan **hyperscan_r)
{
    *hyperscan_r = NULL;
    if (hs_valid_platform() != HS_SUCCESS)
        return WEIR_EDOWN;
    struct weir_hyperscan *h = calloc(1, sizeof *h);
    int rc = h ? 0 : WEIR_ENOMEM;
    for (size_t kind = 0; kind < WEIR_AREAS && rc == 0; kind++)
        if (weir_hyperscan_serves((enum weir_area_kind)kind))
            rc = make_part(h, prefilter, kind);
    if (rc < 0)
        weir_hyperscan_free(&h);
    *hyperscan_r = h;
    return rc;
}

void weir_hyperscan_free(struct weir_hyperscan **hyperscan)
{
    struct weir_hyperscan *h = *hyperscan;
    for (size_t i = 0; h && i < WEIR_AREAS; i++) {
        hs_free_database(h->part[i].database);
        free(h->part[i].first);
        free(h->part[i].place);
    }
    if (h)
        hs_free_scratch(h->scratch);
    free(h);
    *hyperscan = NULL;
}

/* scanning ---------------------------------------------------------------------------- */

int weir_hyperscan_scratch_new(const struct weir_hyperscan *hyperscan,
                               struct hs_scratch **scratch_r)
{
    *scratch_r = NULL;
    if (!hyperscan->scratch) /* no literals at all */
        return 0;
    return hs_clone_scratch(hyperscan->scratch, scratch_r) == HS_SUCCESS ? 0 : WEIR_ENOMEM;
}

void weir_hyperscan_scratch_free(struct hs_scratch **scratch)
{
    hs_free_scratch(*scratch);
    *scratch = NULL;
}

struct finding {
    const struct part *part;
    size_t begin, from; /* of what Hyperscan sees, and of what is new, in the text */
    weir_hyperscan_found *found;
    void *context;
};

static int literal_found(unsigned id, unsigned long long from, unsigned long long to,
                         unsigned flags, void *context)
{
    const struct finding *f = context;
    size_t end = f->begin + (size_t)to;
    (void)from, (void)flags;
    if (end <= f->from)
        return 0;
    for (uint32_t i = f->part->first[id]; i < f->part->first[id + 1]; i++) {
        const struct place *place = &f->part->place[i];
        if (place->back <= end && !f->found(f->context, end - place->back, place->run))
            return 1;
    }
    return 0;
}

bool weir_hyperscan_scan(const struct weir_hyperscan *hyperscan, struct hs_scratch *scratch,
                         enum weir_area_kind kind, struct weir_slice text, size_t from,
                         weir_hyperscan_found *found, void *context)
{
    size_t begin = from < LITERAL ? 0 : from - LITERAL; /* a literal may lie on both sides */
    struct finding f = {&hyperscan->part[kind], begin, from, found, context};
    return !f.part->database || hs_scan(f.part->database, text.at + begin,
                                        (unsigned)(text.len - begin), 0, scratch, literal_found,
                                        &f) == HS_SUCCESS;
}

#else

int weir_hyperscan_new(const struct weir_prefilter *prefilter, struct weir_hyperscan **hyperscan_r)
{
    (void)prefilter;
    *hyperscan_r = NULL;
    return WEIR_EDOWN;
}

void weir_hyperscan_free(struct weir_hyperscan **hyperscan)
{
    *hyperscan = NULL;
}

int weir_hyperscan_scratch_new(const struct weir_hyperscan *hyperscan,
                               struct hs_scratch **scratch_r)
{
    (void)hyperscan;
    *scratch_r = NULL;
    return WEIR_EDOWN;
}

void weir_hyperscan_scratch_free(struct hs_scratch **scratch)
{
    *scratch = NULL;
}

bool weir_hyperscan_scan(const struct weir_hyperscan *hyperscan, struct hs_scratch *scratch,
                         enum weir_area_kind kind, struct weir_slice text, size_t from,
                         weir_hyperscan_found *found, void *context)
{
    (void)hyperscan, (void)scratch, (void)kind, (void)text, (void)from, (void)found, (void)context;
    return false;
}
#endif
