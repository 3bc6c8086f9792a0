import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

import { addressKey } from '../core/address.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { bindingResponse } from './stun-message.ts';

export interface StunServer {
	readonly port: number;
	readonly answered: number;
	readonly dropped: number;
	close(): Promise<void>;
}

/** Answers per address: a browser asks a few times for each of its interfaces. */
const perSecond = 10;
const burst = 40;
const totalPerSecond = 2_000;
const mostAddresses = 10_000;

/**
 * A STUN responder that tells a client its own address and does nothing else. It answers an
 * address only so often, so that a forged sender gains nothing worth having.
 */
export async function startStunServer(host: string, port: number): Promise<StunServer> {
	const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
	const buckets = new Map<string, TokenBucket>();
	const total = new TokenBucket(totalPerSecond, Date.now());
	let answered = 0;
	let dropped = 0;

	const mayAnswer = (address: string): boolean => {
		const nowMs = Date.now();
		const key = addressKey(address);
		let bucket = buckets.get(key);
		if (!bucket) {
			// A flood of forged senders costs a table of fixed size and no more.
			if (buckets.size >= mostAddresses) buckets.clear();
			bucket = new TokenBucket(burst, nowMs);
			buckets.set(key, bucket);
		}
		if (!bucket.take(perSecond, burst, nowMs)) return false;
		return total.take(totalPerSecond, totalPerSecond, nowMs);
	};

	socket.on('message', (request, sender) => {
		const response = bindingResponse(request, sender.address, sender.port);
		if (!response || !mayAnswer(sender.address)) {
			dropped += 1;
			return;
		}
		answered += 1;
		socket.send(response, sender.port, sender.address, () => undefined);
	});
	await bind(socket, host, port);
	socket.on('error', () => undefined);

	let closing: Promise<void> | undefined;
	return {
		port: socket.address().port,
		get answered() {
			return answered;
		},
		get dropped() {
			return dropped;
		},
		close() {
			closing ??= new Promise((resolve) => {
				socket.close(() => resolve());
			});
			return closing;
		},
	};
}

function bind(socket: Socket, host: string, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.once('error', reject);
		socket.bind(port, host, () => {
			socket.off('error', reject);
			resolve();
		});
	});
}
