/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each line is put together in a buffer and printed with control characters shown as `?`, as
 * identifiers and reasons are other people's text. A member that is not there is printed as
 * nothing: the daemon may be of another version.
 */
#include "explain_text.h"
#include "table.h"

#include <backbone/buf.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

struct page {
	FILE *out;
	struct bb_buf line;
};

static const char *text_of(const json_t *map, const char *name)
{
	const char *text = json_string_value(json_object_get(map, name));

	return text ? text : "";
}

static long long number_of(const json_t *map, const char *name)
{
	return (long long)json_integer_value(json_object_get(map, name));
}

static bool is_true(const json_t *map, const char *name)
{
	return json_is_true(json_object_get(map, name));
}

__attribute__((format(printf, 2, 3))) static void add(struct page *page, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bb_buf_text(&page->line, bb_text_of(text));
}

static void end_line(struct page *page)
{
	bb_ctl_print_safe(bb_buf_slice(&page->line), page->out);
	fputc('\n', page->out);
	page->line.n = 0;
}

static const char *plural(long long n)
{
	return n == 1 ? "" : "s";
}

/* `a, b and 3 more`, of a list that may have been cut. */
static void add_list(struct page *page, const json_t *list, long long n)
{
	size_t shown = json_array_size(list);

	for (size_t i = 0; i < shown; i++)
		add(page, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
	if (n > (long long)shown)
		add(page, " and %lld more", n - (long long)shown);
}

/* --- links ------------------------------------------------------------------------------------ */

static void add_ruling(struct page *page, const json_t *ruling)
{
	add(page, "ruling %s of %.10s", text_of(ruling, "id"), text_of(ruling, "time"));
	if (*text_of(ruling, "actor"))
		add(page, " by %s", text_of(ruling, "actor"));
	if (*text_of(ruling, "reason"))
		add(page, ": %s", text_of(ruling, "reason"));
}

/* The sources of the records, each once. */
static void add_sources(struct page *page, const json_t *records)
{
	for (size_t i = 0; i < json_array_size(records); i++) {
		const char *source = text_of(json_array_get(records, i), "source");
		size_t k = 0;

		while (k < i && strcmp(text_of(json_array_get(records, k), "source"), source) != 0)
			k++;
		if (k == i)
			add(page, ", %s", source);
	}
}

/* What says a link: `2 events, 2026-01-02 to 2026-01-09, till, web`. */
static void add_evidence(struct page *page, const json_t *link)
{
	long long events = number_of(link, "events");
	const char *first = text_of(link, "first_seen"), *last = text_of(link, "last_seen");

	if (strcmp(text_of(link, "by"), "ruling") == 0) {
		add(page, "joined by ");
		add_ruling(page, json_object_get(link, "ruling"));
		return;
	}
	if (strcmp(text_of(link, "by"), "same") == 0)
		add(page, "said to be the same by ");
	add(page, "%lld event%s, %.10s", events, plural(events), first);
	if (strncmp(first, last, 10) != 0)
		add(page, " to %.10s", last);
	add_sources(page, json_object_get(link, "records"));
}

static void add_witness(struct page *page, const json_t *witness)
{
	const char *limit = text_of(witness, "limit"), *ns = text_of(witness, "ns");
	long long allowed = number_of(witness, "allowed"), needed = number_of(witness, "needed");

	if (strcmp(limit, "per_profile") == 0) {
		add(page, "one profile would have %lld of %s, and %lld is allowed (per_profile): ",
		    needed, ns, allowed);
		add_list(page, json_object_get(witness, "with_from"), 0);
		add(page, " against ");
		add_list(page, json_object_get(witness, "with_to"), 0);
	} else if (strcmp(limit, "split") == 0) {
		add(page, "split: ");
		add_list(page, json_object_get(witness, "pair"), 0);
		add(page, " by ");
		add_ruling(page, json_object_get(witness, "ruling"));
	} else {
		add(page, "one profile would have %lld identifiers, and %lld are allowed (%s)",
		    needed, allowed, limit);
	}
}

static void print_witnesses(struct page *page, const json_t *list, const char *indent)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		add(page, "%s", indent);
		add_witness(page, json_array_get(list, i));
		end_line(page);
	}
}

static void print_refused(struct page *page, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "refused");
	long long n = number_of(answer, "refused_n"), shown = (long long)json_array_size(list);

	if (n == 0)
		return;
	add(page, "Refused link%s:", plural(n));
	end_line(page);
	for (long long i = 0; i < shown; i++) {
		const json_t *link = json_array_get(list, (size_t)i);

		add(page, "  %s - %s  (", text_of(link, "from"), text_of(link, "to"));
		add_evidence(page, link);
		add(page, ")");
		end_line(page);
		print_witnesses(page, json_object_get(link, "witness"), "      ");
	}
	if (n > shown) {
		add(page, "  and %lld more", n - shown);
		end_line(page);
	}
}

/* --- tree ------------------------------------------------------------------------------------- */

/* The other end of a link of the tree; NULL: it does not touch `at`. */
static const char *far_end(const json_t *link, const char *at)
{
	if (strcmp(text_of(link, "from"), at) == 0)
		return text_of(link, "to");
	return strcmp(text_of(link, "to"), at) == 0 ? text_of(link, "from") : NULL;
}

/* A branch that is being printed: the next link of `at` to look for. */
struct branch {
	const char *at;
	const json_t *by; /* the link that led here */
	size_t next;
	bool is_last; /* of its parent's branches */
};

static const json_t *next_of(const json_t *tree, struct branch *branch)
{
	while (branch->next < json_array_size(tree)) {
		const json_t *link = json_array_get(tree, branch->next++);

		if (link != branch->by && far_end(link, branch->at))
			return link;
	}
	return NULL;
}

static bool has_next(const json_t *tree, const struct branch *branch)
{
	struct branch copy = *branch;

	return next_of(tree, &copy) != NULL;
}

static void print_node(struct page *page, const struct branch *path, size_t depth)
{
	for (size_t i = 1; i < depth; i++)
		add(page, "%s", path[i].is_last ? "   " : "│  ");
	add(page, "%s%s  (", path[depth].is_last ? "└─ " : "├─ ", path[depth].at);
	add_evidence(page, path[depth].by);
	add(page, ")");
	end_line(page);
}

/* Depth first; each link is printed once. */
static void print_tree(struct page *page, const json_t *tree, const char *root)
{
	size_t depth = 0, printed = 0;
	struct branch *path = calloc(json_array_size(tree) + 2, sizeof(*path));

	if (!path)
		return;
	path[0] = (struct branch){.at = root};
	add(page, "%s", root);
	end_line(page);
	for (;;) {
		const json_t *link = next_of(tree, &path[depth]);

		if (!link) {
			if (depth == 0)
				break;
			depth--;
			continue;
		}
		if (printed++ == json_array_size(tree))
			break; /* not a tree */
		path[depth + 1] = (struct branch){.at = far_end(link, path[depth].at),
						  .by = link,
						  .is_last = !has_next(tree, &path[depth])};
		print_node(page, path, ++depth);
	}
	free(path);
}

/* --- blocked and shared ----------------------------------------------------------------------- */

static void print_blocked(struct page *page, const json_t *blocked)
{
	long long records = number_of(blocked, "records");

	add(page, "%s is blocked and names nobody: by ", text_of(blocked, "key"));
	if (strcmp(text_of(blocked, "by"), "ruling") == 0) {
		add_ruling(page, json_object_get(blocked, "ruling"));
	} else {
		add(page, "the rule %s", text_of(blocked, "rule"));
		if (*text_of(blocked, "pattern"))
			add(page, " (%s)", text_of(blocked, "pattern"));
	}
	end_line(page);
	add(page, "It is in %lld record%s.", records, plural(records));
	end_line(page);
}

static void print_shared(struct page *page, const json_t *shared)
{
	const json_t *counts = json_object_get(shared, "counts");
	const char *at_least = is_true(shared, "at_least") ? "at least " : "";

	add(page, "%s is shared: it links nobody and has a profile of its own.",
	    text_of(shared, "key"));
	end_line(page);
	for (size_t i = 0; i < json_array_size(counts); i++) {
		const json_t *count = json_array_get(counts, i);
		const char *of = text_of(count, "of"), *ns = text_of(count, "ns");
		bool is_exact = strcmp(of, "records") == 0;

		if (!is_true(count, "over"))
			continue;
		add(page, "  %s%s%s: %s%lld, and %lld is allowed", of, *ns ? " of " : "", ns,
		    is_exact ? "" : at_least, number_of(count, "found"),
		    number_of(count, "allowed"));
		end_line(page);
	}
	if (json_array_size(json_object_get(shared, "owners")) > 0) {
		add(page, "Its owners: ");
		add_list(page, json_object_get(shared, "owners"), number_of(shared, "owner_n"));
		end_line(page);
	}
}

/* What an `allow` ruling on one that is set aside would do. */
static void print_allow(struct page *page, const json_t *answer)
{
	const json_t *change = json_object_get(answer, "change"),
		     *allow = json_object_get(change, "allow");

	if (!change)
		return;
	add(page, "An `allow` ruling on it would ");
	if (!json_is_object(allow)) {
		add(page, "let it link; with whom was not tried, as there are too many records.");
	} else if (json_array_size(json_object_get(allow, "with")) == 0) {
		add(page, "let it link, but put it together with nobody.");
	} else {
		add(page, "put it together with ");
		add_list(page, json_object_get(allow, "with"), number_of(allow, "with_n"));
		add(page, ".");
	}
	end_line(page);
}

static void print_beside(struct page *page, const json_t *beside)
{
	static const char *const kinds[2][2] = {{"shared", "shared_n"}, {"blocked", "blocked_n"}};

	for (int i = 0; i < 2; i++) {
		const json_t *list = json_object_get(beside, kinds[i][0]);

		if (json_array_size(list) == 0)
			continue;
		add(page, "Came with it and links nobody, as it is %s: ", kinds[i][0]);
		add_list(page, list, number_of(beside, kinds[i][1]));
		end_line(page);
	}
}

/* --- why -------------------------------------------------------------------------------------- */

static void print_why(struct page *page, const json_t *answer)
{
	const json_t *blocked = json_object_get(answer, "blocked"),
		     *shared = json_object_get(answer, "shared");
	long long n = number_of(answer, "identifiers");

	if (blocked) {
		print_blocked(page, blocked);
		print_allow(page, answer);
		return;
	}
	add(page, "Profile %s: %lld identifier%s", text_of(answer, "profile"), n, plural(n));
	end_line(page);
	if (shared) {
		print_shared(page, shared);
		print_allow(page, answer);
	} else {
		print_tree(page, json_object_get(answer, "tree"), text_of(answer, "named_by"));
	}
	print_refused(page, answer);
	print_beside(page, json_object_get(answer, "beside"));
}

/* --- pairs ------------------------------------------------------------------------------------ */

static void print_chain(struct page *page, const json_t *answer)
{
	const json_t *chain = json_object_get(answer, "chain");
	const char *at = text_of(answer, "a");

	add(page, "%s and %s are together in profile %s.", at, text_of(answer, "b"),
	    text_of(answer, "profile"));
	end_line(page);
	if (json_array_size(chain) == 0)
		return;
	add(page, "  %s", at);
	end_line(page);
	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t *link = json_array_get(chain, i);
		const char *far = far_end(link, at);

		add(page, "    │ ");
		add_evidence(page, link);
		end_line(page);
		at = far ? far : "?";
		add(page, "  %s", at);
		end_line(page);
	}
}

static void print_parting(struct page *page, const json_t *answer)
{
	const json_t *change = json_object_get(answer, "change"),
		     *without = json_object_get(change, "without"),
		     *weakest = json_object_get(answer, "weakest");

	if (!json_is_object(change))
		return;
	add(page, "The weakest link is %s - %s.", text_of(weakest, "from"), text_of(weakest, "to"));
	if (is_true(change, "alone")) {
		add(page, " Without it they would be apart.");
	} else if (is_true(change, "parts")) {
		add(page, " Its loss alone would not part them. Without all of these they would be "
			  "apart:");
	} else if (json_is_null(json_object_get(change, "parts"))) {
		add(page, " What would part them was not tried, as there are too many records.");
		without = NULL;
	} else {
		add(page, " Even without all of these they would be together:");
	}
	end_line(page);
	for (size_t i = 0; !is_true(change, "alone") && i < json_array_size(without); i++) {
		const json_t *link = json_array_get(without, i);

		add(page, "  %s - %s", text_of(link, "from"), text_of(link, "to"));
		end_line(page);
	}
	if (is_true(json_object_get(change, "split"), "parts")) {
		add(page, "A `split` ruling on the two would part them.");
		end_line(page);
	}
}

static void print_set_aside(struct page *page, const json_t *answer)
{
	const json_t *blocked = json_object_get(answer, "blocked"),
		     *shared = json_object_get(answer, "shared");

	for (size_t i = 0; i < json_array_size(blocked); i++)
		print_blocked(page, json_array_get(blocked, i));
	for (size_t i = 0; i < json_array_size(shared); i++)
		print_shared(page, json_array_get(shared, i));
}

/* Ends `... would unite them`, or does not. */
static void end_uniting(struct page *page, const json_t *way)
{
	const json_t *leaves = json_object_get(way, "leaves");
	long long shown = (long long)json_array_size(leaves), n = number_of(way, "leaves_n");

	if (shown > 0) {
		add(page, ", and part from them: ");
		add_list(page, leaves, n > shown ? n : shown);
	} else {
		add(page, ".");
	}
	end_line(page);
}

static void print_join(struct page *page, const json_t *join)
{
	const json_t *unites = json_object_get(join, "unites");

	if (json_is_true(unites)) {
		add(page, "A `join` ruling on the two would unite them");
		end_uniting(page, join);
		return;
	}
	if (json_is_null(unites)) {
		add(page,
		    "What a `join` ruling on the two would do was not tried, as there are too "
		    "many records.");
		end_line(page);
		return;
	}
	add(page, "A `join` ruling on the two would not unite them");
	if (json_object_get(join, "blocked"))
		add(page, ", as a blocked end joins nobody.");
	else if (json_object_get(join, "shared"))
		add(page, ", as a shared end joins nobody.");
	else
		add(page, ":");
	end_line(page);
	print_witnesses(page, json_object_get(join, "witness"), "  ");
}

static void add_step(struct page *page, const json_t *step)
{
	const char *ruling = text_of(step, "ruling"), *ns = text_of(step, "ns");
	const json_t *pair = json_object_get(step, "pair");

	if (!*ruling) {
		add(page, "`%s`%s%s at %lld instead of %lld", text_of(step, "limit"),
		    *ns ? " of " : "", ns, number_of(step, "to"), number_of(step, "from"));
		return;
	}
	add(page, "`%s` ", ruling);
	if (strcmp(ruling, "allow") == 0) {
		add(page, "%s", text_of(step, "key"));
	} else if (strcmp(ruling, "release") == 0) {
		add(page, "%s, the split of ", text_of(step, "releases"));
		add_list(page, pair, 0);
	} else {
		add_list(page, pair, 0);
	}
}

/* What is tried besides a join: other rulings with it, or other limits. */
static void print_way(struct page *page, const json_t *way, const char *what)
{
	const json_t *steps = json_object_get(way, "steps"), *next = json_object_get(way, "next"),
		     *unites = json_object_get(way, "unites");

	if (!json_is_object(way))
		return;
	add(page, "With %s", what);
	for (size_t i = 0; i < json_array_size(steps); i++) {
		add(page, "%s", i ? "; " : " ");
		add_step(page, json_array_get(steps, i));
	}
	if (json_is_true(unites)) {
		add(page, " they would be together");
		end_uniting(page, way);
		return;
	}
	if (json_is_null(unites)) {
		add(page, ": was not tried, as there are too many records.");
	} else if (json_is_object(next)) {
		add(page, " they would still be apart, as %s - %s would be refused:",
		    text_of(next, "from"), text_of(next, "to"));
	} else {
		add(page, " they would still be apart: nothing would link their profiles.");
	}
	end_line(page);
	print_witnesses(page, json_object_get(next, "witness"), "  ");
}

static void print_uniting(struct page *page, const json_t *answer)
{
	const json_t *change = json_object_get(answer, "change");

	if (!json_is_object(change))
		return;
	print_join(page, json_object_get(change, "join"));
	print_way(page, json_object_get(change, "rulings"), "the rulings");
	print_way(page, json_object_get(change, "limits"), "the limits");
}

static void print_apart(struct page *page, const json_t *answer)
{
	const char *why = text_of(answer, "why");

	add(page, "%s and %s are not together.", text_of(answer, "a"), text_of(answer, "b"));
	if (strcmp(why, "no_evidence") == 0)
		add(page, " There is no evidence that they are: nothing links their profiles.");
	end_line(page);
	print_set_aside(page, answer);
	print_refused(page, answer);
	print_uniting(page, answer);
}

static void print_pair(struct page *page, const json_t *answer)
{
	if (is_true(answer, "together")) {
		print_chain(page, answer);
		print_parting(page, answer);
	} else {
		print_apart(page, answer);
	}
}

/* --- what is printed -------------------------------------------------------------------------- */

static bool print(struct bb_text json, FILE *out, void (*body)(struct page *, const json_t *))
{
	json_t *answer = json_loadb(json.p, json.n, JSON_ALLOW_NUL, NULL);
	struct page page = {.out = out};

	if (!json_is_object(answer)) {
		json_decref(answer);
		return false;
	}
	body(&page, answer);
	bb_buf_fini(&page.line);
	json_decref(answer);
	return true;
}

bool bb_explain_text_why(struct bb_text json, FILE *out)
{
	return print(json, out, print_why);
}

bool bb_explain_text_pair(struct bb_text json, FILE *out)
{
	return print(json, out, print_pair);
}
