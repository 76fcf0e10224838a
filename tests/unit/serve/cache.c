/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of views: what it keeps, for how long, and how much of it. */
#include "cache.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define BYTES_MAX ((size_t)16 * 1024 * 1024)

static struct bb_text key_of(unsigned i)
{
	static char text[32];

	snprintf(text, sizeof(text), "user:%u", i);
	return (struct bb_text){text, strlen(text)};
}

Test(serve, a_view_is_kept_for_its_version_only)
{
	struct bb_cache cache;
	struct bb_text got;

	bb_cache_init(&cache, BYTES_MAX);
	cr_assert(!bb_cache_get(&cache, BB_TEXT("user:1"), 7).p);
	bb_cache_put(&cache, BB_TEXT("user:1"), 7, BB_TEXT("{\"a\":1}"));
	got = bb_cache_get(&cache, BB_TEXT("user:1"), 7);
	cr_assert(bb_text_equal(got, BB_TEXT("{\"a\":1}")));
	cr_assert(!bb_cache_get(&cache, BB_TEXT("user:1"), 8).p);
	cr_assert(!bb_cache_get(&cache, BB_TEXT("user:2"), 7).p);
	bb_cache_put(&cache, BB_TEXT("user:1"), 8, BB_TEXT("{\"a\":22}"));
	got = bb_cache_get(&cache, BB_TEXT("user:1"), 8);
	cr_assert(bb_text_equal(got, BB_TEXT("{\"a\":22}")));
	cr_assert(!bb_cache_get(&cache, BB_TEXT("user:1"), 7).p);
	bb_cache_fini(&cache);
	bb_cache_fini(&cache);
}

Test(serve, an_empty_view_is_kept_too)
{
	struct bb_cache cache;
	struct bb_text got;

	bb_cache_init(&cache, BYTES_MAX);
	bb_cache_put(&cache, BB_TEXT("user:1"), 7, BB_TEXT(""));
	got = bb_cache_get(&cache, BB_TEXT("user:1"), 7);
	cr_assert(got.p && got.n == 0);
	cr_assert(!bb_cache_get(&cache, BB_TEXT("user:1"), 8).p);
	bb_cache_fini(&cache);
}

Test(serve, keys_and_views_beyond_the_limits_are_not_kept)
{
	static char large[BB_CACHE_VIEW_MAX + 1];
	struct bb_cache cache;

	bb_cache_init(&cache, BYTES_MAX);
	bb_cache_put(&cache, (struct bb_text){large, BB_CACHE_KEY_MAX + 1}, 1, BB_TEXT("v"));
	bb_cache_put(&cache, BB_TEXT(""), 1, BB_TEXT("v"));
	bb_cache_put(&cache, BB_TEXT("k"), 1, (struct bb_text){large, BB_CACHE_VIEW_MAX + 1});
	cr_assert_eq(cache.bytes, 0);
	bb_cache_put(&cache, (struct bb_text){large, BB_CACHE_KEY_MAX}, 1,
		     (struct bb_text){large, BB_CACHE_VIEW_MAX});
	cr_assert_eq(bb_cache_get(&cache, (struct bb_text){large, BB_CACHE_KEY_MAX}, 1).n,
		     BB_CACHE_VIEW_MAX);
	bb_cache_fini(&cache);
}

Test(serve, the_cache_is_bounded_and_what_it_gives_is_right)
{
	static char view[1300];
	struct bb_cache cache;
	size_t found = 0;

	bb_cache_init(&cache, BYTES_MAX);
	for (unsigned i = 0; i < 200000; i++) {
		memcpy(view, &i, sizeof(i));
		bb_cache_put(&cache, key_of(i), 1, (struct bb_text){view, sizeof(view)});
		cr_assert_leq(cache.bytes, BYTES_MAX);
	}
	for (unsigned i = 0; i < 200000; i++) {
		struct bb_text got = bb_cache_get(&cache, key_of(i), 1);

		found += got.p != NULL;
		cr_assert(!got.p || memcmp(got.p, &i, sizeof(i)) == 0, "key %u", i);
	}
	cr_assert_gt(found, 5000, "only %zu", found);
	bb_cache_fini(&cache);
}

Test(serve, what_is_asked_for_again_stays)
{
	static char view[1300];
	struct bb_cache cache;

	bb_cache_init(&cache, BYTES_MAX);
	bb_cache_put(&cache, BB_TEXT("user:wanted"), 1, BB_TEXT("kept"));
	for (unsigned i = 0; i < 100000; i++) {
		bb_cache_get(&cache, BB_TEXT("user:wanted"), 1);
		bb_cache_put(&cache, key_of(i), 1, (struct bb_text){view, sizeof(view)});
	}
	cr_assert(bb_cache_get(&cache, BB_TEXT("user:wanted"), 1).p);
	bb_cache_fini(&cache);
}
