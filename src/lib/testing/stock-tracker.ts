import type { AddressInfo } from 'node:net';
// @ts-expect-error the package has no types
import StockServer from 'bittorrent-tracker/server';

/** A tracker that runs in this process. */
export interface RunningTracker {
	/** Its WebSocket address. */
	readonly url: string;
	readonly port: number;
	/** Ends it and cuts every connection. */
	close(): Promise<void>;
}

interface Stock {
	ws: { clients: Set<{ terminate(): void }> };
	http: { address(): AddressInfo };
	on(event: 'error' | 'warning', listener: () => void): void;
	listen(port: number, host: string, listening: () => void): void;
	close(closed: () => void): void;
}

/** The stock WebTorrent tracker (bittorrent-tracker) on loopback; port 0 is any free one. */
export async function stockTracker(port = 0): Promise<RunningTracker> {
	const options = { udp: false, http: false, ws: true, stats: false };
	const server = new (StockServer as new (options: object) => Stock)(options);
	server.on('error', () => undefined);
	server.on('warning', () => undefined);
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	const { port: actual } = server.http.address();
	return {
		url: `ws://127.0.0.1:${actual}`,
		port: actual,
		close: () =>
			new Promise((resolve) => {
				for (const client of server.ws.clients) client.terminate();
				server.close(resolve);
			}),
	};
}
