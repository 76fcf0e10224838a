/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of places against a naive set; rows there and back; anchors. */
#include <rows.h>

#include <criterion/criterion.h>
#include <stdlib.h>

enum { CLUSTERS = 4, PLACES = 40 };

struct naive {
	bool has[CLUSTERS][PLACES]; /* cluster and count, less 1 */
};

static void expect_equal(const struct bb_profile *profile, const struct naive *set, unsigned seed)
{
	struct naive found = {{{false}}};

	for (size_t i = 0; i < profile->run_n; i++) {
		const struct bb_run *run = &profile->runs[i], *before = i ? run - 1 : NULL;

		cr_assert(run->first <= run->last);
		cr_assert(
			!before || before->cluster < run->cluster ||
				(before->cluster == run->cluster && before->last + 1 < run->first),
			"seed %u: runs overlap, touch or are not sorted", seed);
		for (uint32_t n = run->first; n <= run->last; n++)
			found.has[run->cluster - 1][n - 1] = true;
	}
	cr_assert_eq(memcmp(&found, set, sizeof(found)), 0, "seed %u", seed);
}

Test(core, runs_are_the_sets_that_a_naive_one_is)
{
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct bb_profile profile = {.cluster = 1};
		struct naive set = {{{false}}};
		struct bb_arena arena;

		srand(seed);
		bb_arena_init(&arena);
		for (int step = 0; step < 300; step++) {
			int c = rand() % CLUSTERS, n = rand() % PLACES;
			struct bb_place place = {(uint64_t)c + 1, (uint32_t)n + 1};
			bool add = rand() % 5 < 3;

			if (add)
				bb_rows_run_add(&arena, &profile, place);
			else
				bb_rows_run_remove(&arena, &profile, place);
			set.has[c][n] = add;
			expect_equal(&profile, &set, seed);
		}
		bb_arena_fini(&arena);
	}
}

Test(core, two_lists_of_runs_become_one)
{
	for (unsigned seed = 1; seed <= 300; seed++) {
		struct bb_profile a = {.cluster = 1}, b = {.cluster = 2};
		struct naive set = {{{false}}};
		struct bb_arena arena;

		srand(seed);
		bb_arena_init(&arena);
		for (int step = 0; step < 80; step++) {
			int c = rand() % CLUSTERS, n = rand() % PLACES;

			if (set.has[c][n])
				continue; /* a place is in one profile */
			set.has[c][n] = true;
			bb_rows_run_add(&arena, rand() % 2 ? &a : &b,
					(struct bb_place){(uint64_t)c + 1, (uint32_t)n + 1});
		}
		bb_rows_run_unite(&arena, &a, &b);
		expect_equal(&a, &set, seed);
		bb_arena_fini(&arena);
	}
}

Test(core, taking_out_what_is_not_there_changes_nothing)
{
	struct bb_profile profile = {.cluster = 1};
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_rows_run_remove(&arena, &profile, (struct bb_place){1, 1});
	bb_rows_run_add(&arena, &profile, (struct bb_place){2, 5});
	bb_rows_run_add(&arena, &profile, (struct bb_place){2, 5});
	bb_rows_run_remove(&arena, &profile, (struct bb_place){2, 4});
	bb_rows_run_remove(&arena, &profile, (struct bb_place){3, 5});
	cr_expect(profile.run_n == 1 && profile.runs[0].first == 5 && profile.runs[0].last == 5);
	bb_arena_fini(&arena);
}

Test(core, the_anchor_is_the_strongest_that_links_else_the_strongest_that_is_there)
{
	static const struct {
		size_t n;
		uint32_t blocked, shared;
		int anchor;
	} rows[] = {{1, 0, 0, 0},	  {1, 0, 1, 0},		{1, 1, 0, -1},
		    {3, 0, 0, 0},	  {3, 1, 0, 1},		{3, 0, 1, 1},
		    {3, 1, 2, 2},	  {3, 0, 7, 0},		{3, 1, 6, 1},
		    {3, 7, 0, -1},	  {20, 0x7ffff, 0, 19}, {20, 0, 0x7ffff, 19},
		    {20, 0xfffff, 0, -1}, {20, 0, 0xfffff, 0},	{20, 0x7ffff, 0x80000, 19}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(bb_rows_anchor(rows[i].n, rows[i].blocked, rows[i].shared),
			     rows[i].anchor, "row %zu", i);
}

/* --- there and back --------------------------------------------------------------------------- */

static const uint32_t ns_ids[] = {2, 0, 1}; /* the order has changed since they were interned */
static const uint16_t ns_of_id[] = {1, 2, 0};

static struct bb_hash hash_of(uint8_t b)
{
	struct bb_hash hash;

	memset(hash.b, b, sizeof(hash.b));
	return hash;
}

Test(core, identifier_rows_come_back)
{
	struct bb_membership places[] = {{.record_hash = hash_of(1), .place = {7, 1}},
					 {.record_hash = hash_of(2), .place = {UINT64_MAX, 9}}};
	struct bb_near near[] = {{hash_of(3), 0}, {hash_of(4), 2}};
	struct bb_join joins[] = {{.other = hash_of(5), .n = UINT64_MAX}};
	struct bb_ident ident = {.hash = hash_of(9),
				 .ns = 1,
				 .value = BB_TEXT("a\0b"),
				 .shared = true,
				 .near_partial = true,
				 .cluster = 12,
				 .label = hash_of(8),
				 .record_n = 2,
				 .places = places,
				 .place_n = 2,
				 .near = near,
				 .near_n = 2,
				 .joins = joins,
				 .join_n = 1};
	struct bb_ident back = {.hash = ident.hash};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_rows_encode_ident(&buf, &ident, ns_ids);
	cr_assert(bb_rows_decode_ident(bb_buf_slice(&buf), &arena, ns_of_id, 3, &back));
	cr_expect(back.ns == 1 && bb_text_equal(back.value, ident.value));
	cr_expect(back.shared && back.near_partial && !back.blocked && back.cluster == 12);
	cr_expect(bb_hash_equal(&back.label, &ident.label) && back.record_n == 2);
	cr_expect(back.place_n == 2 && back.places[1].place.cluster == UINT64_MAX &&
		  back.places[1].place.n == 9 && back.places[1].stored);
	cr_expect(back.near_n == 2 && back.near[1].ns == 2 &&
		  bb_hash_equal(&back.near[1].hash, &near[1].hash));
	cr_expect(back.join_n == 1 && back.joins[0].n == UINT64_MAX);
	for (size_t n = 0; n < buf.n; n++) {
		struct bb_ident cut = {.hash = ident.hash};

		cr_expect(!bb_rows_decode_ident((struct bb_text){buf.p, n}, &arena, ns_of_id, 3,
						&cut),
			  "cut at %zu", n);
	}
	bb_arena_fini(&arena);
	bb_buf_fini(&buf);
}

Test(core, a_namespace_that_is_not_configured_makes_a_row_unreadable)
{
	static const uint16_t without[] = {1, BB_NS_UNKNOWN, 0};
	struct bb_ident ident = {.hash = hash_of(9), .ns = 2, .cluster = 1}, back = {.ns = 0};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_rows_encode_ident(&buf, &ident, ns_ids);
	cr_expect(bb_rows_decode_ident(bb_buf_slice(&buf), &arena, ns_of_id, 3, &back));
	cr_expect(!bb_rows_decode_ident(bb_buf_slice(&buf), &arena, without, 3, &back));
	cr_expect(!bb_rows_decode_ident(bb_buf_slice(&buf), &arena, ns_of_id, 1, &back));
	bb_arena_fini(&arena);
	bb_buf_fini(&buf);
}

static bool decodes(const struct bb_profile *profile)
{
	struct bb_profile back = {.cluster = 1};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_arena arena;
	bool fits;

	bb_arena_init(&arena);
	bb_rows_encode_profile(&buf, profile, ns_ids);
	fits = bb_rows_decode_profile(bb_buf_slice(&buf), &arena, ns_of_id, 3, &back);
	if (fits) {
		cr_expect(back.member_n == profile->member_n && back.run_n == profile->run_n);
		cr_expect_eq(memcmp(back.runs, profile->runs, back.run_n * sizeof(*back.runs)), 0);
		for (size_t n = 0; n < buf.n; n++)
			cr_expect(!bb_rows_decode_profile((struct bb_text){buf.p, n}, &arena,
							  ns_of_id, 3, &back));
	}
	bb_arena_fini(&arena);
	bb_buf_fini(&buf);
	return fits;
}

Test(core, profile_rows_come_back_unless_they_make_no_sense)
{
	struct bb_member members[] = {
		{.ns = 0, .value = BB_TEXT("x"), .shared = true, .first_ms = 0},
		{.ns = 2,
		 .value = BB_TEXT("y"),
		 .joined = true,
		 .label = hash_of(3),
		 .first_ms = BB_TIME_MAX_MS}};
	static const struct {
		struct bb_run runs[2];
		bool fits;
	} rows[] = {{{{1, 1, 1}, {1, 3, 9}}, true},	     {{{1, 1, 1}, {2, 1, 1}}, true},
		    {{{1, 1, 1}, {1, 2, 2}}, false}, /* they touch */
		    {{{1, 1, 5}, {1, 3, 9}}, false}, /* overlap */
		    {{{2, 1, 1}, {1, 1, 1}}, false}, /* are not sorted */
		    {{{0, 1, 1}, {1, 1, 1}}, false}, /* no cluster */
		    {{{1, 0, 0}, {2, 1, 1}}, false}, /* that is the profile itself */
		    {{{1, 9, 1}, {2, 1, 1}}, false}, /* end before they begin */
		    {{{1, 1, UINT32_MAX}, {2, 1, 1}}, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_run runs[2] = {rows[i].runs[0], rows[i].runs[1]};
		struct bb_profile profile = {.cluster = 1,
					     .next_n = 3,
					     .members = members,
					     .member_n = 2,
					     .runs = runs,
					     .run_n = 2};

		cr_expect_eq(decodes(&profile), rows[i].fits, "row %zu", i);
	}
	cr_expect(!decodes(&(struct bb_profile){.cluster = 1}), "a profile without members");
	members[0].first_ms = -1;
	cr_expect(!decodes(&(struct bb_profile){.members = members, .member_n = 1}));
}
