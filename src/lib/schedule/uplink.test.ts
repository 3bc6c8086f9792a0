import { describe, expect, it } from 'vitest';
import type { Link } from '../model/link.ts';
import { newNeighbour, type Neighbour } from './neighbour.ts';
import { Uplink, type Sending } from './uplink.ts';

const BLOCK = 16 * 1024;

/** Neighbours whose links drain at a common rate, except those that are stuck. */
function scene(bps: number, capBps = Infinity) {
	const sent: string[] = [];
	const buffers = new Map<string, number>();
	const stuck = new Set<string>();
	const neighbours: Neighbour[] = ['a', 'b', 'c'].map((peerId, slot) => {
		const link = {
			peerId,
			get bufferedBytes() {
				return buffers.get(peerId) ?? 0;
			},
		} as unknown as Link;
		return newNeighbour(link, slot, 0);
	});
	const uplink = new Uplink(({ to, index }) => {
		sent.push(`${to.link.peerId}${index}`);
		buffers.set(to.link.peerId, (buffers.get(to.link.peerId) ?? 0) + BLOCK);
		return BLOCK;
	}, capBps);
	let nowMs = 0;
	const pass = (ms: number) => {
		for (let i = 0; i < ms; i += 10) {
			nowMs += 10;
			let leaving = (bps * 10) / 8000;
			for (const [peerId, held] of buffers) {
				if (stuck.has(peerId)) continue;
				const out = Math.min(held, leaving);
				buffers.set(peerId, held - out);
				leaving -= out;
			}
			uplink.drain(nowMs, neighbours);
		}
	};
	const push = (peer: number, index: number, options: Partial<Sending> = {}) => {
		const to = neighbours[peer] ?? expect.unreachable();
		uplink.push({
			to,
			index,
			begin: 0,
			length: BLOCK,
			asked: false,
			turn: 0,
			queuedAtMs: nowMs,
			...options,
		});
	};
	return { uplink, neighbours, sent, stuck, pass, push };
}

describe('the uplink', () => {
	it('sends pushes before what was asked for, and pushes by their turn', () => {
		const { sent, push, pass } = scene(100_000_000);
		push(0, 1, { asked: true });
		push(0, 2, { turn: 1 });
		push(1, 3);
		push(1, 4, { turn: 1 });
		pass(50);
		expect(sent).toEqual(['b3', 'a2', 'b4', 'a1']);
	});

	it('keeps blocks back rather than filling the network, and measures its rate by that', () => {
		const { uplink, sent, push, pass } = scene(2_000_000);
		for (let i = 0; i < 60; i++) push(i % 3, i);
		pass(20);
		expect(sent.length).toBeLessThanOrEqual(4);
		pass(1200);
		expect(uplink.measuredBps).toBeGreaterThan(1_500_000);
		expect(uplink.measuredBps).toBeLessThan(2_500_000);
	});

	it('lets one dead link hold up nobody else, and does not take it for a slow uplink', () => {
		const { uplink, sent, stuck, push, pass } = scene(50_000_000);
		stuck.add('a');
		for (let i = 0; i < 4; i++) push(0, i);
		pass(400);
		for (let i = 10; i < 14; i++) push(1, i);
		pass(100);
		expect(sent.filter((name) => name.startsWith('b'))).toEqual(['b10', 'b11', 'b12', 'b13']);
		expect(uplink.measuredBps ?? Infinity).toBeGreaterThan(1_000_000);
	});

	it('drops what waited too long to matter', () => {
		const { uplink, stuck, push, pass } = scene(1_000_000);
		stuck.add('a');
		for (let i = 0; i < 10; i++) push(0, i, { asked: true });
		pass(2000);
		expect(uplink.waiting).toBe(0);
		expect(uplink.droppedBlocks).toBeGreaterThan(0);
	});

	it('keeps to the cap a person sets, and sends nothing at 0', () => {
		const capped = scene(100_000_000, 1_000_000);
		for (let i = 0; i < 40; i++) capped.push(i % 3, i);
		capped.pass(1000);
		expect(capped.uplink.sentBytes * 8).toBeLessThan(1_400_000);
		expect(capped.uplink.sentBytes * 8).toBeGreaterThan(700_000);
		const off = scene(100_000_000, 0);
		off.push(0, 1);
		off.pass(500);
		expect(off.sent).toEqual([]);
		expect(off.uplink.open).toBe(false);
	});

	it('takes back what was cancelled', () => {
		const { uplink, neighbours, sent, push, pass } = scene(100_000_000);
		push(0, 1, { asked: true });
		push(0, 2, { asked: true });
		uplink.cancel(({ index }) => index === 1);
		expect(neighbours[0]?.queuedBlocks).toBe(1);
		pass(50);
		expect(sent).toEqual(['a2']);
		expect(neighbours[0]?.queuedBlocks).toBe(0);
	});
});
