/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `erasures`: takes erasures from one store to another. `export` writes each tombstone as one line
 * of JSON, in a snapshot of the store, whether a daemon is at work on it or not. `import` does what
 * they say to the store of the configuration, which is made if there is none, while no daemon has
 * it: each in a transaction of its own, with an entry of the audit log. One whose id is known is
 * passed over.
 *
 * The first line has a keyed hash, so that a file of another profile key is refused before anything
 * is done. The second says by what rules identifiers were made of what came, from the first to the
 * last. Each line has a keyed seal over itself and those before it, and the last one their
 * number: a line that was changed would stand for nobody, and its id would keep the right one out.
 * A line that cannot be read ends it with its number and what is wrong; those before it have been
 * done, and importing again goes on.
 */
#include "ctl.h"

#include <backbone/audit.h>
#include <backbone/carry.h>
#include <backbone/clock.h>

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX ((size_t)64 << 20) /* a million records of one person */

enum { VERSION = 3, HEX_BYTES = 2 * BB_HASH_BYTES };

static const char seal_begins[] = ",\"seal\":", seal_ends[] = "}\n";

/* What a file shows of the key that its hashes were made with. */
static struct bb_hash hash_key(const struct bb_profile_key *key)
{
	struct bb_text parts[] = {BB_TEXT("erasures"), BB_TEXT("key")};

	return bb_hash_parts(key, parts, 2);
}

/* The seal of a line, from that of the line before it. */
static void seal_line(const struct bb_profile_key *key, struct bb_text line, struct bb_hash *seal)
{
	struct bb_text parts[] = {BB_TEXT("erasures"),
				  bb_text_bytes((const char *)seal->b, BB_HASH_BYTES), line};

	*seal = bb_hash_parts(key, parts, 3);
}

/* --- export ----------------------------------------------------------------------------------- */

static void put_hash(const struct bb_hash *hash, struct bb_buf *buf)
{
	bb_buf_byte(buf, '"');
	bb_buf_hex(buf, hash->b, BB_HASH_BYTES);
	bb_buf_byte(buf, '"');
}

static void put_hashes(const char *name, const struct bb_hash *items, size_t n, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			bb_buf_byte(buf, ',');
		put_hash(&items[i], buf);
	}
	bb_buf_byte(buf, ']');
}

static void put_stone(const struct bb_tombstone *stone, struct bb_buf *buf)
{
	const struct bb_erasure_receipt *receipt = &stone->receipt;

	bb_erasure_json_head(receipt, buf);
	bb_buf_printf(buf,
		      ",\"records\":%" PRIu64 ",\"events\":%" PRIu64 ",\"stripped\":%" PRIu64
		      ",\"rulings\":%" PRIu64,
		      receipt->records, receipt->events, receipt->stripped, receipt->rulings);
	bb_erasure_json_lists(receipt, buf);
	put_hashes("record_hashes", stone->records, stone->record_n, buf);
	put_hashes("amount_key_hashes", stone->keys, stone->key_n, buf);
}

static void put_seal(const struct bb_hash *seal, struct bb_buf *buf)
{
	bb_buf_printf(buf, "%s", seal_begins);
	put_hash(seal, buf);
	bb_buf_printf(buf, "%s", seal_ends);
}

static int write_line(struct bb_ctl *ctl, struct bb_buf *line, struct bb_hash *seal, FILE *out)
{
	seal_line(&ctl->config->rules.profile_key, bb_buf_slice(line), seal);
	put_seal(seal, line);
	return fwrite(line->p, 1, line->n, out) == line->n ? BB_OK : BB_EIO;
}

struct exporting {
	FILE *out;
	uint64_t n; /* written */
};

static int write_forms(struct bb_ctl *ctl, struct bb_kv *kv, struct bb_buf *line,
		       struct bb_hash *seal, FILE *out)
{
	struct bb_text forms;
	int err = bb_tombstone_forms(kv, &ctl->arena, &forms);

	if (err != BB_OK)
		return err;
	bb_buf_printf(line, "{\"forms\":\"");
	bb_buf_hex(line, forms.p, forms.n);
	bb_buf_byte(line, '"');
	return write_line(ctl, line, seal, out);
}

static int write_all(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct exporting *exporting = ctx;
	FILE *out = exporting->out;
	struct bb_erasure_cursor cursor = {.n = 0};
	struct bb_buf line = BB_BUF_EMPTY;
	struct bb_hash seal = {{0}};
	struct bb_hash key = hash_key(&ctl->config->rules.profile_key);
	int err;

	bb_buf_printf(&line, "{\"erasures\":%d,\"key\":", VERSION);
	put_hash(&key, &line);
	fprintf(out, "%.*s}\n", (int)line.n, line.p);
	line.n = 0;
	err = write_forms(ctl, kv, &line, &seal, out);
	for (; err == BB_OK; exporting->n++) {
		struct bb_tombstone stone;

		bb_arena_reset(&ctl->arena);
		err = bb_tombstone_next(kv, &cursor, &ctl->arena, &stone);
		if (err != BB_OK)
			break;
		line.n = 0;
		put_stone(&stone, &line);
		err = write_line(ctl, &line, &seal, out);
	}
	if (err == BB_ENOTFOUND) {
		line.n = 0;
		bb_buf_printf(&line, "{\"end\":%" PRIu64, exporting->n);
		err = write_line(ctl, &line, &seal, out);
	}
	bb_buf_fini(&line);
	return err == BB_OK && fflush(out) != 0 ? BB_EIO : err;
}

static int export_to(struct bb_ctl *ctl, const char *name, FILE *out)
{
	struct exporting exporting = {.out = out};
	int err = BB_OK, ret = bb_ctl_read_store(ctl, NULL, write_all, &exporting, &err);

	if (ret != BB_CTL_OK)
		return ret;
	if (err != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(err), "%s: %s", name, bb_error_text(err));
	if (out != ctl->out)
		fprintf(ctl->out, "%" PRIu64 " erasures\n", exporting.n);
	return BB_CTL_OK;
}

/* --- import ----------------------------------------------------------------------------------- */

struct import {
	struct bb_ctl *ctl;
	const char *name; /* of the file */
	size_t line;
	struct bb_hash seal; /* of the last line */
	bool ended;	     /* by the line that says so */
	struct bb_store *store;
	struct bb_pipeline *pl;
	struct bb_text actor;
	uint64_t done, known;
};

static bool wrong(struct import *import, const char *what)
{
	bb_ctl_fail(import->ctl, BB_CTL_USAGE, "%s:%zu: %s", import->name, import->line, what);
	return false;
}

static struct bb_text text_of(const json_t *value)
{
	return json_is_string(value)
		       ? bb_text_bytes(json_string_value(value), json_string_length(value))
		       : (struct bb_text){NULL, 0};
}

static bool hash_of(const json_t *value, struct bb_hash *ret_hash)
{
	struct bb_text text = text_of(value);

	return text.p && strspn(text.p, "0123456789abcdef") == text.n &&
	       bb_text_unhex(text, ret_hash->b, BB_HASH_BYTES);
}

static bool read_hashes(struct import *import, const json_t *root, const char *name,
			struct bb_hash **ret_items, size_t *ret_n)
{
	const json_t *list = json_object_get(root, name), *item;
	size_t i;

	if (!json_is_array(list))
		return false;
	*ret_n = json_array_size(list);
	*ret_items = bb_arena_zalloc(&import->ctl->arena, *ret_n * sizeof(**ret_items));
	json_array_foreach(list, i, item)
	{
		if (!hash_of(item, &(*ret_items)[i]))
			return false;
	}
	return true;
}

static bool read_identifiers(struct import *import, const json_t *root,
			     struct bb_erasure_receipt *receipt)
{
	const json_t *list = json_object_get(root, "identifiers"), *item;
	size_t i;

	if (!json_is_array(list))
		return false;
	receipt->identifier_n = json_array_size(list);
	receipt->identifiers = bb_arena_zalloc(
		&import->ctl->arena, receipt->identifier_n * sizeof(*receipt->identifiers));
	json_array_foreach(list, i, item)
	{
		const json_t *standing = json_object_get(item, "standing");

		if (!hash_of(json_object_get(item, "hash"), &receipt->identifiers[i].hash) ||
		    !json_is_boolean(standing))
			return false;
		receipt->identifiers[i].standing = json_is_true(standing);
	}
	return true;
}

static bool read_watermark(struct import *import, const json_t *root,
			   struct bb_erasure_receipt *receipt)
{
	const json_t *list = json_object_get(root, "watermark"), *item;
	size_t i;

	if (!json_is_array(list))
		return false;
	receipt->watermark_n = json_array_size(list);
	receipt->watermark = bb_arena_zalloc(&import->ctl->arena,
					     receipt->watermark_n * sizeof(*receipt->watermark));
	json_array_foreach(list, i, item)
	{
		struct bb_erasure_mark *mark = &receipt->watermark[i];
		json_int_t partition = json_integer_value(json_object_get(item, "partition"));

		mark->topic = text_of(json_object_get(item, "topic"));
		mark->partition = (int32_t)partition;
		mark->next_offset = json_integer_value(json_object_get(item, "next_offset"));
		mark->birth.known =
			hash_of(json_object_get(item, "first_hash"), &mark->birth.print);
		mark->birth.offset = json_integer_value(json_object_get(item, "first_offset"));
		if (!mark->topic.n || partition < 0 || partition > INT32_MAX ||
		    mark->next_offset < 0)
			return false;
	}
	return true;
}

static bool read_count(const json_t *root, const char *name, uint64_t *ret_count)
{
	const json_t *value = json_object_get(root, name);

	*ret_count = (uint64_t)json_integer_value(value);
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* Slices are of `root`. */
static bool read_stone(struct import *import, const json_t *root, struct bb_tombstone *ret_stone)
{
	struct bb_erasure_receipt *receipt = &ret_stone->receipt;
	struct bb_text profile = text_of(json_object_get(root, "profile"));
	struct bb_hash hash;

	*ret_stone = (struct bb_tombstone){.records = NULL};
	receipt->id = text_of(json_object_get(root, "id"));
	if (!receipt->id.n || receipt->id.n > BB_ERASURE_ID_MAX)
		return wrong(import, "id: has not 1 to 256 bytes");
	if (!bb_clock_parse_rfc3339(text_of(json_object_get(root, "time")), &receipt->time_ms))
		return wrong(import, "time: is not of the form 2026-01-31T12:00:00.000Z");
	if (!bb_erasure_mode_of(text_of(json_object_get(root, "mode")), &receipt->mode))
		return wrong(import, "mode: must be forget or suppress");
	if (!bb_hash_parse_profile_id(profile, &hash))
		return wrong(import, "profile: is no profile id");
	memcpy(receipt->profile, profile.p, BB_PROFILE_ID_BYTES);
	if (!read_count(root, "records", &receipt->records) ||
	    !read_count(root, "events", &receipt->events) ||
	    !read_count(root, "stripped", &receipt->stripped) ||
	    !read_count(root, "rulings", &receipt->rulings))
		return wrong(import, "records, events, stripped, rulings: must be whole numbers");
	if (!read_identifiers(import, root, receipt))
		return wrong(import, "identifiers: must be a list of {\"hash\", \"standing\"}");
	if (!read_watermark(import, root, receipt))
		return wrong(import, "watermark: must be a list of {\"topic\", \"partition\", "
				     "\"next_offset\"}");
	if (!read_hashes(import, root, "record_hashes", &ret_stone->records,
			 &ret_stone->record_n) ||
	    !read_hashes(import, root, "amount_key_hashes", &ret_stone->keys, &ret_stone->key_n))
		return wrong(import, "record_hashes, amount_key_hashes: must be lists of hashes");
	return true;
}

static int note(struct import *import, struct bb_kv *kv, const struct bb_tombstone *stone)
{
	struct bb_audit entry = {
		.at_ms = bb_clock_wall_ms(),
		.uid = (uint32_t)getuid(),
		.actor = import->actor,
		.action = bb_text_of(bb_audit_action_text(BB_AUDIT_IMPORT)),
		.subject = stone->receipt.id,
		.detail = bb_arena_printf(&import->ctl->arena, "%s identifiers=%zu records=%zu",
					  bb_erasure_mode_text(stone->receipt.mode),
					  stone->receipt.identifier_n, stone->record_n),
	};

	return bb_audit_append(kv, &entry);
}

static int take(struct import *import, const struct bb_tombstone *stone)
{
	bool known = false;
	struct bb_kv *kv;
	int err = bb_store_write_begin(import->store, &kv);

	if (err != BB_OK)
		return err;
	bb_pipeline_begin(import->pl, kv);
	err = bb_tombstone_take(import->pl, kv, stone, &known);
	if (err == BB_OK && !known)
		err = note(import, kv, stone);
	if (err == BB_OK)
		err = bb_pipeline_finish(import->pl);
	if (err == BB_OK)
		err = bb_store_write_commit(kv);
	else
		bb_store_write_abort(kv);
	if (err != BB_OK)
		bb_pipeline_abort(import->pl);
	import->done += err == BB_OK && !known;
	import->known += err == BB_OK && known;
	return err;
}

static bool bytes_of(struct import *import, const json_t *value, struct bb_text *ret_bytes)
{
	struct bb_text text = text_of(value);
	char *bytes = bb_arena_alloc(&import->ctl->arena, text.n / 2 + 1);

	*ret_bytes = bb_text_bytes(bytes, text.n / 2);
	return text.p && text.n % 2 == 0 && bb_text_unhex(text, bytes, text.n / 2);
}

static int take_forms(struct import *import, struct bb_text forms)
{
	struct bb_kv *kv;
	int err = bb_store_write_begin(import->store, &kv);

	if (err != BB_OK)
		return err;
	err = bb_tombstone_take_forms(kv, forms);
	if (err == BB_OK)
		return bb_store_write_commit(kv);
	bb_store_write_abort(kv);
	return err;
}

static bool check_head(struct import *import, const json_t *root)
{
	struct bb_hash wanted = hash_key(&import->ctl->config->rules.profile_key), key;

	if (json_integer_value(json_object_get(root, "erasures")) != VERSION)
		return wrong(import, "is no file of `erasures export`");
	if (hash_of(json_object_get(root, "key"), &key) && bb_hash_equal(&key, &wanted))
		return true;
	return wrong(import, "was made with another profile_key: its hashes mean nothing here");
}

static bool check_seal(struct import *import, const char *line, size_t n)
{
	size_t tail = strlen(seal_begins) + HEX_BYTES + 2 + strlen(seal_ends);
	struct bb_buf wanted = BB_BUF_EMPTY;
	bool good = false;

	if (n > tail) {
		seal_line(&import->ctl->config->rules.profile_key, bb_text_bytes(line, n - tail),
			  &import->seal);
		put_seal(&import->seal, &wanted);
		good = bb_text_equal(bb_text_bytes(line + n - tail, tail), bb_buf_slice(&wanted));
	}
	bb_buf_fini(&wanted);
	return good ||
	       wrong(import, "was changed since it was written, or one before it: its seal is not "
			     "right");
}

static bool check_end(struct import *import, const json_t *end)
{
	import->ended = json_integer_value(end) == (json_int_t)import->line - 3;
	return import->ended || wrong(import, "end: is not the number of erasures before it");
}

/* BB_CTL_OK, or the exit code after printing why. */
static int read_line(struct import *import, const char *line, size_t n)
{
	json_t *root = json_loadb(line, n, 0, NULL);
	struct bb_tombstone stone;
	struct bb_text forms = {NULL, 0};
	int err = BB_OK;
	bool good = json_is_object(root);

	if (!good)
		wrong(import, "is no JSON object");
	else if (import->line == 1)
		good = check_head(import, root);
	else if (import->ended)
		good = wrong(import, "is behind the end");
	else if (import->line == 2)
		good = (bytes_of(import, json_object_get(root, "forms"), &forms) ||
			wrong(import, "forms: must be pairs of hexadecimal digits")) &&
		       check_seal(import, line, n);
	else if (json_object_get(root, "end"))
		good = check_seal(import, line, n) &&
		       check_end(import, json_object_get(root, "end"));
	else if ((good = read_stone(import, root, &stone) && check_seal(import, line, n)))
		err = take(import, &stone);
	if (good && forms.p)
		err = take_forms(import, forms);
	json_decref(root);
	if (err == BB_EINVAL)
		good = wrong(import, "forms: cannot be read");
	if (!good)
		return BB_CTL_USAGE;
	if (err == BB_ECONFIG)
		return bb_ctl_fail(import->ctl, BB_CTL_REFUSED,
				   "the store is of other rules of identity than the "
				   "configuration: start the daemon once");
	if (err != BB_OK)
		return bb_ctl_fail(import->ctl, bb_ctl_exit_of(err), "%s: %s",
				   import->ctl->config->store_path, bb_error_text(err));
	return BB_CTL_OK;
}

/* The next line with its line feed, or as much of it as is too much. False: there is none. */
static bool next_line(FILE *in, struct bb_buf *line)
{
	int byte;

	for (line->n = 0; line->n <= LINE_BYTES_MAX;) {
		byte = getc_unlocked(in);
		if (byte == EOF)
			break;
		bb_buf_byte(line, (char)byte);
		if (byte == '\n')
			break;
	}
	return line->n > 0;
}

static int read_file(struct import *import, FILE *in)
{
	struct bb_buf line = BB_BUF_EMPTY;
	int ret = BB_CTL_OK;

	while (ret == BB_CTL_OK && next_line(in, &line)) {
		import->line++;
		bb_arena_reset(&import->ctl->arena);
		if (line.n <= LINE_BYTES_MAX) {
			ret = read_line(import, line.p, line.n);
		} else {
			wrong(import, "is too long, more than 64 MiB");
			ret = BB_CTL_USAGE;
		}
	}
	bb_buf_fini(&line);
	if (ret == BB_CTL_OK && ferror(in))
		ret = bb_ctl_fail(import->ctl, BB_CTL_NO, "%s: %s", import->name, strerror(errno));
	if (ret == BB_CTL_OK && !import->ended) {
		import->line++;
		wrong(import, import->line == 1 ? "is empty" : "the end of the file is missing");
		ret = BB_CTL_USAGE;
	}
	return ret;
}

static int import_from(struct bb_ctl *ctl, const char *name, FILE *in)
{
	struct import import = {.ctl = ctl, .name = name};
	const struct passwd *user = getpwuid(getuid());
	int ret = bb_ctl_open_store_to_write(ctl, &import.store);

	if (ret != BB_CTL_OK)
		return ret;
	import.actor = bb_text_of(user ? user->pw_name : "?");
	import.pl = bb_pipeline_new(&ctl->config->rules);
	ret = read_file(&import, in);
	bb_pipeline_free(import.pl);
	bb_store_close(import.store);
	if (ret != BB_CTL_OK)
		return ret;
	if (ctl->json)
		fprintf(ctl->out, "{\"imported\":%" PRIu64 ",\"known\":%" PRIu64 "}\n", import.done,
			import.known);
	else
		fprintf(ctl->out, "%" PRIu64 " erasures imported, %" PRIu64 " were known\n",
			import.done, import.known);
	return BB_CTL_OK;
}

/* --- the verb --------------------------------------------------------------------------------- */

int bb_ctl_erasures(struct bb_ctl *ctl)
{
	bool exports = strcmp(ctl->args[0], "export") == 0;
	const char *name = ctl->args[1];
	bool is_standard = strcmp(name, "-") == 0;
	FILE *file;
	int ret;

	if (!exports && strcmp(ctl->args[0], "import") != 0)
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "export FILE or import FILE, not %s",
				   ctl->args[0]);
	file = is_standard ? (exports ? ctl->out : stdin) : fopen(name, exports ? "wxe" : "re");
	if (!file)
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "%s: %s", name, strerror(errno));
	ret = exports ? export_to(ctl, name, file) : import_from(ctl, name, file);
	if (is_standard)
		return ret;
	if (fclose(file) != 0 && ret == BB_CTL_OK)
		ret = bb_ctl_fail(ctl, BB_CTL_NO, "%s: %s", name, strerror(errno));
	if (exports && ret != BB_CTL_OK)
		unlink(name); /* half of them would look like all */
	return ret;
}
