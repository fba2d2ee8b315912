/*
 * numbers_sum - areas added up, and whether one can be what it seems.
 *
 * A rule's place is found by its id and taken once; nothing is ever taken away, so that from a
 * rule's first place to where it is there is no free one.  That, and that no rule is found twice,
 * what was damaged rarely keeps.
 */
#include <string.h>

#include "core/base/slice.h"
#include "core/base/visible.h"
#include "core/engine/numbers_table.h"

#define GET(slot) atomic_load_explicit(&(slot), memory_order_relaxed)
#define PUT(slot, value) atomic_store_explicit(&(slot), (value), memory_order_relaxed)
#define NAME sizeof((struct weir_numbers_server *)0)->name

struct weir_histogram *weir_numbers_histogram(struct weir_numbers_area *area, unsigned slot)
{
    _Static_assert(sizeof(struct weir_histogram) ==
                       (WEIR_HISTOGRAM_BUCKETS + 1) * sizeof area->slot[0], "slots in a row");
    return (struct weir_histogram *)(uintptr_t)&area->slot[slot];
}

static unsigned place_of(uint64_t id, unsigned probe)
{
    return (unsigned)((id * 2654435761u + probe) % WEIR_NUMBERS_RULES);
}

struct weir_numbers_rule *weir_numbers_rule_of(struct weir_numbers_area *area, uint64_t id)
{
    for (unsigned i = 0; i < WEIR_NUMBERS_PROBES; i++) {
        struct weir_numbers_rule *rule = &area->rule[place_of(id, i)];
        uint64_t is = GET(rule->id);

        if (is == 0 && atomic_compare_exchange_strong(&rule->id, &is, id))
            is = id;
        if (is == id)
            return rule;
    }
    return NULL;
}

void weir_numbers_clear(struct weir_numbers_area *area)
{
    memset(area, 0, sizeof *area);
    memcpy(area->magic, WEIR_NUMBERS_MAGIC, sizeof area->magic);
    area->layout = weir_numbers_layout();
}

/* A histogram's sum is its last slot, and read first: what it has, the buckets have, too. */
void weir_numbers_snapshot(struct weir_numbers_area *to, const struct weir_numbers_area *from)
{
    for (unsigned i = WEIR_NUMBERS_SLOTS; i-- > 0;)
        PUT(to->slot[i], atomic_load_explicit(&from->slot[i], memory_order_acquire));
    for (unsigned i = 0; i < WEIR_NODES_MAX; i++)
        to->server[i] = from->server[i];
    for (unsigned i = 0; i < WEIR_NUMBERS_RULES; i++) {
        uint64_t id = GET(from->rule[i].id);

        PUT(to->rule[i].id, id);
        PUT(to->rule[i].hits, id != 0 ? GET(from->rule[i].hits) : 0);
    }
}

/* adding up ----------------------------------------------------------------------------------- */

static void raise_by(_Atomic uint64_t *slot, uint64_t more)
{
    PUT(*slot, GET(*slot) + more);
}

static void sum_slots(struct weir_numbers_area *sums, const uint16_t first[static WEIR_NUMBERS],
                      const struct weir_numbers_area *now, const struct weir_numbers_area *told,
                      bool lives)
{
    for (unsigned which = 0; which < WEIR_NUMBERS; which++) {
        const struct weir_number_row *row = &weir_number_rows[which];
        bool level = row->kind == WEIR_NUMBER_LEVEL;

        for (unsigned i = first[which]; i < first[which] + weir_numbers_slots(row); i++)
            if (!level)
                raise_by(&sums->slot[i], GET(now->slot[i]) - GET(told->slot[i]));
            else if (lives)
                PUT(sums->slot[i], GET(now->slot[i]));
    }
}

static bool same_name(const struct weir_numbers_server *one,
                      const struct weir_numbers_server *other)
{
    return strncmp(one->name, other->name, NAME) == 0;
}

/* One that is not known yet (a daemon has just started) keeps its name, and so its failures. */
static void sum_server(struct weir_numbers_server *sum, const struct weir_numbers_server *now,
                       const struct weir_numbers_server *told)
{
    uint64_t failures = GET(now->failures);

    PUT(sum->up, GET(now->up));
    if (!now->name[0])
        return;
    if (same_name(now, told))
        failures -= GET(told->failures);
    if (same_name(now, sum))
        failures += GET(sum->failures);
    memcpy(sum->name, now->name, NAME);
    PUT(sum->failures, failures);
    PUT(sum->took, GET(now->took));
}

void weir_numbers_sum(struct weir_numbers_area *sums, const struct weir_numbers_area *now,
                      const struct weir_numbers_area *told, bool lives)
{
    uint16_t first[WEIR_NUMBERS];

    (void)weir_numbers_places(first);
    sum_slots(sums, first, now, told, lives);
    for (unsigned i = 0; lives && i < WEIR_NODES_MAX; i++)
        sum_server(&sums->server[i], &now->server[i], &told->server[i]);
    for (unsigned i = 0; i < WEIR_NUMBERS_RULES; i++) {
        uint64_t more = GET(now->rule[i].hits) - GET(told->rule[i].hits);
        struct weir_numbers_rule *rule =
            more > 0 ? weir_numbers_rule_of(sums, GET(now->rule[i].id)) : NULL;

        if (rule)
            raise_by(&rule->hits, more);
        else
            raise_by(&sums->slot[first[WEIR_NUMBER_RULES_LEFT_OUT]], more);
    }
}

/* looking ------------------------------------------------------------------------------------- */

static bool sound_slots(const struct weir_numbers_area *area, const struct weir_number_row *row,
                        unsigned first, bool has)
{
    unsigned each = weir_numbers_each(row);

    for (unsigned i = first; i < first + weir_numbers_slots(row); i += each) {
        struct weir_histogram_reading reading;

        for (unsigned j = 0; !has && j < each; j++)
            if (GET(area->slot[i + j]) != 0)
                return false;
        if (row->kind == WEIR_NUMBER_COUNT && GET(area->slot[i]) > WEIR_NUMBERS_MOST)
            return false;
        if (row->kind != WEIR_NUMBER_TIMES)
            continue;
        weir_histogram_read((const void *)(uintptr_t)&area->slot[i], &reading);
        if (!weir_histogram_sound(&reading))
            return false;
    }
    return true;
}

static bool sound_name(const struct weir_numbers_server *server)
{
    return weir_visible((struct weir_slice){server->name, strnlen(server->name, NAME)});
}

static bool sound_server(const struct weir_numbers_area *area, unsigned at)
{
    const struct weir_numbers_server *server = &area->server[at];

    if (GET(server->up) > 2 || GET(server->failures) > WEIR_NUMBERS_MOST ||
        GET(server->took) > WEIR_NUMBERS_MOST || !sound_name(server))
        return false;
    for (unsigned i = 0; GET(server->up) > 0 && i < at; i++)
        if (GET(area->server[i].up) > 0 && same_name(server, &area->server[i]))
            return false;
    return true;
}

static bool sound_rule(const struct weir_numbers_area *area, unsigned at)
{
    const uint64_t id = GET(area->rule[at].id), hits = GET(area->rule[at].hits);

    if (id == 0)
        return hits == 0;
    if (id > UINT32_MAX || hits > WEIR_NUMBERS_MOST)
        return false;
    for (unsigned i = 0; i < WEIR_NUMBERS_PROBES; i++) {
        unsigned place = place_of(id, i);
        uint64_t is = GET(area->rule[place].id);

        if (is == 0 || is == id)
            return place == at;
    }
    return false;
}

bool weir_numbers_sound(const struct weir_numbers_area *area, enum weir_numbers_program program,
                        uint64_t layout)
{
    uint16_t first[WEIR_NUMBERS];
    unsigned slots = weir_numbers_places(first);
    bool sound = memcmp(area->magic, WEIR_NUMBERS_MAGIC, sizeof area->magic) == 0 &&
                 area->layout == layout;

    for (unsigned i = 0; sound && i < WEIR_NUMBERS; i++)
        sound = sound_slots(area, &weir_number_rows[i], first[i],
                            weir_number_rows[i].programs & 1u << program);
    for (unsigned i = slots; sound && i < WEIR_NUMBERS_SLOTS; i++)
        sound = GET(area->slot[i]) == 0;
    for (unsigned i = 0; sound && i < WEIR_NODES_MAX; i++)
        sound = sound_server(area, i);
    for (unsigned i = 0; sound && i < WEIR_NUMBERS_RULES; i++)
        sound = sound_rule(area, i);
    return sound;
}
