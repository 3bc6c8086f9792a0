import { isBinaryId } from '../core/binary-id.ts';
import type { Limits } from '../core/limits.ts';
import type { Offer } from '../core/message.ts';
import { isRelayableLiteral } from '../core/sdp.ts';
import type { SwarmEntry } from './directory.ts';

/** What nodes say to each other. Checked like a client's message: a bus is a border too. */
export type NodeMessage =
	| {
			readonly type: 'offers';
			readonly node: string;
			readonly infoHash: string;
			readonly peerId: string;
			readonly offers: readonly Offer[];
	  }
	| {
			readonly type: 'answer';
			readonly node: string;
			readonly infoHash: string;
			readonly peerId: string;
			readonly toPeerId: string;
			readonly offerId: string;
			readonly sdpJson: string;
	  }
	| {
			readonly type: 'beat';
			readonly node: string;
			/** When it was sent, by the sender's clock. */
			readonly atMs: number;
			readonly swarms: readonly SwarmEntry[];
			/** Addresses with many connections: key and count. In the first part of a beat only. */
			readonly crowded?: readonly (readonly [string, number])[] | undefined;
			/** Banned addresses: key and how long still, in milliseconds. */
			readonly bans: readonly (readonly [string, number])[];
	  }
	| { readonly type: 'bye'; readonly node: string };

/** Longest message between nodes, in characters. */
export const mostMessageChars = 64 * 1024;
const mostPairs = 1024;
const nodeName = /^[\w.-]{1,64}$/;

type Fields = Record<string, unknown>;

/** Reads a node's message; undefined for what is none. Never throws. */
export function parseNodeMessage(text: string, limits: Limits): NodeMessage | undefined {
	if (text.length > mostMessageChars) return undefined;
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return undefined;
	}
	if (!isFields(value)) return undefined;
	const { node } = value;
	if (typeof node !== 'string' || !nodeName.test(node)) return undefined;
	switch (value.type) {
		case 'offers':
			return parseOffers(value, node, limits);
		case 'answer':
			return parseAnswer(value, node, limits);
		case 'beat':
			return parseBeat(value, node);
		case 'bye':
			return { type: 'bye', node };
		default:
			return undefined;
	}
}

function parseOffers(value: Fields, node: string, limits: Limits): NodeMessage | undefined {
	const { infoHash, peerId } = value;
	if (!isBinaryId(infoHash) || !isBinaryId(peerId) || !Array.isArray(value.offers))
		return undefined;
	const offers: Offer[] = [];
	for (const item of value.offers.slice(0, limits.offersPerAnnounce) as unknown[]) {
		if (!isFields(item) || !isBinaryId(item.offerId)) return undefined;
		if (!isRelayableLiteral(item.sdpJson, limits)) return undefined;
		offers.push({ offerId: item.offerId, sdpJson: item.sdpJson });
	}
	return { type: 'offers', node, infoHash, peerId, offers };
}

function parseAnswer(value: Fields, node: string, limits: Limits): NodeMessage | undefined {
	const { infoHash, peerId, toPeerId, offerId } = value;
	if (!isBinaryId(infoHash) || !isBinaryId(peerId)) return undefined;
	if (!isBinaryId(toPeerId) || !isBinaryId(offerId)) return undefined;
	const { sdpJson } = value;
	if (!isRelayableLiteral(sdpJson, limits)) return undefined;
	return { type: 'answer', node, infoHash, peerId, toPeerId, offerId, sdpJson };
}

function parseBeat(value: Fields, node: string): NodeMessage | undefined {
	const { atMs, swarms } = value;
	if (typeof atMs !== 'number' || !Array.isArray(swarms)) return undefined;
	const entries: SwarmEntry[] = [];
	for (const entry of swarms as unknown[]) {
		if (!Array.isArray(entry) || !isBinaryId(entry[0])) return undefined;
		entries.push([entry[0], amount(entry[1]), amount(entry[2]), amount(entry[3])]);
	}
	return {
		type: 'beat',
		node,
		atMs,
		swarms: entries,
		crowded: value.crowded === undefined ? undefined : pairs(value.crowded),
		bans: pairs(value.bans),
	};
}

function pairs(value: unknown): [string, number][] {
	if (!Array.isArray(value)) return [];
	const found: [string, number][] = [];
	for (const item of value.slice(0, mostPairs) as unknown[]) {
		if (Array.isArray(item) && typeof item[0] === 'string' && item[0].length <= 64) {
			found.push([item[0], amount(item[1])]);
		}
	}
	return found;
}

function amount(value: unknown): number {
	return typeof value === 'number' && value > 0 && value < 1e9 ? Math.floor(value) : 0;
}

function isFields(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
