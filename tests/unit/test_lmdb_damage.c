/*
 * What passes the check must not hurt LMDB.  A table shows that each kind of damage
 * is seen for what it is; then files are damaged in every place and many ways, and
 * LMDB reads and writes, in a child process, each one that the check lets through.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_check_io.h"
#include "tests/unit/lmdb_shapes.h"
#include "tests/unit/lmdb_walk.h"
#include "tests/unit/seeded.h"

static int setup(void **state)
{
    *state = scratch_new();
    return 0;
}

static int teardown(void **state)
{
    scratch_free(*state);
    return 0;
}

/* Damage. ---------------------------------------------------------------- */

/* Where in a file a change is made. */
enum place {
    META,       /* the newer meta page */
    META_OLD,
    MAIN,       /* the root of the main database */
    MAIN_0,     /* its first node */
    MAIN_1,     /* its second node */
    MAIN_0_KEY,
    MAIN_1_KEY,
    FREE,       /* the root of the free database, a leaf */
    FREE_0,
    FREE_0_KEY,
    FREE_0_LIST, /* how many pages, then pages */
    RUN,        /* the first overflow page of the main root, a leaf */
    RECORD,     /* of the first named database */
};

enum how { SET, ADD, COPY };

struct damage {
    const char *shape;
    enum place place;
    size_t offset, width;
    enum how how;
    uint64_t value; /* COPY: the offset it comes from */
    const char *why; /* part of the sentence */
};

static const struct damage damages[] = {
    {"small", META, 0, 8, SET, 7, "is no meta page"},
    {"small", META, 10, 2, SET, 2, "is no meta page"},
    {"small", META, 16, 4, SET, 0xBEEFC0DF, "is no meta page"},
    {"small", META_OLD, 16, 4, SET, 0, "is no meta page"},
    {"small", META, 20, 4, SET, 999, "another version"},
    {"small", META, 40, 4, SET, 0, "page size"},
    {"small", META, 40, 4, SET, 5000, "page size"},
    {"small", META, 40, 4, SET, 2048, "page size"},
    {"small", META, 40, 4, SET, 65536, "page size"},
    {"small", META, 40, 4, SET, 8192, "page size"},
    {"small", META, 32, 8, SET, 2 * LMDB_PAGE, "outside map and file"},
    {"small", META, 32, 8, SET, 0, "outside map and file"},
    {"small", META, 136, 8, SET, 0, "outside map and file"},
    {"small", META, 136, 8, SET, UINT64_MAX, "outside map and file"},
    {"small", META, 144, 8, ADD, 1, "transaction number"},
    {"small", META, 144, 8, SET, UINT64_MAX, "transaction number"},
    {"deleted", META_OLD, 144, 8, COPY, 144, "transaction number"},
    {"small", META, 44, 2, SET, 0x4000, "the free database's record"},
    {"small", META, 44, 2, SET, 0x400c, "the free database's record"},
    {"small", META, 92, 2, SET, 4, "the main database's record"},
    {"small", META, 94, 2, SET, 33, "the main database's record"},
    {"small", META, 94, 2, SET, 0, "the main database's record"},
    {"small", META, 94, 2, SET, 2, "not of the kind"},
    {"deep", META, 94, 2, ADD, UINT64_MAX, "not of the kind"},
    {"small", META, 128, 8, SET, 1, "outside the pages in use"},
    {"small", META, 128, 8, SET, 3, "outside the pages in use"},
    {"small", META, 128, 8, SET, UINT64_MAX, "the main database's record"},
    {"small", META, 120, 8, ADD, 1, "holds not what its record says"},
    {"small", META, 104, 8, ADD, 1, "holds not what its record says"},
    {"deep", META, 96, 8, ADD, 1, "holds not what its record says"},
    {"overflow", META, 112, 8, ADD, 1, "holds not what its record says"},
    {"deleted", META, 72, 8, ADD, 1, "holds not what its record says"},
    {"small", MAIN, 0, 8, SET, 3, "carries another page's number"},
    {"small", MAIN, 10, 2, SET, 1, "not of the kind"},
    {"small", MAIN, 10, 2, SET, 0x12, "not of the kind"},   /* dirty */
    {"small", MAIN, 10, 2, SET, 0x22, "not of the kind"},   /* keys only */
    {"small", MAIN, 10, 2, SET, 0x8002, "not of the kind"}, /* to be kept */
    {"small", MAIN, 12, 2, SET, 16, "wrong bounds"},
    {"small", MAIN, 12, 2, ADD, 1, "wrong bounds"},
    {"small", MAIN, 12, 2, SET, 0, "wrong bounds"},
    {"small", MAIN, 14, 2, SET, 20, "wrong bounds"},
    {"small", MAIN, 14, 2, SET, 4098, "wrong bounds"},
    {"small", MAIN, 14, 2, ADD, UINT64_MAX - 1, "no node's"},
    {"small", MAIN, 14, 2, ADD, 2, "not whole"},
    {"small", MAIN, 16, 2, SET, 4090, "not whole"},
    {"small", MAIN, 16, 2, SET, 65534, "not whole"},
    {"small", MAIN, 16, 2, ADD, 1, "not whole"},
    {"small", MAIN, 16, 2, SET, 100, "not whole"},
    {"small", MAIN, 16, 2, COPY, 18, "not whole"},
    {"small", MAIN_0, 0, 4, SET, 2030, "not whole"},
    {"small", MAIN_0, 0, 4, SET, UINT32_MAX, "not whole"},
    {"small", MAIN_0, 0, 4, ADD, 2, "not whole"},
    {"small", MAIN_1, 0, 4, SET, 0, "no node's"},
    {"small", MAIN_0, 6, 2, SET, 65535, "not whole"},
    {"small", MAIN_0, 4, 2, SET, 2, "none of ours"},
    {"small", MAIN_1, 4, 2, SET, 4, "none of ours"},
    {"small", MAIN_1, 4, 2, SET, 8, "none of ours"},
    {"small", MAIN_0_KEY, 0, 1, SET, 255, "keys out of order"},
    {"small", MAIN_1_KEY, 7, 1, SET, '/', "keys out of order"},
    {"deep", MAIN, 12, 2, SET, 18, "wrong bounds"}, /* one child only */
    {"deep", MAIN, 18, 2, COPY, 16, "not whole"},
    {"deep", MAIN_0, 0, 4, SET, 1, "outside the pages in use"},
    {"deep", MAIN_0, 0, 4, SET, 1u << 30, "outside the pages in use"},
    {"deep", MAIN_0, 4, 2, SET, 1, "outside the pages in use"},
    {"deep", MAIN_1_KEY, 0, 1, SET, 0, "keys out of order"},
    {"deep", MAIN_1_KEY, 0, 1, SET, 255, "keys out of order"},
    {"overflow", RUN, 0, 8, SET, 2, "carries another page's number"},
    {"overflow", RUN, 10, 2, SET, 2, "no overflow run"},
    {"overflow", RUN, 10, 2, SET, 0x14, "no overflow run"},
    {"overflow", RUN, 12, 4, SET, 0, "no overflow run"},
    {"overflow", RUN, 12, 4, ADD, UINT64_MAX, "no overflow run"},
    {"overflow", RUN, 12, 4, SET, 100, "outside the pages in use"},
    {"overflow", RUN, 12, 4, ADD, 1, "is used twice"},
    {"deleted", FREE, 0, 8, SET, 2, "carries another page's number"},
    {"deleted", FREE_0, 0, 4, ADD, UINT64_MAX, "free list of a wrong length"},
    {"deleted", FREE_0_KEY, 0, 8, SET, 0, "no transaction"},
    {"deleted", FREE_0_KEY, 0, 8, SET, 1000, "no transaction"},
    {"deleted", FREE_0_LIST, 0, 8, SET, 1000, "longer than its record"},
    {"deleted", FREE_0_LIST, 0, 8, SET, UINT64_MAX, "longer than its record"},
    {"deleted", FREE_0_LIST, 8, 8, SET, 1000000, "outside the pages in use"},
    {"deleted", FREE_0_LIST, 8, 8, SET, 1, "outside the pages in use"},
    {"deleted", FREE_0_LIST, 16, 8, COPY, 8, "not in order"},
    {"named", RECORD, 4, 2, SET, 4, "the named database's record"},
    {"named", RECORD, 6, 2, SET, 40, "the named database's record"},
    {"named", RECORD, 40, 8, SET, 1, "outside the pages in use"},
    {"named", RECORD, 32, 8, ADD, 1, "holds not what its record says"},
};

static uint64_t number_get(const uint8_t *at, size_t width)
{
    uint64_t value = 0;
    memcpy(&value, at, width);
    return value;
}

static uint8_t *node_of(uint8_t *page, size_t n)
{
    return page + number_get(page + 16 + 2 * n, 2);
}

static uint8_t *key_of(uint8_t *node)
{
    return node + 8;
}

static uint8_t *value_of(uint8_t *node)
{
    return node + 8 + number_get(node + 6, 2);
}

/* The first node of a leaf with these flags. */
static uint8_t *node_flagged(uint8_t *page, uint64_t flags)
{
    size_t n = 0, nodes = (number_get(page + 12, 2) - 16) / 2;
    while (n < nodes && number_get(node_of(page, n) + 4, 2) != flags)
        n++;
    assert_true(n < nodes);
    return node_of(page, n);
}

static uint8_t *place_find(uint8_t *file, enum place place)
{
    size_t newer = number_get(file + LMDB_PAGE + 144, 8) > number_get(file + 144, 8);
    uint8_t *meta = file + newer * LMDB_PAGE;
    uint8_t *main = file + number_get(meta + 128, 8) * LMDB_PAGE;
    uint8_t *free_root = file + number_get(meta + 80, 8) * LMDB_PAGE;
    switch (place) {
    case META:
        return meta;
    case META_OLD:
        return file + !newer * LMDB_PAGE;
    case MAIN:
        return main;
    case MAIN_0:
        return node_of(main, 0);
    case MAIN_1:
        return node_of(main, 1);
    case MAIN_0_KEY:
        return key_of(node_of(main, 0));
    case MAIN_1_KEY:
        return key_of(node_of(main, 1));
    case FREE:
        return free_root;
    case FREE_0:
        return node_of(free_root, 0);
    case FREE_0_KEY:
        return key_of(node_of(free_root, 0));
    case FREE_0_LIST:
        return value_of(node_of(free_root, 0));
    case RUN:
        return file + number_get(value_of(node_flagged(main, 1)), 8) * LMDB_PAGE;
    case RECORD:
        return value_of(node_flagged(main, 2));
    }
    return file;
}

static void damage_apply(const struct damage *damage, uint8_t *file)
{
    uint8_t *base = place_find(file, damage->place), *at = base + damage->offset;
    uint64_t value = damage->value;
    if (damage->how == ADD)
        value += number_get(at, damage->width);
    if (damage->how == COPY && damage->place == META_OLD)
        value = number_get(place_find(file, META) + damage->value, damage->width);
    else if (damage->how == COPY)
        value = number_get(base + damage->value, damage->width);
    memcpy(at, &value, damage->width);
}

static struct lmdb_image image_named(struct scratch *s, const char *name)
{
    size_t i = 0;
    while (i < LMDB_SHAPES && strcmp(lmdb_shapes[i].name, name) != 0)
        i++;
    assert_true(i < LMDB_SHAPES);
    return lmdb_image_make(s, &lmdb_shapes[i]);
}

static void every_kind_of_damage_is_named(void **state)
{
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        char why[WEIR_LMDB_WHY], path[64];
        struct lmdb_image image = image_named(*state, damages[i].shape);
        damage_apply(&damages[i], image.octets);
        int fd = lmdb_memory_file(image.octets, image.len, path);
        int rc = weir_lmdb_check_fd(fd, UINT64_MAX, why);
        if (rc != WEIR_ECORRUPT || !strstr(why, damages[i].why))
            fail_msg("damage %zu, want '%s': %d '%s'", i, damages[i].why, rc, why);
        close(fd);
        free(image.octets);
    }
}

/* A value's last octet beyond the end of the file. */
static void a_cut_overflow_run_is_damage(void **state)
{
    char why[WEIR_LMDB_WHY], path[64];
    struct lmdb_image image = image_named(*state, "overflow");
    int fd = lmdb_memory_file(image.octets, image.len - 1, path);
    assert_int_equal(weir_lmdb_check_fd(fd, UINT64_MAX, why), WEIR_ECORRUPT);
    assert_non_null(strstr(why, "lies behind the end of the file"));
    close(fd);
    free(image.octets);
}

/* A run of damaged files; the parent sees how far the child came. */
struct run {
    unsigned number, passed, refused;
};

struct series {
    struct lmdb_image image;
    unsigned count;
    size_t (*damage)(const struct series *series, unsigned number, uint8_t *octets);
    uint64_t seed;
};

/* Damages, checks and, where the check is content, lets LMDB loose. */
static void series_step(const struct series *series, struct run *run, uint8_t *octets)
{
    char why[WEIR_LMDB_WHY], path[64];
    memcpy(octets, series->image.octets, series->image.len);
    size_t len = series->damage(series, run->number, octets);
    int fd = lmdb_memory_file(octets, len, path);
    int rc = weir_lmdb_check_fd(fd, UINT64_MAX, why);
    if (rc == 1) {
        run->passed++;
        lmdb_walk(path);
    } else if (rc == WEIR_ECORRUPT && why[0] != '\0') {
        run->refused++;
    } else if (rc != 0 || len != 0) {
        fprintf(stderr, "unexpected answer %d (%s)\n", rc, why);
        _exit(3);
    }
    close(fd);
}

static void series_run(const char *name, const struct series *series)
{
    struct run *run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0);
    assert_true(run != MAP_FAILED);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        uint8_t *octets = malloc(series->image.len + 1);
        for (run->number = 0; octets && run->number < series->count; run->number++)
            series_step(series, run, octets);
        free(octets);
        _exit(octets ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    printf("    %s: %u files, %u refused, %u passed and walked\n", name, run->number, run->refused,
           run->passed);
    if (status != 0)
        fail_msg("%s: LMDB came to grief on file %u, seed %llu, status %x", name, run->number,
                 (unsigned long long)series->seed, (unsigned)status);
    munmap(run, sizeof(*run));
}

static size_t truncate_at_page(const struct series *series, unsigned number, uint8_t *octets)
{
    (void)octets;
    size_t pages = series->image.len / LMDB_PAGE;
    return number < pages ? number * LMDB_PAGE : (number - pages) * LMDB_PAGE + LMDB_PAGE / 2;
}

static size_t flip_in_region(const struct series *series, unsigned number, uint8_t *octets)
{
    struct seeded s = {.state = (series->seed + number) * 2 + 1};
    seeded_next(&s);
    size_t region = series->image.len / series->count;
    size_t at = number * region + seeded_below(&s, (unsigned)region);
    octets[at] ^= (uint8_t)(1u << seeded_below(&s, 8));
    return series->image.len;
}

/* The octets that LMDB steers by: the metas and the heads of all pages. */
static size_t change_head(const struct series *series, unsigned number, uint8_t *octets)
{
    static const uint8_t values[] = {0xff, 0x01, 0x80, 0x10};
    size_t pages = series->image.len / LMDB_PAGE;
    size_t page = number % pages, at = number / pages % 160;
    octets[page * LMDB_PAGE + at] ^= values[(page + at) % 4];
    return series->image.len;
}

static uint64_t odd_number(struct seeded *s, uint64_t pages)
{
    static const uint64_t numbers[] = {0, 1, 2, 16, 255, 4095, 4096, 65535, UINT64_MAX};
    unsigned which = seeded_below(s, 12);
    return which < 9 ? numbers[which] : seeded_next(s) % (pages + 2);
}

static void mutate(struct seeded *s, uint8_t *octets, size_t len)
{
    size_t pages = len / LMDB_PAGE, width = (size_t)1 << seeded_below(s, 4);
    size_t page = seeded_below(s, (unsigned)pages) * LMDB_PAGE;
    size_t near = seeded_below(s, 2) ? seeded_below(s, 200) : seeded_below(s, LMDB_PAGE - 8);
    uint64_t number = odd_number(s, pages);
    switch (seeded_below(s, 5)) {
    case 0: /* a number of some width, often in a head */
    case 1:
        memcpy(octets + page + (near & ~(width - 1)), &number, width);
        break;
    case 2: /* any bit */
        octets[page + near] ^= (uint8_t)(1u << seeded_below(s, 8));
        break;
    case 3: /* a page where another should be */
        memcpy(octets + page, octets + seeded_below(s, (unsigned)pages) * LMDB_PAGE, LMDB_PAGE);
        break;
    default: /* the same, but saying it were the right one */
        memcpy(octets + page + 8, octets + seeded_below(s, (unsigned)pages) * LMDB_PAGE + 8,
               LMDB_PAGE - 8);
        break;
    }
}

static size_t mutate_at_random(const struct series *series, unsigned number, uint8_t *octets)
{
    struct seeded s = {.state = (series->seed + number) * 2 + 1};
    seeded_next(&s);
    unsigned times = 1 + seeded_below(&s, 3);
    for (unsigned i = 0; i < times; i++)
        mutate(&s, octets, series->image.len);
    return series->image.len;
}

static void damage_all_shapes(struct scratch *s,
                              size_t (*damage)(const struct series *, unsigned, uint8_t *),
                              unsigned (*count)(const struct lmdb_image *), uint64_t seed)
{
    for (size_t i = 0; i < LMDB_SHAPES; i++) {
        if (!lmdb_shapes[i].small)
            continue;
        struct series series = {.image = lmdb_image_make(s, &lmdb_shapes[i]), .damage = damage,
                                .seed = seed};
        series.count = count(&series.image);
        series_run(lmdb_shapes[i].name, &series);
        free(series.image.octets);
    }
}

static unsigned two_a_page(const struct lmdb_image *image)
{
    return (unsigned)(2 * image->len / LMDB_PAGE);
}

/* Two minutes' worth of files would be no better: WEIR_MUTATIONS=50000 for those. */
static unsigned at_most(size_t count)
{
    const char *more = getenv("WEIR_MUTATIONS");
    size_t most = more ? strtoul(more, NULL, 10) : 600;
    return (unsigned)(count < most ? count : most);
}

static unsigned regions(const struct lmdb_image *image)
{
    return at_most(image->len / 16);
}

static unsigned heads(const struct lmdb_image *image)
{
    return at_most(image->len / LMDB_PAGE * 160);
}

static unsigned many(const struct lmdb_image *image)
{
    (void)image;
    return at_most(SIZE_MAX);
}

static void a_file_cut_off_at_any_page_is_refused_or_harmless(void **state)
{
    damage_all_shapes(*state, truncate_at_page, two_a_page, 0);
}

static void an_octet_flipped_in_any_region_is_refused_or_harmless(void **state)
{
    struct seeded s = seeded_new(__func__);
    damage_all_shapes(*state, flip_in_region, regions, s.state);
}

static void any_octet_of_a_head_changed_is_refused_or_harmless(void **state)
{
    damage_all_shapes(*state, change_head, heads, 0);
}

static void random_damage_is_refused_or_harmless(void **state)
{
    struct seeded s = seeded_new(__func__);
    damage_all_shapes(*state, mutate_at_random, many, s.state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_damage_is_named),
        TEST(a_cut_overflow_run_is_damage),
        TEST(a_file_cut_off_at_any_page_is_refused_or_harmless),
        TEST(an_octet_flipped_in_any_region_is_refused_or_harmless),
        TEST(any_octet_of_a_head_changed_is_refused_or_harmless),
        TEST(random_damage_is_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
