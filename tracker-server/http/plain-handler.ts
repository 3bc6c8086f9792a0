import type { IncomingMessage, ServerResponse } from 'node:http';
import { addressKey, parseAddress } from '../core/address.ts';
import type { Grant } from '../core/connection.ts';
import { PlainQueryError, readAnnounce, readScrape } from '../core/plain-query.ts';
import { plainAnnounceReply, plainFailure, plainScrapeReply } from '../core/plain-reply.ts';
import type { PlainRefusal, PlainTracker } from '../core/plain-tracker.ts';
import type { RejectReason, UpgradeGate } from '../socket/upgrade-gate.ts';
import { visitorAddress } from './request-origin.ts';

export interface PlainHandlerOptions {
	readonly tracker: PlainTracker;
	/** Bounds requests of one address; a desktop client announces all its torrents at once. */
	readonly gate: UpgradeGate;
	/** Whether an address was put out by the tracker for WebSockets. */
	readonly isBanned: (addressKey: string, nowMs: number) => boolean;
	readonly trustedHops: number;
	/** What a token allows in a swarm; undefined refuses. */
	readonly admit: (infoHash: string, token: string | undefined, nowMs: number) => Grant | undefined;
	readonly scrape: 'named' | 'joined' | 'off';
	/** Infohashes answered in one scrape. */
	readonly scrapeHashes: number;
	readonly now: () => number;
}

/** Answers `/announce` and `/scrape` of ordinary BitTorrent clients; refusals are bencoded too, as clients show them. */
export function plainHandler(options: PlainHandlerOptions) {
	const { tracker, gate, trustedHops, admit, now } = options;
	return (
		request: IncomingMessage,
		response: ServerResponse,
		kind: 'announce' | 'scrape',
	): void => {
		const nowMs = now();
		const [, query = ''] = (request.url ?? '').split('?', 2);
		const from = visitorAddress(request, trustedHops);
		const key = addressKey(from);
		const address = parseAddress(from);
		const refusal = options.isBanned(key, nowMs)
			? 'banned'
			: gate.refusal(key, request.headers.origin, nowMs);
		if (refusal) return send(response, statusOf(refusal), plainFailure('too many requests'));
		if (!address) return send(response, 200, plainFailure('your address is not known'));
		const token = /(?:^|&)token=([\w.-]{1,2048})(?:&|$)/.exec(query)?.[1];
		try {
			if (kind === 'scrape') {
				if (options.scrape !== 'named') throw new PlainQueryError('scrape is off here');
				const asked = readScrape(query, options.scrapeHashes);
				const allowed = asked.filter((infoHash) => admit(infoHash, token, nowMs));
				const files = new Map(allowed.map((hash) => [hash, tracker.counts(hash)]));
				return send(response, 200, plainScrapeReply(files));
			}
			const message = readAnnounce(query);
			if (!admit(message.infoHash, token, nowMs)) {
				throw new PlainQueryError('this tracker does not serve this torrent');
			}
			const reply = tracker.announce(message, { address, addressKey: key }, nowMs);
			if (typeof reply === 'string') throw new PlainQueryError(REFUSALS[reply]);
			send(response, 200, plainAnnounceReply(reply, message.compact));
		} catch (error) {
			if (!(error instanceof PlainQueryError)) throw error;
			send(response, 200, plainFailure(error.message));
		}
	};
}

const REFUSALS: Readonly<Record<PlainRefusal, string>> = {
	address: 'too many peers from your address',
	full: 'this tracker is full',
};

function statusOf(reason: RejectReason): number {
	return reason === 'rate' || reason === 'storm' ? 429 : 403;
}

function send(response: ServerResponse, status: number, body: string): void {
	const bytes = Buffer.from(body, 'latin1');
	response.writeHead(status, {
		'Content-Type': 'text/plain',
		'Content-Length': bytes.length,
		'Cache-Control': 'no-store',
		'X-Content-Type-Options': 'nosniff',
	});
	response.end(response.req.method === 'HEAD' ? undefined : bytes);
}
