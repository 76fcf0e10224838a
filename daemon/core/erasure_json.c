/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts in JSON: what those of the admin socket and the lines of `erasures export` have in
 * common. Cannot fail.
 */
#include <backbone/buf.h>
#include <backbone/clock.h>
#include <backbone/erasure.h>

void bb_erasure_json_head(const struct bb_erasure_receipt *receipt, struct bb_buf *buf)
{
	char time[BB_ISO_BYTES];

	bb_clock_iso(receipt->time_ms, time);
	bb_buf_printf(buf, "{\"id\":");
	bb_buf_json(buf, receipt->id);
	bb_buf_printf(buf, ",\"time\":\"%.*s\",\"mode\":\"%s\",\"profile\":\"%s\"", BB_ISO_BYTES,
		      time, bb_erasure_mode_text(receipt->mode), receipt->profile);
}

void bb_erasure_json_lists(const struct bb_erasure_receipt *receipt, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"identifiers\":[");
	for (size_t i = 0; i < receipt->identifier_n; i++) {
		bb_buf_printf(buf, "%s{\"hash\":\"", i > 0 ? "," : "");
		bb_buf_hex(buf, receipt->identifiers[i].hash.b, BB_HASH_BYTES);
		bb_buf_printf(buf, "\",\"standing\":%s}",
			      receipt->identifiers[i].standing ? "true" : "false");
	}
	bb_buf_printf(buf, "],\"watermark\":[");
	for (size_t i = 0; i < receipt->watermark_n; i++) {
		const struct bb_erasure_mark *mark = &receipt->watermark[i];

		bb_buf_printf(buf, "%s{\"topic\":", i > 0 ? "," : "");
		bb_buf_json(buf, mark->topic);
		bb_buf_printf(buf, ",\"partition\":%d,\"next_offset\":%lld", (int)mark->partition,
			      (long long)mark->next_offset);
		if (mark->birth.known) {
			bb_buf_printf(buf, ",\"first_offset\":%lld,\"first_hash\":\"",
				      (long long)mark->birth.offset);
			bb_buf_hex(buf, mark->birth.print.b, BB_HASH_BYTES);
			bb_buf_byte(buf, '"');
		}
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}
