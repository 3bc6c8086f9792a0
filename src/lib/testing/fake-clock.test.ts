import { expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';

it('runs timers in the order they fall due, those set on the way included', () => {
	const clock = new FakeClock();
	const ran: string[] = [];
	clock.after(20, () => ran.push('late'));
	clock.after(10, () => {
		ran.push(`early at ${clock.now()}`);
		clock.after(5, () => ran.push(`between at ${clock.now()}`));
	});
	clock.advance(20);
	expect(ran).toEqual(['early at 10', 'between at 15', 'late']);
	expect(clock.now()).toBe(20);
});

it('runs timers of one moment in the order they were set', () => {
	const clock = new FakeClock();
	const ran: number[] = [];
	for (const n of [1, 2, 3]) clock.after(5, () => ran.push(n));
	clock.advance(5);
	expect(ran).toEqual([1, 2, 3]);
});

it('forgets cancelled timers', () => {
	const clock = new FakeClock();
	const cancel = clock.after(1, () => expect.unreachable());
	cancel();
	expect(clock.pending).toBe(0);
	clock.advance(10);
});
