/*
 * Walks an LMDB file the way LMDB would, but believes nothing: a page is read
 * into memory of ours, judged there, and claimed in a map with one bit a page,
 * so that no page serves twice.  The offsets below are those of the 64-bit
 * format 1, which LMDB 0.9 writes; lmdb_page.h draws the other pages.
 *
 * Refuses whatever would make LMDB read or write outside a page, follow a page
 * twice, trip one of its assertions or hand a page in use to a writer.
 */
#include "core/store/lmdb_check_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lmdb_page.h"

_Static_assert(sizeof(size_t) == 8, "LMDB files of 64-bit machines only");

enum {
    META_END = 152,  /* octets used of a meta page */
    KEY_MOST = 511,  /* LMDB's own compiled-in limit */
    DEPTH_MOST = 32, /* LMDB's cursors hold no more */
    TRIES = 16,      /* while others write */
};
#define FLAGS_FREE 0x08u      /* integer keys */
#define FLAGS_ONE_FILE 0x4000u /* how the file was opened when made; harmless */
#define NO_PAGE UINT64_MAX
#define TXN_MOST (UINT64_MAX / 2)
#define LAST_MOST (UINT64_C(1) << 40) /* keeps page numbers times page size in 64 bits */
/* Pages that were handed out and given back within one transaction are never
 * written: the file may end before its last page in use.  No transaction of ours
 * comes near this, and the map of pages stays small. */
#define UNWRITTEN_MOST (UINT64_C(1) << 20)

struct tree {
    uint16_t flags, depth;
    uint64_t branches, leaves, overflows, entries, root;
};

struct meta {
    uint32_t page_size;
    uint64_t map_size, last, txn;
    struct tree free, main;
};

struct check {
    int fd;
    struct meta meta; /* the newest */
    uint64_t pages_left;
    uint8_t *seen; /* a bit a page, up to meta.last */
    char *why;
};

enum role { ROLE_FREE, ROLE_MAIN, ROLE_NAMED };

struct walk {
    struct check *check;
    enum role role;
    struct tree told, found;
    uint8_t *pages; /* a page for each level */
    bool any, separator; /* there was a key; it was a branch's: equal may follow */
    uint8_t last[KEY_MOST];
    size_t last_len;
};

/* A list of free pages: how many are still to come, and the one before. */
struct free_list {
    bool counted;
    uint64_t left, before;
};

__attribute__((format(printf, 2, 3)))
static int bad(struct check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, WEIR_LMDB_WHY, format, args);
    va_end(args);
    return WEIR_ECORRUPT;
}

static int bad_page(struct check *c, uint64_t page, const char *reason)
{
    return bad(c, "page %llu: %s", (unsigned long long)page, reason);
}

/* Reads all of len octets: 1, 0 when the file ends before, or WEIR_EIO. */
static int octets_read(int fd, void *room, size_t len, uint64_t offset)
{
    uint8_t *at = room;
    while (len > 0) {
        ssize_t got = pread(fd, at, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return WEIR_EIO;
        if (got == 0)
            return 0;
        at += got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }
    return 1;
}

/* Marks count pages as used by one owner. */
static int pages_claim(struct check *c, uint64_t page, uint64_t count)
{
    if (page < 2 || page > c->meta.last || count > c->meta.last - page + 1)
        return bad_page(c, page, "lies outside the pages in use");
    for (uint64_t n = page; n < page + count; n++) {
        uint8_t bit = (uint8_t)(1u << (n % 8));
        if (c->seen[n / 8] & bit)
            return bad_page(c, n, "is used twice");
        c->seen[n / 8] |= bit;
    }
    return 0;
}

/* Reads the first len octets of a claimed page: 1, 0 when pages_most is used
 * up, or an error. */
static int page_read(struct check *c, uint64_t page, uint8_t *room, size_t len)
{
    if (c->pages_left == 0)
        return 0;
    c->pages_left--;
    int rc = octets_read(c->fd, room, len, page * c->meta.page_size);
    if (rc == 0)
        return bad_page(c, page, "lies behind the end of the file");
    if (rc > 0 && weir_lmdb_u64(room) != page)
        return bad_page(c, page, "carries another page's number");
    return rc;
}

static struct tree tree_parse(const uint8_t *at)
{
    return (struct tree){
        .flags = weir_lmdb_u16(at + 4),
        .depth = weir_lmdb_u16(at + 6),
        .branches = weir_lmdb_u64(at + 8),
        .leaves = weir_lmdb_u64(at + 16),
        .overflows = weir_lmdb_u64(at + 24),
        .entries = weir_lmdb_u64(at + 32),
        .root = weir_lmdb_u64(at + 40),
    };
}

/* Free lists. ------------------------------------------------------------ */

static int free_list_more(struct check *c, struct free_list *list, const uint8_t *octets,
                          size_t count)
{
    if (!list->counted && count > 0) {
        list->counted = true;
        list->before = UINT64_MAX;
        if (weir_lmdb_u64(octets) > list->left - 1)
            return bad(c, "a list of free pages is longer than its record");
        list->left = weir_lmdb_u64(octets);
        octets += 8;
        count--;
    }
    for (; count > 0 && list->left > 0; count--, list->left--, octets += 8) {
        uint64_t page = weir_lmdb_u64(octets);
        if (page >= list->before)
            return bad(c, "a list of free pages is not in order");
        list->before = page;
        int rc = pages_claim(c, page, 1);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Reads a list that lies in an overflow run, page by page.  1, 0 or an error. */
static int free_list_read(struct check *c, uint64_t page, uint64_t len)
{
    struct free_list list = {.left = len / 8};
    uint64_t offset = page * c->meta.page_size + WEIR_LMDB_HEAD;
    uint8_t part[WEIR_LMDB_PAGE_LEAST];
    while (len > 0) {
        size_t now = len < sizeof(part) ? (size_t)len : sizeof(part);
        if (c->pages_left == 0)
            return 0;
        c->pages_left--;
        int rc = octets_read(c->fd, part, now, offset);
        if (rc == 0)
            return bad_page(c, page, "lies behind the end of the file");
        if (rc > 0)
            rc = free_list_more(c, &list, part, now / 8);
        if (rc < 0)
            return rc;
        offset += now;
        len -= now;
    }
    return 1;
}

/* Nodes. ----------------------------------------------------------------- */

/* Keys must ascend through the whole tree; a branch's key is above all to its
 * left and not above the first to its right. */
static int key_follow(struct walk *w, uint64_t page, const uint8_t *key, size_t len,
                      bool separator)
{
    uint8_t number[8];
    if (len == 0 || len > KEY_MOST || (w->role == ROLE_FREE && len != sizeof(number)))
        return bad_page(w->check, page, "has a key of a wrong length");
    if (w->role == ROLE_FREE) {
        uint64_t txn = weir_lmdb_u64(key);
        if (txn == 0 || txn > w->check->meta.txn)
            return bad_page(w->check, page, "has a free list of no transaction");
        for (size_t i = 0; i < sizeof(number); i++)
            number[i] = (uint8_t)(txn >> (56 - 8 * i));
        key = number;
    }
    if (w->any) {
        int order = memcmp(w->last, key, len < w->last_len ? len : w->last_len);
        if (order == 0)
            order = w->last_len < len ? -1 : w->last_len > len;
        if (order > 0 || (order == 0 && (separator || !w->separator)))
            return bad_page(w->check, page, "has keys out of order");
    }
    memcpy(w->last, key, len);
    w->last_len = len;
    w->any = true;
    w->separator = separator;
    return 0;
}

static int tree_walk(struct check *c, enum role role, const struct tree *told);

/* A value in an overflow run of its own.  1, 0 or an error. */
static int overflow_walk(struct walk *w, uint64_t page, uint64_t len)
{
    struct check *c = w->check;
    uint8_t head[WEIR_LMDB_HEAD];
    if (page < 2 || page > c->meta.last)
        return bad_page(c, page, "lies outside the pages in use");
    int rc = page_read(c, page, head, sizeof(head));
    if (rc <= 0)
        return rc;
    uint64_t count = weir_lmdb_u32(head + 12);
    uint64_t need = (WEIR_LMDB_HEAD + len + c->meta.page_size - 1) / c->meta.page_size;
    if (weir_lmdb_u16(head + 10) != WEIR_LMDB_OVERFLOW || count < need)
        return bad_page(c, page, "is no overflow run of the value's length");
    rc = pages_claim(c, page, count);
    if (rc < 0)
        return rc;
    uint8_t octet;
    rc = octets_read(c->fd, &octet, 1, page * c->meta.page_size + need * c->meta.page_size - 1);
    if (rc <= 0)
        return rc < 0 ? rc : bad_page(c, page, "lies behind the end of the file");
    w->found.overflows += count;
    return w->role == ROLE_FREE ? free_list_read(c, page, len) : 1;
}

/* The value of a leaf's node.  1, 0 or an error. */
static int value_walk(struct walk *w, uint64_t page, const struct weir_lmdb_node *node)
{
    if (w->role == ROLE_FREE && (node->value_len < 8 || node->value_len % 8 != 0))
        return bad_page(w->check, page, "has a free list of a wrong length");
    if (node->flags == WEIR_LMDB_APART)
        return overflow_walk(w, weir_lmdb_u64(node->value), node->value_len);
    if (w->role == ROLE_FREE) {
        struct free_list list = {.left = node->value_len / 8};
        int rc = free_list_more(w->check, &list, node->value, node->value_len / 8);
        return rc < 0 ? rc : 1;
    }
    if (node->flags == WEIR_LMDB_TREE) {
        struct tree told = tree_parse(node->value);
        return tree_walk(w->check, ROLE_NAMED, &told);
    }
    return 1;
}

static bool flags_ok(const struct walk *w, const struct weir_lmdb_node *node)
{
    if (node->flags == WEIR_LMDB_TREE)
        return w->role == ROLE_MAIN && node->value_len == WEIR_LMDB_DATABASE;
    return node->flags == WEIR_LMDB_PLAIN || node->flags == WEIR_LMDB_APART;
}

/* Pages. ----------------------------------------------------------------- */

static int leaf_walk(struct walk *w, uint64_t number, const uint8_t *page)
{
    size_t nodes = weir_lmdb_page_nodes(page);
    w->found.leaves++;
    w->found.entries += nodes;
    for (size_t n = 0; n < nodes; n++) {
        struct weir_lmdb_node node = weir_lmdb_page_node(page, n);
        if (!flags_ok(w, &node))
            return bad_page(w->check, number, "has a node that is none of ours");
        int rc = key_follow(w, number, node.key, node.key_len, false);
        if (rc == 0)
            rc = value_walk(w, number, &node);
        if (rc <= 0)
            return rc;
    }
    return 1;
}

static int page_walk(struct walk *w, unsigned level, uint64_t number);

static int branch_walk(struct walk *w, unsigned level, uint64_t number, const uint8_t *page)
{
    size_t nodes = weir_lmdb_page_nodes(page);
    w->found.branches++;
    for (size_t n = 0; n < nodes; n++) {
        struct weir_lmdb_node node = weir_lmdb_page_node(page, n);
        /* the first key of a branch stands for "everything before the second" */
        int rc = n == 0 ? 0 : key_follow(w, number, node.key, node.key_len, true);
        if (rc == 0)
            rc = page_walk(w, level + 1, node.child);
        if (rc <= 0)
            return rc;
    }
    return 1;
}

/* A page and all below it; level is below the tree's depth.  1, 0 or an error. */
static int page_walk(struct walk *w, unsigned level, uint64_t number)
{
    size_t page_size = w->check->meta.page_size;
    uint8_t *page = w->pages + level * page_size;
    bool leaf = level + 1u == w->told.depth;
    int rc = pages_claim(w->check, number, 1);
    if (rc == 0)
        rc = page_read(w->check, number, page, page_size);
    if (rc <= 0)
        return rc;
    /* the free database may keep a branch with one child */
    size_t least = leaf || w->role == ROLE_FREE ? 1 : 2;
    const char *fault = weir_lmdb_page_fault(page, page_size, leaf, least);
    if (fault)
        return bad_page(w->check, number, fault);
    return leaf ? leaf_walk(w, number, page) : branch_walk(w, level, number, page);
}

/* Trees. ----------------------------------------------------------------- */

static bool tree_shape_ok(enum role role, const struct tree *told)
{
    uint16_t flags = role == ROLE_FREE ? told->flags & (uint16_t)~FLAGS_ONE_FILE : told->flags;
    if (flags != (role == ROLE_FREE ? FLAGS_FREE : 0) || told->depth > DEPTH_MOST)
        return false;
    if (told->root == NO_PAGE)
        return told->depth == 0 && told->entries == 0;
    return told->depth > 0;
}

/* A whole tree.  1, 0 when pages_most is used up, or an error. */
static int tree_walk(struct check *c, enum role role, const struct tree *told)
{
    static const char *const name[] = {"free", "main", "named"};
    if (!tree_shape_ok(role, told))
        return bad(c, "the %s database's record is not one of ours", name[role]);
    if (told->root == NO_PAGE)
        return 1;
    struct walk *w = calloc(1, sizeof(*w));
    uint8_t *pages = malloc((size_t)told->depth * c->meta.page_size);
    int rc = WEIR_ENOMEM;
    if (w && pages) {
        *w = (struct walk){.check = c, .role = role, .told = *told, .pages = pages};
        rc = page_walk(w, 0, told->root);
        const struct tree *found = &w->found;
        if (rc == 1 && (found->branches != told->branches || found->leaves != told->leaves ||
                        found->overflows != told->overflows || found->entries != told->entries))
            rc = bad(c, "the %s database holds not what its record says", name[role]);
    }
    free(pages);
    free(w);
    return rc;
}

/* The file. -------------------------------------------------------------- */

static bool page_size_ok(uint32_t size)
{
    return size >= WEIR_LMDB_PAGE_LEAST && size <= WEIR_LMDB_PAGE_MOST && (size & (size - 1)) == 0;
}

static int meta_parse(struct check *c, unsigned number, const uint8_t page[static META_END],
                      struct meta *meta_r)
{
    if (weir_lmdb_u64(page) != number || weir_lmdb_u16(page + 10) != WEIR_LMDB_META ||
        weir_lmdb_u32(page + 16) != 0xBEEFC0DE)
        return bad_page(c, number, "is no meta page of LMDB");
    if (weir_lmdb_u32(page + 20) != 1)
        return bad_page(c, number, "is of another version of LMDB");
    *meta_r = (struct meta){
        .map_size = weir_lmdb_u64(page + 32),
        .page_size = weir_lmdb_u32(page + 40),
        .free = tree_parse(page + 40),
        .main = tree_parse(page + 88),
        .last = weir_lmdb_u64(page + 136),
        .txn = weir_lmdb_u64(page + 144),
    };
    if (!page_size_ok(meta_r->page_size))
        return bad_page(c, number, "names a page size that LMDB does not have");
    return 0;
}

/* Of the two metas the newer one holds; LMDB finds it by the last bit of its
 * transaction's number, so that must agree with its place. */
static int meta_choose(struct check *c, const struct meta meta[2], uint64_t file_size)
{
    unsigned newer = meta[1].txn > meta[0].txn;
    const struct meta *m = &meta[newer];
    if (meta[0].page_size != meta[1].page_size)
        return bad(c, "the meta pages differ in their page size");
    if (m->txn > TXN_MOST || (m->txn & 1) != newer || (m->txn > 0 && meta[!newer].txn >= m->txn))
        return bad_page(c, newer, "has a transaction number that cannot be");
    if (m->last < 1 || m->last > LAST_MOST || m->last >= m->map_size / m->page_size ||
        m->last > file_size / m->page_size + UNWRITTEN_MOST)
        return bad_page(c, newer, "names a last page outside map and file");
    c->meta = *m;
    return 0;
}

/* Fetches both metas, as far as there are any: what is not there stays zero. */
static int metas_fetch(int fd, uint8_t octets[static 2 * META_END])
{
    memset(octets, 0, 2 * META_END);
    int rc = octets_read(fd, octets, META_END, 0);
    uint32_t page_size = weir_lmdb_u32(octets + 40);
    if (rc == 1 && page_size_ok(page_size))
        rc = octets_read(fd, octets + META_END, META_END, page_size);
    return rc < 0 ? rc : 0;
}

static int metas_parse(struct check *c, uint64_t file_size,
                       const uint8_t octets[static 2 * META_END])
{
    struct meta meta[2];
    int rc = meta_parse(c, 0, octets, &meta[0]);
    if (rc == 0)
        rc = meta_parse(c, 1, octets + META_END, &meta[1]);
    return rc < 0 ? rc : meta_choose(c, meta, file_size);
}

static int trees_walk(struct check *c)
{
    c->seen = calloc(c->meta.last / 8 + 1, 1);
    if (!c->seen)
        return WEIR_ENOMEM;
    int rc = tree_walk(c, ROLE_MAIN, &c->meta.main);
    if (rc == 1)
        rc = tree_walk(c, ROLE_FREE, &c->meta.free);
    free(c->seen);
    c->seen = NULL;
    return rc < 0 ? rc : 1;
}

int weir_lmdb_newest_fd(int fd, uint64_t *txn_r, uint64_t *octets_r)
{
    char why[WEIR_LMDB_WHY];
    uint8_t octets[2 * META_END];
    struct check c = {.fd = fd, .why = why};
    struct stat st;
    if (fstat(fd, &st) != 0)
        return WEIR_EIO;
    int rc = metas_fetch(fd, octets);
    if (rc == 0)
        rc = metas_parse(&c, (uint64_t)st.st_size, octets);
    if (rc == 0) {
        *txn_r = c.meta.txn;
        *octets_r = (c.meta.last + 1) * c.meta.page_size;
    }
    return rc;
}

/* One look at the file as it is now.  *moved_r: somebody has committed since. */
static int file_check(struct check *c, bool *moved_r)
{
    struct stat st;
    uint8_t before[2 * META_END], after[2 * META_END];
    *moved_r = false;
    if (fstat(c->fd, &st) != 0)
        return WEIR_EIO;
    if (!S_ISREG(st.st_mode))
        return bad(c, "it is no plain file");
    if (st.st_size == 0)
        return 0;
    int rc = metas_fetch(c->fd, before);
    if (rc == 0)
        rc = metas_parse(c, (uint64_t)st.st_size, before);
    if (rc == 0)
        rc = trees_walk(c);
    if (rc == WEIR_ECORRUPT && metas_fetch(c->fd, after) == 0)
        *moved_r = memcmp(before, after, sizeof(before)) != 0;
    return rc;
}

int weir_lmdb_check_fd(int fd, uint64_t pages_most, char why[static WEIR_LMDB_WHY])
{
    for (unsigned tries = 0; tries < TRIES; tries++) {
        struct check c = {.fd = fd, .pages_left = pages_most, .why = why};
        bool moved;
        why[0] = '\0';
        int rc = file_check(&c, &moved);
        if (!moved)
            return rc;
    }
    snprintf(why, WEIR_LMDB_WHY, "the file changes too quickly to be read");
    errno = EAGAIN;
    return WEIR_EIO;
}

int weir_lmdb_check(const char *path, uint64_t pages_most, char why[static WEIR_LMDB_WHY])
{
    why[0] = '\0';
    /* not blocking, lest somebody put a pipe there */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : WEIR_EIO;
    int rc = weir_lmdb_check_fd(fd, pages_most, why);
    int saved = errno;
    close(fd);
    errno = saved;
    return rc;
}
