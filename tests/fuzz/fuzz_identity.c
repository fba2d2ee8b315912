/* Any bytes as an identity file: what is read is read the same when it is written. */
#include <stdlib.h>
#include <string.h>

#include "monitor/agent/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_identity identity, same;
    char text[WEIR_IDENTITY_TEXT];
    const char *why = NULL;
    unsigned line;

    if (weir_identity_read((struct weir_slice){(const char *)data, size}, &identity, &why,
                           &line) < 0) {
        must(why != NULL);
        return 0;
    }
    weir_identity_write(&identity, text);
    must(weir_identity_read((struct weir_slice){text, strlen(text)}, &same, &why, &line) == 0);
    must(memcmp(&same, &identity, sizeof same) == 0);
    return 0;
}
