/*
 * The lines of records: nothing may crash or leak, and what is a record comes back
 * from its own written form.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "journal/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char experiment[] =
    "command: [train]\n"
    "num_samples: 4\n"
    "metric: acc\n"
    "mode: max\n"
    "config: {lr: 0.1, net: {act: relu, deep: {x: [1]}}, n: 1}\n"
    "scheduler: {type: pbt, perturbation_interval: 1,\n"
    "            hyperparam_mutations: {lr: [0.1, 0.2]}}\n";

static void check(int good)
{
    if (!good) {
        abort();
    }
}

static void write_again(const struct pbt_entry *entry, struct pbt_spec *spec)
{
    struct pbt_entry again;
    struct pbt_buf first;
    struct pbt_buf second;
    struct pbt_error error;
    pbt_buf_init(&first, (size_t)64 << 20);
    pbt_buf_init(&second, (size_t)64 << 20);
    pbt_entry_write(entry, spec, &first);
    check(!pbt_buf_failed(&first));
    check(memchr(first.data, '\n', first.length) ==
          first.data + first.length - 1);
    check(pbt_entry_read(&again, spec, first.data, first.length - 1, &error) ==
          PBT_OK);
    pbt_entry_write(&again, spec, &second);
    check(first.length == second.length &&
          memcmp(first.data, second.data, first.length) == 0);
    pbt_entry_done(&again);
    pbt_buf_done(&first);
    pbt_buf_done(&second);
}

/* Parsed once: it takes longer than a line.  New texts stay in it, for a while. */
static struct pbt_spec *get_spec(void)
{
    static struct pbt_spec spec;
    static bool ready;
    if (ready && spec.texts.count > 1000) {
        pbt_spec_done(&spec);
        ready = false;
    }
    if (!ready) {
        check(pbt_spec_parse(&spec, experiment, sizeof experiment - 1,
                             "fuzz.yaml", "/tmp", NULL, 0, NULL,
                             NULL) == PBT_OK);
        ready = true;
    }
    return &spec;
}

/*
 * A line in the writer's form is scanned, any other goes through jansson: with a space
 * in it the same line takes the other way, and must say the same.
 */
static void read_slowly(const struct pbt_entry *entry, struct pbt_spec *spec,
                        const char *line, size_t length)
{
    struct pbt_entry slow;
    struct pbt_buf spaced;
    struct pbt_buf first;
    struct pbt_buf second;
    pbt_buf_init(&spaced, (size_t)64 << 20);
    pbt_buf_init(&first, (size_t)64 << 20);
    pbt_buf_init(&second, (size_t)64 << 20);
    pbt_buf_char(&spaced, ' ');
    pbt_buf_put(&spaced, line, length);
    int status = pbt_entry_read(&slow, spec, spaced.data, spaced.length, NULL);
    check((status == PBT_OK) == (entry != NULL));
    if (status == PBT_OK) {
        pbt_entry_write(entry, spec, &first);
        pbt_entry_write(&slow, spec, &second);
        check(first.length == second.length &&
              memcmp(first.data, second.data, first.length) == 0);
        pbt_entry_done(&slow);
    }
    pbt_buf_done(&spaced);
    pbt_buf_done(&first);
    pbt_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pbt_spec *spec = get_spec();
    struct pbt_entry entry;
    struct pbt_error error;
    error.text[0] = '\0';
    int status = pbt_entry_read(&entry, spec, (const char *)data, size, &error);
    check(status == PBT_OK || status == PBT_EDATA);
    check((status == PBT_OK) == (error.text[0] == '\0'));
    read_slowly(status == PBT_OK ? &entry : NULL, spec, (const char *)data,
                size);
    if (status == PBT_OK) {
        check(entry.record.trial < 4 && entry.record.donor < 4 &&
              entry.record.checkpoint.trial < 4 && entry.record.number > 0);
        write_again(&entry, spec);
        pbt_entry_done(&entry);
    }
    return 0;
}
