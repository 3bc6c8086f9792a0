import { once } from 'node:events';
import { WebSocket } from 'ws';

export type Json = Record<string, unknown>;

/** A bare WebSocket client for tests: sends anything, remembers everything it is told. */
export class RawClient {
	readonly socket: WebSocket;
	readonly received: Json[] = [];
	closed: { code: number; reason: string } | undefined;
	readonly #waiting = new Set<() => void>();

	constructor(url: string, options: ConstructorParameters<typeof WebSocket>[2] = {}) {
		this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
		this.socket.on('message', (data: Buffer) => {
			this.received.push(JSON.parse(data.toString()) as Json);
			this.#wake();
		});
		this.socket.on('close', (code, reason) => {
			this.closed = { code, reason: reason.toString() };
			this.#wake();
		});
		this.socket.on('error', () => undefined);
	}

	/** Connects, or rejects with the HTTP status the server refused with. */
	static async open(
		url: string,
		options?: ConstructorParameters<typeof WebSocket>[2],
	): Promise<RawClient> {
		const client = new RawClient(url, options);
		await new Promise<void>((resolve, reject) => {
			client.socket.once('open', resolve);
			client.socket.once('error', reject);
		});
		return client;
	}

	send(message: unknown): void {
		this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
	}

	/** The first message that fits, waiting for it if need be; takes it out of `received`. */
	async take(fits: (message: Json) => boolean, withinMs = 5_000): Promise<Json> {
		let found: Json | undefined;
		await this.#until(() => {
			const place = this.received.findIndex(fits);
			if (place >= 0) [found] = this.received.splice(place, 1);
			return found !== undefined;
		}, withinMs);
		return found as unknown as Json;
	}

	/** Waits for the server to close the connection. */
	async ended(withinMs = 5_000): Promise<{ code: number; reason: string }> {
		await this.#until(() => this.closed !== undefined, withinMs);
		return this.closed as unknown as { code: number; reason: string };
	}

	async close(): Promise<void> {
		if (this.closed) return;
		this.socket.terminate();
		await once(this.socket, 'close');
	}

	#until(done: () => boolean, withinMs: number): Promise<void> {
		return new Promise((resolve, reject) => {
			const check = () => {
				if (!done()) return;
				clearTimeout(timer);
				this.#waiting.delete(check);
				resolve();
			};
			const timer = setTimeout(() => {
				this.#waiting.delete(check);
				const seen = JSON.stringify(this.received).slice(0, 500);
				reject(
					new Error(
						`not within ${withinMs} ms; closed ${JSON.stringify(this.closed)}; seen ${seen}`,
					),
				);
			}, withinMs);
			this.#waiting.add(check);
			check();
		});
	}

	#wake(): void {
		for (const check of [...this.#waiting]) check();
	}
}
