#include "cli/typed.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"

#define TEXT_MAX ((size_t)1 << 20)

void pbt_cli_text_init(struct pbt_cli_text *text)
{
    *text = (struct pbt_cli_text){.places = NULL};
    pbt_buf_init(&text->text, TEXT_MAX);
}

void pbt_cli_text_done(struct pbt_cli_text *text)
{
    pbt_buf_done(&text->text);
    free(text->places);
    text->places = NULL;
}

/* A byte that stands for the one at `place`; the next begins behind that. */
static void add(struct pbt_cli_text *text, char byte, const char *place)
{
    for (size_t i = 0; i < 2; i++) {
        size_t at = text->text.length + i;
        const char **places = pbt_list_room(text->places, at, sizeof *places);
        if (places == NULL) {
            text->text.failed = true;
            return;
        }
        text->places = places;
        text->places[at] = place + i;
    }
    pbt_buf_char(&text->text, byte);
}

void pbt_cli_text_typed(struct pbt_cli_text *text, const char *typed,
                        size_t length)
{
    for (size_t i = 0; i < length; i++) {
        add(text, typed[i], typed + i);
    }
}

void pbt_cli_text_made(struct pbt_cli_text *text, const char *made,
                       const char *place)
{
    for (; *made != '\0'; made++) {
        add(text, *made, place);
    }
}

void pbt_cli_text_json(struct pbt_cli_text *text, const char *word)
{
    struct pbt_buf json;
    size_t length = strlen(word);
    const char *place = word;
    pbt_buf_init(&json, TEXT_MAX);
    pbt_buf_json_string(&json, word, length);
    if (pbt_buf_failed(&json)) {
        text->text.failed = true;
    }
    add(text, '"', word);
    for (size_t i = 1; !text->text.failed && i + 1 < json.length; place++) {
        bool escaped = json.data[i] == '\\';
        size_t step = !escaped ? 1 : json.data[i + 1] == 'u' ? 6 : 2;
        for (size_t end = i + step; i < end; i++) {
            add(text, json.data[i], place);
        }
    }
    add(text, '"', length > 0 ? word + length - 1 : word);
    pbt_buf_done(&json);
}

bool pbt_cli_text_failed(const struct pbt_cli_text *text)
{
    return pbt_buf_failed(&text->text);
}
