#include "wire/members.h"

#include <string.h>

const struct pbt_message_member pbt_message_members[PBT_MEMBER_COUNT] = {
#define PBT_MEMBER_ROW(id, name, kind, field)                                  \
    {name, kind, offsetof(struct pbt_message, field)},
    PBT_MESSAGE_MEMBER_MAP(PBT_MEMBER_ROW)
#undef PBT_MEMBER_ROW
};

#define HAS(id) (UINT32_C(1) << PBT_MEMBER_##id)
#define LIFE (HAS(EPOCH) | HAS(ITERATION))
#define OPENING (LIFE | HAS(CHECKPOINT) | HAS(CONFIG) | HAS(SEED) | HAS(TOTAL))

const struct pbt_message_form pbt_message_forms[PBT_MESSAGE_TYPE_COUNT] = {
    [PBT_MESSAGE_START] = {OPENING | HAS(TRIAL) | HAS(TRIAL_DIR), 0},
    [PBT_MESSAGE_LOAD] = {OPENING, 0},
    [PBT_MESSAGE_RUN] = {HAS(EPOCH) | HAS(UNTIL), HAS(ACK)},
    [PBT_MESSAGE_SAVE] = {LIFE | HAS(PATH), HAS(ACK)},
    [PBT_MESSAGE_HALT] = {HAS(EPOCH), HAS(ACK)},
    [PBT_MESSAGE_STOP] = {HAS(EPOCH), HAS(ACK)},
    [PBT_MESSAGE_ACK] = {HAS(EPOCH) | HAS(SEQ), 0},

    [PBT_MESSAGE_HELLO] = {HAS(PROTOCOL) | HAS(CLIENT) | HAS(CAPABILITIES) |
                               HAS(PID) | HAS(HOST),
                           0},
    [PBT_MESSAGE_READY] = {LIFE | HAS(CHECKPOINT) | HAS(CONFIG), 0},
    [PBT_MESSAGE_RESULT] = {LIFE | HAS(SEQ) | HAS(HALTED) | HAS(THIS_ITER) |
                                HAS(TOTAL) | HAS(METRICS),
                            HAS(DONE)},
    [PBT_MESSAGE_HALTED] = {LIFE, 0},
    [PBT_MESSAGE_SAVED] = {LIFE, 0},
    [PBT_MESSAGE_ERROR] = {HAS(EPOCH) | HAS(TEXT), 0},

    [PBT_MESSAGE_SEAL] = {LIFE | HAS(PATH) | HAS(MANIFEST), 0},
    [PBT_MESSAGE_KILL] = {0, 0},

    [PBT_MESSAGE_SPAWNED] = {HAS(PID), HAS(TEXT)},
    [PBT_MESSAGE_SEALED] = {LIFE | HAS(BYTES), HAS(TEXT)},
    [PBT_MESSAGE_EXITED] = {HAS(EXIT_CODE) | HAS(SIGNAL), 0},
};

const char *pbt_message_name(enum pbt_message_type type)
{
    static const char *const names[PBT_MESSAGE_TYPE_COUNT] = {
#define PBT_MESSAGE_TEXT(name, text) [name] = text,
        PBT_MESSAGE_MAP(PBT_MESSAGE_TEXT)
#undef PBT_MESSAGE_TEXT
    };
    size_t index = (size_t)type;
    return index < PBT_MESSAGE_TYPE_COUNT ? names[index] : "unknown";
}

bool pbt_message_find_type(const char *name, enum pbt_message_type *type)
{
    for (int i = 0; name != NULL && i < PBT_MESSAGE_TYPE_COUNT; i++) {
        if (strcmp(pbt_message_name((enum pbt_message_type)i), name) == 0) {
            *type = (enum pbt_message_type)i;
            return true;
        }
    }
    return false;
}
