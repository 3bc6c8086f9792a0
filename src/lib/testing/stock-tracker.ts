import type { AddressInfo, Socket } from 'node:net';
// @ts-expect-error the package has no types
import StockServer from 'bittorrent-tracker/server';

/** A tracker that runs in this process. */
export interface RunningTracker {
	/** Its WebSocket address. */
	readonly url: string;
	readonly port: number;
	/** Resolves when somebody has joined a swarm. */
	readonly whenJoined: Promise<void>;
	/** Ends it and cuts every connection. */
	close(): Promise<void>;
}

interface Stock {
	http: {
		address(): AddressInfo;
		on(event: 'connection', listener: (socket: Socket) => void): void;
	};
	on(event: 'error' | 'warning' | 'start', listener: () => void): void;
	listen(port: number, host: string, listening: () => void): void;
	close(closed: () => void): void;
}

/** The stock WebTorrent tracker (bittorrent-tracker) on loopback; port 0 is any free one. */
export async function stockTracker(port = 0): Promise<RunningTracker> {
	const options = { udp: false, http: false, ws: true, stats: false };
	const server = new (StockServer as new (options: object) => Stock)(options);
	server.on('error', () => undefined);
	server.on('warning', () => undefined);
	const whenJoined = new Promise<void>((resolve) => server.on('start', resolve));
	const sockets = new Set<Socket>();
	server.http.on('connection', (socket) => sockets.add(socket));
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	const { port: actual } = server.http.address();
	return {
		url: `ws://127.0.0.1:${actual}`,
		port: actual,
		whenJoined,
		close: () =>
			new Promise((resolve) => {
				for (const socket of sockets) socket.destroy();
				server.close(resolve);
			}),
	};
}
