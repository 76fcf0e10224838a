/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in memory, for tests: the tables of <backbone/kv.h> with one transaction at a time that
 * can be committed, or cut, as a crash would cut it. Failures can be ordered in advance.
 *
 * It is stricter than a real store: what get and seek return is overwritten and freed by the next
 * put or del, so that a slice kept too long shows at once (and to AddressSanitizer by name).
 */
#ifndef BB_TEST_KVMEM_H
#define BB_TEST_KVMEM_H

#include <backbone/kv.h>

struct bb_kvmem;

struct bb_kvmem *bb_kvmem_new(void) __attribute__((returns_nonnull));
void bb_kvmem_free(struct bb_kvmem *mem); /* NULL-safe; an open transaction is cut */

/*
 * The transaction, for reading and writing; only one at a time. Commit and abort consume it.
 * Commit returns BB_OK, or the error of the first put or del that failed in it, or the one ordered
 * by bb_kvmem_fail_commit; then nothing changed.
 */
struct bb_kv *bb_kvmem_begin(struct bb_kvmem *mem) __attribute__((returns_nonnull));
BB_MUST_CHECK int bb_kvmem_commit(struct bb_kv *kv);
void bb_kvmem_abort(struct bb_kv *kv); /* NULL-safe */

/*
 * Orders one failure: the nth put (get or seek) from now, counted from 1, returns `code`. A new
 * order replaces the old one; 0 cancels it. After a put that failed, nothing but an end of the
 * transaction is of use: every further put and del fails alike.
 */
void bb_kvmem_fail_put(struct bb_kvmem *mem, uint64_t nth, int code);
void bb_kvmem_fail_read(struct bb_kvmem *mem, uint64_t nth, int code);
void bb_kvmem_fail_commit(struct bb_kvmem *mem, uint64_t nth, int code);

/* Entries of a table, and puts and reads of all tables since it was made. */
size_t bb_kvmem_entries(const struct bb_kvmem *mem, enum bb_table table);
uint64_t bb_kvmem_puts(const struct bb_kvmem *mem);
uint64_t bb_kvmem_reads(const struct bb_kvmem *mem);

#endif
