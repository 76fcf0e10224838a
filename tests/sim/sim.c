/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulation: for each seed a random case, brought to the pipeline in several ways, each judged
 * by the model, all with one digest (but where people are erased). A seed runs in a process of its
 * own, two at a time; a crash or a hang of the code under test is a failure like any other.
 *
 * A failing case is shrunk, and printed with its seed, the run, what differs, the rules and the
 * events that are left.
 */
#include "model.h"
#include "run.h"
#include "shrink.h"
#include "walk.h"

#include <backbone/clock.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 2
#define SEED_SECONDS 300 /* then it hangs */
#define SHRINK_BUDGET 4000

static const struct bb_run runs[] = {
	{.name = "as they come, at once"},
	{.name = "shuffled, one by one", .shuffle = true, .batch = 1, .restart_percent = 3},
	{.name = "shuffled, copies, restarts",
	 .shuffle = true,
	 .batch = 7,
	 .redeliver_percent = 15,
	 .restart_percent = 20},
	{.name = "shuffled, copies, failures",
	 .shuffle = true,
	 .batch = 50,
	 .redeliver_percent = 5,
	 .fail_percent = 80},
	{.name = "as they come, failures, restarts",
	 .batch = 13,
	 .fail_percent = 30,
	 .restart_percent = 30},
	{.name = "on disk, shuffled, copies, failures, restarts",
	 .disk = true,
	 .shuffle = true,
	 .batch = 49,
	 .redeliver_percent = 10,
	 .fail_percent = 20,
	 .restart_percent = 30},
};

#define RUNS (sizeof runs / sizeof runs[0])

struct options {
	uint64_t first, last;
	struct bb_case_options cases;
	bool every_batch, explain, json, emit, keep;
	const char *store; /* NULL: as each run says */
	long run;	   /* -1: all */
};

static struct bb_explain_judged explained; /* by this process */

static struct bb_run run_of(const struct options *options, size_t i)
{
	struct bb_run run = runs[i];

	run.every_batch = options->every_batch;
	run.explained = options->explain ? &explained : NULL;
	if (options->store)
		run.disk = strcmp(options->store, "lmdb") == 0;
	return run;
}

static void put_explained(struct bb_buf *buf)
{
	bb_buf_printf(buf,
		      ",\"pairs\":%" PRIu64 ",\"without\":%" PRIu64 ",\"joins\":%" PRIu64
		      ",\"allowed\":%" PRIu64 ",\"rulings\":%" PRIu64 ",\"ruled\":%" PRIu64
		      ",\"limits\":%" PRIu64 ",\"raised\":%" PRIu64,
		      explained.pairs, explained.without, explained.joins, explained.allowed,
		      explained.rulings, explained.ruled, explained.limits, explained.raised);
}

static void print(const struct bb_buf *buf)
{
	fwrite(buf->p, 1, buf->n, stdout);
	fflush(stdout);
}

/* The number of the first run that fails; RUNS: none does. */
static size_t run_seed(const struct options *options, uint64_t seed)
{
	uint64_t begin_ns = bb_clock_monotonic_ns();
	struct bb_buf report = BB_BUF_EMPTY;
	struct bb_digest first = {0}, digest = {0};
	struct bb_case cs;
	bool any = false;
	size_t i;

	bb_case_make(&cs, seed, &options->cases);
	for (i = 0; i < RUNS; i++) {
		struct bb_run run = run_of(options, i);

		if (options->run >= 0 && i != (size_t)options->run)
			continue;
		if (!bb_run_case(&cs, &run, &digest, &report))
			break;
		if (any && !cs.erases && !cs.dated && /* else it depends on what was read by then */
		    (!bb_hash_equal(&first.sum, &digest.sum) || first.profiles != digest.profiles))
			break;
		first = digest;
		any = true;
	}
	report.n = 0;
	if (options->json) {
		bb_buf_printf(&report,
			      "{\"seed\":%" PRIu64 ",\"ok\":%s,\"steps\":%zu,\"profiles\":%" PRIu64
			      ",\"ms\":%" PRIu64,
			      seed, i == RUNS ? "true" : "false", cs.n, digest.profiles,
			      (bb_clock_monotonic_ns() - begin_ns) / 1000000);
		if (options->explain)
			put_explained(&report);
		bb_buf_printf(&report, "}\n");
		print(&report);
	}
	bb_buf_fini(&report);
	bb_case_fini(&cs);
	return i;
}

/* In a process of its own: a crash and a hang fail too. With `report` the difference is printed. */
static bool fails_apart(const struct bb_case *cs, const struct bb_run *run, bool report)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct bb_buf buf = BB_BUF_EMPTY;
		struct bb_digest digest;
		bool ok;

		if (!report && !freopen("/dev/null", "w", stderr))
			_exit(1);
		alarm(SEED_SECONDS / 10);
		ok = bb_run_case(cs, run, &digest, &buf);
		if (report && !ok)
			print(&buf);
		_exit(ok ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (report && WIFSIGNALED(status))
		printf("died of signal %d\n", WTERMSIG(status));
	return status != 0;
}

static bool on_trial(const struct bb_case *cs, void *ctx)
{
	return fails_apart(cs, ctx, false);
}

static void emit_step(const struct bb_step *step, struct bb_buf *buf)
{
	switch (step->kind) {
	case BB_STEP_EVENT:
		bb_emit_event(step->ev, buf);
		break;
	case BB_STEP_RULING:
		bb_emit_ruling(step->ruling, buf);
		break;
	case BB_STEP_ERASE:
		bb_emit_order(step->order, buf);
		break;
	case BB_STEP_CHANGE:
		bb_buf_printf(buf, "{\"from here the second rules hold\":true}");
		break;
	}
	bb_buf_byte(buf, '\n');
}

static void print_case(const struct bb_case *cs)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_emit_rules(&cs->rules, &buf);
	bb_buf_byte(&buf, '\n');
	for (size_t i = 0; i < cs->n; i++) {
		if (cs->steps[i].kind == BB_STEP_CHANGE) {
			bb_emit_rules(&cs->later, &buf);
			bb_buf_byte(&buf, '\n');
		}
		emit_step(&cs->steps[i], &buf);
	}
	print(&buf);
	bb_buf_fini(&buf);
}

static void explain(const struct options *options, uint64_t seed)
{
	struct bb_case cs;

	bb_case_make(&cs, seed, &options->cases);
	for (size_t i = 0; i < RUNS; i++) {
		struct bb_run run = run_of(options, i);

		if ((options->run >= 0 && i != (size_t)options->run) ||
		    !fails_apart(&cs, &run, false))
			continue;
		printf("seed %" PRIu64 " fails in run %zu (%s); all %zu steps:\n", seed, i,
		       run.name, cs.n);
		fails_apart(&cs, &run, true);
		if (!options->keep)
			bb_shrink_case(&cs, on_trial, &run, SHRINK_BUDGET);
		printf("%zu steps are left of it:\n", cs.n);
		fails_apart(&cs, &run, true);
		print_case(&cs);
		bb_case_fini(&cs);
		return;
	}
	printf("seed %" PRIu64 ": the runs end with different digests\n", seed);
	bb_case_fini(&cs);
}

/* Starts the next seed; waits for one when all places are taken or none is left to start. */
static uint64_t run_seeds(const struct options *options)
{
	struct {
		pid_t pid;
		uint64_t seed;
	} places[PROCESSES] = {{0, 0}};
	uint64_t next = options->first, failed = 0;
	size_t busy = 0;

	while (next <= options->last || busy > 0) {
		int status, at = 0;
		pid_t pid;

		if (next <= options->last && busy < PROCESSES) {
			while (places[at].pid)
				at++;
			pid = fork();
			if (pid == 0) {
				alarm(SEED_SECONDS);
				_exit(run_seed(options, next) == RUNS ? 0 : 1);
			}
			if (pid < 0)
				return failed + 1;
			places[at].pid = pid;
			places[at].seed = next++;
			busy++;
			continue;
		}
		pid = wait(&status);
		while (at < PROCESSES && places[at].pid != pid)
			at++;
		if (pid < 0 || at == PROCESSES)
			return failed + 1;
		places[at].pid = 0;
		busy--;
		if (status == 0)
			continue;
		failed++;
		if (failed == 1)
			explain(options, places[at].seed);
		else
			printf("seed %" PRIu64 " fails too\n", places[at].seed);
	}
	return failed;
}

/* The lines of a case, its steps taken as they come. */
static void take_steps(const struct bb_case *cs, struct bb_walk *walk)
{
	struct bb_model_erasure erasure;
	struct bb_refusal refusal;

	for (size_t i = 0; i < cs->n; i++) {
		const struct bb_step *step = &cs->steps[i];

		switch (step->kind) {
		case BB_STEP_EVENT:
			bb_walk_event(walk, step->ev);
			break;
		case BB_STEP_RULING:
			bb_walk_ruling(
				walk, step->ruling, step->ruling,
				bb_ruling_check(walk->rules, step->ruling, walk->arena, &refusal));
			break;
		case BB_STEP_ERASE:
			if (!bb_walk_knows(walk, step->order->id) &&
			    bb_walk_erase(walk, step->order, &erasure) == BB_OK)
				bb_walk_erased(walk, &erasure);
			break;
		case BB_STEP_CHANGE:
			bb_walk_rules(walk, &cs->later);
			break;
		}
	}
}

/* Rules (those that hold at the end), lines, views, each part after a line of its own. */
static void emit(const struct options *options)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_model_views views;
	struct bb_arena arena;
	struct bb_case cs;
	struct bb_walk walk = {.arena = &arena};

	bb_case_make(&cs, options->first, &options->cases);
	bb_arena_init(&arena);
	bb_walk_rules(&walk, &cs.rules);
	take_steps(&cs, &walk);
	bb_emit_rules(walk.rules, &buf);
	bb_buf_byte(&buf, '\n');
	for (size_t i = 0; i < walk.lines.event_n; i++) {
		bb_emit_event(walk.lines.events[i], &buf);
		bb_buf_byte(&buf, '\n');
	}
	for (size_t i = 0; i < walk.lines.ruling_n; i++) {
		bb_emit_ruling(walk.lines.rulings[i], &buf);
		bb_buf_byte(&buf, '\n');
	}
	for (size_t i = 0; i < walk.lines.erasure_n; i++) {
		bb_emit_erasure(walk.lines.erasures[i], &buf);
		bb_buf_byte(&buf, '\n');
	}
	views = bb_model_views(walk.rules, &walk.lines, &arena);
	bb_buf_printf(&buf, "views\n");
	for (size_t i = 0; i < views.n; i++) {
		bb_buf_text(&buf, views.lines[i]);
		bb_buf_byte(&buf, '\n');
	}
	print(&buf);
	bb_buf_fini(&buf);
	bb_arena_fini(&arena);
	bb_case_fini(&cs);
}

static int usage(FILE *out)
{
	fprintf(out,
		"usage: sim [--seeds A..B] [--events N] [--no-rulings] [--no-erasures] "
		"[--no-change] [--every-batch]\n"
		"           [--explain] [--store lmdb|memory] [--run K] [--keep] [--json]\n"
		"       sim --emit SEED [--events N] [--no-...]\n"
		"Seeds from %d on mix rulings, erasures and a change of the rules into the "
		"events.\n"
		"--emit prints rules, lines, the line `views`, and the views.\n"
		"--explain has each state's explanations tried on the model: %d pairs of it at "
		"most, or all.\n"
		"--keep prints a failing case whole. Runs:\n",
		BB_CASE_MIXED_FROM, BB_EXPLAIN_PAIRS);
	for (size_t i = 0; i < RUNS; i++)
		fprintf(out, "  %zu  %s\n", i, runs[i].name);
	return out == stdout ? 0 : 2;
}

static bool parse_seeds(const char *text, struct options *options)
{
	char *end;

	options->first = options->last = strtoull(text, &end, 10);
	if (end != text && strncmp(end, "..", 2) == 0) {
		text = end + 2;
		options->last = strtoull(text, &end, 10);
	}
	return end != text && *end == '\0' && options->first <= options->last;
}

static bool take_option(int letter, struct options *options)
{
	switch (letter) {
	case 's':
		return parse_seeds(optarg, options);
	case 'e':
		options->emit = true;
		return parse_seeds(optarg, options);
	case 'n':
		options->cases.events = strtoul(optarg, NULL, 10);
		return options->cases.events > 0;
	case 'r':
		options->run = strtol(optarg, NULL, 10);
		return options->run >= 0 && options->run < (long)RUNS;
	case 'S':
		options->store = optarg;
		return strcmp(optarg, "lmdb") == 0 || strcmp(optarg, "memory") == 0;
	case 'R':
		return options->cases.no_rulings = true;
	case 'E':
		return options->cases.no_erasures = true;
	case 'C':
		return options->cases.no_change = true;
	case 'x':
		return options->explain = true;
	case 'b':
		return options->every_batch = true;
	case 'k':
		return options->keep = true;
	case 'j':
		return options->json = true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{"seeds", required_argument, NULL, 's'}, {"events", required_argument, NULL, 'n'},
		{"emit", required_argument, NULL, 'e'},	 {"every-batch", no_argument, NULL, 'b'},
		{"explain", no_argument, NULL, 'x'},	 {"store", required_argument, NULL, 'S'},
		{"run", required_argument, NULL, 'r'},	 {"json", no_argument, NULL, 'j'},
		{"keep", no_argument, NULL, 'k'},	 {"no-rulings", no_argument, NULL, 'R'},
		{"no-erasures", no_argument, NULL, 'E'}, {"no-change", no_argument, NULL, 'C'},
		{"help", no_argument, NULL, 'h'},	 {0},
	};
	struct options options = {.first = 1, .last = 300, .run = -1};
	uint64_t failed, seeds;
	int letter;

	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (letter == 'h')
			return usage(stdout);
		if (!take_option(letter, &options))
			return usage(stderr);
	}
	if (optind != argc)
		return usage(stderr);
	if (options.emit) {
		emit(&options);
		return 0;
	}
	failed = run_seeds(&options);
	seeds = options.last - options.first + 1;
	if (options.json)
		printf("{\"seeds\":%" PRIu64 ",\"failed\":%" PRIu64 "}\n", seeds, failed);
	else
		printf("%" PRIu64 " seeds, %" PRIu64 " failed\n", seeds, failed);
	return failed ? 1 : 0;
}
