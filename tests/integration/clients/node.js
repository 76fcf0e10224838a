// SPDX-License-Identifier: Apache-2.0
// What an application on node-redis does: connect, pipeline, typed replies, errors. Prints one JSON line.
'use strict';
const { createClient } = require('redis');

async function main() {
	const client = createClient({ socket: { path: process.argv[2] } });
	client.on('error', (error) => { throw error; });
	await client.connect();
	const answer = {
		ping: await client.ping(),
		view: JSON.parse(await client.get('user:7')),
		nobody: await client.get('user:nobody'),
		many: (await client.mGet(['user:7', 'user:nobody'])).map((v) => v !== null),
		hash: await client.hGetAll('user:7'),
		field: await client.hGet('user:7', '_events'),
		exists: await client.exists(['user:7', 'user:nobody']),
		resolved: await client.sendCommand(['BB.RESOLVE', 'user:7', 'user:nobody']),
	};
	answer.pipeline = (await Promise.all(Array.from({ length: 200 }, () => client.get('user:7')))).filter(Boolean).length;
	try {
		await client.set('user:7', 'x');
	} catch (error) {
		answer.refused = error.message;
	}
	await client.quit();
	console.log(JSON.stringify(answer));
}

main().catch((error) => { console.error(error); process.exit(1); });
