/*
 * trace.h: stories about the core.
 *
 * A story is a text.  Lines that are not indented are what happens; the
 * indented lines below each are what follows from it: the decisions, one a line.  A
 * test plays the first and compares the whole text with what came out:
 *
 *     result 0 it=5 score=0.3      trial 0 reports; the score is ranked
 *       point 0
 *       save 0/1                   checkpoint 1 of trial 0 is to be made
 *     saved 0
 *     owed 0
 *       run 0 until 10
 *
 * News on one line, separated by `;`, arrive in one batch: what they lead to is decided
 * after the last of them.  A line that starts with `.` is played without a word.
 * `0-3` for a trial's number is each of these in turn, in one batch.
 *
 *     open SLOTS                  a driver starts (again: a new incarnation)
 *     reopen SLOTS                the driver died: the state is folded from its records
 *     cut N                       ... of which the last N were lost
 *     ready T [no_reset]          start or load is done
 *     result T [it=] [score=] [t=] [v0=] [running|halted] [done] [seq=] [epoch=]
 *     halted T, saved T [bytes=], exited T [no_room] [epoch=]
 *     durable T/N, bad T/N        a checkpoint is synced, or lost
 *     capacity SLOTS, stop, time_up
 *     clock SECONDS               nothing but time goes by
 *     pause T, resume T, stop T   the user asks, of one trial
 *     answer T x=.. | failed      of the custom explore function  [ask=]
 *     owed T                      the command that is owed
 *     look T                      the trial
 *     checkpoints T               its live checkpoints and who needs them
 *
 * What is left out is what a well-behaved worker would say: the next seq, the next
 * iteration, the present epoch, halted if its grant ends there.  Epochs are
 * written incarnation.counter.
 *
 * After each line the state is checked against itself (pbt_core_check), and with the fold
 * of all records so far in a core of its own (pbt_core_digest): the golden rule.
 */
#ifndef PBT_TESTS_TRACE_H
#define PBT_TESTS_TRACE_H

#include "core/core.h"

/*
 * Asynchronous PBT, interval 5, all scores ranked; one parameter, x: uniform [0, 1).
 * Without stops (a time budget of 1,000 ns); max_failures 2; everything else off.
 */
struct pbt_settings trace_settings(uint32_t population);
/* The same with a factor of 1/2 and no new draws: x says whose it was. */
struct pbt_settings halving(uint32_t population);

struct trace;
/* `settings` is borrowed. */
struct trace *trace_begin(const struct pbt_settings *settings);
void trace_end(struct trace *trace);
/* Plays a story and compares.  More of them continue where the last one ended. */
void trace_tell(struct trace *trace, const char *story);
/* One story from its beginning to its end. */
void play(const struct pbt_settings *settings, const char *story);
/* `settings` are those that were borrowed; "reopen" has to follow. */
void trace_add_trials(struct trace *trace, struct pbt_settings *settings,
                      uint32_t more);
const struct pbt_core *trace_core(const struct trace *trace);

#endif
