/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: what was appended comes back, and whatever is done to it afterwards shows. */
#include <backbone/audit.h>
#include <codec.h>
#include <criterion/criterion.h>
#include <kvmem.h>

#define ENTRIES 5

struct log {
	struct bb_kvmem *mem;
	struct bb_kv *kv;
	struct bb_arena arena;
};

static const struct bb_audit sample = {
	.at_ms = INT64_C(1767225600123),
	.uid = 1000,
	.actor = {"ann", 3},
	.action = {"ruling", 6},
	.subject = {"r1", 2},
	.detail = {"said \"so\"", 9},
};

static void open_log(struct log *log)
{
	*log = (struct log){.mem = bb_kvmem_new()};
	bb_arena_init(&log->arena);
	log->kv = bb_kvmem_begin(log->mem);
	for (int i = 0; i < ENTRIES; i++) {
		struct bb_audit entry = sample;

		entry.at_ms += i;
		cr_assert_eq(bb_audit_append(log->kv, &entry), BB_OK);
	}
}

static void close_log(struct log *log)
{
	bb_kvmem_abort(log->kv);
	bb_kvmem_free(log->mem);
	bb_arena_fini(&log->arena);
}

static struct bb_text key_of(uint64_t number, uint8_t out[8])
{
	bb_key_u64(out, number);
	return bb_text_bytes(out, 8);
}

static struct bb_text row(struct log *log, uint64_t number)
{
	struct bb_text value;
	uint8_t key[8];

	cr_assert_eq(bb_kv_get(log->kv, BB_TABLE_AUDIT, key_of(number, key), &value), BB_OK);
	return bb_arena_copy(&log->arena, value);
}

static void put_row(struct log *log, uint64_t number, struct bb_text value)
{
	uint8_t key[8];

	cr_assert_eq(bb_kv_put(log->kv, BB_TABLE_AUDIT, key_of(number, key), value), BB_OK);
}

static void remove_row(struct log *log, uint64_t number)
{
	uint8_t key[8];

	cr_assert_eq(bb_kv_del(log->kv, BB_TABLE_AUDIT, key_of(number, key)), BB_OK);
}

static struct bb_audit_check verify(struct log *log)
{
	struct bb_audit_check check;

	cr_assert_eq(bb_audit_verify(log->kv, &check), BB_OK);
	return check;
}

Test(audit, entries_come_back_with_numbers_and_a_chain)
{
	struct bb_audit entry = {0}, last = {0};
	struct bb_audit_check check;
	struct log log;

	open_log(&log);
	for (uint64_t n = 1; n <= ENTRIES; n++) {
		cr_assert_eq(bb_audit_next(log.kv, n - 1, &log.arena, &entry), BB_OK);
		cr_expect_eq(entry.number, n);
		cr_expect_eq(entry.at_ms, sample.at_ms + (int64_t)n - 1);
		cr_expect_eq(entry.uid, sample.uid);
		cr_expect(bb_text_equal(entry.actor, sample.actor));
		cr_expect(bb_text_equal(entry.action, sample.action));
		cr_expect(bb_text_equal(entry.subject, sample.subject));
		cr_expect(bb_text_equal(entry.detail, sample.detail));
		cr_expect_neq(memcmp(entry.hash, last.hash, sizeof(last.hash)), 0);
		last = entry;
	}
	cr_expect_eq(bb_audit_next(log.kv, ENTRIES, &log.arena, &entry), BB_ENOTFOUND);
	check = verify(&log);
	cr_expect_eq(check.wrong, 0);
	cr_expect_eq(check.entries, ENTRIES);
	cr_expect_eq(memcmp(check.hash, last.hash, sizeof(last.hash)), 0);
	close_log(&log);
}

Test(audit, an_empty_log_is_as_it_was_written)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_audit_check check;

	cr_assert_eq(bb_audit_verify(kv, &check), BB_OK);
	cr_expect_eq(check.wrong, 0);
	cr_expect_eq(check.entries, 0);
	bb_kvmem_abort(kv);
	bb_kvmem_free(mem);
}

Test(audit, any_flipped_bit_shows_at_its_entry)
{
	struct log log;
	struct bb_text good;

	open_log(&log);
	good = row(&log, 3);
	for (size_t i = 0; i < 8 * good.n; i++) {
		struct bb_text bad = bb_arena_copy(&log.arena, good);

		((char *)bad.p)[i / 8] ^= (char)(1 << i % 8);
		put_row(&log, 3, bad);
		cr_expect_eq(verify(&log).wrong, 3, "bit %zu", i);
		cr_expect_eq(verify(&log).entries, 2);
	}
	put_row(&log, 3, good);
	cr_expect_eq(verify(&log).wrong, 0);
	close_log(&log);
}

Test(audit, what_was_taken_out_put_in_or_exchanged_shows)
{
	static const struct {
		const char *what;
		uint64_t remove, copy_from, copy_to, wrong;
	} rows[] = {
		{"the first is missing", 1, 0, 0, 1},
		{"one is missing", 3, 0, 0, 3},
		{"the last is missing", ENTRIES, 0, 0, ENTRIES},
		{"one more", 0, ENTRIES, ENTRIES + 1, ENTRIES + 1},
		{"one stands for another", 0, 2, 3, 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct log log;

		open_log(&log);
		if (rows[i].remove)
			remove_row(&log, rows[i].remove);
		if (rows[i].copy_to)
			put_row(&log, rows[i].copy_to, row(&log, rows[i].copy_from));
		cr_expect_eq(verify(&log).wrong, rows[i].wrong, "%s", rows[i].what);
		close_log(&log);
	}
}

Test(audit, a_head_that_is_missing_or_another_shows)
{
	struct bb_text head;
	struct log log;

	open_log(&log);
	cr_assert_eq(bb_kv_get(log.kv, BB_TABLE_META, BB_TEXT("audit.head"), &head), BB_OK);
	head = bb_arena_copy(&log.arena, head);
	((char *)head.p)[head.n - 1] ^= 1;
	cr_assert_eq(bb_kv_put(log.kv, BB_TABLE_META, BB_TEXT("audit.head"), head), BB_OK);
	cr_expect_eq(verify(&log).wrong, ENTRIES, "another hash");
	cr_assert_eq(bb_kv_put(log.kv, BB_TABLE_META, BB_TEXT("audit.head"), BB_TEXT("short")),
		     BB_OK);
	cr_expect_eq(verify(&log).wrong, ENTRIES + 1, "a head that cannot be read");
	cr_expect_eq(bb_audit_append(log.kv, &sample), BB_ECORRUPT);
	cr_assert_eq(bb_kv_del(log.kv, BB_TABLE_META, BB_TEXT("audit.head")), BB_OK);
	cr_expect_eq(verify(&log).wrong, 1, "no head, but entries");
	close_log(&log);
}

Test(audit, rows_that_are_no_entries_are_damage)
{
	struct bb_audit entry;
	struct log log;

	open_log(&log);
	put_row(&log, 2, BB_TEXT("rubbish"));
	cr_expect_eq(bb_audit_next(log.kv, 1, &log.arena, &entry), BB_ECORRUPT);
	cr_assert_eq(bb_kv_put(log.kv, BB_TABLE_AUDIT, BB_TEXT("\0\0\0\0\0\0\0\1x"), BB_TEXT("x")),
		     BB_OK);
	cr_expect_eq(bb_audit_next(log.kv, 1, &log.arena, &entry), BB_ECORRUPT);
	cr_expect_eq(verify(&log).wrong, 2);
	close_log(&log);
}

Test(audit, what_the_store_cannot_do_is_said)
{
	struct bb_audit_check check;
	struct bb_audit entry;
	struct log log;

	open_log(&log);
	for (uint64_t nth = 1; nth <= 2; nth++) {
		bb_kvmem_fail_read(log.mem, nth, BB_EIO);
		cr_expect_eq(bb_audit_verify(log.kv, &check), BB_EIO, "read %d", (int)nth);
	}
	bb_kvmem_fail_read(log.mem, ENTRIES + 2, BB_EIO);
	cr_expect_eq(bb_audit_verify(log.kv, &check), BB_EIO, "behind the last");
	bb_kvmem_fail_read(log.mem, 1, BB_EIO);
	cr_expect_eq(bb_audit_next(log.kv, 0, &log.arena, &entry), BB_EIO);
	bb_kvmem_fail_read(log.mem, 1, BB_EIO);
	cr_expect_eq(bb_audit_append(log.kv, &sample), BB_EIO);
	bb_kvmem_fail_read(log.mem, 0, 0);
	bb_kvmem_fail_put(log.mem, 2, BB_ENOSPC);
	cr_expect_eq(bb_audit_append(log.kv, &sample), BB_ENOSPC);
	close_log(&log);
}

Test(audit, an_entry_is_one_line_of_json)
{
	struct bb_audit entry = sample;
	struct bb_buf buf = BB_BUF_EMPTY;
	static const char start[] =
		"{\"number\":0,\"time\":\"2026-01-01T00:00:00.123Z\",\"uid\":1000,\"actor\":"
		"\"ann\",\"action\":\"ruling\",\"subject\":\"r1\",\"detail\":\"said \\\"so\\\"\","
		"\"hash\":\"0000";

	bb_audit_json(&entry, &buf);
	cr_assert_geq(buf.n, sizeof(start));
	cr_expect_eq(memcmp(buf.p, start, sizeof(start) - 1), 0, "%.*s", (int)buf.n, buf.p);
	buf.n = 0;
	entry.uid = BB_AUDIT_NO_UID;
	bb_audit_json(&entry, &buf);
	cr_expect(memmem(buf.p, buf.n, "\"uid\":null,", 11), "%.*s", (int)buf.n, buf.p);
	buf.n = 0;
	bb_audit_check_json(&(struct bb_audit_check){.entries = 3, .wrong = 4}, &buf);
	cr_expect_eq(memcmp(buf.p, "{\"entries\":3,\"wrong\":4,\"hash\":\"00", 33), 0, "%.*s",
		     (int)buf.n, buf.p);
	buf.n = 0;
	bb_audit_check_json(&(struct bb_audit_check){.entries = 3}, &buf);
	cr_expect(memmem(buf.p, buf.n, "\"wrong\":null,", 13), "%.*s", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

Test(audit, every_action_has_a_word)
{
	cr_expect_str_eq(bb_audit_action_text(BB_AUDIT_RULING), "ruling");
	cr_expect_str_eq(bb_audit_action_text(BB_AUDIT_RELEASE), "release");
	cr_expect_str_eq(bb_audit_action_text(BB_AUDIT_ERASURE), "erasure");
	cr_expect_str_eq(bb_audit_action_text(BB_AUDIT_EXPORT), "export");
}
