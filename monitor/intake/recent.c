/*
 * recent - rows of a minute name their address by its number in a list, so that sums over minutes
 * are additions and no searches; each address names its network in the same way.
 *
 *     minute 7: [2: 5 connections] [0: 1] ...      addresses: 0 -> 192.0.2.1 (network 0), ...
 *
 * Minutes that are over an hour old go; addresses that no minute names any more are left out when
 * they are more than half of the list.
 */
#include "monitor/intake/recent.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"

#define SLOTS 64   /* a power of two, and more than minutes */
#define FEW 4096   /* addresses of whom nothing is left out */
#define NOBODY UINT32_MAX

struct one {
    struct weir_address address; /* of a network: its first */
    uint32_t network;            /* its number; of a network: none */
    uint32_t uses;               /* by minutes; of a network: by addresses */
};

/* Addresses or networks. */
struct list {
    struct one *one;
    size_t count, room, most;
    uint32_t *place;             /* numbers by hash, and 1 on top; 0: none */
    size_t places;
};

struct spot {
    uint32_t number, sum[WEIR_TRAFFIC_QUANTITIES];
};

struct slot {
    int64_t minute;
    struct spot *spot;
    size_t count, room;
};

struct weir_recent {
    pthread_mutex_t lock;
    struct weir_hash_key key;
    struct list addresses, networks;
    struct slot slot[SLOTS];
    size_t spots, dead;          /* dead: addresses of no use */
    int64_t newest, begins;      /* minutes */
};

int weir_recent_new(size_t addresses, const struct weir_hash_key *key,
                    struct weir_recent **recent_r)
{
    struct weir_recent *recent = calloc(1, sizeof *recent);

    *recent_r = recent;
    if (!recent)
        return WEIR_ENOMEM;
    pthread_mutex_init(&recent->lock, NULL);
    recent->key = *key;
    recent->addresses.most = recent->networks.most = addresses;
    recent->begins = INT64_MAX;
    return 0;
}

static void free_list(struct list *list)
{
    free(list->one);
    free(list->place);
    *list = (struct list){.most = list->most};
}

/* All of it; from a minute on it will know again. */
static void clear(struct weir_recent *recent, int64_t begins)
{
    for (size_t i = 0; i < SLOTS; i++) {
        free(recent->slot[i].spot);
        recent->slot[i] = (struct slot){.minute = 0};
    }
    free_list(&recent->addresses);
    free_list(&recent->networks);
    recent->spots = recent->dead = 0;
    recent->begins = begins;
}

void weir_recent_free(struct weir_recent **recent)
{
    if (!recent || !*recent)
        return;
    clear(*recent, 0);
    pthread_mutex_destroy(&(*recent)->lock);
    free(*recent);
    *recent = NULL;
}

size_t weir_recent_room(const struct weir_recent *recent)
{
    return 2 * recent->addresses.most;
}

void weir_recent_begin(struct weir_recent *recent, int64_t minute)
{
    pthread_mutex_lock(&recent->lock);
    recent->begins = minute;
    pthread_mutex_unlock(&recent->lock);
}

int64_t weir_recent_begins(struct weir_recent *recent)
{
    int64_t begins;

    pthread_mutex_lock(&recent->lock);
    begins = recent->begins;
    pthread_mutex_unlock(&recent->lock);
    return begins;
}

/* lists ------------------------------------------------------------------------------------ */

static uint32_t *place_of(const struct weir_recent *recent, const struct list *list,
                          const struct weir_address *address)
{
    uint64_t hash = weir_hash64(&recent->key, address->octet, sizeof address->octet);

    for (size_t at = (size_t)hash & (list->places - 1);; at = (at + 1) & (list->places - 1)) {
        uint32_t *place = &list->place[at];

        if (*place == 0 || weir_address_equal(&list->one[*place - 1].address, address))
            return place;
    }
}

/* Makes an index for what is there and as much again. */
static bool index_again(const struct weir_recent *recent, struct list *list)
{
    size_t places = FEW;
    uint32_t *place;

    while (places < 4 * list->count)
        places *= 2;
    place = calloc(places, sizeof *place);
    if (!place)
        return false;
    free(list->place);
    list->place = place;
    list->places = places;
    for (size_t i = 0; i < list->count; i++)
        *place_of(recent, list, &list->one[i].address) = (uint32_t)i + 1;
    return true;
}

/* The number of an address, which is added when it is not there; NOBODY: there is no room. */
static uint32_t number_of(const struct weir_recent *recent, struct list *list,
                          const struct weir_address *address)
{
    uint32_t *place;
    struct one *more;

    if (2 * list->count >= list->places && !index_again(recent, list))
        return NOBODY;
    place = place_of(recent, list, address);
    if (*place > 0)
        return *place - 1;
    more = list->count < list->most
               ? weir_grown(list->one, list->count, &list->room, sizeof *more) : NULL;
    if (!more)
        return NOBODY;
    list->one = more;
    more[list->count] = (struct one){.address = *address, .network = NOBODY};
    *place = (uint32_t)++list->count;
    return *place - 1;
}

/* Leaves out of a list who is of no use; number_r: where the others are now. */
static void thin(struct list *list, uint32_t *number_r)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        number_r[i] = (uint32_t)kept;
        if (list->one[i].uses > 0)
            list->one[kept++] = list->one[i];
    }
    list->count = kept;
}

/* Both lists, and all that names them.  False: memory is short, and all stays. */
static bool leave_out(struct weir_recent *recent)
{
    struct list *addresses = &recent->addresses, *networks = &recent->networks;
    uint32_t *number = calloc(addresses->count + networks->count + 1, sizeof *number);
    uint32_t *network = number + addresses->count;

    if (!number)
        return false;
    for (size_t i = 0; i < addresses->count; i++)
        networks->one[addresses->one[i].network].uses -= addresses->one[i].uses == 0;
    thin(addresses, number);
    thin(networks, network);
    for (size_t i = 0; i < addresses->count; i++)
        addresses->one[i].network = network[addresses->one[i].network];
    for (size_t i = 0; i < SLOTS; i++)
        for (size_t j = 0; j < recent->slot[i].count; j++)
            recent->slot[i].spot[j].number = number[recent->slot[i].spot[j].number];
    free(number);
    recent->dead = 0;
    return index_again(recent, addresses) && index_again(recent, networks);
}

/* minutes ---------------------------------------------------------------------------------- */

static void drop(struct weir_recent *recent, struct slot *slot)
{
    for (size_t i = 0; i < slot->count; i++)
        recent->dead += --recent->addresses.one[slot->spot[i].number].uses == 0;
    recent->spots -= slot->count;
    if (recent->begins <= slot->minute)
        recent->begins = slot->minute + 1;
    free(slot->spot);
    *slot = (struct slot){.minute = 0};
}

static void drop_oldest(struct weir_recent *recent)
{
    struct slot *oldest = NULL;

    for (size_t i = 0; i < SLOTS; i++)
        if (recent->slot[i].count > 0 && (!oldest || recent->slot[i].minute < oldest->minute))
            oldest = &recent->slot[i];
    if (oldest)
        drop(recent, oldest);
}

/* Time goes on. */
static void move_to(struct weir_recent *recent, int64_t minute)
{
    recent->newest = minute;
    for (size_t i = 0; i < SLOTS; i++)
        if (recent->slot[i].count > 0 && recent->slot[i].minute <= minute - WEIR_RECENT_MINUTES)
            drop(recent, &recent->slot[i]);
    if (recent->begins <= minute - WEIR_RECENT_MINUTES)
        recent->begins = minute - WEIR_RECENT_MINUTES + 1;
    if (recent->dead > FEW && recent->dead > recent->addresses.count / 2 && !leave_out(recent))
        clear(recent, minute + 1);
}

static struct spot *new_spot(struct weir_recent *recent, const struct weir_minute_row *row)
{
    struct slot *slot = &recent->slot[(uint64_t)row->minute % SLOTS];
    struct weir_prefix network = weir_address_prefix(&row->address, 24, 56);
    uint32_t number = number_of(recent, &recent->addresses, &row->address);
    struct one *one;
    struct spot *more;

    if (number == NOBODY)
        return NULL;
    one = &recent->addresses.one[number];
    if (one->network == NOBODY) {
        one->network = number_of(recent, &recent->networks, &network.address);
        if (one->network == NOBODY)
            return NULL;
        recent->networks.one[one->network].uses++;
        recent->dead++;
    }
    more = weir_grown(slot->spot, slot->count, &slot->room, sizeof *more);
    if (!more)
        return NULL;
    slot->spot = more;
    slot->minute = row->minute;
    recent->dead -= one->uses++ == 0;
    recent->spots++;
    more[slot->count] = (struct spot){.number = number};
    return &more[slot->count++];
}

static void add(struct weir_recent *recent, const struct weir_minute_row *row)
{
    struct spot *spot;

    if (row->minute > recent->newest)
        move_to(recent, row->minute);
    if (row->minute < recent->begins)
        return;
    while (recent->spots >= weir_recent_room(recent))
        drop_oldest(recent);
    if (recent->dead > 0 && recent->addresses.count >= recent->addresses.most &&
        !leave_out(recent)) {
        clear(recent, recent->newest + 1);
        return;
    }
    spot = row->minute < recent->begins ? NULL : new_spot(recent, row);
    if (!spot) {
        if (row->minute >= recent->begins)
            clear(recent, recent->newest + 1);
        return;
    }
    for (size_t i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
        spot->sum[i] = row->sum[i] < UINT32_MAX ? (uint32_t)row->sum[i] : UINT32_MAX;
}

void weir_recent_add(struct weir_recent *recent, const struct weir_minute_row *row, size_t rows)
{
    pthread_mutex_lock(&recent->lock);
    for (size_t i = 0; i < rows; i++)
        add(recent, &row[i]);
    pthread_mutex_unlock(&recent->lock);
}

/* asking ----------------------------------------------------------------------------------- */

struct choosing {
    const struct weir_recent *recent;
    const struct weir_recent_question *question;
    const struct list *list;
    uint64_t *sum;               /* of each of the list */
    uint32_t *top;               /* numbers, most first */
    size_t count;
};

static bool is_before(const struct choosing *choosing, uint32_t a, uint32_t b)
{
    if (choosing->sum[a] != choosing->sum[b])
        return choosing->sum[a] > choosing->sum[b];
    return memcmp(&choosing->list->one[a].address, &choosing->list->one[b].address,
                  sizeof choosing->list->one[a].address) < 0;
}

/* Most are not among the first, and looked at once. */
static void take(struct choosing *choosing, uint32_t number)
{
    size_t most = choosing->question->most, low = 0, high = choosing->count;

    if (choosing->count == most && !is_before(choosing, number, choosing->top[most - 1]))
        return;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (is_before(choosing, number, choosing->top[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    choosing->count += choosing->count < most;
    memmove(choosing->top + low + 1, choosing->top + low,
            (choosing->count - low - 1) * sizeof *choosing->top);
    choosing->top[low] = number;
}

static uint32_t who(const struct choosing *choosing, const struct spot *spot)
{
    return choosing->question->networks ? choosing->recent->addresses.one[spot->number].network
                                        : spot->number;
}

/* All quantities of the chosen ones: sum has their ranks then, and 1 on top. */
static void tell(struct choosing *choosing, const struct slot *slot, struct weir_recent_top *top_r)
{
    for (size_t i = 0; i < slot->count; i++) {
        uint64_t rank = choosing->sum[who(choosing, &slot->spot[i])];

        for (size_t q = 0; rank > 0 && q < WEIR_TRAFFIC_QUANTITIES; q++)
            top_r[rank - 1].sum[q] += slot->spot[i].sum[q];
    }
}

static void choose(struct choosing *choosing, struct weir_recent_top *top_r)
{
    const struct weir_recent_question *question = choosing->question;
    const struct slot *slot = choosing->recent->slot, *end = slot + SLOTS;

    for (; slot < end; slot++)
        if (slot->minute >= question->from && slot->minute <= question->to)
            for (size_t i = 0; i < slot->count; i++)
                choosing->sum[who(choosing, &slot->spot[i])] +=
                    slot->spot[i].sum[question->quantity];
    for (size_t i = 0; i < choosing->list->count; i++)
        if (choosing->sum[i] > 0)
            take(choosing, (uint32_t)i);
    memset(choosing->sum, 0, (choosing->list->count + 1) * sizeof *choosing->sum);
    for (size_t i = 0; i < choosing->count; i++) {
        top_r[i] = (struct weir_recent_top){choosing->list->one[choosing->top[i]].address, {0}};
        choosing->sum[choosing->top[i]] = i + 1;
    }
    for (slot = choosing->recent->slot; slot < end; slot++)
        if (slot->minute >= question->from && slot->minute <= question->to)
            tell(choosing, slot, top_r);
}

int weir_recent_top(struct weir_recent *recent, const struct weir_recent_question *question,
                    struct weir_recent_top *top_r)
{
    uint32_t top[WEIR_RECENT_TOP_MAX];
    struct choosing choosing = {.recent = recent, .question = question, .top = top};
    int rc = WEIR_ELIMIT;

    if (question->most == 0 || question->most > WEIR_RECENT_TOP_MAX)
        return WEIR_EINVAL;
    pthread_mutex_lock(&recent->lock);
    choosing.list = question->networks ? &recent->networks : &recent->addresses;
    if (question->from >= recent->begins) {
        choosing.sum = calloc(choosing.list->count + 1, sizeof *choosing.sum);
        rc = choosing.sum ? 0 : WEIR_ENOMEM;
    }
    if (rc == 0)
        choose(&choosing, top_r);
    pthread_mutex_unlock(&recent->lock);
    free(choosing.sum);
    return rc < 0 ? rc : (int)choosing.count;
}
