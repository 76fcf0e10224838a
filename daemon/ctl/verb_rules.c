/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rules plan FILE`: what the rules of identity in FILE would change. A second store is made from a
 * snapshot of the first, in a folder of its own, under those rules, and the two are compared;
 * nothing else is touched, and a daemon may be at work. The files of the second store lose their
 * names as soon as they are open, so that nothing is left of it, however this ends.
 *
 * Fails where the store cannot be read, where FILE is wrong or has another profile key, and where
 * the folder has no room.
 */
#include "ctl.h"
#include "table.h"

#include <backbone/adopt.h>

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXAMPLES = 10 };

static const struct kind {
	const char *name, *title;
	const char *between; /* its two ids; NULL: it has one, or is of an identifier */
	bool of_identifier;
} kinds[BB_DIFFERENCE_KIND_COUNT] = {
	[BB_DIFFERENCE_MERGED] = {"merged", "profiles merged into others", " into ", false},
	[BB_DIFFERENCE_SPLIT] = {"split", "profiles split off", " out of ", false},
	[BB_DIFFERENCE_CREATED] = {"created", "profiles of identifiers that were nobody's", NULL,
				   false},
	[BB_DIFFERENCE_RENAMED] = {"renamed", "profiles with a new id", ", was ", false},
	[BB_DIFFERENCE_GONE] = {"gone", "profiles that are no more", NULL, false},
	[BB_DIFFERENCE_SHARED] = {"shared", "identifiers shared now", NULL, true},
	[BB_DIFFERENCE_UNSHARED] = {"unshared", "identifiers no longer shared", NULL, true},
	[BB_DIFFERENCE_BLOCKED] = {"blocked", "identifiers blocked now", NULL, true},
	[BB_DIFFERENCE_UNBLOCKED] = {"unblocked", "identifiers no longer blocked", NULL, true},
	[BB_DIFFERENCE_DROPPED] = {"dropped", "identifiers of namespaces that are gone", NULL,
				   true},
};

struct found {
	uint64_t count;
	struct bb_text examples[EXAMPLES][2]; /* in the arena */
};

struct plan {
	struct bb_ctl *ctl;
	struct bb_config *config; /* of FILE */
	struct bb_store *store, *second;
	struct found found[BB_DIFFERENCE_KIND_COUNT];
};

/* --- the second store ------------------------------------------------------------------------- */

static int on_write_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct plan *plan = ctx;

	return bb_store_write_begin(plan->second, ret_kv);
}

static bool on_progress(void *ctx, unsigned permille)
{
	struct plan *plan = ctx;

	if (!plan->ctl->json && isatty(fileno(plan->ctl->err)))
		fprintf(plan->ctl->err, "\rapplying: %3u %%  %s", permille / 10,
			permille >= 1000 ? "\r\033[K" : "");
	return true;
}

static void forget_names(const char *folder)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "FORMAT", "LOCK"};
	char path[PATH_MAX + 16];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)!unlink(path);
	}
	(void)!rmdir(folder);
}

static int open_second(struct plan *plan, struct bb_error *err)
{
	const char *parent = bb_ctl_value(plan->ctl, "folder"), *tmp = getenv("TMPDIR");
	struct bb_store_options options = {.profile_key = &plan->config->rules.profile_key,
					   .map_size_bytes = plan->config->store_map_size_bytes,
					   .unsynced = true};
	char folder[PATH_MAX];
	int ret;

	if (!parent)
		parent = tmp && *tmp ? tmp : "/tmp";
	if (snprintf(folder, sizeof folder, "%s/backbone-plan.XXXXXX", parent) >=
	    (int)sizeof folder - 64)
		return bb_error_set(err, BB_EINVAL, "--folder: the path is too long");
	if (!mkdtemp(folder))
		return bb_error_set(err, BB_EIO, "cannot make a folder in %s", parent);
	options.path = folder;
	ret = bb_store_open(&options, &plan->second, err);
	forget_names(folder);
	return ret;
}

/* --- the comparison --------------------------------------------------------------------------- */

static struct bb_text id_text(struct plan *plan, const struct bb_hash *hash)
{
	char id[BB_PROFILE_ID_BYTES];

	bb_hash_profile_id(hash, id);
	return bb_arena_copy(&plan->ctl->arena, (struct bb_text){id, sizeof id});
}

static void on_difference(void *ctx, const struct bb_difference *difference)
{
	struct plan *plan = ctx;
	struct found *found = &plan->found[difference->kind];
	struct bb_text *example;

	if (found->count++ >= EXAMPLES)
		return;
	example = found->examples[found->count - 1];
	if (kinds[difference->kind].of_identifier) {
		example[0] = bb_arena_printf(&plan->ctl->arena, "%.*s:%.*s", (int)difference->ns.n,
					     difference->ns.p, (int)difference->value.n,
					     difference->value.p);
		return;
	}
	example[0] = id_text(plan, &difference->a);
	if (kinds[difference->kind].between)
		example[1] = id_text(plan, &difference->b);
}

static int compare(struct plan *plan, struct bb_kv *from)
{
	struct bb_store_reader *reader = NULL;
	struct bb_kv *to = NULL;
	int ret = bb_store_reader_new(plan->second, &reader);

	if (ret == BB_OK)
		ret = bb_store_read_begin(reader, &to);
	if (ret == BB_OK) {
		ret = bb_adopt_compare(from, to, on_difference, plan);
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	return ret;
}

static int make_plan(struct plan *plan)
{
	struct bb_adopt_target target = {.write_begin = on_write_begin,
					 .write_commit = bb_store_write_commit,
					 .write_abort = bb_store_write_abort,
					 .progress = on_progress,
					 .ctx = plan};
	struct bb_store_reader *reader = NULL;
	struct bb_kv *from = NULL;
	int ret = bb_store_reader_new(plan->store, &reader);

	if (ret == BB_OK)
		ret = bb_store_read_begin(reader, &from);
	if (ret == BB_OK) {
		ret = bb_adopt(from, &plan->config->rules, &target);
		if (ret == BB_OK)
			ret = compare(plan, from);
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	on_progress(plan, 1000);
	return ret;
}

/* --- what acts on new events only ------------------------------------------------------------- */

static bool same_derivations(const struct bb_namespace *a, const struct bb_namespace *b)
{
	if (a->derive_n != b->derive_n)
		return false;
	for (size_t i = 0; i < a->derive_n; i++)
		if (strcmp(a->derive[i], b->derive[i]) != 0)
			return false;
	return true;
}

/* A change of what raw values become: they are not kept, so the past cannot follow. */
static bool reads_otherwise(const struct bb_rules *old, const struct bb_namespace *ns)
{
	for (size_t i = 0; i < old->namespace_n; i++) {
		const struct bb_namespace *was = &old->namespaces[i];

		if (strcmp(was->name, ns->name) != 0)
			continue;
		return was->normaliser != ns->normaliser || !same_derivations(was, ns) ||
		       strcmp(was->region ? was->region : "", ns->region ? ns->region : "") != 0;
	}
	return false; /* a new one has no past */
}

/* --- what is printed -------------------------------------------------------------------------- */

static void print_json(const struct plan *plan)
{
	const struct bb_rules *rules = &plan->config->rules;
	struct bb_buf buf = BB_BUF_EMPTY;
	bool any = false;

	bb_buf_byte(&buf, '{');
	for (size_t k = 0; k < BB_DIFFERENCE_KIND_COUNT; k++) {
		const struct found *found = &plan->found[k];

		bb_buf_printf(&buf, "\"%s\":{\"count\":%llu,\"examples\":[", kinds[k].name,
			      (unsigned long long)found->count);
		for (size_t i = 0; i < found->count && i < EXAMPLES; i++) {
			bb_buf_printf(&buf, i ? ",[" : "[");
			bb_buf_json(&buf, found->examples[i][0]);
			if (found->examples[i][1].p)
				bb_buf_byte(&buf, ',');
			if (found->examples[i][1].p)
				bb_buf_json(&buf, found->examples[i][1]);
			bb_buf_byte(&buf, ']');
		}
		bb_buf_printf(&buf, "]},");
	}
	bb_buf_printf(&buf, "\"new_events_only\":[");
	for (size_t i = 0; i < rules->namespace_n; i++) {
		if (!reads_otherwise(&plan->ctl->config->rules, &rules->namespaces[i]))
			continue;
		bb_buf_printf(&buf, any ? ",\"%s\"" : "\"%s\"", rules->namespaces[i].name);
		any = true;
	}
	bb_buf_printf(&buf, "]}\n");
	fwrite(buf.p, 1, buf.n, plan->ctl->out);
	bb_buf_fini(&buf);
}

static void print_examples(const struct found *found, enum bb_difference_kind kind, FILE *out)
{
	for (size_t i = 0; i < found->count && i < EXAMPLES; i++) {
		fputs("  ", out);
		bb_ctl_print_safe(found->examples[i][0], out);
		if (found->examples[i][1].p)
			fprintf(out, "%s%.*s", kinds[kind].between, (int)found->examples[i][1].n,
				found->examples[i][1].p);
		fputc('\n', out);
	}
	if (found->count > EXAMPLES)
		fprintf(out, "  ...\n");
}

static void print_text(const struct plan *plan)
{
	const struct bb_rules *rules = &plan->config->rules;
	FILE *out = plan->ctl->out;
	bool any = false;

	for (size_t k = 0; k < BB_DIFFERENCE_KIND_COUNT; k++) {
		const struct found *found = &plan->found[k];

		if (!found->count)
			continue;
		any = true;
		fprintf(out, "%llu %s\n", (unsigned long long)found->count, kinds[k].title);
		print_examples(found, (enum bb_difference_kind)k, out);
		if (k == BB_DIFFERENCE_DROPPED)
			fprintf(out, "  These would be lost for good: only a start with "
				     "--accept-dropped-namespaces does that.\n");
	}
	if (!any)
		fprintf(out, "nothing that is stored would change\n");
	for (size_t i = 0; i < rules->namespace_n; i++)
		if (reads_otherwise(&plan->ctl->config->rules, &rules->namespaces[i]))
			fprintf(out,
				"%s: normalise, region or derive would act on new events only; for "
				"the old ones build a new store from the topics\n",
				rules->namespaces[i].name);
}

/* --- the verb --------------------------------------------------------------------------------- */

static int load_file(struct plan *plan, const char *file)
{
	struct bb_ctl *ctl = plan->ctl;
	struct bb_diagnostics diagnostics = {.arena = &ctl->arena};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_error err = {0};
	int ret = bb_config_load(file, &plan->config, &diagnostics, &err);

	if (ret != BB_OK) {
		for (size_t i = 0; i < diagnostics.n; i++) {
			bb_diagnostic_print(&diagnostics.items[i], &buf);
			bb_buf_byte(&buf, '\n');
		}
		fwrite(buf.p ? buf.p : "", 1, buf.n, ctl->err);
		bb_buf_fini(&buf);
		plan->config = NULL;
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "%s",
				   ret == BB_ECONFIG ? "the new configuration is wrong" : err.msg);
	}
	if (memcmp(&plan->config->rules.profile_key, &ctl->config->rules.profile_key,
		   sizeof plan->config->rules.profile_key) == 0)
		return BB_CTL_OK;
	return bb_ctl_fail(ctl, BB_CTL_USAGE,
			   "%s has another profile_key, which cannot be changed on an existing "
			   "store",
			   file);
}

static int run_plan(struct plan *plan)
{
	struct bb_error err = {0};
	int ret = open_second(plan, &err);

	if (ret == BB_OK)
		ret = make_plan(plan);
	if (ret == BB_ENOSPC)
		return bb_ctl_fail(
			plan->ctl, bb_ctl_exit_of(ret),
			"no room for the second store that the plan is made with; give a "
			"larger --folder (the store itself was not touched)");
	if (ret != BB_OK)
		return bb_ctl_fail(plan->ctl, bb_ctl_exit_of(ret), "%s",
				   err.msg[0] ? err.msg : bb_error_text(ret));
	if (plan->ctl->json)
		print_json(plan);
	else
		print_text(plan);
	return BB_CTL_OK;
}

int bb_ctl_rules(struct bb_ctl *ctl)
{
	struct plan plan = {.ctl = ctl};
	int ret;

	if (strcmp(ctl->args[0], "plan") != 0)
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "expected `rules plan FILE`");
	ret = bb_ctl_load_config(ctl);
	if (ret == BB_CTL_OK)
		ret = load_file(&plan, ctl->args[1]);
	if (ret == BB_CTL_OK)
		ret = bb_ctl_open_store(ctl, &plan.store);
	if (ret == BB_CTL_OK)
		ret = run_plan(&plan);
	bb_store_close(plan.second);
	bb_store_close(plan.store);
	bb_config_free(plan.config);
	return ret;
}
