/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and removes real directories; entries are functions of their number, so that any reader can
 * tell a right value from a wrong one. Whatever fails here fails the test.
 */
#include "place.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const struct bb_profile_key place_key = {{1, 2, 3}};

void place_make(struct place *place)
{
	snprintf(place->root, sizeof place->root, "/tmp/bb-store-XXXXXX");
	cr_assert_not_null(mkdtemp(place->root));
	snprintf(place->path, sizeof place->path, "%s/store", place->root);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void place_clear(const struct place *place)
{
	nftw(place->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void place_remove(struct place *place)
{
	nftw(place->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	cr_assert_neq(access(place->root, F_OK), 0);
}

struct bb_store *place_open(const struct place *place)
{
	struct bb_store_options options = {.path = place->path, .profile_key = &place_key};
	struct bb_store *store = NULL;
	struct bb_error err = {0};

	cr_assert_eq(bb_store_open(&options, &store, &err), BB_OK, "%s", err.msg);
	return store;
}

int place_try(const struct bb_store_options *options, struct bb_error *err)
{
	struct bb_store *store = NULL;
	int rc;

	*err = (struct bb_error){0};
	rc = bb_store_open(options, &store, err);
	if (rc == BB_OK)
		bb_store_close(store);
	else
		cr_assert(err->code == rc && err->msg[0], "a refusal without a message");
	return rc;
}

void place_write(const struct place *place, const char *name, const char *text)
{
	char file[256];
	FILE *out;

	mkdir(place->path, 0700);
	snprintf(file, sizeof file, "%s/%s", place->path, name);
	out = fopen(file, "w");
	cr_assert_not_null(out);
	cr_assert(fputs(text, out) >= 0);
	fclose(out);
}

char *place_read(const struct place *place, const char *name, size_t *ret_n)
{
	char file[256], *bytes;
	struct stat st;
	int fd;

	snprintf(file, sizeof file, "%s/%s", place->path, name);
	fd = open(file, O_RDONLY);
	cr_assert(fd >= 0 && fstat(fd, &st) == 0);
	bytes = calloc(1, (size_t)st.st_size + 1);
	cr_assert_not_null(bytes);
	for (off_t at = 0; at < st.st_size;) {
		ssize_t n = read(fd, bytes + at, (size_t)(st.st_size - at));

		cr_assert(n > 0);
		at += n;
	}
	close(fd);
	*ret_n = (size_t)st.st_size;
	return bytes;
}

struct bb_text place_key_of(uint32_t i, char buf[16])
{
	return (struct bb_text){buf, (size_t)snprintf(buf, 16, "key-%08x", i * 2654435761u)};
}

struct bb_text place_value_of(uint32_t i, size_t bytes, char *buf)
{
	for (size_t at = 0; at < bytes; at++)
		buf[at] = (char)(at < sizeof i ? i >> (8 * at) : i * 31 + at * 7);
	return (struct bb_text){buf, bytes};
}

void place_fill(struct bb_store *store, enum bb_table table, uint32_t from, uint32_t to,
		size_t value_bytes)
{
	char key[16], *value = malloc(value_bytes + 1);
	struct bb_kv *kv;

	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	for (uint32_t i = from; i < to; i++)
		cr_assert_eq(bb_kv_put(kv, table, place_key_of(i, key),
				       place_value_of(i, value_bytes, value)),
			     BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
	free(value);
}
