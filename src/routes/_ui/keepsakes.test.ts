import { afterEach, expect, test } from 'vitest';
import { keep, recall } from './keepsakes.ts';

const before = Object.getOwnPropertyDescriptor(globalThis, 'localStorage');
afterEach(() => {
	if (before) Object.defineProperty(globalThis, 'localStorage', before);
	else Reflect.deleteProperty(globalThis, 'localStorage');
});

function storage(get: () => unknown) {
	Object.defineProperty(globalThis, 'localStorage', { configurable: true, get });
}

test('what is kept is recalled', () => {
	const kept = new Map<string, string>();
	storage(() => ({
		getItem: (name: string) => kept.get(name) ?? null,
		setItem: (name: string, value: string) => kept.set(name, value),
	}));
	keep('title', 'Harbour');
	expect(recall('title')).toBe('Harbour');
	expect(recall('other')).toBeUndefined();
});

test('a frame without storage forgets and does not throw', () => {
	storage(() => {
		throw new DOMException('denied', 'SecurityError');
	});
	keep('title', 'Harbour');
	expect(recall('title')).toBeUndefined();
});

test('full storage is no failure', () => {
	storage(() => ({
		getItem: () => null,
		setItem: () => {
			throw new DOMException('full', 'QuotaExceededError');
		},
	}));
	keep('title', 'Harbour');
	expect(recall('title')).toBeUndefined();
});
