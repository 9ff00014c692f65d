/*
 * pbt explain: what an error's id means, and what to do.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "spec/problems.h"
#include "spec/schema.h"

#define WIDTH 79

static void list_all(void)
{
    for (int i = 0; i < PBT_CODE_COUNT; i++) {
        const char *group = pbt_code_group((enum pbt_code)i);
        if (group != NULL) {
            (void)printf("%s%s\n", i > 0 ? "\n" : "", group);
        }
        (void)printf("  %s  %s\n", pbt_codes[i].id, pbt_codes[i].title);
    }
}

/* Words, in lines of up to WIDTH: the table's own breaks say nothing. */
static void put_wrapped(const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        bool fits = column + 1 + length <= WIDTH;
        if (length > 0) {
            (void)printf("%s%.*s",
                         column == 0 ? ""
                         : fits      ? " "
                                     : "\n",
                         (int)length, text);
            column = column > 0 && fits ? column + 1 + length : length;
        }
        text += length + (text[length] != '\0' ? 1 : 0);
    }
    (void)printf("\n");
}

/* Lines, moved to the right. */
static void put_indented(const char *label, const char *text)
{
    if (text[0] == '\0') {
        return;
    }
    (void)printf("\n%s:\n\n", label);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        (void)printf("    %.*s\n", (int)length, text);
        text += length + (text[length] == '\n' ? 1 : 0);
    }
}

static void explain(const struct pbt_code_text *code)
{
    (void)printf("%s: %s\n\n", code->id, code->title);
    put_wrapped(code->why);
    put_indented("Wrong", code->wrong);
    put_indented("Right", code->right);
    if (code->status != PBT_OK) {
        (void)printf("\nExit code %d: %s.\n", code->status,
                     pbt_status_text(code->status));
    }
}

/* The range of ids that begin like this one, or what it may be a misspelling of. */
static void suggest(const char *id, char *label, size_t size)
{
    const char *close =
        pbt_cli_close_word(id, pbt_codes, PBT_CODE_COUNT, sizeof pbt_codes[0]);
    const char *first = NULL;
    const char *last = NULL;
    for (int i = 0; i < PBT_CODE_COUNT; i++) {
        if (strncmp(pbt_codes[i].id, id, 3) == 0) {
            first = first == NULL ? pbt_codes[i].id : first;
            last = pbt_codes[i].id;
        }
    }
    if (first != NULL) {
        (void)snprintf(label, size, "this group goes from %s to %s", first,
                       last);
    } else if (close != NULL) {
        (void)snprintf(label, size, "did you mean %s?", close);
    } else {
        (void)snprintf(label, size, "`pbt explain` lists them all");
    }
}

int pbt_cli_explain(const struct pbt_cli_call *call)
{
    const char *id = pbt_cli_operand(call, 0);
    if (id == NULL) {
        list_all();
        return PBT_OK;
    }
    enum pbt_code code = pbt_code_find(id);
    if (code == PBT_CODE_COUNT) {
        char label[128];
        suggest(id, label, sizeof label);
        return pbt_cli_usage(PBT_E0608, "explain", id, label,
                             "no error has the id `%s`",
                             pbt_quote(id, strlen(id)).text);
    }
    explain(&pbt_codes[code]);
    return PBT_OK;
}
