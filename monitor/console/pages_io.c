/*
 * pages - the embedded files as answers, made once and given to everybody.
 *
 * They go out packed; who does not take gzip gets them unpacked.  A tag of their content lets a
 * browser ask whether they are the same.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/console/assets.h"
#include "monitor/console/console_impl.h"

#define UNPACKED_MAX (4u << 20)

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},      {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},  {".svg", "image/svg+xml"},
        {".json", "application/json"},              {".png", "image/png"},
        {".woff2", "font/woff2"},                   {".txt", "text/plain; charset=utf-8"},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (weir_slice_ends(weir_slice_of(name), types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

/* NULL: memory is short. */
static unsigned char *unpack(const struct weir_asset *asset, size_t *len_r)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)asset->octets,
                       .avail_in = (unsigned)asset->len};
    unsigned char *octets = malloc(UNPACKED_MAX), *fit;

    if (!octets || inflateInit2(&stream, 15 + 16) != Z_OK) {
        free(octets);
        return NULL;
    }
    stream.next_out = octets;
    stream.avail_out = UNPACKED_MAX;
    (void)inflate(&stream, Z_FINISH);
    *len_r = stream.total_out;
    inflateEnd(&stream);
    fit = realloc(octets, *len_r > 0 ? *len_r : 1);
    return fit ? fit : octets;
}

static struct MHD_Response *finish(struct MHD_Response *response, const struct weir_asset *asset,
                                   const char *tag)
{
    if (!response)
        return NULL;
    weir_console_headers(response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type_of(asset->name));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
    return response;
}

static int open_page(const struct weir_asset *asset, struct weir_page *page)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    unsigned char *plain;
    size_t len = 0;

    crypto_hash_sha256(digest, asset->octets, asset->len);
    snprintf(page->tag, sizeof page->tag, "\"%.32s\"",
             sodium_bin2hex(hex, sizeof hex, digest, sizeof digest));
    plain = unpack(asset, &len);
    if (!plain)
        return WEIR_ENOMEM;
    page->packed = finish(MHD_create_response_from_buffer(
                              asset->len, (void *)(uintptr_t)asset->octets,
                              MHD_RESPMEM_PERSISTENT), asset, page->tag);
    page->plain = finish(MHD_create_response_from_buffer(len, plain, MHD_RESPMEM_MUST_FREE),
                         asset, page->tag);
    page->same = finish(MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), asset,
                        page->tag);
    if (!page->plain)
        free(plain);
    if (!page->packed || !page->plain || !page->same)
        return WEIR_ENOMEM;
    MHD_add_response_header(page->packed, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return 0;
}

static size_t count(void)
{
    size_t n = 0;

    while (weir_assets[n].name)
        n++;
    return n;
}

int weir_pages_open(struct weir_console *console)
{
    size_t n = count();
    int done = 0;

    console->page = calloc(n + 1, sizeof *console->page);
    if (!console->page)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < n && done == 0; i++)
        done = open_page(&weir_assets[i], &console->page[i]);
    return done;
}

void weir_pages_close(struct weir_console *console)
{
    for (size_t i = 0, n = console->page ? count() : 0; i < n; i++) {
        struct MHD_Response *one[] = {console->page[i].packed, console->page[i].plain,
                                      console->page[i].same};

        for (size_t j = 0; j < 3; j++)
            if (one[j])
                MHD_destroy_response(one[j]);
    }
    free(console->page);
    console->page = NULL;
}

enum MHD_Result weir_pages_answer(struct weir_console *console, struct MHD_Connection *connection,
                                  const char *path)
{
    const char *name = strcmp(path, "/") == 0 ? "index.html"
                       : path[0] == '/'       ? path + 1
                                              : ""; /* "GET ?x": what is behind '?' is no path */
    const char *takes = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_ACCEPT_ENCODING);
    const char *has = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                  MHD_HTTP_HEADER_IF_NONE_MATCH);

    for (size_t i = 0; weir_assets[i].name; i++) {
        const struct weir_page *page = &console->page[i];

        if (strcmp(weir_assets[i].name, name) != 0)
            continue;
        if (has && strstr(has, page->tag))
            return MHD_queue_response(connection, MHD_HTTP_NOT_MODIFIED, page->same);
        return MHD_queue_response(connection, MHD_HTTP_OK,
                                  takes && strstr(takes, "gzip") ? page->packed : page->plain);
    }
    return MHD_NO;
}
