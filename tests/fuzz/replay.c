/*
 * replay - runs one fuzz target over the files named on the command line, so
 * that corpora are tests too, without a fuzzer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MOST (4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MOST);
    size_t size = 0;

    if (!file || !data) {
        perror(path);
        return 1;
    }
    size = fread(data, 1, INPUT_MOST, file);
    fclose(file);
    uint8_t *exact = malloc(size ? size : 1); /* so that one octet too far is seen */
    for (size_t i = 0; exact && i < size; i++)
        exact[i] = data[i];
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++)
        bad |= replay(argv[i]);
    printf("%d inputs replayed\n", argc - 1);
    return bad;
}
