/*
 * secrets.h: values of environment variables that are never shown.
 *
 * A variable is secret if its name has TOKEN, KEY, SECRET, PASSWORD or CREDENTIAL in it, in
 * whatever case.  Its value goes to the worker, and into RUN/experiment.yaml if it stood in
 * `env`: a resume reads it there.  Nothing else that pbt says or writes has it.
 */
#ifndef PBT_BASE_SECRETS_H
#define PBT_BASE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

bool pbt_secret_name(const char *name, size_t length);

/*
 * Puts asterisks over the values of secret variables ("NAME=value", NULL-terminated, or NULL)
 * wherever they stand in a text.  Values of fewer than 6 characters stay: they are words.
 */
void pbt_secrets_hide(char *const *env, char *text);

#endif
