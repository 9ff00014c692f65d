#include "plot/axes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TICKS_MAX 64
#define TITLE_MAX 512

const struct pbt_color pbt_hues[PBT_HUES] = {
    {0.00, 0.45, 0.70, 1}, {0.84, 0.37, 0.00, 1}, {0.00, 0.62, 0.45, 1},
    {0.80, 0.47, 0.65, 1}, {0.34, 0.71, 0.91, 1}, {0.90, 0.62, 0.00, 1},
    {0.35, 0.35, 0.35, 1}};
const struct pbt_color pbt_ink = {0.15, 0.15, 0.15, 1};
const struct pbt_color pbt_faint = {0.62, 0.62, 0.62, 1};
const struct pbt_color pbt_accent = {0.84, 0.37, 0.00, 1};
static const struct pbt_color grid = {0.90, 0.90, 0.90, 1};

struct pbt_color pbt_color_alpha(struct pbt_color color, double alpha)
{
    color.alpha = alpha;
    return color;
}

struct pbt_color pbt_color_scale(double at)
{
    static const struct pbt_color STOPS[] = {{0.267, 0.005, 0.329, 1},
                                             {0.230, 0.322, 0.546, 1},
                                             {0.128, 0.567, 0.551, 1},
                                             {0.369, 0.789, 0.383, 1},
                                             {0.993, 0.906, 0.144, 1}};
    double place = fmin(fmax(at, 0), 1) * 4;
    size_t stop = place >= 4 ? 3 : (size_t)place;
    double part = place - (double)stop;
    const struct pbt_color *a = &STOPS[stop];
    const struct pbt_color *b = &STOPS[stop + 1];
    return (struct pbt_color){a->red + part * (b->red - a->red),
                              a->green + part * (b->green - a->green),
                              a->blue + part * (b->blue - a->blue), 1};
}

/* --- scales --------------------------------------------------------------- */

struct pbt_axis pbt_axis_over(const char *label, double low, double high,
                              bool logarithmic)
{
    struct pbt_axis axis = {.label = label,
                            .logarithmic = logarithmic && low > 0 && high > 0};
    if (axis.logarithmic) {
        double room = high > low ? pow(high / low, 0.04) : 2;
        axis.low = low / room;
        axis.high = high * room;
        return axis;
    }
    double room = high > low ? 0.04 * (high - low) : fmax(fabs(low) * 0.1, 0.5);
    axis.low = low - room;
    axis.high = high + room;
    if (!isfinite(axis.high - axis.low)) { /* as far apart as numbers can be */
        axis.low = low / 2;
        axis.high = high / 2;
    }
    return axis;
}

struct pbt_axis pbt_axis_of_time(const char *what, double seconds,
                                 char label[64], double *unit)
{
    static const struct {
        double seconds;
        const char *name;
    } UNITS[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    while (i < 3 && seconds < 2 * UNITS[i].seconds) {
        i++;
    }
    *unit = UNITS[i].seconds;
    (void)snprintf(label, 64, "%s (%s)", what, UNITS[i].name);
    return pbt_axis_over(label, 0, seconds / *unit, false);
}

static double part_of(const struct pbt_axis *axis, double value)
{
    if (axis->logarithmic) {
        return value > 0 ? log(value / axis->low) / log(axis->high / axis->low)
                         : -1;
    }
    return (value - axis->low) / (axis->high - axis->low);
}

double pbt_frame_x(const struct pbt_frame *frame, double x)
{
    return frame->left + part_of(&frame->x, x) * (frame->right - frame->left);
}

double pbt_frame_y(const struct pbt_frame *frame, double y)
{
    return frame->bottom - part_of(&frame->y, y) * (frame->bottom - frame->top);
}

/* --- ticks ---------------------------------------------------------------- */

struct ticks {
    double at[TICKS_MAX];
    char labels[TICKS_MAX][48];
    size_t count;
};

static void add_tick(struct ticks *ticks, const struct pbt_axis *axis,
                     double at, int decimals)
{
    double part = part_of(axis, at);
    if (ticks->count == TICKS_MAX || part < -1e-9 || part > 1 + 1e-9) {
        return;
    }
    char *label = ticks->labels[ticks->count];
    double size = fabs(at);
    /* "%g" where digits behind the point would be many, or before it. */
    if (decimals < 0 || decimals > 6 || size >= 1e6) {
        (void)snprintf(label, sizeof ticks->labels[0], "%.6g", at);
    } else {
        (void)snprintf(label, sizeof ticks->labels[0], "%.*f", decimals,
                       size < 1e-12 ? 0 : at);
    }
    ticks->at[ticks->count++] = at;
}

static void linear_ticks(const struct pbt_axis *axis, double wanted,
                         struct ticks *ticks)
{
    double rough = (axis->high - axis->low) / fmax(wanted, 1);
    double power = pow(10, floor(log10(rough)));
    double lead = rough / power;
    double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    int decimals = (int)fmax(0, ceil(-log10(step) - 1e-9));
    double first = ceil(axis->low / step);
    /* Steps too small for the numbers: two labels that say what there is. */
    if (!isfinite(first) || fabs(first) > 1e9) {
        add_tick(ticks, axis, axis->low, -1);
        add_tick(ticks, axis, axis->high, -1);
        return;
    }
    for (int i = 0; i < TICKS_MAX && (first + i) * step <= axis->high; i++) {
        add_tick(ticks, axis, (first + i) * step, decimals);
    }
}

/* Powers of ten, or every so many of them; on a short scale 1, 2 and 5 of each. */
static void logarithmic_ticks(const struct pbt_axis *axis, double wanted,
                              struct ticks *ticks)
{
    int low = (int)floor(log10(axis->low));
    int high = (int)ceil(log10(axis->high));
    double decades = log10(axis->high / axis->low);
    int every = (int)fmax(1, ceil(decades / fmax(wanted, 1)));
    for (int power = low; power <= high; power += every) {
        add_tick(ticks, axis, pow(10, power), -1);
        if (decades <= 2) {
            add_tick(ticks, axis, 2 * pow(10, power), -1);
            add_tick(ticks, axis, 5 * pow(10, power), -1);
        }
    }
    if (ticks->count < 2) {
        ticks->count = 0;
        add_tick(ticks, axis, axis->low, -1);
        add_tick(ticks, axis, axis->high, -1);
        (void)snprintf(ticks->labels[0], sizeof ticks->labels[0], "%.3g",
                       axis->low);
        (void)snprintf(ticks->labels[1], sizeof ticks->labels[1], "%.3g",
                       axis->high);
    }
}

static void named_ticks(const struct pbt_axis *axis, double wanted,
                        struct ticks *ticks)
{
    static const size_t LEADS[] = {1, 2, 5};
    size_t every = 1;
    size_t power = 1;
    for (size_t i = 0; (double)axis->name_count / (double)every > wanted ||
                       axis->name_count / every >= TICKS_MAX;
         i++) {
        every = LEADS[i % 3] * power;
        power *= i % 3 == 2 ? 10 : 1;
    }
    for (size_t i = 0; i < axis->name_count; i += every) {
        size_t at = ticks->count;
        add_tick(ticks, axis, (double)i, 0);
        if (ticks->count > at) {
            (void)snprintf(ticks->labels[at], sizeof ticks->labels[at], "%s",
                           axis->names[i]);
        }
    }
}

static struct ticks ticks_of(const struct pbt_axis *axis, double wanted)
{
    struct ticks ticks = {.count = 0};
    if (axis->names != NULL) {
        named_ticks(axis, wanted, &ticks);
    } else if (axis->logarithmic) {
        logarithmic_ticks(axis, wanted, &ticks);
    } else {
        linear_ticks(axis, wanted, &ticks);
    }
    return ticks;
}

/* --- drawing -------------------------------------------------------------- */

static void draw_y(const struct pbt_frame *frame, const struct ticks *ticks)
{
    struct pbt_canvas *canvas = frame->canvas;
    for (size_t i = 0; i < ticks->count; i++) {
        double y = pbt_frame_y(frame, ticks->at[i]);
        if (!pbt_canvas_is_terminal(canvas)) {
            pbt_canvas_segment(canvas, frame->left, y, frame->right, y, 1, grid,
                               false);
        }
        pbt_canvas_text(canvas, frame->left - canvas->em, y, PBT_ANCHOR_RIGHT,
                        1, false, pbt_ink, ticks->labels[i]);
    }
    pbt_canvas_text(canvas, frame->left - canvas->em, frame->top - canvas->line,
                    PBT_ANCHOR_LEFT, 1, true, pbt_ink, frame->y.label);
}

/* Labels that would touch the one before them are left out. */
static void draw_x(const struct pbt_frame *frame, const struct ticks *ticks)
{
    struct pbt_canvas *canvas = frame->canvas;
    double below = frame->bottom + canvas->line * 0.8;
    double end = -1e300;
    for (size_t i = 0; i < ticks->count; i++) {
        double x = pbt_frame_x(frame, ticks->at[i]);
        double half =
            pbt_canvas_text_width(canvas, 1, false, ticks->labels[i]) / 2;
        if (!pbt_canvas_is_terminal(canvas)) {
            pbt_canvas_segment(canvas, x, frame->top, x, frame->bottom, 1, grid,
                               false);
        }
        if (x - half > end + canvas->em) {
            pbt_canvas_text(canvas, x, below, PBT_ANCHOR_MIDDLE, 1, false,
                            pbt_ink, ticks->labels[i]);
            end = x + half;
        }
    }
    pbt_canvas_text(canvas, frame->right, below + canvas->line,
                    PBT_ANCHOR_RIGHT, 1, true, pbt_ink, frame->x.label);
}

/* In a frame of this height. */
static struct ticks y_ticks(const struct pbt_frame *frame, double height)
{
    double line = frame->canvas->line;
    double room = frame->y.names != NULL ? line : 2.2 * line;
    return ticks_of(&frame->y, fmax(height / room, 1));
}

static double widest(struct pbt_canvas *canvas, const struct ticks *ticks)
{
    double width = 0;
    for (size_t i = 0; i < ticks->count; i++) {
        width = fmax(width,
                     pbt_canvas_text_width(canvas, 1, false, ticks->labels[i]));
    }
    return width;
}

/* Above it stands the label of y, below it the labels of x. */
#define ABOVE 1.6 /* lines */
#define BELOW 2.4

double pbt_frame_labels(const struct pbt_frame *frame, double height)
{
    struct ticks y =
        y_ticks(frame, height - (ABOVE + BELOW) * frame->canvas->line);
    return widest(frame->canvas, &y);
}

void pbt_frame_draw(struct pbt_frame *frame, double left, double top,
                    double right, double bottom)
{
    struct pbt_canvas *canvas = frame->canvas;
    double line = canvas->line;
    frame->top = top + ABOVE * line;
    frame->bottom = bottom - BELOW * line;
    frame->right = right;
    struct ticks y = y_ticks(frame, frame->bottom - frame->top);
    frame->left =
        left + fmax(widest(canvas, &y), frame->labels) + 2 * canvas->em;
    struct ticks x =
        ticks_of(&frame->x, (frame->right - frame->left) / (9 * canvas->em));
    draw_y(frame, &y);
    draw_x(frame, &x);
    pbt_canvas_segment(canvas, frame->left, frame->top, frame->left,
                       frame->bottom, 1, pbt_faint, false);
    pbt_canvas_segment(canvas, frame->left, frame->bottom, frame->right,
                       frame->bottom, 1, pbt_faint, false);
}

void pbt_frame_clip(const struct pbt_frame *frame)
{
    double room = 3 * frame->canvas->stroke;
    pbt_canvas_clip(frame->canvas, frame->left, frame->top - room,
                    frame->right + room, frame->bottom + room);
}

static bool fits(struct pbt_canvas *canvas, double size, bool bold,
                 const char *text)
{
    return pbt_canvas_text_width(canvas, size, bold, text) <=
           canvas->width - 2 * canvas->em;
}

/* What is too long for the canvas ends in dots. */
static void cut(struct pbt_canvas *canvas, double size, bool bold,
                char text[TITLE_MAX])
{
    size_t length = strlen(text);
    while (length > 0 && !fits(canvas, size, bold, text)) {
        do { /* no half a character stays */
            length--;
        } while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80);
        (void)snprintf(text + length, TITLE_MAX - length, "...");
    }
}

/* As many of its parts, between semicolons, as fit into a line; returns what is left. */
static const char *take_line(struct pbt_canvas *canvas, const char *text,
                             char line[TITLE_MAX])
{
    size_t taken = 0;
    for (size_t end = 0; text[end] != '\0'; end++) {
        bool last = text[end + 1] == '\0';
        if (last || strncmp(text + end, "; ", 2) == 0) {
            (void)snprintf(line, TITLE_MAX, "%.*s", (int)(end + 1), text);
            if (taken > 0 && !fits(canvas, 1, false, line)) {
                break;
            }
            taken = end + 1;
        }
    }
    (void)snprintf(line, TITLE_MAX, "%.*s", (int)taken, text);
    text += taken;
    return text + strspn(text, " ");
}

double pbt_title_draw(struct pbt_canvas *canvas, const char *title,
                      const char *subtitle)
{
    double line = canvas->line;
    bool terminal = pbt_canvas_is_terminal(canvas);
    double y = terminal ? 0 : line * 1.2;
    char text[TITLE_MAX];
    (void)snprintf(text, sizeof text, "%s", title);
    cut(canvas, 1.25, true, text);
    pbt_canvas_text(canvas, canvas->em, y, PBT_ANCHOR_LEFT, 1.25, true, pbt_ink,
                    text);
    while (subtitle[0] != '\0') {
        subtitle = take_line(canvas, subtitle, text);
        cut(canvas, 1, false, text);
        y += terminal ? line : line * 1.2;
        pbt_canvas_text(canvas, canvas->em, y, PBT_ANCHOR_LEFT, 1, false,
                        pbt_ink, text);
    }
    return y + (terminal ? line : line * 0.6);
}
