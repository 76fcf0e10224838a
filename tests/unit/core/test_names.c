/* SPDX-License-Identifier: Apache-2.0 */
/* Interned names: numbers that stay, their rows in the store, their limit. */
#include <names.h>

#include <criterion/criterion.h>
#include <kvmem.h>
#include <stdio.h>

static struct bb_text numbered(char out[16], unsigned i)
{
	return bb_text_bytes(out, (size_t)snprintf(out, 16, "name%u", i));
}

Test(core, a_name_has_one_number_in_its_kind)
{
	struct bb_names *names = bb_names_new();

	cr_expect_eq(bb_names_find(names, BB_NAME_TYPE, BB_TEXT("a")), -1);
	cr_expect_eq(bb_names_add(names, BB_NAME_TYPE, BB_TEXT("a")), 0);
	cr_expect_eq(bb_names_add(names, BB_NAME_TYPE, BB_TEXT("a\0")), 1);
	cr_expect_eq(bb_names_add(names, BB_NAME_TYPE, BB_TEXT("a")), 0);
	cr_expect_eq(bb_names_find(names, BB_NAME_TYPE, BB_TEXT("a\0")), 1);
	cr_expect_eq(bb_names_find(names, BB_NAME_ATTRIBUTE, BB_TEXT("a")), -1);
	cr_expect_eq(bb_names_add(names, BB_NAME_ATTRIBUTE, BB_TEXT("b")), 0);
	cr_expect_eq(bb_names_count(names, BB_NAME_TYPE), 2);
	cr_expect(bb_text_equal(bb_names_text(names, BB_NAME_TYPE, 1), BB_TEXT("a\0")));
	cr_expect(!bb_names_missed(names));
	bb_names_free(names);
}

Test(core, a_number_that_is_not_known_is_told_once)
{
	struct bb_names *names = bb_names_new();

	cr_expect_eq(bb_names_text(names, BB_NAME_TYPE, UINT64_MAX).n, 0);
	cr_expect(bb_names_missed(names));
	cr_expect(!bb_names_missed(names));
	bb_names_free(names);
}

Test(core, names_end_at_their_limit_but_for_namespaces_and_topics)
{
	struct bb_names *names = bb_names_new();
	char text[16];

	cr_expect(bb_names_room(names, BB_NAME_TYPE, BB_NAMES_MAX));
	cr_expect(!bb_names_room(names, BB_NAME_TYPE, BB_NAMES_MAX + 1));
	for (unsigned i = 0; i < BB_NAMES_MAX; i++) {
		cr_assert(bb_names_room(names, BB_NAME_TYPE, 1));
		cr_assert_eq(bb_names_add(names, BB_NAME_TYPE, numbered(text, i)), i);
		bb_names_add(names, BB_NAME_TOPIC, numbered(text, i));
	}
	cr_expect(!bb_names_room(names, BB_NAME_TYPE, 1));
	cr_expect(bb_names_room(names, BB_NAME_TYPE, 0));
	cr_expect(bb_names_room(names, BB_NAME_TOPIC, 1));
	for (unsigned i = 0; i < BB_NAMES_MAX; i++)
		cr_assert_eq(bb_names_find(names, BB_NAME_TYPE, numbered(text, i)), i);
	bb_names_free(names);
}

Test(core, names_are_read_as_they_were_saved_and_only_once)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_names *names = bb_names_new(), *other = bb_names_new();
	char text[16];

	for (unsigned i = 0; i < 100; i++)
		bb_names_add(names, BB_NAME_SOURCE, numbered(text, i));
	cr_assert_eq(bb_names_save(names, kv), BB_OK);
	bb_names_saved(names);
	uint64_t puts = bb_kvmem_puts(mem);

	cr_assert_eq(bb_names_save(names, kv), BB_OK);
	cr_expect_eq(bb_kvmem_puts(mem), puts, "what is saved is not written again");
	cr_assert_eq(bb_names_load(other, kv), BB_OK);
	cr_expect_eq(bb_names_count(other, BB_NAME_SOURCE), 100);
	cr_expect_eq(bb_names_find(other, BB_NAME_SOURCE, BB_TEXT("name99")), 99);
	bb_names_add(names, BB_NAME_SOURCE, BB_TEXT("one more"));
	cr_assert_eq(bb_names_save(names, kv), BB_OK);
	cr_expect_eq(bb_kvmem_puts(mem), puts + 1);
	cr_assert_eq(bb_names_load(other, kv), BB_OK);
	cr_expect_eq(bb_names_find(other, BB_NAME_SOURCE, BB_TEXT("one more")), 100);
	bb_names_free(names);
	bb_names_free(other);
	bb_kvmem_free(mem);
}

Test(core, the_errors_of_the_store_are_those_of_names)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_names *names = bb_names_new();

	bb_kvmem_fail_read(mem, 2, BB_EIO);
	cr_expect_eq(bb_names_load(names, kv), BB_EIO);
	bb_names_add(names, BB_NAME_TYPE, BB_TEXT("a"));
	bb_kvmem_fail_put(mem, 1, BB_ENOSPC);
	cr_expect_eq(bb_names_save(names, kv), BB_ENOSPC);
	bb_names_free(names);
	bb_kvmem_free(mem);
}

Test(core, two_numbers_with_one_name_are_damage_and_no_endless_loop)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_names *names = bb_names_new();
	const uint8_t keys[2][5] = {{BB_NAME_TYPE, 0, 0, 0, 0}, {BB_NAME_TYPE, 0, 0, 0, 1}};

	for (int i = 0; i < 2; i++)
		cr_assert_eq(bb_kv_put(kv, BB_TABLE_NAME, bb_text_bytes(keys[i], 5), BB_TEXT("a")),
			     BB_OK);
	cr_expect_eq(bb_names_load(names, kv), BB_ECORRUPT);
	bb_names_free(names);
	bb_kvmem_free(mem);
}
