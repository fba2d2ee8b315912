/*
 * pages - the embedded files as answers, made once and given to everybody.
 *
 * They go out packed; who does not take gzip gets them unpacked.  A tag of their content lets a
 * browser ask whether they are the same.  In the folder that is named by what all of them hold, it
 * need not ask: a browser keeps them.  A page that was opened before the monitor is another has an
 * older folder's name: it gets what there is now, not to be kept.
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
#define FOLDER_LEN 16

static const char *const keeping[] = {"no-cache", "public, max-age=31536000, immutable"};

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
                                   const char *tag, bool kept)
{
    if (!response)
        return NULL;
    weir_console_headers(response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type_of(asset->name));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, keeping[kept]);
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
    return response;
}

static struct MHD_Response *of_octets(const struct weir_asset *asset, const void *octets,
                                      size_t len, const char *tag, bool kept)
{
    return finish(MHD_create_response_from_buffer(len, (void *)(uintptr_t)octets,
                                                  MHD_RESPMEM_PERSISTENT), asset, tag, kept);
}

static int open_page(const struct weir_asset *asset, struct weir_page *page)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    size_t len = 0;

    crypto_hash_sha256(digest, asset->octets, asset->len);
    snprintf(page->tag, sizeof page->tag, "\"%.32s\"",
             sodium_bin2hex(hex, sizeof hex, digest, sizeof digest));
    page->octets = unpack(asset, &len);
    page->same = of_octets(asset, "", 0, page->tag, false);
    if (!page->octets || !page->same)
        return WEIR_ENOMEM;
    for (int kept = 0; kept < 2; kept++) {
        page->packed[kept] = of_octets(asset, asset->octets, asset->len, page->tag, kept);
        page->plain[kept] = of_octets(asset, page->octets, len, page->tag, kept);
        if (!page->packed[kept] || !page->plain[kept])
            return WEIR_ENOMEM;
        MHD_add_response_header(page->packed[kept], MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    }
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
        struct weir_page *page = &console->page[i];
        struct MHD_Response *one[] = {page->packed[0], page->packed[1], page->plain[0],
                                      page->plain[1], page->same};

        for (size_t j = 0; j < sizeof one / sizeof one[0]; j++)
            if (one[j])
                MHD_destroy_response(one[j]);
        free(page->octets);
    }
    free(console->page);
    console->page = NULL;
}

/* What a path names, behind its folder; *kept_r: it is what this folder has for ever. */
static const char *name_of(const char *path, bool *kept_r)
{
    const char *name = path + 1;

    *kept_r = false;
    if (strcmp(path, "/") == 0)
        return "index.html";
    if (path[0] != '/') /* "GET ?x": what is behind '?' is no path */
        return "";
    if (strspn(name, "0123456789abcdef") != FOLDER_LEN || name[FOLDER_LEN] != '/')
        return name;
    *kept_r = strncmp(name, weir_assets_folder, FOLDER_LEN) == 0;
    name += FOLDER_LEN + 1;
    return strcmp(name, "index.html") == 0 ? "" : name; /* it would look for a folder in it */
}

enum MHD_Result weir_pages_answer(struct weir_console *console, struct MHD_Connection *connection,
                                  const char *path)
{
    bool kept = false;
    const char *name = name_of(path, &kept);
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
                                  takes && strstr(takes, "gzip") ? page->packed[kept]
                                                                 : page->plain[kept]);
    }
    return MHD_NO;
}
