/*
 * Files that LMDB wrote must pass; what passes must not hurt LMDB.  The second
 * half is shown by damaging files in every place and many ways, and letting LMDB
 * read and write, in a child process, each one that the check lets through.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_check_io.h"
#include "tests/unit/lmdb_walk.h"
#include "tests/unit/scratch.h"
#include "tests/unit/seeded.h"

#define PAGE ((size_t)4096)

/* Making files. ---------------------------------------------------------- */

static MDB_env *env_make(const char *path, unsigned flags)
{
    MDB_env *env;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_set_mapsize(env, 64u << 20), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC | flags, 0600),
                     0);
    return env;
}

static MDB_txn *begin(MDB_env *env, const char *name, unsigned flags, MDB_dbi *dbi_r)
{
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, name, flags, dbi_r), 0);
    return txn;
}

static void put(MDB_txn *txn, MDB_dbi dbi, unsigned number, size_t key_len, size_t value_len)
{
    char key[512], value[20000];
    assert_true(key_len <= 511 && value_len <= sizeof(value));
    memset(key, 'k', sizeof(key));
    memset(value, 'v', sizeof(value));
    char digits[12];
    snprintf(digits, sizeof(digits), "%08u", number);
    memcpy(key, digits, 8);
    MDB_val k = {.mv_size = key_len, .mv_data = key};
    MDB_val v = {.mv_size = value_len, .mv_data = value};
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
}

static void del(MDB_txn *txn, MDB_dbi dbi, unsigned number, size_t key_len)
{
    char key[512];
    memset(key, 'k', sizeof(key));
    char digits[12];
    snprintf(digits, sizeof(digits), "%08u", number);
    memcpy(key, digits, 8);
    MDB_val k = {.mv_size = key_len, .mv_data = key};
    int rc = mdb_del(txn, dbi, &k, NULL);
    assert_true(rc == 0 || rc == MDB_NOTFOUND);
}

static void make_new(MDB_env *env)
{
    (void)env;
}

static void make_small(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 5; i++)
        put(txn, dbi, i, 8 + i, 3 * i);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void make_deep(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 150; i++)
        put(txn, dbi, i * 7919 % 1000, 511, 700);
    MDB_stat stat;
    assert_int_equal(mdb_stat(txn, dbi, &stat), 0);
    assert_true(stat.ms_depth >= 4);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void make_overflow(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 6; i++)
        put(txn, dbi, i, 20, 1000 + 3000 * i);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

/* Deletions make free lists; a value of several pages that comes and goes within one
 * transaction leaves pages behind the file's end that were never written. */
static void make_deleted(MDB_env *env)
{
    MDB_dbi dbi;
    for (unsigned round = 0; round < 6; round++) {
        MDB_txn *txn = begin(env, NULL, 0, &dbi);
        for (unsigned i = 0; i < 40; i++)
            put(txn, dbi, round % 2 == 0 ? i : i * 3, 24, i % 5 == 0 ? 6000 : 60);
        assert_int_equal(mdb_txn_commit(txn), 0);
        txn = begin(env, NULL, 0, &dbi);
        for (unsigned i = 0; i < 120; i += 2)
            del(txn, dbi, i, 24);
        put(txn, dbi, 999, 24, 19000);
        del(txn, dbi, 999, 24);
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
}

/* So many free pages that their list needs a page run of its own. */
static void make_long_free_list(MDB_env *env)
{
    MDB_dbi dbi;
    MDB_txn *txn = begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 1200; i++)
        put(txn, dbi, i, 16, 1900);
    assert_int_equal(mdb_txn_commit(txn), 0);
    txn = begin(env, NULL, 0, &dbi);
    assert_int_equal(mdb_drop(txn, dbi, 0), 0);
    put(txn, dbi, 1, 16, 10);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void make_named(MDB_env *env)
{
    static const char *const name[] = {"one", "two", "three"};
    for (size_t n = 0; n < 3; n++) {
        MDB_dbi dbi;
        MDB_txn *txn = begin(env, name[n], MDB_CREATE, &dbi);
        for (unsigned i = 0; i < 60 * n; i++)
            put(txn, dbi, i, 16, i % 9 == 0 ? 3000 : 50);
        assert_int_equal(mdb_txn_commit(txn), 0);
    }
}

struct shape {
    const char *name;
    void (*make)(MDB_env *env);
    bool mutated; /* small enough to be damaged everywhere */
};

static const struct shape shapes[] = {
    {"new", make_new, true},
    {"small", make_small, true},
    {"deep", make_deep, false},
    {"overflow", make_overflow, true},
    {"deleted", make_deleted, true},
    {"long free list", make_long_free_list, false},
    {"named", make_named, true},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

struct image {
    uint8_t *octets;
    size_t len;
};

static struct image image_read(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    struct image image = {.octets = malloc((size_t)st.st_size + 1), .len = (size_t)st.st_size};
    assert_non_null(image.octets);
    assert_int_equal(read(fd, image.octets, image.len), (ssize_t)image.len);
    close(fd);
    return image;
}

static struct image image_make(struct scratch *s, const struct shape *shape)
{
    char path[256], lock[300];
    snprintf(path, sizeof(path), "%s", scratch_path(s, "shape.db"));
    snprintf(lock, sizeof(lock), "%s-lock", path);
    MDB_env *env = env_make(path, 0);
    shape->make(env);
    mdb_env_close(env);
    struct image image = image_read(path);
    unlink(path);
    unlink(lock);
    return image;
}

/* A file in memory with this content, for the check and, by its path, for LMDB. */
static int memory_file(const uint8_t *octets, size_t len, char path[static 64])
{
    int fd = memfd_create("weir-test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t at = 0; at < len;) {
        ssize_t done = pwrite(fd, octets + at, len - at, (off_t)at);
        assert_true(done > 0);
        at += (size_t)done;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/* What LMDB wrote. ------------------------------------------------------- */

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

static void every_shape_that_lmdb_writes_is_sound(void **state)
{
    for (size_t i = 0; i < SHAPES; i++) {
        char why[WEIR_LMDB_WHY], path[64];
        struct image image = image_make(*state, &shapes[i]);
        int fd = memory_file(image.octets, image.len, path);
        int rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1)
            fail_msg("%s: %d %s", shapes[i].name, rc, why);
        assert_string_equal(why, "");
        lmdb_walk(path);
        rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1)
            fail_msg("%s after a walk: %d %s", shapes[i].name, rc, why);
        close(fd);
        free(image.octets);
    }
}

static void change_some(MDB_env *env, struct seeded *s)
{
    static const char *const name[] = {NULL, "one", "two"};
    MDB_dbi dbi;
    unsigned which = seeded_below(s, 3);
    MDB_txn *txn = begin(env, name[which], MDB_CREATE, &dbi);
    unsigned n = seeded_below(s, 60);
    for (unsigned i = 0; i < n; i++) {
        unsigned number = seeded_below(s, 400);
        if (seeded_below(s, 5) < 3)
            put(txn, dbi, number, 12, seeded_below(s, seeded_below(s, 9) == 0 ? 20000 : 150));
        else
            del(txn, dbi, number, 12);
    }
    if (which > 0 && seeded_below(s, 40) == 0) /* LMDB forbids to drop those below */
        assert_int_equal(mdb_drop(txn, dbi, 0), 0);
    if (seeded_below(s, 10) == 0)
        mdb_txn_abort(txn);
    else
        assert_int_equal(mdb_txn_commit(txn), 0);
}

static void a_file_is_sound_after_every_one_of_many_random_transactions(void **state)
{
    struct seeded s = seeded_new(__func__);
    char path[256], why[WEIR_LMDB_WHY];
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "random.db"));
    MDB_env *env = env_make(path, 0);
    MDB_txn *reader = NULL;
    for (unsigned i = 0; i < 400; i++) {
        /* a reader now and then makes the lists of free pages grow */
        if (seeded_below(&s, 10) == 0 && reader) {
            mdb_txn_abort(reader);
            reader = NULL;
        } else if (!reader && seeded_below(&s, 10) == 0) {
            assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &reader), 0);
        }
        change_some(env, &s);
        int rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1)
            fail_msg("transaction %u: %d %s", i, rc, why);
    }
    mdb_txn_abort(reader);
    mdb_env_close(env);
}

static void a_file_may_end_before_pages_that_were_never_written(void **state)
{
    char path[256], why[WEIR_LMDB_WHY];
    struct stat st;
    MDB_envinfo info;
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "short.db"));
    MDB_env *env = env_make(path, 0);
    MDB_dbi dbi;
    make_deleted(env);
    MDB_txn *txn = begin(env, NULL, 0, &dbi);
    for (unsigned i = 0; i < 60; i++)
        put(txn, dbi, 2000 + i, 24, 20000);
    for (unsigned i = 0; i < 60; i++)
        del(txn, dbi, 2000 + i, 24);
    assert_int_equal(mdb_txn_commit(txn), 0);
    assert_int_equal(mdb_env_info(env, &info), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true((size_t)st.st_size < (info.me_last_pgno + 1) * PAGE);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 1);
    mdb_env_close(env);
}

static void what_is_no_file_of_lmdb_is_told_from_what_is_damaged(void **state)
{
    char path[256], why[WEIR_LMDB_WHY];
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "other"));
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 0);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 0);
    assert_int_equal(write(fd, "not a database", 14), 14);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), WEIR_ECORRUPT);
    assert_string_equal(why, "page 0: is no meta page of LMDB");
    close(fd);
    assert_int_equal(weir_lmdb_check(((struct scratch *)*state)->directory, 1, why), WEIR_ECORRUPT);
    assert_string_equal(why, "it is no plain file");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), WEIR_ECORRUPT);
    assert_int_equal(weir_lmdb_check("/dev/null/x", UINT64_MAX, why), WEIR_EIO);
    assert_int_equal(errno, ENOTDIR);
}

static void databases_with_flags_are_not_ours(void **state)
{
    static const unsigned flags[] = {MDB_DUPSORT, MDB_INTEGERKEY, MDB_REVERSEKEY,
                                     MDB_DUPSORT | MDB_DUPFIXED};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        for (int named = 0; named < 2; named++) {
            char path[256], why[WEIR_LMDB_WHY];
            snprintf(path, sizeof(path), "%s", scratch_path(*state, "flags.db"));
            MDB_env *env = env_make(path, MDB_NOLOCK);
            MDB_dbi dbi;
            MDB_txn *txn = begin(env, named ? "one" : NULL, flags[i] | MDB_CREATE, &dbi);
            put(txn, dbi, 1, 8, 8);
            assert_int_equal(mdb_txn_commit(txn), 0);
            mdb_env_close(env);
            assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), WEIR_ECORRUPT);
            unlink(path);
        }
    }
}

static void pages_most_bounds_the_work(void **state)
{
    char why[WEIR_LMDB_WHY], path[64];
    struct image image = image_make(*state, &shapes[2]);
    MDB_envinfo info;
    int fd = memory_file(image.octets, image.len, path);
    MDB_env *env = env_make(path, MDB_NOLOCK | MDB_RDONLY);
    assert_int_equal(mdb_env_info(env, &info), 0);
    mdb_env_close(env);
    /* all pages of the tree but the last one read are good enough for a bounded look */
    uint64_t need = 0;
    while (need < info.me_last_pgno) {
        uint8_t zero[16] = {0};
        assert_int_equal(pwrite(fd, zero, sizeof(zero), (off_t)(PAGE * 2)), sizeof(zero));
        if (weir_lmdb_check_fd(fd, need, why) != 1)
            break;
        need++;
    }
    assert_true(need > 0 && need < info.me_last_pgno);
    assert_int_equal(weir_lmdb_check_fd(fd, need - 1, why), 1);
    assert_int_equal(weir_lmdb_check_fd(fd, need, why), WEIR_ECORRUPT);
    assert_int_equal(weir_lmdb_check_fd(fd, 0, why), 1);
    close(fd);
    free(image.octets);
}

static void the_newest_transaction_and_its_octets_are_told(void **state)
{
    char path[64];
    uint64_t txn, octets;
    struct image image = image_make(*state, &shapes[1]);
    int fd = memory_file(image.octets, image.len, path);
    assert_int_equal(weir_lmdb_newest_fd(fd, &txn, &octets), 0);
    assert_int_equal(txn, 1);
    assert_int_equal(octets, image.len);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(weir_lmdb_newest_fd(fd, &txn, &octets), WEIR_ECORRUPT);
    close(fd);
    free(image.octets);
}

/* Damage. ---------------------------------------------------------------- */

/* A run of damaged files; the parent sees how far the child came. */
struct run {
    unsigned number, passed, refused;
};

struct series {
    struct image image;
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
    int fd = memory_file(octets, len, path);
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
    size_t pages = series->image.len / PAGE;
    return number < pages ? number * PAGE : (number - pages) * PAGE + PAGE / 2;
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
    size_t pages = series->image.len / PAGE;
    size_t page = number % pages, at = number / pages % 160;
    octets[page * PAGE + at] ^= values[(page + at) % 4];
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
    size_t pages = len / PAGE, width = (size_t)1 << seeded_below(s, 4);
    size_t page = seeded_below(s, (unsigned)pages) * PAGE;
    size_t near = seeded_below(s, 2) ? seeded_below(s, 200) : seeded_below(s, PAGE - 8);
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
        memcpy(octets + page, octets + seeded_below(s, (unsigned)pages) * PAGE, PAGE);
        break;
    default: /* the same, but saying it were the right one */
        memcpy(octets + page + 8, octets + seeded_below(s, (unsigned)pages) * PAGE + 8, PAGE - 8);
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
                              unsigned (*count)(const struct image *), uint64_t seed)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if (!shapes[i].mutated)
            continue;
        struct series series = {.image = image_make(s, &shapes[i]), .damage = damage,
                                .seed = seed};
        series.count = count(&series.image);
        series_run(shapes[i].name, &series);
        free(series.image.octets);
    }
}

static unsigned two_a_page(const struct image *image)
{
    return (unsigned)(2 * image->len / PAGE);
}

/* Two minutes' worth of files would be no better: WEIR_MUTATIONS=50000 for those. */
static unsigned at_most(size_t count)
{
    const char *more = getenv("WEIR_MUTATIONS");
    size_t most = more ? strtoul(more, NULL, 10) : 600;
    return (unsigned)(count < most ? count : most);
}

static unsigned regions(const struct image *image)
{
    return at_most(image->len / 16);
}

static unsigned heads(const struct image *image)
{
    return at_most(image->len / PAGE * 160);
}

static unsigned many(const struct image *image)
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

/* While others write. ---------------------------------------------------- */

static void write_without_end(const char *path, uint64_t seed)
{
    struct seeded s = {.state = seed * 2 + 1};
    MDB_env *env = env_make(path, 0);
    for (;;)
        change_some(env, &s);
}

static void a_file_that_others_write_is_never_called_damaged(void **state)
{
    struct seeded s = seeded_new(__func__);
    char path[256], why[WEIR_LMDB_WHY];
    unsigned sound = 0;
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "busy.db"));
    MDB_env *env = env_make(path, 0);
    change_some(env, &s);
    mdb_env_close(env);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_without_end(path, s.state);
    for (unsigned i = 0; i < 500; i++) {
        int rc = weir_lmdb_check(path, UINT64_MAX, why);
        if (rc != 1 && (rc != WEIR_EIO || errno != EAGAIN)) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
            fail_msg("look %u: %d %s", i, rc, why);
        }
        sound += rc == 1;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("    %u of 500 looks at a file changing without pause came through\n", sound);
    assert_true(sound > 0);
    assert_int_equal(weir_lmdb_check(path, UINT64_MAX, why), 1);
}

/* The way the header recommends for busy files. */
static void with_a_read_transaction_open_a_check_always_comes_through(void **state)
{
    struct seeded s = seeded_new(__func__);
    char path[256], why[WEIR_LMDB_WHY];
    int fd;
    snprintf(path, sizeof(path), "%s", scratch_path(*state, "held.db"));
    MDB_env *env = env_make(path, 0);
    change_some(env, &s);
    mdb_env_close(env);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_without_end(path, s.state);
    env = env_make(path, MDB_RDONLY);
    assert_int_equal(mdb_env_get_fd(env, &fd), 0);
    unsigned sound = 0;
    for (unsigned i = 0; i < 300; i++) {
        MDB_txn *txn;
        assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
        sound += weir_lmdb_check_fd(fd, UINT64_MAX, why) == 1;
        mdb_txn_abort(txn);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    mdb_env_close(env);
    assert_int_equal(sound, 300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_shape_that_lmdb_writes_is_sound),
        TEST(a_file_is_sound_after_every_one_of_many_random_transactions),
        TEST(a_file_may_end_before_pages_that_were_never_written),
        TEST(what_is_no_file_of_lmdb_is_told_from_what_is_damaged),
        TEST(databases_with_flags_are_not_ours),
        TEST(pages_most_bounds_the_work),
        TEST(the_newest_transaction_and_its_octets_are_told),
        TEST(a_file_cut_off_at_any_page_is_refused_or_harmless),
        TEST(an_octet_flipped_in_any_region_is_refused_or_harmless),
        TEST(any_octet_of_a_head_changed_is_refused_or_harmless),
        TEST(random_damage_is_refused_or_harmless),
        TEST(a_file_that_others_write_is_never_called_damaged),
        TEST(with_a_read_transaction_open_a_check_always_comes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
