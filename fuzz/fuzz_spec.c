/*
 * The experiment file as an attacker would write it: nothing may crash, leak or
 * hang, and what is accepted must come back from its own written form.
 *
 * The first byte chooses YAML or JSON; an override follows the first line that is
 * only "====".
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
    if (!good) {
        abort();
    }
}

/* What is shown keeps its form, and has nothing that a terminal acts on. */
static void check_shown(const struct pbt_buf *shown, const char *start)
{
    for (size_t at = 0; at < shown->length;) {
        uint32_t code;
        at += pbt_character(shown->data + at, shown->length - at, &code);
        check(code == '\n' || code == '\t' || pbt_printable(code));
    }
    check(shown->length == 0 ||
          strncmp(shown->data, start, strlen(start)) == 0);
}

static void write_again(const struct pbt_spec *spec, struct pbt_buf *out)
{
    struct pbt_spec again;
    struct pbt_buf text;
    struct pbt_buf problems;
    struct pbt_error error;
    pbt_buf_init(&text, 64u << 20);
    pbt_buf_init(&problems, 1u << 20);
    check(pbt_spec_write(spec, out, &error) == PBT_OK);
    if (out->length <= 1024 * 1024) {
        check(pbt_spec_parse(&again, out->data, out->length, "again.yaml", NULL,
                             NULL, 0, &problems, &error) == PBT_OK);
        check(pbt_spec_write(&again, &text, &error) == PBT_OK);
        check(text.length == out->length &&
              memcmp(text.data, out->data, text.length) == 0);
        pbt_spec_done(&again);
    }
    pbt_buf_done(&text);
    pbt_buf_done(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pbt_spec spec;
    struct pbt_buf problems;
    struct pbt_buf out;
    struct pbt_error error;
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    check(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    char *override = strstr(text, "====\n");
    size_t length = override != NULL ? (size_t)(override - text) : size - 1;
    char *overrides[1] = {override != NULL ? override + 5 : NULL};
    pbt_buf_init(&problems, 1u << 20);
    pbt_buf_init(&out, 64u << 20);
    int status = pbt_spec_parse(
        &spec, text, length, data[0] == 'j' ? "fuzz.json" : "fuzz.yaml", "/tmp",
        overrides, override != NULL, &problems, &error);
    check(status == PBT_OK || status == PBT_ECONFIG);
    check((status == PBT_ECONFIG) == (problems.length > 0));
    check_shown(&problems, "error[E");
    if (status == PBT_OK) {
        check_shown(&spec.warnings, "warning[W");
        write_again(&spec, &out);
        pbt_spec_done(&spec);
    }
    pbt_buf_done(&problems);
    pbt_buf_done(&out);
    free(text);
    return 0;
}
