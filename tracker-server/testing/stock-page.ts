// Runs in the browser: two stock clients meet over a tracker and exchange a word.
// @ts-expect-error the package brings no types
import Client from 'bittorrent-tracker/client';

interface Peer {
	on(event: string, hear: (data: Uint8Array) => void): void;
	send(text: string): void;
}
interface StockClient {
	on(event: 'peer', hear: (peer: Peer) => void): void;
	on(event: 'warning' | 'error', hear: (error: Error) => void): void;
	on(event: 'update', hear: (counts: object) => void): void;
	start(): void;
}

/** Resolves with what the second client heard from the first. */
function meet(
	announceUrl: string,
	infoHash: string,
): Promise<{ heard: string; warnings: string[] }> {
	return new Promise((resolve) => {
		const warnings: string[] = [];
		const make = (digit: string) => {
			const client = new (Client as new (options: object) => StockClient)({
				infoHash,
				peerId: digit.repeat(40),
				// Clients of one page share a connection to the same URL, where real ones have their own.
				announce: [`${announceUrl}?${digit}`],
				rtcConfig: { iceServers: [] },
			});
			client.on('warning', (error) => warnings.push(error.message));
			client.on('error', (error) => warnings.push(error.message));
			return client;
		};
		const [anna, bert] = [make('a'), make('b')];
		anna.on('peer', (peer) => peer.on('connect', () => peer.send('hello')));
		bert.on('peer', (peer) =>
			peer.on('data', (data) => resolve({ heard: new TextDecoder().decode(data), warnings })),
		);
		let started = false;
		anna.on('update', () => {
			if (!started) bert.start();
			started = true;
		});
		anna.start();
	});
}

Object.assign(globalThis, { meet });
