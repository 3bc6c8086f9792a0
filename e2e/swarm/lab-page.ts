import { Swarm } from '../../src/lib/swarm/swarm.ts';
import type { Link } from '../../src/lib/model/link.ts';
import { fromHex, toHex } from '../../src/lib/util/bytes.ts';
import type { Clock } from '../../src/lib/util/clock.ts';
import { createWire } from '../../src/lib/wire/wire.ts';

/** A page with nothing but a swarm on it. */
export interface SwarmLab {
	/** Joins the swarm of an infohash (hexadecimal); gives the own id. */
	join(tracker: string, infoHash: string): string;
	/** Resolves with the milliseconds from `join` until there were so many links. */
	linked(count: number): Promise<number>;
	/** Ids of the neighbours. */
	neighbours(): string[];
	/** Pieces of 16 KiB to every neighbour, then a goodbye. */
	sendPieces(count: number): void;
	/** What came in, in order: types of messages, and reasons why links ended. */
	readonly heard: string[];
	/** Leaves as a page does that is being closed. */
	leave(): void;
	swarm: Swarm | undefined;
}

const clock: Clock = {
	now: () => performance.now(),
	wallNow: () => Date.now(),
	after(delayMs, callback) {
		const timer = setTimeout(callback, delayMs);
		return () => clearTimeout(timer);
	},
};
const links: Link[] = [];
let joinedAtMs = 0;
let onLink = () => undefined as void;

const lab: SwarmLab = {
	heard: [],
	swarm: undefined,
	join(tracker, infoHash) {
		joinedAtMs = performance.now();
		const swarm = new Swarm({
			infoHash: fromHex(infoHash)!,
			trackers: [tracker],
			iceServers: [],
			role: 'viewer',
			wire: createWire,
			clock,
			random: Math.random,
		});
		lab.swarm = swarm;
		swarm.on('link', (link) => {
			links.push(link);
			link.onMessage = ({ type }) => lab.heard.push(type);
			link.onClose = (why) => {
				links.splice(links.indexOf(link), 1);
				lab.heard.push(why);
			};
			onLink();
		});
		swarm.wantLinks(4);
		swarm.open();
		return toHex(swarm.peerId);
	},
	linked(count) {
		return new Promise((resolve) => {
			onLink = () => {
				if (links.length >= count) resolve(performance.now() - joinedAtMs);
			};
			onLink();
		});
	},
	neighbours: () => links.map(({ peerId }) => peerId),
	sendPieces(count) {
		for (const link of links) {
			for (let index = 0; index < count; index++) {
				link.send({ type: 'piece', index, begin: 0, block: new Uint8Array(16_384) });
			}
		}
	},
	leave() {
		for (const link of links) link.send({ type: 'bye' });
		void lab.swarm?.close({ atOnce: true });
	},
};

addEventListener('pagehide', () => lab.leave());

declare global {
	interface Window {
		swarmLab: SwarmLab;
	}
}
window.swarmLab = lab;
