/*
 * The specification as a complete experiment file: the schema's keys in their order.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/reader.h"
#include "spec/spec.h"
#include "spec/yaml.h"

#define NS_PER_S 1000000000u

struct writer {
    const struct pbt_spec *spec;
    struct pbt_buf *out;
};

static void put_text_or_null(struct pbt_buf *out, const char *text)
{
    if (text == NULL) {
        pbt_buf_text(out, "null");
    } else {
        pbt_yaml_string(out, text, strlen(text));
    }
}

static void put_indent(struct pbt_buf *out, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        pbt_buf_text(out, "  ");
    }
}

static void put_cell(const struct writer *writer, struct pbt_cell cell)
{
    if (cell.type == PBT_CELL_REAL) {
        pbt_yaml_real(writer->out, cell.u.r);
    } else if (cell.type == PBT_CELL_TEXT) {
        pbt_yaml_json(writer->out,
                      pbt_texts_get(&writer->spec->texts, cell.text));
    } else {
        pbt_spec_cell_json(writer->spec, cell, writer->out);
    }
}

static void put_choices(const struct writer *writer,
                        const struct pbt_domain *domain)
{
    pbt_buf_char(writer->out, '[');
    for (uint32_t i = 0; i < domain->choice_count; i++) {
        if (i > 0) {
            pbt_buf_text(writer->out, ", ");
        }
        put_cell(writer, domain->choices[i]);
    }
    pbt_buf_char(writer->out, ']');
}

static void put_number(struct pbt_buf *out, bool whole, double number)
{
    if (whole) {
        pbt_buf_printf(out, "%lld", (long long)number);
    } else {
        pbt_yaml_number(out, number);
    }
}

/* A distribution without its closing brace: "{uniform: [0, 1]". */
static void put_domain_open(const struct writer *writer,
                            const struct pbt_domain *domain)
{
    const struct pbt_domain_form *form = pbt_domain_form(domain->kind);
    struct pbt_buf *out = writer->out;
    pbt_buf_printf(out, "{%s: ", form->name);
    if (form->listed) {
        put_choices(writer, domain);
        return;
    }
    if (domain->kind == PBT_DOMAIN_FUNCTION) {
        pbt_yaml_string(out, domain->function, strlen(domain->function));
        return;
    }
    pbt_buf_char(out, '[');
    put_number(out, form->whole, domain->lower);
    pbt_buf_text(out, ", ");
    put_number(out, form->whole, domain->upper);
    if (form->quantised) {
        pbt_buf_text(out, ", ");
        put_number(out, form->whole, domain->quantum);
    }
    pbt_buf_char(out, ']');
}

static void put_domain(const struct writer *writer,
                       const struct pbt_domain *domain)
{
    if (domain->kind == PBT_DOMAIN_CONSTANT) {
        put_cell(writer, domain->choices[0]);
        return;
    }
    put_domain_open(writer, domain);
    pbt_buf_char(writer->out, '}');
}

static void put_factors(struct pbt_buf *out, const double *factors,
                        uint32_t count)
{
    pbt_buf_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            pbt_buf_text(out, ", ");
        }
        pbt_yaml_number(out, factors[i]);
    }
    pbt_buf_char(out, ']');
}

/* The distribution of a parameter's mutations, and how it is moved. */
static void put_mutation(const struct writer *writer,
                         const struct pbt_param *param)
{
    put_domain_open(writer, &param->mutations);
    if (param->factor_count > 0) {
        pbt_buf_text(writer->out, ", factors: ");
        put_factors(writer->out, param->factors, param->factor_count);
    }
    pbt_buf_text(writer->out, param->log_scale ? ", scale: log}" : "}");
}

/* One parameter's line, with those that open its nested mappings. */
static void put_param(const struct writer *writer, const char *last,
                      const struct pbt_param *param, size_t depth,
                      bool mutation)
{
    const char *word = param->name;
    size_t shared = pbt_shared_group(last, param->name);
    for (size_t i = 0; i < shared; i++) {
        depth += param->name[i] == '/';
    }
    word += shared;
    for (const char *slash = strchr(word, '/'); slash != NULL;
         slash = strchr(word, '/')) {
        put_indent(writer->out, depth++);
        pbt_yaml_string(writer->out, word, (size_t)(slash - word));
        pbt_buf_text(writer->out, ":\n");
        word = slash + 1;
    }
    put_indent(writer->out, depth);
    pbt_yaml_string(writer->out, word, strlen(word));
    pbt_buf_text(writer->out, ": ");
    if (!mutation) {
        put_domain(writer, &param->initial);
    } else if (param->mutation == PBT_MUTATION_LIST) {
        put_choices(writer, &param->mutations);
    } else {
        put_mutation(writer, param);
    }
    pbt_buf_char(writer->out, '\n');
}

/*
 * The mutations that `config` does not name come first, in their order: the table
 * is built from that order when the file is read again.
 */
static uint32_t list_params(const struct pbt_space *space, bool mutations,
                            uint32_t *list)
{
    uint32_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < space->count; i++) {
            const struct pbt_param *param = &space->params[i];
            bool in_config = param->initial.kind != PBT_DOMAIN_NONE;
            bool here = mutations ? param->mutation != PBT_MUTATION_NONE &&
                                        in_config == (pass == 1)
                                  : in_config && pass == 0;
            if (here) {
                list[count++] = i;
            }
        }
    }
    pbt_group_params(space, list, count);
    return count;
}

static void put_params(const struct writer *writer, size_t depth,
                       bool mutations)
{
    const struct pbt_space *space = &writer->spec->settings.space;
    uint32_t *list = calloc((size_t)space->count + 1, sizeof *list);
    if (list == NULL) {
        writer->out->failed = true;
        return;
    }
    uint32_t count = list_params(space, mutations, list);
    pbt_buf_text(writer->out, count == 0 ? " {}\n" : "\n");
    const char *last = "";
    for (uint32_t i = 0; i < count; i++) {
        const struct pbt_param *param = &space->params[list[i]];
        put_param(writer, last, param, depth, mutations);
        last = param->name;
    }
    free(list);
}

/* JSON is YAML in its flow form. */
static void put_points(const struct writer *writer)
{
    const struct pbt_settings *settings = &writer->spec->settings;
    pbt_buf_text(writer->out, " [");
    for (uint32_t i = 0; i < settings->point_count; i++) {
        pbt_buf_text(writer->out, i > 0 ? ",\n    " : "");
        pbt_spec_point_json(
            writer->spec, settings->points + (size_t)i * settings->space.count,
            writer->out);
    }
    pbt_buf_text(writer->out, "]\n");
}

static void put_schedule(const struct writer *writer)
{
    const struct pbt_settings *settings = &writer->spec->settings;
    pbt_buf_text(writer->out, " [");
    for (uint32_t i = 0; i < settings->schedule_count; i++) {
        pbt_buf_printf(writer->out,
                       "%s{\"training_iteration\": %lld, "
                       "\"config\": ",
                       i > 0 ? ",\n    " : "",
                       (long long)settings->schedule[i].iteration);
        pbt_spec_point_json(writer->spec, settings->schedule[i].cells,
                            writer->out);
        pbt_buf_char(writer->out, '}');
    }
    pbt_buf_text(writer->out, "]\n");
}

static void put_stops(const struct writer *writer, bool all)
{
    const struct pbt_spec *spec = writer->spec;
    const struct pbt_settings *settings = &spec->settings;
    bool first = true;
    pbt_buf_text(writer->out, " {");
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        const struct pbt_stop *stop = &settings->stops[i];
        if (stop->all != all) {
            continue;
        }
        const char *name =
            stop->source == PBT_STOP_ITERATION ? "training_iteration"
            : stop->source == PBT_STOP_SECONDS ? "time_total_s"
                                               : spec->value_names[stop->index];
        bool usual = spec->metric != NULL && strcmp(name, spec->metric) == 0 &&
                     spec->minimize;
        if (!first) {
            pbt_buf_text(writer->out, ", ");
        }
        first = false;
        pbt_yaml_string(writer->out, name, strlen(name));
        pbt_buf_text(writer->out, usual == stop->at_most ? ": "
                                  : stop->at_most        ? ": {min: "
                                                         : ": {max: ");
        pbt_yaml_number(writer->out, stop->bound);
        pbt_buf_text(writer->out, usual == stop->at_most ? "" : "}");
    }
    pbt_buf_text(writer->out, "}\n");
}

static void put_strings(struct pbt_buf *out, char *const *strings)
{
    pbt_buf_char(out, '[');
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
        if (i > 0) {
            pbt_buf_text(out, ", ");
        }
        pbt_yaml_string(out, strings[i], strlen(strings[i]));
    }
    pbt_buf_char(out, ']');
}

static void put_env(struct pbt_buf *out, char *const *env)
{
    pbt_buf_char(out, '{');
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        size_t name = strcspn(env[i], "=");
        const char *value = env[i] + name + (env[i][name] == '=');
        if (i > 0) {
            pbt_buf_text(out, ", ");
        }
        pbt_yaml_string(out, env[i], name);
        pbt_buf_text(out, ": ");
        pbt_yaml_quoted(out, value, strlen(value));
    }
    pbt_buf_char(out, '}');
}

/* null is nothing given, which is not the same as no columns. */
static void put_columns(const struct writer *writer, const struct pbt_key *key)
{
    struct pbt_buf *out = writer->out;
    char *const *columns =
        *(char *const *const *)(const void *)((const char *)writer->spec +
                                              key->field);
    pbt_buf_text(out, columns == NULL ? " null\n" : " {");
    for (size_t i = 0; columns != NULL && columns[i] != NULL; i += 2) {
        pbt_buf_text(out, i > 0 ? ", " : "");
        pbt_yaml_string(out, columns[i], strlen(columns[i]));
        pbt_buf_text(out, ": ");
        pbt_yaml_string(out, columns[i + 1], strlen(columns[i + 1]));
    }
    pbt_buf_text(out, columns == NULL ? "" : "}\n");
}

static void put_seconds(struct pbt_buf *out, uint64_t ns)
{
    char digits[32];
    pbt_buf_u64(out, ns / NS_PER_S);
    if (ns % NS_PER_S == 0) {
        return;
    }
    struct pbt_buf part;
    pbt_buf_init(&part, sizeof digits);
    pbt_buf_printf(&part, ".%09u", (unsigned)(ns % NS_PER_S));
    size_t length = part.length;
    while (length > 0 && part.data[length - 1] == '0') {
        length--;
    }
    pbt_buf_put(out, part.data, length);
    pbt_buf_done(&part);
}

/* The value of a field whose type the schema says. */
static void put_field(const struct writer *writer, const struct pbt_key *key)
{
    const char *field = (const char *)writer->spec + key->field;
    struct pbt_buf *out = writer->out;
    double real;
    uint32_t whole;
    uint64_t large;
    char *text;
    bool truth;
    switch (key->type) {
    case PBT_TYPE_BOOL:
        memcpy(&truth, field, sizeof truth);
        pbt_buf_text(out, truth ? "true" : "false");
        break;
    case PBT_TYPE_REAL:
        memcpy(&real, field, sizeof real);
        /* 0 where 0 can't be given: there is none. */
        if (key->fallback == NULL && key->above_min && real <= key->min) {
            pbt_buf_text(out, "null");
        } else {
            pbt_yaml_number(out, real);
        }
        break;
    case PBT_TYPE_WHOLE:
        memcpy(&whole, field, sizeof whole);
        pbt_buf_i64(out,
                    key->min < 0 ? (int64_t)(int32_t)whole : (int64_t)whole);
        break;
    case PBT_TYPE_WORD:
        if (key->size == sizeof truth) {
            memcpy(&truth, field, sizeof truth);
            whole = truth;
        } else {
            memcpy(&whole, field, sizeof whole);
        }
        pbt_buf_text(out, key->words[whole]);
        break;
    case PBT_TYPE_SEED:
    case PBT_TYPE_BYTES:
    case PBT_TYPE_SECONDS:
        memcpy(&large, field, sizeof large);
        if (key->type == PBT_TYPE_SECONDS) {
            put_seconds(out, large);
        } else {
            pbt_buf_u64(out, large);
        }
        break;
    case PBT_TYPE_NAME:
    case PBT_TYPE_TEXT:
    case PBT_TYPE_DIR:
        memcpy(&text, field, sizeof text);
        put_text_or_null(out, text);
        break;
    case PBT_TYPE_SECTION:
    case PBT_TYPE_COMMAND:
    case PBT_TYPE_ENV:
    case PBT_TYPE_TEMPLATES:
    case PBT_TYPE_COLUMNS:
    case PBT_TYPE_STOPS:
    case PBT_TYPE_CONFIG:
    case PBT_TYPE_MUTATIONS:
    case PBT_TYPE_POINTS:
    case PBT_TYPE_SCHEDULE:
    case PBT_TYPE_POLICY:
    case PBT_TYPE_FACTORS:
        break;
    }
    pbt_buf_char(out, '\n');
}

static void put_command(const struct writer *writer, const struct pbt_key *key)
{
    char *const *words =
        *(char *const *const *)(const void *)((const char *)writer->spec +
                                              key->field);
    pbt_buf_char(writer->out, ' ');
    if (words == NULL) {
        pbt_buf_text(writer->out, "null");
    } else {
        put_strings(writer->out, words);
    }
    pbt_buf_char(writer->out, '\n');
}

/* The value, from behind the colon to the end of its last line. */
static void put_value(const struct writer *writer, enum pbt_key_id id)
{
    const struct pbt_key *key = &pbt_keys[id];
    struct pbt_buf *out = writer->out;
    size_t depth = pbt_key_section(key) > 0 ? 1 : 0;
    switch (key->type) {
    case PBT_TYPE_SECTION:
        pbt_buf_char(out, '\n');
        return;
    case PBT_TYPE_STOPS:
        put_stops(writer, id == PBT_KEY_STOP_ALL);
        return;
    case PBT_TYPE_CONFIG:
    case PBT_TYPE_MUTATIONS:
        put_params(writer, depth + 1, key->type == PBT_TYPE_MUTATIONS);
        return;
    case PBT_TYPE_POINTS:
        put_points(writer);
        return;
    case PBT_TYPE_SCHEDULE:
        put_schedule(writer);
        return;
    case PBT_TYPE_COMMAND:
        put_command(writer, key);
        return;
    case PBT_TYPE_ENV:
        pbt_buf_char(out, ' ');
        put_env(out, writer->spec->env);
        pbt_buf_char(out, '\n');
        return;
    case PBT_TYPE_COLUMNS:
        put_columns(writer, key);
        return;
    case PBT_TYPE_TEMPLATES:
        pbt_buf_char(out, ' ');
        put_env(out, writer->spec->templates);
        pbt_buf_char(out, '\n');
        return;
    case PBT_TYPE_FACTORS:
        pbt_buf_char(out, ' ');
        put_factors(out, writer->spec->settings.explore.factors,
                    writer->spec->settings.explore.factor_count);
        pbt_buf_char(out, '\n');
        return;
    case PBT_TYPE_NAME:
    case PBT_TYPE_TEXT:
    case PBT_TYPE_DIR:
    case PBT_TYPE_BOOL:
    case PBT_TYPE_REAL:
    case PBT_TYPE_WHOLE:
    case PBT_TYPE_WORD:
    case PBT_TYPE_SEED:
    case PBT_TYPE_SECONDS:
    case PBT_TYPE_BYTES:
    case PBT_TYPE_POLICY:
        break;
    }
    pbt_buf_char(out, ' ');
    put_field(writer, key);
}

static void put_key(const struct writer *writer, enum pbt_key_id id)
{
    const struct pbt_key *key = &pbt_keys[id];
    put_indent(writer->out, pbt_key_section(key) > 0 ? 1 : 0);
    pbt_buf_printf(writer->out, "%s:", pbt_key_name(key));
    put_value(writer, id);
}

void pbt_spec_write_key(const struct pbt_spec *spec, int key,
                        struct pbt_buf *out)
{
    struct writer writer = {spec, out};
    put_value(&writer, (enum pbt_key_id)key);
}

int pbt_spec_write(const struct pbt_spec *spec, struct pbt_buf *out,
                   struct pbt_error *error)
{
    struct writer writer = {spec, out};
    pbt_buf_text(out, "# The experiment as it runs: defaults filled in, "
                      "overrides applied.\n");
    if (spec->settings.custom_explore && spec->explore_command == NULL) {
        pbt_buf_text(out, "# Exploits ask a function of the calling program, "
                          "too.\n");
    }
    for (int id = 0; id < PBT_KEY_COUNT; id++) {
        if (pbt_key_is_kept(&pbt_keys[id])) {
            put_key(&writer, (enum pbt_key_id)id);
        }
    }
    if (pbt_buf_failed(out)) {
        return pbt_error_set(error, PBT_ENOMEM,
                             "the experiment file is too large");
    }
    return PBT_OK;
}
