import { expect, test } from 'vitest';
import { seededRandom, SimClock } from './sim-clock.ts';

test('runs events by time, and those of one moment as they were set, near and far', () => {
	const clock = new SimClock();
	const random = seededRandom(1);
	const expected: [number, number][] = [];
	const ran: [number, number][] = [];
	let set = 0;
	const plan = (delayMs: number, again: number) => {
		const atMs = clock.now() + delayMs;
		const order = set++;
		expected.push([atMs, order]);
		clock.after(delayMs, () => {
			expect(clock.now()).toBe(atMs);
			ran.push([atMs, order]);
			if (again > 0) plan(Math.floor(random() * 4) * 2500 + random(), again - 1);
		});
	};
	for (let i = 0; i < 500; i++) plan(Math.floor(random() * 60) * 250.5, 3);
	for (const untilMs of [0, 0.5, 4095.9, 4096, 9000.25, 100_000]) clock.run(untilMs);
	expect(ran.length).toBe(2000);
	expect(ran).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
});

test('stops where it is told to, and runs nothing that was called off', () => {
	const clock = new SimClock();
	const ran: string[] = [];
	clock.after(10.5, () => ran.push('early'));
	const stop = clock.after(10.6, () => ran.push('called off'));
	clock.after(5000, () => ran.push('late'));
	clock.run(10.4);
	expect([clock.now(), ran]).toEqual([10.4, []]);
	stop();
	clock.run(4999);
	expect(ran).toEqual(['early']);
	clock.after(0, () => ran.push('at once'));
	clock.run(4999);
	expect(ran).toEqual(['early', 'at once']);
	clock.run(5000);
	expect(ran.at(-1)).toBe('late');
	expect(clock.events).toBe(3);
});
