/*
 * Writes and opens images of rule sets; rule_image.h shows the layout.
 *
 * The head tells a checksum over all other octets, the octets' length, and for each piece
 * where it is; every one of these numbers is checked before it is used.
 */
#include "core/evidence/rule_image.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/facts.h"

enum { CHECKSUM = 32, FACTS_HASH = 16, VERSION = 4, ORDER = 0x01020304, ALIGNMENT = 8 };
static const char magic[8] = {'W', 'E', 'I', 'R', 'R', 'U', 'L', 'E'};

struct head {
    uint8_t checksum[CHECKSUM]; /* of all that follows */
    char magic[sizeof(magic)];
    uint32_t version, order, serial, unused;
    uint64_t len;
    uint8_t facts[FACTS_HASH];  /* of the names of the facts that programs know by number */
    struct {
        uint64_t at, len;
    } piece[WEIR_IMAGE_PIECES];
};

static const size_t entry_size[WEIR_IMAGE_PIECES] = {
    [WEIR_IMAGE_RULES] = sizeof(struct weir_image_rule),
    [WEIR_IMAGE_SELECTORS] = sizeof(struct weir_image_selector),
    [WEIR_IMAGE_METAS] = sizeof(struct weir_image_meta),
    [WEIR_IMAGE_CODE] = sizeof(uint32_t),
    [WEIR_IMAGE_SPECIAL] = sizeof(uint32_t),
    [WEIR_IMAGE_BY_NAME] = sizeof(uint32_t),
    [WEIR_IMAGE_BY_ID] = sizeof(uint32_t),
    [WEIR_IMAGE_DEPENDENT_FIRST] = sizeof(uint32_t),
    [WEIR_IMAGE_DEPENDENTS] = sizeof(uint32_t),
    [WEIR_IMAGE_START_TRUE] = sizeof(uint64_t),
    [WEIR_IMAGE_NETWORKS] = sizeof(struct weir_image_network),
    [WEIR_IMAGE_TEXT] = 1,
    [WEIR_IMAGE_PREFILTER] = 1,
    [WEIR_IMAGE_READY] = sizeof(struct weir_image_ready),
    [WEIR_IMAGE_READY_OCTETS] = 1,
};

static void hash_facts(uint8_t hash_r[static FACTS_HASH])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, FACTS_HASH);
    for (unsigned fact = 0; fact < WEIR_FACTS; fact++) {
        const char *name = weir_fact_name(fact);
        crypto_generichash_update(&state, (const uint8_t *)name, strlen(name) + 1);
    }
    crypto_generichash_final(&state, hash_r, FACTS_HASH);
}

static void hash_octets(const uint8_t *octets, size_t len, uint8_t hash_r[static CHECKSUM])
{
    crypto_generichash(hash_r, CHECKSUM, octets + CHECKSUM, len - CHECKSUM, NULL, 0);
}

/* Opening. -------------------------------------------------------------------- */

static bool head_ok(const struct head *head, const uint8_t *octets, size_t len, bool full)
{
    uint8_t facts[FACTS_HASH], checksum[CHECKSUM];
    if (memcmp(head->magic, magic, sizeof(magic)) != 0 || head->version != VERSION ||
        head->order != ORDER || head->len != len)
        return false;
    hash_facts(facts);
    if (memcmp(head->facts, facts, sizeof(facts)) != 0)
        return false;
    if (!full)
        return true;
    hash_octets(octets, len, checksum);
    return memcmp(checksum, head->checksum, sizeof(checksum)) == 0;
}

/* Where a piece begins, and its count of entries; NULL when it is not within the octets. */
static const void *piece(const struct head *head, const uint8_t *octets,
                         enum weir_image_piece which, size_t count_r[static WEIR_IMAGE_PIECES])
{
    uint64_t at = head->piece[which].at, len = head->piece[which].len;
    if (at < sizeof(*head) || at % ALIGNMENT != 0 || at > head->len || len > head->len - at ||
        len % entry_size[which] != 0)
        return NULL;
    count_r[which] = (size_t)(len / entry_size[which]);
    return octets + at;
}

static bool counts_ok(const size_t count[static WEIR_IMAGE_PIECES])
{
    size_t rules = count[WEIR_IMAGE_RULES], metas = count[WEIR_IMAGE_METAS];
    size_t ready = count[WEIR_IMAGE_READY];
    return rules <= WEIR_RULES_MAX && metas <= rules && (ready == 0 || ready == rules) &&
           count[WEIR_IMAGE_BY_NAME] == rules &&
           count[WEIR_IMAGE_BY_ID] == rules &&
           count[WEIR_IMAGE_SELECTORS] <= WEIR_RULE_SELECTORS_MAX &&
           count[WEIR_IMAGE_SPECIAL] <= rules &&
           count[WEIR_IMAGE_DEPENDENT_FIRST] == rules + WEIR_FACTS + 1 &&
           count[WEIR_IMAGE_START_TRUE] == (metas + 63) / 64;
}

int weir_image_attach(const void *octets, size_t len, bool full, struct weir_image *image_r)
{
    struct head head;
    const void *at[WEIR_IMAGE_PIECES];
    struct weir_image image = {.octets = octets, .len = len};
    if (sodium_init() < 0 || len < sizeof(head) || (uintptr_t)octets % ALIGNMENT != 0)
        return WEIR_ECORRUPT;
    memcpy(&head, octets, sizeof(head));
    if (!head_ok(&head, octets, len, full))
        return WEIR_ECORRUPT;
    for (unsigned i = 0; i < WEIR_IMAGE_PIECES; i++) {
        at[i] = piece(&head, octets, (enum weir_image_piece)i, image.count);
        if (!at[i])
            return WEIR_ECORRUPT;
    }
    if (!counts_ok(image.count))
        return WEIR_ECORRUPT;
    image.serial = head.serial;
    image.rule = at[WEIR_IMAGE_RULES];
    image.selector = at[WEIR_IMAGE_SELECTORS];
    image.meta = at[WEIR_IMAGE_METAS];
    image.code = at[WEIR_IMAGE_CODE];
    image.special = at[WEIR_IMAGE_SPECIAL];
    image.by_name = at[WEIR_IMAGE_BY_NAME];
    image.by_id = at[WEIR_IMAGE_BY_ID];
    image.dependent_first = at[WEIR_IMAGE_DEPENDENT_FIRST];
    image.dependent = at[WEIR_IMAGE_DEPENDENTS];
    image.start_true = at[WEIR_IMAGE_START_TRUE];
    image.network = at[WEIR_IMAGE_NETWORKS];
    image.text = at[WEIR_IMAGE_TEXT];
    image.prefilter = at[WEIR_IMAGE_PREFILTER];
    image.ready = at[WEIR_IMAGE_READY];
    image.ready_octets = at[WEIR_IMAGE_READY_OCTETS];
    *image_r = image;
    return 0;
}

/* Looking. --------------------------------------------------------------------- */

static bool within(struct weir_image_span span, size_t count)
{
    return span.at <= count && span.len <= count - span.at;
}

struct weir_slice weir_image_text(const struct weir_image *image, struct weir_image_span span)
{
    if (!within(span, image->count[WEIR_IMAGE_TEXT]))
        return (struct weir_slice){"", 0};
    return (struct weir_slice){image->text + span.at, span.len};
}

struct weir_slice weir_image_ready_octets(const struct weir_image *image,
                                          struct weir_image_span span)
{
    if (!within(span, image->count[WEIR_IMAGE_READY_OCTETS]))
        return (struct weir_slice){"", 0};
    return (struct weir_slice){(const char *)image->ready_octets + span.at, span.len};
}

const uint32_t *weir_image_code(const struct weir_image *image, struct weir_image_span span,
                                size_t *len_r)
{
    bool ok = within(span, image->count[WEIR_IMAGE_CODE]);
    *len_r = ok ? span.len : 0;
    return image->code + (ok ? span.at : 0);
}

const uint32_t *weir_image_dependents(const struct weir_image *image, size_t value, size_t *n_r)
{
    *n_r = 0;
    if (value + 1 >= image->count[WEIR_IMAGE_DEPENDENT_FIRST])
        return NULL;
    uint32_t first = image->dependent_first[value], end = image->dependent_first[value + 1];
    if (first > end || end > image->count[WEIR_IMAGE_DEPENDENTS])
        return NULL;
    *n_r = end - first;
    return image->dependent + first;
}

static int compare_name(const struct weir_image *image, uint32_t number, struct weir_slice name)
{
    if (number >= image->count[WEIR_IMAGE_RULES])
        return 1;
    struct weir_slice own = weir_image_text(image, image->rule[number].name);
    int order = memcmp(own.at, name.at, own.len < name.len ? own.len : name.len);
    return order != 0 ? order : (own.len > name.len) - (own.len < name.len);
}

int weir_image_named(const struct weir_image *image, struct weir_slice name, uint32_t *number_r)
{
    size_t low = 0, high = image->count[WEIR_IMAGE_RULES];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_name(image, image->by_name[middle], name);
        if (order == 0) {
            *number_r = image->by_name[middle];
            return 1;
        }
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    return 0;
}

int weir_image_with_id(const struct weir_image *image, uint32_t id, uint32_t *number_r)
{
    size_t low = 0, high = image->count[WEIR_IMAGE_RULES];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t number = image->by_id[middle];
        if (number >= image->count[WEIR_IMAGE_RULES])
            return 0;
        if (image->rule[number].id == id) {
            *number_r = number;
            return 1;
        }
        bool before = image->rule[number].id < id;
        *(before ? &low : &high) = before ? middle + 1 : middle;
    }
    return 0;
}

/* Building. --------------------------------------------------------------------- */

static void append(struct weir_image_writer *writer, const void *octets, size_t len)
{
    size_t need = writer->len + len + ALIGNMENT;
    if (writer->failed)
        return;
    if (need > writer->room) {
        size_t room = need > 2 * writer->room ? need : 2 * writer->room;
        uint8_t *more = realloc(writer->octets, room);
        if (!more) {
            writer->failed = true;
            return;
        }
        writer->octets = more;
        writer->room = room;
    }
    if (len > 0)
        memcpy(writer->octets + writer->len, octets, len);
    writer->len += len;
    while (writer->len % ALIGNMENT != 0)
        writer->octets[writer->len++] = 0;
}

void weir_image_begin(struct weir_image_writer *writer)
{
    const struct head head = {.version = VERSION};
    *writer = (struct weir_image_writer){.octets = NULL};
    append(writer, &head, sizeof(head));
}

void weir_image_add(struct weir_image_writer *writer, enum weir_image_piece which,
                    const void *entries, size_t n)
{
    struct head head;
    size_t at = writer->len;
    append(writer, entries, n * entry_size[which]);
    if (writer->failed)
        return;
    memcpy(&head, writer->octets, sizeof(head));
    head.piece[which].at = at;
    head.piece[which].len = n * entry_size[which];
    memcpy(writer->octets, &head, sizeof(head));
}

int weir_image_end(struct weir_image_writer *writer, uint32_t serial, void **octets_r,
                   size_t *len_r)
{
    struct head head;
    int rc = writer->failed || sodium_init() < 0 ? WEIR_ENOMEM
             : writer->len > UINT32_MAX          ? WEIR_ELIMIT : 0;
    if (rc < 0) {
        free(writer->octets);
        return rc;
    }
    memcpy(&head, writer->octets, sizeof(head));
    memcpy(head.magic, magic, sizeof(magic));
    head.version = VERSION;
    head.order = ORDER;
    head.serial = serial;
    head.len = writer->len;
    hash_facts(head.facts);
    memcpy(writer->octets, &head, sizeof(head));
    hash_octets(writer->octets, writer->len, head.checksum);
    memcpy(writer->octets, head.checksum, sizeof(head.checksum));
    *octets_r = writer->octets;
    *len_r = writer->len;
    return 0;
}
