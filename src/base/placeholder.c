#include "base/placeholder.h"

#include <string.h>

static const struct {
    const char *name;
    const char *variable;
} placeholders[PBT_PLACEHOLDER_COUNT] = {
#define PLACEHOLDER(id, name, variable)                                        \
    [PBT_PLACEHOLDER_##id] = {name, variable},
    PBT_PLACEHOLDER_MAP(PLACEHOLDER)
#undef PLACEHOLDER
};

const char *pbt_placeholder_name(enum pbt_placeholder placeholder)
{
    return placeholders[placeholder].name;
}

const char *pbt_placeholder_variable(enum pbt_placeholder placeholder)
{
    return placeholders[placeholder].variable;
}

enum pbt_placeholder pbt_placeholder_find(const char *name, size_t length)
{
    unsigned i = 0;
    while (i < PBT_PLACEHOLDER_COUNT &&
           (strlen(placeholders[i].name) != length ||
            memcmp(placeholders[i].name, name, length) != 0)) {
        i++;
    }
    return (enum pbt_placeholder)i;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Words joined by slashes, each of letters, digits, dots and dashes after a letter. */
static bool looks_like_name(const char *text, size_t length)
{
    bool first = true;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (first ? !is_letter(c)
                  : !is_letter(c) && !(c >= '0' && c <= '9') && c != '.' &&
                        c != '-' && c != '/') {
            return false;
        }
        first = c == '/';
    }
    return !first;
}

/* What a brace opens: a piece, or text of one brace, for which one or two stand. */
struct brace {
    struct pbt_piece piece;
    size_t taken; /* from the text */
};

static struct brace look(const char *text, size_t left,
                         bool (*knows)(const void *user, const char *name,
                                       size_t length),
                         const void *user)
{
    size_t open = left > 1 && text[1] == '{' ? 2 : 1;
    const char *name = text + open;
    const char *end = memchr(name, '}', left - open);
    size_t length = end == NULL ? 0 : (size_t)(end - name);
    size_t taken = open + length + open; /* with the braces that close */
    struct brace brace = {{PBT_PIECE_TEXT, text, 1}, open};
    if (end == NULL) {
        return brace;
    }
    bool known = knows(user, name, length);
    if (open == 2) {
        if (known && taken <= left && end[1] == '}') {
            brace = (struct brace){{PBT_PIECE_DOUBLED, name, length}, taken};
        }
    } else if (known || looks_like_name(name, length)) {
        enum pbt_piece_kind kind = known ? PBT_PIECE_NAME : PBT_PIECE_UNKNOWN;
        brace = (struct brace){{kind, name, length}, taken};
    }
    return brace;
}

bool pbt_next_piece(const char *text, size_t length, size_t *at,
                    bool (*knows)(const void *user, const char *name,
                                  size_t length),
                    const void *user, struct pbt_piece *piece)
{
    size_t begin = *at;
    for (size_t i = begin; i < length; i++) {
        if (text[i] != '{') {
            continue;
        }
        struct brace brace = look(text + i, length - i, knows, user);
        bool is_text = brace.piece.kind == PBT_PIECE_TEXT;
        if (is_text && brace.taken == 1) {
            continue;
        }
        if (is_text || i > begin) {
            *piece = (struct pbt_piece){PBT_PIECE_TEXT, text + begin,
                                        i + is_text - begin};
            *at = is_text ? i + brace.taken : i;
        } else {
            *piece = brace.piece;
            *at = i + brace.taken;
        }
        return true;
    }
    *at = length;
    *piece = (struct pbt_piece){PBT_PIECE_TEXT, text + begin, length - begin};
    return length > begin;
}
