import { createClient } from '@redis/client';
import type { Logger } from 'pino';

import type { Bus, Urgency } from './bus.ts';

/** Messages under way at most, by what they are: offers make way for answers. */
const mostInFlight: Record<Urgency, number> = { offer: 1_024, answer: 2_048, beat: 3_072 };
const connectTimeoutMs = 2_000;

/**
 * A bus over Valkey or Redis 7 and later: sharded pub/sub, so that in a cluster of them a message
 * stays with the shard of its channel. Comes up whenever the server does, and goes on trying.
 */
export function redisBus(url: string, log: Logger): Bus {
	const publisher = createClient({
		url,
		disableOfflineQueue: true,
		pingInterval: 5_000,
		socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: retryDelayMs },
	});
	const subscriber = publisher.duplicate({ disableOfflineQueue: false });
	let inFlight = 0;
	let dropped = 0;
	let isClosed = false;
	let saidDown = false;

	const onError = (error: Error) => {
		if (isClosed || saidDown) return;
		saidDown = true;
		log.warn({ err: error }, 'the bus is away; this node goes on alone');
	};
	publisher.on('error', onError);
	subscriber.on('error', onError);
	subscriber.on('ready', () => {
		log.info('the bus is connected');
		saidDown = false;
	});
	// A first connection that fails is retried like any other; its promise says nothing new.
	publisher.connect().catch(onError);
	subscriber.connect().catch(onError);

	return {
		get up() {
			return publisher.isReady && subscriber.isReady;
		},
		get dropped() {
			return dropped;
		},
		publish(channel, text, urgency) {
			if (isClosed || !publisher.isReady || inFlight >= mostInFlight[urgency]) {
				dropped += 1;
				return false;
			}
			inFlight += 1;
			publisher
				.sPublish(channel, text)
				.catch(() => {
					dropped += 1;
				})
				.finally(() => {
					inFlight -= 1;
				});
			return true;
		},
		subscribe(channel, hear) {
			subscriber.sSubscribe(channel, hear).catch(onError);
		},
		async close() {
			if (isClosed) return;
			isClosed = true;
			if (publisher.isReady) await settle(publisher.close());
			publisher.destroy();
			subscriber.destroy();
		},
	};
}

/** Between 0.1 and 2 s, at random: a restarted server is not met by everybody at once. */
function retryDelayMs(retries: number): number {
	const most = Math.min(2_000, 100 * 2 ** Math.min(retries, 5));
	return 100 + Math.random() * most;
}

/** Waits for a farewell, but not for one that will never come. */
async function settle(farewell: Promise<unknown>): Promise<void> {
	await Promise.race([
		farewell.catch(() => undefined),
		new Promise((resolve) => {
			setTimeout(resolve, 500);
		}),
	]);
}
