/*
 * Keys of info strings as text: an id and 64 hex digits a line.  Refuses the whole text for one
 * line that is not as it should be, because a key that is silently left out makes strings
 * unreadable.
 */
#include "core/engine/info_impl.h"

#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/slice.h"

/* The number at the beginning, and *text behind it; 0 when there is none or it is too large. */
static unsigned take_number(struct weir_slice *text)
{
    unsigned number = 0;
    while (text->len > 0 && text->at[0] >= '0' && text->at[0] <= '9' && number <= 255) {
        number = 10 * number + (unsigned)(text->at[0] - '0');
        *text = (struct weir_slice){text->at + 1, text->len - 1};
    }
    return number <= 255 ? number : 0;
}

static bool read_key(struct weir_slice line, struct weir_info_key *key_r)
{
    size_t len = 0;
    unsigned id = take_number(&line);
    if (id == 0 || line.len == 0 || !weir_is_space(line.at[0]))
        return false;
    line = weir_slice_trim(line);
    *key_r = (struct weir_info_key){.id = (uint8_t)id};
    return line.len == 2 * WEIR_INFO_KEY &&
           sodium_hex2bin(key_r->octet, WEIR_INFO_KEY, line.at, line.len, NULL, &len, NULL) == 0 &&
           len == WEIR_INFO_KEY;
}

static int add_key(struct weir_info_keys *keys, struct weir_slice line)
{
    struct weir_info_key key;
    int rc = !read_key(line, &key) ? WEIR_EINVAL
             : keys->keys == WEIR_INFO_KEYS_MAX ? WEIR_ELIMIT : 0;
    for (size_t i = 0; rc == 0 && i < keys->keys; i++)
        rc = keys->key[i].id == key.id ? WEIR_EINVAL : 0;
    if (rc == 0)
        keys->key[keys->keys++] = key;
    sodium_memzero(&key, sizeof(key));
    return rc;
}

int weir_info_keys_read(struct weir_slice text, struct weir_info_keys *keys_r, unsigned *line_r)
{
    struct weir_info_keys keys = {.keys = 0};
    unsigned number = 0;
    int rc = 0;
    while (text.len > 0 && rc == 0) {
        const char *end = memchr(text.at, '\n', text.len);
        struct weir_slice line = {text.at, end ? (size_t)(end - text.at) : text.len};
        size_t taken = line.len + (end != NULL);
        text = (struct weir_slice){text.at + taken, text.len - taken};
        const char *comment = memchr(line.at, '#', line.len);
        if (comment)
            line.len = (size_t)(comment - line.at);
        line = weir_slice_trim(line);
        number++;
        if (line.len > 0)
            rc = add_key(&keys, line);
    }
    *line_r = rc < 0 ? number : 0;
    if (rc == 0 && keys.keys == 0)
        rc = WEIR_EINVAL;
    if (rc == 0)
        *keys_r = keys;
    sodium_memzero(&keys, sizeof(keys));
    return rc;
}
