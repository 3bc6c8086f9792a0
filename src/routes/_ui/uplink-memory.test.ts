import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepUplink, recallUplink } from './uplink-memory.ts';

const setItem = vi.fn<(name: string, value: string) => void>();

beforeEach(() => {
	const kept = new Map<string, string>();
	setItem.mockImplementation((name, value) => void kept.set(name, value));
	vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem });
});

afterEach(() => {
	vi.unstubAllGlobals();
	setItem.mockReset();
});

test('an uplink is recalled on the next visit', () => {
	expect(recallUplink()).toBeUndefined();
	keepUplink(7_600_000.4);
	expect(recallUplink()).toBe(7_600_000);
});

test('what is unknown or much the same is not written, and what differs is', () => {
	keepUplink(5_000_000);
	for (const bps of [undefined, 0, 5_000_000, 5_400_000, 4_600_000]) keepUplink(bps);
	expect(setItem).toHaveBeenCalledOnce();
	keepUplink(3_000_000);
	expect(recallUplink()).toBe(3_000_000);
});

test.each(['', 'fast', '-1', 'Infinity', '0'])('%j in storage is nothing known', (text) => {
	setItem('shoal.uplink', text);
	expect(recallUplink()).toBeUndefined();
});
