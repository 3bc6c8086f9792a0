import { expect, it } from 'vitest';
import { SegmentOrder } from './segment-order.ts';

const segment = (sequence: number, epoch = 1) => ({ manifest: { epoch, sequence } });

function drain(order: SegmentOrder<ReturnType<typeof segment>>): number[] {
	const out: number[] = [];
	for (let taken = order.take(); taken; taken = order.take()) out.push(taken.manifest.sequence);
	return out;
}

it('hands segments out in order, however they come', () => {
	const order = new SegmentOrder(8);
	order.put(segment(4));
	expect(drain(order)).toEqual([4]);
	order.put(segment(7));
	order.put(segment(6));
	expect(drain(order)).toEqual([]);
	order.put(segment(5));
	expect(drain(order)).toEqual([5, 6, 7]);
});

it('begins with the lowest that is there when the first is taken, and drops what comes later than its turn', () => {
	const order = new SegmentOrder(8);
	for (const sequence of [9, 7, 8]) order.put(segment(sequence));
	expect(drain(order)).toEqual([7, 8, 9]);
	expect(order.put(segment(3))).toBe(false);
	expect(drain(order)).toEqual([]);
	expect(order.lowest).toBeUndefined();
});

it('passes over what is lost, what holds up too many, and what it is told to', () => {
	const order = new SegmentOrder(2);
	order.put(segment(0));
	expect(drain(order)).toEqual([0]);
	order.put(segment(2));
	order.lose(1);
	expect(drain(order)).toEqual([2]);
	for (const sequence of [5, 6]) order.put(segment(sequence));
	expect(drain(order)).toEqual([]);
	order.put(segment(7));
	expect(drain(order)).toEqual([5, 6, 7]);
	order.put(segment(12));
	expect(drain(order)).toEqual([]);
	order.skip();
	expect(drain(order)).toEqual([12]);
});

it('follows the newest broadcast only', () => {
	const order = new SegmentOrder(8);
	order.put(segment(5, 1));
	order.put(segment(9, 1));
	expect(drain(order)).toEqual([5]);
	order.put(segment(0, 2));
	expect(order.put(segment(6, 1))).toBe(false);
	expect(drain(order)).toEqual([0]);
});

it('passes a gap of any size at once, whoever numbers the segments', () => {
	const order = new SegmentOrder(2);
	order.put(segment(0));
	expect(drain(order)).toEqual([0]);
	const far = 2 ** 40;
	for (const i of [0, 1, 2]) order.put(segment(far + i));
	expect(drain(order)).toEqual([far, far + 1, far + 2]);
	order.beginAt(2 * far);
	expect(drain(order)).toEqual([]);
	order.put(segment(2 * far));
	expect(drain(order)).toEqual([2 * far]);
});

it('begins where it is told, and gives what is here below it all the same once begun', () => {
	const order = new SegmentOrder(8);
	order.put(segment(4));
	order.beginAt(3);
	expect(order.put(segment(2))).toBe(false);
	expect(drain(order)).toEqual([]);
	order.put(segment(6));
	order.beginAt(7);
	expect(drain(order)).toEqual([4, 6]);
	expect(order.next).toBe(7);
	order.put(segment(8));
	expect(drain(order)).toEqual([]);
	// A new broadcast begins anew.
	order.put(segment(1, 2));
	expect(drain(order)).toEqual([1]);
	order.put(segment(3, 2));
	expect(drain(order)).toEqual([]);
});
