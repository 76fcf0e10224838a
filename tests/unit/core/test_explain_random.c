/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explanations of every pair in small random states, against a naive sweep of the definition over
 * the same links: what is said to part two parts them, what is said to unite them unites them, the
 * witness of a refused link is what it would have broken, and nothing depends on the order in which
 * events and rulings came.
 */
#include "core_rig.h"
#include "explain.h"

#include <backbone/explain.h>
#include <stdarg.h>
#include <stdio.h>

enum { SEEDS = 200, OPS = 24, NODES_MAX = 15, LINKS_MAX = 256, ORDERS = 3 };

static const char *const keys[NODES_MAX] = {"crm:1",   "crm:2",	  "crm:3",  "card:1", "card:2",
					    "card:3",  "mail:a",  "mail:b", "mail:c", "phone:1",
					    "phone:2", "phone:3", "dev:a",  "dev:b",  "dev:c"};

static uint64_t state;

static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

/* --- events and rulings ----------------------------------------------------------------------- */

struct op {
	bool is_ruling;
	char ids[96];
	int64_t time_ms;
	enum bb_ruling_kind kind;
	int on[2];
	unsigned number;
};

static void make_event(struct op *op)
{
	unsigned n = 1 + below(3);

	op->time_ms = CORE_T0 + (int64_t)below(5) * BB_DAY_MS + (int64_t)below(4) * BB_HOUR_MS;
	if (below(10) == 0) {
		snprintf(op->ids, sizeof(op->ids), "crm:%u=crm:%u", 1 + below(3), 1 + below(3));
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		size_t used = strlen(op->ids);

		snprintf(op->ids + used, sizeof(op->ids) - used, "%s%s", i ? " " : "",
			 keys[below(NODES_MAX)]);
	}
}

static void make_ruling(struct op *op)
{
	static const enum bb_ruling_kind kinds[] = {BB_RULING_JOIN,  BB_RULING_SPLIT,
						    BB_RULING_JOIN,  BB_RULING_SPLIT,
						    BB_RULING_BLOCK, BB_RULING_ALLOW};

	op->is_ruling = true;
	op->kind = kinds[below(6)];
	op->on[0] = (int)below(NODES_MAX);
	op->on[1] = (op->on[0] + 1 + (int)below(NODES_MAX - 1)) % NODES_MAX;
	op->time_ms = CORE_T0 + (int64_t)below(100000);
}

static struct bb_identifier identifier_of(struct core_rig *rig, const char *key)
{
	struct bb_text text = bb_arena_copy(&rig->arena, bb_text_of(key));
	size_t n = (size_t)(strchr(key, ':') - key);

	return (struct bb_identifier){.ns = {text.p, n},
				      .value = {text.p + n + 1, text.n - n - 1},
				      .ns_index = BB_NS_UNKNOWN};
}

static void apply_op(struct core_rig *rig, const struct op *op)
{
	struct bb_ruling ruling = {.kind = op->kind, .time_ms = op->time_ms};

	if (!op->is_ruling) {
		rig->number = op->number;
		core_apply(rig, core_event(rig, op->time_ms, op->ids));
		return;
	}
	ruling.id = bb_arena_printf(&rig->arena, "r%u", op->number);
	ruling.actor = BB_TEXT("ann");
	ruling.reason = BB_TEXT("a test");
	for (unsigned i = 0; i < bb_ruling_ends(op->kind); i++)
		ruling.on[i] = identifier_of(rig, keys[op->on[i]]);
	cr_assert(bb_ruling_check(&rig->rules, &ruling, &rig->arena, &rig->refusal));
	if (!rig->kv) {
		rig->kv = bb_kvmem_begin(rig->mem);
		bb_pipeline_begin(rig->pl, rig->kv);
	}
	cr_assert_eq(bb_pipeline_rule(rig->pl, &ruling, &rig->refusal), BB_VERDICT_APPLIED);
}

static void load(struct core_rig *rig, const struct op *ops, bool is_shuffled)
{
	int order[OPS];

	core_rig_restart(rig);
	for (int i = 0; i < OPS; i++)
		order[i] = i;
	for (int i = OPS - 1; is_shuffled && i > 0; i--) {
		int k = (int)below((unsigned)i + 1), swap = order[i];

		order[i] = order[k];
		order[k] = swap;
	}
	for (int i = 0; i < OPS; i++) {
		apply_op(rig, &ops[order[i]]);
		if ((is_shuffled && below(3) == 0) || i == OPS - 1)
			cr_assert(!rig->kv || core_end(rig) == BB_OK);
	}
}

/* --- the naive sweep -------------------------------------------------------------------------- */

struct naive_link {
	int a, b;
	bool join, is_out;
	struct bb_rank rank;
};

struct naive {
	const struct bb_rules *rules;
	bool is_known[NODES_MAX]; /* and not blocked */
	bool is_shared[NODES_MAX];
	uint16_t ns[NODES_MAX];
	bool join[NODES_MAX][NODES_MAX], split[NODES_MAX][NODES_MAX];
	struct naive_link links[LINKS_MAX];
	int link_n;
	int label[NODES_MAX], group[NODES_MAX];
	/* of the refused link that is asked for */
	const struct naive_link *asked;
	char witness[512];
};

static int node_of(const char *key)
{
	for (int i = 0; i < NODES_MAX; i++)
		if (strcmp(keys[i], key) == 0)
			return i;
	cr_assert_fail("no identifier %s", key);
	return -1;
}

static void read_pairs(struct bb_batch *batch, struct naive *nv, struct bb_explain_end *ends, int i)
{
	struct bb_ident *ident = ends[i].ident;

	for (size_t k = 0; k < ident->join_n; k++)
		for (int j = 0; j < NODES_MAX; j++) {
			if (!nv->is_known[j] ||
			    !bb_hash_equal(&ends[j].ident->hash, &ident->joins[k].other))
				continue;
			nv->join[i][j] =
				bb_pair_joins(ident, ends[j].ident, &ident->joins[k], false);
			nv->split[i][j] =
				bb_pair_splits(ident, ends[j].ident, &ident->joins[k], false);
		}
	const struct bb_adjacency *all = bb_links_of(batch, ident);

	for (size_t k = 0; k < all->n; k++) {
		const struct bb_link *link = all->items[k];

		if (link->anchor != ident || link->now.tier == bb_rank_worst.tier)
			continue;
		for (int j = 0; j < NODES_MAX; j++)
			if (nv->is_known[j] && ends[j].ident == link->other)
				nv->links[nv->link_n++] =
					(struct naive_link){i, j, link->join, false, link->now};
	}
}

static int by_rank(const void *a, const void *b)
{
	return bb_rank_compare(&((const struct naive_link *)a)->rank,
			       &((const struct naive_link *)b)->rank);
}

/* Links and pairs as the batch reads them; ranks hold pointers into its arena, so it stays. */
static void naive_read(struct naive *nv, struct bb_batch *batch)
{
	struct bb_explain_end ends[NODES_MAX];

	memset(nv, 0, sizeof(*nv));
	nv->rules = batch->rules;
	for (int i = 0; i < NODES_MAX; i++) {
		int rc = bb_explain_find(batch, bb_text_of(keys[i]), &ends[i]);

		nv->is_known[i] = rc == BB_OK && !ends[i].blocked;
		nv->is_shared[i] = nv->is_known[i] && ends[i].ident->shared;
		nv->ns[i] = nv->is_known[i] ? ends[i].ns : 0;
	}
	for (int i = 0; i < NODES_MAX; i++)
		if (nv->is_known[i])
			read_pairs(batch, nv, ends, i);
	qsort(nv->links, (size_t)nv->link_n, sizeof(*nv->links), by_rank);
}

static void naive_labels(struct naive *nv)
{
	for (int i = 0; i < NODES_MAX; i++)
		nv->label[i] = i;
	for (int turn = 0; turn < NODES_MAX; turn++)
		for (int i = 0; i < NODES_MAX; i++)
			for (int j = 0; j < NODES_MAX; j++)
				if (nv->join[i][j] && nv->label[j] < nv->label[i])
					nv->label[i] = nv->label[j];
}

__attribute__((format(printf, 3, 4))) static void
say(struct naive *nv, const struct naive_link *link, const char *fmt, ...)
{
	size_t used = strlen(nv->witness);
	va_list args;

	if (link != nv->asked)
		return;
	va_start(args, fmt);
	vsnprintf(nv->witness + used, sizeof(nv->witness) - used, fmt, args);
	va_end(args);
}

/* Whether two groups may be one; what they break is written down if it is asked for. */
static bool naive_fits(struct naive *nv, const struct naive_link *link)
{
	int a = nv->group[link->a], b = nv->group[link->b];
	unsigned n = 0;
	bool fits = true;

	for (uint16_t ns = 0; ns < nv->rules->namespace_n; ns++) {
		bool seen[NODES_MAX] = {false};
		unsigned labels = 0, most = nv->rules->namespaces[ns].per_profile;

		for (int i = 0; i < NODES_MAX; i++) {
			if (!nv->is_known[i] || nv->ns[i] != ns ||
			    (nv->group[i] != a && nv->group[i] != b))
				continue;
			n++;
			labels += !seen[nv->label[i]];
			seen[nv->label[i]] = true;
		}
		if (most == BB_NO_LIMIT || labels <= most)
			continue;
		fits = false;
		say(nv, link, "per_profile %s %u %u;", nv->rules->namespaces[ns].name, most,
		    labels);
	}
	for (int i = 0; i < NODES_MAX; i++)
		for (int j = 0; j < NODES_MAX; j++)
			if (nv->group[i] == a && nv->group[j] == b && nv->split[i][j]) {
				fits = false;
				say(nv, link, "split;");
			}
	if (n > nv->rules->max_identifiers) {
		fits = false;
		say(nv, link, "max_identifiers %u %u;", nv->rules->max_identifiers, n);
	}
	return fits;
}

static void naive_sweep(struct naive *nv)
{
	nv->witness[0] = '\0';
	naive_labels(nv);
	for (int i = 0; i < NODES_MAX; i++)
		nv->group[i] = i;
	for (int k = 0; k < nv->link_n; k++) {
		const struct naive_link *link = &nv->links[k];
		int a = nv->group[link->a], b = nv->group[link->b];

		if (link->is_out || a == b || !naive_fits(nv, link))
			continue;
		for (int i = 0; i < NODES_MAX; i++)
			if (nv->group[i] == b)
				nv->group[i] = a;
	}
}

static bool naive_together(const struct naive *nv, int a, int b)
{
	return nv->group[a] == nv->group[b];
}

/* --- reading the answers ---------------------------------------------------------------------- */

struct said_link {
	int from, to;
	bool join;
};

/* The next link from *at on, before `end`. */
static bool next_link(const char **at, const char *end, struct said_link *ret_link)
{
	char from[64], to[64], kind[8];
	const char *found = strstr(*at, "{\"from\":");

	if (!found || (end && found >= end))
		return false;
	cr_assert_eq(sscanf(found,
			    "{\"from\":\"%63[^\"]\",\"to\":\"%63[^\"]\",\"kind\":\"%7[^\"]\"", from,
			    to, kind),
		     3);
	*ret_link = (struct said_link){node_of(from), node_of(to), strcmp(kind, "join") == 0};
	*at = found + 1;
	return true;
}

static struct naive_link *naive_link_of(struct naive *nv, const struct said_link *said)
{
	for (int k = 0; k < nv->link_n; k++)
		if (nv->links[k].a == said->from && nv->links[k].b == said->to &&
		    nv->links[k].join == said->join)
			return &nv->links[k];
	cr_assert_fail("%s - %s: no such link", keys[said->from], keys[said->to]);
	return NULL;
}

static void check_chain(struct naive *nv, int a, int b, const char *json)
{
	const char *at = strstr(json, "\"chain\":"), *end = strstr(json, "\"weakest\":");
	struct said_link link, weakest = {-1, -1, false};
	const struct naive_link *worst = NULL;
	int here = a;

	cr_assert(at && end);
	while (next_link(&at, end, &link)) {
		const struct naive_link *found = naive_link_of(nv, &link);

		cr_assert(link.from == here || link.to == here, "%s", json);
		here = link.from == here ? link.to : link.from;
		if (!worst || by_rank(worst, found) < 0)
			worst = found;
	}
	cr_expect_eq(here, b, "the chain ends at %s: %s", keys[here], json);
	cr_assert(next_link(&end, NULL, &weakest));
	cr_expect_eq(naive_link_of(nv, &weakest), worst, "%s", json);
}

/* What is said to part two does so in the sweep, and so does a split. */
static void check_parting(struct naive *nv, int a, int b, const char *json)
{
	struct naive without = *nv;
	const char *at = strstr(json, "\"without\":"), *end = strstr(json, "\"parts\":");
	struct said_link link;
	int n = 0;

	cr_assert(at && end);
	while (next_link(&at, end, &link)) {
		naive_sweep(&without);
		cr_expect(naive_together(&without, a, b), "%d links are enough: %s", n, json);
		naive_link_of(&without, &link)->is_out = true;
		if (link.join)
			without.join[link.from][link.to] = without.join[link.to][link.from] = false;
		n++;
	}
	naive_sweep(&without);
	cr_expect(!naive_together(&without, a, b), "still together: %s", json);
	cr_expect(strstr(json, "],\"parts\":true,"), "%s", json);
	cr_expect_eq(strstr(json, "\"alone\":true") != NULL, n == 1, "%s", json);
	cr_expect(strstr(json, "\"split\":{\"parts\":true}"), "%s", json);
}

/* Where a join of the two would stand among the links. */
static struct naive_link join_of(const struct naive *nv, int a, int b)
{
	int x = a < b ? a : b, y = a < b ? b : a; /* the keys stand by strength */
	struct bb_text parts[] = {bb_text_of(nv->rules->namespaces[nv->ns[x]].name),
				  bb_text_of(strchr(keys[x], ':') + 1),
				  bb_text_of(nv->rules->namespaces[nv->ns[y]].name),
				  bb_text_of(strchr(keys[y], ':') + 1)};

	return (struct naive_link){x,
				   y,
				   true,
				   false,
				   {.tier = 0,
				    .not_owner = !nv->rules->namespaces[nv->ns[x]].owner,
				    .other = nv->ns[y],
				    .anchor = nv->ns[x],
				    .lot = bb_hash_parts(&nv->rules->profile_key, parts, 4)}};
}

static void check_uniting(const struct naive *nv, int a, int b, const char *json)
{
	struct naive with = *nv;
	char leaves[512] = "\"leaves\":[";

	with.join[a][b] = with.join[b][a] = true;
	with.split[a][b] = with.split[b][a] = false;
	with.links[with.link_n++] = join_of(nv, a, b);
	qsort(with.links, (size_t)with.link_n, sizeof(*with.links), by_rank);
	naive_sweep(&with);
	if (!naive_together(&with, a, b)) {
		cr_expect(strstr(json, "\"unites\":false,\"witness\":[{"), "%s", json);
		return;
	}
	cr_expect(strstr(json, "\"unites\":true"), "%s", json);
	for (int i = 0; i < NODES_MAX; i++)
		if ((naive_together(nv, i, a) || naive_together(nv, i, b)) &&
		    !naive_together(&with, i, a)) {
			size_t used = strlen(leaves);

			snprintf(leaves + used, sizeof(leaves) - used, "%s\"%s\"",
				 leaves[used - 1] == '[' ? "" : ",", keys[i]);
		}
	strcat(leaves, "]");
	cr_expect(strstr(json, leaves), "no %s in %s", leaves, json);
}

static void expected_of(const char *from, const char *end, char *out, size_t size)
{
	out[0] = '\0';
	while ((from = strstr(from, "{\"limit\":")) && from < end) {
		char ns[32];
		unsigned allowed, needed;
		size_t used = strlen(out);

		if (sscanf(from,
			   "{\"limit\":\"per_profile\",\"ns\":\"%31[^\"]\",\"allowed\":%u,"
			   "\"needed\":%u",
			   ns, &allowed, &needed) == 3)
			snprintf(out + used, size - used, "per_profile %s %u %u;", ns, allowed,
				 needed);
		else if (sscanf(from, "{\"limit\":\"max_identifiers\",\"allowed\":%u,\"needed\":%u",
				&allowed, &needed) == 2)
			snprintf(out + used, size - used, "max_identifiers %u %u;", allowed,
				 needed);
		else
			snprintf(out + used, size - used, "split;");
		from++;
	}
}

/* Each refused link between the two, with exactly what it would have broken. */
static void check_refused(struct naive *nv, int a, int b, const char *json)
{
	const char *at = strstr(json, "\"refused\":["), *end = strstr(json, "\"refused_n\":");
	struct said_link link;
	int said = 0, there = 0;
	char witness[512];

	cr_assert(at && end);
	while (next_link(&at, end, &link)) {
		const char *next = strstr(at, "{\"from\":");

		said++;
		nv->asked = naive_link_of(nv, &link);
		naive_sweep(nv);
		expected_of(at, next && next < end ? next : end, witness, sizeof(witness));
		cr_expect_str_eq(witness, nv->witness, "%s - %s: %s", keys[link.from],
				 keys[link.to], json);
		cr_expect(nv->witness[0]);
	}
	nv->asked = NULL;
	for (int k = 0; k < nv->link_n; k++) {
		int x = nv->group[nv->links[k].a], y = nv->group[nv->links[k].b];

		there += (x == nv->group[a] && y == nv->group[b]) ||
			 (x == nv->group[b] && y == nv->group[a]);
	}
	cr_expect_eq(said, there, "%d of %d refused links: %s", said, there, json);
	cr_expect_eq(strstr(json, "\"why\":\"no_evidence\"") != NULL, there == 0, "%s", json);
}

static void check_pair(struct naive *nv, int a, int b, bool has_sharing, const char *json)
{
	naive_sweep(nv);
	bool together = naive_together(nv, a, b);

	cr_assert_eq(strstr(json, "\"together\":true") != NULL, together, "%s", json);
	if (together) {
		check_chain(nv, a, b, json);
		if (!has_sharing || !strstr(json, "\"kind\":\"join\""))
			check_parting(nv, a, b, json);
	} else if (!nv->is_shared[a] && !nv->is_shared[b]) {
		check_refused(nv, a, b, json);
		if (!has_sharing)
			check_uniting(nv, a, b, json);
	}
}

/* --- seeds ------------------------------------------------------------------------------------ */

static void make_rules(struct core_rig *rig, bool has_sharing)
{
	core_rig_init(rig);
	rig->rules.max_identifiers = 3 + below(5);
	rig->ns[CORE_MAIL].per_profile = 1 + below(2);
	rig->ns[CORE_CARD].per_profile = 1 + below(2);
	for (int i = 0; i < CORE_NAMESPACES; i++) {
		rig->ns[i].prefer = (enum bb_prefer)below(3);
		if (!has_sharing)
			rig->ns[i].owners = rig->ns[i].links = rig->ns[i].devices = BB_NO_LIMIT;
		else if (i > CORE_CARD)
			rig->ns[i].owners = 1;
	}
}

/* Every answer of a state, one after the other. */
static void answers(struct core_rig *rig, struct bb_explainer *explainer, struct bb_buf *all)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	uint64_t puts = bb_kvmem_puts(rig->mem);

	for (int a = 0; a < NODES_MAX; a++)
		for (int b = 0; b < NODES_MAX; b++) {
			struct bb_text x = bb_text_of(keys[a]), y = bb_text_of(keys[b]);
			int rc = a == b ? bb_explain_why(explainer, kv, x, all)
					: bb_explain_pair(explainer, kv, x, y, all);

			cr_assert(rc == BB_OK || rc == BB_ENOTFOUND, "%s %s: %d", keys[a], keys[b],
				  rc);
			bb_buf_printf(all, "\n");
		}
	cr_expect_eq(bb_kvmem_puts(rig->mem), puts, "an explanation writes");
	bb_kvmem_abort(kv);
}

static void check_state(struct core_rig *rig, bool has_sharing, const char *text)
{
	struct bb_explainer *reader = bb_explainer_new(&rig->rules);
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	struct naive nv;

	naive_read(&nv, bb_explain_begin(reader, kv));
	for (int a = 0; a < NODES_MAX; a++)
		for (int b = 0; b < NODES_MAX; b++) {
			const char *end = strchr(text, '\n');
			char *line = strndup(text, (size_t)(end - text));

			if (a != b && nv.is_known[a] && nv.is_known[b])
				check_pair(&nv, a, b, has_sharing, line);
			free(line);
			text = end + 1;
		}
	bb_kvmem_abort(kv);
	bb_explainer_free(reader);
}

static void try_seed(unsigned seed)
{
	bool has_sharing = seed % 2;
	struct op ops[OPS];
	struct core_rig rig;
	struct bb_buf first = BB_BUF_EMPTY, again = BB_BUF_EMPTY;

	state = 88172645463325252u + seed * UINT64_C(0x9e3779b97f4a7c15);
	make_rules(&rig, has_sharing);
	memset(ops, 0, sizeof(ops));
	for (unsigned i = 0; i < OPS; i++) {
		ops[i].number = i;
		if (below(6) == 0)
			make_ruling(&ops[i]);
		else
			make_event(&ops[i]);
	}
	struct bb_explainer *explainer = bb_explainer_new(&rig.rules);

	load(&rig, ops, false);
	answers(&rig, explainer, &first);
	bb_buf_byte(&first, '\0');
	check_state(&rig, has_sharing, first.p);
	for (int i = 1; i < ORDERS; i++) {
		again.n = 0;
		load(&rig, ops, true);
		bb_explainer_free(explainer); /* interned names are of one store */
		explainer = bb_explainer_new(&rig.rules);
		answers(&rig, explainer, &again);
		bb_buf_byte(&again, '\0');
		cr_assert_str_eq(again.p, first.p, "seed %u, order %d", seed, i);
	}
	bb_explainer_free(explainer);
	bb_buf_fini(&first);
	bb_buf_fini(&again);
	core_rig_fini(&rig);
}

Test(core, explanations_of_every_pair_of_small_random_states_hold, .timeout = 300)
{
	for (unsigned seed = 0; seed < SEEDS; seed++)
		try_seed(seed);
}
