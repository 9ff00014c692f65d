/*
 * dcgan_step: one step of the DCGAN's training, from files to files.
 *
 *     dcgan_step DIR CHANNELS
 *
 * Reads from DIR, as rows of floats, the weights of both networks (generator,
 * discriminator: in the order of dnn.h), `noise` and `real`, and writes
 * generator.new, discriminator.new, generator.gradient, discriminator.gradient
 * and, as text, `losses`.  tests/dcgan_pytorch.py compares.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gan.h"

static FILE *open_file(const char *directory, const char *name,
                       const char *mode)
{
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, mode);
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void read_floats(const char *directory, const char *name, float *to,
                        size_t count)
{
    FILE *file = open_file(directory, name, "rb");

    if (fread(to, sizeof *to, count, file) != count || fgetc(file) != EOF) {
        (void)fprintf(stderr, "%s: not %zu floats\n", name, count);
        exit(1);
    }
    (void)fclose(file);
}

static void finish(FILE *file)
{
    if (ferror(file) || fclose(file) != 0) {
        perror("dcgan_step");
        exit(1);
    }
}

static void write_side(const char *directory, const char *name,
                       const struct gan_side *side)
{
    const size_t count = dnn_weight_count(side->net);
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s.new", name);
    file = open_file(directory, path, "wb");
    (void)fwrite(dnn_weights(side->net), sizeof(float), count, file);
    finish(file);
    (void)snprintf(path, sizeof path, "%s.gradient", name);
    file = open_file(directory, path, "wb");
    /* After one step, Adam's mean is half of the gradient. */
    for (size_t i = 0; i < count; i++) {
        float gradient = 2.0f * side->adam.mean[i];

        (void)fwrite(&gradient, sizeof gradient, 1, file);
    }
    finish(file);
}

static void read_side(const char *directory, const char *name,
                      struct gan_side *side)
{
    read_floats(directory, name, dnn_weights(side->net),
                dnn_weight_count(side->net));
    dnn_weights_changed(side->net);
}

int main(int argc, char **argv)
{
    static float noise[GAN_BATCH * GAN_NOISE];
    static float real[GAN_BATCH * 3 * GAN_PIXELS];
    const int channels = argc == 3 ? atoi(argv[2]) : 0;
    struct gan gan;
    struct gan_losses losses;
    struct failure failure;
    uint64_t random = 1;
    FILE *file;

    if (channels != 1 && channels != 3) {
        (void)fputs("usage: dcgan_step DIR 1|3\n", stderr);
        return 2;
    }
    if (gan_open(&gan, channels, &random, &failure) != 0) {
        (void)fprintf(stderr, "%s\n", failure.text);
        return 1;
    }
    read_side(argv[1], "generator", &gan.generator);
    read_side(argv[1], "discriminator", &gan.discriminator);
    read_floats(argv[1], "noise", noise, GAN_BATCH * GAN_NOISE);
    read_floats(argv[1], "real", real, GAN_BATCH * gan_image_size(&gan));
    if (gan_step(&gan, real, noise, &losses, &failure) != 0) {
        (void)fprintf(stderr, "%s\n", failure.text);
        return 1;
    }
    file = open_file(argv[1], "losses", "w");
    (void)fprintf(file, "%.17g %.17g\n", losses.generator,
                  losses.discriminator);
    finish(file);
    write_side(argv[1], "generator", &gan.generator);
    write_side(argv[1], "discriminator", &gan.discriminator);
    gan_close(&gan);
    return 0;
}
