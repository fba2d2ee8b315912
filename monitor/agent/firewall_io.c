/*
 * firewall_io - libnftables through dlopen(): servers that do not want it need not have it.  Six
 * of its functions, whose signatures are those of libnftables.so.1.
 */
#include "monitor/agent/firewall_io.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/agent/command.h"
#include "monitor/agent/firewall.h"

struct nft_ctx;

struct library {
    void *handle;
    struct nft_ctx *(*new)(uint32_t flags);
    void (*free)(struct nft_ctx *context);
    int (*buffer_error)(struct nft_ctx *context);
    const char *(*error)(struct nft_ctx *context);
    int (*run)(struct nft_ctx *context, const char *commands);
    void (*try)(struct nft_ctx *context, bool only);
};

struct weir_firewall {
    struct weir_firewall_options options;
    const struct weir_log *log;
    struct library library;
    struct nft_ctx *context;
    uint64_t digest;             /* of what the kernel has */
    weir_time whole;             /* steady: when all is to be said again */
    bool told, full;             /* of trouble, and of too many entries */
};

/* The library. -------------------------------------------------------------------------- */

/* Functions and data may have pointers of different kinds; POSIX lets this one through. */
static bool find(void *handle, const char *name, void *function_r)
{
    void *symbol = dlsym(handle, name);

    memcpy(function_r, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool load(struct library *library)
{
    void *handle = dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);

    library->handle = handle;
    return handle && find(handle, "nft_ctx_new", &library->new) &&
           find(handle, "nft_ctx_free", &library->free) &&
           find(handle, "nft_ctx_buffer_error", &library->buffer_error) &&
           find(handle, "nft_ctx_get_error_buffer", &library->error) &&
           find(handle, "nft_run_cmd_from_buffer", &library->run) &&
           find(handle, "nft_ctx_set_dry_run", &library->try);
}

int weir_firewall_open(const struct weir_firewall_options *options, const struct weir_log *log,
                       struct weir_firewall **firewall_r)
{
    struct weir_firewall *firewall = calloc(1, sizeof *firewall);

    if (!firewall)
        return WEIR_ENOMEM;
    firewall->options = *options;
    firewall->log = log;
    if (!load(&firewall->library) || !(firewall->context = firewall->library.new(0)) ||
        firewall->library.buffer_error(firewall->context) != 0) {
        weir_log(log, WEIR_LOG_ERROR, "[agent] nftables: libnftables.so.1 cannot be used "
                 "(apt install libnftables1)");
        weir_firewall_free(&firewall);
        return WEIR_EIO;
    }
    *firewall_r = firewall;
    return 0;
}

void weir_firewall_free(struct weir_firewall **firewall)
{
    if (!firewall || !*firewall)
        return;
    if ((*firewall)->context)
        (*firewall)->library.free((*firewall)->context);
    if ((*firewall)->library.handle)
        dlclose((*firewall)->library.handle);
    free(*firewall);
    *firewall = NULL;
}

static int run(struct weir_firewall *firewall, const char *commands)
{
    const char *error;
    size_t len;

    if (firewall->library.run(firewall->context, commands) == 0) {
        (void)firewall->library.error(firewall->context); /* warnings */
        firewall->told = false;
        return 0;
    }
    error = firewall->library.error(firewall->context);
    len = error ? strcspn(error, "\n") : 0;
    if (!firewall->told)
        weir_log(firewall->log, WEIR_LOG_ERROR, "[agent] nftables: the kernel refuses: %.*s",
                 (int)(len < 200 ? len : 200), error ? error : "");
    firewall->told = true;
    return WEIR_EIO;
}

int weir_firewall_clear(struct weir_firewall *firewall)
{
    return run(firewall, WEIR_FIREWALL_CLEAR);
}

/* What is to be there. ------------------------------------------------------------------ */

struct gathering {
    struct weir_firewall_rules rules;
    size_t blocked_room, spared_room;
    weir_time now;
    bool full;
};

static int add(struct gathering *gathering, struct weir_firewall_entry **list, size_t *count,
               size_t *room, const struct weir_list_entry *entry)
{
    struct weir_firewall_entry *more;

    if (*count == WEIR_FIREWALL_ENTRIES_MAX) {
        gathering->full = true;
        return 0;
    }
    more = weir_grown(*list, *count, room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    *list = more;
    (*list)[(*count)++] = (struct weir_firewall_entry){entry->prefix, entry->ends};
    return 0;
}

static bool lives(const struct gathering *gathering, const struct weir_list_entry *entry)
{
    return !entry->is_domain && (entry->ends == 0 || entry->ends > gathering->now);
}

static int take_blocked(void *context, const struct weir_list_entry *entry)
{
    struct gathering *g = context;

    if (!lives(g, entry) || entry->defer || strcmp(entry->origin, WEIR_COMMAND_ORIGIN) != 0)
        return 0;
    return add(g, &g->rules.blocked, &g->rules.blockeds, &g->blocked_room, entry);
}

/* Of what is acceptable only what lies inside of blocked prefixes matters. */
static int take_spared(void *context, const struct weir_list_entry *entry)
{
    struct gathering *g = context;

    if (!lives(g, entry))
        return 0;
    for (size_t i = 0; i < g->rules.blockeds; i++) {
        const struct weir_prefix *blocked = &g->rules.blocked[i].prefix;

        if (blocked->bits < entry->prefix.bits &&
            weir_prefix_contains(blocked, &entry->prefix.address))
            return add(g, &g->rules.spared, &g->rules.spareds, &g->spared_room, entry);
    }
    return 0;
}

/* Whether all of a prefix is acceptable, or never to be blocked. */
static bool is_spared(struct weir_lists *lists, weir_time now, const struct weir_prefix *prefix)
{
    struct weir_list_entry there;

    for (enum weir_list list = WEIR_LIST_NEVER; list <= WEIR_LIST_ACCEPT; list++) {
        int found = weir_lists_find_in(lists, now, list, &prefix->address, &there);

        if (found < 0 || (found > 0 && there.prefix.bits <= prefix->bits))
            return true;
    }
    return false;
}

static void drop_spared(struct gathering *g, struct weir_lists *lists)
{
    size_t kept = 0;

    for (size_t i = 0; i < g->rules.blockeds; i++)
        if (!is_spared(lists, g->now, &g->rules.blocked[i].prefix))
            g->rules.blocked[kept++] = g->rules.blocked[i];
    g->rules.blockeds = kept;
}

/* Prefixes come first, since only they are looked through. */
static int gather(struct gathering *g, struct weir_lists *lists)
{
    struct weir_firewall_rules *rules = &g->rules;
    size_t all, prefixes = 0;
    int done = weir_lists_each(lists, WEIR_LIST_BLACK, take_blocked, g);

    if (done < 0)
        return done;
    drop_spared(g, lists);
    for (size_t i = 0; i < rules->blockeds; i++) {
        struct weir_firewall_entry entry = rules->blocked[i];

        if (entry.prefix.bits == 128)
            continue;
        rules->blocked[i] = rules->blocked[prefixes];
        rules->blocked[prefixes++] = entry;
    }
    all = rules->blockeds;
    rules->blockeds = prefixes;
    if (prefixes > 0 && (done = weir_lists_each(lists, WEIR_LIST_NEVER, take_spared, g)) >= 0)
        done = weir_lists_each(lists, WEIR_LIST_ACCEPT, take_spared, g);
    rules->blockeds = all;
    return done < 0 ? done : 0;
}

/* Whether the kernel would take all that is spared and so many of those that are blocked. */
static bool would_take(struct weir_firewall *firewall, const struct gathering *g, size_t blockeds,
                       char *text, size_t room)
{
    struct weir_firewall_rules rules = g->rules;
    bool taken;

    rules.blockeds = blockeds;
    firewall->library.try(firewall->context, true);
    taken = firewall->library.run(firewall->context,
                                  weir_firewall_write(&rules, g->now, text, room)) == 0;
    (void)firewall->library.error(firewall->context);
    firewall->library.try(firewall->context, false);
    return taken;
}

/* Leaves out what the kernel refuses, so that one entry stops no other: from the front, in steps
 * that double while all goes well.  How many it left out; 0 too when it refuses all there is. */
static size_t leave_out(struct weir_firewall *firewall, struct gathering *g, char *text,
                        size_t room)
{
    struct weir_firewall_rules *rules = &g->rules;
    size_t good = 0, step = rules->blockeds, all = rules->blockeds;

    if (!would_take(firewall, g, 0, text, room))
        return 0;
    for (int tries = 0; good < rules->blockeds && tries < WEIR_FIREWALL_TRIES_MAX; tries++) {
        step = step < rules->blockeds - good ? step : rules->blockeds - good;
        if (would_take(firewall, g, good + step, text, room)) {
            good += step;
            step *= 2;
        } else if (step > 1) {
            step /= 2;
        } else {
            memmove(rules->blocked + good, rules->blocked + good + 1,
                    (--rules->blockeds - good) * sizeof *rules->blocked);
        }
    }
    rules->blockeds = good;
    return all - good;
}

static int put(struct weir_firewall *firewall, struct gathering *g)
{
    size_t room = weir_firewall_room(&g->rules), left_out;
    char *text = malloc(room);
    bool told = firewall->told;
    int done;

    if (!text)
        return WEIR_ENOMEM;
    done = run(firewall, weir_firewall_write(&g->rules, g->now, text, room));
    if (done < 0 && (left_out = leave_out(firewall, g, text, room)) > 0) {
        done = run(firewall, weir_firewall_write(&g->rules, g->now, text, room));
        firewall->told = true; /* it is not said each minute */
        if (!told)
            weir_log(firewall->log, WEIR_LOG_WARNING, "nftables: %zu entries that the kernel "
                     "refuses are left to the mail server", left_out);
    }
    free(text);
    if (done == 0)
        weir_log(firewall->log, WEIR_LOG_DEBUG, "nftables: %zu blocked, %zu spared",
                 g->rules.blockeds, g->rules.spareds);
    return done;
}

int weir_firewall_assert(struct weir_firewall *firewall, struct weir_lists *lists, weir_time now,
                         weir_time steady)
{
    struct gathering g = {.rules.reject = firewall->options.reject, .now = now};
    int done = firewall->options.observe ? 0 : gather(&g, lists);
    uint64_t digest;

    if (done < 0 && !firewall->told)
        weir_log(firewall->log, WEIR_LOG_ERROR, "[agent] nftables: the lists cannot be read: %s",
                 weir_error_reason(done));
    firewall->told |= done < 0;
    if (g.full && !firewall->full)
        weir_log(firewall->log, WEIR_LOG_WARNING, "nftables takes %d entries; the others are left "
                 "to the mail server", WEIR_FIREWALL_ENTRIES_MAX);
    firewall->full = g.full;
    if (done == 0 && ((digest = weir_firewall_digest(&g.rules)) != firewall->digest ||
                      steady >= firewall->whole)) {
        firewall->whole = steady + (firewall->options.whole < WEIR_MINUTE ? firewall->options.whole
                                                                          : WEIR_MINUTE);
        done = put(firewall, &g);
        firewall->digest = done == 0 ? digest : 0;
    }
    free(g.rules.blocked);
    free(g.rules.spared);
    return done;
}
