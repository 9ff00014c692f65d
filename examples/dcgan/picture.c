/* picture.c: see picture.h.  Cairo holds the pixels and writes the file. */
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>
#include <fontconfig/fontconfig.h>

#include "gan.h"

enum {
    SCALE = 2,               /* pixels of the picture to one of an image */
    SIDE = SCALE * GAN_SIDE, /* of an image in the picture */
    GAP = 4,
    LABEL = 190 /* room for a text */
};

struct picture {
    cairo_surface_t *surface;
    size_t columns;
    int left; /* where the images begin */
};

struct picture *picture_new(size_t count, size_t columns, int labels)
{
    const int cell = SIDE + GAP;
    const int rows = (int)((count + columns - 1) / columns);
    struct picture *picture = calloc(1, sizeof *picture);
    cairo_t *cairo;

    if (picture == NULL)
        return NULL;
    picture->columns = columns;
    picture->left = GAP + (labels ? LABEL : 0);
    picture->surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, picture->left + (int)columns * cell,
        GAP + rows * cell);
    cairo = cairo_create(picture->surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_destroy(cairo);
    return picture; /* a surface that failed says so when it is written */
}

void picture_free(struct picture *picture)
{
    if (picture == NULL)
        return;
    cairo_surface_destroy(picture->surface);
    cairo_debug_reset_static_data(); /* its fonts: nothing is drawn any more */
    FcFini();
    free(picture);
}

static uint32_t byte_of(float value)
{
    return (uint32_t)lrintf(fminf(fmaxf(value, -1.0f), 1.0f) * 127.5f + 127.5f);
}

/* A NaN, of networks that have diverged, is black. */
static uint32_t color_of(const float *pixel, int channels)
{
    uint32_t color = 0;

    for (int i = 0; i < 3; i++) {
        float value = pixel[channels == 3 ? i * GAN_PIXELS : 0];

        color = color << 8 | (isnan(value) ? 0 : byte_of(value));
    }
    return color;
}

void picture_put(struct picture *picture, size_t at, const float *image,
                 int channels)
{
    const int cell = SIDE + GAP;
    const size_t left =
        (size_t)picture->left + at % picture->columns * (size_t)cell;
    const size_t top = GAP + at / picture->columns * (size_t)cell;
    const size_t stride =
        (size_t)cairo_image_surface_get_stride(picture->surface);
    unsigned char *data;

    cairo_surface_flush(picture->surface);
    data = cairo_image_surface_get_data(picture->surface);
    if (data == NULL)
        return; /* told by picture_write() */
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) {
            const float *pixel = image + y / SCALE * GAN_SIDE + x / SCALE;
            uint32_t color = color_of(pixel, channels);

            memcpy(data + (top + y) * stride + (left + x) * 4, &color,
                   sizeof color);
        }
    cairo_surface_mark_dirty(picture->surface);
}

void picture_label(struct picture *picture, size_t at, const char *text)
{
    const int cell = SIDE + GAP;
    const int row = (int)(at / picture->columns);
    cairo_t *cairo = cairo_create(picture->surface);

    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, 14);
    cairo_set_source_rgb(cairo, 0, 0, 0);
    cairo_move_to(cairo, GAP, row * cell + GAP + SIDE / 2.0 + 5);
    cairo_show_text(cairo, text);
    cairo_destroy(cairo);
}

static cairo_status_t put_bytes(void *file, const unsigned char *bytes,
                                unsigned size)
{
    return fwrite(bytes, size, 1, file) == 1 ? CAIRO_STATUS_SUCCESS
                                             : CAIRO_STATUS_WRITE_ERROR;
}

/* Cairo would not say why it can't write. */
int picture_write(struct picture *picture, const char *path,
                  struct failure *failure)
{
    FILE *file = fopen(path, "wb");
    cairo_status_t status;
    int number;

    if (file == NULL)
        return failure_set(failure, errno, "can't write %s: %s", path,
                           strerror(errno));
    errno = 0;
    status =
        cairo_surface_write_to_png_stream(picture->surface, put_bytes, file);
    number = status == CAIRO_STATUS_WRITE_ERROR ? errno : 0;
    /* What was buffered may fail to be written only now. */
    if (fclose(file) != 0 && status == CAIRO_STATUS_SUCCESS) {
        number = errno;
        status = CAIRO_STATUS_WRITE_ERROR;
    }
    if (status == CAIRO_STATUS_SUCCESS)
        return 0;
    return failure_set(failure, status == CAIRO_STATUS_NO_MEMORY ? ENOMEM : EIO,
                       "can't write %s: %s", path,
                       number != 0 ? strerror(number)
                                   : cairo_status_to_string(status));
}
