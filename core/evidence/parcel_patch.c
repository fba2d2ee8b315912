/*
 * A file is taken apart into the octets around its word list, and the list; where it has none, all
 * of it is in front.
 */
#include "core/evidence/parcel_patch.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <zstd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/evidence/bayes_columns.h"
#include "core/evidence/rule_parcel.h"

#define FIRST_LINE "weir-patch 1\n"
#define HEAD (sizeof FIRST_LINE - 1 + 8 + 5 * 4)
#define LEVEL 3 /* higher ones take much longer for a twentieth less */

_Static_assert(WEIR_RULE_PARCEL_MAX <= 1u << 25, "WINDOW covers two files");
#define WINDOW 26

struct parts {
    struct weir_slice front, list, behind;
};

struct head {
    uint64_t id;
    uint32_t file, front, behind, list, stream;
};

uint64_t weir_parcel_id(struct weir_slice file)
{
    uint8_t hash[crypto_generichash_BYTES] = {0};
    struct weir_reader reader = weir_reader(hash, sizeof hash);
    uint64_t id;

    if (file.len == 0)
        return 0;
    (void)crypto_generichash(hash, sizeof hash, (const uint8_t *)file.at, file.len, NULL, 0);
    id = weir_read_u64(&reader);
    return id > 0 ? id : 1;
}

static int take_apart(struct weir_slice file, struct parts *parts_r)
{
    struct weir_rule_parcel parcel;
    const char *why;
    struct weir_slice list;
    int rc;

    *parts_r = (struct parts){.front = file};
    if (file.len == 0)
        return 0;
    rc = weir_rule_parcel_read(file.at, file.len, NULL, &parcel, &why);
    list = parcel.section[WEIR_PARCEL_BAYES];
    if (rc < 0 || list.len == 0)
        return rc;
    *parts_r = (struct parts){weir_slice_between(file.at, list.at), list,
                              weir_slice_between(list.at + list.len, file.at + file.len)};
    return 0;
}

/* Making. ---------------------------------------------------------------------------------- */

/* The stream, malloc'ed. */
static int make_stream(const struct parts *before, const struct parts *next, void **stream_r,
                       size_t *len_r)
{
    size_t around = next->front.len + next->behind.len, len = 0;
    void *columns = NULL;
    char *stream;
    int rc = next->list.len > 0
                 ? weir_bayes_columns_make(before->list, next->list, &columns, &len) : 0;

    if (rc == 0 && len > WEIR_RULE_PARCEL_MAX - around)
        rc = WEIR_ELIMIT;
    stream = rc == 0 ? malloc(around + len + 1) : NULL;
    if (stream) {
        memcpy(stream, next->front.at, next->front.len);
        if (next->behind.len > 0)
            memcpy(stream + next->front.len, next->behind.at, next->behind.len);
        if (len > 0)
            memcpy(stream + around, columns, len);
    }
    free(columns);
    *stream_r = stream;
    *len_r = around + len;
    return rc == 0 && !stream ? WEIR_ENOMEM : rc;
}

/* As little of a window as covers both, for memory is taken for it. */
static int window_for(size_t octets)
{
    int window = 17;

    while (window < WINDOW && (size_t)1 << window < octets)
        window++;
    return window;
}

/* Behind the head's room: 0 with the octets of all. */
static int compress(struct weir_slice prefix, struct weir_slice stream, char *room, size_t size,
                    size_t *len_r)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    size_t len;

    if (!zstd)
        return WEIR_ENOMEM;
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window_for(prefix.len + stream.len));
    (void)ZSTD_CCtx_refPrefix(zstd, prefix.at, prefix.len);
    len = ZSTD_compress2(zstd, room, size, stream.at, stream.len);
    (void)ZSTD_freeCCtx(zstd);
    *len_r = len;
    return ZSTD_isError(len) ? WEIR_ENOMEM : 0; /* there is room for whatever it becomes */
}

static void write_head(char *room, const struct head *head)
{
    struct weir_writer writer = weir_writer(room, HEAD);

    weir_write_bytes(&writer, FIRST_LINE, sizeof FIRST_LINE - 1);
    weir_write_u64(&writer, head->id);
    weir_write_u32(&writer, head->file);
    weir_write_u32(&writer, head->front);
    weir_write_u32(&writer, head->behind);
    weir_write_u32(&writer, head->list);
    weir_write_u32(&writer, head->stream);
}

static int write_patch(const struct head *head, struct weir_slice prefix, struct weir_slice stream,
                       void **octets_r, size_t *len_r)
{
    size_t size = ZSTD_compressBound(stream.len), len;
    char *octets = malloc(HEAD + size), *less;
    int rc = octets ? compress(prefix, stream, octets + HEAD, size, &len) : WEIR_ENOMEM;

    if (rc < 0) {
        free(octets);
        return rc;
    }
    write_head(octets, head);
    less = realloc(octets, HEAD + len);
    *octets_r = less ? less : octets;
    *len_r = HEAD + len;
    return 0;
}

int weir_parcel_patch_make(struct weir_slice before, struct weir_slice next, void **octets_r,
                           size_t *len_r)
{
    struct parts old, new;
    struct head head;
    void *stream = NULL;
    size_t len = 0;
    int rc = next.len > 0 ? take_apart(before, &old) : WEIR_ECORRUPT;

    rc = rc < 0 ? rc : take_apart(next, &new);
    rc = rc < 0 ? rc : make_stream(&old, &new, &stream, &len);
    if (rc < 0)
        return rc;
    head = (struct head){weir_parcel_id(before), (uint32_t)next.len, (uint32_t)new.front.len,
                         (uint32_t)new.behind.len, (uint32_t)new.list.len, (uint32_t)len};
    rc = write_patch(&head, old.front, (struct weir_slice){stream, len}, octets_r, len_r);
    free(stream);
    return rc;
}

/* Applying. -------------------------------------------------------------------------------- */

bool weir_parcel_is_patch(struct weir_slice octets)
{
    return octets.len >= HEAD && weir_slice_begins(octets, FIRST_LINE);
}

static struct head read_head(struct weir_slice patch)
{
    struct weir_reader reader = weir_reader(patch.at, patch.len);
    struct head head;

    (void)weir_read_bytes(&reader, sizeof FIRST_LINE - 1);
    head.id = weir_read_u64(&reader);
    head.file = weir_read_u32(&reader);
    head.front = weir_read_u32(&reader);
    head.behind = weir_read_u32(&reader);
    head.list = weir_read_u32(&reader);
    head.stream = weir_read_u32(&reader);
    return head;
}

static bool adds_up(const struct head *head)
{
    uint64_t around = (uint64_t)head->front + head->behind;

    return head->file <= WEIR_RULE_PARCEL_MAX && head->stream <= WEIR_RULE_PARCEL_MAX &&
           head->file > 0 && around + head->list == head->file &&
           (head->list > 0 ? head->stream > around : head->stream == around);
}

/* Exactly as many octets as the head says. */
static int decompress(struct weir_slice prefix, struct weir_slice frame, void *stream, size_t len)
{
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    size_t got = 0;

    if (!zstd)
        return WEIR_ENOMEM;
    (void)ZSTD_DCtx_refPrefix(zstd, prefix.at, prefix.len);
    got = ZSTD_decompressDCtx(zstd, stream, len, frame.at, frame.len);
    (void)ZSTD_freeDCtx(zstd);
    return !ZSTD_isError(got) && got == len ? 0 : WEIR_ECORRUPT;
}

/* Puts the file together of the stream. */
static int put_together(const struct parts *old, const struct head *head, const char *stream,
                        char *file)
{
    size_t around = (size_t)head->front + head->behind;
    const struct weir_slice columns = {stream + around, head->stream - around};

    memcpy(file, stream, head->front);
    memcpy(file + head->front + head->list, stream + head->front, head->behind);
    return head->list > 0 ? weir_bayes_columns_apply(old->list, columns, file + head->front,
                                                     head->list)
                          : 0;
}

static int apply(const struct parts *old, const struct head *head, struct weir_slice frame,
                 void **octets_r, const char **why_r)
{
    char *stream = malloc((size_t)head->stream + 1), *file = malloc(head->file);
    int rc = stream && file ? 0 : WEIR_ENOMEM;

    rc = rc < 0 ? rc : decompress(old->front, frame, stream, head->stream);
    rc = rc < 0 ? rc : put_together(old, head, stream, file);
    *why_r = rc == WEIR_ENOMEM ? weir_error_text(rc)
                               : "it was changed or cut: it is no patch to the set here";
    free(stream);
    if (rc == 0)
        *octets_r = file;
    else
        free(file);
    return rc;
}

int weir_parcel_patch_apply(struct weir_slice before, struct weir_slice patch, void **octets_r,
                            size_t *len_r, const char **why_r)
{
    struct parts old;
    struct head head;

    *why_r = "it is no patch";
    if (!weir_parcel_is_patch(patch))
        return WEIR_ECORRUPT;
    head = read_head(patch);
    *why_r = "it is a patch to another set than the one here";
    if (head.id == 0)
        before.len = 0;
    if (head.id != weir_parcel_id(before) || take_apart(before, &old) < 0)
        return WEIR_ECORRUPT;
    *why_r = "it is a patch that makes more than any rule set, or does not add up";
    if (!adds_up(&head))
        return WEIR_ECORRUPT;
    *len_r = head.file;
    return apply(&old, &head, weir_slice_behind(patch, HEAD), octets_r, why_r);
}
